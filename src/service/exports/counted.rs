//! Where the bytes of a run go, counted on their way.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use sha2::{Digest, Sha256};

use super::keep;

/// Where the bytes of a run go.
pub(super) enum Out {
    File(BufWriter<File>),
    Nowhere,
}

impl Out {
    pub(super) fn sync(&self) -> io::Result<()> {
        match self {
            Self::File(file) => file.get_ref().sync_all(),
            Self::Nowhere => Ok(()),
        }
    }
}

/// Counts what is written, and keeps its SHA-256.
pub(super) struct Counted {
    pub(super) out: Out,
    pub(super) bytes: u64,
    pub(super) digest: Sha256,
}

impl Counted {
    pub(super) fn new(out: Out) -> Self {
        Self { out, bytes: 0, digest: Sha256::new() }
    }

    pub(super) fn sum(self) -> (u64, String) {
        (self.bytes, keep::hex(&self.digest.finalize()))
    }
}

impl Write for Counted {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let written = match &mut self.out {
            Out::File(file) => file.write(buf)?,
            Out::Nowhere => buf.len(),
        };
        self.bytes = self.bytes.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        self.digest.update(buf.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.out {
            Out::File(file) => file.flush(),
            Out::Nowhere => Ok(()),
        }
    }
}
