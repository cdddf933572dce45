//! Export settings as documented TOML.

use super::read::SEPARATORS;
use super::settings::{Column, ExportSettings, UnmappedOut};
use crate::import::settings::{Document, Limit, quoted};

pub(super) fn write(settings: &ExportSettings) -> String {
    let mut doc = Document::new();
    doc.line("# Settings of one export. What is left out has the value shown here as default.");
    doc.line("");
    people(&mut doc, settings);
    columns(&mut doc, settings);
    form(&mut doc, settings);
    values(&mut doc, settings);
    tables(&mut doc, settings);
    doc.finish()
}

fn list<'t>(items: impl Iterator<Item = &'t str>) -> String {
    let items: Vec<String> = items.map(quoted).collect();
    format!("[{}]", items.join(", "))
}

fn people(doc: &mut Document, settings: &ExportSettings) {
    doc.setting(
        &[
            "Who is in a file. \"all\" (default): everybody. Since the last run that was not withdrawn: \"changed\", whose row is",
            "another one; \"leavers\", who has left; \"newcomers\", who has come. Late corrections of what was sent come along.",
        ],
        &format!("what = {}", quoted(settings.what.name())),
    );
    doc.setting(
        &[
            "When a file is made: \"manual\" (default), \"import\" (after each applied import), or at times in the client's time",
            "zone: \"daily 23:30\", \"every 60 minutes\", \"cron 0 6 1 * *\".",
        ],
        &format!("trigger = {}", quoted(&settings.trigger.to_string())),
    );
    doc.setting(
        &[
            "The files' names: {date} or {date:YYYYMMDD}, {time}, {seq} or {seq:6} (a number without gaps), {client}, {export},",
            "{what}. Without {seq} (only with what = \"all\") a new file takes the place of one that was not fetched.",
        ],
        &format!("file_name = {}", quoted(settings.file_name.as_str())),
    );
    doc.setting(
        &["Whether a file without rows is sent. Default: false."],
        &format!("send_empty = {}", settings.send_empty),
    );
    doc.setting(
        &[
            "Of whom \"all\" and \"changed\" speak: any of \"upcoming\", \"active\", \"ended\" (default: all three). Who is in it no more",
            "is in a file of \"changed\" once again.",
        ],
        &format!("users = {}", list(settings.users.iter().map(|s| s.name()))),
    );
    let fewer = match settings.fewer_rows {
        Some(Limit { count, percent }) => format!("{{ count = {count}, percent = {percent} }}"),
        None => quoted("off"),
    };
    doc.setting(
        &[
            "Only with what = \"all\": a file with fewer rows than the last one, by more than count and more than percent, is not",
            "sent before somebody says so (`rollcall exports run … --anyway`); \"off\": it always is.",
        ],
        &format!("fewer_rows = {fewer}"),
    );
}

fn columns(doc: &mut Document, settings: &ExportSettings) {
    let comments = [
        "The columns: fields (docs/file-format.md), custom.badge, \"custom.*\" (all of your own), \"state\" (upcoming, active, ended",
        "or withdrawn) and \"previous_employee_number\". Default: first what tells people apart, then every field, then",
        "custom.*; and, except with what = \"all\", state and previous_employee_number.",
    ];
    if settings.columns.is_empty() {
        doc.setting(&comments, "# columns = [\"employee_number\", \"last_name\", \"first_name\"]");
    } else {
        let names: Vec<String> = settings.columns.iter().map(ToString::to_string).collect();
        let line = format!("columns = {}", list(names.iter().map(String::as_str)));
        doc.setting(&comments, &line);
    }
    doc.setting(
        &["Whether the first line is a header. Default: true."],
        &format!("header = {}", settings.header),
    );
}

fn form(doc: &mut Document, settings: &ExportSettings) {
    let separator = SEPARATORS.iter().find(|(_, sign)| *sign == settings.separator);
    doc.setting(
        &["What stands between cells: \";\" (default), \",\", \"tab\" or \"|\"."],
        &format!("separator = {}", quoted(separator.map_or(";", |(name, _)| name))),
    );
    doc.setting(
        &["\"utf-8\" (default), \"utf-8-bom\" (as Excel recognises it), \"windows-1252\" or \"iso-8859-15\"."],
        &format!("encoding = {}", quoted(settings.encoding.name())),
    );
    doc.setting(
        &[
            "A character that the encoding does not have: \"refuse\" (default), the file is not made and the value is named; or",
            "\"transliterate\", the closest letters are written (Ł becomes L). It never becomes a question mark.",
        ],
        &format!("not_encodable = {}", quoted(settings.not_encodable.name())),
    );
    doc.setting(
        &["Cells in quotes: \"needed\" (default), \"all\", or \"never\" (a value that needs them stops the export)."],
        &format!("quotes = {}", quoted(settings.quotes.name())),
    );
    doc.setting(
        &["\"crlf\" (default) or \"lf\"."],
        &format!("line_end = {}", quoted(settings.line_end.name())),
    );
}

fn values(doc: &mut Document, settings: &ExportSettings) {
    doc.setting(
        &["Dates: YYYY (or YY), MM and DD with - / . or a blank between them, or nothing. Default: \"YYYY-MM-DD\"."],
        &format!("dates = {}", quoted(settings.dates.as_str())),
    );
    doc.setting(
        &["The decimal sign of fte and weekly_hours: \".\" (default) or \",\"."],
        &format!("decimal = {}", quoted(settings.decimal.name())),
    );
    doc.setting(
        &[
            "By what a manager is named: \"auto\" (default), the employee number where it means nobody else, else login, e-mail,",
            "name; or always \"number\", \"login\", \"email\" or \"name\", and nothing for a manager who has none.",
        ],
        &format!("manager = {}", quoted(settings.manager.name())),
    );
    doc.setting(
        &[
            "Cells that a spreadsheet would compute (=, +, -, @ at their head): \"as_is\" (default, for programs), or \"text\", written",
            "as =\"…\": a spreadsheet shows the text, and an import reads it.",
        ],
        &format!("formulas = {}", quoted(settings.formulas.name())),
    );
    doc.setting(
        &["Fingerprints of OpenPGP keys (`rollcall pgp partner list`) that files are encrypted for. Default: none."],
        &format!("encrypt = {}", list(settings.encrypt.iter().map(String::as_str))),
    );
    doc.setting(
        &["Whether such a file is signed with the client's own key too (`rollcall pgp make`). Default: false."],
        &format!("sign = {}", settings.sign),
    );
    doc.setting(
        &["Whether files go out as a zip with AES under the folder's password (`rollcall folder zip-password`). Default: false."],
        &format!("zip = {}", settings.zip),
    );
}

fn tables(doc: &mut Document, settings: &ExportSettings) {
    doc.line("# Only users who have one of these values in each of these fields. Who moves out of it is told once more, and is a");
    doc.line("# leaver of this export; who moves in is a newcomer.");
    doc.line("[only]");
    if settings.only.is_empty() {
        doc.line("# legal_entity = [\"FR01\"]");
    }
    for (field, values) in &settings.only {
        let name = quoted(&field.to_string());
        doc.line(&format!("{name} = {}", list(values.iter().map(String::as_str))));
    }
    doc.line("");
    doc.line("# Headers in place of the columns' own names.");
    doc.line("[headers]");
    if settings.headers.is_empty() {
        doc.line("# employee_number = \"Matricule\"");
    }
    for (column, header) in &settings.headers {
        doc.line(&format!("{} = {}", key(column), quoted(header)));
    }
    doc.line("");
    doc.line("# Our codes and theirs, by column. unmapped: \"use\" (default; our code is written), \"block\" (the user is not sent");
    doc.line("# before the map has the code; a file of all is not made at all), or \"default\" (the line default is written).");
    if settings.value_maps.is_empty() {
        doc.line("# [value_maps.department]");
        doc.line("# codes = { \"Accounting\" = \"COMPTA\" }");
        doc.line("# unmapped = \"use\"");
    }
    for (column, map) in &settings.value_maps {
        doc.line(&format!("[value_maps.{}]", key(column)));
        let codes: Vec<String> =
            map.codes.iter().map(|(a, b)| format!("{} = {}", quoted(a), quoted(b))).collect();
        doc.line(&format!("codes = {{ {} }}", codes.join(", ")));
        match &map.unmapped {
            UnmappedOut::Use => doc.line("unmapped = \"use\""),
            UnmappedOut::Block => doc.line("unmapped = \"block\""),
            UnmappedOut::Default(value) => {
                doc.line("unmapped = \"default\"");
                doc.line(&format!("default = {}", quoted(value)));
            }
        }
    }
}

fn key(column: &Column) -> String {
    quoted(&column.to_string())
}
