//! Commands in the forms in which programs send them.

use super::wire::Ground;

#[tokio::test(flavor = "multi_thread")]
async fn case_beginnings_and_stray_line_ends_do_not_matter() {
    let ground = Ground::new().await;
    let mut wire = ground.guest().await;
    for (line, code) in [
        (&b"noop\r\n"[..], 200),
        (b"NOOP\r\r\n", 200),
        (b"NOOP\n", 200),
        (b"Cwd /\r\r\n", 250),
        (b"SYS\r\n", 215),
        (b"STO a\r\n", 500),
        (b"\xFF\xF4\xFF\xF2ABOR\r\n", 226),
        (b"\xFF\xF4\xF2ABOR\r\n", 226),
        (b"XPWD\r\n", 257),
        (b"HELP stor\r\n", 214),
        (b"HELP nonsense\r\n", 501),
        (b"SMNT /\r\n", 502),
        (b"LPSV\r\n", 502),
        (b"MIC abc\r\n", 502),
        (b"CSID Name=x;\r\n", 502),
    ] {
        wire.say(line).await;
        assert_eq!(wire.answer().await.0, code, "{line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_are_those_that_the_client_chose() {
    let ground = Ground::new().await;
    let mut wire = ground.guest().await;
    assert_eq!(wire.put("STOR a", b"abc").await.0, 226);
    assert!(wire.ask("FEAT").await.1.contains("MLST type*;size*;modify*;perm*;"));
    let (code, text) = wire.ask("OPTS MLST Type;SIZE;unique;").await;
    assert_eq!((code, text.trim_end()), (200, "200 MLST OPTS type;size;"));
    assert!(wire.ask("FEAT").await.1.contains("MLST type*;size*;modify;perm;"));
    assert!(wire.ask("MLST a").await.1.contains("type=file;size=3; /a"));
    let listed = String::from_utf8(wire.get("MLSD /").await).unwrap();
    assert!(listed.lines().any(|line| line == "type=file;size=3; a"), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn old_ways_to_set_a_time_to_ask_for_a_hash_and_for_room() {
    let ground = Ground::new().await;
    let mut wire = ground.guest().await;
    assert_eq!(wire.put("STOR a", b"abc").await.0, 226);
    assert_eq!(wire.code("MDTM 20200102030405 a").await, 213);
    assert_eq!(wire.ask("MDTM a").await, (213, "213 20200102030405".to_owned()));
    // A file that has such a name is meant itself.
    assert_eq!(wire.put("STOR 20200102030405 a", b"x").await.0, 226);
    let (code, own) = wire.ask("MDTM 20200102030405 a").await;
    assert!(code == 213 && own != "213 20200102030405", "{own}");
    assert_eq!(wire.code("MDTM 20200102030405 nothing").await, 550);
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(wire.ask("XSHA256 a").await, (250, format!("250 {abc}")));
    let (code, room) = wire.ask("AVBL").await;
    assert!(code == 213 && room[4..].parse::<u64>().is_ok(), "{room}");
    assert_eq!(wire.code("AVBL /nothing").await, 550);
}
