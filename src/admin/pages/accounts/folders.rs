//! *Edit remote folders*: several at once; all are saved, or none.

use askama::Template;
use axum::extract::{Path, State as Of};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use serde::Deserialize;

use super::{Answer, Owned, refused, run};
use crate::admin::Admin;
use crate::admin::form::Form;
use crate::admin::guard::Caller;
use crate::admin::pages::was::Since;
use crate::admin::route::{Route, of_account};
use crate::admin::shell::{Shell, Tone, done, page};
use crate::error::{Error, Kind, Result};
use crate::model::{Folder, Purpose, Scope};
use crate::service::Service;
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
    /// What the row showed when the form was opened; empty: it does not say.
    was: String,
    /// It asks for something.
    asks: bool,
    /// What is wrong with it.
    wrong: Option<String>,
}

impl Row {
    /// What is.
    fn of(folder: &Folder) -> Self {
        let mut row = Self {
            old: folder.name.clone(),
            name: folder.name.clone(),
            path: folder.path.to_string(),
            purpose: folder.purpose.name().to_owned(),
            pattern: folder.pattern.clone().unwrap_or_default(),
            ..Self::default()
        };
        row.was = row.said();
        row
    }

    /// What it says of the folder, as the form carries it.
    fn said(&self) -> String {
        format!("{} · {} · {}", self.path.trim(), self.purpose, self.pattern.trim())
    }

    /// Finds out whether it asks for something. A row that was not touched asks for nothing and shows the folder as it is `now`;
    /// of one that somebody else has changed in another way, that is told.
    fn compare(&mut self, now: Option<&Folder>, shell: &Shell) {
        let is_touched = self.remove || self.said() != self.was;
        self.asks = self.was.is_empty() || is_touched;
        let Some(now) = now.map(Self::of).filter(|_| !self.was.is_empty()) else { return };
        if !is_touched {
            *self = now;
            return;
        }
        if now.was != self.was && (self.remove || now.was != self.said()) {
            let overtaken = vec![("folder", now.was.clone())];
            let label = |_| shell.t("folder", "dossier", "Ordner");
            self.wrong = Some(Since::about(overtaken).words(shell, label));
        }
        self.was = now.was;
    }

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
    /// What each row showed when the form was opened.
    was: Vec<String>,
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
            was: text(&self.was, at),
            asks: true,
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
    let mut rows: Vec<Row> = folders.iter().map(Row::of).collect();
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
    let (named, words) = (login.clone(), shell.clone());
    let (owned, mut rows, edited) = run(&admin, &caller, &shell, move |service| {
        let owned = Owned::find(&service, &named)?;
        let edited = edit(&service, &named, &mut rows, &words)?;
        Ok((owned, rows, edited))
    })
    .await?;
    let Some(edited) = edited else {
        rows.push(Row::default());
        let shown = page(&FoldersPage { p: &shell, owned: &owned, rows: &rows, wrong: true });
        return Ok((StatusCode::CONFLICT, shown).into_response());
    };
    let Edited::Refused(problems) = edited else {
        let words = shell.t(
            "The remote folders are saved.",
            "Les dossiers distants sont enregistrés.",
            "Die Remote-Ordner sind gespeichert.",
        );
        return Ok(done(&format!("/accounts/{login}"), Tone::Good, words));
    };
    for (row, problem) in rows.iter_mut().filter(|row| row.asks).zip(problems) {
        row.wrong = problem.map(|error| error.message().to_owned());
    }
    rows.push(Row::default());
    Ok(refused(page(&FoldersPage { p: &shell, owned: &owned, rows: &rows, wrong: true })))
}

/// Makes the edits of the rows that ask for something; `None`: somebody else was faster with one of them, and nothing was
/// changed.
fn edit(service: &Service, login: &str, rows: &mut [Row], shell: &Shell) -> Result<Option<Edited>> {
    let folders = service.folders(login)?;
    for row in rows.iter_mut() {
        row.compare(folders.iter().find(|folder| folder.name == row.old), shell);
    }
    if rows.iter().any(|row| row.wrong.is_some()) {
        return Ok(None);
    }
    let edits: Vec<FolderEdit> = rows.iter().filter(|row| row.asks).map(Row::edit).collect();
    service.edit_folders(login, &edits).map(Some)
}
