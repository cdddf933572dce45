//! Users of a client: search, read, history; created and changed in real time.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{Method, Uri};
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::answer::{Answer, ask, created, json_of, page, value};
use super::ask::{Asked, At, Paging, Sent};
use super::problem::Problem;
use crate::admin::Admin;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client};
use crate::error::{Error, Kind, Result};
use crate::import::fields::{Field, FieldKey};
use crate::model::Scope;
use crate::service::Service;
use crate::service::people::Person;
use crate::service::users::{Standing, UserFilter};

/// People below a manager whom a card names.
const BELOW: u32 = 100;

pub(super) fn routes() -> Vec<Route> {
    const ALL: &str = "/api/v1/clients/{client}/users";
    const ONE: &str = "/api/v1/clients/{client}/users/{user}";
    const CHANGES: &str = "/api/v1/clients/{client}/user-changes";
    vec![
        Route::get(ALL, of_client(Scope::Read), list),
        Route::post(ALL, of_client(Scope::Run), create),
        Route::get(ONE, of_client(Scope::Read), show),
        Route::other(Method::PATCH, ONE, of_client(Scope::Run), change),
        Route::get(
            "/api/v1/clients/{client}/users/{user}/history",
            of_client(Scope::Read),
            history,
        ),
        Route::get(
            "/api/v1/clients/{client}/users/{user}/origins",
            of_client(Scope::Read),
            origins,
        ),
        Route::get("/api/v1/clients/{client}/users/{user}/card", of_client(Scope::Read), card),
        Route::post(CHANGES, of_client(Scope::Run), change_many),
    ]
}

/// The same for whoever only looks on: what reports mask is masked here too.
fn shown(caller: &Caller, person: Person) -> Person {
    if caller.has(Scope::Run) { person } else { person.masked() }
}

/// Which users.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    text: String,
    #[serde(default, deserialize_with = "words")]
    state: Vec<String>,
    department: Option<String>,
    legal_entity: Option<String>,
    manager: Option<i64>,
    #[serde(default, deserialize_with = "words")]
    missing: Vec<String>,
    as_of: Option<Date>,
}

/// Words with commas between.
fn words<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(text.split(',').map(str::trim).filter(|w| !w.is_empty()).map(str::to_owned).collect())
}

fn standings(words: &[String]) -> std::result::Result<Vec<Standing>, Problem> {
    let known = [Standing::Upcoming, Standing::Active, Standing::Ended];
    let read = |word: &String| {
        known.into_iter().find(|one| one.name() == word).ok_or_else(|| {
            let detail = format!("\"{word}\" is no state; there are upcoming, active and ended");
            Problem::invalid("?state", detail)
        })
    };
    words.iter().map(read).collect()
}

impl Wanted {
    /// The same as a question, for all pages.
    ///
    /// # Errors
    /// 422 for a word that is no state or field.
    pub(super) fn filter(self) -> std::result::Result<UserFilter, Problem> {
        let field = |word: &String| {
            Field::from_name(word)
                .ok_or_else(|| Problem::invalid("?missing", format!("\"{word}\" is no field")))
        };
        Ok(UserFilter {
            text: self.text,
            standing: standings(&self.state)?,
            department: self.department,
            legal_entity: self.legal_entity,
            manager: self.manager,
            missing: self.missing.iter().map(field).collect::<std::result::Result<_, _>>()?,
            after: None,
            limit: u32::MAX,
            as_of: self.as_of,
        })
    }
}

async fn list(
    State(admin): State<Admin>,
    caller: Caller,
    uri: Uri,
    At(client): At<String>,
    Asked(wanted): Asked<Wanted>,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let filter = UserFilter {
        after: paging.after()?,
        limit: u32::try_from(paging.rows(&admin)?).unwrap_or(u32::MAX),
        ..wanted.filter()?
    };
    let found = ask(&admin, &caller, move |service| service.users_page(&client, &filter)).await?;
    let people: Vec<Person> = found.users.into_iter().map(|p| shown(&caller, p)).collect();
    page(&people, found.next.as_deref(), &uri)
}

/// The user whom an address names: an id, or `key:` and an employee number, login or e-mail.
fn named(service: &Service, client: &str, user: &str) -> Result<i64> {
    match (user.strip_prefix("key:"), user.parse::<i64>()) {
        (Some(key), _) => Ok(service.user_of_key(client, key)?.id),
        (None, Ok(id)) => Ok(id),
        (None, Err(_)) => {
            service.client(client)?;
            let message = format!(
                "there is no user \"{user}\": give the id, or key: and the employee number, login or e-mail, such as key:00123"
            );
            Err(Error::new(Kind::NotFound, message))
        }
    }
}

#[derive(Deserialize)]
struct When {
    as_of: Option<Date>,
}

async fn show(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, user)): At<(String, String)>,
    Asked(When { as_of }): Asked<When>,
) -> Answer {
    let person = ask(&admin, &caller, move |service| {
        service.user(&client, named(&service, &client, &user)?, as_of)
    });
    json_of(&shown(&caller, person.await?))
}

/// Values by field; `null` or an empty text clears.
type Values = BTreeMap<String, Option<String>>;

fn wanted(values: Values) -> Result<Vec<(FieldKey, String)>> {
    let read = |(field, text): (String, Option<String>)| {
        let key: FieldKey = field.parse().map_err(|why: String| Error::new(Kind::Invalid, why))?;
        Ok((key, text.unwrap_or_default()))
    };
    values.into_iter().map(read).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    folder: Option<String>,
    values: Values,
}

async fn create(
    State(admin): State<Admin>,
    caller: Caller,
    At(client): At<String>,
    Sent(new): Sent<New>,
) -> Answer {
    let (who, of) = (caller.name.clone(), client.clone());
    let made = ask(&admin, &caller, move |service| {
        let values = wanted(new.values)?;
        let made = service.create_user(&of, new.folder.as_deref(), &values, &who)?;
        Ok((service.user(&of, made.id, None)?, made.notes))
    });
    let (person, notes) = made.await?;
    let mut told = value(&person)?;
    if let Some(object) = told.as_object_mut() {
        object.insert("notes".to_owned(), json!(notes));
    }
    created(&["clients", &client, "users", &person.id.to_string()], &told)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    values: Values,
}

/// What `users set --json` prints.
fn edited(
    service: &Service,
    client: &str,
    user: &str,
    values: Values,
    who: &str,
) -> Result<(i64, Value)> {
    let id = named(service, client, user)?;
    service.user(client, id, None)?;
    let edit = service.edit_user(client, id, &wanted(values)?, who)?;
    let told = json!({ "user": id, "changes": edit.changes, "list_entries": edit.list_entries });
    Ok((id, told))
}

async fn change(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, user)): At<(String, String)>,
    Sent(change): Sent<Change>,
) -> Answer {
    let who = caller.name.clone();
    let done =
        ask(&admin, &caller, move |service| edited(&service, &client, &user, change.values, &who));
    json_of(&done.await?.1)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Many {
    changes: Vec<One>,
}

/// One of many: a change of a user, or (without `user`) a new one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    user: Option<String>,
    folder: Option<String>,
    values: Values,
}

/// What became of one of many.
#[derive(Serialize)]
struct Outcome {
    done: bool,
    user: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Value>,
}

async fn change_many(
    State(admin): State<Admin>,
    caller: Caller,
    At(client): At<String>,
    Sent(Many { changes }): Sent<Many>,
) -> Answer {
    let most = admin.service().config().admin.api_max_rows;
    if changes.len() > most {
        let detail = format!("{} changes; at most {most} in one request", changes.len());
        return Err(Problem::invalid("/changes", detail));
    }
    let who = caller.name.clone();
    let done = ask(&admin, &caller, move |service| {
        service.client(&client)?;
        let outcomes = changes.into_iter().map(|one| outcome(&service, &client, one, &who));
        Ok(outcomes.collect::<Vec<_>>())
    });
    json_of(&json!({ "items": done.await? }))
}

fn outcome(service: &Service, client: &str, one: One, who: &str) -> Outcome {
    let done = match one.user {
        Some(user) => edited(service, client, &user, one.values, who),
        None => wanted(one.values).and_then(|values| {
            let made = service.create_user(client, one.folder.as_deref(), &values, who)?;
            Ok((made.id, json!({ "created": true, "notes": made.notes })))
        }),
    };
    match done {
        Ok((id, told)) => Outcome { done: true, user: Some(id), result: Some(told), problem: None },
        Err(error) => {
            let problem = Some(Problem::from(error).body());
            Outcome { done: false, user: None, result: None, problem }
        }
    }
}

async fn history(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, user)): At<(String, String)>,
) -> Answer {
    let full = caller.has(Scope::Run);
    let found = ask(&admin, &caller, move |service| {
        let id = named(&service, &client, &user)?;
        service.user(&client, id, None)?;
        service.user_changes(&client, id)
    });
    let mut changes = found.await?;
    for change in changes.iter_mut().filter(|change| !full && is_sensitive(&change.field)) {
        for text in [&mut change.from, &mut change.to].into_iter().flatten() {
            crate::service::people::MASK.clone_into(text);
        }
    }
    json_of(&json!({ "items": changes }))
}

fn is_sensitive(field: &FieldKey) -> bool {
    matches!(field, FieldKey::Known(field) if field.is_sensitive())
}

async fn origins(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, user)): At<(String, String)>,
) -> Answer {
    let found = ask(&admin, &caller, move |service| {
        let id = named(&service, &client, &user)?;
        service.user(&client, id, None)?;
        service.value_origins(&client, id)
    });
    json_of(&json!({ "items": found.await? }))
}

async fn card(
    State(admin): State<Admin>,
    caller: Caller,
    At((client, user)): At<(String, String)>,
) -> Answer {
    let found = ask(&admin, &caller, move |service| {
        let id = named(&service, &client, &user)?;
        service.user_card(&client, id, BELOW)
    });
    let mut card = found.await?;
    card.person = shown(&caller, card.person);
    for list in [&mut card.above, &mut card.below] {
        *list = std::mem::take(list).into_iter().map(|p| shown(&caller, p)).collect();
    }
    json_of(&card)
}
