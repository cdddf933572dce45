//! Requests beyond version 3, byte by byte as OpenSSH, WinSCP and paramiko send them.

use bytes::Buf;
use sha2::{Digest as _, Sha256};

use super::raw::{Answer, CREATE, FAILURE, NO_SUCH_FILE, OK, READ, Sftp, UNSUPPORTED, WRITE, text};
use crate::app::TestApp;

async fn started() -> (TestApp, Sftp) {
    let app = TestApp::start().await;
    app.add_account("acme");
    let sftp = Sftp::open(&app, "acme").await;
    (app, sftp)
}

async fn ask(sftp: &mut Sftp, name: &str, parts: &[&[u8]]) -> Answer {
    let name = text(name);
    let mut all: Vec<&[u8]> = vec![&name];
    all.extend_from_slice(parts);
    sftp.call(200, &all).await
}

/// The path of a NAME with one entry.
fn named(mut answer: Answer) -> String {
    assert_eq!(answer.kind, 104, "{answer:?} is no name");
    assert_eq!(answer.body.get_u32(), 1);
    let length = usize::try_from(answer.body.get_u32()).unwrap();
    String::from_utf8(answer.body.split_to(length).to_vec()).unwrap()
}

fn numbers(offset: u64, bytes: u64) -> Vec<u8> {
    [offset.to_be_bytes(), bytes.to_be_bytes()].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn homes_and_names_are_the_accounts_own() {
    let (app, mut sftp) = started().await;
    let expand = "expand-path@openssh.com";
    for (asked, told) in [("~", "/"), ("~/payroll/../papers", "/papers"), ("~acme/x", "/x")] {
        assert_eq!(named(ask(&mut sftp, expand, &[&text(asked)]).await), told, "{asked}");
    }
    let stranger = ask(&mut sftp, expand, &[&text("~root/x")]).await;
    assert_eq!(stranger.status().0, NO_SUCH_FILE);
    assert_eq!(named(ask(&mut sftp, "home-directory", &[&text("acme")]).await), "/");
    let stranger = ask(&mut sftp, "home-directory", &[&text("root")]).await;
    assert_eq!(stranger.status().0, NO_SUCH_FILE);
    let (own, other) = (text([0; 4]), text([0, 0, 0, 7]));
    let names = ask(&mut sftp, "users-groups-by-id@openssh.com", &[&own, &other]).await;
    assert_eq!(names.kind, 201);
    assert_eq!(names.body, [text(text("acme")), text(text(""))].concat());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_an_upload_and_half_a_copy_is_none() {
    let (app, mut sftp) = started().await;
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| n.to_be_bytes()[3]).collect();
    assert_eq!(sftp.put("/papers/a", &bytes).await.0, OK);
    let from = sftp.open_file("/papers/a", READ).await.handle();
    let to = sftp.open_file("/papers/b", WRITE | CREATE).await.handle();
    let range = numbers(100, 0);
    let (from_text, to_text) = (text(&from), text(&to));
    let copied = ask(&mut sftp, "copy-data", &[&from_text, &range, &to_text, &[0; 8]]).await;
    assert_eq!(copied.status().0, OK);
    assert_eq!(sftp.close(&to).await.0, OK);
    assert_eq!(sftp.get("/papers/b").await.unwrap(), &bytes[100..200_000]);

    let to = sftp.open_file("/payroll/c.csv", WRITE | CREATE).await.handle();
    let to_text = text(&to);
    assert_eq!(sftp.write(&to, 0, b"half").await.0, OK);
    // From a handle that is not open for reading: the copy fails, and its CLOSE must not publish what is there.
    let failed = ask(&mut sftp, "copy-data", &[&text("77"), &range, &to_text, &[0; 8]]).await;
    assert_eq!(failed.status().0, FAILURE);
    assert_eq!(sftp.close(&to).await.0, FAILURE);
    assert!(sftp.get("/payroll/c.csv").await.is_none());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hashes_by_name_by_handle_and_in_blocks() {
    let (app, mut sftp) = started().await;
    let bytes = [7_u8; 1000];
    assert_eq!(sftp.put("/papers/a", &bytes).await.0, OK);
    let handle = sftp.open_file("/papers/a", READ).await.handle();
    let (all, whole) = (numbers(0, 0), [0_u8; 4]);
    let known = text("md5,sha256");
    let (name, held) = (text("/papers/a"), text(&handle));
    let one = [text("sha256"), Sha256::digest(bytes).to_vec()].concat();
    let answer = ask(&mut sftp, "check-file-name", &[&name, &known, &all, &whole]).await;
    assert_eq!((answer.kind, answer.body.to_vec()), (201, one.clone()));
    let answer = ask(&mut sftp, "check-file-handle", &[&held, &known, &all, &whole]).await;
    assert_eq!(answer.body.to_vec(), one);
    let answer = ask(&mut sftp, "check-file", &[&held, &known, &all, &whole]).await;
    assert_eq!(answer.body.to_vec(), [text("check-file"), one].concat());
    let blocks = 256_u32.to_be_bytes();
    let (range, sha256) = (numbers(300, 500), text("sha256"));
    let answer = ask(&mut sftp, "check-file-handle", &[&held, &sha256, &range, &blocks]).await;
    let two = [Sha256::digest([7; 256]).to_vec(), Sha256::digest([7; 244]).to_vec()].concat();
    assert_eq!(answer.body.to_vec(), [text("sha256"), two].concat());
    for (algorithms, blocks, code) in
        [("md5", whole, UNSUPPORTED), ("sha256", 255_u32.to_be_bytes(), FAILURE)]
    {
        let answer =
            ask(&mut sftp, "check-file-name", &[&name, &text(algorithms), &all, &blocks]).await;
        assert_eq!(answer.status().0, code, "{algorithms}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_refused_and_the_rest_of_openssh_is_answered() {
    let (app, mut sftp) = started().await;
    assert_eq!(sftp.put("/papers/a", b"a").await.0, OK);
    let (a, b) = (text("/papers/a"), text("/papers/b"));
    let linked = ask(&mut sftp, "hardlink@openssh.com", &[&a, &b]).await;
    assert_eq!(linked.status().0, UNSUPPORTED);
    for kind in [19, 20] {
        assert_eq!(sftp.call(kind, &[&a, &b]).await.status().0, UNSUPPORTED);
    }
    let handle = sftp.open_file("/papers/a", READ).await.handle();
    let room = ask(&mut sftp, "fstatvfs@openssh.com", &[&text(&handle)]).await;
    assert_eq!((room.kind, room.body.len()), (201, 11 * 8));
    // Modification time only: flag ACMODTIME, then access and modification.
    let attrs = [8_u32, 86_400, 86_400].map(u32::to_be_bytes).concat();
    let set = ask(&mut sftp, "lsetstat@openssh.com", &[&a, &attrs]).await;
    assert_eq!(set.status().0, OK);
    let unknown = ask(&mut sftp, "nonsense@example.com", &[]).await;
    assert_eq!(unknown.status().0, UNSUPPORTED);
    app.stop().await;
}
