//! Files handed over through export folders: kept, placed or delivered, and tracked until they were fetched.

use std::fs::File;
use std::path::Path;

use super::deliver::{self, Delivery};
use super::outbox::Trouble;
use super::session::State;
use super::{Service, commit, names};
use crate::error::{Error, Kind, Result};
use crate::model::{CLIENT_SERVER, Folder, Purpose, VPath};
use crate::store::registry::{DropKey, DropRow, JobState, NewJob, replaced_by};
use crate::vfs::{self, ClientSpace, Download, Inode, Sealed};

pub use crate::store::registry::{DropFilter, DropState, FileDrop};

/// A file to be handed over through an export folder.
#[derive(Debug, Clone, Copy)]
pub struct NewDrop<'a> {
    /// The client's slug.
    pub client: &'a str,
    /// The export folder's name.
    pub folder: &'a str,
    /// The file's name there.
    pub name: &'a str,
    /// Its bytes.
    pub content: Content<'a>,
    /// Where it comes from, in words: `export absences, run 7`.
    pub origin: &'a str,
    /// Who hands it over.
    pub who: &'a str,
    /// What a person calls it by: the same file with the same key of its client is not handed over twice.
    pub key: Option<&'a str>,
}

/// The bytes of a file to be handed over.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// In memory.
    Bytes(&'a [u8]),
    /// A file of this machine.
    File(&'a Path),
}

impl Service {
    /// Hands a file over through an export folder: it is durable when this returns. In a hosted folder it lies there
    /// already; to a client's own server it is delivered by the running server.
    ///
    /// With a key that the client has used before nothing is handed over: the answer is the first file, if it is this one.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client, folder or file; `Kind::Invalid` for a folder that is no export folder, or a name;
    /// `Kind::Conflict` for a key of another file, or of one that was taken back; `Kind::TooLarge`, `Kind::Quota`,
    /// `Kind::NoSpace`.
    pub fn drop_file(&self, new: &NewDrop<'_>) -> Result<FileDrop> {
        let folder = self.export_folder(new.client, new.folder)?;
        let path = target(&folder, new.name)?;
        let Some(key) = new.key else { return self.take_drop(new, &folder, path, DropKey::None) };
        match self.registry().drop_by_given_key(new.client, key)? {
            Some(known) => same_file(known, key, &folder, new),
            None => self.take_drop(new, &folder, path, DropKey::Given(key.to_owned())),
        }
    }

    /// The same with a key of ours, which stands for one file whatever became of it since.
    ///
    /// # Errors
    /// Those of [`Service::drop_file`]; none for a known key.
    pub fn drop_file_once(&self, new: &NewDrop<'_>, key: &str) -> Result<FileDrop> {
        if let Some(known) = self.registry().drop_by_key(new.client, key)? {
            return Ok(known);
        }
        let folder = self.export_folder(new.client, new.folder)?;
        let path = target(&folder, new.name)?;
        self.take_drop(new, &folder, path, DropKey::Own(key.to_owned()))
    }

    /// Keeps the bytes, records the file, and places it in a hosted folder.
    fn take_drop(
        &self,
        new: &NewDrop<'_>,
        folder: &Folder,
        path: VPath,
        key: DropKey,
    ) -> Result<FileDrop> {
        let space = self.client_space(new.client)?;
        let id = commit::new_id(self.clock()).to_string();
        let sealed = keep(self, &space, &id, new.content)?;
        crate::fault::at("drop.kept").map_err(|e| Error::io("handing a file over", e))?;
        let row = DropRow {
            id: id.clone(),
            client: new.client.to_owned(),
            folder: folder.name.clone(),
            login: folder.login.clone(),
            path,
            key,
            bytes: sealed.bytes,
            sha256: sealed.sha256,
            origin: new.origin.to_owned(),
            who: new.who.to_owned(),
        };
        let now = self.clock().now();
        if let Err(error) = self.registry().add_drop(&row, &job(&row, now)?, now) {
            unkeep(&space, &id);
            return Err(error);
        }
        crate::fault::at("drop.recorded").map_err(|e| Error::io("handing a file over", e))?;
        self.record("drop", &format!("{}/{}", new.client, folder.name), row.path.as_str());
        let dropped = self.file_drop(&id)?;
        if !self.is_remote(&folder.login)? {
            // Should this fail, the running server tries again: it is durable, and known to the outbox.
            if let Err(Trouble::Again(error) | Trouble::Never(error)) = place(self, &dropped) {
                tracing::warn!(%error, path = ?dropped.path.as_str(), "placing a file; it is tried again");
            }
        }
        self.file_drop(&id)
    }

    /// Files that were handed over, newest first.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client.
    pub fn drops(&self, filter: &DropFilter) -> Result<Vec<FileDrop>> {
        if let Some(client) = &filter.client {
            self.client(client)?;
        }
        self.registry().drops(filter)
    }

    /// The file with this id.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn file_drop(&self, id: &str) -> Result<FileDrop> {
        self.registry().file_drop(id)?.ok_or_else(|| {
            Error::new(Kind::NotFound, format!("no file with the id {id} was handed over"))
        })
    }

    /// The bytes of a file that was handed over, for as long as they are kept.
    ///
    /// # Errors
    /// `Kind::NotFound` for the file, and once its bytes are not kept any more.
    pub fn dropped_file(&self, id: &str) -> Result<(FileDrop, File)> {
        let dropped = self.file_drop(id)?;
        let space = self.client_space(&dropped.client)?;
        let file = space.outbox.open_file(&dropped.id).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                let why = format!("{} is not kept any more", dropped.path);
                Error::new(Kind::NotFound, why)
            }
            _ => Error::io(dropped.path.to_string(), e),
        })?;
        self.record("drop.read", &format!("{}{}", dropped.login, dropped.path), &dropped.id);
        Ok((dropped, file))
    }

    /// Has a file that waits or was given up tried again at once.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Conflict` for one that was placed, delivered or taken back.
    pub fn retry_drop(&self, id: &str) -> Result<FileDrop> {
        let dropped = self.file_drop(id)?;
        if !matches!(dropped.state, DropState::Waiting | DropState::Failed) {
            let why = format!("{} is {} already", dropped.path, dropped.state.name());
            return Err(Error::new(Kind::Conflict, why));
        }
        match self.registry().job(&job_key(id))? {
            Some(job) => drop(self.retry_job(job.id)?),
            None => {
                let now = self.clock().now();
                let delivery = Delivery::Drop { id: id.to_owned() };
                self.queue_job(&delivery.job(
                    &dropped.client,
                    &dropped.login,
                    &dropped.folder,
                    now,
                )?)?;
            }
        }
        self.file_drop(id)
    }

    /// Takes a file back that nobody has fetched and that was not delivered.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Conflict` for one that was fetched, delivered, removed or taken back before.
    pub fn withdraw_drop(&self, id: &str, who: &str) -> Result<FileDrop> {
        let dropped = self.file_drop(id)?;
        let space = self.client_space(&dropped.client)?;
        let _lock = space.lock_drops()?;
        let now = self.clock().now();
        // The state first: from here on nobody delivers it, and whoever reads it now has fetched a file that is gone.
        let note = format!("taken back by {who}");
        if !self.registry().end_drop(id, DropState::Withdrawn, now, &note)? {
            let state = self.file_drop(id)?.state.name();
            let why = format!(
                "{} is {state}; only a file that waits or that nobody has fetched can be taken back",
                dropped.path
            );
            return Err(Error::new(Kind::Conflict, why));
        }
        if let Some(job) = self.registry().job(&job_key(id))?
            && matches!(job.state, JobState::Waiting | JobState::Failed)
        {
            self.registry().finish_job(job.id, JobState::Withdrawn, now, None)?;
            deliver::over(self, &job);
        }
        remove_placed(self, &space, &dropped)?;
        self.record("drop.withdraw", &format!("{}/{}", dropped.client, dropped.folder), id);
        self.file_drop(id)
    }

    /// The export folder of a client, by its name.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Invalid` for a folder with another purpose.
    pub fn export_folder(&self, client: &str, name: &str) -> Result<Folder> {
        self.client(client)?;
        let folders = self.registry().client_folders(client)?;
        let known = folders.iter().find(|folder| folder.name == name);
        if let Some(folder) = known {
            if folder.purpose == Purpose::Export {
                return Ok(folder.clone());
            }
            let why = format!(
                "folder \"{name}\" is for {}; files are handed over through export folders \
                 (remote folders of an account with the purpose export)",
                folder.purpose.name()
            );
            return Err(Error::new(Kind::Invalid, why));
        }
        let exports = folders.iter().filter(|folder| folder.purpose == Purpose::Export);
        let exports: Vec<&str> = exports.map(|folder| folder.name.as_str()).collect();
        let hint = if exports.is_empty() {
            "add a remote folder with the purpose export to an account".to_owned()
        } else {
            format!("its export folders: {}", exports.join(", "))
        };
        let why = format!("client \"{client}\" has no folder \"{name}\"; {hint}");
        Err(Error::new(Kind::NotFound, why))
    }

    /// Whether an account lies on the client's own server.
    pub(super) fn is_remote(&self, login: &str) -> Result<bool> {
        let account = self.registry().account(login)?;
        Ok(account.is_some_and(|account| account.host_profile == CLIENT_SERVER))
    }
}

fn keep(service: &Service, space: &ClientSpace, id: &str, content: Content<'_>) -> Result<Sealed> {
    let limits = commit::stage_limits(service);
    match content {
        Content::Bytes(mut bytes) => vfs::keep(space, id, &mut bytes, limits),
        Content::File(from) => vfs::keep(space, id, &mut open(from)?, limits),
    }
}

fn open(from: &Path) -> Result<File> {
    File::open(from).map_err(|e| Error::io(format!("reading {}", from.display()), e))
}

/// The file that has the key already, if it is the one that is handed over again.
fn same_file(known: FileDrop, key: &str, folder: &Folder, new: &NewDrop<'_>) -> Result<FileDrop> {
    if known.is_taken_back() {
        let message = format!("the file of the key \"{key}\" was taken back; use another key");
        return Err(Error::new(Kind::Conflict, message));
    }
    let sha256 = match new.content {
        Content::Bytes(bytes) => vfs::sha256_of(bytes),
        Content::File(from) => vfs::sha256_of_file(&open(from)?)
            .map_err(|e| Error::io(format!("reading {}", from.display()), e))?,
    };
    // The account may have given its file another name since.
    let is_named = known.given_name.as_deref().is_none_or(|name| name == new.name);
    let difference = if known.folder != folder.name {
        "through another folder"
    } else if !is_named {
        "under another name"
    } else if known.sha256 != sha256 {
        "with other content"
    } else {
        return Ok(known);
    };
    let message = format!(
        "the key \"{key}\" was used for another file ({}, {difference}: it was handed over through {} on {}); use another key",
        known.given_name.as_deref().or(known.path.name()).unwrap_or_default(),
        known.folder,
        known.created_at.strftime("%Y-%m-%d %H:%M UTC")
    );
    Err(Error::new(Kind::Conflict, message))
}

fn target(folder: &Folder, name: &str) -> Result<VPath> {
    let refused = |why: String| Error::new(Kind::Invalid, why);
    let path = folder.path.join(name).map_err(refused)?;
    if path.parent().as_ref() != Some(&folder.path) {
        let why = format!("\"{name}\" is not a file name; give one without /");
        return Err(Error::new(Kind::Invalid, why));
    }
    if names::is_temporary(name) {
        let why = format!(
            "\"{name}\" is a temporary name, which the other side passes over; choose another"
        );
        return Err(Error::new(Kind::Invalid, why));
    }
    Ok(path)
}

/// What makes the job of a file known.
pub(super) fn job_key(id: &str) -> String {
    format!("drop/{id}")
}

fn job(row: &DropRow, now: jiff::Timestamp) -> Result<NewJob> {
    let delivery = Delivery::Drop { id: row.id.clone() };
    delivery.job(&row.client, &row.login, &row.folder, now)
}

fn unkeep(space: &ClientSpace, id: &str) {
    if let Err(error) = space.outbox.remove_file_if_there(id) {
        tracing::warn!(%error, id, "removing a file that could not be handed over");
    }
}

/// Lays a waiting file into its hosted folder: whole, in one step. A second call does nothing.
pub(super) fn place(service: &Service, dropped: &FileDrop) -> std::result::Result<(), Trouble> {
    let space = service.client_space(&dropped.client)?;
    let _lock = space.lock_drops()?;
    let now = service.clock().now();
    // Read under the lock: another process may have placed or withdrawn it.
    let Some(dropped) = service.registry().file_drop(&dropped.id)? else { return Ok(()) };
    if !matches!(dropped.state, DropState::Waiting | DropState::Failed) {
        return Ok(());
    }
    if let Some(later) = service.registry().later_drop(&dropped)? {
        let note = replaced_by(&later.id);
        service.registry().end_drop(&dropped.id, DropState::Withdrawn, now, &note)?;
        return Ok(());
    }
    if service.registry().account(&dropped.login)?.is_none() {
        let why = format!("the account {} is not there any more", dropped.login);
        return Err(Trouble::Never(Error::new(Kind::NotFound, why)));
    }
    let _guard = service.0.locks.lock(&dropped.login, &[&dropped.path]);
    rename_into_place(&space, &dropped)?;
    crate::fault::at("drop.placed").map_err(|e| Error::io("placing a file", e))?;
    service.registry().place_drop(&dropped, now)?;
    tracing::info!(
        client = dropped.client, login = dropped.login, path = ?dropped.path.as_str(), drop = dropped.id,
        bytes = dropped.bytes, "file placed"
    );
    Ok(())
}

fn rename_into_place(space: &ClientSpace, dropped: &FileDrop) -> std::result::Result<(), Trouble> {
    let files = space.account(&dropped.login)?;
    if let Some(parent) = dropped.path.parent() {
        files.folder_or_new(&parent)?;
    }
    let (folder, name) = files.holder(&dropped.path)?;
    let fault = |e| vfs::fault(&dropped.path, e);
    let replaced = folder.look(name).map_err(fault)?;
    if replaced.is_some_and(|inode| inode.stat.is_folder()) {
        let why = format!("{} is a folder; the file cannot take its name", dropped.path);
        return Err(Trouble::Never(Error::new(Kind::IsFolder, why)));
    }
    let hidden = format!("{}.drop", dropped.id);
    let publish = || -> std::io::Result<()> {
        space.spool.remove_file_if_there(&hidden)?;
        space.outbox.link(&dropped.id, &space.spool, &hidden)?;
        space.spool.rename(&hidden, &folder, name)?;
        // Two names of one file: rename(2) did nothing, and the target is that file already.
        space.spool.remove_file_if_there(&hidden)?;
        folder.sync()
    };
    publish().map_err(fault)?;
    if let Some(old) = replaced.filter(|old| old.links < 2) {
        space.occupied.release(old.stat.bytes);
    }
    Ok(())
}

fn remove_placed(service: &Service, space: &ClientSpace, dropped: &FileDrop) -> Result<()> {
    if dropped.state != DropState::Placed {
        return Ok(());
    }
    let files = space.account(&dropped.login)?;
    let _guard = service.0.locks.lock(&dropped.login, &[&dropped.path]);
    match files.look(&dropped.path)? {
        Some(inode) if is_kept_as(space, &dropped.id, &inode) => {
            files.remove_file(&dropped.path).map(drop)
        }
        _ => Ok(()),
    }
}

/// Whether a file is the one that is kept under this id: they share an inode.
fn is_kept_as(space: &ClientSpace, id: &str, inode: &Inode) -> bool {
    space.outbox.look(id).is_ok_and(|kept| kept.is_some_and(|kept| kept.is_same(inode)))
}

/// A session of the account was sent a file whole.
pub(super) fn sent_whole(session: &State, file: &Download) {
    let noted = || -> Result<()> {
        let (service, path) = (&session.service, file.path());
        let registry = service.registry();
        let Some(dropped) = registry.placed_drop(&session.client.slug, &session.login, path)?
        else {
            return Ok(());
        };
        let kept = session.space.outbox.look(&dropped.id).map_err(|e| Error::io(path, e))?;
        if !kept.is_some_and(|kept| file.is_file(&kept)) {
            return Ok(());
        }
        registry.fetch_drop(&dropped.id, service.clock().now())?;
        tracing::info!(login = session.login, path = ?path.as_str(), drop = dropped.id, "file fetched");
        Ok(())
    };
    if let Err(error) = noted() {
        tracing::error!(%error, login = session.login, path = ?file.path().as_str(), "noting that a file was fetched");
    }
}

/// The account removed or replaced a file: if it was handed over and unread, that is its end.
pub(super) fn gone(session: &State, path: &VPath, was: &Inode, how: &str) {
    // A file that was handed over has a second name in the outbox.
    if was.links < 2 {
        return;
    }
    let noted = || -> Result<()> {
        let registry = session.service.registry();
        let placed = registry.placed_drop(&session.client.slug, &session.login, path)?;
        let Some(dropped) = placed.filter(|d| is_kept_as(&session.space, &d.id, was)) else {
            return Ok(());
        };
        let at = session.service.clock().now();
        if registry.end_drop(&dropped.id, DropState::Removed, at, how)? {
            tracing::warn!(login = session.login, path = ?path.as_str(), drop = dropped.id, "{how}");
        }
        Ok(())
    };
    if let Err(error) = noted() {
        tracing::error!(%error, login = session.login, path = ?path.as_str(), "noting that a file was removed");
    }
}

/// The account gave a file or folder another name.
pub(super) fn moved(session: &State, from: &VPath, to: &VPath) {
    let registry = session.service.registry();
    let (client, login) = (session.client.slug.as_str(), session.login.as_str());
    let noted = registry
        .has_placed_drops(client, login)
        .and_then(|any| if any { registry.move_drops(client, login, from, to) } else { Ok(()) });
    if let Err(error) = noted {
        tracing::error!(%error, login, %from, %to, "noting the new name of a file that was handed over");
    }
}

/// Kept files without a row were never handed over: a crash left them. Young ones may be on their way just now.
pub(super) fn sweep(service: &Service, space: &ClientSpace) -> Result<()> {
    let fault = |e| Error::io("listing the outbox", e);
    let now = service.clock().now();
    for entry in space.outbox.entries().map_err(fault)? {
        let (name, inode) = entry.map_err(fault)?;
        let is_old = now.duration_since(inode.stat.modified) > SWEEP_AFTER;
        if is_old && service.registry().file_drop(&name)?.is_none() {
            space.outbox.remove_file_if_there(&name).map_err(fault)?;
            if inode.links < 2 {
                space.occupied.release(inode.stat.bytes);
            }
        }
    }
    Ok(())
}

/// How old a kept file without a row must be.
const SWEEP_AFTER: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// Removes kept files that ended before this instant, and their rows.
pub(super) fn forget(
    service: &Service,
    space: &ClientSpace,
    before: jiff::Timestamp,
) -> Result<()> {
    for id in service.registry().forget_drops(space.client(), before)? {
        let fault = |e| Error::io("removing old files that were handed over", e);
        let kept = space.outbox.look(&id).map_err(fault)?;
        space.outbox.remove_file_if_there(&id).map_err(fault)?;
        if let Some(kept) = kept.filter(|kept| kept.links < 2) {
            space.occupied.release(kept.stat.bytes);
        }
    }
    Ok(())
}
