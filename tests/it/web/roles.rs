//! Every address × everybody: who may, who is refused, and that a refusal changes nothing.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use rollcall::model::{Protocol, Role, Scope};
use rollcall::service::tokens::NewToken;

use super::browser::{Answer, Browser};
use super::door::enter;
use crate::app::TestApp;

/// One line of the table of routes.
struct Address {
    method: String,
    path: String,
    needs: String,
}

fn table() -> Vec<Address> {
    let read = |line: String| {
        let mut words = line.splitn(3, ' ').map(str::to_owned);
        let mut next = || words.next().unwrap();
        Address { method: next(), path: next(), needs: next() }
    };
    rollcall::admin::route_table().into_iter().map(read).collect()
}

impl Address {
    /// The address with its parts filled in: acme's things, and for the rest what is not there.
    fn filled(&self, import: &str) -> String {
        let part = |part: &str| match part.trim_matches(['{', '}', '*']) {
            "client" | "login" => "acme".to_owned(),
            "import" => import.to_owned(),
            "folder" => "roster".to_owned(),
            _ => "999999".to_owned(),
        };
        let parts = self.path.split('/').map(|one| match one.starts_with('{') {
            true => part(one),
            false => one.to_owned(),
        });
        parts.collect::<Vec<_>>().join("/")
    }

    fn is_api(&self) -> bool {
        self.path.starts_with("/api/")
    }

    fn reads(&self) -> bool {
        self.method == "GET"
    }
}

/// Somebody who asks, with what they may.
struct Somebody {
    name: &'static str,
    browser: Browser,
    bearer: Option<String>,
    scopes: Vec<Scope>,
    client: Option<&'static str>,
}

impl Somebody {
    /// Whether the table lets them: written anew here, so that the guard is not its own judge.
    fn may(&self, needs: &str) -> bool {
        let Some((scope, of)) = needs.split_once(' ') else { return true };
        let has = self.scopes.iter().any(|own| own.name() == scope);
        has && match (self.client, of) {
            (None, _) | (Some(_), "own") | (Some("acme"), "client" | "account" | "import") => true,
            (Some(_), _) => false,
        }
    }

    async fn ask(&mut self, address: &Address, import: &str) -> Answer {
        let path = address.filled(import);
        let bearer = self.bearer.as_ref().map(|token| format!("Bearer {token}"));
        let mut headers = Vec::new();
        if let Some(bearer) = &bearer {
            headers.push(("authorization", bearer.as_str()));
        }
        if address.reads() {
            return self.browser.send("GET", &path, &headers, b"").await;
        }
        let form = format!("csrf={}", self.browser.csrf);
        let (kind, body) = match address.is_api() {
            true => ("application/json", "{}"),
            false => ("application/x-www-form-urlencoded", form.as_str()),
        };
        headers.push(("content-type", kind));
        self.browser.send(&address.method, &path, &headers, body.as_bytes()).await
    }
}

/// Everything in the databases that a refusal must not touch.
fn dump(data: &Path) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut files = vec![data.join("registry.db")];
    for client in ["acme", "bolt"] {
        files.push(data.join("clients").join(client).join("users.db"));
    }
    for file in files {
        let conn = rusqlite::Connection::open_with_flags(
            &file,
            rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
        )
        .unwrap();
        let tables: Vec<String> = conn
            .prepare(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            )
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        // Written meanwhile, by nobody's request: uses of sessions, what accounts did, what is looked over after an import.
        let aside = ["admin_sessions", "activity", "quality", "search", "searched"];
        for table in tables.iter().filter(|t| !aside.contains(&t.as_str())) {
            // Who took people's data with them is noted, as it should be.
            let but = if table == "audit" {
                "WHERE what NOT IN ('users.export', 'import.read')"
            } else {
                ""
            };
            let mut query = conn.prepare(&format!("SELECT * FROM \"{table}\" {but}")).unwrap();
            let columns: Vec<String> = query.column_names().map(str::to_owned).collect();
            let mut rows = query.query([]).unwrap();
            let mut text = String::new();
            while let Some(row) = rows.next().unwrap() {
                for (at, column) in columns.iter().enumerate() {
                    if column != "last_used_at" {
                        text.push_str(&format!("{:?}|", row.get_ref(at).unwrap()));
                    }
                }
                text.push('\n');
            }
            all.insert(format!("{}: {table}", file.display()), text);
        }
    }
    all
}

fn differences(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> String {
    let changed = after.iter().filter(|(table, rows)| before.get(*table) != Some(rows));
    changed.map(|(table, rows)| format!("{table}\n{rows}\n")).collect()
}

/// Two clients with one import each; returns that of acme.
async fn two_clients(app: &TestApp) -> String {
    for client in ["bolt", "acme"] {
        app.add_account(client);
        let mut session = app.connect(client, Protocol::Sftp).await;
        let roster =
            format!("employee number;last name;first name;hire date\n7;{client};Zoé;2026-02-02\n");
        session.put(&"/payroll/users.csv".parse().unwrap(), roster.as_bytes()).await.unwrap();
        session.close().await;
    }
    app.settled().await;
    app.service.imports("acme", 1).unwrap()[0].id.to_string()
}

async fn everybody(app: &TestApp, anna: Browser) -> Vec<Somebody> {
    let address = anna.address;
    let mut all = vec![Somebody {
        name: "admin",
        browser: anna,
        bearer: None,
        scopes: Role::Admin.scopes().to_vec(),
        client: None,
    }];
    for (name, role, client) in [
        ("operator", Role::Operator, None),
        ("viewer", Role::Viewer, None),
        ("of-acme", Role::Client, Some("acme")),
        ("of-bolt", Role::Client, Some("bolt")),
    ] {
        let browser = enter(app, address, name, role, client).await;
        all.push(Somebody { name, browser, bearer: None, scopes: role.scopes().to_vec(), client });
    }
    let tokens = [
        ("token read", vec![Scope::Read], None),
        ("token try", vec![Scope::Try], None),
        ("token run", vec![Scope::Run], None),
        ("token arrange", vec![Scope::Arrange], None),
        ("token govern", vec![Scope::Govern], None),
        ("token of acme", Scope::ALL.to_vec(), Some("acme")),
        ("token of bolt", Scope::ALL.to_vec(), Some("bolt")),
    ];
    for (name, scopes, client) in tokens {
        all.push(with_token(app, address, name, scopes, client));
    }
    all
}

fn with_token(
    app: &TestApp,
    address: SocketAddr,
    name: &'static str,
    scopes: Vec<Scope>,
    client: Option<&'static str>,
) -> Somebody {
    let new = NewToken {
        name: name.to_owned(),
        client: client.map(str::to_owned),
        scopes: scopes.clone(),
        expires_at: None,
    };
    let (_, token) = app.service.add_api_token(&new).unwrap();
    Somebody { name, browser: Browser::new(address), bearer: Some(token), scopes, client }
}

fn asks_to_sign_in(answer: &Answer) -> bool {
    answer.status == 303 && answer.header("location").starts_with("/sign-in?next=")
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_what_the_table_says_and_a_refusal_changes_nothing() {
    let mut app = TestApp::start_with(|config| config.limits.reply_wait_s = 60).await;
    let import = two_clients(&app).await;
    let anna = Browser::first(&mut app).await;
    let mut all = everybody(&app, anna).await;
    let table = table();
    assert!(table.len() > 40, "the table of routes is not whole");
    let before = dump(app.service.data());
    let mut wrong = Vec::new();
    for who in &mut all {
        for address in &table {
            let open = address.needs == "nothing";
            let stranger = who.bearer.is_some() != address.is_api();
            let may = open || (!stranger && who.may(&address.needs));
            // What is allowed and changes something is for the tests of its page.
            if open && !address.reads() || may && !address.reads() {
                continue;
            }
            let answer = who.ask(address, &import).await;
            let good = match (may, stranger, address.is_api()) {
                (true, _, _) => {
                    answer.status != 403 && answer.status != 401 && !asks_to_sign_in(&answer)
                }
                (false, true, true) => answer.status == 401,
                (false, true, false) => asks_to_sign_in(&answer),
                (false, false, _) => answer.status == 403,
            };
            if !good || answer.status >= 500 {
                wrong.push(format!(
                    "{} {} {} ({}): {}",
                    who.name, address.method, address.path, address.needs, answer.status
                ));
            }
        }
    }
    let mut nobody = Browser::new(all[0].browser.address);
    for address in table.iter().filter(|address| address.needs != "nothing") {
        let answer = nobody.send(&address.method, &address.filled(&import), &[], b"").await;
        let good = if address.is_api() { answer.status == 401 } else { asks_to_sign_in(&answer) };
        if !good {
            wrong.push(format!("nobody {} {}: {}", address.method, address.path, answer.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(differences(&before, &dump(app.service.data())), "");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_is_taken_without_the_secret_of_its_own_session() {
    let mut app = TestApp::start_with(|config| config.limits.reply_wait_s = 60).await;
    let import = two_clients(&app).await;
    let mut anna = Browser::first(&mut app).await;
    let other = enter(&app, anna.address, "other", Role::Admin, None).await;
    let own = anna.csrf.clone();
    assert!(!own.is_empty() && own != other.csrf);
    let before = dump(app.service.data());
    let forms = [
        ("application/x-www-form-urlencoded", String::new()),
        ("application/x-www-form-urlencoded", "csrf=".to_owned()),
        ("application/x-www-form-urlencoded", format!("csrf={}", other.csrf)),
        ("application/x-www-form-urlencoded", format!("x={own}")),
        ("text/plain", format!("csrf={}", other.csrf)),
        ("application/json", format!("{{\"csrf\":\"{}\"}}", other.csrf)),
        ("multipart/form-data; boundary=e", part("name", "x") + "--e--\r\n"),
        ("multipart/form-data; boundary=e", part("csrf", &other.csrf) + "--e--\r\n"),
        // Hidden behind another part, where a handler without files would not look.
        ("multipart/form-data; boundary=e", part("x", "1") + &part("csrf", &own) + "--e--\r\n"),
        ("multipart/form-data; boundary=e", String::new()),
        ("multipart/form-data", "x".repeat(20_000)),
    ];
    let pages = table().into_iter().filter(|a| !a.is_api() && !a.reads() && a.needs != "nothing");
    let mut tried = 0;
    for address in pages {
        for (kind, body) in &forms {
            let headers = [("content-type", *kind)];
            let path = address.filled(&import);
            let answer = anna.send("POST", &path, &headers, body.as_bytes()).await;
            assert_eq!(answer.status, 403, "{} {kind} {body:.80}", address.path);
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried}");
    assert_eq!(differences(&before, &dump(app.service.data())), "");
    assert_eq!(anna.get("/").await.status, 200, "still signed in");
    app.stop().await;
}

fn part(name: &str, value: &str) -> String {
    format!("--e\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}
