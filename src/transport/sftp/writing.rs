//! A handle open for writing: an upload under way, and whether it may still become a file.

use jiff::Timestamp;
use russh_sftp::protocol::OpenFlags;

use crate::error::{Error, Kind, Result};
use crate::model::VPath;
use crate::service::session::{Open, Session, Staged};

/// An upload under way.
pub(super) struct Writing {
    staged: Staged,
    /// Every WRITE goes to the end, whatever its offset says.
    append: bool,
    /// Set when it must prove that it is a whole new file.
    whole: Option<Whole>,
    /// Why it can no longer be committed.
    poisoned: Option<(Kind, String)>,
}

/// The proof that a file opened without TRUNC is a whole new one, written from its first byte on.
///
/// OpenSSH's scp opens so: it overwrites in place and cuts the file to its new size at the end. In an import
/// folder a received file cannot be gone on with, but it can be replaced in this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Whole {
    /// Size of the file that is there.
    old_bytes: u64,
    /// Bytes from the start that this handle has written without a gap.
    covered_bytes: u64,
    /// Whether the client has said where the file ends.
    has_end: bool,
}

impl Whole {
    fn write(&mut self, offset: u64, bytes: usize) -> std::result::Result<(), &'static str> {
        if offset > self.covered_bytes {
            return Err("a received file cannot be continued");
        }
        let end = offset.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        self.covered_bytes = self.covered_bytes.max(end);
        Ok(())
    }

    fn cut(&mut self, bytes: u64) -> std::result::Result<(), &'static str> {
        if bytes > self.covered_bytes {
            return Err("a received file cannot be extended");
        }
        self.covered_bytes = bytes;
        self.has_end = true;
        Ok(())
    }

    /// In a file that is changed in place, what follows would still be the old one.
    fn is_proved(&self) -> bool {
        self.has_end || (self.covered_bytes > 0 && self.covered_bytes >= self.old_bytes)
    }
}

impl Writing {
    /// Opens an upload as the flags of OPEN ask for it.
    ///
    /// # Errors
    /// Those of [`Session::open_upload`]; [`Kind::NotFound`] without CREAT.
    pub(super) fn open(session: &Session, path: &VPath, flags: OpenFlags) -> Result<Self> {
        if !flags.contains(OpenFlags::CREATE) {
            session.stat(path)?;
        }
        let append = flags.contains(OpenFlags::APPEND);
        let how = if flags.contains(OpenFlags::EXCLUDE) && flags.contains(OpenFlags::CREATE) {
            Open::CreateNew
        } else if flags.contains(OpenFlags::TRUNCATE) {
            Open::Replace
        } else {
            Open::Resume
        };
        let writing = |staged, whole| Self { staged, append, whole, poisoned: None };
        match session.open_upload(path, how) {
            Err(refused) if how == Open::Resume && !append && refused.kind() == Kind::Denied => {
                // Nothing to prove the wholeness against means that the refusal had another reason.
                let Ok(old) = session.stat(path) else { return Err(refused) };
                let staged = session.open_upload(path, Open::Replace)?;
                let whole = Whole { old_bytes: old.bytes, covered_bytes: 0, has_end: false };
                Ok(writing(staged, Some(whole)))
            }
            opened => Ok(writing(opened?, None)),
        }
    }

    pub(super) fn path(&self) -> VPath {
        self.staged.path()
    }

    /// Whether the client removed the file that is being written.
    pub(super) fn is_removed(&self) -> bool {
        self.staged.is_removed()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.staged.bytes()
    }

    pub(super) fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        self.staged.read_at(offset, buffer)
    }

    /// Writes file data. A failure makes the upload worthless: it can only be dropped.
    pub(super) fn write(&mut self, offset: u64, data: &[u8]) -> Result<()> {
        self.check()?;
        let offset = if self.append { self.staged.bytes() } else { offset };
        let covered = self.whole.as_mut().map_or(Ok(()), |w| w.write(offset, data.len()));
        let written = self.whole_or_not(covered).and_then(|()| self.staged.write_at(offset, data));
        self.keep(written)
    }

    /// Sets size and time; the time holds from the commit on.
    pub(super) fn set(&mut self, bytes: Option<u64>, modified: Option<Timestamp>) -> Result<()> {
        if let Some(bytes) = bytes {
            self.check()?;
            let covered = self.whole.as_mut().map_or(Ok(()), |w| w.cut(bytes));
            let mut cut = self.whole_or_not(covered);
            if cut.is_ok() && bytes != self.staged.bytes() {
                cut = self.staged.truncate(bytes);
            }
            self.keep(cut)?;
        }
        if let Some(modified) = modified {
            self.staged.set_modified(modified);
        }
        Ok(())
    }

    pub(super) fn sync(&mut self) -> Result<()> {
        self.check()?;
        let synced = self.staged.sync();
        self.keep(synced)
    }

    /// CLOSE has come: hands out the upload to be committed.
    ///
    /// # Errors
    /// Why nothing is stored; the upload is dropped then.
    pub(super) fn finish(self) -> Result<Staged> {
        let unproved = self.whole.is_some_and(|w| !w.is_proved());
        let proved = if unproved { Err("only a part of the file was sent") } else { Ok(()) };
        let proved = self.whole_or_not(proved);
        // The first fault is the one to tell.
        let good = self.check().and(proved);
        match good {
            Ok(()) => Ok(self.staged),
            Err(error) => {
                let text = format!("nothing was stored: {error}");
                self.staged.interrupt(error.message());
                Err(Error::new(error.kind(), text))
            }
        }
    }

    /// The handle was dropped without CLOSE.
    pub(super) fn interrupt(self, because: &str) {
        let why = self.poisoned.as_ref().map_or(because, |(_, why)| why);
        self.staged.interrupt(why);
    }

    fn check(&self) -> Result<()> {
        let poisoned = self.poisoned.as_ref();
        poisoned.map_or(Ok(()), |(kind, why)| Err(Error::new(*kind, why.clone())))
    }

    fn keep<T>(&mut self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result {
            self.spoil(error);
        }
        result
    }

    /// From now on it can only be dropped, for the first such reason.
    pub(super) fn spoil(&mut self, error: &Error) {
        self.poisoned.get_or_insert_with(|| (error.kind(), error.message().to_owned()));
    }

    fn whole_or_not(&self, covered: std::result::Result<(), &'static str>) -> Result<()> {
        covered.map_err(|why| {
            Error::new(Kind::Denied, format!("{}: {why}; send the whole file", self.staged.path()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    enum Step {
        Write(u64, usize),
        Cut(u64),
    }
    use Step::{Cut, Write};

    /// Does the steps over a file of 100 bytes and says whether the result counts as a whole file.
    fn check(steps: &[Step], proved: bool) {
        let mut whole = Whole { old_bytes: 100, covered_bytes: 0, has_end: false };
        let went = steps.iter().all(|step| match step {
            Write(offset, bytes) => whole.write(*offset, *bytes).is_ok(),
            Cut(bytes) => whole.cut(*bytes).is_ok(),
        });
        assert_eq!(went && whole.is_proved(), proved, "{whole:?}");
    }

    #[test]
    fn a_file_opened_without_truncation_is_whole_only_if_it_was_written_from_the_start() {
        check(&[Write(0, 40), Write(40, 40), Cut(80)], true);
        check(&[Write(0, 60), Write(60, 60)], true);
        check(&[Write(0, 120), Cut(0), Write(0, 30)], true);
        check(&[Write(0, 40)], false);
        check(&[], false);
        check(&[Write(100, 40)], false);
        check(&[Write(0, 40), Write(50, 60)], false);
        check(&[Write(0, 40), Cut(80)], false);
        check(&[Cut(0)], true);
    }
}
