//! A workbook (.xlsx): which sheet is the first, its shared strings and its number formats.
//!
//! Read part by part as a stream. Source: ECMA-376 part 1, SpreadsheetML.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::archive::{self, Meter, Zip};
use super::numbers::Format;
use super::{UnpackLimits, damaged, sheet};
use crate::import::note::FileRefusal;

/// The first sheet.
pub(super) struct FirstSheet {
    pub name: String,
    pub csv: String,
    /// The names of the other visible sheets that hold something.
    pub others: Vec<String>,
    /// The first rows of cells that are merged over several rows.
    pub merged: Vec<u32>,
}

/// What cells refer to.
#[derive(Default)]
pub(super) struct Shared {
    /// All strings, one behind the other.
    text: String,
    /// Where each ends.
    ends: Vec<u32>,
    /// The formats that the workbook defines, by number: a long one is kept once, however many styles have it.
    formats: BTreeMap<u32, Format>,
    /// The format's number of each cell style.
    styles: Vec<u32>,
    /// Days are counted from 1904 (old Macs).
    pub from_1904: bool,
}

impl Shared {
    pub(super) fn string(&self, index: usize) -> Option<&str> {
        let end = usize::try_from(*self.ends.get(index)?).ok()?;
        let start = match index.checked_sub(1) {
            None => 0,
            Some(before) => usize::try_from(*self.ends.get(before)?).ok()?,
        };
        self.text.get(start..end)
    }

    /// How numbers of a cell style are shown.
    pub(super) fn format(&self, style: usize) -> Cow<'_, Format> {
        let Some(number) = self.styles.get(style) else { return Cow::Owned(Format::General) };
        match self.formats.get(number) {
            Some(format) => Cow::Borrowed(format),
            None => Cow::Owned(Format::built_in(*number)),
        }
    }
}

pub(super) fn is_workbook(names: &[String]) -> bool {
    names.iter().any(|name| is_part(name, "xl/workbook.xml"))
}

/// Part names are compared without regard to case.
fn is_part(name: &str, wanted: &str) -> bool {
    name.trim_start_matches('/').eq_ignore_ascii_case(wanted)
}

/// The first visible worksheet as comma-separated text, all cells quoted.
///
/// # Errors
/// F003 damaged or without a worksheet · F006 over the limits.
pub(super) fn first_sheet(
    zip: &mut Zip<'_>,
    names: &[String],
    meter: &Meter,
    limits: &UnpackLimits,
) -> Result<FirstSheet, FileRefusal> {
    let find = |wanted: &str| names.iter().position(|name| is_part(name, wanted));
    let mut book = Book::default();
    let mut shared = Shared::default();
    let part = |zip: &mut Zip<'_>, name: &str, each: &mut dyn FnMut(Node<'_>) -> Option<()>| {
        let Some(index) = find(name) else { return Ok(()) };
        let reader = archive::part(zip, index, name, meter)?;
        each_node(reader, each).ok_or_else(|| fault(meter, name))
    };
    part(zip, "xl/workbook.xml", &mut |node| book.on_workbook(&node))?;
    part(zip, "xl/_rels/workbook.xml.rels", &mut |node| book.on_relation(&node))?;
    let mut styles = Styles::default();
    part(zip, "xl/styles.xml", &mut |node| styles.on_node(&node))?;
    shared.formats = styles.formats;
    shared.styles = styles.of_cells;
    shared.from_1904 = book.from_1904;
    let mut strings = Strings { shared: &mut shared, depth: 0, meter };
    part(zip, "xl/sharedStrings.xml", &mut |node| strings.on_node(&node))?;
    let mut sheets = book.worksheets(|target| find(target).is_some());
    let Some((name, target)) = sheets.next() else {
        return Err(FileRefusal::new("F003", vec![("found", "no_sheet".to_owned())]));
    };
    let mut rows = sheet::Rows::new(&shared, meter, limits.max_columns);
    part(zip, target, &mut |node| rows.on_node(&node))
        .map_err(|refusal| rows.refusal().unwrap_or(refusal))?;
    let merged = rows.merged().to_vec();
    let csv = rows.finish();
    let mut others = Vec::new();
    for (name, target) in sheets.filter(|(_, other)| *other != target).take(MOST_OTHERS) {
        let mut filled = false;
        // A sheet that cannot be read is none that anybody misses.
        let _read = part(zip, target, &mut |node| {
            filled = matches!(node, Node::Text(text) if !text.trim().is_empty());
            // Behind the cells stand the page's head and foot.
            (!filled && !matches!(node, Node::End("sheetData"))).then_some(())
        });
        if filled {
            others.push(name.clone());
        }
    }
    Ok(FirstSheet { name: name.clone(), csv, others, merged })
}

/// So many sheets behind the first are looked at.
const MOST_OTHERS: usize = 100;

fn fault(meter: &Meter, name: &str) -> FileRefusal {
    if meter.is_exceeded() { meter.refusal(name) } else { damaged("xlsx") }
}

/// What a part is made of; empty elements are a start and an end.
pub(super) enum Node<'a> {
    Start(&'a BytesStart<'a>),
    End(&'a str),
    Text(&'a str),
}

/// Gives every node; `None`: the part is no XML, cannot be read, or the asker gave up.
fn each_node(reader: impl BufRead, each: &mut dyn FnMut(Node<'_>) -> Option<()>) -> Option<()> {
    let mut xml = Reader::from_reader(reader);
    xml.config_mut().expand_empty_elements = true;
    xml.config_mut().allow_dangling_amp = true;
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer).ok()? {
            Event::Start(start) => each(Node::Start(&start))?,
            Event::End(end) => each(Node::End(end.local_name().as_ref()))?,
            Event::Text(text) => each(Node::Text(&text.xml10_content()))?,
            Event::CData(text) => each(Node::Text(&text.xml10_content()))?,
            Event::GeneralRef(reference) => each(Node::Text(&resolved(&reference)))?,
            Event::Eof => return Some(()),
            _ => {}
        }
    }
}

/// `amp`, `#233` …; anything else stays as it is written: entities of one's own are not read.
fn resolved(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(c)) = reference.resolve_char_ref() {
        return c.to_string();
    }
    match &**reference {
        "amp" => "&".to_owned(),
        "lt" => "<".to_owned(),
        "gt" => ">".to_owned(),
        "quot" => "\"".to_owned(),
        "apos" => "'".to_owned(),
        other => format!("&{other};"),
    }
}

/// An attribute by its name without prefix.
pub(super) fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = start
        .attributes()
        .with_checks(false)
        .filter_map(Result::ok)
        .find(|a| a.key.local_name().as_ref() == name)?;
    found.normalized_value(XmlVersion::Implicit1_0).ok().map(Cow::into_owned)
}

/// The sheets of a workbook.
#[derive(Default)]
struct Book {
    /// Name and relation of each visible sheet.
    sheets: Vec<(String, String)>,
    /// The part of each relation that is a worksheet.
    targets: BTreeMap<String, String>,
    from_1904: bool,
}

impl Book {
    fn on_workbook(&mut self, node: &Node<'_>) -> Option<()> {
        let Node::Start(start) = node else { return Some(()) };
        match start.local_name().as_ref() {
            "workbookPr" => {
                self.from_1904 =
                    attribute(start, "date1904").is_some_and(|v| v == "1" || v == "true");
            }
            "sheet" if attribute(start, "state").is_none_or(|state| state == "visible") => {
                self.sheets.push((attribute(start, "name")?, attribute(start, "id")?));
            }
            _ => {}
        }
        Some(())
    }

    fn on_relation(&mut self, node: &Node<'_>) -> Option<()> {
        let Node::Start(start) = node else { return Some(()) };
        if start.local_name().as_ref() == "Relationship"
            && attribute(start, "Type").is_some_and(|kind| kind.ends_with("/worksheet"))
        {
            let target = attribute(start, "Target")?;
            let part = match target.strip_prefix('/') {
                Some(absolute) => absolute.to_owned(),
                None => format!("xl/{}", target.trim_start_matches("./")),
            };
            self.targets.insert(attribute(start, "Id")?, part);
        }
        Some(())
    }

    /// Name and part of each visible worksheet, in the order of the tabs.
    fn worksheets(
        &self,
        exists: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = (&String, &String)> {
        self.sheets.iter().filter_map(move |(name, relation)| {
            let target = self.targets.get(relation).filter(|target| exists(target))?;
            Some((name, target))
        })
    }
}

/// The styles of cells, for their number formats alone.
#[derive(Default)]
struct Styles {
    formats: BTreeMap<u32, Format>,
    of_cells: Vec<u32>,
    in_cell_styles: bool,
}

impl Styles {
    fn on_node(&mut self, node: &Node<'_>) -> Option<()> {
        match node {
            Node::Start(start) => match start.local_name().as_ref() {
                "numFmt" => {
                    let number = attribute(start, "numFmtId").and_then(|n| n.parse().ok());
                    if let (Some(number), Some(code)) = (number, attribute(start, "formatCode")) {
                        self.formats.insert(number, Format::of_code(&code));
                    }
                }
                "cellXfs" => self.in_cell_styles = true,
                "xf" if self.in_cell_styles => {
                    let number = attribute(start, "numFmtId").and_then(|n| n.parse().ok());
                    self.of_cells.push(number.unwrap_or(0));
                }
                _ => {}
            },
            Node::End("cellXfs") => self.in_cell_styles = false,
            _ => {}
        }
        Some(())
    }
}

/// The strings that cells share.
struct Strings<'s> {
    shared: &'s mut Shared,
    /// In `si` (1), in its `t` (2); phonetic hints (`rPh`) are left out (100 and more).
    depth: u32,
    meter: &'s Meter,
}

impl Strings<'_> {
    fn on_node(&mut self, node: &Node<'_>) -> Option<()> {
        match node {
            Node::Start(start) => match start.local_name().as_ref() {
                "si" => self.depth = 1,
                "t" if self.depth >= 1 => self.depth += 1,
                "rPh" if self.depth >= 1 => self.depth += 100,
                _ => {}
            },
            Node::End("t") => self.depth = self.depth.saturating_sub(1),
            Node::End("rPh") => self.depth = self.depth.saturating_sub(100),
            Node::End("si") => {
                self.depth = 0;
                // An empty string costs a place all the same.
                self.meter.take(4).ok()?;
                self.shared.ends.push(u32::try_from(self.shared.text.len()).ok()?);
            }
            Node::Text(text) if self.depth == 2 => self.shared.text.push_str(text),
            _ => {}
        }
        Some(())
    }
}
