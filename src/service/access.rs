//! What an account may do where: its own rights, and those of folders that have theirs.

use std::net::IpAddr;

use jiff::Timestamp;

use super::login::LoginRefused;
use crate::error::{Error, Kind, Result};
use crate::model::{AccountLimits, AccountRules, Protocol, Right, Rights, VPath};
use crate::store::registry::LoginFacts;

/// What holds for a session, as it stands now.
#[derive(Debug, Clone, Default)]
pub(super) struct Access {
    rules: AccountRules,
    limits: AccountLimits,
    /// Folders with rights of their own.
    folders: Vec<(VPath, Rights)>,
}

impl Access {
    pub(super) fn of(facts: &LoginFacts) -> Self {
        Self { rules: facts.rules.clone(), limits: facts.limits, folders: facts.rights.clone() }
    }

    pub(super) fn rules(&self) -> &AccountRules {
        &self.rules
    }

    pub(super) fn limits(&self) -> AccountLimits {
        self.limits
    }

    /// Whether this may be done at `path`: the nearest folder with rights of its own decides.
    pub(super) fn has(&self, path: &VPath, right: Right) -> bool {
        self.at(path).has(right)
    }

    /// Whether this may be done at `path` or somewhere below it.
    pub(super) fn has_at_or_below(&self, path: &VPath, right: Right) -> bool {
        let mut below = self.folders.iter().filter(|(folder, _)| folder.is_within(path));
        self.has(path, right) || below.any(|(_, rights)| rights.has(right))
    }

    /// The rights at `path`.
    pub(super) fn at(&self, path: &VPath) -> Rights {
        let within = self.folders.iter().filter(|(folder, _)| path.is_within(folder));
        let nearest = within.max_by_key(|(folder, _)| folder.as_str().len());
        nearest.map_or(self.rules.rights, |(_, rights)| *rights)
    }

    /// Refuses what may not be done.
    ///
    /// # Errors
    /// [`Kind::Denied`], naming the path and the right.
    pub(super) fn need(&self, path: &VPath, right: Right) -> Result<()> {
        if self.has(path, right) {
            return Ok(());
        }
        let message = format!(
            "{path}: this account may not {} here; ask whoever gave it to you",
            in_words(right)
        );
        Err(Error::new(Kind::Denied, message))
    }

    /// Refuses to move or remove a folder below which other rights hold: they would be left behind.
    ///
    /// # Errors
    /// [`Kind::Denied`].
    pub(super) fn need_whole(&self, path: &VPath) -> Result<()> {
        match self.folders.iter().find(|(folder, _)| folder.is_within(path)) {
            None => Ok(()),
            Some((folder, _)) => Err(Error::new(
                Kind::Denied,
                format!("{path}: {folder} has rights of its own; it cannot be moved or removed"),
            )),
        }
    }
}

fn in_words(right: Right) -> &'static str {
    match right {
        Right::List => "list names",
        Right::Read => "read files",
        Right::Write => "send new files",
        Right::Overwrite => "replace files",
        Right::Append => "continue files",
        Right::Delete => "remove anything",
        Right::Rename => "rename anything",
        Right::Mkdir => "make folders",
    }
}

/// Whether the account may be here now, over this connection type and from this address.
///
/// # Errors
/// Why not, for the log.
pub(super) fn may_enter(
    facts: &LoginFacts,
    protocol: Protocol,
    peer: IpAddr,
    now: Timestamp,
) -> std::result::Result<(), LoginRefused> {
    let refused = |log| Err(LoginRefused::because(log));
    let rules = &facts.rules;
    if !facts.client.enabled {
        refused("the client is disabled")
    } else if !facts.account.enabled {
        refused("the account is disabled")
    } else if facts.account.remote.is_some() {
        refused("the account is one on the client's own server")
    } else if !facts.account.protocols.contains(&protocol) {
        refused("the account may not use this connection type")
    } else if rules.expires_at.is_some_and(|end| end <= now) {
        refused("the account has expired")
    } else if !rules.allow_from.is_empty() && !rules.allow_from.iter().any(|n| n.contains(peer)) {
        refused("the account may not log in from this address")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(access: &Access, path: &str, right: Right, allowed: bool) {
        let path = path.parse().unwrap();
        assert_eq!(access.need(&path, right).is_ok(), allowed, "{right:?} at {path}");
    }

    #[test]
    fn the_nearest_folder_decides() {
        let folder = |path: &str, rights: &str| (path.parse().unwrap(), rights.parse().unwrap());
        let rules = AccountRules { rights: "list,read".parse().unwrap(), ..Default::default() };
        let folders = vec![folder("/in", "all"), folder("/in/old", "list")];
        let access = Access { rules, folders, ..Access::default() };
        check(&access, "/x", Right::Read, true);
        check(&access, "/x", Right::Write, false);
        check(&access, "/in/users.csv", Right::Delete, true);
        check(&access, "/in", Right::List, true);
        check(&access, "/inside", Right::Write, false);
        check(&access, "/in/old/x", Right::Read, false);
        check(&access, "/in/old/x", Right::List, true);
        assert!(access.need_whole(&"/in".parse().unwrap()).is_err());
        assert!(access.need_whole(&"/in/new".parse().unwrap()).is_ok());
    }

    #[test]
    fn without_rules_everything_is_allowed() {
        for right in Right::ALL {
            check(&Access::default(), "/a/b", right, true);
        }
    }
}
