//! Rollcall: a server that imports each client's nightly payroll CSV the moment its upload completes.
//!
//! The map, from the bottom up; `ARCHITECTURE.md` says who may import whom.

pub mod admin;
pub mod cli;
pub mod clock;
pub mod config;
pub mod cores;
pub mod crypt;
pub mod demo;
pub mod error;
pub mod export;
pub mod fault;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod import;
pub mod mail;
pub mod model;
pub mod remote;
pub mod schedule;
pub mod secrets;
pub mod service;
pub mod store;
pub mod transport;
pub mod vfs;
