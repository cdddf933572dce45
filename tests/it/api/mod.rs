//! The REST API, over real connections.

mod basics;
mod caller;
