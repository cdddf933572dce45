//! The real binary: each family of commands, its JSON, its exit codes, and what a running server sees of it.

mod clients;
mod extremes;
mod files;
mod folders;
mod mistakes;
mod serving;
mod staying;

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rollcall::model::{Protocol, VPath};
use rollcall::remote::{Auth, Reach, Target, Trust};
use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(180);
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
        command.env("ROLLCALL_ADMIN__LISTEN", "127.0.0.1:0");
        command.env("ROLLCALL_FTPS__EXPLICIT", "127.0.0.1:0");
        command.env("ROLLCALL_FTPS__IMPLICIT", "127.0.0.1:0");
        command.env("ROLLCALL_FTPS__PASSIVE_PORTS", "0");
        // However slow and full the machine is.
        command.env("ROLLCALL_LIMITS__REPLY_WAIT_S", "60");
        command.env("ROLLCALL_LIMITS__MIN_FREE_BYTES", "0");
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

    /// The same with more in its environment.
    pub(crate) fn serve_with(&self, environment: &[(&str, &str)]) -> Serving {
        let mut command = self.command(&["serve", "--json"]);
        command.envs(environment.iter().copied());
        Serving::start(command)
    }

    /// The same, and nobody reads what it says on standard error: every line fails.
    fn serve_unheard(&self) -> Serving {
        let mut command = self.command(&["serve", "--json"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        drop(child.stderr.take());
        Serving { child, ready: serde_json::from_str(&first).unwrap(), log: Arc::default() }
    }

    /// The same with something standing in its way (`src/fault.rs`).
    pub(crate) fn serve_with_fault(&self, fault: &str) -> Serving {
        let mut command = self.command(&["serve", "--json"]);
        command.env("ROLLCALL_FAULT", fault).env("ROLLCALL_LIMITS__MIN_FREE_BYTES", "0");
        Serving::start(command)
    }
}

/// A running `serve`; killed when a test fails half-way.
pub(crate) struct Serving {
    child: Child,
    pub(crate) ready: Value,
    log: Arc<Mutex<String>>,
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
        // A full pipe would stop the server.
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let log = Arc::<Mutex<String>>::default();
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        Self { child, ready: serde_json::from_str(&first).unwrap(), log }
    }

    /// What it has said on standard error so far.
    fn log(&self) -> String {
        self.log.lock().unwrap().clone()
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
            auth: Auth::Password(sheet["password"].as_str().unwrap().to_owned().into()),
            trust: Trust::Pins(pins.into_iter().map(|p| p.as_str().unwrap().to_owned()).collect()),
            reach: Reach { allow: vec!["127.0.0.1".parse().unwrap()] },
            step_timeout: DEADLINE,
        }
    }

    /// Sends it a hang-up.
    pub(crate) fn hang_up(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    }

    /// Asks it to stop and waits until it has.
    pub(crate) fn stop(self) -> std::process::ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.ended()
    }

    /// Waits until it has ended.
    pub(crate) fn ended(mut self) -> std::process::ExitStatus {
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
        &["lists", "--help"],
        &["lists", "load", "--help"],
        &["mappings", "--help"],
        &["mappings", "set", "--help"],
        &["account", "test", "--help"],
        &["account", "trust", "--help"],
        &["secrets", "rotate", "--help"],
        &["check", "--help"],
    ] {
        let help = place.ok(words);
        assert!(help.contains("Usage: rollcall") && help.contains("--json"), "{words:?}\n{help}");
    }
    assert!(place.ok(&["--version"]).starts_with(concat!("rollcall ", env!("CARGO_PKG_VERSION"))));
    place.usage(&[]);
    place.usage(&["dance"]);
    place.usage(&["client", "add"]);
    place.usage(&["client", "add", "acme", "--language", "xx"]);
    place.usage(&["users", "list", "acme", "--as-of", "31/12/2026"]);
    place.usage(&["folder", "add", "acme", "in", "/in", "--purpose", "dancing"]);
    assert!(!place.path("data").exists(), "help and wrong usage must not make anything");
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
