//! Work that may wait for the disk, away from the network's threads.

use crate::error::{Error, Kind, Result};
use crate::service::session::Staged;

/// Runs `work` on a thread that may wait.
///
/// # Errors
/// Those of `work`; [`Kind::Internal`] if it panicked.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| Error::caused(Kind::Internal, "an internal fault ended the operation", e))?
}

/// Ends an upload that did not come to its end; nothing of it is published.
pub(super) async fn interrupt(staged: Staged, why: &str) {
    let why = why.to_owned();
    let done = blocking(move || {
        staged.interrupt(&why);
        Ok(())
    });
    if let Err(error) = done.await {
        tracing::error!(%error, "an interrupted upload could not be recorded");
    }
}
