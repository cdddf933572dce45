//! What each run tells, and what it does not.

use std::sync::Arc;

use rollcall::clock::Clock;
use rollcall::config::Config;
use rollcall::error::Kind;
use rollcall::import::fields::{Field, FieldKey};
use rollcall::service::Service;
use rollcall::service::exports::{How, RunState, WithdrawnFile};

use super::super::bench::{Bench, DAY_1, DAY_2, DAY_3, wait};
use super::{COLUMNS, add, bench, import, run, told};

const NOTHING: [&str; 0] = [];

fn edit(bench: &Bench, login: &str, field: Field, value: &str) {
    let user = bench.service.find_users("acme", login).unwrap().remove(0).id;
    let values = [(FieldKey::Known(field), value.to_owned())];
    bench.service.edit_user("acme", user, &values, "test").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_tells_what_differs_from_what_was_sent() {
    let bench = bench(DAY_1).await;
    add(&bench, "c", &format!("what = \"changed\"\n{COLUMNS}"));
    assert_eq!(told(&bench, "c"), ["adupont;Dupont;;active", "pmartin;Martin;;active"]);
    assert_eq!(told(&bench, "c"), NOTHING);
    import(&bench, DAY_2).await;
    assert_eq!(told(&bench, "c"), ["zroy;Roy;;active"]);
    edit(&bench, "adupont", Field::LastName, "Durand");
    assert_eq!(told(&bench, "c"), ["adupont;Durand;;active"]);
    // A change that is taken back before a run is no news; one that was told and is taken back is.
    edit(&bench, "adupont", Field::LastName, "Dupond");
    edit(&bench, "adupont", Field::LastName, "Durand");
    assert_eq!(told(&bench, "c"), NOTHING);
    // A column that is not in the file is no news.
    edit(&bench, "adupont", Field::Phone, "01 23");
    assert_eq!(told(&bench, "c"), NOTHING);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_is_told_and_a_user_who_was_taken_back_is_withdrawn() {
    let bench = bench(DAY_1).await;
    add(&bench, "c", &format!("what = \"changed\"\n{COLUMNS}"));
    add(&bench, "l", &format!("what = \"leavers\"\n{COLUMNS}"));
    add(&bench, "n", &format!("what = \"newcomers\"\n{COLUMNS}"));
    run(&bench, "c");
    assert_eq!(told(&bench, "l"), NOTHING);
    assert_eq!(told(&bench, "n").len(), 2);
    import(&bench, DAY_2).await;
    assert_eq!(told(&bench, "c"), ["zroy;Roy;;active"]);
    assert_eq!(told(&bench, "l"), NOTHING);
    assert_eq!(told(&bench, "n"), ["zroy;Roy;;active"]);
    let last = bench.imports().pop().unwrap().id;
    bench.service.undo_import(last, "test").unwrap();
    assert_eq!(told(&bench, "c"), ["zroy;Roy;;withdrawn"]);
    assert_eq!(told(&bench, "l"), ["zroy;Roy;;withdrawn"]);
    assert_eq!(told(&bench, "n"), NOTHING);
    // The same person under the same login comes back as a new user: one row, not two.
    import(&bench, DAY_2).await;
    for export in ["c", "n"] {
        assert_eq!(told(&bench, export), ["zroy;Roy;;active"]);
    }
    for export in ["c", "l", "n"] {
        assert_eq!(told(&bench, export), NOTHING);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_withdrawn_and_came_back_between_two_runs_is_one_row() {
    let bench = bench(DAY_2).await;
    add(&bench, "l", &format!("what = \"leavers\"\n{COLUMNS}"));
    add(&bench, "c", &format!("what = \"changed\"\n{COLUMNS}"));
    run(&bench, "l");
    run(&bench, "c");
    let last = bench.imports().pop().unwrap().id;
    bench.service.undo_import(last, "test").unwrap();
    import(&bench, DAY_2).await;
    assert_eq!(told(&bench, "l"), NOTHING);
    let logins: Vec<String> =
        told(&bench, "c").iter().map(|l| l.split(';').next().unwrap().to_owned()).collect();
    assert_eq!(logins, ["adupont", "pmartin", "zroy"], "each once, and nobody withdrawn");
}

/// The same data folder at another instant.
fn at(bench: &Bench, instant: &str) -> Service {
    let clock = Clock::Fixed(instant.parse().unwrap());
    Service::open(Arc::new(Config::default()), &bench.data(""), clock).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_by_date_alone_makes_a_leaver_the_day_after() {
    let bench = bench(DAY_1).await;
    edit(&bench, "pmartin", Field::ContractEnd, "2031-03-31");
    add(&bench, "l", &format!("what = \"leavers\"\n{COLUMNS}"));
    add(&bench, "c", &format!("what = \"changed\"\n{COLUMNS}"));
    let rows = |instant: &str, name: &str| {
        let service = at(&bench, instant);
        let run = service.run_export("acme", name, How::Usual).unwrap();
        (run.rows, bench.file(&format!("/handed/{}", run.file_name)).unwrap_or_default())
    };
    // Paris: the last day ends at 22:00 UTC in summer time.
    assert_eq!(rows("2031-03-31T21:59:00Z", "l").0, 0);
    assert_eq!(rows("2031-03-31T21:59:00Z", "c").0, 2);
    let (count, file) = rows("2031-03-31T22:01:00Z", "l");
    assert_eq!(count, 1, "{file}");
    assert!(file.ends_with("pmartin;Martin;2031-03-31;ended\r\n"), "{file}");
    assert_eq!(rows("2031-03-31T22:01:00Z", "c").0, 1);
    assert_eq!(rows("2031-04-02T00:00:00Z", "l").0, 0);
    // The end is moved: a correction, and the user is there again.
    edit(&bench, "pmartin", Field::ContractEnd, "2031-12-31");
    let (count, file) = rows("2031-04-03T00:00:00Z", "l");
    assert!(count == 1 && file.ends_with("pmartin;Martin;2031-12-31;active\r\n"), "{file}");
    assert_eq!(rows("2031-04-04T00:00:00Z", "l").0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_run_is_told_again_under_its_number() {
    let bench = bench(DAY_1).await;
    add(&bench, "c", &format!("what = \"changed\"\nfile_name = \"c_{{seq}}.csv\"\n{COLUMNS}"));
    let first = run(&bench, "c");
    import(&bench, DAY_3).await;
    let second = run(&bench, "c");
    assert_eq!((first.seq, second.seq, second.rows), (Some(1), Some(2), 2));
    // A run with nothing to tell does not stand in the way of withdrawing the one before it.
    assert_eq!(run(&bench, "c").state, RunState::Nothing);
    let (withdrawn, file) = bench.service.withdraw_export("acme", "c").unwrap();
    assert_eq!((withdrawn.id, file), (second.id, WithdrawnFile::TakenBack));
    assert_eq!(bench.names("/handed"), ["c_1.csv"]);
    let again = run(&bench, "c");
    assert_eq!((again.seq, again.rows, again.file_name.as_str()), (Some(2), 2, "c_2.csv"));
    // Back to the beginning: everybody again.
    bench.service.withdraw_export("acme", "c").unwrap();
    bench.service.withdraw_export("acme", "c").unwrap();
    let none = bench.service.withdraw_export("acme", "c").unwrap_err();
    assert_eq!(none.kind(), Kind::NotFound);
    assert_eq!(bench.names("/handed"), NOTHING);
    let whole = run(&bench, "c");
    assert_eq!((whole.seq, whole.rows), (Some(1), 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_fetched_keeps_its_number_when_it_is_withdrawn() {
    let bench = bench(DAY_1).await;
    add(&bench, "c", &format!("what = \"changed\"\nfile_name = \"c_{{seq}}.csv\"\n{COLUMNS}"));
    run(&bench, "c");
    read_whole(&bench, "/handed/c_1.csv").await;
    let (_, file) = bench.service.withdraw_export("acme", "c").unwrap();
    assert_eq!(file, WithdrawnFile::SeenAlready);
    let again = run(&bench, "c");
    assert_eq!((again.seq, again.rows), (Some(2), 2));
}

/// Fetches a file as a client's program does.
async fn read_whole(bench: &Bench, path: &str) {
    let session = bench.session().await;
    let download = session.open_read(&super::super::bench::path(path)).unwrap();
    session.note_sent_whole(&download);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_sent_again_byte_for_byte() {
    let bench = bench(DAY_1).await;
    add(&bench, "c", &format!("what = \"changed\"\n{COLUMNS}"));
    let first = run(&bench, "c");
    let name = format!("/handed/{}", first.file_name);
    let bytes = bench.file(&name).unwrap();
    let session = bench.session().await;
    session.remove_file(&super::super::bench::path(&name)).unwrap();
    drop(session);
    import(&bench, DAY_3).await;
    let again = bench.service.resend_export(first.id).unwrap();
    assert_eq!((again.sendings, bench.file(&name)), (2, Some(bytes)));
    // It is no run: the next one still tells what has changed since the first.
    assert_eq!(told(&bench, "c"), ["adupont;Durand;;active", "zroy;Roy;;active"]);
    let nothing = run(&bench, "c");
    assert_eq!(bench.service.resend_export(nothing.id).unwrap_err().kind(), Kind::Conflict);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_what_was_told_is_lost_the_next_file_is_whole_and_says_so() {
    let bench = bench(DAY_1).await;
    add(&bench, "c", &format!("what = \"changed\"\n{COLUMNS}"));
    let first = run(&bench, "c");
    let list = bench.client(&format!("exports/{}.told", first.id));
    let mut bytes = std::fs::read(&list).unwrap();
    bytes[30] ^= 1;
    std::fs::write(&list, &bytes).unwrap();
    let second = run(&bench, "c");
    assert_eq!(second.rows, 2);
    assert!(second.notes.iter().any(|note| note.starts_with("WARNING")), "{:?}", second.notes);
    std::fs::remove_file(bench.client(&format!("exports/{}.told", second.id))).unwrap();
    let third = run(&bench, "c");
    assert_eq!((third.rows, third.notes.len()), (2, 1));
    assert_eq!(told(&bench, "c"), NOTHING);
}

#[tokio::test(flavor = "multi_thread")]
async fn far_fewer_rows_are_not_sent_before_somebody_says_so() {
    let mut roster = DAY_1.to_owned();
    for n in 0..20 {
        roster.push_str(&format!("u{n};Roy{n};Zoé;u{n}@acme.example;2020-01-06\n"));
    }
    let bench = bench(&roster).await;
    add(
        &bench,
        "a",
        &format!("{COLUMNS}[only]\nlogin_group = []\n").replace("[only]\nlogin_group = []\n", ""),
    );
    run(&bench, "a");
    bench
        .service
        .set_export_settings("acme", "a", &format!("users = [\"upcoming\"]\n{COLUMNS}"))
        .unwrap();
    let refused = bench.service.run_export("acme", "a", How::Usual).unwrap_err();
    assert!(refused.kind() == Kind::Conflict && refused.message().contains("--anyway"));
    let anyway = bench.service.run_export("acme", "a", How::Anyway).unwrap();
    assert_eq!((anyway.rows, anyway.state), (0, RunState::Nothing));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_mapped_is_left_out_and_owed() {
    let bench = bench(DAY_1).await;
    edit(&bench, "adupont", Field::Department, "Sales");
    edit(&bench, "pmartin", Field::Department, "IT");
    let map = |codes: &str| {
        format!(
            "columns = [\"login\", \"department\"]\n[value_maps.department]\ncodes = {{ {codes} }}\nunmapped = \"block\"\n"
        )
    };
    add(&bench, "c", &format!("what = \"changed\"\n{}", map("Sales = \"S1\"")));
    add(&bench, "a", &map("Sales = \"S1\""));
    let first = run(&bench, "c");
    assert_eq!((first.rows, first.left_out), (1, 1));
    assert!(first.notes[0].contains("pmartin: department \"IT\""), "{:?}", first.notes);
    // A file of all without somebody would tell that he has left.
    let refused = bench.service.run_export("acme", "a", How::Anyway).unwrap_err();
    assert!(refused.message().contains("pmartin") && refused.message().contains("IT"));
    let toml = format!("what = \"changed\"\n{}", map("Sales = \"S1\", IT = \"I1\""));
    bench.service.set_export_settings("acme", "c", &toml).unwrap();
    assert_eq!(told(&bench, "c"), ["pmartin;I1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_the_code_lacks_stops_the_file_and_names_it() {
    let bench = bench(DAY_1).await;
    edit(&bench, "pmartin", Field::LastName, "Łęcki");
    add(&bench, "c", &format!("what = \"changed\"\nencoding = \"windows-1252\"\n{COLUMNS}"));
    let refused = bench.service.run_export("acme", "c", How::Usual).unwrap_err();
    for part in ["pmartin", "last_name", "\"Ł\"", "windows-1252", "utf-8"] {
        assert!(refused.message().contains(part), "{part}: {refused}");
    }
    // The alarm and the event tell the same: no value stands in it.
    assert!(!refused.message().contains("cki"), "{refused}");
    assert_eq!(bench.names("/handed"), NOTHING);
    assert_eq!(super::super::bench::names(&bench.client("exports")), NOTHING, "nothing is left");
    edit(&bench, "pmartin", Field::LastName, "Lecki");
    let run = run(&bench, "c");
    assert_eq!((run.seq, run.rows), (Some(1), 2), "a file that was not made has no number");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_follows_each_applied_import_once() {
    let bench = bench(DAY_1).await;
    add(
        &bench,
        "c",
        &format!(
            "what = \"changed\"\ntrigger = \"import\"\nfile_name = \"c_{{seq}}.csv\"\n{COLUMNS}"
        ),
    );
    import(&bench, DAY_2).await;
    wait("the export ran", || bench.names("/handed") == ["c_1.csv"]);
    // The report is written again and again: the run is not.
    let session = bench.session().await;
    super::super::bench::rename(&session, "/in/users.csv", "/in/renamed.csv").await;
    drop(session);
    import(&bench, DAY_3).await;
    wait("the export ran", || bench.names("/handed") == ["c_1.csv", "c_2.csv"]);
    let runs = || bench.service.export_runs("acme", Some("c"), 10).unwrap();
    assert_eq!(runs().iter().map(|run| run.rows).collect::<Vec<_>>(), [1, 3]);
    // A file of which nothing was applied asks for no export; a disabled export does not run.
    import(&bench, "not a table").await;
    bench.service.enable_export("acme", "c", false).unwrap();
    import(&bench, DAY_2).await;
    bench.service.enable_export("acme", "c", true).unwrap();
    import(&bench, DAY_1).await;
    wait("the export ran", || runs().len() == 3);
    assert_eq!(runs()[0].rows, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_sends_and_remembers_nothing() {
    let bench = bench(DAY_1).await;
    add(&bench, "c", &format!("what = \"changed\"\nfile_name = \"c_{{seq}}.csv\"\n{COLUMNS}"));
    let mut bytes = Vec::new();
    let preview = bench.service.preview_export("acme", "c", &mut bytes).unwrap();
    assert_eq!(
        (preview.file_name.as_str(), preview.rows, preview.login.as_str()),
        ("c_1.csv", 2, "acme")
    );
    assert!(bench.names("/handed").is_empty());
    let run = run(&bench, "c");
    assert_eq!(bench.file(&format!("/handed/{}", run.file_name)).unwrap().into_bytes(), bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_noted_is_not_told() {
    let bench = bench(DAY_1).await;
    add(&bench, "n", &format!("what = \"newcomers\"\n{COLUMNS}"));
    let noted = bench.service.run_export("acme", "n", How::Note).unwrap();
    assert_eq!((noted.state, noted.seq), (RunState::Noted, None));
    import(&bench, DAY_2).await;
    assert_eq!(told(&bench, "n"), ["zroy;Roy;;active"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_number_names_the_one_before() {
    let roster = "employee_number;last_name;first_name;contract_start\n1;Roy;Zoé;2020-01-06\n2;Lee;Ann;2020-01-06\n";
    let bench = bench(roster).await;
    let columns = "columns = [\"employee_number\", \"last_name\", \"previous_employee_number\"]";
    add(&bench, "c", &format!("what = \"changed\"\n{columns}\n"));
    assert_eq!(told(&bench, "c"), ["1;Roy;", "2;Lee;"]);
    let session = bench.session().await;
    let renumbered = "employee_number;previous_employee_number;last_name;first_name;contract_start\n7;1;Roy;Zoé;2020-01-06\n2;;Lee;Ann;2020-01-06\n";
    super::super::bench::put(&session, "/in/users.csv", renumbered).await;
    bench.wait_until_idle();
    assert_eq!(told(&bench, "c"), ["7;Roy;1"]);
    assert_eq!(told(&bench, "c"), NOTHING);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_moves_out_of_the_choice_is_told_once_more() {
    let bench = bench(DAY_1).await;
    edit(&bench, "adupont", Field::LegalEntity, "FR01");
    edit(&bench, "pmartin", Field::LegalEntity, "FR01");
    let toml = |what: &str| {
        format!(
            "what = \"{what}\"\ncolumns = [\"login\", \"legal_entity\", \"state\"]\n[only]\nlegal_entity = [\"FR01\"]\n"
        )
    };
    for what in ["changed", "leavers", "newcomers"] {
        add(&bench, what, &toml(what));
        run(&bench, what);
    }
    edit(&bench, "pmartin", Field::LegalEntity, "FR02");
    assert_eq!(told(&bench, "changed"), ["pmartin;FR02;active"]);
    assert_eq!(told(&bench, "leavers"), ["pmartin;FR02;active"]);
    assert_eq!(told(&bench, "newcomers"), NOTHING);
    edit(&bench, "pmartin", Field::LegalEntity, "FR01");
    assert_eq!(told(&bench, "changed"), ["pmartin;FR01;active"]);
    assert_eq!(told(&bench, "leavers"), NOTHING);
    assert_eq!(told(&bench, "newcomers"), ["pmartin;FR01;active"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_exports_to_one_folder_have_names_of_their_own() {
    let bench = bench(DAY_1).await;
    add(&bench, "a", COLUMNS);
    add(&bench, "c", &format!("what = \"changed\"\n{COLUMNS}"));
    let names = [run(&bench, "a").file_name, run(&bench, "c").file_name];
    assert_eq!(bench.names("/handed"), names);
    let alike = "file_name = \"x_{seq}.csv\"\n";
    bench.service.set_export_settings("acme", "a", alike).unwrap();
    let refused = bench.service.set_export_settings("acme", "c", alike).unwrap_err();
    assert!(refused.message().contains("{export}") && refused.message().contains("\"a\""));
    bench.service.add_export("acme", "d", "out", alike).unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_out_as_a_zip_that_only_the_password_opens() {
    let bench = bench(DAY_1).await;
    let settings = "zip = true\nfile_name = \"all.csv\"\n";
    let early = bench.service.add_export("acme", "all", "out", settings).unwrap_err();
    assert!(early.message().contains("folder zip-password"), "{early}");
    bench.service.set_zip_password("acme", "out", Some("correct horse battery")).unwrap();
    add(&bench, "all", settings);
    let sent = run(&bench, "all");
    assert_eq!(sent.file_name, "all.csv.zip");
    let bytes = std::fs::read(bench.client("files/acme/handed/all.csv.zip")).unwrap();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    assert!(archive.by_index_decrypt(0, b"wrong horse battery").is_err());
    let mut file = archive.by_index_decrypt(0, b"correct horse battery").unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut file, &mut text).unwrap();
    assert_eq!(file.name().unwrap(), "all.csv");
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.contains("adupont") && text.contains("pmartin"), "{text}");
}
