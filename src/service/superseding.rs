//! Which waiting upload a newer one of the same path makes pointless.

use std::io::Read as _;

use super::due;
use super::run::Run;
use crate::crypt;
use crate::error::{Error, Result};
use crate::import;
use crate::import::settings::{Mode, Settings};
use crate::model::{Upload, UploadState};
use crate::store::registry::UploadFilter;

/// What is read of a file to see whether it is a corrections file.
const HEAD_BYTES: u64 = 64 * 1024;

impl Run<'_> {
    /// The newer waiting full file of the same path that makes this one pointless, if there is one.
    pub(super) fn superseding(&self, settings: &Settings) -> Result<Option<Upload>> {
        if settings.mode != Mode::Full || self.upload.protocol.is_none() {
            return Ok(None);
        }
        let newer = self.service.registry().uploads(&UploadFilter {
            client: Some(self.upload.client.clone()),
            login: Some(self.upload.login.clone()),
            path: Some(self.upload.path.clone()),
            states: vec![UploadState::Queued],
            after_seq: Some(self.upload.seq),
            ..UploadFilter::default()
        })?;
        let same_folder = newer.into_iter().filter(|u| u.folder == self.upload.folder).collect();
        // One whose time is still to come makes nothing pointless that is due now.
        let mut due = due::only_due(self.service, self.client, same_folder)?;
        let Some(newer) = due.pop() else { return Ok(None) };
        // A corrections file says nothing about anybody else, whatever its name.
        let full = |upload: &Upload| -> Result<bool> {
            let head = self.read_head(upload)?;
            // What is encrypted may be a corrections file: it is imported like any other.
            Ok(crypt::form(&head).is_none() && !import::is_delta_file(&head, settings))
        };
        Ok(if full(&newer)? && full(self.upload)? { Some(newer) } else { None })
    }

    fn read_head(&self, upload: &Upload) -> Result<Vec<u8>> {
        let mut head = Vec::new();
        let file = self.open_archive(upload)?;
        let read = file.take(HEAD_BYTES).read_to_end(&mut head);
        read.map_err(|e| Error::io(format!("reading upload {}", upload.id), e))?;
        Ok(head)
    }
}
