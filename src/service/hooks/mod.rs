//! Hooks: other programs, and addresses, that are told of imports. What they get is in `docs/hooks.md`.

mod program;
pub(super) mod web;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Service;
use super::mail::imported;
use super::outbox::{JobFilter, OutboxJob, Trouble};
use crate::config::{Hook, HookEvent};
use crate::error::{Error, Kind, Result};
use crate::import::report::{self, Report};
use crate::model::{Client, ImportStatus, Upload, UploadId};
use crate::store::registry::{JobKind, NewJob};
use web::Message;

/// What a job of a hook is about.
#[derive(Debug, Serialize, Deserialize)]
struct Errand {
    hook: String,
    import: UploadId,
    status: ImportStatus,
}

/// What a hook is given.
struct Call {
    /// `import.finished` …; `test`.
    event: &'static str,
    /// The same for every try: what a receiver knows already by it, it can leave aside.
    delivery: String,
    /// The client's slug; empty for a test.
    client: String,
    /// The import's id; empty for a test.
    import: String,
    /// The JSON report.
    body: Vec<u8>,
}

/// A hook as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HookView {
    /// Its name.
    pub name: String,
    /// The program and its arguments, or the address.
    pub target: String,
    /// What it is told of.
    pub on: Vec<HookEvent>,
    /// Of which clients; empty: of all.
    pub clients: Vec<String>,
    /// Messages to it are signed.
    pub is_signed: bool,
    /// Its jobs that wait.
    pub waiting: usize,
    /// Its last job.
    pub last: Option<OutboxJob>,
}

/// The events in the order of the documentation.
const EVENTS: [HookEvent; 5] = [
    HookEvent::Finished,
    HookEvent::Held,
    HookEvent::Dropped,
    HookEvent::Undone,
    HookEvent::Failed,
];

impl Service {
    /// The hooks of the configuration, and how they fare.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn hooks(&self) -> Result<Vec<HookView>> {
        let kind = Some(JobKind::Hook);
        let jobs = self.outbox(&JobFilter { kind, ..JobFilter::default() })?;
        let view = |hook: &Hook| {
            let lane = lane(hook);
            let own: Vec<&OutboxJob> = jobs.iter().filter(|job| job.lane == lane).collect();
            let waits = |job: &&&OutboxJob| job.state == super::outbox::JobState::Waiting;
            HookView {
                name: hook.name.clone(),
                target: hook.url.clone().unwrap_or_else(|| hook.program.join(" ")),
                on: if hook.on.is_empty() { EVENTS.to_vec() } else { hook.on.clone() },
                clients: hook.clients.clone(),
                is_signed: hook.secret.is_some(),
                waiting: own.iter().filter(waits).count(),
                last: own.first().map(|job| (*job).clone()),
            }
        };
        Ok(self.config().hooks.iter().map(view).collect())
    }

    /// Calls a hook at once, past the outbox: with an import's report, or with a test message. Answers what came back.
    ///
    /// # Errors
    /// `Kind::NotFound` for the hook or the import; why the hook failed.
    pub fn test_hook(&self, name: &str, import: Option<UploadId>) -> Result<String> {
        let hook = self.config().hooks.iter().find(|hook| hook.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.config().hooks.iter().map(|h| h.name.as_str()).collect();
            let message = format!(
                "there is no hook \"{name}\" in the configuration; there are: {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            );
            Error::new(Kind::NotFound, message)
        })?;
        let now = self.clock().now();
        let call = match import {
            Some(id) => {
                let upload = self.import(id)?.view;
                let (client, _, report) =
                    imported(self, &upload.client, id).map_err(Trouble::into_error)?;
                Call { delivery: format!("test/{now}"), ..call(hook, &client, &report) }
            }
            None => Call {
                event: "test",
                delivery: format!("test/{now}"),
                client: String::new(),
                import: String::new(),
                body: b"{\n  \"schema\": \"rollcall/hook-test/1\"\n}\n".to_vec(),
            },
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::io("preparing to call a hook", e))?;
        let told = runtime.block_on(carry(self, hook, &call))?;
        self.record("hooks.test", name, "");
        Ok(told)
    }
}

/// Queues the hooks that want to know of an import. Repeated calls queue nothing twice.
///
/// # Errors
/// What could not be queued durably.
pub(super) fn reported(
    service: &Service,
    client: &Client,
    upload: &Upload,
    report: &Report,
) -> Result<()> {
    let event = event_of(report.status);
    for hook in &service.config().hooks {
        let tells = hook.on.is_empty() || hook.on.contains(&event);
        let of = hook.clients.is_empty() || hook.clients.contains(&client.slug);
        if !tells || !of || super::mail::is_forgotten(service, report, upload) {
            continue;
        }
        let errand = Errand { hook: hook.name.clone(), import: upload.id, status: report.status };
        service.queue_job(&NewJob {
            client: Some(client.slug.clone()),
            kind: JobKind::Hook,
            lane: lane(hook),
            key: format!("hook/{}/{}/{}", upload.id, report.status.name(), hook.name),
            // Plain texts: writing them cannot fail.
            payload: serde_json::to_string(&errand).unwrap_or_default(),
            not_before: service.clock().now(),
        })?;
    }
    Ok(())
}

/// Tells a hook of one import.
///
/// # Errors
/// [`Trouble`].
pub(super) async fn tell(service: &Service, job: &OutboxJob) -> std::result::Result<(), Trouble> {
    let errand: Errand = serde_json::from_str(&job.payload).map_err(|e| {
        Trouble::Never(Error::caused(
            Kind::Internal,
            format!("reading the job {}: {e}", job.key),
            e,
        ))
    })?;
    let Some(hook) = service.config().hooks.iter().find(|hook| hook.name == errand.hook) else {
        return Err(Trouble::Moot(format!(
            "the configuration has no hook {} any more",
            errand.hook
        )));
    };
    let slug = job.client.clone().unwrap_or_default();
    let (other, import) = (service.clone(), errand.import);
    let (client, _, report) = tokio::task::spawn_blocking(move || imported(&other, &slug, import))
        .await
        .map_err(|e| Error::caused(Kind::Internal, "reading a report panicked", e))??;
    if report.status != errand.status {
        let now = report.status.name();
        return Err(Trouble::Moot(format!("the import is {now} by now, which is told by itself")));
    }
    let call = Call { delivery: job.key.clone(), ..call(hook, &client, &report) };
    let told = carry(service, hook, &call).await?;
    tracing::info!(hook = hook.name, import = %errand.import, event = call.event, "hook told: {told}");
    Ok(())
}

async fn carry(service: &Service, hook: &Hook, call: &Call) -> Result<String> {
    let limit = Duration::from_secs(hook.timeout_s);
    match &hook.url {
        Some(url) => {
            let secret = hook.secret.as_ref().map(|secret| secret.0.as_bytes());
            let message = Message {
                from: format!("hook {}", hook.name),
                url,
                event: call.event,
                delivery: &call.delivery,
                body: call.body.clone(),
                secrets: &secret.into_iter().collect::<Vec<_>>(),
                limit,
            };
            web::post(service, message).await
        }
        None => program::run(hook, call, limit).await,
    }
}

fn call(hook: &Hook, client: &Client, report: &Report) -> Call {
    Call {
        event: event_of(report.status).name(),
        delivery: format!("hook/{}/{}/{}", report.import, report.status.name(), hook.name),
        client: client.slug.clone(),
        import: report.import.clone(),
        body: report::json(report, client.language),
    }
}

fn lane(hook: &Hook) -> String {
    format!("hook/{}", hook.name)
}

fn event_of(status: ImportStatus) -> HookEvent {
    use ImportStatus::{Discarded, Expired, Failed, Held, Superseded, Undone};
    match status {
        Held => HookEvent::Held,
        Failed => HookEvent::Failed,
        Undone => HookEvent::Undone,
        Discarded | Expired | Superseded => HookEvent::Dropped,
        _ => HookEvent::Finished,
    }
}
