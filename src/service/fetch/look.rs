//! What lies in a folder on a client's server, and which of it is complete.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{FetchOutcome, Looker, Waiting};
use crate::error::{Error, Kind, Result};
use crate::import::settings::Ready;
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

impl Looker<'_> {
    /// Looks twice if something may become complete meanwhile.
    pub(super) async fn look(&self, connection: &mut Connection) -> Result<FetchOutcome> {
        let mut outcome = FetchOutcome::default();
        let pause = self.pass(connection, &mut outcome).await?;
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
            outcome.waiting.clear();
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
        // Oldest first: files of one night are imported in the order in which they were made.
        let mut files: Vec<&RemoteEntry> = entries
            .iter()
            .filter(|entry| !entry.is_folder && self.is_wanted(&entry.name))
            .collect();
        files.sort_by(|a, b| (a.modified, &a.name).cmp(&(b.modified, &b.name)));
        let beside: BTreeMap<&str, &RemoteEntry> =
            entries.iter().map(|entry| (entry.name.as_str(), entry)).collect();
        for entry in files {
            let Some(version) = self.version(connection, entry).await? else { continue };
            let registry = self.service.registry();
            let now = self.service.clock().now();
            let (client, folder) = (&self.client.slug, &self.folder.name);
            let seen = registry.see_file(client, folder, &entry.name, version, now)?;
            match self.verdict(&seen, &beside, now)? {
                Verdict::Known => {}
                Verdict::NotYet(why) => outcome.wait(&entry.name, why),
                Verdict::Settles(left) => {
                    pause = pause.max(left);
                    let words = "it may still grow: it has not kept its size and time for long";
                    outcome.wait(&entry.name, words.to_owned());
                }
                Verdict::Complete(companion) => {
                    self.take_or_tell(connection, &seen, companion, outcome).await?;
                }
            }
        }
        Ok(pause)
    }

    /// One file's trouble is its own; a lost connection ends the look.
    async fn take_or_tell(
        &self,
        connection: &mut Connection,
        seen: &SeenFile,
        companion: Option<String>,
        outcome: &mut FetchOutcome,
    ) -> Result<()> {
        match self.take(connection, seen, companion).await {
            Ok(Some(fetched)) => outcome.fetched.push(fetched),
            Ok(None) => {}
            Err(error) if error.kind() == Kind::Conflict => {
                outcome.wait(&seen.name, error.message().to_owned());
            }
            Err(error) if matches!(error.kind(), Kind::Busy | Kind::Internal) => return Err(error),
            Err(error) => {
                let path = self.at(&seen.name)?;
                outcome.problems.push(format!("{path} was not fetched: {}", error.message()));
            }
        }
        Ok(())
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

    fn verdict(
        &self,
        seen: &SeenFile,
        beside: &BTreeMap<&str, &RemoteEntry>,
        now: Timestamp,
    ) -> Result<Verdict> {
        // Without a time the same size may hide other bytes: it is fetched again and compared.
        if seen.state != FetchState::Seen && seen.modified.is_some() {
            return Ok(Verdict::Known);
        }
        let most = self.service.config().limits.max_upload_bytes;
        if seen.bytes > most {
            return Ok(Verdict::NotYet(format!(
                "it has {} bytes; limits.max_upload_bytes is {most}",
                seen.bytes
            )));
        }
        if let Ready::Companion(ending) = &self.settings.ready {
            return self.announced(seen, beside, ending);
        }
        let age = SignedDuration::from_mins(i64::from(self.settings.min_age_minutes));
        if seen.modified.is_some_and(|modified| now.duration_since(modified) < age) {
            let minutes = self.settings.min_age_minutes;
            return Ok(Verdict::NotYet(format!(
                "it was changed less than {minutes} minutes ago (fetch.min_age_minutes)"
            )));
        }
        let kept = now.duration_since(seen.first_seen_at);
        let settle = SignedDuration::from_secs(i64::from(self.settings.settle_s));
        if kept >= settle {
            return Ok(Verdict::Complete(None));
        }
        let left = settle.saturating_sub(kept).unsigned_abs();
        Ok(Verdict::Settles(left.min(settle.unsigned_abs()) + Duration::from_millis(50)))
    }

    /// A companion announces one version only: one that lies there since last time says nothing about a new file.
    fn announced(
        &self,
        seen: &SeenFile,
        beside: &BTreeMap<&str, &RemoteEntry>,
        ending: &str,
    ) -> Result<Verdict> {
        let Some(companion) = companions(&seen.name, ending).find_map(|name| beside.get(&*name))
        else {
            return Ok(Verdict::NotYet(format!("no file {}{ending} lies beside it", seen.name)));
        };
        let modified = companion.modified.map(|at| at.to_string()).unwrap_or_default();
        let version =
            format!("{}/{}/{modified}", companion.name, companion.bytes.unwrap_or_default());
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
pub(super) fn companions(name: &str, ending: &str) -> impl Iterator<Item = String> {
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
