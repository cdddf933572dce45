//! The accounts: their list, how one is created, and everything that one account has.

mod edit;
mod fetched;
mod folders;
mod handout;
mod keys;
mod list;
mod new;
mod one;
mod permissions;
mod remote;
mod state;

use axum::response::{IntoResponse as _, Response};

use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::Route;
use crate::admin::shell::{Failure, Shell};
use crate::error::{Error, Result};
use crate::model::{Account, Client};
use crate::service::Service;

pub(super) fn routes() -> Vec<Route> {
    [
        list::routes(),
        new::routes(),
        one::routes(),
        edit::routes(),
        folders::routes(),
        keys::routes(),
        permissions::routes(),
        remote::routes(),
        fetched::routes(),
        handout::routes(),
    ]
    .concat()
}

/// What a handler answers: a page, or the page of a failure.
type Answer = std::result::Result<Response, Response>;

/// An account and whose it is: what the head of its pages shows.
#[derive(Debug, Clone)]
struct Owned {
    client: Client,
    account: Account,
}

impl Owned {
    fn find(service: &Service, login: &str) -> Result<Self> {
        let account = service.account(login)?;
        let client = service.client(&account.client)?;
        Ok(Self { client, account })
    }
}

/// Runs what blocks; what goes wrong is the page of a failure.
async fn run<T: Send + 'static>(
    admin: &Admin,
    caller: &Caller,
    shell: &Shell,
    work: impl FnOnce(Service) -> Result<T> + Send + 'static,
) -> std::result::Result<T, Response> {
    admin.run(&caller.name, work).await.map_err(|error| fail(error, shell))
}

fn fail(error: Error, shell: &Shell) -> Response {
    Failure::new(error, shell).into_response()
}

/// The error of a form that is shown again with what was typed; what no other typing would mend is a page of its own.
#[expect(clippy::result_large_err, reason = "the error is the page that is shown instead")]
fn beside(error: Error, shell: &Shell) -> std::result::Result<String, Response> {
    use crate::error::Kind;
    match error.kind() {
        Kind::Invalid | Kind::Exists | Kind::Busy | Kind::Conflict => {
            Ok(error.message().to_owned())
        }
        _ => Err(fail(error, shell)),
    }
}

/// A form that was refused: the page again, with the status that says so.
fn refused(mut page: Response) -> Response {
    *page.status_mut() = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
    page
}
