//! Today: what comes in, what waits for a decision, what is missing.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use jiff::tz::TimeZone;

use super::import::part;
use super::imports::Row;
use super::imports_parts::size;
use super::status;
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_own};
use crate::admin::shell::{Failure, Shell, page};
use crate::error::Result;
use crate::model::{Client, Scope};
use crate::service::alarms::Alarm;
use crate::service::feed::{Day, Silent, Today};
use crate::service::health::{Grade, Sign};
use crate::service::imports::Interruption;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/", of_own(Scope::Read), today),
        Route::get("/today", of_own(Scope::Read), live),
    ]
}

#[derive(Template)]
#[template(path = "admin/pages/today.html")]
struct TodayPage<'a> {
    p: &'a Shell,
    /// As in lists of one client: `None` shows whose an import is.
    client: Option<&'a Client>,
    live: LivePart<'a>,
    chart: Chart,
}

#[derive(Template)]
#[template(path = "admin/pages/today_live.html")]
struct LivePart<'a> {
    p: &'a Shell,
    client: Option<&'a Client>,
    to_decide: Vec<Row<'a>>,
    arriving: Vec<Arriving>,
    waiting: Vec<Row<'a>>,
    recent: Vec<Row<'a>>,
    silent: &'a [Silent],
    alarms: &'a [Alarm],
    interrupted: &'a [Interruption],
    /// What is wrong with the server itself; nothing for somebody bound to one client.
    signs: &'a [Sign],
}

/// An upload under way.
struct Arriving {
    client: String,
    path: String,
    how: String,
    size: String,
}

impl<'a> LivePart<'a> {
    fn of(p: &'a Shell, found: &'a Found, own: Option<&'a Client>) -> Self {
        let Found { today, clients, signs } = found;
        let rows = |views: &'a [_]| views.iter().map(|view| Row::of(p, view, clients)).collect();
        let arriving = today.under_way.iter().map(|one| Arriving {
            client: clients
                .iter()
                .find(|client| client.slug == one.client)
                .map_or_else(|| one.client.clone(), |client| client.name.clone()),
            path: one.path.to_string(),
            how: one.protocol.name().to_uppercase(),
            size: size(p, one.bytes),
        });
        Self {
            p,
            client: own,
            to_decide: rows(&today.to_decide),
            arriving: arriving.collect(),
            waiting: rows(&today.waiting),
            recent: rows(&today.recent),
            silent: &today.silent,
            alarms: &today.alarms,
            interrupted: &today.interrupted,
            signs,
        }
    }
}

/// What the page is made of.
struct Found {
    today: Today,
    clients: Vec<Client>,
    signs: Vec<Sign>,
}

async fn found(admin: &Admin, caller: &Caller) -> Result<Found> {
    let own = caller.client.clone();
    let ends = admin.face().certificate_ends();
    admin
        .run(&caller.name, move |service| {
            let mut clients = service.clients()?;
            clients.retain(|client| own.as_ref().is_none_or(|own| *own == client.slug));
            let mut signs = if own.is_none() { service.health(ends).signs } else { Vec::new() };
            signs.retain(|sign| sign.grade != Grade::Good);
            Ok(Found { today: service.today(own.as_deref())?, clients, signs })
        })
        .await
}

async fn days(admin: &Admin, caller: &Caller, client: Option<&Client>) -> Result<Vec<Day>> {
    let own = client.and_then(|client| TimeZone::get(&client.time_zone).ok());
    let (zone, client) = (own.unwrap_or_else(TimeZone::system), caller.client.clone());
    admin.run(&caller.name, move |service| service.days(client.as_deref(), &zone)).await
}

/// The caller's own client, if they are bound to one.
fn own<'a>(caller: &Caller, clients: &'a [Client]) -> Option<&'a Client> {
    caller.client.as_ref().and(clients.first())
}

async fn today(State(admin): State<Admin>, shell: Shell, caller: Caller) -> Response {
    let found = match found(&admin, &caller).await {
        Ok(found) => found,
        Err(error) => return Failure::new(error, &shell).into_response(),
    };
    let client = own(&caller, &found.clients);
    let days = match days(&admin, &caller, client).await {
        Ok(days) => days,
        Err(error) => return Failure::new(error, &shell).into_response(),
    };
    let p = match client {
        Some(client) => shell.in_zone(&client.time_zone),
        None => shell,
    };
    let live = LivePart::of(&p, &found, client);
    page(&TodayPage { p: &p, client, live, chart: Chart::of(&p, &days) })
}

/// The part that brings itself up to date.
async fn live(State(admin): State<Admin>, shell: Shell, caller: Caller) -> Response {
    match found(&admin, &caller).await {
        Ok(found) => {
            let client = own(&caller, &found.clients);
            let p = match client {
                Some(client) => shell.in_zone(&client.time_zone),
                None => shell,
            };
            part(&LivePart::of(&p, &found, client))
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

/// The last thirty days by status, drawn and as a table.
struct Chart {
    bars: Vec<Bar>,
    /// The most imports of a day.
    most: u64,
    /// The first and the last day, in words.
    ends: (String, String),
    /// The statuses that occur.
    legend: Vec<(&'static str, String)>,
    /// A row for each day that had imports, the newest first: the day and its counts in the order of the legend.
    table: Vec<(String, Vec<u64>)>,
}

/// A part of a day's column.
struct Bar {
    class: &'static str,
    x: u64,
    y: u64,
    height: u64,
}

/// The drawing's size in its own units: 30 columns of 20.
const CHART_HEIGHT: u64 = 120;
const COLUMN: u64 = 20;

impl Chart {
    fn of(p: &Shell, days: &[Day]) -> Self {
        let total = |day: &Day| day.counts.values().sum::<u64>();
        let most = days.iter().map(total).max().unwrap_or(0);
        let kinds = [
            (
                "good",
                p.t(
                    "applied or unchanged",
                    "appliqués ou inchangés",
                    "übernommen oder unverändert",
                ),
            ),
            ("look", p.t("with something to look at", "à examiner", "mit etwas zum Ansehen")),
            (
                "bad",
                p.t("refused or failed", "refusés ou échoués", "abgelehnt oder fehlgeschlagen"),
            ),
            ("plain", p.t("others", "autres", "sonstige")),
        ];
        let of_kind = |day: &Day, kind: &str| -> u64 {
            let all = day.counts.iter();
            all.filter(|(name, _)| status::badge(p, name).class == kind).map(|(_, n)| n).sum()
        };
        let mut bars = Vec::new();
        for (n, day) in (0_u64..).zip(days) {
            let x = n * COLUMN;
            let mut y = CHART_HEIGHT;
            for (class, _) in kinds {
                let count = of_kind(day, class);
                if count == 0 {
                    continue;
                }
                let height = (count * CHART_HEIGHT).checked_div(most).unwrap_or(0).max(2);
                y = y.saturating_sub(height);
                bars.push(Bar { class, x: x + 2, y, height });
            }
        }
        let day = |day: Option<&Day>| day.map(|day| day_words(p, day)).unwrap_or_default();
        let table = days.iter().rev().filter(|day| total(day) > 0).map(|day| {
            (day_words(p, day), kinds.iter().map(|(kind, _)| of_kind(day, kind)).collect())
        });
        Self {
            bars,
            most,
            ends: (day(days.first()), day(days.last())),
            legend: kinds.map(|(class, words)| (class, words.to_owned())).to_vec(),
            table: table.collect(),
        }
    }
}

fn day_words(p: &Shell, day: &Day) -> String {
    let pattern = match p.language {
        crate::model::Language::En => "%Y-%m-%d",
        crate::model::Language::Fr => "%d/%m/%Y",
        crate::model::Language::De => "%d.%m.%Y",
    };
    day.date.strftime(pattern).to_string()
}
