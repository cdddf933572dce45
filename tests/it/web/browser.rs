//! A browser of a few lines: cookies, forms, redirects followed by hand.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::app::TestApp;

/// The password of the first administrator in tests.
pub(crate) const ADMIN_PASSWORD: &str = "a-long-enough-password";

/// Somebody at the page.
pub(crate) struct Browser {
    pub(crate) address: SocketAddr,
    pub(crate) cookies: BTreeMap<String, String>,
    /// The value that forms must hold, from the last page that had one.
    pub(crate) csrf: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case; several of one name are joined by a line break.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

impl Browser {
    /// Nobody yet.
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, cookies: BTreeMap::new(), csrf: String::new() }
    }

    /// The first administrator, `anna`, through the set-up link of a fresh server.
    pub(crate) async fn first(app: &mut TestApp) -> Self {
        let (address, link) = app.open_page().await;
        let path = link.unwrap().split_once("/set-up/").unwrap().1.to_owned();
        let mut browser = Self::new(address);
        let form = [("name", "anna"), ("password", ADMIN_PASSWORD), ("again", ADMIN_PASSWORD)];
        let answer = browser.post(&format!("/set-up/{path}"), &form).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/"), "{}", answer.body);
        assert_eq!(browser.get("/").await.status, 200);
        browser
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], b"").await
    }

    /// Sends a form; its `csrf` is put in.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = vec![("csrf", self.csrf.clone())];
        form.extend(fields.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let body = serde_html_form::to_string(&form).unwrap();
        let kind = ("content-type", "application/x-www-form-urlencoded");
        self.send("POST", path, &[kind], body.as_bytes()).await
    }

    /// Sends a form with one file.
    pub(crate) async fn post_file(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        (field, name, bytes): (&str, &str, &[u8]),
    ) -> Answer {
        let mut body = Vec::new();
        let csrf = self.csrf.clone();
        for (key, value) in [("csrf", csrf.as_str())].iter().chain(fields) {
            let part = format!(
                "--edge\r\ncontent-disposition: form-data; name=\"{key}\"\r\n\r\n{value}\r\n"
            );
            body.extend_from_slice(part.as_bytes());
        }
        let part = format!(
            "--edge\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\r\n"
        );
        body.extend_from_slice(part.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--edge--\r\n");
        let kind = ("content-type", "multipart/form-data; boundary=edge");
        self.send("POST", path, &[kind], &body).await
    }

    /// Sends a request as it is, with the cookies.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        let given = |name: &str| headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        if !given("host") {
            head.push_str(&format!("host: {}\r\n", self.address));
        }
        if !self.cookies.is_empty() && !given("cookie") {
            let all: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            head.push_str(&format!("cookie: {}\r\n", all.join("; ")));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        let (address, sent) = (self.address, [head.as_bytes(), body].concat());
        let raw = tokio::task::spawn_blocking(move || exchange(address, &sent)).await.unwrap();
        let answer = read(&raw);
        self.keep_cookies(&answer);
        if let Some((_, rest)) = answer.body.split_once("name=\"csrf\" value=\"") {
            self.csrf = rest.split('"').next().unwrap().to_owned();
        }
        answer
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        for cookie in answer.header("set-cookie").lines() {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

fn exchange(address: SocketAddr, sent: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    // A refusal may come before all was sent.
    drop(stream.write_all(sent));
    let mut raw = Vec::new();
    drop(stream.read_to_end(&mut raw));
    raw
}

fn read(raw: &[u8]) -> Answer {
    let end = raw.windows(4).position(|w| w == b"\r\n\r\n").expect("an answer with a head");
    let head = String::from_utf8_lossy(&raw[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').unwrap();
        let value = value.trim();
        headers
            .entry(name.to_lowercase())
            .and_modify(|all| *all = format!("{all}\n{value}"))
            .or_insert_with(|| value.to_owned());
    }
    let body = &raw[end + 4..];
    let body = match headers.get("transfer-encoding").map(String::as_str) {
        Some("chunked") => unchunked(body),
        _ => body.to_vec(),
    };
    Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() }
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(at) = body.windows(2).position(|w| w == b"\r\n") {
        let size = std::str::from_utf8(&body[..at]).unwrap();
        let size = usize::from_str_radix(size.split(';').next().unwrap().trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        whole.extend_from_slice(&body[at + 2..at + 2 + size]);
        body = &body[at + 4 + size..];
    }
    whole
}
