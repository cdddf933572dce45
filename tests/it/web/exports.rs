//! Exports and files handed over, from the first form to the last button.

use rollcall::model::{Purpose, Role};

use super::browser::Browser;
use super::people::{somebody, with_roster};

const NEW: [(&str, &str); 12] = [
    ("name", "badges"),
    ("folder", "out"),
    ("what", "changed"),
    ("trigger", "manual"),
    ("times", ""),
    ("file_name", "badges_{seq}.csv"),
    ("columns", "employee_number\r\nlast_name"),
    ("separator", ";"),
    ("encoding", "utf-8"),
    ("dates", "DD/MM/YYYY"),
    ("decimal", "."),
    ("manager", "auto"),
];

/// The form of a new export, with what its ticks say.
fn form(changes: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let mut all: Vec<(&str, &str)> = NEW
        .iter()
        .map(|(name, value)| {
            let changed = changes.iter().find(|(key, _)| key == name);
            (*name, changed.map_or(*value, |(_, value)| value))
        })
        .collect();
    all.extend([("header", "on"), ("users", "active"), ("users", "upcoming"), ("users", "ended")]);
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_added_previewed_run_withdrawn_and_removed() {
    let mut app = with_roster().await;
    let mut anna = Browser::first(&mut app).await;
    let base = "/clients/acme/exports";
    assert_eq!(anna.get(&format!("{base}/new")).await.status, 200);
    for (change, said) in [
        (("name", "Bad Name"), "Bad Name"),
        (("folder", "papers"), "papers"),
        (("columns", "shoe_size"), "shoe_size"),
        (("file_name", "same.csv"), "{seq}"),
    ] {
        let refused = anna.post(&format!("{base}/new"), &form(&[change])).await;
        assert_eq!(refused.status, 422, "{change:?}");
        assert!(refused.body.contains(said), "{change:?}: {}", refused.body);
    }
    assert!(app.service.exports("acme").unwrap().is_empty(), "what is refused adds nothing");
    let added = anna.post(&format!("{base}/new"), &form(&[])).await;
    let export = "/clients/acme/exports/badges";
    assert_eq!((added.status, added.header("location")), (303, export), "{}", added.body);

    let preview = anna.get(&format!("{export}/preview")).await;
    assert!(preview.body.contains("<th scope=\"col\">employee_number</th>"), "{}", preview.body);
    assert!(
        preview.body.contains("&#60;script&#62;") && preview.body.contains("badges_1.csv"),
        "{}",
        preview.body
    );
    assert!(app.service.export_runs("acme", None, 10).unwrap().is_empty(), "a look sends nothing");

    assert_eq!(anna.post(&format!("{export}/run"), &[]).await.header("location"), export);
    let page = anna.get(export).await.body;
    assert!(
        page.contains("badges_1.csv") && page.contains("Sent: badges_1.csv (4 rows)"),
        "{page}"
    );
    let run = app.service.export_runs("acme", Some("badges"), 1).unwrap().remove(0);
    let id = run.id.to_string();
    anna.post(&format!("{export}/resend"), &[("run", &id)]).await;
    assert_eq!(app.service.export_run(run.id).unwrap().sendings, 2);
    anna.post(&format!("{export}/withdraw"), &[]).await;
    assert!(app.service.export_run(run.id).unwrap().withdrawn_at.is_some());
    anna.post(&format!("{export}/withdraw"), &[]).await;
    assert!(anna.get(export).await.body.contains("is left to be withdrawn"));

    anna.post(&format!("{export}/enable"), &[("enabled", "false")]).await;
    assert!(!app.service.export("acme", "badges").unwrap().enabled);
    assert_eq!(anna.post(&format!("{export}/remove"), &[]).await.header("location"), base);
    assert_eq!(anna.get(export).await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_change_by_form_and_by_text() {
    let mut app = with_roster().await;
    let toml = "what = \"changed\"\n[only]\nlegal_entity = [\"FR01\"]\n";
    app.service.add_export("acme", "badges", "out", toml).unwrap();
    let mut anna = Browser::first(&mut app).await;
    let export = "/clients/acme/exports/badges";
    assert_eq!(anna.get(&format!("{export}/settings")).await.status, 200);
    let changes = [("trigger", "times"), ("times", "daily 23:30")];
    let saved = anna.post(&format!("{export}/settings"), &form(&changes)).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let settings = app.service.export("acme", "badges").unwrap().settings;
    assert_eq!(
        (settings.trigger.to_string(), settings.columns.len()),
        ("daily 23:30".to_owned(), 2)
    );
    assert_eq!(settings.only.len(), 1, "what the form does not show stays");
    let wrong = anna
        .post(&format!("{export}/settings"), &form(&[("trigger", "times"), ("times", "noonish")]))
        .await;
    assert!(wrong.status == 422 && wrong.body.contains("noonish"), "{}", wrong.body);

    let text = anna.get(&format!("{export}/text")).await.body;
    assert!(text.contains("daily 23:30"), "{text}");
    let wrong = anna.post(&format!("{export}/text"), &[("text", "what = \"nobody\"")]).await;
    assert!(
        wrong.status == 422 && wrong.body.contains("what = &#34;nobody&#34;"),
        "{}",
        wrong.body
    );
    assert_eq!(app.service.export("acme", "badges").unwrap().settings, settings);
    assert_eq!(
        anna.post(&format!("{export}/text"), &[("text", "what = \"all\"")]).await.status,
        303
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_handed_over_and_taken_back() {
    let mut app = with_roster().await;
    app.add_account("other");
    let path = "/out".parse().unwrap();
    app.service.add_folder("other", "out", &path, Purpose::Export, None).unwrap();
    let mut anna = Browser::first(&mut app).await;
    let drops = "/clients/acme/drops";
    assert_eq!(anna.get(drops).await.status, 200);
    let sent = anna.post_file(drops, &[("folder", "out")], ("file", "pay.pdf", b"%PDF")).await;
    assert_eq!((sent.status, sent.header("location")), (303, drops), "{}", sent.body);
    let page = anna.get(drops).await.body;
    assert!(page.contains("/out/pay.pdf") && page.contains("Ready to be fetched"), "{page}");
    for (folder, name, said) in [
        ("out", "a/b.csv", "file name"),
        ("papers", "x.csv", "papers"),
        ("out", "x.tmp", "temporary"),
    ] {
        let refused = anna.post_file(drops, &[("folder", folder)], ("file", name, b"x")).await;
        assert_eq!(refused.status, 422, "{folder}/{name}");
        assert!(refused.body.contains(said), "{folder}/{name}: {}", refused.body);
    }
    let placed = app.path("data/clients/acme/files/acme/out/pay.pdf");
    assert!(placed.exists());
    let filter = rollcall::service::drops::DropFilter::default();
    let known = app.service.drops(&filter).unwrap();
    assert_eq!(known.len(), 1, "what is refused is not handed over");
    let id = &known[0].id;
    assert_eq!(anna.post(&format!("/clients/other/drops/{id}/withdraw"), &[]).await.status, 404);
    let file = anna.get(&format!("{drops}/{id}/file")).await;
    assert_eq!((file.status, file.body.as_str()), (200, "%PDF"));
    assert!(file.header("content-disposition").starts_with("attachment; filename=\"pay.pdf\""));
    assert_eq!(file.header("content-type"), "application/octet-stream");
    for elsewhere in [format!("/clients/other/drops/{id}/file"), format!("{drops}/999999/file")] {
        assert_eq!(anna.get(&elsewhere).await.status, 404, "{elsewhere}");
    }
    let mut viewer = somebody(&app, &anna, Role::Viewer, None).await;
    viewer.get(drops).await;
    assert_eq!(viewer.post(&format!("{drops}/{id}/withdraw"), &[]).await.status, 403);
    assert_eq!(viewer.get(&format!("{drops}/{id}/file")).await.status, 403, "it may hold anything");
    assert_eq!(app.service.file_drop(id).unwrap().state.name(), "placed");
    assert_eq!(anna.post(&format!("{drops}/{id}/withdraw"), &[]).await.status, 303);
    assert_eq!(app.service.file_drop(id).unwrap().state.name(), "withdrawn");
    assert!(!placed.exists());
    anna.post(&format!("{drops}/{id}/retry"), &[]).await;
    assert!(anna.get(drops).await.body.contains("is withdrawn already"));
    app.stop().await;
}
