//! The use cases: the only door for front-ends; every commit, rename and import goes through it.

pub mod session;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Result};

/// The door. Cheap to clone.
#[derive(Clone)]
pub struct Service(Arc<Inner>);

/// What every use case shares.
struct Inner {
    config: Arc<Config>,
    data: PathBuf,
    clock: Clock,
}

impl Service {
    /// Opens the data folder (made if missing): for CLI commands and for `serve`. No worker runs and nothing is reconciled.
    ///
    /// # Errors
    /// The folder cannot be made, or a database in it cannot be opened.
    pub fn open(config: Arc<Config>, data: &Path, clock: Clock) -> Result<Self> {
        // Everything below holds personal data: nobody else on this machine may read it.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        std::fs::create_dir_all(data.join("clients"))
            .map_err(|e| Error::io(format!("making the data folder {}", data.display()), e))?;
        Ok(Self(Arc::new(Inner { config, data: data.to_owned(), clock })))
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Arc<Config> {
        &self.0.config
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.0.data
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.0.clock
    }
}
