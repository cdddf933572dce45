//! How uploads end: proved complete, or not at all.

use std::net::SocketAddr;

use super::wire::{Ground, Wire, connect_from, handshake, soon};
use rollcall::config::{ActiveMode, Resumption};
use rustls::client::Resumption as ClientResumption;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

const OLD: &[u8] = b"yesterday";

async fn with_old_file(ground: &Ground) -> Wire {
    let mut wire = ground.guest().await;
    assert_eq!(wire.put("STOR a.csv", OLD).await.0, 226);
    wire
}

async fn nothing_came(ground: &Ground) {
    ground.spool_is_empty().await;
    assert_eq!(ground.on_disk("a.csv").unwrap(), OLD, "the old file must stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_without_close_notify_publishes_nothing() {
    let ground = Ground::new().await;
    let mut wire = with_old_file(&ground).await;
    let mut data = wire.begin("STOR a.csv").await;
    data.write_all(b"half").await.unwrap();
    data.flush().await.unwrap();
    // FIN on the socket below TLS.
    data.get_mut().0.shutdown().await.unwrap();
    let (code, text) = wire.answer().await;
    assert!(code == 426 && text.contains("close_notify"), "{text}");
    nothing_came(&ground).await;
    assert_eq!(wire.put("STOR a.csv", b"today").await.0, 226);
    assert_eq!(ground.on_disk("a.csv").unwrap(), b"today");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_publishes_nothing_even_where_fin_is_accepted() {
    let ground = Ground::with(|config| config.ftps.lenient_data_end = true).await;
    let mut wire = with_old_file(&ground).await;
    let mut data = wire.begin("STOR a.csv").await;
    data.write_all(b"half").await.unwrap();
    data.flush().await.unwrap();
    wire.has_moved(4).await;
    data.get_ref().0.set_zero_linger().unwrap();
    drop(data);
    assert_eq!(wire.answer().await.0, 426);
    nothing_came(&ground).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fin_is_an_end_only_with_leniency_and_never_inside_a_record() {
    let ground = Ground::with(|config| config.ftps.lenient_data_end = true).await;
    let mut wire = with_old_file(&ground).await;
    let mut data = wire.begin("STOR a.csv").await;
    data.write_all(b"half a record").await.unwrap();
    data.flush().await.unwrap();
    // The first bytes of another record, then FIN: something is missing for certain.
    data.get_mut().0.write_all(&[23, 3, 3, 0, 64, 1, 2, 3]).await.unwrap();
    data.get_mut().0.shutdown().await.unwrap();
    assert_eq!(wire.answer().await.0, 426);
    nothing_came(&ground).await;
    let mut data = wire.begin("STOR a.csv").await;
    data.write_all(b"whole").await.unwrap();
    data.flush().await.unwrap();
    data.get_mut().0.shutdown().await.unwrap();
    assert_eq!(wire.answer().await.0, 226);
    assert_eq!(ground.on_disk("a.csv").unwrap(), b"whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn abor_ends_the_transfer_first_then_is_answered() {
    let ground = Ground::with(|config| config.ftps.lenient_data_end = true).await;
    let mut wire = with_old_file(&ground).await;
    let mut data = wire.begin("STOR a.csv").await;
    data.write_all(b"half").await.unwrap();
    data.flush().await.unwrap();
    assert_eq!(wire.code("NOOP").await, 200, "NOOP is answered while a transfer runs");
    assert_eq!(wire.code("STAT").await, 213, "STAT too");
    // As Telnet wants it: IAC IP, IAC DM, then the command.
    wire.say(b"\xFF\xF4\xFF\xF2ABOR\r\n").await;
    assert_eq!(wire.answer().await.0, 426);
    assert_eq!(wire.answer().await.0, 226);
    nothing_came(&ground).await;
    assert_eq!(wire.code("ABOR").await, 226);
    assert_eq!(wire.get("RETR a.csv").await, OLD);
}

#[tokio::test(flavor = "multi_thread")]
async fn abor_stops_a_download_without_a_clean_end() {
    let ground = Ground::new().await;
    let mut wire = ground.guest().await;
    assert_eq!(wire.put("STOR big", &vec![7; 32 << 20]).await.0, 226);
    let mut data = wire.begin("RETR big").await;
    wire.say("ABOR\r\n").await;
    assert_eq!(wire.answer().await.0, 426);
    assert_eq!(wire.answer().await.0, 226);
    let mut got = Vec::new();
    let end = soon(tokio::io::AsyncReadExt::read_to_end(&mut data, &mut got)).await;
    assert!(end.is_err(), "a cut download must not look whole");
    assert_eq!(wire.code("NOOP").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_control_connection_is_gone_is_not_published() {
    let ground = Ground::new().await;
    let mut wire = with_old_file(&ground).await;
    let mut data = wire.begin("STOR a.csv").await;
    data.write_all(b"half").await.unwrap();
    data.flush().await.unwrap();
    wire.has_moved(4).await;
    wire.hang_up();
    // The server cuts the data connection: writing fails sooner or later.
    soon(async {
        while data.write_all(&[0; 65536]).await.is_ok() && data.flush().await.is_ok() {}
    })
    .await;
    nothing_came(&ground).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queued_commands_wait_for_the_transfer() {
    let ground = Ground::new().await;
    let mut wire = ground.guest().await;
    let mut data = wire.begin("STOR a").await;
    wire.say("PWD\r\nSIZE a\r\n").await;
    data.write_all(b"four").await.unwrap();
    data.shutdown().await.unwrap();
    assert_eq!(wire.answer().await.0, 226);
    assert_eq!(wire.answer().await.0, 257);
    assert_eq!(wire.answer().await.1, "213 4");
}

#[tokio::test(flavor = "multi_thread")]
async fn data_connections_from_elsewhere_are_dropped_and_listening_goes_on() {
    let ground = Ground::new().await;
    let mut wire = ground.guest().await;
    let address = wire.epsv().await;
    let mut stranger = connect_from("127.0.0.2", address).await;
    assert_eq!(wire.code("STOR a").await, 150);
    let mut nothing = [0; 1];
    assert_eq!(
        soon(tokio::io::AsyncReadExt::read(&mut stranger, &mut nothing)).await.unwrap_or(0),
        0
    );
    let tcp = TcpStream::connect(address).await.unwrap();
    let mut data = handshake(wire.tls(), tcp).await.unwrap();
    data.write_all(b"mine").await.unwrap();
    data.shutdown().await.unwrap();
    assert_eq!(wire.answer().await.0, 226);
    assert_eq!(ground.on_disk("a").unwrap(), b"mine");
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_and_garbage_on_the_data_port_are_425_and_the_session_goes_on() {
    let ground = Ground::with(|config| {
        // Long enough for what is to succeed here on a machine that stands still for a moment.
        config.limits.data_accept_timeout_s = 4;
        config.limits.tls_handshake_timeout_s = 4;
        config.limits.data_idle_timeout_s = 4;
    })
    .await;
    let mut wire = ground.guest().await;
    let address = wire.epsv().await;
    assert_eq!(wire.code("STOR a").await, 150);
    assert_eq!(wire.answer().await.0, 425, "nobody came to {address}");
    let address = wire.epsv().await;
    let _silent = TcpStream::connect(address).await.unwrap();
    assert_eq!(wire.code("STOR a").await, 150);
    assert_eq!(wire.answer().await.0, 425, "no handshake");
    let address = wire.epsv().await;
    let mut garbage = TcpStream::connect(address).await.unwrap();
    garbage.write_all(b"lastName;firstName\r\n").await.unwrap();
    assert_eq!(wire.code("STOR a").await, 150);
    assert_eq!(wire.answer().await.0, 425, "no TLS");
    let mut data = wire.begin("STOR a").await;
    data.write_all(b"then nothing").await.unwrap();
    data.flush().await.unwrap();
    assert_eq!(wire.answer().await.0, 426, "nothing moved for too long");
    ground.spool_is_empty().await;
    assert!(ground.on_disk("a").is_none());
    assert_eq!(wire.put("STOR a", b"now").await.0, 226);
}

/// Waits until nobody listens there any more.
async fn port_is_given_back(address: SocketAddr) {
    let given_back = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    soon(given_back).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_idle_session_gives_back_it_does_not_miss() {
    let ground = Ground::with(|config| config.limits.data_accept_timeout_s = 3).await;
    let mut wire = ground.guest().await;
    assert_eq!(wire.put("STOR a", b"abc").await.0, 226);
    let address = wire.epsv().await;
    assert_eq!(wire.code("RNFR a").await, 350);
    port_is_given_back(address).await;
    assert_eq!(wire.code("RNTO b").await, 250, "a rename waits for its second half");
    let address = wire.epsv().await;
    port_is_given_back(address).await;
    assert_eq!(wire.code("MKD sub").await, 257);
    assert_eq!(wire.code("CWD sub").await, 250);
    let address = wire.epsv().await;
    port_is_given_back(address).await;
    assert_eq!(wire.put("STOR c", b"there").await.0, 226);
    assert_eq!(ground.on_disk("sub/c").unwrap(), b"there");
    assert_eq!(wire.get("RETR /b").await, b"abc");
}

#[tokio::test(flavor = "multi_thread")]
async fn resumption_proves_that_a_data_connection_is_this_sessions() {
    let ground = Ground::with(|config| config.ftps.resumption = Resumption::Require).await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut wire = Wire::implicit(ground.implicit(), ground.tls_of(&[version])).await;
        wire.log_in("acme").await;
        assert_eq!(wire.put("STOR a.csv", OLD).await.0, 226, "{version:?}");
        // A full handshake, and one that resumes another session, are both refused.
        let mut fresh = ground.tls_of(&[version]);
        fresh.resumption = ClientResumption::disabled();
        let other = Wire::implicit(ground.implicit(), ground.tls_of(&[version])).await;
        for tls in [&std::sync::Arc::new(fresh), other.tls()] {
            let address = wire.epsv().await;
            let tcp = TcpStream::connect(address).await.unwrap();
            assert_eq!(wire.code("STOR a.csv").await, 150);
            let hijack = handshake(tls, tcp).await;
            let (code, text) = wire.answer().await;
            assert_eq!(code, 522, "{version:?} {text}");
            drop(hijack);
        }
        nothing_came(&ground).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn active_mode_reaches_the_client_itself_and_nobody_else() {
    let ground = Ground::with(|config| config.ftps.active = ActiveMode::OwnAddress).await;
    let mut wire = ground.guest().await;
    assert_eq!(wire.code("PORT 127,0,0,2,200,1").await, 501);
    assert_eq!(wire.code("PORT 127,0,0,1,0,22").await, 501);
    assert_eq!(wire.code("EPRT |2|::1|50000|").await, 501);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    assert_eq!(wire.code(&format!("EPRT |1|127.0.0.1|{port}|")).await, 200);
    assert_eq!(wire.code("STOR a").await, 150);
    let (tcp, _) = soon(listener.accept()).await.unwrap();
    let mut data = handshake(wire.tls(), tcp).await.unwrap();
    data.write_all(b"active").await.unwrap();
    data.shutdown().await.unwrap();
    assert_eq!(wire.answer().await.0, 226);
    assert_eq!(ground.on_disk("a").unwrap(), b"active");
}

/// Most programs send the command first; some (aioftp) only when the data connection is secured.
#[tokio::test(flavor = "multi_thread")]
async fn the_handshake_of_a_data_connection_may_come_before_the_command() {
    let ground = Ground::new().await;
    let mut wire = ground.guest().await;
    let address = wire.epsv().await;
    let tcp = TcpStream::connect(address).await.unwrap();
    let mut data = soon(handshake(wire.tls(), tcp)).await.unwrap();
    assert_eq!(wire.code("STOR early").await, 150);
    data.write_all(b"early").await.unwrap();
    data.shutdown().await.unwrap();
    assert_eq!(wire.answer().await.0, 226);
    assert_eq!(ground.on_disk("early").unwrap(), b"early");
    assert_eq!(wire.get("RETR early").await, b"early", "and the other way round");
}
