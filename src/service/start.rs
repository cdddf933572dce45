//! The use case of an import that a program starts: the file is taken like an upload, once for each id.

use std::time::Duration;

use super::imports::ImportDetail;
use super::{Service, commit, names};
use crate::error::{Error, Kind, Result};
use crate::model::UploadId;
use crate::store::registry::NewUpload;
use crate::vfs::Stage;

/// A file that is to be imported, or only tried.
#[derive(Debug, Clone)]
pub struct GivenFile {
    /// The client's slug.
    pub client: String,
    /// The import folder whose settings apply; `None`: the client's only one.
    pub folder: Option<String>,
    /// The file's name, without its folder.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Service {
    /// Takes a file under this id and waits up to `wait` for its import. Once the id is known nothing is taken again: whoever asks
    /// a second time learns what became of the first.
    ///
    /// # Errors
    /// `Kind::NotFound` (client, folder), `Kind::Invalid` (several folders, name), `Kind::TooLarge`, `Kind::Busy` (too many wait).
    pub async fn start_import(
        &self,
        id: UploadId,
        file: GivenFile,
        wait: Duration,
    ) -> Result<ImportDetail> {
        let ended = self.0.waiters.register(id);
        let service = self.clone();
        blocking(move || service.take_once(id, &file)).await?;
        let service = self.clone();
        let now = blocking(move || service.import(id)).await?;
        // Whoever asks a second time, after a crash perhaps, waits for what is still under way as well.
        if now.view.status != "waiting" {
            return Ok(now);
        }
        // Time is up, or nobody tells any more: what has become of it by now is the answer.
        drop(tokio::time::timeout(wait, ended).await);
        let service = self.clone();
        blocking(move || service.import(id)).await
    }

    /// Archives and queues a file, unless that was done before.
    fn take_once(&self, id: UploadId, file: &GivenFile) -> Result<()> {
        if let Some(known) = self.registry().upload(id)? {
            return match known.client == file.client {
                true => Ok(()),
                false => Err(Error::new(Kind::Exists, format!("the id {id} is taken"))),
            };
        }
        let client = self.client(&file.client)?;
        let folder = self.chosen_folder(&client, file.folder.as_deref())?;
        let path = folder.path.join(&file.name).map_err(|e| Error::new(Kind::Invalid, e))?;
        if path.parent().as_ref() != Some(&folder.path) {
            return Err(Error::new(Kind::Invalid, format!("\"{}\" is not a file name", file.name)));
        }
        if let Some(why) = names::refusal(std::slice::from_ref(&folder), &path) {
            return Err(Error::new(Kind::Invalid, why));
        }
        commit::check_waiting(self, &client.slug)?;
        let space = self.client_space(&client.slug)?;
        let mut stage = Stage::new(&space, &id.to_string(), commit::stage_limits(self))?;
        stage.write_at(0, &file.bytes)?;
        let sealed = stage.describe()?;
        let new = NewUpload {
            id,
            client: client.slug.clone(),
            login: folder.login.clone(),
            folder: Some(folder.name),
            path,
            protocol: None,
            bytes: sealed.bytes,
            sha256: sealed.sha256,
            received_at: self.clock().now(),
            wants_import: true,
        };
        self.queue_staged(&space, stage, &new)?;
        self.record("import.file", &id.to_string(), new.path.as_str());
        Ok(())
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| Error::caused(Kind::Internal, "the request ended by a fault", e))?
}
