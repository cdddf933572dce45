//! File data over SFTP: several requests under way, in order, with bounded memory.

use std::collections::VecDeque;
use std::sync::Arc;

use russh_sftp::client::RawSftpSession;
use russh_sftp::client::error::Error as SftpError;
use russh_sftp::protocol::StatusCode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_util::task::AbortOnDropHandle;

/// What every server takes and gives in one request (draft-ietf-secsh-filexfer-02, section 3).
const BLOCK_BYTES: u32 = 32 * 1024;
/// A server that gives less than this at once is asked for one block after the other.
const LEAST_BLOCK_BYTES: u32 = 4 * 1024;
/// Requests under way; together 1 MiB.
const UNDER_WAY: usize = 32;

/// Why a transfer ended early.
pub(super) enum Stopped {
    /// The server refused, or is gone.
    Server(SftpError),
    /// Our own side.
    Here(std::io::Error),
    /// More than the allowed bytes.
    TooLarge,
    /// The source had another length than it was said to have.
    Length(u64),
}

/// Reads an open file to its end; how many bytes it had.
///
/// When this returns a length, every request of it has been answered: nothing is asked of a handle that is closed next.
pub(super) async fn read(
    sftp: &Arc<RawSftpSession>,
    handle: &str,
    to: &mut (dyn AsyncWrite + Unpin + Send),
    max_bytes: u64,
) -> Result<u64, Stopped> {
    let (mut asked, mut got, mut block_bytes) = (0_u64, 0_u64, BLOCK_BYTES);
    let mut queue = VecDeque::new();
    // The first block alone: most files end in it.
    let mut most = 1;
    loop {
        while queue.len() < most {
            let (sftp, handle, offset) = (Arc::clone(sftp), handle.to_owned(), asked);
            let request = async move { sftp.read(handle, offset, block_bytes).await };
            queue.push_back(AbortOnDropHandle::new(tokio::spawn(request)));
            asked = asked.saturating_add(u64::from(block_bytes));
        }
        let Some(next) = queue.pop_front() else { return Ok(got) };
        let data = match next.await.map_err(|e| Stopped::Here(std::io::Error::other(e)))? {
            Ok(data) => data.data,
            Err(SftpError::Status(status)) if status.status_code == StatusCode::Eof => break,
            Err(error) => return Err(Stopped::Server(error)),
        };
        // An empty answer without an end would be asked for over and over.
        if data.is_empty() {
            break;
        }
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        got = got.saturating_add(u64::from(length));
        if got > max_bytes {
            return Err(Stopped::TooLarge);
        }
        to.write_all(&data).await.map_err(Stopped::Here)?;
        most = UNDER_WAY;
        if length < block_bytes {
            // The end, or all that this server gives at once: a gap lies before what was asked for next.
            answered(&mut queue).await;
            (asked, most, block_bytes) = (got, 1, length.max(LEAST_BLOCK_BYTES));
        }
    }
    answered(&mut queue).await;
    to.flush().await.map_err(Stopped::Here)?;
    Ok(got)
}

/// Waits for answers that nobody needs any more.
async fn answered<T>(queue: &mut VecDeque<AbortOnDropHandle<T>>) {
    for request in queue.drain(..) {
        drop(request.await);
    }
}

/// Writes exactly `bytes` bytes of `from` into an open file.
pub(super) async fn write(
    sftp: &Arc<RawSftpSession>,
    handle: &str,
    from: &mut (dyn AsyncRead + Unpin + Send),
    bytes: u64,
) -> Result<(), Stopped> {
    let mut sent = 0_u64;
    let mut queue: VecDeque<AbortOnDropHandle<Result<_, SftpError>>> = VecDeque::new();
    loop {
        let mut block = Vec::with_capacity(usize::try_from(BLOCK_BYTES).unwrap_or_default());
        let length = (&mut *from)
            .take(u64::from(BLOCK_BYTES))
            .read_to_end(&mut block)
            .await
            .map_err(Stopped::Here)?;
        if length == 0 || queue.len() >= UNDER_WAY {
            let keep = if length == 0 { 0 } else { UNDER_WAY - 1 };
            while queue.len() > keep {
                let Some(oldest) = queue.pop_front() else { break };
                oldest
                    .await
                    .map_err(|e| Stopped::Here(std::io::Error::other(e)))?
                    .map_err(Stopped::Server)?;
            }
        }
        if length == 0 {
            break;
        }
        let (sftp, handle, offset) = (Arc::clone(sftp), handle.to_owned(), sent);
        sent = sent.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        if sent > bytes {
            return Err(Stopped::Length(sent));
        }
        let request = async move { sftp.write(handle, offset, block).await };
        queue.push_back(AbortOnDropHandle::new(tokio::spawn(request)));
    }
    if sent == bytes { Ok(()) } else { Err(Stopped::Length(sent)) }
}
