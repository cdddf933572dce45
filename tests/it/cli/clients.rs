//! Clients, accounts, their passwords and keys.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use super::{Workplace, keys};

#[test]
fn clients() {
    let place = Workplace::new();
    assert_eq!(place.json(&["client", "list"]), serde_json::json!([]));
    let added = place.json(&[
        "client",
        "add",
        "acme",
        "--name",
        "Acme SA",
        "--language",
        "fr",
        "--time-zone",
        "Europe/Paris",
    ]);
    assert_eq!(added["slug"], "acme");
    assert_eq!(added["language"], "fr");
    assert_eq!(added["enabled"], true);
    assert!(place.refused(&["client", "add", "acme"]).contains("acme"));
    assert!(place.refused(&["client", "add", "Acme!"]).contains("a-z"));
    assert!(
        place
            .refused(&["client", "add", "b", "--time-zone", "Mars/Phobos"])
            .contains("Mars/Phobos")
    );
    assert!(place.refused(&["client", "show", "nobody"]).contains("nobody"));
    assert_eq!(
        place.json(&["client", "set", "acme", "--name", "Acme AG", "--language", "de"])["name"],
        "Acme AG"
    );
    assert_eq!(place.json(&["client", "disable", "acme"])["enabled"], false);
    assert_eq!(place.json(&["client", "enable", "acme"])["enabled"], true);
    let shown = place.json(&["client", "show", "acme"]);
    assert_eq!((&shown["language"], &shown["accounts"]), (&"de".into(), &serde_json::json!([])));
    assert!(place.ok(&["client", "list"]).contains("Acme AG"));
    assert!(
        place
            .refused(&["client", "erase", "acme", "--confirm", "acm"])
            .contains("nothing was erased")
    );
    place.ok(&["client", "erase", "acme", "--confirm", "acme"]);
    assert_eq!(place.json(&["client", "list"]), serde_json::json!([]));
    assert!(!place.path("data/clients/acme").exists());
}

#[test]
fn accounts_and_their_sheets() {
    let place = Workplace::new();
    let sheet = place.with_account();
    for key in [
        "login",
        "password",
        "host",
        "ports",
        "protocols",
        "host_keys",
        "certificate",
        "folders",
        "client",
        "name",
    ] {
        assert!(keys(&sheet).contains(&key), "{key} in {sheet}");
    }
    let password = sheet["password"].as_str().unwrap();
    assert!(password.len() >= 20, "{password}");
    assert!(sheet["host_keys"][0]["fingerprint"].as_str().unwrap().starts_with("SHA256:"));
    assert_eq!(sheet["certificate"]["sha256"].as_str().unwrap().split(':').count(), 32);
    let login = sheet["login"].as_str().unwrap();
    let shown = place.ok(&["account", "show", login]);
    assert!(!shown.contains(password), "the password is shown once only");
    assert!(
        !std::fs::read(place.path("data/registry.db"))
            .unwrap()
            .windows(password.len())
            .any(|w| w == password.as_bytes())
    );

    let listed = place.json(&["account", "list", "acme"]);
    assert_eq!(listed[0]["login"], login);
    assert_eq!(listed[0]["protocols"], serde_json::json!(["sftp", "ftps", "ftpes"]));
    let set = place.json(&["account", "set", login, "--protocols", "sftp,ftpes", "--name", "Paie"]);
    assert_eq!(set["protocols"], serde_json::json!(["sftp", "ftpes"]));
    assert!(place.refused(&["account", "add", "acme", "X", "--login", login]).contains(login));
    assert!(
        place.refused(&["account", "add", "acme", "X", "--login", "Not Good"]).contains("Not Good")
    );
    assert!(place.refused(&["account", "add", "nobody", "X"]).contains("nobody"));
    assert!(
        place.refused(&["account", "add", "acme", "X", "--host-profile", "none"]).contains("none")
    );

    let renewed = place.json(&["account", "password", login]);
    assert_ne!(renewed["password"], sheet["password"]);
    assert_eq!(place.json(&["account", "disable", login])["enabled"], false);
    assert_eq!(place.json(&["account", "enable", login])["enabled"], true);
    place.ok(&["account", "remove", login]);
    assert_eq!(place.json(&["account", "list"]), serde_json::json!([]));
    assert!(place.refused(&["account", "show", login]).contains(login));
}

#[test]
fn a_given_password_and_keys() {
    let place = Workplace::new();
    place.ok(&["client", "add", "acme"]);
    let mut child = place
        .command(&["--json", "account", "add", "acme", "A", "--login", "a", "--password-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"correct horse battery staple\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let sheet: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(sheet["password"], Value::Null, "what was given is not printed again");

    // An invented key: the public half of a pair that nobody has.
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGnUr+fLD3VfQlPWb1oLYZ2yUl7VxTJ5Z1GvRBjCJ9Kx payroll@example";
    std::fs::write(place.path("id.pub"), key).unwrap();
    std::fs::write(place.path("no.pub"), "hello").unwrap();
    let added = place.json(&["account", "key", "add", "a", "id.pub"]);
    let fingerprint = added[0]["fingerprint"].as_str().unwrap();
    assert!(fingerprint.starts_with("SHA256:"));
    assert_eq!(place.json(&["account", "key", "list", "a"])[0]["comment"], "payroll@example");
    place.refused(&["account", "key", "add", "a", "no.pub"]);
    assert!(place.refused(&["account", "key", "add", "a", "missing.pub"]).contains("missing.pub"));
    place.ok(&["account", "key", "remove", "a", fingerprint]);
    assert_eq!(place.json(&["account", "key", "list", "a"]), serde_json::json!([]));

    let sheet = place.json(&[
        "account",
        "add",
        "acme",
        "B",
        "--login",
        "b",
        "--key",
        "id.pub",
        "--no-password",
    ]);
    assert_eq!(sheet["password"], Value::Null);
    assert_eq!(sheet["keys"][0], fingerprint);
    place.usage(&["account", "add", "acme", "C", "--no-password"]);
}
