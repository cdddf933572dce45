//! The real binary: each family of commands, its JSON, its exit codes, and what a running server sees of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rollcall::model::{Protocol, VPath};
use rollcall::remote::{Connection, Target};
use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);
/// A bad date, an unknown manager … each row with its fault.
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/samples");

/// A folder in which the binary works, with no setting of this machine.
pub(crate) struct Workplace {
    folder: TempDir,
}

impl Workplace {
    pub(crate) fn new() -> Self {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        Self { folder: tempfile::Builder::new().prefix("rollcall-cli-").tempdir().unwrap() }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// The binary with these words, in this folder, on free ports of this machine.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("rollcall"));
        command.args(words).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("TMPDIR", self.folder.path());
        command.env("ROLLCALL_SFTP__LISTEN", "127.0.0.1:0");
        command.env("ROLLCALL_FTPS__EXPLICIT", "127.0.0.1:0");
        command.env("ROLLCALL_FTPS__IMPLICIT", "127.0.0.1:0");
        command.env("ROLLCALL_FTPS__PASSIVE_PORTS", "0");
        command
    }

    pub(crate) fn output(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// What a command prints when it succeeds.
    pub(crate) fn ok(&self, words: &[&str]) -> String {
        let output = self.output(words);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {:?}\n{stderr}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let text = self.ok(&[&["--json"], words].concat());
        serde_json::from_str(&text).map_err(|e| format!("{words:?}: {e}\n{text}")).unwrap()
    }

    /// What a command says when it refuses (exit code 1), on standard error.
    pub(crate) fn refused(&self, words: &[&str]) -> String {
        let output = self.output(words);
        assert_eq!(output.status.code(), Some(1), "{words:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    fn usage(&self, words: &[&str]) {
        let output = self.output(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {output:?}");
        assert!(!output.stderr.is_empty(), "{words:?} must say what is wrong with it");
    }

    /// Client `acme` with account `acme`, as `account add` hands it out.
    pub(crate) fn with_account(&self) -> Value {
        self.ok(&["client", "add", "acme", "--name", "Acme SA"]);
        self.json(&["account", "add", "acme", "Payroll"])
    }

    pub(crate) fn serve(&self) -> Serving {
        Serving::start(self.command(&["serve", "--json"]))
    }
}

/// A running `serve`; killed when a test fails half-way.
pub(crate) struct Serving {
    child: Child,
    pub(crate) ready: Value,
}

impl Serving {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        if first.is_empty() {
            let mut why = String::new();
            child.stderr.take().unwrap().read_to_string(&mut why).unwrap();
            assert!(!first.is_empty(), "serve did not become ready: {why}");
        }
        // Nobody reads the log here; a full pipe would stop the server.
        let mut log = child.stderr.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { child, ready: serde_json::from_str(&first).unwrap() }
    }

    fn port(&self, protocol: Protocol) -> u16 {
        let address = self.ready[protocol.name()].as_str().unwrap();
        address.rsplit(':').next().unwrap().parse().unwrap()
    }

    pub(crate) fn target(&self, sheet: &Value, protocol: Protocol) -> Target {
        let pins = match protocol {
            Protocol::Sftp => sheet["host_keys"]
                .as_array()
                .unwrap()
                .iter()
                .map(|key| &key["fingerprint"])
                .collect(),
            _ => vec![&sheet["certificate"]["sha256"]],
        };
        Target {
            protocol,
            host: "127.0.0.1".to_owned(),
            port: self.port(protocol),
            login: sheet["login"].as_str().unwrap().to_owned(),
            password: sheet["password"].as_str().unwrap().to_owned(),
            pins: pins.into_iter().map(|pin| pin.as_str().unwrap().to_owned()).collect(),
            timeout: DEADLINE,
        }
    }

    /// Asks it to stop and waits until it has.
    pub(crate) fn stop(mut self) -> std::process::ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < DEADLINE, "serve does not stop");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn sample(name: &str) -> String {
    Path::new(SAMPLES).join(name).display().to_string()
}

fn path(text: &str) -> VPath {
    text.parse().unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn every_command_explains_itself_and_knows_wrong_usage() {
    let place = Workplace::new();
    for words in [
        &["--help"][..],
        &["serve", "--help"],
        &["demo", "--help"],
        &["client", "--help"],
        &["client", "add", "--help"],
        &["account", "--help"],
        &["account", "add", "--help"],
        &["account", "key", "--help"],
        &["folder", "add", "--help"],
        &["settings", "set", "--help"],
        &["import", "--help"],
        &["imports", "report", "--help"],
        &["users", "list", "--help"],
        &["inspect", "--help"],
        &["template", "--help"],
        &["check", "--help"],
    ] {
        let help = place.ok(words);
        assert!(help.contains("Usage: rollcall") && help.contains("--json"), "{words:?}\n{help}");
    }
    assert!(place.ok(&["--version"]).starts_with("rollcall 0.1.0"));
    place.usage(&[]);
    place.usage(&["dance"]);
    place.usage(&["client", "add"]);
    place.usage(&["client", "add", "acme", "--language", "xx"]);
    place.usage(&["users", "list", "acme", "--as-of", "31/12/2026"]);
    place.usage(&["folder", "add", "acme", "in", "/in", "--purpose", "dancing"]);
    assert!(!place.path("data").exists(), "help and wrong usage must not make anything");
}

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

#[test]
fn folders_settings_and_templates() {
    let place = Workplace::new();
    let sheet = place.with_account();
    let login = sheet["login"].as_str().unwrap();
    let added = place.json(&[
        "folder",
        "add",
        login,
        "hr",
        "/hr/new",
        "--purpose",
        "import",
        "--pattern",
        "*.csv",
    ]);
    assert_eq!(
        (&added["path"], &added["purpose"], &added["pattern"]),
        (&"/hr/new".into(), &"import".into(), &"*.csv".into())
    );
    assert!(
        place.refused(&["folder", "add", login, "hr", "/x", "--purpose", "plain"]).contains("hr")
    );
    assert!(
        place
            .refused(&["folder", "add", "nobody", "x", "/x", "--purpose", "plain"])
            .contains("nobody")
    );
    let set = place.json(&["folder", "set", login, "hr", "--pattern", ""]);
    assert_eq!(set["pattern"], Value::Null);
    assert!(place.ok(&["folder", "list", login]).contains("/hr/new"));

    let toml = place.ok(&["settings", "show", "acme", "hr"]);
    assert!(toml.contains("mode = \"full\""), "{toml}");
    let set = place.json(&[
        "settings",
        "set",
        "acme",
        "hr",
        "mode=delta",
        "dates=dmy",
        "report.markers=true",
    ]);
    assert_eq!(set["mode"], "delta", "{set}");
    let toml = place.ok(&["settings", "show", "acme", "hr"]);
    assert!(toml.contains("mode = \"delta\"") && toml.contains("dates = \"dmy\""), "{toml}");
    let before = toml;
    assert!(
        place.refused(&["settings", "set", "acme", "hr", "mode=sometimes"]).contains("sometimes")
    );
    assert!(place.refused(&["settings", "set", "acme", "hr", "moood=full"]).contains("moood"));
    assert_eq!(
        place.ok(&["settings", "show", "acme", "hr"]),
        before,
        "a refused change changes nothing"
    );
    std::fs::write(place.path("new.toml"), "mode = \"full\"\n").unwrap();
    place.ok(&["settings", "load", "acme", "hr", "new.toml"]);
    assert!(place.ok(&["settings", "show", "acme", "hr"]).contains("mode = \"full\""));
    assert!(place.refused(&["settings", "show", "acme", "nowhere"]).contains("nowhere"));

    place.ok(&["folder", "remove", login, "hr"]);
    assert!(place.refused(&["settings", "show", "acme", "hr"]).contains("hr"));
}

#[test]
fn a_template_is_read_as_it_is_meant() {
    for language in ["en", "fr", "de"] {
        let place = Workplace::new();
        place.ok(&["client", "add", "acme", "--language", language]);
        let sheet = place.json(&["account", "add", "acme", "Payroll"]);
        let folder =
            sheet["folders"].as_array().unwrap().iter().find(|f| f["purpose"] == "import").unwrap();
        let template = place.ok(&["template", "acme", folder["name"].as_str().unwrap()]);
        std::fs::write(place.path("template.csv"), &template).unwrap();
        let found = place.json(&["inspect", "template.csv"]);
        for column in found["columns"].as_array().unwrap() {
            assert!(
                column["field"].is_string(),
                "{language}: {column} is not recognised in\n{template}"
            );
        }
        assert_eq!(found["rows"], 1);
        let report = place.json(&["import", "acme", "template.csv"]);
        assert_eq!(report["counts"]["created"], 1, "{language}: {report:#}");
        assert_eq!(report["status"], "ok", "{language}: {report:#}");
    }
}

#[test]
fn inspect_needs_nothing_and_says_everything() {
    let place = Workplace::new();
    let found = place.json(&["inspect", &sample("model-fr.csv")]);
    assert_eq!(found["separator"], ";");
    assert_eq!(found["header_line"], 1);
    let words = place.ok(&["inspect", &sample("model-fr.csv")]);
    assert!(words.contains("windows-1252") || words.contains("Windows-1252"), "{words}");
    let csv = place.ok(&["inspect", "--csv", &sample("model-fr.csv")]);
    assert!(csv.starts_with("legalEntity,ID number,"), "{csv}");
    assert!(place.refused(&["inspect", "missing.csv"]).contains("missing.csv"));
    std::fs::write(place.path("empty.csv"), "").unwrap();
    assert!(place.refused(&["inspect", "empty.csv"]).contains("F001"));
    assert!(!place.path("data").exists());
}

#[test]
fn import_imports_and_users() {
    let place = Workplace::new();
    place.with_account();
    let dry = place.json(&["import", "acme", &sample("demo-day1.csv"), "--dry-run"]);
    assert_eq!((&dry["dry_run"], &dry["counts"]["created"]), (&true.into(), &8.into()));
    assert_eq!(place.json(&["users", "list", "acme"]), serde_json::json!([]));

    let first = place.json(&["import", "acme", &sample("demo-day1.csv")]);
    assert_eq!(first["counts"]["created"], 8);
    let second = place.json(&["import", "acme", &sample("demo-day2.csv")]);
    assert_eq!(second["status"], "partial");

    let listed = place.json(&["imports", "list", "acme"]);
    let statuses: Vec<&str> =
        listed.as_array().unwrap().iter().map(|i| i["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["partial", "ok"]);
    let id = listed[0]["id"].as_str().unwrap();
    for key in ["id", "status", "file", "counts", "received_at"] {
        assert!(keys(&listed[0]).contains(&key), "{key}");
    }
    assert_eq!(listed[0]["file"]["name"], "demo-day2.csv");
    assert_eq!(place.json(&["imports", "show", id])["import"], id);
    assert!(place.ok(&["imports", "show", id]).contains("NGUYEN"));
    assert!(place.ok(&["imports", "report", id]).starts_with('\u{feff}'));
    assert!(place.ok(&["imports", "report", id, "--language", "fr"]).contains("Niveau"));
    assert!(
        place
            .refused(&["imports", "show", "00000000-0000-7000-8000-000000000000"])
            .contains("00000000")
    );
    place.usage(&["imports", "show", "not-an-id"]);

    let users = place.json(&["users", "list", "acme"]);
    assert_eq!(users.as_array().unwrap().len(), 9);
    let nguyen = users.as_array().unwrap().iter().find(|u| u["last_name"] == "Nguyen").unwrap();
    assert_eq!(nguyen["employee_number"], "00119");
    assert_eq!(nguyen["state"], "active");
    assert_eq!(nguyen["manager"], "00112");
    assert!(nguyen["manager_name"].as_str().unwrap().contains("Hartmann"));
    let csv = place.ok(&["users", "export", "acme"]);
    assert_eq!(csv.lines().count(), 10, "{csv}");
    assert!(csv.lines().next().unwrap().contains("employee_number"));
    let card = place.ok(&["users", "show", "acme", "zofia kowalska"]);
    assert!(
        card.contains("00127") && card.contains("History") && card.contains("demo-day2.csv"),
        "{card}"
    );
    let history = place.json(&["users", "history", "acme", "00127"]);
    assert!(
        history
            .as_array()
            .unwrap()
            .iter()
            .any(|c| c["field"] == "department" && c["to"] == "Marketing")
    );
    assert!(place.refused(&["users", "show", "acme", "nobody"]).contains("nobody"));
    assert_eq!(
        place.json(&["users", "list", "acme", "--as-of", "2020-01-01"]),
        serde_json::json!([])
    );
    assert_eq!(
        place.json(&["users", "list", "acme", "--state", "ended"]).as_array().unwrap().len(),
        1
    );
}

#[test]
fn a_file_that_is_refused_ends_with_1() {
    let place = Workplace::new();
    place.with_account();
    std::fs::write(place.path("no.csv"), "first name,town\nAnne,Paris\n").unwrap();
    let output = place.output(&["import", "acme", "no.csv"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("H101"), "{told}");
    assert!(place.refused(&["import", "acme", "missing.csv"]).contains("missing.csv"));
    assert!(
        place.refused(&["import", "acme", "no.csv", "--folder", "nowhere"]).contains("nowhere")
    );
}

#[test]
fn check_finds_what_is_wrong_and_how_to_mend_it() {
    use std::os::unix::fs::PermissionsExt;
    let place = Workplace::new();
    place.with_account();
    let found = place.json(&["check"]);
    assert!(found.as_array().unwrap().iter().all(|f| f["grade"] != "wrong"), "{found:#}");

    let key = place.path("certs/ssh_host_rsa_key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = place.output(&["check"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("chmod 600"));

    std::fs::remove_file(&key).unwrap();
    let output = place.output(&["check"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("ssh_host_rsa_key"));
}

#[test]
fn a_configuration_that_is_wrong_is_named() {
    let place = Workplace::new();
    assert!(place.refused(&["--config", "gone.toml", "client", "list"]).contains("gone.toml"));
    std::fs::write(place.path("rollcall.toml"), "[sftp]\nlissten = \"x\"\n").unwrap();
    assert!(place.refused(&["client", "list"]).contains("lissten"));
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let place = Workplace::new();
    place.with_account();
    let mut child = place
        .command(&["account", "list"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn serve_says_where_it_listens_and_stops_in_good_order() {
    let place = Workplace::new();
    let serving = place.serve();
    assert_eq!(serving.ready["event"], "ready");
    assert_eq!(serving.ready["admin"], Value::Null);
    for protocol in Protocol::ALL {
        assert_ne!(serving.port(protocol), 0);
    }
    assert!(place.refused(&["serve"]).contains("another rollcall serves"));
    let sheet = place.with_account();
    assert_eq!(
        sheet["ports"]["sftp"],
        serving.port(Protocol::Sftp),
        "the sheet names the real port"
    );
    assert!(serving.stop().success());
    assert!(!place.path("data/run/bound.json").exists());
    let serving = place.serve();
    assert!(serving.stop().success(), "what it left serves again");
}

/// Waits for `done` within `limit`.
async fn within<F: Future<Output = bool>>(
    limit: Duration,
    what: &str,
    mut done: impl FnMut() -> F,
) {
    let begun = Instant::now();
    while !done().await {
        assert!(begun.elapsed() < limit, "{what}: not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_sees_what_the_command_line_changes() {
    let place = Workplace::new();
    let serving = place.serve();
    let sheet = place.with_account();
    let login = sheet["login"].as_str().unwrap();
    for protocol in Protocol::ALL {
        let mut connection = Connection::open(&serving.target(&sheet, protocol)).await.unwrap();
        assert!(connection.list(&VPath::root()).await.unwrap().contains(&"in".to_owned()));
        connection.close().await;
    }
    place.ok(&["folder", "add", login, "more", "/more", "--purpose", "plain"]);
    let target = serving.target(&sheet, Protocol::Sftp);
    within(Duration::from_secs(1), "the new folder", async || {
        let mut connection = Connection::open(&target).await.unwrap();
        connection.list(&VPath::root()).await.unwrap().contains(&"more".to_owned())
    })
    .await;
    place.ok(&["account", "set", login, "--protocols", "ftpes"]);
    within(Duration::from_secs(1), "SFTP is closed", async || {
        Connection::open(&target).await.is_err()
    })
    .await;
    serving.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_accounts_live_sessions_end() {
    let place = Workplace::new();
    let serving = place.serve();
    let sheet = place.with_account();
    let login = sheet["login"].as_str().unwrap();
    let mut live = Vec::new();
    for protocol in Protocol::ALL {
        live.push(Connection::open(&serving.target(&sheet, protocol)).await.unwrap());
    }
    place.ok(&["account", "disable", login]);
    let begun = Instant::now();
    for connection in &mut live {
        while connection.list(&VPath::root()).await.is_ok() {
            assert!(
                begun.elapsed() < Duration::from_secs(5),
                "a session of a disabled account lives on"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    serving.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn put_then_get_over_each_protocol() {
    let place = Workplace::new();
    let serving = place.serve();
    let sheet = place.with_account();
    for protocol in Protocol::ALL {
        let mut connection = Connection::open(&serving.target(&sheet, protocol)).await.unwrap();
        let name = format!("/in/{protocol}.csv");
        let bytes = std::fs::read(sample("demo-day1.csv")).unwrap();
        connection.put(&path(&name), &bytes).await.unwrap();
        let report = connection.get(&path(&format!("{name}.report.json")), 1 << 20).await.unwrap();
        let report: Value = serde_json::from_slice(&report).unwrap();
        assert!(
            ["ok", "duplicate"].contains(&report["status"].as_str().unwrap()),
            "{protocol}: {report:#}"
        );
        assert_eq!(connection.get(&path(&name), 1 << 20).await.unwrap(), bytes);
        assert!(connection.get(&path(&name), 10).await.is_err(), "a limit holds");
        connection.close().await;
    }
    serving.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_or_certificate_is_never_accepted() {
    let place = Workplace::new();
    let serving = place.serve();
    let sheet = place.with_account();
    for protocol in Protocol::ALL {
        let mut target = serving.target(&sheet, protocol);
        target.pins = vec![match protocol {
            Protocol::Sftp => format!("SHA256:{}", "A".repeat(43)),
            _ => "ab".repeat(32),
        }];
        let Err(error) = Connection::open(&target).await else { panic!("{protocol}: accepted") };
        assert_eq!(error.kind(), rollcall::error::Kind::Denied, "{protocol}: {error}");
        assert!(error.message().contains("another"), "{protocol}: {error}");
    }
    serving.stop();
}

#[test]
fn the_demo_tells_its_story_and_leaves_nothing_behind() {
    let place = Workplace::new();
    let told = place.ok(&["demo", "--once"]);
    for needed in [
        "Password",
        "SHA256:",
        "8 created",
        "Same file",
        "1 ended",
        "V305",
        "X201",
        "Kowalska",
        "Appliqué",
    ] {
        assert!(told.contains(needed), "{needed} in\n{told}");
    }
    assert!(!told.contains('\u{1b}'), "no colours off a terminal");
    let left: Vec<_> =
        std::fs::read_dir(place.path(".")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
    let events = place.ok(&["demo", "--once", "--json"]);
    let events: Vec<Value> =
        events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().filter(|e| e["event"] == "report").count() >= 4);
}
