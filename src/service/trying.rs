//! A file that somebody tries out: read and planned with nothing written, and kept a while so that these very bytes can be imported.

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::run::Run;
use super::{Service, commit, names};
use crate::error::{Error, Kind, Result};
use crate::import::inspect::Inspection;
use crate::import::report::Report;
use crate::model::{Client, Folder, Upload, UploadId, UploadState};
use crate::store::registry::NewUpload;
use crate::vfs::{ClientSpace, Stage};

/// How long a file waits until it can be tried.
const PATIENCE: Duration = Duration::from_secs(20);

/// A file as it comes in, before it is tried: its bytes go to the spool, not into memory.
pub struct Incoming {
    client: Client,
    folder: Folder,
    space: Arc<ClientSpace>,
    id: UploadId,
    name: String,
    stage: Stage,
}

/// A file that was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Its id; that of its import, should it be imported.
    pub id: UploadId,
    /// The client's slug.
    pub client: String,
    /// The import folder whose settings it was read with.
    pub folder: String,
    /// The file's name.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, 64 hex digits.
    pub sha256: String,
    /// Who tried it.
    pub who: String,
    /// When.
    pub tried_at: Timestamp,
    /// Until when it can be imported without sending it again.
    pub kept_until: Timestamp,
    /// How the file was read; `None`: it could not be, and the report says why.
    pub inspection: Option<Inspection>,
    /// What an import would do, as of `tried_at`.
    pub report: Report,
    /// The directory and the settings that it was tried against.
    against: Against,
}

/// What a plan hangs on besides the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Against {
    change_number: i64,
    settings_version: String,
}

/// What became of a wish to import a tried file.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    /// It is queued, or was before: exactly one import, whose id is this.
    Queued(UploadId),
    /// Directory or settings have changed since it was tried: this is what it would do now. Nothing was imported.
    Changed(Arc<Trial>),
}

/// The tried files of this process. They end with it, and so do their bytes in the spool.
#[derive(Default)]
pub(super) struct Trials {
    kept: Mutex<HashMap<UploadId, Kept>>,
    importing: Mutex<()>,
    /// How many are being tried.
    running: Mutex<usize>,
    ended: Condvar,
}

struct Kept {
    trial: Arc<Trial>,
    upload: Upload,
    space: Arc<ClientSpace>,
    stage: Stage,
}

impl Trials {
    fn lock(&self) -> MutexGuard<'_, HashMap<UploadId, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place among `most`.
    fn place(&self, most: usize) -> Result<Place<'_>> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |running: &mut usize| *running >= most.max(1);
        let waited = self.ended.wait_timeout_while(running, PATIENCE, full);
        let (mut running, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            let message = format!("{most} files are being tried just now; try again in a moment");
            return Err(Error::new(Kind::Busy, message));
        }
        *running += 1;
        Ok(Place(self))
    }
}

/// A place among those that try a file; dropping it lets the next one in.
struct Place<'a>(&'a Trials);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        *running = running.saturating_sub(1);
        drop(running);
        self.0.ended.notify_one();
    }
}

impl Incoming {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// A file that is too large for an import, a full disk or quota.
    pub fn write(&mut self, data: &[u8], max_bytes: u64) -> Result<()> {
        let at = self.stage.bytes();
        let end = at.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        if end > max_bytes {
            let message = format!(
                "the file is larger than {max_bytes} bytes (limits.max_import_bytes); split it, or have the limit raised"
            );
            return Err(Error::new(Kind::TooLarge, message));
        }
        self.stage.write_at(at, data)
    }
}

impl Service {
    /// Begins to take a file that is to be tried with the settings of an import folder; `None`: the client's only one.
    ///
    /// # Errors
    /// `Kind::NotFound` for client or folder; `Kind::Invalid` for a name that no upload could have; a full disk or quota.
    pub fn take_to_try(&self, client: &str, folder: Option<&str>, name: &str) -> Result<Incoming> {
        let client = self.client(client)?;
        let folder = self.chosen_folder(&client, folder)?;
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let path = folder.path.join(name).map_err(|e| Error::new(Kind::Invalid, e))?;
        if path.parent().as_ref() != Some(&folder.path) {
            return Err(Error::new(Kind::Invalid, format!("\"{name}\" is not a file name")));
        }
        if let Some(why) = names::refusal(std::slice::from_ref(&folder), &path) {
            return Err(Error::new(Kind::Invalid, why));
        }
        let space = self.client_space(&client.slug)?;
        let id = commit::new_id(self.clock());
        let stage = Stage::new(&space, &id.to_string(), commit::stage_limits(self))?;
        Ok(Incoming { client, folder, space, id, name: name.to_owned(), stage })
    }

    /// Tries a file: reads it as its folder's settings say, plans its import, writes nothing; and keeps it for a while.
    ///
    /// # Errors
    /// A folder or database that cannot be read. What is wrong with the file is no error: the report says it.
    pub fn try_out(&self, incoming: Incoming, who: &str) -> Result<Arc<Trial>> {
        let Incoming { client, folder, space, id, name, mut stage } = incoming;
        let sealed = stage.seal()?;
        let path = folder.path.join(&name).map_err(|e| Error::new(Kind::Invalid, e))?;
        let upload = Upload {
            id,
            seq: 0,
            client: client.slug.clone(),
            login: folder.login.clone(),
            folder: Some(folder.name.clone()),
            path,
            protocol: None,
            bytes: sealed.bytes,
            sha256: sealed.sha256,
            state: UploadState::Prepared,
            attempts: 0,
            received_at: self.clock().now(),
            finished_at: None,
            failure: None,
        };
        let trial = Arc::new(self.tried(&space, &client, &upload, who)?);
        self.keep_trial(Kept { trial: Arc::clone(&trial), upload, space, stage });
        Ok(trial)
    }

    /// Tries bytes that are in memory: for programs.
    ///
    /// # Errors
    /// As of [`Self::take_to_try`] and [`Self::try_out`].
    pub fn try_file(
        &self,
        client: &str,
        folder: Option<&str>,
        bytes: &[u8],
        name: &str,
    ) -> Result<Arc<Trial>> {
        let mut incoming = self.take_to_try(client, folder, name)?;
        incoming.write(bytes, self.config().limits.max_import_bytes)?;
        self.try_out(incoming, self.who())
    }

    /// A file of a client that was tried and is still kept.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn trial(&self, client: &str, id: UploadId) -> Result<Arc<Trial>> {
        self.forget_old_trials();
        let found = self.0.trials.lock().get(&id).map(|kept| Arc::clone(&kept.trial));
        found.filter(|trial| trial.client == client).ok_or_else(|| forgotten(id))
    }

    /// Imports a tried file: the very bytes that were tried, exactly once however often it is asked for.
    ///
    /// # Errors
    /// `Kind::NotFound` for a file that is not kept any more; `Kind::Busy` when too many uploads wait: it stays kept.
    pub fn import_trial(&self, client: &str, id: UploadId, who: &str) -> Result<Wish> {
        self.forget_old_trials();
        // Whoever presses twice at once finds the row of whoever was first.
        let one = self.0.trials.importing.lock().unwrap_or_else(PoisonError::into_inner);
        let known = {
            let trials = self.0.trials.lock();
            trials.get(&id).map(|kept| Arc::clone(&kept.trial)).filter(|t| t.client == client)
        };
        let Some(trial) = known else {
            // The row speaks for the bytes, also after a restart.
            let done = self.registry().upload(id)?.filter(|upload| upload.client == client);
            return done.map(|_| Wish::Queued(id)).ok_or_else(|| forgotten(id));
        };
        commit::check_waiting(self, client)?;
        if self.against(&trial.client, &trial.folder)? == trial.against {
            let taken = self.0.trials.lock().remove(&id);
            return taken.map_or_else(|| Err(forgotten(id)), |kept| self.queue_trial(kept, who));
        }
        drop(one);
        self.try_again(id, who)
    }

    fn queue_trial(&self, kept: Kept, who: &str) -> Result<Wish> {
        let Kept { trial, upload, space, stage } = kept;
        let new = NewUpload {
            id: trial.id,
            client: upload.client.clone(),
            login: upload.login.clone(),
            folder: upload.folder.clone(),
            path: upload.path.clone(),
            protocol: None,
            bytes: upload.bytes,
            sha256: upload.sha256.clone(),
            received_at: self.clock().now(),
            wants_import: true,
        };
        self.queue_staged(&space, stage, &new)?;
        self.record_by(who, "import.file", &trial.id.to_string(), upload.path.as_str());
        Ok(Wish::Queued(trial.id))
    }

    fn try_again(&self, id: UploadId, who: &str) -> Result<Wish> {
        let found = {
            let trials = self.0.trials.lock();
            trials.get(&id).map(|kept| (Arc::clone(&kept.space), kept.upload.clone()))
        };
        let (space, upload) = found.ok_or_else(|| forgotten(id))?;
        let client = self.client(&upload.client)?;
        let again = Arc::new(self.tried(&space, &client, &upload, who)?);
        if let Some(kept) = self.0.trials.lock().get_mut(&id) {
            kept.trial = Arc::clone(&again);
        }
        Ok(Wish::Changed(again))
    }

    /// Forgets a tried file at once.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn drop_trial(&self, client: &str, id: UploadId) -> Result<()> {
        self.trial(client, id)?;
        drop(self.0.trials.lock().remove(&id));
        Ok(())
    }

    fn tried(
        &self,
        space: &Arc<ClientSpace>,
        client: &Client,
        upload: &Upload,
        who: &str,
    ) -> Result<Trial> {
        let folder = upload.folder.clone().unwrap_or_default();
        let _place = self.0.trials.place(self.config().admin.trials_at_once)?;
        let against = self.against(&client.slug, &folder)?;
        let bytes = spooled(space, upload, self.config().limits.max_import_bytes)?;
        let run = Run { service: self, space, client, upload };
        let (mut report, inspection) = run.try_and_inspect(bytes)?;
        // They may be as large as the file, and a file that is only tried has no corrections file.
        report.refused_rows = Vec::new();
        let now = self.clock().now();
        let minutes = i64::from(self.config().admin.trial_minutes);
        Ok(Trial {
            id: upload.id,
            client: client.slug.clone(),
            folder,
            name: upload.path.name().unwrap_or_default().to_owned(),
            bytes: upload.bytes,
            sha256: upload.sha256.clone(),
            who: who.to_owned(),
            tried_at: now,
            kept_until: now
                .checked_add(SignedDuration::from_mins(minutes))
                .unwrap_or(Timestamp::MAX),
            inspection,
            report,
            against,
        })
    }

    fn against(&self, client: &str, folder: &str) -> Result<Against> {
        let (change_number, _) = self.open_directory(client)?.source(folder)?;
        let settings_version = self.settings(client, folder)?.version();
        Ok(Against { change_number, settings_version })
    }

    /// Keeps a tried file; the oldest make room.
    fn keep_trial(&self, kept: Kept) {
        self.forget_old_trials();
        let most = self.config().admin.trials_kept.max(1);
        let mut trials = self.0.trials.lock();
        while trials.len() >= most {
            let oldest = trials.iter().min_by_key(|(_, kept)| kept.trial.tried_at);
            let Some(oldest) = oldest.map(|(id, _)| *id) else { break };
            trials.remove(&oldest);
        }
        trials.insert(kept.trial.id, kept);
    }

    fn forget_old_trials(&self) {
        let now = self.clock().now();
        self.0.trials.lock().retain(|_, kept| kept.trial.kept_until > now);
    }
}

/// The bytes of a tried file; nothing of one that an import refuses by its size.
fn spooled(space: &ClientSpace, upload: &Upload, max_bytes: u64) -> Result<Vec<u8>> {
    if upload.bytes > max_bytes {
        return Ok(Vec::new());
    }
    let reading = |e| Error::io("reading the file that is tried", e);
    let mut file = space.spool.open_file(&upload.id.to_string()).map_err(reading)?;
    let mut bytes = Vec::with_capacity(usize::try_from(upload.bytes).unwrap_or(0));
    file.read_to_end(&mut bytes).map_err(reading)?;
    Ok(bytes)
}

fn forgotten(id: UploadId) -> Error {
    let message = format!(
        "the file of trial {id} is not kept any more (admin.trial_minutes, admin.trials_kept); choose it again"
    );
    Error::new(Kind::NotFound, message)
}
