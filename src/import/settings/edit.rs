//! Single settings changed in a settings document: everything else, comments and order too, stays as somebody wrote it.

use std::collections::BTreeSet;

use toml::{Table, Value};
use toml_edit::{ArrayOfTables, DocumentMut, Item, TableLike};

use super::read::Read;

/// One setting and what it is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Where it stands: `["guards", "endings"]`.
    pub path: Vec<String>,
    /// What it is to be; `None`: nothing, so that the default counts.
    pub value: Option<Value>,
}

impl Change {
    /// A change of the setting with this name, such as `report.formats`.
    #[must_use]
    pub fn of(name: &str, value: Option<Value>) -> Self {
        Self { path: name.split('.').map(str::to_owned).collect(), value }
    }

    /// A change below a setting whose names may hold any sign, such as `aliases` and a header.
    #[must_use]
    pub fn at(path: &[&str], value: Option<Value>) -> Self {
        Self { path: path.iter().map(|name| (*name).to_owned()).collect(), value }
    }
}

/// The document with these changes made, in their order. What is so already keeps its way of writing.
///
/// # Errors
/// A sentence that says where the document is no TOML, or which setting stands in the way of another.
pub fn edit(document: &str, changes: &[Change]) -> Result<String, String> {
    let mut edited: DocumentMut = document.parse().map_err(|error: toml_edit::TomlError| {
        format!("these import settings are not TOML: {}", error.to_string().trim())
    })?;
    let read = |edited: &DocumentMut| -> Result<Table, String> {
        edited.to_string().parse().map_err(|error: toml::de::Error| {
            format!("these import settings are not TOML: {}", error.to_string().trim())
        })
    };
    let mut now = read(&edited)?;
    let mut made = BTreeSet::new();
    for change in changes {
        // Read again only where an earlier change may have changed this place: there may be thousands of aliases.
        if overlaps(&made, &change.path) {
            now = read(&edited)?;
            made.clear();
        }
        made.insert(change.path.as_slice());
        if find(&now, &change.path) != change.value.as_ref() {
            put(
                edited.as_table_mut(),
                &change.path,
                change.value.as_ref(),
                change.path.len() == 1,
            )?;
        }
    }
    Ok(edited.to_string())
}

/// Whether one of these places is this one, holds it, or lies in it.
fn overlaps(made: &BTreeSet<&[String]>, path: &[String]) -> bool {
    let holds = (1..=path.len()).any(|n| path.get(..n).is_some_and(|part| made.contains(part)));
    holds || made.range(path..).next().is_some_and(|other| other.starts_with(path))
}

/// What stands at a place of a document that was read.
#[must_use]
pub fn find<'t>(table: &'t Table, path: &[String]) -> Option<&'t Value> {
    let (last, levels) = path.split_last()?;
    let mut place = table;
    for level in levels {
        place = place.get(level)?.as_table()?;
    }
    place.get(last)
}

fn put(
    table: &mut dyn TableLike,
    path: &[String],
    value: Option<&Value>,
    at_root: bool,
) -> Read<()> {
    let Some((name, rest)) = path.split_first() else { return Ok(()) };
    if rest.is_empty() {
        match value {
            Some(value) => set(table, name, value, at_root)?,
            None => drop(table.remove(name)),
        }
        return Ok(());
    }
    if !table.get(name).is_some_and(Item::is_table_like) {
        if value.is_none() {
            return Ok(());
        }
        // A limit that was switched off ("off") is switched on by its parts.
        let mut level = toml_edit::Table::new();
        level.set_implicit(true);
        table.insert(name, Item::Table(level));
    }
    let level = table
        .get_mut(name)
        .and_then(Item::as_table_like_mut)
        .ok_or_else(|| format!("\"{name}\" is a single value"))?;
    put(level, rest, value, false)?;
    // An empty [expected] would be refused; an empty table says nothing in any case.
    if level.is_empty() {
        table.remove(name);
    }
    Ok(())
}

fn set(table: &mut dyn TableLike, name: &str, value: &Value, at_root: bool) -> Read<()> {
    if let Some(tables) = value.as_array().filter(|_| at_root).and_then(|all| tables_of(all)) {
        let mut array = ArrayOfTables::new();
        for one in tables {
            let mut level = toml_edit::Table::new();
            for (name, value) in one {
                level.insert(name, Item::Value(inline(value)?));
            }
            array.push(level);
        }
        table.insert(name, Item::ArrayOfTables(array));
        return Ok(());
    }
    let mut value = inline(value)?;
    if let Some(old) = table.get(name).and_then(Item::as_value) {
        *value.decor_mut() = old.decor().clone();
    }
    match table.get_mut(name) {
        // The key keeps its comments.
        Some(item) => *item = Item::Value(value),
        None => drop(table.insert(name, Item::Value(value))),
    }
    Ok(())
}

/// A list that is written as `[[name]]`.
fn tables_of(all: &[Value]) -> Option<Vec<&Table>> {
    all.iter().map(Value::as_table).collect::<Option<Vec<_>>>().filter(|all| !all.is_empty())
}

fn inline(value: &Value) -> Read<toml_edit::Value> {
    value.to_string().parse().map_err(|error: toml_edit::TomlError| {
        format!("{value} cannot be written as TOML: {}", error.to_string().trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::settings::Settings;

    fn check(document: &str, change: &Change, expected: &str) {
        assert_eq!(edit(document, std::slice::from_ref(change)).unwrap(), expected, "{change:?}");
    }

    fn set_to(name: &str, toml: &str) -> Change {
        let table: Table = format!("v = {toml}").parse().unwrap();
        Change::of(name, Some(table["v"].clone()))
    }

    #[test]
    fn comments_and_order_stay() {
        let document = "# Why: the agency sends changes only.\nmode = \"delta\" # since 2026\n\n[report]\n# For Anne.\nlanguages = [\"fr\"]\n";
        check(
            document,
            &set_to("mode", "\"full\""),
            "# Why: the agency sends changes only.\nmode = \"full\" # since 2026\n\n[report]\n# For Anne.\nlanguages = [\"fr\"]\n",
        );
        check(document, &set_to("report.languages", "['fr']"), document);
        check(
            document,
            &Change::of("report.languages", None),
            "# Why: the agency sends changes only.\nmode = \"delta\" # since 2026\n",
        );
        check(document, &Change::of("guards.endings", None), document);
    }

    #[test]
    fn what_is_new_is_read_again() {
        for (document, change) in [
            ("", set_to("mode", "\"delta\"")),
            ("[report]\nmarkers = true\n", set_to("strict", "true")),
            ("", set_to("guards.endings", "{ count = 20, percent = 3 }")),
            ("[guards]\nendings = \"off\"\n", set_to("guards.endings.count", "20")),
            ("", Change::at(&["aliases", "Code \"agent\".x"], Some("employee_number".into()))),
            ("[value_maps.csp]\ncodes = { A = \"B\" }\n", {
                Change::at(
                    &["value_maps", "csp", "codes", "Executive UK"],
                    Some("Executive".into()),
                )
            }),
            ("", Change::at(&["value_maps", "custom.badge", "codes", "1.1"], Some("x".into()))),
            ("[report]\nmarkers = true\n", {
                set_to("defaults_for", "[{ department = 'Sales', values = { culture = 'fr-FR' } }]")
            }),
            ("", set_to("mail.to", "[{ user = '00123' }]")),
        ] {
            let edited = edit(document, std::slice::from_ref(&change)).unwrap();
            let table: Table = edited.parse().unwrap();
            assert_eq!(find(&table, &change.path), change.value.as_ref(), "{edited}");
            Settings::from_toml(&edited).unwrap();
            let undone = edit(&edited, &[Change { value: None, ..change.clone() }]).unwrap();
            let table: Table = undone.parse().unwrap();
            assert_eq!(find(&table, &change.path), None, "{undone}");
        }
        let written =
            edit("", &[set_to("defaults_for", "[{ department = 'S', values = { csp = 'E' } }]")]);
        assert!(written.unwrap().starts_with("[[defaults_for]]\n"));
    }

    #[test]
    fn a_later_change_is_about_what_the_earlier_ones_left() {
        let set = || set_to("guards.endings.count", "5");
        for (changes, expected) in [
            ([set(), Change::of("guards", None)], ""),
            ([set(), Change::of("guards.endings.count", None)], ""),
            ([Change::of("guards", None), set()], "[guards.endings]\ncount = 5\n"),
            ([set_to("guards.endings", "\"off\""), set()], "[guards.endings]\ncount = 5\n"),
        ] {
            assert_eq!(edit("", &changes).unwrap(), expected, "{changes:?}");
        }
    }

    #[test]
    fn the_documented_whole_can_be_edited() {
        let whole = Settings::default().to_toml();
        let edited =
            edit(&whole, &[set_to("guards.endings", "\"off\""), set_to("mode", "\"delta\"")]);
        let edited = edited.unwrap();
        assert_eq!(edited.lines().count(), whole.lines().count());
        let settings = Settings::from_toml(&edited).unwrap();
        assert_eq!(settings.guards.endings, None);
        assert!(edited.contains("# Only with absent = \"end\""));
    }

    #[test]
    fn what_is_no_toml_is_refused_with_its_line() {
        let problem = edit("mode = \"full\"\nmode = ", &[]).unwrap_err();
        assert!(problem.contains("line 2"), "{problem}");
    }
}
