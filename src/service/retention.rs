//! What is old enough goes: archived bytes of finished uploads, old reports. Rows and the directory stay.

use jiff::{SignedDuration, Timestamp};

use super::Service;
use super::names::REPORTS_FOLDER;
use crate::error::{Error, Result};
use crate::model::{Purpose, UploadId, UploadState};
use crate::vfs::{ClientSpace, Folder};

/// Removes what `retention` no longer keeps, client by client; a fault of one client is logged.
pub(super) fn apply(service: &Service) -> Result<()> {
    let retention = &service.config().retention;
    let now = service.clock().now();
    for client in service.registry().clients()? {
        let space = service.client_space(&client.slug)?;
        let removed = archive(service, &space, before(now, retention.archive_days))
            .and_then(|()| reports(service, &space, before(now, retention.reports_days)));
        if let Err(error) = removed {
            tracing::warn!(%error, client = client.slug, "removing what is old enough");
        }
    }
    Ok(())
}

/// The instant before which things go; `None`: they stay for ever.
fn before(now: Timestamp, days: u32) -> Option<Timestamp> {
    let kept = SignedDuration::from_hours(i64::from(days).saturating_mul(24));
    now.checked_sub(kept).ok().filter(|_| days > 0)
}

fn archive(service: &Service, space: &ClientSpace, before: Option<Timestamp>) -> Result<()> {
    let Some(before) = before else { return Ok(()) };
    let fault = |e| Error::io("removing old uploads from the archive", e);
    for entry in space.archive.entries().map_err(fault)? {
        let (name, inode) = entry.map_err(fault)?;
        let Ok(id) = name.parse::<UploadId>() else { continue };
        let Some(upload) = service.registry().upload(id)? else { continue };
        let is_final = !matches!(upload.state, UploadState::Prepared | UploadState::Queued);
        if is_final && upload.finished_at.is_some_and(|at| at < before) {
            space.archive.remove_file_if_there(&name).map_err(fault)?;
            release(space, inode.links, inode.stat.bytes);
        }
    }
    Ok(())
}

fn reports(service: &Service, space: &ClientSpace, before: Option<Timestamp>) -> Result<()> {
    let Some(before) = before else { return Ok(()) };
    for folder in service.registry().client_folders(space.client())? {
        if folder.purpose != Purpose::Import {
            continue;
        }
        let files = space.account(&folder.login)?;
        // A folder that has no reports yet has nothing to remove.
        let Ok(home) = files.folder(&folder.path) else { continue };
        let Ok(reports) = home.child(REPORTS_FOLDER) else { continue };
        remove_older(space, &reports, before)
            .map_err(|e| Error::io(format!("removing old reports of {}", folder.path), e))?;
    }
    Ok(())
}

fn remove_older(space: &ClientSpace, reports: &Folder, before: Timestamp) -> std::io::Result<()> {
    for entry in reports.entries()? {
        let (name, inode) = entry?;
        if !inode.stat.is_folder() && inode.stat.modified < before {
            reports.remove_file_if_there(&name)?;
            release(space, inode.links, inode.stat.bytes);
        }
    }
    Ok(())
}

/// Gives the quota back what no other name keeps.
fn release(space: &ClientSpace, links: u64, bytes: u64) {
    if links < 2 {
        space.occupied.release(bytes);
    }
}
