//! What a cell said under the settings of an earlier import: a new map or default is nothing that the file says.

use std::borrow::Cow;

use super::coded::{Coder, Coders};
use super::defaults::default_in;
use super::draft::Context;
use super::memo::value;
use super::wired::Wired;
use crate::import::directory::{Snapshot, User};
use crate::import::fields::{Dates, Field, FieldKey, Value};
use crate::import::settings::{Blank, Settings};
use crate::import::table::Row;

/// Settings that count no more, with what its codes go through over the lists of today.
#[derive(Debug)]
pub(super) struct Then<'a> {
    settings: &'a Settings,
    coders: Coders<'a>,
}

/// Those under which something protected was said, by place in the snapshot; `None`: they are the settings of today.
pub(super) fn all<'a>(settings: &Settings, snapshot: &'a Snapshot) -> Vec<Option<Then<'a>>> {
    let then = |then: &'a Settings| {
        let coders = || Coders::new(then, snapshot);
        (then != settings).then(|| Then { settings: then, coders: coders() })
    };
    snapshot.settings_then.iter().map(then).collect()
}

impl<'s> Context<'s> {
    /// The settings under which a protected value was said; `None`: today's, or unknown.
    pub(super) fn then(&self, user: i64, key: &FieldKey) -> Option<&'s Then<'s>> {
        let under = self.job.snapshot.protections.get(&(user, key.clone()))?.under?;
        self.sheet.then.get(under)?.as_ref()
    }
}

impl<'a> Then<'a> {
    /// What a row's cells said of a field; `None` outside: nothing, or nothing that could be taken; inside: that there is
    /// no value.
    pub(super) fn said(
        &'a self,
        dates: &Dates,
        wired: &Wired<'_>,
        row: &Row<'a>,
        user: &User,
    ) -> Option<Option<Cow<'a, str>>> {
        let coder = self.coders.get(&wired.key);
        let several = wired.key == FieldKey::Known(Field::Roles) || !wired.more.is_empty();
        let said = if several {
            joined(coder.map(AsRef::as_ref), dates, wired, row)?
        } else {
            let cell = row.get(wired.index)?;
            match coder {
                Some(coder) => coder.cell(cell, dates).ok()?.map(|(_, taken)| taken.code),
                None => match value(&wired.key, cell, dates).ok()? {
                    Value::Text(text) => Some(text),
                    Value::Open if wired.key == FieldKey::Known(Field::ContractEnd) => {
                        return Some(None);
                    }
                    Value::Blank | Value::Open => None,
                },
            }
        };
        if said.is_some() {
            return Some(said);
        }
        match self.settings.blank(&wired.key) {
            Blank::Keep => None,
            Blank::Clear => Some(None),
            Blank::Default => self.default_of(dates, &wired.key, user).map(Some),
        }
    }

    /// The default that a user's blank cell stood for.
    pub(super) fn default_of(
        &self,
        dates: &Dates,
        key: &FieldKey,
        user: &User,
    ) -> Option<Cow<'a, str>> {
        let [entity, department] =
            [Field::LegalEntity, Field::Department].map(|field| user.values.get(field));
        default_in(self.settings, &self.coders, dates, key, entity, department)?.ok()
    }
}

/// The codes of one or several columns, each once, as one value; `None` outside: one of them could not be taken.
fn joined<'a>(
    coder: Option<&Coder<'a>>,
    dates: &Dates,
    wired: &Wired<'_>,
    row: &Row<'a>,
) -> Option<Option<Cow<'a, str>>> {
    let mut ours: Vec<String> = Vec::new();
    let cells = [wired.index].into_iter().chain(wired.more.iter().copied());
    for cell in cells.filter_map(|index| row.get(index)) {
        let Value::Text(text) = value(&wired.key, cell, dates).ok()? else { continue };
        for theirs in text.split('\n') {
            let code = match coder {
                Some(coder) => coder.part(theirs).ok()?.code.into_owned(),
                None => theirs.to_owned(),
            };
            if !ours.contains(&code) {
                ours.push(code);
            }
        }
    }
    Some((!ours.is_empty()).then(|| Cow::Owned(ours.join("\n"))))
}
