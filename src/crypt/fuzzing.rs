//! What must hold for any bytes that come as an encrypted file; asked by the fuzz targets (`fuzz/`).

use std::sync::LazyLock;

use super::{Attest, Limits, SecretKey, Signature, encrypt, open_pgp, open_zip};

const ROSTER: &[u8] = b"Matricule;Nom;Pr\xC3\xA9nom\r\n1;Roux;Anna\r\n2;Petit;Luc\r\n";
/// 2026-11-22 in seconds since 1970.
const MADE: u32 = 1_795_305_600;
const MAX_BYTES: u64 = 1 << 20;

fn never() -> bool {
    false
}

/// A key of ours, and a roster that was encrypted for it.
static SEALED: LazyLock<Option<(SecretKey, Vec<u8>)>> = LazyLock::new(|| {
    let key = SecretKey::make("Acme <acme@example.com>", MADE).ok()?;
    let file = encrypt(ROSTER, "users.csv", &[key.certificate()], Attest::No, MADE).ok()?;
    Some((key, file))
});

/// Opens the bytes, and a sealed file that was changed as they say: it opens as what was sealed, or not at all.
pub(crate) fn pgp(bytes: &[u8]) {
    let limits = Limits { max_bytes: MAX_BYTES, max_ratio: 250, is_late: &never };
    let sealed = SEALED.as_ref();
    assert!(sealed.is_some(), "no key can be made");
    let Some((key, file)) = sealed else { return };
    let keys = std::slice::from_ref(key);
    if let Ok(opened) = open_pgp(bytes, keys, Signature::Ignored, &limits) {
        assert!(opened.bytes.len() <= usize::try_from(MAX_BYTES).unwrap_or(usize::MAX));
    }
    if let Ok(opened) = open_pgp(bytes, keys, Signature::By(&[], MADE), &limits) {
        assert!(opened.bytes.is_empty(), "nobody's signature counts here");
    }
    if let Ok(opened) = open_zip(bytes, Some("secret"), &limits) {
        assert!(opened.bytes.len() <= usize::try_from(MAX_BYTES).unwrap_or(usize::MAX));
    }
    let changed = changed(file, bytes);
    if let Ok(opened) = open_pgp(&changed, keys, Signature::Ignored, &limits) {
        assert!(
            opened.bytes == ROSTER || !opened.is_encrypted,
            "changed on its way, and not noticed"
        );
    }
}

/// The file with edits: three bytes each, where and what.
fn changed(file: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut changed = file.to_vec();
    for edit in edits.chunks_exact(3).take(20) {
        let &[low, high, what] = edit else { continue };
        let at = usize::from(u16::from_le_bytes([low, high & 0x0F])) % changed.len().max(1);
        match high >> 4 {
            0..=7 => {
                if let Some(byte) = changed.get_mut(at) {
                    *byte ^= what;
                }
            }
            8..=10 => changed.insert(at, what),
            11..=13 if at < changed.len() => drop(changed.remove(at)),
            _ => changed.truncate(at),
        }
    }
    changed
}
