//! Whether the data folder is still the one that the server took for itself: its disk may be unmounted under it, or the
//! folder moved, and nothing may be acknowledged into another one then.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Kind, Result};
use crate::vfs::{Folder, Inode};

/// The folder that is served; nothing until a server has taken it.
#[derive(Default)]
pub(super) struct Home(Mutex<Option<Inode>>);

impl Home {
    /// Remembers which folder `data` is now.
    pub(super) fn take(&self, data: &Path) -> Result<()> {
        let found = look(data).map_err(|e| Error::io(format!("opening {}", data.display()), e))?;
        *self.taken() = Some(found);
        Ok(())
    }

    /// The server has stopped.
    pub(super) fn leave(&self) {
        *self.taken() = None;
    }

    /// Refuses when `data` is another folder by now, or none.
    pub(super) fn check(&self, data: &Path) -> Result<()> {
        let Some(taken) = *self.taken() else { return Ok(()) };
        // One that cannot be looked at for want of open files may still be the right one.
        let found = match look(data) {
            Ok(found) => Some(found),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            Err(e) => return Err(Error::io(format!("opening {}", data.display()), e)),
        };
        if found.is_some_and(|found| found.is_same(&taken)) {
            return Ok(());
        }
        let message = format!(
            "the data folder {} is not the one that this server started with: its disk was unmounted, or the folder was moved; bring it back, or stop the server and start it over the right one",
            data.display()
        );
        Err(Error::new(Kind::Internal, message))
    }

    fn taken(&self) -> std::sync::MutexGuard<'_, Option<Inode>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn look(data: &Path) -> std::io::Result<Inode> {
    Folder::open_machine(data)?.look_self()
}
