//! Style, script and language of the pages.

use super::browser::Browser;
use crate::app::TestApp;

/// The value of an attribute that begins with `start`, on a page.
fn named<'a>(page: &'a str, start: &str) -> &'a str {
    let at = page.find(start).unwrap_or_else(|| panic!("no {start} in {page}"));
    page[at..].split('"').next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_with_its_hash_is_kept_for_a_year_and_a_plain_one_is_not() {
    let mut app = TestApp::start().await;
    let mut anna = Browser::first(&mut app).await;
    let page = anna.get("/").await.body;
    for (start, kind) in [("/assets/style.", "text/css"), ("/assets/page.", "text/javascript")] {
        let hashed = anna.get(named(&page, start)).await;
        assert_eq!(hashed.status, 200);
        assert!(hashed.header("content-type").starts_with(kind), "{:?}", hashed.headers);
        assert_eq!(hashed.header("cache-control"), "public, max-age=31536000, immutable");
    }
    let plain = anna.get("/assets/style.css").await;
    assert_eq!((plain.status, plain.header("cache-control")), (200, "public, max-age=3600"));
    for wrong in
        ["/assets/style.000000000000.css", "/assets/nothing.css", "/assets/..%2fframe.html"]
    {
        assert_eq!(anna.get(wrong).await.status, 404, "{wrong}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_signed_in_chooses_the_language() {
    let mut app = TestApp::start().await;
    let (address, _) = app.open_page().await;
    let mut somebody = Browser::new(address);
    let asked = somebody.send("GET", "/sign-in", &[("accept-language", "de-CH, en")], b"").await;
    assert!(asked.body.contains("<html lang=\"de\">"), "{}", asked.body);
    let chosen = [("language", "fr"), ("next", "/sign-in?next=%2Fimports")];
    let answer = somebody.post("/language", &chosen).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/sign-in?next=%2Fimports"));
    let page = somebody.send("GET", "/sign-in", &[("accept-language", "de-CH")], b"").await;
    assert!(page.body.contains("<html lang=\"fr\">") && page.body.contains("Connexion"));
    for (language, next, status, place) in [
        ("de", "//evil.example/", 303, "/"),
        ("de", "https://evil.example/", 303, "/"),
        ("xx", "/", 422, ""),
    ] {
        let answer = somebody.post("/language", &[("language", language), ("next", next)]).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (status, place),
            "{language} {next}"
        );
    }
    app.stop().await;
}
