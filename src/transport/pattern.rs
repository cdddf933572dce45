//! File names by pattern, as a shell matches them: for listings over FTP and for scp.

use globset::GlobMatcher;

use crate::error::{Error, Kind, Result};

/// A pattern for the names of one folder.
pub(crate) struct Pattern {
    matcher: GlobMatcher,
    /// As a shell does: `*` is not for names that begin with a dot.
    hides_dots: bool,
}

impl Pattern {
    /// `*`, `?`, `[…]` and `{a,b}`; a backslash takes a sign as it stands.
    ///
    /// # Errors
    /// [`Kind::Invalid`]: the pattern cannot be read.
    pub(crate) fn new(pattern: &str) -> Result<Self> {
        let built = globset::GlobBuilder::new(pattern).literal_separator(true).build();
        let glob = built.map_err(|e| {
            Error::caused(Kind::Invalid, format!("the pattern cannot be read: {e}"), e)
        })?;
        Ok(Self { matcher: glob.compile_matcher(), hides_dots: !pattern.starts_with('.') })
    }

    /// Takes names that begin with a dot, too.
    pub(crate) fn show_dots(&mut self) {
        self.hides_dots = false;
    }

    /// Whether it stands for this name.
    pub(crate) fn takes(&self, name: &str) -> bool {
        !(self.hides_dots && name.starts_with('.')) && self.matcher.is_match(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_a_shell() {
        for (pattern, name, taken) in [
            ("*.csv", "users.csv", true),
            ("*.csv", ".users.csv", false),
            (".*.csv", ".users.csv", true),
            ("user?.csv", "users.csv", true),
            ("[a-t]*", "users.csv", false),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap().takes(name), taken, "{pattern} {name}");
        }
        let mut all = Pattern::new("*").unwrap();
        all.show_dots();
        assert!(all.takes(".hidden"));
        assert!(Pattern::new("[").is_err());
    }
}
