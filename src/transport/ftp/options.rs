//! The options of `ls` that clients send with LIST, NLST and STAT, and what they do to a listing.

use std::cmp::Ordering;

use crate::service::session::Entry;

/// Letters that clients send. Those without a meaning here are passed over, as other servers do.
const LETTERS: &str = "aAlLrtSsRFdhinoC1";

/// What the options ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Options {
    /// `-a`, `-A`: wildcards match names that begin with a dot, too. Whole folders are always shown with them.
    pub(super) all: bool,
    /// `-l`: NLST answers like LIST.
    pub(super) long: bool,
    order: Order,
    is_reversed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Order {
    /// As the disk tells them; only reversed by name.
    #[default]
    None,
    /// `-t`: the newest first.
    Time,
    /// `-S`: the largest first.
    Size,
}

impl Options {
    /// The options in front of a name, and the name. A word that is no set of known letters is a name already.
    pub(super) fn split(argument: &str) -> (Self, &str) {
        let (mut options, mut rest) = (Self::default(), argument);
        loop {
            let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
            if word == "--" {
                return (options, after);
            }
            match word.strip_prefix('-') {
                Some(letters) if !letters.is_empty() && letters.chars().all(is_known) => {
                    letters.chars().for_each(|letter| options.take(letter));
                    rest = after;
                }
                _ => return (options, rest),
            }
        }
    }

    fn take(&mut self, letter: char) {
        match letter {
            'a' | 'A' => self.all = true,
            'l' => self.long = true,
            't' => self.order = Order::Time,
            'S' => self.order = Order::Size,
            'r' => self.is_reversed = true,
            _ => {}
        }
    }

    /// Whether the entries must be put in order before the first is shown.
    pub(super) fn asks_for_order(self) -> bool {
        self.order != Order::None || self.is_reversed
    }

    /// Which of two entries comes first.
    pub(super) fn compare(self, one: &Entry, other: &Entry) -> Ordering {
        let by_name = || one.name.cmp(&other.name);
        let order = match self.order {
            Order::None => by_name(),
            Order::Time => other.stat.modified.cmp(&one.stat.modified).then_with(by_name),
            Order::Size => other.stat.bytes.cmp(&one.stat.bytes).then_with(by_name),
        };
        if self.is_reversed { order.reverse() } else { order }
    }
}

fn is_known(letter: char) -> bool {
    LETTERS.contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::session::{Stat, StatKind};

    #[test]
    fn options_are_no_names_and_names_no_options() {
        for (argument, rest) in [
            ("-la", ""),
            ("-la in", "in"),
            ("-a -l in dir", "in dir"),
            ("in", "in"),
            ("-- -la", "-la"),
            ("-payroll.csv", "-payroll.csv"),
            ("-", "-"),
            ("", ""),
        ] {
            assert_eq!(Options::split(argument).1, rest, "{argument}");
        }
        let (options, _) = Options::split("-alt x");
        assert!(options.all && options.long && options.asks_for_order());
        assert!(!Options::split("-la").0.asks_for_order());
    }

    #[test]
    fn entries_come_newest_or_largest_first() {
        let entry = |name: &str, bytes, modified: &str| Entry {
            name: name.to_owned(),
            stat: Stat { kind: StatKind::File, bytes, modified: modified.parse().unwrap() },
        };
        let all = [
            entry("b", 3, "2026-01-01T00:00:00Z"),
            entry("a", 3, "2026-03-01T00:00:00Z"),
            entry("c", 9, "2026-02-01T00:00:00Z"),
        ];
        for (options, expected) in
            [("-t", "acb"), ("-rt", "bca"), ("-S", "cab"), ("-Sr", "bac"), ("-r", "cba")]
        {
            let mut sorted = all.clone();
            let (options, _) = Options::split(options);
            sorted.sort_by(|one, other| options.compare(one, other));
            let names: String = sorted.iter().map(|entry| entry.name.as_str()).collect();
            assert_eq!(names, expected, "{options:?}");
        }
    }
}
