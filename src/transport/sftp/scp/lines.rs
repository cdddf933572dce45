//! The lines of the scp protocol (rcp's, over SSH): `C` a file, `D` and `E` a folder, `T` times, and errors.

/// A line, without its line end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// `T`: the modification time of what comes next, in seconds since 1970.
    Times(i64),
    /// `C`: a file of so many bytes.
    File(u64, String),
    /// `D`: a folder; what follows lies in it, up to its `E`.
    Folder(String),
    /// `E`: the folder's end.
    End,
    /// Byte 1: something went wrong over there; it goes on.
    Told(String),
    /// Byte 2: something went wrong over there, and that is the end.
    Fatal(String),
}

impl Line {
    /// Reads a line. Rights (`0644`) are passed over: nothing here depends on them.
    ///
    /// # Errors
    /// What is wrong, for the client.
    pub(super) fn parse(line: &[u8]) -> Result<Self, &'static str> {
        let (kind, rest) = line.split_first().ok_or("unexpected empty line")?;
        // A name that is no UTF-8 is refused where it is used, in words.
        let rest = String::from_utf8_lossy(rest).into_owned();
        match kind {
            1 => Ok(Self::Told(rest)),
            2 => Ok(Self::Fatal(rest)),
            b'T' => times(&rest),
            b'C' => entry(&rest).map(|(bytes, name)| Self::File(bytes, name)),
            b'D' => entry(&rest).map(|(_, name)| Self::Folder(name)),
            b'E' if rest.is_empty() => Ok(Self::End),
            b'E' => Err("the line E has nothing behind it"),
            _ => Err("expected a control record (C, D, E or T)"),
        }
    }

    /// The line with its line end.
    pub(super) fn write(&self) -> String {
        match self {
            Self::Times(seconds) => format!("T{seconds} 0 {seconds} 0\n"),
            Self::File(bytes, name) => format!("C0644 {bytes} {name}\n"),
            Self::Folder(name) => format!("D0755 0 {name}\n"),
            Self::End => "E\n".to_owned(),
            Self::Told(text) => format!("\u{1}{text}\n"),
            Self::Fatal(text) => format!("\u{2}{text}\n"),
        }
    }
}

/// `0644 123 users.csv`.
fn entry(rest: &str) -> Result<(u64, String), &'static str> {
    let (mode, rest) = rest.split_once(' ').ok_or("mode not delimited")?;
    if mode.is_empty() || mode.len() > 6 || !mode.bytes().all(|b| (b'0'..=b'7').contains(&b)) {
        return Err("bad mode");
    }
    let (bytes, name) = rest.split_once(' ').ok_or("size not delimited")?;
    let bytes = number(bytes).and_then(|bytes| u64::try_from(bytes).ok()).ok_or("bad size")?;
    Ok((bytes, name.to_owned()))
}

/// `1764000000 0 1764000000 0`: modified and read, each in seconds and microseconds.
fn times(rest: &str) -> Result<Line, &'static str> {
    let mut numbers = rest.split(' ').map(number);
    let modified = numbers.next().flatten().ok_or("mtime.sec not delimited")?;
    let others: Vec<_> = numbers.collect();
    if others.len() != 3 || others.contains(&None) {
        return Err("times are four numbers");
    }
    Ok(Line::Times(modified))
}

/// Digits alone: no sign, no blank.
fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// What is wrong with the name of a file or folder that is sent.
pub(super) fn name_fault(name: &str) -> Option<&'static str> {
    match name {
        "" => Some("a name is missing"),
        "." | ".." => Some("unexpected file name"),
        name if name.contains('/') => Some("unexpected file name: it holds a /"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Result<Line, &'static str>) {
        assert_eq!(Line::parse(line.as_bytes()), expected, "{line:?}");
        if let Ok(line) = expected {
            let written = line.write();
            assert_eq!(Line::parse(written.trim_end_matches('\n').as_bytes()), Ok(line));
        }
    }

    #[test]
    fn lines_are_read_and_written_again() {
        check("C0644 123 users.csv", Ok(Line::File(123, "users.csv".to_owned())));
        check("C0644 0 two words ", Ok(Line::File(0, "two words ".to_owned())));
        check("D0755 0 été", Ok(Line::Folder("été".to_owned())));
        check("T1764000000 12 1764000001 34", Ok(Line::Times(1_764_000_000)));
        check("E", Ok(Line::End));
        check("\u{1}scp: x: no", Ok(Line::Told("scp: x: no".to_owned())));
        check("\u{2}gone", Ok(Line::Fatal("gone".to_owned())));
        let most = i64::MAX.unsigned_abs();
        check(&format!("C0644 {most} x"), Ok(Line::File(most, "x".to_owned())));
    }

    #[test]
    fn lines_that_are_none_are_refused() {
        check("", Err("unexpected empty line"));
        check("C0644 -1 x", Err("bad size"));
        check("C0644 +1 x", Err("bad size"));
        check("C0644  1 x", Err("bad size"));
        check("C0644 9223372036854775808 x", Err("bad size"));
        check("C0644 99999999999999999999999 x", Err("bad size"));
        check("C0644 12", Err("size not delimited"));
        check("C0888 12 x", Err("bad mode"));
        check("C 12 x", Err("bad mode"));
        check("C0644", Err("mode not delimited"));
        check("T1 0 1", Err("times are four numbers"));
        check("T-1 0 1 0", Err("mtime.sec not delimited"));
        check("T1 0 1 0 9", Err("times are four numbers"));
        check("Ex", Err("the line E has nothing behind it"));
        check("users.csv", Err("expected a control record (C, D, E or T)"));
        check("\0", Err("expected a control record (C, D, E or T)"));
    }

    #[test]
    fn names_stay_in_their_folder() {
        for name in ["", ".", "..", "/", "a/b", "../x", "/etc/passwd"] {
            assert!(name_fault(name).is_some(), "{name}");
        }
        for name in ["users.csv", "...", "a b", ".part", "-x"] {
            assert_eq!(name_fault(name), None, "{name}");
        }
    }
}
