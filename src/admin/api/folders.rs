//! Remote folders of an account, and what may be done in them.

use axum::extract::State;
use axum::http::Method;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Answer, ask, created, json_of, nothing};
use super::ask::{At, Sent, given};
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_account};
use crate::error::{Error, Kind, Result};
use crate::model::{Folder, Purpose, Rights, Scope, VPath};
use crate::service::Service;
use crate::service::folders::FolderPatch;

pub(super) fn routes() -> Vec<Route> {
    const ALL: &str = "/api/v1/accounts/{login}/folders";
    const ONE: &str = "/api/v1/accounts/{login}/folders/{folder}";
    const RIGHTS: &str = "/api/v1/accounts/{login}/folders/{folder}/rights";
    const ZIP: &str = "/api/v1/accounts/{login}/folders/{folder}/zip-password";
    vec![
        Route::get(ALL, of_account(Scope::Read), list),
        Route::post(ALL, of_account(Scope::Arrange), add),
        Route::get(ONE, of_account(Scope::Read), show),
        Route::other(Method::PATCH, ONE, of_account(Scope::Arrange), change),
        Route::other(Method::DELETE, ONE, of_account(Scope::Arrange), remove),
        Route::get(RIGHTS, of_account(Scope::Read), rights),
        Route::other(Method::PUT, RIGHTS, of_account(Scope::Arrange), set_rights),
        Route::other(Method::PUT, ZIP, of_account(Scope::Arrange), set_zip_password),
    ]
}

fn one(service: &Service, login: &str, name: &str) -> Result<Folder> {
    let found = service.folders(login)?.into_iter().find(|folder| folder.name == name);
    found.ok_or_else(|| {
        Error::new(Kind::NotFound, format!("account \"{login}\" has no folder \"{name}\""))
    })
}

async fn list(State(admin): State<Admin>, caller: Caller, At(login): At<String>) -> Answer {
    json_of(&json!({ "items": ask(&admin, &caller, move |s| s.folders(&login)).await? }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    path: VPath,
    purpose: Purpose,
    pattern: Option<String>,
}

async fn add(
    State(admin): State<Admin>,
    caller: Caller,
    At(login): At<String>,
    Sent(new): Sent<New>,
) -> Answer {
    let added = ask(&admin, &caller, move |service| {
        service.add_folder(&login, &new.name, &new.path, new.purpose, new.pattern.as_deref())
    });
    let folder = added.await?;
    created(&["accounts", &folder.login, "folders", &folder.name], &folder)
}

async fn show(
    State(admin): State<Admin>,
    caller: Caller,
    At((login, name)): At<(String, String)>,
) -> Answer {
    json_of(&ask(&admin, &caller, move |service| one(&service, &login, &name)).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    path: Option<VPath>,
    purpose: Option<Purpose>,
    #[serde(default, deserialize_with = "given")]
    pattern: Option<Option<String>>,
}

async fn change(
    State(admin): State<Admin>,
    caller: Caller,
    At((login, name)): At<(String, String)>,
    Sent(Change { path, purpose, pattern }): Sent<Change>,
) -> Answer {
    let patch = FolderPatch { path, purpose, pattern };
    json_of(&ask(&admin, &caller, move |s| s.set_folder(&login, &name, &patch)).await?)
}

async fn remove(
    State(admin): State<Admin>,
    caller: Caller,
    At((login, name)): At<(String, String)>,
) -> Answer {
    ask(&admin, &caller, move |service| service.remove_folder(&login, &name)).await?;
    nothing()
}

/// The rights in a folder: its own, or those of the account.
fn rights_of(service: &Service, login: &str, name: &str) -> Result<serde_json::Value> {
    let folder = one(service, login, name)?;
    let own = service.folder_rights(login)?.into_iter().find(|(path, _)| *path == folder.path);
    let (rights, own) = match own {
        Some((_, rights)) => (rights, true),
        None => (service.account_rules(login)?.rights, false),
    };
    Ok(json!({ "rights": rights, "own": own }))
}

async fn rights(
    State(admin): State<Admin>,
    caller: Caller,
    At((login, name)): At<(String, String)>,
) -> Answer {
    json_of(&ask(&admin, &caller, move |service| rights_of(&service, &login, &name)).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRights {
    #[serde(deserialize_with = "Option::deserialize")]
    rights: Option<Rights>,
}

async fn set_rights(
    State(admin): State<Admin>,
    caller: Caller,
    At((login, name)): At<(String, String)>,
    Sent(NewRights { rights }): Sent<NewRights>,
) -> Answer {
    let set = ask(&admin, &caller, move |service| {
        service.set_folder_rights(&login, &name, rights)?;
        rights_of(&service, &login, &name)
    });
    json_of(&set.await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ZipPassword {
    #[serde(deserialize_with = "Option::deserialize")]
    password: Option<String>,
}

async fn set_zip_password(
    State(admin): State<Admin>,
    caller: Caller,
    At((login, name)): At<(String, String)>,
    Sent(ZipPassword { password }): Sent<ZipPassword>,
) -> Answer {
    ask(&admin, &caller, move |service| {
        service.set_zip_password(&login, &name, password.as_deref())
    })
    .await?;
    nothing()
}
