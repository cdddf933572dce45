//! E-mails: whether they can leave, the last ones, and a test.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::{refused, words};
use crate::admin::Admin;
use crate::admin::form::Form;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_server};
use crate::admin::shell::{Failure, Shell, Tone, done, page};
use crate::model::{Language, Scope};
use crate::service::mail::MailView;

/// The most that are shown.
const ROWS: u32 = 100;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/server/mail", of_server(Scope::Read), show),
        Route::post("/server/mail/test", of_server(Scope::Arrange), test),
    ]
}

#[derive(Deserialize)]
struct TestForm {
    address: String,
    language: Language,
}

/// Whether e-mails leave.
enum Ready {
    Yes,
    Off,
    Broken(String),
}

#[derive(Template)]
#[template(path = "admin/pages/server/mail.html")]
struct MailPage<'a> {
    p: &'a Shell,
    ready: &'a Ready,
    /// The SMTP server or folder, as the configuration names it.
    via: &'a str,
    mails: &'a [MailView],
    form: &'a TestForm,
    wrong: Option<&'a str>,
}

async fn show(State(admin): State<Admin>, shell: Shell, caller: Caller) -> Response {
    let form = TestForm { address: String::new(), language: shell.language };
    show_with(&admin, &shell, &caller, &form, None).await
}

async fn show_with(
    admin: &Admin,
    shell: &Shell,
    caller: &Caller,
    form: &TestForm,
    wrong: Option<&str>,
) -> Response {
    let found = admin.run(&caller.name, |service| {
        let ready = match service.mail_is_ready() {
            Ok(true) => Ready::Yes,
            Ok(false) => Ready::Off,
            Err(error) => Ready::Broken(error.message().to_owned()),
        };
        Ok((ready, service.mails(None, None, ROWS)?))
    });
    let config = &admin.service().config().mail;
    let folder = config.dir.as_ref().map(|dir| dir.display().to_string());
    let via = config.smtp.clone().or(folder).unwrap_or_default();
    match found.await {
        Ok((ready, mails)) => {
            page(&MailPage { p: shell, ready: &ready, via: &via, mails: &mails, form, wrong })
        }
        Err(error) => Failure::new(error, shell).into_response(),
    }
}

async fn test(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Form(form): Form<TestForm>,
) -> Response {
    let (address, language) = (form.address.clone(), form.language);
    let sent =
        admin.run(&caller.name, move |service| service.send_test_mail(&address, language)).await;
    match sent {
        Ok(told) => done("/server/mail", Tone::Good, &told),
        Err(error) => {
            refused(show_with(&admin, &shell, &caller, &form, Some(error.message())).await)
        }
    }
}
