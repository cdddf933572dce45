//! How imports ended, beside their uploads: a copy of what the clients' own databases say, for lists over all of them.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::Registry;
use super::uploads::{COLUMNS, WAITING, state_name, upload};
use crate::error::{Error, Kind, Result};
use crate::import::report::Counts;
use crate::model::{ImportStatus, Upload, UploadId, UploadState};
use crate::store::{failed, signed, to_micros, unreadable, unsigned};

/// The schema's step.
pub(super) const STEP: &str = r"
-- status: how the upload's import ended, as its client's own database says it; NULL: it has not.
ALTER TABLE uploads ADD COLUMN status TEXT;
ALTER TABLE uploads ADD COLUMN dry_run INTEGER NOT NULL DEFAULT 0;
ALTER TABLE uploads ADD COLUMN counts TEXT NOT NULL DEFAULT '{}';
-- Rows of it that wait for somebody's decision.
ALTER TABLE uploads ADD COLUMN pending_rows INTEGER NOT NULL DEFAULT 0;
CREATE INDEX uploads_for_import ON uploads(seq) WHERE wants_import;
CREATE INDEX uploads_of_client ON uploads(client, seq) WHERE wants_import;
CREATE INDEX uploads_of_folder ON uploads(client, folder, seq) WHERE wants_import;
CREATE INDEX uploads_by_status ON uploads(status, seq) WHERE wants_import;
CREATE INDEX uploads_received ON uploads(received_at, status, state, dry_run, client) WHERE wants_import;
CREATE INDEX uploads_to_decide ON uploads(client, folder) WHERE pending_rows > 0;
";

/// The schema's step that finds a file by its SHA-256.
pub(super) const STEP_SHA256: &str = r"
CREATE INDEX uploads_by_sha256 ON uploads(sha256) WHERE wants_import;
";

/// How an import ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Its status.
    pub status: ImportStatus,
    /// Nothing was meant to be applied.
    pub dry_run: bool,
    /// Rows by what they became.
    pub counts: Counts,
    /// Rows that wait for somebody's decision.
    pub pending_rows: u64,
    /// What rows of older files of its folder wait for is needless: it says everything anew.
    pub settles_older: bool,
}

/// An upload for import, and how that ended.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedUpload {
    /// The upload.
    pub upload: Upload,
    /// How its import ended; `None`: it has not.
    pub outcome: Option<Outcome>,
}

/// Where an import stands, as lists choose by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// It has not ended.
    Waiting,
    /// It, or a row of it, waits for somebody's decision.
    ToDecide,
    /// It ended so.
    Ended(ImportStatus),
}

/// Which uploads for import to list; an empty filter lists all.
#[derive(Debug, Clone, Default)]
pub struct OutcomeFilter {
    /// Of this client.
    pub client: Option<String>,
    /// Of this folder.
    pub folder: Option<String>,
    /// That stand so.
    pub stand: Option<Stand>,
    /// Received at this instant or later.
    pub from: Option<Timestamp>,
    /// Received before this instant.
    pub to: Option<Timestamp>,
    /// Whose path holds this text (ASCII letters in either case), or whose id or SHA-256 begins with it.
    pub text: Option<String>,
    /// That arrived before the one with this number, for reading in pages.
    pub before_seq: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// How many uploads of a quarter of an hour have one status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The beginning of the quarter of an hour.
    pub at: Timestamp,
    /// `None`: they wait.
    pub status: Option<ImportStatus>,
    /// How many.
    pub count: u64,
}

/// How many uploads one search for a text goes through; the page after it goes further back.
const SEARCHED: i64 = 20_000;

/// Microseconds of a quarter of an hour: every time zone's days are made of whole ones.
const QUARTER: i64 = 15 * 60 * 1_000_000;

/// The status of an upload whose import was never recorded by its client's database, or is not yet.
const STATUS: &str = "coalesce(status, CASE WHEN state IN ('failed', 'superseded') THEN state END)";

impl Registry {
    /// Brings an upload to a final state, together with how its import ended.
    ///
    /// # Errors
    /// `Kind::NotFound` for an unknown id.
    pub fn finish_import(
        &self,
        id: UploadId,
        state: UploadState,
        at: Timestamp,
        failure: Option<&str>,
        outcome: &Outcome,
    ) -> Result<()> {
        let (failure, outcome) = (failure.map(str::to_owned), outcome.clone());
        self.write(move |conn| {
            let changed = conn
                .prepare_cached(
                    "UPDATE uploads SET state = ?2, finished_at = ?3, failure = ?4 WHERE id = ?1",
                )
                .and_then(|mut s| {
                    s.execute(params![id.to_string(), state_name(state), to_micros(at), failure])
                })
                .map_err(failed("finish an upload"))?;
            if changed == 0 {
                return Err(Error::new(Kind::NotFound, format!("there is no upload {id}")));
            }
            note(conn, id, &outcome).map_err(failed("note how an import ended"))
        })
    }

    /// Notes how imports ended.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn note_outcomes(&self, outcomes: Vec<(UploadId, Outcome)>) -> Result<()> {
        self.write(move |conn| {
            for (id, outcome) in &outcomes {
                note(conn, *id, outcome).map_err(failed("note how an import ended"))?;
            }
            Ok(())
        })
    }

    /// How an upload's import ended, as it was noted last; `None`: nobody has noted it. An upload that waits again keeps it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn noted_end(&self, id: UploadId) -> Result<Option<ImportStatus>> {
        self.read("read how an import ended", |conn| {
            conn.prepare_cached("SELECT status FROM uploads WHERE id = ?1")?
                .query_row([id.to_string()], |row| row.get::<_, Option<String>>("status"))
                .optional()?
                .flatten()
                .map(status_of)
                .transpose()
        })
    }

    /// The uploads of a client that count as imported, and those that were given up by our own fault, in order of arrival.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn ended_uploads(&self, client: &str) -> Result<Vec<Upload>> {
        self.read("list uploads that ended", |conn| {
            conn.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM uploads WHERE client = ?1
                 AND (state = 'done' OR (state = 'failed' AND status = 'failed')) ORDER BY seq"
            ))?
            .query_map([client], upload)?
            .collect()
        })
    }

    /// The uploads of a client that were given up by our own fault, in order of arrival.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn failed_uploads(&self, client: &str) -> Result<Vec<Upload>> {
        self.read("list uploads that were given up", |conn| {
            conn.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM uploads WHERE wants_import AND status = 'failed'
                 AND state = 'failed' AND +client = ?1 ORDER BY seq"
            ))?
            .query_map([client], upload)?
            .collect()
        })
    }

    /// Imported uploads of a client of which nobody has noted how that ended.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn uploads_without_outcome(&self, client: &str) -> Result<Vec<UploadId>> {
        self.read("look for imports whose end was not noted", |conn| {
            conn.prepare_cached(
                "SELECT id FROM uploads WHERE client = ?1 AND wants_import AND status IS NULL
                     AND state IN ('done', 'failed', 'superseded') ORDER BY seq",
            )?
            .query_map([client], |row| crate::store::word(row, "id"))?
            .collect()
        })
    }

    /// One page of the uploads for import that `filter` asks for, the last that arrived first, and what
    /// [`OutcomeFilter::before_seq`] says for the next one. A search for a text goes so far back in one page and no further: a
    /// page of it may hold few or none although another one follows.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn listed_uploads(
        &self,
        filter: &OutcomeFilter,
    ) -> Result<(Vec<ListedUpload>, Option<i64>)> {
        self.read("list imports", |conn| {
            let floor = if filter.text.is_some() { floor(conn, filter)? } else { 0 };
            let (sql, values) = list_sql(filter, floor);
            let mut found: Vec<ListedUpload> = conn
                .prepare_cached(&sql)?
                .query_map(params_from_iter(values), listed)?
                .collect::<rusqlite::Result<_>>()?;
            let most = usize::try_from(filter.limit).unwrap_or(usize::MAX);
            if found.len() > most {
                found.truncate(most);
                // What was found by its digits may lie below what this page has searched for the text.
                let next = found.last().map(|one| one.upload.seq.max(floor));
                return Ok((found, next));
            }
            let next = if has_older(conn, filter, floor)? { Some(floor) } else { None };
            Ok((found, next))
        })
    }

    /// How many uploads for import have which status, by quarters of an hour, since an instant; dry runs left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn tally(&self, client: Option<&str>, since: Timestamp) -> Result<Vec<Tally>> {
        self.read("count imports by status", |conn| {
            conn.prepare_cached(&format!(
                "SELECT received_at / {QUARTER} AS quarter, {STATUS} AS status, count(*) AS count
                 FROM uploads INDEXED BY uploads_received
                 WHERE wants_import AND dry_run = 0 AND received_at >= ?1
                     AND (?2 IS NULL OR client = ?2)
                 GROUP BY quarter, {STATUS} ORDER BY quarter"
            ))?
            .query_map(params![to_micros(since), client], |row| {
                let quarter: i64 = row.get("quarter")?;
                Ok(Tally {
                    at: crate::store::from_micros(quarter.saturating_mul(QUARTER))?,
                    status: row.get::<_, Option<String>>("status")?.map(status_of).transpose()?,
                    count: unsigned(row, "count")?,
                })
            })?
            .collect()
        })
    }

    /// When the last upload for import of a folder arrived that was not only tried out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_upload_of(&self, client: &str, folder: &str) -> Result<Option<Timestamp>> {
        let (found, _) = self.listed_uploads(&OutcomeFilter {
            client: Some(client.to_owned()),
            folder: Some(folder.to_owned()),
            limit: 20,
            ..OutcomeFilter::default()
        })?;
        let real = found.into_iter().find(|one| one.outcome.as_ref().is_none_or(|o| !o.dry_run));
        Ok(real.map(|one| one.upload.received_at))
    }
}

fn note(conn: &Connection, id: UploadId, outcome: &Outcome) -> rusqlite::Result<()> {
    let counts = serde_json::to_string(&outcome.counts)
        .map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
    conn.prepare_cached(
        "UPDATE uploads SET status = ?2, dry_run = ?3, counts = ?4, pending_rows = ?5 WHERE id = ?1",
    )?
    .execute(params![
        id.to_string(),
        outcome.status.name(),
        outcome.dry_run,
        counts,
        signed(outcome.pending_rows)
    ])?;
    if outcome.settles_older {
        conn.prepare_cached(
            "UPDATE uploads SET pending_rows = 0 FROM (SELECT client, folder, seq FROM uploads
                 WHERE id = ?1) AS newer
             WHERE pending_rows > 0 AND uploads.client = newer.client
                 AND uploads.folder = newer.folder AND uploads.seq < newer.seq",
        )?
        .execute([id.to_string()])?;
    }
    Ok(())
}

/// The query for a filter and its values. Only what is asked for stands in it, so that the indexes serve it.
/// One more than the limit is read: it tells whether there is another page.
fn list_sql(filter: &OutcomeFilter, floor: i64) -> (String, Vec<Value>) {
    let mut terms = vec!["wants_import".to_owned()];
    let mut values: Vec<Value> = Vec::new();
    if let Some(client) = &filter.client {
        // What waits, or is found by a search, is few: the plus keeps SQLite from walking through everything of the client's
        // instead.
        let are_few = filter.stand == Some(Stand::Waiting) || filter.text.is_some();
        let plus = if are_few { "+" } else { "" };
        terms.push(format!("{plus}client = ?"));
        values.push(client.clone().into());
    }
    if let Some(folder) = &filter.folder {
        terms.push("folder = ?".to_owned());
        values.push(folder.clone().into());
    }
    if let Some(seq) = filter.before_seq {
        terms.push("seq < ?".to_owned());
        values.push(seq.into());
    }
    for (sign, at) in [(">=", filter.from), ("<", filter.to)] {
        if let Some(at) = at {
            terms.push(format!("received_at {sign} ?"));
            values.push(to_micros(at).into());
        }
    }
    if let Some(text) = &filter.text {
        let (term, sought) = text_sql(filter, text, floor);
        terms.push(term);
        values.extend(sought);
    }
    terms.extend(filter.stand.map(stand_sql));
    values.push(i64::from(filter.limit).saturating_add(1).into());
    let wanted = terms.join(" AND ");
    let sql = format!(
        "SELECT {COLUMNS}, {STATUS} AS status, dry_run, counts, pending_rows FROM uploads
         WHERE {wanted} ORDER BY seq DESC LIMIT ?"
    );
    (sql, values)
}

/// The number from which on one search for a text looks.
fn floor(conn: &Connection, filter: &OutcomeFilter) -> rusqlite::Result<i64> {
    let last = match filter.before_seq {
        Some(before) => before,
        None => conn
            .prepare_cached("SELECT coalesce(max(seq), 0) + 1 FROM uploads")?
            .query_row([], |row| row.get(0))?,
    };
    Ok(last.saturating_sub(SEARCHED).max(0))
}

/// Whether a search that looked from `floor` on has more to go through.
fn has_older(conn: &Connection, filter: &OutcomeFilter, floor: i64) -> rusqlite::Result<bool> {
    if floor == 0 {
        return Ok(false);
    }
    let of_client = if filter.client.is_some() { "AND client = ?2" } else { "AND ?2 IS NULL" };
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM uploads WHERE wants_import AND seq < ?1 {of_client})"
    );
    conn.prepare_cached(&sql)?.query_row(params![floor, filter.client], |row| row.get(0))
}

/// The condition of a search: the text in a path, from `floor` on; the whole id, or the first digits of the SHA-256, anywhere on the
/// first page, and on later ones where they have got to.
fn text_sql(filter: &OutcomeFilter, text: &str, floor: i64) -> (String, Vec<Value>) {
    let digits = text.to_ascii_lowercase();
    let mut values: Vec<Value> = vec![floor.into()];
    let mut within = "wants_import AND seq >= ?".to_owned();
    if let Some(before) = filter.before_seq {
        within.push_str(" AND seq < ?");
        values.push(before.into());
    }
    if let Some(client) = &filter.client {
        within.push_str(" AND client = ?");
        values.push(client.clone().into());
    }
    values.extend([text.to_owned().into(), digits.clone().into()]);
    let mut sql = format!(
        "seq IN (SELECT seq FROM uploads WHERE {within} AND instr(lower(path), lower(?))
             UNION SELECT seq FROM uploads WHERE id = ?"
    );
    // What is older than a later page looks has been told with the first one, or comes with the page that gets there.
    let here = filter.before_seq.map_or("", |_| " AND +seq >= ?");
    let of_here = || filter.before_seq.map(|_| Value::from(floor));
    sql.push_str(here);
    values.extend(of_here());
    // Fewer digits begin too many.
    if digits.len() >= 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        sql.push_str(
            " UNION SELECT seq FROM uploads WHERE wants_import AND sha256 >= ? AND sha256 < ?",
        );
        sql.push_str(here);
        // `g` comes after every digit.
        values.extend([digits.clone().into(), format!("{digits}g").into()]);
        values.extend(of_here());
    }
    sql.push(')');
    (sql, values)
}

/// The condition of where an import stands; the rare ones come from their own indexes, not from a walk over everything.
fn stand_sql(stand: Stand) -> String {
    match stand {
        Stand::Waiting => format!("status IS NULL AND {WAITING}"),
        Stand::ToDecide => "dry_run = 0 AND seq IN (SELECT seq FROM uploads
             WHERE wants_import AND status = 'held' UNION SELECT seq FROM uploads WHERE pending_rows > 0)"
            .to_owned(),
        // A status that no client's database has recorded is told by the upload's state.
        Stand::Ended(status @ (ImportStatus::Failed | ImportStatus::Superseded)) => {
            let name = status.name();
            format!(
                "seq IN (SELECT seq FROM uploads WHERE wants_import AND status = '{name}'
                 UNION SELECT seq FROM uploads WHERE wants_import AND status IS NULL AND state = '{name}')"
            )
        }
        Stand::Ended(status) => format!("status = '{}'", status.name()),
    }
}

fn listed(row: &Row<'_>) -> rusqlite::Result<ListedUpload> {
    let status: Option<String> = row.get("status")?;
    let outcome = match status.map(status_of).transpose()? {
        None => None,
        Some(status) => Some(Outcome {
            status,
            dry_run: row.get("dry_run")?,
            counts: serde_json::from_str(&row.get::<_, String>("counts")?)
                .map_err(|e| unreadable(rusqlite::types::Type::Text, e))?,
            pending_rows: unsigned(row, "pending_rows")?,
            settles_older: false,
        }),
    };
    Ok(ListedUpload { upload: upload(row)?, outcome })
}

fn status_of(name: String) -> rusqlite::Result<ImportStatus> {
    serde_json::from_value(serde_json::Value::String(name))
        .map_err(|e| unreadable(rusqlite::types::Type::Text, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(filter: &OutcomeFilter) -> String {
        let conn = Connection::open_in_memory().unwrap();
        super::super::schema::STEPS.iter().for_each(|sql| conn.execute_batch(sql).unwrap());
        let (sql, values) = list_sql(filter, 100);
        let mut plans = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plans = plans.query_map(params_from_iter(values), |row| row.get::<_, String>("detail"));
        let plans: Vec<String> = plans.unwrap().map(std::result::Result::unwrap).collect();
        format!("{sql}: {}", plans.join("; "))
    }

    fn check(filter: &OutcomeFilter, index: &str) {
        let plan = plan(filter);
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{plan}");
    }

    #[test]
    fn lists_are_read_in_their_order_from_an_index() {
        let all = || OutcomeFilter { limit: 50, ..OutcomeFilter::default() };
        let acme = || Some("acme".to_owned());
        let ended = |status| Some(Stand::Ended(status));
        check(&OutcomeFilter { client: acme(), ..all() }, "uploads_of_client");
        check(&OutcomeFilter { client: acme(), folder: acme(), ..all() }, "uploads_of_folder");
        check(
            &OutcomeFilter { stand: ended(ImportStatus::Rejected), ..all() },
            "uploads_by_status",
        );
        let waiting = Some(Stand::Waiting);
        check(&OutcomeFilter { stand: waiting, client: acme(), ..all() }, "uploads_by_status");
        for stand in [Some(Stand::ToDecide), ended(ImportStatus::Failed)] {
            let found = plan(&OutcomeFilter { stand, ..all() });
            assert!(found.contains("SEARCH uploads USING INTEGER PRIMARY KEY"), "{found}");
        }
        check(&OutcomeFilter { before_seq: Some(9), ..all() }, "SEARCH uploads USING");
        let text = Some("abcdef".to_owned());
        for client in [None, acme()] {
            let before_seq = Some(9000);
            let found = plan(&OutcomeFilter { text: text.clone(), client, before_seq, ..all() });
            assert!(found.contains("seq>? AND seq<?") || found.contains("rowid>? AND rowid<?"));
            assert!(
                found.contains("uploads_by_sha256") && !found.contains("SCAN uploads"),
                "{found}"
            );
            assert!(found.contains("SEARCH uploads USING INTEGER PRIMARY KEY"), "{found}");
        }
        check(&all(), "uploads");
    }

    #[test]
    fn pages_of_a_search_leave_nothing_out() {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::open(&folder.path().join("registry.db")).unwrap();
        // Every thousandth upload has the name that is sought, the very first ten begin with the sought digits.
        let fill = "INSERT INTO clients (slug, name, language, time_zone, created_at)
                VALUES ('acme', 'Acme', 'en', 'UTC', 0);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
            INSERT INTO uploads (seq, id, client, login, folder, path, bytes, sha256, wants_import, state, received_at)
            SELECT i, printf('01000000-0000-7000-8000-%012d', i), 'acme', 'acme-pay', 'roster',
                iif(i % 1000 = 0, '/payroll/abcdef.csv', '/payroll/users.csv'), 1,
                iif(i <= 10, 'abcdef', '012345') || printf('%058d', i), 1, 'done', i FROM n;";
        registry
            .write(move |conn| conn.execute_batch(fill).map_err(failed("fill the registry")))
            .unwrap();
        let mut filter =
            OutcomeFilter { text: Some("abcdef".to_owned()), limit: 7, ..OutcomeFilter::default() };
        let mut pages: Vec<Vec<i64>> = Vec::new();
        loop {
            let (found, next) = registry.listed_uploads(&filter).unwrap();
            pages.push(found.iter().map(|one| one.upload.seq).collect());
            let Some(next) = next else { break };
            assert!(filter.before_seq.is_none_or(|before| next < before), "pages go on");
            filter.before_seq = Some(next);
        }
        assert_eq!(pages[0], [50_000, 49_000, 48_000, 47_000, 46_000, 45_000, 44_000]);
        let mut found = pages.concat();
        found.sort_unstable();
        found.dedup();
        let wanted: Vec<i64> = (1..=10).chain((1..=50).map(|n| n * 1000)).collect();
        assert_eq!(found, wanted);
        // With few results of its own the first page tells the oldest at once.
        filter = OutcomeFilter { limit: 50, ..filter };
        filter.before_seq = None;
        let (found, _) = registry.listed_uploads(&filter).unwrap();
        assert_eq!(found.last().unwrap().upload.seq, 1);
    }
}
