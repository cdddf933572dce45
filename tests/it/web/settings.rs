//! Import settings on the page: what each form does, and what it leaves alone.

use rollcall::import::settings::Settings;
use rollcall::model::{Language, Role};
use rollcall::service::administrators::AdministratorPatch;
use rollcall::service::by_hand::{DryRun, ImportFile};

use super::browser::{Answer, Browser};
use super::door::enter;
use crate::app::TestApp;

pub(super) const ROSTER: &str = "/clients/acme/folders/roster";
const WRITTEN: &str = "# The agency sends changes only.\nmode = \"delta\" # since 2026\n\n[guards]\n# Few people.\nendings = { count = 1, percent = 10 }\n";

/// The server with client `acme`, and somebody who may do everything.
pub(super) async fn opened() -> (TestApp, Browser) {
    let mut app = TestApp::start().await;
    let anna = Browser::first(&mut app).await;
    app.add_account("acme");
    (app, anna)
}

pub(super) fn text(app: &TestApp) -> String {
    app.service.settings_document("acme", "roster").unwrap().text
}

pub(super) fn write(app: &TestApp, toml: &str) {
    app.service.set_settings("acme", "roster", toml).unwrap();
}

pub(super) fn settings(app: &TestApp) -> Settings {
    app.service.settings("acme", "roster").unwrap()
}

pub(super) fn import(app: &TestApp, name: &str, file: &str) {
    let bytes = file.as_bytes();
    let file = ImportFile { client: "acme", folder: Some("roster"), name, content: bytes.into() };
    app.service.import_file(file, DryRun::No).unwrap();
}

/// What a page's hidden field holds.
pub(super) fn hidden<'a>(page: &'a Answer, name: &str) -> &'a str {
    let start = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.body.split_once(&start).unwrap_or_else(|| panic!("no {name} on the page"));
    rest.split('"').next().unwrap()
}

/// Opens a page and sends a form of it, to its own address.
pub(super) async fn send(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    let page = browser.get(path).await;
    assert_eq!(page.status, 200, "{path}: {}", page.body);
    let seen = hidden(&page, "seen").to_owned();
    let all: Vec<(&str, &str)> =
        [("seen", seen.as_str())].into_iter().chain(fields.iter().copied()).collect();
    browser.post(path, &all).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_changes_its_lines_and_keeps_the_rest_of_the_document() {
    let (app, mut anna) = opened().await;
    write(&app, WRITTEN);
    let page = anna.get(&format!("{ROSTER}/settings")).await;
    assert!(page.body.contains("<option value=\"delta\" selected>"), "{}", page.body);
    let path = format!("{ROSTER}/settings");
    let saved =
        send(&mut anna, &path, &[("mode", ""), ("absent", "end"), ("absent_after", "3")]).await;
    assert_eq!((saved.status, saved.header("location")), (303, path.as_str()), "{}", saved.body);
    let after = text(&app);
    assert!(after.contains("# Few people.\nendings = { count = 1, percent = 10 }"), "{after}");
    assert!(!after.contains("mode"), "follows the default again: {after}");
    assert!(after.contains("absent = \"end\"\nabsent_after = 3\n"), "{after}");
    let told = anna.get(&path).await;
    assert!(
        told.body.contains("Saved: What the file holds, Users missing from a full file"),
        "{}",
        told.body
    );

    send(&mut anna, &path, &[("mode", ""), ("absent", "hold"), ("absent_after", "3")]).await;
    assert!(!text(&app).contains("absent_after"), "it has no meaning any more: {}", text(&app));
    let before = text(&app);
    let same = send(&mut anna, &path, &[("absent", "hold")]).await;
    assert_eq!((same.status, text(&app)), (303, before), "what is so already is not written");

    let guards = format!("{ROSTER}/guards");
    let form = [
        ("guards.endings", "own"),
        ("guards.endings.count", "4"),
        ("guards.endings.percent", "10"),
        ("guards.creations", "off"),
    ];
    assert_eq!(send(&mut anna, &guards, &form).await.status, 303);
    let now = settings(&app).guards;
    assert_eq!(now.endings.map(|limit| (limit.count, limit.percent)), Some((4, 10)));
    assert_eq!(now.creations, None);
    assert!(text(&app).contains("# Few people.\n"));

    let reports = format!("{ROSTER}/reports");
    let form = [
        ("report.formats", "html"),
        ("report.formats", "csv"),
        ("mail.to.to", "Anne Roy <anne.roy@example.com>"),
        ("mail.to.is", "address"),
        ("mail.to.language", "de"),
        ("mail.to.to", "00123"),
        ("mail.to.is", "user"),
        ("mail.to.language", ""),
        ("mail.to.to", ""),
        ("mail.to.is", "address"),
        ("mail.to.language", ""),
    ];
    assert_eq!(send(&mut anna, &reports, &form).await.status, 303);
    assert_eq!(settings(&app).handling.mail.to.len(), 2);
    assert!(text(&app).contains("formats = [\"csv\", \"html\"]"), "{}", text(&app));

    let schedule = format!("{ROSTER}/schedule");
    let form = [
        ("trigger", "daily"),
        ("trigger.at", "23:30"),
        ("trigger.days", "mon"),
        ("trigger.days", "fri"),
        ("expected.days", "mon"),
    ];
    assert_eq!(send(&mut anna, &schedule, &form).await.status, 303);
    assert_eq!(settings(&app).handling.schedule.trigger.to_string(), "daily 23:30 mon,fri");
    assert_eq!(settings(&app).handling.schedule.expected, None, "days alone expect nothing");
    let page = anna.get(&schedule).await;
    assert!(!page.body.contains("fetch.trigger"), "nothing is fetched from an account of our own");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_changes_nothing_and_stays_in_the_form() {
    let (app, mut anna) = opened().await;
    write(&app, WRITTEN);
    for (section, form, said) in [
        ("settings", [("absent", "end"), ("absent_after", "999")], "from 1 to 366"),
        ("settings", [("login_pattern", "<script>"), ("mode", "full")], "login_pattern"),
        (
            "guards",
            [("guards.endings", "own"), ("guards.endings.count", "many")],
            "guards.endings.count",
        ),
        ("schedule", [("trigger", "every"), ("trigger.minutes", "0")], "1 minute to 24 hours"),
        ("schedule", [("expected.by", "25:00"), ("trigger", "")], "expected.by"),
        ("reports", [("mail.to.to", "no address"), ("mail.to.is", "address")], "mail.to"),
        (
            "encryption",
            [("encryption.required", "zip"), ("encryption.signature", "required")],
            "a zip has no signature",
        ),
    ] {
        let path = format!("{ROSTER}/{section}");
        let mut all = form.to_vec();
        all.push(("mail.to.language", ""));
        let refused = send(&mut anna, &path, &all).await;
        assert_eq!(refused.status, 422, "{section} {form:?}");
        assert!(refused.body.contains(said), "{section}: {}", refused.body);
        assert!(!refused.body.contains("<script>\""), "{}", refused.body);
        let typed = if section == "schedule" || section == "encryption" { "" } else { form[1].1 };
        assert!(refused.body.contains(typed), "{typed}: {}", refused.body);
        assert_eq!(text(&app), WRITTEN, "{section}");
    }
    let path = format!("{ROSTER}/text");
    for (toml, said) in [
        ("mode = \"full\"\r\nkey = 5", "Line 2: key = 5 is not possible"),
        ("mode = \"full\"\r\nkey =", "line 2"),
        ("[guards]\r\nmood = 1", "guards.mood"),
        ("[mail]\r\nto = [\"</textarea><script>\"]", "mail.to"),
    ] {
        let refused = send(&mut anna, &path, &[("text", toml)]).await;
        assert_eq!((refused.status, text(&app).as_str()), (422, WRITTEN), "{toml}");
        assert!(refused.body.contains(said), "{toml}: {}", refused.body);
        assert!(!refused.body.contains("<script>"), "{}", refused.body);
    }
    assert_eq!(
        send(&mut anna, &path, &[("text", "# mine\r\nstrict = true\r\n")]).await.status,
        303
    );
    assert_eq!(text(&app), "# mine\nstrict = true\n");
    for wrong in ["/clients/acme/folders/papers/settings", "/clients/acme/folders/none/text"] {
        assert!(matches!(anna.get(wrong).await.status, 404 | 422), "{wrong}");
    }
    assert_eq!(anna.get(&format!("{ROSTER}/nothing")).await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_of_two_people_is_told_and_overwrites_nothing() {
    let (app, mut anna) = opened().await;
    for (section, field, typed) in [
        ("settings", "mode", "delta"),
        ("guards", "guards.whole_entity", "false"),
        ("text", "text", "mode = \"delta\""),
        ("values", "new_value", "clear"),
        ("mappings", "new_ours", "Executive"),
        ("columns", "field", "employee_number"),
    ] {
        let path = format!("{ROSTER}/{section}");
        write(&app, "");
        import(
            &app,
            &format!("{section}.csv"),
            "matricule;nom;prénom;date d'entrée;badge\n7;Roy;Zoé;2026-02-02;x\n",
        );
        let page = anna.get(&path).await;
        let seen = hidden(&page, "seen").to_owned();
        write(&app, "strict = true");
        let others = [
            ("seen", seen.as_str()),
            (field, typed),
            ("do", if section == "values" { "blanks" } else { "new" }),
            ("new_name", "phone"),
            ("new_theirs", "Executive UK"),
            (if section == "mappings" { "field" } else { "x" }, "csp"),
            ("header", "badge"),
        ];
        let second = anna.post(&path, &others).await;
        assert_eq!((second.status, text(&app).as_str()), (409, "strict = true"), "{section}");
        assert!(second.body.contains("Somebody else has changed these settings"), "{section}");
        // Having seen what is there, they may save.
        let again = hidden(&second, "seen").to_owned();
        assert_ne!(again, seen, "{section}");
        let mut others = others;
        others[0].1 = &again;
        let saved = anna.post(&path, &others).await.status;
        assert!(matches!(saved, 303 | 200), "{section}: {saved}");
        // The text was sent without it; a form leaves what it does not name.
        assert_eq!(text(&app).contains("strict = true"), section != "text", "{section}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_did_not_touch_keeps_what_another_saved() {
    let (app, mut anna) = opened().await;
    let path = format!("{ROSTER}/settings");
    write(&app, "required = [\"email\"]\n");
    let seen = hidden(&anna.get(&path).await, "seen").to_owned();
    // As a browser sends it: every field of the page, with what it showed.
    let mut form = vec![
        ("seen", seen.as_str()),
        ("was.strict", ""),
        ("strict", "true"),
        ("was.login_pattern", ""),
        ("login_pattern", ""),
        ("was.mode", ""),
        ("mode", ""),
        ("was.required", "[\"email\"]"),
        ("required", "email"),
    ];
    write(&app, "login_pattern = \"{f}{last}\"\nmode = \"delta\"\n");
    let told = anna.post(&path, &form).await;
    assert_eq!(told.status, 409, "{}", told.body);
    assert!(told.body.contains("value=\"{f}{last}\""), "what the other saved: {}", told.body);
    assert!(told.body.contains("<option value=\"delta\" selected>"), "{}", told.body);
    assert!(told.body.contains("name=\"was.login_pattern\" value=\"&#34;{f}{last}&#34;\""));
    // What the page shows now is sent once more.
    let again = hidden(&told, "seen").to_owned();
    form[0].1 = &again;
    form[3].1 = "\"{f}{last}\"";
    form[4].1 = "{f}{last}";
    form[5].1 = "\"delta\"";
    form[6].1 = "delta";
    form.truncate(7);
    assert_eq!(anna.post(&path, &form).await.status, 303);
    let now = text(&app);
    for line in ["login_pattern = \"{f}{last}\"", "mode = \"delta\"", "strict = true"] {
        assert!(now.contains(line), "{line}: {now}");
    }

    // A form that ends in the middle resets nothing; a box that is not ticked any more does.
    let seen = hidden(&anna.get(&path).await, "seen").to_owned();
    anna.post(&path, &[("seen", &seen), ("strict", "")]).await;
    assert!(text(&app).contains("mode = \"delta\"") && !text(&app).contains("strict"));
    write(&app, "required = [\"email\"]\n");
    let seen = hidden(&anna.get(&path).await, "seen").to_owned();
    let none = [("seen", seen.as_str()), ("was.required", "[\"email\"]")];
    assert_eq!(anna.post(&path, &none).await.status, 303);
    assert!(!text(&app).contains("required"), "{}", text(&app));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_look_changes_nothing_and_nobody_sees_another_client() {
    let (app, anna) = opened().await;
    app.add_account("other");
    let pages = [
        "settings",
        "guards",
        "schedule",
        "reports",
        "encryption",
        "text",
        "columns",
        "mappings",
        "values",
    ];
    for (role, own) in [(Role::Viewer, None), (Role::Client, Some("acme"))] {
        let mut they = enter(&app, anna.address, role.name(), role, own).await;
        for section in pages {
            let path = format!("{ROSTER}/{section}");
            let page = they.get(&path).await;
            assert_eq!(page.status, 200, "{path}");
            let form =
                [("seen", ""), ("mode", "delta"), ("text", "strict = true"), ("do", "blanks")];
            assert_eq!(they.post(&path, &form).await.status, 403, "{role:?} {path}");
            assert_eq!(text(&app), "", "{role:?} {path}");
        }
        let others = ["lists/csp", "encryption/keys", "folders/roster/zip-password"];
        for path in others {
            let path = format!("/clients/acme/{path}");
            assert_eq!(
                they.post(&path, &[("do", "add"), ("code", "X")]).await.status,
                403,
                "{path}"
            );
        }
    }
    let mut mine = Browser::new(anna.address);
    let form = [("name", "client"), ("password", super::browser::ADMIN_PASSWORD)];
    assert_eq!(mine.post("/sign-in", &form).await.status, 303);
    for path in [
        "folders",
        "folders/roster/settings",
        "folders/roster/columns",
        "lists",
        "lists/csp",
        "encryption",
    ] {
        assert_eq!(mine.get(&format!("/clients/other/{path}")).await.status, 403, "{path}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_page_speaks_three_languages() {
    let (app, mut anna) = opened().await;
    for (language, words) in [
        (Language::Fr, ["Garde-fous", "Correspondances", "Listes de référence"]),
        (Language::De, ["Schutzgrenzen", "Zuordnungen", "Referenzlisten"]),
    ] {
        let patch =
            AdministratorPatch { language: Some(language), ..AdministratorPatch::default() };
        app.service.set_administrator("anna", &patch).unwrap();
        for (path, word) in [
            (format!("{ROSTER}/guards"), words[0]),
            (format!("{ROSTER}/mappings"), words[1]),
            ("/clients/acme/lists".to_owned(), words[2]),
        ] {
            let page = anna.get(&path).await;
            assert!(page.body.contains(&format!("lang=\"{}\"", language.code())), "{}", page.body);
            assert!(page.body.contains(word), "{path}: {word}");
        }
    }
    app.stop().await;
}
