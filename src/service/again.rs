//! What the archive still has: the file as it was received, and an import of it once more.

use std::fs::File;
use std::io::Read as _;

use super::{Service, commit, reports};
use crate::error::{Error, Kind, Result};
use crate::model::{Purpose, Upload, UploadId, UploadState};
use crate::store::registry::NewUpload;
use crate::vfs::{self, Stage};

/// One read while a file is copied.
const BLOCK_BYTES: usize = 256 * 1024;

impl Service {
    /// The file of an import as it was received, while the archive keeps it.
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown import, and for bytes that are not kept any more.
    pub fn archived_file(&self, id: UploadId) -> Result<(Upload, File)> {
        let unknown = || Error::new(Kind::NotFound, format!("there is no import {id}"));
        let upload = self.registry().upload(id)?.ok_or_else(unknown)?;
        let space = self.client_space(&upload.client)?;
        let file = space.archive.open_file(&id.to_string()).map_err(|e| {
            let message = format!(
                "the file of import {id} is not kept any more (retention.archive_days); have it sent again"
            );
            Error::caused(Kind::NotFound, message, e)
        })?;
        Ok((upload, file))
    }

    /// The same for somebody to keep; that it was read stands in the audit trail.
    ///
    /// # Errors
    /// As [`Service::archived_file`].
    pub fn received_file(&self, id: UploadId) -> Result<(Upload, File)> {
        let found = self.archived_file(id)?;
        self.record("import.read", &id.to_string(), "the file as it was received");
        Ok(found)
    }

    /// Whether the archive still has the file of an import.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn is_archived(&self, id: UploadId) -> Result<bool> {
        let client = self.client_of_import(id)?;
        Ok(reports::is_archived(&*self.client_space(&client)?, id))
    }

    /// Queues the file of an ended import once more, as a new upload under the settings and the directory of now; returns the
    /// new import's id. For the process that serves: its workers do the rest.
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown import or a file that is not kept any more; `Kind::Conflict` for one that waits for its
    /// turn or for a decision; `Kind::Busy` when too many uploads wait.
    pub fn import_again(&self, id: UploadId) -> Result<UploadId> {
        let (upload, mut file) = self.archived_file(id)?;
        self.refuse_again(&upload)?;
        let space = self.client_space(&upload.client)?;
        commit::check_waiting(self, &upload.client)?;
        let new_id = commit::new_id(self.clock());
        let mut stage = Stage::new(&space, &new_id.to_string(), commit::stage_limits(self))?;
        let mut block = vec![0; BLOCK_BYTES];
        let mut offset = 0;
        loop {
            let read = file.read(&mut block).map_err(|e| Error::io("reading the archive", e))?;
            if read == 0 {
                break;
            }
            stage.write_at(offset, block.get(..read).unwrap_or_default())?;
            offset = stage.bytes();
        }
        let sealed = stage.describe()?;
        if sealed.sha256 != upload.sha256 {
            return Err(damaged(id));
        }
        let new = NewUpload {
            id: new_id,
            client: upload.client.clone(),
            login: upload.login.clone(),
            folder: upload.folder.clone(),
            path: upload.path.clone(),
            protocol: None,
            bytes: sealed.bytes,
            sha256: sealed.sha256,
            received_at: self.clock().now(),
            wants_import: true,
        };
        self.queue_staged(&space, stage, &new)?;
        self.record("import.again", &id.to_string(), &format!("as {new_id}"));
        Ok(new_id)
    }

    /// Archives and queues what lies in the spool, for the workers of this process.
    pub(super) fn queue_staged(
        &self,
        space: &vfs::ClientSpace,
        mut stage: Stage,
        new: &NewUpload,
    ) -> Result<()> {
        commit::record(self, space, new, &mut stage)?;
        self.publish(new.id);
        // The archive has the bytes now, and they stay counted.
        stage.hand_on();
        if let Err(error) = space.spool.remove_file_if_there(&new.id.to_string()) {
            tracing::warn!(%error, upload = %new.id, "removing a spool file");
        }
        self.0.queue.wake(&new.client);
        Ok(())
    }

    fn refuse_again(&self, upload: &Upload) -> Result<()> {
        let (id, conflict) = (upload.id, |why: String| Err(Error::new(Kind::Conflict, why)));
        let Some(name) = &upload.folder else {
            return conflict(format!("{} is no file for import", upload.path));
        };
        let folders = self.registry().folders(&upload.login)?;
        if !folders.iter().any(|f| f.name == *name && f.purpose == Purpose::Import) {
            return conflict(format!(
                "account {} has no import folder \"{name}\" any more; add it again, or import the file into another one by hand",
                upload.login
            ));
        }
        if self.open_directory(&upload.client)?.hold(id)?.is_some() {
            return conflict(format!(
                "import {id} is held; approve or discard it in place of that"
            ));
        }
        match upload.state {
            UploadState::Prepared | UploadState::Queued => {
                conflict(format!("import {id} waits for its turn already"))
            }
            _ => Ok(()),
        }
    }
}

fn damaged(id: UploadId) -> Error {
    let message = format!(
        "the archived file of import {id} is not the one that was received (its SHA-256 differs); have it sent again"
    );
    Error::new(Kind::Unsupported, message)
}
