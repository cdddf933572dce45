//! The control connection: TLS first, short lines, few guesses, clear refusals.

use std::sync::Arc;
use std::time::Duration;

use super::wire::{Ground, PASSWORD, Wire, handshake, soon};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn endless_lines_are_cut_off_before_and_after_tls() {
    let ground = Ground::new().await;
    for mut wire in [
        Wire::clear(ground.explicit(), ground.tls()).await,
        Wire::implicit(ground.implicit(), ground.tls()).await,
    ] {
        wire.say(vec![b'A'; 5000]).await;
        assert_eq!(wire.answer().await.0, 500);
        assert!(wire.is_closed().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_smuggled_in_before_the_handshake_end_the_connection() {
    let ground = Ground::new().await;
    let mut wire = Wire::clear(ground.explicit(), ground.tls()).await;
    wire.say("AUTH TLS\r\nUSER acme\r\n").await;
    assert!(wire.is_closed().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_about_users_before_tls() {
    let ground = Ground::new().await;
    let mut wire = Wire::clear(ground.explicit(), ground.tls()).await;
    for command in ["USER acme", "PASS x", "EPSV", "STOR a", "PROT P", "CWD /"] {
        assert_eq!(wire.code(command).await, 530, "{command}");
    }
    for (command, code) in [("FEAT", 211), ("SYST", 215), ("NOOP", 200), ("AUTH KERBEROS", 504)] {
        assert_eq!(wire.code(command).await, code, "{command}");
    }
    assert_eq!(wire.code("AUTH TLS").await, 234);
}

#[tokio::test(flavor = "multi_thread")]
async fn data_in_clear_is_refused_for_every_port_command() {
    let ground = Ground::new().await;
    let mut wire = Wire::explicit(ground.explicit(), ground.tls()).await;
    assert_eq!(wire.code("USER acme").await, 331);
    assert_eq!(wire.code(&format!("PASS {PASSWORD}")).await, 230);
    for command in ["PASV", "EPSV", "EPSV ALL", "STOR a", "RETR a", "LIST", "MLSD"] {
        assert_eq!(wire.code(command).await, 521, "{command}");
    }
    assert_eq!(wire.code("PROT C").await, 534);
    assert_eq!(wire.code("CCC").await, 534);
    assert_eq!(wire.code("PROT P").await, 200);
    assert_eq!(wire.code("PASV").await, 227);
    assert_eq!(wire.code("PROT C").await, 534);
    assert_eq!(wire.put("STOR a", b"x").await.0, 226);
}

/// Programs for implicit TLS may take protected data for granted and send no PROT P.
#[tokio::test(flavor = "multi_thread")]
async fn implicit_tls_protects_data_without_being_asked() {
    let ground = Ground::new().await;
    let mut wire = Wire::implicit(ground.implicit(), ground.tls()).await;
    assert_eq!(wire.code("USER acme").await, 331);
    assert_eq!(wire.code(&format!("PASS {PASSWORD}")).await, 230);
    for command in ["PROT C", "CCC"] {
        assert_eq!(wire.code(command).await, 534, "{command}");
    }
    assert_eq!(wire.put("STOR a", b"x").await.0, 226);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_are_refused_and_the_session_goes_on() {
    let ground = Ground::new().await;
    let mut wire = ground.guest().await;
    for (command, code) in [
        ("OPTS MLST type;size;", 200),
        ("OPTS UTF8 ON", 200),
        ("OPTS NONSENSE", 501),
        ("TYPE A", 200),
        ("TYPE I", 200),
        ("TYPE X", 504),
        ("MODE B", 504),
        ("STRU F", 200),
        ("STOR", 501),
        ("REST -1", 501),
        ("CLNT any", 200),
        ("LANG fr", 504),
        ("ALLO 1", 202),
        ("PORT 127,0,0,1,9,9", 502),
        ("EPRT |1|::1|2|", 502),
        ("NONSENSE", 500),
        ("", 500),
        ("USER other", 503),
        ("HOST x", 503),
        ("SITE NONSENSE", 504),
        ("MFMT yesterday a", 501),
        ("STOR a", 425),
        ("PWD", 257),
    ] {
        assert_eq!(wire.code(command).await, code, "{command}");
    }
    for bytes in [&b"STOR caf\xe9.csv\r\n"[..], b"STOR a\0b\r\n", b"DELE a\rb\r\n"] {
        wire.say(bytes).await;
        assert_eq!(wire.answer().await.0, 501);
    }
    wire.say("PWD\r\nNOOP\r\nPWD\r\n").await;
    for code in [257, 200, 257] {
        assert_eq!(wire.answer().await.0, code);
    }
    assert_eq!(wire.code("REIN").await, 220);
    assert_eq!(wire.code("PWD").await, 530);
    wire.log_in("zeta").await;
    assert_eq!(wire.code("PWD").await, 257);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_wrong_passwords_end_the_connection_and_all_refusals_read_alike() {
    let ground = Ground::with(|config| config.throttle.first_delay_ms = 1).await;
    let mut wire = Wire::implicit(ground.implicit(), ground.tls()).await;
    assert_eq!(wire.code("PASS early").await, 503);
    let mut texts = Vec::new();
    for (login, password) in [("acme", "wrong"), ("nobody", "wrong"), ("acme", "\u{e9}")] {
        assert_eq!(wire.code(&format!("USER {login}")).await, 331);
        texts.push(wire.ask(&format!("PASS {password}")).await);
    }
    texts.dedup();
    assert_eq!(texts, [(530, "530 Login incorrect.".to_owned())]);
    assert!(wire.is_closed().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_fault_is_not_told_as_a_wrong_password() {
    // A failure that is counted would make the next login wait for longer than this test does.
    let ground = Ground::with(|config| {
        let longest = 600_000;
        config.throttle.first_delay_ms = longest;
        config.throttle.max_delay_ms = longest;
        config.throttle.familiar_delay_ms = longest;
    })
    .await;
    let folder = ground.app.path("data/clients/zeta/files/zeta");
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::write(&folder, b"not a folder").unwrap();
    for _ in 0..4 {
        let mut wire = Wire::implicit(ground.implicit(), ground.tls()).await;
        assert_eq!(wire.code("USER zeta").await, 331);
        let told = wire.ask(&format!("PASS {PASSWORD}")).await;
        let words = "421 The server cannot open this account now; try again later.";
        assert_eq!(told, (421, words.to_owned()));
        assert!(wire.is_closed().await);
    }
    std::fs::remove_file(&folder).unwrap();
    let mut wire = Wire::implicit(ground.implicit(), ground.tls()).await;
    wire.log_in("zeta").await;
    // A stranger learns nothing from it.
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::write(&folder, b"not a folder").unwrap();
    let mut wire = Wire::implicit(ground.implicit(), ground.tls()).await;
    assert_eq!(wire.code("USER zeta").await, 331);
    assert_eq!(wire.code("PASS wrong").await, 530);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_logs_in_by_its_connection_types_only_and_loses_its_session_when_disabled() {
    let ground = Ground::new().await;
    let mut wire = ground.guest().await;
    let service = ground.app.service.clone();
    tokio::task::spawn_blocking(move || service.set_account_enabled("acme", false))
        .await
        .unwrap()
        .unwrap();
    let (code, _) = wire.answer().await;
    assert_eq!(code, 421, "a disabled account's session ends by itself");
    assert!(wire.is_closed().await);
    let mut wire = Wire::explicit(ground.explicit(), ground.tls()).await;
    assert_eq!(wire.code("USER acme").await, 331);
    assert_eq!(wire.code(&format!("PASS {PASSWORD}")).await, 530);
}

#[tokio::test(flavor = "multi_thread")]
async fn ipv6_uses_epsv() {
    // A machine without IPv6 has nobody to try it.
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    let ground = Ground::with(|config| config.ftps.implicit = "[::1]:0".to_owned()).await;
    let mut wire = ground.guest().await;
    assert_eq!(wire.code("PASV").await, 522);
    assert_eq!(wire.code("EPSV 1").await, 522);
    assert_eq!(wire.code("EPSV 2").await, 229);
    assert_eq!(wire.put("STOR a", b"six").await.0, 226);
    assert_eq!(wire.code("EPSV ALL").await, 200);
    assert_eq!(wire.code("PASV").await, 503);
    assert_eq!(wire.get("RETR a").await, b"six");
}

#[tokio::test(flavor = "multi_thread")]
async fn time_limits_close_what_does_not_move() {
    let ground = Ground::with(|config| {
        config.limits.login_timeout_s = 1;
        config.limits.tls_handshake_timeout_s = 1;
    })
    .await;
    let mut silent = TcpStream::connect(ground.implicit()).await.unwrap();
    assert_eq!(soon(silent.read(&mut [0; 1])).await.unwrap_or(0), 0, "no handshake, no greeting");
    let mut wire = Wire::clear(ground.explicit(), ground.tls()).await;
    assert_eq!(wire.answer().await.0, 421);
    let ground = Ground::with(|config| config.limits.idle_timeout_s = 4).await;
    let mut wire = ground.guest().await;
    assert_eq!(wire.answer().await.0, 421);
    assert!(wire.is_closed().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_alpn_ftp_or_none_is_spoken() {
    let ground = Ground::new().await;
    let mut tls = ground.tls();
    tls.alpn_protocols = vec![b"ftp".to_vec()];
    Wire::implicit(ground.implicit(), tls).await;
    let mut tls = ground.tls();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let tcp = TcpStream::connect(ground.implicit()).await.unwrap();
    let error = handshake(&Arc::new(tls), tcp).await.unwrap_err();
    assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_request_to_the_port_does_nothing() {
    let ground = Ground::new().await;
    let mut wire = Wire::clear(ground.explicit(), ground.tls()).await;
    wire.say("POST / HTTP/1.1\r\n").await;
    assert_eq!(wire.answer().await.0, 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_used_and_a_bad_one_is_not() {
    let ground = Ground::new().await;
    let before = ground.app.fingerprints().certificate;
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    // First the certificate alone: it does not fit the key, so the old pair goes on.
    std::fs::write(ground.app.path("certs/tls-cert.pem"), &pem).unwrap();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(ground.app.fingerprints().certificate, before);
    std::fs::write(ground.app.path("certs/tls-key.pem"), key.serialize_pem()).unwrap();
    soon(async {
        while ground.app.fingerprints().certificate == before {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    // The client trusts what lies in the file now, and nothing else.
    Wire::implicit(ground.implicit(), ground.tls()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_says_goodbye_and_uploads_under_way_are_not_published() {
    let ground = Ground::new().await;
    let mut wire = ground.guest().await;
    let mut busy = ground.guest().await;
    let mut data = busy.begin("STOR a").await;
    data.write_all(b"half").await.unwrap();
    data.flush().await.unwrap();
    let Ground { app, .. } = ground;
    let folder = soon(app.stop()).await;
    assert_eq!(wire.answer().await.0, 421);
    assert_eq!(busy.answer().await.0, 426);
    assert_eq!(busy.answer().await.0, 421);
    assert!(!folder.path().join("data/clients/acme/files/acme/a").exists());
}
