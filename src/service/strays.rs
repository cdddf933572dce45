//! Folders of clients that the registry does not know: it was lost, or an older one was put back. Nothing in them may be taken
//! for somebody else's, and nothing may go.

use std::io;
use std::path::Path;

use super::{Service, moving};
use crate::error::{Error, Kind, Result};

impl Service {
    /// The clients' folders that hold something and of which the registry knows nothing, by name.
    ///
    /// # Errors
    /// A registry or folder that cannot be read.
    pub fn stray_folders(&self) -> Result<Vec<String>> {
        let clients = self.data().join("clients");
        let fault = |e| Error::io(format!("looking through {}", clients.display()), e);
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&clients).map_err(fault)? {
            let name = entry.map_err(fault)?.file_name().to_string_lossy().into_owned();
            if self.is_stray(&name)? {
                found.push(name);
            }
        }
        found.sort();
        Ok(found)
    }

    fn is_stray(&self, name: &str) -> Result<bool> {
        let folder = self.data().join("clients").join(name);
        // What begins with a dot is a client that goes or comes just now; so is one with the marker. A file system has one by itself.
        if name.starts_with('.')
            || name == "lost+found"
            || folder.join(moving::ARRIVING).exists()
            || !folder.is_dir()
        {
            return Ok(false);
        }
        if self.registry().client(name)?.is_some() {
            return Ok(false);
        }
        // One that cannot be looked through is somebody's, and no reason not to serve the others.
        Ok(holds_something(&folder).unwrap_or(true))
    }

    /// Refuses a new client whose folder holds somebody's files.
    pub(super) fn refuse_stray(&self, slug: &str) -> Result<()> {
        if !self.is_stray(slug)? {
            return Ok(());
        }
        let message = format!(
            "{} holds the files of a client that registry.db does not know: restore a backup (docs/operations.md), or move that folder away",
            self.data().join("clients").join(slug).display()
        );
        Err(Error::new(Kind::Exists, message))
    }

    /// Refuses to serve with a registry that was lost: it knows no client, and there are some.
    pub(super) fn refuse_lost_registry(&self) -> Result<()> {
        let strays = self.stray_folders()?;
        if strays.is_empty() {
            return Ok(());
        }
        if !self.registry().clients()?.is_empty() {
            tracing::error!(
                folders = strays.join(" "),
                "registry.db does not know the clients of these folders; they stay as they are (rollcall check)"
            );
            return Ok(());
        }
        let message = format!(
            "registry.db is missing or new, while {} holds {}: restore a backup (docs/operations.md), or move {0} away",
            self.data().join("clients").display(),
            strays.join(", ")
        );
        Err(Error::new(Kind::Conflict, message))
    }
}

/// Whether a file lies in a folder or below it, locks left out.
fn holds_something(folder: &Path) -> io::Result<bool> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let found = if entry.file_type()?.is_dir() {
            holds_something(&entry.path())?
        } else {
            entry.path().extension().is_none_or(|ending| ending != "lock")
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}
