//! A logged-in account: everything that a transport may do, in the account's own view.

use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Service;
use crate::error::{Error, Kind, Result};
use crate::model::{Account, Client, Folder, Language, Protocol, VPath};
pub use crate::vfs::{Entry, Open, Overwrite, Space, Stat, StatKind};

/// A logged-in account. Cheap to clone. Blocking unless marked async: call from a thread that may block.
#[derive(Clone)]
pub struct Session(Arc<State>);

struct State {
    service: Service,
    account: Account,
    client: Client,
    folders: Vec<Folder>,
    protocol: Protocol,
    ended: CancellationToken,
}

impl Session {
    /// Begins the session of an account that has proved who it is.
    ///
    /// # Errors
    /// [`Kind::Busy`] when the account has `limits.sessions_per_account` sessions.
    #[expect(dead_code, reason = "called by the login")]
    pub(super) fn begin(
        service: &Service,
        account: Account,
        client: Client,
        folders: Vec<Folder>,
        protocol: Protocol,
    ) -> Result<Self> {
        let ended = CancellationToken::new();
        Ok(Self(Arc::new(State {
            service: service.clone(),
            account,
            client,
            folders,
            protocol,
            ended,
        })))
    }

    /// The account's login.
    #[must_use]
    pub fn login(&self) -> &str {
        &self.0.account.login
    }

    /// The client's slug.
    #[must_use]
    pub fn client(&self) -> &str {
        &self.0.client.slug
    }

    /// The language of the client's reports.
    #[must_use]
    pub fn language(&self) -> Language {
        self.0.client.language
    }

    /// The connection type of this session.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.0.protocol
    }

    /// Resolves when the account or client was disabled or removed, or lost this connection type.
    pub async fn ended(&self) {
        self.0.ended.cancelled().await;
    }

    /// What `path` is. A path that this session is uploading to answers its staged size.
    ///
    /// # Errors
    /// [`Kind::NotFound`] and file system faults.
    pub fn stat(&self, path: &VPath) -> Result<Stat> {
        self.not_yet(path)
    }

    /// The folder's entries, read as they are asked for, in no order.
    ///
    /// # Errors
    /// [`Kind::NotFound`], [`Kind::NotFolder`].
    pub fn list(&self, path: &VPath) -> Result<Listing> {
        self.not_yet(path)
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// [`Kind::NotFound`], [`Kind::IsFolder`].
    pub fn open_read(&self, path: &VPath) -> Result<Download> {
        self.not_yet(path)
    }

    /// Starts an upload to `path`. Nothing is visible there before [`Staged::commit`].
    ///
    /// # Errors
    /// [`Kind::Denied`] for reserved names and for resuming a received file in an import folder,
    /// [`Kind::Exists`], [`Kind::IsFolder`], [`Kind::NotFound`] (no such folder), [`Kind::NoSpace`], [`Kind::Quota`].
    pub fn open_upload(&self, path: &VPath, open: Open) -> Result<Staged> {
        let _ = open;
        self.not_yet(path)
    }

    /// Makes a folder.
    ///
    /// # Errors
    /// [`Kind::Exists`], [`Kind::NotFound`], [`Kind::Denied`].
    pub fn make_dir(&self, path: &VPath) -> Result<()> {
        self.not_yet(path)
    }

    /// Removes an empty folder.
    ///
    /// # Errors
    /// [`Kind::NotEmpty`], [`Kind::NotFolder`], [`Kind::Denied`] for import folders and what holds them.
    pub fn remove_dir(&self, path: &VPath) -> Result<()> {
        self.not_yet(path)
    }

    /// Removes a file.
    ///
    /// # Errors
    /// [`Kind::NotFound`], [`Kind::IsFolder`].
    pub fn remove_file(&self, path: &VPath) -> Result<()> {
        self.not_yet(path)
    }

    /// Renames; a file that gets a name which its import folder imports is committed like an upload.
    ///
    /// # Errors
    /// [`Kind::Exists`] with [`Overwrite::Never`], [`Kind::Denied`] for reserved names and import folders.
    pub fn rename(&self, from: &VPath, to: &VPath, overwrite: Overwrite) -> Result<Receipt> {
        let _ = (to, overwrite);
        self.not_yet(from)
    }

    /// Sets the modification time.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub fn set_modified(&self, path: &VPath, modified: Timestamp) -> Result<()> {
        let _ = modified;
        self.not_yet(path)
    }

    /// The room that uploads have.
    ///
    /// # Errors
    /// The disk cannot be asked.
    pub fn space(&self) -> Result<Space> {
        self.not_yet(&VPath::root())
    }

    fn not_yet<T>(&self, path: &VPath) -> Result<T> {
        let _ = (&self.0.service, &self.0.folders);
        Err(Error::new(Kind::Unsupported, format!("{path}: file access is being built")))
    }
}

/// A folder's entries, read as they are asked for.
pub struct Listing;

impl Iterator for Listing {
    type Item = Result<Entry>;
    fn next(&mut self) -> Option<Self::Item> {
        None
    }
}

/// A file open for reading. `Send + Sync`; share it in an `Arc`.
pub struct Download {
    stat: Stat,
}

impl Download {
    /// What it is; the size is that of its opening.
    #[must_use]
    pub fn stat(&self) -> Stat {
        self.stat
    }

    /// Its size in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.stat.bytes
    }

    /// Reads at `offset` until `buffer` is full or the file ends; 0 at the end.
    ///
    /// # Errors
    /// File system faults.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let _ = (offset, buffer);
        Ok(0)
    }
}

/// An upload under way. Dropping it without [`Staged::commit`] is an interruption.
pub struct Staged {
    path: VPath,
    bytes: u64,
}

impl Staged {
    /// The target.
    #[must_use]
    pub fn path(&self) -> &VPath {
        &self.path
    }

    /// Its size now, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes all of `data` at `offset`. After an error the upload is poisoned: every later call fails.
    ///
    /// # Errors
    /// [`Kind::TooLarge`], [`Kind::Quota`], [`Kind::NoSpace`], [`Kind::Invalid`] (offset), [`Kind::Internal`].
    pub fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<()> {
        let _ = (offset, data);
        Err(Error::new(Kind::Unsupported, "uploads are being built"))
    }

    /// Reads back what was written; 0 at the end.
    ///
    /// # Errors
    /// File system faults.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let _ = (offset, buffer);
        Ok(0)
    }

    /// Cuts or extends (with zeros, within the limits) to `bytes`.
    ///
    /// # Errors
    /// As [`Staged::write_at`].
    pub fn truncate(&mut self, bytes: u64) -> Result<()> {
        let _ = bytes;
        Ok(())
    }

    /// Puts what was written so far onto the disk (`fsync@openssh.com`).
    ///
    /// # Errors
    /// File system faults; the upload is poisoned.
    pub fn sync(&mut self) -> Result<()> {
        Ok(())
    }

    /// Sets the modification time that the published file will have.
    pub fn set_modified(&mut self, modified: Timestamp) {
        let _ = modified;
    }

    /// The upload was proved complete: makes it durable, publishes it and hands it to the importer.
    ///
    /// # Errors
    /// Nothing was published; the file that was there before is untouched.
    pub fn commit(self) -> Result<Receipt> {
        Err(Error::new(Kind::Unsupported, "uploads are being built"))
    }

    /// The upload was not proved complete (connection lost, ABOR …): nothing is published, and `why` is recorded.
    pub fn interrupt(self, why: &str) {
        let _ = why;
    }
}

/// The proof that a commit is durable.
pub struct Receipt {
    answer: Answer,
}

impl Receipt {
    /// Waits for the import, if there is one, up to `limits.reply_wait_s`.
    pub async fn settle(self) -> Answer {
        self.answer
    }
}

/// What to tell the client: one line, English, without line ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// `412 rows: 3 created, 9 updated, 2 refused; see users.csv.report.csv`, `Stored` …
    pub text: String,
}
