//! Alarms whose cause somebody took away (T02 to T04, T08): nothing that works would ever end them.

use super::alarms::Alarm;
use super::{Service, deliver, fetch, mail};
use crate::error::Result;
use crate::import::settings::{Recipient, To};
use crate::model::Purpose;

/// Ends the alarms about accounts, hooks and recipients that are not there any more.
pub(super) fn clear_removed(service: &Service) -> Result<()> {
    for alarm in service.registry().alarms(None, false, u32::MAX)? {
        if is_removed(service, &alarm)? {
            service.clear(alarm.client.as_deref(), &alarm.code, &alarm.subject);
        }
    }
    Ok(())
}

fn is_removed(service: &Service, alarm: &Alarm) -> Result<bool> {
    match alarm.code.as_str() {
        "T02" | "T04" => is_no_remote(service, &alarm.subject),
        // `LOGIN/PATH`; a login has no slash.
        "T03" => match alarm.subject.split_once('/') {
            Some((login, _)) => {
                Ok(is_no_remote(service, login)? || is_not_fetched_from(service, login, alarm)?)
            }
            None => Ok(false),
        },
        "T08" => match deliver::is_over(service, alarm.client.as_deref(), &alarm.subject)? {
            Some(is_over) => Ok(is_over),
            None => is_told_no_more(service, alarm),
        },
        _ => Ok(false),
    }
}

/// Whether no account on a client's own server has this login.
fn is_no_remote(service: &Service, login: &str) -> Result<bool> {
    let account = service.registry().account(login)?;
    Ok(account.is_none_or(|account| account.remote.is_none()))
}

/// Whether an alarm is about files that cannot be fetched from a folder (`LOGIN/PATH/fetch`) that is no import folder any more.
fn is_not_fetched_from(service: &Service, login: &str, alarm: &Alarm) -> Result<bool> {
    let subject = alarm.subject.as_str();
    if !subject.ends_with("/fetch") {
        return Ok(false);
    }
    let folders = service.registry().folders(login)?;
    Ok(!folders.iter().any(|folder| {
        // A folder may be called `fetch` itself.
        subject == format!("{login}{}", folder.path)
            || (folder.purpose == Purpose::Import && subject == fetch::unfetched_subject(folder))
    }))
}

/// Whether nobody would send to what an alarm is about: a hook, a user of the settings, an address.
fn is_told_no_more(service: &Service, alarm: &Alarm) -> Result<bool> {
    let subject = alarm.subject.as_str();
    if let Some(hook) = subject.strip_prefix("hook/") {
        return Ok(!service.config().hooks.iter().any(|known| known.name == hook));
    }
    if subject == mail::SERVER && !service.config().mail.is_on() {
        return Ok(true);
    }
    let user = subject.strip_prefix("user ");
    if user.is_none() && (!subject.contains('@') || mail::is_operator(service, subject)) {
        // The mail server, a webhook; an operator hears of every client's alarms.
        return Ok(false);
    }
    let Some(client) = alarm.client.as_deref() else { return Ok(true) };
    let Some(named) = recipients(service, client)? else { return Ok(false) };
    Ok(match user {
        Some(user) => !named.iter().any(|one| matches!(&one.to, To::User(known) if known == user)),
        None => !named.iter().any(|one| mail::may_reach(service, client, one, subject)),
    })
}

/// Whom the settings of a client's folders name; `None`: some of them cannot be read.
fn recipients(service: &Service, client: &str) -> Result<Option<Vec<Recipient>>> {
    let mut named = Vec::new();
    for folder in service.registry().client_folders(client)? {
        if folder.purpose != Purpose::Import {
            continue;
        }
        let Ok(settings) = service.settings(client, &folder.name) else { return Ok(None) };
        named.extend(settings.handling.mail.to);
    }
    Ok(Some(named))
}
