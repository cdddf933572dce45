//! What strangers and clumsy programs do: guessing, flooding, stalling, nonsense.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use russh::client::{self, AuthResult, DisconnectReason};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::raw::{CREATE, FAILURE, OK, PATIENCE, READ, Sftp, Trusting, WRITE, connect, dial, text};
use crate::app::{PASSWORD, TestApp};

async fn app_with(change: impl FnOnce(&mut rollcall::config::Config)) -> TestApp {
    let app = TestApp::start_with(change).await;
    app.add_account("acme");
    app
}

/// Keeps the reason and the words with which the server ends the connection.
#[derive(Clone, Default)]
struct Listening(Arc<Mutex<Option<(String, String)>>>);

impl client::Handler for Listening {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        _key: &russh::keys::PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        Ok(true)
    }

    async fn disconnected(
        &mut self,
        reason: DisconnectReason<Self::Error>,
    ) -> Result<(), Self::Error> {
        if let DisconnectReason::ReceivedDisconnect(told) = reason {
            *self.0.lock().unwrap() = Some((format!("{:?}", told.reason_code), told.message));
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_fault_is_not_told_as_a_wrong_password() {
    // A failure that is counted would make the next login wait for longer than this test does.
    let app = app_with(|config| {
        let longest = 600_000;
        config.throttle.first_delay_ms = longest;
        config.throttle.max_delay_ms = longest;
        config.throttle.familiar_delay_ms = longest;
    })
    .await;
    let folder = app.path("data/clients/acme/files/acme");
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::write(&folder, b"not a folder").unwrap();
    for _ in 0..4 {
        let heard = Listening::default();
        let server = app.bound().sftp.unwrap();
        let mut handle = client::connect(Arc::default(), server, heard.clone()).await.unwrap();
        if let Ok(answer) = handle.authenticate_password("acme", PASSWORD).await {
            assert!(answer.success(), "{answer:?}");
        }
        timeout(PATIENCE, handle).await.unwrap().unwrap();
        let words = "The server cannot open this account now; try again later.".to_owned();
        let told = heard.0.lock().unwrap().take();
        assert_eq!(told, Some(("ServiceNotAvailable".to_owned(), words)));
    }
    std::fs::remove_file(&folder).unwrap();
    assert_eq!(
        timeout(PATIENCE, Sftp::open(&app, "acme"))
            .await
            .unwrap()
            .open_file("/x", READ)
            .await
            .status()
            .0,
        2
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_not_read_block_neither_uploads_nor_window_adjustments() {
    let app = app_with(|_| {}).await;
    let folder = app.path("data/clients/acme/files/acme/papers");
    std::fs::write(folder.join("big"), vec![7; 40 << 20]).unwrap();
    let mut sftp = Sftp::open(&app, "acme").await;
    let big = text(sftp.open_file("/papers/big", READ).await.handle());
    let upload = sftp.open_file("/papers/up", WRITE | CREATE).await.handle();
    // Asks for all of it, and uploads, before it reads one answer.
    for n in 0..1280u64 {
        sftp.ask(5, &[&big, &(n * 32_768).to_be_bytes(), &32_768u32.to_be_bytes()]).await;
        if n < 320 {
            let piece = vec![9; 32_768];
            sftp.ask(6, &[&text(&upload), &(n * 32_768).to_be_bytes(), &text(piece)]).await;
        }
    }
    let close = sftp.ask(4, &[&text(&upload)]).await;
    let (mut bytes, mut closed) = (0, false);
    for _ in 0..=1600 {
        let answer = sftp.answer().await.unwrap();
        if answer.kind == 103 {
            bytes += answer.data().len();
        } else {
            closed |= answer.id == close;
            assert_eq!(answer.status().0, OK);
        }
    }
    assert!(closed);
    assert_eq!(bytes, 40 << 20);
    assert_eq!(std::fs::metadata(folder.join("up")).unwrap().len(), 10 << 20);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_stream_ends_its_channel_and_no_other() {
    let app = app_with(|_| {}).await;
    for nonsense in [&[0xFF; 64][..], &[0, 0, 0, 0], &[0, 0, 0, 9, 3, 0, 0, 0, 1, 0, 0, 0, 99]] {
        let mut first = Sftp::open(&app, "acme").await;
        let handle = first.open_file("/payroll/half", WRITE | CREATE).await.handle();
        assert_eq!(first.write(&handle, 0, b"half").await.0, OK);
        first.raw(nonsense).await;
        assert_eq!(first.end().await, (Some(1), true), "{nonsense:?}");
        let mut second = first.again().await;
        assert!(second.get("/payroll/half").await.is_none());
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_end_the_channel_and_too_many_handles_are_refused() {
    let app = app_with(|config| {
        config.limits.sftp_outstanding_requests = 100;
        config.limits.sftp_handles = 3;
    })
    .await;
    let mut sftp = Sftp::open(&app, "acme").await;
    for _ in 0..3 {
        sftp.call(11, &[&text("/")]).await.handle();
    }
    let (code, answer) = sftp.call(11, &[&text("/")]).await.status();
    assert!(code == FAILURE && answer.contains("close one first"), "{code} {answer}");
    // In one piece, so that no answer can come in between.
    let mut flood = Vec::new();
    for id in 0..5000u32 {
        let path = text("/papers");
        flood.extend((u32::try_from(path.len()).unwrap() + 5).to_be_bytes());
        flood.push(17);
        flood.extend(id.to_be_bytes());
        flood.extend(path);
    }
    sftp.raw(&flood).await;
    assert_eq!(sftp.end().await.0, Some(1));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_shells_and_a_fifth_channel_are_refused() {
    let app = app_with(|_| {}).await;
    let connection = connect(&app, "acme").await;
    let mut channels = Vec::new();
    for _ in 0..4 {
        channels.push(connection.channel_open_session().await.unwrap());
    }
    assert!(connection.channel_open_session().await.is_err());
    assert!(connection.channel_open_direct_tcpip("127.0.0.1", 22, "127.0.0.1", 1).await.is_err());
    let mut said = String::new();
    let mut channel = channels.remove(0);
    channel.exec(true, "cat > /payroll/users.csv").await.unwrap();
    let mut exit = None;
    while let Some(message) = timeout(PATIENCE, channel.wait()).await.unwrap() {
        match message {
            russh::ChannelMsg::ExtendedData { data, .. } => {
                said.push_str(&String::from_utf8_lossy(&data));
            }
            russh::ChannelMsg::ExitStatus { exit_status } => exit = Some(exit_status),
            _ => {}
        }
    }
    assert_eq!(exit, Some(1));
    assert!(said.contains("use sftp or scp"), "{said}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_wrong_passwords_end_the_connection() {
    let app = app_with(|_| {}).await;
    let mut connection = dial(&app).await;
    let mut tries = 0;
    // russh reports a connection that ended as a failure that leaves no method.
    while let Ok(AuthResult::Failure { remaining_methods, .. }) =
        connection.authenticate_password("acme", "wrong-password").await
        && !remaining_methods.is_empty()
    {
        tries += 1;
        assert!(tries <= 3);
    }
    assert_eq!(tries, 3);
    app.stop().await;
}

/// Reads until the server closes; says how long that took.
async fn closed_after(tcp: &mut TcpStream) -> Duration {
    let since = Instant::now();
    let mut sink = [0; 4096];
    while let Ok(Ok(1..)) = timeout(PATIENCE, tcp.read(&mut sink)).await {}
    assert!(since.elapsed() < PATIENCE, "the server does not close");
    since.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_log_in_in_time_is_sent_away() {
    let app = app_with(|config| config.limits.login_timeout_s = 1).await;
    let address = app.bound().sftp.unwrap();
    let mut silent = TcpStream::connect(address).await.unwrap();
    closed_after(&mut silent).await;
    let mut hello = TcpStream::connect(address).await.unwrap();
    hello.write_all(b"SSH-2.0-slow\r\n").await.unwrap();
    closed_after(&mut hello).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_session_ends_although_ssh_itself_chatters() {
    let app = app_with(|config| config.limits.idle_timeout_s = 5).await;
    let mut sftp = Sftp::open(&app, "acme").await;
    let since = Instant::now();
    // Keep-alives are traffic, but nothing of use.
    while since.elapsed() < PATIENCE {
        if sftp.connection().send_keepalive(true).await.is_err() || sftp.connection().is_closed() {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(sftp.answer().await.is_none());
    assert!(since.elapsed() < PATIENCE / 2);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_caps_on_connections_hold_and_are_given_back() {
    let app = app_with(|config| {
        config.limits.max_half_open = 4;
        config.limits.max_connections_per_address = 3;
    })
    .await;
    let address = app.bound().sftp.unwrap();
    let mut half_open =
        [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
    for tcp in &mut half_open {
        assert!(timeout(PATIENCE, tcp.read_u8()).await.unwrap().is_ok(), "greeted");
    }
    let mut third = TcpStream::connect(address).await.unwrap();
    assert!(timeout(PATIENCE, third.read_u8()).await.unwrap().is_err(), "half of the places");
    drop(half_open);
    let since = Instant::now();
    let mut logged_in = Vec::new();
    // A refused connection is reset; the places of the dropped ones come back at once, but not in no time.
    while logged_in.len() < 3 {
        assert!(since.elapsed() < PATIENCE, "places do not come back");
        let config = Arc::new(client::Config::default());
        if let Ok(mut connection) = client::connect(config, address, Trusting).await {
            let login = connection.authenticate_password("acme", PASSWORD).await;
            assert!(login.unwrap().success());
            logged_in.push(connection);
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_sftp_cannot_log_in() {
    let app = app_with(|_| {}).await;
    let patch = rollcall::store::registry::AccountPatch {
        protocols: Some(vec![rollcall::model::Protocol::Ftps]),
        ..Default::default()
    };
    app.service.set_account("acme", &patch).unwrap();
    let mut connection = dial(&app).await;
    let answer = connection.authenticate_password("acme", PASSWORD).await;
    assert!(!answer.unwrap().success());
    app.stop().await;
}
