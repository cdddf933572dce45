//! A demo that stays up: somebody can sign in to its administration page, and Ctrl-C leaves nothing behind.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use super::{Serving, Workplace};
use crate::web::browser::Browser;

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_that_stays_up_shows_its_page() {
    let place = Workplace::new();
    let mut command = place.command(&["demo", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let events = BufReader::new(child.stdout.take().unwrap());
    let mut demo = Serving { child, ready: Value::Null, log: std::sync::Arc::default() };
    for line in events.lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if event["event"] == "ready" {
            demo.ready = event["ready"].clone();
            break;
        }
    }
    let page = &demo.ready["page"];
    let address = page["url"].as_str().unwrap().strip_prefix("http://").unwrap();
    let mut visitor = Browser::new(address.parse().unwrap());
    let secret = [
        ("name", page["name"].as_str().unwrap()),
        ("password", page["password"].as_str().unwrap()),
    ];
    let answer = visitor.post("/sign-in", &secret).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/"), "{}", answer.body);
    let client = visitor.get("/clients/acme").await;
    assert!(client.status == 200 && client.body.contains("Acme SA"), "{}", client.body);
    assert!(demo.stop().success());
    let left: Vec<_> =
        std::fs::read_dir(place.path(".")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}
