//! The report of a fetched file goes back next to it on the client's server.

use super::deliver::{self, Delivery, child, fault, part_name};
use super::names::{self, Place};
use super::outbox::{OutboxJob, Trouble};
use super::{Service, fetch, reports};
use crate::error::{Error, Kind, Result};
use crate::import::report::{self, Report, ReportFile};
use crate::import::settings::{Ready, Settings};
use crate::model::{Folder, ImportStatus, Upload, UploadId, VPath};
use crate::remote::{Connection, Overwrite, RemoteEntry};
use crate::vfs;

/// Queues the report of a fetched file.
pub(super) fn reported(service: &Service, upload: &Upload, report: &Report) -> Result<()> {
    // One that was held had its turn; only one that never had stays without a report beside it.
    let superseded = report.status == ImportStatus::Superseded && !report.is_superseded_hold();
    if superseded || upload.protocol.is_none() || !service.is_remote(&upload.login)? {
        return Ok(());
    }
    let folder = upload.folder.clone().unwrap_or_default();
    let status = report.status.name().to_owned();
    let delivery = Delivery::Report { import: upload.id, status, print: print(report)? };
    let now = service.clock().now();
    service.queue_job(&delivery.job(&upload.client, &upload.login, &folder, now)?)?;
    Ok(())
}

/// The same for the same report, also when it was read from the database again. 12 hex digits.
fn print(report: &Report) -> Result<String> {
    let text = serde_json::to_vec(report)
        .map_err(|e| Error::caused(Kind::Internal, "writing a report as JSON", e))?;
    Ok(vfs::sha256_of(&text).chars().take(12).collect())
}

/// What goes back, as it stands now.
struct Given {
    upload: Upload,
    folder: Folder,
    folders: Vec<Folder>,
    files: Vec<ReportFile>,
    /// Names of the client's own files that announce the fetched one.
    companions: Vec<String>,
}

/// Brings the report of an import to the client's server.
pub(super) async fn deliver(
    service: &Service,
    job: &OutboxJob,
    import: UploadId,
    status: &str,
) -> std::result::Result<(), Trouble> {
    let (at, status) = (service.clone(), status.to_owned());
    let made = tokio::task::spawn_blocking(move || make(&at, import, &status)).await;
    let made = made.map_err(|e| Error::caused(Kind::Internal, "making a report again", e))??;
    let Some(given) = made else {
        return Err(Trouble::Moot("a newer file or report took its place".to_owned()));
    };
    let (client, login) = (given.upload.client.clone(), given.upload.login.clone());
    let mut connection = deliver::connect(service, &client, &login, job.attempts).await?;
    let brought = bring(service, &mut connection, &given).await;
    deliver::tell_refusal(service, &client, &given.folder, job, &brought);
    deliver::ended(connection, &given.folder, brought).await?;
    tracing::info!(client, login, path = ?given.upload.path.as_str(), upload = %import, "report given back");
    Ok(())
}

/// Makes the report files; `None`: the file has a newer version, or the import another status by now.
fn make(service: &Service, import: UploadId, status: &str) -> Result<Option<Given>> {
    let registry = service.registry();
    let Some(upload) = registry.upload(import)? else { return Ok(None) };
    let Some(client) = registry.client(&upload.client)? else { return Ok(None) };
    let newest = registry.newest_upload(&upload.client, &upload.login, &upload.path)?;
    if newest.is_some_and(|newest| newest.id != upload.id) {
        return Ok(None);
    }
    let stored = service.open_directory(&upload.client)?.import(import)?;
    let Some(report) = stored.map(|stored| stored.report).filter(|r| r.status.name() == status)
    else {
        return Ok(None);
    };
    let folders = registry.folders(&upload.login)?;
    let known = folders.iter().find(|folder| Some(&folder.name) == upload.folder.as_ref());
    // A folder that was removed meanwhile has no settings any more.
    let settings = match known {
        Some(folder) => service.settings(&upload.client, &folder.name)?,
        None => Settings::default(),
    };
    let name = upload.path.name().unwrap_or_default();
    let files = report::files(&report, &settings.report, client.language, name);
    let companions = match &settings.handling.fetch.ready {
        Ready::Companion(ending) => fetch::companions(name, ending).collect(),
        Ready::Stable => Vec::new(),
    };
    let folder = Folder {
        login: upload.login.clone(),
        name: upload.folder.clone().unwrap_or_default(),
        path: upload.path.parent().unwrap_or_else(VPath::root),
        purpose: crate::model::Purpose::Import,
        pattern: None,
    };
    Ok(Some(Given { upload, folder, folders, files, companions }))
}

/// All files are written whole first; then the old report goes, then each gets its name, the marker last.
async fn bring(service: &Service, connection: &mut Connection, given: &Given) -> Result<()> {
    // Only to clear up: there are servers that know no list of a folder in which nothing lies.
    let entries = match connection.entries(&given.folder.path).await {
        Err(error) if error.kind() == Kind::NotFound => Vec::new(),
        listed => listed?,
    };
    deliver::clear_parts(service, connection, &given.folder, &entries).await;
    let part = |n: usize| child(&given.folder, &part_name(&format!("{}-{n}", given.upload.id)));
    for (n, file) in given.files.iter().enumerate() {
        let bytes = u64::try_from(file.bytes.len()).unwrap_or(u64::MAX);
        connection.put_from(&part(n)?, &mut file.bytes.as_slice(), bytes).await?;
        if n == 0 {
            fault("report.sending")?;
        }
    }
    fault("report.sent")?;
    clear_others(service, connection, given, &entries).await?;
    for (n, file) in given.files.iter().enumerate() {
        let path = child(&given.folder, &file.name)?;
        if matches!(names::place(&given.folders, &path), Place::Import { .. }) {
            // Noted first: a look that finds it right away must not import it.
            let (upload, sha256) = (&given.upload, vfs::sha256_of(&file.bytes));
            service.registry().note_given_back(
                &upload.client,
                &given.folder.name,
                &file.name,
                &sha256,
            )?;
        }
        connection.rename(&part(n)?, &path, Overwrite::Replace).await?;
        if n == 0 {
            fault("report.naming")?;
        }
    }
    fault("report.named")
}

/// Removes what an earlier report of this name left: a marker `.held`, corrections of an older file.
async fn clear_others(
    service: &Service,
    connection: &mut Connection,
    given: &Given,
    entries: &[RemoteEntry],
) -> Result<()> {
    let name = given.upload.path.name().unwrap_or_default();
    for ending in reports::endings() {
        let other = format!("{name}.{ending}");
        let is_there = entries.iter().any(|entry| !entry.is_folder && entry.name == other);
        if !is_there || given.files.iter().any(|file| file.name == other) {
            continue;
        }
        // `users.csv.ok` may announce the next version already.
        if given.companions.contains(&other) {
            continue;
        }
        // A corrections file that was fetched is the client's own.
        let (client, folder) = (&given.upload.client, &given.folder.name);
        if !names::is_reserved(&other)
            && service.registry().last_fetched(client, folder, &other)?.is_some()
        {
            continue;
        }
        match connection.delete(&child(&given.folder, &other)?).await {
            Err(error) if error.kind() != Kind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
