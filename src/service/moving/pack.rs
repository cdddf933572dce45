//! Many files in one: a tar archive (POSIX ustar) whose members have numbers for names; what they are stands in the first.

use std::io::{self, Read, Write};

/// Bytes of a block.
const BLOCK: usize = 512;
/// A size that eleven octal digits hold; a larger one stands in binary, as GNU tar writes it.
const OCTAL_MOST: u64 = 0o777_7777_7777;

/// Writes a member's head.
///
/// # Errors
/// What the file refuses.
pub(super) fn begin(out: &mut impl Write, name: &str, bytes: u64) -> io::Result<()> {
    let mut head = [0_u8; BLOCK];
    put(&mut head, 0, name.as_bytes());
    put(&mut head, 100, b"0000600\0");
    put(&mut head, 108, b"0000000\0");
    put(&mut head, 116, b"0000000\0");
    if bytes <= OCTAL_MOST {
        put(&mut head, 124, format!("{bytes:011o}\0").as_bytes());
    } else {
        put(&mut head, 124, &[0x80, 0, 0, 0]);
        put(&mut head, 128, &bytes.to_be_bytes());
    }
    put(&mut head, 136, b"00000000000\0");
    put(&mut head, 148, b"        ");
    put(&mut head, 156, b"0");
    put(&mut head, 257, b"ustar\x0000");
    let sum = format!("{:06o}\0 ", checksum(&head));
    put(&mut head, 148, sum.as_bytes());
    out.write_all(&head)
}

/// Fills a member's last block.
///
/// # Errors
/// What the file refuses.
pub(super) fn end(out: &mut impl Write, bytes: u64) -> io::Result<()> {
    out.write_all(&vec![0; padding(bytes)])
}

/// Ends the archive.
///
/// # Errors
/// What the file refuses.
pub(super) fn finish(out: &mut impl Write) -> io::Result<()> {
    out.write_all(&[0; 2 * BLOCK])
}

/// The next member's name and size; `None`: the archive's end.
///
/// # Errors
/// A file that is cut short, damaged, or no archive.
pub(super) fn next(from: &mut impl Read) -> io::Result<Option<(String, u64)>> {
    let mut head = [0_u8; BLOCK];
    from.read_exact(&mut head)?;
    let bad =
        || io::Error::new(io::ErrorKind::InvalidData, "this is no file of an exported client");
    if head.iter().all(|byte| *byte == 0) {
        // Two empty blocks and nothing behind them: what is cut anywhere is seen.
        from.read_exact(&mut head)?;
        let ends = head.iter().all(|byte| *byte == 0) && from.read(&mut [0])? == 0;
        return if ends { Ok(None) } else { Err(bad()) };
    }
    let number = |from: usize, to: usize| -> io::Result<u64> {
        let text = head.get(from..to).and_then(|field| std::str::from_utf8(field).ok());
        let text = text.map(|text| text.trim_matches(['\0', ' '])).ok_or_else(bad)?;
        u64::from_str_radix(text, 8).map_err(|_| bad())
    };
    if head.get(257..262) != Some(b"ustar") || number(148, 156)? != checksum(&head) {
        return Err(bad());
    }
    let bytes = match head.get(124..136).and_then(|size| size.split_first()) {
        Some((0x80, rest)) => {
            let last = rest.last_chunk::<8>().ok_or_else(bad)?;
            u64::from_be_bytes(*last)
        }
        _ => number(124, 136)?,
    };
    let name = head.get(..100).and_then(|name| std::str::from_utf8(name).ok()).ok_or_else(bad)?;
    Ok(Some((name.trim_end_matches('\0').to_owned(), bytes)))
}

/// Reads over the rest of a member's last block.
///
/// # Errors
/// A file that is cut short.
pub(super) fn skip_padding(from: &mut impl Read, bytes: u64) -> io::Result<()> {
    let mut rest = vec![0; padding(bytes)];
    from.read_exact(&mut rest)?;
    if rest.iter().all(|byte| *byte == 0) {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "there is something between its members"))
}

fn padding(bytes: u64) -> usize {
    let block = u64::try_from(BLOCK).unwrap_or(1);
    usize::try_from((block - bytes % block) % block).unwrap_or(0)
}

fn put(head: &mut [u8; BLOCK], at: usize, bytes: &[u8]) {
    for (to, from) in head.iter_mut().skip(at).zip(bytes) {
        *to = *from;
    }
}

/// The sum of all bytes, those of the sum itself taken as spaces.
fn checksum(head: &[u8; BLOCK]) -> u64 {
    let counted =
        |(at, byte): (usize, &u8)| u64::from(if (148..156).contains(&at) { b' ' } else { *byte });
    head.iter().enumerate().map(counted).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_back_as_they_were_and_damage_is_seen() {
        let mut all = Vec::new();
        for (name, bytes) in [("a", &b"hello"[..]), ("b", &[7; 512]), ("c", b"")] {
            let size = u64::try_from(bytes.len()).unwrap();
            begin(&mut all, name, size).unwrap();
            all.extend_from_slice(bytes);
            end(&mut all, size).unwrap();
        }
        finish(&mut all).unwrap();
        assert_eq!(all.len() % BLOCK, 0);
        let mut from = all.as_slice();
        for (name, bytes) in [("a", 5_u64), ("b", 512), ("c", 0)] {
            assert_eq!(next(&mut from).unwrap(), Some((name.to_owned(), bytes)));
            let mut read = vec![0; usize::try_from(bytes).unwrap()];
            from.read_exact(&mut read).unwrap();
            skip_padding(&mut from, bytes).unwrap();
        }
        assert_eq!(next(&mut from).unwrap(), None);
        let mut damaged = all.clone();
        damaged[0] ^= 1;
        assert!(next(&mut damaged.as_slice()).is_err());
        assert!(next(&mut &all[..100]).is_err());
        let mut huge = Vec::new();
        begin(&mut huge, "d", u64::MAX / 2).unwrap();
        assert_eq!(next(&mut huge.as_slice()).unwrap(), Some(("d".to_owned(), u64::MAX / 2)));
    }
}
