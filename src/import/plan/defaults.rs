//! What a new user gets where the file gives nothing, and what a new user lacks.

use std::borrow::Cow;

use super::cells::Reader;
use super::coded::{Coders, Refusal};
use super::draft::{Fate, Wish};
use super::tell::{message, params, shown};
use crate::import::codes::Code;
use crate::import::fields::{Dates, Field, FieldKey, Value, parse};
use crate::import::settings::{Blank, Settings};
use crate::import::text::clean;
use crate::import::values::bit;

/// The default of a field as the file would have written it; `Err`: the list does not take it.
pub(super) fn default_in<'t>(
    settings: &'t Settings,
    coders: &Coders<'t>,
    dates: &Dates,
    key: &FieldKey,
    entity: Option<&str>,
    department: Option<&str>,
) -> Option<Result<Cow<'t, str>, Cow<'t, str>>> {
    let same = |field, a: &str, b: &str| coders.same(field, a, b);
    let text = settings.default_for(key, entity, department, same)?;
    let Ok(Value::Text(text)) = parse(key, text, dates) else { return None };
    let Some(coder) = coders.get(key) else { return Some(Ok(text)) };
    let codes: Result<Vec<String>, Refusal> = text
        .split('\n')
        .map(|code| Ok(coder.listed(Cow::Borrowed(code))?.code.into_owned()))
        .collect();
    Some(codes.map(|codes| Cow::Owned(codes.join("\n"))).map_err(|_| text))
}

impl<'s> Reader<'_, 's> {
    /// The default of a field, as the file would have written it.
    pub(super) fn default_of(
        &mut self,
        key: &FieldKey,
        entity: Option<&str>,
        department: Option<&str>,
    ) -> Option<Cow<'s, str>> {
        let sheet = self.context.sheet;
        let settings = self.context.job.settings;
        match default_in(settings, &sheet.coders, &sheet.dates, key, entity, department)? {
            Ok(text) => Some(text),
            Err(text) => {
                // A default is no cell: the operator must mend it, nobody in payroll can.
                let named = params([("default", shown(key, &text))]);
                let mut told = message(Code::X206, "default", named);
                told = self.context.place(&self.row, self.user(), sheet.field(key), told);
                told.field = Some(key.clone());
                self.teller.row(self.at, told);
                None
            }
        }
    }

    pub(super) fn tell_default(&mut self, key: &FieldKey, text: &str) {
        let mut told = message(Code::V310, "", params([("default", shown(key, text))]));
        let wired = self.context.sheet.field(key);
        told = self.context.place(&self.row, self.user(), wired, told);
        told.field = Some(key.clone());
        told.kept = shown(key, text);
        self.teller.row(self.at, told);
    }

    /// The defaults of a new user, where the file gives nothing.
    pub(super) fn give_defaults(&mut self, refused: &[&FieldKey]) {
        let settings = self.context.job.settings;
        if settings.defaults.is_empty() {
            return;
        }
        // Legal entity and department first: the other defaults may hang on them.
        let first = [FieldKey::Known(Field::LegalEntity), FieldKey::Known(Field::Department)];
        let mut keys: Vec<&FieldKey> =
            settings.defaults.iter().flat_map(|d| d.values.keys()).collect();
        keys.sort_by_key(|key| (!first.contains(key), *key));
        keys.dedup();
        for key in keys {
            if self.has(key) || refused.contains(&key) {
                continue;
            }
            let [entity, department] =
                [Field::LegalEntity, Field::Department].map(|field| self.given(field));
            let Some(text) = self.default_of(key, entity.as_deref(), department.as_deref()) else {
                continue;
            };
            if *key == FieldKey::Known(Field::Manager) {
                // Told once it is known who that is.
                self.draft.name_manager(&text, Wish::Default);
            } else {
                self.tell_default(key, &text);
                self.change(key, Some(&text));
            }
            // The blank of the next file would clear it.
            if self.context.sheet.field(key).is_some_and(|wired| wired.blank == Blank::Clear) {
                self.left.defaulted.push((self.at, key.clone()));
            }
        }
    }

    /// Payroll programs leave the name in use blank where it is the one at birth.
    pub(super) fn take_birth_name(&mut self, refused: &[&FieldKey]) {
        let last = FieldKey::Known(Field::LastName);
        if self.has(&last) || refused.contains(&&last) {
            return;
        }
        if let Some(name) = self.given(Field::BirthName) {
            self.change(&last, Some(&name));
        }
    }

    /// Whether the row says what the person was called at birth.
    pub(super) fn has_birth_name(&self) -> bool {
        let birth = self.context.sheet.field(&FieldKey::Known(Field::BirthName));
        let cell = birth.and_then(|wired| self.row.get(wired.index));
        cell.is_some_and(|cell| !clean(&cell).is_empty())
    }

    /// The value that a new user gets for a field.
    fn given(&self, field: Field) -> Option<String> {
        if self.draft.given.has_cell(bit(field)) {
            return self.context.sheet.value_of(&self.row, field).map(Cow::into_owned);
        }
        self.filler.get_key(&FieldKey::Known(field)).map(str::to_owned)
    }

    fn has(&self, key: &FieldKey) -> bool {
        match key {
            FieldKey::Known(Field::Manager) => {
                matches!(self.draft.manager, Wish::Cell | Wish::Named | Wish::Default)
            }
            _ => {
                let wired = self.context.sheet.field(key);
                wired.is_some_and(|wired| self.draft.given.has_cell(wired.bit))
                    || self.filler.get_key(key).is_some()
            }
        }
    }

    /// V301: a new user lacks what a new user must have.
    pub(super) fn require(&mut self, refused: &[&FieldKey]) {
        for field in &self.context.sheet.required {
            let key = FieldKey::Known(*field);
            let made = *field == Field::Login && self.context.job.settings.login_pattern.is_some();
            if self.has(&key) || refused.contains(&&key) || made {
                continue;
            }
            self.draft.fate = Fate::Refused;
            let wired = self.context.sheet.field(&key);
            let why = if wired.is_some() { "" } else { "no_column" };
            let mut told =
                self.context.place(&self.row, None, wired, message(Code::V301, why, params([])));
            told.field = Some(key);
            self.teller.row(self.at, told);
        }
    }
}
