//! What is told to others: webhooks, hooks of the configuration, e-mails, and the outbox that all of it waits in.

use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use serde::Deserialize;
use serde_json::json;

use super::answer::{Answer, ask, created, json_of, newest_page, nothing, one_more, value};
use super::ask::{Asked, At, Paging, Sent};
use super::keyed::KeepInstead;
use super::problem::Problem;
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_server};
use crate::error::{Error, Result};
use crate::model::{Language, Scope, UploadId};
use crate::service::Service;
use crate::service::outbox::{JobFilter, JobKind, JobState};
use crate::service::webhooks::{WebhookView, WebhookWish, kinds_of};

/// How long an exchanged secret signs too, if nothing is said: long enough to change the receiver within a day.
const KEEP_HOURS: u32 = 24;

pub(super) fn routes() -> Vec<Route> {
    const ALL: &str = "/api/v1/webhooks";
    const ONE: &str = "/api/v1/webhooks/{webhook}";
    let (read, govern) = (of_server(Scope::Read), of_server(Scope::Govern));
    let (run, arrange) = (of_server(Scope::Run), of_server(Scope::Arrange));
    vec![
        Route::get(ALL, govern, webhooks),
        Route::post(ALL, govern, add),
        Route::get(ONE, govern, show),
        Route::other(Method::DELETE, ONE, govern, remove),
        Route::post("/api/v1/webhooks/{webhook}/test", govern, test),
        Route::post("/api/v1/webhooks/{webhook}/pause", govern, pause),
        Route::post("/api/v1/webhooks/{webhook}/resume", govern, resume),
        Route::post("/api/v1/webhooks/{webhook}/redeliver", govern, redeliver),
        Route::post("/api/v1/webhooks/{webhook}/secret", govern, secret),
        Route::get("/api/v1/hooks", read, hooks),
        Route::post("/api/v1/hooks/{hook}/test", arrange, test_hook),
        Route::get("/api/v1/mails", read, mails),
        Route::post("/api/v1/mails/test", arrange, test_mail),
        Route::get("/api/v1/outbox", read, outbox),
        Route::post("/api/v1/outbox/{job}/retry", run, retry),
    ]
}

async fn webhooks(State(admin): State<Admin>, caller: Caller) -> Answer {
    json_of(&json!({ "items": ask(&admin, &caller, |service| service.webhooks()).await? }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    url: String,
    client: Option<String>,
    #[serde(default)]
    on: Vec<String>,
}

async fn add(State(admin): State<Admin>, caller: Caller, Sent(new): Sent<New>) -> Answer {
    let kinds =
        kinds_of(&new.on).map_err(|error| Problem::invalid("/on", error.message().to_owned()))?;
    let wish = WebhookWish { name: new.name, url: new.url, client: new.client, kinds };
    let (webhook, secret) = ask(&admin, &caller, move |s| s.add_webhook(&wish)).await?;
    let mut shown = value(&webhook)?;
    let mut put = |secret: Option<String>| {
        if let Some(object) = shown.as_object_mut() {
            object.insert("secret".to_owned(), json!(secret));
        }
        shown.clone()
    };
    let (kept, whole) = (put(None), put(Some(secret)));
    let mut response = created(&["webhooks", &webhook.name], &whole)?;
    response.extensions_mut().insert(KeepInstead(kept.to_string()));
    Ok(response)
}

async fn show(State(admin): State<Admin>, caller: Caller, At(name): At<String>) -> Answer {
    json_of(&ask(&admin, &caller, move |service| service.webhook(&name)).await?)
}

async fn remove(State(admin): State<Admin>, caller: Caller, At(name): At<String>) -> Answer {
    ask(&admin, &caller, move |service| service.remove_webhook(&name)).await?;
    nothing()
}

/// The other side refused what it was sent, or was not reached: no fault of the request or of this server.
fn refused(error: &Error) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "test_failed", error.message())
}

async fn test(State(admin): State<Admin>, caller: Caller, At(name): At<String>) -> Answer {
    let of = name.clone();
    ask(&admin, &caller, move |service| service.webhook(&of)).await?;
    let told = admin.service().acting_as(&caller.name).test_webhook(&name).await;
    let told = told.map_err(|error| refused(&error))?;
    json_of(&json!({ "webhook": name, "answer": told }))
}

async fn pause(State(admin): State<Admin>, caller: Caller, At(name): At<String>) -> Answer {
    json_of(&ask(&admin, &caller, move |service| service.pause_webhook(&name)).await?)
}

/// How many events are told now, and how the webhook stands.
fn queued(service: &Service, name: &str, events: u64) -> Result<(u64, WebhookView)> {
    Ok((events, service.webhook(name)?))
}

async fn resume(State(admin): State<Admin>, caller: Caller, At(name): At<String>) -> Answer {
    let told = ask(&admin, &caller, move |service| {
        let events = service.resume_webhook(&name)?;
        queued(&service, &name, events)
    });
    let (events, webhook) = told.await?;
    json_of(&json!({ "events": events, "webhook": webhook }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Redeliver {
    after: Option<i64>,
}

async fn redeliver(
    State(admin): State<Admin>,
    caller: Caller,
    At(name): At<String>,
    Sent(Redeliver { after }): Sent<Redeliver>,
) -> Answer {
    let told = ask(&admin, &caller, move |service| {
        let events = service.redeliver_webhook(&name, after)?;
        queued(&service, &name, events)
    });
    let (events, webhook) = told.await?;
    json_of(&json!({ "events": events, "webhook": webhook }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSecret {
    #[serde(default = "keep_hours")]
    keep_hours: u32,
}

fn keep_hours() -> u32 {
    KEEP_HOURS
}

async fn secret(
    State(admin): State<Admin>,
    caller: Caller,
    At(name): At<String>,
    Sent(NewSecret { keep_hours }): Sent<NewSecret>,
) -> Answer {
    let of = name.clone();
    let made = ask(&admin, &caller, move |s| s.exchange_webhook_secret(&of, keep_hours)).await?;
    let mut response = json_of(&json!({ "webhook": name, "secret": made }))?;
    let kept = json!({ "webhook": name, "secret": null }).to_string();
    response.extensions_mut().insert(KeepInstead(kept));
    Ok(response)
}

async fn hooks(State(admin): State<Admin>, caller: Caller) -> Answer {
    json_of(&json!({ "items": ask(&admin, &caller, |service| service.hooks()).await? }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct With {
    import: Option<UploadId>,
}

async fn test_hook(
    State(admin): State<Admin>,
    caller: Caller,
    At(name): At<String>,
    Sent(With { import }): Sent<With>,
) -> Answer {
    let of = name.clone();
    let told = ask(&admin, &caller, move |service| {
        // What is not there is said as usual; what the other side says is another matter.
        let is_known = service.hooks()?.iter().any(|hook| hook.name == of);
        import.filter(|_| is_known).map(|id| service.import(id)).transpose()?;
        let told = service.test_hook(&of, import);
        if is_known { Ok(told) } else { told.map(Ok) }
    });
    let told = told.await?.map_err(|error| refused(&error))?;
    json_of(&json!({ "hook": name, "answer": told }))
}

#[derive(Deserialize)]
struct WhichMails {
    client: Option<String>,
}

async fn mails(
    State(admin): State<Admin>,
    caller: Caller,
    uri: Uri,
    Asked(WhichMails { client }): Asked<WhichMails>,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let (rows, before) = (paging.rows(&admin)?, paging.after_number()?);
    let found = ask(&admin, &caller, move |service| {
        service.mails(client.as_deref(), before, one_more(rows))
    });
    newest_page(&uri, rows, found.await?, |mail| mail.job.id)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TestMail {
    address: String,
    #[serde(default)]
    language: Language,
}

async fn test_mail(
    State(admin): State<Admin>,
    caller: Caller,
    Sent(TestMail { address, language }): Sent<TestMail>,
) -> Answer {
    let to = address.clone();
    let told = ask(&admin, &caller, move |service| Ok(service.send_test_mail(&to, language)));
    let told = told.await?.map_err(|error| refused(&error))?;
    json_of(&json!({ "sent": address, "how": told }))
}

#[derive(Deserialize)]
struct WhichJobs {
    client: Option<String>,
    kind: Option<String>,
    state: Option<String>,
}

/// One of the words of a query, or all that there are.
fn word<T: Copy>(
    name: &str,
    wanted: Option<&str>,
    all: &[T],
    name_of: fn(T) -> &'static str,
) -> std::result::Result<Option<T>, Problem> {
    let Some(wanted) = wanted else { return Ok(None) };
    let found = all.iter().copied().find(|one| name_of(*one) == wanted);
    found.map(Some).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|one| name_of(*one)).collect();
        let detail = format!("\"{wanted}\" is none; there are {}", known.join(", "));
        Problem::invalid(format!("?{name}"), detail)
    })
}

async fn outbox(
    State(admin): State<Admin>,
    caller: Caller,
    uri: Uri,
    Asked(which): Asked<WhichJobs>,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let rows = paging.rows(&admin)?;
    let filter = JobFilter {
        kind: word("kind", which.kind.as_deref(), &JobKind::ALL, JobKind::name)?,
        state: word("state", which.state.as_deref(), &JobState::ALL, JobState::name)?,
        client: which.client,
        before: paging.after_number()?,
        limit: Some(one_more(rows)),
    };
    let found = ask(&admin, &caller, move |service| service.outbox(&filter)).await?;
    newest_page(&uri, rows, found, |job| job.id)
}

async fn retry(State(admin): State<Admin>, caller: Caller, At(id): At<i64>) -> Answer {
    json_of(&ask(&admin, &caller, move |service| service.retry_job(id)).await?)
}
