//! What must hold for any bytes on an SFTP channel; asked by the fuzz targets (`fuzz/`).

use super::packet::{Frames, MAX_DATA_BYTES, MAX_PACKET_BYTES, What};

/// Cuts the stream into calls, whole and in pieces: the calls are the same.
pub(crate) fn sftp(bytes: &[u8]) {
    let whole = calls(bytes, bytes.len().max(1));
    assert_eq!(calls(bytes, 1 + bytes.len() % 7), whole, "pieces say something else");
}

pub(crate) use super::scp::fuzzing::scp;

/// What was asked, one line for each call, and how it ended.
fn calls(bytes: &[u8], piece: usize) -> Vec<String> {
    let mut frames = Frames::default();
    let mut told = Vec::new();
    let mut taken = 0;
    for part in bytes.chunks(piece) {
        frames.push(part);
        loop {
            match frames.next() {
                Ok(None) => break,
                Err(broken) => {
                    told.push(broken.to_string());
                    return told;
                }
                Ok(Some((call, length))) => {
                    taken += length + 4;
                    assert!(length <= MAX_PACKET_BYTES && taken <= bytes.len());
                    if let What::Write(write) = &call.what {
                        assert!(write.data.len() <= length.min(MAX_DATA_BYTES + 1024));
                    }
                    told.push(format!("{call:?}"));
                }
            }
        }
    }
    told
}
