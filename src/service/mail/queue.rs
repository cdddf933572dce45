//! What is queued when a report stands or an alarm is raised.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{About, Parcel};
use crate::error::Result;
use crate::import::directory::User;
use crate::import::fields::Field;
use crate::import::report::Report;
use crate::import::settings::{MailOn, MailSettings, Recipient, Settings, To};
use crate::mail;
use crate::model::{Client, ImportStatus, Language, Upload};
use crate::service::Service;
use crate::store::registry::{JobKind, NewJob};

/// Queues the e-mails about an import. Repeated calls queue nothing twice.
///
/// # Errors
/// What could not be queued durably.
pub(in crate::service) fn reported(
    service: &Service,
    client: &Client,
    upload: &Upload,
    settings: &Settings,
    report: &Report,
) -> Result<()> {
    let wanted = &settings.handling.mail;
    let unwanted = wanted.on == MailOn::Problems && !report.is_problem();
    if !service.config().mail.is_on() || wanted.to.is_empty() || unwanted {
        return Ok(());
    }
    let at = happened_at(report, upload);
    if is_forgotten(service, report, upload) {
        return Ok(());
    }
    let now = service.clock().now();
    let failed = report.status == ImportStatus::Failed;
    for parcel in parcels(service, client, wanted, failed)? {
        let Parcel { address, .. } = &parcel;
        let to = address.to_lowercase();
        let mut job = NewJob {
            client: Some(client.slug.clone()),
            kind: JobKind::Mail,
            lane: format!("mail/{to}"),
            key: format!("mail/{}/{}/{to}", upload.id, report.status.name()),
            payload: String::new(),
            not_before: now,
        };
        let about = if wanted.on == MailOn::Digest {
            let folder = upload.folder.clone().unwrap_or_default();
            let until = next_digest(now, wanted.digest_at, &client.time_zone);
            // It waits for its hour, and must not hold up what goes out before.
            job.lane = format!("digest/{}/{folder}/{to}", client.slug);
            job.key = format!("{}/{until}", job.lane);
            job.not_before = until;
            About::Digest { folder, since: at, until }
        } else {
            About::Import { import: upload.id, status: report.status }
        };
        job.payload = payload(&Parcel { about, ..parcel });
        service.queue_job(&job)?;
    }
    Ok(())
}

/// Queues the e-mails about an alarm to the operators. What cannot be queued is logged: the alarm stands all the same.
pub(in crate::service) fn alarm_raised(
    service: &Service,
    id: i64,
    client: Option<&str>,
    code: &str,
    subject: &str,
    text: &str,
) {
    if !service.config().mail.is_on() {
        return;
    }
    for operator in &service.config().mail.operators {
        let Ok(to) = mail::addressee(operator) else { continue };
        let address = to.address.to_lowercase();
        // That an address takes no e-mail is not told to itself.
        if subject.eq_ignore_ascii_case(&address) {
            continue;
        }
        let about = About::Alarm {
            code: code.to_owned(),
            subject: subject.to_owned(),
            text: text.to_owned(),
        };
        let (name, language) = (to.name, Language::En);
        let parcel = Parcel { name, address: to.address, language, user: None, about };
        let job = NewJob {
            client: client.map(str::to_owned),
            kind: JobKind::Mail,
            lane: format!("mail/{address}"),
            key: format!("alarm/{id}/{address}"),
            payload: payload(&parcel),
            not_before: service.clock().now(),
        };
        if let Err(error) = service.queue_job(&job) {
            tracing::error!(%error, code, "queueing the e-mail about an alarm");
        }
    }
}

fn payload(parcel: &Parcel) -> String {
    // Plain texts and numbers: writing them cannot fail.
    serde_json::to_string(parcel).unwrap_or_default()
}

/// When an import came to what its report says.
pub(in crate::service) fn happened_at(report: &Report, upload: &Upload) -> Timestamp {
    let decided = report.decision.as_ref().map(|decision| decision.at);
    decided.or(report.finished_at).unwrap_or(upload.received_at)
}

/// Whether the outbox may have forgotten that it told this: a report that is written anew months later tells nobody.
pub(in crate::service) fn is_forgotten(
    service: &Service,
    report: &Report,
    upload: &Upload,
) -> bool {
    let at = happened_at(report, upload);
    let days = i64::from(service.config().retention.archive_days);
    let kept_until = at.checked_add(SignedDuration::from_hours(days.saturating_mul(24)));
    days > 0 && kept_until.is_ok_and(|until| until < service.clock().now())
}

/// The next time of the digest after now, in the client's zone: in the spring gap right after it, in autumn once.
fn next_digest(now: Timestamp, at: Time, zone: &str) -> Timestamp {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let mut day = now.to_zoned(zone.clone()).date();
    loop {
        let due = day.to_datetime(at).to_zoned(zone.clone()).map(|due| due.timestamp());
        match (due, day.tomorrow()) {
            (Ok(due), _) if due > now => return due,
            (_, Ok(tomorrow)) => day = tomorrow,
            // The end of the calendar.
            (_, Err(_)) => return now,
        }
    }
}

/// Whom a folder's settings name, each address once.
fn parcels(
    service: &Service,
    client: &Client,
    wanted: &MailSettings,
    failed: bool,
) -> Result<Vec<Parcel>> {
    let mut parcels: Vec<Parcel> = Vec::new();
    for recipient in &wanted.to {
        let found = match &recipient.to {
            To::Address { name, address } => Some(Parcel {
                name: name.clone(),
                address: address.clone(),
                language: recipient.language.unwrap_or(client.language),
                user: None,
                about: nothing(),
            }),
            To::User(user) => match of_user(service, client, recipient, user) {
                // The client's database may be what the import failed by: the others must hear of it all the same.
                Err(error) if failed => {
                    let about = format!("user {user}");
                    let text =
                        format!("the address of {about} cannot be read: {}", error.message());
                    service.raise(Some(&client.slug), "T08", &about, &text);
                    None
                }
                found => found?,
            },
        };
        let Some(found) = found else { continue };
        if !parcels.iter().any(|known| known.address.eq_ignore_ascii_case(&found.address)) {
            parcels.push(found);
        }
    }
    Ok(parcels)
}

/// Stands until the caller says what it is about.
fn nothing() -> About {
    About::Alarm { code: String::new(), subject: String::new(), text: String::new() }
}

/// Whether an address is an operator's.
pub(in crate::service) fn is_operator(service: &Service, address: &str) -> bool {
    let operators = &service.config().mail.operators;
    let mut known = operators.iter().filter_map(|operator| mail::addressee(operator).ok());
    known.any(|operator| operator.address.eq_ignore_ascii_case(address))
}

/// Whether e-mails to a recipient of the settings may go to this address; yes while the directory cannot be read.
pub(in crate::service) fn may_reach(
    service: &Service,
    client: &str,
    recipient: &Recipient,
    address: &str,
) -> bool {
    let user = match &recipient.to {
        To::Address { address: known, .. } => return known.eq_ignore_ascii_case(address),
        To::User(user) => user,
    };
    let found = service.open_directory(client).and_then(|directory| directory.find_users(user));
    found.map_or(true, |users: Vec<User>| {
        let has = |user: &User| {
            user.values.get(Field::Email).is_some_and(|email| email.eq_ignore_ascii_case(address))
        };
        users.iter().any(|one| is_meant(one, user) && has(one))
    })
}

fn is_meant(user: &User, wanted: &str) -> bool {
    let names = [Field::EmployeeNumber, Field::Login];
    let is = |field| user.values.get(field).is_some_and(|v| v.eq_ignore_ascii_case(wanted));
    !user.withdrawn && names.into_iter().any(is)
}

/// The address that the directory has for a user; without one an alarm is raised, and the others are written to.
fn of_user(
    service: &Service,
    client: &Client,
    recipient: &Recipient,
    wanted: &str,
) -> Result<Option<Parcel>> {
    let mut users: Vec<User> = service.open_directory(&client.slug)?.find_users(wanted)?;
    users.retain(|user| is_meant(user, wanted));
    let today = service.clock().today(&client.time_zone).to_string();
    let why = match users.as_slice() {
        [] => "there is no such user",
        [user] => {
            let left = user.values.get(Field::ContractEnd).is_some_and(|end| *end < *today);
            match user.values.get(Field::Email).filter(|email| mail::check_address(email).is_ok()) {
                Some(email) if !left => {
                    service.clear(Some(&client.slug), "T08", &format!("user {wanted}"));
                    return Ok(Some(parcel_of(user, email, client, recipient, wanted)));
                }
                Some(_) => "this person has left",
                None => "the directory has no e-mail address of this person",
            }
        }
        _ => "several users have it; name one of them by the login",
    };
    let text = format!(
        "reports of client {} should go to the user \"{wanted}\", but {why}: correct [mail] to in the folder's settings, or the directory",
        client.slug
    );
    service.raise(Some(&client.slug), "T08", &format!("user {wanted}"), &text);
    Ok(None)
}

fn parcel_of(
    user: &User,
    email: &str,
    client: &Client,
    recipient: &Recipient,
    wanted: &str,
) -> Parcel {
    let part = |field| user.values.get(field).unwrap_or_default();
    let name = format!("{} {}", part(Field::FirstName), part(Field::LastName));
    let culture = user.values.get(Field::Culture).and_then(|culture| culture.get(..2));
    let own = culture.and_then(|code| code.parse().ok());
    Parcel {
        name: Some(name.trim().to_owned()),
        address: email.to_owned(),
        language: recipient.language.or(own).unwrap_or(client.language),
        user: Some(wanted.to_owned()),
        about: nothing(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_goes_out_at_its_hour_in_the_clients_zone_on_both_daylight_saving_nights() {
        let next =
            |now: &str, at: Time| next_digest(now.parse().unwrap(), at, "Europe/Paris").to_string();
        let (seven, gap) = (jiff::civil::time(7, 0, 0, 0), jiff::civil::time(2, 30, 0, 0));
        assert_eq!(next("2026-11-22T05:59:59Z", seven), "2026-11-22T06:00:00Z");
        assert_eq!(next("2026-11-22T06:00:00Z", seven), "2026-11-23T06:00:00Z");
        // 2026-03-29 has no 02:30 in Paris: it goes out at 03:30, an hour of summer time.
        assert_eq!(next("2026-03-29T00:00:00Z", gap), "2026-03-29T01:30:00Z");
        // 2026-10-25 has two: the first counts, and the second is not another.
        assert_eq!(next("2026-10-24T23:00:00Z", gap), "2026-10-25T00:30:00Z");
        assert_eq!(next("2026-10-25T00:30:00Z", gap), "2026-10-26T01:30:00Z");
    }
}
