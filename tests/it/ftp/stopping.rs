//! A server that stops: what is under way comes to its end, what begins now is refused.

use super::wire::{Ground, Wire, soon};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_under_way_ends_well_and_may_be_renamed_and_no_other_begins() {
    let ground = Ground::with(|config| config.limits.shutdown_grace_s = 60).await;
    let (explicit, tls) = (ground.explicit(), ground.tls());
    let mut idle = Wire::implicit(ground.implicit(), ground.tls()).await;
    idle.log_in("zeta").await;
    let mut wire = ground.guest().await;
    let mut data = wire.begin("STOR /drop/users.part").await;
    data.write_all(b"half").await.unwrap();
    wire.has_moved(4).await;
    let files = ground.app.path("data/clients/acme/files/acme/drop");
    let stopping = tokio::spawn(ground.app.stop());
    assert_eq!(idle.answer().await.0, 421, "an idle session ends at once");
    data.write_all(b" and half").await.unwrap();
    data.shutdown().await.unwrap();
    assert_eq!(wire.answer().await.0, 226);
    assert_eq!(wire.code("RNFR /drop/users.part").await, 350);
    assert_eq!(wire.code("RNTO /drop/users.txt").await, 250);
    assert_eq!(wire.code("EPSV").await, 421);
    assert!(wire.is_closed().await);
    let folder = soon(stopping).await.unwrap();
    assert_eq!(std::fs::read(files.join("users.txt")).unwrap(), b"half and half");
    assert!(tokio::net::TcpStream::connect(explicit).await.is_err(), "{tls:?}");
    drop(folder);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_does_not_end_in_time_is_interrupted() {
    let ground = Ground::with(|config| config.limits.shutdown_grace_s = 2).await;
    let mut wire = ground.guest().await;
    let mut data = wire.begin("STOR /drop/users.csv").await;
    data.write_all(b"half").await.unwrap();
    wire.has_moved(4).await;
    let stopping = tokio::spawn(ground.app.stop());
    assert_eq!(wire.answer().await.0, 426);
    assert_eq!(wire.answer().await.0, 421);
    let folder = soon(stopping).await.unwrap();
    let mut rest = Vec::new();
    drop(soon(data.read_to_end(&mut rest)).await);
    let client = folder.path().join("data/clients/acme");
    assert!(!client.join("files/acme/drop/users.csv").exists());
    assert_eq!(std::fs::read_dir(client.join("spool")).unwrap().count(), 0);
}
