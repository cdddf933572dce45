//! libunftp's storage back-end over a session. Payload never passes libunftp: the edge registers each transfer here,
//! with its own data connection, and libunftp's command only sets it off.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};
use unftp_core::auth::{
    AuthenticationError, Authenticator, Credentials, Principal, UserDetail, UserDetailError,
    UserDetailProvider,
};
use unftp_core::storage::{Error as StorageError, ErrorKind, Fileinfo, Metadata, StorageBackend};

use super::reply::Reply;
use super::transfer::{self, DownloadOrder, UploadOrder};
use crate::error::{Error, Kind};
use crate::model::VPath;
use crate::service::session::{Overwrite, Receipt, Session, Stat};
use crate::transport::aside::blocking;

type Outcome<T> = Result<T, StorageError>;

/// What the edge and the back-end of one connection tell each other.
pub(super) struct Exchange {
    session: Session,
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    upload: Option<UploadOrder>,
    download: Option<DownloadOrder>,
    refusal: Option<Reply>,
    renamed: Option<Receipt>,
}

impl Exchange {
    pub(super) fn new(session: Session) -> Arc<Self> {
        Arc::new(Self { session, slots: Mutex::default() })
    }

    pub(super) fn order_upload(&self, order: UploadOrder) {
        self.slots().upload = Some(order);
    }

    pub(super) fn order_download(&self, order: DownloadOrder) {
        self.slots().download = Some(order);
    }

    /// Why the last operation failed, in words; libunftp itself only passes a code on.
    pub(super) fn take_refusal(&self) -> Option<Reply> {
        self.slots().refusal.take()
    }

    /// The receipt of the last rename.
    pub(super) fn take_renamed(&self) -> Option<Receipt> {
        self.slots().renamed.take()
    }

    /// Drops an order that libunftp has not brought to the back-end.
    pub(super) fn drop_untaken(&self) {
        let mut slots = self.slots();
        slots.upload = None;
        slots.download = None;
    }

    /// Forgets what an operation that never came to its end left here.
    pub(super) fn clear(&self) {
        *self.slots() = Slots::default();
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse(&self, reply: Reply) -> StorageError {
        let kind = kind_of(reply.code());
        self.slots().refusal = Some(reply);
        StorageError::from(kind)
    }
}

/// The error that makes libunftp answer `code`, or the nearest that it has.
fn kind_of(code: u16) -> ErrorKind {
    match code {
        426 | 425 => ErrorKind::ConnectionClosed,
        450 => ErrorKind::TransientFileNotAvailable,
        452 => ErrorKind::InsufficientStorageSpaceError,
        550 => ErrorKind::PermanentFileNotAvailable,
        552 => ErrorKind::ExceededStorageAllocationError,
        553 => ErrorKind::FileNameNotAllowedError,
        502 | 504 => ErrorKind::CommandNotImplemented,
        _ => ErrorKind::LocalError,
    }
}

/// The account that libunftp serves. The edge has logged it in before libunftp was started.
#[derive(Debug)]
pub(super) struct LoggedIn;

impl fmt::Display for LoggedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("account")
    }
}

impl UserDetail for LoggedIn {}

/// Lets the one user in for whom this libunftp was started: the edge has asked `service.log_in` with the client's
/// real address before, and nobody else can reach the loopback pair.
#[derive(Debug)]
pub(super) struct Vouched;

#[async_trait]
impl Authenticator for Vouched {
    async fn authenticate(
        &self,
        username: &str,
        _credentials: &Credentials,
    ) -> Result<Principal, AuthenticationError> {
        Ok(Principal { username: username.to_owned() })
    }
}

#[async_trait]
impl UserDetailProvider for Vouched {
    type User = LoggedIn;
    async fn provide_user_detail(
        &self,
        _principal: &Principal,
    ) -> Result<LoggedIn, UserDetailError> {
        Ok(LoggedIn)
    }
}

/// What libunftp may know of a file.
#[derive(Debug)]
pub(super) struct Meta(Stat);

impl Metadata for Meta {
    fn len(&self) -> u64 {
        self.0.bytes
    }
    fn is_dir(&self) -> bool {
        self.0.is_folder()
    }
    fn is_file(&self) -> bool {
        !self.0.is_folder()
    }
    fn is_symlink(&self) -> bool {
        false
    }
    fn modified(&self) -> Outcome<SystemTime> {
        Ok(SystemTime::from(self.0.modified))
    }
    fn gid(&self) -> u32 {
        0
    }
    fn uid(&self) -> u32 {
        0
    }
}

/// The back-end of one connection.
#[derive(Clone)]
pub(super) struct Backend(pub(super) Arc<Exchange>);

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Backend").field(&self.0.session.login()).finish()
    }
}

impl Backend {
    fn path<P: AsRef<Path>>(&self, path: P) -> Outcome<VPath> {
        let text = path.as_ref().to_str().unwrap_or("\u{FFFD}");
        VPath::root().join(text).map_err(|why| self.0.refuse(Reply::new(553, why)))
    }

    async fn run<T: Send + 'static>(
        &self,
        refusal: fn(&Error) -> Reply,
        work: impl FnOnce(&Session) -> crate::error::Result<T> + Send + 'static,
    ) -> Outcome<T> {
        let session = self.0.session.clone();
        blocking(move || work(&session)).await.map_err(|e| self.0.refuse(refusal(&e)))
    }
}

#[async_trait]
impl StorageBackend<LoggedIn> for Backend {
    type Metadata = Meta;

    fn supported_features(&self) -> u32 {
        unftp_core::storage::FEATURE_RESTART
    }

    async fn metadata<P: AsRef<Path> + Send + fmt::Debug>(
        &self,
        _user: &LoggedIn,
        path: P,
    ) -> Outcome<Meta> {
        let path = self.path(path)?;
        self.run(Reply::error, move |session| session.stat(&path)).await.map(Meta)
    }

    /// Listings are written by the edge, page by page; libunftp is never asked for one.
    async fn list<P: AsRef<Path> + Send + fmt::Debug>(
        &self,
        _user: &LoggedIn,
        _path: P,
    ) -> Outcome<Vec<Fileinfo<PathBuf, Meta>>> {
        Err(ErrorKind::CommandNotImplemented.into())
    }

    /// Carries out the registered download; `output`, libunftp's own data connection, stays empty.
    async fn get_into<'a, P, W: ?Sized>(
        &self,
        _user: &LoggedIn,
        path: P,
        _start_pos: u64,
        _output: &'a mut W,
    ) -> Outcome<u64>
    where
        W: AsyncWrite + Unpin + Sync + Send,
        P: AsRef<Path> + Send + fmt::Debug,
    {
        let path = self.path(path)?;
        let Some(order) = self.0.slots().download.take() else {
            return Err(ErrorKind::LocalError.into());
        };
        let DownloadOrder { lane, offset, ready, data, done } = order;
        let sent = transfer::send(&self.0.session, path, &lane, offset, ready, data).await;
        let outcome = sent.as_ref().copied().map_err(|reply| kind_of(reply.code()).into());
        drop(done.send(sent));
        outcome
    }

    /// Never asked: `get_into` is what libunftp calls.
    async fn get<P: AsRef<Path> + Send + fmt::Debug>(
        &self,
        _user: &LoggedIn,
        _path: P,
        _start_pos: u64,
    ) -> Outcome<Box<dyn AsyncRead + Send + Sync + Unpin>> {
        Err(ErrorKind::CommandNotImplemented.into())
    }

    /// Carries out the registered upload; `input`, libunftp's own data connection, is not read.
    async fn put<
        P: AsRef<Path> + Send + fmt::Debug,
        R: AsyncRead + Send + Sync + Unpin + 'static,
    >(
        &self,
        _user: &LoggedIn,
        _input: R,
        path: P,
        _start_pos: u64,
    ) -> Outcome<u64> {
        let path = self.path(path)?;
        let Some(order) = self.0.slots().upload.take() else {
            return Err(ErrorKind::LocalError.into());
        };
        let UploadOrder { lane, open, offset, ready, data, done } = order;
        let stored =
            transfer::receive(&self.0.session, path, &lane, (open, offset), ready, data).await;
        let outcome = match &stored {
            Ok(stored) => Ok(stored.bytes),
            Err(reply) => Err(kind_of(reply.code()).into()),
        };
        drop(done.send(stored));
        outcome
    }

    async fn del<P: AsRef<Path> + Send + fmt::Debug>(
        &self,
        _user: &LoggedIn,
        path: P,
    ) -> Outcome<()> {
        let path = self.path(path)?;
        self.run(Reply::error, move |session| session.remove_file(&path)).await
    }

    async fn mkd<P: AsRef<Path> + Send + fmt::Debug>(
        &self,
        _user: &LoggedIn,
        path: P,
    ) -> Outcome<()> {
        let path = self.path(path)?;
        self.run(Reply::error, move |session| session.make_dir(&path)).await
    }

    async fn rename<P: AsRef<Path> + Send + fmt::Debug>(
        &self,
        _user: &LoggedIn,
        from: P,
        to: P,
    ) -> Outcome<()> {
        let (from, to) = (self.path(from)?, self.path(to)?);
        let rename = move |session: &Session| session.rename(&from, &to, Overwrite::Allow);
        let receipt = self.run(Reply::name_error, rename).await?;
        self.0.slots().renamed = Some(receipt);
        Ok(())
    }

    async fn rmd<P: AsRef<Path> + Send + fmt::Debug>(
        &self,
        _user: &LoggedIn,
        path: P,
    ) -> Outcome<()> {
        let path = self.path(path)?;
        self.run(Reply::error, move |session| session.remove_dir(&path)).await
    }

    async fn cwd<P: AsRef<Path> + Send + fmt::Debug>(
        &self,
        _user: &LoggedIn,
        path: P,
    ) -> Outcome<()> {
        let path = self.path(path)?;
        let enter = move |session: &Session| match session.stat(&path)?.is_folder() {
            true => Ok(()),
            false => Err(Error::new(Kind::NotFolder, format!("{path} is a file, not a folder"))),
        };
        self.run(Reply::error, enter).await
    }

    fn enter(&mut self, _user: &LoggedIn) -> io::Result<()> {
        Ok(())
    }
}
