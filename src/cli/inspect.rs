//! `inspect FILE`: how a file is read; needs no server, and a client only for its settings and keys.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::import::read_limited;
use super::output::{Output, Tone};
use super::story::level_tone;
use super::{Outcome, Place, Stop};
use crate::clock::Clock;
use crate::import::inspect::{self, Inspection};
use crate::import::note::FileRefusal;
use crate::import::settings::Settings;
use crate::model::Language;
use crate::service::import_limits;
use crate::service::samples::{self, OpenedSample};

/// `inspect …`
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The file
    file: PathBuf,
    /// Print the whole table as clean CSV: UTF-8, commas, RFC 4180
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Read it as this client's import folder does: with its settings, keys and passwords
    #[arg(long, value_name = "CLIENT")]
    client: Option<String>,
    /// Which folder, if the client has several
    #[arg(long, value_name = "NAME", requires = "client")]
    folder: Option<String>,
}

/// Exit code 1 when the file cannot be read as a table.
pub(super) fn run(place: &Place, args: &InspectArgs) -> Outcome {
    let bytes = read_limited(&args.file, place.config.limits.max_import_bytes)?;
    let name = args.file.display().to_string();
    let out = place.out;
    // What needs keys is told as such before its bytes are taken for a damaged table.
    let closed = args.client.is_none() && samples::is_encrypted(&bytes);
    let opened = open(place, args, bytes)?;
    let refused = |out, name: &str, refusal: &FileRefusal| refused(out, name, refusal, closed);
    let bytes = match &opened.bytes {
        Ok(bytes) => bytes,
        Err(refusal) => return refused(out, &name, refusal),
    };
    let limits = import_limits(&place.config);
    if args.csv {
        // Without a client any table will do; for a client it is read as the folder's import reads it.
        let csv = match args.client {
            None => inspect::clean_csv(bytes, &limits),
            Some(_) => inspect::roster_csv(bytes, &opened.settings, &limits),
        };
        return match csv {
            Ok(csv) => out.bytes(&csv),
            Err(refusal) => refused(out, &name, &refusal),
        };
    }
    let moment = (opened.today, opened.date_order);
    match inspect::inspect(bytes, &name, &opened.settings, &limits, moment) {
        Ok(mut found) => {
            let within = found.unpacked.take();
            let layers: Vec<String> = opened.wrapping.into_iter().chain(within).collect();
            found.unpacked = Some(layers.join(", ")).filter(|layers| !layers.is_empty());
            out.either(&found, tell)
        }
        Err(refusal) => refused(out, &name, &refusal),
    }
}

/// The file itself, or what a client's folder finds in it.
fn open(place: &Place, args: &InspectArgs, bytes: Vec<u8>) -> Outcome<OpenedSample> {
    let Some(client) = &args.client else {
        let (settings, today) = (Settings::default(), Clock::System.today("UTC"));
        let (bytes, wrapping, date_order) = (Ok(bytes), None, None);
        return Ok(OpenedSample { bytes, wrapping, settings, date_order, today });
    };
    let name = args.file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(place.service()?.open_sample(client, args.folder.as_deref(), (&name, bytes))?)
}

fn refused(out: Output, name: &str, refusal: &FileRefusal, closed: bool) -> Outcome {
    let (text, mut cure) = inspect::refusal_words(refusal, Language::En);
    if closed {
        "If it is encrypted, --client CLIENT opens it with the keys of that client."
            .clone_into(&mut cure);
    }
    if out.is_json() {
        let refusal = json!({ "code": refusal.code, "text": text, "cure": cure });
        out.json(&json!({ "file": name, "refused": refusal }))?;
        return Err(Stop::Quiet(1));
    }
    let words = format!("{name} cannot be imported: {} {text} {cure}", refusal.code);
    Err(crate::error::Error::new(crate::error::Kind::Invalid, words.trim_end()).into())
}

fn tell(out: Output, found: &Inspection) -> Outcome {
    let separator = match found.separator {
        None => "none: the cells of a workbook".to_owned(),
        Some('\t') => format!("tab; a quote inside quotes is {}", found.quote_inside),
        Some(sign) => format!("\"{sign}\"; a quote inside quotes is {}", found.quote_inside),
    };
    let mark = if found.byte_order_mark { ", with byte order mark" } else { "" };
    let end = if found.ends_with_newline { "" } else { ", the last line has no line end" };
    let dates = serde_json::to_value(found.date_order).map_err(Stop::from_json)?;
    let mut pairs = vec![
        ("File", format!("{} ({} bytes)", found.file, found.bytes)),
        ("Encoding", format!("{}{mark}", found.encoding)),
        ("Separator", separator),
        ("Header", format!("line {}", found.header_line)),
        ("Rows", format!("{}{end}", found.rows)),
    ];
    if let Some(unpacked) = &found.unpacked {
        pairs.insert(1, ("Unpacked", unpacked.clone()));
    }
    pairs.extend(dates.as_str().map(|order| ("Dates", order.to_owned())));
    for (line, text) in &found.title_lines {
        pairs.push(("Left out", format!("line {line}: {text}")));
    }
    out.pairs(&pairs)?;
    columns(out, found)?;
    first_rows(out, found)?;
    warnings(out, found)
}

fn columns(out: Output, found: &Inspection) -> Outcome {
    out.toned(Tone::Strong, "\nColumns")?;
    let rows = found.columns.iter().map(|column| {
        let field = column.field.as_ref().map_or("not read".to_owned(), ToString::to_string);
        let by = serde_json::to_value(column.matched_by).unwrap_or(Value::Null);
        let by = by.as_str().unwrap_or_default().to_owned();
        let example = column.example.clone().unwrap_or_default();
        vec![column.letter.clone(), column.header.clone(), field, by, example]
    });
    out.table(&["", "Header", "Field", "Matched by", "First value, as read"], rows)
}

fn first_rows(out: Output, found: &Inspection) -> Outcome {
    out.toned(Tone::Strong, "\nFirst rows")?;
    for row in &found.first_rows {
        out.paragraph(2, &format!("{:>3}  ", row.line), &row.cells.join(" | "))?;
    }
    Ok(())
}

fn warnings(out: Output, found: &Inspection) -> Outcome {
    if found.warnings.is_empty() {
        return out.toned(Tone::Good, "\nNothing to say about reading it.");
    }
    out.toned(Tone::Strong, "\nWhat a report would say about reading it")?;
    for warning in &found.warnings {
        let level = serde_json::to_value(warning.level).map_err(Stop::from_json)?;
        let level = level.as_str().unwrap_or_default().to_owned();
        let line = warning.line.map(|line| format!("line {line}"));
        let column = warning.column.as_ref().map(|letter| format!("column {letter}"));
        let place: Vec<String> = line.into_iter().chain(column).collect();
        let head = out.paint(level_tone(&level), format!("{level:<8}"));
        let more =
            if warning.count > 1 { format!("  ({} lines)", warning.count) } else { String::new() };
        out.line(format!(" {head}{}  {}{more}", warning.code, place.join(", ")))?;
        out.paragraph(9, "", &warning.text)?;
        if !warning.cure.is_empty() {
            out.paragraph(9, "→ ", &warning.cure)?;
        }
    }
    Ok(())
}
