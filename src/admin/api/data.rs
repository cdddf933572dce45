//! A client's data as files and figures: all users as a file, an empty file to fill in, data quality.

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{self, Answer, ask, json_of};
use super::ask::{Asked, At};
use super::problem::Problem;
use super::users::Wanted;
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client};
use crate::import::fields::Field;
use crate::model::{Language, Scope};
use crate::service::quality::Quality;
use crate::service::users_file::{Sight, UsersFormat};

pub(super) fn routes() -> Vec<Route> {
    const TEMPLATE: &str = "/api/v1/clients/{client}/folders/{folder}/template";
    vec![
        Route::get("/api/v1/clients/{client}/users-file", of_client(Scope::Read), users_file),
        Route::get("/api/v1/clients/{client}/quality", of_client(Scope::Read), quality),
        Route::get(TEMPLATE, of_client(Scope::Read), template),
    ]
}

#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    format: FileFormat,
    folder: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FileFormat {
    #[default]
    Csv,
    Json,
    Layout,
}

async fn users_file(
    State(admin): State<Admin>,
    caller: Caller,
    At(client): At<String>,
    Asked(wanted): Asked<Wanted>,
    Asked(form): Asked<Form>,
) -> Answer {
    let format = match (form.format, form.folder) {
        (FileFormat::Csv, None) => UsersFormat::Csv,
        (FileFormat::Json, None) => UsersFormat::Json,
        (FileFormat::Layout, Some(folder)) => UsersFormat::Layout(folder),
        (FileFormat::Layout, None) => {
            let detail = "say as the files of which import folder the file is to be";
            return Err(Problem::invalid("?folder", detail));
        }
        (_, Some(_)) => return Err(Problem::invalid("?folder", "this goes with format=layout")),
    };
    let filter = wanted.filter()?;
    let sight = if caller.has(Scope::Run) { Sight::Whole } else { Sight::Masked };
    let made = ask(&admin, &caller, move |s| s.users_file(&client, &filter, &format, sight));
    let made = made.await?;
    let kind = if made.name.ends_with(".json") { "application/json" } else { "text/csv" };
    answer::file(kind, &made.name, made.bytes)
}

async fn template(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, folder)): At<(String, String)>,
) -> Answer {
    let name = format!("{folder}.csv");
    let made = ask(&admin, &caller, move |service| service.template(&client, &folder)).await?;
    answer::file("text/csv", &name, made.csv.into_bytes())
}

#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    language: Language,
}

async fn quality(
    State(admin): State<Admin>,
    caller: Caller,
    At(client): At<String>,
    Asked(Told { language }): Asked<Told>,
) -> Answer {
    let found = ask(&admin, &caller, move |service| service.quality(&client, language)).await?;
    json_of(&figures(&found))
}

/// The figures of the page's screen.
fn figures(found: &Quality) -> Value {
    let day = |mark: &_| {
        let crate::service::quality::QualityMark { day, people, complete, valid, managed } = mark;
        json!({ "day": day, "people": people, "complete": complete, "valid": valid, "managed": managed })
    };
    let missing = |(field, people): &(Field, u64)| json!({ "field": field, "people": people });
    let (without_manager, manager_left) = found.without_manager;
    json!({
        "now": day(&found.now),
        "expected": found.expected,
        "missing": found.missing.iter().map(missing).collect::<Vec<_>>(),
        "invalid": found.invalid.iter()
            .map(|(why, people)| json!({ "why": why, "people": people })).collect::<Vec<_>>(),
        "without_manager": without_manager,
        "manager_left": manager_left,
        "days": found.marks.iter().map(day).collect::<Vec<_>>(),
        "problems": found.problems,
    })
}
