//! The administration page and the REST API: thin over `service`, served by one listener.

mod api;
mod door;
mod download;
mod form;
mod guard;
mod hop;
mod pace;
mod pages;
mod parts;
mod probes;
mod route;
mod server;
mod shell;

use std::net::SocketAddr;
use std::sync::Arc;

use crate::error::{Error, Kind, Result};
use crate::service::Service;
use crate::transport::Face;

#[cfg(any(test, fuzzing))]
pub(crate) use api::fuzzing;
pub use hop::page_url;
pub use server::Served;

/// What every request needs; clones share one inside.
#[derive(Clone)]
pub struct Admin(Arc<Inner>);

struct Inner {
    service: Service,
    /// How clients reach and recognise the server: for hand-out sheets.
    face: Face,
    /// Where the page is bound.
    bound: SocketAddr,
    /// Served over TLS.
    secure: bool,
    /// Host names (without port, lower case) that requests may name.
    hosts: Vec<String>,
    /// What the REST API remembers between requests.
    api: api::Memory,
}

impl Admin {
    fn new(service: Service, face: Face, bound: SocketAddr) -> Self {
        let hosts = hop::hosts(service.config(), bound);
        let secure = !bound.ip().is_loopback();
        Self(Arc::new(Inner { service, face, bound, secure, hosts, api: api::Memory::default() }))
    }

    /// The use cases, in the name of nobody yet.
    fn service(&self) -> &Service {
        &self.0.service
    }

    /// How clients reach and recognise the server.
    fn face(&self) -> &Face {
        &self.0.face
    }

    /// What the REST API remembers between requests.
    fn api(&self) -> &api::Memory {
        &self.0.api
    }

    /// Runs what blocks (databases, files) on a thread for that, in the name of whoever asked.
    async fn run<T: Send + 'static>(
        &self,
        who: &str,
        work: impl FnOnce(Service) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let service = self.0.service.acting_as(who);
        tokio::task::spawn_blocking(move || work(service)).await.map_err(|e| {
            Error::caused(Kind::Internal, "the request ended by a fault in this program", e)
        })?
    }

    /// The address of the page itself, without a path: for links that people are given.
    fn base_url(&self) -> String {
        page_url(self.0.service.config(), self.0.bound)
    }
}

/// Every address with its method and what it needs, as `METHOD /path/{part} needs`: for documentation and tests.
#[must_use]
pub fn route_table() -> Vec<String> {
    let words = |route: &route::Route| format!("{} {} {}", route.method, route.path, route.needs);
    guard::routes().iter().map(words).collect()
}
