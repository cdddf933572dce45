//! Who gets in: passwords, keys, connection types, the throttle; and what the command line may change meanwhile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rollcall::clock::Clock;
use rollcall::config::Config;
use rollcall::error::Kind;
use rollcall::model::{Language, Protocol, Purpose, VPath};
use rollcall::service::accounts::{AccountPatch, NewAccount, NewCredentials, NewPassword};
use rollcall::service::clients::NewClient;
use rollcall::service::folders::FolderPatch;
use rollcall::service::login::{Credential, LoginAttempt};
use rollcall::service::{Service, Workers};
use tempfile::TempDir;

// Made for this test with ssh-keygen.
const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJFiteaJhKr5fAvy4WdDPXw1hs7mZTynsd/bF55HQ0KC payroll@acme";
const OTHER_KEY: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBBXaGxV2rh8PGAlM7zP59O1Eo/mSL1tT0S6rcyqADY2JOn3GZWuaqLFejfNUkQTiGeavFnGKzpRiC2mxtfE4Nfc= ec";
const HOME: &str = "192.0.2.1:40000";
const ABROAD: &str = "198.51.100.7:40000";

struct Bench {
    service: Service,
    folder: TempDir,
}

impl Bench {
    /// A service with the client `acme`; waits after failures are short.
    fn new() -> Self {
        Self::with(|config| config.throttle.first_delay_ms = 1)
    }

    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        change(&mut config);
        let folder = tempfile::Builder::new().prefix("rollcall-it-").tempdir().unwrap();
        let service =
            Service::open(Arc::new(config), &folder.path().join("data"), Clock::System).unwrap();
        let bench = Self { service, folder };
        bench.service.add_client(client("acme")).unwrap();
        bench
    }

    fn account(&self, change: impl FnOnce(&mut NewAccount)) -> NewCredentials {
        let mut new = NewAccount {
            client: "acme".to_owned(),
            name: "Payroll".to_owned(),
            login: None,
            host_profile: "standard".to_owned(),
            protocols: None,
            password: NewPassword::Generated,
            keys: Vec::new(),
        };
        change(&mut new);
        self.service.add_account(&new).unwrap()
    }

    /// The reason of the refusal, for the log; `None`: in.
    async fn enter(&self, login: &str, from: &str, proof: Credential<'_>) -> Option<&'static str> {
        let attempt = attempt(login, Protocol::Sftp, from);
        self.service.log_in(&attempt, proof).await.err().map(|refused| refused.log)
    }
}

fn client(slug: &str) -> NewClient {
    NewClient {
        slug: slug.to_owned(),
        name: String::new(),
        language: Language::Fr,
        time_zone: "Europe/Paris".to_owned(),
    }
}

fn attempt(login: &str, protocol: Protocol, from: &str) -> LoginAttempt {
    LoginAttempt { login: login.to_owned(), protocol, peer: from.parse().unwrap() }
}

fn path(text: &str) -> VPath {
    text.parse().unwrap()
}

#[tokio::test]
async fn only_the_right_password_of_an_enabled_account_gets_in() {
    let bench = Bench::new();
    let service = &bench.service;
    let made = bench.account(|new| new.protocols = Some(vec![Protocol::Sftp, Protocol::Ftps]));
    let password = made.password.unwrap();
    let right = Credential::Password(&password);
    assert_eq!(bench.enter("acme", HOME, right).await, None);
    for (login, proof, reason) in [
        ("acme", "wrong", "wrong password"),
        ("acme", "", "wrong password"),
        ("nobody", password.as_str(), "unknown login"),
        ("ACME", password.as_str(), "unknown login"),
        ("../acme", password.as_str(), "unknown login"),
    ] {
        let told = bench.enter(login, HOME, Credential::Password(proof)).await;
        assert_eq!(told, Some(reason), "{login} {proof}");
    }
    let ftpes = attempt("acme", Protocol::Ftpes, HOME);
    let refused = service.log_in(&ftpes, right).await.err().unwrap();
    assert_eq!(refused.log, "the account may not use this connection type");
    let ftps = attempt("acme", Protocol::Ftps, HOME);
    assert!(service.log_in(&ftps, right).await.is_ok());

    service.set_account_enabled("acme", false).unwrap();
    assert_eq!(bench.enter("acme", HOME, right).await, Some("the account is disabled"));
    service.set_account_enabled("acme", true).unwrap();
    service.set_client_enabled("acme", false).unwrap();
    assert_eq!(bench.enter("acme", HOME, right).await, Some("the client is disabled"));
    service.set_client_enabled("acme", true).unwrap();
    assert_eq!(bench.enter("acme", HOME, right).await, None);

    let next = service.reset_password("acme", None).unwrap();
    assert_eq!(bench.enter("acme", HOME, right).await, Some("wrong password"));
    assert_eq!(bench.enter("acme", HOME, Credential::Password(&next)).await, None);
}

#[tokio::test]
async fn only_known_keys_get_in_and_only_while_they_are_known() {
    let bench = Bench::new();
    let service = &bench.service;
    let made = bench.account(|new| {
        new.password = NewPassword::None;
        new.keys = vec![format!("# ours\n{KEY}\n{KEY} again\n")];
    });
    assert_eq!((made.password, made.keys.len()), (None, 1));
    let key = Credential::PublicKey { openssh: KEY.rsplit_once(' ').unwrap().0 };
    let other = Credential::PublicKey { openssh: OTHER_KEY };
    let from_home = attempt("acme", Protocol::Sftp, HOME);
    assert!(service.key_is_known(&from_home, KEY));
    assert!(!service.key_is_known(&from_home, OTHER_KEY));
    assert!(!service.key_is_known(&attempt("nobody", Protocol::Sftp, HOME), KEY));
    assert_eq!(bench.enter("acme", HOME, key).await, None);
    assert_eq!(bench.enter("acme", HOME, other).await, Some("unknown key"));
    assert_eq!(bench.enter("nobody", HOME, key).await, Some("unknown login"));
    let password = Credential::Password("anything");
    assert_eq!(bench.enter("acme", HOME, password).await, Some("only keys may log in"));

    assert_eq!(service.add_key("acme", &format!("{KEY}\n{OTHER_KEY}")).unwrap().len(), 1);
    assert_eq!(service.add_key("acme", KEY).unwrap_err().kind(), Kind::Exists);
    assert_eq!(bench.enter("acme", HOME, other).await, None);
    service.remove_key("acme", &made.keys[0].fingerprint).unwrap();
    assert_eq!(bench.enter("acme", HOME, key).await, Some("unknown key"));
    service.set_account_enabled("acme", false).unwrap();
    assert!(!service.key_is_known(&from_home, OTHER_KEY));
}

#[tokio::test]
async fn an_unknown_login_takes_as_long_as_a_wrong_password() {
    // The hash is what is compared, not the pause after many failures.
    let bench = Bench::with(|config| {
        config.throttle.first_delay_ms = 1;
        config.throttle.max_delay_ms = 1;
        config.throttle.familiar_delay_ms = 1;
    });
    let _credentials = bench.account(|_| {});
    // The quickest of each: a busy machine makes some of them slow, and never one of them quick.
    let mut times = [Duration::MAX; 2];
    for n in 0..12 {
        for (time, login) in times.iter_mut().zip(["acme".to_owned(), format!("nobody{n}")]) {
            let peer = format!("203.0.113.{n}:4000");
            let begun = Instant::now();
            assert!(bench.enter(&login, &peer, Credential::Password("wrong")).await.is_some());
            *time = begun.elapsed().min(*time);
        }
    }
    // Looking up alone takes a hundredth; so a tenth leaves room for a busy machine.
    assert!(times[1] > times[0] / 10 && times[0] > times[1] / 10, "{times:?}");
}

#[tokio::test]
async fn failures_slow_a_stranger_and_lock_nobody_out() {
    let bench = Bench::with(|config| {
        config.throttle.first_delay_ms = 40;
        config.throttle.max_delay_ms = 80;
    });
    let made = bench.account(|_| {});
    let right = made.password.unwrap();
    let wrong = Credential::Password("wrong");
    let begun = Instant::now();
    for _ in 0..5 {
        assert_eq!(bench.enter("acme", ABROAD, wrong).await, Some("wrong password"));
    }
    // 0 + 40 + 80 + 80 + 80 ms; both protocols count together.
    assert!(begun.elapsed() >= Duration::from_millis(280), "{:?}", begun.elapsed());
    let ftps = attempt("acme", Protocol::Ftps, ABROAD);
    let begun = Instant::now();
    assert!(bench.service.log_in(&ftps, Credential::Password(&right)).await.is_ok());
    assert!(begun.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn an_address_that_tries_many_unknown_logins_is_banned_unless_it_is_known_to_be_good() {
    let bench = Bench::new();
    let password = bench.account(|_| {}).password.unwrap();
    let right = Credential::Password(&password);
    assert_eq!(bench.enter("acme", HOME, right).await, None);
    for n in 0..25 {
        for from in [HOME, ABROAD] {
            let stranger = attempt(&format!("nobody{n}"), Protocol::Sftp, from);
            assert!(!bench.service.key_is_known(&stranger, KEY));
        }
    }
    let is_banned = |from: &str| {
        let address: std::net::SocketAddr = from.parse().unwrap();
        bench.service.is_banned(address.ip())
    };
    assert!(is_banned(ABROAD) && !is_banned(HOME));
    let banned = "the address is banned: too many unknown logins";
    assert_eq!(bench.enter("acme", ABROAD, right).await, Some(banned));
    assert_eq!(bench.enter("acme", HOME, right).await, None);
}

#[tokio::test]
async fn a_password_that_was_right_lately_opens_nothing_that_it_would_not_open_else() {
    for password_memory_s in [3600, 0] {
        let bench = Bench::with(|config| {
            config.throttle.first_delay_ms = 1;
            config.limits.password_memory_s = password_memory_s;
        });
        let service = &bench.service;
        let old = bench.account(|_| {}).password.unwrap();
        let mut other = bench.account(|new| new.login = Some("other".to_owned()));
        let (old, other) = (Credential::Password(&old), other.password.take().unwrap());
        for _ in 0..2 {
            assert_eq!(bench.enter("acme", HOME, old).await, None);
            let wrong = bench.enter("acme", HOME, Credential::Password(&other)).await;
            assert_eq!(wrong, Some("wrong password"));
            assert_eq!(bench.enter("other", HOME, old).await, Some("wrong password"));
        }
        let new = service.reset_password("acme", None).unwrap();
        assert_eq!(bench.enter("acme", HOME, old).await, Some("wrong password"));
        assert_eq!(bench.enter("acme", HOME, Credential::Password(&new)).await, None);
        service.set_account_enabled("acme", false).unwrap();
        let told = bench.enter("acme", HOME, Credential::Password(&new)).await;
        assert_eq!(told, Some("the account is disabled"));
        service.remove_account("other").unwrap();
        let told = bench.enter("other", HOME, Credential::Password(&other)).await;
        assert_eq!(told, Some("unknown login"));
    }
}

#[tokio::test]
async fn an_account_has_so_many_sessions_and_no_more() {
    let bench = Bench::with(|config| config.limits.sessions_per_account = 2);
    let password = bench.account(|_| {}).password.unwrap();
    let right = Credential::Password(&password);
    let from_home = attempt("acme", Protocol::Sftp, HOME);
    let first = bench.service.log_in(&from_home, right).await.ok();
    let second = bench.service.log_in(&from_home, right).await.ok();
    assert!(first.is_some() && second.is_some());
    assert_eq!(bench.enter("acme", HOME, right).await, Some("the account has too many sessions"));
    drop(second);
    assert_eq!(bench.enter("acme", HOME, right).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_changes_reaches_live_sessions_and_the_next_login() {
    let bench = Bench::new();
    let workers: Workers = bench.service.start().unwrap();
    // The command line opens the same data folder on its own.
    let data = bench.folder.path().join("data");
    let command = Service::open(Arc::new(Config::default()), &data, Clock::System).unwrap();
    let password = bench.account(|_| {}).password.unwrap();
    let right = Credential::Password(&password);
    let from_home = attempt("acme", Protocol::Sftp, HOME);
    let session = bench.service.log_in(&from_home, right).await.ok().unwrap();
    command.set_account_enabled("acme", false).unwrap();
    tokio::time::timeout(Duration::from_secs(60), session.ended()).await.unwrap();
    assert_eq!(bench.enter("acme", HOME, right).await, Some("the account is disabled"));
    command.set_account_enabled("acme", true).unwrap();
    assert_eq!(bench.enter("acme", HOME, right).await, None);
    workers.stop();
}

#[tokio::test]
async fn a_host_profile_gives_folders_and_settings() {
    let bench = Bench::new();
    let service = &bench.service;
    let folders = |made: &NewCredentials| -> Vec<(String, String, Purpose)> {
        let line = |f: &rollcall::model::Folder| (f.name.clone(), f.path.to_string(), f.purpose);
        made.folders.iter().map(line).collect()
    };
    let own = |text: &str| text.to_owned();
    let first = bench.account(|_| {});
    assert_eq!(first.account.login, "acme");
    assert_eq!(
        folders(&first),
        [
            (own("import"), own("/in"), Purpose::Import),
            (own("export"), own("/out"), Purpose::Export)
        ]
    );
    let on_disk = bench.folder.path().join("data/clients/acme/files/acme");
    assert!(on_disk.join("in").is_dir() && on_disk.join("out").is_dir());
    let second = bench.account(|new| {
        new.host_profile = own("e-paye");
        new.name = own("Équipe paie");
    });
    assert_eq!(second.account.login, "acme-equipe-paie");
    assert_eq!(folders(&second), [(own("import-2"), own("/import"), Purpose::Import)]);
    assert_eq!(second.folders[0].pattern.as_deref(), Some("*.csv"));
    assert_eq!(service.settings("acme", "import-2").unwrap().report.languages, [Language::Fr]);
    assert!(service.settings("acme", "import").unwrap().report.languages.is_empty());
    assert_eq!(service.settings("acme", "export").unwrap_err().kind(), Kind::Invalid);
    let unknown = service.settings("acme", "imports").unwrap_err();
    assert!(unknown.message().contains("\"import\""), "{unknown}");
    let kept = service.set_settings("acme", "import", "# why\nmode = \"delta\"\n").unwrap();
    assert_eq!(service.settings("acme", "import").unwrap(), kept);
    let refused = service.set_settings("acme", "import", "mode = \"some\"").unwrap_err();
    assert!(refused.message().contains("mode"), "{refused}");
    assert_eq!(service.settings("acme", "import").unwrap(), kept);
}

#[tokio::test]
async fn an_unused_preset_gives_way_to_a_folder_at_its_path() {
    let bench = Bench::new();
    let service = &bench.service;
    let _credentials = bench.account(|_| {});
    let add = |name: &str| service.add_folder("acme", name, &path("/in"), Purpose::Import, None);
    let names = || -> Vec<String> {
        service.folders("acme").unwrap().into_iter().map(|f| f.name).collect()
    };
    assert_eq!(names(), ["import", "export"]);
    add("payroll").unwrap();
    assert_eq!(names(), ["payroll", "export"]);
    // Somebody has settled how its files are read: it stays.
    service.set_settings("acme", "payroll", "mode = \"delta\"").unwrap();
    assert_eq!(add("other").unwrap_err().kind(), Kind::Exists);
    assert_eq!(names(), ["payroll", "export"]);
}

#[tokio::test]
async fn folders_and_accounts_that_cannot_be_are_refused_with_the_reason() {
    let bench = Bench::new();
    let service = &bench.service;
    let _credentials = bench.account(|_| {});
    let add = |name: &str, at: &str, purpose, pattern: Option<&str>| {
        service.add_folder("acme", name, &path(at), purpose, pattern)
    };
    for (result, kind) in [
        (add("import", "/other", Purpose::Import, None), Kind::Exists),
        (add("a/b", "/other", Purpose::Plain, None), Kind::Invalid),
        (add("", "/other", Purpose::Plain, None), Kind::Invalid),
        (add("old", "/in/reports", Purpose::Plain, None), Kind::Invalid),
        (add("try", "/in/test", Purpose::Import, None), Kind::Invalid),
        (add("try", "/in/test/deep", Purpose::Plain, None), Kind::Invalid),
        (add("bad", "/bad", Purpose::Import, Some("[")), Kind::Invalid),
        (add("bad", "/bad", Purpose::Import, Some("a/*.csv")), Kind::Invalid),
    ] {
        assert_eq!(result.unwrap_err().kind(), kind);
    }
    add("second", "/second", Purpose::Import, Some("*.csv")).unwrap();
    assert_eq!(add("third", "/second", Purpose::Import, None).unwrap_err().kind(), Kind::Exists);
    let onto = FolderPatch { path: Some(path("/in/test")), ..FolderPatch::default() };
    assert_eq!(service.set_folder("acme", "second", &onto).unwrap_err().kind(), Kind::Invalid);
    let plain = FolderPatch { purpose: Some(Purpose::Plain), ..FolderPatch::default() };
    assert_eq!(service.set_folder("acme", "second", &plain).unwrap().purpose, Purpose::Plain);
    service.remove_folder("acme", "second").unwrap();
    assert_eq!(service.remove_folder("acme", "second").unwrap_err().kind(), Kind::NotFound);
    let none = AccountPatch { protocols: Some(Vec::new()), ..AccountPatch::default() };
    assert_eq!(service.set_account("acme", &none).unwrap_err().kind(), Kind::Invalid);
    let weak = service.reset_password("acme", Some("short".to_owned())).unwrap_err();
    assert!(weak.message().contains("at least 12"), "{weak}");
    let mut bad = client("acme-2");
    bad.time_zone = "Paris".to_owned();
    let refused = service.add_client(bad).unwrap_err();
    assert!(refused.message().contains("Europe/Paris"), "{refused}");
}

#[tokio::test]
async fn an_erased_client_leaves_nothing_and_its_name_is_free() {
    let bench = Bench::new();
    let password = bench.account(|_| {}).password.unwrap();
    let right = Credential::Password(&password);
    assert_eq!(bench.enter("acme", HOME, right).await, None);
    let on_disk = bench.folder.path().join("data/clients/acme");
    assert!(on_disk.exists());
    bench.service.erase_client("acme").unwrap();
    assert!(!on_disk.exists());
    assert_eq!(bench.service.client("acme").unwrap_err().kind(), Kind::NotFound);
    assert_eq!(bench.enter("acme", HOME, right).await, Some("unknown login"));
    bench.service.add_client(client("acme")).unwrap();
    let again = bench.account(|_| {});
    assert_eq!(again.account.login, "acme");
    let right = again.password.unwrap();
    assert_eq!(bench.enter("acme", HOME, Credential::Password(&right)).await, None);
    for (file, state) in bench.service.check_databases() {
        assert_eq!(state, Ok(()), "{file}");
    }
}
