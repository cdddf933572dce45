//! Accounts on clients' own servers and the vault of their secrets, through the real binary (docs/remote-accounts.md).

use std::io::Write;
use std::process::{Output, Stdio};

use rollcall::model::Protocol;
use rollcall::remote::Connection;
use serde_json::Value;

use super::cli::Workplace;

const PASSWORD: &str = "Correct-Horse-77";

/// A command that reads `given` from standard input.
fn with_input(place: &Workplace, words: &[&str], given: &str, fault: Option<&str>) -> Output {
    let mut command = place.command(words);
    if let Some(fault) = fault {
        command.env("ROLLCALL_FAULT", fault);
    }
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    // A command that refuses at once does not read.
    drop(child.stdin.take().unwrap().write_all(given.as_bytes()));
    child.wait_with_output().unwrap()
}

/// Client `acme` with an account on its own server; the account's login.
fn with_remote(place: &Workplace, host: &str) -> String {
    if place.json(&["client", "list"]).as_array().unwrap().is_empty() {
        place.ok(&["client", "add", "acme"]);
    }
    let words = [
        "--json",
        "account",
        "add",
        "acme",
        "Their server",
        "--remote",
        "ftps",
        host,
        "--login",
        "we",
        "--password-stdin",
    ];
    let output = with_input(place, &words, &format!("{PASSWORD}\n"), None);
    assert!(output.status.success(), "{output:?}");
    let added: Value = serde_json::from_slice(&output.stdout).unwrap();
    added["account"].as_str().unwrap().to_owned()
}

fn vault(place: &Workplace) -> Value {
    place.json(&["secrets", "show"])
}

/// The keys in the key file.
fn keys(place: &Workplace) -> Vec<String> {
    let text = std::fs::read_to_string(place.path("certs/sealing.key")).unwrap();
    text.lines().filter(|l| !l.starts_with('#')).map(str::to_owned).collect()
}

fn registry_holds(place: &Workplace, needle: &[u8]) -> bool {
    ["registry.db", "registry.db-wal"].iter().any(|name| {
        let bytes = std::fs::read(place.path("data").join(name)).unwrap_or_default();
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}

#[test]
fn an_exchange_of_the_key_that_is_cut_short_anywhere_loses_nothing() {
    let place = Workplace::new();
    with_remote(&place, "one.example");
    with_remote(&place, "two.example");
    let first = keys(&place);
    assert_eq!(first.len(), 1);

    // The new key is in the file, nothing stands under it yet.
    let killed = with_input(&place, &["secrets", "rotate"], "", Some("kill:rotate-key-written"));
    assert!(!killed.status.success());
    assert_eq!(keys(&place).len(), 2);
    assert_eq!(keys(&place)[1], first[0]);
    let state = vault(&place);
    assert_eq!((state["sealed"].as_u64(), state["closed"].as_array().unwrap().len()), (Some(2), 0));
    assert_eq!(state["unfinished"], true);
    // Secrets are sealed and opened meanwhile.
    with_remote(&place, "three.example");

    // Everything stands under the new key, the old one is still in the file.
    let killed = with_input(&place, &["secrets", "rotate"], "", Some("kill:rotate-resealed"));
    assert!(!killed.status.success());
    assert_eq!(keys(&place).len(), 2);
    let state = vault(&place);
    assert_eq!((state["sealed"].as_u64(), state["closed"].as_array().unwrap().len()), (Some(3), 0));
    with_remote(&place, "four.example");

    let done = place.json(&["secrets", "rotate"]);
    assert_eq!(done["resealed"], 4);
    let last = keys(&place);
    assert_eq!(last.len(), 1);
    assert!(!first.contains(&last[0]));
    let state = vault(&place);
    assert_eq!((state["sealed"].as_u64(), state["closed"].as_array().unwrap().len()), (Some(4), 0));
    assert_eq!(state["unfinished"], false);
}

#[test]
fn a_lost_key_file_is_an_error_and_never_a_silent_new_one() {
    let place = Workplace::new();
    let login = with_remote(&place, "one.example");
    let file = place.path("certs/sealing.key");
    let away = place.path("away.key");
    std::fs::rename(&file, &away).unwrap();

    let words = ["account", "set", &login, "--password-stdin"];
    let refused = with_input(&place, &words, "another-one\n", None);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(said.contains("sealing.key is missing") && said.contains("backup"), "{said}");
    assert!(place.refused(&["secrets", "rotate"]).contains("backup"));
    assert!(!file.exists());
    let output = place.output(&["check"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains(&format!("secret account/{login}/password")), "{told}");

    // Another key is no cure either.
    std::fs::write(&file, format!("{}\n", "0123456789abcdef".repeat(4))).unwrap();
    let refused = with_input(&place, &words, "another-one\n", None);
    assert!(String::from_utf8(refused.stderr).unwrap().contains("does not hold"));
    std::fs::rename(&away, &file).unwrap();
    assert_eq!(vault(&place)["closed"].as_array().unwrap().len(), 0);
}

#[test]
fn a_removed_account_and_a_replaced_secret_leave_nothing_behind() {
    let place = Workplace::new();
    let login = with_remote(&place, "one.example");
    let sealed = |place: &Workplace| -> Vec<u8> {
        let conn = rusqlite::Connection::open(place.path("data/registry.db")).unwrap();
        conn.query_row("SELECT sealed_password FROM remote_servers", [], |row| row.get(0)).unwrap()
    };
    let first = sealed(&place);
    assert!(registry_holds(&place, &first));
    assert!(!registry_holds(&place, PASSWORD.as_bytes()));
    let words = ["account", "set", &login, "--password-stdin"];
    assert!(with_input(&place, &words, "another-one\n", None).status.success());
    let second = sealed(&place);
    assert!(!registry_holds(&place, &first) && registry_holds(&place, &second));
    place.ok(&["account", "remove", &login]);
    assert!(!registry_holds(&place, &second));
    // Nothing is sealed any more: then, and only then, a lost key file is made anew.
    std::fs::remove_file(place.path("certs/sealing.key")).unwrap();
    with_remote(&place, "two.example");
    assert_eq!(vault(&place)["closed"].as_array().unwrap().len(), 0);
}

#[test]
fn nobody_logs_in_here_with_an_account_on_the_clients_server() {
    let place = Workplace::new();
    let login = with_remote(&place, "one.example");
    let server = place.serve();
    let mut sheet = place.json(&["account", "add", "acme", "Hosted"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for protocol in Protocol::ALL {
        sheet["login"] = Value::String(login.clone());
        sheet["password"] = Value::String(PASSWORD.to_owned());
        let target = server.target(&sheet, protocol);
        let refused = runtime.block_on(Connection::open(&target)).err().unwrap();
        assert_eq!(refused.kind(), rollcall::error::Kind::Denied, "{protocol}: {refused}");
    }
    assert!(server.stop().success());
}

#[test]
fn each_form_of_account_has_its_own_commands() {
    let place = Workplace::new();
    let login = with_remote(&place, "one.example");
    place.ok(&["account", "add", "acme", "Hosted", "--login", "hosted"]);
    let key = place.path("id.pub");
    std::fs::write(&key, "ssh-ed25519 AAAA\n").unwrap();
    for (words, cure) in [
        (&["account", "password", &login][..], "account set"),
        (&["account", "key", "add", &login, key.to_str().unwrap()], "--key FILE"),
        (&["account", "rules", &login, "--allow-from", "192.0.2.0/24"], "decided by that server"),
        (&["account", "rights", &login, "list"], "decided by that server"),
        (&["account", "set", &login, "--protocols", "sftp"], "removing it and adding it anew"),
        (&["account", "set", "hosted", "--host", "x.example"], "is hosted here"),
        (&["account", "trust", "hosted"], "is hosted here"),
        (&["account", "test", "hosted"], "is hosted here"),
    ] {
        let said = place.refused(words);
        assert!(said.contains(cure), "{words:?}: {said}");
    }
    let add = |more: &[&str]| {
        let words = ["account", "add", "acme", "x", "--login", "we"];
        let output = with_input(&place, &[&words[..], more].concat(), "Some-Password-9\n", None);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for (more, code, cure) in [
        (&["--remote", "sftp", "user@x.example", "--password-stdin"][..], 1, "--login"),
        (&["--remote", "sftp", "sftp://x.example", "--password-stdin"], 1, "without \"://\""),
        (&["--remote", "sftp", "x.example:0", "--password-stdin"], 1, "1 to 65535"),
        (&["--remote", "scp", "x.example", "--password-stdin"], 1, "use sftp, ftps or ftpes"),
        (&["--remote", "sftp", "x.example"], 1, "--password-stdin, or --key FILE"),
        (&["--remote", "sftp", "x.example", "--password-stdin", "--pin", "x"], 1, "SHA256:"),
        (&["--remote", "sftp", "x.example", "--password-stdin", "--trust", "platform"], 1, "--pin"),
        (&["--remote", "ftps", "x.example", "--password-stdin", "--trust", "ca"], 1, "--ca FILE"),
        (&["--remote", "sftp", "x.example", "--no-password"], 2, "--no-password"),
        (&["--remote", "sftp", "x.example", "--protocols", "sftp"], 2, "--protocols"),
        (&["--pin", "x"], 2, "--remote"),
    ] {
        let (status, said) = add(more);
        assert_eq!(status, Some(code), "{more:?}: {said}");
        assert!(said.contains(cure), "{more:?}: {said}");
        assert!(!said.contains("Some-Password-9"), "{more:?}: {said}");
    }
    let listed = place.json(&["account", "list"]);
    assert_eq!(listed.as_array().unwrap().len(), 2, "what was refused was not added: {listed}");
    assert_eq!(listed[0]["remote"]["host"], "one.example");
    assert!(listed[1].get("remote").is_none(), "{listed}");
    // A folder there is nothing on this disk.
    place.ok(&["folder", "add", &login, "in", "/in", "--purpose", "import"]);
    assert!(!place.path(&format!("data/clients/acme/files/{login}")).exists());
    assert_eq!(place.json(&["account", "show", &login])["folders"][0]["path"], "/in");
    place.ok(&["client", "erase", "acme", "--confirm", "acme"]);
    assert_eq!(vault(&place)["sealed"], 0);
}
