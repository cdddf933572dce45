//! Exports that run by themselves: wished for durably, made one after the other, each once.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::super::Service;
use super::super::schedule::{Kind as TaskKind, Task};
use super::run::{How, Order};
use super::settings_of;
use crate::error::{Error, Kind, Result};
use crate::export::{ExportSettings, When};
use crate::import::report::Report;
use crate::model::{Client, Upload};
use crate::store::registry::{ExportWish, StoredExport};

/// How often wishes are looked for.
const LOOK_PAUSE: Duration = Duration::from_millis(300);
/// How long the next try waits, for each that was in vain.
const AGAIN_S: i64 = 30;
/// The longest wait between two tries.
const LONGEST_AGAIN_S: i64 = 1800;
/// The alarm about exports that are not made.
const ALARM: &str = "T09";

/// Wishes for the exports that run after each applied import.
pub(in crate::service) fn after_import(
    service: &Service,
    client: &Client,
    upload: &Upload,
    report: &Report,
) -> Result<()> {
    if report.dry_run || !report.status.is_applied() {
        return Ok(());
    }
    let status = report.status.name();
    for export in service.registry().exports(Some(&client.slug))? {
        if triggered(&export, |when| *when == When::Import) {
            let key = format!("import/{}/{}/{}/{status}", client.slug, export.name, upload.id);
            wish(service, &export, key, "import")?;
        }
    }
    Ok(())
}

/// The exports that run by the clock.
pub(in crate::service) fn tasks(service: &Service) -> Result<Vec<Task>> {
    let mut tasks = Vec::new();
    for export in service.registry().exports(None)?.into_iter().filter(|export| export.enabled) {
        // One whose settings cannot be read runs never; its list says so.
        let Ok(ExportSettings { trigger: When::At(trigger), .. }) = settings_of(&export) else {
            continue;
        };
        let what = format!("the export is made for folder {}", export.folder);
        let (client, name) = (export.client, export.name);
        tasks.push(Task { client, kind: TaskKind::Export, name, trigger, what, run: at_instant });
    }
    Ok(tasks)
}

/// Wishes for one run of an export whose schedule has come to an instant.
fn at_instant(service: &Service, task: &Task, at: Timestamp) -> Result<()> {
    let (client, name) = (&task.client, &task.name);
    let Some(export) = service.registry().export(client, name)? else { return Ok(()) };
    wish(service, &export, format!("at/{client}/{name}/{at}"), "schedule")
}

fn wish(service: &Service, export: &StoredExport, key: String, cause: &str) -> Result<()> {
    let wish = ExportWish {
        key,
        client: export.client.clone(),
        export: export.name.clone(),
        cause: cause.to_owned(),
        attempts: 0,
    };
    service.registry().wish_export(&wish, service.clock().now())
}

/// Whether an export runs on a trigger of this kind. One whose settings cannot be read runs never, and says so.
fn triggered(export: &StoredExport, is_it: impl Fn(&When) -> bool) -> bool {
    if !export.enabled {
        return false;
    }
    match settings_of(export) {
        Ok(settings) => is_it(&settings.trigger),
        Err(error) => {
            tracing::error!(%error, "an export does not run");
            false
        }
    }
}

/// Makes what is wished for, until the service stops. A thread of its own.
pub(in crate::service) fn run(service: &Service, stopping: &AtomicBool) {
    let mut next_hand_over = Timestamp::UNIX_EPOCH;
    while !stopping.load(Ordering::Acquire) {
        // A panic over one client's export must not end those of all others.
        let looked = std::panic::catch_unwind(AssertUnwindSafe(|| {
            look(service, stopping, &mut next_hand_over)
        }));
        match looked {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "looking for exports to make"),
            Err(_) => tracing::error!(code = "E901", "making an export panicked"),
        }
        std::thread::park_timeout(LOOK_PAUSE);
    }
}

fn look(service: &Service, stopping: &AtomicBool, next: &mut Timestamp) -> Result<()> {
    let now = service.clock().now();
    if *next <= now
        && let Err(error) = service.hand_over_ready()
    {
        tracing::error!(code = ALARM, %error, "an export is not handed over; it is tried again");
        *next = now.saturating_add(SignedDuration::from_secs(AGAIN_S)).unwrap_or(now);
    }
    for wish in service.registry().due_export_wishes(now)? {
        if stopping.load(Ordering::Acquire) {
            break;
        }
        grant(service, &wish)?;
    }
    Ok(())
}

fn grant(service: &Service, wish: &ExportWish) -> Result<()> {
    if !service.client(&wish.client)?.enabled {
        return service.registry().drop_export_wish(&wish.key);
    }
    // Counted before the try: one that ends the program is not tried at once again at the next start.
    let tries = i64::from(wish.attempts).saturating_add(1);
    let pause = AGAIN_S.saturating_mul(tries).min(LONGEST_AGAIN_S);
    let now = service.clock().now();
    let next = now.saturating_add(SignedDuration::from_secs(pause)).unwrap_or(now);
    service.registry().postpone_export_wish(&wish.key, next)?;
    let subject = format!("export/{}", wish.export);
    let order = Order { key: &wish.key, cause: &wish.cause, how: How::Usual };
    match service.make_export(&wish.client, &wish.export, &order) {
        Ok(run) => {
            tracing::info!(
                client = run.client,
                export = run.export,
                rows = run.rows,
                file = run.file_name,
                "export made"
            );
            service.clear(Some(&wish.client), ALARM, &subject);
            // A run that was there already left its wish standing.
            service.registry().drop_export_wish(&wish.key)
        }
        Err(error) => refused(service, wish, &subject, &error),
    }
}

fn refused(service: &Service, wish: &ExportWish, subject: &str, error: &Error) -> Result<()> {
    let text = format!("export {} of {}: {}", wish.export, wish.client, error.message());
    service.raise(Some(&wish.client), ALARM, subject, &text);
    if matches!(error.kind(), Kind::Invalid | Kind::Conflict | Kind::NotFound) {
        // Another try would say the same; what was not told is told by the next run.
        service.note_failed_export(wish, error)?;
    }
    Ok(())
}
