//! A directory's schema, step by step. Append only: a step that has shipped never changes.

/// The steps; `PRAGMA user_version` counts how many a file has seen.
pub(super) const STEPS: &[&str] = &[
    r"
-- change_number moves with every write to users or lists; a plan is bound to it.
CREATE TABLE directory (
    change_number INTEGER NOT NULL,
    next_user_id  INTEGER NOT NULL
) STRICT;
INSERT INTO directory VALUES (0, 1);

CREATE TABLE imports (
    seq              INTEGER PRIMARY KEY AUTOINCREMENT,
    id               TEXT NOT NULL UNIQUE,
    source           TEXT NOT NULL,
    login            TEXT NOT NULL,
    path             TEXT NOT NULL,
    file_name        TEXT NOT NULL,
    bytes            INTEGER NOT NULL,
    sha256           TEXT NOT NULL,
    received_at      INTEGER NOT NULL,
    applied_at       INTEGER NOT NULL,
    settings_version TEXT NOT NULL,
    settings         TEXT NOT NULL,
    status           TEXT NOT NULL,
    dry_run          INTEGER NOT NULL,
    counts           TEXT NOT NULL,
    change_number    INTEGER NOT NULL,
    reports_written  INTEGER NOT NULL DEFAULT 0,
    -- Last, because it is long: lists never read it.
    report           TEXT NOT NULL
) STRICT;
CREATE INDEX imports_owing ON imports(seq) WHERE reports_written = 0;

-- One column for each field of docs/file-format.md, in canonical text; manager is another user's id.
-- A user's creation is its own first history entry: created_by, created_line.
CREATE TABLE users (
    id              INTEGER PRIMARY KEY,
    withdrawn       INTEGER NOT NULL DEFAULT 0,
    created_by      INTEGER NOT NULL,
    created_line    INTEGER NOT NULL,
    employee_number TEXT,
    legal_entity    TEXT,
    establishment   TEXT,
    login           TEXT,
    first_name      TEXT,
    last_name       TEXT,
    birth_name      TEXT,
    email           TEXT,
    contract_start  TEXT,
    contract_end    TEXT,
    end_reason      TEXT,
    seniority_date  TEXT,
    contract_type   TEXT,
    birth_date      TEXT,
    department      TEXT,
    cost_center     TEXT,
    csp             TEXT,
    job_title       TEXT,
    manager         INTEGER,
    role            TEXT,
    roles           TEXT,
    profile_absence TEXT,
    profile_time    TEXT,
    profile_expense TEXT,
    fte             TEXT,
    weekly_hours    TEXT,
    calendar        TEXT,
    culture         TEXT,
    country         TEXT,
    nationality     TEXT,
    gender          TEXT,
    phone           TEXT,
    mobile          TEXT,
    address         TEXT,
    status          TEXT
) STRICT;

CREATE TABLE custom_values (
    user  INTEGER NOT NULL REFERENCES users(id),
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (user, name)
) STRICT, WITHOUT ROWID;

-- Every field change after a user's creation, in the order in which it was applied.
CREATE TABLE changes (
    import  INTEGER NOT NULL REFERENCES imports(seq),
    n       INTEGER NOT NULL,
    user    INTEGER NOT NULL REFERENCES users(id),
    line    INTEGER NOT NULL,
    field   TEXT NOT NULL,
    before  TEXT,
    after   TEXT,
    PRIMARY KEY (import, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX changes_by_user ON changes(user);

CREATE TABLE lists (
    field TEXT NOT NULL,
    code  TEXT NOT NULL,
    added_by INTEGER NOT NULL REFERENCES imports(seq),
    PRIMARY KEY (field, code)
) STRICT, WITHOUT ROWID;

CREATE TABLE sources (
    source TEXT PRIMARY KEY,
    memory TEXT NOT NULL,
    -- The users that the last applied full file listed: ids in order, as differences in LEB128.
    listed BLOB
) STRICT;
",
    r"
-- What was written by something else than a file: its row in imports has the place in the order and the time.
CREATE TABLE events (
    import INTEGER PRIMARY KEY REFERENCES imports(seq),
    kind   TEXT NOT NULL,
    -- The id of the import that it is about.
    about  TEXT,
    who    TEXT NOT NULL
) STRICT;

-- Only what somebody loaded has a name: the code itself where none was given.
ALTER TABLE lists ADD COLUMN name TEXT;

-- Who is absent from a source's full files, since when, in how many of them.
CREATE TABLE absences (
    source    TEXT NOT NULL,
    user      INTEGER NOT NULL REFERENCES users(id),
    first_day TEXT NOT NULL,
    files     INTEGER NOT NULL,
    last_day  TEXT NOT NULL,
    PRIMARY KEY (source, user)
) STRICT, WITHOUT ROWID;

-- The last day that absence gave to a user; presence lifts it.
CREATE TABLE absence_ends (
    user     INTEGER PRIMARY KEY REFERENCES users(id),
    last_day TEXT NOT NULL
) STRICT;

-- Managers whom nobody was found for, as the file wrote them.
CREATE TABLE manager_wishes (
    user   INTEGER PRIMARY KEY REFERENCES users(id),
    import INTEGER NOT NULL REFERENCES imports(seq),
    text   TEXT NOT NULL,
    line   INTEGER NOT NULL
) STRICT;

-- What a source said of a value that somebody else has overwritten since.
CREATE TABLE protections (
    source TEXT NOT NULL,
    user   INTEGER NOT NULL REFERENCES users(id),
    field  TEXT NOT NULL,
    said   TEXT,
    PRIMARY KEY (source, user, field)
) STRICT, WITHOUT ROWID;

-- Protections that an import ended, for the field of a user whom its undo gives the protected value back.
CREATE TABLE lifted_protections (
    import INTEGER NOT NULL,
    user   INTEGER NOT NULL REFERENCES users(id),
    field  TEXT NOT NULL,
    source TEXT NOT NULL,
    said   TEXT,
    PRIMARY KEY (import, user, field)
) STRICT, WITHOUT ROWID;

-- Codes that no value map and no list knew, of the last file that had them. Its import may be discarded.
CREATE TABLE unmapped (
    source TEXT NOT NULL,
    field  TEXT NOT NULL,
    code   TEXT NOT NULL,
    rows   INTEGER NOT NULL,
    line   INTEGER NOT NULL,
    import INTEGER NOT NULL,
    PRIMARY KEY (source, field, code)
) STRICT, WITHOUT ROWID;

-- What became of list entries that somebody changed: added, named, removed. What only a file added is in lists.
CREATE TABLE list_changes (
    import INTEGER NOT NULL REFERENCES imports(seq),
    field  TEXT NOT NULL,
    code   TEXT NOT NULL,
    what   TEXT NOT NULL,
    name   TEXT,
    PRIMARY KEY (import, field, code, what)
) STRICT, WITHOUT ROWID;

-- What a source had settled before each of its applied imports, for taking that import back.
CREATE TABLE undo_points (
    source TEXT NOT NULL,
    import INTEGER NOT NULL REFERENCES imports(seq),
    -- Absent: the source had settled nothing.
    memory TEXT,
    -- Absent: that import listed the same users, or a later one has been applied since (they may be many).
    listed BLOB,
    PRIMARY KEY (source, import)
) STRICT, WITHOUT ROWID;

-- users.withdrawn is 0, or the place (imports.seq) of the undo that took the user's creation back.

-- The last place in the order of imports and events whose changes are not kept any more.
ALTER TABLE directory ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;
-- The last place whose report says nothing about persons any more.
ALTER TABLE directory ADD COLUMN stripped INTEGER NOT NULL DEFAULT 0;

-- Users whose personal values were replaced, by which event.
CREATE TABLE pseudonyms (
    user   INTEGER PRIMARY KEY REFERENCES users(id),
    import INTEGER NOT NULL REFERENCES imports(seq)
) STRICT;

-- Imports that wait for approval, and what their plans would write, as one number.
CREATE TABLE holds (
    import INTEGER PRIMARY KEY REFERENCES imports(seq),
    digest TEXT NOT NULL
) STRICT;

-- Rows of applied imports that wait for approval (D104, D105).
CREATE TABLE pending_rows (
    import INTEGER NOT NULL REFERENCES imports(seq),
    line   INTEGER NOT NULL,
    code   TEXT NOT NULL,
    PRIMARY KEY (import, line)
) STRICT, WITHOUT ROWID;

-- Prints of the rows of a source's last applied file: what comes again as it was need not be read again. They hold as
-- long as nothing else is written to the directory.
CREATE TABLE print_secret (secret BLOB NOT NULL) STRICT;
INSERT INTO print_secret VALUES (randomblob(192));
CREATE TABLE print_heads (
    source        TEXT PRIMARY KEY,
    change_number INTEGER NOT NULL,
    head          TEXT NOT NULL
) STRICT;
CREATE TABLE prints (
    source TEXT NOT NULL,
    chunk  INTEGER NOT NULL,
    rows   BLOB NOT NULL,
    PRIMARY KEY (source, chunk)
) STRICT;
",
    super::search::STEP,
    super::quality::STEP,
    super::imports::STEP,
    super::absences::STEP,
    super::protections::STEP,
];
