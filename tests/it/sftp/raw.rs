//! An SFTP client that sends what it is told to, right or wrong, and reads answers only when asked.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use russh::client::{self, Handle, Msg};
use russh::{Channel, ChannelMsg, Disconnect};
use tokio::time::timeout;

use crate::app::{PASSWORD, TestApp};

/// Long enough for a busy machine; a hang is what it is there to find.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) const OK: u32 = 0;
pub(crate) const NO_SUCH_FILE: u32 = 2;
pub(crate) const DENIED: u32 = 3;
pub(crate) const FAILURE: u32 = 4;
pub(crate) const UNSUPPORTED: u32 = 8;

pub(crate) const READ: u32 = 1;
pub(crate) const WRITE: u32 = 2;
pub(crate) const APPEND: u32 = 4;
pub(crate) const CREATE: u32 = 8;
pub(crate) const TRUNCATE: u32 = 16;

/// Accepts any host key: identity is tested elsewhere.
pub(crate) struct Trusting;

impl client::Handler for Trusting {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        _key: &russh::keys::PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

/// A connection that has not logged in.
pub(crate) async fn dial(app: &TestApp) -> Handle<Trusting> {
    // russh awaits a full channel inside its session loop: a client that reads late would block itself.
    let config =
        Arc::new(client::Config { channel_buffer_size: 100_000, ..client::Config::default() });
    client::connect(config, app.bound().sftp.unwrap(), Trusting).await.unwrap()
}

/// A logged-in connection.
pub(crate) async fn connect(app: &TestApp, login: &str) -> Handle<Trusting> {
    let mut handle = dial(app).await;
    assert!(handle.authenticate_password(login, PASSWORD).await.unwrap().success());
    handle
}

/// One SFTP channel.
pub(crate) struct Sftp {
    pub(crate) channel: Channel<Msg>,
    connection: Handle<Trusting>,
    got: BytesMut,
    next: u32,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) kind: u8,
    pub(crate) id: u32,
    pub(crate) body: Bytes,
}

impl Answer {
    /// Code and text of a STATUS.
    pub(crate) fn status(mut self) -> (u32, String) {
        assert_eq!(self.kind, 101, "{self:?} is no status");
        let code = self.body.get_u32();
        (code, take_text(&mut self.body))
    }

    pub(crate) fn handle(mut self) -> String {
        assert_eq!(self.kind, 102, "{self:?} is no handle");
        take_text(&mut self.body)
    }

    pub(crate) fn data(mut self) -> Bytes {
        assert_eq!(self.kind, 103, "{self:?} is no data");
        self.body.get_u32();
        self.body
    }

    /// Size of an ATTRS.
    pub(crate) fn size(mut self) -> u64 {
        assert_eq!(self.kind, 105, "{self:?} are no attributes");
        assert_eq!(self.body.get_u32() & 1, 1);
        self.body.get_u64()
    }
}

fn take_text(body: &mut Bytes) -> String {
    let length = usize::try_from(body.get_u32()).unwrap();
    String::from_utf8(body.split_to(length).to_vec()).unwrap()
}

/// A string as SFTP sends it.
pub(crate) fn text(raw: impl AsRef<[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_u32(u32::try_from(raw.as_ref().len()).unwrap());
    out.extend_from_slice(raw.as_ref());
    out
}

impl Sftp {
    /// Logs in, starts SFTP and greets.
    pub(crate) async fn open(app: &TestApp, login: &str) -> Self {
        Self::start(connect(app, login).await).await
    }

    pub(crate) async fn start(connection: Handle<Trusting>) -> Self {
        let channel = connection.channel_open_session().await.unwrap();
        channel.request_subsystem(true, "sftp").await.unwrap();
        let mut sftp = Self { channel, connection, got: BytesMut::new(), next: 1 };
        sftp.raw(&[0, 0, 0, 5, 1, 0, 0, 0, 3]).await;
        let version = sftp.answer().await.unwrap();
        assert_eq!((version.kind, version.id), (2, 3));
        sftp
    }

    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        timeout(PATIENCE, self.channel.data(bytes)).await.unwrap().unwrap();
    }

    /// Sends a request and returns its id.
    pub(crate) async fn ask(&mut self, kind: u8, parts: &[&[u8]]) -> u32 {
        let id = self.next;
        self.next += 1;
        let body = parts.concat();
        let mut frame = Vec::new();
        frame.put_u32(u32::try_from(body.len() + 5).unwrap());
        frame.put_u8(kind);
        frame.put_u32(id);
        frame.extend_from_slice(&body);
        self.raw(&frame).await;
        id
    }

    /// The next answer; `None` when the channel has ended.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        loop {
            if let Some(length) = self.got.first_chunk::<4>() {
                let length = usize::try_from(u32::from_be_bytes(*length)).unwrap();
                if self.got.len() >= length + 4 {
                    let mut frame = self.got.split_to(length + 4).freeze();
                    frame.advance(4);
                    return Some(Answer { kind: frame.get_u8(), id: frame.get_u32(), body: frame });
                }
            }
            match timeout(PATIENCE, self.channel.wait()).await.unwrap() {
                Some(ChannelMsg::Data { data }) => self.got.extend_from_slice(&data),
                Some(ChannelMsg::Close) | None => return None,
                Some(_) => {}
            }
        }
    }

    /// Sends a request and takes its answer.
    pub(crate) async fn call(&mut self, kind: u8, parts: &[&[u8]]) -> Answer {
        let id = self.ask(kind, parts).await;
        let answer = self.answer().await.unwrap();
        assert_eq!(answer.id, id);
        answer
    }

    pub(crate) async fn open_file(&mut self, path: &str, flags: u32) -> Answer {
        self.call(3, &[&text(path), &flags.to_be_bytes(), &[0; 4]]).await
    }

    pub(crate) async fn write(&mut self, handle: &str, offset: u64, data: &[u8]) -> (u32, String) {
        self.call(6, &[&text(handle), &offset.to_be_bytes(), &text(data)]).await.status()
    }

    pub(crate) async fn close(&mut self, handle: &str) -> (u32, String) {
        self.call(4, &[&text(handle)]).await.status()
    }

    /// Uploads a file in good order.
    pub(crate) async fn put(&mut self, path: &str, data: &[u8]) -> (u32, String) {
        let handle = self.open_file(path, WRITE | CREATE | TRUNCATE).await.handle();
        for (piece, offset) in data.chunks(200_000).zip((0u64..).step_by(200_000)) {
            assert_eq!(self.write(&handle, offset, piece).await.0, OK);
        }
        self.close(&handle).await
    }

    /// Reads a file of at most 200,000 bytes; `None` if it is not there.
    pub(crate) async fn get(&mut self, path: &str) -> Option<Bytes> {
        let opened = self.open_file(path, READ).await;
        if opened.kind == 101 {
            assert_eq!(opened.status().0, NO_SUCH_FILE);
            return None;
        }
        let handle = opened.handle();
        let (at, most) = (0u64.to_be_bytes(), 200_000u32.to_be_bytes());
        let read = self.call(5, &[&text(&handle), &at, &most]).await;
        let data = if read.kind == 101 { Bytes::new() } else { read.data() };
        assert_eq!(self.close(&handle).await.0, OK);
        Some(data)
    }

    /// Everything that comes until the channel is closed: exit status, and whether EOF came.
    pub(crate) async fn end(&mut self) -> (Option<u32>, bool) {
        let (mut status, mut eof) = (None, false);
        loop {
            match timeout(PATIENCE, self.channel.wait()).await.unwrap() {
                Some(ChannelMsg::ExitStatus { exit_status }) => status = Some(exit_status),
                Some(ChannelMsg::Eof) => eof = true,
                Some(ChannelMsg::Close) | None => return (status, eof),
                Some(_) => {}
            }
        }
    }

    /// SFTP anew, on another channel of the same connection.
    pub(crate) async fn again(self) -> Self {
        Self::start(self.connection).await
    }

    /// Goes away without closing anything.
    pub(crate) async fn hang_up(self) {
        self.connection.disconnect(Disconnect::ByApplication, "", "").await.unwrap();
    }

    pub(crate) fn connection(&self) -> &Handle<Trusting> {
        &self.connection
    }
}
