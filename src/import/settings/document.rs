//! Settings as documented TOML.

use std::fmt::Write;

use super::guards::ABSENT_AFTER;
use super::{
    Absent, Blank, Defaults, FinalLineEnd, Format, Limit, Mode, Settings, UnknownColumns, Unmapped,
    key_name,
};
use crate::import::directory::DateOrder;
use crate::import::fields::FieldKey;

/// Text that writes itself line by line; writing to a `String` cannot fail.
pub(crate) struct Document(String);

impl Document {
    pub(crate) fn new() -> Self {
        Self(String::new())
    }

    /// The text, with one line end at its end.
    pub(crate) fn finish(mut self) -> String {
        let end = self.0.trim_end().len();
        self.0.truncate(end);
        self.0.push('\n');
        self.0
    }

    pub(crate) fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    pub(crate) fn setting(&mut self, comments: &[&str], line: &str) {
        for comment in comments {
            self.line(&format!("# {comment}"));
        }
        self.line(line);
        self.line("");
    }
}

pub(super) fn write(settings: &Settings) -> String {
    let mut doc = Document::new();
    doc.line(
        "# Import settings of one folder. What is left out has the value shown here as default.",
    );
    doc.line("");
    people(&mut doc, settings);
    reading(&mut doc, settings);
    closed_lists(&mut doc, settings);
    settings.handling.write_keys(&mut doc);
    guards(&mut doc, settings);
    blanks(&mut doc, settings);
    aliases(&mut doc, settings);
    value_maps(&mut doc, settings);
    defaults(&mut doc, settings);
    report(&mut doc, settings);
    settings.handling.write_tables(&mut doc);
    doc.finish()
}

fn people(doc: &mut Document, settings: &Settings) {
    doc.setting(
        &[
            "What decides who a row is. \"auto\" (default): the file's first columns; the first applied import freezes it.",
            "Else \"login\", \"email\", \"employee_number\" or \"legal_entity+employee_number\".",
        ],
        &format!("key = {}", quoted(settings.key.map_or("auto", key_name))),
    );
    let mode = match settings.mode {
        Mode::Full => "full",
        Mode::Delta => "delta",
    };
    doc.setting(
        &["\"full\" (default): every employee is in the file. \"delta\": whoever is not in the file is not meant."],
        &format!("mode = {}", quoted(mode)),
    );
    absence(doc, settings);
    doc.setting(
        &["true: one refused row refuses the whole file. Default: false, the other rows are applied."],
        &format!("strict = {}", settings.strict),
    );
    let comments = [
        "Fields that a new user must have, besides the key. Default: first_name, last_name, contract_start,",
        "and email if the file has that column.",
    ];
    match &settings.required {
        Some(fields) => {
            let names: Vec<String> = fields.iter().map(|f| quoted(f.name())).collect();
            doc.setting(&comments, &format!("required = [{}]", names.join(", ")));
        }
        None => doc
            .setting(&comments, "# required = [\"first_name\", \"last_name\", \"contract_start\"]"),
    }
    let pattern = match &settings.login_pattern {
        Some(pattern) => format!("login_pattern = {}", quoted(pattern)),
        None => "# login_pattern = \"{first}.{last}\"".to_owned(),
    };
    doc.setting(
        &[
            "How a new user's login is made when neither the file nor a default gives one: {first}, {last}, {f} and {l}",
            "(initials), {number}, and signs a-z 0-9 . - _ between them. Default: none is made.",
        ],
        &pattern,
    );
}

fn reading(doc: &mut Document, settings: &Settings) {
    let dates = match settings.dates {
        None => "auto",
        Some(DateOrder::Dmy) => "dmy",
        Some(DateOrder::Mdy) => "mdy",
        Some(DateOrder::Ymd) => "ymd",
    };
    doc.setting(
        &[
            "The order in dates such as 03/04/2026. \"auto\" (default): proved by the file; the first applied import freezes it.",
            "Else \"dmy\", \"mdy\" or \"ymd\". 2026-04-03 is always read.",
        ],
        &format!("dates = {}", quoted(dates)),
    );
    doc.setting(
        &[
            "The code of files that are neither UTF-8 nor UTF-16 (those are always recognised): \"auto\" (default) guesses and",
            "says so; else \"windows-1252\", \"iso-8859-15\", \"iso-8859-2\", \"windows-1250\", \"windows-1251\", \"windows-1253\",",
            "\"windows-1254\", \"windows-1257\", \"macintosh\", \"cp850\"; \"utf-8\" refuses them.",
        ],
        &format!("encoding = {}", quoted(settings.encoding.name())),
    );
    let line_end = match settings.final_line_end {
        FinalLineEnd::Auto => "auto",
        FinalLineEnd::Optional => "optional",
    };
    doc.setting(
        &[
            "A file without a line end after its last row: \"auto\" (default) holds it, once a full file had one, for it may be",
            "cut off; approving it makes the folder expect none. \"optional\" takes it.",
        ],
        &format!("final_line_end = {}", quoted(line_end)),
    );
    let unknown = match settings.unknown_columns {
        UnknownColumns::Ignore => "ignore",
        UnknownColumns::Keep => "keep",
    };
    doc.setting(
        &["Columns that nobody knows: \"ignore\" (default), or \"keep\" as text fields custom.<header>."],
        &format!("unknown_columns = {}", quoted(unknown)),
    );
}

fn absence(doc: &mut Document, settings: &Settings) {
    let (policy, after) = match settings.absent {
        Absent::Report => ("report", None),
        Absent::End { after_files } => ("end", Some(after_files)),
        Absent::Hold => ("hold", None),
    };
    doc.setting(
        &[
            "Users who are missing from a full file: \"report\" (default), told and kept; \"end\", their contract ends once they",
            "are missing from absent_after full files on as many days, with the day before the first of these as last day;",
            "\"hold\", the file waits for approval, and approving it ends them.",
        ],
        &format!("absent = {}", quoted(policy)),
    );
    let lead = if after.is_some() { "" } else { "# " };
    let files = after.unwrap_or(ABSENT_AFTER);
    doc.setting(
        &["Only with absent = \"end\": after how many full files (default: 2)."],
        &format!("{lead}absent_after = {files}"),
    );
}

fn guards(doc: &mut Document, settings: &Settings) {
    let guards = &settings.guards;
    doc.setting(
        &[
            "Whether an empty file users.csv.approve-<first 12 digits of its SHA-256> next to a held users.csv approves it, and",
            "users.csv.discard-… discards it. Default: false, only the command line does.",
        ],
        &format!("approve_by_file = {}", settings.approve_by_file),
    );
    doc.line("# What holds an import until somebody approves it (docs/guards.md). A limit trips when both are passed, count and");
    doc.line("# percent; \"off\" never.");
    doc.line("[guards]");
    for (comment, name, limit) in [
        (
            "G601: users whose contract gets an end or an earlier one, also for absence; percent of the active users.",
            "endings",
            guards.endings,
        ),
        (
            "G602: new users; percent of the active users. Never on a client's first import.",
            "creations",
            guards.creations,
        ),
        (
            "G603: users for whom one and the same field changes (a filled blank does not count); percent of the active users.",
            "one_field",
            guards.one_field,
        ),
        (
            "G604: rows fewer than in the last full file; percent of that file's rows.",
            "fewer_rows",
            guards.fewer_rows,
        ),
        (
            "G609: contract ends removed or moved later, and users who come back; percent of the active users.",
            "reopenings",
            guards.reopenings,
        ),
    ] {
        let value = match limit {
            Some(Limit { count, percent }) => {
                format!("{{ count = {count}, percent = {percent} }}")
            }
            None => quoted("off"),
        };
        doc.line(&format!("# {comment}"));
        doc.line(&format!("{name} = {value}"));
    }
    doc.setting(
        &["G605: all users of a legal entity are missing from a full file."],
        &format!("whole_entity = {}", guards.whole_entity),
    );
}

fn blanks(doc: &mut Document, settings: &Settings) {
    doc.line("# What a blank cell means, by field: \"keep\" the old value (default), \"clear\" it, or give the \"default\".");
    doc.line(
        "# For contract_end the default is \"clear\": a blank lifts an end of today or later.",
    );
    doc.line("[blanks]");
    if settings.blanks.is_empty() {
        doc.line("# contract_end = \"clear\"");
    }
    for (field, blank) in &settings.blanks {
        let word = match blank {
            Blank::Keep => "keep",
            Blank::Clear => "clear",
            Blank::Default => "default",
        };
        doc.line(&format!("{} = {}", key(field), quoted(word)));
    }
    doc.line("");
}

fn aliases(doc: &mut Document, settings: &Settings) {
    doc.line("# Your own headers and the fields that they carry. Capitals, accents and punctuation do not matter.");
    doc.line("[aliases]");
    if settings.aliases.is_empty() {
        doc.line("# \"Code agent\" = \"employee_number\"");
    }
    for (header, field) in &settings.aliases {
        doc.line(&format!("{} = {}", quoted(header), quoted(&field.to_string())));
    }
    doc.line("");
}

fn value_maps(doc: &mut Document, settings: &Settings) {
    doc.line("# Their codes and ours, by field. unmapped: \"keep\" (default; the code becomes a new entry of the list),");
    doc.line("# \"block\" (the cell is refused), or \"default\" (the value of the line default is taken).");
    if settings.value_maps.is_empty() {
        doc.line("# [value_maps.department]");
        doc.line("# codes = { \"COMPTA\" = \"Accounting\" }");
        doc.line("# unmapped = \"keep\"");
    }
    for (field, map) in &settings.value_maps {
        doc.line(&format!("[value_maps.{}]", key(field)));
        let codes: Vec<String> =
            map.codes.iter().map(|(a, b)| format!("{} = {}", quoted(a), quoted(b))).collect();
        doc.line(&format!("codes = {{ {} }}", codes.join(", ")));
        match &map.unmapped {
            Unmapped::Keep => doc.line("unmapped = \"keep\""),
            Unmapped::Block => doc.line("unmapped = \"block\""),
            Unmapped::Default(value) => {
                doc.line("unmapped = \"default\"");
                doc.line(&format!("default = {}", quoted(value)));
            }
        }
    }
    doc.line("");
}

fn closed_lists(doc: &mut Document, settings: &Settings) {
    let names: Vec<String> = settings.closed_lists.iter().map(|f| quoted(f.name())).collect();
    doc.setting(
        &[
            "Lists to which no file adds: a code that is not in the list (`rollcall lists show CLIENT`) refuses its cell.",
            "Default: none; a new code becomes a new entry, and is told.",
        ],
        &format!("closed_lists = [{}]", names.join(", ")),
    );
}

fn defaults(doc: &mut Document, settings: &Settings) {
    let everyone = |d: &&Defaults| d.legal_entity.is_none() && d.department.is_none();
    doc.line("# Values that a new user gets where the file gives none: for everyone, and in [[defaults_for]] for a");
    doc.line("# legal entity, a department or both. The closest one wins.");
    doc.line("[defaults]");
    if settings.defaults.is_empty() {
        doc.line("# culture = \"fr-FR\"");
    }
    for (field, value) in settings.defaults.iter().filter(everyone).flat_map(|d| &d.values) {
        doc.line(&format!("{} = {}", key(field), quoted(value)));
    }
    doc.line("");
    if settings.defaults.is_empty() {
        doc.line("# [[defaults_for]]");
        doc.line("# legal_entity = \"FR01\"");
        doc.line("# values = { profile_time = \"35h\" }");
        doc.line("");
    }
    for one in settings.defaults.iter().filter(|d| !everyone(d)) {
        doc.line("[[defaults_for]]");
        if let Some(legal_entity) = &one.legal_entity {
            doc.line(&format!("legal_entity = {}", quoted(legal_entity)));
        }
        if let Some(department) = &one.department {
            doc.line(&format!("department = {}", quoted(department)));
        }
        let mut values = String::new();
        for (field, value) in &one.values {
            let comma = if values.is_empty() { "" } else { ", " };
            // Writing to a String cannot fail.
            let _ok = write!(values, "{comma}{} = {}", key(field), quoted(value)).is_ok();
        }
        doc.line(&format!("values = {{ {values} }}"));
        doc.line("");
    }
}

fn report(doc: &mut Document, settings: &Settings) {
    doc.line("[report]");
    let languages: Vec<String> =
        settings.report.languages.iter().map(|l| quoted(l.code())).collect();
    doc.setting(
        &["Languages of the report, any of \"fr\", \"en\", \"de\"; none (default): the client's own language."],
        &format!("languages = [{}]", languages.join(", ")),
    );
    let formats: Vec<String> = settings
        .report
        .formats
        .iter()
        .map(|f| match f {
            Format::Csv => quoted("csv"),
            Format::Json => quoted("json"),
            Format::Html => quoted("html"),
        })
        .collect();
    doc.setting(
        &["Files beside the upload: \"csv\" for people and \"json\" for programs (default: both), \"html\" to read and print."],
        &format!("formats = [{}]", formats.join(", ")),
    );
    doc.setting(
        &["Also an empty file users.csv.ok, .partial, .held, .rejected or .failed, for scripts that only list a folder."],
        &format!("markers = {}", settings.report.markers),
    );
}

/// A text as TOML: a basic string, the one form that is right as key and as value.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for sign in text.chars() {
        match sign {
            '"' | '\\' => quoted.extend(['\\', sign]),
            sign if sign.is_control() => {
                // Writing to a String cannot fail.
                let _ok = write!(quoted, "\\u{:04X}", u32::from(sign)).is_ok();
            }
            sign => quoted.push(sign),
        }
    }
    quoted.push('"');
    quoted
}

fn key(field: &FieldKey) -> String {
    match field {
        FieldKey::Known(field) => field.name().to_owned(),
        FieldKey::Custom(_) => quoted(&field.to_string()),
    }
}
