//! Events for other programs: what happened, told once, in one order (docs/webhooks.md).

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Service;
use super::mail::happened_at;
use super::retention::{before, until};
use crate::error::{Error, Kind, Result};
use crate::import::report::Report;
use crate::model::{Client, Event, EventKind, Upload};
use crate::store::directory::{Directory, How, Touched, Unit};
use crate::store::registry::{AuditEvent, Move, NewEvent};

pub use crate::store::registry::EventFilter;

/// The most events that one answer lists.
pub const MOST_EVENTS: u32 = 1000;
/// How many imports of one directory are told in one go.
const UNITS: u32 = 100;

/// A part of the events.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventPage {
    /// In their order.
    pub events: Vec<Event>,
    /// The cursor to go on from: also when nothing was found.
    pub next: i64,
    /// Whether there are more at once.
    pub more: bool,
    /// Whether events after the cursor have been forgotten (`retention.events_days`): what they told must be read anew.
    pub gap: bool,
}

impl Service {
    /// Events after a cursor, oldest first; the first cursor is 0.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client; `Kind::Conflict` for a cursor from before a restored backup.
    pub fn events(&self, filter: &EventFilter) -> Result<EventPage> {
        if let Some(client) = &filter.client {
            self.client(client)?;
        }
        let limit = filter.limit.clamp(1, MOST_EVENTS);
        // Before the list: what is told between the two looks is not skipped over.
        let span = self.registry().event_span()?;
        if filter.after > span.last {
            let message = format!(
                "there is no event {} yet, the last one is {}: the server was restored from a backup since; go on from {}",
                filter.after, span.last, span.last
            );
            return Err(Error::new(Kind::Conflict, message));
        }
        let wanted = EventFilter { limit: limit.saturating_add(1), ..filter.clone() };
        let mut events = self.registry().events(&wanted)?;
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = events.len() > most;
        events.truncate(most);
        let next = match events.last() {
            Some(last) if more => last.id,
            Some(last) => last.id.max(span.last),
            None => span.last,
        };
        Ok(EventPage { events, next, more, gap: filter.after.saturating_add(1) < span.first })
    }

    /// Tells something at once; what cannot be told is logged: what happened stands all the same.
    pub(super) fn tell(&self, event: NewEvent) {
        let kind = event.kind;
        if let Err(error) = self.registry().tell(vec![event], None, self.clock().now()) {
            tracing::error!(%error, %kind, "an event was not told");
        }
    }
}

/// Tells what an import has come to, and whom it and everything else in the directory has touched since the last time. Repeated
/// calls tell nothing twice. Without a directory (it may be what is broken) the users wait for the next call.
///
/// # Errors
/// What could not be told durably.
pub(super) fn reported(
    service: &Service,
    client: &Client,
    upload: &Upload,
    report: &Report,
    directory: Option<&Directory>,
) -> Result<()> {
    let events = import_event(service, client, upload, report);
    let moved = match directory {
        Some(directory) => next_move(service, &client.slug, directory)?,
        None => None,
    };
    if events.is_none() && moved.is_none() {
        return Ok(());
    }
    service.registry().tell(events.into_iter().collect(), moved, service.clock().now())?;
    match directory {
        Some(directory) => tell_users(service, &client.slug, directory),
        None => Ok(()),
    }
}

/// Tells whom a directory's imports and events have touched since the last time.
///
/// # Errors
/// What could not be read, or told durably.
pub(super) fn tell_users(service: &Service, client: &str, directory: &Directory) -> Result<()> {
    while let Some(moved) = next_move(service, client, directory)? {
        service.registry().tell(Vec::new(), Some(moved), service.clock().now())?;
    }
    Ok(())
}

/// Tells what a directory holds that was not told before a stop or a crash; one that an older backup took the place of goes on from
/// where it stands.
///
/// # Errors
/// What could not be read, or told durably.
pub(super) fn catch_up(service: &Service, client: &str, directory: &Directory) -> Result<()> {
    let (told, last) = (service.registry().told_place(client)?, directory.last_place()?);
    if told.is_some_and(|told| told.seq > last.seq || told.user > last.user) {
        let moved = Move { client: client.to_owned(), from: told, to: last, events: Vec::new() };
        return service.registry().tell(Vec::new(), Some(moved), service.clock().now());
    }
    tell_users(service, client, directory)
}

/// Forgets what is old enough.
pub(super) fn forget(service: &Service) -> Result<()> {
    match before(service.clock().now(), service.config().retention.events_days) {
        Some(before) => service.registry().forget_events(before),
        None => Ok(()),
    }
}

fn import_event(
    service: &Service,
    client: &Client,
    upload: &Upload,
    report: &Report,
) -> Option<NewEvent> {
    // Its key may be forgotten by now: a report that is written anew months later tells nobody.
    let kept = until(happened_at(report, upload), service.config().retention.events_days);
    if report.dry_run || kept.is_some_and(|until| until < service.clock().now()) {
        return None;
    }
    let status = report.status.name();
    Some(NewEvent {
        kind: EventKind::of_import(report.status),
        client: Some(client.slug.clone()),
        subject: upload.id.to_string(),
        data: json!({
            "status": status,
            "account": upload.login,
            "folder": upload.folder,
            "path": upload.path,
            "counts": report.counts,
        }),
        key: format!("import/{}/{status}", upload.id),
    })
}

/// What is to be told of a directory next; `None`: nothing.
fn next_move(service: &Service, client: &str, directory: &Directory) -> Result<Option<Move>> {
    let from = service.registry().told_place(client)?;
    let Some(since) = from else {
        let to = directory.last_place()?;
        return Ok(Some(Move { client: client.to_owned(), from, to, events: Vec::new() }));
    };
    let most = service.config().webhooks.users_told;
    let (units, to) = directory.touched_since(since, most, UNITS)?;
    let events = units.iter().flat_map(|unit| unit_events(client, unit)).collect();
    Ok((to != since).then(|| Move { client: client.to_owned(), from, to, events }))
}

fn unit_events(client: &str, unit: &Unit) -> Vec<NewEvent> {
    let event = |kind, subject: String, more: Option<(&str, Value)>| {
        let mut data = unit_data(unit);
        data.extend(more.map(|(name, value)| (name.to_owned(), value)));
        let (client, key) = (Some(client.to_owned()), String::new());
        NewEvent { kind, client, subject, data: Value::Object(data), key }
    };
    let Some(users) = &unit.users else {
        let counts = serde_json::from_str(&unit.counts).unwrap_or(Value::Null);
        let all = event(EventKind::UsersChanged, unit.id.to_string(), Some(("counts", counts)));
        return vec![all];
    };
    let of_user = |touched: &Touched| {
        let (kind, more) = match &touched.how {
            How::Created => (EventKind::UserCreated, None),
            How::Withdrawn => (EventKind::UserWithdrawn, None),
            How::Changed { fields, ended: true } => {
                (EventKind::UserEnded, Some(("fields", json!(fields))))
            }
            How::Changed { fields, ended: false } => {
                (EventKind::UserChanged, Some(("fields", json!(fields))))
            }
        };
        event(kind, touched.user.to_string(), more)
    };
    users.iter().map(of_user).collect()
}

/// What every event of an import or of something done by hand holds.
fn unit_data(unit: &Unit) -> Map<String, Value> {
    let mut data = Map::new();
    data.insert("at".to_owned(), json!(unit.at));
    let import = match unit.kind {
        None => Some(unit.id),
        Some(_) => unit.about,
    };
    data.extend(import.map(|id| ("import".to_owned(), json!(id))));
    if let Some(kind) = unit.kind {
        data.insert("by".to_owned(), json!(kind.name()));
        data.insert("who".to_owned(), json!(unit.who));
    }
    data
}

/// The event that an entry of the audit trail is, if other programs are told of such things; `None` as its client: the object is an
/// account, whose client the registry knows.
pub(super) fn of_audit(entry: &AuditEvent) -> Option<NewEvent> {
    use EventKind as E;
    let (before_slash, after_slash) = entry.object.split_once('/').unwrap_or((&entry.object, ""));
    let of_client = |kind| (kind, Some(entry.object.clone()), entry.object.clone());
    let within = |kind| (kind, Some(before_slash.to_owned()), after_slash.to_owned());
    let of_account = |kind| (kind, None, entry.object.clone());
    let (kind, client, subject) = match entry.what.as_str() {
        "client.add" => of_client(E::ClientAdded),
        "client.set" | "client.retention" | "pgp.make" | "pgp.retire" | "pgp.partner.add"
        | "pgp.partner.remove" => of_client(E::ClientChanged),
        "account.add" => of_account(E::AccountAdded),
        "account.set" | "account.password" | "account.key.add" | "account.key.remove"
        | "account.rules" | "account.trust" => of_account(E::AccountChanged),
        "account.remove" => {
            let client = entry.detail.strip_prefix("client ").map(str::to_owned);
            (E::AccountRemoved, client, entry.object.clone())
        }
        "folder.add" | "folder.set" | "folder.remove" | "folder.rights" => {
            of_account(E::FolderChanged)
        }
        "folder.zip_password" => within(E::FolderChanged),
        "settings.set" => within(E::SettingsChanged),
        "lists.write" => within(E::ListsChanged),
        _ => return None,
    };
    let data = json!({ "what": entry.what, "detail": entry.detail, "who": entry.who });
    Some(NewEvent { kind, client, subject, data, key: String::new() })
}

/// An alarm's event.
pub(super) fn of_alarm(
    kind: EventKind,
    client: Option<&str>,
    (code, subject): (&str, &str),
    text: &str,
) -> NewEvent {
    NewEvent {
        kind,
        client: client.map(str::to_owned),
        subject: subject.to_owned(),
        data: json!({ "code": code, "text": text }),
        key: String::new(),
    }
}
