//! Deliveries: files and reports brought to a client's own server, each under a temporary name first, by jobs of the outbox.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::outbox::{JobFilter, JobState, OutboxJob, Trouble};
use super::{Service, drops, give_back};
use crate::error::{Error, Kind, Result};
use crate::model::{Folder, UploadId, VPath};
use crate::remote::{Connection, Overwrite, RemoteEntry};
use crate::store::registry::{DropState, FileDrop, JobKind, NewJob};

/// What a delivery that was given up raises.
const ALARM: &str = "T08";

/// How a name begins and ends under which we write on a client's server.
const PART: (&str, &str) = (".rollcall-", ".part");
/// More files of ours than one folder ever has; beyond them the rest waits for the next look.
const PARTS_CLEARED: usize = 100;

/// What is delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Delivery {
    /// A file that was handed over.
    Drop {
        /// Its id.
        id: String,
    },
    /// The report of a fetched file.
    Report {
        /// The import.
        import: UploadId,
        /// The status that it had when this was queued; with another one a later job brings it.
        status: String,
        /// What tells this report from an earlier one of the same status: rows may have been decided about.
        print: String,
    },
}

impl Delivery {
    /// The job: all files of one folder go one after the other.
    pub(super) fn job(
        &self,
        client: &str,
        login: &str,
        folder: &str,
        now: Timestamp,
    ) -> Result<NewJob> {
        let payload = serde_json::to_string(self)
            .map_err(|e| Error::caused(Kind::Internal, "writing a delivery as JSON", e))?;
        let key = match self {
            Self::Drop { id } => drops::job_key(id),
            Self::Report { import, status, print } => format!("report/{import}/{status}/{print}"),
        };
        Ok(NewJob {
            client: Some(client.to_owned()),
            kind: JobKind::Delivery,
            lane: format!("delivery/{login}/{folder}"),
            key,
            payload,
            not_before: now,
        })
    }
}

/// The name under which a file is written before it gets its own.
pub(super) fn part_name(id: &str) -> String {
    let (begin, end) = PART;
    format!("{begin}{id}{end}")
}

/// Carries out a delivery.
pub(super) async fn deliver(
    service: &Service,
    job: &OutboxJob,
) -> std::result::Result<(), Trouble> {
    let delivery: Delivery = serde_json::from_str(&job.payload).map_err(|e| {
        Trouble::Never(Error::caused(Kind::Invalid, format!("delivery {}: {e}", job.key), e))
    })?;
    match delivery {
        Delivery::Drop { id } => deliver_drop(service, job, &id).await,
        Delivery::Report { import, status, .. } => {
            give_back::deliver(service, job, import, &status).await
        }
    }
}

async fn deliver_drop(
    service: &Service,
    job: &OutboxJob,
    id: &str,
) -> std::result::Result<(), Trouble> {
    let Some(dropped) = service.registry().file_drop(id)? else { return Ok(()) };
    if !matches!(dropped.state, DropState::Waiting | DropState::Failed) {
        return Ok(());
    }
    if !service.is_remote(&dropped.login)? {
        let service = service.clone();
        let placed = tokio::task::spawn_blocking(move || drops::place(&service, &dropped)).await;
        return placed.map_err(|e| Error::caused(Kind::Internal, "placing a file", e))?;
    }
    let folder = Folder {
        login: dropped.login.clone(),
        name: dropped.folder.clone(),
        path: dropped.path.parent().unwrap_or_else(VPath::root),
        purpose: crate::model::Purpose::Export,
        pattern: None,
    };
    let mut connection = connect(service, &dropped.client, &dropped.login, job.attempts).await?;
    let brought = bring(service, &mut connection, &folder, &dropped).await;
    tell_refusal(service, &dropped.client, &folder, job, &brought);
    ended(connection, &folder, brought).await?;
    service.registry().deliver_drop(id, service.clock().now())?;
    tracing::info!(
        client = dropped.client, login = dropped.login, path = ?dropped.path.as_str(), drop = id,
        bytes = dropped.bytes, "file delivered"
    );
    Ok(())
}

/// A connection to an account's server; alarms T02 and T04 stand while there is none.
pub(super) async fn connect(
    service: &Service,
    client: &str,
    login: &str,
    failures: u64,
) -> std::result::Result<Connection, Trouble> {
    let known = service.registry().client(client)?.is_some_and(|client| client.enabled);
    let account = service.registry().account(login)?;
    if !known || account.is_none_or(|account| !account.enabled) {
        let why = format!("the account {login} or its client is disabled or removed");
        return Err(Error::new(Kind::Denied, why).into());
    }
    let target = service.remote_target(login)?;
    let opened = Connection::open(&target).await;
    service.note_remote(login, &opened);
    match &opened {
        Ok(_) => service.clear(Some(client), "T02", login),
        Err(error) => {
            let failures = u32::try_from(failures).unwrap_or(u32::MAX).saturating_add(1);
            service.tell_unreached(client, login, error, failures);
        }
    }
    // A name without an address is a server that is away, too: their name server may be.
    opened.map_err(|error| match error.kind() {
        Kind::Busy | Kind::NotFound => Trouble::Away(error),
        _ => Trouble::Again(error),
    })
}

/// Ends the connection over which something was brought. A server that broke off is waited for like one that does not
/// answer; one that still answers has refused this file, if perhaps in the same words.
pub(super) async fn ended<T>(
    mut connection: Connection,
    folder: &Folder,
    brought: Result<T>,
) -> std::result::Result<T, Trouble> {
    let trouble = match brought {
        Err(error) if error.kind() == Kind::Busy => {
            let answer = connection.stat(&folder.path).await;
            Err(match answer.is_err_and(|e| e.kind() == Kind::Busy) {
                true => Trouble::Away(error),
                false => Trouble::Again(error),
            })
        }
        brought => brought.map_err(Trouble::Again),
    };
    connection.close().await;
    trouble
}

/// Raises an alarm about a delivery that was given up: it stands whatever else the server takes meanwhile.
pub(super) fn given_up(service: &Service, job: &OutboxJob, error: &Error) {
    let subject = subject(job);
    let text = format!(
        "{} was given up and does not lie on the client's server: {}; correct what it says, then `rollcall outbox retry {}`",
        what(service, job).unwrap_or_else(|| subject.clone()),
        error.message(),
        job.id
    );
    service.raise(job.client.as_deref(), ALARM, &subject, &text);
}

/// A delivery was brought, or nobody wants it any more.
pub(super) fn over(service: &Service, job: &OutboxJob) {
    service.clear(job.client.as_deref(), ALARM, &subject(job));
}

/// Whether nothing is left to be brought of what an alarm is about; `None`: it is about no delivery.
pub(super) fn is_over(
    service: &Service,
    client: Option<&str>,
    subject: &str,
) -> Result<Option<bool>> {
    let registry = service.registry();
    let login = if let Some(id) = subject.strip_prefix("drop/") {
        let dropped = registry.file_drop(id)?;
        dropped
            .filter(|of| matches!(of.state, DropState::Waiting | DropState::Failed))
            .map(|of| of.login)
    } else if let Some(id) = subject.strip_prefix("report/") {
        let given_up = registry.jobs(&JobFilter {
            client: client.map(str::to_owned),
            kind: Some(JobKind::Delivery),
            state: Some(JobState::Failed),
            ..JobFilter::default()
        })?;
        let waiting = registry.jobs(&JobFilter {
            client: client.map(str::to_owned),
            kind: Some(JobKind::Delivery),
            state: Some(JobState::Waiting),
            ..JobFilter::default()
        })?;
        let is_known = given_up.iter().chain(&waiting).any(|job| self::subject(job) == subject);
        let import = id.parse::<UploadId>().ok().filter(|_| is_known);
        import.map(|id| registry.upload(id)).transpose()?.flatten().map(|upload| upload.login)
    } else {
        return Ok(None);
    };
    let account = login.map(|login| registry.account(&login)).transpose()?.flatten();
    Ok(Some(account.is_none()))
}

/// What an alarm about a delivery is about: the same for all reports of an import, for the newest one counts.
fn subject(job: &OutboxJob) -> String {
    match serde_json::from_str(&job.payload) {
        Ok(Delivery::Drop { id }) => drops::job_key(&id),
        Ok(Delivery::Report { import, .. }) => format!("report/{import}"),
        Err(_) => job.key.clone(),
    }
}

/// What was to be brought, in words; `None`: that cannot be read.
fn what(service: &Service, job: &OutboxJob) -> Option<String> {
    let registry = service.registry();
    match serde_json::from_str(&job.payload).ok()? {
        Delivery::Drop { id } => {
            let dropped = registry.file_drop(&id).ok()??;
            Some(format!("the file {} for {}", dropped.path, dropped.login))
        }
        Delivery::Report { import, .. } => {
            let upload = registry.upload(import).ok()??;
            Some(format!("the report of {} for {}", upload.path, upload.login))
        }
    }
}

/// Alarm T03 while a client's server refuses what we bring, or breaks it off more than once.
pub(super) fn tell_refusal<T>(
    service: &Service,
    client: &str,
    folder: &Folder,
    job: &OutboxJob,
    brought: &Result<T>,
) {
    let subject = format!("{}{}", folder.login, folder.path);
    match brought {
        Ok(_) => service.clear(Some(client), "T03", &subject),
        // Once is often only a restart on the other side.
        Err(error) if error.kind() == Kind::Busy && job.attempts == 0 => {}
        Err(error) if error.kind() == Kind::Busy => {
            let text = format!(
                "What is delivered to {} does not arrive: {}. It is tried again by itself",
                folder.path,
                error.message()
            );
            service.raise(Some(client), "T03", &subject, &text);
        }
        Err(error) => {
            let text = format!(
                "The client's server refuses what is delivered to {}: {}. It needs the right to write, rename and \
                 delete there (`rollcall account test {}` shows what works)",
                folder.path,
                error.message(),
                folder.login
            );
            service.raise(Some(client), "T03", &subject, &text);
        }
    }
}

/// Writes a file under a temporary name and renames it: nobody ever sees half of it under its own, and it is not brought
/// twice, although the program may end between any two steps.
async fn bring(
    service: &Service,
    connection: &mut Connection,
    folder: &Folder,
    dropped: &FileDrop,
) -> Result<()> {
    let part = child(folder, &part_name(&dropped.id))?;
    let registry = service.registry();
    let mut is_there = false;
    if dropped.is_renaming {
        // We were interrupted when the whole file was to get its name. If the temporary one is gone, it has it, and
        // perhaps was taken away already: it must not come a second time.
        match connection.stat(&part).await {
            Ok(found) => is_there = found.bytes.is_none_or(|bytes| bytes == dropped.bytes),
            Err(error) if error.kind() == Kind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    if !is_there {
        if let Ok(entries) = connection.entries(&folder.path).await {
            clear_parts(service, connection, folder, &entries).await;
        }
        let space = service.client_space(&dropped.client)?;
        let reading = |e| Error::io(format!("reading the kept file {}", dropped.id), e);
        let kept = space.outbox.open_file(&dropped.id).map_err(reading)?;
        let mut kept = tokio::fs::File::from_std(kept);
        connection.put_from(&part, &mut kept, dropped.bytes).await?;
        fault("delivery.sent")?;
        if !registry.begin_rename(&dropped.id)? {
            // Somebody took it back meanwhile.
            return connection.delete(&part).await;
        }
        fault("delivery.renaming")?;
    }
    let renamed = connection.rename(&part, &dropped.path, Overwrite::Replace).await;
    if let Err(error) = renamed {
        // A refusal says that it did not happen; a broken connection says nothing.
        if error.kind() != Kind::Busy {
            registry.end_rename(&dropped.id)?;
        }
        return Err(error);
    }
    fault("delivery.renamed")
}

pub(super) fn fault(place: &str) -> Result<()> {
    crate::fault::at(place).map_err(|e| Error::io("delivering a file", e))
}

/// The address of a name in a folder.
pub(super) fn child(folder: &Folder, name: &str) -> Result<VPath> {
    folder.path.join(name).map_err(|why| Error::new(Kind::Invalid, why))
}

/// Removes what interrupted deliveries of ours left in a folder. What fails is left for the next time.
pub(super) async fn clear_parts(
    service: &Service,
    connection: &mut Connection,
    folder: &Folder,
    entries: &[RemoteEntry],
) {
    let (begin, end) = PART;
    let names = entries.iter().filter(|entry| !entry.is_folder).map(|entry| entry.name.as_str());
    let parts = names.filter(|name| name.starts_with(begin) && name.ends_with(end));
    for name in parts.take(PARTS_CLEARED) {
        match is_left_over(service, folder, name) {
            Ok(false) => {}
            Ok(true) => {
                let Ok(path) = child(folder, name) else { continue };
                match connection.delete(&path).await {
                    Ok(()) => {
                        tracing::info!(login = folder.login, path = ?path.as_str(), "removed what a delivery left");
                    }
                    Err(error) => {
                        tracing::debug!(%error, path = ?path.as_str(), "a part of ours stays")
                    }
                }
            }
            Err(error) => tracing::warn!(%error, name, "looking whose part this is"),
        }
    }
}

/// Whether a part is ours and nobody needs it any more.
fn is_left_over(service: &Service, folder: &Folder, name: &str) -> Result<bool> {
    let (begin, end) = PART;
    let Some(id) = name.strip_prefix(begin).and_then(|name| name.strip_suffix(end)) else {
        return Ok(false);
    };
    // The number of a report file stands after the id, which has 36 signs.
    let (id, number) = id.split_at_checked(36).unwrap_or((id, ""));
    let registry = service.registry();
    let Some(client) = registry.account(&folder.login)?.map(|account| account.client) else {
        return Ok(false);
    };
    let is_drop = registry.file_drop(id)?.is_some_and(|dropped| dropped.client == client);
    let import = id.parse::<UploadId>().ok().map(|id| registry.upload(id)).transpose()?.flatten();
    let is_report = import.is_some_and(|upload| upload.client == client && !number.is_empty());
    // Without a number it is a fetched file on its way out: whoever moves it knows what to do with it.
    if !is_drop && !is_report {
        return Ok(false);
    }
    let waiting = registry.jobs(&JobFilter {
        client: Some(client),
        kind: Some(JobKind::Delivery),
        state: Some(JobState::Waiting),
        ..JobFilter::default()
    })?;
    Ok(!waiting.iter().any(|job| job.payload.contains(id)))
}
