//! What a crash left between two steps of a commit is brought to its end, before anybody connects.

use std::sync::Arc;

use super::names::{self, Place};
use super::{Service, drops, events, replay, reports, workers};
use crate::error::{Error, Result};
use crate::model::{Upload, UploadId, UploadState};
use crate::store::registry::UploadFilter;
use crate::vfs::{ClientLock, ClientSpace, Folder, sha256_of_file};

/// Reconciles every client, in order of arrival, and wakes the importer. The caller has the data folder to itself.
///
/// A client whose folder, lock or database cannot be used is left out as it is: nothing of it goes, what it has waiting
/// stays queued, and the next start tries again. All others go on.
pub(super) fn reconcile(service: &Service) -> Result<()> {
    service.finish_login_changes()?;
    service.sweep_arrivals()?;
    for client in service.registry().clients()? {
        let reconciled = reconcile_client(service, &client.slug);
        service.note_start_of(&client.slug, reconciled)?;
    }
    workers::wake_waiting(service)
}

/// What a client that a start had to leave out raises. While it stands nothing of the client is imported, by whichever process:
/// what the start would have queued again comes before it.
const LEFT_OUT_ALARM: &str = "T13";
const LEFT_OUT: &str = "start";

impl Service {
    fn note_start_of(&self, client: &str, reconciled: Result<()>) -> Result<()> {
        match reconciled {
            Ok(()) if self.is_left_out(client)? => {
                self.clear(Some(client), LEFT_OUT_ALARM, LEFT_OUT);
            }
            Ok(()) => {}
            Err(error) => {
                tracing::error!(%error, client, "this client is left out of the start");
                let text = format!(
                    "the start left client {client} out: {}; its uploads are received and wait; mend this (rollcall check, docs/operations.md) and start the server again",
                    error.message()
                );
                self.raise(Some(client), LEFT_OUT_ALARM, LEFT_OUT, &text);
                // Where even that could not be written, nothing would keep later files from overtaking these.
                if !self.is_left_out(client)? {
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Whether the last start could not bring what it found of a client to its end.
    pub(super) fn is_left_out(&self, client: &str) -> Result<bool> {
        Ok(!self.registry().alarm_subjects(client, LEFT_OUT_ALARM)?.is_empty())
    }
}

fn reconcile_client(service: &Service, client: &str) -> Result<()> {
    let space = service.client_space_or_new(client)?;
    // A `rollcall import` in another process has this lock while it stages.
    let _lock = space.lock()?;
    for upload in uploads(service, client, UploadState::Prepared)? {
        settle_prepared(service, &space, &upload)?;
    }
    finish_renames(service, &space)?;
    sweep(service, &space)?;
    drops::sweep(service, &space)?;
    requeue_unknown(service, &space, client)?;
    service.note_outcomes(client)
}

fn uploads(service: &Service, client: &str, state: UploadState) -> Result<Vec<Upload>> {
    service.registry().uploads(&UploadFilter {
        client: Some(client.to_owned()),
        states: vec![state],
        ..UploadFilter::default()
    })
}

/// A prepared row: the spool entry says whether the rename happened, the bytes whether all of them came to the disk.
fn settle_prepared(service: &Service, space: &ClientSpace, upload: &Upload) -> Result<()> {
    let name = upload.id.to_string();
    let spooled = look(&space.spool, &name)?;
    let is_hosted = is_hosted(service, upload)?;
    let folders = service.registry().folders(&upload.login)?;
    let is_import = matches!(names::place(&folders, &upload.path), Place::Import { .. });
    if spooled && is_hosted && is_overtaken(service, upload)? {
        discard(space, &name)?;
        return fail(service, upload, "a newer file took its place before it was published");
    }
    if (spooled && !holds(&space.spool, &name, upload)?)
        || (is_import && look(&space.archive, &name)? && !holds(&space.archive, &name, upload)?)
    {
        discard(space, &name)?;
        return fail(service, upload, "the machine stopped before all of it was on the disk");
    }
    if spooled && !is_hosted {
        remove(&space.spool, &name)?;
    } else if spooled {
        if let Err(error) = rename_into_place(space, upload) {
            tracing::error!(%error, upload = name, path = ?upload.path.as_str(), "publishing after a restart");
            discard(space, &name)?;
            return fail(service, upload, error.message());
        }
    } else if is_import && !look(&space.archive, &name)? {
        return fail(service, upload, "it was refused before it was published");
    }
    if is_hosted {
        reports::retire(service, space, &upload.login, &upload.path);
    }
    let state = service.registry().publish_upload(upload.id)?;
    tracing::info!(upload = name, path = ?upload.path.as_str(), ?state, "an upload was completed after a restart");
    Ok(())
}

/// An import by the command line, or a file that was fetched, has no file among the account's.
fn is_hosted(service: &Service, upload: &Upload) -> Result<bool> {
    Ok(upload.protocol.is_some() && !service.is_remote(&upload.login)?)
}

/// Whether the bytes under `name` are the upload's: its row may have come to the disk before them.
fn holds(folder: &Folder, name: &str, upload: &Upload) -> Result<bool> {
    let read = || -> std::io::Result<bool> {
        let file = folder.open_file(name)?;
        Ok(file.metadata()?.len() == upload.bytes && sha256_of_file(&file)? == upload.sha256)
    };
    read().map_err(|e| Error::io(format!("reading {name}"), e))
}

/// A power cut may take the rename of an upload that was acknowledged: the spool has its bytes still, and gives them
/// their name again. The import is not concerned: it reads the archive.
fn finish_renames(service: &Service, space: &ClientSpace) -> Result<()> {
    let mut unnamed = Vec::new();
    for name in names_in(&space.spool)? {
        let Ok(id) = name.parse::<UploadId>() else { continue };
        let Some(upload) = service.registry().upload(id)? else { continue };
        // What was given up before it was published has left the archive, or never was there.
        let published = upload.state != UploadState::Failed || look(&space.archive, &name)?;
        let is_known = service.registry().account(&upload.login)?.is_some();
        if published && is_known && is_hosted(service, &upload)? {
            unnamed.push(upload);
        }
    }
    unnamed.sort_by_key(|upload| upload.seq);
    for upload in unnamed {
        if let Err(error) = finish_rename(service, space, &upload) {
            tracing::error!(%error, upload = %upload.id, path = ?upload.path.as_str(), "an upload that was acknowledged could not get its name after a restart; it is in the archive if it was for import");
        }
    }
    Ok(())
}

fn finish_rename(service: &Service, space: &ClientSpace, upload: &Upload) -> Result<()> {
    let name = upload.id.to_string();
    let there = space.account(&upload.login)?.look(&upload.path)?;
    let own = space.spool.look(&name).map_err(|e| Error::io(format!("looking for {name}"), e))?;
    let is_named = matches!((&there, &own), (Some(there), Some(own)) if there.is_same(own));
    // Of two names of one file the power cut kept both, or a newer one has the place: the sweep takes this one.
    if is_named || is_overtaken(service, upload)? {
        return Ok(());
    }
    rename_into_place(space, upload)?;
    if upload.state == UploadState::Queued {
        reports::retire(service, space, &upload.login, &upload.path);
    }
    tracing::info!(upload = name, path = ?upload.path.as_str(), "an acknowledged upload got its name again after a restart");
    Ok(())
}

fn is_overtaken(service: &Service, upload: &Upload) -> Result<bool> {
    let later = service.registry().uploads(&UploadFilter {
        client: Some(upload.client.clone()),
        login: Some(upload.login.clone()),
        path: Some(upload.path.clone()),
        after_seq: Some(upload.seq),
        ..UploadFilter::default()
    })?;
    let published = |u: &Upload| !matches!(u.state, UploadState::Prepared | UploadState::Failed);
    Ok(later.iter().any(published))
}

fn rename_into_place(space: &ClientSpace, upload: &Upload) -> Result<()> {
    let name = upload.id.to_string();
    let files = space.account(&upload.login)?;
    if let Some(parent) = upload.path.parent() {
        files.folder_or_new(&parent)?;
    }
    let (folder, target) = files.holder(&upload.path)?;
    let publish = || -> std::io::Result<()> {
        // The crash may have come before that: nothing gets a name before its bytes are on the disk.
        space.spool.open_file(&name)?.sync_all()?;
        space.spool.rename(&name, &folder, target)?;
        space.spool.remove_file_if_there(&name)?;
        folder.sync()?;
        space.spool.sync()
    };
    publish().map_err(|e| Error::io(&upload.path, e))
}

fn fail(service: &Service, upload: &Upload, why: &str) -> Result<()> {
    let at = service.clock().now();
    service.registry().finish_upload(upload.id, UploadState::Failed, at, Some(why))
}

fn discard(space: &ClientSpace, name: &str) -> Result<()> {
    remove(&space.spool, name)?;
    remove(&space.archive, name)
}

fn remove(folder: &Folder, name: &str) -> Result<()> {
    folder.remove_file_if_there(name).map_err(|e| Error::io(format!("removing {name}"), e))
}

fn look(folder: &Folder, name: &str) -> Result<bool> {
    let found = folder.look(name).map_err(|e| Error::io(format!("looking for {name}"), e))?;
    Ok(found.is_some())
}

fn names_in(folder: &Folder) -> Result<Vec<String>> {
    let listed = folder.entries().and_then(|all| all.collect::<std::io::Result<Vec<_>>>());
    let all = listed.map_err(|e| Error::io("listing the spool or archive", e))?;
    Ok(all.into_iter().filter(|(_, i)| !i.stat.is_folder()).map(|(name, _)| name).collect())
}

/// Removes what belongs to nobody from spool and archive. A `rollcall fetch` in another process may stand between a file and its
/// row: as long as one runs, whatever could be its file stays for the next start.
fn sweep(service: &Service, space: &Arc<ClientSpace>) -> Result<()> {
    if let Some(_nobody_fetches) = lock_fetches(service, space)? {
        sweep_spool(space, |_| Ok(false))?;
        return sweep_archive(service, space);
    }
    tracing::info!(client = space.client(), "a file is being fetched: what has no row stays");
    sweep_spool(space, |name| {
        let Ok(id) = name.parse::<UploadId>() else { return Ok(false) };
        Ok(service.registry().upload(id)?.is_none())
    })
}

/// The locks under which files are fetched for the client; `None`: one of them is taken.
fn lock_fetches(service: &Service, space: &ClientSpace) -> Result<Option<Vec<ClientLock>>> {
    let accounts = service.registry().accounts(Some(space.client()))?;
    let remote = accounts.iter().filter(|account| account.remote.is_some());
    remote.map(|account| space.try_lock_fetch(&account.login)).collect()
}

/// Every prepared row is settled, so what still lies here belongs to nobody: interrupted uploads, half-written reports.
fn sweep_spool(space: &ClientSpace, is_spared: impl Fn(&str) -> Result<bool>) -> Result<()> {
    for name in names_in(&space.spool)? {
        if is_spared(&name)? {
            continue;
        }
        tracing::info!(client = space.client(), name, "removing what an interrupted upload left");
        remove(&space.spool, &name)?;
    }
    Ok(())
}

/// Archived bytes without a row were never acknowledged, unless the registry is older than the client's directory: an older one
/// was put back, and what it has forgotten stays.
fn sweep_archive(service: &Service, space: &Arc<ClientSpace>) -> Result<()> {
    let mut without_row = Vec::new();
    for name in names_in(&space.archive)? {
        let Ok(id) = name.parse::<UploadId>() else { continue };
        if service.registry().upload(id)?.is_none() {
            without_row.push((id, name));
        }
    }
    if without_row.is_empty() {
        return Ok(());
    }
    let directory = service.directory(space)?;
    for (id, _) in &without_row {
        if directory.knows_import(*id)? {
            tracing::error!(
                client = space.client(), import = %id, files = without_row.len(),
                "registry.db is older than the client's database: archived files that it does not know stay"
            );
            return Ok(());
        }
    }
    service.keep_directory(space, directory);
    for (_, name) in without_row {
        tracing::info!(
            client = space.client(),
            name,
            "removing an archived file without an upload"
        );
        remove(&space.archive, &name)?;
    }
    Ok(())
}

/// After a restored backup the client's directory may not know imports that the registry calls done, or owe their reports; one
/// that was given up while the directory could not be written comes again too.
fn requeue_unknown(service: &Service, space: &Arc<ClientSpace>, client: &str) -> Result<()> {
    let ended = service.registry().ended_uploads(client)?;
    if ended.is_empty() {
        return Ok(());
    }
    let directory = service.directory(space)?;
    if let Err(error) = events::catch_up(service, client, &directory) {
        tracing::error!(%error, client, "what happened before this start was not told");
    }
    let owing = directory.imports_owing_reports()?;
    let mut left = Vec::new();
    for upload in ended {
        let known = directory.knows_import(upload.id)?;
        if known && (upload.state == UploadState::Failed || !owing.contains(&upload.id)) {
            continue;
        }
        if known || replay::comes_again(service.registry().noted_end(upload.id)?) {
            requeue(service, space, known, &upload)?;
        } else {
            left.push(upload.id.to_string());
        }
    }
    if !left.is_empty() {
        let imports = left.join(" ");
        tracing::warn!(
            client,
            imports,
            "the client's database does not know these imports; they are not done again, for they had been taken back, discarded or made needless"
        );
    }
    service.keep_directory(space, directory);
    service.clear_past_failures(space)
}

fn requeue(service: &Service, space: &ClientSpace, known: bool, upload: &Upload) -> Result<()> {
    if known || reports::is_archived(space, upload.id) {
        tracing::warn!(upload = %upload.id, path = ?upload.path.as_str(), known, "queueing an import again: the client's database is older than the registry");
        return service.registry().requeue_upload(upload.id);
    }
    tracing::error!(upload = %upload.id, path = ?upload.path.as_str(), "the client's database does not know this import and its archived file is gone; send the file again");
    Ok(())
}
