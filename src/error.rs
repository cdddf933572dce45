//! Error kinds that callers branch on, with a message for people and a source for the log.

use std::fmt;

/// What went wrong, as far as a caller must tell cases apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The named thing does not exist.
    NotFound,
    /// The thing exists already.
    Exists,
    /// The account may not do this, or the name is reserved.
    Denied,
    /// A folder stands where a file is needed.
    IsFolder,
    /// A file stands where a folder is needed.
    NotFolder,
    /// The folder is not empty.
    NotEmpty,
    /// The value or name is not acceptable; the message says which and why.
    Invalid,
    /// Something moved underneath: plan or try again.
    Conflict,
    /// Another process or import holds the lock, or too much is under way: another moment may do.
    Busy,
    /// The upload is larger than allowed.
    TooLarge,
    /// The account's or client's quota is used up.
    Quota,
    /// The disk has less room than `limits.min_free_bytes`.
    NoSpace,
    /// The operation is not offered.
    Unsupported,
    /// Our own fault or the machine's (I/O, database).
    Internal,
}

/// An error with a kind to branch on, a message to show and a source to log.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The crate's result.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `kind` with a message that names place, value and cure.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// The same with the error that caused it.
    pub fn caused(
        kind: Kind,
        message: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { kind, message: message.into(), source: Some(source.into()) }
    }

    /// What to branch on.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The message to show, without its cause.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// An I/O error in words: `what` says what was tried on which object.
    pub fn io(what: impl fmt::Display, error: std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let kind = match error.kind() {
            Io::NotFound => Kind::NotFound,
            Io::AlreadyExists => Kind::Exists,
            Io::PermissionDenied => Kind::Denied,
            Io::IsADirectory => Kind::IsFolder,
            Io::NotADirectory => Kind::NotFolder,
            Io::DirectoryNotEmpty => Kind::NotEmpty,
            Io::InvalidInput | Io::InvalidFilename => Kind::Invalid,
            Io::StorageFull => Kind::NoSpace,
            Io::QuotaExceeded => Kind::Quota,
            Io::FileTooLarge => Kind::TooLarge,
            // The process or the machine has no file to open left: another moment has.
            _ if is_short_of_files(&error) => Kind::Busy,
            _ => Kind::Internal,
        };
        Self::caused(kind, format!("{what}: {error}"), error)
    }
}

fn is_short_of_files(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|e| {
            let e: &(dyn std::error::Error + 'static) = e;
            e
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_to_open_left_is_a_matter_of_time() {
        for (errno, kind) in [
            (rustix::io::Errno::MFILE, Kind::Busy),
            (rustix::io::Errno::NFILE, Kind::Busy),
            (rustix::io::Errno::IO, Kind::Internal),
            (rustix::io::Errno::NOENT, Kind::NotFound),
        ] {
            assert_eq!(Error::io("opening it", errno.into()).kind(), kind, "{errno}");
        }
    }
}
