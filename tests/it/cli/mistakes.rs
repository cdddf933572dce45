//! What operators do by mistake: a folder that is not there, the wrong user; and names that want to be misread.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use super::Workplace;

/// Nobody's number on every machine.
const NOBODY: u32 = 65534;

const ROSTER: &str =
    "login;lastName;firstName;mail;dtContractStart\nzroy;Roy;Zoe;z@x.example;2020-01-13\n";

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Every file and folder at and below `top`.
fn all(top: &Path) -> Vec<std::path::PathBuf> {
    let mut found = vec![top.to_owned()];
    for entry in std::fs::read_dir(top).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(all(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn a_data_folder_that_is_not_there_is_told_and_not_made() {
    let place = Workplace::new();
    for words in [
        &["backup", "copy"][..],
        &["client", "show", "acme"],
        &["users", "list", "acme"],
        &["imports", "list", "acme"],
        &["log"],
        &["alarms"],
        &["admin", "list"],
        &["tokens", "list"],
        &["mail", "list"],
        &["import", "acme", "users.csv"],
    ] {
        let refused = place.refused(words);
        assert!(refused.contains("there is no data folder at data"), "{words:?}: {refused}");
        assert!(refused.contains("--data") && refused.contains("ROLLCALL_DATA"), "{refused}");
        assert!(!place.path("data").exists() && !place.path("copy").exists(), "{words:?}");
    }
    let checked = place.ok(&["check"]);
    assert!(checked.contains("there is no data folder at data"), "{checked}");
    assert!(!place.path("data").exists());
    assert_eq!(place.json(&["client", "list"]), serde_json::json!([]));
    place.with_account();
    assert!(place.refused(&["--data", "dta", "backup", "copy"]).contains("at dta"));
    assert!(!place.path("dta").exists());
    assert!(place.ok(&["backup", "copy"]).contains("1 client,"));
}

#[test]
fn root_makes_nothing_in_the_folder_of_another_user() {
    let place = Workplace::new();
    place.with_account();
    std::fs::write(place.path("users.csv"), ROSTER).unwrap();
    if !is_root() {
        eprintln!("only root can be refused as root: this was not tried");
        return;
    }
    // Root serves what is root's.
    place.ok(&["import", "acme", "users.csv"]);
    let data = place.path("data");
    for path in all(&data) {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    for words in [
        &["import", "acme", "users.csv"][..],
        &["users", "list", "acme"],
        &["client", "add", "other"],
        &["backup", "copy"],
        &["keys", "show"],
        &["serve"],
    ] {
        let refused = place.refused(words);
        assert!(refused.contains("the data folder data belongs to user "), "{words:?}: {refused}");
        assert!(refused.contains("(sudo -u "), "{words:?}: {refused}");
    }
    assert_eq!(place.output(&["check"]).status.code(), Some(1));
    let roots = |path: &&std::path::PathBuf| std::fs::metadata(path).unwrap().uid() == 0;
    assert_eq!(all(&data).iter().filter(roots).count(), 0);
}

#[test]
fn check_names_what_belongs_to_somebody_else() {
    let place = Workplace::new();
    place.with_account();
    std::fs::write(place.path("users.csv"), ROSTER).unwrap();
    place.ok(&["import", "acme", "users.csv"]);
    if !is_root() {
        eprintln!("only root can give a file to somebody else: this was not tried");
        return;
    }
    for file in ["import.lock", "users.db"] {
        let path = place.path("data/clients/acme").join(file);
        chown(path, Some(NOBODY), None).unwrap();
    }
    std::fs::create_dir(place.path("data/lost+found")).unwrap();
    chown(place.path("data/lost+found"), Some(NOBODY), None).unwrap();
    let output = place.output(&["check"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("2 of the files and folders belong to another user"), "{said}");
    assert!(words.contains("import.lock") && words.contains("chown -R root data"), "{said}");
}

#[test]
fn names_are_shown_in_the_order_of_their_letters() {
    let place = Workplace::new();
    place.with_account();
    let name = "users\u{202e}gpj.csv";
    std::fs::write(place.path(name), ROSTER).unwrap();
    let said = place.ok(&["import", "acme", name]);
    let listed = place.ok(&["imports", "list", "acme"]);
    assert!(!said.contains('\u{202e}') && !listed.contains('\u{202e}'), "{said}\n{listed}");
    assert!(listed.contains("users\u{fffd}gpj.csv"), "{listed}");
    let json = place.ok(&["--json", "imports", "list", "acme"]);
    assert!(!json.contains('\u{202e}') && json.contains("users\\u202egpj.csv"), "{json}");
}

#[test]
fn a_folder_that_is_closed_to_this_user_is_told_with_the_way_out() {
    let place = Workplace::new();
    place.with_account();
    if !is_root() {
        eprintln!("only root can be somebody else: this was not tried");
        return;
    }
    let mode = |path: &str, mode: u32| {
        std::fs::set_permissions(place.path(path), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    // The program where everybody may run it.
    std::fs::copy(assert_cmd::cargo::cargo_bin!("rollcall"), place.path("rollcall")).unwrap();
    mode("rollcall", 0o755);
    std::fs::create_dir(place.path("home")).unwrap();
    for path in all(&place.path("data")) {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let as_nobody = |words: &str| {
        let line = format!(
            "cd {home} && exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups {program} {words}",
            home = place.path("home").display(),
            program = place.path("rollcall").display()
        );
        let mut shell = std::process::Command::new("sh");
        let output = shell.args(["-c", &line]).env_remove("ROLLCALL_CONFIG").output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    mode(".", 0o755);
    mode("home", 0o777);
    let (code, said) = as_nobody("inspect no.csv");
    if code == Some(127) {
        eprintln!("setpriv is not installed: this was not tried");
        return;
    }
    assert!(said.contains("no.csv"), "in an open folder no configuration is needed: {said}");
    // One that is there and cannot be read is never passed over.
    std::fs::write(place.path("home/rollcall.toml"), "").unwrap();
    mode("home/rollcall.toml", 0o600);
    let (code, said) = as_nobody("inspect no.csv");
    assert!(code == Some(1) && said.contains("read the configuration rollcall.toml"), "{said}");
    mode("home", 0o700);
    let data = place.path("data").display().to_string();
    let (code, said) = as_nobody(&format!("--data {data} client list"));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the current folder is closed to this user"), "{said}");
    assert!(said.contains("cd /") && said.contains("--config"), "{said}");
    std::fs::write(place.path("own.toml"), "").unwrap();
    mode("own.toml", 0o644);
    let own = place.path("own.toml").display().to_string();
    let (code, said) = as_nobody(&format!("--config {own} --data {data} client list"));
    assert!(code == Some(0) && said.contains("acme"), "{said}");
}

#[test]
fn root_makes_no_keys_that_the_server_could_not_read() {
    let place = Workplace::new();
    place.with_account();
    if !is_root() {
        eprintln!("only root can be refused as root: this was not tried");
        return;
    }
    for path in all(&place.path("certs")) {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let before = all(&place.path("certs")).len();
    let refused = place.refused(&["--data", "none", "keys", "prepare"]);
    assert!(refused.contains("the folder of keys certs belongs to user "), "{refused}");
    assert_eq!(all(&place.path("certs")).len(), before);
    // Keys that are handed to a container, where root serves root's data.
    place.ok(&["keys", "prepare"]);
}

#[test]
fn a_certificate_without_the_name_of_a_sheet_is_told_and_a_new_one_has_it() {
    let place = Workplace::new();
    place.with_account();
    let named = "[hosts.standard]\npublic_host = \"files.example.com\"\n";
    std::fs::write(place.path("rollcall.toml"), named).unwrap();
    let checked = place.ok(&["check"]);
    let words = checked.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("self-signed, without the name files.example.com"), "{checked}");
    assert!(words.contains("remove certs/tls-cert.pem"), "{checked}");
    let before = place.json(&["account", "add", "acme", "Second"]);
    assert_eq!(before["host"], "files.example.com");
    let sheet = place.ok(&["account", "add", "acme", "Third"]);
    assert!(sheet.contains("it bears another name"), "{sheet}");

    std::fs::remove_file(place.path("certs/tls-cert.pem")).unwrap();
    let sheet = place.ok(&["account", "add", "acme", "Fourth"]);
    assert!(sheet.contains("self-signed") && !sheet.contains("it bears another name"), "{sheet}");
    assert!(!place.ok(&["check"]).contains("without the name"));
    let after = place.json(&["account", "add", "acme", "Fifth"]);
    let (before, after) = (&before["certificate"], &after["certificate"]);
    assert_eq!(before["public_key_pin"], after["public_key_pin"], "curl's pin stays right");
    assert_ne!(before["sha256"], after["sha256"]);
}
