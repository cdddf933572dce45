//! Deliveries: a file brought to a client's own server, or laid into a hosted folder, by a job of the outbox.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::outbox::{OutboxJob, Trouble};
use super::{Service, drops};
use crate::error::{Error, Kind, Result};
use crate::store::registry::{JobKind, NewJob};

/// What is delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Delivery {
    /// A file that was handed over.
    Drop {
        /// Its id.
        id: String,
    },
}

impl Delivery {
    /// The job: all files of one folder go one after the other.
    pub(super) fn job(
        &self,
        client: &str,
        login: &str,
        folder: &str,
        now: Timestamp,
    ) -> Result<NewJob> {
        let payload = serde_json::to_string(self)
            .map_err(|e| Error::caused(Kind::Internal, "writing a delivery as JSON", e))?;
        let key = match self {
            Self::Drop { id } => drops::job_key(id),
        };
        Ok(NewJob {
            client: Some(client.to_owned()),
            kind: JobKind::Delivery,
            lane: format!("delivery/{login}/{folder}"),
            key,
            payload,
            not_before: now,
        })
    }
}

/// Carries out a delivery.
pub(super) async fn deliver(
    service: &Service,
    job: &OutboxJob,
) -> std::result::Result<(), Trouble> {
    let delivery: Delivery = serde_json::from_str(&job.payload).map_err(|e| {
        Trouble::Never(Error::caused(Kind::Invalid, format!("delivery {}: {e}", job.key), e))
    })?;
    match delivery {
        Delivery::Drop { id } => deliver_drop(service, id).await,
    }
}

async fn deliver_drop(service: &Service, id: String) -> std::result::Result<(), Trouble> {
    let service = service.clone();
    let placing = move || -> std::result::Result<(), Trouble> {
        match service.registry().file_drop(&id)? {
            Some(dropped) => drops::place(&service, &dropped),
            None => Ok(()),
        }
    };
    tokio::task::spawn_blocking(placing).await.map_err(|e| {
        Trouble::Again(Error::caused(Kind::Internal, "placing a file came to no end", e))
    })?
}
