//! Use cases about users: the directory of a client as of today or any day, one user, a user's history.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::Service;
use crate::error::{Error, Kind, Result};
use crate::import::directory::{User, Values};
use crate::import::fields::Field;
use crate::import::layout::Layout;
use crate::import::settings::Settings;

pub use crate::import::standing::Standing;
pub use crate::store::directory::{EventKind, HistoryEntry, Origin};

/// How many imports back a folder's own layout is looked for.
const LAYOUTS_LOOKED_AT: u32 = 20;

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

impl Service {
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

    /// The users of a client whose id, employee number, login, e-mail or name is `text`.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client; nobody found is an empty list.
    pub fn find_users(&self, client: &str, text: &str) -> Result<Vec<UserView>> {
        let client = self.client(client)?;
        let directory = self.open_directory(&client.slug)?;
        let mut found = directory.find_users(text)?;
        if found.is_empty()
            && let Ok(id) = text.trim().parse()
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
                "nothing has been imported from the folder \"{folder}\" yet, so it has no layout; leave --layout out"
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
