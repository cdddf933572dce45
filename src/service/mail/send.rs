//! Writing an e-mail of the outbox from what the databases say now, and sending it.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::queue::happened_at;
use super::{About, Parcel, sender};
use crate::error::{Error, Kind, Result};
use crate::import::report::{self, Report};
use crate::import::settings::{Attach, Format, Settings, To};
use crate::mail::{self, Around, DigestLine, Letter, LetterFile, Mailer, Refused, Told};
use crate::model::{Client, ImportStatus, Language, Upload, UploadId};
use crate::service::Service;
use crate::service::failing;
use crate::service::names::REPORTS_FOLDER;
use crate::service::outbox::{JobFilter, JobState, OutboxJob, Trouble};
use crate::service::reports::history_name;

/// How many of a client's last imports a digest looks through.
const DIGEST_IMPORTS: u32 = 500;
const SECOND: SignedDuration = SignedDuration::from_secs(1);
/// The alarm about e-mails that do not leave.
const ALARM: &str = "T08";
/// What it is about when every e-mail waits.
pub(in crate::service) const SERVER: &str = "mail server";

/// Sends one e-mail.
///
/// # Errors
/// [`Trouble`].
pub(in crate::service) async fn send(
    service: &Service,
    job: &OutboxJob,
) -> std::result::Result<(), Trouble> {
    let parcel: Parcel = serde_json::from_str(&job.payload).map_err(|e| {
        Trouble::Never(Error::caused(
            Kind::Internal,
            format!("reading the job {}: {e}", job.key),
            e,
        ))
    })?;
    let mailer = Mailer::new(&service.config().mail)
        .map_err(|error| waits(service, job, error))?
        .ok_or_else(|| {
        Trouble::Moot("no e-mail leaves any more: [mail] was taken away".to_owned())
    })?;
    let (written, other) = (parcel.clone(), service.clone());
    let (client, key) = (job.client.clone(), job.key.clone());
    let letter =
        tokio::task::spawn_blocking(move || write(&other, client.as_deref(), &key, &written))
            .await
            .map_err(|e| Error::caused(Kind::Internal, "writing an e-mail panicked", e))??;
    let to = parcel.addressee();
    let (now, from) = (service.clock().now(), sender(service.config()));
    let never = |error: Error| Trouble::Never(error);
    let name = file_name(job.created_at, &job.key);
    let bare = || bare(service, job, &parcel, &letter);
    let mut message = mail::message(&letter, from, &to, now).map_err(never)?;
    let most = usize::try_from(service.config().mail.max_message_bytes).unwrap_or(usize::MAX);
    let has_files = !letter.files.is_empty();
    let cut = has_files && message.formatted().len() > most;
    if cut {
        message = mail::message(&bare()?, from, &to, now).map_err(never)?;
    }
    let mut sent = mailer.send(message, &name).await;
    if has_files && !cut && matches!(sent, Err(Refused::TooLarge(_))) {
        let message = mail::message(&bare()?, from, &to, now).map_err(never)?;
        sent = mailer.send(message, &name).await;
    }
    match sent {
        Ok(()) => {
            service.clear(None, ALARM, SERVER);
            Ok(())
        }
        Err(Refused::Server(error)) => Err(waits(service, job, error)),
        Err(Refused::Later(error)) => Err(Trouble::Again(error)),
        Err(Refused::Never(error) | Refused::TooLarge(error)) => Err(Trouble::Never(error)),
    }
}

/// Every e-mail waits: from the second failure on an alarm says so.
fn waits(service: &Service, job: &OutboxJob, error: Error) -> Trouble {
    if job.attempts > 0 {
        service.raise(None, ALARM, SERVER, &format!("e-mails wait: {}", error.message()));
    }
    Trouble::Away(error)
}

/// An e-mail or a hook's call was given up: somebody must know, for whoever should have read it does not.
pub(in crate::service) fn given_up(service: &Service, job: &OutboxJob, error: &Error) {
    let subject = subject(job);
    let text = format!(
        "what should go to {subject} was given up: {}; correct what it says, then `rollcall outbox retry {}`",
        error.message(),
        job.id
    );
    service.raise(job.client.as_deref(), ALARM, &subject, &text);
}

/// An e-mail or a hook's call left: its address works.
pub(in crate::service) fn went_out(service: &Service, job: &OutboxJob) {
    service.clear(job.client.as_deref(), ALARM, &subject(job));
}

/// A job that was withdrawn: the alarm is over with the last one that was given up for the same address.
pub(in crate::service) fn withdrawn(service: &Service, job: &OutboxJob) -> Result<()> {
    let about = subject(job);
    let given_up = service.registry().jobs(&JobFilter {
        client: job.client.clone(),
        state: Some(JobState::Failed),
        ..JobFilter::default()
    })?;
    // Jobs of the server's own affairs are among those of all clients.
    if !given_up.iter().any(|other| other.client == job.client && subject(other) == about) {
        service.clear(job.client.as_deref(), ALARM, &about);
    }
    Ok(())
}

/// What an alarm about a job is about: the address, or `hook/<name>`.
fn subject(job: &OutboxJob) -> String {
    let parcel: Option<Parcel> = serde_json::from_str(&job.payload).ok();
    parcel.map_or_else(|| job.lane.clone(), |parcel| parcel.address.to_lowercase())
}

/// The message's file in a folder: the same job makes the same name.
pub(super) fn file_name(at: Timestamp, key: &str) -> String {
    let mut digest: String = Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
    digest.truncate(16);
    format!("{}-{digest}.eml", at.strftime("%Y%m%dT%H%M%SZ"))
}

/// The same without attachments, which says that they are missing.
fn bare(
    service: &Service,
    job: &OutboxJob,
    parcel: &Parcel,
    letter: &Letter,
) -> std::result::Result<Letter, Trouble> {
    let About::Import { import, .. } = &parcel.about else { return Ok(letter.clone()) };
    let slug = job.client.as_deref().unwrap_or_default();
    let (client, upload, report) = imported(service, slug, *import)?;
    let settings = settings_of(service, &upload, parcel)?;
    let around =
        Around { files_left_out: true, ..around(service, &client, &upload, &settings, &report)? };
    let told = mail::report(&report, &around, parcel.language);
    Ok(Letter { text: told.text, html: told.html, files: Vec::new(), ..letter.clone() })
}

fn write(
    service: &Service,
    client: Option<&str>,
    key: &str,
    parcel: &Parcel,
) -> std::result::Result<Letter, Trouble> {
    let slug = client.unwrap_or_default();
    let (told, thread, files) = match &parcel.about {
        About::Alarm { code, subject, text } => {
            (mail::alarm(code, client, subject, text), String::new(), Vec::new())
        }
        About::Digest { folder, since, until } => {
            (day(service, slug, folder, (*since, *until), parcel)?, String::new(), Vec::new())
        }
        About::Import { import, status } => {
            let (client, upload, report) = imported(service, slug, *import)?;
            if report.status != *status {
                let now = report.status.name();
                return Err(Trouble::Moot(format!(
                    "the import is {now} by now, which is told in its own e-mail"
                )));
            }
            let settings = settings_of(service, &upload, parcel)?;
            let around = around(service, &client, &upload, &settings, &report)?;
            let files = files(&settings, &report, parcel.language);
            (mail::report(&report, &around, parcel.language), format!("import/{import}"), files)
        }
    };
    let Told { subject, text, html } = told;
    Ok(Letter { subject, text, html, key: key.to_owned(), thread, files })
}

/// An import with its report; one that could not even be recorded has the report of a failure.
pub(in crate::service) fn imported(
    service: &Service,
    client: &str,
    import: UploadId,
) -> std::result::Result<(Client, Upload, Report), Trouble> {
    let gone = |what: String| Trouble::Moot(format!("{what} is not there any more"));
    let known = service.registry().client(client)?;
    let client = known.ok_or_else(|| gone(format!("client {client}")))?;
    let upload = service.registry().upload(import)?;
    let upload = upload.ok_or_else(|| gone(format!("import {import}")))?;
    let stored = service.open_directory(&client.slug).and_then(|d| d.import(import));
    let report = match (stored, &upload.failure) {
        (Ok(Some(stored)), _) => stored.report,
        // The client's database may be what is broken.
        (_, Some(failure)) => failing::report_of_failure(service, &client, &upload, failure),
        (Err(error), None) => return Err(error.into()),
        (Ok(None), None) => {
            let message = format!("import {import} has no report yet");
            return Err(Trouble::Again(Error::new(Kind::Busy, message)));
        }
    };
    Ok((client, upload, report))
}

/// The folder's settings, if they still name this recipient.
fn settings_of(
    service: &Service,
    upload: &Upload,
    parcel: &Parcel,
) -> std::result::Result<Settings, Trouble> {
    let folder = upload.folder.as_deref().unwrap_or_default();
    let settings = match service.settings(&upload.client, folder) {
        Ok(settings) => settings,
        Err(error) if error.kind() == Kind::NotFound => {
            return Err(Trouble::Moot(format!("folder {folder} is not there any more")));
        }
        Err(error) => return Err(error.into()),
    };
    let is_meant = settings.handling.mail.to.iter().any(|recipient| match &recipient.to {
        To::Address { address, .. } => address.eq_ignore_ascii_case(&parcel.address),
        To::User(user) => Some(user) == parcel.user.as_ref(),
    });
    if is_meant {
        return Ok(settings);
    }
    Err(Trouble::Moot(format!("the settings of {folder} name {} no more", parcel.address)))
}

fn around<'c>(
    service: &Service,
    client: &'c Client,
    upload: &Upload,
    settings: &Settings,
    report: &Report,
) -> Result<Around<'c>> {
    let mut expires_at = None;
    if report.status == ImportStatus::Held {
        let hold = service.open_directory(&client.slug)?.hold(upload.id)?;
        expires_at = hold.map(|hold| service.expiry(&hold));
    }
    Ok(Around {
        client: &client.name,
        zone: zone(client),
        expires_at,
        report_path: report_path(service, upload, settings)?,
        approve_by_file: settings.approve_by_file && upload.protocol.is_some(),
        page: page(service, upload.id),
        files_left_out: false,
    })
}

fn zone(client: &Client) -> TimeZone {
    TimeZone::get(&client.time_zone).unwrap_or(TimeZone::UTC)
}

fn page(service: &Service, import: UploadId) -> Option<String> {
    let base = service.config().mail.public_url.as_deref()?;
    Some(format!("{}/imports/{import}", base.trim_end_matches('/')))
}

/// Where the report for people lies: beside the upload while that is the newest of its path, else with the earlier ones.
fn report_path(service: &Service, upload: &Upload, settings: &Settings) -> Result<Option<String>> {
    let formats = &settings.report.formats;
    let known = [(Format::Csv, "csv"), (Format::Html, "html"), (Format::Json, "json")];
    let Some((_, ending)) = known.into_iter().find(|(format, _)| formats.contains(format)) else {
        return Ok(None);
    };
    let newest = service.registry().newest_upload(&upload.client, &upload.login, &upload.path)?;
    let is_newest = newest.is_none_or(|newest| newest.id == upload.id);
    if is_newest && upload.protocol.is_some() {
        return Ok(Some(format!("{}.report.{ending}", upload.path)));
    }
    let folder = upload.path.parent().map(|folder| folder.to_string()).unwrap_or_default();
    let name = format!("{}.report.{ending}", upload.path.name().unwrap_or_default());
    let name = history_name(upload.received_at, &upload.id.to_string(), &name);
    Ok(Some(format!("{}/{REPORTS_FOLDER}/{name}", folder.trim_end_matches('/'))))
}

/// The report files that go with the message.
fn files(settings: &Settings, report: &Report, language: Language) -> Vec<LetterFile> {
    let name = &report.file.name;
    let file =
        |ending: &str, media, bytes| LetterFile { name: format!("{name}.{ending}"), media, bytes };
    let made = settings.handling.mail.attach.iter().filter_map(|attach| match attach {
        Attach::Csv => Some(file("report.csv", "text/csv", report::csv(report, language))),
        Attach::Json => {
            Some(file("report.json", "application/json", report::json(report, language)))
        }
        Attach::Html => Some(file("report.html", "text/html", report::html(report, language))),
        Attach::Corrections => report::corrections(report, language)
            .map(|bytes| file("corrections.csv", "text/csv", bytes)),
    });
    made.collect()
}

/// The digest of a folder's imports in this time.
fn day(
    service: &Service,
    slug: &str,
    folder: &str,
    (since, until): (Timestamp, Timestamp),
    parcel: &Parcel,
) -> std::result::Result<Told, Trouble> {
    let Some(client) = service.registry().client(slug)? else {
        return Err(Trouble::Moot(format!("client {slug} is not there any more")));
    };
    let directory = service.open_directory(slug)?;
    let mut found: Vec<(Timestamp, Upload, Report)> = Vec::new();
    for summary in directory.imports(DIGEST_IMPORTS)? {
        let record = &summary.record;
        // Only a decision changes what an import came to later.
        use ImportStatus::{Discarded, Expired, Superseded, Undone};
        let later = matches!(summary.status, Discarded | Expired | Superseded | Undone);
        // Its transaction's time is kept less finely than the report's.
        let until_then = summary.applied_at.checked_add(SECOND).unwrap_or(Timestamp::MAX);
        if record.source != folder || (until_then < since && !later) {
            continue;
        }
        let stored = directory.import(record.id)?;
        let upload = service.registry().upload(record.id)?;
        if let (Some(stored), Some(upload)) = (stored, upload) {
            let at = happened_at(&stored.report, &upload);
            if since <= at && at <= until && !stored.report.dry_run {
                found.push((at, upload, stored.report));
            }
        }
    }
    found.sort_by_key(|(at, ..)| *at);
    let Some((_, last, report)) = found.last() else {
        return Err(Trouble::Moot("there is nothing to tell".to_owned()));
    };
    let settings = settings_of(service, last, parcel)?;
    let around = around(service, &client, last, &settings, report)?;
    let lines: Vec<DigestLine<'_>> = found
        .iter()
        .map(|(at, upload, report)| DigestLine { report, at: *at, page: page(service, upload.id) })
        .collect();
    Ok(mail::digest(&lines, &around, parcel.language))
}
