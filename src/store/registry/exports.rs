//! Exports of a client's directory: their settings, and each run.

/// The schema's step.
pub(super) const STEP: &str = r"
CREATE TABLE exports (
    client   TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    name     TEXT NOT NULL,
    folder   TEXT NOT NULL,
    settings TEXT NOT NULL,
    enabled  INTEGER NOT NULL DEFAULT 1,
    next_seq INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (client, name)
) STRICT;
-- basis: the directory's order of writes that this run has told the other side about, as the next one reads it.
CREATE TABLE export_runs (
    id           TEXT PRIMARY KEY,
    client       TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    export       TEXT NOT NULL,
    seq          INTEGER NOT NULL,
    key          TEXT NOT NULL UNIQUE,
    file_name    TEXT NOT NULL,
    what         TEXT NOT NULL,
    basis        INTEGER NOT NULL,
    rows         INTEGER NOT NULL,
    left_out     INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    withdrawn_at INTEGER,
    failure      TEXT
) STRICT;
CREATE INDEX export_runs_by_export ON export_runs(client, export, seq);
";
