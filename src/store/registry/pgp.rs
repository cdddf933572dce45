//! OpenPGP keys of clients: our own for each, and those of whoever sends or receives.

/// The schema's step.
pub(super) const STEP: &str = r"
-- Our own keys: the newest that is not retired encrypts nothing and reads everything sent to it; retired ones still read.
CREATE TABLE pgp_keys (
    client      TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    public_key  TEXT NOT NULL,
    sealed_key  BLOB NOT NULL,
    created_at  INTEGER NOT NULL,
    retired_at  INTEGER,
    PRIMARY KEY (client, fingerprint)
) STRICT;
-- Other people's public keys: whose signatures count, for whom exports are encrypted.
CREATE TABLE pgp_partners (
    client      TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    name        TEXT NOT NULL,
    public_key  TEXT NOT NULL,
    added_at    INTEGER NOT NULL,
    PRIMARY KEY (client, fingerprint)
) STRICT;
-- Passwords of encrypted zips, sealed, by folder.
CREATE TABLE zip_passwords (
    client TEXT NOT NULL,
    folder TEXT NOT NULL,
    sealed_password BLOB NOT NULL,
    PRIMARY KEY (client, folder),
    FOREIGN KEY (client, folder) REFERENCES folders(client, name) ON DELETE CASCADE
) STRICT;
";
