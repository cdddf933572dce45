//! What other programs are told of, by the API's `events` and by webhooks (docs/webhooks.md).

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ImportStatus;

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EventKind {
    /// An import was applied in whole or in part, said nothing new, or was refused.
    #[serde(rename = "import.finished")]
    ImportFinished,
    /// An import waits for somebody's decision.
    #[serde(rename = "import.held")]
    ImportHeld,
    /// An import will never be applied: discarded, expired, replaced by a newer file.
    #[serde(rename = "import.dropped")]
    ImportDropped,
    /// An import was applied and taken back.
    #[serde(rename = "import.undone")]
    ImportUndone,
    /// An import failed by our own fault (E901).
    #[serde(rename = "import.failed")]
    ImportFailed,
    /// A user is new in the directory.
    #[serde(rename = "user.created")]
    UserCreated,
    /// Values of a user changed.
    #[serde(rename = "user.changed")]
    UserChanged,
    /// A user's contract got an end, or another one.
    #[serde(rename = "user.ended")]
    UserEnded,
    /// A user is gone with the import that had created it, which was taken back.
    #[serde(rename = "user.withdrawn")]
    UserWithdrawn,
    /// More users at once than are told one by one: read them again.
    #[serde(rename = "users.changed")]
    UsersChanged,
    /// A client is new.
    #[serde(rename = "client.added")]
    ClientAdded,
    /// A client's name, language, zone, retention, keys or state changed.
    #[serde(rename = "client.changed")]
    ClientChanged,
    /// An account is new.
    #[serde(rename = "account.added")]
    AccountAdded,
    /// An account's name, password, keys, rules or state changed.
    #[serde(rename = "account.changed")]
    AccountChanged,
    /// An account was removed.
    #[serde(rename = "account.removed")]
    AccountRemoved,
    /// A remote folder was added, changed or removed.
    #[serde(rename = "folder.changed")]
    FolderChanged,
    /// The import settings of a folder changed.
    #[serde(rename = "settings.changed")]
    SettingsChanged,
    /// A reference list changed.
    #[serde(rename = "lists.changed")]
    ListsChanged,
    /// Somebody should look at something.
    #[serde(rename = "alarm.raised")]
    AlarmRaised,
    /// An alarm is over.
    #[serde(rename = "alarm.cleared")]
    AlarmCleared,
}

impl EventKind {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 20] = [
        Self::ImportFinished,
        Self::ImportHeld,
        Self::ImportDropped,
        Self::ImportUndone,
        Self::ImportFailed,
        Self::UserCreated,
        Self::UserChanged,
        Self::UserEnded,
        Self::UserWithdrawn,
        Self::UsersChanged,
        Self::ClientAdded,
        Self::ClientChanged,
        Self::AccountAdded,
        Self::AccountChanged,
        Self::AccountRemoved,
        Self::FolderChanged,
        Self::SettingsChanged,
        Self::ListsChanged,
        Self::AlarmRaised,
        Self::AlarmCleared,
    ];

    /// `import.finished` …
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ImportFinished => "import.finished",
            Self::ImportHeld => "import.held",
            Self::ImportDropped => "import.dropped",
            Self::ImportUndone => "import.undone",
            Self::ImportFailed => "import.failed",
            Self::UserCreated => "user.created",
            Self::UserChanged => "user.changed",
            Self::UserEnded => "user.ended",
            Self::UserWithdrawn => "user.withdrawn",
            Self::UsersChanged => "users.changed",
            Self::ClientAdded => "client.added",
            Self::ClientChanged => "client.changed",
            Self::AccountAdded => "account.added",
            Self::AccountChanged => "account.changed",
            Self::AccountRemoved => "account.removed",
            Self::FolderChanged => "folder.changed",
            Self::SettingsChanged => "settings.changed",
            Self::ListsChanged => "lists.changed",
            Self::AlarmRaised => "alarm.raised",
            Self::AlarmCleared => "alarm.cleared",
        }
    }

    /// The event of an import that has come to this status.
    #[must_use]
    pub fn of_import(status: ImportStatus) -> Self {
        use ImportStatus::{Discarded, Expired, Failed, Held, Superseded, Undone};
        match status {
            Held => Self::ImportHeld,
            Failed => Self::ImportFailed,
            Undone => Self::ImportUndone,
            Discarded | Expired | Superseded => Self::ImportDropped,
            _ => Self::ImportFinished,
        }
    }

    /// Whether it tells of an import.
    #[must_use]
    pub fn is_of_imports(self) -> bool {
        self.name().starts_with("import.")
    }

    /// Whether it tells of users.
    #[must_use]
    pub fn is_of_users(self) -> bool {
        matches!(
            self,
            Self::UserCreated
                | Self::UserChanged
                | Self::UserEnded
                | Self::UserWithdrawn
                | Self::UsersChanged
        )
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for EventKind {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.name() == s).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.into_iter().map(Self::name).collect();
            format!("\"{s}\" is no kind of event; there are {}", known.join(", "))
        })
    }
}

/// Something that happened, for other programs. It names users by their number and never holds a value of theirs:
/// events are kept apart from the directory, which alone forgets people.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// Its number: later ones are larger. The cursor.
    pub id: i64,
    /// When it was noted.
    pub at: Timestamp,
    /// What it is about.
    pub kind: EventKind,
    /// The client's slug; `None`: the whole server's.
    pub client: Option<String>,
    /// An import's id, a user's number, a login, a folder's name …, by its kind.
    pub subject: String,
    /// The rest, by its kind (docs/webhooks.md).
    pub data: serde_json::Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_known_by_its_name_in_words_and_in_json() {
        for kind in EventKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        let said = "user.deleted".parse::<EventKind>().unwrap_err();
        assert!(said.contains("user.ended"), "{said}");
    }
}
