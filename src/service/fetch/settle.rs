//! What becomes of fetched files on the client's server: they are moved into `archive/` or deleted.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWrite;

use super::look::companions;
use super::{FetchOutcome, Looker};
use crate::error::{Error, Kind, Result};
use crate::import::settings::{After, Ready};
use crate::model::VPath;
use crate::remote::{Connection, Overwrite, RemoteEntry};
use crate::service::deliver::part_name;
use crate::store::registry::SeenFile;

/// The folder beside fetched files into which they are moved.
const ARCHIVE_FOLDER: &str = "archive";

impl Looker<'_> {
    /// Moves or deletes what was fetched, also what a crash or a refusal left from before.
    pub(super) async fn settle_all(
        &self,
        connection: &mut Connection,
        outcome: &mut FetchOutcome,
    ) -> Result<()> {
        let registry = self.service.registry();
        let (client, login) = (self.client.slug.as_str(), self.folder.login.as_str());
        let unsettled = registry.unsettled_files(client, &self.folder.name)?;
        if unsettled.is_empty() {
            return Ok(());
        }
        let subject = format!("{login}{}", self.folder.path);
        let mut refused = None;
        for seen in unsettled {
            match self.settle(connection, &seen).await {
                Ok(()) => registry.settle_file(seen.id)?,
                Err(error) if self.is_lost(connection, &error).await => return Err(error),
                Err(error) => refused = Some(format!("{}: {}", seen.name, error.message())),
            }
        }
        match refused {
            None => self.service.clear(Some(client), "T03", &subject),
            Some(why) => {
                let what = match self.settings.after {
                    After::Archive => "moved into archive/",
                    After::Leave | After::Delete => "deleted",
                };
                let text = format!(
                    "Fetched and imported, but not {what} on the client's server: {why}. It is not imported again. \
                     Give the account the right there, or set fetch.after = \"leave\""
                );
                self.service.raise(Some(client), "T03", &subject, &text);
                outcome.problems.push(text);
            }
        }
        Ok(())
    }

    async fn settle(&self, connection: &mut Connection, seen: &SeenFile) -> Result<()> {
        let path = self.at(&seen.name)?;
        self.finish_aside(connection, &path, seen).await?;
        if self.settings.after == After::Leave || !self.is_still(connection, &path, seen).await? {
            return Ok(());
        }
        crate::fault::at("fetch.settling").map_err(|e| Error::io("moving a fetched file", e))?;
        // The companion first: one that stayed behind would announce the next file before that is whole.
        if let Ready::Companion(ending) = &self.settings.ready {
            for name in companions(&seen.name, ending) {
                match connection.delete(&self.at(&name)?).await {
                    Err(error) if error.kind() != Kind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
        self.put_away(connection, &path, seen).await
    }

    /// Moves the file aside in one step, looks whether it is the one that was fetched, and only then deletes it: a file
    /// that replaced it just now must not be lost.
    async fn put_away(
        &self,
        connection: &mut Connection,
        path: &VPath,
        seen: &SeenFile,
    ) -> Result<()> {
        let import = seen.import.map(|id| id.to_string()).unwrap_or_default();
        let aside = match self.settings.after {
            After::Archive => {
                let archive = self.at(ARCHIVE_FOLDER)?;
                connection.make_dir(&archive).await?;
                let at = self.service.clock().now().strftime("%Y%m%dT%H%M%SZ");
                let name = format!("{at}-{import}-{}", seen.name);
                archive.join(&name).map_err(|why| Error::new(Kind::Invalid, why))?
            }
            After::Leave | After::Delete => self.at(&part_name(&import))?,
        };
        connection.rename(path, &aside, Overwrite::Never).await?;
        if !self.is_fetched(connection, &aside, seen).await? {
            connection.rename(&aside, path, Overwrite::Never).await?;
            return Ok(());
        }
        if self.settings.after == After::Delete {
            connection.delete(&aside).await?;
        }
        Ok(())
    }

    /// A crash may have left the file under its temporary name: the fetched version goes, any other gets its name back.
    async fn finish_aside(
        &self,
        connection: &mut Connection,
        path: &VPath,
        seen: &SeenFile,
    ) -> Result<()> {
        let Some(import) = seen.import else { return Ok(()) };
        let aside = self.at(&part_name(&import.to_string()))?;
        match connection.stat(&aside).await {
            Err(error) if error.kind() == Kind::NotFound => return Ok(()),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        if self.is_fetched(connection, &aside, seen).await? {
            return connection.delete(&aside).await;
        }
        connection.rename(&aside, path, Overwrite::Never).await
    }

    /// Whether the version that was fetched lies at this address.
    async fn is_still(
        &self,
        connection: &mut Connection,
        path: &VPath,
        seen: &SeenFile,
    ) -> Result<bool> {
        let found = of_same_size(connection, path, seen).await?;
        Ok(found.is_some_and(|found| has_same_time(&found, seen)))
    }

    /// The same of a file that we renamed. Some servers give it a new time with its new name: then the bytes decide.
    async fn is_fetched(
        &self,
        connection: &mut Connection,
        path: &VPath,
        seen: &SeenFile,
    ) -> Result<bool> {
        let Some(found) = of_same_size(connection, path, seen).await? else { return Ok(false) };
        if has_same_time(&found, seen) {
            return Ok(true);
        }
        let Some(sha256) = &seen.sha256 else { return Ok(false) };
        let mut hashing = Hashing(Sha256::new());
        match connection.get_to(path, &mut hashing, seen.bytes).await {
            Ok(bytes) => Ok(bytes == seen.bytes && hashing.hex() == *sha256),
            Err(error)
                if matches!(error.kind(), Kind::NotFound | Kind::TooLarge | Kind::Conflict) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

/// The file at an address, if it has the size of the version that was fetched.
async fn of_same_size(
    connection: &mut Connection,
    path: &VPath,
    seen: &SeenFile,
) -> Result<Option<RemoteEntry>> {
    match connection.stat(path).await {
        Ok(found) => Ok(Some(found).filter(|found| {
            !found.is_folder && found.bytes.is_none_or(|bytes| bytes == seen.bytes)
        })),
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn has_same_time(found: &RemoteEntry, seen: &SeenFile) -> bool {
    match (found.modified, seen.modified) {
        (Some(now), Some(then)) => now.as_second() == then.as_second(),
        _ => true,
    }
}

/// Hashes what comes, and keeps nothing of it.
struct Hashing(Sha256);

impl Hashing {
    /// SHA-256 in 64 hex digits.
    fn hex(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl AsyncWrite for Hashing {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().0.update(data);
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
