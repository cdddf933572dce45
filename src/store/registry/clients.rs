//! Clients, and remote folders with their import settings.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::retention::change_retention;
use super::{Registry, RetentionPatch};
use crate::error::{Error, Kind, Result};
use crate::model::{Client, Folder, Language, Purpose, VPath};
use crate::store::{failed, instant, to_micros, word};

/// What to change of a client; `None` leaves a value as it is.
#[derive(Debug, Clone, Default)]
pub struct ClientPatch {
    /// The name that people read.
    pub name: Option<String>,
    /// The language of its reports.
    pub language: Option<Language>,
    /// IANA time zone.
    pub time_zone: Option<String>,
    /// Whether its accounts can log in.
    pub enabled: Option<bool>,
    /// How long its things are kept.
    pub retention: RetentionPatch,
}

/// What to change of a remote folder; `None` leaves a value as it is.
#[derive(Debug, Clone, Default)]
pub struct FolderPatch {
    /// Its address below the account's root.
    pub path: Option<VPath>,
    /// What it is for.
    pub purpose: Option<Purpose>,
    /// The names that trigger an import; `Some(None)`: the default names.
    pub pattern: Option<Option<String>>,
}

impl Registry {
    /// Adds a client.
    ///
    /// # Errors
    /// `Kind::Exists` for a slug that is taken.
    pub fn add_client(&self, client: &Client) -> Result<()> {
        let client = client.clone();
        self.write(move |conn| {
            let added = conn
                .execute(
                    "INSERT INTO clients (slug, name, language, time_zone, enabled, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
                    params![
                        client.slug,
                        client.name,
                        client.language.code(),
                        client.time_zone,
                        client.enabled,
                        to_micros(client.created_at)
                    ],
                )
                .map_err(failed(format_args!("add client \"{}\"", client.slug)))?;
            if added == 0 {
                let message =
                    format!("client \"{}\" exists already; choose another slug", client.slug);
                return Err(Error::new(Kind::Exists, message));
            }
            Ok(())
        })
    }

    /// Every client, by slug.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn clients(&self) -> Result<Vec<Client>> {
        self.read("list clients", |conn| {
            conn.prepare_cached("SELECT * FROM clients ORDER BY slug")?
                .query_map([], client)?
                .collect()
        })
    }

    /// The client with this slug.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn client(&self, slug: &str) -> Result<Option<Client>> {
        self.read("read a client", |conn| {
            conn.prepare_cached("SELECT * FROM clients WHERE slug = ?1")?
                .query_row([slug], client)
                .optional()
        })
    }

    /// Changes a client and returns it as it is now.
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown slug.
    pub fn update_client(&self, slug: &str, patch: &ClientPatch) -> Result<Client> {
        let (slug, patch) = (slug.to_owned(), patch.clone());
        self.write(move |conn| {
            if patch.retention != RetentionPatch::default() {
                change_retention(conn, &slug, patch.retention)?;
            }
            conn.query_row(
                "UPDATE clients SET name = coalesce(?2, name), language = coalesce(?3, language),
                     time_zone = coalesce(?4, time_zone), enabled = coalesce(?5, enabled)
                 WHERE slug = ?1 RETURNING *",
                params![
                    slug,
                    patch.name,
                    patch.language.map(Language::code),
                    patch.time_zone,
                    patch.enabled
                ],
                client,
            )
            .optional()
            .map_err(failed(format_args!("change client \"{slug}\"")))?
            .ok_or_else(|| no_client(&slug))
        })
    }

    /// Removes a client with its accounts, folders and uploads from the registry (not its files).
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown slug.
    pub fn remove_client(&self, slug: &str) -> Result<()> {
        let slug = slug.to_owned();
        self.write(move |conn| {
            let removed = conn
                .execute("DELETE FROM clients WHERE slug = ?1", [&slug])
                .map_err(failed(format_args!("remove client \"{slug}\"")))?;
            if removed == 0 { Err(no_client(&slug)) } else { Ok(()) }
        })
    }

    /// The folders of an account, by path.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn folders(&self, login: &str) -> Result<Vec<Folder>> {
        self.read("list folders", |conn| folders_of(conn, login))
    }

    /// The folders of a client, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn client_folders(&self, client: &str) -> Result<Vec<Folder>> {
        self.read("list folders", |conn| {
            conn.prepare_cached("SELECT * FROM folders WHERE client = ?1 ORDER BY name")?
                .query_map([client], folder)?
                .collect()
        })
    }

    /// Changes a folder and returns it as it is now.
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown folder, `Kind::Exists` for a name or path that is taken.
    pub fn update_folder(&self, login: &str, name: &str, patch: &FolderPatch) -> Result<Folder> {
        let (login, name, patch) = (login.to_owned(), name.to_owned(), patch.clone());
        self.write(move |conn| {
            let mut now = conn
                .query_row(
                    "SELECT * FROM folders WHERE login = ?1 AND name = ?2",
                    [&login, &name],
                    folder,
                )
                .optional()
                .map_err(failed(format_args!("read folder \"{name}\"")))?
                .ok_or_else(|| no_folder(&login, &name))?;
            now.path = patch.path.unwrap_or(now.path);
            now.purpose = patch.purpose.unwrap_or(now.purpose);
            now.pattern = patch.pattern.unwrap_or(now.pattern);
            conn.execute(
                "UPDATE folders SET path = ?3, purpose = ?4, pattern = ?5
                 WHERE login = ?1 AND name = ?2",
                params![login, name, now.path.as_str(), now.purpose.name(), now.pattern],
            )
            .map_err(|e| taken_folder(e, &now))?;
            Ok(now)
        })
    }

    /// Removes a folder from the registry (its files stay).
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown folder.
    pub fn remove_folder(&self, login: &str, name: &str) -> Result<()> {
        let (login, name) = (login.to_owned(), name.to_owned());
        self.write(move |conn| {
            let removed = conn
                .execute("DELETE FROM folders WHERE login = ?1 AND name = ?2", [&login, &name])
                .map_err(failed(format_args!("remove folder \"{name}\"")))?;
            if removed == 0 { Err(no_folder(&login, &name)) } else { Ok(()) }
        })
    }

    /// The import settings of a folder as TOML; `None`: no such folder; an empty text: all defaults.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn folder_settings(&self, client: &str, folder_name: &str) -> Result<Option<String>> {
        self.read("read import settings", |conn| {
            conn.prepare_cached(
                "SELECT coalesce(settings, '') FROM folders WHERE client = ?1 AND name = ?2",
            )?
            .query_row([client, folder_name], |row| row.get(0))
            .optional()
        })
    }

    /// Replaces the import settings of a folder, if they are still `before` (when that is given).
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown folder; `Kind::Conflict` if somebody has changed them since.
    pub fn set_folder_settings(
        &self,
        client: &str,
        folder_name: &str,
        toml: &str,
        before: Option<&str>,
    ) -> Result<()> {
        let (client, name, toml) = (client.to_owned(), folder_name.to_owned(), toml.to_owned());
        let before = before.map(str::to_owned);
        self.write(move |conn| {
            let fault = || failed(format!("change the settings of folder \"{name}\""));
            let now: Option<String> = conn
                .query_row(
                    "SELECT coalesce(settings, '') FROM folders WHERE client = ?1 AND name = ?2",
                    [&client, &name],
                    |row| row.get(0),
                )
                .optional()
                .map_err(fault())?;
            let Some(now) = now else { return Err(no_folder(&client, &name)) };
            if before.is_some_and(|before| before != now) {
                let message = format!(
                    "the import settings of {client}/{name} were changed by somebody else in the meantime; \
                     look at what they are now, and save again"
                );
                return Err(Error::new(Kind::Conflict, message));
            }
            conn.execute(
                "UPDATE folders SET settings = ?3 WHERE client = ?1 AND name = ?2",
                [&client, &name, &toml],
            )
            .map_err(fault())?;
            Ok(())
        })
    }
}

pub(super) fn insert_folder(
    conn: &Connection,
    client: &str,
    folder: &Folder,
    settings: Option<&str>,
) -> Result<()> {
    conn.execute(
        "INSERT INTO folders (client, name, login, path, purpose, pattern, settings)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            client,
            folder.name,
            folder.login,
            folder.path.as_str(),
            folder.purpose.name(),
            folder.pattern,
            settings
        ],
    )
    .map_err(|e| taken_folder(e, folder))?;
    Ok(())
}

pub(super) fn folders_of(conn: &Connection, login: &str) -> rusqlite::Result<Vec<Folder>> {
    conn.prepare_cached("SELECT * FROM folders WHERE login = ?1 ORDER BY path")?
        .query_map([login], folder)?
        .collect()
}

pub(super) fn client(row: &Row<'_>) -> rusqlite::Result<Client> {
    Ok(Client {
        slug: row.get("slug")?,
        name: row.get("name")?,
        language: word(row, "language")?,
        time_zone: row.get("time_zone")?,
        enabled: row.get("enabled")?,
        created_at: instant(row, "created_at")?,
    })
}

fn folder(row: &Row<'_>) -> rusqlite::Result<Folder> {
    Ok(Folder {
        login: row.get("login")?,
        name: row.get("name")?,
        path: word(row, "path")?,
        purpose: word(row, "purpose")?,
        pattern: row.get("pattern")?,
    })
}

pub(super) fn no_client(slug: &str) -> Error {
    Error::new(Kind::NotFound, format!("there is no client \"{slug}\"; see `rollcall client list`"))
}

pub(super) fn no_folder(owner: &str, name: &str) -> Error {
    let message = format!("\"{owner}\" has no folder \"{name}\"; see `rollcall folder list`");
    Error::new(Kind::NotFound, message)
}

pub(super) fn taken_folder(error: rusqlite::Error, folder: &Folder) -> Error {
    let error = failed(format_args!("write folder \"{}\"", folder.name))(error);
    if error.kind() != Kind::Exists {
        return error;
    }
    let message = format!(
        "folder \"{}\" at {}: the client has a folder of that name, or the account one at that path; \
         choose another",
        folder.name, folder.path
    );
    Error::caused(Kind::Exists, message, error)
}
