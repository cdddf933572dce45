//! Who gets in, and who does not.

use super::browser::{ADMIN_PASSWORD, Browser};
use crate::app::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrator_comes_by_a_link_that_works_once() {
    let mut app = TestApp::start().await;
    let (address, link) = app.open_page().await;
    let path = format!("/set-up/{}", link.unwrap().split_once("/set-up/").unwrap().1);
    let mut anna = Browser::new(address);
    let asked = anna.get("/").await;
    assert_eq!((asked.status, asked.header("location")), (303, "/sign-in?next=%2F"));
    assert_eq!(anna.get(&path).await.status, 200);
    let form = [("name", "Anna"), ("password", ADMIN_PASSWORD), ("again", "another-long-one")];
    let differs = anna.post(&path, &form).await;
    assert!(differs.body.contains("The two passwords differ"), "{}", differs.body);
    let form = [("name", "Anna"), ("password", ADMIN_PASSWORD), ("again", ADMIN_PASSWORD)];
    assert_eq!(anna.post(&path, &form).await.status, 303);
    let page = anna.get("/").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains(">anna</a>"), "{}", page.body);

    let mut other = Browser::new(address);
    assert_eq!(other.post(&path, &form).await.status, 404);
    let wrong = [("name", "anna"), ("password", "not-the-password")];
    assert_eq!(other.post("/sign-in", &wrong).await.status, 403);
    assert_eq!(other.get("/").await.status, 303);
    let right = [("name", "anna"), ("password", ADMIN_PASSWORD), ("next", "//evil.example")];
    assert_eq!(other.post("/sign-in", &right).await.header("location"), "/");

    let csrf = std::mem::take(&mut anna.csrf);
    assert_eq!(anna.post("/sign-out", &[]).await.status, 403, "a form without its secret");
    anna.csrf = csrf;
    assert_eq!(anna.get("/").await.status, 200);
    assert_eq!(anna.post("/sign-out", &[]).await.header("location"), "/sign-in");
    assert_eq!(anna.get("/").await.status, 303);
    assert_eq!(other.get("/").await.status, 200, "another session goes on");
    app.stop().await;
}
