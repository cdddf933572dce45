//! Webhooks: addresses that are told of events, signed, in order, at least once (docs/webhooks.md).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::Service;
use super::administrators::new_token;
use super::hooks::web::{self, Message};
use super::outbox::{OutboxJob, Trouble};
use crate::config::MOST_WEBHOOKS;
use crate::error::{Error, Kind, Result};
use crate::model::{Event, EventKind, Network};
use crate::remote::http;
use crate::store::registry::{Errand, NewWebhook, WebhookRow, webhook_lane};

/// How every secret begins, so that a leaked one is recognised.
const SECRET_PREFIX: &str = "whsec_";
/// The longest address.
const MAX_URL_BYTES: usize = 2000;
/// The most hours for which an exchanged secret signs too: 30 days.
const MAX_KEEP_HOURS: u32 = 720;
/// What a webhook's failures raise.
const ALARM: &str = "T08";

/// What a new webhook is to be.
#[derive(Debug, Clone)]
pub struct WebhookWish {
    /// What people call it: `[a-z0-9][a-z0-9._-]{0,63}`.
    pub name: String,
    /// The address.
    pub url: String,
    /// The one client whose events it is told; `None`: everything.
    pub client: Option<String>,
    /// What it is told of; empty: imports and users.
    pub kinds: Vec<EventKind>,
}

/// A webhook as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WebhookView {
    /// Its number.
    pub id: i64,
    /// What people call it.
    pub name: String,
    /// The address.
    pub url: String,
    /// The one client whose events it is told; `None`: everything.
    pub client: Option<String>,
    /// What it is told of.
    pub on: Vec<EventKind>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it is told nothing.
    pub paused_at: Option<Timestamp>,
    /// Why.
    pub paused_why: Option<String>,
    /// Since when no message has reached its address.
    pub failing_since: Option<Timestamp>,
    /// Until when the secret before this one signs too.
    pub old_secret_until: Option<Timestamp>,
    /// Messages that wait.
    pub waiting: u64,
    /// Messages that were given up.
    pub given_up: u64,
    /// Its last message.
    pub last: Option<OutboxJob>,
}

/// What a message holds.
#[derive(Serialize)]
struct Told<'a> {
    schema: &'static str,
    webhook: &'a str,
    delivery: &'a str,
    events: &'a [Event],
}

impl Service {
    /// Every webhook, by name, and how it fares.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn webhooks(&self) -> Result<Vec<WebhookView>> {
        self.registry().webhooks()?.into_iter().map(|row| self.view_webhook(row)).collect()
    }

    /// The webhook of a name.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn webhook(&self, name: &str) -> Result<WebhookView> {
        let row = self.webhook_row(name)?;
        self.view_webhook(row)
    }

    /// Adds a webhook; it is told what happens from now on. The secret is in the answer and, sealed, in the registry.
    ///
    /// # Errors
    /// `Kind::Invalid` for a name, address or list of kinds that is not acceptable; `Kind::Exists`; `Kind::NotFound` for the client.
    pub fn add_webhook(&self, wish: &WebhookWish) -> Result<(WebhookView, String)> {
        let name = checked_name(&wish.name)?;
        let url = checked_url(&wish.url, &self.config().outgoing.allow)?;
        if let Some(client) = &wish.client {
            self.client(client)?;
        }
        if self.registry().webhooks()?.len() >= MOST_WEBHOOKS {
            let message = format!("there are {MOST_WEBHOOKS} webhooks already; remove one first");
            return Err(Error::new(Kind::Invalid, message));
        }
        let secret = format!("{SECRET_PREFIX}{}", new_token());
        let new = NewWebhook {
            sealed_secret: self.seal(&context(&name), secret.as_bytes())?,
            name,
            url,
            client: wish.client.clone(),
            kinds: checked_kinds(&wish.kinds),
            created_by: self.who().to_owned(),
        };
        let row = self.registry().add_webhook(new, self.clock().now())?;
        self.record("webhook.add", &row.name, &row.url);
        Ok((self.view_webhook(row)?, secret))
    }

    /// Sends a test message at once, past the outbox, also while the webhook is paused; answers what came back.
    ///
    /// # Errors
    /// `Kind::NotFound`; why the address failed.
    pub async fn test_webhook(&self, name: &str) -> Result<String> {
        let row = self.webhook_row(name)?;
        let now = self.clock().now();
        let delivery = format!("test/{now}");
        let body = json!({
            "schema": "rollcall/webhook-test/1", "webhook": row.name, "delivery": delivery, "events": [],
        });
        let told = self.post_to(&row, "test", &delivery, body.to_string().into_bytes()).await?;
        self.record("webhook.test", name, "");
        Ok(told)
    }

    /// Stops telling a webhook; what happens meanwhile is kept for it as long as events are.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Conflict` for one that is paused.
    pub fn pause_webhook(&self, name: &str) -> Result<WebhookView> {
        let row = self.webhook_row(name)?;
        if !self.registry().pause_webhook(row.id, self.clock().now(), "by hand")? {
            return Err(Error::new(
                Kind::Conflict,
                format!("the webhook {name} is paused already"),
            ));
        }
        self.record("webhook.pause", name, "");
        self.webhook(name)
    }

    /// Lets a paused webhook go on where it stopped; how many events are told now.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Conflict` for one that is not paused.
    pub fn resume_webhook(&self, name: &str) -> Result<u64> {
        let row = self.webhook_row(name)?;
        let Some(events) = self.registry().resume_webhook(row.id, self.clock().now())? else {
            return Err(Error::new(Kind::Conflict, format!("the webhook {name} is not paused")));
        };
        self.clear(row.client.as_deref(), ALARM, &subject(&row));
        self.record("webhook.resume", name, &format!("{events} events"));
        Ok(events)
    }

    /// Tells a webhook again what happened after an event, or, without one, from the first message that was given up; how many
    /// events that is.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Conflict` for one that is paused, or when nothing was given up.
    pub fn redeliver_webhook(&self, name: &str, after: Option<i64>) -> Result<u64> {
        let row = self.webhook_row(name)?;
        if row.paused_at.is_some() {
            let message =
                format!("the webhook {name} is paused; `rollcall webhooks resume {name}` first");
            return Err(Error::new(Kind::Conflict, message));
        }
        let after = match after {
            Some(after) => after.max(0),
            None => {
                let first = self.registry().first_given_up(row.id)?.ok_or_else(|| {
                    let message = format!(
                        "nothing was given up for the webhook {name}; say after which event to begin (--after)"
                    );
                    Error::new(Kind::Conflict, message)
                })?;
                first.saturating_sub(1)
            }
        };
        let events = self.registry().redeliver_webhook(row.id, after, self.clock().now())?;
        self.record("webhook.redeliver", name, &format!("{events} events after {after}"));
        Ok(events)
    }

    /// Gives a webhook another secret, which is in the answer; the one before signs too for so many hours.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Invalid` for too many hours.
    pub fn exchange_webhook_secret(&self, name: &str, keep_hours: u32) -> Result<String> {
        let row = self.webhook_row(name)?;
        if keep_hours > MAX_KEEP_HOURS {
            let message =
                format!("{keep_hours} hours are too many; at most {MAX_KEEP_HOURS} (30 days)");
            return Err(Error::new(Kind::Invalid, message));
        }
        let secret = format!("{SECRET_PREFIX}{}", new_token());
        let sealed = self.seal(&context(&row.name), secret.as_bytes())?;
        let now = self.clock().now();
        let until = now.checked_add(SignedDuration::from_hours(i64::from(keep_hours))).ok();
        self.registry().set_webhook_secret(row.id, sealed, until.filter(|_| keep_hours > 0))?;
        self.record("webhook.secret", name, &format!("the old one for {keep_hours} hours more"));
        Ok(secret)
    }

    /// Removes a webhook; what waits for it is withdrawn.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn remove_webhook(&self, name: &str) -> Result<()> {
        let row = self.webhook_row(name)?;
        self.registry().remove_webhook(row.id, self.clock().now())?;
        self.clear(row.client.as_deref(), ALARM, &subject(&row));
        self.record("webhook.remove", name, &row.url);
        Ok(())
    }

    fn webhook_row(&self, name: &str) -> Result<WebhookRow> {
        let all = self.registry().webhooks()?;
        all.into_iter().find(|row| row.name == name).ok_or_else(|| {
            let message = format!("there is no webhook \"{name}\"; see `rollcall webhooks list`");
            Error::new(Kind::NotFound, message)
        })
    }

    fn view_webhook(&self, row: WebhookRow) -> Result<WebhookView> {
        let lane = self.registry().lane_state(&webhook_lane(row.id))?;
        let now = self.clock().now();
        Ok(WebhookView {
            id: row.id,
            name: row.name,
            url: row.url,
            client: row.client,
            on: row.kinds,
            created_by: row.created_by,
            created_at: row.created_at,
            paused_at: row.paused_at,
            paused_why: row.paused_why,
            failing_since: row.failing_since,
            old_secret_until: row.old_until.filter(|until| *until > now),
            waiting: lane.waiting,
            given_up: lane.failed,
            last: lane.last,
        })
    }

    async fn post_to(
        &self,
        row: &WebhookRow,
        event: &str,
        delivery: &str,
        body: Vec<u8>,
    ) -> Result<String> {
        let (service, row_) = (self.clone(), row.clone());
        let secrets =
            tokio::task::spawn_blocking(move || service.webhook_secrets(&row_)).await.map_err(
                |e| Error::caused(Kind::Internal, "opening a webhook's secret panicked", e),
            )??;
        let secrets: Vec<&[u8]> = secrets.iter().map(|secret| secret.as_slice()).collect();
        let message = Message {
            from: format!("webhook {}", row.name),
            url: &row.url,
            event,
            delivery,
            body,
            secrets: &secrets,
            limit: Duration::from_secs(self.config().webhooks.timeout_s),
        };
        web::post(self, message).await
    }

    fn webhook_secrets(&self, row: &WebhookRow) -> Result<Vec<Zeroizing<Vec<u8>>>> {
        let sealed = self.registry().webhook_secrets(row.id, self.clock().now())?;
        sealed.iter().map(|blob| self.unseal(&context(&row.name), blob)).collect()
    }
}

/// Tells a webhook of a job's events.
///
/// # Errors
/// [`Trouble`].
pub(super) async fn tell(service: &Service, job: &OutboxJob) -> std::result::Result<(), Trouble> {
    let errand = errand(job).ok_or_else(|| {
        Trouble::Never(Error::new(Kind::Internal, format!("the job {} cannot be read", job.key)))
    })?;
    let (other, wanted) = (service.clone(), errand.clone());
    let read = move || -> Result<(Option<WebhookRow>, Vec<Event>)> {
        let registry = other.registry();
        Ok((registry.webhook(wanted.webhook)?, registry.events_of(&wanted)?))
    };
    let (row, events) = tokio::task::spawn_blocking(read)
        .await
        .map_err(|e| Error::caused(Kind::Internal, "reading events panicked", e))??;
    let Some(row) = row else {
        return Err(Trouble::Moot("the webhook was removed".to_owned()));
    };
    if events.is_empty() {
        let why = "its events have been forgotten (retention.events_days)";
        return Err(Trouble::Moot(why.to_owned()));
    }
    let (schema, delivery) = ("rollcall/webhook/1", job.key.as_str());
    let told = Told { schema, webhook: &row.name, delivery, events: &events };
    // Numbers and texts: writing them cannot fail.
    let body = serde_json::to_vec(&told).unwrap_or_default();
    let answer = service.post_to(&row, "events", delivery, body).await?;
    tracing::info!(webhook = row.name, events = events.len(), "webhook told: {answer}");
    Ok(())
}

/// A message reached its address.
pub(super) fn went_out(service: &Service, job: &OutboxJob) {
    let note = || -> Result<()> {
        let Some(row) = row_of(service, job)? else { return Ok(()) };
        if row.failing_since.is_some() {
            service.registry().note_webhook(row.id, None)?;
            service.clear(row.client.as_deref(), ALARM, &subject(&row));
        }
        Ok(())
    };
    if let Err(error) = note() {
        tracing::error!(%error, job = job.key, "noting that a webhook works");
    }
}

/// A message did not reach its address. Whether the webhook was paused for that: then the job is withdrawn with the others.
///
/// # Errors
/// What could not be noted.
pub(super) fn failed(
    service: &Service,
    job: &OutboxJob,
    error: &Error,
    is_final: bool,
) -> Result<bool> {
    let Some(row) = row_of(service, job)? else { return Ok(false) };
    let now = service.clock().now();
    let since = service.registry().note_webhook(row.id, Some(now))?.unwrap_or(now);
    let days = i64::from(service.config().webhooks.pause_after_days);
    let longest = SignedDuration::from_hours(days.saturating_mul(24));
    let name = &row.name;
    if days > 0 && now.duration_since(since) >= longest {
        let why = format!("it failed for {days} days: {}", error.message());
        service.registry().pause_webhook(row.id, now, &why)?;
        let text = format!(
            "the webhook {name} was paused, for it failed for {days} days: {}; mend the receiver, then `rollcall webhooks resume {name}`",
            error.message()
        );
        service.raise(row.client.as_deref(), ALARM, &subject(&row), &text);
        service.record("webhook.pause", name, &why);
        return Ok(true);
    }
    if is_final {
        let text = format!(
            "a message to the webhook {name} was given up: {}; mend the receiver, then `rollcall webhooks redeliver {name}`",
            error.message()
        );
        service.raise(row.client.as_deref(), ALARM, &subject(&row), &text);
    }
    Ok(false)
}

fn row_of(service: &Service, job: &OutboxJob) -> Result<Option<WebhookRow>> {
    match errand(job) {
        Some(errand) => service.registry().webhook(errand.webhook),
        None => Ok(None),
    }
}

fn errand(job: &OutboxJob) -> Option<Errand> {
    serde_json::from_str(&job.payload).ok()
}

/// What an alarm about a webhook is about.
fn subject(row: &WebhookRow) -> String {
    format!("webhook {}", row.name)
}

/// The place of a webhook's secrets.
fn context(name: &str) -> String {
    format!("webhook/{name}")
}

fn checked_name(name: &str) -> Result<String> {
    let name = name.trim();
    let first = name.chars().next().is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let sign = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    if first && name.len() <= 64 && name.chars().all(sign) {
        return Ok(name.to_owned());
    }
    let shown: String = name.chars().take(80).collect();
    let message = format!(
        "\"{shown}\" is no name for a webhook: use a-z, 0-9, \".\", \"_\" and \"-\", at most 64, for example hr-portal"
    );
    Err(Error::new(Kind::Invalid, message))
}

/// Checks an address as it is entered; its name is resolved, and looked at, whenever a message is sent.
fn checked_url(url: &str, allow: &[Network]) -> Result<String> {
    let url = url.trim();
    if url.len() > MAX_URL_BYTES {
        let message =
            format!("the address has {} bytes; at most {MAX_URL_BYTES} are taken", url.len());
        return Err(Error::new(Kind::Invalid, message));
    }
    http::check_url(url)?;
    if url.starts_with("http://") && allow.is_empty() {
        let message = format!(
            "\"{url}\" would show everything on the way: write https://, or name the receiver's network in outgoing.allow of the configuration"
        );
        return Err(Error::new(Kind::Invalid, message));
    }
    Ok(url.to_owned())
}

/// The kinds in their order, each once. Whoever is told of users is told of many users at once too.
fn checked_kinds(wanted: &[EventKind]) -> Vec<EventKind> {
    let users = wanted.iter().any(|kind| kind.is_of_users());
    let is_wanted = |kind: &EventKind| match wanted {
        [] => kind.is_of_users() || kind.is_of_imports(),
        _ => wanted.contains(kind) || (users && *kind == EventKind::UsersChanged),
    };
    EventKind::ALL.into_iter().filter(is_wanted).collect()
}

/// Kinds of events from their names; `import.*` stands for all that begin so.
///
/// # Errors
/// `Kind::Invalid`, with the names that there are.
pub fn kinds_of(names: &[String]) -> Result<Vec<EventKind>> {
    let mut kinds = Vec::new();
    for name in names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
        let of_group: Vec<EventKind> = match name.strip_suffix('*') {
            Some(group) if group.ends_with('.') => {
                EventKind::ALL.into_iter().filter(|kind| kind.name().starts_with(group)).collect()
            }
            _ => Vec::new(),
        };
        if of_group.is_empty() {
            kinds.push(name.parse().map_err(|why| Error::new(Kind::Invalid, why))?);
        }
        kinds.extend(of_group);
    }
    Ok(kinds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_named_one_by_one_or_in_groups() {
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let found = kinds_of(&names(&["alarm.*", "user.ended"])).unwrap();
        assert_eq!(found, [EventKind::AlarmRaised, EventKind::AlarmCleared, EventKind::UserEnded]);
        for wrong in ["*", "salary.*", "user.deleted", "user"] {
            let said = kinds_of(&names(&[wrong])).unwrap_err();
            assert!(said.message().contains("user.ended"), "{wrong}: {said}");
        }
        assert_eq!(
            checked_kinds(&[EventKind::UserEnded, EventKind::UserEnded]),
            [EventKind::UserEnded, EventKind::UsersChanged]
        );
        assert_eq!(checked_kinds(&[]).len(), 10);
    }

    #[test]
    fn names_and_addresses_are_checked_as_they_are_entered() {
        for wrong in ["", "Hr", "a/b", "<b>", &"a".repeat(65), "-a"] {
            assert!(checked_name(wrong).is_err(), "{wrong}");
        }
        assert_eq!(checked_name(" hr-portal.2 ").unwrap(), "hr-portal.2");
        let allow = ["127.0.0.0/8".parse().unwrap()];
        assert!(
            checked_url("http://hr.example.com/", &[]).unwrap_err().message().contains("https")
        );
        assert!(checked_url("http://127.0.0.1:9/x", &allow).is_ok());
        assert!(checked_url("ftp://hr.example.com/", &allow).is_err());
        let long = format!("https://hr.example.com/{}", "x".repeat(2000));
        assert!(checked_url(&long, &allow).is_err());
    }
}
