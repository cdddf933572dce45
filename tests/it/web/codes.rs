//! Mappings, columns, values, lists and keys on the page: what each form does, and what it leaves alone.

use rollcall::import::fields::{Field, FieldKey};
use rollcall::model::Role;
use rollcall::service::audit::AuditFilter;

use super::door::enter;
use super::settings::{ROSTER, hidden, import, opened, send, settings, text, write};

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
    assert!(last.body.contains("<td>Zoé</td>"), "{}", last.body);
    let filter =
        AuditFilter { what: Some("import.read".to_owned()), limit: 9, ..AuditFilter::default() };
    let read = || app.service.audit(&filter).unwrap().len();
    assert_eq!(read(), 1, "that somebody looked at it stands in the audit trail");
    // What reports mask is for people who may import.
    for (name, role, client) in [("vera", Role::Viewer, None), ("carl", Role::Client, Some("acme"))]
    {
        let mut other = enter(&app, anna.address, name, role, client).await;
        let seen = other.get(&path).await;
        assert!(seen.status == 200 && seen.body.contains("Pointure"), "{name}: {}", seen.body);
        for value in ["Zoé", "<td>38</td>", "2026-01-05"] {
            assert!(!seen.body.contains(value), "{name} sees {value}: {}", seen.body);
        }
        let none = other.post_file(&format!("{path}/sample"), &[], ("file", "", b"")).await;
        assert!(none.status == 422 && !none.body.contains("Zoé"), "{name}: {}", none.body);
    }
    assert_eq!(read(), 1);
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
        let all = app.service.list_codes("acme", Some("csp")).unwrap();
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
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"acme.asc\"; filename*=UTF-8''acme.asc"
    );
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
