//! The list of users, one user, change and create by hand.

use rollcall::model::Role;

use super::browser::Browser;
use super::people::{HOSTILE, ROSTER, import, somebody, with_roster};
use crate::app::TestApp;

/// The names in a list, in its order.
fn names(body: &str) -> Vec<String> {
    let rows = body.split("<th scope=\"row\"><a href=\"/clients/acme/users/").skip(1);
    rows.map(|row| {
        let name = row.split_once('>').unwrap().1.split('<').next().unwrap();
        name.to_owned()
    })
    .collect()
}

/// What a form that was refused says.
fn alert(body: &str) -> &str {
    let (_, said) = body.split_once("role=\"alert\">").expect("a form that was refused");
    said.split_once("</div>").unwrap().0
}

/// The id of the user with an employee number.
fn id(app: &TestApp, number: &str) -> i64 {
    app.service.find_user("acme", number).unwrap().id
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_sorted_searched_and_filtered() {
    let mut app = with_roster().await;
    let mut anna = Browser::first(&mut app).await;
    let hostile = "&#60;script&#62;alert(1)&#60;/script&#62;, Pia &#39;O&#39;";
    let page = anna.get("/clients/acme/users").await;
    assert_eq!(page.status, 200);
    assert_eq!(
        names(&page.body),
        [hostile, "Kim, Lea", "Roy, Zoé"],
        "who has left is not asked for"
    );
    assert!(!page.body.contains(HOSTILE), "nothing of a file becomes part of the page");
    for (query, expected) in [
        ("standing=all", vec![hostile, "Éluard, Max", "Kim, Lea", "Roy, Zoé"]),
        ("standing=ended", vec!["Éluard, Max"]),
        ("text=zoe", vec!["Roy, Zoé"]),
        ("text=ROY+z", vec!["Roy, Zoé"]),
        ("text=00002", vec!["Kim, Lea"]),
        ("text=FR01%2B00002", vec!["Kim, Lea"]),
        ("text=lea%40x", vec!["Kim, Lea"]),
        ("text=%25", vec![]),
        ("department=Sales", vec!["Kim, Lea", "Roy, Zoé"]),
        ("legal_entity=FR02", vec![hostile]),
        ("manager=00001", vec![hostile, "Kim, Lea"]),
        ("manager=Zo%C3%A9+Roy&text=kim", vec!["Kim, Lea"]),
        ("missing=department", vec![hostile]),
        ("missing=manager", vec!["Roy, Zoé"]),
    ] {
        let page = anna.get(&format!("/clients/acme/users?{query}")).await;
        assert_eq!(
            (page.status, names(&page.body)),
            (200, expected.into_iter().map(str::to_owned).collect()),
            "{query}"
        );
    }
    for (query, status) in [
        ("standing=gone", 422),
        ("missing=shoe_size", 422),
        ("as_of=yesterday", 422),
        ("after=nowhere", 422),
        ("manager=nobody", 404),
    ] {
        assert_eq!(
            anna.get(&format!("/clients/acme/users?{query}")).await.status,
            status,
            "{query}"
        );
    }
    let earlier = anna.get("/clients/acme/users?as_of=2020-01-01").await;
    assert_eq!((earlier.status, names(&earlier.body)), (200, vec![]), "nobody was known then");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_comes_in_parts_that_miss_and_repeat_nobody() {
    let mut app = TestApp::start().await;
    app.add_account("acme");
    let mut roster = "employeeNumber;lastName;firstName;mail;dtContractStart\n".to_owned();
    for n in 0..120 {
        // Many of one name: the id tells them apart.
        let (day, month) = (n % 28 + 1, n / 28 + 1);
        let name = n % 7;
        roster
            .push_str(&format!("{n:05};Name{name};Ann;a{n}@x.example;{day:02}/{month:02}/2020\n"));
    }
    let report = import(&app, "acme", "users.csv", &roster);
    assert_eq!(report.counts.created, 120, "{:?}", report.status);
    let mut anna = Browser::first(&mut app).await;
    let mut at = "/clients/acme/users".to_owned();
    let mut seen = Vec::new();
    let mut pages = 0;
    loop {
        let page = anna.get(&at).await;
        assert!(page.body.contains(">120 users<"), "{}", page.body);
        let rows = page.body.split("<th scope=\"row\"><a href=\"/clients/acme/users/").skip(1);
        seen.extend(rows.map(|row| row.split('"').next().unwrap().to_owned()));
        pages += 1;
        let Some((_, next)) = page.body.split_once("rel=\"next\" href=\"") else { break };
        at = next.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    }
    assert_eq!((pages, seen.len()), (3, 120));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 120);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_follows_every_writer() {
    let mut app = with_roster().await;
    let mut anna = Browser::first(&mut app).await;
    let list = "/clients/acme/users?standing=all";
    assert_eq!(names(&anna.get(list).await.body).len(), 4);
    let more = format!("{ROSTER}FR01;00009;Abel;Noa;noa@x.example;01/02/2021;;IT;00001;\n")
        .replace("Kim;Lea", "Zweig;Lea");
    let report = import(&app, "acme", "users.csv", &more);
    let after = names(&anna.get(list).await.body);
    assert_eq!(
        after.first().map(String::as_str),
        Some("&#60;script&#62;alert(1)&#60;/script&#62;, Pia &#39;O&#39;")
    );
    assert!(
        after.contains(&"Abel, Noa".to_owned()) && after.contains(&"Zweig, Lea".to_owned()),
        "{after:?}"
    );
    assert!(!after.contains(&"Kim, Lea".to_owned()), "{after:?}");
    let import_id = report.import.parse().unwrap();
    app.service.undo_import(import_id, "anna").unwrap();
    let undone = names(&anna.get(list).await.body);
    assert!(undone.contains(&"Kim, Lea".to_owned()) && undone.len() == 4, "{undone:?}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_says_where_each_value_comes_from() {
    let mut app = with_roster().await;
    let (zoe, lea) = (id(&app, "00001"), id(&app, "00002"));
    let mut anna = Browser::first(&mut app).await;
    let page = anna.get(&format!("/clients/acme/users/{lea}")).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("users.csv, line 3"), "{}", page.body);
    assert!(
        page.body.contains(&format!("<a href=\"/clients/acme/users/{zoe}\">Roy, Zoé (00001)</a>"))
    );
    assert!(page.body.contains("1990-05-24"), "an administrator sees the date of birth");
    let page = anna.get(&format!("/clients/acme/users/{zoe}")).await;
    assert!(page.body.contains(&format!("<a href=\"/clients/acme/users/{lea}\">Lea Kim</a>")));
    assert_eq!(anna.get("/clients/acme/users/999").await.status, 404);
    assert_eq!(anna.get("/clients/acme/users/1%27").await.status, 404);

    let mut viewer = somebody(&app, &anna, Role::Viewer, None).await;
    let page = viewer.get(&format!("/clients/acme/users/{lea}")).await.body;
    // By itself the year may stand in an id.
    let born = ["1990-0", "/1990", ".1990"].iter().any(|text| page.contains(text));
    assert!(!born && page.contains("•••"), "who only looks on: {page}");
    let file = viewer.get("/clients/acme/users/file?format=json").await.body;
    assert!(!file.contains("1990-05-24") && file.contains("Kim"), "{file}");
    let refused = viewer.get(&format!("/clients/acme/users/{lea}/edit")).await;
    assert_eq!(refused.status, 403);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_change_by_hand_and_files_do_not_bring_them_back() {
    let mut app = with_roster().await;
    let lea = id(&app, "00002");
    let mut anna = Browser::first(&mut app).await;
    let (card, form) =
        (format!("/clients/acme/users/{lea}"), format!("/clients/acme/users/{lea}/edit"));
    assert_eq!(anna.get(&form).await.status, 200);
    let sent = [
        ("was.department", "Sales"),
        ("department", "IT"),
        ("was.email", "lea@x.example"),
        ("email", "lea@x.example"),
    ];
    let saved = anna.post(&form, &sent).await;
    assert_eq!((saved.status, saved.header("location")), (303, card.as_str()));
    let page = anna.get(&card).await.body;
    assert!(page.contains("by hand (anna)"), "{page}");
    assert!(page.contains("Changed: Department."), "{page}");
    import(&app, "acme", "users.csv", &format!("{ROSTER}\n"));
    assert_eq!(
        app.service
            .find_user("acme", "00002")
            .unwrap()
            .values
            .get(rollcall::import::fields::Field::Department),
        Some("IT")
    );

    // The same form again: somebody has changed the value since it was opened.
    let stale = anna.post(&form, &[("was.department", "Sales"), ("department", "HR")]).await;
    assert_eq!(stale.status, 422);
    assert!(stale.body.contains("changed meanwhile"), "{}", stale.body);
    let wrong = anna
        .post(&form, &[("was.contract_start", "2020-02-01"), ("contract_start", "2020-02-31")])
        .await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.body.contains("value=\"2020-02-31\""),
        "what was typed is still there: {}",
        wrong.body
    );
    let empty = anna.post(&form, &[]).await;
    assert_eq!(empty.status, 303, "nothing asked, nothing changed");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_created_by_the_rules_of_the_folder() {
    let mut app = with_roster().await;
    let mut anna = Browser::first(&mut app).await;
    let new = "/clients/acme/users/new";
    assert_eq!(anna.get(new).await.status, 200);
    let values = [
        ("legal_entity", "FR01"),
        ("employee_number", "00077"),
        ("last_name", "Núñez"),
        ("first_name", "Eva; \"x\""),
        ("email", "eva@x.example"),
        ("contract_start", "2026-01-01"),
        ("manager", "00001"),
    ];
    let created = anna.post(new, &values).await;
    assert_eq!(created.status, 303, "{}", created.body);
    let card = created.header("location").to_owned();
    let page = anna.get(&card).await.body;
    assert!(page.contains("created by hand (anna)") && page.contains("Eva; &#34;x&#34;"), "{page}");
    assert!(names(&anna.get("/clients/acme/users?text=nunez").await.body).len() == 1);

    let before = app.service.users("acme", None).unwrap();
    let change = |name: &str, value: &'static str| {
        let mut values = values;
        for pair in &mut values {
            if pair.0 == name {
                pair.1 = value;
            }
        }
        values
    };
    for (values, said) in [
        (values, "already"),
        (change("contract_start", ""), "Contract start"),
        (change("employee_number", ""), "umber"),
        (change("manager", "nobody at all"), "nobody at all"),
        (change("email", "not an address"), "not an address"),
    ] {
        let refused = anna.post(new, &values).await;
        assert_eq!(refused.status, 422, "{values:?}");
        assert!(alert(&refused.body).contains(said), "{values:?}: {}", refused.body);
    }
    assert_eq!(app.service.users("acme", None).unwrap(), before, "what is refused changes nothing");

    // The night's file has the person too: the same user, not a second one.
    let file = format!("{ROSTER}FR01;00077;Núñez;Eva;eva@x.example;01/01/2026;;IT;00001;\n");
    let report = import(&app, "acme", "users.csv", &file);
    assert_eq!((report.counts.created, report.counts.updated), (0, 1), "{:?}", report.messages);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_as_a_file_can_be_imported_again() {
    let mut app = with_roster().await;
    let mut anna = Browser::first(&mut app).await;
    let csv = anna.get("/clients/acme/users/file?standing=all").await;
    assert_eq!(csv.status, 200);
    assert!(csv.header("content-disposition").starts_with("attachment; filename=\"acme-users-"));
    assert_eq!(csv.body.lines().count(), 5, "{}", csv.body);
    let layout = anna.get("/clients/acme/users/file?format=layout&folder=roster&text=kim").await;
    assert!(
        layout.body.contains("legalEntity") && layout.body.contains("00002"),
        "{}",
        layout.body
    );
    let report = import(&app, "acme", "again.csv", &csv.body);
    assert_eq!((report.counts.unchanged, report.counts.rejected), (4, 0), "{:?}", report.messages);
    let json = anna.get("/clients/acme/users/file?format=json&text=kim").await;
    let users: serde_json::Value = serde_json::from_str(&json.body).unwrap();
    assert_eq!(
        (users.as_array().unwrap().len(), &users[0]["login"]),
        (1, &serde_json::Value::Null)
    );
    assert_eq!(users[0]["employee_number"], "00002");
    assert_eq!(anna.get("/clients/acme/users/file?format=layout&folder=no").await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_of_another_client_sees_nobody() {
    let mut app = with_roster().await;
    app.add_account("other");
    let lea = id(&app, "00002");
    let anna = Browser::first(&mut app).await;
    let mut guest = somebody(&app, &anna, Role::Client, Some("other")).await;
    assert_eq!(guest.get("/clients/other/users").await.status, 200);
    let theirs = [
        "/clients/acme/users".to_owned(),
        "/clients/acme/users/file".to_owned(),
        format!("/clients/acme/users/{lea}"),
        "/clients/acme/quality".to_owned(),
        "/clients/acme/exports".to_owned(),
        "/clients/acme/drops".to_owned(),
    ];
    for path in &theirs {
        let answer = guest.get(path).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(!answer.body.contains("Kim"), "{path}");
    }
    // The user's number is acme's: below their own client it is nobody.
    assert_eq!(guest.get(&format!("/clients/other/users/{lea}")).await.status, 404);
    let compared = guest.get("/quality").await.body;
    assert!(compared.contains("other") && !compared.contains("acme"), "{compared}");
    app.stop().await;
}
