//! Slow lines, sessions that nobody uses, and addresses that lead nowhere.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::browser::Browser;
use crate::app::TestApp;

/// A connection on which `head` was sent.
fn begin(address: SocketAddr, head: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// Sends a piece; what came within `pause` after it.
fn drip_one(stream: &mut TcpStream, piece: &[u8], pause: Duration) -> Option<u8> {
    if stream.write_all(piece).is_err() {
        // The server has answered and gone before it had read everything.
        return Some(0);
    }
    stream.set_read_timeout(Some(pause)).unwrap();
    let mut byte = [0; 1];
    match stream.read(&mut byte) {
        Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
        other => {
            assert!(other.is_ok(), "{other:?}");
            Some(byte[0])
        }
    }
}

fn answer(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    let mut raw = Vec::new();
    drop(stream.read_to_end(&mut raw));
    String::from_utf8_lossy(&raw).into_owned()
}

/// The head and the parts of a form that tries out a file of one client.
fn trial(anna: &Browser, file: &str) -> (String, Vec<u8>) {
    let part = |name: &str, value: &str| {
        format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = format!(
        "{}{}--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"slow.csv\"\r\n\r\n{file}\r\n--edge--\r\n",
        part("csrf", &anna.csrf),
        part("folder", "roster"),
    );
    let cookies: Vec<String> = anna.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
    let head = format!(
        "POST /clients/acme/try HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncookie: {}\r\n\
         content-type: multipart/form-data; boundary=edge\r\ncontent-length: {}\r\n\r\n",
        anna.address,
        cookies.join("; "),
        body.len()
    );
    (head, body.into_bytes())
}

async fn app() -> (TestApp, Browser) {
    let mut app = TestApp::start_with(|config| {
        config.admin.request_timeout_s = 8;
        config.admin.body_idle_timeout_s = 8;
        // However slow this machine is.
        config.admin.body_min_bytes_per_s = 50;
    })
    .await;
    app.add_account("acme");
    let mut anna = Browser::first(&mut app).await;
    anna.get("/clients/acme/try").await;
    (app, anna)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_over_a_slow_line_takes_its_time() {
    let (app, anna) = app().await;
    let rows = "employee_number;last_name\n".to_owned() + &"1;Martin\n".repeat(400);
    let (head, body) = trial(&anna, &rows);
    let address = anna.address;
    let (answer, took) = tokio::task::spawn_blocking(move || {
        let began = Instant::now();
        let mut stream = begin(address, &head);
        let pieces: Vec<&[u8]> = body.chunks(body.len() / 7 + 1).collect();
        // The last piece is answered at once.
        let (last, before) = pieces.split_last().unwrap();
        for piece in before {
            assert_eq!(drip_one(&mut stream, piece, Duration::from_millis(1600)), None);
        }
        stream.write_all(last).unwrap();
        (answer(&mut stream), began.elapsed())
    })
    .await
    .unwrap();
    assert!(took > Duration::from_secs(8), "longer than an answer may take: {took:?}");
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_stands_still_is_given_up_and_leaves_nothing() {
    let (app, anna) = app().await;
    let (head, body) = trial(&anna, "employee_number;last_name\n1;Martin\n");
    let address = anna.address;
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = begin(address, &head);
        assert_eq!(
            drip_one(&mut stream, &body[..body.len() - 20], Duration::from_millis(500)),
            None
        );
        answer(&mut stream)
    })
    .await
    .unwrap();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("too slowly"), "{answer}");
    let spool = app.path("data/clients/acme/spool");
    let left = || std::fs::read_dir(&spool).map_or(0, Iterator::count);
    let deadline = Instant::now() + Duration::from_secs(120);
    while left() > 0 {
        assert!(Instant::now() < deadline, "the part of the file stays in {}", spool.display());
        tokio::task::yield_now().await;
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_gets_no_more_time_for_dripping() {
    let (app, anna) = app().await;
    let address = anna.address;
    let head = format!(
        "POST /sign-in HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: 900000\r\n\r\n"
    );
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = begin(address, &head);
        let began = Instant::now();
        // A piece every moment: somebody signed in could go on like this.
        while drip_one(&mut stream, b"a=b&", Duration::from_millis(100)).is_none() {
            assert!(began.elapsed() < Duration::from_secs(120), "it drips on");
        }
        answer(&mut stream)
    })
    .await
    .unwrap();
    assert!(answer.contains("504"), "{answer}");
    app.stop().await;
}

/// When the one session was last used, and how to say when that was.
fn seen(app: &TestApp, set: Option<i64>) -> i64 {
    let conn = rusqlite::Connection::open(app.path("data/registry.db")).unwrap();
    conn.busy_timeout(Duration::from_secs(120)).unwrap();
    if let Some(seen) = set {
        conn.execute("UPDATE admin_sessions SET seen_at = ?1", [seen]).unwrap();
    }
    conn.query_row("SELECT seen_at FROM admin_sessions", [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_refreshes_itself_keeps_no_session_alive() {
    let mut app = TestApp::start().await;
    let mut anna = Browser::first(&mut app).await;
    let live = anna.get("/").await.body;
    let live = live.split("data-live=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let before = seen(&app, None) - 300_000_000;
    seen(&app, Some(before));
    let part = anna.send("GET", &live, &[("x-part", "1")], b"").await;
    assert_eq!(part.status, 200);
    // What is noted is noted a moment later: the person's use below comes behind this one's, were it noted.
    assert_eq!(seen(&app, None), before);
    anna.get("/me").await;
    let deadline = Instant::now() + Duration::from_secs(120);
    while seen(&app, None) == before {
        assert!(Instant::now() < deadline, "somebody's use is not noted");
        tokio::task::yield_now().await;
    }
    // Beyond the idle time the part leads to the sign-in like everything else.
    seen(&app, Some(before - 3_700_000_000));
    let part = anna.send("GET", &live, &[("x-part", "1")], b"").await;
    assert_eq!((part.status, part.header("location").starts_with("/sign-in")), (303, true));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_leads_nowhere_keeps_the_navigation_of_whoever_is_signed_in() {
    let mut app = TestApp::start().await;
    let mut anna = Browser::first(&mut app).await;
    let lost = anna.get("/clients-of-old/%3Cscript%3E").await;
    assert_eq!(lost.status, 404);
    assert!(lost.body.contains("id=\"navigation\"") && !lost.body.contains("<script>"));
    let form = anna.get("/sign-out").await;
    assert_eq!(form.status, 405);
    assert!(form.body.contains("id=\"navigation\"") && form.body.contains("only takes forms"));
    assert_eq!(form.header("allow"), "POST");
    let mut nobody = Browser::new(anna.address);
    for address in ["/clients-of-old", "/sign-out"] {
        let lost = nobody.get(address).await;
        assert!(lost.status == 404 || lost.status == 405, "{lost:?}");
        assert!(!lost.body.contains("id=\"navigation\""), "{}", lost.body);
    }
    app.stop().await;
}
