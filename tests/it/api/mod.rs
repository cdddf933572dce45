//! The REST API, over real connections.

mod basics;
mod bounds;
mod caller;
mod imports;
mod telling;
