//! The registry as its callers see it: what is durable, what is ordered, what shares a commit.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::*;
use crate::error::Kind;
use crate::model::{
    Account, AccountKey, Client, Folder, Language, Protocol, Purpose, UploadState, VPath,
};

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> (Self, Registry) {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        let registry = place.open();
        registry.add_client(&client("acme")).unwrap();
        (place, registry)
    }

    /// The same with account `acme` and its import folder, into which files may come.
    fn with_account() -> (Self, Registry) {
        let (place, registry) = Self::new();
        registry.add_account(&account("acme")).unwrap();
        (place, registry)
    }

    fn open(&self) -> Registry {
        Registry::open(&self.folder.path().join("registry.db")).unwrap()
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn path(text: &str) -> VPath {
    text.parse().unwrap()
}

fn client(slug: &str) -> Client {
    Client {
        slug: slug.to_owned(),
        name: format!("{slug} & Söhne"),
        language: Language::De,
        time_zone: "Europe/Berlin".to_owned(),
        enabled: true,
        created_at: at(0),
    }
}

fn account(login: &str) -> NewAccount {
    NewAccount {
        account: Account {
            login: login.to_owned(),
            client: "acme".to_owned(),
            name: "Payroll".to_owned(),
            host_profile: "standard".to_owned(),
            protocols: vec![Protocol::Sftp, Protocol::Ftpes],
            enabled: true,
            has_password: true,
            created_at: at(1),
            last_login_at: None,
            remote: None,
        },
        password_hash: Some("hash".to_owned()),
        keys: vec![key("SHA256:one")],
        folders: vec![(folder(login, "import", "/in"), Some("mode = \"delta\"".to_owned()))],
    }
}

fn key(fingerprint: &str) -> AccountKey {
    AccountKey {
        fingerprint: fingerprint.to_owned(),
        public_key: "ssh-ed25519 AAAA".to_owned(),
        comment: "payroll".to_owned(),
        added_at: at(2),
    }
}

fn folder(login: &str, name: &str, at: &str) -> Folder {
    Folder {
        login: login.to_owned(),
        name: name.to_owned(),
        path: path(at),
        purpose: Purpose::Import,
        pattern: None,
    }
}

fn upload(to: &str) -> NewUpload {
    NewUpload {
        id: Uuid::now_v7(),
        client: "acme".to_owned(),
        login: "acme".to_owned(),
        folder: Some("import".to_owned()),
        path: path(to),
        protocol: Some(Protocol::Ftps),
        bytes: 12,
        sha256: "ab".repeat(32),
        received_at: at(3),
        wants_import: true,
    }
}

#[test]
fn eight_threads_share_commits_and_one_failure_harms_nobody() {
    let (place, registry) = Place::with_account();
    let known = Arc::new(upload("/in/known.csv"));
    registry.prepare_upload(&known).unwrap();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (registry, known) = (registry.clone(), Arc::clone(&known));
            std::thread::spawn(move || {
                let mut seqs = Vec::new();
                for n in 0..50 {
                    let stored = registry.prepare_upload(&upload(&format!("/in/{n}.csv"))).unwrap();
                    seqs.push(stored.seq);
                    let twice = registry.prepare_upload(&known).unwrap_err();
                    assert_eq!(twice.kind(), Kind::Exists);
                    let mut stray = upload("/in/x.csv");
                    stray.client = "nobody".to_owned();
                    assert_eq!(registry.prepare_upload(&stray).unwrap_err().kind(), Kind::NotFound);
                }
                assert!(seqs.is_sorted(), "each thread's uploads keep their order");
                seqs
            })
        })
        .collect();
    let seqs: BTreeSet<i64> = threads.into_iter().flat_map(|t| t.join().unwrap()).collect();
    assert_eq!(seqs.len(), 400);
    drop(registry);
    let all = place.open().uploads(&UploadFilter::default()).unwrap();
    assert_eq!(all.len(), 401);
    assert!(all.iter().map(|u| u.seq).is_sorted());
}

#[test]
fn two_handles_see_each_other_and_know_when_rights_changed() {
    let (place, server) = Place::new();
    let command = place.open();
    let (data, access) = (server.data_version().unwrap(), server.access_version().unwrap());
    assert_eq!(server.data_version().unwrap(), data);
    command.add_account(&account("acme")).unwrap();
    assert_ne!(server.data_version().unwrap(), data);
    assert_ne!(server.access_version().unwrap(), access);
    assert!(server.login_facts("acme").unwrap().is_some());

    let (data, access) = (server.data_version().unwrap(), server.access_version().unwrap());
    server.prepare_upload(&upload("/in/a.csv")).unwrap();
    server.note_login("acme", at(9)).unwrap();
    command.prepare_upload(&upload("/in/b.csv")).unwrap();
    assert_ne!(server.data_version().unwrap(), data);
    assert_eq!(server.access_version().unwrap(), access, "uploads and logins change no rights");

    let off = AccountPatch { enabled: Some(false), ..AccountPatch::default() };
    let changes: [&dyn Fn() -> Result<()>; 7] = [
        &|| command.update_account("acme", &off).map(drop),
        &|| command.set_password_hash("acme", Some("other")),
        &|| command.add_key("acme", &key("SHA256:two")),
        &|| command.remove_key("acme", "SHA256:two"),
        &|| command.update_client("acme", &ClientPatch::default()).map(drop),
        &|| command.remove_folder("acme", "import"),
        &|| command.remove_account("acme"),
    ];
    for (n, change) in changes.iter().enumerate() {
        let before = server.access_version().unwrap();
        change().unwrap();
        assert_ne!(server.access_version().unwrap(), before, "change {n}");
    }
    assert!(server.login_facts("acme").unwrap().is_none());
}

#[test]
fn an_upload_walks_from_prepared_to_done() {
    let (_place, registry) = Place::with_account();
    let new = upload("/in/users.csv");
    let stored = registry.prepare_upload(&new).unwrap();
    assert_eq!((stored.state, stored.attempts), (UploadState::Prepared, 0));
    assert_eq!((stored.received_at, stored.bytes), (at(3), 12));
    assert_eq!(registry.waiting_uploads("acme").unwrap(), 1);
    for _ in 0..2 {
        assert_eq!(registry.publish_upload(new.id).unwrap(), UploadState::Queued);
    }
    assert_eq!(registry.begin_attempt(new.id).unwrap(), 1);
    assert_eq!(registry.begin_attempt(new.id).unwrap(), 2);
    registry.finish_upload(new.id, UploadState::Done, at(8), None).unwrap();
    let done = registry.upload(new.id).unwrap().unwrap();
    assert_eq!((done.state, done.attempts, done.finished_at), (UploadState::Done, 2, Some(at(8))));
    assert_eq!(registry.waiting_uploads("acme").unwrap(), 0);
    assert_eq!(registry.publish_upload(new.id).unwrap(), UploadState::Done);
    registry.requeue_upload(new.id).unwrap();
    let again = registry.upload(new.id).unwrap().unwrap();
    assert_eq!((again.state, again.attempts, again.seq), (UploadState::Queued, 0, stored.seq));

    let plain = NewUpload { wants_import: false, ..upload("/notes.txt") };
    registry.prepare_upload(&plain).unwrap();
    assert_eq!(registry.publish_upload(plain.id).unwrap(), UploadState::Stored);
    assert!(registry.upload(plain.id).unwrap().unwrap().finished_at.is_some());
}

#[test]
fn a_file_for_import_comes_into_its_folder_as_it_is_at_that_instant() {
    let (_place, registry) = Place::with_account();
    let refused = |new: &NewUpload| {
        let error = registry.prepare_upload(new).unwrap_err();
        assert_eq!(error.kind(), Kind::Conflict);
        assert!(error.message().contains("\"import\" was changed just now"), "{error}");
        assert_eq!(registry.queue_upload(new).unwrap_err().kind(), Kind::Conflict);
        assert!(registry.upload(new.id).unwrap().is_none());
    };
    let by_hand = |to| NewUpload { protocol: None, ..upload(to) };
    refused(&NewUpload { login: "other".to_owned(), ..upload("/in/a.csv") });
    refused(&upload("/elsewhere/a.csv"));
    registry.prepare_upload(&by_hand("/elsewhere/a.csv")).unwrap();
    let plain = FolderPatch { purpose: Some(Purpose::Plain), ..FolderPatch::default() };
    registry.update_folder("acme", "import", &plain).unwrap();
    refused(&upload("/in/a.csv"));
    registry.remove_folder("acme", "import").unwrap();
    refused(&upload("/in/a.csv"));
    refused(&by_hand("/in/a.csv"));
    let stored = NewUpload { wants_import: false, ..upload("/in/a.csv") };
    assert_eq!(registry.prepare_upload(&stored).unwrap().state, UploadState::Prepared);
}

#[test]
fn what_needs_no_name_is_queued_with_its_row() {
    let (_place, registry) = Place::with_account();
    let new = NewUpload { protocol: None, ..upload("/in/a.csv") };
    assert_eq!(registry.queue_upload(&new).unwrap().state, UploadState::Queued);
    assert_eq!(registry.publish_upload(new.id).unwrap(), UploadState::Queued);

    let version = FileVersion { bytes: 12, modified: Some(at(1)) };
    let seen = registry.see_file("acme", "import", "b.csv", version, at(2)).unwrap();
    let file = FetchedFile { seen: seen.id, companion: None, settled: true };
    let new = upload("/in/b.csv");
    assert_eq!(registry.queue_fetched(&new, &file).unwrap().state, UploadState::Queued);
    let fetched = registry.last_fetched("acme", "import", "b.csv").unwrap().unwrap();
    assert_eq!(fetched.import, Some(new.id));
    // Refused, it is not fetched either, and comes at the next look.
    let seen = registry.see_file("acme", "import", "c.csv", version, at(2)).unwrap();
    let file = FetchedFile { seen: seen.id, companion: None, settled: true };
    registry.remove_folder("acme", "import").unwrap();
    assert_eq!(
        registry.queue_fetched(&upload("/in/c.csv"), &file).unwrap_err().kind(),
        Kind::Conflict
    );
    assert!(registry.last_fetched("acme", "import", "c.csv").unwrap().is_none());
}

#[test]
fn only_what_a_start_finds_out_by_itself_is_committed_without_a_sync() {
    let (_place, registry) = Place::new();
    let mode = |conn: &Connection| {
        conn.query_row("PRAGMA synchronous", [], |row| row.get::<_, u8>(0)).map_err(failed("ask"))
    };
    const NORMAL: u8 = 1;
    const FULL: u8 = 2;
    assert_eq!(registry.write_lightly(mode).unwrap(), NORMAL);
    assert_eq!(registry.write(mode).unwrap(), FULL);
}

#[test]
fn what_was_given_up_is_never_published_and_never_the_newest() {
    let (_place, registry) = Place::with_account();
    let (first, second) = (upload("/in/users.csv"), upload("/in/users.csv"));
    registry.prepare_upload(&first).unwrap();
    registry.publish_upload(first.id).unwrap();
    registry.prepare_upload(&second).unwrap();
    registry.finish_upload(second.id, UploadState::Failed, at(5), Some("disk full")).unwrap();
    assert_eq!(registry.publish_upload(second.id).unwrap_err().kind(), Kind::Conflict);
    let newest = registry.newest_upload("acme", "acme", &path("/in/users.csv")).unwrap().unwrap();
    assert_eq!(newest.id, first.id);
    registry.move_upload(first.id, &path("/in/old.csv")).unwrap();
    assert!(registry.newest_upload("acme", "acme", &path("/in/users.csv")).unwrap().is_none());
    let failed = registry.upload(second.id).unwrap().unwrap();
    assert_eq!(failed.failure.as_deref(), Some("disk full"));
    for missing in [
        registry.publish_upload(Uuid::nil()).map(drop),
        registry.finish_upload(Uuid::nil(), UploadState::Done, at(1), None),
        registry.begin_attempt(Uuid::nil()).map(drop),
        registry.move_upload(Uuid::nil(), &VPath::root()),
    ] {
        assert_eq!(missing.unwrap_err().kind(), Kind::NotFound);
    }
}

#[test]
fn what_was_moved_to_a_path_lies_there_until_the_next_one_comes() {
    let (_place, registry) = Place::with_account();
    let users = path("/in/users.csv");
    let newest = |at: &VPath| registry.newest_upload("acme", "acme", at).unwrap().map(|u| u.id);
    let send = || {
        let new = upload("/in/users.csv");
        registry.prepare_upload(&new).unwrap();
        registry.publish_upload(new.id).unwrap();
        new.id
    };
    let first = send();
    registry.move_upload(first, &path("/in/old.csv")).unwrap();
    let second = send();
    assert_eq!((newest(&users), newest(&path("/in/old.csv"))), (Some(second), Some(first)));
    for _ in 0..2 {
        registry.move_upload(first, &users).unwrap();
        assert_eq!(newest(&users), Some(first));
        registry.move_upload(first, &path("/in/old.csv")).unwrap();
        assert_eq!(newest(&users), Some(second));
    }
    registry.move_upload(first, &users).unwrap();
    let third = send();
    assert_eq!(newest(&users), Some(third));
    let bytes = registry.upload(first).unwrap().unwrap().bytes;
    let received = |path, bytes| {
        let found = registry.received_uploads("acme", "acme", path, bytes).unwrap();
        found.into_iter().map(|upload| upload.id).collect::<Vec<_>>()
    };
    assert_eq!(received(Some(&users), bytes), [third, first, second]);
    assert_eq!(received(None, bytes), [third, second, first]);
    assert!(received(Some(&users), bytes + 1).is_empty());
    assert!(received(Some(&path("/in/old.csv")), bytes).is_empty());
}

#[test]
fn a_registry_that_can_never_be_opened_is_a_fault() {
    let (place, _registry) = Place::new();
    let nowhere = place.folder.path().join("nowhere/registry.db");
    assert_eq!(Registry::open(&nowhere).err().map(|e| e.kind()), Some(Kind::Internal));
}

#[test]
fn uploads_are_listed_by_what_is_asked_for_and_in_pages() {
    let (_place, registry) = Place::with_account();
    for n in 0..10 {
        let new = upload(&format!("/in/{}.csv", n % 2));
        registry.prepare_upload(&new).unwrap();
        if n >= 5 {
            registry.publish_upload(new.id).unwrap();
        }
    }
    let count = |filter: UploadFilter| registry.uploads(&filter).unwrap().len();
    let all = UploadFilter::default;
    assert_eq!(count(all()), 10);
    assert_eq!(count(UploadFilter { path: Some(path("/in/1.csv")), ..all() }), 5);
    assert_eq!(count(UploadFilter { states: vec![UploadState::Queued], ..all() }), 5);
    let both = vec![UploadState::Queued, UploadState::Prepared];
    assert_eq!(count(UploadFilter { states: both, limit: Some(7), ..all() }), 7);
    assert_eq!(count(UploadFilter { client: Some("other".to_owned()), ..all() }), 0);
    assert_eq!(count(UploadFilter { login: Some("acme".to_owned()), ..all() }), 10);
    let third = registry.uploads(&UploadFilter { limit: Some(3), ..all() }).unwrap()[2].seq;
    assert_eq!(count(UploadFilter { after_seq: Some(third), ..all() }), 7);
}

#[test]
fn the_order_of_arrival_is_never_reused() {
    let (place, registry) = Place::with_account();
    let before = registry.prepare_upload(&upload("/in/a.csv")).unwrap().seq;
    registry.remove_client("acme").unwrap();
    drop(registry);
    let registry = place.open();
    registry.add_client(&client("acme")).unwrap();
    registry.add_account(&account("acme")).unwrap();
    assert!(registry.prepare_upload(&upload("/in/a.csv")).unwrap().seq > before);
}

#[test]
fn an_account_comes_whole_or_not_at_all() {
    let (_place, registry) = Place::new();
    registry.add_account(&account("acme")).unwrap();
    let facts = registry.login_facts("acme").unwrap().unwrap();
    assert_eq!(facts.client, client("acme"));
    assert_eq!(facts.account, account("acme").account);
    assert_eq!((facts.keys.len(), facts.folders.len()), (1, 1));
    assert_eq!(
        registry.folder_settings("acme", "import").unwrap().as_deref(),
        Some("mode = \"delta\"")
    );
    // The second account's folder has a name that the client uses already.
    let taken = registry.add_account(&account("acme-2")).unwrap_err();
    assert_eq!(taken.kind(), Kind::Exists);
    assert!(taken.message().contains("\"import\""), "{taken}");
    assert!(registry.account("acme-2").unwrap().is_none());
    assert_eq!(registry.add_account(&account("acme")).unwrap_err().kind(), Kind::Exists);
    registry.note_login("acme", at(7)).unwrap();
    registry.prepare_upload(&upload("/in/a.csv")).unwrap();
    assert_eq!(registry.account("acme").unwrap().unwrap().last_login_at, Some(at(7)));
    registry.remove_account("acme").unwrap();
    assert!(registry.client_folders("acme").unwrap().is_empty());
    assert_eq!(registry.uploads(&UploadFilter::default()).unwrap().len(), 1, "uploads stay");
}

#[test]
fn folders_change_and_keep_their_settings() {
    let (_place, registry) = Place::new();
    registry.add_account(&account("acme")).unwrap();
    let second = FolderMove::Add(folder("acme", "second", "/second"), None);
    registry.edit_folders("acme", "acme", &[second]).unwrap();
    assert_eq!(registry.folder_settings("acme", "second").unwrap().as_deref(), Some(""));
    assert_eq!(registry.folder_settings("acme", "third").unwrap(), None);
    registry.set_folder_settings("acme", "second", "mode = \"full\"", None).unwrap();
    let patch = FolderPatch {
        path: Some(path("/deep/er")),
        pattern: Some(Some("*.csv".to_owned())),
        ..FolderPatch::default()
    };
    let changed = registry.update_folder("acme", "second", &patch).unwrap();
    assert_eq!((changed.path.as_str(), changed.pattern.as_deref()), ("/deep/er", Some("*.csv")));
    let settings = registry.folder_settings("acme", "second").unwrap();
    assert_eq!(settings.as_deref(), Some("mode = \"full\""));
    let onto = FolderPatch { path: Some(path("/in")), ..FolderPatch::default() };
    assert_eq!(registry.update_folder("acme", "second", &onto).unwrap_err().kind(), Kind::Exists);
}

#[test]
fn interruptions_and_the_audit_trail_are_read_newest_first() {
    let (_place, registry) = Place::new();
    let one = |n: u64| Interruption {
        client: "acme".to_owned(),
        login: "acme".to_owned(),
        path: path("/in/users.csv"),
        protocol: Some(Protocol::Sftp),
        bytes: n,
        why: "connection lost".to_owned(),
        at: at(4),
    };
    let kept = u64::from(crate::config::INTERRUPTIONS_KEPT);
    // From many threads first: they share their commits.
    std::thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| {
                (0..kept / 50).for_each(|n| registry.record_interruption(&one(n)).unwrap())
            });
        }
    });
    for n in kept..kept + 5 {
        registry.record_interruption(&one(n)).unwrap();
    }
    let all = registry.interruptions("acme", 100_000).unwrap();
    assert_eq!((all.len(), &all[0]), (1000, &one(kept + 4)));
    for n in 0..3 {
        let event = AuditEvent {
            at: at(n),
            who: "cli".to_owned(),
            what: "client.add".to_owned(),
            object: "acme".to_owned(),
            detail: n.to_string(),
        };
        registry.audit(&event, None).unwrap();
    }
    let trail = |filter: AuditFilter| -> Vec<String> {
        let found = registry.audit_trail(&filter).unwrap();
        found.into_iter().map(|entry| entry.event.detail).collect()
    };
    let two = AuditFilter { limit: 2, ..AuditFilter::default() };
    assert_eq!(trail(two.clone()), ["2", "1"]);
    assert_eq!(trail(AuditFilter { before: Some(2), ..two.clone() }), ["0"]);
    assert_eq!(trail(AuditFilter { what: Some("client".to_owned()), ..two.clone() }), ["2", "1"]);
    assert!(trail(AuditFilter { what: Some("clien".to_owned()), ..two.clone() }).is_empty());
    assert_eq!(trail(AuditFilter { text: Some("ACM".to_owned()), ..two.clone() }), ["2", "1"]);
    assert!(trail(AuditFilter { who: Some("c".to_owned()), ..two.clone() }).is_empty());
    assert_eq!(trail(AuditFilter { from: Some(at(1)), to: Some(at(2)), ..two }), ["1"]);
    assert_eq!(registry.audit_kinds().unwrap(), ["client.add"]);
}

#[test]
fn a_registry_of_a_newer_program_is_refused_and_an_older_one_brought_up() {
    let (place, registry) = Place::new();
    assert_eq!(registry.check().unwrap(), Vec::<String>::new());
    drop(registry);
    let file = place.folder.path().join("registry.db");
    let set = |version: i64| {
        let conn = Connection::open(&file).unwrap();
        conn.pragma_update(None, "user_version", version).unwrap();
    };
    let newest = i64::try_from(schema::STEPS.len()).unwrap();
    set(newest + 1);
    assert_eq!(Registry::open(&file).err().map(|e| e.kind()), Some(Kind::Unsupported));
    set(newest);
    assert_eq!(place.open().clients().unwrap(), [client("acme")]);
    std::fs::write(place.folder.path().join("no.db"), "this is no database at all".repeat(100))
        .unwrap();
    let broken = Registry::open(&place.folder.path().join("no.db")).err().unwrap();
    assert!(broken.message().contains("no.db"), "{broken}");
}

/// Adds a client on the condition that the registry is still what was seen.
fn add_if(registry: &Registry, at: Seen, slug: &str) -> (Result<()>, Condition) {
    seen::only_at(at, || registry.add_client(&client(slug)))
}

#[test]
fn a_change_on_a_condition_happens_only_if_nobody_was_faster() {
    use seen::Condition::{Broken, Kept, Open};
    let (place, registry) = Place::new();
    let known = |slug: &str| registry.client(slug).unwrap().is_some();
    let (added, became) = add_if(&registry, registry.seen().unwrap(), "one");
    assert_eq!((added.is_ok(), became, known("one")), (true, Kept, true));

    // Our own writer was faster.
    let seen = registry.seen().unwrap();
    registry.add_client(&client("two")).unwrap();
    let (added, became) = add_if(&registry, seen, "late");
    assert_eq!((added.unwrap_err().kind(), became, known("late")), (Kind::Conflict, Broken, false));

    // Another process was.
    let seen = registry.seen().unwrap();
    place.open().add_client(&client("three")).unwrap();
    let (added, became) = add_if(&registry, seen, "late");
    assert_eq!((added.unwrap_err().kind(), became, known("late")), (Kind::Conflict, Broken, false));

    // Reading does not count, and the condition is for the first write only.
    let seen = registry.seen().unwrap();
    assert_eq!(registry.seen().unwrap(), seen);
    let (_, became) = seen::only_at(seen, || registry.clients().unwrap());
    assert_eq!(became, Open);
    let (both, became) = seen::only_at(seen, || {
        registry.add_client(&client("four")).and_then(|()| registry.add_client(&client("five")))
    });
    assert_eq!((both.is_ok(), became, known("five")), (true, Kept, true));
    registry.add_client(&client("six")).unwrap();
}

#[test]
fn of_many_who_saw_the_same_one_writes() {
    let (_place, registry) = Place::new();
    let seen = registry.seen().unwrap();
    let wrote: Vec<bool> = std::thread::scope(|scope| {
        let one = |n: usize| {
            let registry = &registry;
            scope.spawn(move || add_if(registry, seen, &format!("c{n}")).0.is_ok())
        };
        let all: Vec<_> = (0..16).map(one).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(wrote.iter().filter(|wrote| **wrote).count(), 1);
    assert_eq!(registry.clients().unwrap().len(), 2);
}

#[test]
fn a_delivery_that_was_given_up_is_remembered_as_long_as_its_file_waits() {
    let (_place, registry) = Place::new();
    registry.add_account(&account("acme")).unwrap();
    let drop_row = |id: &str| DropRow {
        id: id.to_owned(),
        client: "acme".to_owned(),
        folder: "out".to_owned(),
        login: "acme".to_owned(),
        path: path("/out/a.csv"),
        key: DropKey::None,
        bytes: 1,
        sha256: "0".repeat(64),
        origin: String::new(),
        who: String::new(),
    };
    let job = |key: &str| NewJob {
        client: Some("acme".to_owned()),
        kind: JobKind::Delivery,
        lane: key.to_owned(),
        key: key.to_owned(),
        payload: String::new(),
        not_before: at(0),
    };
    for id in ["one", "two"] {
        registry.add_drop(&drop_row(id), &job(&format!("drop/{id}")), at(0)).unwrap();
    }
    registry.queue_job(&job("report/three/ok/1"), at(0)).unwrap();
    for job in registry.jobs(&JobFilter::default()).unwrap() {
        registry.finish_job(job.id, JobState::Failed, at(10), Some("away")).unwrap();
    }
    registry.end_drop("two", DropState::Withdrawn, at(20), "").unwrap();
    registry.forget_jobs(at(100)).unwrap();
    let kept = registry.jobs(&JobFilter::default()).unwrap();
    assert_eq!(kept.iter().map(|job| job.key.as_str()).collect::<Vec<_>>(), ["drop/one"]);
    assert_eq!(registry.file_drop("one").unwrap().unwrap().state, DropState::Failed);
}

#[test]
fn a_file_that_was_first_seen_by_a_clock_that_was_ahead_is_first_seen_now() {
    let (_place, registry) = Place::new();
    let version = FileVersion { bytes: 1, modified: Some(at(0)) };
    let see = |now| registry.see_file("acme", "import", "a.csv", version, now).unwrap();
    assert_eq!(see(at(90_000)).first_seen_at, at(90_000));
    assert_eq!(see(at(10)).first_seen_at, at(10));
    assert_eq!(see(at(20)).first_seen_at, at(10));
}

#[test]
fn a_look_that_could_not_fetch_every_file_is_no_failed_one() {
    let (_place, registry) = Place::new();
    let note = |look, n| registry.note_poll("acme", "import", look, at(n)).unwrap();
    assert_eq!((note(Look::Failed("a"), 1), note(Look::Failed("b"), 2)), (1, 2));
    assert_eq!(note(Look::Partly("c"), 3), 0);
    let poll = registry.polls("acme").unwrap().remove(0);
    assert_eq!((poll.failure.as_deref(), poll.done_at), (Some("c"), Some(at(3))));
    assert_eq!((note(Look::Failed("d"), 4), note(Look::Well, 5)), (1, 0));
    assert_eq!(registry.polls("acme").unwrap().remove(0).failure, None);
}
