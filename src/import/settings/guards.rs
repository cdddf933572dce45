//! What the settings say about absence, guards and closed lists, from TOML.

use std::collections::BTreeSet;

use toml::Value;

use super::read::{Read, list, table, wrong, yes_or_no};
use super::{Absent, Guards, Limit};
use crate::import::fields::Field;
use crate::import::lists::list_of;

/// How many full files a user must be missing from, where the settings do not say.
pub(super) const ABSENT_AFTER: u32 = 2;
/// A year of nightly files.
const MAX_ABSENT_AFTER: u32 = 366;
/// New users may well be several times those whom the directory has.
const MAX_PERCENT: u32 = 1000;

/// `absent` and `absent_after`, in whichever order they come.
#[derive(Debug, Default)]
pub(super) struct Absence {
    policy: Option<Absent>,
    after: Option<u32>,
}

impl Absence {
    pub(super) fn policy(&mut self, value: &Value) -> Read<()> {
        self.policy = Some(match value.as_str() {
            Some("report") => Absent::Report,
            Some("end") => Absent::End { after_files: ABSENT_AFTER },
            Some("hold") => Absent::Hold,
            _ => {
                return Err(format!(
                    "absent = {value} is not possible; it is one of \"report\", \"end\", \"hold\"; write for example absent = \"report\""
                ));
            }
        });
        Ok(())
    }

    pub(super) fn after(&mut self, value: &Value) -> Read<()> {
        let files = value.as_integer().and_then(|n| u32::try_from(n).ok());
        match files.filter(|n| (1..=MAX_ABSENT_AFTER).contains(n)) {
            Some(files) => self.after = Some(files),
            None => {
                return Err(format!(
                    "absent_after = {value} is not possible; it is a number of files from 1 to {MAX_ABSENT_AFTER}; write for example absent_after = {ABSENT_AFTER}"
                ));
            }
        }
        Ok(())
    }

    pub(super) fn settle(self) -> Read<Absent> {
        match (self.policy.unwrap_or(Absent::Report), self.after) {
            (Absent::End { .. }, Some(after_files)) => Ok(Absent::End { after_files }),
            (_, Some(files)) => Err(format!(
                "absent_after = {files} is only used with absent = \"end\"; write both or neither"
            )),
            (policy, None) => Ok(policy),
        }
    }
}

pub(super) fn guards(value: &Value) -> Read<Guards> {
    let example = "[guards] with the line endings = { count = 5, percent = 10 }";
    let mut guards = Guards::default();
    for (name, value) in table("guards", value, example)? {
        let slot = match name.as_str() {
            "endings" => &mut guards.endings,
            "creations" => &mut guards.creations,
            "one_field" => &mut guards.one_field,
            "fewer_rows" => &mut guards.fewer_rows,
            "reopenings" => &mut guards.reopenings,
            "whole_entity" => {
                guards.whole_entity = yes_or_no("guards.whole_entity", value)?;
                continue;
            }
            _ => {
                return Err(format!(
                    "\"guards.{name}\" is not an import setting; there are: endings, creations, one_field, fewer_rows, whole_entity, reopenings"
                ));
            }
        };
        *slot = limit(&format!("guards.{name}"), value, *slot)?;
    }
    Ok(guards)
}

/// `"off"`, or a count and a share; what is left out has its default.
pub(crate) fn limit(name: &str, value: &Value, default: Option<Limit>) -> Read<Option<Limit>> {
    let example = "{ count = 5, percent = 10 }";
    let wrong_shape = || {
        format!(
            "{name} = {value} is not possible; write for example {name} = {example}, or {name} = \"off\""
        )
    };
    if value.as_str() == Some("off") {
        return Ok(None);
    }
    let mut limit = default.unwrap_or(Limit { count: 0, percent: 0 });
    for (part, value) in value.as_table().ok_or_else(wrong_shape)? {
        let place = format!("{name}.{part}");
        match part.as_str() {
            "count" => {
                let count = value.as_integer().and_then(|n| u64::try_from(n).ok());
                limit.count = count.ok_or_else(|| wrong(&place, value, "5"))?;
            }
            "percent" => {
                let percent = value.as_integer().and_then(|n| u32::try_from(n).ok());
                limit.percent = percent
                    .filter(|n| *n <= MAX_PERCENT)
                    .ok_or_else(|| wrong(&place, value, "10"))?;
            }
            _ => {
                return Err(format!(
                    "\"{place}\" is not an import setting; a limit has: count, percent; write for example {name} = {example}"
                ));
            }
        }
    }
    Ok(Some(limit))
}

/// Whether every guard whose share is one of those who are counted can trip at all.
pub(super) fn check_shares(guards: &Guards) -> Read<()> {
    let limits = [
        ("endings", guards.endings),
        ("one_field", guards.one_field),
        ("fewer_rows", guards.fewer_rows),
    ];
    for (name, limit) in limits {
        if let Some(Limit { percent, .. }) = limit.filter(|limit| limit.percent > 100) {
            return Err(format!(
                "guards.{name}.percent = {percent} is not possible: more than 100 of a hundred never happens, so this guard would never hold a file; write for example guards.{name}.percent = 10, or guards.{name} = \"off\""
            ));
        }
    }
    Ok(())
}

pub(super) fn closed_lists(value: &Value) -> Read<BTreeSet<Field>> {
    let example = "[\"department\", \"csp\"]";
    let mut closed = BTreeSet::new();
    for name in list("closed_lists", value, example)? {
        let list = Field::from_name(name).and_then(list_of).ok_or_else(|| {
            let lists: Vec<&str> = crate::import::lists::LISTS.iter().map(|f| f.name()).collect();
            format!(
                "closed_lists: \"{name}\" has no list; there are: {}; write for example closed_lists = {example}",
                lists.join(", ")
            )
        })?;
        closed.insert(list);
    }
    Ok(closed)
}
