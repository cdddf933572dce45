//! Addresses below an account's root.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An absolute, normalised address below an account's root: `/`, `/in`, `/in/users.csv`.
///
/// It never holds `.`, `..`, empty parts, NUL, control characters or U+FFFD, and is at most 3,072 bytes
/// with at most 100 parts of at most 255 bytes; so joining it below a root cannot leave the root by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VPath(String);

/// The longest address, in bytes. Linux takes 4,096 in one call: the rest is for what stands before the account's root,
/// also in a backup, so that no client can make files that a backup cannot take.
pub const MAX_PATH_BYTES: usize = 3072;
/// The most parts of an address: how deep folders may lie below each other.
pub const MAX_PATH_PARTS: usize = 100;
/// The longest name in an address, in bytes (Linux NAME_MAX).
pub const MAX_NAME_BYTES: usize = 255;

impl VPath {
    /// The account's root, `/`.
    #[must_use]
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// Resolves `raw` (absolute, or relative to `self`) by its text alone; `..` above the root stays at the root.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the name.
    pub fn join(&self, raw: &str) -> Result<Self, String> {
        let mut parts: Vec<&str> =
            if raw.starts_with('/') { Vec::new() } else { self.parts().collect() };
        for part in raw.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                name => parts.push(checked_name(name)?),
            }
        }
        if parts.len() > MAX_PATH_PARTS {
            return Err(format!(
                "the path has {} parts; at most {MAX_PATH_PARTS} are allowed",
                parts.len()
            ));
        }
        let joined = format!("/{}", parts.join("/"));
        if joined.len() > MAX_PATH_BYTES {
            return Err(format!(
                "the path has {} bytes; at most {MAX_PATH_BYTES} are allowed",
                joined.len()
            ));
        }
        Ok(Self(joined))
    }

    /// The text, starting with `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the account's root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0 == "/"
    }

    /// The names from the root downwards.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|p| !p.is_empty())
    }

    /// The last name; `None` for the root.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.rsplit('/').next().filter(|n| !n.is_empty())
    }

    /// The folder that holds it; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let (head, _) = self.0.rsplit_once('/')?;
        Some(if head.is_empty() { Self::root() } else { Self(head.to_owned()) })
    }

    /// Whether `self` is `folder` or lies below it.
    #[must_use]
    pub fn is_within(&self, folder: &Self) -> bool {
        folder.is_root()
            || self.0 == folder.0
            || self.0.strip_prefix(&folder.0).is_some_and(|rest| rest.starts_with('/'))
    }

    /// The address without its leading `/`, for joining below a real folder; `.` for the root.
    #[must_use]
    pub fn relative(&self) -> &str {
        match self.0.strip_prefix('/') {
            Some("") | None => ".",
            Some(rest) => rest,
        }
    }
}

fn checked_name(name: &str) -> Result<&str, String> {
    if name.len() > MAX_NAME_BYTES {
        return Err(format!(
            "a name in the path has {} bytes; at most {MAX_NAME_BYTES} are allowed",
            name.len()
        ));
    }
    if name.contains('\u{FFFD}') {
        return Err("the name is not valid UTF-8; set your program to UTF-8 file names".to_owned());
    }
    if name.chars().any(char::is_control) {
        return Err("the name holds a control character; rename the file".to_owned());
    }
    Ok(name)
}

impl fmt::Display for VPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for VPath {
    type Error = String;
    fn try_from(s: String) -> Result<Self, String> {
        Self::root().join(&s)
    }
}

impl FromStr for VPath {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        Self::root().join(s)
    }
}

impl From<VPath> for String {
    fn from(p: VPath) -> Self {
        p.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised_and_stay_below_the_root() {
        let at = VPath::root().join("in/x").unwrap();
        for (raw, expected) in [
            ("users.csv", "/in/x/users.csv"),
            ("/a//b/./c/", "/a/b/c"),
            ("../../../../etc/passwd", "/etc/passwd"),
            ("..", "/in"),
            ("", "/in/x"),
            ("/", "/"),
        ] {
            assert_eq!(at.join(raw).unwrap().as_str(), expected, "{raw}");
        }
        assert!(at.join("a\0b").is_err());
        assert!(at.join("a\u{FFFD}").is_err());
        assert!(at.join(&"x".repeat(256)).is_err());
        assert!(at.join(&"x/".repeat(98)).is_ok());
        assert!(at.join(&"x/".repeat(99)).is_err());
        let long = format!("{}/", "x".repeat(250));
        assert!(at.join(&long.repeat(12)).is_ok());
        assert!(at.join(&long.repeat(13)).is_err());
    }

    #[test]
    fn within_is_by_whole_names() {
        let p = |s: &str| s.parse::<VPath>().unwrap();
        assert!(p("/in/a").is_within(&p("/in")));
        assert!(p("/in").is_within(&p("/in")));
        assert!(!p("/in2/a").is_within(&p("/in")));
        assert!(p("/in2").is_within(&p("/")));
        assert_eq!(p("/in").parent(), Some(VPath::root()));
    }
}
