//! The old scp protocol, byte by byte: what becomes a file, what is told, and what must never be one.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use bytes::BytesMut;
use rollcall::model::{AccountLimits, VPath};
use rollcall::service::activity::Activity;
use russh::client::{Handle, Msg};
use russh::{Channel, ChannelMsg, Disconnect};
use tokio::time::timeout;

use super::raw::{PATIENCE, Trusting, connect};
use crate::activity::told;
use crate::app::TestApp;

const ROSTER: &[u8] = b"login;lastName;firstName;mail;dtContractStart\n\
                        adupont;Dupont;Anne;anne@acme.example;2020-01-06\n";

/// One scp of a client.
struct Scp {
    channel: Channel<Msg>,
    connection: Handle<Trusting>,
    got: BytesMut,
    /// What was shown beside the protocol.
    shown: String,
    exit: Option<u32>,
}

async fn started() -> TestApp {
    let app = TestApp::start().await;
    app.add_account("acme");
    app
}

impl Scp {
    async fn open(app: &TestApp, command: &str) -> Self {
        Self::start(connect(app, "acme").await, command).await
    }

    async fn start(connection: Handle<Trusting>, command: &str) -> Self {
        let channel = connection.channel_open_session().await.unwrap();
        channel.exec(true, command).await.unwrap();
        let (got, shown) = (BytesMut::new(), String::new());
        Self { channel, connection, got, shown, exit: None }
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        timeout(PATIENCE, self.channel.data(bytes.as_ref())).await.unwrap().unwrap();
    }

    /// Waits for more; false at the end of the channel.
    async fn more(&mut self) -> bool {
        match timeout(PATIENCE, self.channel.wait()).await.unwrap() {
            Some(ChannelMsg::Data { data }) => self.got.extend_from_slice(&data),
            Some(ChannelMsg::ExtendedData { data, .. }) => {
                self.shown.push_str(&String::from_utf8_lossy(&data));
            }
            Some(ChannelMsg::ExitStatus { exit_status }) => self.exit = Some(exit_status),
            Some(ChannelMsg::Close) | None => return false,
            Some(_) => {}
        }
        true
    }

    /// An answer: nothing for "go on", else the words.
    async fn answer(&mut self) -> Option<String> {
        loop {
            match self.got.first() {
                Some(0) => {
                    drop(self.got.split_to(1));
                    return None;
                }
                Some(1 | 2) if self.got.contains(&b'\n') => return Some(self.line().await),
                Some(byte) => assert!(*byte < 3, "{:?} is no answer", self.got),
                None => {}
            }
            assert!(self.more().await, "the channel ended; shown: {}", self.shown);
        }
    }

    async fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.got.iter().position(|byte| *byte == b'\n') {
                let line = self.got.split_to(end + 1);
                return String::from_utf8_lossy(&line[..end]).into_owned();
            }
            assert!(self.more().await, "the channel ended: {:?}", self.got);
        }
    }

    async fn take(&mut self, bytes: usize) -> Vec<u8> {
        while self.got.len() < bytes {
            assert!(self.more().await, "the channel ended: {:?}", self.got);
        }
        self.got.split_to(bytes).to_vec()
    }

    /// Sends a file in good order, and takes the answer behind it.
    async fn put(&mut self, name: &str, data: &[u8]) -> Option<String> {
        self.send(format!("C0644 {} {name}\n", data.len())).await;
        if let refused @ Some(_) = self.answer().await {
            return refused;
        }
        self.send(data).await;
        self.send([0]).await;
        self.answer().await
    }

    /// A line that is answered with "go on".
    async fn told(&mut self, line: &str) {
        self.send(line).await;
        assert_eq!(self.answer().await, None, "{line}");
    }

    /// Fetches one file in good order.
    async fn get(&mut self) -> (String, Vec<u8>) {
        let line = self.line().await;
        let mut words = line.splitn(3, ' ');
        assert_eq!(words.next(), Some("C0644"), "{line}");
        let bytes = words.next().unwrap().parse().unwrap();
        let name = words.next().unwrap().to_owned();
        self.send([0]).await;
        let data = self.take(bytes).await;
        assert_eq!(self.take(1).await, [0]);
        self.send([0]).await;
        (name, data)
    }

    /// Says that nothing more comes, and waits for the exit status.
    async fn end(&mut self) -> Option<u32> {
        // A channel that the server has ended takes it no longer.
        self.channel.eof().await.unwrap_or_default();
        self.ended().await
    }

    /// Waits for the exit status.
    async fn ended(&mut self) -> Option<u32> {
        while self.more().await {}
        self.exit
    }

    async fn hang_up(self) {
        self.connection.disconnect(Disconnect::ByApplication, "", "").await.unwrap();
    }
}

/// Waits until so many uploads were recorded as interrupted.
async fn interruptions(app: &TestApp, expected: usize) {
    let since = Instant::now();
    loop {
        let found = app.service.interruptions("acme", 100).unwrap().len();
        if found == expected {
            return;
        }
        assert!(found < expected && since.elapsed() < PATIENCE, "{found} instead of {expected}");
        tokio::task::yield_now().await;
    }
}

/// Every path below the account's root with its bytes (`None`: a folder).
fn tree(app: &TestApp) -> BTreeMap<String, Option<Vec<u8>>> {
    fn walk(at: &Path, root: &Path, found: &mut BTreeMap<String, Option<Vec<u8>>>) {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                walk(&path, root, found);
                found.insert(name, None);
            } else {
                found.insert(name, Some(std::fs::read(&path).unwrap()));
            }
        }
    }
    let root = app.path("data/clients/acme/files/acme");
    let mut found = BTreeMap::new();
    walk(&root, &root, &mut found);
    found
}

fn content(app: &TestApp, path: &str) -> Option<Vec<u8>> {
    tree(app).remove(path).flatten()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roster_is_imported_before_its_last_byte_is_acknowledged() {
    let app = started().await;
    let mut scp = Scp::open(&app, "scp -v -t /payroll/").await;
    assert_eq!(scp.answer().await, None);
    assert_eq!(scp.put("users.csv", ROSTER).await, None);
    // Waited for by the answer, so they are there.
    assert_eq!(app.service.users("acme", None).unwrap().len(), 1);
    let report = content(&app, "payroll/users.csv.report.json").expect("the report");
    assert!(String::from_utf8_lossy(&report).contains("\"status\""));
    assert_eq!(scp.end().await, Some(0));
    assert!(scp.shown.contains("1 created"), "{}", scp.shown);
    // The same over a connection that goes on, under the target's own name, and kept for the log.
    let mut next = Scp::start(scp.connection, "scp -t payroll/next.csv.tmp").await;
    assert_eq!(next.answer().await, None);
    next.told("T1000000000 0 1000000000 0\n").await;
    assert_eq!(next.put("whatever.csv", ROSTER).await, None);
    assert_eq!(next.end().await, Some(0));
    let kept = app.path("data/clients/acme/files/acme/payroll/next.csv.tmp");
    let modified = std::fs::metadata(kept).unwrap().modified().unwrap();
    let seconds = modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(seconds, 1_000_000_000);
    let was_scp = |one: &Activity| one.event == "upload" && one.detail.ends_with(" scp");
    told(&app, |log| log.iter().filter(|one| was_scp(one)).count() == 2).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_sent_to_its_end_is_never_a_file() {
    let app = started().await;
    let mut first = Scp::open(&app, "scp -t /payroll").await;
    assert_eq!(first.answer().await, None);
    assert_eq!(first.put("users.csv", ROSTER).await, None);
    assert_eq!(first.end().await, Some(0));
    let before = tree(&app);
    let head = format!("C0644 {} users.csv\n", ROSTER.len()).into_bytes();
    let more = format!("C0644 {} users.csv\n", ROSTER.len() + 10).into_bytes();
    // What is sent after the first answer, and how often that is an upload that was begun.
    let steps: [(&[u8], &[u8], usize); 9] = [
        (&head[..5], b"", 0),
        (&head, b"", 1),
        (&head, &ROSTER[..40], 1),
        (&head, ROSTER, 1),
        // Less than announced: the byte behind it is not the end.
        (&more, &[ROSTER, b"\0"].concat(), 1),
        // More than announced.
        (&head, &[ROSTER, b"x\0"].concat(), 1),
        // The client's own faults.
        (&head, &[ROSTER, b"\x01scp: users.csv: read error\n"].concat(), 1),
        (&head, &[ROSTER, b"\x02lost\n"].concat(), 1),
        (b"nonsense\n", b"", 0),
    ];
    let mut expected = 0;
    for (line, data, begun) in steps {
        for leaves_in_order in [true, false] {
            let mut scp = Scp::open(&app, "scp -t /payroll").await;
            assert_eq!(scp.answer().await, None);
            scp.send(line).await;
            if begun > 0 {
                assert_eq!(scp.answer().await, None);
                scp.send(data).await;
            }
            if leaves_in_order {
                assert_eq!(scp.end().await, Some(1), "{line:?} {data:?}");
            } else {
                scp.hang_up().await;
            }
            expected += begun;
            interruptions(&app, expected).await;
            assert_eq!(tree(&app), before, "{line:?} {data:?}");
        }
    }
    app.settled().await;
    assert_eq!(app.service.users("acme", None).unwrap().len(), 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_stay_in_the_target_and_the_next_file_goes_on() {
    let app = started().await;
    let before = tree(&app);
    let mut scp = Scp::open(&app, "scp -r -t /papers").await;
    assert_eq!(scp.answer().await, None);
    let long = "x".repeat(300);
    for name in
        ["../payroll/users.csv", "/payroll/users.csv", "a/b", ".", "..", "", "a\u{1b}b", &long]
    {
        for kind in ['C', 'D'] {
            scp.send(format!("{kind}0755 4 {name}\n")).await;
            let told = scp.answer().await.unwrap_or_else(|| panic!("{kind} {name} was taken"));
            assert!(told.starts_with("\u{1}scp: "), "{told}");
        }
    }
    assert_eq!(tree(&app), before);
    assert_eq!(scp.put("good.txt", b"good").await, None);
    assert_eq!(content(&app, "papers/good.txt").unwrap(), b"good");
    assert_eq!(scp.end().await, Some(1));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trees_are_sent_and_fetched_whole() {
    let app = started().await;
    let mut scp = Scp::open(&app, "scp -r -p -t '/papers'").await;
    assert_eq!(scp.answer().await, None);
    for line in ["T900000000 0 0 0\n", "D0755 0 new tree\n", "D0700 0 été\n"] {
        scp.told(line).await;
    }
    assert_eq!(scp.put("one", b"1").await, None);
    scp.told("E\n").await;
    assert_eq!(scp.put("empty", b"").await, None);
    scp.told("E\n").await;
    assert_eq!(scp.put("beside", b"2").await, None);
    assert_eq!(scp.end().await, Some(0));
    assert_eq!(content(&app, "papers/new tree/été/one").unwrap(), b"1");
    assert_eq!(content(&app, "papers/new tree/empty").unwrap(), b"");
    assert_eq!(content(&app, "papers/beside").unwrap(), b"2");

    let mut back = Scp::start(scp.connection, "scp -rpf '/papers/new tree' /papers/nothing").await;
    back.send([0]).await;
    let mut told = Vec::new();
    let mut depth = 0;
    loop {
        while back.got.is_empty() && back.more().await {}
        if back.got.first().is_none_or(|byte| *byte == 1) {
            break;
        }
        if back.got.first() == Some(&b'C') {
            let (name, data) = back.get().await;
            told.push(format!("{depth} {name} {}", data.len()));
            continue;
        }
        let line = back.line().await;
        match line.as_bytes()[0] {
            b'D' => depth += 1,
            b'E' => depth -= 1,
            _ => {}
        }
        if !line.starts_with('T') {
            told.push(line);
        } else if told.is_empty() {
            assert_eq!(line, "T900000000 0 900000000 0");
        }
        back.send([0]).await;
    }
    told[1..].sort();
    let expected = ["D0755 0 new tree", "1 empty 0", "2 one 1", "D0755 0 été", "E", "E"];
    assert_eq!(told, expected);
    assert!(back.line().await.contains("/papers/nothing: No such file or directory"));
    assert_eq!(back.ended().await, Some(1));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn patterns_are_matched_in_one_folder_as_a_shell_does() {
    let app = started().await;
    let papers = app.path("data/clients/acme/files/acme/papers");
    for name in ["a.csv", "b.csv", ".hidden.csv", "c.txt", "*.csv"] {
        std::fs::write(papers.join(name), name).unwrap();
    }
    for (command, expected) in [
        ("scp -f /papers/*.csv", &["*.csv"][..]),
        ("scp -f /papers/?.csv", &["*.csv", "a.csv", "b.csv"]),
        ("scp -f ~/papers/[bc].*", &["b.csv", "c.txt"]),
        ("scp -f 'papers/*.csv'", &["*.csv"]),
        ("scp -f papers/.*", &[".hidden.csv"]),
        ("scp -f papers/a.csv ~acme/papers/c.txt", &["a.csv", "c.txt"]),
        ("scp -f /*/a.csv", &[]),
        ("scp -f /papers/x*", &[]),
    ] {
        let mut scp = Scp::open(&app, command).await;
        scp.send([0]).await;
        let mut names = Vec::new();
        loop {
            while scp.got.is_empty() && scp.more().await {}
            if scp.got.first() != Some(&b'C') {
                break;
            }
            let (name, data) = scp.get().await;
            assert_eq!(data, name.as_bytes());
            names.push(name);
        }
        names.sort();
        assert_eq!(names, expected, "{command}");
        if expected.is_empty() {
            assert!(scp.line().await.contains("No such file or directory"), "{command}");
        }
        let exit = u32::from(expected.is_empty());
        assert_eq!(scp.ended().await, Some(exit), "{command}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_mean_what_they_mean_to_scp() {
    let app = started().await;
    for (command, told) in [
        ("scp -d -t /papers/nothing", "No such directory"),
        ("scp -t /papers /payroll", "ambiguous target"),
        ("scp -d -t '/papers/a\u{7}'", "control character"),
    ] {
        let mut scp = Scp::open(&app, command).await;
        let answer = scp.answer().await.unwrap();
        assert!(answer.contains(told), "{answer}");
        assert_eq!(scp.ended().await, Some(1), "{command}");
    }
    let mut scp = Scp::open(&app, "scp -t /papers/one").await;
    assert_eq!(scp.answer().await, None);
    assert_eq!(scp.put("a", b"first").await, None);
    // A second one under the same name would replace what was just acknowledged.
    assert!(scp.put("b", b"second").await.unwrap().contains("several files"));
    assert_eq!(scp.end().await, Some(1));
    assert_eq!(content(&app, "papers/one").unwrap(), b"first");
    for (command, told) in [
        ("scp -t /papers/nothing/", "No such directory"),
        ("scp -t /nothing/x", "there is no folder"),
        ("scp -t /papers/one/x", "/papers/one"),
    ] {
        let mut scp = Scp::open(&app, command).await;
        assert_eq!(scp.answer().await, None);
        let answer = scp.put("x", b"x").await.unwrap();
        assert!(answer.contains(told), "{command}: {answer}");
        assert_eq!(scp.end().await, Some(1), "{command}");
    }
    let mut scp = Scp::open(&app, "scp -t /papers").await;
    assert_eq!(scp.answer().await, None);
    scp.send("D0755 0 folder\n").await;
    assert!(scp.answer().await.unwrap().contains("-r"));
    assert_eq!(scp.ended().await, Some(1));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_account_may_not_do_changes_nothing() {
    let app = started().await;
    let papers = app.path("data/clients/acme/files/acme/papers");
    std::fs::write(papers.join("there"), "there").unwrap();
    let before = tree(&app);
    app.service.set_folder_rights("acme", "papers", Some("list".parse().unwrap())).unwrap();
    let mut scp = Scp::open(&app, "scp -r -t /papers").await;
    assert_eq!(scp.answer().await, None);
    assert!(scp.put("new", b"x").await.is_some());
    assert!(scp.put("there", b"x").await.is_some());
    scp.send("D0755 0 folder\n").await;
    assert!(scp.answer().await.is_some());
    assert_eq!(scp.end().await, Some(1));
    let mut scp = Scp::start(scp.connection, "scp -f /papers/there").await;
    scp.send([0]).await;
    assert!(scp.answer().await.is_some());
    assert_eq!(scp.ended().await, Some(1));
    assert_eq!(tree(&app), before);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_is_refused_before_it_is_sent_and_while_it_comes() {
    let app = started().await;
    let limits = AccountLimits {
        quota_bytes: Some(1000),
        max_upload_bytes: Some(900),
        ..AccountLimits::default()
    };
    app.service.set_account_limits("acme", limits).unwrap();
    let mut scp = Scp::open(&app, "scp -t /papers").await;
    assert_eq!(scp.answer().await, None);
    assert_eq!(scp.put("a", &[b'a'; 600]).await, None);
    for (bytes, told) in [(500_u64, "quota"), (901, "larger than"), (1 << 62, "larger than")] {
        scp.send(format!("C0644 {bytes} b\n")).await;
        let answer = scp.answer().await.unwrap();
        assert!(answer.contains(told), "{answer}");
    }
    assert_eq!(scp.put("b", &[b'b'; 400]).await, None);
    assert_eq!(scp.end().await, Some(1));
    assert_eq!(app.service.account_usage("acme").unwrap().bytes, 1000);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_account_gets_no_file_to_its_end() {
    let app = started().await;
    let before = tree(&app);
    let mut scp = Scp::open(&app, "scp -t /payroll").await;
    assert_eq!(scp.answer().await, None);
    scp.told(&format!("C0644 {} users.csv\n", ROSTER.len())).await;
    scp.send(ROSTER).await;
    app.service.set_account_enabled("acme", false).unwrap();
    interruptions(&app, 1).await;
    let noted = app.service.interruptions("acme", 10).unwrap();
    assert!(format!("{noted:?}").contains("disabled"), "{noted:?}");
    assert_eq!(tree(&app), before);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_wait_is_served_and_one_that_does_not_listen_is_ended() {
    let app = started().await;
    // All in one go, as `printf … | ssh … scp -t` does it.
    let mut scp = Scp::open(&app, "scp -t /papers").await;
    let mut all = Vec::new();
    for n in 0..100 {
        all.extend(format!("C0644 5 file{n}\nhello\0").into_bytes());
    }
    let big = vec![b'x'; 300_000];
    all.extend(format!("C0644 {} big\n", big.len()).into_bytes());
    all.extend(&big);
    all.push(0);
    scp.send(&all).await;
    assert_eq!(scp.end().await, Some(0));
    assert_eq!(tree(&app).keys().filter(|path| path.starts_with("papers/file")).count(), 100);
    assert_eq!(content(&app, "papers/big").unwrap(), big);
    // Who fetches sends answers, and nothing else.
    let mut scp = Scp::start(scp.connection, "scp -f /papers/big").await;
    scp.send([0]).await;
    assert_eq!(scp.line().await, "C0644 300000 big");
    scp.send(vec![b'x'; 200_000]).await;
    assert_eq!(scp.ended().await, Some(1));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_sessions_over_one_connection_leave_nothing_behind() {
    let app = started().await;
    let mut connection = connect(&app, "acme").await;
    for n in 0..12 {
        let mut scp = Scp::start(connection, &format!("scp -t /papers/{n}")).await;
        assert_eq!(scp.answer().await, None);
        if n % 2 == 0 {
            assert_eq!(scp.put("x", b"x").await, None);
        } else {
            // Left in the middle: by a CLOSE, without a word.
            scp.told("C0644 5 x\n").await;
            scp.channel.close().await.unwrap();
        }
        if n % 2 == 0 {
            assert_eq!(scp.end().await, Some(0));
        } else {
            interruptions(&app, n / 2 + 1).await;
        }
        connection = scp.connection;
    }
    let path: VPath = "/papers/10".parse().unwrap();
    assert_eq!(content(&app, path.relative()).unwrap(), b"x");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_are_refused_and_so_is_scp_where_it_is_not_offered() {
    let app = started().await;
    for command in
        ["id", "scp -t /papers; id", "scp -t $(id)", "scp -t -S x /papers", "sftp-server"]
    {
        let mut scp = Scp::open(&app, command).await;
        assert_eq!(scp.ended().await, Some(1), "{command}");
        assert!(scp.shown.contains("use sftp or scp"), "{command}: {}", scp.shown);
    }
    app.stop().await;
    let app = TestApp::start_with(|config| config.sftp.scp = false).await;
    app.add_account("acme");
    let mut scp = Scp::open(&app, "scp -t /papers").await;
    assert_eq!(scp.ended().await, Some(1));
    assert!(scp.shown.contains("without -O"), "{}", scp.shown);
    app.stop().await;
}
