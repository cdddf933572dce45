//! What a folder looks like to FTP clients: LIST, NLST, MLSD and MLST, written page by page from the session.

use std::fmt;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::data::{Data, in_words};
use super::options::Options;
use super::reply::Reply;
use super::transfer::Lane;
use crate::error::{Error, Kind, Result};
use crate::model::{Right, Rights, VPath};
use crate::service::session::{Entry, Listing, Session, Stat};
use crate::transport::aside::blocking;
use crate::transport::pattern::Pattern;

const PAGE_BYTES: usize = 64 * 1024;

/// The most entries that are put in order (`LIST -t`); a larger folder comes as the disk tells it.
const MOST_SORTED: usize = 20_000;

/// How entries are written.
#[derive(Clone)]
pub(super) enum Form {
    /// As `ls -l` (LIST).
    Long {
        /// Decides between clock time and year.
        now: Timestamp,
        /// The owner that is shown.
        owner: String,
    },
    /// Names only, each after this prefix (NLST).
    Names(String),
    /// Machine-readable facts (MLSD). Source: RFC 3659, 7.
    Facts(Facts, Perms),
}

impl Form {
    /// One entry with its line end.
    pub(super) fn line(&self, entry: &Entry) -> String {
        let name = &entry.name;
        match self {
            Self::Long { now, owner } => format!("{} {name}\r\n", long(&entry.stat, *now, owner)),
            Self::Names(prefix) => format!("{prefix}{name}\r\n"),
            Self::Facts(facts, perms) => {
                format!("{} {name}\r\n", facts.of(&entry.stat, || perms.of(entry)))
            }
        }
    }
}

/// Which facts a client wants (OPTS MLST); at first all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts([bool; FACTS.len()]);

const FACTS: [&str; 4] = ["type", "size", "modify", "perm"];

impl Default for Facts {
    fn default() -> Self {
        Self([true; FACTS.len()])
    }
}

impl Facts {
    /// Those that the list names: `type;size;`.
    pub(super) fn choose(list: &str) -> Self {
        Self(FACTS.map(|fact| list.split(';').any(|wanted| wanted.eq_ignore_ascii_case(fact))))
    }

    /// All, with a star after those that are on, for FEAT.
    pub(super) fn offer(self) -> String {
        let mark = |on: bool| if on { "*" } else { "" };
        FACTS.iter().zip(self.0).map(|(fact, on)| format!("{fact}{};", mark(on))).collect()
    }

    /// What is known of a file, each fact with its semicolon.
    pub(super) fn of(self, stat: &Stat, perm: impl Fn() -> String) -> String {
        let mut out = String::new();
        for (fact, _) in FACTS.iter().zip(self.0).filter(|(_, on)| *on) {
            let value = match (*fact, stat.is_folder()) {
                ("type", true) => "dir".to_owned(),
                ("type", false) => "file".to_owned(),
                // A folder's size means nothing.
                ("size", true) => continue,
                ("size", false) => stat.bytes.to_string(),
                ("modify", _) => stamp(stat.modified),
                _ => perm(),
            };
            out.push_str(&format!("{fact}={value};"));
        }
        out
    }
}

/// What a session may do with the entries of a folder.
#[derive(Clone)]
pub(super) struct Perms {
    session: Session,
    folder: VPath,
    /// Every file in it has the folder's rights.
    of_files: Rights,
}

impl Perms {
    /// For the entries of `folder`.
    pub(super) fn in_folder(session: &Session, folder: VPath) -> Self {
        let of_files = session.rights_at(&folder);
        Self { session: session.clone(), folder, of_files }
    }

    fn of(&self, entry: &Entry) -> String {
        match self.folder.join(&entry.name) {
            Ok(path) if entry.stat.is_folder() => perm_of_folder(&self.session, &path),
            _ => perm_of_file(self.of_files),
        }
    }
}

/// The `perm` fact of one path. Source: RFC 3659, 7.5.5.
pub(super) fn perm(session: &Session, path: &VPath, stat: &Stat) -> String {
    if stat.is_folder() {
        perm_of_folder(session, path)
    } else {
        perm_of_file(session.rights_at(path))
    }
}

fn perm_of_folder(session: &Session, path: &VPath) -> String {
    let (rights, moves) = (session.rights_at(path), session.may_be_moved(path));
    let letters = [
        ('c', rights.has(Right::Write)),
        ('d', moves && rights.has(Right::Delete)),
        ('e', true),
        ('f', moves && rights.has(Right::Rename)),
        ('l', rights.has(Right::List)),
        ('m', rights.has(Right::Mkdir)),
        ('p', rights.has(Right::Delete)),
    ];
    letters.into_iter().filter(|(_, may)| *may).map(|(letter, _)| letter).collect()
}

fn perm_of_file(rights: Rights) -> String {
    let letters = [
        ('a', Right::Append),
        ('d', Right::Delete),
        ('f', Right::Rename),
        ('r', Right::Read),
        ('w', Right::Overwrite),
    ];
    letters.into_iter().filter(|(_, right)| rights.has(*right)).map(|(letter, _)| letter).collect()
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        FACTS
            .iter()
            .zip(self.0)
            .filter(|(_, on)| *on)
            .try_for_each(|(fact, _)| write!(f, "{fact};"))
    }
}

/// `YYYYMMDDhhmmss` in UTC. Source: RFC 3659, 2.3.
pub(super) fn stamp(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y%m%d%H%M%S").to_string()
}

/// Reads `YYYYMMDDhhmmss` (UTC), with fractions of a second ignored.
pub(super) fn parse_stamp(text: &str) -> Option<Timestamp> {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    if whole.len() != 14 || !whole.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let civil = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", whole).ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn long(stat: &Stat, now: Timestamp, owner: &str) -> String {
    let kind = if stat.is_folder() { "drwxr-xr-x" } else { "-rw-r--r--" };
    let zoned = stat.modified.to_zoned(TimeZone::UTC);
    let half_a_year_ago = now.saturating_sub((24 * 182).hours()).unwrap_or(now);
    let tomorrow = now.saturating_add(24.hours()).unwrap_or(now);
    let recent = (half_a_year_ago..tomorrow).contains(&stat.modified);
    let date = zoned.strftime(if recent { "%b %e %H:%M" } else { "%b %e  %Y" });
    format!("{kind} 1 {owner} {owner} {:>13} {date}", stat.bytes)
}

/// What a listing command names: a folder, one file, or (LIST and NLST) a pattern in a folder.
pub(super) struct Selection {
    entries: Entries,
    pattern: Option<Pattern>,
}

enum Entries {
    Folder(Listing),
    One(Option<Entry>),
    /// In order, and what was too much to be put in order.
    Sorted(std::vec::IntoIter<Entry>, Option<Box<Entries>>),
}

impl Entries {
    fn take(&mut self) -> Option<Result<Entry>> {
        match self {
            Self::Folder(listing) => listing.next(),
            Self::One(entry) => entry.take().map(Ok),
            Self::Sorted(sorted, rest) => match sorted.next() {
                Some(entry) => Some(Ok(entry)),
                None => rest.as_mut()?.take(),
            },
        }
    }
}

/// Whether wildcards in the last name mean a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wildcards {
    Allowed,
    None,
}

impl Selection {
    /// Finds what `path` names.
    ///
    /// # Errors
    /// [`Kind::NotFound`], [`Kind::NotFolder`], as the session tells them.
    pub(super) fn open(session: &Session, path: &VPath, wildcards: Wildcards) -> Result<Self> {
        let stat = session.stat(path);
        let is_pattern = wildcards == Wildcards::Allowed
            && path.name().is_some_and(|name| name.contains(['*', '?', '[']));
        match stat {
            Ok(stat) if stat.is_folder() => {
                let entries = Entries::Folder(session.list(path)?);
                Ok(Self { entries, pattern: None })
            }
            Ok(_) if wildcards == Wildcards::None => {
                let message =
                    format!("{path} is a file; MLSD lists folders, MLST and LIST take files");
                Err(Error::new(Kind::NotFolder, message))
            }
            Ok(stat) => {
                let name = path.name().unwrap_or_default().to_owned();
                Ok(Self { entries: Entries::One(Some(Entry { name, stat })), pattern: None })
            }
            Err(_) if is_pattern => Self::matching(session, path),
            Err(error) => Err(error),
        }
    }

    fn matching(session: &Session, path: &VPath) -> Result<Self> {
        let pattern = Pattern::new(path.name().unwrap_or_default())?;
        let folder = path.parent().unwrap_or_else(VPath::root);
        let entries = Entries::Folder(session.list(&folder)?);
        Ok(Self { entries, pattern: Some(pattern) })
    }

    /// The same as the options of `ls` want it.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(super) fn with_options(mut self, options: Options) -> Result<Self> {
        if options.all {
            self.pattern.iter_mut().for_each(Pattern::show_dots);
        }
        if !options.asks_for_order() {
            return Ok(self);
        }
        let mut sorted = self.by_ref().take(MOST_SORTED).collect::<Result<Vec<_>>>()?;
        let is_all = sorted.len() < MOST_SORTED;
        if is_all {
            sorted.sort_by(|one, other| options.compare(one, other));
        }
        let rest = (!is_all).then(|| Box::new(self.entries));
        self.entries = Entries::Sorted(sorted.into_iter(), rest);
        Ok(self)
    }

    /// The next page; empty at the end.
    fn page(&mut self, form: &Form) -> Result<String> {
        let mut page = String::new();
        while page.len() < PAGE_BYTES {
            let Some(entry) = self.next().transpose()? else { break };
            page.push_str(&form.line(&entry));
        }
        Ok(page)
    }
}

impl Iterator for Selection {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let entry = self.entries.take()?;
            match (&entry, &self.pattern) {
                (Ok(found), Some(pattern)) if !pattern.takes(&found.name) => {}
                _ => return Some(entry),
            }
        }
    }
}

/// Writes the selection to the data connection and ends it in good order.
///
/// # Errors
/// The reply for the client.
pub(super) async fn write(
    mut selection: Selection,
    form: Form,
    mut data: Data,
    lane: &Lane,
) -> std::result::Result<(), Reply> {
    let writing = async {
        loop {
            let form = form.clone();
            let (rest, page) = blocking(move || {
                let page = selection.page(&form)?;
                Ok((selection, page))
            })
            .await
            .map_err(|e| Reply::error(&e))?;
            if page.is_empty() {
                return Ok(());
            }
            selection = rest;
            data.write(page.as_bytes()).await.map_err(|e| Reply::new(426, in_words(&e)))?;
        }
    };
    let written = tokio::select! {
        biased;
        () = lane.stop.cancelled() => Err(Reply::new(426, "Listing aborted.")),
        written = writing => written,
    };
    match written {
        Ok(()) => data.finish().await.map_err(|e| Reply::new(426, in_words(&e))),
        Err(failure) => {
            data.cut();
            Err(failure)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::session::StatKind;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn entry(kind: StatKind, modified: &str) -> Entry {
        let stat = Stat { kind, bytes: 1234, modified: at(modified) };
        Entry { name: "employés été.csv".to_owned(), stat }
    }

    #[test]
    fn lines_are_what_clients_parse() {
        let now = at("2026-11-21T12:00:00Z");
        let form = Form::Long { now, owner: "acme".to_owned() };
        let file = entry(StatKind::File, "2026-11-02T03:04:05Z");
        assert_eq!(
            form.line(&file),
            "-rw-r--r-- 1 acme acme          1234 Nov  2 03:04 employés été.csv\r\n"
        );
        let old = entry(StatKind::File, "2025-01-02T03:04:05Z");
        assert!(form.line(&old).contains(" Jan  2  2025 "));
        assert!(form.line(&entry(StatKind::Folder, "2026-11-02T03:04:05Z")).starts_with("drwx"));
        let perm = || perm_of_file(Rights::ALL);
        assert_eq!(
            Facts::default().of(&file.stat, perm),
            "type=file;size=1234;modify=20261102030405;perm=adfrw;"
        );
        let chosen = Facts::choose("SIZE;unique;type;");
        assert_eq!(chosen.of(&file.stat, perm), "type=file;size=1234;");
        assert_eq!(chosen.offer(), "type*;size*;modify;perm;");
        assert_eq!(Facts::choose("").of(&file.stat, perm), "");
        assert_eq!(perm_of_file("list,read".parse().unwrap()), "r");
        assert_eq!(Form::Names("in/".to_owned()).line(&file), "in/employés été.csv\r\n");
    }

    #[test]
    fn stamps_are_read_as_they_are_written() {
        assert_eq!(parse_stamp("20261102030405"), Some(at("2026-11-02T03:04:05Z")));
        assert_eq!(parse_stamp("20261102030405.123"), Some(at("2026-11-02T03:04:05Z")));
        assert_eq!(stamp(at("2026-11-02T03:04:05.9Z")), "20261102030405");
        for wrong in ["", "2026", "20261302030405", "2026110203040x", "+0261102030405"] {
            assert_eq!(parse_stamp(wrong), None, "{wrong}");
        }
    }
}
