//! A client's own server on the page: created, confirmed, tested step by step, changed.

use rollcall::model::Protocol;

use super::browser::Browser;
use crate::app::{PASSWORD, TestApp};

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one journey, told in its order")]
async fn a_clients_server_is_created_confirmed_and_tested() {
    // The client's server is this one: `acme` is the login there.
    let mut app = TestApp::start_with(|config| {
        config.outgoing.allow = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    app.add_account("acme");
    let mut anna = Browser::first(&mut app).await;
    let port = app.bound().sftp.unwrap().port().to_string();
    let place = format!("client=acme&host=client-server&name=Their+server&port={port}&kind=sftp");
    let refused = anna.get(&format!("/accounts/new?{place}&server=ftp%3A%2F%2Fx")).await;
    assert!(refused.status == 422 && refused.body.contains("://"), "{}", refused.body);
    let step = anna.get(&format!("/accounts/new?{place}&server=127.0.0.1")).await;
    assert!(step.status == 200 && step.body.contains("name=\"passphrase\""), "{}", step.body);
    let mut form = vec![
        ("client", "acme"),
        ("host", "client-server"),
        ("name", "Their server"),
        ("server", "127.0.0.1"),
        ("port", port.as_str()),
        ("kind", "sftp"),
        ("login", "acme"),
        ("proof", "key"),
        ("key", "no key"),
    ];
    let refused = anna.post("/accounts/new", &form).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    form.truncate(7);
    form.extend([("proof", "password"), ("password", PASSWORD)]);
    let made = anna.post("/accounts/new", &form).await;
    let own = made.header("location").to_owned();
    assert!(made.status == 303 && own.ends_with("/server"), "{}", made.body);
    let login = own.split('/').nth(2).unwrap().to_owned();
    assert!(anna.get(&own).await.body.contains("nobody has confirmed it yet"));

    let tested = anna.post(&format!("{own}/test"), &[]).await;
    let (_, pin) = app.fingerprints().host_keys.remove(0);
    assert!(
        tested.body.contains("not tried") && tested.body.contains("</html>"),
        "{}",
        tested.body
    );
    assert!(tested.body.contains(&format!("value=\"{pin}\"")), "{}", tested.body);
    let wrong = anna.post(&format!("{own}/trust"), &[("how", "pin"), ("pin", "SHA256:x")]).await;
    assert_eq!(wrong.status, 422);
    assert!(!app.service.remote_standing(&login).unwrap().confirmed);
    let confirmed = anna.post(&format!("{own}/trust"), &[("how", "pin"), ("pin", &pin)]).await;
    assert_eq!(confirmed.status, 303, "{}", confirmed.body);

    let folders = format!("/accounts/{login}/folders");
    let row = [
        ("old", ""),
        ("name", "theirs"),
        ("path", "/papers"),
        ("purpose", "export"),
        ("pattern", ""),
    ];
    assert_eq!(anna.post(&folders, &row).await.status, 303);
    let tested = anna.post(&format!("{own}/test"), &[]).await;
    assert!(
        !tested.body.contains("badge bad") && !tested.body.contains("not tried"),
        "{}",
        tested.body
    );
    for step in ["Login", "Write", "Rename", "Read", "Remove"] {
        assert!(
            tested.body.contains(&format!("<th scope=\"row\">{step}")),
            "{step}: {}",
            tested.body
        );
    }
    assert!(!tested.body.contains(PASSWORD));

    let fetched = format!("/accounts/{login}/fetched");
    assert!(anna.get(&fetched).await.body.contains("no import folder"));
    let row = [
        ("old", ""),
        ("name", "arriving"),
        ("path", "/payroll"),
        ("purpose", "import"),
        ("pattern", ""),
    ];
    assert_eq!(anna.post(&folders, &row).await.status, 303);
    assert!(anna.get(&fetched).await.body.contains("No file was seen yet."));
    // A look waits for so long.
    app.service.set_settings("acme", "arriving", "fetch.settle_s = 1").unwrap();
    let looked = anna.post(&fetched, &[("folder", "arriving")]).await;
    assert!(looked.body.contains("Nothing new lies there."), "{}", looked.body);
    let file = app.path("data/clients/acme/files/acme/payroll/<b>.csv");
    std::fs::write(file, "login;lastName\n").unwrap();
    let looked = anna.post(&fetched, &[("folder", "arriving")]).await;
    assert!(looked.status == 200 && looked.body.contains("Fetched: <a href=\"/imports/"));
    assert!(!looked.body.contains("<b>") && looked.body.contains("b&#62;.csv"));
    assert!(looked.body.contains("badge good\">fetched"), "{}", looked.body);
    for other in ["theirs", "roster", ""] {
        assert_eq!(anna.post(&fetched, &[("folder", other)]).await.status, 404, "{other}");
    }

    let ftpes = app.bound().ftpes.unwrap().port().to_string();
    let server = format!("/accounts/{login}/server");
    let change = [
        ("server", "127.0.0.1"),
        ("port", ftpes.as_str()),
        ("kind", "ftpes"),
        ("login", "acme"),
        ("proof", "keep"),
    ];
    assert_eq!(anna.post(&server, &change).await.status, 303);
    let standing = app.service.remote_standing(&login).unwrap();
    assert_eq!((standing.protocol, standing.confirmed), (Protocol::Ftpes, false));
    let refused = anna.post(&fetched, &[("folder", "arriving")]).await;
    assert!(refused.status == 422 && refused.body.contains("confirm"), "{}", refused.body);
    let looked = anna.post(&format!("{own}/look"), &[]).await;
    assert!(looked.body.contains("Certificate (SHA-256)"), "{}", looked.body);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hosted_account_has_no_server_of_the_clients() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut anna = Browser::first(&mut app).await;
    for (method, path) in [
        ("GET", "server"),
        ("POST", "server/test"),
        ("POST", "server/look"),
        ("POST", "server/trust"),
        ("GET", "fetched"),
        ("POST", "fetched"),
    ] {
        let path = format!("/accounts/acme/{path}");
        let status = match method {
            "GET" => anna.get(&path).await.status,
            _ => anna.post(&path, &[]).await.status,
        };
        assert_eq!(status, 422, "{method} {path}");
    }
    app.stop().await;
}
