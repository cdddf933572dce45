//! The registry, `data/registry.db`: clients, accounts, folders, uploads (the queue) and the audit trail.

mod access;
mod activity;
mod administrators;
mod alarms;
mod audit;
mod bans;
mod clients;
mod counts;
mod decisions;
mod drops;
mod events;
mod export_runs;
mod exports;
mod fetches;
mod folders;
mod handouts;
mod limits;
mod logins;
mod moving;
mod openpgp;
mod outbox;
mod outcomes;
mod remotes;
mod repeats;
mod retention;
mod rules;
mod schedules;
mod schema;
mod sealed;
mod sessions;
#[cfg(test)]
mod tests;
mod tokens;
mod uploads;
mod webhooks;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

pub use access::{AccountPatch, LoginFacts, NewAccount};
pub use activity::{Activity, ActivityFilter};
pub use administrators::{AdministratorFacts, AdministratorPatch, TokenHash};
pub use alarms::Alarm;
pub use audit::{AuditEntry, AuditEvent, AuditFilter};
pub use bans::{Ban, Familiar};
pub use clients::{ClientPatch, FolderPatch};
pub use counts::Counts;
pub use decisions::{Decision, NewDecision, Verdict};
pub use drops::{DropFilter, DropKey, DropRow, DropState, FileDrop, replaced_by};
pub use events::{EventFilter, EventSpan, Move, NewEvent};
pub use export_runs::{ExportRun, RunState};
pub use exports::{ExportPatch, ExportWish, StoredExport};
pub use fetches::{FetchState, FetchedFile, FileVersion, Look, PollState, SeenFile};
pub use folders::FolderMove;
pub use handouts::{HandoutRow, NewHandoutRow};
pub use logins::LoginChange;
pub use moving::ClientRows;
pub use openpgp::{PgpKey, PgpPartner};
pub use outbox::{JobFilter, JobKind, JobState, LaneState, NewJob, OutboxJob};
pub use outcomes::{ListedUpload, Outcome, OutcomeFilter, Stand, Tally};
pub use remotes::{RemoteAccount, RemotePatch, SealedSecret};
pub use repeats::{KeptAnswer, NewRepeat, Repeat};
pub use retention::{ClientRetention, RetentionPatch};
pub use rules::RulesChange;
pub use schedules::{Arrival, ScheduleMark, TimedFolder};
pub use sealed::SealedValue;
pub use sessions::{AdminSession, EndSessions, SessionView};
pub use uploads::{Interruption, NewUpload, UploadFilter};
pub use webhooks::{Errand, NewWebhook, WebhookRow, webhook_lane};

use super::seen::{self, Condition, Seen};
use super::{Access, connect, failed, integrity, migrations};
use crate::error::Result;
use writer::{Outlives, Writer};

/// Idle connections that are kept for the next readers.
const READERS: usize = 8;

/// The registry: one writer, readers beside it. Clones share both; every method blocks.
///
/// Other processes (the command line) may have the same file open and write to it.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

struct Inner {
    path: PathBuf,
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
    watcher: Mutex<Connection>,
}

impl Registry {
    /// Opens the registry, makes it when it is not there, and brings it to the newest version.
    ///
    /// # Errors
    /// A file that cannot be opened, is no database, or was made by a newer program.
    pub fn open(path: &Path) -> Result<Self> {
        let mut conn = connect(path, Access::Write)?;
        // What is deleted here may have been a secret or a person: its bytes go at once, not when others need the room.
        conn.execute_batch("PRAGMA secure_delete = ON").map_err(failed("open the registry"))?;
        migrations::migrate(&mut conn, &path.display().to_string(), schema::STEPS)?;
        let watcher = connect(path, Access::ReadOnly)?;
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            writer: Writer::start(conn)?,
            readers: Mutex::new(Vec::new()),
            watcher: Mutex::new(watcher),
        })))
    }

    /// A number that differs from the last one read when anybody, in whichever process, has written since.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn data_version(&self) -> Result<i64> {
        // A connection of its own: SQLite moves the number only for commits of other connections.
        lock(&self.0.watcher)
            .query_row("PRAGMA data_version", [], |row| row.get(0))
            .map_err(failed("read the registry's data version"))
    }

    /// A number that moves only when clients, accounts, keys or folders change: who may do what.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn access_version(&self) -> Result<i64> {
        self.read("read the access version", |conn| {
            conn.prepare_cached("SELECT version FROM access_version")?
                .query_row([], |row| row.get(0))
        })
    }

    /// What SQLite finds wrong with the file; empty: nothing.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn check(&self) -> Result<Vec<String>> {
        self.read("check the registry", integrity)
    }

    /// The state of the registry now, for [`seen::only_at`].
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn seen(&self) -> Result<Seen> {
        // Only the writer's connection can tell: what it has not read yet are other processes' commits.
        self.write_lightly(|conn| {
            seen::registry(conn).map_err(failed("look how far the registry is"))
        })
    }

    fn write<T: Send + 'static>(
        &self,
        intent: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.write_while(|| {}, intent)
    }

    /// The same, and `meanwhile` on the caller's thread, while the writer and the disk are at work.
    fn write_while<T: Send + 'static>(
        &self,
        meanwhile: impl FnOnce(),
        intent: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let writer = &self.0.writer;
        let Some(asked) = seen::asked_of_registry() else {
            let pending = writer.begin(Outlives::PowerCut, intent)?;
            meanwhile();
            return pending.wait();
        };
        // On the writer's thread, in the transaction: whoever was faster has committed, and nobody can be from here on.
        let pending = writer.begin(Outlives::PowerCut, move |conn| {
            let now =
                seen::registry(conn).map_err(failed("look whether the registry has moved"))?;
            if now == asked { intent(conn).map(Some) } else { Ok(None) }
        })?;
        meanwhile();
        let written = pending.wait()?;
        seen::became(if written.is_some() { Condition::Kept } else { Condition::Broken });
        written.ok_or_else(seen::overtaken)
    }

    /// The same for what the next start finds out by itself: a power cut may take it.
    fn write_lightly<T: Send + 'static>(
        &self,
        intent: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.0.writer.write(Outlives::Program, intent)
    }

    fn write_later(
        &self,
        intent: impl FnOnce(&Connection) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        self.0.writer.write_later(intent)
    }

    fn read<T>(
        &self,
        what: impl std::fmt::Display,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let idle = lock(&self.0.readers).pop();
        let conn = match idle {
            Some(conn) => conn,
            None => connect(&self.0.path, Access::ReadOnly)?,
        };
        let result = query(&conn).map_err(failed(what));
        let mut readers = lock(&self.0.readers);
        if readers.len() < READERS {
            readers.push(conn);
        }
        result
    }
}

/// A lock whose holder panicked is taken over: connections keep no half-made state of ours.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
