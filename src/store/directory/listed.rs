//! A source's list of users as a short blob: ascending ids as differences, each in LEB128 (7 bits a byte, low first).

/// The blob for ids in ascending order; an id that is not above the one before it is left out.
pub(super) fn pack(ids: &[i64]) -> Vec<u8> {
    let mut blob = Vec::with_capacity(ids.len() + 8);
    let mut last = 0_i64;
    for id in ids {
        let step = id.checked_sub(last).and_then(|s| u64::try_from(s).ok()).unwrap_or(0);
        if step == 0 {
            continue;
        }
        last = *id;
        let mut rest = step;
        loop {
            let low = u8::try_from(rest & 0x7F).unwrap_or(0);
            rest >>= 7;
            if rest == 0 {
                blob.push(low);
                break;
            }
            blob.push(low | 0x80);
        }
    }
    blob
}

/// The ids of a blob.
pub(super) fn unpack(blob: &[u8]) -> Vec<i64> {
    let mut ids = Vec::with_capacity(blob.len());
    let (mut last, mut step, mut shift) = (0_i64, 0_u64, 0_u32);
    for byte in blob {
        step |= u64::from(byte & 0x7F).checked_shl(shift).unwrap_or(0);
        shift += 7;
        if byte & 0x80 == 0 {
            last = last.saturating_add_unsigned(step);
            ids.push(last);
            (step, shift) = (0, 0);
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back() {
        for ids in [vec![], vec![1], vec![1, 2, 3, 500, 501, 1_000_000, i64::MAX]] {
            assert_eq!(unpack(&pack(&ids)), ids);
        }
        assert_eq!(pack(&(1..=1000).collect::<Vec<_>>()).len(), 1000);
    }
}
