//! Import settings: the folders of a client, the forms of one folder section by section, and the whole as text.

mod catalogue;
mod control;
mod forms;
mod inputs;
mod text;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};

use crate::admin::Admin;
use crate::admin::guard::{Caller, form_encoded};
use crate::admin::route::{Route, of_client};
use crate::admin::shell::{Failure, Shell, page};
use crate::error::Result;
use crate::import::settings::{Mode, Settings};
use crate::model::{Account, Client, Folder, Scope};
use crate::service::Service;
use crate::service::feed::ImportFilter;
use crate::service::imports::ImportView;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/clients/{client}/folders", of_client(Scope::Read), folders),
        Route::get("/clients/{client}/folders/{folder}", of_client(Scope::Read), folder),
        Route::get(
            "/clients/{client}/folders/{folder}/{section}",
            of_client(Scope::Read),
            forms::show,
        ),
        Route::post(
            "/clients/{client}/folders/{folder}/{section}",
            of_client(Scope::Arrange),
            forms::save,
        ),
        Route::get("/clients/{client}/folders/{folder}/text", of_client(Scope::Read), text::show),
        Route::post(
            "/clients/{client}/folders/{folder}/text",
            of_client(Scope::Arrange),
            text::save,
        ),
    ]
}

pub(super) use control::{field as first_value, fields as all_values};
pub(super) use forms::{overtaken, saved_words};

/// What every page about one import folder knows.
pub(super) struct Place {
    pub(super) client: Client,
    pub(super) folder: Folder,
    pub(super) account: Account,
    /// The last file that was received there.
    pub(super) last: Option<ImportView>,
}

impl Place {
    /// The folder of an address.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Invalid` for a folder that imports nothing.
    pub(super) fn of(service: &Service, client: &str, folder: &str) -> Result<Self> {
        let folder = service.import_folder(client, folder)?;
        let filter = ImportFilter {
            client: Some(client.to_owned()),
            folder: Some(folder.name.clone()),
            limit: 1,
            ..ImportFilter::default()
        };
        Ok(Self {
            client: service.client(client)?,
            account: service.account(&folder.login)?,
            last: service.imports_page(&filter)?.imports.into_iter().next(),
            folder,
        })
    }

    /// The address of a page of this folder.
    pub(super) fn href(&self, section: &str) -> String {
        href(&self.client.slug, &self.folder.name, section)
    }

    /// The folder's name as a part of an address.
    pub(super) fn encoded(&self) -> String {
        form_encoded(&self.folder.name)
    }
}

/// The address of a page of an import folder.
pub(super) fn href(client: &str, folder: &str, section: &str) -> String {
    format!("/clients/{client}/folders/{}/{section}", form_encoded(folder))
}

/// An import folder in the list.
struct Row {
    folder: Folder,
    /// The settings, or why they cannot be read.
    settings: std::result::Result<Settings, String>,
    unknown: usize,
}

impl Row {
    fn href(&self, client: &Client) -> String {
        href(&client.slug, &self.folder.name, "settings")
    }

    fn mappings(&self, client: &Client) -> String {
        href(&client.slug, &self.folder.name, "mappings")
    }

    fn is_delta(settings: &Settings) -> bool {
        settings.mode == Mode::Delta
    }
}

#[derive(Template)]
#[template(path = "admin/pages/settings/folders.html")]
struct FoldersPage<'a> {
    p: &'a Shell,
    client: &'a Client,
    rows: &'a [Row],
}

async fn folders(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(slug): Path<String>,
) -> Response {
    let found = admin.run(&caller.name, move |service| {
        let client = service.client(&slug)?;
        let mut rows = Vec::new();
        for folder in service.import_folders(&slug)? {
            let settings =
                service.settings(&slug, &folder.name).map_err(|e| e.message().to_owned());
            let unknown = match &settings {
                Ok(_) => service.unknown_codes(&slug, &folder.name)?.len(),
                Err(_) => 0,
            };
            rows.push(Row { folder, settings, unknown });
        }
        Ok((client, rows))
    });
    match found.await {
        Ok((client, rows)) => {
            let shell = shell.in_zone(&client.time_zone);
            page(&FoldersPage { p: &shell, client: &client, rows: &rows })
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

/// A folder's own address: its first section.
async fn folder(Path((client, folder)): Path<(String, String)>) -> Response {
    axum::response::Redirect::to(&href(&client, &folder, "settings")).into_response()
}
