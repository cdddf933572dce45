//! Files over FTPS: put, get, resume, rename, list, and what clients ask about them.

use super::wire::{Ground, Wire, soon};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const ROSTER: &[u8] =
    "ID number;lastName;firstName;dtContractStart\r\n1001;Martin;Zoé;31/01/2024\r\n".as_bytes();

fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut out = Vec::with_capacity(bytes);
    while out.len() < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        out.push(state.to_le_bytes()[7]);
    }
    out
}

async fn round_trip(mut wire: Wire) {
    let bytes = noise(1_500_001);
    let (code, text) = wire.put("STOR é 1.bin", &bytes).await;
    assert_eq!((code, text.as_str()), (226, "226 Stored"));
    assert_eq!(wire.get("RETR é 1.bin").await, bytes);
    assert_eq!(wire.code("REST 1500000").await, 350);
    assert_eq!(wire.get("RETR é 1.bin").await, &bytes[1_500_000..]);
    assert_eq!(wire.put("STOR empty", b"").await.0, 226);
    assert_eq!(wire.get("RETR empty").await, b"");
    let list = String::from_utf8(wire.get("LIST -la").await).unwrap();
    assert!(list.contains("1500001") && list.contains("é 1.bin\r\n"), "{list}");
    let facts = String::from_utf8(wire.get("MLSD").await).unwrap();
    assert!(facts.contains("type=file;size=1500001;modify="), "{facts}");
    let mut names = String::from_utf8(wire.get("NLST").await).unwrap();
    assert!(names.split("\r\n").any(|name| name == "é 1.bin"), "{names}");
    names = String::from_utf8(wire.get("NLST *.bin").await).unwrap();
    assert_eq!(names, "é 1.bin\r\n");
    assert_eq!(wire.code("QUIT").await, 221);
    assert!(wire.is_closed().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_travel_over_both_kinds_and_both_versions_of_tls() {
    let ground = Ground::new().await;
    for versions in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut wire = Wire::explicit(ground.explicit(), ground.tls_of(&[versions])).await;
        wire.log_in("acme").await;
        round_trip(wire).await;
        let mut wire = Wire::implicit(ground.implicit(), ground.tls_of(&[versions])).await;
        wire.log_in("acme").await;
        round_trip(wire).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_an_import_tells_its_result_and_the_report_lies_there() {
    let ground = Ground::new().await;
    let mut wire = ground.guest().await;
    let (code, text) = wire.put("STOR /drop/users.csv", ROSTER).await;
    assert_eq!(code, 226, "{text}");
    assert!(text.contains("1 row: 1 created; see users.csv.report.csv"), "{text}");
    let report = String::from_utf8(wire.get("RETR /drop/users.csv.report.json").await).unwrap();
    assert!(report.contains("\"created\": 1") || report.contains("\"created\":1"), "{report}");
    let (code, text) = wire.put("STOR /drop/notes.txt", b"hello").await;
    assert!(code == 226 && text.contains("not imported"), "{text}");
    assert_eq!(wire.put("STOR /drop/two.csv.part", ROSTER).await.0, 226);
    assert_eq!(wire.code("RNFR /drop/two.csv.part").await, 350);
    let (code, text) = wire.ask("RNTO /drop/two.csv").await;
    assert!(
        code == 250 && text.contains("see two.csv.report.csv"),
        "a rename is a commit too: {text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn appending_to_a_received_file_of_an_import_folder_is_refused_before_any_byte() {
    let ground = Ground::new().await;
    let mut wire = ground.guest().await;
    assert_eq!(wire.put("STOR /drop/users.csv", ROSTER).await.0, 226);
    for restart in ["REST 5", "NOOP"] {
        assert!(matches!(wire.code(restart).await, 200 | 350));
        wire.epsv().await;
        let verb = if restart == "NOOP" {
            "APPE"
        } else {
            wire.code(restart).await;
            "STOR"
        };
        let (code, text) = wire.ask(&format!("{verb} /drop/users.csv")).await;
        assert_eq!(code, 553, "{text}");
    }
    assert_eq!(ground.on_disk("drop/users.csv").unwrap(), ROSTER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resumed_upload_continues_where_it_stopped_and_never_beyond() {
    let ground = Ground::new().await;
    let mut wire = ground.guest().await;
    assert_eq!(wire.put("STOR a", b"0123456789").await.0, 226);
    assert_eq!(wire.put("APPE a", b"abc").await.0, 226);
    assert_eq!(ground.on_disk("a").unwrap(), b"0123456789abc");
    assert_eq!(wire.code("REST 4").await, 350);
    assert_eq!(wire.put("STOR a", b"XY").await.0, 226);
    assert_eq!(ground.on_disk("a").unwrap(), b"0123XY", "the old tail must not stay");
    wire.epsv().await;
    assert_eq!(wire.code("REST 1000000000000").await, 350);
    assert_eq!(wire.code("STOR a").await, 554);
    // The refused offset is forgotten.
    assert_eq!(wire.put("STOR a", b"whole").await.0, 226);
    assert_eq!(ground.on_disk("a").unwrap(), b"whole");
    wire.epsv().await;
    assert_eq!(wire.code("REST 6").await, 350);
    assert_eq!(wire.code("RETR a").await, 554);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clients_ask_about_files() {
    let ground = Ground::new().await;
    let mut wire = ground.guest().await;
    assert_eq!(wire.ask("MKD /d\"1").await, (257, "257 \"/d\"\"1\" made.".to_owned()));
    assert_eq!(wire.code("CWD /d\"1/./x/..").await, 250);
    assert_eq!(wire.ask("PWD").await.1, "257 \"/d\"\"1\" is the folder.");
    assert_eq!(wire.put("STOR f.txt", b"abc").await.0, 226);
    assert_eq!(
        wire.ask("MFMT 20200102030405 f.txt").await.1,
        "213 Modify=20200102030405; /d\"1/f.txt"
    );
    assert_eq!(wire.ask("MDTM f.txt").await.1, "213 20200102030405");
    assert_eq!(wire.ask("SIZE f.txt").await.1, "213 3");
    assert_eq!(wire.code("SIZE /d\"1").await, 550);
    let (code, text) = wire.ask("MLST f.txt").await;
    assert_eq!(code, 250);
    assert!(
        text.contains("type=file;size=3;modify=20200102030405;perm=adfrw; /d\"1/f.txt"),
        "{text}"
    );
    // SHA-256 of "abc", FIPS 180-2, appendix B.1.
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(wire.ask("HASH f.txt").await.1, format!("213 SHA-256 0-3 {abc} /d\"1/f.txt"));
    assert_eq!(wire.code("SITE CHMOD 644 f.txt").await, 200);
    assert_eq!(wire.code("SITE UTIME 20210102030405 f.txt").await, 213);
    assert_eq!(wire.ask("MDTM f.txt").await.1, "213 20210102030405");
    let (code, text) = wire.ask("STAT f.txt").await;
    assert!(code == 213 && text.contains("f.txt"), "{text}");
    let (code, text) = wire.put("STOU f.txt", b"second").await;
    assert_eq!(code, 226, "{text}");
    assert_eq!(ground.on_disk("d\"1/f.txt.1").unwrap(), b"second");
    assert_eq!(ground.on_disk("d\"1/f.txt").unwrap(), b"abc");
    assert_eq!(wire.code("CDUP").await, 250);
    assert_eq!(wire.code("CDUP").await, 250, "the root's parent is the root");
    assert_eq!(wire.code("RMD d\"1").await, 550, "it is not empty");
    for command in ["DELE /d\"1/f.txt", "DELE /d\"1/f.txt.1", "XRMD d\"1"] {
        assert_eq!(wire.code(command).await, 250, "{command}");
    }
    assert_eq!(wire.code("RNTO x").await, 503);
    assert_eq!(wire.code("RNFR missing").await, 550);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_of_the_transfer_command_counts_not_that_of_the_port_command() {
    let ground = Ground::new().await;
    let mut wire = ground.guest().await;
    assert_eq!(wire.code("MKD new").await, 257);
    let address = wire.epsv().await;
    assert_eq!(wire.code("CWD new").await, 250);
    let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
    assert_eq!(wire.code("STOR a").await, 150);
    let mut data = super::wire::handshake(wire.tls(), tcp).await.unwrap();
    data.write_all(b"x").await.unwrap();
    data.shutdown().await.unwrap();
    assert_eq!(wire.answer().await.0, 226);
    assert_eq!(ground.on_disk("new/a").unwrap(), b"x");
    assert!(ground.on_disk("a").is_none());
    // A port that was never used does not stand in the way of the next one.
    wire.epsv().await;
    assert_eq!(wire.put("STOR b", b"y").await.0, 226);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_close_notify_answers_the_clients_at_once() {
    let ground = Ground::new().await;
    let mut wire = ground.guest().await;
    let mut data = wire.begin("STOR a").await;
    data.write_all(b"x").await.unwrap();
    data.shutdown().await.unwrap();
    // A clean end of the stream, not an error: Python's ftplib waits for exactly this.
    assert_eq!(soon(data.read(&mut [0; 8])).await.unwrap(), 0);
    assert_eq!(wire.answer().await.0, 226);
}
