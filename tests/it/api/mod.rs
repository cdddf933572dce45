//! The REST API, over real connections.

mod basics;
mod bounds;
mod caller;
mod files;
mod imports;
mod refusals;
mod telling;
