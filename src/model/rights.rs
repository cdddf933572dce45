//! What an account may do in a folder.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One thing that an account may do, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// See the names.
    List,
    /// Fetch files.
    Read,
    /// Send files under new names.
    Write,
    /// Replace a file, by sending or renaming.
    Overwrite,
    /// Go on with a file that is there.
    Append,
    /// Remove files and folders.
    Delete,
    /// Give files and folders other names.
    Rename,
    /// Make folders.
    Mkdir,
}

impl Right {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::List,
        Self::Read,
        Self::Write,
        Self::Overwrite,
        Self::Append,
        Self::Delete,
        Self::Rename,
        Self::Mkdir,
    ];

    /// The word in commands.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Read => "read",
            Self::Write => "write",
            Self::Overwrite => "overwrite",
            Self::Append => "append",
            Self::Delete => "delete",
            Self::Rename => "rename",
            Self::Mkdir => "mkdir",
        }
    }
}

/// A set of rights. Written as `list,read`, `all` or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rights([bool; Right::ALL.len()]);

impl Rights {
    /// Everything is allowed.
    pub const ALL: Self = Self([true; Right::ALL.len()]);

    /// Whether this may be done.
    #[must_use]
    pub fn has(&self, right: Right) -> bool {
        Right::ALL.iter().zip(self.0).any(|(one, on)| *one == right && on)
    }
}

impl Default for Rights {
    fn default() -> Self {
        Self::ALL
    }
}

impl FromStr for Rights {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split(',').map(str::trim).collect();
        match words.as_slice() {
            ["all"] => return Ok(Self::ALL),
            ["none"] => return Ok(Self([false; Right::ALL.len()])),
            _ => {}
        }
        for word in &words {
            if !Right::ALL.iter().any(|right| right.name().eq_ignore_ascii_case(word)) {
                let known: Vec<&str> = Right::ALL.iter().map(|right| right.name()).collect();
                return Err(format!(
                    "\"{word}\" is not a right; use {}, or all, or none",
                    known.join(", ")
                ));
            }
        }
        let has = |right: Right| words.iter().any(|word| right.name().eq_ignore_ascii_case(word));
        Ok(Self(Right::ALL.map(has)))
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Right::ALL
            .iter()
            .zip(self.0)
            .filter_map(|(right, on)| on.then_some(right.name()))
            .collect();
        match names.len() {
            0 => f.write_str("none"),
            n if n == Right::ALL.len() => f.write_str("all"),
            _ => f.write_str(&names.join(",")),
        }
    }
}

impl TryFrom<String> for Rights {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Rights> for String {
    fn from(rights: Rights) -> Self {
        rights.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_read_as_they_are_written() {
        for text in ["all", "none", "list,read", "write", "read,delete,mkdir"] {
            assert_eq!(text.parse::<Rights>().unwrap().to_string(), text);
        }
        let some: Rights = "Read, list".parse().unwrap();
        assert!(some.has(Right::Read) && some.has(Right::List) && !some.has(Right::Delete));
        for wrong in ["", "everything", "read,all", "read,,list"] {
            assert!(wrong.parse::<Rights>().is_err(), "{wrong}");
        }
    }
}
