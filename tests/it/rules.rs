//! What narrows an account down: networks, an end, key and password, rights; and what the throttle keeps over a restart.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rollcall::clock::Clock;
use rollcall::config::Config;
use rollcall::error::{Error, Kind, Result};
use rollcall::import::settings::Change;
use rollcall::model::{AccountLimits, Language, Protocol, Right, Rights, VPath};
use rollcall::service::Service;
use rollcall::service::accounts::{NewAccount, NewPassword};
use rollcall::service::clients::{ClientPatch, NewClient, RetentionPatch};
use rollcall::service::login::{Credential, LoginAttempt};
use rollcall::service::rules::{AccessPatch, RulesPatch};
use rollcall::service::session::{Open, Overwrite, Session};
use rollcall::service::settings::Seen;
use tempfile::TempDir;

use crate::app::{PASSWORD, TestApp};

// Made for this test with ssh-keygen.
const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJFiteaJhKr5fAvy4WdDPXw1hs7mZTynsd/bF55HQ0KC me";
const HOME: &str = "192.0.2.1:40000";
const ABROAD: &str = "198.51.100.7:40000";

fn service(folder: &TempDir) -> Service {
    let mut config = Config::default();
    config.throttle.first_delay_ms = 1;
    Service::open(Arc::new(config), &folder.path().join("data"), Clock::System).unwrap()
}

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("rollcall-it-").tempdir().unwrap()
}

fn account(service: &Service) {
    service
        .add_client(NewClient {
            slug: "acme".to_owned(),
            name: String::new(),
            language: Language::En,
            time_zone: "Europe/Paris".to_owned(),
        })
        .unwrap();
    let new = NewAccount {
        client: "acme".to_owned(),
        name: "Payroll".to_owned(),
        login: Some("acme".to_owned()),
        host_profile: "standard".to_owned(),
        protocols: None,
        password: NewPassword::Given(PASSWORD.to_owned()),
        keys: vec![KEY.to_owned()],
    };
    service.add_account(&new).unwrap();
}

async fn enter(service: &Service, from: &str, proof: Credential<'_>) -> Option<&'static str> {
    let attempt = LoginAttempt {
        login: "acme".to_owned(),
        protocol: Protocol::Sftp,
        peer: from.parse().unwrap(),
    };
    service.log_in(&attempt, proof).await.err().map(|refused| refused.log)
}

async fn session(service: &Service) -> Session {
    let attempt = LoginAttempt {
        login: "acme".to_owned(),
        protocol: Protocol::Ftps,
        peer: HOME.parse().unwrap(),
    };
    service.log_in(&attempt, Credential::Password(PASSWORD)).await.ok().unwrap()
}

#[tokio::test]
async fn only_from_allowed_networks_and_up_to_the_last_day() {
    let folder = folder();
    let service = service(&folder);
    account(&service);
    let right = Credential::Password(PASSWORD);
    let key = Credential::PublicKey { openssh: KEY };
    let set = |patch: RulesPatch| service.set_account_rules("acme", &patch).unwrap();
    set(RulesPatch {
        allow_from: Some(vec!["192.0.2.0/24".parse().unwrap()]),
        ..RulesPatch::default()
    });
    for proof in [right, key] {
        assert_eq!(enter(&service, HOME, proof).await, None);
        let refused = enter(&service, ABROAD, proof).await;
        assert_eq!(refused, Some("the account may not log in from this address"));
    }
    set(RulesPatch {
        allow_from: Some(Vec::new()),
        last_day: Some(Some("2020-01-31".parse().unwrap())),
        ..RulesPatch::default()
    });
    for proof in [right, key] {
        assert_eq!(enter(&service, HOME, proof).await, Some("the account has expired"));
    }
    set(RulesPatch {
        last_day: Some(Some(Clock::System.today("Europe/Paris"))),
        ..RulesPatch::default()
    });
    assert_eq!(enter(&service, HOME, right).await, None, "the last day is a whole one");
}

#[tokio::test]
async fn a_key_and_the_password_are_needed_where_both_are_asked_for() {
    let folder = folder();
    let service = service(&folder);
    account(&service);
    let both = RulesPatch { needs_both: Some(true), ..RulesPatch::default() };
    service.set_account_rules("acme", &both).unwrap();
    let needs_key = Some("a key is needed besides the password");
    assert_eq!(enter(&service, HOME, Credential::Password(PASSWORD)).await, needs_key);
    let key = Credential::PublicKey { openssh: KEY };
    let needs_password = Some("the password is needed besides the key");
    assert_eq!(enter(&service, HOME, key).await, needs_password);
    let wrong = Credential::Both { password: "wrong", openssh: KEY };
    assert_eq!(enter(&service, HOME, wrong).await, Some("wrong password"));
    let other = Credential::Both { password: PASSWORD, openssh: "ssh-ed25519 AAAA" };
    assert_eq!(enter(&service, HOME, other).await, needs_key);
    let right = Credential::Both { password: PASSWORD, openssh: KEY };
    assert_eq!(enter(&service, HOME, right).await, None);
    let fingerprint = service.keys("acme").unwrap()[0].fingerprint.clone();
    service.remove_key("acme", &fingerprint).unwrap();
    let refused = service.set_account_rules("acme", &both).unwrap_err();
    assert_eq!(refused.kind(), Kind::Invalid);
}

/// Does two things at the same moment.
fn at_once(one: impl FnOnce() + Send, other: impl FnOnce() + Send) {
    let start = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            start.wait();
            one();
        });
        start.wait();
        other();
    });
}

#[test]
fn two_who_change_different_settings_at_once_both_have_them() {
    let folder = folder();
    let service = service(&folder);
    account(&service);
    let only_here = vec!["192.0.2.0/24".parse().unwrap()];
    let day = "2030-01-31".parse().unwrap();
    let rules = |patch: &RulesPatch| drop(service.set_account_rules("acme", patch).unwrap());
    let kept = |retention| {
        let patch = ClientPatch { retention, ..ClientPatch::default() };
        service.set_client("acme", &patch).unwrap();
    };
    let setting = |name: &str, value: &str| {
        let change = Change::of(name, Some(value.into()));
        service.change_settings("acme", "import", Seen::Latest, &[change]).unwrap();
    };
    service.add_export("acme", "badges", "export", "what = \"all\"").unwrap();
    for round in 0..25 {
        rules(&RulesPatch {
            allow_from: Some(Vec::new()),
            last_day: Some(None),
            ..RulesPatch::default()
        });
        at_once(
            || {
                let allow_from = Some(only_here.clone());
                rules(&RulesPatch { allow_from, ..RulesPatch::default() });
            },
            || rules(&RulesPatch { last_day: Some(Some(day)), ..RulesPatch::default() }),
        );
        let now = service.account_rules("acme").unwrap();
        assert!(now.allow_from == only_here && now.expires_at.is_some(), "{round}: {now:?}");

        kept(RetentionPatch {
            archive_days: Some(None),
            history_days: Some(None),
            ..Default::default()
        });
        at_once(
            || kept(RetentionPatch { archive_days: Some(Some(40)), ..Default::default() }),
            || kept(RetentionPatch { history_days: Some(Some(400)), ..Default::default() }),
        );
        let (own, _) = service.client_retention("acme").unwrap();
        assert_eq!((own.archive_days, own.history_days), (Some(40), Some(400)), "{round}");

        service.set_settings("acme", "import", "# why\n").unwrap();
        at_once(|| setting("mode", "delta"), || setting("key", "employee_number"));
        let document = service.settings_document("acme", "import").unwrap().text;
        for part in ["# why", "mode = \"delta\"", "key = \"employee_number\""] {
            assert!(document.contains(part), "{round}: {document}");
        }

        service.set_export_settings("acme", "badges", "what = \"all\"").unwrap();
        service.enable_export("acme", "badges", true).unwrap();
        at_once(
            || drop(service.enable_export("acme", "badges", false).unwrap()),
            || drop(service.set_export_settings("acme", "badges", "what = \"changed\"").unwrap()),
        );
        let export = service.export("acme", "badges").unwrap();
        assert_eq!((export.enabled, export.settings.what.name()), (false, "changed"), "{round}");
    }
}

#[test]
fn access_is_changed_as_a_whole_or_not_at_all() {
    let folder = folder();
    let service = service(&folder);
    account(&service);
    let before = (service.account_rules("acme").unwrap(), service.account_limits("acme").unwrap());
    let wish = |folders: &[&str], sessions| AccessPatch {
        rules: RulesPatch { rights: "list,read".parse().ok(), ..RulesPatch::default() },
        folders: folders.iter().map(|name| ((*name).to_owned(), "list".parse().ok())).collect(),
        limits: Some(AccountLimits { max_sessions: Some(sessions), ..AccountLimits::default() }),
    };
    for (folders, sessions, kind) in
        [(["export", "elsewhere"], 2, Kind::NotFound), (["export", "import"], 0, Kind::Invalid)]
    {
        let refused = service.set_access("acme", &wish(&folders, sessions)).unwrap_err();
        assert_eq!(refused.kind(), kind, "{refused}");
        let now = (service.account_rules("acme").unwrap(), service.account_limits("acme").unwrap());
        assert_eq!(now, before);
        assert!(service.folder_rights("acme").unwrap().is_empty());
    }
    service.set_access("acme", &wish(&["export"], 2)).unwrap();
    assert_eq!(service.account_rules("acme").unwrap().rights.to_string(), "list,read");
    assert_eq!(service.account_limits("acme").unwrap().max_sessions, Some(2));
    let own = service.folder_rights("acme").unwrap();
    assert_eq!(own, [("/out".parse().unwrap(), "list".parse().unwrap())]);
}

/// Every file below `root` with its bytes.
fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.insert(path.display().to_string(), Vec::new());
            found.extend(tree(&path));
        } else {
            let modified = path.metadata().unwrap().modified().unwrap();
            let bytes = [fs::read(&path).unwrap(), format!("{modified:?}").into_bytes()].concat();
            found.insert(path.display().to_string(), bytes);
        }
    }
    found
}

fn put(session: &Session, path: &str, open: Open, bytes: &[u8]) -> Result<()> {
    let path: VPath = path.parse().map_err(|e| Error::new(Kind::Invalid, e))?;
    let mut staged = session.open_upload(&path, open)?;
    let offset = staged.bytes();
    staged.write_at(offset, bytes)?;
    staged.commit().map(drop)
}

/// What each right allows, on a folder that holds the file `a` and the folder `d`.
fn act(session: &Session, right: Right) -> Result<()> {
    let path = |text: &str| text.parse::<VPath>().unwrap();
    match right {
        Right::List => session.list(&path("/out")).map(drop),
        Right::Read => session.open_read(&path("/out/a")).map(drop),
        Right::Write => put(session, "/out/new", Open::Replace, b"new"),
        Right::Overwrite => put(session, "/out/a", Open::Replace, b"other"),
        Right::Append => put(session, "/out/a", Open::Resume, b"more"),
        Right::Delete => {
            session.remove_dir(&path("/out/d"))?;
            session.remove_file(&path("/out/a"))
        }
        Right::Rename => {
            session.rename(&path("/out/a"), &path("/out/b"), Overwrite::Never).map(drop)
        }
        Right::Mkdir => session.make_dir(&path("/out/made")),
    }
}

#[tokio::test]
async fn each_right_allows_its_verb_and_without_it_nothing_changes() {
    for right in Right::ALL {
        let folder = folder();
        let service = service(&folder);
        account(&service);
        let setup = session(&service).await;
        put(&setup, "/out/a", Open::Replace, b"old").unwrap();
        setup.make_dir(&"/out/d".parse().unwrap()).unwrap();
        drop(setup);
        let names: Vec<&str> =
            Right::ALL.iter().filter(|one| **one != right).map(|one| one.name()).collect();
        let others: Rights = names.join(",").parse().unwrap();
        let files = folder.path().join("data/clients/acme/files/acme");
        let before = tree(&files);
        service.set_folder_rights("acme", "export", Some(others)).unwrap();
        let narrowed = session(&service).await;
        let refused = act(&narrowed, right).unwrap_err();
        assert_eq!(refused.kind(), Kind::Denied, "{right:?}: {refused}");
        assert_eq!(tree(&files), before, "{right:?}");
        service.set_folder_rights("acme", "export", Some(right.name().parse().unwrap())).unwrap();
        act(&session(&service).await, right).unwrap_or_else(|e| panic!("{right:?}: {e}"));
    }
}

#[tokio::test]
async fn a_missing_right_cannot_be_gone_round() {
    let folder = folder();
    let service = service(&folder);
    account(&service);
    let setup = session(&service).await;
    put(&setup, "/out/a", Open::Replace, b"old").unwrap();
    put(&setup, "/b", Open::Replace, b"b").unwrap();
    let path = |text: &str| text.parse::<VPath>().unwrap();
    let rights = |text: &str| {
        service.set_folder_rights("acme", "export", Some(text.parse().unwrap())).unwrap();
    };
    rights("list,read,write,append,rename");
    let session_now = session(&service).await;
    // Continuing a file must not change what is there already.
    let mut staged = session_now.open_upload(&path("/out/a"), Open::Resume).unwrap();
    assert_eq!(staged.write_at(0, b"x").unwrap_err().kind(), Kind::Denied);
    staged.interrupt("test");
    let mut staged = session_now.open_upload(&path("/out/a"), Open::Resume).unwrap();
    assert_eq!(staged.truncate(0).unwrap_err().kind(), Kind::Denied);
    staged.interrupt("test");
    // Neither must a rename from elsewhere, nor a file that appears between opening and commit.
    let over = session_now.rename(&path("/b"), &path("/out/a"), Overwrite::Allow);
    assert_eq!(over.err().unwrap().kind(), Kind::Denied);
    let mut first = session_now.open_upload(&path("/out/c"), Open::Replace).unwrap();
    first.write_at(0, b"first").unwrap();
    put(&session_now, "/out/c", Open::Replace, b"second").unwrap();
    assert_eq!(first.commit().err().unwrap().kind(), Kind::Exists);
    rights("list,read");
    // A folder with rights of its own keeps its place.
    let moved = session(&service).await.rename(&path("/out"), &path("/x"), Overwrite::Never);
    assert_eq!(moved.err().unwrap().kind(), Kind::Denied);
    let out = folder.path().join("data/clients/acme/files/acme/out");
    assert_eq!(fs::read(out.join("a")).unwrap(), b"old");
    assert_eq!(fs::read(out.join("c")).unwrap(), b"second");
}

#[tokio::test]
async fn what_may_not_be_read_is_not_read_by_continuing_or_moving_it() {
    let folder = folder();
    let service = service(&folder);
    account(&service);
    let path = |text: &str| text.parse::<VPath>().unwrap();
    let setup = session(&service).await;
    setup.make_dir(&path("/out/d")).unwrap();
    for file in ["/out/a", "/out/d/a"] {
        put(&setup, file, Open::Replace, b"secret").unwrap();
    }
    let rights = |text: &str| {
        service.set_folder_rights("acme", "export", Some(text.parse().unwrap())).unwrap();
    };
    let rename = async |from: &str, to: &str| {
        let renamed = session(&service).await.rename(&path(from), &path(to), Overwrite::Never);
        renamed.map(drop).map_err(|e| e.kind())
    };
    rights("list,write,append,rename");
    let narrowed = session(&service).await;
    let mut block = [0; 16];
    let mut staged = narrowed.open_upload(&path("/out/a"), Open::Resume).unwrap();
    assert_eq!(staged.read_at(0, &mut block).unwrap_err().kind(), Kind::Denied);
    staged.write_at(6, b"more").unwrap();
    assert_eq!(staged.read_at(6, &mut block).unwrap_err().kind(), Kind::Denied);
    staged.commit().unwrap();
    let mut own = narrowed.open_upload(&path("/out/own"), Open::Resume).unwrap();
    own.write_at(0, b"own").unwrap();
    assert_eq!(own.read_at(0, &mut block).unwrap(), 3, "what it sent itself");
    drop(own);
    // To another folder it would be gone here, and to where files can be read it would be read.
    for rights_here in ["list,write,rename", "list,write,rename,read", "list,write,rename,delete"] {
        rights(rights_here);
        for (from, to) in [("/out/a", "/a"), ("/out/d", "/d"), ("/out/d/a", "/a")] {
            assert_eq!(rename(from, to).await, Err(Kind::Denied), "{rights_here}: {from}");
        }
        // A temporary name gives way to the final one.
        rename("/out/a", "/out/b").await.unwrap();
        rename("/out/b", "/out/a").await.unwrap();
    }
    rename("/out/a", "/out/d/b").await.unwrap();
    rights("rename,delete,read");
    rename("/out/d", "/d").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_reach_live_sessions() {
    let app = TestApp::start().await;
    app.add_account("acme");
    let mut connection = app.connect("acme", Protocol::Sftp).await;
    let file: VPath = "/papers/a".parse().unwrap();
    connection.put(&file, b"a").await.unwrap();
    let rights = Some("list,read".parse().unwrap());
    let patch = RulesPatch { rights, ..RulesPatch::default() };
    app.service.set_account_rules("acme", &patch).unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    while connection.put(&file, b"b").await.is_ok() {
        assert!(Instant::now() < deadline, "the new rights did not reach the session");
    }
    assert_eq!(connection.get(&file, 10).await.unwrap().len(), 1);
    let last_day = Some(Some("2020-01-01".parse().unwrap()));
    let patch = RulesPatch { last_day, ..RulesPatch::default() };
    app.service.set_account_rules("acme", &patch).unwrap();
    while connection.get(&file, 10).await.is_ok() {
        assert!(Instant::now() < deadline, "the session of an expired account did not end");
    }
    app.stop().await;
}

#[tokio::test]
async fn bans_and_familiar_addresses_outlive_a_restart_and_bans_are_lifted() {
    let folder = folder();
    let before = service(&folder);
    account(&before);
    let workers = before.start().unwrap();
    assert_eq!(enter(&before, HOME, Credential::Password(PASSWORD)).await, None);
    let most = before.config().throttle.ban_unknown_logins;
    let unknown = |service: &Service, from: &str| {
        for n in 0..most {
            let peer = from.parse().unwrap();
            let login = format!("nobody{n}");
            let attempt = LoginAttempt { login, protocol: Protocol::Sftp, peer };
            assert!(!service.key_is_known(&attempt, KEY));
        }
    };
    unknown(&before, ABROAD);
    unknown(&before, HOME);
    workers.stop();
    drop(before);
    let after = service(&folder);
    let workers = after.start().unwrap();
    let abroad = ABROAD.parse::<std::net::SocketAddr>().unwrap().ip();
    assert!(after.is_banned(abroad), "a restart must not lift a ban");
    unknown(&after, HOME);
    assert!(!after.is_banned(HOME.parse::<std::net::SocketAddr>().unwrap().ip()), "familiar");
    let listed: Vec<String> = after.bans().unwrap().into_iter().map(|ban| ban.address).collect();
    assert_eq!(listed, [abroad.to_string()]);
    assert_eq!(after.familiar_addresses(Some("acme")).unwrap().len(), 1);
    assert_eq!(after.lift_ban("203.0.113.1").unwrap_err().kind(), Kind::NotFound);
    assert_eq!(after.lift_ban("nonsense").unwrap_err().kind(), Kind::Invalid);
    // As the command line does, in another process.
    service(&folder).lift_ban(&abroad.to_string()).unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    while after.is_banned(abroad) {
        assert!(Instant::now() < deadline, "the server did not follow the lifted ban");
        tokio::task::yield_now().await;
    }
    assert!(after.bans().unwrap().is_empty());
    workers.stop();
}
