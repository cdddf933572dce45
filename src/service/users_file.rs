//! The use case of taking users along: a list as a file, and the codes that lists are filtered by.

use serde::Serialize;

use super::Service;
use super::people::{Person, csv};
use super::users::{UserFilter, UserView};
use crate::error::{Error, Kind, Result};
use crate::import::directory::User;
use crate::import::fields::Field;
use crate::import::layout;
use crate::import::standing::Standing;

/// How a file of users is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsersFormat {
    /// Every field that somebody has, comma-separated, as an import would read it.
    Csv,
    /// The objects of `rollcall users list --json`.
    Json,
    /// As the last file of this import folder: its columns, headers, separator and dates.
    Layout(String),
}

/// How much of a person a reader may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Everything.
    Whole,
    /// Nothing that reports mask.
    Masked,
}

/// A file of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsersFile {
    /// A name for it.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// Who is not in it: users without a part of the folder's key.
    pub left_out: usize,
}

/// A code of a reference list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CodeView {
    /// The code.
    pub code: String,
    /// Its name, if somebody gave one.
    pub name: Option<String>,
}

impl Service {
    /// The whole list that a filter selects (its `after` and `limit` do not count) as a file. That it was taken stands in the
    /// audit trail.
    ///
    /// # Errors
    /// As [`Service::users_page`] and [`Service::layout`].
    pub fn users_file(
        &self,
        client: &str,
        filter: &UserFilter,
        format: &UsersFormat,
        sight: Sight,
    ) -> Result<UsersFile> {
        let all = UserFilter { after: None, limit: u32::MAX, ..filter.clone() };
        let mut persons = self.users_page(client, &all)?.users;
        if sight == Sight::Masked {
            persons = persons.into_iter().map(Person::without_sensitive).collect();
        }
        let (bytes, left_out, ending) = match format {
            UsersFormat::Csv => (csv(&persons).into_bytes(), 0, "csv"),
            UsersFormat::Json => {
                let json = serde_json::to_vec_pretty(&persons).map_err(|e| {
                    Error::caused(Kind::Internal, "writing the users as JSON".to_owned(), e)
                })?;
                (json, 0, "json")
            }
            UsersFormat::Layout(folder) => {
                let known_at =
                    filter.as_of.map(|date| self.end_of_day(client, date)).transpose()?;
                let everybody = self.users(client, known_at)?;
                let (bytes, left_out) = self.in_layout(client, folder, &persons, everybody)?;
                (bytes, left_out, "csv")
            }
        };
        let zone = self.client(client)?.time_zone;
        let day = filter.as_of.unwrap_or_else(|| self.clock().today(&zone));
        self.record(
            "users.export",
            client,
            &match persons.len() {
                1 => "1 user".to_owned(),
                n => format!("{n} users"),
            },
        );
        Ok(UsersFile { name: format!("{client}-users-{day}.{ending}"), bytes, left_out })
    }

    /// Users as the last file of an import folder is written, and how many are left out: those without a part of its key.
    /// Whom the folder's file could not say (leavers, where it has no end) is not in it. `everybody` is the directory that
    /// managers are looked up in.
    ///
    /// # Errors
    /// As [`Service::layout`].
    pub fn in_layout(
        &self,
        client: &str,
        folder: &str,
        persons: &[Person],
        everybody: Vec<UserView>,
    ) -> Result<(Vec<u8>, usize)> {
        let layout = self.layout(client, folder)?;
        let user = |id, values, withdrawn| User { id, withdrawn, values };
        let users: Vec<User> = persons
            .iter()
            .filter(|p| layout.admits(p.state))
            .map(|p| user(p.id, p.values.clone(), false))
            .collect();
        let everybody: Vec<User> = everybody
            .into_iter()
            .map(|u| user(u.id, u.values, u.state == Standing::Withdrawn))
            .collect();
        Ok(layout::write(&layout, &users, &everybody))
    }

    /// The first codes of one of a client's reference lists.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client.
    pub fn codes(&self, client: &str, field: Field, most: u32) -> Result<Vec<CodeView>> {
        let client = self.client(client)?;
        let codes = self.open_directory(&client.slug)?.codes_of(field, most)?;
        Ok(codes.into_iter().map(|(code, name)| CodeView { code, name }).collect())
    }
}
