//! Answers as servers really write them, before russh-sftp reads them.
//!
//! russh-sftp knows the status codes of version 3 (0 to 8) and ends the session at any other; servers that also speak later versions
//! send those codes to everybody (ProFTPD: 9 for a handle that is closed). A STATUS without its two texts ends it as well. Here such a
//! packet gets a code of version 3 and its texts; all others pass as they are.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// `SSH_FXP_STATUS` (draft-ietf-secsh-filexfer-02, section 3).
const STATUS: u8 = 101;
/// Length and type of a packet.
const HEAD_BYTES: usize = 5;
/// Type, request and code of a STATUS.
const FIXED_BYTES: usize = 9;
/// A longer STATUS passes untouched.
const STATUS_BYTES: usize = 64 * 1024;

const NO_SUCH_FILE: u32 = 2;
const PERMISSION_DENIED: u32 = 3;
const FAILURE: u32 = 4;
/// The last code of version 3.
const OP_UNSUPPORTED: u32 = 8;

/// The codes after version 3, from 9 on, with the code of version 3 that says most of it (draft-ietf-secsh-filexfer-13, section 9.1).
const LATER: [(u32, &str); 23] = [
    (FAILURE, "invalid handle"),
    (NO_SUCH_FILE, "no such path"),
    (FAILURE, "file already exists"),
    (PERMISSION_DENIED, "write protected"),
    (FAILURE, "no media"),
    (FAILURE, "no space left on the file system"),
    (FAILURE, "quota exceeded"),
    (FAILURE, "unknown principal"),
    (FAILURE, "lock conflict"),
    (FAILURE, "directory not empty"),
    (FAILURE, "not a directory"),
    (FAILURE, "invalid file name"),
    (FAILURE, "too many links"),
    (PERMISSION_DENIED, "cannot be deleted"),
    (FAILURE, "invalid parameter"),
    (FAILURE, "file is a directory"),
    (FAILURE, "byte range lock conflict"),
    (FAILURE, "byte range lock refused"),
    (FAILURE, "delete pending"),
    (FAILURE, "file corrupt"),
    (FAILURE, "invalid owner"),
    (FAILURE, "invalid group"),
    (FAILURE, "no matching byte range lock"),
];

/// The stream of the subsystem, with STATUS packets in version 3's terms.
pub(super) struct Answers<S> {
    inner: S,
    /// The start of a packet, until it is known what it is; a STATUS as a whole.
    packet: Vec<u8>,
    /// Bytes for the reader; `given` of them are with it.
    ready: Vec<u8>,
    given: usize,
    /// Bytes of the packet under way that pass as they come.
    passing: usize,
}

impl<S> Answers<S> {
    pub(super) fn of(inner: S) -> Self {
        Self { inner, packet: Vec::new(), ready: Vec::new(), given: 0, passing: 0 }
    }

    /// How many bytes of the packet are still needed before it can go on.
    fn wanted(&self) -> usize {
        let length = length_of(&self.packet);
        match self.packet.get(HEAD_BYTES - 1) {
            None => HEAD_BYTES - self.packet.len(),
            Some(&STATUS) if length <= STATUS_BYTES => {
                (4 + length).saturating_sub(self.packet.len())
            }
            Some(_) => 0,
        }
    }

    fn release(&mut self) {
        let length = length_of(&self.packet);
        let is_whole = self.packet.len() == 4 + length && self.packet.get(4) == Some(&STATUS);
        self.passing = (4 + length).saturating_sub(self.packet.len());
        self.ready = match self.packet.get(4..).filter(|_| is_whole).and_then(mended) {
            Some(mended) => mended,
            None => std::mem::take(&mut self.packet),
        };
        self.packet.clear();
        self.given = 0;
    }
}

/// The length that a packet's first four bytes give.
fn length_of(packet: &[u8]) -> usize {
    number(packet, 0).and_then(|length| usize::try_from(length).ok()).unwrap_or_default()
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_be_bytes)
}

/// The text that starts at `at` (a length, then bytes), and where it ends.
fn text(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let start = at.checked_add(4)?;
    let end = start.checked_add(usize::try_from(number(bytes, at)?).ok()?)?;
    Some((bytes.get(start..end)?, end))
}

/// The packet that stands for a STATUS (`payload`: without its length) that russh-sftp could not read; `None` where it can.
fn mended(payload: &[u8]) -> Option<Vec<u8>> {
    let code = number(payload, 5)?;
    let message = text(payload, FIXED_BYTES);
    let language = message.and_then(|(_, end)| text(payload, end));
    if code <= OP_UNSUPPORTED && language.is_some() {
        return None;
    }
    let later = code.checked_sub(OP_UNSUPPORTED + 1).and_then(|n| usize::try_from(n).ok());
    let mut words = message.map(|(words, _)| words.to_vec()).unwrap_or_default();
    let known = match later {
        None => code,
        Some(later) => {
            let named = LATER.get(later);
            let name =
                named.map_or_else(|| format!("status {code}"), |(_, name)| (*name).to_owned());
            words = match String::from_utf8_lossy(&words).to_lowercase() {
                said if said.contains(&name) => words,
                said if said.is_empty() => name.into_bytes(),
                _ => [&words, b" (".as_slice(), name.as_bytes(), b")"].concat(),
            };
            named.map_or(FAILURE, |(code, _)| *code)
        }
    };
    let mut body = payload.get(..5)?.to_vec();
    body.extend(known.to_be_bytes());
    for text in [words.as_slice(), language.map_or(b"".as_slice(), |(tag, _)| tag)] {
        body.extend(u32::try_from(text.len()).ok()?.to_be_bytes());
        body.extend(text);
    }
    let mut packet = u32::try_from(body.len()).ok()?.to_be_bytes().to_vec();
    packet.append(&mut body);
    Some(packet)
}

impl<S: AsyncRead + Unpin> AsyncRead for Answers<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let this = &mut *self;
        loop {
            let ready = this.ready.get(this.given..).unwrap_or_default();
            if !ready.is_empty() {
                let fits = ready.len().min(to.remaining());
                to.put_slice(ready.get(..fits).unwrap_or_default());
                this.given += fits;
                return Poll::Ready(Ok(()));
            }
            if this.passing > 0 {
                let room = this.passing.min(to.remaining());
                let mut part = ReadBuf::new(to.initialize_unfilled_to(room));
                ready!(Pin::new(&mut this.inner).poll_read(cx, &mut part))?;
                let came = part.filled().len();
                to.advance(came);
                this.passing -= came;
                return Poll::Ready(Ok(()));
            }
            let wanted = this.wanted();
            if wanted == 0 {
                this.release();
                continue;
            }
            let mut here = [0; 512];
            let room = here.len().min(wanted);
            let mut part = ReadBuf::new(here.get_mut(..room).unwrap_or_default());
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut part))?;
            if part.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.packet.extend_from_slice(part.filled());
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Answers<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn status(code: u32, texts: &[&str]) -> Vec<u8> {
        let mut body = vec![STATUS, 0, 0, 0, 7];
        body.extend(code.to_be_bytes());
        for text in texts {
            body.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
            body.extend(text.as_bytes());
        }
        packet(&body)
    }

    fn packet(body: &[u8]) -> Vec<u8> {
        [&u32::try_from(body.len()).unwrap().to_be_bytes(), body].concat()
    }

    /// What a reader gets when the bytes come in pieces of `piece` bytes.
    async fn read(sent: &[u8], piece: usize) -> Vec<u8> {
        let (mut server, client) = tokio::io::duplex(piece);
        let sent = sent.to_vec();
        let writer = tokio::spawn(async move { server.write_all(&sent).await });
        let mut got = Vec::new();
        Answers::of(client).read_to_end(&mut got).await.unwrap();
        writer.await.unwrap().unwrap();
        got
    }

    #[tokio::test]
    async fn later_codes_become_those_of_version_3_and_say_what_they_were() {
        for (sent, expected) in [
            (status(9, &["Invalid handle", "en"]), status(4, &["Invalid handle", "en"])),
            (status(10, &["", ""]), status(2, &["no such path", ""])),
            (status(15, &["full", ""]), status(4, &["full (quota exceeded)", ""])),
            (status(31, &["", ""]), status(4, &["no matching byte range lock", ""])),
            (status(32, &["", ""]), status(4, &["status 32", ""])),
            (status(u32::MAX, &[]), status(4, &["status 4294967295", ""])),
        ] {
            assert_eq!(read(&sent, 64).await, expected);
        }
    }

    #[tokio::test]
    async fn missing_texts_are_added() {
        assert_eq!(read(&status(0, &[]), 64).await, status(0, &["", ""]));
        assert_eq!(read(&status(3, &["No"]), 64).await, status(3, &["No", ""]));
        // The length of a text that is not all there.
        let cut = packet(&[STATUS, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 9, b'x']);
        assert_eq!(read(&cut, 64).await, status(1, &["", ""]));
    }

    #[tokio::test]
    async fn all_else_passes_as_it_is_however_it_is_cut() {
        let data = packet(&[&[103, 0, 0, 0, 8], [9; 5000].as_slice()].concat());
        let long = packet(
            &[&[STATUS, 0, 0, 0, 9, 0, 0, 0, 9], vec![b'x'; STATUS_BYTES].as_slice()].concat(),
        );
        let good = status(8, &["not here", "en"]);
        let short = packet(&[STATUS, 0, 0]);
        let sent = [&data, &good, &long, &data, &short, &good].map(Vec::as_slice).concat();
        for piece in [1, 3, 4, 5, 9, 100_000] {
            assert_eq!(read(&sent, piece).await, sent, "pieces of {piece}");
        }
        // What ends in the middle of a packet ends there.
        assert_eq!(read(data.get(..700).unwrap(), 64).await, data.get(..700).unwrap());
    }

    #[tokio::test]
    async fn a_mended_packet_stands_between_its_neighbours() {
        let data = packet(&[103, 0, 0, 0, 8, 1, 2, 3]);
        let sent = [data.clone(), status(9, &["x", ""]), data.clone()].concat();
        let expected = [data.clone(), status(4, &["x (invalid handle)", ""]), data].concat();
        for piece in [1, 7, 1000] {
            assert_eq!(read(&sent, piece).await, expected);
        }
    }
}
