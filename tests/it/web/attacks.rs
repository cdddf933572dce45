//! What strangers try: forged origins and hosts, planted cookies, bytes that mean two things, words that are markup.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rollcall::model::{Language, Role};
use rollcall::service::administrators::NewAdministrator;
use rustls::pki_types::ServerName;

use super::browser::{ADMIN_PASSWORD, Browser};
use super::door::enter;
use crate::app::TestApp;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Sends bytes as they are and returns all that comes back until the other side closes.
fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    // It may be closed before all was sent.
    drop(stream.write_all(bytes));
    let mut back = Vec::new();
    drop(stream.read_to_end(&mut back));
    String::from_utf8_lossy(&back).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sites_pages_cannot_send_forms_nor_ask_under_their_own_name() {
    let mut app = TestApp::start().await;
    let mut anna = Browser::first(&mut app).await;
    let here = anna.address.to_string();
    for host in
        ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "127.0.0.1@evil.example"]
    {
        let answer = anna.send("GET", "/", &[("host", host)], b"").await;
        assert!([400, 421].contains(&answer.status), "{host}: {}", answer.status);
        assert!(!answer.body.contains("Sign out"), "{host}");
    }
    let port = anna.address.port();
    for host in
        [here.clone(), "localhost".to_owned(), format!("LOCALHOST:{port}"), "[::1]:1".to_owned()]
    {
        assert_eq!(anna.send("GET", "/", &[("host", &host)], b"").await.status, 200, "{host}");
    }
    let language = format!("csrf={}&language=fr", anna.csrf);
    for (name, value) in [
        ("origin", "http://evil.example".to_owned()),
        ("origin", "null".to_owned()),
        ("origin", "http://127.0.0.1".to_owned()),
        ("origin", format!("http://{here}.evil.example")),
        ("sec-fetch-site", "cross-site".to_owned()),
        ("sec-fetch-site", "same-site".to_owned()),
    ] {
        let sent = [FORM, (name, value.as_str())];
        let answer = anna.send("POST", "/me/language", &sent, language.as_bytes()).await;
        assert_eq!(answer.status, 403, "{name}: {value}");
        let sign_in = format!("name=anna&password={ADMIN_PASSWORD}");
        let answer = anna.send("POST", "/sign-in", &sent, sign_in.as_bytes()).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (403, ""), "{name}: {value}");
    }
    assert_eq!(app.service.administrator("anna").unwrap().language, Language::En);
    let own = format!("http://{here}");
    let sent = [FORM, ("origin", own.as_str()), ("sec-fetch-site", "same-origin")];
    let answer = anna.send("POST", "/me/language", &sent, language.as_bytes()).await;
    assert_eq!(answer.status, 303);
    assert_eq!(app.service.administrator("anna").unwrap().language, Language::Fr);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leads_to_another_site_or_into_the_headers() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut anna = Browser::first(&mut app).await;
    for next in [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/%0d%0aX-Injected:%20yes\r\nX-Injected: yes",
        "\t//evil.example",
        "/\u{202e}",
    ] {
        let form = [("name", "anna"), ("password", ADMIN_PASSWORD), ("next", next)];
        let answer = Browser::new(anna.address).post("/sign-in", &form).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/"), "{next:?}");
    }
    let mut nobody = Browser::new(anna.address);
    let hostile = "%0d%0aX-Injected:%20yes%22%3Cscript%3Ealert(1)%3C/script%3E";
    for line in rollcall::admin::route_table() {
        let Some(path) = line.strip_prefix("GET ").and_then(|rest| rest.split(' ').next()) else {
            continue;
        };
        // What belongs to a client is asked for with a real one: the part below is what is hostile.
        let parts: Vec<&str> = path
            .split('/')
            .map(|part| match part {
                "{client}" | "{login}" => "acme",
                _ if part.starts_with('{') => hostile,
                _ => part,
            })
            .collect();
        let address = format!(
            "{}?next={hostile}&text={hostile}&who={hostile}&name={hostile}",
            parts.join("/")
        );
        for browser in [&mut anna, &mut nobody] {
            let answer = browser.get(&address).await;
            assert!(answer.status < 500, "{path}: {} {}", answer.status, answer.body);
            assert_eq!(answer.header("x-injected"), "", "{path}");
            assert!(!answer.body.contains("<script>alert"), "{path}: {}", answer.body);
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_are_shown_as_they_are_and_do_nothing() {
    let mut app = TestApp::start().await;
    let mut anna = Browser::first(&mut app).await;
    let evil = "\"><script>alert(1)</script><img src=x onerror=alert(1)>";
    let mut other = Browser::new(anna.address);
    let form = format!("name=anna&password={ADMIN_PASSWORD}");
    other.send("POST", "/sign-in", &[FORM, ("user-agent", evil)], form.as_bytes()).await;
    let refused = [("name", evil), ("role", "viewer"), ("language", "en")];
    let answer = anna.post("/server/administrators/new", &refused).await;
    assert_eq!(answer.status, 422);
    let token = [("name", evil), ("scope", "read")];
    let made = anna.post("/server/tokens", &token).await;
    assert_eq!(made.status, 200, "{}", made.body);
    assert_eq!(made.header("cache-control"), "no-store");
    let secret = made.body.split("rollcall_").nth(1).unwrap()[..64].to_owned();
    let wrong =
        Browser::new(anna.address).post("/sign-in", &[("name", evil), ("password", "x")]).await;
    let mut shown = vec![answer, made, wrong];
    for path in ["/me", "/server/administrators/anna", "/server/tokens", "/server/audit", "/server"]
    {
        let page = anna.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(!page.body.contains(&secret), "{path} shows a token again");
        shown.push(page);
    }
    for page in &shown {
        assert!(
            !page.body.contains("<script>alert") && !page.body.contains("<img src=x"),
            "{}",
            page.body
        );
        assert!(page.header("content-security-policy").contains("default-src 'none'"));
    }
    assert!(
        shown
            .iter()
            .filter(|page| page.body.contains("&lt;script&gt;")
                || page.body.contains("&#60;script&#62;"))
            .count()
            >= 4
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ways_around_a_path_lead_nowhere() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    app.add_account("bolt");
    let mut anna = Browser::first(&mut app).await;
    let mut client = enter(&app, anna.address, "of-acme", Role::Client, Some("acme")).await;
    for path in [
        "/clients/..%2f..%2fregistry.db",
        "/clients/%2e%2e/imports",
        "/clients/..%5c..%5cx",
        "/clients/acme%00",
        "/clients//imports",
        "/clients/bolt%2f",
        "/assets/..%2f..%2fCargo.toml",
        "/assets/%2e%2e%2fmod.rs",
        "//evil.example/",
        "/clients/ACME",
    ] {
        let answer = anna.get(path).await;
        assert!(
            [400, 404, 422].contains(&answer.status),
            "{path}: {} {}",
            answer.status,
            answer.body
        );
    }
    for path in [
        "/clients/bolt",
        "/clients/acme%2f..%2fbolt",
        "/clients/..%2fbolt",
        "/clients/%62olt",
        "/server",
        "/server/audit",
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(!answer.body.contains(">bolt<"), "{path}: {}", answer.body);
    }
    assert_eq!(client.get("/clients/acme").await.status, 200);
    for method in ["TRACE", "PUT", "DELETE", "PATCH", "CONNECT", "BREW"] {
        for path in ["/", "/sign-in", "/clients/acme", "/me/language"] {
            let answer = anna.send(method, path, &[("x-secret", "echo-me")], b"").await;
            assert!(
                [400, 403, 404, 405].contains(&answer.status),
                "{method} {path}: {}",
                answer.status
            );
            assert!(!answer.body.contains("echo-me"), "{method} {path}");
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_means_one_thing_and_has_its_limits() {
    let mut app = TestApp::start().await;
    let mut anna = Browser::first(&mut app).await;
    let address = anna.address;
    let body = "name=anna&password=x";
    let head = |lines: &str| {
        format!(
            "POST /sign-in HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{lines}\r\n{body}"
        )
    };
    for lines in [
        format!("content-length: {}\r\ncontent-length: 5\r\n", body.len()),
        "transfer-encoding: identity\r\n".to_owned(),
        "transfer-encoding: chunked, identity\r\n".to_owned(),
        format!("content-length : {}\r\n", body.len()),
        format!("content-length: +{}\r\n", body.len()),
        "content-length: 99999999999999999999\r\n".to_owned(),
        format!("x: a\r\n b\r\ncontent-length: {}\r\nhost: evil.example\r\n", body.len()),
    ] {
        let back = tokio::task::spawn_blocking({
            let request = head(&lines);
            move || raw(address, request.as_bytes())
        });
        let back = back.await.unwrap();
        let refused = back.is_empty() || back.starts_with("HTTP/1.1 4");
        assert!(refused, "{lines}: {back}");
        assert_eq!(
            back.matches("HTTP/1.1 ").count(),
            usize::from(!back.is_empty()),
            "{lines}: {back}"
        );
    }
    let long = "x".repeat(10_000);
    assert_eq!(anna.send("GET", "/", &[("x-long", &long)], b"").await.status, 200);
    let longer = "x".repeat(100_000);
    assert_eq!(anna.send("GET", "/", &[("x-long", &longer)], b"").await.status, 431);
    let huge = format!("csrf={}&language=fr&x={}", anna.csrf, "x".repeat(2 << 20));
    assert_eq!(anna.send("POST", "/me/language", &[FORM], huge.as_bytes()).await.status, 413);
    let many = "a=1&".repeat(200_000);
    assert_eq!(anna.send("POST", "/me/language", &[FORM], many.as_bytes()).await.status, 403);
    assert_eq!(app.service.administrator("anna").unwrap().language, Language::En);
    // Half a head is not waited for.
    let begun = Instant::now();
    let slow =
        tokio::task::spawn_blocking(move || raw(address, b"GET / HTTP/1.1\r\nhost: 127")).await;
    assert!(slow.unwrap().is_empty() && begun.elapsed() < Duration::from_secs(100));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_cannot_take_all_connections_and_guesses_do_not_lock_anybody_out() {
    let mut app = TestApp::start_with(|config| {
        config.admin.max_connections_per_address = 3;
        config.throttle.first_delay_ms = 1;
        config.throttle.max_delay_ms = 4;
        config.throttle.familiar_delay_ms = 2;
    })
    .await;
    let anna = Browser::first(&mut app).await;
    let address = anna.address;
    let hold = move || (0..3).map(|_| TcpStream::connect(address).unwrap()).collect::<Vec<_>>();
    // Taken in order: a connection after these is dropped unread.
    let head =
        format!("GET /healthz HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", anna.address);
    let (bytes, until) = (head.clone(), Instant::now() + Duration::from_secs(120));
    tokio::task::spawn_blocking(move || {
        let mut held = hold();
        while !raw(address, bytes.as_bytes()).is_empty() {
            assert!(Instant::now() < until, "a fourth connection is served");
            // On a busy machine the first three may have waited too long for their heads.
            held = hold();
        }
        drop(held);
        while !raw(address, bytes.as_bytes()).starts_with("HTTP/1.1 200") {
            assert!(Instant::now() < until, "places are not given back");
        }
    })
    .await
    .unwrap();
    for _ in 0..40 {
        let mut guess = Browser::new(address);
        guess.post("/sign-in", &[("name", "anna"), ("password", "guess")]).await;
    }
    let right = [("name", "anna"), ("password", ADMIN_PASSWORD)];
    assert_eq!(Browser::new(address).post("/sign-in", &right).await.status, 303);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_trusted_proxys_tls_only_its_own_cookie_counts() {
    let mut app = TestApp::start_with(|config| {
        config.proxy.trusted = vec!["127.0.0.1".parse().unwrap()];
    })
    .await;
    let anna = Browser::first(&mut app).await;
    let planted = format!("rollcall_session={}", anna.cookies.get("rollcall_session").unwrap());
    let tls = ("x-forwarded-proto", "https");
    let mut behind = Browser::new(anna.address);
    let answer = behind.send("GET", "/", &[tls, ("cookie", &planted)], b"").await;
    assert_eq!(answer.status, 303, "a cookie that came in clear is none over TLS");
    assert!(answer.header("strict-transport-security").contains("max-age"));
    let form = format!("name=anna&password={ADMIN_PASSWORD}");
    let own = format!("http://{}", anna.address);
    let clear = [FORM, tls, ("origin", own.as_str())];
    let answer = behind.send("POST", "/sign-in", &clear, form.as_bytes()).await;
    assert_eq!(answer.status, 403, "the page in clear is another site");
    let answer = behind.send("POST", "/sign-in", &[FORM, tls], form.as_bytes()).await;
    let cookie = answer.header("set-cookie");
    assert!(
        cookie.starts_with("__Host-rollcall_session=") && cookie.contains("; Secure"),
        "{cookie}"
    );
    assert!(
        cookie.contains("Path=/;") && cookie.contains("HttpOnly") && !cookie.contains("Domain")
    );
    assert_eq!(behind.send("GET", "/", &[tls], b"").await.status, 200);
    app.stop().await;
}

/// Takes every certificate: what is tested here is not whose it is.
#[derive(Debug)]
struct Any;

impl rustls::client::danger::ServerCertVerifier for Any {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn over_tls(address: SocketAddr, request: &str) -> String {
    let config = rustls::ClientConfig::builder()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Any))
        .with_no_client_auth();
    let name = ServerName::from(address.ip());
    let mut session = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut tcp = TcpStream::connect(address).unwrap();
    let mut stream = rustls::Stream::new(&mut session, &mut tcp);
    stream.write_all(request.as_bytes()).unwrap();
    let mut back = Vec::new();
    drop(stream.read_to_end(&mut back));
    String::from_utf8_lossy(&back).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_the_network_is_served_over_tls_only() {
    let mut app =
        TestApp::start_with(|config| config.admin.listen = Some("0.0.0.0:0".to_owned())).await;
    let (bound, link) = app.open_page().await;
    assert!(link.unwrap().starts_with("https://127.0.0.1:"), "a link that a browser can open");
    let new = NewAdministrator {
        name: "anna".to_owned(),
        role: Role::Admin,
        client: None,
        language: Language::En,
    };
    app.service.add_administrator(&new, Some(ADMIN_PASSWORD)).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], bound.port()));
    let form = format!("name=anna&password={ADMIN_PASSWORD}");
    let request = format!(
        "POST /sign-in HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n{form}",
        FORM.1,
        form.len()
    );
    let (clear, sealed) = tokio::task::spawn_blocking(move || {
        (raw(address, request.as_bytes()), over_tls(address, &request))
    })
    .await
    .unwrap();
    assert!(clear.starts_with("HTTP/1.1 400") && clear.contains("https://"), "{clear}");
    assert!(!clear.contains("set-cookie"), "{clear}");
    assert!(sealed.starts_with("HTTP/1.1 303"), "{sealed}");
    assert!(sealed.contains("set-cookie: __Host-rollcall_session="), "{sealed}");
    assert!(sealed.contains("strict-transport-security: "), "{sealed}");
    app.stop().await;
}
