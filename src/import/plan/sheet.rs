//! The file as the plan reads it: table, fields of the columns, key and date order, or why it is refused.

use std::borrow::Cow;

use super::coded::Coders;
use super::memo::value;
use super::tell::{Teller, found, from_note, message, params, shown};
use super::then::{self, Then};
use super::wired::{Wired, by_field, wire};
use crate::import::codes::{Code, Effect, Level};
use crate::import::directory::{DateOrder, Key};
use crate::import::fields::{
    self, Column, Columns, Dates, Field, FieldKey, Headers, MatchedBy, Value,
};
use crate::import::note::{FileRefusal, Note};
use crate::import::report::{FileFacts, Message, ReportColumn};
use crate::import::settings::{FinalLineEnd, Mode, Settings, key_fields, key_name};
use crate::import::table::{self, Row, Table};
use crate::import::{Job, text, unpack};

/// Enough for the header line of any table that people make.
const HEAD_BYTES: usize = 64 * 1024;

/// A file that can be planned.
#[derive(Debug)]
pub(super) struct Sheet<'a> {
    pub table: Table<'a>,
    pub columns: Columns,
    pub wired: Vec<Wired<'a>>,
    /// The place among `wired` of each field of the catalogue, by its place in the user record.
    by_field: Vec<Option<u16>>,
    pub coders: Coders<'a>,
    /// Earlier settings under which something protected was said, by place in the snapshot.
    pub then: Vec<Option<Then<'a>>>,
    pub key: Key,
    pub dates: Dates,
    pub mode: Mode,
    /// The fields that a new user must have.
    pub required: Vec<Field>,
    /// The last row has no line end, and the files before had one (F005).
    pub unended: bool,
}

impl<'a> Sheet<'a> {
    /// The column of a field.
    pub(super) fn field(&self, key: &FieldKey) -> Option<&Wired<'a>> {
        match key {
            FieldKey::Known(field) => {
                let place = (*self.by_field.get(field.index())?)?;
                self.wired.get(usize::from(place))
            }
            FieldKey::Custom(_) => self.wired.iter().find(|wired| wired.key == *key),
        }
    }

    /// What a row's cell says as a value of a field of one column; `None`: nothing, or nothing that can be taken.
    pub(super) fn value_of<'t>(&'t self, row: &Row<'t>, field: Field) -> Option<Cow<'t, str>> {
        self.said_in(row, self.field(&FieldKey::Known(field))?)
    }

    /// The same of a column.
    pub(super) fn said_in<'t>(
        &'t self,
        row: &Row<'t>,
        wired: &'t Wired<'a>,
    ) -> Option<Cow<'t, str>> {
        let cell = row.get(wired.index)?;
        if let Some(coder) = &wired.coder {
            return coder.cell(cell, &self.dates).ok()?.map(|(_, taken)| taken.code);
        }
        match value(&wired.key, cell, &self.dates) {
            Ok(Value::Text(text)) => Some(text),
            Ok(Value::Blank | Value::Open) | Err(_) => None,
        }
    }
}

/// What is known of a file, whether it can be planned or not.
#[derive(Debug, Default)]
pub(super) struct Opened {
    pub file: FileFacts,
    pub columns: Vec<ReportColumn>,
}

/// Opens the file; `None`: it is refused, and the teller knows why.
pub(super) fn open<'a>(
    job: &Job<'a>,
    opened: &mut Opened,
    teller: &mut Teller,
) -> Option<Sheet<'a>> {
    let headers = Headers::new(&job.settings.aliases, job.settings.unknown_columns);
    let table = match read_table(job, &headers, opened, teller) {
        Ok(table) => table,
        Err(refusal) => {
            teller.file(refused_file(&refusal));
            return None;
        }
    };
    with_table(job, table, &headers, opened, teller)
}

/// The same for a table that is read already.
pub(super) fn with_table<'a>(
    job: &Job<'a>,
    table: Table<'a>,
    headers: &Headers,
    opened: &mut Opened,
    teller: &mut Teller,
) -> Option<Sheet<'a>> {
    let columns = fields::match_columns(&table, headers);
    opened.file.encoding = Some(table.encoding().name().to_owned());
    opened.file.delimiter = table.delimiter();
    opened.file.rows = u64::try_from(table.row_count()).unwrap_or(u64::MAX);
    let own = columns.columns.iter().filter(|c| !(columns.is_corrections && is_correction(c)));
    opened.columns = own.map(report_column).collect();
    tell_sheet_end(&table, teller);

    let mode = if columns.is_corrections { Mode::Delta } else { job.settings.mode };
    let key = choose_key(job, &columns, teller);
    let required = required(job.settings, &columns);
    tell_notes(&table, &columns, key, &required, teller);
    tell_missing(job.settings, mode, &columns, &required, teller);
    let unended = mode == Mode::Full
        && job.settings.final_line_end == FinalLineEnd::Auto
        && job.snapshot.source.ends_with_newline == Some(true)
        && !table.ends_with_newline();
    let dates = dates(job, &table, &columns, teller);
    opened.file.date_format = dates.order;
    if mode == Mode::Full && !teller.is_fatal() {
        tell_moved_columns(job, &columns, teller);
    }
    let key = key.filter(|_| !teller.is_fatal())?;
    let coders = Coders::new(job.settings, job.snapshot);
    let wired = wire(job.settings, &columns, &required, &coders);
    let by_field = by_field(&wired);
    let then = then::all(job.settings, job.snapshot);
    Some(Sheet {
        table,
        columns,
        wired,
        by_field,
        coders,
        then,
        key,
        dates,
        mode,
        required,
        unended,
    })
}

fn read_table<'a>(
    job: &Job<'a>,
    headers: &Headers,
    opened: &mut Opened,
    teller: &mut Teller,
) -> Result<Table<'a>, FileRefusal> {
    // By the size that was received: the bytes of a file that is too large are not even loaded.
    if job.meta.bytes > job.limits.max_bytes {
        let megabytes = (job.limits.max_bytes / (1024 * 1024)).to_string();
        return Err(FileRefusal::new(
            "F006",
            vec![("what", "file_bytes".to_owned()), ("limit", format!("{megabytes} MiB"))],
        ));
    }
    let unpacked = unpack::open(job.bytes, &job.limits.unpack(), job.settings.encoding)?;
    opened.file.unpacked = unpacked.wrapping.words();
    unpacked.notes.iter().for_each(|note| teller.file(from_note(note)));
    let table = table::read(unpacked.decoded, headers, &job.limits.table())?;
    let merged = unpack::merged_note(&unpacked.merged, table.header_line());
    merged.iter().for_each(|note| teller.file(from_note(note)));
    Ok(table)
}

pub(super) fn refused_file(refusal: &FileRefusal) -> Message {
    let mut told = found(refusal.code, &refusal.params);
    if told.code == Code::F009 {
        "unrepaired".clone_into(&mut told.why);
    }
    told.line = refusal.line;
    told.physical_line = refusal.physical_line;
    told.level = Level::Fatal;
    told.effect = Effect::FileRefused;
    told
}

/// Whether a column is one of the two that a corrections file adds.
pub(super) fn is_correction(column: &Column) -> bool {
    column.matched_by == MatchedBy::Control
        && matches!(column.header.as_str(), "_code" | "_message")
}

fn report_column(column: &Column) -> ReportColumn {
    ReportColumn {
        letter: column.letter.clone(),
        header: column.header.clone(),
        field: column.field.clone(),
        matched_by: matched_by(column.matched_by),
    }
}

/// The word for how a column was matched, as the JSON report writes it.
fn matched_by(matched: MatchedBy) -> String {
    match serde_json::to_value(matched) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// Whether the head of a file names the two columns of a corrections file. A packed file may be one, and one whose head
/// cannot be read.
pub(super) fn has_correction_columns(bytes: &[u8]) -> bool {
    if unpack::is_packed(bytes) {
        return true;
    }
    let head = bytes.get(..HEAD_BYTES).unwrap_or(bytes);
    // The head may end in the middle of a character; the line before that does not.
    let whole_lines = head.iter().rposition(|byte| *byte == b'\n').and_then(|at| head.get(..=at));
    let Ok(decoded) = text::decode(head).or_else(|_| text::decode(whole_lines.unwrap_or(head)))
    else {
        return true;
    };
    let Some(header) = decoded.text.lines().next() else { return false };
    header.contains("_code") && header.contains("_message")
}

/// The key of this file: the settings', else the frozen one, else by the first columns.
fn choose_key(job: &Job<'_>, columns: &Columns, teller: &mut Teller) -> Option<Key> {
    let has = |key: Key| {
        key_fields(key).iter().all(|field| columns.position(&FieldKey::Known(*field)).is_some())
    };
    let frozen = job.snapshot.source.key;
    if let Some(key) = job.settings.key.or(frozen) {
        if has(key) {
            return Some(key);
        }
        let why = if job.settings.key.is_some() { "set" } else { "frozen" };
        let missing: Vec<&str> = key_fields(key)
            .iter()
            .filter(|field| columns.position(&FieldKey::Known(**field)).is_none())
            .map(|field| field.name())
            .collect();
        teller.file(message(
            Code::H101,
            why,
            params([("key", key_name(key).to_owned()), ("fields", missing.join(", "))]),
        ));
        return None;
    }
    // The border or indent at the left of a list makes no column.
    let named = || columns.columns.iter().filter(|column| column.matched_by != MatchedBy::Blank);
    let field = |place: usize| match named().nth(place).and_then(|column| column.field.as_ref()) {
        Some(FieldKey::Known(field)) => Some(*field),
        _ => None,
    };
    match (field(0), field(1)) {
        (Some(Field::LegalEntity), Some(Field::EmployeeNumber))
        | (Some(Field::EmployeeNumber), Some(Field::LegalEntity)) => {
            Some(Key::LegalEntityAndEmployeeNumber)
        }
        (Some(Field::Login), _) => Some(Key::Login),
        (Some(Field::Email), _) => Some(Key::Email),
        (Some(Field::EmployeeNumber), _) => Some(Key::EmployeeNumber),
        // The key is there, and twice: that is told instead (H104).
        _ if named().take(2).any(|column| column.matched_by == MatchedBy::Duplicate)
            && columns.notes.iter().any(is_key_twice) =>
        {
            None
        }
        _ => {
            let first: Vec<&str> = named().take(2).map(|c| c.header.as_str()).collect();
            // Of a header at least one name would be known.
            let unknown = |column: &Column| {
                matches!(column.matched_by, MatchedBy::Unknown | MatchedBy::Blank)
            };
            let why = if columns.columns.iter().all(unknown) { "no_header" } else { "" };
            teller.file(message(Code::H101, why, params([("headers", first.join(", "))])));
            None
        }
    }
}

/// Fields that a key may be made of.
const KEYS: [Field; 4] = [Field::LegalEntity, Field::EmployeeNumber, Field::Login, Field::Email];

/// Whether a note says that columns contradict each other in a field that keys are made of, so that none was read.
fn is_key_twice(note: &Note) -> bool {
    let get = |name: &str| {
        note.params.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value.as_str())
    };
    let is_key = Field::from_name(get("field")).is_some_and(|field| KEYS.contains(&field));
    note.code == "H104" && get("kept").is_empty() && is_key
}

/// The fields that a new user must have.
fn required(settings: &Settings, columns: &Columns) -> Vec<Field> {
    match &settings.required {
        Some(fields) => fields.clone(),
        None => {
            let mut fields = vec![Field::FirstName, Field::LastName, Field::ContractStart];
            if columns.position(&FieldKey::Known(Field::Email)).is_some() {
                fields.push(Field::Email);
            }
            fields
        }
    }
}

/// What reading found; a column that could not be settled is fatal where the field is needed.
fn tell_notes(
    table: &Table<'_>,
    columns: &Columns,
    key: Option<Key>,
    required: &[Field],
    teller: &mut Teller,
) {
    let needed = |name: &str| {
        Field::from_name(name).is_some_and(|field| {
            required.contains(&field)
                || key.map_or(KEYS.contains(&field), |key| key_fields(key).contains(&field))
        })
    };
    for note in table.notes().iter().chain(&columns.notes) {
        let mut message = from_note(note);
        if let Some(column) = note.column.and_then(|at| columns.columns.get(at)) {
            message.cell.clone_from(&column.letter);
            message.column.clone_from(&column.header);
            message.field.clone_from(&column.field);
        }
        let fields = message.params.get("field").or_else(|| message.params.get("fields"));
        let unread = matches!(message.code, Code::H104 | Code::H105) && message.why != "alias";
        if unread
            && let Some(fields) = fields
            && fields.split(", ").any(|name| {
                needed(name)
                    && Field::from_name(name)
                        .is_some_and(|f| columns.position(&FieldKey::Known(f)).is_none())
            })
        {
            message.level = Level::Fatal;
            message.effect = Effect::FileRefused;
        }
        teller.file(message);
    }
}

/// The last rows of a worksheet, old and new.
const SHEET_ENDS: [u32; 2] = [65_536, 1_048_576];

/// F005: a file that ends where a spreadsheet has no more rows.
fn tell_sheet_end(table: &Table<'_>, teller: &mut Teller) {
    let last = table.row_count().checked_sub(1).and_then(|last| table.row(last));
    let Some(line) = last.map(|row| row.line()).filter(|line| SHEET_ENDS.contains(line)) else {
        return;
    };
    teller.file(message(Code::F005, "sheet_end", params([("rows", line.to_string())])));
}

/// A full file must have the required columns; in a delta file only new users need them.
fn tell_missing(
    settings: &Settings,
    mode: Mode,
    columns: &Columns,
    required: &[Field],
    teller: &mut Teller,
) {
    if mode == Mode::Delta || teller.is_fatal() {
        return;
    }
    for field in required {
        let key = FieldKey::Known(*field);
        let given = settings.defaults.iter().any(|d| {
            d.legal_entity.is_none() && d.department.is_none() && d.values.contains_key(&key)
        });
        let made = *field == Field::Login && settings.login_pattern.is_some();
        if columns.position(&key).is_none() && !given && !made {
            let mut told = message(Code::H102, "", params([]));
            told.field = Some(key);
            teller.file(told);
        }
    }
}

fn dates(job: &Job<'_>, table: &Table<'_>, columns: &Columns, teller: &mut Teller) -> Dates {
    let frozen = job.snapshot.source.date_order;
    let dates = fields::prove_dates(table, columns, job.settings.dates, frozen, job.today);
    if let Some(proof) = &dates.contradicts {
        let order = job.settings.dates.or(frozen).map_or("", order_name);
        let mut told = message(
            Code::V303,
            if job.settings.dates.is_some() { "set" } else { "frozen" },
            params([("order", order.to_owned())]),
        );
        told.line = Some(proof.line);
        if let Some(column) = columns.columns.get(proof.column) {
            told.cell = format!("{}{}", column.letter, proof.line);
            told.column.clone_from(&column.header);
            told.field.clone_from(&column.field);
            if let Some(field) = &column.field {
                told.received = shown(field, &proof.value);
            }
        }
        teller.file(told);
    }
    dates
}

/// A date order as the settings write it.
pub(in crate::import) fn order_name(order: DateOrder) -> &'static str {
    match order {
        DateOrder::Dmy => "dmy",
        DateOrder::Mdy => "mdy",
        DateOrder::Ymd => "ymd",
    }
}

/// The names of the fields that the columns fill, for the source's memory.
pub(super) fn field_names(columns: &Columns) -> Vec<String> {
    let mut names: Vec<String> =
        columns.columns.iter().filter_map(|c| c.field.as_ref()).map(ToString::to_string).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// H106: columns that vanished or appeared since the last applied full file.
fn tell_moved_columns(job: &Job<'_>, columns: &Columns, teller: &mut Teller) {
    let before = &job.snapshot.source.columns;
    if before.is_empty() {
        return;
    }
    let now = field_names(columns);
    for name in before.iter().filter(|name| !now.contains(name)) {
        let mut told = message(Code::H106, "vanished", params([]));
        told.field = name.parse().ok();
        teller.file(told);
    }
    for column in &columns.columns {
        let Some(field) = &column.field else { continue };
        if !before.contains(&field.to_string()) {
            let mut told = message(Code::H106, "appeared", params([]));
            told.cell.clone_from(&column.letter);
            told.column.clone_from(&column.header);
            told.field = Some(field.clone());
            teller.file(told);
        }
    }
}
