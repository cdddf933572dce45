//! The registry's schema, step by step. Append only: a step that has shipped never changes.

/// The steps; `PRAGMA user_version` counts how many a file has seen.
pub(super) const STEPS: &[&str] = &[
    r"
CREATE TABLE clients (
    slug       TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    language   TEXT NOT NULL,
    time_zone  TEXT NOT NULL,
    enabled    INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE accounts (
    login         TEXT PRIMARY KEY,
    client        TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    name          TEXT NOT NULL,
    host_profile  TEXT NOT NULL,
    protocols     TEXT NOT NULL,
    enabled       INTEGER NOT NULL DEFAULT 1,
    password_hash TEXT,
    created_at    INTEGER NOT NULL,
    last_login_at INTEGER
) STRICT;
CREATE INDEX accounts_by_client ON accounts(client, login);

CREATE TABLE account_keys (
    login       TEXT NOT NULL REFERENCES accounts(login) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    public_key  TEXT NOT NULL,
    comment     TEXT NOT NULL,
    added_at    INTEGER NOT NULL,
    PRIMARY KEY (login, fingerprint)
) STRICT;

CREATE TABLE folders (
    client   TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    name     TEXT NOT NULL,
    login    TEXT NOT NULL REFERENCES accounts(login) ON DELETE CASCADE,
    path     TEXT NOT NULL,
    purpose  TEXT NOT NULL,
    pattern  TEXT,
    settings TEXT,
    PRIMARY KEY (client, name),
    UNIQUE (login, path)
) STRICT;

-- seq is the order of arrival: AUTOINCREMENT never gives a number twice, also after deletions.
CREATE TABLE uploads (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    client       TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    login        TEXT NOT NULL,
    folder       TEXT,
    path         TEXT NOT NULL,
    protocol     TEXT,
    bytes        INTEGER NOT NULL,
    sha256       TEXT NOT NULL,
    wants_import INTEGER NOT NULL,
    state        TEXT NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    received_at  INTEGER NOT NULL,
    finished_at  INTEGER,
    failure      TEXT
) STRICT;
CREATE INDEX uploads_by_path ON uploads(client, login, path, seq);
CREATE INDEX uploads_waiting ON uploads(client, seq) WHERE state IN ('prepared', 'queued');

CREATE TABLE interruptions (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    client   TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    login    TEXT NOT NULL,
    path     TEXT NOT NULL,
    protocol TEXT,
    bytes    INTEGER NOT NULL,
    why      TEXT NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX interruptions_by_client ON interruptions(client, id);

CREATE TABLE audit (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    who    TEXT NOT NULL,
    what   TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;

-- Moves when anybody's rights change; live sessions look at their own rights again only then.
CREATE TABLE access_version (version INTEGER NOT NULL) STRICT;
INSERT INTO access_version VALUES (1);
CREATE TRIGGER access_client_change AFTER UPDATE ON clients
    BEGIN UPDATE access_version SET version = version + 1; END;
CREATE TRIGGER access_client_gone AFTER DELETE ON clients
    BEGIN UPDATE access_version SET version = version + 1; END;
CREATE TRIGGER access_account_new AFTER INSERT ON accounts
    BEGIN UPDATE access_version SET version = version + 1; END;
CREATE TRIGGER access_account_change
    AFTER UPDATE OF client, host_profile, protocols, enabled, password_hash ON accounts
    BEGIN UPDATE access_version SET version = version + 1; END;
CREATE TRIGGER access_account_gone AFTER DELETE ON accounts
    BEGIN UPDATE access_version SET version = version + 1; END;
CREATE TRIGGER access_key_new AFTER INSERT ON account_keys
    BEGIN UPDATE access_version SET version = version + 1; END;
CREATE TRIGGER access_key_gone AFTER DELETE ON account_keys
    BEGIN UPDATE access_version SET version = version + 1; END;
CREATE TRIGGER access_folder_new AFTER INSERT ON folders
    BEGIN UPDATE access_version SET version = version + 1; END;
CREATE TRIGGER access_folder_change AFTER UPDATE ON folders
    BEGIN UPDATE access_version SET version = version + 1; END;
CREATE TRIGGER access_folder_gone AFTER DELETE ON folders
    BEGIN UPDATE access_version SET version = version + 1; END;
",
    r"
-- No row: nothing narrows the account down.
CREATE TABLE account_rules (
    login            TEXT PRIMARY KEY REFERENCES accounts(login) ON DELETE CASCADE,
    allow_from       TEXT NOT NULL,
    expires_at       INTEGER,
    needs_both       INTEGER NOT NULL,
    lenient_data_end INTEGER NOT NULL,
    rights           TEXT NOT NULL
) STRICT;
-- No row: the account's own rights hold in the folder too.
CREATE TABLE folder_rights (
    client TEXT NOT NULL,
    name   TEXT NOT NULL,
    rights TEXT NOT NULL,
    PRIMARY KEY (client, name),
    FOREIGN KEY (client, name) REFERENCES folders(client, name) ON DELETE CASCADE
) STRICT;
CREATE TRIGGER access_rules_new AFTER INSERT ON account_rules
    BEGIN UPDATE access_version SET version = version + 1; END;
CREATE TRIGGER access_rules_change AFTER UPDATE ON account_rules
    BEGIN UPDATE access_version SET version = version + 1; END;
CREATE TRIGGER access_rights_new AFTER INSERT ON folder_rights
    BEGIN UPDATE access_version SET version = version + 1; END;
CREATE TRIGGER access_rights_change AFTER UPDATE ON folder_rights
    BEGIN UPDATE access_version SET version = version + 1; END;
CREATE TRIGGER access_rights_gone AFTER DELETE ON folder_rights
    BEGIN UPDATE access_version SET version = version + 1; END;

-- lifted: an operator took the ban back; the server forgets it and removes the row.
CREATE TABLE bans (
    address TEXT PRIMARY KEY,
    since   INTEGER NOT NULL,
    until   INTEGER NOT NULL,
    lifted  INTEGER NOT NULL DEFAULT 0
) STRICT;
-- Where each login has come from lately: such an address is slowed by failures, never banned.
CREATE TABLE familiar (
    address TEXT NOT NULL,
    login   TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (address, login)
) STRICT;
",
    r"
-- What somebody decided about a held import (lines: rows of an applied one), until it is carried out. digest: the plan
-- that was looked at; another one is not decided by this.
CREATE TABLE decisions (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    client   TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    import   TEXT NOT NULL,
    verdict  TEXT NOT NULL,
    lines    TEXT NOT NULL,
    digest   TEXT NOT NULL,
    who      TEXT NOT NULL,
    at       INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    done_at  INTEGER,
    refusal  TEXT
) STRICT;
CREATE INDEX decisions_open ON decisions(client, id) WHERE done_at IS NULL;

-- No row, or NULL: the server's own setting. 0: for ever (pseudonyms: never).
CREATE TABLE client_retention (
    client       TEXT PRIMARY KEY REFERENCES clients(slug) ON DELETE CASCADE,
    archive_days INTEGER,
    reports_days INTEGER,
    history_days INTEGER,
    pseudonymise_after_months INTEGER
) STRICT;
",
    super::outbox::STEP,
    super::alarms::STEP,
    super::remotes::STEP,
    super::fetches::STEP,
    super::drops::STEP,
    super::schedules::STEP,
    super::exports::STEP,
    super::openpgp::STEP,
    super::sealed::STEP,
    super::administrators::STEP,
    super::limits::STEP,
    super::events::STEP,
    super::outcomes::STEP,
    super::activity::STEP,
    super::repeats::STEP,
    super::webhooks::STEP,
    super::handouts::STEP,
    super::logins::STEP,
    super::outbox::STEP_LISTS,
    super::activity::STEP_LISTS,
    super::alarms::STEP_PAST,
    super::outcomes::STEP_SHA256,
    super::audit::STEP_LISTS,
    super::webhooks::STEP_OLD_SECRET,
    super::uploads::STEP_PLACED,
    super::drops::STEP_GIVEN,
];
