//! Every setting by name, taken from the defaults themselves, so that no list can fall behind.

use toml::{Table, Value};

use super::Config;

/// The sections of the file.
pub(super) fn sections() -> Vec<String> {
    defaults().keys().cloned().collect()
}

/// Every setting as `section.key`; a host profile's as `hosts.standard.key`.
pub(super) fn all() -> Vec<String> {
    let mut all = Vec::new();
    for (section, value) in defaults() {
        let names = value.as_table().map(|t| t.keys().cloned().collect()).unwrap_or_default();
        let optional = OPTIONAL.iter().filter(|(s, ..)| *s == section).map(|(_, n, _)| *n);
        let mut names: Vec<String> = names;
        names.extend(optional.map(str::to_owned));
        all.extend(names.into_iter().map(|name| format!("{section}.{name}")));
    }
    all.extend(HOST.iter().map(|(name, _)| format!("hosts.standard.{name}")));
    all
}

/// A right value of a setting: its default where it has one; `None`: there is no such setting.
pub(super) fn example(key: &[String]) -> Option<Value> {
    let parse = |text: &str| format!("value = {text}").parse::<Table>().ok()?.remove("value");
    match key {
        [section, _, name] if section == "hosts" => {
            HOST.iter().find(|(n, _)| n == name).and_then(|(_, text)| parse(text))
        }
        [section] if section == "hooks" => parse(HOOK),
        [section, name] => {
            let default = defaults().get(section)?.get(name).cloned();
            default.or_else(|| {
                let optional = OPTIONAL.iter().find(|(s, n, _)| s == section && n == name);
                optional.and_then(|(.., text)| parse(text))
            })
        }
        _ => None,
    }
}

/// The environment variable that overrides a setting.
pub(super) fn environment(key: &str) -> String {
    format!("ROLLCALL_{}", key.replace('.', "__").replace('-', "_").to_uppercase())
}

/// The setting whose name is nearest, if one is near.
pub(super) fn closest(key: &str) -> Option<String> {
    let near = all().into_iter().map(|known| (distance(key, &known), known)).min()?;
    (near.0 <= 4).then_some(near.1)
}

/// Settings that have no default, with an example.
const OPTIONAL: [(&str, &str, &str); 12] = [
    ("admin", "listen", "\"127.0.0.1:8080\""),
    ("ftps", "passive_host", "\"203.0.113.7\""),
    ("mail", "smtp", "\"smtp://mail.example.com:587\""),
    ("mail", "dir", "\"/var/spool/rollcall-mail\""),
    ("mail", "from", "\"Rollcall <rollcall@example.com>\""),
    ("mail", "login", "\"rollcall\""),
    ("mail", "password", "\"from-your-provider\""),
    ("mail", "password_file", "\"/etc/rollcall/mail-password\""),
    ("mail", "ca_file", "\"/etc/rollcall/mail-ca.pem\""),
    ("mail", "hello_name", "\"rollcall.example.com\""),
    ("mail", "public_url", "\"https://rollcall.example.com\""),
    ("secrets", "key_file", "\"/etc/rollcall/sealing.key\""),
];

/// A hook; they are given whole.
const HOOK: &str = "[{ name = \"load-directory\", program = [\"/usr/local/bin/load-directory\"] }]";

/// The settings of a host profile, with an example.
const HOST: [(&str, &str); 4] = [
    ("public_host", "\"sftp.example.com\""),
    ("protocols", "[\"sftp\", \"ftpes\"]"),
    (
        "folders",
        "[{ name = \"import\", path = \"/in\", purpose = \"import\", pattern = \"*.csv\" }]",
    ),
    ("settings", "{ mode = \"full\" }"),
];

fn defaults() -> Table {
    Table::try_from(Config::default()).unwrap_or_default()
}

/// How many letters must be put in, taken out or replaced (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (n, left) in a.chars().enumerate() {
        let mut above_left = n;
        let mut before = n + 1;
        let mut next = vec![before];
        for (right, above) in b.chars().zip(row.iter().skip(1)) {
            let replaced = above_left + usize::from(left != right);
            before = replaced.min(above + 1).min(before + 1);
            above_left = *above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_lists_every_setting_with_its_default_and_environment_name() {
        let document = include_str!("../../docs/configuration.md");
        let (document, _) = document.split_once("## Import settings").unwrap();
        let rows: Vec<&str> =
            document.lines().filter(|l| l.starts_with("| `") && l.contains("ROLLCALL_")).collect();
        for key in all() {
            let variable = environment(&key);
            let shown = key.replace("hosts.standard.", "hosts.NAME.");
            let variable = variable.replace("HOSTS__STANDARD__", "HOSTS__NAME__");
            let row = rows.iter().find(|row| row.starts_with(&format!("| `{shown}` |")));
            let row = row.unwrap_or_else(|| panic!("docs/configuration.md lacks {shown}"));
            assert!(row.contains(&format!("`{variable}`")), "{shown}: {variable} is missing");
            if let [section, name] = key.split('.').collect::<Vec<_>>()[..]
                && let Some(default) = defaults().get(section).and_then(|s| s.get(name))
            {
                assert!(row.contains(&format!("| `{default}` |")), "{shown}: default {default}");
            }
        }
        for row in rows {
            let key = row.trim_start_matches("| `").split('`').next().unwrap();
            let key = key.replace("hosts.NAME.", "hosts.standard.");
            assert!(all().contains(&key), "docs/configuration.md has {key}, the program has not");
        }
    }

    #[test]
    fn distances() {
        for (a, b, expected) in
            [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("ab", "ba", 2)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
        assert_eq!(closest("limit.reply_wait_s").as_deref(), Some("limits.reply_wait_s"));
        assert_eq!(closest("entirely.different.thing"), None);
    }
}
