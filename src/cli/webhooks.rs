//! `webhooks …` and `events`: addresses that are told what happens, and the list of it.

use clap::{Args, Subcommand};

use super::output::{Output, Tone};
use super::{Outcome, Place, moment};
use crate::model::{Event, EventKind};
use crate::service::events::EventFilter;
use crate::service::webhooks::{WebhookView, WebhookWish, kinds_of};

/// `webhooks …`
#[derive(Debug, Subcommand)]
pub enum WebhooksCommand {
    /// Add an address that is told of events from now on; prints its secret, once
    Add {
        /// A short name
        name: String,
        /// The address: https://host/path
        url: String,
        /// Only the events of this client
        #[arg(long, value_name = "SLUG")]
        client: Option<String>,
        /// What it is told of, for example import.*,user.ended; without it: imports and users
        #[arg(long, value_name = "KINDS", value_delimiter = ',')]
        on: Vec<String>,
    },
    /// List the webhooks, and how they fare
    List,
    /// Show one
    Show {
        /// Its name
        name: String,
    },
    /// Send a test message at once, and say what came back
    Test {
        /// Its name
        name: String,
    },
    /// Tell it nothing until `resume`; what happens meanwhile is kept for it
    Pause {
        /// Its name
        name: String,
    },
    /// Go on where it was paused
    Resume {
        /// Its name
        name: String,
    },
    /// Tell it once more what happened since an event, or since the first message that was given up
    Redeliver {
        /// Its name
        name: String,
        /// After this event (`rollcall events` shows their numbers); 0: all that are kept
        #[arg(long, value_name = "EVENT")]
        after: Option<i64>,
    },
    /// Give it another secret; prints it, once
    Secret {
        /// Its name
        name: String,
        /// The secret before signs too for so many hours
        #[arg(long, default_value_t = 24)]
        keep_hours: u32,
    },
    /// Remove it; what waits for it is withdrawn
    Remove {
        /// Its name
        name: String,
    },
}

/// `events`
#[derive(Debug, Args)]
pub struct EventsArgs {
    /// Only of this client
    client: Option<String>,
    /// After this event
    #[arg(long, value_name = "EVENT", default_value_t = 0)]
    after: i64,
    /// Only of these kinds, for example import.*,user.ended
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    kinds: Vec<String>,
    /// At most so many, up to 1000
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

pub(super) fn run(place: &Place, command: WebhooksCommand) -> Outcome {
    let (service, out) = (place.service()?, place.out);
    match command {
        WebhooksCommand::Add { name, url, client, on } => {
            let wish = WebhookWish { name, url, client, kinds: kinds_of(&on)? };
            let (made, secret) = service.add_webhook(&wish)?;
            let shown = serde_json::json!({ "webhook": made, "secret": secret });
            out.either(&shown, |out, _| {
                out.line(format!(
                    "Added the webhook {}. It is told of: {}",
                    made.name,
                    kinds(&made.on)
                ))?;
                say_secret(out, &secret)
            })
        }
        WebhooksCommand::List => out.either(&service.webhooks()?, |out, all| list(out, all)),
        WebhooksCommand::Show { name } => out.either(&service.webhook(&name)?, show),
        WebhooksCommand::Test { name } => {
            let told = super::serve::runtime()?.block_on(service.test_webhook(&name))?;
            out.either(&serde_json::json!({ "webhook": name, "answer": told }), |out, _| {
                out.line(format!("The webhook {name} was told. Answer: {told}"))
            })
        }
        WebhooksCommand::Pause { name } => out
            .either(&service.pause_webhook(&name)?, |out, webhook| {
                out.line(format!("The webhook {} is paused.", webhook.name))
            }),
        WebhooksCommand::Resume { name } => {
            let events = service.resume_webhook(&name)?;
            queued(out, &name, events, "goes on")
        }
        WebhooksCommand::Redeliver { name, after } => {
            let events = service.redeliver_webhook(&name, after)?;
            queued(out, &name, events, "is told again")
        }
        WebhooksCommand::Secret { name, keep_hours } => {
            let secret = service.exchange_webhook_secret(&name, keep_hours)?;
            out.either(&serde_json::json!({ "webhook": name, "secret": secret }), |out, _| {
                say_secret(out, &secret)
            })
        }
        WebhooksCommand::Remove { name } => {
            service.remove_webhook(&name)?;
            out.either(&serde_json::json!({ "removed": name }), |out, _| {
                out.line(format!("The webhook {name} is removed."))
            })
        }
    }
}

pub(super) fn events(place: &Place, args: EventsArgs) -> Outcome {
    let EventsArgs { client, after, kinds, limit } = args;
    let filter = EventFilter { after, client, kinds: kinds_of(&kinds)?, limit };
    place.out.either(&place.service()?.events(&filter)?, |out, page| {
        if page.gap {
            let words = "Events after this one have been forgotten (retention.events_days).";
            out.toned(Tone::Bad, words)?;
        }
        if page.events.is_empty() {
            return out.line("Nothing has happened since.");
        }
        let rows = page.events.iter().map(event_row);
        out.table_with_id(&["Event", "When (UTC)", "Kind", "Client", "Subject", "Data"], 0, rows)?;
        let more = if page.more { "There are more" } else { "Go on later" };
        out.toned(Tone::Faint, format!("{more}: --after {}", page.next))
    })
}

fn event_row(event: &Event) -> Vec<String> {
    vec![
        event.id.to_string(),
        moment(event.at),
        event.kind.name().to_owned(),
        event.client.clone().unwrap_or_default(),
        event.subject.clone(),
        event.data.to_string(),
    ]
}

fn queued(out: Output, name: &str, events: u64, how: &str) -> Outcome {
    out.either(&serde_json::json!({ "webhook": name, "events": events }), |out, _| {
        out.line(format!("The webhook {name} {how}: {events} events are queued."))
    })
}

fn say_secret(out: Output, secret: &str) -> Outcome {
    out.line(format!("Its secret, which is not shown again: {secret}"))?;
    let words = "The receiver checks X-Rollcall-Signature with it; docs/webhooks.md shows how.";
    out.toned(Tone::Faint, words)
}

fn kinds(on: &[EventKind]) -> String {
    on.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
}

fn state(webhook: &WebhookView) -> String {
    match (&webhook.paused_at, &webhook.paused_why, webhook.failing_since) {
        (Some(at), why, _) => {
            format!("paused {} UTC: {}", moment(*at), why.as_deref().unwrap_or_default())
        }
        (None, _, Some(since)) => format!("fails since {} UTC", moment(since)),
        _ => "active".to_owned(),
    }
}

fn list(out: Output, all: &[WebhookView]) -> Outcome {
    if all.is_empty() {
        return out.line("There are no webhooks; add one with `rollcall webhooks add NAME URL`.");
    }
    out.table(
        &["Webhook", "Address", "Client", "State", "Waiting", "Given up"],
        all.iter().map(|webhook| {
            vec![
                webhook.name.clone(),
                webhook.url.clone(),
                webhook.client.clone().unwrap_or_else(|| "all".to_owned()),
                state(webhook),
                webhook.waiting.to_string(),
                webhook.given_up.to_string(),
            ]
        }),
    )
}

fn show(out: Output, webhook: &WebhookView) -> Outcome {
    let last = webhook.last.as_ref().map(|job| match &job.failure {
        Some(failure) => format!("{}: {failure}", job.state.name()),
        None => job.state.name().to_owned(),
    });
    let facts = [
        ("Webhook", webhook.name.clone()),
        ("Address", webhook.url.clone()),
        ("Client", webhook.client.clone().unwrap_or_else(|| "all".to_owned())),
        ("Told of", kinds(&webhook.on)),
        ("State", state(webhook)),
        ("Added (UTC)", format!("{} by {}", moment(webhook.created_at), webhook.created_by)),
        ("Old secret until (UTC)", webhook.old_secret_until.map(moment).unwrap_or_default()),
        ("Waiting", webhook.waiting.to_string()),
        ("Given up", webhook.given_up.to_string()),
        ("Last message", last.unwrap_or_default()),
    ];
    for (name, value) in facts {
        if !value.is_empty() {
            out.line(format!("  {name:<18} {value}"))?;
        }
    }
    Ok(())
}
