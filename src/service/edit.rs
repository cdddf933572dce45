//! The use case of changing one user by hand.

use super::{Service, commit, events};
use crate::error::{Error, Kind, Result};
use crate::import::edit::{Edit, edit};
use crate::import::fields::FieldKey;
use crate::model::Purpose;
use crate::store::directory::{Event, EventKind};

impl Service {
    /// Changes values of a user by hand: read as a file's cells would be, kept in the history, and protected from
    /// files that say the same as before. An empty text clears a value.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for the client; [`Kind::Invalid`] with a sentence for each value that is refused.
    pub fn edit_user(
        &self,
        client: &str,
        user: i64,
        wanted: &[(FieldKey, String)],
        who: &str,
    ) -> Result<Edit> {
        let client = self.client(client)?;
        let space = self.client_space(&client.slug)?;
        let _lock = space.lock()?;
        let mut directory = self.directory(&space)?;
        let snapshot = directory.snapshot("")?;
        let mut keys = Vec::new();
        for folder in self.registry().client_folders(&client.slug)? {
            if folder.purpose == Purpose::Import {
                keys.extend(directory.source(&folder.name)?.1.key);
            }
        }
        let today = self.clock().today(&client.time_zone);
        let edit = edit(&snapshot, user, wanted, &keys, today)
            .map_err(|why| Error::new(Kind::Invalid, why.join("\n")))?;
        if !edit.changes.is_empty() {
            let event = Event {
                id: commit::new_id(self.clock()),
                kind: EventKind::Edit,
                about: None,
                source: String::new(),
                who: who.to_owned(),
                at: self.clock().now(),
            };
            directory.edit(&event, snapshot.change_number, user, &edit)?;
            // No value stands in the audit trail: it outlives the user.
            let fields: Vec<String> = edit.changes.iter().map(|c| c.field.to_string()).collect();
            if let Err(error) = events::tell_users(self, &client.slug, &directory) {
                // Told with the next import.
                tracing::error!(%error, client = client.slug, "an edit was not told");
            }
            self.record("user.edit", &format!("{}/{user}", client.slug), &fields.join(", "));
        }
        self.keep_directory(&space, directory);
        Ok(edit)
    }
}
