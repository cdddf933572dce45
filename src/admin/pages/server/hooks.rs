//! Hooks of the configuration: how they fare, and a test.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};

use super::{refused, words};
use crate::admin::Admin;
use crate::admin::guard::{Caller, form_encoded};
use crate::admin::route::{Route, of_server};
use crate::admin::shell::{Failure, Shell, Tone, done, page};
use crate::model::Scope;
use crate::service::hooks::HookView;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/server/hooks", of_server(Scope::Read), show),
        Route::post("/server/hooks/{name}/test", of_server(Scope::Arrange), test),
    ]
}

#[derive(Template)]
#[template(path = "admin/pages/server/hooks.html")]
struct HooksPage<'a> {
    p: &'a Shell,
    hooks: &'a [HookView],
    wrong: Option<&'a str>,
}

impl HooksPage<'_> {
    fn address(&self, name: &str) -> String {
        form_encoded(name)
    }
}

async fn show(State(admin): State<Admin>, shell: Shell, caller: Caller) -> Response {
    show_with(&admin, &shell, &caller, None).await
}

async fn show_with(admin: &Admin, shell: &Shell, caller: &Caller, wrong: Option<&str>) -> Response {
    match admin.run(&caller.name, |service| service.hooks()).await {
        Ok(hooks) => page(&HooksPage { p: shell, hooks: &hooks, wrong }),
        Err(error) => Failure::new(error, shell).into_response(),
    }
}

async fn test(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(name): Path<String>,
) -> Response {
    let hook = name.clone();
    match admin.run(&caller.name, move |service| service.test_hook(&hook, None)).await {
        Ok(told) => {
            let words = shell.t(
                "was told. Answer:",
                "a été prévenu. Réponse\u{a0}:",
                "wurde benachrichtigt. Antwort:",
            );
            done("/server/hooks", Tone::Good, &format!("{name} {words} {told}"))
        }
        Err(error) => refused(show_with(&admin, &shell, &caller, Some(error.message())).await),
    }
}
