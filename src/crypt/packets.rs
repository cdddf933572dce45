//! The frames of OpenPGP packets: where each begins and ends. Source: RFC 9580, 4.2.

use pgp::composed::PacketBodyReader;
use pgp::packet::PacketHeader;

use super::Trouble;

/// One packet, with its frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet<'a> {
    /// Its type.
    pub(super) tag: u8,
    bytes: &'a [u8],
}

/// Types of packets. Source: RFC 9580, 5.
pub(super) mod tag {
    pub(in crate::crypt) const PUBLIC_KEY_SESSION: u8 = 1;
    pub(in crate::crypt) const SIGNATURE: u8 = 2;
    pub(in crate::crypt) const PASSWORD_SESSION: u8 = 3;
    pub(in crate::crypt) const ONE_PASS: u8 = 4;
    pub(in crate::crypt) const COMPRESSED: u8 = 8;
    pub(in crate::crypt) const ENCRYPTED_UNPROTECTED: u8 = 9;
    pub(in crate::crypt) const MARKER: u8 = 10;
    pub(in crate::crypt) const LITERAL: u8 = 11;
    pub(in crate::crypt) const ENCRYPTED: u8 = 18;
    /// GnuPG's own, from before RFC 9580.
    pub(in crate::crypt) const ENCRYPTED_GNUPG: u8 = 20;
    pub(in crate::crypt) const PADDING: u8 = 21;
}

impl<'a> Packet<'a> {
    /// Its header as rPGP knows it, and its body, partial lengths put together.
    pub(super) fn body(&self) -> Result<(PacketHeader, PacketBodyReader<&'a [u8]>), Trouble> {
        let mut bytes = self.bytes;
        let header = PacketHeader::try_from_reader(&mut bytes).map_err(|_| Trouble::Damaged)?;
        let body = PacketBodyReader::new(header, bytes).map_err(|_| Trouble::Damaged)?;
        Ok((header, body))
    }

    /// Everything behind the header: the body, with the frames of its parts if it comes in parts.
    pub(super) fn after_header(&self) -> Result<&'a [u8], Trouble> {
        let mut bytes = self.bytes;
        PacketHeader::try_from_reader(&mut bytes).map_err(|_| Trouble::Damaged)?;
        Ok(bytes)
    }
}

enum Length {
    Whole(usize),
    Part(usize),
    ToTheEnd,
}

/// The first packet and what follows it.
///
/// # Errors
/// [`Trouble::Cut`] when it goes on behind the last byte, [`Trouble::Damaged`] for what is no packet.
pub(super) fn first(bytes: &[u8]) -> Result<(Packet<'_>, &[u8]), Trouble> {
    let (&head, body) = bytes.split_first().ok_or(Trouble::Cut)?;
    if head & 0x80 == 0 {
        return Err(Trouble::Damaged);
    }
    let is_new = head & 0x40 != 0;
    let tag = if is_new { head & 0x3F } else { (head >> 2) & 0x0F };
    let mut rest = body;
    loop {
        let (length, after) = if is_new { new_length(rest)? } else { old_length(head, rest)? };
        let (skip, is_last) = match length {
            Length::Whole(bytes) => (bytes, true),
            Length::Part(bytes) => (bytes, false),
            Length::ToTheEnd => (after.len(), true),
        };
        let (_, after) = after.split_at_checked(skip).ok_or(Trouble::Cut)?;
        rest = after;
        if is_last {
            break;
        }
    }
    let (bytes, rest) = bytes.split_at_checked(bytes.len() - rest.len()).ok_or(Trouble::Damaged)?;
    Ok((Packet { tag, bytes }, rest))
}

fn new_length(bytes: &[u8]) -> Result<(Length, &[u8]), Trouble> {
    let (&first, rest) = bytes.split_first().ok_or(Trouble::Cut)?;
    let short = usize::from(first);
    match first {
        0..=191 => Ok((Length::Whole(short), rest)),
        192..=223 => {
            let (&second, rest) = rest.split_first().ok_or(Trouble::Cut)?;
            Ok((Length::Whole(((short - 192) << 8) + usize::from(second) + 192), rest))
        }
        224..=254 => Ok((Length::Part(1 << (first & 0x1F)), rest)),
        255 => big_endian(rest, 4),
    }
}

fn old_length(head: u8, bytes: &[u8]) -> Result<(Length, &[u8]), Trouble> {
    match head & 3 {
        0 => big_endian(bytes, 1),
        1 => big_endian(bytes, 2),
        2 => big_endian(bytes, 4),
        _ => Ok((Length::ToTheEnd, bytes)),
    }
}

fn big_endian(bytes: &[u8], digits: usize) -> Result<(Length, &[u8]), Trouble> {
    let (number, rest) = bytes.split_at_checked(digits).ok_or(Trouble::Cut)?;
    let number = number.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    Ok((Length::Whole(usize::try_from(number).map_err(|_| Trouble::Cut)?), rest))
}

/// Whether these bytes begin an OpenPGP file. A table that begins with a letter such as É is told apart by the
/// packet's version, which is a control character and stands in no text.
pub(super) fn begin_message(bytes: &[u8]) -> bool {
    let Some((&head, rest)) = bytes.split_first() else { return false };
    if head & 0x80 == 0 {
        return false;
    }
    let is_new = head & 0x40 != 0;
    let tag = if is_new { head & 0x3F } else { (head >> 2) & 0x0F };
    let length = if is_new { new_length(rest) } else { old_length(head, rest) };
    let Ok((length, body)) = length else { return false };
    let Some(&version) = body.first() else { return false };
    match tag {
        tag::PUBLIC_KEY_SESSION => matches!(version, 2 | 3 | 6),
        tag::PASSWORD_SESSION => matches!(version, 4..=6),
        tag::ENCRYPTED => matches!(version, 1 | 2),
        tag::ENCRYPTED_GNUPG => version == 1,
        tag::ONE_PASS => matches!(version, 3 | 6),
        tag::SIGNATURE => matches!(version, 3..=6),
        tag::COMPRESSED => version <= 3,
        // Keys: public, secret.
        5 | 6 => matches!(version, 4..=6),
        // Without a version: only a packet that is the whole file.
        tag::LITERAL => {
            matches!(version, b'b' | b't' | b'u' | b'l')
                && matches!(length, Length::Whole(bytes) if bytes == body.len())
        }
        _ => false,
    }
}
