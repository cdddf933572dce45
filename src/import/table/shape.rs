//! The shape of a text: how often each possible separator stands in its lines, and which quotes it has.

/// A record with this many separators or more counts as this many: only rows' agreement matters.
const MOST_COUNTED: usize = 4096;

/// How cells begin and end, for each of the two possible quotes.
#[derive(Debug, Default)]
pub(super) struct Signs {
    /// Cells that begin with `"`, and that end with it.
    double: (u64, u64),
    /// The same for `'`.
    single: (u64, u64),
    lines: u64,
}

impl Signs {
    pub(super) fn of(text: &[u8]) -> Self {
        let mut signs = Self::default();
        if memchr::memchr(b'\'', text).is_none() {
            return signs;
        }
        signs.lines = 1;
        for at in memchr::memchr3_iter(b'\'', b'"', b'\n', text) {
            let before = at.checked_sub(1).and_then(|i| text.get(i));
            // A space belongs to a separator that is written `", "`.
            let before = if before == Some(&b' ') {
                at.checked_sub(2).and_then(|i| text.get(i)).filter(|b| is_edge(**b)).or(before)
            } else {
                before
            };
            let after = text.get(at + 1);
            let opens = before.is_none_or(|b| is_edge(*b)) && after.is_some_and(|b| !is_edge(*b));
            let closes = after.is_none_or(|b| is_edge(*b)) && before.is_some_and(|b| !is_edge(*b));
            let counts = match text.get(at) {
                Some(b'\'') => &mut signs.single,
                Some(b'"') => &mut signs.double,
                _ => {
                    signs.lines += 1;
                    continue;
                }
            };
            counts.0 += u64::from(opens);
            counts.1 += u64::from(closes);
        }
        signs
    }

    /// Cells begin and end with apostrophes in about every line, and hardly any with quotation marks.
    pub(super) fn may_be_apostrophes(&self) -> bool {
        let quoted = self.single.0.min(self.single.1);
        let double = self.double.0.min(self.double.1);
        quoted >= 2 && quoted * 2 >= self.lines && double * 4 < quoted
    }

    /// One cell or more in every line begins with an apostrophe, as many end with one, and none has quotation marks.
    pub(super) fn are_paired(&self) -> bool {
        self.single.0 == self.single.1 && self.single.0 + 1 >= self.lines && self.double == (0, 0)
    }
}

fn is_edge(byte: u8) -> bool {
    matches!(byte, b';' | b',' | b'\t' | b'|' | b'\n' | b'\r')
}

/// Separators by line, counted for four candidates in one pass.
pub(super) struct Tally {
    /// For each candidate: how many lines have so many of it.
    counts: [Vec<u32>; 4],
    /// For each candidate: lines that have as many of it as a line beside them.
    alike: [u64; 4],
    last: [usize; 4],
    last_was_alike: [bool; 4],
    records: u64,
    doubled: u64,
    backslashed: u64,
    candidates: [u8; 4],
    quote: u8,
}

impl Tally {
    pub(super) fn of(text: &[u8], candidates: [u8; 4], quote: u8) -> Self {
        let mut tally = Self {
            counts: [const { Vec::new() }; 4],
            alike: [0; 4],
            last: [0; 4],
            last_was_alike: [false; 4],
            records: 0,
            doubled: 0,
            backslashed: 0,
            candidates,
            quote,
        };
        let mut line = [0_usize; 4];
        let mut is_blank = true;
        let mut at_start = true;
        let mut bytes = text.iter().copied().enumerate();
        while let Some((at, byte)) = bytes.next() {
            if byte == quote && at_start {
                is_blank = false;
                let end = tally.end_of_quoted(text, at + 1);
                bytes.nth(end.saturating_sub(at + 1));
                at_start = false;
            } else if byte == b'\n' {
                tally.end_line(&mut line, is_blank);
                is_blank = true;
                at_start = true;
            } else if let Some(which) = candidates.iter().position(|c| *c == byte) {
                if let Some(count) = line.get_mut(which) {
                    *count += 1;
                }
                at_start = true;
            } else if !matches!(byte, b' ' | b'\r') {
                is_blank = false;
                at_start = false;
            }
        }
        tally.end_line(&mut line, is_blank);
        tally
    }

    /// Where the quoted cell that begins at `from` ends (its closing quote); notes how quotes are escaped.
    fn end_of_quoted(&mut self, text: &[u8], from: usize) -> usize {
        let rest = text.get(from..).unwrap_or_default();
        let mut skip = None;
        for offset in memchr::memchr_iter(self.quote, rest) {
            let at = from + offset;
            if skip == Some(at) {
                continue;
            }
            let before = at.checked_sub(1).and_then(|i| text.get(i));
            let after = text.get(at + 1).copied();
            let ends =
                after.is_none_or(|b| self.candidates.contains(&b) || matches!(b, b'\n' | b'\r'));
            if before == Some(&b'\\') && !ends && offset > 0 {
                self.backslashed += 1;
            } else if after == Some(self.quote) {
                self.doubled += 1;
                skip = Some(at + 1);
            } else {
                return at;
            }
        }
        text.len()
    }

    /// Quotes inside quoted cells are (mostly) written with a backslash.
    pub(super) fn is_backslashed(&self) -> bool {
        self.backslashed > self.doubled
    }

    /// No separator stands anywhere outside quotes.
    pub(super) fn is_one_column(&self) -> bool {
        self.counts.iter().all(|counts| counts.len() <= 1)
    }

    /// How many of this candidate most lines have that have any.
    pub(super) fn most(&self, which: usize) -> usize {
        let counts = self.counts.get(which).map(Vec::as_slice).unwrap_or_default();
        let most = counts.iter().enumerate().skip(1).max_by_key(|(_, lines)| **lines);
        most.map_or(0, |(separators, _)| separators)
    }

    /// How far the lines agree on a number of this candidate, weighed by that number; 0: not enough.
    /// Two tables in one file agree each with itself: then lines are compared with those beside them.
    pub(super) fn agreement(&self, which: usize, least_share: u64, least_records: u64) -> u64 {
        let Some(counts) = self.counts.get(which) else { return 0 };
        let separators = self.most(which);
        let Some(lines) = counts.get(separators).filter(|_| separators > 0) else { return 0 };
        let records = self.records.max(1);
        let equal = u64::from(*lines) * 100 / records;
        let alike = self.alike.get(which).copied().unwrap_or(0) * 100 / records;
        let share = equal.max(if alike >= 90 { alike } else { 0 });
        if share < least_share || self.records < least_records {
            return 0;
        }
        let separators = u64::try_from(separators).unwrap_or(0);
        share * 64 + separators.min(63)
    }

    fn end_line(&mut self, line: &mut [usize; 4], is_blank: bool) {
        if !is_blank {
            self.records += 1;
            for (which, separators) in line.iter().copied().enumerate() {
                self.count(which, separators.min(MOST_COUNTED));
            }
        }
        *line = [0; 4];
    }

    fn count(&mut self, which: usize, separators: usize) {
        let (Some(counts), Some(alike), Some(last), Some(last_was_alike)) = (
            self.counts.get_mut(which),
            self.alike.get_mut(which),
            self.last.get_mut(which),
            self.last_was_alike.get_mut(which),
        ) else {
            return;
        };
        if counts.len() <= separators {
            counts.resize(separators + 1, 0);
        }
        if let Some(lines) = counts.get_mut(separators) {
            *lines += 1;
        }
        let is_alike = separators > 0 && *last == separators;
        if is_alike {
            *alike += if *last_was_alike { 1 } else { 2 };
        }
        *last = separators;
        *last_was_alike = is_alike;
    }
}
