//! The administration page and the REST API, over real connections.

mod accounts;
mod attacks;
pub(crate) mod browser;
mod clients;
mod codes;
mod door;
mod exports;
mod forms;
mod imports;
mod lists;
mod look;
mod pace;
pub(crate) mod people;
mod quality;
mod races;
mod remote;
mod roles;
mod settings;
mod users;
