//! Behind a load balancer that says for whom a connection is.

use super::wire::{Ground, Wire, handshake, soon};
use rollcall::service::rules::RulesPatch;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const HEADER: &[u8] = b"PROXY TCP4 203.0.113.9 192.0.2.1 51000 2990\r\n";

async fn ground() -> Ground {
    let ground = Ground::with(|config| {
        config.proxy.trusted = vec!["127.0.0.0/8".parse().unwrap()];
        config.limits.max_connections_per_address = 2;
    })
    .await;
    // Only the address in the header may log in.
    let allow_from = Some(vec!["203.0.113.9".parse().unwrap()]);
    let patch = RulesPatch { allow_from, ..RulesPatch::default() };
    ground.app.service.set_account_rules("acme", &patch).unwrap();
    ground
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_in_the_header_counts_for_control_and_data() {
    let ground = ground().await;
    let mut wire = Wire::behind(ground.implicit(), ground.tls(), HEADER).await;
    wire.log_in("acme").await;
    let address = wire.epsv().await;
    // Somebody else's connection, and one without a header, do not use the port up.
    for other in [&b"PROXY TCP4 203.0.113.8 192.0.2.1 51001 50000\r\n"[..], &[0x16; 200]] {
        let mut tcp = TcpStream::connect(address).await.unwrap();
        tcp.write_all(other).await.unwrap();
    }
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(HEADER).await.unwrap();
    assert_eq!(wire.code("STOR a").await, 150);
    let mut data = handshake(wire.tls(), tcp).await.unwrap();
    data.write_all(b"through").await.unwrap();
    data.shutdown().await.unwrap();
    assert_eq!(wire.answer().await.0, 226);
    assert_eq!(ground.on_disk("a").unwrap(), b"through");
    // The caps count for the address in the header too.
    let second = Wire::behind(ground.implicit(), ground.tls(), HEADER).await;
    let mut third = TcpStream::connect(ground.implicit()).await.unwrap();
    third.write_all(HEADER).await.unwrap();
    assert!(is_closed(&mut third).await);
    drop(second);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_header_nothing_is_said_on_any_port() {
    let ground = ground().await;
    let bound = ground.app.bound();
    for address in [bound.sftp, bound.ftps, bound.ftpes] {
        let mut tcp = TcpStream::connect(address.unwrap()).await.unwrap();
        tcp.write_all(b"SSH-2.0-nobody and more than twelve bytes\r\n").await.unwrap();
        assert!(is_closed(&mut tcp).await);
    }
    let mut ssh = TcpStream::connect(bound.sftp.unwrap()).await.unwrap();
    ssh.write_all(HEADER).await.unwrap();
    let mut greeting = [0; 8];
    soon(ssh.read_exact(&mut greeting)).await.unwrap();
    assert_eq!(&greeting, b"SSH-2.0-");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_is_believed() {
    let ground = Ground::new().await;
    let mut wire = Wire::clear(ground.explicit(), ground.tls()).await;
    wire.say(HEADER).await;
    assert_eq!(wire.answer().await.0, 500);
}

/// Whether the server ends the connection without a word.
async fn is_closed(tcp: &mut TcpStream) -> bool {
    let mut byte = [0; 1];
    !matches!(soon(tcp.read(&mut byte)).await, Ok(1..))
}
