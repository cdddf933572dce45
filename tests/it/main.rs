//! The one integration test binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper that fails ends the test, with its place"
)]

mod absence;
mod access;
mod activity;
mod api;
mod app;
mod architecture;
mod backups;
mod bench;
mod clerk;
mod cli;
mod commit;
mod editing;
mod exchange;
mod exporting;
mod fastpath;
mod faults;
mod ftp;
mod golden;
mod holding;
mod identity;
mod joined;
mod limits;
mod mailing;
mod mapping;
mod newcomers;
mod offices;
mod ops;
mod page;
mod planning;
mod properties;
mod reading;
mod readme;
mod retention;
mod rules;
mod scenario;
mod schedules;
mod schema;
mod sftp;
mod undoing;
mod vault;
mod web;
