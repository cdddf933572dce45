//! What was seen and fetched in import folders on clients' own servers.

/// The schema's step.
pub(super) const STEP: &str = r"
-- A file version on a client's server: seen (and how it looked), fetched once (upload), given back (its report lies there).
CREATE TABLE fetches (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    client        TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    folder        TEXT NOT NULL,
    name          TEXT NOT NULL,
    bytes         INTEGER NOT NULL,
    modified      INTEGER,
    sha256        TEXT,
    first_seen_at INTEGER NOT NULL,
    last_seen_at  INTEGER NOT NULL,
    upload        TEXT,
    state         TEXT NOT NULL,
    failure       TEXT
) STRICT;
CREATE INDEX fetches_by_name ON fetches(client, folder, name, id);
";
