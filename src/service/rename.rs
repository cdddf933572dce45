//! Renames: plain moves, and moves onto a name that is imported, which are commits.

use std::sync::Arc;

use super::commit::{self, Receipt};
use super::names::{self, DecisionName, Place};
use super::reports;
use super::session::State;
use super::{dropped, drops};
use crate::error::{Error, Kind, Result};
use crate::model::{Upload, VPath};
use crate::vfs::{self, Inode, Overwrite, Stage};

pub(super) fn rename(
    session: &Arc<State>,
    from: &VPath,
    to: &VPath,
    overwrite: Overwrite,
) -> Result<Receipt> {
    session.may_move(from)?;
    if let Some(decision) = session.decision(to) {
        return decide(session, from, to, &decision);
    }
    session.may_write(to)?;
    let _guard = session.service.0.locks.lock(&session.login, &[from, to]);
    if let Some(receipt) = rename_open(session, from, to, overwrite)? {
        return Ok(receipt);
    }
    let there = session.files.look(from)?;
    let source =
        there.ok_or_else(|| Error::new(Kind::NotFound, format!("{from} does not exist")))?;
    if from == to {
        return Ok(Receipt::done("Renamed"));
    }
    if source.stat.is_folder() {
        return move_folder(session, from, to, overwrite);
    }
    // A file that was only tried is not received: under its real name it is imported, and its trial stays one.
    let folders = session.folders();
    let same_kind = names::is_dry_run(&folders, from) == names::is_dry_run(&folders, to);
    let received = received(session, from, &source)?.filter(|_| same_kind);
    match names::place(&folders, to) {
        Place::Import { folder } if !is_of(received.as_ref(), &folder) => {
            commit_file(session, from, to, overwrite)
        }
        _ => move_file(session, received.as_ref(), from, to, overwrite),
    }
}

/// What this session is still sending to `from` gets the name `to` at its end. An older file named `from` never stands in
/// for it: that would be yesterday's. The caller holds the lock on both names.
fn rename_open(
    session: &State,
    from: &VPath,
    to: &VPath,
    overwrite: Overwrite,
) -> Result<Option<Receipt>> {
    if !session.uploads.is_open_at(from) {
        return Ok(None);
    }
    if from != to {
        session.files.holder(to)?;
        commit::replaceable(to, session.files.look(to)?, overwrite)?;
    }
    let renamed = session.uploads.rename(from, to, overwrite);
    Ok(renamed.then(|| Receipt::done("Renamed; it is stored when it is closed")))
}

/// A file gets the name of a decision: it decides, and goes. Only one that was written for it under a temporary name
/// may: any other would be lost.
fn decide(
    session: &Arc<State>,
    from: &VPath,
    to: &VPath,
    decision: &DecisionName,
) -> Result<Receipt> {
    session.may_upload(to)?;
    if !names::is_temporary(from.name().unwrap_or_default()) {
        let why = format!("{to}: drop an empty file of this name; {from} is not renamed to it");
        return Err(Error::new(Kind::Denied, why));
    }
    let _guard = session.service.0.locks.lock(&session.login, &[from, to]);
    if session.uploads.is_open_at(from) {
        let why = format!("{from} is still open for writing; close it first, then rename it");
        return Err(Error::new(Kind::Busy, why));
    }
    let receipt = dropped::decide(session, to, decision)?;
    session.files.remove_file(from)?;
    Ok(receipt)
}

fn move_folder(session: &State, from: &VPath, to: &VPath, overwrite: Overwrite) -> Result<Receipt> {
    let folders = session.folders();
    let import = names::import_folder_above(&folders, to)
        .or_else(|| names::import_folder_below(&folders, to));
    if let Some(import) = import {
        return Err(Error::new(
            Kind::Denied,
            format!(
                "{to}: a folder cannot be moved into or over {}, whose uploads are imported",
                import.path
            ),
        ));
    }
    session.files.rename(from, to, overwrite)?;
    drops::moved(session, from, to);
    Ok(Receipt::done("Renamed"))
}

/// The import upload whose bytes this file holds: the one whose archive it is, under whichever name it was known last; or,
/// where the archive is gone, one that was committed under this name or moved to it and had the same bytes.
fn received(session: &State, path: &VPath, inode: &Inode) -> Result<Option<Upload>> {
    let (client, login, bytes) = (&session.client.slug, &session.login, inode.stat.bytes);
    let of = |path| session.service.registry().received_uploads(client, login, path, bytes);
    let is_it = |upload: &Upload| reports::is_archived_as(&session.space, upload.id, inode);
    let here = of(Some(path))?;
    if let Some(upload) = here.iter().find(|upload| is_it(upload)) {
        return Ok(Some(upload.clone()));
    }
    // Of an account's files only those that are archived have a second name; the folder of this one was renamed.
    if inode.links > 1 {
        return Ok(of(None)?.into_iter().find(is_it));
    }
    let mut gone = here.into_iter().filter(|u| !reports::is_archived(&session.space, u.id));
    let Some(first) = gone.next() else { return Ok(None) };
    let (folder, name) = session.files.holder(path)?;
    let file = folder.open_file(name).map_err(|e| vfs::fault(path, e))?;
    let sha256 = vfs::sha256_of_file(&file).map_err(|e| vfs::fault(path, e))?;
    Ok(std::iter::once(first).chain(gone).find(|upload| upload.sha256 == sha256))
}

/// Whether the file was received in this very import folder: moving it to another one asks for an import there.
fn is_of(received: Option<&Upload>, folder: &str) -> bool {
    received.is_some_and(|upload| upload.folder.as_deref() == Some(folder))
}

fn move_file(
    session: &State,
    received: Option<&Upload>,
    from: &VPath,
    to: &VPath,
    overwrite: Overwrite,
) -> Result<Receipt> {
    let replaced = commit::replaceable(to, session.files.look(to)?, overwrite)?;
    session.files.rename(from, to, overwrite)?;
    if let Some(old) = replaced {
        session.left(to, &old, "the account replaced it before it was read whole");
    }
    drops::moved(session, from, to);
    if let Some(upload) = received {
        session.service.registry().move_upload(upload.id, to)?;
    }
    // Neither name's report speaks of what lies there now.
    for path in [from, to] {
        let parent = path.parent().unwrap_or_else(VPath::root);
        if names::import_home(&session.folders(), &parent).is_some() {
            reports::retire(&session.service, &session.space, &session.login, path);
        }
    }
    match names::place(&session.folders(), to) {
        Place::Import { .. } => {
            let text = "Renamed; it was received before, so it is not imported again";
            match received {
                // Its report follows it: a script that renames and then fetches the report must find it.
                Some(upload) => commit::report_again(&session.service, upload, text),
                None => Ok(Receipt::done(text)),
            }
        }
        Place::Beside { why, .. } => Ok(Receipt::done(format!("Renamed, not imported: {why}"))),
        Place::Plain => Ok(Receipt::done("Renamed")),
    }
}

/// A complete file gets a name that is imported: the same way as any upload, and its old name goes last.
fn commit_file(
    session: &Arc<State>,
    from: &VPath,
    to: &VPath,
    overwrite: Overwrite,
) -> Result<Receipt> {
    let (folder, name) = session.files.holder(from)?;
    let id = commit::new_id(session.service.clock());
    let limits = commit::stage_limits(&session.service);
    let stage = Stage::adopt(&session.space, &id.to_string(), &folder, name, limits)?;
    let receipt = commit::commit(session, id, stage, to, (overwrite, None))?;
    // The commit stands; a name that stays behind (or that a power cut brings back) is only a copy.
    if let Err(error) = folder.remove_file_if_there(name) {
        tracing::error!(%error, %from, "removing the old name of a committed file");
    }
    Ok(receipt)
}
