//! Report files on disk: beside the upload while it is the newest of its path, and in `reports/` always.

use std::fs::File;
use std::io;

use jiff::Timestamp;

use super::locks::PathGuard;
use super::names::REPORTS_FOLDER;
use super::{Service, names};
use crate::error::{Error, Kind, Result};
use crate::import::report::ReportFile;
use crate::model::{Language, Upload, UploadId, VPath};
use crate::vfs::{AccountSpace, ClientSpace, Folder, Inode, Unsynced, fault, sync_at_once};

/// What stands after the upload's name in a report file's, in every language and setting.
pub(super) fn endings() -> impl Iterator<Item = String> {
    let fixed = ["report.json", "report.csv", "report.html", "corrections.csv"];
    let markers = ["ok", "partial", "held", "rejected", "failed", "test-ok", "test-rejected"];
    let languages = Language::ALL
        .into_iter()
        .flat_map(|l| ["csv", "html"].map(|ending| format!("report.{}.{ending}", l.code())));
    fixed.into_iter().chain(markers).map(str::to_owned).chain(languages)
}

/// Moves yesterday's report and markers of `path` into `reports/`, so that nobody reads them as today's.
///
/// A fault is logged and does not undo the upload. The caller holds the lock on `path`.
pub(super) fn retire(service: &Service, space: &ClientSpace, login: &str, path: &VPath) {
    let retired = space.account(login).and_then(|files| {
        let (folder, name) = files.holder(path)?;
        for ending in endings() {
            let old = format!("{name}.{ending}");
            let there = folder.look(&old).map_err(|e| fault(path, e))?;
            if let Some(inode) = there.filter(|inode| !inode.stat.is_folder())
                && !is_received(service, space, login, path, &old, &inode)?
            {
                retire_one(&folder, &old, &inode).map_err(|e| fault(path, e))?;
            }
        }
        Ok(())
    });
    if let Err(error) = retired {
        tracing::error!(%error, login, path = ?path.as_str(), "moving the old report away");
    }
}

/// Whether a client uploaded this file itself (a corrections file is one that it may).
fn is_received(
    service: &Service,
    space: &ClientSpace,
    login: &str,
    path: &VPath,
    name: &str,
    inode: &Inode,
) -> Result<bool> {
    let Some(sibling) = path.parent().and_then(|folder| folder.join(name).ok()) else {
        return Ok(false);
    };
    if names::is_reserved(name) {
        return Ok(false);
    }
    let upload = service.registry().newest_upload(space.client(), login, &sibling)?;
    Ok(upload.is_some_and(|upload| is_archived_as(space, upload.id, inode)))
}

/// Whether the archive still has this upload.
pub(super) fn is_archived(space: &ClientSpace, id: UploadId) -> bool {
    space.archive.look(&id.to_string()).is_ok_and(|archived| archived.is_some())
}

/// Whether this file is the archived one of an upload: they share an inode.
pub(super) fn is_archived_as(space: &ClientSpace, id: UploadId, inode: &Inode) -> bool {
    let archived = space.archive.look(&id.to_string());
    archived.is_ok_and(|archived| archived.is_some_and(|archived| archived.is_same(inode)))
}

fn retire_one(folder: &Folder, name: &str, inode: &Inode) -> io::Result<()> {
    // Every report is in `reports/` from the beginning, under a second name of the same file.
    if inode.links > 1 {
        return folder.remove_file_if_there(name);
    }
    let reports = folder.child_or_new(REPORTS_FOLDER)?;
    let kept = history_name(inode.stat.modified, "", name);
    match folder.rename(name, &reports, &kept) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// `20261121T233000Z-<import id>-users.csv.report.csv`.
pub(super) fn history_name(at: Timestamp, import: &str, name: &str) -> String {
    let at = at.strftime("%Y%m%dT%H%M%SZ");
    if import.is_empty() { format!("{at}-{name}") } else { format!("{at}-{import}-{name}") }
}

/// Whether the report may lie beside its upload, as far as the caller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    /// If the upload is still the newest of its path.
    IfNewest,
    /// No: the upload never had its turn.
    Never,
}

/// Report files that the disk has already, where nobody sees them.
pub(super) struct Staged {
    /// The upload's name, which stands in theirs.
    name: String,
    files: Vec<ReportFile>,
}

/// Writes the report files of an import that is being applied, so that they wait for its end and not the client for them.
///
/// # Errors
/// Anything that another try may cure (a full disk).
pub(super) fn stage(
    space: &ClientSpace,
    upload: &Upload,
    make: &dyn Fn(&str) -> Vec<ReportFile>,
) -> Result<Staged> {
    let name = upload.path.name().unwrap_or_default().to_owned();
    let files = make(&name);
    let staged = Staged { name, files };
    stage_all(space, upload, &staged.files).inspect_err(|_| unstage(space, upload, &staged))?;
    Ok(staged)
}

/// Removes what was staged: nothing came of the import. What cannot be removed is logged, and cleared by the next start.
pub(super) fn unstage(space: &ClientSpace, upload: &Upload, staged: &Staged) {
    if let Err(error) = unstage_all(space, upload, &staged.files) {
        tracing::warn!(%error, import = %upload.id, "hidden report files stay in the spool");
    }
}

/// Report files that lie in their places.
#[must_use = "a power cut may still take their names"]
pub(super) struct Delivered {
    /// The upload's path as it was meanwhile.
    pub(super) path: VPath,
    unsynced: Vec<Folder>,
}

impl Delivered {
    /// What needs no files of its own.
    pub(super) fn elsewhere(path: VPath) -> Self {
        Self { path, unsynced: Vec::new() }
    }

    /// Waits until the disk has the names, too. Until then the report is owed.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn sync(self) -> Result<VPath> {
        let all: Vec<Unsynced<'_>> = self.unsynced.iter().map(Unsynced::Folder).collect();
        let synced = sync_at_once(&all);
        synced.map_err(|e| Error::io(format!("writing the report of {}", self.path), e))?;
        Ok(self.path)
    }
}

/// Gives an import its report files, made by `make` unless they are staged under the name that the upload has now: in
/// `reports/`, and beside the upload while that is the newest of its path.
///
/// # Errors
/// Anything that another try may cure (a full disk); what no try cures is logged as T03.
pub(super) fn deliver(
    service: &Service,
    space: &ClientSpace,
    upload: &Upload,
    beside: Beside,
    staged: Option<Staged>,
    make: &dyn Fn(&str) -> Vec<ReportFile>,
) -> Result<Delivered> {
    let account = space.account(&upload.login)?;
    let (now, _guard) = locked(service, upload)?;
    let home = home(service, &now)?;
    let is_home = now.path.parent().as_ref().is_some_and(|parent| names::is_home(&home, parent));
    let is_beside = beside == Beside::IfNewest
        && is_home
        && upload.protocol.is_some()
        && is_newest(service, &now)?;
    let place = now.path.parent().filter(|_| is_home).unwrap_or(home);
    let name = now.path.name().unwrap_or_default();
    let files = match staged {
        Some(staged) if staged.name == name => staged.files,
        _ => {
            let files = make(name);
            stage_all(space, &now, &files)?;
            files
        }
    };
    // First: two markers would contradict each other.
    let placed = clear_others(service, space, &account, &place, &now, is_beside, &files)
        .and_then(|()| place_all(space, &account, &place, &now, is_beside, &files));
    match placed {
        // A folder where the report belongs, a file where `reports/` belongs …: an operator's own doing.
        Err(e) if matches!(e.kind(), Kind::IsFolder | Kind::NotFolder | Kind::Invalid) => {
            tracing::error!(code = "T03", error = %e, path = ?now.path.as_str(), "report not writable");
            unstage_all(space, &now, &files)?;
            Ok(Delivered::elsewhere(now.path))
        }
        placed => Ok(Delivered { path: now.path, unsynced: placed? }),
    }
}

fn unstage_all(space: &ClientSpace, upload: &Upload, files: &[ReportFile]) -> Result<()> {
    (0..files.len()).try_for_each(|n| {
        let removed = space.spool.remove_file_if_there(&hidden_name(upload, n));
        removed.map_err(|e| Error::io("clearing the spool", e))
    })
}

/// The upload as it stands now (it may have been renamed), with the lock on its path.
fn locked(service: &Service, upload: &Upload) -> Result<(Upload, PathGuard)> {
    let mut path = upload.path.clone();
    loop {
        let guard = service.0.locks.lock(&upload.login, &[&path]);
        let now = service.registry().upload(upload.id)?.unwrap_or_else(|| upload.clone());
        if now.path == path {
            return Ok((now, guard));
        }
        path = now.path;
    }
}

/// The import folder's path; if an operator removed the folder, the place where the upload lay.
fn home(service: &Service, upload: &Upload) -> Result<VPath> {
    let folders = service.registry().folders(&upload.login)?;
    let named = folders.into_iter().find(|f| Some(&f.name) == upload.folder.as_ref());
    Ok(named.map(|f| f.path).or_else(|| upload.path.parent()).unwrap_or_else(VPath::root))
}

fn is_newest(service: &Service, upload: &Upload) -> Result<bool> {
    let newest = service.registry().newest_upload(&upload.client, &upload.login, &upload.path)?;
    Ok(newest.is_none_or(|newest| newest.id == upload.id))
}

/// Writes every file where nobody sees it, and waits until the disk has them all: only then one may get its name. A
/// fault here is the machine's, so another try may cure it.
fn stage_all(space: &ClientSpace, upload: &Upload, files: &[ReportFile]) -> Result<()> {
    let stage = || -> io::Result<()> {
        let mut staged = Vec::with_capacity(files.len());
        for (n, file) in files.iter().enumerate() {
            if n == 1 {
                crate::fault::at("report.staging")?;
            }
            staged.push(write_hidden(space, &hidden_name(upload, n), &file.bytes)?);
        }
        sync_at_once(&staged.iter().map(Unsynced::File).collect::<Vec<_>>())
    };
    stage().map_err(|e| {
        let what = format!("writing the report of {}: {e}", upload.path);
        Error::caused(Kind::Internal, what, e)
    })
}

/// The report's name in the spool, where a start clears what a crash left.
fn hidden_name(upload: &Upload, n: usize) -> String {
    format!("{}.report-{n}", upload.id)
}

/// Gives the staged files their names, first in `reports/`, then beside the upload; answers the folders that have them.
fn place_all(
    space: &ClientSpace,
    account: &AccountSpace,
    place: &VPath,
    upload: &Upload,
    is_beside: bool,
    files: &[ReportFile],
) -> Result<Vec<Folder>> {
    let folder = account.folder_or_new(place)?;
    let id = upload.id.to_string();
    let write = || -> io::Result<Folder> {
        let reports = folder.child_or_new(REPORTS_FOLDER)?;
        for (n, file) in files.iter().enumerate() {
            if n == 1 {
                crate::fault::at("report.placing")?;
            }
            let hidden = hidden_name(upload, n);
            let kept = history_name(upload.received_at, &id, &file.name);
            reports.remove_file_if_there(&kept)?;
            space.spool.link(&hidden, &reports, &kept)?;
            if is_beside {
                space.spool.rename(&hidden, &folder, &file.name)?;
            }
            // Also after a rename: of two names of one file, rename(2) leaves both.
            space.spool.remove_file_if_there(&hidden)?;
        }
        Ok(reports)
    };
    let reports = write();
    let reports =
        reports.map_err(|e| Error::io(format!("writing the report of {}", upload.path), e))?;
    Ok(std::iter::once(reports).chain(is_beside.then_some(folder)).collect())
}

/// Removes what an earlier state of the import left, from `reports/` and from beside the upload: a marker `.held`.
fn clear_others(
    service: &Service,
    space: &ClientSpace,
    account: &AccountSpace,
    place: &VPath,
    upload: &Upload,
    is_beside: bool,
    files: &[ReportFile],
) -> Result<()> {
    let fault = |e| fault(&upload.path, e);
    let folder = account.folder_or_new(place)?;
    let reports = folder.child_or_new(REPORTS_FOLDER).map_err(fault)?;
    let (id, name) = (upload.id.to_string(), upload.path.name().unwrap_or_default());
    let others = endings().map(|ending| format!("{name}.{ending}"));
    for other in others.filter(|other| !files.iter().any(|file| file.name == *other)) {
        let there = if is_beside { folder.look(&other).map_err(fault)? } else { None };
        if let Some(inode) = there.filter(|inode| !inode.stat.is_folder())
            && !is_received(service, space, &upload.login, &upload.path, &other, &inode)?
        {
            retire_one(&folder, &other, &inode).map_err(fault)?;
        }
        let kept = history_name(upload.received_at, &id, &other);
        reports.remove_file_if_there(&kept).map_err(fault)?;
    }
    Ok(())
}

fn write_hidden(space: &ClientSpace, name: &str, bytes: &[u8]) -> io::Result<File> {
    use std::io::Write as _;
    space.spool.remove_file_if_there(name)?;
    let mut file = space.spool.new_file(name)?;
    file.write_all(bytes)?;
    Ok(file)
}
