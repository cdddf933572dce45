//! The administration page and the REST API, over real connections.

mod accounts;
mod attacks;
pub(crate) mod browser;
mod clients;
mod door;
mod imports;
mod look;
mod remote;
mod roles;
