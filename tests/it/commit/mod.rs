//! The promises of a commit, through the service's own door: durable, whole, once, in order, reported.

mod names;
mod open_names;
mod queue;
mod restarts;
mod uploads;
