//! The pages about imports: what each form does, what is refused, and what a hostile file cannot do.

use std::collections::BTreeMap;

use rollcall::import::fields::Field;
use rollcall::model::{Language, Protocol, Role, UploadId};
use rollcall::service::administrators::NewAdministrator;
use rollcall::service::feed::{ImportFilter, Stand};

use super::browser::{ADMIN_PASSWORD, Answer, Browser};
use crate::app::TestApp;
use crate::bench::wait;

/// With which folder's settings a file is tried.
const FOLDER: [(&str, &str); 1] = [("folder", "roster")];
const HEADER: &str = "login;lastName;firstName;mail;dtContractStart;dtContractEnd\n";

/// A roster of `count` people; the first `ended` of them have an end.
fn roster(count: usize, ended: usize) -> String {
    let mut text = HEADER.to_owned();
    for n in 1..=count {
        let end = if n <= ended { "2026-10-31" } else { "" };
        text.push_str(&format!("p{n};Nom{n};Prénom{n};p{n}@acme.example;2020-01-06;{end}\n"));
    }
    text
}

async fn app() -> TestApp {
    let app = TestApp::start_with(|config| config.limits.reply_wait_s = 60).await;
    app.add_account("acme");
    app
}

async fn put(app: &TestApp, login: &str, name: &str, text: &str) {
    let mut session = app.connect(login, Protocol::Sftp).await;
    let path = format!("/payroll/{name}").parse().unwrap();
    session.put(&path, text.as_bytes()).await.unwrap();
    session.close().await;
    app.settled().await;
}

fn imports(app: &TestApp, client: &str) -> Vec<(UploadId, String)> {
    let filter = ImportFilter { client: Some(client.to_owned()), ..ImportFilter::default() };
    let page = app.service.imports_page(&filter).unwrap();
    page.imports.into_iter().map(|view| (view.id, view.status)).collect()
}

fn newest(app: &TestApp, client: &str) -> UploadId {
    imports(app, client)[0].0
}

pub(super) fn ended(app: &TestApp) -> usize {
    let users = app.service.users("acme", None).unwrap();
    users.iter().filter(|user| user.values.get(Field::ContractEnd).is_some()).count()
}

pub(super) fn hidden(answer: &Answer, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let (_, rest) = answer.body.split_once(&mark).unwrap_or_else(|| panic!("{}", answer.body));
    rest.split('"').next().unwrap().to_owned()
}

/// A held import: 40 people, whose second file ends 12 of them.
pub(super) async fn held() -> (TestApp, Browser, UploadId) {
    let mut app = app().await;
    let anna = Browser::first(&mut app).await;
    put(&app, "acme", "users.csv", &roster(40, 0)).await;
    put(&app, "acme", "users.csv", &roster(40, 12)).await;
    let id = newest(&app, "acme");
    assert_eq!(imports(&app, "acme")[0].1, "held");
    (app, anna, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_import_is_approved_on_a_page_with_its_figures_and_only_once() {
    let (app, mut anna, id) = held().await;
    let today = anna.get("/").await;
    assert!(today.body.contains("12 people would end (limit 5 and 10 %)"), "{}", today.body);
    let page = anna.get(&format!("/imports/{id}")).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Nothing of this file has been applied"), "{}", page.body);
    assert!(page.body.contains("12 of 40 (30 %)"), "{}", page.body);
    let address = format!("/imports/{id}/approve");
    let asked = anna.get(&address).await;
    assert!(asked.body.contains("40 rows would become: 12 ended, 28 unchanged"), "{}", asked.body);
    assert_eq!(ended(&app), 0, "looking decides nothing");
    assert_eq!(anna.post(&address, &[]).await.status, 422, "a form that names no plan");
    assert_eq!(anna.post(&address, &[("plan", "another")]).await.status, 409);
    assert_eq!(ended(&app), 0);
    let plan = hidden(&asked, "plan");
    let done = anna.post(&address, &[("plan", &plan)]).await;
    assert_eq!((done.status, done.header("location")), (303, &*format!("/imports/{id}")));
    assert_eq!(ended(&app), 12);
    let said = anna.get(&format!("/imports/{id}")).await;
    assert!(said.body.contains("Approved and applied."), "{}", said.body);
    let late = anna.post(&address, &[("plan", &plan)]).await;
    assert_eq!(late.status, 409);
    assert!(late.body.contains("is not held"), "{}", late.body);
    assert_eq!(anna.get(&address).await.status, 409);
    let audit = app.service.import(id).unwrap().report.unwrap().decision.unwrap();
    assert_eq!(audit.who, "anna");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_import_is_discarded_and_then_nothing_can_apply_it() {
    let (app, mut anna, id) = held().await;
    let asked = anna.get(&format!("/imports/{id}/discard")).await;
    let plan = hidden(&asked, "plan");
    assert_eq!(anna.post(&format!("/imports/{id}/discard"), &[("plan", &plan)]).await.status, 303);
    wait("the list knows", || imports(&app, "acme")[0].1 == "discarded");
    assert_eq!(anna.post(&format!("/imports/{id}/approve"), &[("plan", &plan)]).await.status, 409);
    assert_eq!(ended(&app), 0);
    let filter = ImportFilter { stand: Some(Stand::ToDecide), ..ImportFilter::default() };
    assert!(app.service.imports_page(&filter).unwrap().imports.is_empty());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_says_first_what_returns_and_is_refused_once_the_directory_has_moved() {
    let mut app = app().await;
    let mut anna = Browser::first(&mut app).await;
    put(&app, "acme", "users.csv", &roster(40, 0)).await;
    put(&app, "acme", "users.csv", &roster(41, 2)).await;
    let id = newest(&app, "acme");
    let address = format!("/imports/{id}/undo");
    let before = app.service.users("acme", None).unwrap();
    let asked = anna.get(&address).await;
    assert!(asked.body.contains("Values that return: <b>2</b>"), "{}", asked.body);
    assert!(asked.body.contains("New people who are withdrawn: <b>1</b>"), "{}", asked.body);
    assert!(asked.body.contains("NOM41 Prénom41"), "{}", asked.body);
    assert_eq!(app.service.users("acme", None).unwrap(), before, "looking changes nothing");
    let seen = hidden(&asked, "seen");
    put(&app, "acme", "users.csv", &roster(42, 2)).await;
    let moved = anna.post(&address, &[("seen", &seen)]).await;
    assert_eq!(moved.status, 409);
    assert!(moved.body.contains("the directory has changed since you looked"), "{}", moved.body);
    assert_eq!(ended(&app), 2);
    let seen = hidden(&anna.get(&address).await, "seen");
    assert_eq!(anna.post(&address, &[("seen", &seen)]).await.status, 303);
    assert_eq!(ended(&app), 0);
    assert_eq!(app.service.import(id).unwrap().view.status, "undone");
    assert_eq!(anna.get(&address).await.status, 409, "twice");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tried_file_changes_nothing_and_is_imported_once_however_often_it_is_asked_for() {
    let mut app = app().await;
    let mut anna = Browser::first(&mut app).await;
    anna.get("/clients/acme/try").await;
    let text = format!("{}p9;Neuf;Zoé;not-an-address;31/02/2026;\n", roster(2, 0));
    let file = ("file", "trial.csv", text.as_bytes());
    let tried = anna.post_file("/clients/acme/try", &FOLDER, file).await;
    assert_eq!(tried.status, 303, "{}", tried.body);
    let address = tried.header("location").to_owned();
    let page = anna.get(&address).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Nothing has been changed."), "{}", page.body);
    assert!(page.body.contains("31/02/2026") && page.body.contains("<b>E4</b>"), "{}", page.body);
    assert!(page.body.contains("UTF-8"), "how it was read: {}", page.body);
    assert!(app.service.users("acme", None).unwrap().is_empty());
    assert!(imports(&app, "acme").is_empty());
    let first = anna.post(&format!("{address}/import"), &[]).await;
    let again = anna.post(&format!("{address}/import"), &[]).await;
    assert_eq!((first.status, again.status), (303, 303));
    assert_eq!(first.header("location"), again.header("location"));
    wait("it is imported", || imports(&app, "acme").iter().all(|(_, s)| s == "partial"));
    assert_eq!(imports(&app, "acme").len(), 1);
    assert_eq!(app.service.users("acme", None).unwrap().len(), 2);
    let id = newest(&app, "acme");
    let bytes = anna.get(&format!("/imports/{id}/file")).await;
    assert_eq!(bytes.body, text, "the very bytes that were tried");
    assert_eq!(anna.get(&address).await.status, 404, "it is not kept any longer");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tried_file_is_tried_again_when_the_directory_has_changed_meanwhile() {
    let mut app = app().await;
    let mut anna = Browser::first(&mut app).await;
    anna.get("/clients/acme/try").await;
    // Larger than any form without files may be.
    let text = format!("{}{}", roster(3, 0), "\n".repeat((1 << 20) + 1));
    let file = ("file", "trial.csv", text.as_bytes());
    let tried = anna.post_file("/clients/acme/try", &FOLDER, file).await;
    assert_eq!(tried.status, 303, "{}", tried.body);
    let address = tried.header("location").to_owned();
    assert!(anna.get(&address).await.body.contains("3 created"));
    put(&app, "acme", "users.csv", &roster(2, 0)).await;
    let asked = anna.post(&format!("{address}/import"), &[]).await;
    assert_eq!(asked.status, 409);
    assert!(asked.body.contains("1 created, 2 unchanged"), "{}", asked.body);
    assert_eq!(app.service.users("acme", None).unwrap().len(), 2);
    assert_eq!(anna.post(&format!("{address}/import"), &[]).await.status, 303);
    wait("it is imported", || app.service.users("acme", None).unwrap().len() == 3);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_tried_is_said_beside_the_form() {
    let mut app = app().await;
    let mut anna = Browser::first(&mut app).await;
    anna.get("/clients/acme/try").await;
    let address = "/clients/acme/try";
    let none = anna.post_file(address, &FOLDER, ("file", "", b"")).await;
    assert_eq!(none.status, 422);
    assert!(none.body.contains("no file was chosen"), "{}", none.body);
    let reserved = anna.post_file(address, &FOLDER, ("file", "x.report.csv", b"a;b\n1;2\n")).await;
    assert_eq!(reserved.status, 422, "{}", reserved.body);
    // A name with a path is only a name, and what is no table is told by the report.
    let odd = anna.post_file(address, &FOLDER, ("file", "../../x.csv", b"\x00\x01\x02")).await;
    assert_eq!(odd.status, 303, "{}", odd.body);
    let page = anna.get(odd.header("location")).await;
    assert!(page.body.contains("would be refused"), "{}", page.body);
    let csrf = std::mem::take(&mut anna.csrf);
    assert_eq!(anna.post_file(address, &FOLDER, ("file", "a.csv", b"a;b\n")).await.status, 403);
    anna.csrf = csrf;
    let away = format!("{}/forget", odd.header("location"));
    assert_eq!(anna.post(&away, &[]).await.status, 303);
    assert_eq!(anna.get(odd.header("location")).await.status, 404);
    assert!(imports(&app, "acme").is_empty());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_and_cells_are_shown_as_text() {
    let mut app = app().await;
    let mut anna = Browser::first(&mut app).await;
    let name = "<script>alert(1)<script>\" onload=\"x.csv";
    let evil = "<img src=x onerror=alert(1)>";
    let text = format!(
        "{HEADER}p1;{evil};\"'\"\"><b>\";p1@acme.example;{evil};\np2;\u{202e}Nom;B;p2@acme.example;2020-01-06;\n"
    );
    put(&app, "acme", name, &text).await;
    let id = newest(&app, "acme");
    let file = ("file", "<b>.csv", text.as_bytes());
    anna.get("/clients/acme/try").await;
    let tried =
        anna.post_file("/clients/acme/try", &FOLDER, file).await.header("location").to_owned();
    for address in [
        "/".to_owned(),
        "/imports".to_owned(),
        "/clients/acme/imports".to_owned(),
        format!("/imports/{id}"),
        format!("/imports/{id}/messages"),
        format!("/imports/{id}/changes"),
        format!("/imports/{id}/report/html"),
        tried,
    ] {
        let page = anna.get(&address).await;
        assert_eq!(page.status, 200, "{address}");
        for bad in ["<script>alert", "<img src=x", "<b>.csv", "\u{202e}"] {
            assert!(!page.body.contains(bad), "{address} has {bad:?}: {}", page.body);
        }
    }
    let shown = anna.get(&format!("/imports/{id}")).await;
    assert!(shown.body.contains("&#60;img src=x"), "{}", shown.body);
    let file = anna.get(&format!("/imports/{id}/file")).await;
    assert_eq!(file.header("content-type"), "application/octet-stream");
    let sent = file.header("content-disposition");
    assert!(
        sent.starts_with("attachment; filename=\"_script_alert_1__script__ onload=_x.csv\"")
            || sent.starts_with("attachment; filename=\"_script_alert_1__script__ onload__x.csv\""),
        "{sent}"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_come_in_every_form_and_language_with_a_policy_of_their_own() {
    let mut app = app().await;
    let mut anna = Browser::first(&mut app).await;
    put(&app, "acme", "users.csv", &format!("{}p3;C;C;c@acme.example;never;\n", roster(2, 0)))
        .await;
    let id = newest(&app, "acme");
    let expected: BTreeMap<&str, (&str, &str)> = [
        ("csv?language=fr", ("text/csv; charset=utf-8", "Niveau")),
        ("csv?language=de", ("text/csv; charset=utf-8", "Stufe")),
        ("json", ("application/json", "\"schema\"")),
        ("html?language=de", ("text/html; charset=utf-8", "Importbericht")),
        ("corrections", ("text/csv; charset=utf-8", "never")),
    ]
    .into();
    for (format, (kind, holds)) in expected {
        let answer = anna.get(&format!("/imports/{id}/report/{format}")).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, kind), "{format}");
        assert!(answer.body.contains(holds), "{format}: {}", answer.body);
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("sandbox") && !policy.contains("unsafe"), "{format}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    assert_eq!(anna.get(&format!("/imports/{id}/report/exe")).await.status, 404);
    assert_eq!(anna.get("/imports/nonsense/report/csv").await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_with_what_reports_mask_are_for_those_who_import_and_leave_a_trace() {
    let mut app = app().await;
    let mut anna = Browser::first(&mut app).await;
    put(&app, "acme", "users.csv", &format!("{}p3;C;C;c@acme.example;never;\n", roster(2, 0)))
        .await;
    let id = newest(&app, "acme");
    let (address, _) = app.open_page().await;
    let (clear, masked) = (["file", "report/corrections"], ["report/csv", "report/json"]);
    for (name, role, client) in
        [("vera", Role::Viewer, None), ("carl", Role::Client, Some("acme".to_owned()))]
    {
        let new = NewAdministrator { name: name.to_owned(), role, client, language: Language::En };
        app.service.add_administrator(&new, Some(ADMIN_PASSWORD)).unwrap();
        let mut looker = Browser::new(address);
        looker.post("/sign-in", &[("name", name), ("password", ADMIN_PASSWORD)]).await;
        let page = looker.get(&format!("/imports/{id}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        for below in clear {
            let refused = looker.get(&format!("/imports/{id}/{below}")).await;
            assert_eq!(refused.status, 403, "{name} {below}");
            assert!(refused.body.contains("not for you to see"), "{}", refused.body);
            assert!(!page.body.contains(&format!("/imports/{id}/{below}")), "{}", page.body);
        }
        for below in masked {
            let read = looker.get(&format!("/imports/{id}/{below}")).await;
            assert_eq!(read.status, 200, "{name} {below}");
        }
    }
    let page = anna.get(&format!("/imports/{id}")).await;
    for below in clear {
        assert!(page.body.contains(&format!("/imports/{id}/{below}")), "{}", page.body);
        assert_eq!(anna.get(&format!("/imports/{id}/{below}")).await.status, 200, "{below}");
    }
    let trail = anna.get("/server/audit?what=import.read").await.body;
    for read in ["the file as it was received", "the refused rows as they were received"] {
        assert_eq!(trail.matches(read).count(), 1, "{trail}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clients_own_user_sees_and_tries_and_decides_nothing() {
    let (mut app, _anna, id) = held().await;
    app.add_account("other");
    put(&app, "other", "theirs.csv", &roster(2, 0)).await;
    let theirs = newest(&app, "other");
    let (address, _) = app.open_page().await;
    let new = NewAdministrator {
        name: "carl".to_owned(),
        role: Role::Client,
        client: Some("acme".to_owned()),
        language: Language::En,
    };
    app.service.add_administrator(&new, Some(ADMIN_PASSWORD)).unwrap();
    let mut carl = Browser::new(address);
    let signed = carl.post("/sign-in", &[("name", "carl"), ("password", ADMIN_PASSWORD)]).await;
    assert_eq!(signed.status, 303, "{}", signed.body);
    for address in ["/", "/today", "/imports", "/imports?client=other", "/imports?text=theirs"] {
        let page = carl.get(address).await;
        assert_eq!(page.status, 200, "{address}");
        assert!(!page.body.contains("theirs.csv"), "{address}: {}", page.body);
    }
    let own = carl.get(&format!("/imports/{id}")).await;
    assert_eq!(own.status, 200);
    assert!(!own.body.contains("Approve…"), "{}", own.body);
    for below in ["", "/now", "/messages", "/changes", "/report/csv", "/file"] {
        assert_eq!(carl.get(&format!("/imports/{theirs}{below}")).await.status, 403, "{below}");
    }
    for what in ["approve", "discard", "undo", "again"] {
        assert_eq!(carl.get(&format!("/imports/{id}/{what}")).await.status, 403, "{what}");
        let plan = app.service.held_plan(id).unwrap().unwrap();
        let form = [("plan", plan.as_str()), ("seen", "1")];
        assert_eq!(carl.post(&format!("/imports/{id}/{what}"), &form).await.status, 403, "{what}");
    }
    let text = roster(3, 0);
    carl.get("/clients/acme/try").await;
    let file = ("file", "trial.csv", text.as_bytes());
    assert_eq!(carl.post_file("/clients/other/try", &FOLDER, file).await.status, 403);
    let tried = carl.post_file("/clients/acme/try", &FOLDER, file).await;
    assert_eq!(tried.status, 303, "{}", tried.body);
    let trial = tried.header("location").to_owned();
    assert!(!carl.get(&trial).await.body.contains("Import it"));
    assert_eq!(carl.post(&format!("{trial}/import"), &[]).await.status, 403);
    assert_eq!(imports(&app, "acme").len(), 2);
    assert_eq!(ended(&app), 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_runs_again_from_the_archive() {
    let mut app = app().await;
    let mut anna = Browser::first(&mut app).await;
    put(&app, "acme", "users.csv", &roster(5, 0)).await;
    let first = newest(&app, "acme");
    put(&app, "acme", "users.csv", &roster(6, 0)).await;
    assert_eq!(anna.get(&format!("/imports/{first}/again")).await.status, 200);
    let done = anna.post(&format!("/imports/{first}/again"), &[]).await;
    assert_eq!(done.status, 303, "{}", done.body);
    let new = done.header("location").rsplit('/').next().unwrap().parse::<UploadId>().unwrap();
    assert_ne!(new, first);
    wait("it is imported", || app.service.import(new).unwrap().report.is_some());
    let report = app.service.import(new).unwrap().report.unwrap();
    assert_eq!((report.counts.rows, report.counts.absent), (5, 1));
    let waiting = anna.get(&format!("/imports/{new}/now")).await;
    assert!(waiting.body.contains("Show its report"), "{}", waiting.body);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_filtered_and_read_page_by_page() {
    let mut app = app().await;
    app.add_account("other");
    let mut anna = Browser::first(&mut app).await;
    for (login, name, people) in [
        ("acme", "a.csv", 1),
        ("other", "b.csv", 2),
        ("acme", "c.csv", 3),
        ("acme", "broken.csv", 0),
    ] {
        let text = if people == 0 { "\u{0}".to_owned() } else { roster(people, 0) };
        put(&app, login, name, &text).await;
    }
    let names = |filter: &ImportFilter| -> (Vec<String>, Option<i64>) {
        let page = app.service.imports_page(filter).unwrap();
        (page.imports.into_iter().map(|view| view.file.name).collect(), page.next)
    };
    let two = ImportFilter { limit: 2, ..ImportFilter::default() };
    let (first, next) = names(&two);
    assert_eq!(first, ["broken.csv", "c.csv"]);
    let (rest, end) = names(&ImportFilter { before: next, ..two });
    assert_eq!((rest, end), (vec!["b.csv".to_owned(), "a.csv".to_owned()], None));
    let holds = |body: &str| -> Vec<&str> {
        let all = ["a.csv", "b.csv", "c.csv", "broken.csv"];
        all.into_iter().filter(|name| body.contains(&format!("<bdi>{name}</bdi>"))).collect()
    };
    let (day, c) = (
        app.service.clock().now().to_zoned(jiff::tz::TimeZone::system()).date(),
        newest(&app, "other"),
    );
    let all = ["a.csv", "b.csv", "c.csv", "broken.csv"];
    let check = [
        ("/imports".to_owned(), all.to_vec()),
        ("/clients/other/imports".to_owned(), vec!["b.csv"]),
        ("/imports?client=acme".to_owned(), vec!["a.csv", "c.csv", "broken.csv"]),
        ("/imports?status=rejected".to_owned(), vec!["broken.csv"]),
        ("/imports?status=waiting".to_owned(), vec![]),
        ("/imports?text=C.CSV".to_owned(), vec!["c.csv"]),
        (format!("/imports?text={c}"), vec!["b.csv"]),
        ("/imports?folder=roster&client=acme".to_owned(), vec!["a.csv", "c.csv", "broken.csv"]),
        ("/imports?folder=none&client=acme".to_owned(), vec![]),
        (format!("/imports?from={}", day.tomorrow().unwrap().tomorrow().unwrap()), vec![]),
        (format!("/imports?to={}", day.yesterday().unwrap().yesterday().unwrap()), vec![]),
    ];
    for (address, expected) in check {
        let page = anna.get(&address).await;
        assert_eq!((page.status, holds(&page.body)), (200, expected), "{address}");
    }
    let wrong = anna.get("/imports?from=yesterday").await;
    assert!(wrong.body.contains("is no date"), "{}", wrong.body);
    assert_eq!(anna.get("/clients/nobody/imports").await.status, 404);
    app.stop().await;
}
