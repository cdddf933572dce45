//! An empty CSV that fits a folder's settings, with one invented person.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Service;
use super::lists::CodeView;
use crate::error::Result;
use crate::import::directory::{DateOrder, Key};
use crate::import::fields::{Field, FieldKey, names};
use crate::import::lists::list_of;
use crate::import::report::field_words;
use crate::import::settings::{Settings, Unmapped, key_fields};
use crate::import::text::fold;
use crate::model::Language;

/// The columns that most payrolls have, after the key.
const USUAL: &[Field] = &[
    Field::LastName,
    Field::FirstName,
    Field::Email,
    Field::ContractStart,
    Field::ContractEnd,
    Field::BirthDate,
    Field::Department,
    Field::JobTitle,
    Field::Manager,
];

/// What a file for an import folder may look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its columns.
    pub columns: Vec<TemplateColumn>,
    /// The file: the header and one row.
    pub csv: String,
}

/// A column of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TemplateColumn {
    /// What it stands for.
    pub field: Field,
    /// What stands above it.
    pub header: String,
}

impl Service {
    /// An empty CSV for an import folder: the header, in the client's language, and one example row.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client or folder.
    pub fn template(&self, client: &str, folder: &str) -> Result<Template> {
        let client = self.client(client)?;
        let settings = self.settings(&client.slug, folder)?;
        let fields = columns(&settings);
        let codes = codes(&self.list_codes(&client.slug, None)?, &settings);
        let column = |field: &Field| TemplateColumn {
            field: *field,
            header: header(*field, &settings, client.language),
        };
        Ok(Template {
            columns: fields.iter().map(column).collect(),
            csv: csv(&fields, &settings, &codes, client.language),
        })
    }
}

/// The key first: the first columns decide who a row is. Then what the settings require, then the usual ones.
fn columns(settings: &Settings) -> Vec<Field> {
    let key = settings.key.unwrap_or(Key::LegalEntityAndEmployeeNumber);
    let required = settings.required.as_deref().unwrap_or_default();
    let mut fields: Vec<Field> = Vec::new();
    for field in key_fields(key).iter().chain(required).chain(USUAL) {
        if !fields.contains(field) {
            fields.push(*field);
        }
    }
    fields
}

/// For each field whose codes are limited or known, one that an import takes.
type Codes = BTreeMap<Field, String>;

/// Their code where the value map takes no other, else an entry of the list that somebody loaded or closed.
fn codes(entries: &[CodeView], settings: &Settings) -> Codes {
    let mut codes = Codes::new();
    for field in Field::ALL {
        let Some(list) = list_of(*field) else { continue };
        let map = settings.value_maps.get(&FieldKey::Known(*field));
        let blocks = map.filter(|map| map.unmapped == Unmapped::Block);
        let theirs = blocks.and_then(|map| map.codes.keys().next());
        let closed = settings.closed_lists.contains(&list);
        let listed = entries.iter().find(|entry| entry.field == list && (closed || entry.loaded));
        if let Some(code) = theirs.or(listed.map(|entry| &entry.code)) {
            codes.insert(*field, code.clone());
        }
    }
    codes
}

/// With byte-order mark and line ends as spreadsheets want them.
fn csv(fields: &[Field], settings: &Settings, codes: &Codes, language: Language) -> String {
    let separator = if language == Language::En { "," } else { ";" };
    let heads: Vec<String> =
        fields.iter().map(|f| quoted(header(*f, settings, language), separator)).collect();
    let example: Vec<String> = fields
        .iter()
        .map(|field| match codes.get(field) {
            Some(code) => quoted(code.clone(), separator),
            None => example(*field, settings, language),
        })
        .collect();
    format!("\u{feff}{}\r\n{}\r\n", heads.join(separator), example.join(separator))
}

/// A client's own header may hold the separator.
fn quoted(cell: String, separator: &str) -> String {
    if cell.contains(separator) || cell.contains(['"', '\n']) {
        return format!("\"{}\"", cell.replace('"', "\"\""));
    }
    cell
}

/// The client's own header for a field, else a name in the client's language that an import recognises.
fn header(field: Field, settings: &Settings, language: Language) -> String {
    let key = FieldKey::Known(field);
    if let Some((header, _)) = settings.aliases.iter().find(|(_, to)| **to == key) {
        return header.clone();
    }
    let names = names(field);
    let shown = field_words(&key, language).into_owned();
    let folded = fold(&shown);
    if names.synonyms().chain(names.codes.iter().copied()).any(|name| fold(name) == folded) {
        return shown;
    }
    let own = match language {
        Language::En => &names.en,
        Language::Fr => &names.fr,
        Language::De => &names.de,
    };
    let first = own.iter().chain(&names.codes).next();
    capitalised(first.copied().unwrap_or_else(|| field.name()))
}

fn capitalised(text: &str) -> String {
    let mut signs = text.chars();
    signs.next().map(|first| first.to_uppercase().chain(signs).collect()).unwrap_or_default()
}

/// The invented person's value. The first day is above 12, so that the file proves the order of its dates.
fn example(field: Field, settings: &Settings, language: Language) -> String {
    let date = |y: &str, m: &str, d: &str| match (settings.dates, language) {
        (Some(DateOrder::Mdy), _) => format!("{m}/{d}/{y}"),
        (Some(DateOrder::Ymd), _) | (None, Language::En) => format!("{y}-{m}-{d}"),
        (_, Language::De) => format!("{d}.{m}.{y}"),
        _ => format!("{d}/{m}/{y}"),
    };
    match field {
        Field::LegalEntity => "FR01".to_owned(),
        Field::EmployeeNumber => "00042".to_owned(),
        Field::Login => "anne.dupont".to_owned(),
        Field::LastName => "DUPONT".to_owned(),
        Field::FirstName => "Anne".to_owned(),
        Field::Email => "anne.dupont@example.org".to_owned(),
        Field::ContractStart => date("2026", "01", "15"),
        Field::BirthDate => date("1990", "05", "28"),
        // Somebody must be at the top; whoever names their own number is.
        Field::Manager if is_required(settings, field) => "00042".to_owned(),
        Field::Culture => match language {
            Language::En => "en-GB".to_owned(),
            Language::Fr => "fr-FR".to_owned(),
            Language::De => "de-DE".to_owned(),
        },
        Field::Gender | Field::Fte | Field::WeeklyHours if !is_required(settings, field) => {
            String::new()
        }
        Field::Gender => "F".to_owned(),
        Field::Fte => "1".to_owned(),
        Field::WeeklyHours => "35".to_owned(),
        Field::ContractEnd => String::new(),
        Field::SeniorityDate if is_required(settings, field) => date("2026", "01", "15"),
        _ if is_required(settings, field) => "A1".to_owned(),
        _ => String::new(),
    }
}

fn is_required(settings: &Settings, field: Field) -> bool {
    settings.required.as_ref().is_some_and(|required| required.contains(&field))
}
