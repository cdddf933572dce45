//! *Edit remote folders*: several at once; all are saved, or none.

use askama::Template;
use axum::extract::{Path, State as Of};
use serde::Deserialize;

use super::{Answer, Owned, refused, run};
use crate::admin::Admin;
use crate::admin::form::Form;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_account};
use crate::admin::shell::{Shell, Tone, done, page};
use crate::error::{Error, Kind};
use crate::model::{Purpose, Scope};
use crate::service::folder_edits::{EditKind, Edited, FolderEdit};

/// Empty rows for new folders.
const NEW_ROWS: usize = 3;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/accounts/{login}/folders", of_account(Scope::Arrange), show),
        Route::post("/accounts/{login}/folders", of_account(Scope::Arrange), save),
    ]
}

/// One row as it is shown: what is, or what was typed.
#[derive(Debug, Clone, Default)]
struct Row {
    /// The folder's name before; empty: a new one.
    old: String,
    name: String,
    path: String,
    purpose: String,
    pattern: String,
    remove: bool,
    /// What is wrong with it.
    wrong: Option<String>,
}

impl Row {
    fn is_empty(&self) -> bool {
        self.old.is_empty() && self.name.trim().is_empty() && self.path.trim().is_empty()
    }

    fn edit(&self) -> FolderEdit {
        let kind = match (self.old.is_empty(), self.remove) {
            (true, _) => EditKind::Add,
            (false, true) => EditKind::Remove,
            (false, false) => EditKind::Change,
        };
        FolderEdit {
            kind,
            name: if self.old.is_empty() { self.name.clone() } else { self.old.clone() },
            path: self.path.clone(),
            purpose: self.purpose.parse().unwrap_or(Purpose::Plain),
            pattern: self.pattern.clone(),
        }
    }
}

/// The form: one value of each list for each row.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    old: Vec<String>,
    name: Vec<String>,
    path: Vec<String>,
    purpose: Vec<String>,
    pattern: Vec<String>,
    /// Names of folders to remove.
    remove: Vec<String>,
}

impl Typed {
    /// Whether each row has all its fields: of a form that came in part, values would stand in the wrong rows.
    fn is_whole(&self) -> bool {
        let lists = [&self.name, &self.path, &self.purpose, &self.pattern];
        lists.iter().all(|list| list.len() == self.old.len())
    }

    fn rows(&self) -> Vec<Row> {
        let text = |list: &[String], at: usize| list.get(at).cloned().unwrap_or_default();
        let row = |(at, old): (usize, &String)| Row {
            old: old.clone(),
            name: text(&self.name, at),
            path: text(&self.path, at),
            purpose: text(&self.purpose, at),
            pattern: text(&self.pattern, at),
            remove: !old.is_empty() && self.remove.contains(old),
            wrong: None,
        };
        self.old.iter().enumerate().map(row).collect()
    }
}

#[derive(Template)]
#[template(path = "admin/pages/accounts/folders.html")]
struct FoldersPage<'a> {
    p: &'a Shell,
    owned: &'a Owned,
    rows: &'a [Row],
    wrong: bool,
}

async fn show(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
) -> Answer {
    let (owned, folders) = run(&admin, &caller, &shell, move |service| {
        Ok((Owned::find(&service, &login)?, service.folders(&login)?))
    })
    .await?;
    let row = |folder: crate::model::Folder| Row {
        old: folder.name.clone(),
        name: folder.name,
        path: folder.path.to_string(),
        purpose: folder.purpose.name().to_owned(),
        pattern: folder.pattern.unwrap_or_default(),
        ..Row::default()
    };
    let mut rows: Vec<Row> = folders.into_iter().map(row).collect();
    rows.extend(std::iter::repeat_n(Row::default(), NEW_ROWS));
    Ok(page(&FoldersPage { p: &shell, owned: &owned, rows: &rows, wrong: false }))
}

async fn save(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
    Form(typed): Form<Typed>,
) -> Answer {
    if !typed.is_whole() {
        let words = "the form did not come whole: nothing was changed; open it and send it again";
        return Err(super::fail(Error::new(Kind::Invalid, words), &shell));
    }
    let mut rows = typed.rows();
    rows.retain(|row| !row.is_empty());
    let edits: Vec<FolderEdit> = rows.iter().map(Row::edit).collect();
    let named = login.clone();
    let (owned, edited) = run(&admin, &caller, &shell, move |service| {
        Ok((Owned::find(&service, &named)?, service.edit_folders(&named, &edits)?))
    })
    .await?;
    let Edited::Refused(problems) = edited else {
        let words = shell.t(
            "The remote folders are saved.",
            "Les dossiers distants sont enregistrés.",
            "Die Remote-Ordner sind gespeichert.",
        );
        return Ok(done(&format!("/accounts/{login}"), Tone::Good, words));
    };
    for (row, problem) in rows.iter_mut().zip(problems) {
        row.wrong = problem.map(|error| error.message().to_owned());
    }
    rows.push(Row::default());
    Ok(refused(page(&FoldersPage { p: &shell, owned: &owned, rows: &rows, wrong: true })))
}
