//! OpenSSH's own programs, when they are on this machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::app::TestApp;

const ROSTER: &str = "login;lastName;firstName;mail;dtContractStart\n\
                      adupont;Dupont;Anne;anne@acme.example;2020-01-06\n";

/// A server, an account, and a folder for the client's own files.
struct Bench {
    app: TestApp,
    home: tempfile::TempDir,
}

/// Makes a key; `None` where OpenSSH is not installed or refuses to make such a key.
fn make_key(home: &Path, kind: &str, bits: &str) -> Option<PathBuf> {
    let file = home.join(format!("{kind}{bits}"));
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-b", bits, "-N", "", "-f"])
        .arg(&file)
        .status()
        .ok()?;
    made.success().then_some(file)
}

impl Bench {
    /// `None` where OpenSSH is not installed.
    async fn start() -> Option<Self> {
        let home = tempfile::tempdir().unwrap();
        make_key(home.path(), "ed25519", "256")?;
        let app = TestApp::start().await;
        app.add_account("acme");
        let bench = Self { app, home };
        bench.allow("ed25519256");
        std::fs::write(bench.home.path().join("users.csv"), ROSTER).unwrap();
        Some(bench)
    }

    fn allow(&self, key: &str) {
        let public = self.home.path().join(format!("{key}.pub"));
        let public = std::fs::read_to_string(public).unwrap();
        self.app.service.add_key("acme", &public).unwrap();
    }

    async fn run(&self, program: &'static str, key: &str, arguments: &[&str]) -> Output {
        let port = self.app.bound().sftp.unwrap().port();
        let mut command = Command::new(program);
        command.current_dir(self.home.path()).arg("-i").arg(self.home.path().join(key));
        command.args(["-oBatchMode=yes", "-oStrictHostKeyChecking=no", "-oIdentitiesOnly=yes"]);
        command.args(["-oUserKnownHostsFile=known", "-oLogLevel=ERROR", "-F", "none"]);
        command.arg(format!("-oPort={port}")).args(arguments);
        tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
    }

    /// Runs OpenSSH's sftp over a batch and returns what it wrote.
    async fn sftp(&self, batch: &str) -> String {
        std::fs::write(self.home.path().join("batch"), batch).unwrap();
        let done = self.run("sftp", "ed25519256", &["-b", "batch", "acme@127.0.0.1"]).await;
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{batch}\n{told}");
        String::from_utf8_lossy(&done.stdout).into_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_does_a_days_work_in_one_session() {
    let Some(bench) = Bench::start().await else { return };
    let told = bench
        .sftp(
            "put users.csv /payroll/users.csv\n\
             get /payroll/users.csv.report.json report.json\n\
             put users.csv /payroll/next.csv.tmp\n\
             rename /payroll/next.csv.tmp /payroll/next.csv\n\
             mkdir /papers/a b\n\
             put -p users.csv /papers/a/x.csv\n\
             chmod 600 /papers/a/x.csv\n\
             ls -l /papers/a\n\
             rm /papers/a/x.csv\n\
             rmdir /papers/a\n\
             df\n",
        )
        .await;
    assert!(told.contains("x.csv"), "{told}");
    let report = std::fs::read_to_string(bench.home.path().join("report.json")).unwrap();
    assert!(report.contains("\"status\""), "{report}");
    bench.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_file_is_resumed() {
    let Some(bench) = Bench::start().await else { return };
    let whole = "0123456789".repeat(1000);
    let local = bench.home.path().join("part.tmp");
    std::fs::write(&local, &whole[..4000]).unwrap();
    bench.sftp("put part.tmp /payroll/part.tmp\n").await;
    std::fs::write(&local, &whole).unwrap();
    bench.sftp("put -a part.tmp /payroll/part.tmp\nget /payroll/part.tmp back\n").await;
    assert_eq!(std::fs::read_to_string(bench.home.path().join("back")).unwrap(), whole);
    bench.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scp_uploads_overwrites_and_downloads_with_a_good_exit() {
    let Some(bench) = Bench::start().await else { return };
    for _ in 0..2 {
        let arguments = ["users.csv", "acme@127.0.0.1:/payroll/users.csv"];
        let done = bench.run("scp", "ed25519256", &arguments).await;
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let done = bench.run("scp", "ed25519256", &["acme@127.0.0.1:/payroll/users.csv", "back"]).await;
    assert!(done.status.success());
    assert_eq!(std::fs::read_to_string(bench.home.path().join("back")).unwrap(), ROSTER);
    bench.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_scp_imports_and_fetches() {
    let Some(bench) = Bench::start().await else { return };
    let upload = ["-O", "users.csv", "acme@127.0.0.1:/payroll/"];
    let done = bench.run("scp", "ed25519256", &upload).await;
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(bench.app.service.users("acme", None).unwrap().len(), 1);
    let fetch = ["-O", "-p", "acme@127.0.0.1:/payroll/*.json", "back"];
    let done = bench.run("scp", "ed25519256", &fetch).await;
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let report = std::fs::read_to_string(bench.home.path().join("back")).unwrap();
    assert!(report.contains("\"status\""), "{report}");
    bench.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_and_shells_get_a_text_and_exit_1() {
    let Some(bench) = Bench::start().await else { return };
    let shell = bench.run("ssh", "ed25519256", &["acme@127.0.0.1", "id"]).await;
    assert_eq!(shell.status.code(), Some(1));
    bench.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rsa_keys_log_in_from_2048_bits_on() {
    let Some(bench) = Bench::start().await else { return };
    let home = bench.home.path().to_owned();
    for (kind, bits, enters) in
        [("rsa", "3072", true), ("ecdsa", "256", true), ("rsa", "1024", false)]
    {
        if make_key(&home, kind, bits).is_none() {
            continue;
        }
        let key = format!("{kind}{bits}");
        let public = std::fs::read_to_string(home.join(format!("{key}.pub"))).unwrap();
        // A service that refuses to store a weak key is as good as a server that refuses to use it.
        if bench.app.service.add_key("acme", &public).is_err() {
            assert!(!enters, "{key}");
            continue;
        }
        std::fs::write(home.join("batch"), "pwd\n").unwrap();
        let done = bench.run("sftp", &key, &["-b", "batch", "acme@127.0.0.1"]).await;
        assert_eq!(done.status.success(), enters, "{key}");
    }
    bench.app.stop().await;
}
