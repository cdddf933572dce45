//! The list of accounts, of all clients or of one.

use askama::Template;
use axum::extract::{Path, Query, State as Of};
use jiff::Timestamp;
use serde::Deserialize;

use super::state::{State, last_used};
use super::{Answer, run};
use crate::admin::Admin;
use crate::admin::guard::{Caller, form_encoded};
use crate::admin::route::{Route, of_client, of_own};
use crate::admin::shell::{Shell, page};
use crate::error::Result;
use crate::model::{Account, Client, Scope};
use crate::service::Service;

/// Accounts on one page.
const ON_A_PAGE: usize = 50;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/accounts", of_own(Scope::Read), of_all),
        Route::get("/clients/{client}/accounts", of_client(Scope::Read), of_one),
    ]
}

/// What is looked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    /// A part of name, login, client or server.
    q: String,
    /// `open`, `closed` or nothing.
    state: String,
    /// A host profile, or nothing.
    host: String,
    page: usize,
}

impl Wanted {
    fn fits(&self, account: &Account, client: &Client) -> bool {
        let text = self.q.trim().to_lowercase();
        let server = account.remote.as_ref().map_or("", |server| &server.host);
        let named = [&account.name, &account.login, &client.name, &client.slug, server];
        let is_open = account.enabled && client.enabled;
        (text.is_empty() || named.iter().any(|name| name.to_lowercase().contains(&text)))
            && (self.host.is_empty() || self.host == account.host_profile)
            && match self.state.as_str() {
                "open" => is_open,
                "closed" => !is_open,
                _ => true,
            }
    }

    fn query(&self, number: usize) -> String {
        format!(
            "?q={}&state={}&host={}&page={number}",
            form_encoded(&self.q),
            form_encoded(&self.state),
            form_encoded(&self.host)
        )
    }
}

/// A line of the list.
struct Line {
    account: Account,
    client: Client,
    state: State,
    last: Option<Timestamp>,
    folders: String,
}

/// What is on the page.
struct Found {
    lines: Vec<Line>,
    total: usize,
    pages: usize,
}

#[derive(Template)]
#[template(path = "admin/pages/accounts/list.html")]
struct ListPage<'a> {
    p: &'a Shell,
    /// The one client; `None`: all of them.
    client: Option<&'a Client>,
    hosts: Vec<&'a str>,
    wanted: &'a Wanted,
    found: &'a Found,
    /// The pages before and after, from 1.
    before: Option<String>,
    after: Option<String>,
}

async fn of_all(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let (own, sought) = (caller.client.clone(), wanted.clone());
    let found = run(&admin, &caller, &shell, move |service| {
        let mut clients = service.clients()?;
        clients.retain(|client| own.as_ref().is_none_or(|own| *own == client.slug));
        let accounts = service.accounts(own.as_deref())?;
        lines(&service, accounts, &clients, &sought)
    })
    .await?;
    Ok(show(&admin, &shell, None, &wanted, &found))
}

async fn of_one(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let sought = wanted.clone();
    let (client, found) = run(&admin, &caller, &shell, move |service| {
        let client = service.client(&slug)?;
        let accounts = service.accounts(Some(&slug))?;
        let found = lines(&service, accounts, std::slice::from_ref(&client), &sought)?;
        Ok((client, found))
    })
    .await?;
    let shell = shell.in_zone(&client.time_zone);
    Ok(show(&admin, &shell, Some(&client), &wanted, &found))
}

fn lines(
    service: &Service,
    accounts: Vec<Account>,
    clients: &[Client],
    wanted: &Wanted,
) -> Result<Found> {
    let owner = |account: &Account| clients.iter().find(|c| c.slug == account.client).cloned();
    let mut fitting: Vec<(Account, Client)> = accounts
        .into_iter()
        .filter_map(|account| owner(&account).map(|client| (account, client)))
        .filter(|(account, client)| wanted.fits(account, client))
        .collect();
    fitting.sort_by(|(a, of_a), (b, of_b)| {
        (of_a.name.to_lowercase(), &a.name, &a.login).cmp(&(
            of_b.name.to_lowercase(),
            &b.name,
            &b.login,
        ))
    });
    let total = fitting.len();
    let pages = total.div_ceil(ON_A_PAGE).max(1);
    let skipped = wanted.page.clamp(1, pages).saturating_sub(1) * ON_A_PAGE;
    let mut lines = Vec::new();
    for (account, client) in fitting.into_iter().skip(skipped).take(ON_A_PAGE) {
        let folders: Vec<String> =
            service.folders(&account.login)?.into_iter().map(|f| f.path.to_string()).collect();
        lines.push(Line {
            state: State::of(service, &client, &account)?,
            last: last_used(service, &account)?,
            folders: folders.join(", "),
            account,
            client,
        });
    }
    Ok(Found { lines, total, pages })
}

fn show(
    admin: &Admin,
    shell: &Shell,
    client: Option<&Client>,
    wanted: &Wanted,
    found: &Found,
) -> axum::response::Response {
    let mut hosts = admin.service().config().profile_names();
    hosts.push(crate::model::CLIENT_SERVER);
    let now = wanted.page.clamp(1, found.pages);
    page(&ListPage {
        p: shell,
        client,
        hosts,
        wanted,
        found,
        before: (now > 1).then(|| wanted.query(now - 1)),
        after: (now < found.pages).then(|| wanted.query(now + 1)),
    })
}
