//! Use cases about users: the directory of a client as of today or any day, one user, a user's history.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::Service;
use super::people::{Person, number_of};
use crate::error::{Error, Kind, Result};
use crate::import::directory::{User, Values};
use crate::import::fields::Field;
use crate::import::layout::Layout;
use crate::import::settings::Settings;
use crate::import::text::fold;
use crate::store::directory::PeopleQuery;

pub use crate::import::standing::Standing;
pub use crate::store::directory::{EventKind, HistoryEntry, Origin};

/// How many imports back a folder's own layout is looked for.
const LAYOUTS_LOOKED_AT: u32 = 20;

/// How many managers above a user are shown.
const CHAIN: usize = 20;

/// A user as lists show it. Serialised as one object: `id`, `state`, every field that has a value, `manager_name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserView {
    /// The user's id in its directory.
    pub id: i64,
    /// Where the user stands on the day that was asked for.
    pub state: Standing,
    /// The values in canonical text.
    pub values: Values,
    /// The manager's name, as people read it.
    pub manager_name: Option<String>,
}

impl Serialize for UserView {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("state", &self.state)?;
        for field in Field::ALL {
            if let Some(value) = self.values.get(*field) {
                map.serialize_entry(field.name(), value)?;
            }
        }
        for (name, value) in self.values.custom() {
            map.serialize_entry(&format!("custom.{name}"), value)?;
        }
        if let Some(name) = &self.manager_name {
            map.serialize_entry("manager_name", name)?;
        }
        map.end()
    }
}

/// Which users a list shows. Everything that is left out (`default()`) lets everybody through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserFilter {
    /// All of these words are in the names, the number, the login or the e-mail; case and accents do not matter.
    pub text: String,
    /// Where they stand; empty: anywhere.
    pub standing: Vec<Standing>,
    /// The department's code.
    pub department: Option<String>,
    /// The legal entity's code.
    pub legal_entity: Option<String>,
    /// Only whom this user (by id) manages.
    pub manager: Option<i64>,
    /// Only who lacks one of these fields.
    pub missing: Vec<Field>,
    /// Only users behind the end of an earlier part ([`UsersPage::next`]).
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
    /// The directory as it was known at the end of that day in the client's time zone.
    pub as_of: Option<Date>,
}

/// A part of a list of users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UsersPage {
    /// The users, by family name, given name and id; withdrawn ones are left out.
    pub users: Vec<Person>,
    /// How many users the whole list has.
    pub total: u64,
    /// What the next part is asked for with; `None`: this is the last.
    pub next: Option<String>,
}

/// One user with those above and below.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserCard {
    /// The user.
    #[serde(flatten)]
    pub person: Person,
    /// The managers, the nearest first.
    pub above: Vec<Person>,
    /// Whom the user manages and who works there or will, the first of them by name.
    pub below: Vec<Person>,
    /// How many there are in all.
    pub below_total: u64,
}

impl Service {
    /// A part of the list of a client's users, by name.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client, and for a day before the history that is kept; `Kind::Invalid` for `after`, and for
    /// more words than are looked for.
    pub fn users_page(&self, client: &str, filter: &UserFilter) -> Result<UsersPage> {
        let known = self.client(client)?;
        let as_of = filter.as_of.map(|day| self.end_of_day(client, day)).transpose()?;
        let day = self.day(&known.time_zone, as_of);
        let mut directory = self.open_directory(&known.slug)?;
        let page = directory.people(&PeopleQuery {
            text: filter.text.clone(),
            standing: filter.standing.clone(),
            day,
            department: filter.department.clone(),
            legal_entity: filter.legal_entity.clone(),
            manager: filter.manager,
            missing: filter.missing.clone(),
            after: filter.after.as_deref().map(read_cursor).transpose()?,
            limit: filter.limit,
            as_of,
        })?;
        let managers: BTreeMap<i64, &Values> =
            page.managers.iter().map(|user| (user.id, &user.values)).collect();
        let person = |user| Person::of(user, day, &managers);
        Ok(UsersPage {
            users: page.users.into_iter().map(person).collect(),
            total: page.total,
            next: page.next.as_ref().map(write_cursor),
        })
    }

    /// The user with this id: as of now, or as known at the end of an earlier day.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client, the user (also one whose creation was taken back), and a day before the history
    /// that is kept.
    pub fn user(&self, client: &str, id: i64, as_of: Option<Date>) -> Result<Person> {
        let known = self.client(client)?;
        let directory = self.open_directory(&known.slug)?;
        let unknown = || {
            let message = format!("the directory of {client} has no user {id}");
            Error::new(Kind::NotFound, message)
        };
        let at = as_of.map(|day| self.end_of_day(client, day)).transpose()?;
        let (user, managers) = match at {
            None => {
                let user = directory.user(id)?.filter(|u| !u.withdrawn).ok_or_else(unknown)?;
                let manager = user.values.get(Field::Manager).and_then(|id| id.parse().ok());
                (user, directory.users_by_id(manager.as_slice())?)
            }
            Some(_) => {
                let everybody = directory.users(at)?;
                let user = everybody.iter().find(|u| u.id == id && !u.withdrawn).cloned();
                (user.ok_or_else(unknown)?, everybody)
            }
        };
        let managers: BTreeMap<i64, &Values> = managers.iter().map(|u| (u.id, &u.values)).collect();
        Ok(Person::of(user, self.day(&known.time_zone, at), &managers))
    }

    /// The user with this id, with the managers above and the first `most` of those below.
    ///
    /// # Errors
    /// As [`Service::user`].
    pub fn user_card(&self, client: &str, id: i64, most: u32) -> Result<UserCard> {
        let person = self.user(client, id, None)?;
        let zone = self.client(client)?.time_zone;
        let above = self.open_directory(client)?.managers_above(id, CHAIN)?;
        let known: BTreeMap<i64, &Values> = above.iter().map(|u| (u.id, &u.values)).collect();
        let day = self.day(&zone, None);
        let above = above.iter().map(|user| Person::of(user.clone(), day, &known)).collect();
        let mut below = self.users_page(
            client,
            &UserFilter {
                manager: Some(id),
                standing: vec![Standing::Active, Standing::Upcoming],
                limit: most,
                ..UserFilter::default()
            },
        )?;
        // Whoever leads the whole may stand as the own manager.
        let own = u64::from(person.manager_id() == Some(id) && person.state.is_there());
        below.users.retain(|other| other.id != id);
        Ok(UserCard {
            person,
            above,
            below: below.users,
            below_total: below.total.saturating_sub(own),
        })
    }

    /// The one user whose employee number (alone, or as `FR01+00123`), login or e-mail is `text`, or whose name has it as a part;
    /// or the id, as `#42`. To look at; for changes see [`Self::user_to_change`].
    ///
    /// # Errors
    /// `Kind::NotFound` for the client and where nobody fits; `Kind::Conflict` naming those who fit where several do.
    pub fn find_user(&self, client: &str, text: &str) -> Result<Person> {
        self.the_user(client, text, ByName::Part)
    }

    /// The same for a change: a name counts only in full. A part of one would change a stranger.
    ///
    /// # Errors
    /// As [`Self::find_user`].
    pub fn user_to_change(&self, client: &str, text: &str) -> Result<Person> {
        self.the_user(client, text, ByName::Whole)
    }

    /// The one user whose employee number (alone, or as `FR01+00123`), login or e-mail is `key`; neither a name nor an id.
    ///
    /// # Errors
    /// As [`Self::find_user`].
    pub fn user_of_key(&self, client: &str, key: &str) -> Result<Person> {
        self.the_user(client, key, ByName::Never)
    }

    fn the_user(&self, client: &str, text: &str, by_name: ByName) -> Result<Person> {
        let known = self.client(client)?;
        let keyed = self.open_directory(&known.slug)?.find_by_key(text)?;
        let mut ids: Vec<i64> = keyed.iter().map(|user| user.id).collect();
        if ids.is_empty() && by_name != ByName::Never {
            ids = self.ids_by_name(&known.slug, text, by_name)?;
            // A bare number is never an id: `set 7` would change whoever came seventh where nobody has the number 7.
            if let (true, Some(id)) = (ids.is_empty(), id_of(text)) {
                return self.user(client, id, None);
            }
        }
        match ids.as_slice() {
            [id] => self.user(client, *id, None),
            [] => {
                let what = match by_name {
                    ByName::Never => "number, login or e-mail",
                    ByName::Whole => "number, login, e-mail or name in full",
                    ByName::Part => "number, login, e-mail or name",
                };
                let words = format!(
                    "user \"{text}\": nobody in the directory of {client} has this {what}; see rollcall users list {client}"
                );
                Err(Error::new(Kind::NotFound, words))
            }
            several => self.fits_several(client, text, several),
        }
    }

    fn ids_by_name(&self, client: &str, text: &str, by_name: ByName) -> Result<Vec<i64>> {
        let words = folded_words(text);
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let of = |text: &str, limit| UserFilter {
            text: text.to_owned(),
            limit,
            ..UserFilter::default()
        };
        let found = if by_name == ByName::Whole {
            // All of them: a second one of that name must not be overlooked.
            self.users_page(client, &of(text, u32::MAX))?.users
        } else {
            let exact = self.open_directory(client)?.find_exactly(text)?;
            if !exact.is_empty() {
                return Ok(exact.iter().map(|user| user.id).collect());
            }
            self.users_page(client, &of(text, 200))?.users
        };
        let fits = |person: &&Person| {
            let name = folded_words(&person.name());
            match by_name {
                ByName::Never => false,
                ByName::Whole => name == words,
                ByName::Part => {
                    words.iter().all(|word| name.iter().any(|part| part.contains(word.as_str())))
                }
            }
        };
        Ok(found.iter().filter(fits).map(|person| person.id).collect())
    }

    fn fits_several(&self, client: &str, text: &str, ids: &[i64]) -> Result<Person> {
        let named = |id: &i64| -> Result<String> {
            let person = self.user(client, *id, None)?;
            let number = number_of(&person.values).unwrap_or_default().to_owned();
            Ok(format!("{} ({number})", person.name()))
        };
        let names: Vec<String> = ids.iter().map(named).collect::<Result<_>>()?;
        let words = format!(
            "user \"{text}\" fits several: {}; use the employee number, with the legal entity if others have it too: FR01+00123",
            names.join(", ")
        );
        Err(Error::new(Kind::Conflict, words))
    }

    /// The last instant of a day in the client's time zone.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client; `Kind::Invalid` for a day that no clock reaches.
    pub fn end_of_day(&self, client: &str, day: Date) -> Result<Timestamp> {
        let zone = TimeZone::get(&self.client(client)?.time_zone).unwrap_or(TimeZone::UTC);
        end_of(day, &zone)
    }

    /// Every user of a client: as of now, or as the directory knew them at an earlier instant, by id.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client.
    pub fn users(&self, client: &str, as_of: Option<Timestamp>) -> Result<Vec<UserView>> {
        let client = self.client(client)?;
        let users = self.open_directory(&client.slug)?.users(as_of)?;
        let names = names_of(&users);
        let day = self.day(&client.time_zone, as_of);
        Ok(users.into_iter().map(|user| view(user, day, &names)).collect())
    }

    /// The users of a client whose employee number, login, e-mail or name is `text`; or the id, as `#42`.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client; nobody found is an empty list.
    pub fn find_users(&self, client: &str, text: &str) -> Result<Vec<UserView>> {
        let client = self.client(client)?;
        let directory = self.open_directory(&client.slug)?;
        let mut found = directory.find_users(text)?;
        if found.is_empty()
            && let Some(id) = id_of(text)
        {
            found.extend(directory.user(id)?);
        }
        let managers: Vec<User> = found
            .iter()
            .filter_map(|user| user.values.get(Field::Manager)?.parse().ok())
            .filter_map(|id| directory.user(id).transpose())
            .collect::<Result<_>>()?;
        let names = names_of(&managers);
        let day = self.day(&client.time_zone, None);
        Ok(found.into_iter().map(|user| view(user, day, &names)).collect())
    }

    /// Every change of a user, oldest first, each with the file and line that brought it.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client.
    pub fn user_history(&self, client: &str, user_id: i64) -> Result<Vec<HistoryEntry>> {
        let client = self.client(client)?;
        self.open_directory(&client.slug)?.user_history(user_id)
    }

    /// How the last applied file of an import folder was written.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client or folder, and for a folder that nothing has been imported from.
    pub fn layout(&self, client: &str, folder: &str) -> Result<Layout> {
        let client = self.client(client)?;
        let unknown = || {
            let message = format!("{} has no folder \"{folder}\"", client.slug);
            Error::new(Kind::NotFound, message)
        };
        let text = self.registry().folder_settings(&client.slug, folder)?.ok_or_else(unknown)?;
        let settings = Settings::from_toml(&text).map_err(|why| Error::new(Kind::Invalid, why))?;
        let directory = self.open_directory(&client.slug)?;
        let key = directory.source(folder)?.1.key.or(settings.key);
        let mut last = directory.applied_of(folder, LAYOUTS_LOOKED_AT)?;
        // A corrections file is written otherwise than the folder's own files.
        let own = last.iter().position(|i| i.report.mode == settings.mode).unwrap_or(0);
        if last.is_empty() {
            let message = format!(
                "nothing has been imported from the folder \"{folder}\" yet, so it has no layout; choose none"
            );
            return Err(Error::new(Kind::NotFound, message));
        }
        let report = last.swap_remove(own).report;
        Ok(Layout {
            columns: report.columns,
            separator: report.file.delimiter.unwrap_or(';'),
            dates: report.file.date_format,
            key,
            settings,
        })
    }

    /// Where every value of a user comes from: file and line, or who gave it.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client.
    pub fn user_origins(&self, client: &str, user_id: i64) -> Result<Vec<Origin>> {
        let client = self.client(client)?;
        self.open_directory(&client.slug)?.user_origins(user_id)
    }

    fn day(&self, time_zone: &str, as_of: Option<Timestamp>) -> Date {
        match as_of {
            None => self.clock().today(time_zone),
            Some(at) => {
                let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
                at.to_zoned(zone).date()
            }
        }
    }
}

/// The last instant of a day.
fn end_of(day: Date, zone: &TimeZone) -> Result<Timestamp> {
    let next = day.checked_add(1.day()).and_then(|next| next.to_zoned(zone.clone()));
    let last = next.and_then(|next| next.timestamp().checked_sub(1.nanosecond()));
    last.map_err(|e| Error::caused(Kind::Invalid, format!("{day}: this day is out of range"), e))
}

/// Whether a name tells who is meant, beside number, login and e-mail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ByName {
    Never,
    /// All words of it, in any order.
    Whole,
    Part,
}

/// The words of a name without case and accents, sorted: in whichever order they are given.
fn folded_words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = text.split_whitespace().map(fold).collect();
    words.retain(|word| !word.is_empty());
    words.sort_unstable();
    words
}

/// A place in a list as one word for addresses.
fn write_cursor((name, user): &(String, i64)) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{user}\n{name}"))
}

fn read_cursor(text: &str) -> Result<(String, i64)> {
    let read = || -> Option<(String, i64)> {
        let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (user, name) = text.split_once('\n')?;
        Some((name.to_owned(), user.parse().ok()?))
    };
    read().ok_or_else(|| {
        let message = "this is no place in a list of users; begin the list again without it";
        Error::new(Kind::Invalid, message)
    })
}

fn names_of(users: &[User]) -> HashMap<i64, String> {
    users
        .iter()
        .map(|user| {
            let part = |field| user.values.get(field).unwrap_or_default();
            let name = format!("{} {}", part(Field::LastName), part(Field::FirstName));
            (user.id, name.trim().to_owned())
        })
        .collect()
}

fn view(user: User, day: Date, names: &HashMap<i64, String>) -> UserView {
    let manager = user.values.get(Field::Manager).and_then(|id| id.parse::<i64>().ok());
    UserView {
        id: user.id,
        state: Standing::of(&user, day),
        manager_name: manager.and_then(|id| names.get(&id).cloned()),
        values: user.values,
    }
}

/// The id in `#42`.
fn id_of(text: &str) -> Option<i64> {
    text.trim().strip_prefix('#')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_where_the_client_lives() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let end = end_of("2026-03-31".parse().unwrap(), &zone).unwrap();
        assert_eq!(end.to_string(), "2026-03-31T21:59:59.999999999Z");
    }

    #[test]
    fn a_place_in_a_list_is_one_word() {
        let place = ("dupré\tanne ".to_owned(), 42);
        let word = write_cursor(&place);
        assert!(
            word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'),
            "{word}"
        );
        assert_eq!(read_cursor(&word).unwrap(), place);
        for wrong in ["", "%", "YQ"] {
            assert_eq!(read_cursor(wrong).unwrap_err().kind(), Kind::Invalid, "{wrong}");
        }
    }
}
