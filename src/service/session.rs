//! A logged-in account: everything that a transport may do, in the account's own view.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::access::{self, Access};
use super::activity::Deed;
use super::uploading::Uploads;
use super::{Service, drops, names};
use crate::error::{Error, Kind, Result};
use crate::model::{Client, Folder, Language, Protocol, Right, Rights, VPath};
use crate::store::registry::LoginFacts;
use crate::vfs::{AccountSpace, ClientSpace, Inode, OpenShare};

pub use super::commit::{Answer, Receipt};
pub use super::staged::Staged;
pub use crate::vfs::{Download, Entry, Listing, Open, Overwrite, Space, Stat, StatKind, Turn};

/// Beyond this nothing is added to what the other side says of itself.
const MEANS_BYTES: usize = 500;

/// A logged-in account. Cheap to clone. Blocking unless marked async: call from a thread that may block.
#[derive(Clone)]
pub struct Session(pub(super) Arc<State>);

/// What a session shares with the service that may end it.
pub(super) struct State {
    pub(super) service: Service,
    pub(super) login: String,
    /// Tells an account from a later one of the same login.
    pub(super) created_at: Timestamp,
    pub(super) client: Client,
    pub(super) protocol: Protocol,
    pub(super) space: Arc<ClientSpace>,
    pub(super) files: AccountSpace,
    folders: RwLock<Arc<Vec<Folder>>>,
    access: RwLock<Arc<Access>>,
    peer: IpAddr,
    /// What the other side runs and how the connection is protected, as far as it was told.
    means: Mutex<String>,
    pub(super) uploads: Uploads,
    pub(super) ended: CancellationToken,
}

impl Session {
    /// Begins the session of an account that has proved who it is.
    ///
    /// # Errors
    /// [`Kind::Busy`] when the account has as many sessions as it may; file system faults.
    pub(super) fn begin(
        service: &Service,
        facts: LoginFacts,
        protocol: Protocol,
        peer: IpAddr,
    ) -> Result<Self> {
        let most = service.config().limits.sessions_per_account;
        let own = facts.limits.max_sessions.and_then(|n| usize::try_from(n).ok());
        let most = own.map_or(most, |own| own.min(most));
        let access = RwLock::new(Arc::new(Access::of(&facts)));
        let LoginFacts { account, client, folders, .. } = facts;
        let space = service.client_space(&client.slug)?;
        let files = space.account(&account.login)?;
        make_missing(&files, &account.login, &folders)?;
        let session = Self(Arc::new(State {
            service: service.clone(),
            login: account.login,
            created_at: account.created_at,
            client,
            protocol,
            space,
            files,
            folders: RwLock::new(Arc::new(folders)),
            access,
            peer,
            means: Mutex::default(),
            uploads: Uploads::default(),
            ended: CancellationToken::new(),
        }));
        service.0.sessions.add(&session.0, most)?;
        Ok(session)
    }

    /// The account's login.
    #[must_use]
    pub fn login(&self) -> &str {
        &self.0.login
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

    /// Whether an FTPS data end without TLS close_notify counts for this account.
    #[must_use]
    pub fn lenient_data_end(&self) -> bool {
        self.0.access().rules().lenient_data_end
    }

    /// How long nothing may move on this session.
    #[must_use]
    pub fn idle_timeout(&self) -> Duration {
        let own = self.0.access().limits().idle_timeout_s.map(u64::from);
        Duration::from_secs(own.unwrap_or(self.0.service.config().limits.idle_timeout_s))
    }

    /// What `path` is. A path that this session is uploading to answers its staged size.
    ///
    /// # Errors
    /// [`Kind::NotFound`] and file system faults.
    pub fn stat(&self, path: &VPath) -> Result<Stat> {
        if let Some(bytes) = self.0.uploads.bytes_at(path) {
            let modified = self.0.service.clock().now();
            return Ok(Stat { kind: StatKind::File, bytes, modified });
        }
        self.0.files.stat(path)
    }

    /// The folder's entries, read as they are asked for, in no order.
    ///
    /// # Errors
    /// [`Kind::NotFound`], [`Kind::NotFolder`], [`Kind::Denied`]; [`Kind::Busy`]: too many files are open.
    pub fn list(&self, path: &VPath) -> Result<Listing> {
        self.0.access().need(path, Right::List)?;
        let share = self.0.open_files(1)?;
        Ok(self.0.files.list(path)?.counted(share))
    }

    /// What the account may do at `path`: for listings that tell it, not in place of the checks of each operation.
    #[must_use]
    pub fn rights_at(&self, path: &VPath) -> Rights {
        self.0.access().at(path)
    }

    /// Whether a folder may be renamed or removed by anybody: import folders and those with rights of their own stay.
    #[must_use]
    pub fn may_be_moved(&self, path: &VPath) -> bool {
        self.0.may_move(path).is_ok() && self.0.access().need_whole(path).is_ok()
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// [`Kind::NotFound`], [`Kind::IsFolder`], [`Kind::Denied`]; [`Kind::Busy`]: too many files are open.
    pub fn open_read(&self, path: &VPath) -> Result<Download> {
        self.0.access().need(path, Right::Read)?;
        let share = self.0.open_files(1)?;
        Ok(self.0.files.open_read(path)?.counted(share))
    }

    /// Waits for the client's turn at reading a block of a file for its hash, which costs the client nothing to ask for.
    #[must_use]
    pub fn turn(&self) -> Turn<'_> {
        self.0.space.turns.take()
    }

    /// Waits until few enough commits and renames of the client are under way for one more.
    pub async fn commit_turn(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed, so everybody gets in.
        Arc::clone(&self.0.space.commits).acquire_owned().await.ok()
    }

    /// A file was sent to its end, and the client knows it: one that was handed over counts as fetched.
    pub fn note_sent_whole(&self, file: &Download) {
        drops::sent_whole(&self.0, file);
    }

    /// What the other side runs, or how the connection is protected: for `rollcall log`.
    pub fn note_program(&self, words: &str) {
        self.0.note_program(words);
    }

    /// A download has ended, `sent_bytes` after it began.
    pub fn note_download(&self, path: &VPath, sent_bytes: u64) {
        self.0.note("download", path, &Deed { bytes: Some(sent_bytes), ..Deed::default() });
    }

    /// Starts an upload to `path`. Nothing is visible there before [`Staged::commit`].
    ///
    /// # Errors
    /// [`Kind::Denied`] for reserved names and for resuming a received file in an import folder,
    /// [`Kind::Exists`], [`Kind::IsFolder`], [`Kind::NotFound`] (no such folder), [`Kind::NoSpace`], [`Kind::Quota`],
    /// [`Kind::Busy`] (too many files are open, too many uploads wait).
    pub fn open_upload(&self, path: &VPath, open: Open) -> Result<Staged> {
        Staged::open(&self.0, path, open)
    }

    /// Makes a folder.
    ///
    /// # Errors
    /// [`Kind::Exists`], [`Kind::NotFound`], [`Kind::Denied`].
    pub fn make_dir(&self, path: &VPath) -> Result<()> {
        self.0.access().need(path, Right::Mkdir)?;
        self.0.may_write(path)?;
        self.0.files.make_dir(path)?;
        self.0.note("mkdir", path, &Deed::default());
        Ok(())
    }

    /// Removes an empty folder.
    ///
    /// # Errors
    /// [`Kind::NotEmpty`], [`Kind::NotFolder`], [`Kind::Denied`] for import folders and what holds them.
    pub fn remove_dir(&self, path: &VPath) -> Result<()> {
        self.0.access().need(path, Right::Delete)?;
        self.0.may_move(path)?;
        self.0.files.remove_dir(path)?;
        self.0.note("rmdir", path, &Deed::default());
        Ok(())
    }

    /// Removes a file. One that this session is still sending there is never stored, whatever its end says.
    ///
    /// # Errors
    /// [`Kind::NotFound`], [`Kind::IsFolder`], [`Kind::Denied`].
    pub fn remove_file(&self, path: &VPath) -> Result<()> {
        self.0.access().need(path, Right::Delete)?;
        let _guard = self.0.service.0.locks.lock(&self.0.login, &[path]);
        let removed = self.0.files.remove_file(path);
        let is_gone = removed.as_ref().map_or_else(|e| e.kind() == Kind::NotFound, |_| true);
        let unsent = is_gone && self.0.uploads.remove(path);
        let was = match removed {
            Err(_) if unsent => {
                let detail = "before it was closed; nothing of it is stored";
                self.0.note("delete", path, &Deed { detail, ..Deed::default() });
                return Ok(());
            }
            removed => removed?,
        };
        self.0.left(path, &was, "the account removed it before it was read whole");
        self.0.note("delete", path, &Deed { bytes: Some(was.stat.bytes), ..Deed::default() });
        Ok(())
    }

    /// Renames; a file that gets a name which its import folder imports is committed like an upload. One that this session
    /// is still sending gets its new name when it is closed.
    ///
    /// # Errors
    /// [`Kind::Exists`] with [`Overwrite::Never`], [`Kind::Denied`] for reserved names and import folders, and where what
    /// is moved could be read only at its new place.
    pub fn rename(&self, from: &VPath, to: &VPath, overwrite: Overwrite) -> Result<Receipt> {
        let access = self.0.access();
        access.need(from, Right::Rename)?;
        access.need_whole(from)?;
        if from.parent() != to.parent() {
            // Elsewhere it is a new file like one that is sent, and here it is gone.
            access.need(to, Right::Write)?;
            access.need(from, Right::Delete)?;
        }
        if access.has_at_or_below(to, Right::Read) {
            // It could be read there. No other rights hold below `from`, or it could not be renamed.
            access.need(from, Right::Read)?;
        }
        if overwrite == Overwrite::Allow && !access.has(to, Right::Overwrite) {
            if from != to && self.0.files.stat(to).is_ok() {
                access.need(to, Right::Overwrite)?;
            }
            // Whoever is quicker: what lies there by then stays.
            return self.renamed(from, to, Overwrite::Never);
        }
        self.renamed(from, to, overwrite)
    }

    fn renamed(&self, from: &VPath, to: &VPath, overwrite: Overwrite) -> Result<Receipt> {
        let receipt = super::rename::rename(&self.0, from, to, overwrite)?;
        self.0.note("rename", from, &Deed { detail: &format!("to {to}"), ..Deed::default() });
        Ok(receipt)
    }

    /// Sets the modification time.
    ///
    /// # Errors
    /// [`Kind::NotFound`], [`Kind::Denied`] for an account that may not send files there.
    pub fn set_modified(&self, path: &VPath, modified: Timestamp) -> Result<()> {
        let access = self.0.access();
        if !access.has(path, Right::Overwrite) && !access.has(path, Right::Append) {
            access.need(path, Right::Write)?;
        }
        self.0.files.set_modified(path, modified)
    }

    /// The room that uploads have.
    ///
    /// # Errors
    /// The disk cannot be asked.
    pub fn space(&self) -> Result<Space> {
        let space = self.0.space.space()?;
        let Some(quota) = self.0.access().limits().quota_bytes else { return Ok(space) };
        let left = quota.saturating_sub(self.0.files.usage()?.bytes);
        Ok(Space {
            total_bytes: space.total_bytes.min(quota),
            free_bytes: space.free_bytes.min(left),
        })
    }
}

/// Makes the folders that are missing. One in whose place a file lies stays as it is: an upload into it is refused, and the
/// account's other folders are not closed for it.
///
/// # Errors
/// File system faults.
pub(super) fn make_missing(files: &AccountSpace, login: &str, folders: &[Folder]) -> Result<()> {
    for folder in folders {
        match files.folder_or_new(&folder.path) {
            Err(error) if error.kind() == Kind::NotFolder => {
                let name = folder.name.as_str();
                tracing::warn!(%error, login, name, "a file lies where a remote folder should be");
            }
            made => drop(made?),
        }
    }
    Ok(())
}

impl State {
    /// The account's folders as they stand now.
    pub(super) fn folders(&self) -> Arc<Vec<Folder>> {
        Arc::clone(&self.folders.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes up what an operator changed.
    pub(super) fn take_up(&self, facts: LoginFacts) {
        let access = Arc::new(Access::of(&facts));
        *self.access.write().unwrap_or_else(PoisonError::into_inner) = access;
        let folders = Arc::new(facts.folders);
        *self.folders.write().unwrap_or_else(PoisonError::into_inner) = folders;
    }

    /// Adds to what is known of the other side.
    pub(super) fn add_means(&self, words: &str) {
        let mut means = self.means.lock().unwrap_or_else(PoisonError::into_inner);
        if means.len() < MEANS_BYTES {
            let between = if means.is_empty() { "" } else { "; " };
            means.extend([between, words]);
        }
    }

    /// What the other side runs and how the connection is protected.
    pub(super) fn means(&self) -> String {
        self.means.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where the session comes from.
    pub(super) fn peer(&self) -> IpAddr {
        self.peer
    }

    /// What the account may do, as it stands now.
    pub(super) fn access(&self) -> Arc<Access> {
        Arc::clone(&self.access.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the account as it is now may be here in this way.
    pub(super) fn is_allowed_by(&self, facts: &LoginFacts, now: Timestamp) -> bool {
        facts.client.slug == self.client.slug
            && facts.account.created_at == self.created_at
            && access::may_enter(facts, self.protocol, self.peer, now).is_ok()
    }

    /// Ends the session when its account has expired meanwhile.
    pub(super) fn end_if_expired(&self, now: Timestamp) {
        let end = self.access().rules().expires_at;
        if end.is_some_and(|end| end <= now) && !self.ended.is_cancelled() {
            self.ended.cancel();
            tracing::info!(login = self.login, "ending a session: its account has expired");
        }
    }

    /// Refuses names that are the server's own.
    pub(super) fn may_write(&self, path: &VPath) -> Result<()> {
        self.service.0.home.check(self.service.data())?;
        match names::refusal(&self.folders(), path) {
            Some(why) => Err(Error::new(Kind::Denied, why)),
            None => Ok(()),
        }
    }

    /// Refuses to move or remove an import folder or what holds it.
    pub(super) fn may_move(&self, path: &VPath) -> Result<()> {
        if path.is_root() {
            return Err(Error::new(Kind::Denied, "/ cannot be moved or removed"));
        }
        match names::import_folder_below(&self.folders(), path) {
            None => Ok(()),
            Some(folder) => Err(Error::new(
                Kind::Denied,
                format!(
                    "{path}: uploads to {} are imported; it cannot be moved or removed",
                    folder.path
                ),
            )),
        }
    }

    /// A file has left its name: whoever waits for it to be read is told, and its room is free.
    pub(super) fn left(&self, path: &VPath, was: &Inode, why: &str) {
        drops::gone(self, path, was, why);
        if was.links < 2 {
            self.space.occupied.release(was.stat.bytes);
        }
    }

    /// Counts files that are being opened.
    pub(super) fn open_files(&self, count: usize) -> Result<OpenShare> {
        self.service.0.open_files.take(&self.client.slug, count)
    }
}
