//! Users written as a folder's own files are: its columns, headers, separator and dates, so that importing them changes nothing.

use std::collections::HashMap;

use jiff::civil::Date;

use super::directory::{DateOrder, Key, User, Values};
use super::fields::{DATE_FIELDS, Field, FieldKey};
use super::report::ReportColumn;
use super::settings::{Settings, key_fields};
use super::standing::Standing;
use super::text::unrunnable;

/// How a folder's last applied file was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Its columns.
    pub columns: Vec<ReportColumn>,
    /// Its separator.
    pub separator: char,
    /// The order of its dates; `None`: ISO.
    pub dates: Option<DateOrder>,
    /// What decides who a row is.
    pub key: Option<Key>,
    /// The folder's settings: their codes in place of ours.
    pub settings: Settings,
}

impl Layout {
    /// Whether a user in this state belongs into such a file. Without a column for the end of the contract, being in the file
    /// says that somebody works here: whoever absence had ended would come back.
    #[must_use]
    pub fn admits(&self, state: Standing) -> bool {
        let end = Some(FieldKey::Known(Field::ContractEnd));
        state != Standing::Ended || self.columns.iter().any(|column| column.field == end)
    }
}

/// Users as a file of this layout, UTF-8 with a byte order mark and CRLF; and how many were left out because they lack
/// a part of the key. `everybody` is for the managers' names.
#[must_use]
pub fn write(layout: &Layout, users: &[User], everybody: &[User]) -> (Vec<u8>, usize) {
    let mut text = String::from('\u{feff}');
    line(&mut text, layout, layout.columns.iter().map(|column| column.header.clone()));
    let managers = Managers::new(everybody);
    let key = layout.key.map(key_fields).unwrap_or_default();
    let mut left_out = 0;
    for user in users {
        if key.iter().any(|field| user.values.get(*field).is_none()) {
            left_out += 1;
            continue;
        }
        let mut roles: Vec<&str> =
            user.values.get(Field::Roles).map(|all| all.lines().collect()).unwrap_or_default();
        let mut left = role_columns(layout);
        let cells = layout.columns.iter().map(|column| match &column.field {
            None => String::new(),
            Some(FieldKey::Known(Field::Roles)) => {
                left = left.saturating_sub(1);
                let own = if left == 0 { roles.len() } else { roles.len().min(1) };
                let own: Vec<String> =
                    roles.drain(..own).map(|role| theirs(layout, Field::Roles, role)).collect();
                own.join(", ")
            }
            Some(field) => cell(layout, field, &user.values, &managers),
        });
        line(&mut text, layout, cells);
    }
    (text.into_bytes(), left_out)
}

fn role_columns(layout: &Layout) -> usize {
    let roles = Some(FieldKey::Known(Field::Roles));
    layout.columns.iter().filter(|column| column.field == roles).count()
}

fn cell(layout: &Layout, key: &FieldKey, values: &Values, managers: &Managers<'_>) -> String {
    let Some(value) = values.get_key(key) else { return String::new() };
    match key {
        FieldKey::Known(Field::Manager) => managers.named(values, value),
        FieldKey::Known(field) if DATE_FIELDS.contains(field) => date(layout.dates, value),
        FieldKey::Known(field) => theirs(layout, *field, value),
        FieldKey::Custom(_) => value.to_owned(),
    }
}

/// The file's own code for one of ours.
fn theirs(layout: &Layout, field: Field, ours: &str) -> String {
    let map = layout.settings.value_maps.get(&FieldKey::Known(field));
    let same = map.and_then(|map| map.codes.iter().find(|(_, code)| *code == ours));
    same.map_or(ours, |(theirs, _)| theirs).to_owned()
}

fn date(order: Option<DateOrder>, value: &str) -> String {
    let Ok(day) = value.parse::<Date>() else { return value.to_owned() };
    let (y, m, d) = (day.year(), day.month(), day.day());
    match order {
        Some(DateOrder::Dmy) => format!("{d:02}/{m:02}/{y:04}"),
        Some(DateOrder::Mdy) => format!("{m:02}/{d:02}/{y:04}"),
        Some(DateOrder::Ymd) | None => value.to_owned(),
    }
}

/// What names a manager so that nobody else is meant.
struct Managers<'u> {
    by_id: HashMap<String, &'u User>,
    /// How many have a number in a legal entity, or in all.
    numbers: HashMap<(Option<&'u str>, &'u str), u32>,
}

impl<'u> Managers<'u> {
    fn new(everybody: &'u [User]) -> Self {
        let mut managers = Self { by_id: HashMap::new(), numbers: HashMap::new() };
        for user in everybody.iter().filter(|user| !user.withdrawn) {
            managers.by_id.insert(user.id.to_string(), user);
            if let Some(number) = user.values.get(Field::EmployeeNumber) {
                let entity = Some(user.values.get(Field::LegalEntity).unwrap_or_default());
                for place in [entity, None] {
                    *managers.numbers.entry((place, number)).or_default() += 1;
                }
            }
        }
        managers
    }

    fn named(&self, of: &Values, id: &str) -> String {
        let Some(manager) = self.by_id.get(id) else { return String::new() };
        let get = |field| manager.values.get(field);
        let own = get(Field::LegalEntity) == of.get(Field::LegalEntity);
        let number = get(Field::EmployeeNumber)
            .filter(|number| own || self.numbers.get(&(None, *number)) == Some(&1));
        if let Some(text) = number.or(get(Field::Login)).or(get(Field::Email)) {
            return text.to_owned();
        }
        let name = [Field::FirstName, Field::LastName].map(|f| get(f).unwrap_or_default());
        name.join(" ").trim().to_owned()
    }
}

fn line(text: &mut String, layout: &Layout, cells: impl Iterator<Item = String>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            text.push(layout.separator);
        }
        text.push_str(&quoted(&cell, layout.separator));
    }
    text.push_str("\r\n");
}

fn quoted(cell: &str, separator: char) -> String {
    let safe = unrunnable(cell);
    let special = |c: char| c == separator || matches!(c, '"' | '\r' | '\n');
    if safe.contains(special) || safe.trim() != safe {
        return format!("\"{}\"", safe.replace('"', "\"\""));
    }
    safe.into_owned()
}
