//! The requests themselves: each one as a call of the service's session.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use bytes::Bytes;
use jiff::Timestamp;
use russh_sftp::protocol::{
    Attrs, File, FileAttributes, Handle, Name, Open as OpenPacket, OpenFlags, Packet, StatusCode,
};

use super::channel::Shared;
use super::connection::Transfer;
use super::packet::{DATA_HEAD_BYTES, MAX_DATA_BYTES, Write, data_reply, handle_number, status};
use super::writing::Writing;
use crate::error::{Error, Kind, Result};
use crate::model::VPath;
use crate::service::session::{
    Download, Entry, Listing, Overwrite, Session, Staged, Stat, StatKind,
};

/// Names in one answer to READDIR, as many as OpenSSH gives.
const NAMES: usize = 100;
/// How long a listing shows the time of day, in seconds.
const HALF_YEAR_S: i64 = 182 * 24 * 3600;

/// What a call comes to.
pub(super) enum Reply {
    Packet(Packet),
    Bytes(Bytes),
    Refused(Error),
    /// An upload was closed: it is committed aside.
    Commit(Box<Staged>),
    /// A rename may be a commit, too.
    Rename {
        from: VPath,
        to: VPath,
        overwrite: Overwrite,
    },
}

/// The open handles of a channel.
#[derive(Default)]
pub(super) struct Files {
    open: HashMap<u64, Held>,
    /// One for each open file, so that a stopping server waits for it.
    transfers: HashMap<u64, Transfer>,
    /// Handles whose CLOSE has come but waits behind their READs.
    closing: HashSet<u64>,
    next: u64,
}

/// What an open handle stands for.
pub(super) enum Held {
    Reading { file: Download, path: VPath, sent_bytes: u64 },
    Writing(Box<Writing>),
    Listing(Box<Listing>),
}

impl Files {
    /// The target of the upload that a handle stands for.
    pub(super) fn upload_path(&self, handle: &str) -> Option<VPath> {
        match self.open.get(&number(handle))? {
            Held::Writing(w) => Some(w.path()),
            Held::Reading { .. } | Held::Listing(_) => None,
        }
    }

    /// A CLOSE has come: the handle takes no more data.
    pub(super) fn mark_closing(&mut self, handle: u64) {
        self.closing.insert(handle);
    }

    /// The channel ends: uploads that were not closed are interrupted.
    pub(super) fn drop_all(&mut self, shared: &Shared, because: &str) {
        self.transfers.clear();
        for (_, held) in self.open.drain() {
            match held {
                Held::Writing(w) => {
                    w.interrupt(because);
                }
                Held::Reading { file, path, sent_bytes } => {
                    log_read(shared, &path, sent_bytes, &file);
                }
                Held::Listing(_) => {}
            }
        }
    }

    /// Writes file data.
    pub(super) fn write(&mut self, id: u32, write: &Write) -> Reply {
        let closing = self.closing.contains(&write.handle);
        match self.open.get_mut(&write.handle).filter(|_| !closing) {
            Some(Held::Writing(writing)) => match writing.write(write.offset, &write.data) {
                Ok(()) => Reply::Packet(status(id, StatusCode::Ok, "")),
                Err(error) => Reply::Refused(error),
            },
            Some(Held::Reading { .. } | Held::Listing(_)) => {
                let text = "This handle is not open for writing";
                Reply::Packet(status(id, StatusCode::PermissionDenied, text))
            }
            None => Reply::Refused(unknown_handle()),
        }
    }

    /// Does every request but INIT and WRITE.
    pub(super) fn perform(&mut self, shared: &Shared, id: u32, packet: Packet) -> Reply {
        self.try_perform(shared, id, packet).unwrap_or_else(Reply::Refused)
    }

    fn try_perform(&mut self, shared: &Shared, id: u32, packet: Packet) -> Result<Reply> {
        let session = &shared.session;
        match packet {
            Packet::Open(open) => self.open(shared, id, &open),
            Packet::Close(close) => self.close(shared, id, &close.handle),
            Packet::Stat(p) => Ok(attrs(id, &session.stat(&at(&p.path)?)?)),
            Packet::Lstat(p) => Ok(attrs(id, &session.stat(&at(&p.path)?)?)),
            Packet::Fstat(p) => self.fstat(session, id, &p.handle),
            Packet::SetStat(p) => self.set_stat(session, id, &at(&p.path)?, &p.attrs),
            Packet::FSetStat(p) => self.set_handle_stat(id, &p.handle, &p.attrs),
            Packet::OpenDir(p) => {
                let listing = session.list(&at(&p.path)?)?;
                self.hold(shared, id, Held::Listing(Box::new(listing)))
            }
            Packet::ReadDir(p) => self.read_dir(shared, id, &p.handle),
            Packet::Remove(p) => done(id, session.remove_file(&at(&p.filename)?)),
            Packet::MkDir(p) => done(id, session.make_dir(&at(&p.path)?)),
            Packet::RmDir(p) => done(id, session.remove_dir(&at(&p.path)?)),
            Packet::RealPath(p) => Ok(real_path(id, &at(&p.path)?)),
            Packet::Rename(p) => {
                let (from, to) = (at(&p.oldpath)?, at(&p.newpath)?);
                Ok(Reply::Rename { from, to, overwrite: Overwrite::Never })
            }
            Packet::Extended(p) => self.extended(shared, id, &p),
            Packet::ReadLink(_) | Packet::Symlink(_) => {
                Err(Error::new(Kind::Unsupported, "There are no links on this server"))
            }
            _ => Err(Error::new(Kind::Unsupported, "This is not a request of SFTP version 3")),
        }
    }

    fn hold(&mut self, shared: &Shared, id: u32, held: Held) -> Result<Reply> {
        let most = shared.connection.edge.config.limits.sftp_handles;
        if self.open.len() >= most {
            let text = format!("{most} files and folders are open already; close one first");
            return Err(Error::new(Kind::Busy, text));
        }
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        if !matches!(held, Held::Listing(_)) {
            self.transfers.insert(number, shared.connection.transfer());
        }
        self.open.insert(number, held);
        Ok(Reply::Packet(Packet::Handle(Handle { id, handle: number.to_string() })))
    }

    /// What a handle stands for.
    pub(super) fn held(&mut self, handle: &str) -> Result<&mut Held> {
        self.open.get_mut(&number(handle)).ok_or_else(unknown_handle)
    }

    fn open(&mut self, shared: &Shared, id: u32, open: &OpenPacket) -> Result<Reply> {
        if shared.connection.edge.shutdown.is_cancelled() {
            return Err(Error::new(Kind::Busy, "The server stops; try again in a minute"));
        }
        let session = &shared.session;
        let path = at(&open.filename)?;
        let flags = open.pflags;
        let append = flags.contains(OpenFlags::APPEND);
        let creates = flags.contains(OpenFlags::CREATE) && !flags.contains(OpenFlags::READ);
        if !append && !creates && !flags.contains(OpenFlags::WRITE) {
            let file = session.open_read(&path)?;
            return self.hold(shared, id, Held::Reading { file, path, sent_bytes: 0 });
        }
        if !flags.contains(OpenFlags::CREATE) {
            // Answers "no such file", as the request asks for one that exists.
            session.stat(&path)?;
        }
        let writing = Writing::open(session, &path, flags)?;
        self.hold(shared, id, Held::Writing(Box::new(writing)))
    }

    fn close(&mut self, shared: &Shared, id: u32, handle: &str) -> Result<Reply> {
        let number = number(handle);
        self.closing.remove(&number);
        self.transfers.remove(&number);
        match self.open.remove(&number).ok_or_else(unknown_handle)? {
            Held::Listing(_) => done(id, Ok(())),
            Held::Reading { file, path, sent_bytes } => {
                log_read(shared, &path, sent_bytes, &file);
                if file.is_sent_whole() {
                    shared.session.note_sent_whole(&file);
                }
                done(id, Ok(()))
            }
            Held::Writing(writing) if writing.is_removed() => {
                // As POSIX has it, whoever cleans up and then closes has made no mistake.
                writing.interrupt("the client removed it before it was closed");
                let text = "Nothing was stored: it was removed before it was closed";
                Ok(Reply::Packet(status(id, StatusCode::Ok, text)))
            }
            Held::Writing(writing) => {
                Ok(writing.finish().map_or_else(Reply::Refused, |s| Reply::Commit(Box::new(s))))
            }
        }
    }

    /// Reads file data.
    pub(super) fn read(&mut self, id: u32, handle: u64, offset: u64, bytes: u32) -> Reply {
        self.try_read(id, handle, offset, bytes).unwrap_or_else(Reply::Refused)
    }

    fn try_read(&mut self, id: u32, handle: u64, offset: u64, bytes: u32) -> Result<Reply> {
        let room = usize::try_from(bytes).unwrap_or(MAX_DATA_BYTES).min(MAX_DATA_BYTES);
        // A READ beyond the end must not cost the memory of one before it.
        let within = |size: u64| room.min(left(size, offset));
        let bytes = match self.open.get_mut(&handle).ok_or_else(unknown_handle)? {
            Held::Reading { file, sent_bytes, .. } => {
                let room = within(file.bytes());
                let bytes = data_reply(id, room, |buffer| file.read_at(offset, buffer))?;
                let sent = bytes.as_ref().map_or(0, |b| b.len().saturating_sub(DATA_HEAD_BYTES));
                *sent_bytes = sent_bytes.saturating_add(wide(sent));
                file.note_sent(offset, sent);
                bytes
            }
            Held::Writing(w) => {
                let room = within(w.bytes());
                data_reply(id, room, |buffer| w.read(offset, buffer))?
            }
            Held::Listing(_) => {
                return Err(Error::new(Kind::IsFolder, "This handle is a folder's; use READDIR"));
            }
        };
        Ok(bytes.map_or_else(|| end_of_file(id), Reply::Bytes))
    }

    fn fstat(&mut self, session: &Session, id: u32, handle: &str) -> Result<Reply> {
        Ok(match self.held(handle)? {
            Held::Reading { file, .. } => attrs(id, &file.stat()),
            Held::Writing(w) => {
                let modified = session.stat(&w.path()).map(|s| s.modified);
                let modified = modified.unwrap_or(Timestamp::UNIX_EPOCH);
                attrs(id, &Stat { kind: StatKind::File, bytes: w.bytes(), modified })
            }
            Held::Listing(_) => {
                let modified = Timestamp::UNIX_EPOCH;
                attrs(id, &Stat { kind: StatKind::Folder, bytes: 0, modified })
            }
        })
    }

    /// Sets what can be set. Owner and rights mean nothing here and are passed over: they must never fail a transfer.
    pub(super) fn set_stat(
        &mut self,
        session: &Session,
        id: u32,
        path: &VPath,
        wanted: &FileAttributes,
    ) -> Result<Reply> {
        let uploading = self.open.values_mut().find_map(|held| match held {
            Held::Writing(w) if !w.is_removed() && w.path() == *path => Some(w),
            _ => None,
        });
        if let Some(writing) = uploading {
            return done(id, writing.set(wanted.size, modified(wanted)));
        }
        let stat = session.stat(path)?;
        if wanted.size.is_some_and(|size| size != stat.bytes) {
            let text = format!("{path} cannot be cut in place; send the whole file");
            return Err(Error::new(Kind::Unsupported, text));
        }
        if let Some(modified) = modified(wanted)
            && let Err(error) = session.set_modified(path, modified)
        {
            tracing::debug!(path = ?path.as_str(), %error, "a modification time was not set");
        }
        done(id, Ok(()))
    }

    fn set_handle_stat(&mut self, id: u32, handle: &str, wanted: &FileAttributes) -> Result<Reply> {
        match self.held(handle)? {
            Held::Writing(writing) => done(id, writing.set(wanted.size, modified(wanted))),
            Held::Reading { .. } | Held::Listing(_) => done(id, Ok(())),
        }
    }

    fn read_dir(&mut self, shared: &Shared, id: u32, handle: &str) -> Result<Reply> {
        let Held::Listing(listing) = self.held(handle)? else {
            return Err(Error::new(Kind::NotFolder, "This handle is not a folder's"));
        };
        let now = shared.connection.edge.service.clock().now();
        let mut files = Vec::new();
        for entry in listing.take(NAMES) {
            files.push(file(shared.session.login(), now, entry?));
        }
        if files.is_empty() {
            return Ok(end_of_file(id));
        }
        Ok(Reply::Packet(Packet::Name(Name { id, files })))
    }

    /// Makes an upload worthless: its CLOSE will be refused.
    pub(super) fn spoil(&mut self, handle: &str, error: &Error) {
        if let Some(Held::Writing(writing)) = self.open.get_mut(&number(handle)) {
            writing.spoil(error);
        }
    }

    /// Writes file data that does not come from the client (`copy-data`).
    pub(super) fn put(&mut self, handle: &str, offset: u64, data: &[u8]) -> Result<()> {
        if self.closing.contains(&number(handle)) {
            return Err(unknown_handle());
        }
        match self.held(handle)? {
            Held::Writing(writing) => writing.write(offset, data),
            Held::Reading { .. } | Held::Listing(_) => {
                Err(Error::new(Kind::Denied, "The handle to copy to is not open for writing"))
            }
        }
    }
}

/// Resolves a client's name; what cannot be a name here is refused in words.
pub(super) fn at(raw: &str) -> Result<VPath> {
    VPath::root().join(raw).map_err(|why| Error::new(Kind::Invalid, why))
}

fn number(handle: &str) -> u64 {
    handle_number(handle.as_bytes())
}

fn unknown_handle() -> Error {
    Error::new(Kind::Invalid, "This handle is not open")
}

pub(super) fn done(id: u32, result: Result<()>) -> Result<Reply> {
    result.map(|()| Reply::Packet(status(id, StatusCode::Ok, "")))
}

fn end_of_file(id: u32) -> Reply {
    Reply::Packet(status(id, StatusCode::Eof, "End of file"))
}

fn left(bytes: u64, offset: u64) -> usize {
    usize::try_from(bytes.saturating_sub(offset)).unwrap_or(usize::MAX)
}

pub(super) fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn attrs(id: u32, stat: &Stat) -> Reply {
    Reply::Packet(Packet::Attrs(Attrs { id, attrs: attributes(stat) }))
}

/// Type and rights as a client shows them; nothing here depends on the rights.
fn attributes(stat: &Stat) -> FileAttributes {
    let seconds = u32::try_from(stat.modified.as_second()).unwrap_or(0);
    FileAttributes {
        size: Some(stat.bytes),
        uid: Some(0),
        gid: Some(0),
        permissions: Some(if stat.is_folder() { 0o040_755 } else { 0o100_644 }),
        atime: Some(seconds),
        mtime: Some(seconds),
        ..FileAttributes::default()
    }
}

fn modified(wanted: &FileAttributes) -> Option<Timestamp> {
    Timestamp::from_second(i64::from(wanted.mtime?)).ok()
}

pub(super) fn real_path(id: u32, path: &VPath) -> Reply {
    let name = path.as_str().to_owned();
    let attrs = FileAttributes::default();
    let file = File { filename: name.clone(), longname: name, attrs };
    Reply::Packet(Packet::Name(Name { id, files: vec![file] }))
}

/// One line of a listing, with the text that `ls -l` would print (programs take it apart).
fn file(owner: &str, now: Timestamp, entry: Entry) -> File {
    let Entry { name, stat } = entry;
    let rights = if stat.is_folder() { "drwxr-xr-x" } else { "-rw-r--r--" };
    // As `ls` does: the time of day for the last half year, else the year.
    let recent = (0..HALF_YEAR_S).contains(&(now.as_second() - stat.modified.as_second()));
    let time = stat.modified.strftime(if recent { "%b %e %H:%M" } else { "%b %e  %Y" });
    let longname = format!("{rights}    1 {owner:8} {owner:8} {:>8} {time} {name}", stat.bytes);
    File { filename: name, longname, attrs: attributes(&stat) }
}

fn log_read(shared: &Shared, path: &VPath, sent_bytes: u64, file: &Download) {
    log_download(&shared.session, shared.connection.peer, path, sent_bytes, file.bytes());
}

/// Records a download, and logs it.
pub(super) fn log_download(
    session: &Session,
    peer: SocketAddr,
    path: &VPath,
    sent_bytes: u64,
    bytes: u64,
) {
    session.note_download(path, sent_bytes);
    let (login, client, path) = (session.login(), session.client(), path.as_str());
    tracing::info!(protocol = "sftp", login, client, %peer, ?path, bytes, sent_bytes, "download");
}
