//! Watches the edges of TLS records on a socket: a connection that ends inside one has lost something for certain.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Type, version and length of a record. Source: RFC 8446, 5.1.
const HEADER_BYTES: usize = 5;

/// A stream that knows whether it stands between two TLS records.
pub(super) struct Records<S> {
    inner: S,
    edge: Edge,
}

#[derive(Default)]
struct Edge {
    header: Vec<u8>,
    body_left: usize,
}

impl Edge {
    fn see(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.body_left > 0 {
                let step = self.body_left.min(bytes.len());
                self.body_left -= step;
                bytes = bytes.get(step..).unwrap_or_default();
                continue;
            }
            self.header.push(*first);
            bytes = rest;
            if let [_, _, _, high, low] = *self.header.as_slice() {
                self.body_left = usize::from(u16::from_be_bytes([high, low]));
                self.header.clear();
            }
        }
    }

    fn is_between(&self) -> bool {
        self.header.is_empty() && self.body_left == 0
    }
}

impl<S> Records<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner, edge: Edge { header: Vec::with_capacity(HEADER_BYTES), body_left: 0 } }
    }

    /// Whether everything that was read so far ends with the end of a record.
    pub(super) fn is_between(&self) -> bool {
        self.edge.is_between()
    }

    pub(super) fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Records<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(cx, buf))?;
        this.edge.see(buf.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Records<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_are_found_however_the_bytes_are_cut() {
        let records = [&[23, 3, 3, 0, 2, 9, 9][..], &[21, 3, 3, 1, 0], &[7; 256]].concat();
        for step in 1..records.len() {
            let mut edge = Edge::default();
            for piece in records.chunks(step) {
                edge.see(piece);
            }
            assert!(edge.is_between(), "step {step}");
        }
        for end in 1..records.len() {
            let mut edge = Edge::default();
            edge.see(records.get(..end).unwrap());
            assert_eq!(edge.is_between(), end == 7, "end {end}");
        }
    }
}
