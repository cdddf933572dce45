//! The import settings as people read them, section by section: name, effect and default in three languages.

mod encryption;
mod guards;
mod people;
mod reading;
mod reports;
mod schedule;

use super::control::{Control, Only, Setting};
use crate::import::codes::Words;

const fn w(en: &'static str, fr: &'static str, de: &'static str) -> Words {
    Words { en, fr, de }
}

/// A part of the settings that has a page of its own.
pub(super) struct Section {
    /// Its address.
    pub(super) slug: &'static str,
    pub(super) title: Words,
    pub(super) about: Words,
    pub(super) groups: Vec<Group>,
}

/// Settings that belong together.
pub(super) struct Group {
    pub(super) title: Words,
    pub(super) settings: &'static [Setting],
}

const fn setting(
    name: &'static str,
    label: Words,
    hint: Words,
    default: Words,
    control: Control,
) -> Setting {
    Setting { name, label, hint, default, control, only: Only::Always }
}

const fn only(only: Only, setting: Setting) -> Setting {
    Setting { only, ..setting }
}

const NO: Words = w("no", "non", "nein");
const NONE: Words = w("none", "aucun", "keine");

/// The section at an address; `remote`: the folder lies on the client's own server.
pub(super) fn section(slug: &str, remote: bool) -> Option<Section> {
    match slug {
        "settings" => Some(people::people()),
        "guards" => Some(guards::guards()),
        "schedule" => Some(schedule::schedule(remote)),
        "reports" => Some(reports::reports()),
        "encryption" => Some(encryption::encryption()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::settings::{Change, Settings, edit, find};

    const SECTIONS: [&str; 5] = ["settings", "guards", "schedule", "reports", "encryption"];

    fn all() -> Vec<&'static Setting> {
        let sections = SECTIONS.iter().filter_map(|slug| section(slug, true));
        sections.flat_map(|s| s.groups).flat_map(|group| group.settings).collect()
    }

    /// The names of all settings of the documented whole, those of tables by their path.
    fn documented() -> Vec<String> {
        let whole = Settings::default().to_toml();
        let mut table = String::new();
        let mut names = Vec::new();
        for line in whole.lines() {
            let line = line.trim_start_matches("# ");
            if let Some(head) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                head.trim_matches(['[', ']']).clone_into(&mut table);
            } else if let Some((key, _)) = line.split_once(" = ")
                && !key.contains([' ', ','])
            {
                names.push(if table.is_empty() {
                    key.to_owned()
                } else {
                    format!("{table}.{key}")
                });
            }
        }
        names
    }

    #[test]
    fn every_documented_setting_has_its_field() {
        // These have pages of their own: columns, mappings, blanks and defaults.
        let others = ["aliases.", "value_maps.", "blanks.", "defaults.", "defaults_for."];
        let all = all();
        let names = documented();
        assert!(names.len() > 35, "{names:?}");
        for name in names.iter().filter(|name| !others.iter().any(|o| name.starts_with(o))) {
            assert!(all.iter().any(|setting| setting.name == name), "no field for {name}");
        }
        for setting in all {
            assert!(
                names.iter().any(|name| name == setting.name),
                "{} is no setting",
                setting.name
            );
        }
    }

    #[test]
    fn what_a_form_shows_is_what_it_sends() {
        for (name, values) in [
            ("key", vec!["'login'", "'auto'"]),
            ("absent_after", vec!["3"]),
            ("strict", vec!["true", "false"]),
            ("required", vec!["['last_name', 'email']"]),
            ("login_pattern", vec!["'{f}.{last}'"]),
            ("guards.endings", vec!["'off'", "{ count = 3, percent = 4 }", "{ count = 3 }"]),
            (
                "trigger",
                vec![
                    "'upload'",
                    "'every 30 minutes'",
                    "'daily 23:30'",
                    "'daily 23:30 mon-wed'",
                    "'cron 0 6,18 * * mon-sat'",
                ],
            ),
            ("expected.by", vec!["'08:00'"]),
            ("expected.days", vec!["'mon,wed'"]),
            ("fetch.trigger", vec!["'manual'", "'every 5 minutes'"]),
            ("fetch.settle_s", vec!["20"]),
            ("report.formats", vec!["['html']", "['csv', 'json', 'html']"]),
            (
                "mail.to",
                vec![
                    "['Anne Roy <anne.roy@example.com>', 'de:hr@example.com', { user = '00123', language = 'fr' }]",
                ],
            ),
            ("encryption.required", vec!["false", "'pgp'"]),
        ] {
            let all = all();
            let setting = all.iter().find(|setting| setting.name == name).unwrap();
            for value in values {
                let table: toml::Table = format!("v = {value}").parse().unwrap();
                let sent = setting.value(&setting.pairs(table.get("v")));
                assert_eq!(sent.as_ref(), table.get("v"), "{name} = {value}");
            }
            assert_eq!(
                setting.value(&setting.pairs(None)),
                None,
                "{name}: nothing is set by looking"
            );
        }
    }

    #[test]
    fn every_word_that_can_be_chosen_is_accepted() {
        for setting in all() {
            let (Control::Choice(words) | Control::Several(words, _)) = &setting.control else {
                continue;
            };
            for (word, _) in *words {
                let pairs = vec![(setting.name.to_owned(), (*word).to_owned())];
                let mut changes =
                    vec![Change { path: setting.path(), value: setting.value(&pairs) }];
                if setting.name == "fetch.companion" {
                    changes.push(Change::of("fetch.ready", Some("companion".into())));
                }
                let edited = edit("", &changes).unwrap();
                Settings::from_toml(&edited)
                    .map_err(|why| format!("{}: {why}", setting.name))
                    .unwrap();
                let table: toml::Table = edited.parse().unwrap();
                assert_eq!(find(&table, &setting.path()), setting.value(&pairs).as_ref());
            }
        }
    }
}
