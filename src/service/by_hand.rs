//! Use cases about files by hand: `rollcall import` and its like take one as if it had been uploaded.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::imports::{PATIENCE, POLL_PAUSE};
use super::queue::Next;
use super::run::{self, Run};
use super::{Service, commit, names};
use crate::error::{Error, Kind, Result};
use crate::import::report::Report;
use crate::model::{Client, Folder, Purpose, Upload, UploadId, UploadState};
use crate::store::registry::NewUpload;
use crate::vfs::{self, ClientSpace, Stage};
/// A file that `rollcall import` takes from this machine.
#[derive(Debug)]
pub struct ImportFile<'a> {
    /// The client's slug.
    pub client: &'a str,
    /// The import folder whose settings apply; `None`: the client's only one.
    pub folder: Option<&'a str>,
    /// The file's name, without its folder.
    pub name: &'a str,
    /// What it holds.
    pub content: Content<'a>,
}

/// What a file by hand holds.
#[derive(Debug)]
pub enum Content<'a> {
    /// Its bytes.
    Bytes(Cow<'a, [u8]>),
    /// A regular file, read from where it stands while it is taken in.
    File(File),
}

impl<'a> From<&'a [u8]> for Content<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<Vec<u8>> for Content<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl Content<'_> {
    /// All of it.
    fn into_bytes(self) -> Result<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.into_owned()),
            Self::File(file) => unchanged(&file, |length| {
                let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
                let read = (&file).take(length).read_to_end(&mut bytes);
                read.map_err(|e| Error::io("reading the file", e))?;
                Ok(bytes)
            }),
        }
    }
}

/// Reads a file of this machine, which is told its length in bytes; one that somebody still writes is half a file.
fn unchanged<T>(file: &File, read: impl FnOnce(u64) -> Result<T>) -> Result<T> {
    let look = || -> Result<(u64, SystemTime)> {
        let asking = |e| Error::io("asking for the file's size and time", e);
        let metadata = file.metadata().map_err(asking)?;
        Ok((metadata.len(), metadata.modified().map_err(asking)?))
    };
    let before = look()?;
    let done = read(before.0)?;
    if look()? == before {
        return Ok(done);
    }
    let words = "the file changed while it was read; import it again once it is written whole";
    Err(Error::new(Kind::Conflict, words))
}

/// Whether an import by hand is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DryRun {
    /// Nothing is written anywhere; only the report says what would happen.
    Yes,
    /// It is recorded and applied like an upload.
    No,
}

impl Service {
    /// Imports a file of this machine as if it had been uploaded, behind what waits already, whether or not a
    /// server runs; its report lies in the folder's `reports/`.
    ///
    /// # Errors
    /// [`Kind::NotFound`] (client, folder), [`Kind::Invalid`] (several folders, name), [`Kind::TooLarge`],
    /// [`Kind::Conflict`] when the file changes meanwhile, [`Kind::Busy`] when earlier uploads hold it up: it is
    /// imported after them.
    pub fn import_file(&self, file: ImportFile<'_>, dry_run: DryRun) -> Result<Report> {
        let client = self.client(file.client)?;
        let folder = self.chosen_folder(&client, file.folder)?;
        let path = folder.path.join(file.name).map_err(|e| Error::new(Kind::Invalid, e))?;
        if path.parent().as_ref() != Some(&folder.path) {
            return Err(Error::new(Kind::Invalid, format!("\"{}\" is not a file name", file.name)));
        }
        let space = self.client_space(&client.slug)?;
        let mut upload = Upload {
            id: commit::new_id(self.clock()),
            seq: 0,
            client: client.slug.clone(),
            login: folder.login.clone(),
            folder: Some(folder.name.clone()),
            path,
            protocol: None,
            // Both are known once it is read.
            bytes: 0,
            sha256: String::new(),
            state: UploadState::Prepared,
            attempts: 0,
            received_at: self.clock().now(),
            finished_at: None,
            failure: None,
        };
        if dry_run == DryRun::Yes {
            let bytes = file.content.into_bytes()?;
            upload.bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            upload.sha256 = vfs::sha256_of(&bytes);
            let run = Run { service: self, space: &space, client: &client, upload: &upload };
            return run.try_out(bytes);
        }
        if let Some(why) = names::refusal(std::slice::from_ref(&folder), &upload.path) {
            return Err(Error::new(Kind::Invalid, why));
        }
        // The import reads it from the archive: a large file is in memory once.
        self.stage_by_hand(&space, &upload, file.content)?;
        self.import_now(&client, &space, upload.id)
    }

    pub(super) fn chosen_folder(&self, client: &Client, name: Option<&str>) -> Result<Folder> {
        let mut all: Vec<Folder> = self
            .registry()
            .client_folders(&client.slug)?
            .into_iter()
            .filter(|folder| folder.purpose == Purpose::Import)
            .collect();
        let known = all.iter().map(|f| f.name.as_str()).collect::<Vec<_>>().join(", ");
        match name {
            Some(name) => all.into_iter().find(|f| f.name == name).ok_or_else(|| {
                let message = format!(
                    "client {} has no import folder \"{name}\"; it has: {known}",
                    client.slug
                );
                Error::new(Kind::NotFound, message)
            }),
            None if all.len() > 1 => Err(Error::new(
                Kind::Invalid,
                format!(
                    "client {} has several import folders ({known}): say into which one (on the command line: --folder)",
                    client.slug
                ),
            )),
            None => all.pop().ok_or_else(|| {
                let message = format!(
                    "client {} has no import folder; add one to one of its accounts, with the purpose import",
                    client.slug
                );
                Error::new(Kind::NotFound, message)
            }),
        }
    }

    /// Archives and queues the bytes like an upload, without a file among the account's.
    fn stage_by_hand(
        &self,
        space: &Arc<ClientSpace>,
        upload: &Upload,
        content: Content<'_>,
    ) -> Result<()> {
        commit::check_waiting(self, &upload.client)?;
        // A server that starts right now clears the spool under this lock.
        let _lock = space.lock()?;
        let name = upload.id.to_string();
        let mut stage = Stage::new(space, &name, commit::stage_limits(self))?;
        match content {
            Content::Bytes(bytes) => stage.write_at(0, &bytes)?,
            Content::File(file) => unchanged(&file, |length| stage.write_from(&file, length))?,
        }
        let sealed = stage.describe()?;
        let new = NewUpload {
            id: upload.id,
            client: upload.client.clone(),
            login: upload.login.clone(),
            folder: upload.folder.clone(),
            path: upload.path.clone(),
            protocol: None,
            bytes: sealed.bytes,
            sha256: sealed.sha256,
            received_at: upload.received_at,
            wants_import: true,
        };
        commit::record_queued(self, space, &new, &mut stage)?;
        crate::fault::at("hand.recorded").map_err(|e| Error::io("importing a file", e))
    }

    /// Imports what waits, in order of arrival, until this upload has had its turn.
    fn import_now(
        &self,
        client: &Client,
        space: &Arc<ClientSpace>,
        id: UploadId,
    ) -> Result<Report> {
        let started = Instant::now();
        loop {
            let next = {
                // A running server's workers take this lock too; either may do the work.
                let _lock = space.lock()?;
                run::next(self, space, &client.slug)?
            };
            let detail = self.import(id)?;
            if let Some(report) = detail.report {
                return Ok(report);
            }
            if let Some(failure) = detail.view.failure {
                return Err(Error::new(Kind::Internal, failure));
            }
            let upload = self.registry().upload(id)?;
            if let Some(holder) = upload.map(|u| self.holder_of(&u)).transpose()?.flatten() {
                return Err(Error::new(
                    Kind::Busy,
                    format!(
                        "import {id} waits behind import {holder}, which is held; it runs once somebody has decided about that"
                    ),
                ));
            }
            if started.elapsed() > PATIENCE {
                return Err(Error::new(
                    Kind::Busy,
                    format!("import {id} waits behind earlier uploads; it runs after them"),
                ));
            }
            if next != Next::Now {
                std::thread::sleep(POLL_PAUSE);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, Write as _};

    use super::*;

    #[test]
    fn a_file_that_is_written_while_it_is_read_is_not_taken() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"a;b\n1;2\n").unwrap();
        let content = |file: &File| Content::File(file.try_clone().unwrap());
        file.rewind().unwrap();
        assert_eq!(content(&file).into_bytes().unwrap(), b"a;b\n1;2\n");
        let taken = unchanged(&file, |length| {
            (&file).write_all(b"3;4\n").unwrap();
            Ok(length)
        });
        assert_eq!(taken.unwrap_err().kind(), Kind::Conflict);
        assert_eq!(unchanged(&file, Ok).unwrap(), 12);
    }
}
