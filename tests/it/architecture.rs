//! Holds the code to the tables in ARCHITECTURE.md: who may import whom, and where a crate is at home.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The same text as in ARCHITECTURE.md.
const IMPORTS: &str = "\
main -> all
cli -> admin transport service import export schedule config model error clock
admin -> transport service import export schedule config model error clock
demo -> cli admin transport service remote config model error clock
transport -> service config model error clock
service -> store vfs remote mail crypt secrets import export schedule config model error clock fault
store -> secrets import config model error clock fault
vfs -> config model error clock
remote -> config model error clock
mail -> import config model error clock
crypt -> config model error
secrets -> config model error clock
export -> import schedule model
import -> schedule model cores
schedule -> model
config -> model error
model -> nothing
error -> nothing
clock -> nothing
cores -> nothing
fuzzing -> admin transport service remote import crypt model
fault -> nothing
";

/// The same text as in ARCHITECTURE.md.
const HOMES: &str = "\
rusqlite: store
russh: transport/sftp transport/host_keys remote secrets
russh_sftp: transport/sftp remote
libunftp: transport/ftp
unftp_core: transport/ftp
suppaftp: remote
axum: admin
axum_extra: admin
serde_html_form: admin
tower: admin
prometheus_client: admin
hyper: remote admin
hyper_util: remote admin
http_body_util: remote
rustls_platform_verifier: remote
lettre: mail
pgp: crypt
croner: schedule
chacha20poly1305: secrets
cap_std: vfs
argon2: secrets
csv: import export
askama: import mail admin
encoding_rs: import export
flate2: import
quick_xml: import
zip: import crypt
clap: main cli
sd_notify: cli
mimalloc: main
comfy_table: cli demo
";

/// What a pure room cannot name: there is no file, socket, thread, clock or runtime in it.
const IMPURE: [&str; 8] = [
    "std::fs",
    "std::net",
    "std::thread",
    "std::time",
    "std::process",
    "std::env",
    "tokio::",
    "async fn",
];

#[test]
fn the_tables_of_the_document_are_those_of_the_test() {
    let document = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for table in [IMPORTS, HOMES] {
        assert!(
            document.contains(&format!("```text\n{table}```")),
            "ARCHITECTURE.md and tests/it/architecture.rs differ; this table is missing there:\n{table}"
        );
    }
}

#[test]
fn imports_follow_the_table() {
    let allowed: BTreeMap<&str, Vec<&str>> = IMPORTS
        .lines()
        .filter_map(|line| line.split_once(" -> "))
        .map(|(room, others)| (room, others.split(' ').collect()))
        .collect();
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        let room = room_of(&path);
        if room == "lib" {
            continue;
        }
        let Some(others) = allowed.get(room) else {
            wrong.push(format!("{path}: the room \"{room}\" is not in the table"));
            continue;
        };
        if others.contains(&"all") {
            continue;
        }
        for named in rooms_named(&code) {
            if named != room && !others.contains(&named.as_str()) {
                wrong.push(format!("{path}: {room} names {named}"));
            }
        }
        if let Some(supers) = climbs_to_the_root(&path, &code) {
            wrong.push(format!("{path}: {supers} reaches the crate's root; write crate::"));
        }
    }
    assert!(wrong.is_empty(), "not allowed by ARCHITECTURE.md:\n{}", wrong.join("\n"));
}

#[test]
fn crates_stay_at_home() {
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        for (name, homes) in HOMES.lines().filter_map(|line| line.split_once(": ")) {
            let at_home = homes
                .split(' ')
                .any(|home| path == format!("{home}.rs") || path.starts_with(&format!("{home}/")));
            if !at_home && names_crate(&code, name) {
                wrong.push(format!("{path} names {name}, which is at home in {homes}"));
            }
        }
        if room_of(&path) == "import" {
            for impure in IMPURE.iter().filter(|i| code.contains(**i)) {
                wrong.push(format!("{path}: import is pure, but this names {impure}"));
            }
        }
    }
    assert!(wrong.is_empty(), "not allowed by ARCHITECTURE.md:\n{}", wrong.join("\n"));
}

#[test]
fn the_reader_sees_code_and_nothing_else() {
    let code = code_only(concat!(
        "use crate::{store::X, vfs}; // crate::nowhere\n/* crate::no /* crate::no */ */\n",
        "let c = '\"'; let s = \"crate::\\\"no\"; let r = r#\"crate::\"no\"#; fn f<'a>() { crate::model::y() }\n",
        "#[cfg(test)]\nmod tests { use crate::cli; }\n",
    ));
    assert_eq!(rooms_named(&code), ["store", "vfs", "model"]);
    assert!(names_crate("use russh::keys;", "russh"));
    assert!(names_crate("let x: russh::Error;", "russh"));
    assert!(!names_crate("use russh_sftp::x; my::russh::y", "russh"));
    assert!(climbs_to_the_root("cli.rs", "super::store::X").is_some());
    assert!(climbs_to_the_root("store/registry.rs", "super::directory::X").is_none());
    assert!(climbs_to_the_root("store/registry.rs", "super::super::cli").is_some());
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file below `src/` (its path from there) with comments, literals and tests taken out.
fn sources() -> Vec<(String, String)> {
    let src = root().join("src");
    let mut files: Vec<PathBuf> = Vec::new();
    let mut folders = vec![src.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(files.len() > 5, "no sources found below {}", src.display());
    let named = |path: &PathBuf| path.strip_prefix(&src).unwrap().display().to_string();
    files.iter().map(|p| (named(p), code_only(&fs::read_to_string(p).unwrap()))).collect()
}

/// `store` for `store/registry.rs`, `cli` for `cli.rs`.
fn room_of(path: &str) -> &str {
    let first = path.split('/').next().unwrap_or(path);
    first.strip_suffix(".rs").unwrap_or(first)
}

/// The rooms that `crate::room` and `crate::{room, …}` name, in order.
fn rooms_named(code: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(is_word) {
            continue;
        }
        let rest = code[at + "crate::".len()..].trim_start();
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut top = String::new();
            for c in group.chars() {
                match c {
                    '}' if depth == 0 => break,
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ if depth == 0 => top.push(c),
                    _ => {}
                }
            }
            rooms.extend(top.split(',').map(first_word).filter(|word| !word.is_empty()));
        } else {
            rooms.push(first_word(rest));
        }
    }
    rooms
}

fn first_word(text: &str) -> String {
    text.trim_start().chars().take_while(|c| is_word(*c)).collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn names_crate(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + name.len()..];
        let starts = !before.is_some_and(|c| is_word(c) || c == ':' || c == '.');
        let used = code[..at].trim_end().ends_with("use");
        starts && (after.starts_with("::") || (used && !after.starts_with(is_word)))
    })
}

/// A chain of `super::` that leaves its room, as found in `code`.
fn climbs_to_the_root(path: &str, code: &str) -> Option<String> {
    let parts = path.split('/').count();
    let depth = if path.ends_with("/mod.rs") { parts - 1 } else { parts };
    let chain = "super::".repeat(depth.max(1));
    code.contains(&chain).then_some(chain)
}

/// The code without comments, without what stands in literals, and without the tests at a file's end.
fn code_only(source: &str) -> String {
    let tests = source.find("#[cfg(test)]\nmod tests {").unwrap_or(source.len());
    let source = &source[..tests];
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if c == '"' {
            quoted(rest, '"')
        } else if c == '\'' && is_char_literal(rest) {
            quoted(rest, '\'')
        } else if c == 'r' && !out.ends_with(is_word) && raw_hashes(rest).is_some() {
            let end = format!("\"{}", "#".repeat(raw_hashes(rest).unwrap_or(0)));
            let open = 1 + end.len();
            rest[open..].find(&end).map_or(rest.len(), |at| open + at + end.len())
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        out.push(' ');
        rest = &rest[skipped..];
    }
    out
}

fn raw_hashes(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then_some(hashes)
}

fn is_char_literal(rest: &str) -> bool {
    let mut chars = rest.chars().skip(1);
    chars.next() == Some('\\') || chars.next() == Some('\'')
}

/// The length of a literal that opens and closes with `mark`.
fn quoted(rest: &str, mark: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if !escaped && c == mark {
            return at + c.len_utf8();
        }
        escaped = !escaped && c == '\\';
    }
    rest.len()
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let bytes = rest.as_bytes();
    let mut at = 0;
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}
