//! The list of clients with what somebody should look at.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Query, State as Of};
use serde::Deserialize;

use super::{Answer, fail};
use crate::admin::Admin;
use crate::admin::guard::{Caller, form_encoded};
use crate::admin::route::{Route, of_own};
use crate::admin::shell::{Shell, page};
use crate::error::Result;
use crate::model::{Client, Scope};
use crate::service::Service;
use crate::service::imports::ImportView;

/// Clients on one page.
const ON_A_PAGE: usize = 50;
/// Alarms that are counted.
const ALARMS: u32 = 10_000;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/clients", of_own(Scope::Read), list)]
}

/// What is looked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    /// A part of name or slug.
    q: String,
    page: usize,
}

impl Wanted {
    fn query(&self, number: usize) -> String {
        format!("?q={}&page={number}", form_encoded(&self.q))
    }
}

/// A line of the list.
struct Line {
    client: Client,
    accounts: usize,
    /// The newest import, or what waits.
    last: Option<ImportView>,
    alarms: usize,
}

/// What is on the page.
struct Found {
    lines: Vec<Line>,
    total: usize,
    pages: usize,
}

#[derive(Template)]
#[template(path = "admin/pages/clients/list.html")]
struct ListPage<'a> {
    p: &'a Shell,
    wanted: &'a Wanted,
    found: &'a Found,
    before: Option<String>,
    after: Option<String>,
}

async fn list(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let (own, sought) = (caller.client.clone(), wanted.clone());
    let found = admin
        .run(&caller.name, move |service| lines(&service, own.as_deref(), &sought))
        .await
        .map_err(|error| fail(error, &shell))?;
    let now = wanted.page.clamp(1, found.pages);
    Ok(page(&ListPage {
        p: &shell,
        wanted: &wanted,
        found: &found,
        before: (now > 1).then(|| wanted.query(now - 1)),
        after: (now < found.pages).then(|| wanted.query(now + 1)),
    }))
}

fn lines(service: &Service, own: Option<&str>, wanted: &Wanted) -> Result<Found> {
    let text = wanted.q.trim().to_lowercase();
    let mut clients = service.clients()?;
    clients.retain(|client| {
        own.is_none_or(|own| own == client.slug)
            && (client.slug.contains(&text) || client.name.to_lowercase().contains(&text))
    });
    clients.sort_by_key(|client| (client.name.to_lowercase(), client.slug.clone()));
    let mut accounts: HashMap<String, usize> = HashMap::new();
    for account in service.accounts(own)? {
        *accounts.entry(account.client).or_default() += 1;
    }
    let mut alarms: HashMap<String, usize> = HashMap::new();
    for client in service.alarms(own, false, ALARMS)?.into_iter().filter_map(|a| a.client) {
        *alarms.entry(client).or_default() += 1;
    }
    let total = clients.len();
    let pages = total.div_ceil(ON_A_PAGE).max(1);
    let skipped = wanted.page.clamp(1, pages).saturating_sub(1) * ON_A_PAGE;
    let mut lines = Vec::new();
    for client in clients.into_iter().skip(skipped).take(ON_A_PAGE) {
        lines.push(Line {
            accounts: accounts.get(&client.slug).copied().unwrap_or_default(),
            alarms: alarms.get(&client.slug).copied().unwrap_or_default(),
            last: service.imports(&client.slug, 1)?.into_iter().next(),
            client,
        });
    }
    Ok(Found { lines, total, pages })
}
