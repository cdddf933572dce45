//! What lies in a folder on a client's server, and which of it is complete.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{FetchOutcome, Looker, Unfetched, Waiting};
use crate::error::{Error, Kind, Result};
use crate::import::settings::{After, Ready};
use crate::remote::{Connection, RemoteEntry};
use crate::service::deliver;
use crate::service::names::{self, Place};
use crate::store::registry::{FetchState, FileVersion, SeenFile};

/// Whether a file can be fetched now.
enum Verdict {
    /// It was fetched before, or is ours.
    Known,
    /// It is complete; the version of the file that announced it.
    Complete(Option<String>),
    /// It is not, as far as can be seen.
    NotYet(String),
    /// It becomes complete if it keeps as it is for so long.
    Settles(Duration),
}

/// Why nothing came of a file.
pub(super) enum Missed {
    /// What the client's server says, or that it is gone.
    Theirs(Error),
    /// Our own disk or registry.
    Ours(Error),
}

impl From<Error> for Missed {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl Looker<'_> {
    /// Looks twice if something may become complete meanwhile.
    pub(super) async fn look(&self, connection: &mut Connection) -> Result<FetchOutcome> {
        let mut outcome = FetchOutcome::default();
        let pause = self.pass(connection, &mut outcome).await?;
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
            // What was not fetched is tried again now, too.
            let fetched = std::mem::take(&mut outcome.fetched);
            outcome = FetchOutcome { fetched, ..FetchOutcome::default() };
            self.pass(connection, &mut outcome).await?;
        }
        self.settle_all(connection, &mut outcome).await?;
        Ok(outcome)
    }

    /// Fetches what is complete; how long to wait for what may be soon.
    async fn pass(
        &self,
        connection: &mut Connection,
        outcome: &mut FetchOutcome,
    ) -> Result<Duration> {
        let entries = connection.entries(&self.folder.path).await?;
        deliver::clear_parts(self.service, connection, self.folder, &entries).await;
        let mut pause = Duration::ZERO;
        let beside: BTreeMap<&str, &RemoteEntry> =
            entries.iter().map(|entry| (entry.name.as_str(), entry)).collect();
        for (entry, version) in self.versions(connection, &entries, outcome).await? {
            let registry = self.service.registry();
            let now = self.service.clock().now();
            let (client, folder) = (&self.client.slug, &self.folder.name);
            let seen = registry.see_file(client, folder, &entry.name, version, now)?;
            let verdict = match self.verdict(connection, &seen, &beside, now).await {
                Ok(verdict) => verdict,
                Err(missed) => {
                    self.tell_missed(connection, &entry.name, missed, outcome).await?;
                    continue;
                }
            };
            match verdict {
                Verdict::Known => {}
                Verdict::NotYet(why) => outcome.wait(&entry.name, why),
                Verdict::Settles(left) => {
                    pause = pause.max(left);
                    let words = "it may still grow: it has not kept its size and time for long";
                    outcome.wait(&entry.name, words.to_owned());
                }
                Verdict::Complete(companion) => {
                    match self.take(connection, &seen, companion).await {
                        Ok(fetched) => outcome.fetched.extend(fetched),
                        Err(missed) => {
                            self.tell_missed(connection, &entry.name, missed, outcome).await?;
                        }
                    }
                }
            }
        }
        Ok(pause)
    }

    /// The files that the folder imports, oldest first: those of one night are imported in the order in which they were
    /// made. A list without times says nothing about it, so each file is asked for first.
    async fn versions<'e>(
        &self,
        connection: &mut Connection,
        entries: &'e [RemoteEntry],
        outcome: &mut FetchOutcome,
    ) -> Result<Vec<(&'e RemoteEntry, FileVersion)>> {
        let mut files = Vec::new();
        for entry in entries.iter().filter(|entry| !entry.is_folder && self.is_wanted(&entry.name))
        {
            match self.version(connection, entry).await {
                Ok(version) => files.extend(version.map(|version| (entry, version))),
                Err(error) => {
                    let missed = Missed::Theirs(error);
                    self.tell_missed(connection, &entry.name, missed, outcome).await?;
                }
            }
        }
        files.sort_by(|(a, x), (b, y)| (x.modified, &a.name).cmp(&(y.modified, &b.name)));
        Ok(files)
    }

    /// One file's trouble is its own; a lost connection ends the look, and so does a disk of ours that fails.
    async fn tell_missed(
        &self,
        connection: &mut Connection,
        name: &str,
        missed: Missed,
        outcome: &mut FetchOutcome,
    ) -> Result<()> {
        let is_ours = matches!(missed, Missed::Ours(_));
        let error = match missed {
            Missed::Theirs(error) => {
                if self.is_lost(connection, &error).await {
                    return Err(error);
                }
                error
            }
            Missed::Ours(error) if matches!(error.kind(), Kind::Busy | Kind::Internal) => {
                return Err(error);
            }
            Missed::Ours(error) => error,
        };
        if error.kind() == Kind::Conflict {
            outcome.wait(name, error.message().to_owned());
            return Ok(());
        }
        let why = format!("{} was not fetched: {}", self.at(name)?, error.message());
        outcome.problems.push(why.clone());
        // Somebody may have it open just now, or took it away; a refusal stays one.
        let is_refused = !matches!(error.kind(), Kind::Busy | Kind::Internal | Kind::NotFound);
        if outcome.unfetched.as_ref().is_none_or(|first| is_refused && !first.is_refused) {
            outcome.unfetched = Some(Unfetched { why, is_refused, is_ours });
        }
        Ok(())
    }

    /// Whether the connection is gone with this error. Servers say in the same words that they end, and that one file is
    /// locked: so they are asked for the folder.
    pub(super) async fn is_lost(&self, connection: &mut Connection, error: &Error) -> bool {
        matches!(error.kind(), Kind::Busy | Kind::Internal)
            && connection.stat(&self.folder.path).await.is_err_and(|e| e.kind() == Kind::Busy)
    }

    /// Whether a file of this name is imported.
    fn is_wanted(&self, name: &str) -> bool {
        let Ok(path) = self.at(name) else { return false };
        if let Ready::Companion(ending) = &self.settings.ready
            && name.to_lowercase().ends_with(&ending.to_lowercase())
        {
            return false;
        }
        names::decision(&self.folders, &path).is_none()
            && names::refusal(&self.folders, &path).is_none()
            && matches!(names::place(&self.folders, &path), Place::Import { .. })
    }

    /// The version of a file; `None`: it went away, or its size cannot be known.
    pub(super) async fn version(
        &self,
        connection: &mut Connection,
        entry: &RemoteEntry,
    ) -> Result<Option<FileVersion>> {
        if let (Some(bytes), modified @ Some(_)) = (entry.bytes, entry.modified) {
            return Ok(Some(FileVersion { bytes, modified }));
        }
        match connection.stat(&self.at(&entry.name)?).await {
            Ok(found) if found.is_folder => Ok(None),
            Ok(found) => {
                let modified = found.modified.or(entry.modified);
                Ok(found.bytes.or(entry.bytes).map(|bytes| FileVersion { bytes, modified }))
            }
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Denied) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn verdict(
        &self,
        connection: &mut Connection,
        seen: &SeenFile,
        beside: &BTreeMap<&str, &RemoteEntry>,
        now: Timestamp,
    ) -> std::result::Result<Verdict, Missed> {
        // Without a time the same size may hide other bytes: it is fetched again and compared.
        if seen.state != FetchState::Seen && seen.modified.is_some() {
            return Ok(Verdict::Known);
        }
        if let Some(newer) = self.overtaken_by(seen)? {
            return Ok(Verdict::NotYet(format!(
                "it is older than {newer}, which was fetched while this one could not be; an older list would undo a newer \
                 one (if it still counts: send it again, or `rollcall import`)"
            )));
        }
        let most = self.service.config().limits.max_upload_bytes;
        if seen.bytes > most {
            return Ok(Verdict::NotYet(format!(
                "it has {} bytes; limits.max_upload_bytes is {most}",
                seen.bytes
            )));
        }
        if let Ready::Companion(ending) = &self.settings.ready {
            return self.announced(connection, seen, beside, ending).await;
        }
        let age = SignedDuration::from_mins(i64::from(self.settings.min_age_minutes));
        let kept = now.duration_since(seen.first_seen_at);
        // A server's clock may be ahead of ours: what has been known for so long is old enough.
        let is_young = seen.modified.is_some_and(|modified| now.duration_since(modified) < age);
        if is_young && kept < age {
            let minutes = self.settings.min_age_minutes;
            return Ok(Verdict::NotYet(format!(
                "it was changed less than {minutes} minutes ago (fetch.min_age_minutes)"
            )));
        }
        let settle = SignedDuration::from_secs(i64::from(self.settings.settle_s));
        if kept >= settle {
            return Ok(Verdict::Complete(None));
        }
        let left = settle.saturating_sub(kept).unsigned_abs();
        Ok(Verdict::Settles(left.min(settle.unsigned_abs()) + Duration::from_millis(50)))
    }

    /// The newer file that was fetched since a file was seen that could not be fetched until now: it was locked, or could
    /// not be read. Of full lists the older one says nothing any more. One that is brought later is meant, however old.
    fn overtaken_by(&self, seen: &SeenFile) -> Result<Option<String>> {
        let Some(modified) = seen.modified.filter(|_| self.is_full) else { return Ok(None) };
        let (client, folder) = (&self.client.slug, &self.folder.name);
        let newest = self.service.registry().newest_fetched(client, folder)?;
        let is_newer = |newest: &SeenFile| {
            newest.modified.is_some_and(|newest| newest > modified)
                && newest.first_seen_at >= seen.first_seen_at
        };
        Ok(newest.filter(is_newer).map(|newest| newest.name))
    }

    /// A companion announces one version only: one that lies there since last time says nothing about a new file.
    async fn announced(
        &self,
        connection: &mut Connection,
        seen: &SeenFile,
        beside: &BTreeMap<&str, &RemoteEntry>,
        ending: &str,
    ) -> std::result::Result<Verdict, Missed> {
        let none = || Verdict::NotYet(format!("no file {}{ending} lies beside it", seen.name));
        let found = companions(&seen.name, ending).find_map(|name| beside.get(&*name));
        let Some(companion) = found else { return Ok(none()) };
        // A list may tell no times.
        let known = self.version(connection, companion).await.map_err(Missed::Theirs)?;
        let Some(FileVersion { bytes, modified }) = known else { return Ok(none()) };
        let time = modified.map(|at| at.to_string()).unwrap_or_default();
        let version = format!("{}/{bytes}/{time}", companion.name);
        // Without a time all look the same; the one before went away with its file.
        if modified.is_none() && self.settings.after != After::Leave {
            return Ok(Verdict::Complete(Some(version)));
        }
        let (client, folder) = (&self.client.slug, &self.folder.name);
        let last = self.service.registry().last_fetched(client, folder, &seen.name)?;
        if last.is_some_and(|last| last.companion.as_deref() == Some(version.as_str())) {
            return Ok(Verdict::NotYet(format!(
                "{} announced the version before it; it is waited for a new one",
                companion.name
            )));
        }
        Ok(Verdict::Complete(Some(version)))
    }
}

/// The names that announce a file: `users.csv.ok`, `users.ok`.
pub(in crate::service) fn companions(name: &str, ending: &str) -> impl Iterator<Item = String> {
    let stem = name.rsplit_once('.').map(|(stem, _)| format!("{stem}{ending}"));
    std::iter::once(format!("{name}{ending}")).chain(stem)
}

impl FetchOutcome {
    fn wait(&mut self, name: &str, why: String) {
        self.waiting.push(Waiting { name: name.to_owned(), why });
    }
}

/// A file that became another one while it was fetched.
pub(super) fn changed(name: &str) -> Error {
    let why =
        format!("{name} changed while it was fetched; nothing was kept, and it is looked at again");
    Error::new(Kind::Conflict, why)
}
