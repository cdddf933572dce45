//! Several folders of an account change at once: all of them, or none.

use rusqlite::params;

use super::Registry;
use super::clients::{insert_folder, no_folder, taken_folder};
use crate::error::Result;
use crate::model::Folder;
use crate::store::failed;

/// What becomes of one folder of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FolderMove {
    /// A new one, with its import settings.
    Add(Folder, Option<String>),
    /// The folder of this name gets another path, purpose or pattern.
    Change(Folder),
    /// The folder of this name goes; its files stay.
    Remove(String),
}

impl Registry {
    /// Adds, changes and removes folders of an account.
    ///
    /// # Errors
    /// `Kind::NotFound` for a folder that is gone; `Kind::Exists` for a name or path that is taken.
    pub fn edit_folders(&self, client: &str, login: &str, moves: &[FolderMove]) -> Result<()> {
        let (client, login, moves) = (client.to_owned(), login.to_owned(), moves.to_vec());
        self.write(move |conn| {
            // First whatever frees a path: two folders may change places.
            for one in &moves {
                let (name, freed) = match one {
                    FolderMove::Add(..) => continue,
                    FolderMove::Change(folder) => (
                        &folder.name,
                        "UPDATE folders SET path = '/' || hex(randomblob(16)) WHERE login = ?1 AND name = ?2",
                    ),
                    FolderMove::Remove(name) => {
                        (name, "DELETE FROM folders WHERE login = ?1 AND name = ?2")
                    }
                };
                let count = conn
                    .execute(freed, [&login, name])
                    .map_err(failed(format_args!("change folder \"{name}\"")))?;
                if count == 0 {
                    return Err(no_folder(&login, name));
                }
            }
            moves.iter().try_for_each(|one| match one {
                FolderMove::Remove(_) => Ok(()),
                FolderMove::Add(folder, settings) => {
                    insert_folder(conn, &client, folder, settings.as_deref())
                }
                FolderMove::Change(folder) => conn
                    .execute(
                        "UPDATE folders SET path = ?3, purpose = ?4, pattern = ?5
                         WHERE login = ?1 AND name = ?2",
                        params![
                            login,
                            folder.name,
                            folder.path.as_str(),
                            folder.purpose.name(),
                            folder.pattern
                        ],
                    )
                    .map(drop)
                    .map_err(|e| taken_folder(e, folder)),
            })
        })
    }
}
