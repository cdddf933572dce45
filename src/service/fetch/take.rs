//! One file's way from a client's server into the queue: spool, archive, row, in this order.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use super::look::{Missed, changed};
use super::{Fetched, Looker};
use crate::error::{Error, Kind, Result};
use crate::import::settings::After;
use crate::model::{UploadId, VPath};
use crate::remote::{Connection, RemoteEntry};
use crate::service::commit;
use crate::store::registry::{FetchState, FetchedFile, NewUpload, SeenFile};
use crate::vfs::{ClientSpace, Sealed, Stage};

impl Looker<'_> {
    /// Fetches one version; `None`: its bytes are known. A file that changes meanwhile is thrown away.
    pub(super) async fn take(
        &self,
        connection: &mut Connection,
        seen: &SeenFile,
        companion: Option<String>,
    ) -> std::result::Result<Option<Fetched>, Missed> {
        let service = self.service;
        // Too many wait for import: the file waits too, and nothing is wrong with the server.
        commit::check_waiting(service, &self.client.slug)
            .map_err(|e| Error::new(Kind::Conflict, e.message()))?;
        let path = self.at(&seen.name)?;
        let space = service.client_space(&self.client.slug)?;
        let id = commit::new_id(service.clock());
        let limits = commit::stage_limits(service);
        let mut stage = Stage::new(&space, &id.to_string(), limits)?;
        self.copy(connection, seen, &path, &mut stage).await?;
        fault("fetch.copied")?;
        let sealed = stage.seal()?;
        if self.is_known(seen, &sealed)? {
            service.registry().know_file(seen.id, &sealed.sha256)?;
            return Ok(None);
        }
        let bytes = sealed.bytes;
        self.record(&space, id, seen, (&path, sealed, companion))?;
        fault("fetch.recorded")?;
        service.0.queue.wake(&self.client.slug);
        // Not by dropping the stage: that would give the quota back what the archive still holds.
        stage.hand_on();
        if let Err(error) = space.spool.remove_file_if_there(&id.to_string()) {
            tracing::warn!(%error, upload = %id, "removing a spool file");
        }
        tracing::info!(
            client = self.client.slug, login = self.folder.login, protocol = %self.protocol, path = ?path.as_str(),
            bytes, upload = %id, "file fetched for import"
        );
        fault("fetch.handed_on")?;
        Ok(Some(Fetched { import: id, path, bytes }))
    }

    async fn copy(
        &self,
        connection: &mut Connection,
        seen: &SeenFile,
        path: &VPath,
        stage: &mut Stage,
    ) -> std::result::Result<(), Missed> {
        let mut writer = StageWriter { stage, offset: 0, failure: None };
        let got = connection.get_to(path, &mut writer, seen.bytes).await;
        if let Some(failure) = writer.failure.take() {
            return Err(Missed::Ours(failure));
        }
        let got = got.map_err(|error| match error.kind() {
            // More than was asked for: it has grown since it was seen.
            Kind::TooLarge => Missed::Theirs(changed(&seen.name)),
            _ => Missed::Theirs(error),
        })?;
        let entry =
            RemoteEntry { name: seen.name.clone(), is_folder: false, bytes: None, modified: None };
        let now = self.version(connection, &entry).await.map_err(Missed::Theirs)?;
        // Servers tell the time of a listing and of a question more or less exactly: whole seconds are compared.
        let second = |at: Option<jiff::Timestamp>| at.map(jiff::Timestamp::as_second);
        let same = now.is_some_and(|now| {
            now.bytes == seen.bytes
                && (now.modified.is_none()
                    || seen.modified.is_none()
                    || second(now.modified) == second(seen.modified))
        });
        if same && got == seen.bytes { Ok(()) } else { Err(Missed::Theirs(changed(&seen.name))) }
    }

    /// Whether these bytes need no import: our own report's, or those that were fetched under this name before and for
    /// which the server gives no time.
    fn is_known(&self, seen: &SeenFile, sealed: &Sealed) -> Result<bool> {
        let registry = self.service.registry();
        let (client, folder) = (&self.client.slug, &self.folder.name);
        if registry.is_given_back(client, folder, &seen.name, &sealed.sha256)? {
            return Ok(true);
        }
        if seen.modified.is_some() {
            return Ok(false);
        }
        let last = registry.last_fetched(client, folder, &seen.name)?;
        let known = last.is_some_and(|last| last.sha256.as_ref() == Some(&sealed.sha256));
        Ok(known
            || (seen.state == FetchState::Known && seen.sha256.as_ref() == Some(&sealed.sha256)))
    }

    /// Archives the bytes and queues the upload together with the version that it was, durably: no end comes between the two,
    /// for a version that counts as fetched is not fetched again.
    fn record(
        &self,
        space: &ClientSpace,
        id: UploadId,
        seen: &SeenFile,
        (path, sealed, companion): (&VPath, Sealed, Option<String>),
    ) -> Result<()> {
        let name = id.to_string();
        let archived = || -> io::Result<()> {
            space.spool.link(&name, &space.archive, &name)?;
            space.archive.sync()?;
            space.spool.sync()?;
            crate::fault::at("fetch.archived")
        };
        let new = NewUpload {
            id,
            client: self.client.slug.clone(),
            login: self.folder.login.clone(),
            folder: Some(self.folder.name.clone()),
            path: path.clone(),
            protocol: Some(self.protocol),
            bytes: sealed.bytes,
            sha256: sealed.sha256,
            received_at: self.service.clock().now(),
            wants_import: true,
        };
        let settled = self.settings.after == After::Leave;
        let file = FetchedFile { seen: seen.id, companion, settled };
        let recorded = archived()
            .map_err(|e| Error::io("archiving the fetched file", e))
            .and_then(|()| self.service.registry().queue_fetched(&new, &file));
        if recorded.is_err()
            && let Err(error) = space.archive.remove_file_if_there(&name)
        {
            tracing::error!(%error, upload = name, "removing a fetched file that was not recorded");
        }
        recorded.map(|_| ())
    }
}

fn fault(place: &str) -> Result<()> {
    crate::fault::at(place).map_err(|e| Error::io("fetching a file", e))
}

/// Writes into the spool as the bytes come. It may block: a look has a thread of its own.
struct StageWriter<'a> {
    stage: &'a mut Stage,
    offset: u64,
    failure: Option<Error>,
}

impl AsyncWrite for StageWriter<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let writer = self.get_mut();
        match writer.stage.write_at(writer.offset, data) {
            Ok(()) => {
                let more = u64::try_from(data.len()).unwrap_or(u64::MAX);
                writer.offset = writer.offset.saturating_add(more);
                Poll::Ready(Ok(data.len()))
            }
            Err(error) => {
                let told = io::Error::other(error.message().to_owned());
                writer.failure = Some(error);
                Poll::Ready(Err(told))
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
