//! Use cases about reference lists: show, load, add, remove, and what became of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::users::UserView;
use super::{Service, commit};
use crate::error::{Error, Kind, Result};
use crate::import::fields::Field;
use crate::import::lists::{LISTS, list_of};
use crate::import::standing::Standing;
use crate::import::table::TableLimits;
use crate::import::{list_file, unpack};
use crate::store::directory::{Event, EventKind, ListEntry, ListWrite, Removal};

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryView {
    /// What it is.
    #[serde(flatten)]
    pub entry: CodeView,
    /// How many users have it.
    pub users: u64,
}

/// A code of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CodeView {
    /// The list.
    pub field: Field,
    /// The code.
    pub code: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Whether somebody loaded it; else files brought it.
    pub loaded: bool,
}

impl From<ListEntry> for CodeView {
    fn from(entry: ListEntry) -> Self {
        Self {
            loaded: entry.name.is_some(),
            name: entry.name.filter(|name| *name != entry.code),
            field: entry.field,
            code: entry.code,
        }
    }
}

/// A change of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListChangeView {
    /// When.
    pub at: Timestamp,
    /// The list.
    pub field: Field,
    /// The code.
    pub code: String,
    /// `added`, `named` or `removed`.
    pub what: String,
    /// Its name then.
    pub name: Option<String>,
    /// The file that brought it, or who changed it.
    pub by: String,
}

/// What a change of a list did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListWritten {
    /// The list.
    pub field: Field,
    /// Codes that are new.
    pub added: Vec<String>,
    /// Codes that have another name now, or are known as loaded from now on.
    pub named: Vec<String>,
    /// Codes that are gone.
    pub removed: Vec<String>,
    /// How many users who have left still have a code that is gone.
    pub left_users: u64,
    /// How many entries stayed as they were.
    pub unchanged: u64,
}

/// What a loaded file does to entries that are not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// They stay.
    Stay,
    /// They go, unless somebody has them.
    Go,
}

/// How many users have a code; secondary roles are codes of the roles' list, one a line.
fn users_with(users: &[UserView], list: Field, code: &str) -> u64 {
    let has = |user: &&UserView| {
        let also = user.values.get(Field::Roles).filter(|_| list == Field::Role);
        user.state != Standing::Withdrawn
            && (user.values.get(list) == Some(code)
                || also.is_some_and(|roles| roles.split('\n').any(|role| role == code)))
    };
    u64::try_from(users.iter().filter(has).count()).unwrap_or(u64::MAX)
}

impl Service {
    /// The entries of a client's list, or of all its lists, by list and code.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client; `Kind::Invalid` for a field without list.
    pub fn lists(&self, client: &str, field: Option<&str>) -> Result<Vec<EntryView>> {
        let client = self.client(client)?;
        let field = field.map(checked_list).transpose()?;
        let entries = self.open_directory(&client.slug)?.counted_lists(field)?;
        let view = |(entry, users): (ListEntry, u64)| EntryView { entry: entry.into(), users };
        Ok(entries.into_iter().map(view).collect())
    }

    /// The codes of every list, or of one, nobody counted.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client; `Kind::Invalid` for a list that there is not.
    pub fn list_codes(&self, client: &str, field: Option<&str>) -> Result<Vec<CodeView>> {
        let client = self.client(client)?;
        let field = field.map(checked_list).transpose()?;
        let entries = self.open_directory(&client.slug)?.lists(field)?;
        Ok(entries.into_iter().map(CodeView::from).collect())
    }

    /// The same as it was at the end of a day, as far back as the history of the lists goes.
    ///
    /// # Errors
    /// As [`Service::lists`]; `Kind::Invalid` for a day that no clock reaches.
    pub fn lists_on(&self, client: &str, field: Option<&str>, day: Date) -> Result<Vec<EntryView>> {
        let end = self.end_of_day(client, day)?;
        let changes = self.list_history(client, field)?;
        let mut entries: BTreeMap<(Field, String), Option<String>> = BTreeMap::new();
        for change in changes.into_iter().filter(|change| change.at <= end) {
            let place = (change.field, change.code);
            if change.what == "removed" {
                entries.remove(&place);
            } else {
                entries.insert(place, change.name);
            }
        }
        let users = self.users(client, Some(end))?;
        let view = |((field, code), name): ((Field, String), Option<String>)| EntryView {
            users: users_with(&users, field, &code),
            entry: ListEntry { field, code, name }.into(),
        };
        Ok(entries.into_iter().map(view).collect())
    }

    /// What became of the entries of a list, or of all, oldest first.
    ///
    /// # Errors
    /// As [`Service::lists`].
    pub fn list_history(&self, client: &str, field: Option<&str>) -> Result<Vec<ListChangeView>> {
        let client = self.client(client)?;
        let field = field.map(checked_list).transpose()?;
        let changes = self.open_directory(&client.slug)?.list_history(field)?;
        let view = |change: crate::store::directory::ListChange| ListChangeView {
            at: change.at,
            field: change.field,
            code: change.code,
            what: change.what,
            name: change.name,
            by: change.by,
        };
        Ok(changes.into_iter().map(view).collect())
    }

    /// Loads a list from a file of codes and names, in any form that an import reads.
    ///
    /// # Errors
    /// As [`Service::lists`]; `Kind::Invalid` for a file that is no list, with its line; `Kind::Conflict` for
    /// entries that would go and are in use.
    pub fn load_list(
        &self,
        client: &str,
        field: &str,
        bytes: &[u8],
        others: Others,
        who: &str,
    ) -> Result<ListWritten> {
        let field = checked_list(field)?;
        let limits = &self.config().limits;
        let refused =
            |why: String| Error::new(Kind::Invalid, format!("the file is no list: {why}"));
        let unpacking = unpack::UnpackLimits {
            max_bytes: limits.max_import_bytes,
            max_ratio: limits.max_unpack_ratio,
            max_columns: limits.max_columns,
        };
        let limits =
            TableLimits { max_columns: limits.max_columns, max_cell_bytes: limits.max_cell_bytes };
        let put = list_file::read(bytes, field, &unpacking, &limits).map_err(refused)?;
        let remove = match others {
            Others::Stay => Removal::None,
            Others::Go => Removal::Others,
        };
        self.write_list(client, field, &put, remove, who)
    }

    /// Adds an entry, or gives one that is there a name.
    ///
    /// # Errors
    /// As [`Service::load_list`].
    pub fn add_list_entry(
        &self,
        client: &str,
        field: &str,
        code: &str,
        name: Option<&str>,
        who: &str,
    ) -> Result<ListWritten> {
        let field = checked_list(field)?;
        let code =
            list_file::entry_text(field, code).map_err(|why| Error::new(Kind::Invalid, why))?;
        let name = name
            .map(|name| list_file::entry_text(field, name))
            .transpose()
            .map_err(|why| Error::new(Kind::Invalid, why))?;
        self.write_list(client, field, &[(code, name)], Removal::None, who)
    }

    /// Accepts codes that files have brought as codes of ours; all of the list's if none is named.
    ///
    /// # Errors
    /// As [`Service::load_list`]; `Kind::NotFound` for codes that are no entries.
    pub fn accept_list_entries(
        &self,
        client: &str,
        field: &str,
        codes: &[String],
        who: &str,
    ) -> Result<ListWritten> {
        let checked = checked_list(field)?;
        let known = self.list_codes(client, Some(field))?;
        if let Some(code) = codes.iter().find(|code| !known.iter().any(|e| e.code == **code)) {
            let message = format!("the list {checked} has no \"{code}\"; nothing was changed");
            return Err(Error::new(Kind::NotFound, message));
        }
        let wanted = |entry: &CodeView| codes.is_empty() || codes.contains(&entry.code);
        let put: Vec<(String, Option<String>)> = known
            .into_iter()
            .filter(|entry| !entry.loaded && wanted(entry))
            .map(|entry| (entry.code, None))
            .collect();
        self.write_list(client, checked, &put, Removal::None, who)
    }

    /// Removes entries that nobody has.
    ///
    /// # Errors
    /// As [`Service::load_list`]; `Kind::NotFound` for codes that are no entries.
    pub fn remove_list_entries(
        &self,
        client: &str,
        field: &str,
        codes: &[String],
        who: &str,
    ) -> Result<ListWritten> {
        self.write_list(client, checked_list(field)?, &[], Removal::Codes(codes), who)
    }

    fn write_list(
        &self,
        client: &str,
        field: Field,
        put: &[(String, Option<String>)],
        remove: Removal<'_>,
        who: &str,
    ) -> Result<ListWritten> {
        let client = self.client(client)?;
        let space = self.client_space(&client.slug)?;
        // An import that plans right now must not find its lists changed under it.
        let _lock = space.lock()?;
        let mut directory = self.directory(&space)?;
        let event = Event {
            id: commit::new_id(self.clock()),
            kind: EventKind::Lists,
            about: None,
            source: String::new(),
            who: who.to_owned(),
            at: self.clock().now(),
        };
        let today = self.clock().today(&client.time_zone);
        let written = directory.write_list(&event, &ListWrite { field, put, remove, today })?;
        self.keep_directory(&space, directory);
        let counts = format!(
            "{} added, {} named, {} removed",
            written.added.len(),
            written.named.len(),
            written.removed.len()
        );
        self.record("lists.write", &format!("{}/{field}", client.slug), &counts);
        Ok(ListWritten {
            field,
            added: written.added,
            named: written.named,
            left_users: written.removed.iter().map(|(_, left)| left).sum(),
            removed: written.removed.into_iter().map(|(code, _)| code).collect(),
            unchanged: written.unchanged,
        })
    }
}

fn checked_list(name: &str) -> Result<Field> {
    Field::from_name(name).and_then(list_of).ok_or_else(|| {
        let lists: Vec<&str> = LISTS.iter().map(|list| list.name()).collect();
        Error::new(
            Kind::NotFound,
            format!("\"{name}\" has no list; there are: {}", lists.join(", ")),
        )
    })
}
