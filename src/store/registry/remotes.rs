//! Accounts on clients' own servers.

/// The schema's step.
pub(super) const STEP: &str = r"
-- An account on the client's own server: its row in accounts has no password, no keys and the host profile 'client-server'.
-- Sealed columns: secrets.rs. trust: 'pin', 'platform' or 'ca'; pins: one a line.
CREATE TABLE remote_servers (
    login             TEXT PRIMARY KEY REFERENCES accounts(login) ON DELETE CASCADE,
    host              TEXT NOT NULL,
    port              INTEGER NOT NULL,
    remote_login      TEXT NOT NULL,
    sealed_password   BLOB,
    sealed_key        BLOB,
    sealed_passphrase BLOB,
    trust             TEXT NOT NULL,
    pins              TEXT NOT NULL,
    ca                TEXT,
    last_reached_at   INTEGER,
    last_failure      TEXT
) STRICT;
";
