//! Use cases about value maps: the codes that files bring and nobody knows, and what they are to stand for.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::Service;
use super::settings::{Seen, again_if_latest};
use crate::error::{Error, Kind, Result};
use crate::import::fields::{Field, FieldKey};
use crate::import::lists::{ListIndex, Meaning, fold_words, list_of};
use crate::import::settings::{Change, Settings, Unmapped, find};
use crate::import::text::clean_words;
use crate::store::directory::Directory;

/// A code that a folder's files have brought and nobody has placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnknownView {
    /// The field.
    pub field: FieldKey,
    /// As the file writes it.
    pub code: String,
    /// The rows of the last file that had it.
    pub rows: u64,
    /// The first of these rows.
    pub line: u32,
    /// That file.
    pub file: String,
    /// When it was received.
    pub received_at: Option<Timestamp>,
    /// The entry with the same name, if there is exactly one.
    pub suggestion: Option<String>,
    /// Loaded entries that look like it.
    pub near: Vec<String>,
}

/// What is to become of codes that are not in a value map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rest {
    /// As before.
    AsBefore,
    /// This.
    Becomes(Unmapped),
}

/// What is to become of one value map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapChange {
    /// The field.
    pub field: FieldKey,
    /// Codes of theirs and of ours; an empty one of ours takes theirs out.
    pub codes: Vec<(String, String)>,
    /// What becomes of the others.
    pub rest: Rest,
}

/// For so many codes near entries are looked for.
const NEAR: usize = 500;

impl Service {
    /// The codes of a folder's files that no value map has, no list had, and nobody has accepted since by loading
    /// them into a list.
    ///
    /// # Errors
    /// As [`Service::settings`].
    pub fn unknown_codes(&self, client: &str, folder: &str) -> Result<Vec<UnknownView>> {
        let settings = self.settings(client, folder)?;
        let client = self.client(client)?;
        let directory = self.open_directory(&client.slug)?;
        let loaded = Loaded::of(&directory)?;
        let indexes = loaded.indexes();
        let unknown = directory.unmapped(folder)?;
        let open = unknown.into_iter().filter(|unknown| {
            let (key, code) = (&unknown.found.field, &unknown.found.code);
            let index = list_of_key(key).and_then(|list| indexes.get(&list));
            let is_listed =
                index.is_some_and(|index| matches!(index.find(code), Meaning::Entry(_)));
            !is_mapped(&settings, key, code) && !is_listed
        });
        let alike = loaded.alike(&settings);
        let views = open.enumerate().map(|(place, unknown)| {
            let (field, code) = (unknown.found.field, unknown.found.code);
            let index = list_of_key(&field).and_then(|list| indexes.get(&list));
            UnknownView {
                suggestion: suggestion(&alike, &field, &code),
                near: index
                    .filter(|_| place < NEAR)
                    .map(|index| index.near(&code))
                    .unwrap_or_default(),
                field,
                code,
                rows: unknown.found.rows,
                line: unknown.found.line,
                file: unknown.file_name,
                received_at: unknown.received_at,
            }
        });
        Ok(views.collect())
    }

    /// Adds codes to a folder's value map (an empty text takes one out), and says what becomes of the others.
    ///
    /// # Errors
    /// As [`Service::set_settings`]; `Kind::NotFound` for a code that is to be taken out and is not in the map.
    pub fn set_mappings(
        &self,
        client: &str,
        folder: &str,
        field: &FieldKey,
        codes: &[(String, String)],
        rest: Rest,
    ) -> Result<Settings> {
        let change = MapChange { field: field.clone(), codes: codes.to_vec(), rest };
        self.change_mappings(client, folder, Seen::Latest, &[change])
    }

    /// Changes several value maps of a folder in one go, and nothing else of its settings.
    ///
    /// # Errors
    /// As [`Service::set_mappings`]; `Kind::Conflict` if somebody has changed the settings since they were seen.
    pub fn change_mappings(
        &self,
        client: &str,
        folder: &str,
        seen: Seen<'_>,
        maps: &[MapChange],
    ) -> Result<Settings> {
        again_if_latest(seen, || self.change_these_mappings((client, folder), seen, maps))
    }

    fn change_these_mappings(
        &self,
        (client, folder): (&str, &str),
        seen: Seen<'_>,
        maps: &[MapChange],
    ) -> Result<Settings> {
        let document = self.settings_document(client, folder)?;
        let now: toml::Table = document.text.parse().map_err(|e: toml::de::Error| {
            Error::new(Kind::Invalid, format!("the import settings of {client}/{folder}: {e}"))
        })?;
        // What is decided here is decided about this document.
        let seen = match seen {
            Seen::Latest => Seen::Version(&document.version),
            seen => seen,
        };
        let mut changes = Vec::new();
        for map in maps {
            changes.extend(changes_of(&now, map)?);
        }
        self.change_settings(client, folder, seen, &changes)
    }

    /// Adds the value maps of a TOML document, as `mappings suggest` writes it, to those of a folder.
    ///
    /// # Errors
    /// As [`Service::set_settings`]; `Kind::Invalid` for a document with other settings than value maps.
    pub fn load_mappings(&self, client: &str, folder: &str, toml: &str) -> Result<Settings> {
        let refused = |problem| Error::new(Kind::Invalid, problem);
        let given = Settings::from_toml(toml).map_err(refused)?;
        let alone = Settings { value_maps: BTreeMap::new(), ..given.clone() };
        if alone != Settings::default() {
            return Err(refused(
                "only [value_maps.…] can stand in this file; load other settings with: rollcall settings load"
                    .to_owned(),
            ));
        }
        let maps: Vec<MapChange> = given
            .value_maps
            .into_iter()
            .map(|(field, map)| MapChange {
                field,
                codes: map.codes.into_iter().collect(),
                // Left out, it says nothing about the codes that are not mapped.
                rest: match map.unmapped {
                    Unmapped::Keep => Rest::AsBefore,
                    other => Rest::Becomes(other),
                },
            })
            .collect();
        self.change_mappings(client, folder, Seen::Latest, &maps)
    }
}

/// The changes of a settings document by which a value map becomes what is asked for.
fn changes_of(document: &toml::Table, map: &MapChange) -> Result<Vec<Change>> {
    let field = map.field.to_string();
    let here = |name: &str| vec!["value_maps".to_owned(), field.clone(), name.to_owned()];
    let written = find(document, &here("codes")).and_then(toml::Value::as_table);
    let mut left: Vec<&String> = written.into_iter().flat_map(toml::Table::keys).collect();
    let mut changes = Vec::new();
    let mut change = |name: &str, code: Option<&str>, value: Option<&str>| {
        let path = here(name).into_iter().chain(code.map(str::to_owned)).collect();
        changes.push(Change { path, value: value.map(toml::Value::from) });
    };
    for (theirs, ours) in &map.codes {
        let theirs = clean_words(theirs).into_owned();
        let small = theirs.to_lowercase();
        let same: Vec<&String> =
            left.extract_if(.., |code| clean_words(code).to_lowercase() == small).collect();
        let ours = ours.trim();
        if ours.is_empty() && same.is_empty() {
            let message = format!(
                "value_maps.{field} has no code \"{theirs}\", so it cannot be taken out; write THEIRS=OURS to add it"
            );
            return Err(Error::new(Kind::NotFound, message));
        }
        // Capitals do not matter to a map, so one code has one line.
        let (kept, gone) = match same.split_first() {
            Some((first, others)) if !ours.is_empty() => (Some(first.as_str()), others),
            _ => (None, same.as_slice()),
        };
        for code in gone {
            change("codes", Some(code), None);
        }
        if !ours.is_empty() {
            change("codes", Some(kept.unwrap_or(&theirs)), Some(ours));
        }
    }
    if let Rest::Becomes(unmapped) = &map.rest {
        let (rule, default) = match unmapped {
            Unmapped::Keep => (None, None),
            Unmapped::Block => (Some("block"), None),
            Unmapped::Default(ours) => (Some("default"), Some(ours.as_str())),
        };
        change("unmapped", None, rule);
        change("default", None, default);
    }
    Ok(changes)
}

fn is_mapped(settings: &Settings, key: &FieldKey, code: &str) -> bool {
    let small = code.to_lowercase();
    settings.value_maps.get(key).is_some_and(|map| {
        matches!(map.unmapped, Unmapped::Default(_))
            || map.codes.keys().any(|theirs| theirs.to_lowercase() == small)
    })
}

fn list_of_key(key: &FieldKey) -> Option<Field> {
    match key {
        FieldKey::Known(field) => list_of(*field),
        FieldKey::Custom(_) => None,
    }
}

/// By field and folded name: the codes of ours that have this name.
type Alike = BTreeMap<FieldKey, BTreeMap<String, BTreeSet<String>>>;

/// The entries that somebody loaded: only these say what the client's own codes are.
#[derive(Default)]
struct Loaded {
    codes: BTreeMap<Field, BTreeSet<String>>,
    names: BTreeMap<Field, BTreeMap<String, String>>,
}

impl Loaded {
    fn of(directory: &Directory) -> Result<Self> {
        let mut loaded = Self::default();
        for entry in directory.lists(None)? {
            if let Some(name) = entry.name {
                loaded.codes.entry(entry.field).or_default().insert(entry.code.clone());
                loaded.names.entry(entry.field).or_default().insert(entry.code, name);
            }
        }
        Ok(loaded)
    }

    fn indexes(&self) -> BTreeMap<Field, ListIndex<'_>> {
        let names = |field| self.names.get(field);
        self.codes
            .iter()
            .filter_map(|(field, codes)| Some((*field, ListIndex::new(codes, names(field)?))))
            .collect()
    }

    /// The codes of the lists by code and name, and those that the value maps give already.
    fn alike(&self, settings: &Settings) -> Alike {
        let mut alike = Alike::new();
        let mut add = |key: FieldKey, name: &str, code: &str| {
            let codes = alike.entry(key).or_default().entry(fold_words(name)).or_default();
            codes.insert(code.to_owned());
        };
        for (field, names) in &self.names {
            for (code, name) in names {
                add(FieldKey::Known(*field), code, code);
                add(FieldKey::Known(*field), name, code);
            }
        }
        for (key, map) in &settings.value_maps {
            map.codes.values().for_each(|ours| add(key.clone(), ours, ours));
        }
        alike
    }
}

/// The one code of ours whose name is the same but for case, accents and signs.
fn suggestion(alike: &Alike, key: &FieldKey, code: &str) -> Option<String> {
    let wanted = fold_words(code);
    let same = alike.get(key)?.get(&wanted).filter(|_| !wanted.is_empty())?;
    let mut same = same.iter().filter(|ours| *ours != code);
    match (same.next(), same.next()) {
        (Some(ours), None) => Some(ours.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_name_is_suggested() {
        let mut loaded = Loaded::default();
        let names = [("10", "Comptabilité"), ("41", "Ventes"), ("42", "VENTES")];
        let names = names.map(|(code, name)| (code.to_owned(), name.to_owned())).into();
        loaded.names.insert(Field::Department, names);
        let settings =
            Settings::from_toml("[value_maps.department.codes]\n\"RD\" = \"Research & Co\"")
                .unwrap();
        let alike = loaded.alike(&settings);
        let key = FieldKey::Known(Field::Department);
        for (code, expected) in [
            ("COMPTABILITE", Some("10")),
            ("Comptabilité France", None),
            ("ventes", None),
            ("research co", Some("Research & Co")),
            ("&", None),
        ] {
            assert_eq!(suggestion(&alike, &key, code).as_deref(), expected, "{code}");
        }
        assert_eq!(suggestion(&alike, &FieldKey::Known(Field::Csp), "Comptabilité"), None);
    }
}
