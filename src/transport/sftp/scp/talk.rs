//! The conversation with an scp client: lines, bytes and answers, in the order of the protocol.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::lines::Line;
use super::outlet::Outlet;
use super::{Ending, Shared};
use crate::config::{SCP_LINE_BYTES, SCP_UNREAD_BYTES};
use crate::transport::sftp::connection::Place;
use crate::transport::sftp::files::wide;

/// File data that is put together for one write.
const BATCH_BYTES: usize = 256 * 1024;
/// Longer messages are cut: clients keep a line in a small buffer.
const MESSAGE_CHARS: usize = 1000;
const OK: &[u8] = &[0];

/// What comes from the SSH side.
pub(super) enum Input {
    Piece(Piece),
    /// The client has said that it sends nothing more.
    End,
}

/// Bytes of the client, with their place in memory.
pub(super) struct Piece {
    pub(super) bytes: Bytes,
    /// Given back when it is dropped.
    pub(super) _place: Option<Place>,
    pub(super) ahead: Option<OwnedSemaphorePermit>,
}

/// Why a conversation ends before its time.
#[derive(Debug)]
pub(super) enum Stop {
    /// The client has said that it sends nothing more.
    Eof,
    /// The client is gone, or we end it.
    Lost,
    /// The client broke the protocol.
    Broken(&'static str),
    /// The client says that it cannot go on.
    Fatal(String),
}

/// File data, with its place in memory until it is dropped.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) pieces: Vec<Bytes>,
    _used_up: Vec<Piece>,
}

impl Batch {
    /// How many bytes of the file these are.
    pub(super) fn bytes(&self) -> u64 {
        self.pieces.iter().map(|piece| wide(piece.len())).fold(0, u64::saturating_add)
    }
}

/// What a client answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// 0: go on.
    Ok,
    /// 1: this one went wrong, go on with the next.
    No(String),
}

/// One conversation.
pub(super) struct Talk {
    pub(super) shared: Arc<Shared>,
    outlet: Outlet,
    input: mpsc::UnboundedReceiver<Input>,
    /// What has come and is not taken yet.
    rest: Option<Piece>,
    /// Nothing more comes.
    over: bool,
    failures: u64,
}

impl Drop for Talk {
    fn drop(&mut self) {
        // Nobody waits any more for what is taken no longer.
        self.shared.ahead.close();
    }
}

impl Talk {
    pub(super) fn new(
        shared: &Arc<Shared>,
        input: mpsc::UnboundedReceiver<Input>,
        outlet: Outlet,
    ) -> Self {
        Self { shared: Arc::clone(shared), outlet, input, rest: None, over: false, failures: 0 }
    }

    /// Waits until something has come.
    async fn rest(&mut self) -> Result<&mut Piece, Stop> {
        while self.rest.as_ref().is_none_or(|rest| rest.bytes.is_empty()) {
            self.rest = None;
            if self.over {
                return Err(Stop::Eof);
            }
            let input = tokio::select! {
                biased;
                () = self.shared.stopped.cancelled() => return Err(Stop::Lost),
                input = self.input.recv() => input,
            };
            match input {
                Some(Input::Piece(mut piece)) => {
                    // It has been asked for now.
                    piece.ahead = None;
                    self.rest = Some(piece);
                }
                Some(Input::End) => self.over = true,
                None => return Err(Stop::Lost),
            }
        }
        self.rest.as_mut().ok_or(Stop::Lost)
    }

    /// The next byte.
    pub(super) async fn byte(&mut self) -> Result<u8, Stop> {
        Ok(self.rest().await?.bytes.get_u8())
    }

    /// The next line, or what is left of it after `first`.
    async fn bytes_of_line(&mut self, first: Option<u8>) -> Result<BytesMut, Stop> {
        let mut line = BytesMut::new();
        line.extend(first);
        loop {
            let piece = match self.rest().await {
                Err(Stop::Eof) if !line.is_empty() => {
                    return Err(Stop::Broken("the input ended within a line"));
                }
                piece => piece?,
            };
            let end = piece.bytes.iter().position(|byte| *byte == b'\n');
            let taken = piece.bytes.split_to(end.unwrap_or(piece.bytes.len()));
            if line.len().saturating_add(taken.len()) > SCP_LINE_BYTES {
                return Err(Stop::Broken("a line is too long"));
            }
            line.extend_from_slice(&taken);
            if end.is_some() {
                piece.bytes.advance(1);
                return Ok(line);
            }
        }
    }

    /// The next line of the protocol; [`Stop::Eof`] where the client ends in good order.
    pub(super) async fn line(&mut self) -> Result<Line, Stop> {
        let line = self.bytes_of_line(None).await?;
        Line::parse(&line).map_err(Stop::Broken)
    }

    /// The client's answer.
    pub(super) async fn answer(&mut self) -> Result<Answer, Stop> {
        let first = self.byte().await?;
        if first == 0 {
            return Ok(Answer::Ok);
        }
        let line = self.bytes_of_line(Some(first)).await?;
        match Line::parse(&line) {
            Ok(Line::Told(text)) => Ok(Answer::No(text)),
            Ok(Line::Fatal(text)) => Err(Stop::Fatal(text)),
            _ => Err(Stop::Broken("expected an answer (a byte 0, 1 or 2)")),
        }
    }

    /// What the client says behind a file's last byte: whether it has sent it whole.
    pub(super) async fn end_of_file(&mut self) -> Result<Answer, Stop> {
        match self.answer().await {
            Err(Stop::Eof) if self.shared.ending == Ending::ByteOrEof => Ok(Answer::Ok),
            Err(Stop::Broken(_)) => Err(Stop::Broken("expected the byte 0 after the file's data")),
            answer => answer,
        }
    }

    /// Some of the `left` bytes of a file, at least one.
    pub(super) async fn data(&mut self, left: u64) -> Result<Batch, Stop> {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(BATCH_BYTES);
        let mut batch = Batch::default();
        let mut bytes = 0_usize;
        loop {
            let piece = self.rest().await?;
            let taken = piece.bytes.split_to(piece.bytes.len().min(most.saturating_sub(bytes)));
            bytes = bytes.saturating_add(taken.len());
            batch.pieces.push(taken);
            if piece.bytes.is_empty() {
                batch._used_up.extend(self.rest.take());
            }
            let more = self.rest.is_none() && bytes < most;
            let next = if more { self.input.try_recv().ok() } else { None };
            match next {
                Some(Input::Piece(mut next)) => {
                    next.ahead = None;
                    self.rest = Some(next);
                }
                // It must not be lost: whoever asks next is told.
                Some(Input::End) => {
                    self.over = true;
                    return Ok(batch);
                }
                None => return Ok(batch),
            }
        }
    }

    /// Asks the client for so many bytes.
    pub(super) fn await_bytes(&self, bytes: u64) {
        self.shared.awaited.store(bytes, Ordering::Release);
    }

    /// Answers: go on.
    ///
    /// # Errors
    /// The client does not read what it is told.
    pub(super) fn ok(&self) -> Result<(), Stop> {
        self.say(Bytes::from_static(OK))
    }

    /// Answers that something went wrong with `path`; the client goes on with what is next.
    ///
    /// # Errors
    /// The client does not read what it is told.
    pub(super) fn refuse(&mut self, path: &str, why: &str) -> Result<(), Stop> {
        self.failures = self.failures.saturating_add(1);
        self.say(Line::Told(message(path, why)).write())
    }

    /// Something went wrong over there.
    pub(super) fn note_failure(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// Answers that nothing goes on.
    pub(super) fn tell_fatal(&mut self, why: &str) {
        self.note_failure();
        self.outlet.send(Line::Fatal(message("", why)).write());
    }

    /// Shows words to the person at the other side.
    pub(super) fn show(&self, words: &str) {
        self.outlet.show(words);
    }

    /// Sends bytes of the protocol.
    ///
    /// # Errors
    /// The client does not read what it is told.
    pub(super) fn say(&self, bytes: impl Into<Bytes>) -> Result<(), Stop> {
        if self.outlet.waiting_bytes() > SCP_UNREAD_BYTES {
            return Err(Stop::Broken("the answers are not read"));
        }
        self.outlet.send(bytes);
        Ok(())
    }

    /// Sends file data as soon as most of what was sent before has been taken.
    ///
    /// # Errors
    /// Nobody is there to take it.
    pub(super) async fn give(&self, bytes: Bytes) -> Result<(), Stop> {
        self.outlet.room().await;
        if self.shared.lost.is_cancelled() {
            return Err(Stop::Lost);
        }
        self.outlet.send(bytes);
        Ok(())
    }

    /// Says the exit status: 0 if everything went well.
    pub(super) fn end(&self, in_order: bool) {
        let well = in_order && self.failures == 0;
        self.outlet.end(u32::from(!well));
    }
}

/// One line, as scp writes them; a path that the message begins with is not said twice.
fn message(path: &str, why: &str) -> String {
    let before = if path.is_empty() || why.starts_with(path) { "" } else { path };
    let between = if before.is_empty() { "" } else { ": " };
    let text = format!("scp: {before}{between}{why}");
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MESSAGE_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_one_line_and_name_the_path_once() {
        for (path, why, expected) in [
            ("/in/x", "no\nroom", "scp: /in/x: no room"),
            ("/in/x", "/in/x is a folder", "scp: /in/x is a folder"),
            ("", "gone", "scp: gone"),
        ] {
            assert_eq!(message(path, why), expected);
        }
        assert_eq!(message("", &"x".repeat(5000)).len(), MESSAGE_CHARS);
    }
}
