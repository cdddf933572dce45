//! The administration page and the REST API, over real connections.

mod accounts;
pub(crate) mod browser;
mod clients;
mod door;
mod look;
mod remote;
