//! How many files clients have open: no client may take those that all others need.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Kind, Result};

/// The files, folders and uploads that clients have open just now, and how many they may.
#[derive(Clone, Default)]
pub(crate) struct OpenFiles(Arc<Mutex<Table>>);

struct Table {
    /// Of all clients together.
    most: usize,
    most_of_one: usize,
    all: usize,
    by_client: HashMap<String, usize>,
}

impl Default for Table {
    fn default() -> Self {
        Self { most: usize::MAX, most_of_one: usize::MAX, all: 0, by_client: HashMap::new() }
    }
}

/// Open files of one client; dropping it gives them back.
pub(crate) struct OpenShare {
    files: OpenFiles,
    client: String,
    count: usize,
}

impl OpenFiles {
    /// Says how many there may be, of all clients together and of one. Before that there is no limit.
    pub(crate) fn allow(&self, most: usize, most_of_one: usize) {
        let mut table = self.table();
        (table.most, table.most_of_one) = (most, most_of_one);
    }

    /// Counts `count` more of `client`'s.
    ///
    /// # Errors
    /// [`Kind::Busy`] when the client, or all together, have as many as they may.
    pub(crate) fn take(&self, client: &str, count: usize) -> Result<OpenShare> {
        let mut table = self.table();
        let own = table.by_client.get(client).copied().unwrap_or(0).saturating_add(count);
        let all = table.all.saturating_add(count);
        if own > table.most_of_one {
            let most = table.most_of_one;
            let text = format!("this client has {most} files open already; close some first");
            return Err(Error::new(Kind::Busy, text));
        }
        if all > table.most {
            let text = "the server has too many files open just now; try again in a minute";
            return Err(Error::new(Kind::Busy, text));
        }
        table.all = all;
        table.by_client.insert(client.to_owned(), own);
        Ok(OpenShare { files: self.clone(), client: client.to_owned(), count })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenShare {
    fn drop(&mut self) {
        let mut table = self.files.table();
        table.all = table.all.saturating_sub(self.count);
        if let Some(own) = table.by_client.get_mut(&self.client) {
            *own = own.saturating_sub(self.count);
            if *own == 0 {
                table.by_client.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_has_its_part_and_all_have_theirs() {
        let files = OpenFiles::default();
        let many: Vec<_> = (0..100).map(|_| files.take("acme", 1).unwrap()).collect();
        drop(many);
        files.allow(5, 3);
        let first = files.take("acme", 2).unwrap();
        let refused = files.take("acme", 2).err().unwrap();
        assert_eq!(refused.kind(), Kind::Busy);
        assert!(refused.message().contains("has 3 files open"), "{refused}");
        let _second = files.take("acme", 1).unwrap();
        assert!(files.take("acme", 1).is_err());
        let _other = files.take("other", 2).unwrap();
        let refused = files.take("other", 1).err().unwrap();
        assert!(refused.message().contains("the server"), "{refused}");
        drop(first);
        let _third = files.take("acme", 1).unwrap();
        let table = files.table();
        assert_eq!((table.all, table.by_client.len()), (4, 2));
        // Giving back waits for the table.
        drop(table);
    }
}
