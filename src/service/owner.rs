//! Whose the data folder is: what root makes in another user's folder, that user's server could not open.

use std::collections::VecDeque;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};

/// The user who may open everything.
const ROOT: u32 = 0;
/// The names of this machine's users.
const USERS: &str = "/etc/passwd";
/// At most so many files and folders are looked at; locks and databases come before what clients sent.
const LOOKED_AT: usize = 200_000;
/// At most so many of those that belong to somebody else are named.
const NAMED: usize = 5;
/// What a file system has at its top by itself.
const NOT_OURS: &str = "lost+found";

/// Refuses to work as root in a data folder of another user: a lock or database that root makes there would stop that
/// user's server. Nothing is made. A folder without registry, or with one of root's own, is fine.
///
/// # Errors
/// `Kind::Denied`, naming the owner.
pub fn check(data: &Path) -> Result<()> {
    refuse("data folder", data, owner(data))
}

/// The same for the keys in `certs` where no data folder of root's own is named: who forgot `--data` would make keys that the
/// server could not read.
///
/// # Errors
/// `Kind::Denied`, naming the owner.
pub fn check_keys(data: &Path, certs: &Path) -> Result<()> {
    match owner(data) {
        Some(ROOT) => Ok(()),
        Some(_) => check(data),
        None => refuse("folder of keys", certs, owner_of(certs)),
    }
}

fn refuse(what: &str, folder: &Path, owner: Option<u32>) -> Result<()> {
    let Some(owner) = owner.filter(|owner| is_refused(rustix::process::geteuid().as_raw(), *owner))
    else {
        return Ok(());
    };
    let message = format!(
        "the {what} {} belongs to user {}, and this runs as root, whose files that user could not open: run it as its owner (sudo -u {} …; docs/operations.md has the whole line)",
        folder.display(),
        name(owner),
        typed(owner)
    );
    Err(Error::new(Kind::Denied, message))
}

/// Whether this user must not write in a folder whose registry has this owner.
fn is_refused(effective: u32, owner: u32) -> bool {
    effective == ROOT && owner != ROOT
}

/// The user whose registry it is; `None`: there is none yet.
fn owner(data: &Path) -> Option<u32> {
    owner_of(&data.join("registry.db"))
}

fn owner_of(path: &Path) -> Option<u32> {
    std::fs::metadata(path).ok().map(|metadata| metadata.uid())
}

/// Files and folders below a data folder that are not its owner's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strange {
    /// The owner of the registry, as `chown` and people know it.
    pub owner: String,
    /// How many there are, among those that were looked at.
    pub count: u64,
    /// The first of them.
    pub first: Vec<PathBuf>,
}

/// Looks for files and folders that belong to another user than the registry. `None`: there are none, or no registry.
#[must_use]
pub fn strange(data: &Path) -> Option<Strange> {
    let owner = owner(data)?;
    let mut found = Strange { owner: name(owner), count: 0, first: Vec::new() };
    let mut folders = VecDeque::from([data.to_owned()]);
    let mut left = LOOKED_AT;
    while let Some(folder) = folders.pop_front().filter(|_| left > 0) {
        // One that cannot be read is named by the folder that holds it.
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten().take(left) {
            left = left.saturating_sub(1);
            // Links are not followed: what they point to is none of ours.
            let Ok(metadata) = entry.metadata() else { continue };
            if folder == data && entry.file_name() == NOT_OURS {
                continue;
            }
            if metadata.uid() != owner {
                found.count = found.count.saturating_add(1);
                if found.first.len() < NAMED {
                    found.first.push(entry.path());
                }
            }
            if metadata.is_dir() {
                folders.push_back(entry.path());
            }
        }
    }
    (found.count > 0).then_some(found)
}

/// A user's name, or the number where nobody has it.
fn name(user: u32) -> String {
    known(user).unwrap_or_else(|| user.to_string())
}

/// The same as `sudo -u` takes it.
fn typed(user: u32) -> String {
    known(user).unwrap_or_else(|| format!("'#{user}'"))
}

fn known(user: u32) -> Option<String> {
    named(&std::fs::read_to_string(USERS).ok()?, user)
}

/// The name of a user in a list of users. Source: passwd(5).
fn named(users: &str, user: u32) -> Option<String> {
    let number = user.to_string();
    let line = users.lines().find(|line| line.split(':').nth(2) == Some(number.as_str()))?;
    let name = line.split(':').next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_works_in_its_own_folder_only_and_others_as_they_may() {
        for (effective, owner, refused) in
            [(0, 0, false), (0, 998, true), (998, 998, false), (998, 0, false), (998, 1000, false)]
        {
            assert_eq!(is_refused(effective, owner), refused, "{effective} in {owner}'s");
        }
    }

    #[test]
    fn users_have_names_or_numbers() {
        let users =
            "root:x:0:0:root:/root:/bin/sh\nrollcall:x:998:998::/var/lib/rollcall:\n:x:7::\n";
        assert_eq!(named(users, 998).as_deref(), Some("rollcall"));
        assert_eq!((named(users, 99), named(users, 7), named("", 0)), (None, None, None));
    }

    #[test]
    fn a_folder_of_one_user_has_nothing_strange_in_it() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(strange(folder.path()), None, "there is no registry");
        std::fs::create_dir_all(folder.path().join("clients/acme")).unwrap();
        for file in ["registry.db", "clients/acme/import.lock"] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        assert_eq!(strange(folder.path()), None);
        check(folder.path()).unwrap();
        let lock = folder.path().join("clients/acme/import.lock");
        if std::os::unix::fs::chown(&lock, Some(65534), None).is_err() {
            eprintln!("only root can give a file to somebody else: that part was not tried");
            return;
        }
        let found = strange(folder.path()).unwrap();
        assert_eq!((found.count, found.first), (1, vec![lock]));
    }
}
