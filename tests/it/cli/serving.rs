//! What a running server does, and what it sees of the command line; the demo.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rollcall::model::{Protocol, VPath};
use rollcall::remote::{Connection, Trust, is_identity_change};
use serde_json::Value;

use super::{DEADLINE, Workplace, path, sample};

#[test]
fn serve_says_where_it_listens_and_stops_in_good_order() {
    let place = Workplace::new();
    let serving = place.serve();
    assert_eq!(serving.ready["event"], "ready");
    let page = serving.ready["admin"].as_str().unwrap();
    let link = serving.ready["set_up"].as_str().unwrap();
    assert!(link.starts_with(&format!("http://{page}/set-up/")), "{link}");
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

#[test]
fn a_service_manager_is_told_when_it_is_ready_and_lives_and_stops() {
    let place = Workplace::new();
    let socket = place.path("notify");
    let manager = std::os::unix::net::UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    // It is read all the time: a server whose messages nobody reads would wait, and they come while this test waits for it.
    let (heard, messages) = std::sync::mpsc::channel();
    let here = std::sync::Arc::new(());
    let test = std::sync::Arc::downgrade(&here);
    std::thread::spawn(move || {
        let mut message = [0_u8; 500];
        while test.strong_count() > 0 {
            let Ok(bytes) = manager.recv(&mut message) else { continue };
            drop(heard.send(String::from_utf8_lossy(&message[..bytes]).into_owned()));
        }
    });
    let next = || messages.recv_timeout(DEADLINE).unwrap();
    let serving = place
        .serve_with(&[("NOTIFY_SOCKET", socket.to_str().unwrap()), ("WATCHDOG_USEC", "400000")]);
    let first = next();
    assert!(first.contains("READY=1"), "{first}");
    for _ in 0..3 {
        assert_eq!(next().trim(), "WATCHDOG=1");
    }
    serving.hang_up();
    let mut all = Vec::new();
    while all.iter().filter(|one: &&String| one.contains("READY=1")).count() == 0 {
        all.push(next());
    }
    assert!(all.iter().any(|one| one.contains("RELOADING=1")), "{all:?}");
    assert!(serving.stop().success());
    while !all.last().unwrap().contains("STOPPING=1") {
        all.push(next());
    }
    drop(here);
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
    within(Duration::from_secs(60), "the new folder", async || {
        let mut connection = Connection::open(&target).await.unwrap();
        connection.list(&VPath::root()).await.unwrap().contains(&"more".to_owned())
    })
    .await;
    place.ok(&["account", "set", login, "--protocols", "ftpes"]);
    within(Duration::from_secs(60), "SFTP is closed", async || {
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
                begun.elapsed() < Duration::from_secs(60),
                "a session of a disabled account lives on"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    serving.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_written_stops_no_thread() {
    let place = Workplace::new();
    let serving = place.serve_unheard();
    let sheet = place.with_account();
    let login = sheet["login"].as_str().unwrap();
    let target = serving.target(&sheet, Protocol::Sftp);
    let mut connection = Connection::open(&target).await.unwrap();
    for (n, day) in ["demo-day1.csv", "demo-day2.csv"].into_iter().enumerate() {
        let bytes = std::fs::read(sample(day)).unwrap();
        connection.put(&path("/in/users.csv"), &bytes).await.unwrap();
        within(Duration::from_secs(60), "the import", async || {
            let imports = place.json(&["imports", "list", "acme"]);
            let imports = imports.as_array().unwrap();
            imports.len() == n + 1 && imports.iter().all(|import| import["status"] != "waiting")
        })
        .await;
    }
    place.ok(&["account", "disable", login]);
    let begun = Instant::now();
    while connection.list(&VPath::root()).await.is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(60), "a disabled account stays inside");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(serving.stop().success());
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
        target.trust = Trust::Pins(vec![match protocol {
            Protocol::Sftp => format!("SHA256:{}", "A".repeat(43)),
            _ => "ab".repeat(32),
        }]);
        let Err(error) = Connection::open(&target).await else { panic!("{protocol}: accepted") };
        assert_eq!(error.kind(), rollcall::error::Kind::Denied, "{protocol}: {error}");
        assert!(error.message().contains("not confirmed"), "{protocol}: {error}");
        assert!(is_identity_change(&error), "{protocol}: {error}");
    }
    serving.stop();
}

#[test]
fn the_demo_clears_up_when_its_window_is_closed() {
    let place = Workplace::new();
    let mut child = place.command(&["demo"]).stdout(Stdio::piped()).spawn().unwrap();
    let told = BufReader::new(child.stdout.take().unwrap());
    let mut told = told.lines().map_while(Result::ok);
    assert!(told.any(|line| line.contains("SHA256:")), "the demo has begun");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    told.for_each(drop);
    assert!(child.wait().unwrap().success());
    assert_eq!(std::fs::read_dir(place.path(".")).unwrap().count(), 0, "nothing is left behind");
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
