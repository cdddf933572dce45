//! What FTP servers say of files: MLSD facts (RFC 3659) and the customary lines of LIST.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::super::RemoteEntry;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A line of MLSD or MLST: `type=file;size=12;modify=20260102030405; users.csv`. None for what is no file or folder, the
/// listed folder itself among them.
pub(super) fn facts(line: &str) -> Option<RemoteEntry> {
    let (facts, name) = line.split_once(' ')?;
    let (mut kind, mut bytes, mut modified) = (String::new(), None, None);
    for (fact, value) in facts.split(';').filter_map(|fact| fact.split_once('=')) {
        match fact.to_ascii_lowercase().as_str() {
            "type" => kind = value.to_ascii_lowercase(),
            "size" => bytes = value.parse().ok(),
            "modify" => modified = time(value),
            _ => {}
        }
    }
    // A server that gives no type gives no way to tell files from folders.
    let (is_folder, is_link) = match kind.as_str() {
        "file" => (false, false),
        "dir" | "cdir" | "pdir" => (true, false),
        other if other.starts_with("os.unix=symlink") || other.starts_with("os.unix=slink") => {
            (false, true)
        }
        _ => return None,
    };
    Some(RemoteEntry {
        name: name.to_owned(),
        is_folder,
        bytes: bytes.filter(|_| !is_folder && !is_link),
        modified: modified.filter(|_| !is_link),
    })
}

/// The entry of one MLSD line, without the folder itself and its parent.
pub(super) fn mlsd_line(line: &str) -> Option<RemoteEntry> {
    let kind = line.to_ascii_lowercase();
    if kind.contains("type=cdir;") || kind.contains("type=pdir;") {
        return None;
    }
    facts(line).filter(|entry| RemoteEntry::is_name(&entry.name))
}

/// `20260102030405` or `20260102030405.678`, UTC (RFC 3659, section 2.3).
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    if whole.len() != 14 || !whole.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number = |at: std::ops::Range<usize>| whole.get(at)?.parse::<i8>().ok();
    let nanoseconds = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    DateTime::new(
        whole.get(..4)?.parse().ok()?,
        number(4..6)?,
        number(6..8)?,
        number(8..10)?,
        number(10..12)?,
        number(12..14)?,
        nanoseconds,
    )
    .ok()?
    .to_zoned(TimeZone::UTC)
    .ok()
    .map(|zoned| zoned.timestamp())
}

/// A line of LIST, as Unix or Windows servers write it; None for every other line. Its time is in nobody knows which
/// time zone, so it is not read.
pub(super) fn list_line(line: &str) -> Option<RemoteEntry> {
    let entry = unix_line(line).or_else(|| windows_line(line))?;
    RemoteEntry::is_name(&entry.name).then_some(entry)
}

/// Whether a line of LIST tells of something in a form that is not known.
pub(super) fn is_unknown(line: &str) -> bool {
    let first = line.split(' ').next().unwrap_or_default();
    // `total 12` stands above, sockets and devices are no files.
    let is_told = first.eq_ignore_ascii_case("total")
        || (first.len() >= 10 && first.starts_with(['p', 's', 'c', 'b']));
    // Size and time: `No files found` has neither.
    let has_numbers = line.bytes().filter(u8::is_ascii_digit).count() > 2;
    has_numbers && !is_told && unix_line(line).is_none() && windows_line(line).is_none()
}

/// `-rw-r--r-- 1 owner group 1234 Jan 02 03:04 users.csv`, also with `2026-01-02 03:04` and a time zone.
fn unix_line(line: &str) -> Option<RemoteEntry> {
    let kind = line.chars().next()?;
    let rights = line.get(1..10)?;
    if !matches!(kind, '-' | 'd' | 'l') || !rights.chars().all(|c| "rwxsStT-".contains(c)) {
        return None;
    }
    let words = words(line);
    // Owners and groups may have spaces, or be missing: the size is what stands before the date.
    let (bytes, rest) = words.windows(4).find_map(|window| {
        let [(_, size), (_, a), (b_at, b), (c_at, c)] = window else { return None };
        let month_first = is_month(a) && is_day(b);
        let dated =
            (month_first || (is_day(a) && is_month(b))) && (c.contains(':') || c.len() == 4);
        let end = match () {
            () if dated => c_at + c.len(),
            () if is_iso_day(a) && b.contains(':') && is_offset(c) => c_at + c.len(),
            () if is_iso_day(a) && b.contains(':') => b_at + b.len(),
            () => return None,
        };
        size.bytes().all(|b| b.is_ascii_digit()).then(|| (size.parse().ok(), end))
    })?;
    // One blank before the name; further ones belong to it.
    let name = line.get(rest..)?.strip_prefix(' ')?;
    let name = if kind == 'l' { name.split(" -> ").next()? } else { name };
    let bytes = if kind == '-' { Some(bytes?) } else { None };
    Some(RemoteEntry { name: name.to_owned(), is_folder: kind == 'd', bytes, modified: None })
}

/// `01-02-26  03:04PM       1234 users.csv`, `01-02-26  03:04PM       <DIR>          old`
fn windows_line(line: &str) -> Option<RemoteEntry> {
    let words = words(line);
    let [(_, date), (_, time), (at, what), _name, ..] = words.as_slice() else { return None };
    let dated =
        date.len() >= 8 && date.bytes().all(|b| b.is_ascii_digit() || b == b'-' || b == b'/');
    if !dated || !time.starts_with(|c: char| c.is_ascii_digit()) || !time.contains(':') {
        return None;
    }
    let rest = line.get(at + what.len()..)?;
    if what.eq_ignore_ascii_case("<DIR>") {
        let name = rest.trim_start().to_owned();
        return Some(RemoteEntry { name, is_folder: true, bytes: None, modified: None });
    }
    let bytes = what.replace(',', "").parse().ok()?;
    let name = rest.strip_prefix(' ')?.to_owned();
    Some(RemoteEntry { name, is_folder: false, bytes: Some(bytes), modified: None })
}

/// The words of a line with the places where they begin.
fn words(line: &str) -> Vec<(usize, &str)> {
    let mut at = 0;
    line.split(' ')
        .filter_map(|word| {
            let begin = at;
            at += word.len() + 1;
            (!word.is_empty()).then_some((begin, word))
        })
        .collect()
}

fn is_month(word: &str) -> bool {
    MONTHS.contains(&word.to_ascii_lowercase().as_str())
}

/// `2026-01-02`
fn is_iso_day(word: &str) -> bool {
    word.len() == 10 && word.parse::<jiff::civil::Date>().is_ok()
}

/// `+0100`
fn is_offset(word: &str) -> bool {
    word.len() == 5
        && word
            .strip_prefix(['+', '-'])
            .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
}

fn is_day(word: &str) -> bool {
    word.parse::<u8>().is_ok_and(|day| (1..=31).contains(&day))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, bytes: u64, modified: Option<&str>) -> Option<RemoteEntry> {
        let modified = modified.map(|m| m.parse().unwrap());
        Some(RemoteEntry { name: name.to_owned(), is_folder: false, bytes: Some(bytes), modified })
    }

    fn folder(name: &str) -> Option<RemoteEntry> {
        Some(RemoteEntry { name: name.to_owned(), is_folder: true, bytes: None, modified: None })
    }

    #[test]
    fn facts_are_read_in_any_order_and_case() {
        let at = Some("2026-01-02T03:04:05Z");
        let line =
            "modify=20260102030405;perm=adfr;size=12;type=file;unique=1U2;UNIX.mode=0644; a b.csv";
        assert_eq!(mlsd_line(line), file("a b.csv", 12, at));
        assert_eq!(mlsd_line("Type=File;Size=0;Modify=20260102030405.500;  lead.csv"), {
            file(" lead.csv", 0, Some("2026-01-02T03:04:05.5Z"))
        });
        assert_eq!(mlsd_line("type=dir;size=4096; old"), folder("old"));
        assert_eq!(
            mlsd_line("size=3;type=file;modify=20261302030405; odd.csv"),
            file("odd.csv", 3, None)
        );
    }

    #[test]
    fn days_as_numbers_and_lists_that_nobody_knows() {
        for line in [
            "-rw-r--r-- 1 ftp ftp      148 2026-11-22 04:05 users.csv",
            "-rw-r--r-- 1 ftp ftp      148 2026-11-22 04:05:06.000000000 +0100 users.csv",
        ] {
            assert_eq!(list_line(line), file("users.csv", 148, None), "{line}");
            assert!(!is_unknown(line), "{line}");
        }
        for line in [
            "-rw-r--r-- 1 ftp ftp 148 22 déc. 04:05 users.csv",
            "USERS.CSV;12  148/148  22-NOV-2026 04:05:06",
        ] {
            assert!(is_unknown(line) && list_line(line).is_none(), "{line}");
        }
        for line in [
            "",
            "total 4096",
            "No files found.",
            "drwxr-xr-x 2 ftp ftp 4096 Nov 22 04:05 .",
            "srwxr-xr-x 1 ftp ftp 0 2026-11-22 04:05 socket",
        ] {
            assert!(!is_unknown(line) && list_line(line).is_none(), "{line}");
        }
    }

    #[test]
    fn what_is_no_entry_of_the_folder_is_left_out() {
        for line in [
            "type=cdir;modify=20260102030405; /payroll",
            "type=pdir; ..",
            "type=file;size=1; ../../etc/passwd",
            "type=file;size=1; a/b",
            "size=1; untyped.csv",
            "type=OS.unix=chr-1/2; null",
            "type=file;size=1;",
            "",
            "type=file;size=1; ",
        ] {
            assert_eq!(mlsd_line(line), None, "{line}");
        }
        let link = mlsd_line("type=OS.unix=symlink;size=4; latest.csv").unwrap();
        assert_eq!((link.is_folder, link.bytes), (false, None));
    }

    #[test]
    fn lines_of_unix_servers_are_read() {
        let cases = [
            (
                "-rw-r--r--    1 1000     1000         1234 Nov 22 04:05 users.csv",
                file("users.csv", 1234, None),
            ),
            (
                "-rw------- 1 ftp Domain Users 0 Jan  2  2025 é à  b.csv",
                file("é à  b.csv", 0, None),
            ),
            ("-rw-r--r-- 1 ftp 77 2 Feb 10:11 no group.csv", file("no group.csv", 77, None)),
            ("-rw-r--r--   1 a  b   5 Mar 03 2024  lead.csv", file(" lead.csv", 5, None)),
            ("drwxr-xr-x    2 0        0            4096 Nov 22 04:05 old", folder("old")),
            ("-rw-r--r-- 1 a b 9 Mar 03 12:30 9 Mar 03 12:31 x", file("9 Mar 03 12:31 x", 9, None)),
        ];
        for (line, expected) in cases {
            assert_eq!(list_line(line), expected, "{line}");
        }
        let link = list_line("lrwxrwxrwx 1 a b 9 Nov 22 04:05 latest.csv -> users.csv").unwrap();
        assert_eq!((link.name.as_str(), link.is_folder, link.bytes), ("latest.csv", false, None));
    }

    #[test]
    fn lines_of_windows_servers_are_read() {
        let cases = [
            (
                "02-19-26  03:12PM               123456 users of may.csv",
                file("users of may.csv", 123_456, None),
            ),
            ("02-19-2026  15:12                 1,234 a.csv", file("a.csv", 1234, None)),
            ("02-19-26  03:12PM       <DIR>          old files", folder("old files")),
        ];
        for (line, expected) in cases {
            assert_eq!(list_line(line), expected, "{line}");
        }
    }

    #[test]
    fn other_lines_are_never_taken_for_files() {
        for line in [
            "total 12",
            "",
            "users.csv",
            "ftpd: .: No such file or directory",
            "-rw-r--r-- users.csv",
            "-rw-r--r-- 1 a b big Nov 22 04:05 users.csv",
            "-rw-r--r-- 1 a b 12 Nov 22 04:05 ",
            "crw-rw-rw- 1 root root 1, 3 Nov 22 04:05 null",
            "drwxr-xr-x 2 0 0 4096 Nov 22 04:05 ..",
            "-rw-r--r-- 1 a b 12 Nov 22 04:05 ../up.csv",
            "02-19-26  03:12PM  users.csv x",
            "+i8388621.29609,m824255902,/,\tdev",
            "-rw-r--r-- 1 a b 99999999999999999999999 Nov 22 04:05 x",
            "\u{e9}rw-r--r--",
            "-\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
        ] {
            assert_eq!(list_line(line), None, "{line}");
        }
    }

    #[test]
    fn times_are_dates_that_exist() {
        assert_eq!(time("20240229235959").unwrap().to_string(), "2024-02-29T23:59:59Z");
        for wrong in ["20230229000000", "2024022923595", "2024022923595x", "", "20240229235959.x"] {
            assert_eq!(time(wrong), None, "{wrong}");
        }
    }
}
