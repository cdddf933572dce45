//! The use cases: the only door for front-ends; every commit, rename and import goes through it.

mod access;
pub mod accounts;
pub mod activity;
pub mod administrators;
mod after;
mod again;
pub mod alarms;
pub mod audit;
pub mod backup;
pub mod bans;
pub mod by_hand;
mod causes;
pub mod clients;
mod commit;
mod create;
mod decided;
mod decrypt;
mod deliver;
mod dropped;
pub mod drops;
mod due;
mod edit;
pub mod events;
mod expected;
pub mod exports;
mod failing;
pub mod feed;
pub mod fetch;
pub mod folder_edits;
pub mod folders;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod give_back;
pub mod handouts;
pub mod health;
pub mod history;
pub mod holds;
mod home;
pub mod hooks;
pub mod imports;
mod keys;
pub mod lists;
mod live;
mod locks;
pub mod login;
mod logins;
pub mod mail;
pub mod mappings;
pub mod meters;
pub mod moving;
mod names;
pub mod outbox;
mod owed;
pub mod owner;
pub mod people;
pub mod pgp;
pub mod quality;
mod queue;
pub mod reaching;
mod received;
mod reconcile;
mod record;
pub mod remotes;
mod rename;
pub mod repeats;
mod replay;
mod reports;
mod retention;
pub mod rules;
mod run;
pub mod samples;
pub mod schedule;
pub mod session;
pub mod settings;
pub mod sign_in;
mod staged;
pub mod start;
mod strays;
mod superseding;
pub mod template;
mod throttle;
pub mod tokens;
pub mod trial;
pub mod trying;
pub mod undo;
pub mod unmoved;
mod uploading;
pub mod usage;
pub mod users;
pub mod users_file;
pub mod vault;
mod waiters;
pub mod webhooks;
mod workers;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::model::UploadId;
use crate::store::directory::Directory;
use crate::store::registry::Registry;
use crate::vfs::{ClientSpace, OpenFiles};

pub use received::import_limits;
pub use workers::Workers;

/// Open directories that wait for their client's next import.
const DIRECTORIES_KEPT: usize = 64;

/// The door. Cheap to clone.
///
/// The second part is who acts through it, for the audit trail; `None`: somebody at the command line.
#[derive(Clone)]
pub struct Service(Arc<Inner>, Option<Arc<str>>);

/// What every use case shares.
struct Inner {
    config: Arc<Config>,
    data: PathBuf,
    /// Which folder `data` was when this process began to serve it.
    home: home::Home,
    clock: Clock,
    registry: Registry,
    door: login::Door,
    spaces: Mutex<HashMap<String, Arc<ClientSpace>>>,
    directories: Mutex<HashMap<String, (Arc<ClientSpace>, Directory)>>,
    locks: locks::PathLocks,
    sessions: live::LiveSessions,
    /// What clients have open.
    open_files: OpenFiles,
    misses: handouts::Misses,
    queue: queue::Queue,
    owed: owed::Owed,
    waiters: waiters::Waiters,
    activity: activity::Waiting,
    health: health::LastHealth,
    unpublished: Mutex<Vec<UploadId>>,
    /// Clients whose data has changed since it was looked over.
    to_look_over: Mutex<BTreeSet<String>>,
    trials: trying::Trials,
}

impl Service {
    /// Opens the data folder (made if missing): for CLI commands and for `serve`. No worker runs and nothing is reconciled.
    ///
    /// # Errors
    /// The folder cannot be made, or a database in it cannot be opened; `Kind::Denied` for root in another user's folder.
    pub fn open(config: Arc<Config>, data: &Path, clock: Clock) -> Result<Self> {
        folders::check_profiles(&config)?;
        mail::check_config(&config)?;
        owner::check(data)?;
        // Everything below holds personal data: nobody else on this machine may read it.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        std::fs::create_dir_all(data.join("clients"))
            .map_err(|e| Error::io(format!("making the data folder {}", data.display()), e))?;
        let registry = Registry::open(&data.join("registry.db"))?;
        let door = login::Door::new(&config)?;
        let inner = Arc::new(Inner {
            config,
            data: data.to_owned(),
            home: home::Home::default(),
            clock,
            registry,
            door,
            spaces: Mutex::default(),
            locks: locks::PathLocks::default(),
            directories: Mutex::default(),
            sessions: live::LiveSessions::default(),
            open_files: OpenFiles::default(),
            misses: handouts::Misses::default(),
            queue: queue::Queue::default(),
            owed: owed::Owed::default(),
            waiters: waiters::Waiters::default(),
            activity: activity::Waiting::default(),
            health: health::LastHealth::default(),
            unpublished: Mutex::default(),
            to_look_over: Mutex::default(),
            trials: trying::Trials::default(),
        });
        Ok(Self(inner, None))
    }

    /// The same door for somebody by name: what is done through it stands in the audit trail under that name.
    #[must_use]
    pub fn acting_as(&self, who: &str) -> Self {
        Self(Arc::clone(&self.0), Some(Arc::from(who)))
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

    /// Clients, accounts, folders and uploads.
    fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The client's folders on disk; opened anew when they were erased and made again, and never made here.
    fn client_space(&self, client: &str) -> Result<Arc<ClientSpace>> {
        self.0.home.check(&self.0.data)?;
        let mut spaces = self.0.spaces.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(space) = spaces.get(client).filter(|space| space.is_current()) {
            return Ok(Arc::clone(space));
        }
        self.client(client)?;
        let quota_bytes = self.0.config.limits.client_quota_bytes;
        let space = Arc::new(ClientSpace::open(&self.0.data, client, quota_bytes)?);
        // Whoever looked before the client was erased must not bring its folder back.
        self.client(client).inspect_err(|_| space.unmake())?;
        spaces.insert(client.to_owned(), Arc::clone(&space));
        Ok(space)
    }

    /// The same for a client that begins, and at a start: folders that are missing are made.
    fn client_space_or_new(&self, client: &str) -> Result<Arc<ClientSpace>> {
        self.0.home.check(&self.0.data)?;
        self.client(client)?;
        drop(ClientSpace::make(&self.0.data, client, self.0.config.limits.client_quota_bytes)?);
        self.client_space(client)
    }

    /// The client's directory of users: the one that was kept open, or opened now.
    fn directory(&self, space: &Arc<ClientSpace>) -> Result<Directory> {
        match self.directories().remove(space.client()) {
            Some((of, directory)) if Arc::ptr_eq(&of, space) => Ok(directory),
            _ => Directory::open(&space.directory_path()),
        }
    }

    /// Keeps an open directory for the client's next import.
    fn keep_directory(&self, space: &Arc<ClientSpace>, directory: Directory) {
        let mut directories = self.directories();
        if directories.len() < DIRECTORIES_KEPT {
            directories.insert(space.client().to_owned(), (Arc::clone(space), directory));
        }
    }

    fn directories(&self) -> MutexGuard<'_, HashMap<String, (Arc<ClientSpace>, Directory)>> {
        self.0.directories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
