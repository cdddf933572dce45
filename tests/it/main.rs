//! The one integration test binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper that fails ends the test, with its place"
)]

/// Raises this process's limit on open files as far as it may: on a machine of many cores many servers run here at once.
fn many_files() {
    const MANY: u64 = 65_536;
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let now = getrlimit(Resource::Nofile);
        let wanted = now.maximum.map_or(MANY, |most| most.min(MANY));
        if now.current.is_some_and(|current| current < wanted) {
            setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..now }).unwrap();
        }
    });
}

mod absence;
mod access;
mod activity;
mod alarms;
mod api;
mod app;
mod architecture;
mod backups;
mod bench;
mod clerk;
mod cli;
mod commit;
mod damage;
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
mod staying;
mod undoing;
mod vault;
mod web;
