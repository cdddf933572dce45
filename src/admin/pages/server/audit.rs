//! The audit trail: who did what to which object.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use serde::Deserialize;

use super::given;
use crate::admin::Admin;
use crate::admin::guard::{Caller, form_encoded};
use crate::admin::route::{Route, of_server};
use crate::admin::shell::{Failure, Shell, page};
use crate::model::Scope;
use crate::service::audit::{AuditEntry, AuditFilter};

/// Entries of one page.
const ROWS: u32 = 50;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/server/audit", of_server(Scope::Read), show)]
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Wanted {
    who: String,
    what: String,
    text: String,
    from: String,
    to: String,
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "admin/pages/server/audit.html")]
struct AuditPage<'a> {
    p: &'a Shell,
    wanted: &'a Wanted,
    kinds: &'a [String],
    entries: &'a [AuditEntry],
    /// Where older entries are, if there may be some.
    older: Option<String>,
}

/// A day as the form sends it; what is none does not filter.
fn day(text: &str) -> Option<Date> {
    text.trim().parse().ok()
}

async fn show(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Response {
    let last = day(&wanted.to).and_then(|day| day.tomorrow().ok());
    let filter = AuditFilter {
        who: given(&wanted.who).map(|who| who.to_lowercase()),
        what: given(&wanted.what),
        text: given(&wanted.text),
        from: day(&wanted.from).and_then(|day| shell.begin_of(day)),
        to: last.and_then(|day| shell.begin_of(day)),
        before: wanted.before,
        limit: ROWS,
    };
    let found = admin
        .run(&caller.name, move |service| Ok((service.audit(&filter)?, service.audit_kinds()?)));
    match found.await {
        Ok((entries, kinds)) => {
            let full = u32::try_from(entries.len()).is_ok_and(|n| n == ROWS);
            let last = entries.last().filter(|_| full);
            let older = last.map(|last| older(&wanted, last.id));
            let (wanted, kinds, entries) = (&wanted, kinds.as_slice(), entries.as_slice());
            page(&AuditPage { p: &shell, wanted, kinds, entries, older })
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

fn older(wanted: &Wanted, before: i64) -> String {
    let fields = [
        ("who", &wanted.who),
        ("what", &wanted.what),
        ("text", &wanted.text),
        ("from", &wanted.from),
        ("to", &wanted.to),
    ];
    let mut address = format!("/server/audit?before={before}");
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        address.push_str(&format!("&{name}={}", form_encoded(value)));
    }
    address
}
