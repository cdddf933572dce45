//! Requests beyond version 3: those of OpenSSH's client and of draft-ietf-secsh-filexfer-extensions that programs use.

use bytes::Bytes;
use russh_sftp::extensions::{
    FsyncExtension, HardlinkExtension, LimitsExtension, Statvfs, StatvfsExtension,
};
use russh_sftp::protocol::{Extended, ExtendedReply, FileAttributes, Packet, Version};
use russh_sftp::{de, ser};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::channel::Shared;
use super::files::{Files, Held, Reply, at, done, real_path, wide};
use super::packet::{MAX_DATA_BYTES, MAX_PACKET_BYTES};
use crate::error::{Error, Kind, Result};
use crate::model::MAX_NAME_BYTES;
use crate::service::session::{Download, Overwrite, Session};

const LIMITS: &str = "limits@openssh.com";
const POSIX_RENAME: &str = "posix-rename@openssh.com";
const FSYNC: &str = "fsync@openssh.com";
const STATVFS: &str = "statvfs@openssh.com";
const FSTATVFS: &str = "fstatvfs@openssh.com";
const LSETSTAT: &str = "lsetstat@openssh.com";
const EXPAND_PATH: &str = "expand-path@openssh.com";
const USERS_GROUPS: &str = "users-groups-by-id@openssh.com";
const HARDLINK: &str = "hardlink@openssh.com";
const COPY_DATA: &str = "copy-data";
const HOME: &str = "home-directory";
const CHECK_FILE: &str = "check-file";
const CHECK_NAME: &str = "check-file-name";
const CHECK_HANDLE: &str = "check-file-handle";

/// What is announced in the answer to INIT. WinSCP takes `check-file` as the sign for both of its forms.
const OFFERED: [(&str, &str); 11] = [
    (LIMITS, "1"),
    (POSIX_RENAME, "1"),
    (FSYNC, "1"),
    (STATVFS, "2"),
    (FSTATVFS, "2"),
    (LSETSTAT, "1"),
    (EXPAND_PATH, "1"),
    (USERS_GROUPS, "1"),
    (COPY_DATA, "1"),
    (HOME, "1"),
    (CHECK_FILE, "sha256"),
];

/// The block size in which `statvfs@openssh.com` counts.
const BLOCK_BYTES: u64 = 4096;
/// Bytes that are copied or hashed at a time.
const STEP_BYTES: usize = 256 * 1024;
/// The smallest block of a hash in blocks (draft-ietf-secsh-filexfer-extensions, 3).
const MIN_HASH_BLOCK_BYTES: u32 = 256;
/// Hashes in one answer.
const MAX_HASHES: u64 = 4096;

#[derive(Deserialize)]
struct Setting {
    path: String,
    attrs: FileAttributes,
}

#[derive(Deserialize)]
struct Ids {
    users: Vec<u8>,
    groups: Vec<u8>,
}

#[derive(Deserialize)]
struct Copy {
    from: String,
    from_offset: u64,
    bytes: u64,
    to: String,
    to_offset: u64,
}

#[derive(Deserialize)]
struct Check {
    file: String,
    algorithms: String,
    offset: u64,
    bytes: u64,
    block_bytes: u32,
}

/// The answer to INIT.
pub(super) fn version() -> Packet {
    let mut version = Version::new();
    for (name, data) in OFFERED {
        version.extensions.insert(name.to_owned(), data.to_owned());
    }
    Packet::Version(version)
}

/// The paths that a request names, and whether it moves what lies there.
pub(super) fn paths(asked: &Extended) -> (Vec<String>, bool) {
    match asked.request.as_str() {
        POSIX_RENAME => {
            let paths = read::<HardlinkExtension>(asked);
            (paths.map_or_else(|_| Vec::new(), |p| vec![p.oldpath, p.newpath]), true)
        }
        LSETSTAT => (read::<Setting>(asked).map_or_else(|_| Vec::new(), |s| vec![s.path]), false),
        CHECK_NAME => (read::<Check>(asked).map_or_else(|_| Vec::new(), |c| vec![c.file]), false),
        _ => (Vec::new(), false),
    }
}

impl Files {
    /// Does a request beyond version 3.
    pub(super) fn extended(&mut self, shared: &Shared, id: u32, asked: &Extended) -> Result<Reply> {
        let session = &shared.session;
        match asked.request.as_str() {
            LIMITS => extended_reply(id, &limits(shared)),
            POSIX_RENAME => {
                let paths: HardlinkExtension = read(asked)?;
                let (from, to) = (at(&paths.oldpath)?, at(&paths.newpath)?);
                Ok(Reply::Rename { from, to, overwrite: Overwrite::Allow })
            }
            FSYNC => match self.held(&read::<FsyncExtension>(asked)?.handle)? {
                Held::Writing(w) => done(id, w.sync()),
                Held::Reading { .. } | Held::Listing(_) => done(id, Ok(())),
            },
            STATVFS => {
                session.stat(&at(&read::<StatvfsExtension>(asked)?.path)?)?;
                extended_reply(id, &statvfs(session)?)
            }
            FSTATVFS => {
                self.held(&read::<FsyncExtension>(asked)?.handle)?;
                extended_reply(id, &statvfs(session)?)
            }
            LSETSTAT => {
                let setting: Setting = read(asked)?;
                self.set_stat(session, id, &at(&setting.path)?, &setting.attrs)
            }
            EXPAND_PATH => {
                let path = read::<StatvfsExtension>(asked)?.path;
                Ok(real_path(id, &at(below_home(&path, session.login())?)?))
            }
            HOME => match read::<StatvfsExtension>(asked)?.path {
                user if user.is_empty() || user == session.login() => Ok(real_path(id, &at("/")?)),
                _ => Err(Error::new(Kind::NotFound, "There is no other user here")),
            },
            USERS_GROUPS => {
                let ids: Ids = read(asked)?;
                let names = |ids: &[u8]| names(ids, session.login());
                extended_reply(id, &(names(&ids.users), names(&ids.groups)))
            }
            COPY_DATA => {
                let copy: Copy = read(asked)?;
                let copied = self.copy(shared, &copy);
                if let Err(error) = &copied {
                    // The CLOSE that may follow must not publish half a copy.
                    self.spoil(&copy.to, error);
                }
                done(id, copied)
            }
            CHECK_FILE | CHECK_HANDLE | CHECK_NAME => self.check(shared, id, asked),
            HARDLINK => Err(Error::new(Kind::Unsupported, "There are no links on this server")),
            _ => Err(Error::new(Kind::Unsupported, "This extension is not offered")),
        }
    }

    /// Copies from one open file to another (`cp` in OpenSSH's sftp). The copy is an upload like any other.
    fn copy(&mut self, shared: &Shared, copy: &Copy) -> Result<()> {
        if copy.from == copy.to {
            return Err(Error::new(Kind::Invalid, "A file cannot be copied onto itself"));
        }
        let mut block = vec![0_u8; STEP_BYTES];
        // 0: up to the end.
        let mut left = if copy.bytes == 0 { u64::MAX } else { copy.bytes };
        let (mut from, mut to) = (copy.from_offset, copy.to_offset);
        while left > 0 {
            if shared.is_lost() {
                return Err(Error::new(Kind::Conflict, "The connection was lost while copying"));
            }
            let room = usize::try_from(left).unwrap_or(STEP_BYTES).min(STEP_BYTES);
            let got = match self.held(&copy.from)? {
                Held::Reading { file, .. } => {
                    file.read_at(from, block.get_mut(..room).unwrap_or_default())?
                }
                Held::Writing(_) | Held::Listing(_) => {
                    let text = "The handle to copy from is not open for reading";
                    return Err(Error::new(Kind::Denied, text));
                }
            };
            if got == 0 {
                break;
            }
            self.put(&copy.to, to, block.get(..got).unwrap_or_default())?;
            let moved = wide(got);
            (from, to) = (from.saturating_add(moved), to.saturating_add(moved));
            left = left.saturating_sub(moved);
            shared.connection.moved();
        }
        Ok(())
    }

    /// SHA-256 of a file or of its blocks, by handle or name.
    fn check(&mut self, shared: &Shared, id: u32, asked: &Extended) -> Result<Reply> {
        let check: Check = read(asked)?;
        if !check.algorithms.split(',').any(|name| name.trim() == "sha256") {
            return Err(Error::new(Kind::Unsupported, "Only sha256 is offered"));
        }
        let mut named;
        let file = if asked.request == CHECK_NAME {
            named = shared.session.open_read(&at(&check.file)?)?;
            &mut named
        } else {
            match self.held(&check.file)? {
                Held::Reading { file, .. } => file,
                Held::Writing(_) | Held::Listing(_) => {
                    let text = "This handle is not open for reading";
                    return Err(Error::new(Kind::Denied, text));
                }
            }
        };
        let hashes = hashes(shared, file, &check)?;
        let mut body = Vec::new();
        if asked.request == CHECK_FILE {
            // The form that paramiko knows has the request's name first.
            put_string(&mut body, CHECK_FILE);
        }
        put_string(&mut body, "sha256");
        body.extend_from_slice(&hashes);
        Ok(Reply::Packet(Packet::ExtendedReply(ExtendedReply { id, data: body })))
    }
}

fn hashes(shared: &Shared, file: &Download, check: &Check) -> Result<Vec<u8>> {
    let size = file.bytes();
    let end = match check.bytes {
        0 => size,
        bytes => check.offset.saturating_add(bytes).min(size),
    };
    let range = end.saturating_sub(check.offset);
    let block = match check.block_bytes {
        0 => range.max(1),
        small if small < MIN_HASH_BLOCK_BYTES => {
            return Err(Error::new(Kind::Invalid, "A block to hash has at least 256 bytes"));
        }
        bytes => u64::from(bytes),
    };
    if range.div_ceil(block) > MAX_HASHES {
        let text = format!("More than {MAX_HASHES} blocks; ask for larger ones");
        return Err(Error::new(Kind::Invalid, text));
    }
    let mut out = Vec::new();
    let mut buffer = vec![0_u8; STEP_BYTES];
    let mut offset = check.offset;
    loop {
        let stop = offset.saturating_add(block).min(end);
        let mut hasher = Sha256::new();
        while offset < stop && !shared.is_lost() {
            let room = usize::try_from(stop.saturating_sub(offset)).unwrap_or(STEP_BYTES);
            let room = room.min(STEP_BYTES);
            let _turn = shared.session.turn();
            let got = file.read_at(offset, buffer.get_mut(..room).unwrap_or_default())?;
            if got == 0 {
                return Err(Error::new(Kind::Conflict, "The file became shorter meanwhile"));
            }
            hasher.update(buffer.get(..got).unwrap_or_default());
            offset = offset.saturating_add(wide(got));
            shared.connection.moved();
        }
        out.extend_from_slice(&hasher.finalize());
        if offset >= end || shared.is_lost() {
            return Ok(out);
        }
    }
}

fn read<T: DeserializeOwned>(asked: &Extended) -> Result<T> {
    de::from_bytes(&mut Bytes::copy_from_slice(&asked.data))
        .map_err(|_| Error::new(Kind::Invalid, "The request cannot be read"))
}

/// `~`, `~/in` and `~login/in` mean the account's root and what lies below.
pub(super) fn below_home<'a>(path: &'a str, login: &str) -> Result<&'a str> {
    let Some(rest) = path.strip_prefix('~') else { return Ok(path) };
    let (user, below) = rest.split_once('/').unwrap_or((rest, ""));
    if user.is_empty() || user == login {
        return Ok(below);
    }
    Err(Error::new(Kind::NotFound, "There is no other user here"))
}

/// For each id its name, put together as strings: every file belongs to the account, whose id is 0.
fn names(ids: &[u8], login: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for id in ids.chunks_exact(4) {
        put_string(&mut out, if id == [0; 4] { login } else { "" });
    }
    out
}

fn put_string(out: &mut Vec<u8>, text: &str) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn extended_reply(id: u32, body: &impl serde::Serialize) -> Result<Reply> {
    let data = ser::to_bytes(body)
        .map_err(|e| Error::caused(Kind::Internal, "the answer could not be encoded", e))?;
    Ok(Reply::Packet(Packet::ExtendedReply(ExtendedReply { id, data: data.to_vec() })))
}

fn limits(shared: &Shared) -> LimitsExtension {
    LimitsExtension {
        max_packet_len: wide(MAX_PACKET_BYTES),
        max_read_len: wide(MAX_DATA_BYTES),
        max_write_len: wide(MAX_DATA_BYTES),
        max_open_handles: wide(shared.connection.edge.config.limits.sftp_handles),
    }
}

fn statvfs(session: &Session) -> Result<Statvfs> {
    let space = session.space()?;
    let free = space.free_bytes / BLOCK_BYTES;
    Ok(Statvfs {
        block_size: BLOCK_BYTES,
        fragment_size: BLOCK_BYTES,
        blocks: space.total_bytes / BLOCK_BYTES,
        blocks_free: free,
        blocks_avail: free,
        inodes: 0,
        inodes_free: 0,
        inodes_avail: 0,
        fs_id: 0,
        flags: 0,
        name_max: wide(MAX_NAME_BYTES),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_the_accounts_own_root() {
        assert_eq!(below_home("~", "acme").unwrap(), "");
        assert_eq!(below_home("~/in", "acme").unwrap(), "in");
        assert_eq!(below_home("~acme/in/x", "acme").unwrap(), "in/x");
        assert_eq!(below_home("/in/~x", "acme").unwrap(), "/in/~x");
        assert!(below_home("~root/x", "acme").is_err());
    }

    #[test]
    fn ids_become_names() {
        assert_eq!(names(&[0, 0, 0, 0, 0, 0, 0, 9], "ab"), b"\0\0\0\x02ab\0\0\0\0");
        assert!(names(&[0, 0], "ab").is_empty());
    }

    #[test]
    fn the_paths_of_a_request_are_known_before_it_is_done() {
        let mut data = Vec::new();
        put_string(&mut data, "/in/a");
        put_string(&mut data, "/in/b");
        let asked = Extended { id: 1, request: POSIX_RENAME.to_owned(), data };
        assert_eq!(paths(&asked), (vec!["/in/a".to_owned(), "/in/b".to_owned()], true));
        let broken = Extended { id: 1, request: CHECK_NAME.to_owned(), data: vec![0, 0, 0, 9] };
        assert_eq!(paths(&broken), (Vec::new(), false));
    }
}
