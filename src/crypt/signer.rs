//! Who signed a message, and whether that counts.

use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType};
use pgp::types::Timestamp;

use super::keys::{Part, Unusable, hex};
use super::message::Message;
use super::{Meter, Partner, Trouble};

/// How much later than our clock a signature may be dated.
const CLOCKS_DIFFER_S: u64 = 24 * 3600;

/// The name of the partner who signed the message. One good signature is enough; a forged one of a known
/// partner beside it is not overlooked.
///
/// # Errors
/// Why no signature counts.
pub(super) fn verify(
    message: &Message,
    partners: &[Partner],
    at: u32,
    meter: &Meter<'_>,
) -> Result<String, Trouble> {
    let signed = message.signed.as_deref().unwrap_or(&message.content);
    let mut good = None;
    let mut why = Trouble::Unsigned;
    for signature in &message.signatures {
        meter.check_time()?;
        match judge(signature, signed, partners, at) {
            Ok(name) => good = good.or(Some(name)),
            Err(forged @ Trouble::BadSignature(_)) => return Err(forged),
            // Of several reasons the one of a known partner tells more.
            Err(Trouble::UnknownSigner(_)) if !matches!(why, Trouble::Unsigned) => {}
            Err(trouble) => why = trouble,
        }
    }
    good.ok_or(why)
}

fn judge(
    signature: &Signature,
    signed: &[u8],
    partners: &[Partner],
    at: u32,
) -> Result<String, Trouble> {
    let found = partners
        .iter()
        .find_map(|partner| Some((partner, partner.certificate.signer(signature, at)?)));
    let Some((partner, (part, standing))) = found else {
        return Err(Trouble::UnknownSigner(issuer(signature)));
    };
    let name = partner.name.clone();
    if !matches!(signature.typ(), Some(SignatureType::Binary | SignatureType::Text)) {
        return Err(Trouble::InvalidSignature(name));
    }
    let verified = match part {
        Part::Primary(key) => signature.verify(key, signed),
        Part::Subkey(key) => signature.verify(key, signed),
    };
    verified.map_err(|_| Trouble::BadSignature(name.clone()))?;
    standing.map_err(|why| match why {
        Unusable::Expired => Trouble::ExpiredKey(name.clone()),
        Unusable::Revoked => Trouble::RevokedKey(name.clone()),
        Unusable::NotForThis => Trouble::InvalidSignature(name.clone()),
    })?;
    if let Some(hash) = weak_hash(signature) {
        return Err(Trouble::WeakSignature(name, hash));
    }
    if is_dated_well(signature, &part, at) {
        Ok(name)
    } else {
        Err(Trouble::InvalidSignature(name))
    }
}

/// The hash, if two files with the same one can be made today.
fn weak_hash(signature: &Signature) -> Option<String> {
    use HashAlgorithm as Hash;
    match signature.hash_alg() {
        Some(
            Hash::Sha224
            | Hash::Sha256
            | Hash::Sha384
            | Hash::Sha512
            | Hash::Sha3_256
            | Hash::Sha3_512,
        ) => None,
        Some(hash) => Some(hash.to_string()),
        None => Some("?".to_owned()),
    }
}

/// Made after its key, not in the future, and not past the end that the signer gave it.
fn is_dated_well(signature: &Signature, part: &Part<'_>, at: u32) -> bool {
    let Some(made) = signature.created().map(Timestamp::as_secs).map(u64::from) else {
        return false;
    };
    let at = u64::from(at);
    let lasts = signature.signature_expiration_time().map_or(0, |time| u64::from(time.as_secs()));
    made >= u64::from(part.created_at().as_secs())
        && made <= at.saturating_add(CLOCKS_DIFFER_S)
        && (lasts == 0 || made.saturating_add(lasts) > at)
}

/// The key that a signature says to be made with.
fn issuer(signature: &Signature) -> String {
    let print = signature.issuer_fingerprint().first().map(|print| hex(*print));
    print
        .or_else(|| signature.issuer_key_id().first().map(|id| hex(*id)))
        .unwrap_or_else(|| "?".to_owned())
}
