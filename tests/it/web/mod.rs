//! The administration page and the REST API, over real connections.

mod accounts;
mod attacks;
pub(crate) mod browser;
mod clients;
mod door;
mod exports;
mod imports;
mod look;
mod people;
mod quality;
mod remote;
mod roles;
mod settings;
mod users;
