//! The administration page and the REST API, over real connections.

pub(crate) mod browser;
mod door;
mod look;
