//! Files that are expected: none by the hour (T05), no import for days (T06).

use jiff::{SignedDuration, Timestamp};

use super::due::zone;
use super::schedule::{Kind, Task};
use super::{Service, names};
use crate::error::Result;
use crate::import::settings::{Expected, Settings};
use crate::model::Client;
use crate::schedule::{Trigger, clock_time};
use crate::store::registry::{Arrival, TimedFolder};

/// No file by the hour.
const MISSING: &str = "T05";
/// No import for days.
const STALE: &str = "T06";
/// How often the age of the newest import is looked at.
const STALE_EVERY: Trigger = Trigger::Every { minutes: 60 };

/// The looks that the folders' settings ask for.
pub(super) fn tasks(service: &Service) -> Result<Vec<Task>> {
    let mut tasks = Vec::new();
    for (folder, expected) in expecting(service)? {
        let task = |kind, trigger, what: String, run| Task {
            client: folder.client.clone(),
            kind,
            name: folder.folder.clone(),
            trigger,
            what,
            run,
        };
        if let (Some(deadline), Some(by)) = (expected.deadline(), expected.by) {
            let what = format!("a file has come by {}, else alarm {MISSING}", clock_time(by));
            tasks.push(task(Kind::Expected, deadline, what, look_for_file));
        }
        if let Some(days) = expected.stale_after_days {
            let what = format!("the newest import is at most {days} days old, else alarm {STALE}");
            tasks.push(task(Kind::Fresh, STALE_EVERY, what, look_at_age));
        }
    }
    Ok(tasks)
}

/// Ends the alarms whose reason is gone: a file came, somebody expects none any more.
pub(super) fn clear_answered(service: &Service) -> Result<()> {
    let open = service.registry().alarms(None, false, u32::MAX)?;
    let open: Vec<_> = open.into_iter().filter(|a| a.code == MISSING || a.code == STALE).collect();
    if open.is_empty() {
        return Ok(());
    }
    let expecting = expecting(service)?;
    for alarm in open {
        let Some(client) = alarm.client.as_deref() else { continue };
        let found = expecting.iter().find(|(f, _)| f.client == client && f.folder == alarm.subject);
        let is_over = match found {
            None => true,
            Some((folder, expected)) if alarm.code == MISSING => {
                came_since(service, folder, expected, alarm.raised_at)?
            }
            Some((folder, expected)) => match expected.stale_after_days {
                None => true,
                Some(days) => stale(service, folder, days)?.is_none(),
            },
        };
        if is_over {
            service.clear(Some(client), &alarm.code, &alarm.subject);
        }
    }
    Ok(())
}

/// Whether a file has come since the hour for which an alarm was raised.
fn came_since(
    service: &Service,
    folder: &TimedFolder,
    expected: &Expected,
    raised_at: Timestamp,
) -> Result<bool> {
    let client = service.registry().client(&folder.client)?;
    let (Some(client), Some(deadline)) = (client, expected.deadline()) else { return Ok(true) };
    // Not since the alarm: a file may have come while it was being raised.
    let hour = deadline.last_until(raised_at, &zone(&client.time_zone)).unwrap_or(raised_at);
    Ok(newest(service, folder, hour)?.is_some())
}

fn expecting(service: &Service) -> Result<Vec<(TimedFolder, Expected)>> {
    let all = service.registry().folders_whose_settings_name("expected", None)?;
    Ok(all
        .into_iter()
        .filter_map(|folder| {
            let settings = Settings::from_toml(&folder.settings).ok()?;
            Some((folder, settings.handling.schedule.expected?))
        })
        .collect())
}

fn folder_of(service: &Service, task: &Task) -> Result<Option<(Client, TimedFolder, Expected)>> {
    let Some(client) = service.registry().client(&task.client)? else { return Ok(None) };
    let found = expecting(service)?;
    let found = found.into_iter().find(|(f, _)| f.client == task.client && f.folder == task.name);
    Ok(found.map(|(folder, expected)| (client, folder, expected)))
}

/// At the hour: whether a file has come since the hour before. One that came late, and so ended an alarm, was the
/// earlier day's.
fn look_for_file(service: &Service, task: &Task, hour: Timestamp) -> Result<()> {
    let Some((client, folder, _)) = folder_of(service, task)? else { return Ok(()) };
    let zone = zone(&client.time_zone);
    let just_before = hour.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(hour);
    let before = task.trigger.last_until(just_before, &zone).unwrap_or(Timestamp::MIN);
    let alarms = service.registry().alarms(Some(&task.client), true, u32::MAX)?;
    let answered = alarms
        .iter()
        .filter(|alarm| alarm.code == MISSING && alarm.subject == task.name)
        .filter_map(|alarm| alarm.cleared_at)
        .max();
    let since = answered.map_or(before, |answered| answered.max(before));
    if newest(service, &folder, since)?.is_some() {
        return Ok(());
    }
    let at = hour.to_zoned(zone).strftime("%A %Y-%m-%d %H:%M").to_string();
    service.raise(
        Some(&task.client),
        MISSING,
        &task.name,
        &format!(
            "folder {}: no file had come by {at} ({}); ask the payroll office whether it was sent, and look at \"rollcall imports list {}\" for interrupted uploads",
            task.name, client.time_zone, task.client
        ),
    );
    Ok(())
}

fn look_at_age(service: &Service, task: &Task, _at: Timestamp) -> Result<()> {
    let Some((_, folder, expected)) = folder_of(service, task)? else { return Ok(()) };
    let Some(days) = expected.stale_after_days else { return Ok(()) };
    if let Some(text) = stale(service, &folder, days)? {
        service.raise(Some(&task.client), STALE, &task.name, &text);
    }
    Ok(())
}

/// The newest file for import after `since`; a file that is only tried does not count.
fn newest(service: &Service, folder: &TimedFolder, since: Timestamp) -> Result<Option<Arrival>> {
    let folders = service.registry().folders(&folder.login)?;
    let arrivals = service.registry().last_arrivals(&folder.client, &folder.folder, since)?;
    Ok(arrivals.into_iter().find(|arrival| !names::is_dry_run(&folders, &arrival.path)))
}

/// What to say when the newest import that was applied is older than `days`.
fn stale(service: &Service, folder: &TimedFolder, days: u16) -> Result<Option<String>> {
    let Some(client) = service.registry().client(&folder.client)? else { return Ok(None) };
    let last = service.open_directory(&folder.client)?.applied_of(&folder.folder, 1)?;
    let last = last.first().map(|import| import.summary.applied_at);
    let age = service.clock().now().duration_since(last.unwrap_or(client.created_at));
    if age <= SignedDuration::from_hours(24 * i64::from(days)) {
        return Ok(None);
    }
    let name = &folder.folder;
    let known = match last {
        Some(last) => {
            let day = last.to_zoned(zone(&client.time_zone)).date();
            format!("the last import that changed or confirmed anything was on {day}")
        }
        None => "nothing has been imported yet".to_owned(),
    };
    Ok(Some(format!(
        "folder {name}: {known}, more than {days} days ago (the same file again does not count); ask the payroll office whether its export still runs"
    )))
}
