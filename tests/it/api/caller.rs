//! A program with an API token.

use rollcall::model::Scope;
use rollcall::service::tokens::NewToken;
use serde_json::Value;

use crate::app::TestApp;
use crate::web::browser::{Answer, Browser};

/// A program that sends requests with a token.
pub(crate) struct Program {
    browser: Browser,
    authorization: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// Opens the page of a server and makes a token with all scopes.
pub(crate) async fn program(app: &mut TestApp) -> Program {
    let address = app.open_page().await.0;
    Program::new(app, address, None, &Scope::ALL)
}

impl Program {
    /// A token of one client or all.
    pub(crate) fn new(
        app: &TestApp,
        address: std::net::SocketAddr,
        client: Option<&str>,
        scopes: &[Scope],
    ) -> Self {
        let new = NewToken {
            name: format!("test {scopes:?}"),
            client: client.map(str::to_owned),
            scopes: scopes.to_vec(),
            expires_at: None,
        };
        let (_, text) = app.service.add_api_token(&new).unwrap();
        let authorization = format!("Bearer {text}");
        Self { browser: Browser::new(address), authorization }
    }

    /// Another one at the same server.
    pub(crate) fn with(&self, app: &TestApp, client: Option<&str>, scopes: &[Scope]) -> Self {
        Self::new(app, self.browser.address, client, scopes)
    }

    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut all = vec![("authorization", self.authorization.as_str())];
        all.extend(headers);
        self.browser.send(method, &format!("/api/v1{path}"), &all, body).await
    }

    /// The same server, and no token.
    pub(crate) fn without_token(&self) -> Self {
        let authorization = "Bearer rollcall_0".to_owned();
        Self { browser: Browser::new(self.browser.address), authorization }
    }

    /// Any address of the server.
    pub(crate) async fn raw(&mut self, path: &str) -> Answer {
        self.browser.send("GET", path, &[], b"").await
    }

    /// Any operation, with an empty body.
    pub(crate) async fn at(&mut self, method: &str, path: &str) -> Answer {
        let authorization = ("authorization", self.authorization.as_str());
        self.browser.send(method, path, &[authorization], b"").await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], b"").await
    }

    /// Sends JSON.
    pub(crate) async fn json(&mut self, method: &str, path: &str, body: &Value) -> Answer {
        let kind = ("content-type", "application/json");
        self.send(method, path, &[kind], body.to_string().as_bytes()).await
    }

    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.json("POST", path, body).await
    }

    pub(crate) async fn delete(&mut self, path: &str) -> Answer {
        self.send("DELETE", path, &[], b"").await
    }
}
