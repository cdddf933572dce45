//! What must hold for any bytes on an SFTP channel; asked by the fuzz targets (`fuzz/`).

use russh::Preferred;
use russh_sftp::protocol::{Packet, StatusCode};

use super::agreed::{Eavesdropper, Heard};
use super::extensions;
use super::files::at;
use super::packet::{Frames, MAX_DATA_BYTES, MAX_PACKET_BYTES, What, encode, status};

/// Cuts the stream into calls, whole and in pieces: the calls are the same.
pub(crate) fn sftp(bytes: &[u8]) {
    let whole = calls(bytes, bytes.len().max(1));
    assert_eq!(calls(bytes, 1 + bytes.len() % 7), whole, "pieces say something else");
    assert_eq!(heard(bytes, bytes.len().max(1)), heard(bytes, 1 + bytes.len() % 7));
    let refusal = encode(7, status(7, StatusCode::Failure, &String::from_utf8_lossy(bytes)));
    assert!(
        refusal.len() <= 4 * 1_000 + 64,
        "a client waits for {} bytes of refusal",
        refusal.len()
    );
}

/// The algorithms that a client's first bytes choose.
fn heard(bytes: &[u8], piece: usize) -> Option<String> {
    let mut ear = Eavesdropper::default();
    for part in bytes.chunks(piece) {
        if let Heard::All(agreed) = ear.hear(part, &Preferred::DEFAULT) {
            return agreed.map(|agreed| agreed.in_words());
        }
    }
    None
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
                    if let What::Packet(packet) = &call.what
                        && let Packet::Extended(asked) = &**packet
                    {
                        let (paths, _) = extensions::paths(asked);
                        assert!(paths.iter().all(|path| path.len() <= length), "{paths:?}");
                        drop(paths.iter().filter_map(|path| at(path).ok()).collect::<Vec<_>>());
                    }
                    told.push(format!("{call:?}"));
                }
            }
        }
    }
    told
}
