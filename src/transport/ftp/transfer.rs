//! Bytes between a data connection and the disk: blocks of 256 KiB, one at the socket while another is at the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::control::Pulse;
use super::data::{Data, in_words};
use super::reply::Reply;
use crate::error::{Error, Kind, Result};
use crate::model::VPath;
use crate::service::session::{Download, Open, Receipt, Session, Staged};
use crate::transport::aside::{blocking, interrupt};
use crate::transport::{Reserved, TransferMemory};

const BLOCK_BYTES: usize = 256 * 1024;

/// What both directions need.
#[derive(Clone)]
pub(super) struct Lane {
    /// The budget of bytes in flight.
    pub(super) memory: TransferMemory,
    /// Cancelled by ABOR, by the end of the control connection, and by a stop of the server.
    pub(super) stop: CancellationToken,
    /// Bytes moved so far, for STAT.
    pub(super) moved: Arc<AtomicU64>,
    /// The control connection; `None`: it is gone already.
    pub(super) pulse: Option<Arc<Pulse>>,
}

impl Lane {
    /// Whether the client can still be answered. An upload that ends after its control connection is not complete.
    fn is_dead(&self) -> bool {
        self.stop.is_cancelled() || self.pulse.as_ref().is_none_or(|pulse| pulse.is_gone())
    }
}

/// An upload that the back-end is to carry out.
pub(super) struct UploadOrder {
    pub(super) lane: Lane,
    pub(super) open: Open,
    /// Where the first byte goes; `None`: at the end of what is there.
    pub(super) offset: Option<u64>,
    /// Told once the upload is open, so that the client can be asked for the bytes.
    pub(super) ready: oneshot::Sender<()>,
    /// Brings the data connection.
    pub(super) data: oneshot::Receiver<Data>,
    /// Told how it ended.
    pub(super) done: oneshot::Sender<std::result::Result<Stored, Reply>>,
}

/// An upload that is durable.
pub(super) struct Stored {
    pub(super) receipt: Receipt,
    pub(super) bytes: u64,
}

/// A download that the back-end is to carry out.
pub(super) struct DownloadOrder {
    pub(super) lane: Lane,
    pub(super) offset: u64,
    pub(super) ready: oneshot::Sender<u64>,
    pub(super) data: oneshot::Receiver<Data>,
    pub(super) done: oneshot::Sender<std::result::Result<u64, Reply>>,
}

/// Carries out an upload from opening to commit.
///
/// # Errors
/// The reply for the client; nothing was published.
pub(super) async fn receive(
    session: &Session,
    path: VPath,
    lane: &Lane,
    opening: (Open, Option<u64>),
    ready: oneshot::Sender<()>,
    data: oneshot::Receiver<Data>,
) -> std::result::Result<Stored, Reply> {
    let (staged, offset) = open_at(session, path, opening).await?;
    // If nobody listens any more, the data never comes either.
    ready.send(()).unwrap_or_default();
    let (data, _share) = match arrived(lane, data).await {
        Ok(arrived) => arrived,
        Err(refusal) => {
            interrupt(staged, "no data connection").await;
            return Err(refusal);
        }
    };
    let mut writer = Writer { idle: Some(staged), at_work: None, offset, spare: Vec::new() };
    match take_all(data, &mut writer, lane).await {
        Ok(bytes) => {
            let staged = writer.rest().await.map_err(|e| refused(&e))?;
            if lane.is_dead() {
                interrupt(staged, "the control connection ended first").await;
                return Err(Reply::new(426, "Transfer aborted; nothing was stored."));
            }
            let _turn = session.commit_turn().await;
            let receipt = blocking(move || staged.commit()).await.map_err(|e| refused(&e))?;
            Ok(Stored { receipt, bytes })
        }
        Err(failure) => {
            let why = failure.text().to_owned();
            if let Ok(staged) = writer.rest().await {
                interrupt(staged, &why).await;
            }
            Err(failure)
        }
    }
}

/// The data connection, with a share of the memory that transfers may use.
async fn arrived(
    lane: &Lane,
    data: oneshot::Receiver<Data>,
) -> std::result::Result<(Data, Reserved), Reply> {
    let arriving = async {
        let data = data.await.map_err(|_| Reply::new(425, "No data connection came."))?;
        Ok((data, lane.memory.reserve(2 * BLOCK_BYTES).await))
    };
    tokio::select! {
        biased;
        () = lane.stop.cancelled() => Err(Reply::new(426, "Transfer aborted.")),
        arrived = arriving => arrived,
    }
}

fn refused(error: &Error) -> Reply {
    Reply::name_error(error)
}

async fn open_at(
    session: &Session,
    path: VPath,
    (open, offset): (Open, Option<u64>),
) -> std::result::Result<(Staged, u64), Reply> {
    let session = session.clone();
    let staged =
        blocking(move || session.open_upload(&path, open)).await.map_err(|e| refused(&e))?;
    let there = staged.bytes();
    let offset = offset.unwrap_or(there);
    if offset > there {
        interrupt(staged, "REST beyond the end").await;
        let text = format!(
            "REST {offset} is beyond the end of the file, which has {there} bytes; send the whole file."
        );
        return Err(Reply::new(554, text));
    }
    if offset == there {
        return Ok((staged, offset));
    }
    // What lies behind the restart point is yesterday's; it must not end up under today's bytes.
    let cut = blocking(move || {
        let mut staged = staged;
        staged.truncate(offset)?;
        Ok(staged)
    });
    Ok((cut.await.map_err(|e| refused(&e))?, offset))
}

/// Takes everything up to the proved end; answers the number of bytes.
async fn take_all(
    mut data: Data,
    writer: &mut Writer,
    lane: &Lane,
) -> std::result::Result<u64, Reply> {
    let mut total: u64 = 0;
    let mut block = vec![0_u8; BLOCK_BYTES];
    let mut filled = 0;
    loop {
        let room = block.get_mut(filled..).unwrap_or_default();
        let got = tokio::select! {
            biased;
            () = lane.stop.cancelled() => {
                return Err(Reply::new(426, "Transfer aborted; nothing was stored."));
            }
            got = data.read(room) => got,
        };
        let got =
            got.map_err(|e| Reply::new(426, format!("{} Nothing was stored.", in_words(&e))))?;
        filled += got;
        let got = u64::try_from(got).unwrap_or(u64::MAX);
        total = total.saturating_add(got);
        lane.moved.store(total, Ordering::Relaxed);
        if filled == block.len() {
            block = match writer.write(block, filled).await {
                Ok(next) => next,
                Err(error) => {
                    // Beside the reply, not before it: a program that only sees its line break (lftp) would come again and again.
                    drop(tokio::spawn(data.discard()));
                    return Err(refused(&error));
                }
            };
            filled = 0;
        }
        if got == 0 {
            break;
        }
    }
    data.answer_end().await;
    if filled > 0 {
        writer.write(block, filled).await.map_err(|e| refused(&e))?;
    }
    Ok(total)
}

type Wrote = Result<(Staged, Vec<u8>)>;

/// Writes one block on a thread that may block while the next is being filled.
struct Writer {
    idle: Option<Staged>,
    at_work: Option<JoinHandle<Wrote>>,
    offset: u64,
    spare: Vec<u8>,
}

impl Writer {
    /// Hands a block over, as soon as the one before is written; answers a block to fill.
    async fn write(&mut self, block: Vec<u8>, filled: usize) -> Result<Vec<u8>> {
        self.settle().await?;
        let lost = || {
            Error::new(Kind::Internal, "the upload was lost by an internal fault; send it again")
        };
        let mut staged = self.idle.take().ok_or_else(lost)?;
        let offset = self.offset;
        self.offset = offset.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
        self.at_work = Some(tokio::task::spawn_blocking(move || {
            let bytes = block.get(..filled).unwrap_or_default();
            match staged.write_at(offset, bytes) {
                Ok(()) => Ok((staged, block)),
                Err(error) => {
                    staged.interrupt(error.message());
                    Err(error)
                }
            }
        }));
        let mut next = std::mem::take(&mut self.spare);
        next.resize(BLOCK_BYTES, 0);
        Ok(next)
    }

    /// The upload with everything written.
    async fn rest(mut self) -> Result<Staged> {
        self.settle().await?;
        let lost = || {
            Error::new(Kind::Internal, "the upload was lost by an internal fault; send it again")
        };
        self.idle.take().ok_or_else(lost)
    }

    async fn settle(&mut self) -> Result<()> {
        let Some(work) = self.at_work.take() else { return Ok(()) };
        let wrote = work
            .await
            .map_err(|e| Error::caused(Kind::Internal, "an internal fault ended the upload", e))?;
        let (staged, block) = wrote?;
        self.idle = Some(staged);
        self.spare = block;
        Ok(())
    }
}

/// Carries out a download; answers the number of bytes.
///
/// # Errors
/// The reply for the client.
pub(super) async fn send(
    session: &Session,
    path: VPath,
    lane: &Lane,
    offset: u64,
    ready: oneshot::Sender<u64>,
    data: oneshot::Receiver<Data>,
) -> std::result::Result<u64, Reply> {
    let opener = session.clone();
    let file = blocking(move || opener.open_read(&path)).await.map_err(|e| Reply::error(&e))?;
    let file = Arc::new(file);
    let end = file.bytes();
    if offset > end {
        let text = format!("REST {offset} is beyond the end of the file, which has {end} bytes.");
        return Err(Reply::new(554, text));
    }
    ready.send(end.saturating_sub(offset)).unwrap_or_default();
    let (mut data, _share) = arrived(lane, data).await?;
    let sent = tokio::select! {
        biased;
        () = lane.stop.cancelled() => Err(Reply::new(426, "Transfer aborted.")),
        sent = give_all(&mut data, Arc::clone(&file), (offset, end), lane) => sent,
    };
    match sent {
        Ok(bytes) => {
            data.finish().await.map_err(|e| Reply::new(426, in_words(&e)))?;
            if offset == 0 {
                let session = session.clone();
                blocking(move || -> Result<()> {
                    session.note_sent_whole(&file);
                    Ok(())
                })
                .await
                .map_err(|e| Reply::error(&e))?;
            }
            Ok(bytes)
        }
        Err(failure) => {
            data.cut();
            Err(failure)
        }
    }
}

async fn give_all(
    data: &mut Data,
    file: Arc<Download>,
    (start, end): (u64, u64),
    lane: &Lane,
) -> std::result::Result<u64, Reply> {
    let mut offset = start;
    let mut next = read_block(&file, offset, vec![0_u8; BLOCK_BYTES]);
    let mut spare = vec![0_u8; BLOCK_BYTES];
    while offset < end {
        let read =
            next.await.map_err(|_| Reply::new(451, "An internal fault ended the download."))?;
        let (block, got) = read.map_err(|e| Reply::error(&e))?;
        let left = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
        let bytes = block.get(..got.min(left)).unwrap_or_default();
        if bytes.is_empty() {
            return Err(Reply::new(
                451,
                "The file became shorter while it was read; fetch it again.",
            ));
        }
        offset = offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        next = read_block(&file, offset, std::mem::take(&mut spare));
        data.write(bytes).await.map_err(|e| Reply::new(426, in_words(&e)))?;
        lane.moved.store(offset.saturating_sub(start), Ordering::Relaxed);
        spare = block;
    }
    Ok(offset.saturating_sub(start))
}

fn read_block(
    file: &Arc<Download>,
    offset: u64,
    mut block: Vec<u8>,
) -> JoinHandle<Result<(Vec<u8>, usize)>> {
    let file = Arc::clone(file);
    tokio::task::spawn_blocking(move || {
        block.resize(BLOCK_BYTES, 0);
        let got = file.read_at(offset, &mut block)?;
        Ok((block, got))
    })
}
