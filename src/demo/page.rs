//! The administration page of a demo that stays up, with somebody who may sign in.

use std::net::SocketAddr;

use rand::RngExt as _;
use serde_json::{Value, json};

use super::stage::Stage;
use crate::admin::Served;
use crate::error::{Error, Kind, Result};
use crate::model::Language;
use crate::transport::Running;

/// The demo's administrator.
const NAME: &str = "demo";

/// The page at work.
pub(super) struct Page {
    served: Served,
    password: String,
}

impl Page {
    /// Makes the administrator, then opens the page on a free port.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub(super) async fn open(stage: &Stage, running: &Running) -> Result<Self> {
        let random: [u8; 8] = rand::rng().random();
        let password: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let (service, chosen) = (stage.service.clone(), password.clone());
        let made = tokio::task::spawn_blocking(move || match service.first_invitation()? {
            Some(token) => service.accept_invitation(&token, NAME, &chosen, Language::En).map(drop),
            None => Ok(()),
        });
        let fault = |e| Error::caused(Kind::Internal, "making the demo's administrator", e);
        made.await.map_err(fault)??;
        let served = Served::start(stage.service.clone(), running.face()).await?;
        let off = || Error::new(Kind::Internal, "the demo's administration page is off");
        Ok(Self { served: served.ok_or_else(off)?, password })
    }

    /// Where browsers connect.
    pub(super) fn bound(&self) -> SocketAddr {
        self.served.bound()
    }

    /// What a visitor needs to sign in, for people.
    pub(super) fn lines(&self) -> [String; 2] {
        [format!("{}/", self.served.url()), format!("name {NAME}, password {}", self.password)]
    }

    /// The same for programs.
    pub(super) fn value(&self) -> Value {
        json!({ "url": self.served.url(), "name": NAME, "password": self.password })
    }

    /// Lets requests under way finish.
    pub(super) async fn close(self) {
        self.served.stop().await;
    }
}
