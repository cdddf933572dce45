//! Import settings, mappings, columns, lists and keys on the page: what each form does, and what it leaves alone.

use std::borrow::Cow;

use rollcall::import::fields::{Field, FieldKey};
use rollcall::import::settings::Settings;
use rollcall::model::{Language, Role};
use rollcall::service::administrators::AdministratorPatch;
use rollcall::service::imports::{DryRun, ImportFile};

use super::browser::{Answer, Browser};
use super::door::enter;
use crate::app::TestApp;

const ROSTER: &str = "/clients/acme/folders/roster";
const WRITTEN: &str = "# The agency sends changes only.\nmode = \"delta\" # since 2026\n\n[guards]\n# Few people.\nendings = { count = 1, percent = 10 }\n";

/// The server with client `acme`, and somebody who may do everything.
async fn opened() -> (TestApp, Browser) {
    let mut app = TestApp::start().await;
    let anna = Browser::first(&mut app).await;
    app.add_account("acme");
    (app, anna)
}

fn text(app: &TestApp) -> String {
    app.service.settings_document("acme", "roster").unwrap().text
}

fn write(app: &TestApp, toml: &str) {
    app.service.set_settings("acme", "roster", toml).unwrap();
}

fn settings(app: &TestApp) -> Settings {
    app.service.settings("acme", "roster").unwrap()
}

fn import(app: &TestApp, name: &str, file: &str) {
    let bytes = Cow::Borrowed(file.as_bytes());
    let file = ImportFile { client: "acme", folder: Some("roster"), name, bytes };
    app.service.import_file(file, DryRun::No).unwrap();
}

/// What a page's hidden field holds.
fn hidden<'a>(page: &'a Answer, name: &str) -> &'a str {
    let start = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.body.split_once(&start).unwrap_or_else(|| panic!("no {name} on the page"));
    rest.split('"').next().unwrap()
}

/// Opens a page and sends a form of it, to its own address.
async fn send(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
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
    let seen = hidden(&anna.get(&path).await, "seen").to_owned();
    let none = [("seen", seen.as_str()), ("was.required", "")];
    assert_eq!(anna.post(&path, &none).await.status, 303);
    assert!(text(&app).contains("required = []"), "{}", text(&app));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one journey, told in its order")]
async fn unknown_values_are_assigned_in_one_go() {
    let (app, mut anna) = opened().await;
    write(&app, "# why\nstrict = false\n");
    let roster = "matricule;nom;prénom;date d'entrée;csp\n1;Roy;Zoé;2026-02-02;Executive France\n2;Blum;Max;2026-02-02;Executive UK\n3;Weiß;Ina;2026-02-02;\"<b>Clerk\"\"\"\n";
    import(&app, "users.csv", roster);
    let path = format!("{ROSTER}/mappings");
    let page = anna.get(&path).await;
    assert!(
        page.body.contains("Executive France") && page.body.contains("users.csv"),
        "{}",
        page.body
    );
    assert!(
        page.body.contains("&#60;b&#62;Clerk") && !page.body.contains("<b>Clerk"),
        "{}",
        page.body
    );
    let nothing =
        send(&mut anna, &path, &[("field", "csp"), ("do", "together"), ("together", "Executive")])
            .await;
    assert_eq!(nothing.status, 422);
    assert!(nothing.body.contains("value=\"Executive\""), "what was typed stays: {}", nothing.body);
    assert!(settings(&app).value_maps.is_empty());
    let together = [
        ("field", "csp"),
        ("do", "together"),
        ("together", "Executive"),
        ("pick", "Executive France"),
        ("pick", "Executive UK"),
    ];
    assert_eq!(send(&mut anna, &path, &together).await.status, 303);
    assert!(text(&app).starts_with("# why\nstrict = false\n"), "{}", text(&app));
    import(&app, "users2.csv", roster);
    let csp = |number: &str| {
        let users = app.service.users("acme", None).unwrap();
        let user = users.into_iter().find(|u| u.values.get(Field::EmployeeNumber) == Some(number));
        user.unwrap().values.get(Field::Csp).map(str::to_owned)
    };
    assert_eq!(csp("1").as_deref(), Some("Executive"));
    assert_eq!(csp("2").as_deref(), Some("Executive"));

    let own = FieldKey::Known(Field::Csp);
    let edit = [
        ("field", "csp"),
        ("do", "map"),
        ("theirs", "Executive France"),
        ("ours", "Cadre"),
        ("theirs", "Executive UK"),
        ("ours", "Executive"),
        ("remove", "Executive UK"),
        ("rule", "default"),
        ("default", "Other"),
        ("new_theirs", "executive FRANCE"),
        ("new_ours", "Dirigeant"),
    ];
    assert_eq!(send(&mut anna, &path, &edit).await.status, 303);
    let map = settings(&app).value_maps.remove(&own).unwrap();
    let codes: Vec<(&str, &str)> =
        map.codes.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(codes, [("Executive France", "Dirigeant")], "capitals do not matter: one line");
    for (form, status) in [
        (vec![("field", "csp"), ("do", "map"), ("rule", "default"), ("default", "")], 422),
        (
            vec![
                ("field", "employee_number"),
                ("do", "new"),
                ("new_theirs", "1"),
                ("new_ours", "2"),
            ],
            422,
        ),
        (vec![("field", "gender"), ("do", "new"), ("new_theirs", "H"), ("new_ours", "mail")], 422),
        (vec![("field", "nothing"), ("do", "new"), ("new_theirs", "H"), ("new_ours", "x")], 422),
        (vec![("field", "gender"), ("do", "new"), ("new_theirs", "H"), ("new_ours", "male")], 303),
    ] {
        assert_eq!(send(&mut anna, &path, &form).await.status, status, "{form:?}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_of_a_sample_are_assigned_and_looked_at_again() {
    let (app, mut anna) = opened().await;
    let path = format!("{ROSTER}/columns");
    let page = anna.get(&path).await;
    assert!(page.body.contains("No file to look at yet"), "{}", page.body);
    let file = "Code <i>agent;Nom;Prénom;Entrée;Pointure\n7;Roy;Zoé;2026-01-05;38\n";
    let look =
        anna.post_file(&format!("{path}/sample"), &[], ("file", "s.csv", file.as_bytes())).await;
    assert_eq!(look.status, 200, "{}", look.body);
    assert!(look.body.contains("Code &#60;i&#62;agent") && !look.body.contains("<i>agent"));
    assert!(look.body.contains("not read"), "{}", look.body);
    assert!(look.body.contains("<dd><code>;</code></dd>"), "how it is written: {}", look.body);
    assert_eq!(app.service.users("acme", None).unwrap().len(), 0, "nothing was imported");
    let (seen, excerpt) = (hidden(&look, "seen").to_owned(), hidden(&look, "excerpt").to_owned());
    let form = [
        ("seen", seen.as_str()),
        ("name", "s.csv"),
        ("excerpt", excerpt.as_str()),
        ("header", "Code <i>agent"),
        ("field", "employee_number"),
        ("header", "Pointure"),
        ("field", "custom.pointure"),
    ];
    let again = anna.post(&path, &form).await;
    assert_eq!(again.status, 200, "{}", again.body);
    assert!(again.body.contains("an alias of the settings"), "{}", again.body);
    assert!(!again.body.contains("<dt>Separator</dt>"), "the part that is kept is written anew");
    assert!(!again.body.contains("class=\"badge look\">not read"), "{}", again.body);
    let aliases = settings(&app).aliases;
    assert_eq!(aliases.get("Code <i>agent"), Some(&FieldKey::Known(Field::EmployeeNumber)));
    assert_eq!(aliases.len(), 2);
    import(&app, "users.csv", &file.replace("Code <i>agent", "CODE <I>AGENT"));
    assert_eq!(app.service.users("acme", None).unwrap().len(), 1);
    let last = anna.get(&path).await;
    assert!(last.body.contains("Last received file: users.csv"), "{}", last.body);
    // The same header written otherwise is the same name: its line is changed, no second one made.
    let form = [("header", "CODE <I>AGENT"), ("field", "login"), ("remove", "Pointure")];
    assert_eq!(send(&mut anna, &path, &form).await.status, 303);
    let aliases = settings(&app).aliases;
    assert_eq!(aliases.get("Code <i>agent"), Some(&FieldKey::Known(Field::Login)));
    assert_eq!(aliases.len(), 1);
    let broken =
        anna.post_file(&format!("{path}/sample"), &[], ("file", "x.csv", b"\x00\x01\x02")).await;
    assert!(
        broken.status == 200 && broken.body.contains("cannot be read as a table"),
        "{}",
        broken.body
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one journey, told in its order")]
async fn blanks_and_defaults_are_given_for_everyone_an_entity_and_a_pair() {
    let (app, mut anna) = opened().await;
    write(&app, "# why\n");
    let path = format!("{ROSTER}/values");
    let steps = [
        (vec![("do", "blanks"), ("new_name", "phone"), ("new_value", "clear")], 303),
        (vec![("do", "blanks"), ("new_name", "last_name"), ("new_value", "clear")], 422),
        (
            vec![("do", "group"), ("index", ""), ("new_name", "culture"), ("new_value", "fr-FR")],
            303,
        ),
        (
            vec![
                ("do", "new"),
                ("legal_entity", "FR01"),
                ("department", "Sales"),
                ("new_name", "profile_time"),
                ("new_value", "35h"),
            ],
            303,
        ),
        (
            vec![
                ("do", "new"),
                ("legal_entity", "FR01"),
                ("department", "Sales"),
                ("new_name", "csp"),
                ("new_value", "\"<x>"),
            ],
            303,
        ),
        (
            vec![
                ("do", "new"),
                ("legal_entity", "FR02"),
                ("department", ""),
                ("new_name", "culture"),
                ("new_value", "klingon"),
            ],
            422,
        ),
        (
            vec![
                ("do", "new"),
                ("legal_entity", ""),
                ("department", ""),
                ("new_name", "culture"),
                ("new_value", "de-DE"),
            ],
            422,
        ),
        (
            vec![
                ("do", "new"),
                ("legal_entity", "FR02"),
                ("department", ""),
                ("new_name", "culture"),
                ("new_value", "de-DE"),
            ],
            303,
        ),
        (
            vec![("do", "group"), ("index", "9"), ("new_name", "culture"), ("new_value", "de-DE")],
            409,
        ),
    ];
    for (form, status) in steps {
        let before = text(&app);
        assert_eq!(send(&mut anna, &path, &form).await.status, status, "{form:?}");
        assert_eq!(text(&app) == before, status != 303, "{form:?}");
    }
    let same = |_: Field, a: &str, b: &str| a == b;
    let culture = FieldKey::Known(Field::Culture);
    let now = settings(&app);
    assert_eq!(now.default_for(&culture, Some("FR01"), None, same), Some("fr-FR"));
    assert_eq!(now.default_for(&culture, Some("FR02"), None, same), Some("de-DE"));
    let csp = now.default_for(&FieldKey::Known(Field::Csp), Some("FR01"), Some("Sales"), same);
    assert_eq!(csp, Some("\"<x>"));
    assert_eq!(now.defaults.len(), 3, "the pair has one entry");
    let page = anna.get(&path).await;
    assert!(page.body.contains("value=\"&#34;&#60;x&#62;\""), "{}", page.body);
    let form = [
        ("do", "group"),
        ("index", "1"),
        ("name", "culture"),
        ("value", "de-DE"),
        ("remove", "culture"),
    ];
    assert_eq!(send(&mut anna, &path, &form).await.status, 303);
    assert_eq!(settings(&app).defaults.len(), 2);
    assert!(text(&app).contains("# why\n"), "{}", text(&app));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_loaded_named_accepted_and_cleared() {
    let (app, mut anna) = opened().await;
    import(
        &app,
        "users.csv",
        "matricule;nom;prénom;date d'entrée;csp\n1;Roy;Zoé;2026-02-02;Clerk\n",
    );
    let path = "/clients/acme/lists/csp";
    let load = format!("{path}/load");
    assert!(anna.get("/clients/acme/lists").await.body.contains("Category"));
    anna.get(path).await;
    let loaded = anna
        .post_file(&load, &[], ("file", "l.csv", b"code;name\nEX;Executive\n<b>;<script>\n"))
        .await;
    assert_eq!((loaded.status, loaded.header("location")), (303, path), "{}", loaded.body);
    let page = anna.get(path).await;
    assert!(
        page.body.contains("Executive")
            && !page.body.contains("<script>")
            && !page.body.contains("<b>")
    );
    let codes = || -> Vec<(String, bool)> {
        let all = app.service.lists("acme", Some("csp")).unwrap();
        all.into_iter().map(|entry| (entry.code, entry.loaded)).collect()
    };
    assert_eq!(codes().len(), 3);
    for (form, status) in [
        (vec![("do", "remove"), ("pick", "Clerk")], 409),
        (vec![("do", "remove")], 422),
        (vec![("do", "add"), ("code", "")], 422),
        (vec![("do", "remove"), ("pick", "<b>")], 303),
        (vec![("do", "add"), ("code", "NE"), ("name", "Non-executive")], 303),
        (vec![("do", "accept"), ("pick", "Clerk")], 303),
    ] {
        let before = codes();
        let answer = anna.post(path, &form).await;
        assert_eq!(answer.status, status, "{form:?}: {}", answer.body);
        assert_eq!(codes() == before, status != 303, "{form:?}");
    }
    let expected = [("Clerk", true), ("EX", true), ("NE", true)];
    assert_eq!(codes(), expected.map(|(code, loaded)| (code.to_owned(), loaded)));
    let replaced = anna.post_file(&load, &[("replace", "1")], ("file", "l.csv", b"EX\n")).await;
    assert_eq!(replaced.status, 409, "somebody has Clerk: {}", replaced.body);
    let history = anna.get(&format!("{path}/history")).await;
    assert!(history.body.contains("NE") && history.body.contains("anna"), "{}", history.body);
    assert_eq!(anna.get("/clients/acme/lists/login").await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_passwords_come_and_go() {
    let (app, mut anna) = opened().await;
    let path = "/clients/acme/encryption";
    assert!(anna.get(path).await.body.contains("No key of ours yet"));
    assert_eq!(anna.post(&format!("{path}/keys"), &[]).await.status, 303);
    let key = app.service.pgp_key("acme", None).unwrap();
    let file = anna.get(&format!("{path}/keys/{}", key.fingerprint)).await;
    assert!(file.body.starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----"), "{}", file.body);
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"acme.asc\"");
    anna.get(path).await;
    let partners = format!("{path}/partners");
    let fields = [("name", "Groupe <i>Roux")];
    let bad = anna.post_file(&partners, &fields, ("file", "k.asc", b"hello")).await;
    assert_eq!(bad.status, 422, "{}", bad.body);
    assert!(bad.body.contains("Groupe &#60;i&#62;Roux"), "what was typed stays: {}", bad.body);
    let good =
        anna.post_file(&partners, &fields, ("file", "k.asc", key.public_key.as_bytes())).await;
    assert_eq!(good.status, 303, "{}", good.body);
    let page = anna.get(path).await;
    assert!(page.body.contains("Groupe &#60;i&#62;Roux") && !page.body.contains("<i>Roux"));
    let of = |what: &str, verb: &str| format!("{path}/{what}/{}/{verb}", key.fingerprint);
    assert_eq!(anna.post(&of("partners", "remove"), &[]).await.status, 303);
    assert!(app.service.pgp_partners("acme").unwrap().is_empty());
    assert_eq!(anna.post(&of("keys", "retire"), &[]).await.status, 303);
    assert_eq!(anna.post(&of("keys", "retire"), &[]).await.status, 409);
    let password = format!("{ROSTER}/zip-password");
    let is_set = || app.service.has_zip_password("acme", "roster").unwrap();
    anna.post(&password, &[("password", "short")]).await;
    assert!(!is_set());
    let told = anna.get(&format!("{ROSTER}/encryption")).await;
    assert!(told.body.contains("the password is too short"), "{}", told.body);
    anna.post(&password, &[("password", "a long password")]).await;
    assert!(is_set());
    anna.post(&password, &[("password", ""), ("remove", "1")]).await;
    assert!(!is_set());
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
