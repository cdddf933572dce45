//! Files handed over through export folders, hosted or on clients' own servers.

/// The schema's step.
pub(super) const STEP: &str = r"
-- state: waiting (to be placed or delivered), placed (lies in a hosted folder), fetched, delivered, failed, withdrawn.
CREATE TABLE drops (
    id           TEXT PRIMARY KEY,
    client       TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    folder       TEXT NOT NULL,
    login        TEXT NOT NULL,
    path         TEXT NOT NULL,
    bytes        INTEGER NOT NULL,
    sha256       TEXT NOT NULL,
    origin       TEXT NOT NULL,
    who          TEXT NOT NULL,
    state        TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    placed_at    INTEGER,
    fetched_at   INTEGER,
    fetches      INTEGER NOT NULL DEFAULT 0,
    withdrawn_at INTEGER,
    failure      TEXT
) STRICT;
CREATE INDEX drops_by_client ON drops(client, created_at);
CREATE INDEX drops_by_path ON drops(client, login, path);
";
