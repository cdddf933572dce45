//! Which bytes of a file have been sent, or have come: they do so in any order, and some twice.

/// More pieces than a client with any sense leaves open; beyond them a download counts as unread, an upload as not begun.
const MAX_PIECES: usize = 1024;

/// The bytes that have been sent or have come, as pieces that do not touch, in order.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    pieces: Vec<(u64, u64)>,
    is_lost: bool,
}

impl Coverage {
    /// Bytes from `offset` on were sent, or have come.
    pub(super) fn add(&mut self, offset: u64, bytes: u64) {
        let (mut start, mut end) = (offset, offset.saturating_add(bytes));
        if bytes == 0 || self.is_lost {
            return;
        }
        self.pieces.retain(|&(from, to)| {
            let touches = from <= end && start <= to;
            if touches {
                (start, end) = (start.min(from), end.max(to));
            }
            !touches
        });
        let at = self.pieces.partition_point(|&(from, _)| from < start);
        self.pieces.insert(at, (start, end));
        self.is_lost = self.pieces.len() > MAX_PIECES;
    }

    /// The file was cut to this size.
    pub(super) fn cut(&mut self, bytes: u64) {
        self.pieces.retain(|&(from, _)| from < bytes);
        if let Some((_, to)) = self.pieces.last_mut() {
            *to = bytes.min(*to);
        }
    }

    /// How many bytes from the start on there are without a gap.
    pub(super) fn without_gap(&self) -> u64 {
        let first = self.pieces.first().filter(|(from, _)| *from == 0 && !self.is_lost);
        first.map_or(0, |(_, to)| *to)
    }

    /// Whether all of a file of this size was sent.
    pub(super) fn is_whole(&self, bytes: u64) -> bool {
        self.without_gap() >= bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reads: &[(u64, u64)], bytes: u64, expected: bool) {
        let mut coverage = Coverage::default();
        reads.iter().for_each(|&(offset, bytes)| coverage.add(offset, bytes));
        assert_eq!(coverage.is_whole(bytes), expected, "{reads:?} of {bytes}");
    }

    #[test]
    fn only_a_file_without_a_gap_is_whole() {
        check(&[], 0, true);
        check(&[], 1, false);
        check(&[(0, 10)], 10, true);
        check(&[(0, 9)], 10, false);
        check(&[(1, 9)], 10, false);
        check(&[(5, 5), (0, 5)], 10, true);
        check(&[(5, 5), (0, 4)], 10, false);
        check(&[(0, 3), (6, 4), (2, 3), (5, 1)], 10, true);
        check(&[(0, 5), (0, 5)], 10, false);
        check(&[(0, 2), (4, 2), (8, 2)], 10, false);
    }

    #[test]
    fn what_is_there_without_a_gap_ends_at_the_first_one_and_at_a_cut() {
        let mut coverage = Coverage::default();
        for (offset, bytes, whole) in [(5, 5, 0), (0, 3, 3), (20, 5, 3), (3, 2, 10)] {
            coverage.add(offset, bytes);
            assert_eq!(coverage.without_gap(), whole);
        }
        for (bytes, whole) in [(22, 10), (15, 10), (7, 7), (0, 0)] {
            coverage.cut(bytes);
            assert_eq!(coverage.without_gap(), whole);
        }
        coverage.add(0, 1);
        assert_eq!(coverage.without_gap(), 1);
    }

    #[test]
    fn a_reader_that_leaves_too_many_gaps_has_read_nothing() {
        let gaps: Vec<(u64, u64)> = (0..2000).map(|n| (n * 2, 1)).collect();
        check(&gaps, 1, false);
    }
}
