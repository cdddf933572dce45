//! E-mails and hooks through a running server: into a folder, from a program.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rollcall::config::{Config, Hook};
use rollcall::model::Protocol;
use rollcall::service::outbox::{JobFilter, JobState, OutboxJob};

use crate::app::TestApp;

const GOOD: &str = "employee number;last name;first name;hire date;birth date\n\
                    1;Roy;Anne;2026-02-02;1980-05-17\n2;Noël;Zoé;2026-02-03;1981-06-18\n";

fn into_folder(folder: &Path) -> impl FnOnce(&mut Config) {
    let folder = folder.to_owned();
    move |config| {
        config.mail.dir = Some(folder);
        config.mail.from = Some("Rollcall <rollcall@example.com>".to_owned());
        config.limits.reply_wait_s = 60;
    }
}

async fn put(app: &TestApp, client: &str, name: &str, text: &str) {
    let mut session = app.connect(client, Protocol::Sftp).await;
    session.put(&format!("/payroll/{name}").parse().unwrap(), text.as_bytes()).await.unwrap();
    session.close().await;
    app.settled().await;
}

/// Waits until nothing waits in the outbox any more; answers its jobs, oldest first.
async fn settled(app: &TestApp, at_least: usize) -> Vec<OutboxJob> {
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        let mut jobs = app.service.outbox(&JobFilter::default()).unwrap();
        jobs.reverse();
        if jobs.len() >= at_least && jobs.iter().all(|job| job.state != JobState::Waiting) {
            return jobs;
        }
        assert!(Instant::now() < end, "the outbox did not settle: {jobs:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn letters(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.iter().all(|path| path.extension().is_some_and(|e| e == "eml")), "{paths:?}");
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recipient_gets_one_message_in_his_language_also_after_a_restart() {
    let out = tempfile::tempdir().unwrap();
    let app = TestApp::start_with(into_folder(out.path())).await;
    app.add_account("acme");
    let to = "[mail]\nto = ['a@example.com', 'fr:b@example.com', 'de:c@example.com']";
    app.service.set_settings("acme", "roster", to).unwrap();
    put(&app, "acme", "users.csv", GOOD).await;
    let jobs = settled(&app, 3).await;
    assert!(jobs.iter().all(|job| job.state == JobState::Done), "{jobs:?}");
    let first = letters(out.path());
    assert_eq!(first.len(), 3);
    for (to, words) in [("a@", "2 rows: 2 created"), ("b@", "2 lignes"), ("c@", "2 Zeilen")] {
        let letter = first.iter().find(|letter| letter.contains(&format!("To: {to}"))).unwrap();
        assert!(letter.replace("=C2=A0", " ").contains(words), "{letter}");
    }
    // By itself the year may stand in an id.
    let born = ["1980-0", "/1980", ".1980", "17/05"];
    assert!(!first.iter().any(|letter| born.iter().any(|text| letter.contains(text))));
    // Nobody is told twice, not even by the next server over the same folder.
    let folder = app.stop().await;
    let app = TestApp::start_in(folder, into_folder(out.path())).await;
    assert_eq!(settled(&app, 3).await.len(), 3);
    assert_eq!(letters(out.path()), first);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn problems_only_means_problems_and_a_digest_waits_for_its_hour() {
    let out = tempfile::tempdir().unwrap();
    let app = TestApp::start_with(into_folder(out.path())).await;
    app.add_account("acme");
    let problems = "[mail]\nto = ['a@example.com']\non = 'problems'";
    app.service.set_settings("acme", "roster", problems).unwrap();
    put(&app, "acme", "users.csv", GOOD).await;
    assert_eq!(settled(&app, 0).await, []);
    put(&app, "acme", "users.csv", &GOOD.replace("2026-02-03", "31/02/2026")).await;
    let jobs = settled(&app, 1).await;
    assert_eq!(jobs.len(), 1);
    assert!(jobs[0].key.contains("/partial/"), "{jobs:?}");
    let digest = "[mail]\nto = ['a@example.com']\non = 'digest'\ndigest_at = '07:00'";
    app.service.set_settings("acme", "roster", digest).unwrap();
    for department in ["Sales", "Paie"] {
        let text = GOOD.replace("birth date", "department");
        let text = text.replace("1980-05-17", department).replace("1981-06-18", department);
        put(&app, "acme", "users.csv", &text).await;
    }
    let jobs = app.service.outbox(&JobFilter::default()).unwrap();
    let [digest, _] = jobs.as_slice() else { panic!("{jobs:?}") };
    assert_eq!(digest.state, JobState::Waiting);
    let paris = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
    assert_eq!(digest.next_at.to_zoned(paris).time(), jiff::civil::time(7, 0, 0, 0));
    assert!(digest.next_at > digest.created_at);
    // Somebody wants it now: both imports are in the one message.
    let id = digest.id;
    app.service.retry_job(id).unwrap();
    settled(&app, 2).await;
    let letters = letters(out.path());
    let told = letters.iter().find(|letter| letter.contains("Imports of the day")).unwrap();
    assert!(told.contains("2 imports"), "{told}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_who_was_taken_out_gets_nothing_more() {
    let out = tempfile::tempdir().unwrap();
    let blocked = out.path().join("no/such/folder");
    let app = TestApp::start_with(into_folder(&blocked)).await;
    app.add_account("acme");
    app.service.set_settings("acme", "roster", "[mail]\nto = ['a@example.com']").unwrap();
    put(&app, "acme", "users.csv", GOOD).await;
    let end = Instant::now() + Duration::from_secs(120);
    let id = loop {
        let jobs = app.service.outbox(&JobFilter::default()).unwrap();
        if let Some(job) = jobs.iter().find(|job| job.attempts > 0) {
            assert!(job.failure.as_ref().unwrap().contains("mail.dir"), "{job:?}");
            break job.id;
        }
        assert!(Instant::now() < end, "{jobs:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    app.service.set_settings("acme", "roster", "[mail]\nto = ['b@example.com']").unwrap();
    app.service.retry_job(id).unwrap();
    let jobs = settled(&app, 1).await;
    assert_eq!(jobs[0].state, JobState::Withdrawn, "{jobs:?}");
    assert!(jobs[0].failure.as_ref().unwrap().contains("a@example.com"));
    app.stop().await;
}

fn program(folder: &Path, name: &str, script: &str, timeout_s: u64) -> Hook {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let target = folder.display().to_string();
    toml::from_str(&format!(
        "name = '{name}'\nprogram = ['{}', '{target}', '$HOME; `id`']\ntimeout_s = {timeout_s}",
        path.display()
    ))
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_told_with_the_report_and_ended_when_it_takes_too_long() {
    let out = tempfile::tempdir().unwrap();
    let told = r#"cat > "$1/told-$ROLLCALL_EVENT.json"; printf '%s|' "$2" "$ROLLCALL_CLIENT" "$HOME" "$PWD" > "$1/seen"; echo fine"#;
    // Its child holds the output open and must go with it.
    let hangs = r#"sleep 600 & echo $! > "$1/child"; wait"#;
    let fails = "echo 'no room' >&2; exit 3";
    let hooks = vec![
        program(out.path(), "tells", told, 60),
        program(out.path(), "hangs", hangs, 8),
        program(out.path(), "fails", fails, 60),
    ];
    let app = TestApp::start_with(|config| {
        config.hooks = hooks;
        config.outgoing.attempts = 1;
        config.limits.reply_wait_s = 60;
    })
    .await;
    app.add_account("acme");
    put(&app, "acme", "users.csv", GOOD).await;
    let jobs = settled(&app, 3).await;
    let of = |name: &str| jobs.iter().find(|job| job.lane == format!("hook/{name}")).unwrap();
    assert_eq!(of("tells").state, JobState::Done, "{jobs:?}");
    let report = std::fs::read(out.path().join("told-import.finished.json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    assert_eq!((&report["status"], &report["counts"]["created"]), (&"ok".into(), &2.into()));
    let seen = std::fs::read_to_string(out.path().join("seen")).unwrap();
    assert_eq!(
        seen, "$HOME; `id`|acme||/|",
        "a shell has read the arguments, or the environment leaked"
    );
    let failed = of("fails");
    assert_eq!(failed.state, JobState::Failed);
    assert!(failed.failure.as_ref().unwrap().contains("code 3: no room"), "{failed:?}");
    let ended = of("hangs");
    assert!(ended.failure.as_ref().unwrap().contains("timeout_s"), "{ended:?}");
    let child = std::fs::read_to_string(out.path().join("child")).unwrap();
    let alive = Path::new("/proc").join(child.trim()).join("stat");
    let end = Instant::now() + Duration::from_secs(120);
    // Ended, or a zombie that nobody has collected yet.
    while std::fs::read_to_string(&alive).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(Instant::now() < end, "the program's child lives on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    loop {
        let alarms = app.service.alarms(None, false, 10).unwrap();
        if alarms.iter().filter(|alarm| alarm.code == "T08").count() == 2 {
            break;
        }
        assert!(Instant::now() < end, "{alarms:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    app.stop().await;
}

/// Has every change to the outbox's jobs refused, as by a full disk.
fn fill_up(app: &TestApp) -> rusqlite::Connection {
    let conn = rusqlite::Connection::open(app.path("data/registry.db")).unwrap();
    conn.busy_timeout(Duration::from_secs(120)).unwrap();
    let sql =
        "CREATE TRIGGER full BEFORE UPDATE ON outbox BEGIN SELECT RAISE(ABORT, 'disk full'); END";
    conn.execute_batch(sql).unwrap();
    conn
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_out_while_it_cannot_be_noted_goes_out_once() {
    let out = tempfile::tempdir().unwrap();
    let told = out.path().join("told");
    let hooks = vec![program(out.path(), "tells", "echo once >> \"$1/told\"; cat > /dev/null", 60)];
    let app = TestApp::start_with(|config| config.hooks = hooks).await;
    app.add_account("acme");
    let conn = fill_up(&app);
    put(&app, "acme", "users.csv", GOOD).await;
    let lines = || std::fs::read_to_string(&told).map_or(0, |text| text.lines().count());
    let end = Instant::now() + Duration::from_secs(120);
    while lines() == 0 {
        assert!(Instant::now() < end, "the hook was not told");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Long enough for several looks at the outbox.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(lines(), 1);
    conn.execute_batch("DROP TRIGGER full").unwrap();
    let jobs = settled(&app, 1).await;
    assert!(jobs.iter().all(|job| job.state == JobState::Done), "{jobs:?}");
    assert_eq!(lines(), 1);
    app.stop().await;
}
