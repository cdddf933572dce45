//! Alarms end when what they are about is taken away, although nothing ever works again.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use rollcall::config::{Config, Starttls};
use rollcall::model::{Protocol, ServerTrust};
use rollcall::service::outbox::{JobFilter, JobState};
use rollcall::service::remotes::{NewRemoteAccount, NewSecret};
use rusqlite::Connection;

use crate::app::TestApp;

const GOOD: &str = "employee number;last name;first name;hire date\n1;Roy;Anne;2026-02-02\n2;Noël;Zoé;2026-02-03\n";

/// A mail server that knows no recipient: each message is given up at once.
fn refusing(operators: &[&str]) -> impl FnOnce(&mut Config) {
    let server = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = server.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in server.incoming().flatten() {
            std::thread::spawn(move || refuse(&stream));
        }
    });
    let operators = operators.iter().map(|&one| one.to_owned()).collect();
    move |config| {
        config.mail.smtp = Some(format!("smtp://127.0.0.1:{port}"));
        config.mail.starttls = Starttls::Off;
        config.mail.from = Some("Rollcall <rollcall@example.com>".to_owned());
        config.mail.operators = operators;
    }
}

fn refuse(mut stream: &TcpStream) {
    stream.write_all(b"220 mail.test\r\n").unwrap();
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let answer: &[u8] = match line.get(..4) {
            Some("RCPT") => b"550 5.1.1 no such mailbox\r\n",
            _ => b"250 ok\r\n",
        };
        if stream.write_all(answer).is_err() {
            return;
        }
    }
}

async fn put(app: &TestApp, name: &str) {
    let mut session = app.connect("acme", Protocol::Sftp).await;
    // Another file each time: the same again would be a duplicate.
    let text = format!("{GOOD}{};Doe;Jo;2026-02-04\n", name.len());
    session.put(&format!("/payroll/{name}").parse().unwrap(), text.as_bytes()).await.unwrap();
    session.close().await;
    app.settled().await;
}

/// Waits until just these alarms stand: code and subject.
async fn wait_for(app: &TestApp, expected: &[&str]) {
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        let standing = app.service.alarms(None, false, 100).unwrap();
        let mut standing: Vec<String> =
            standing.iter().map(|alarm| format!("{} {}", alarm.code, alarm.subject)).collect();
        standing.sort();
        if standing == expected {
            return;
        }
        assert!(Instant::now() < end, "{standing:?}, not {expected:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recipients_whom_no_folder_names_any_more_alarm_nobody() {
    let app = TestApp::start_with(refusing(&[])).await;
    app.add_account("acme");
    let to = |to: &str| {
        app.service.set_settings("acme", "roster", &format!("[mail]\nto = [{to}]")).unwrap();
    };
    to("'a@example.com', { user = '77' }");
    put(&app, "users.csv").await;
    wait_for(&app, &["T08 a@example.com", "T08 user 77"]).await;
    to("'a@example.com'");
    wait_for(&app, &["T08 a@example.com"]).await;
    to("'b@example.com'");
    wait_for(&app, &[]).await;
    // The next real one is an alarm of its own.
    to("'a@example.com'");
    put(&app, "more.csv").await;
    wait_for(&app, &["T08 a@example.com"]).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_try_that_is_withdrawn_ends_the_alarm() {
    // An operator's address stays one that is written to.
    let app = TestApp::start_with(refusing(&["a@example.com"])).await;
    app.add_account("acme");
    app.service.set_settings("acme", "roster", "[mail]\nto = ['a@example.com']").unwrap();
    put(&app, "users.csv").await;
    put(&app, "more.csv").await;
    wait_for(&app, &["T08 a@example.com"]).await;
    let failed = |app: &TestApp| {
        let state = Some(JobState::Failed);
        app.service.outbox(&JobFilter { state, ..JobFilter::default() }).unwrap()
    };
    let end = Instant::now() + Duration::from_secs(120);
    while failed(&app).len() < 2 {
        assert!(Instant::now() < end, "{:?}", failed(&app));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    app.service.set_settings("acme", "roster", "").unwrap();
    let jobs = failed(&app);
    app.service.retry_job(jobs[0].id).unwrap();
    while failed(&app).len() > 1 || !all_ended(&app) {
        assert!(Instant::now() < end, "{:?}", failed(&app));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The other one is still given up.
    wait_for(&app, &["T08 a@example.com"]).await;
    app.service.retry_job(jobs[1].id).unwrap();
    wait_for(&app, &[]).await;
    app.stop().await;
}

fn all_ended(app: &TestApp) -> bool {
    let jobs = app.service.outbox(&JobFilter::default()).unwrap();
    jobs.iter().all(|job| job.state != JobState::Waiting)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_is_configured_no_more_alarms_nobody() {
    let hook = toml::from_str("name = 'fails'\nprogram = ['/bin/false']").unwrap();
    let app = TestApp::start_with(|config| {
        config.hooks = vec![hook];
        config.outgoing.attempts = 1;
    })
    .await;
    app.add_account("acme");
    put(&app, "users.csv").await;
    wait_for(&app, &["T08 hook/fails"]).await;
    let folder = app.stop().await;
    let app = TestApp::start_in(folder, |_| {}).await;
    wait_for(&app, &[]).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_alarms_about_a_clients_server_go_with_its_account() {
    let app = TestApp::start().await;
    app.add_account("acme");
    let add = |name: &str| {
        let new = NewRemoteAccount {
            client: "acme".to_owned(),
            name: name.to_owned(),
            protocol: Protocol::Sftp,
            host: "sftp.example.com".to_owned(),
            login: name.to_owned(),
            secret: NewSecret::Password("correct-horse".to_owned().into()),
            trust: ServerTrust::Pins(Vec::new()),
        };
        app.service.add_remote_account(&new).unwrap().login
    };
    let (gone, kept) = (add("gone"), add("kept"));
    let conn = Connection::open(app.path("data/registry.db")).unwrap();
    conn.busy_timeout(Duration::from_secs(120)).unwrap();
    for (code, subject) in [
        ("T02", gone.clone()),
        ("T03", format!("{gone}/out")),
        ("T04", gone.clone()),
        ("T02", kept.clone()),
        ("T03", format!("{kept}/out")),
    ] {
        let sql = "INSERT INTO alarms (client, code, subject, text, raised_at) VALUES ('acme', ?1, ?2, '', 1)";
        conn.execute(sql, [code, &subject]).unwrap();
    }
    app.service.remove_account(&gone).unwrap();
    wait_for(&app, &[&format!("T02 {kept}"), &format!("T03 {kept}/out")]).await;
    app.stop().await;
}
