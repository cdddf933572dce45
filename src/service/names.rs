//! Which upload is an import: import folders, patterns, temporary and reserved names.

use globset::GlobBuilder;

use crate::model::{Folder, Purpose, VPath};

/// What an upload to a path is, by its name alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// It is imported with this folder's settings.
    Import { folder: String, dry_run: bool },
    /// It lies in an import folder and its name asks for no import; the words say why.
    Beside { folder: String, why: String },
    /// It lies in no import folder.
    Plain,
}

/// The sub-folder of an import folder whose uploads are tried and not applied.
const TEST_FOLDER: &str = "test";
/// The sub-folder of an import folder that keeps old reports.
pub(super) const REPORTS_FOLDER: &str = "reports";

/// Endings of names under which programs write before they rename.
const TEMPORARY_ENDINGS: [&str; 13] = [
    "part",
    "filepart",
    "tmp",
    "temp",
    "partial",
    "crdownload",
    "swp",
    "swx",
    "download",
    "uploading",
    "upload",
    "incomplete",
    "writing",
];

pub(super) fn place(folders: &[Folder], path: &VPath) -> Place {
    let (Some(parent), Some(name)) = (path.parent(), path.name()) else { return Place::Plain };
    let holder = import_folder(folders, &parent).map(|folder| (folder, false)).or_else(|| {
        let above = parent.parent().filter(|_| parent.name() == Some(TEST_FOLDER))?;
        Some((import_folder(folders, &above)?, true))
    });
    let Some((folder, in_test)) = holder else { return Place::Plain };
    let beside = |why: String| Place::Beside { folder: folder.name.clone(), why };
    if is_temporary(name) {
        return beside("the name is a temporary one; rename it when it is complete".to_owned());
    }
    if is_reserved(name) && !is_corrections(name) {
        return beside("the name is reserved for reports".to_owned());
    }
    match &folder.pattern {
        Some(pattern) if !matches(pattern, name) => {
            beside(format!("name does not match {pattern}"))
        }
        _ => Place::Import { folder: folder.name.clone(), dry_run: in_test || is_test(name) },
    }
}

/// The import folder at exactly this path.
pub(super) fn import_folder<'a>(folders: &'a [Folder], path: &VPath) -> Option<&'a Folder> {
    folders.iter().find(|f| f.purpose == Purpose::Import && f.path == *path)
}

/// The first import folder that is `path` or lies below it.
pub(super) fn import_folder_below<'a>(folders: &'a [Folder], path: &VPath) -> Option<&'a Folder> {
    folders.iter().find(|f| f.purpose == Purpose::Import && f.path.is_within(path))
}

/// The import folder in or below which `path` lies.
pub(super) fn import_folder_above<'a>(folders: &'a [Folder], path: &VPath) -> Option<&'a Folder> {
    folders.iter().find(|f| f.purpose == Purpose::Import && path.is_within(&f.path))
}

/// Why a client may not write to this path; `None`: it may.
pub(super) fn refusal(folders: &[Folder], path: &VPath) -> Option<String> {
    let parent = path.parent()?;
    let name = path.name()?;
    let above = import_folder_above(folders, &parent)?;
    let inside = path.as_str().strip_prefix(above.path.as_str()).unwrap_or_default();
    let first = inside.split('/').find(|part| !part.is_empty()).unwrap_or_default();
    if first.eq_ignore_ascii_case(REPORTS_FOLDER) {
        return Some(format!(
            "{path}: the folder \"{REPORTS_FOLDER}\" is kept by the server; use another name"
        ));
    }
    let in_import = parent == above.path || parent.name() == Some(TEST_FOLDER);
    if in_import && is_reserved(name) && !is_corrections(name) {
        return Some(format!(
            "{path}: this name is reserved for the server's reports; use another name"
        ));
    }
    None
}

/// Names under which programs write a file before they rename it.
pub(super) fn is_temporary(name: &str) -> bool {
    let lower = name.to_lowercase();
    let ending = lower.rsplit_once('.').map(|(_, ending)| ending);
    lower.starts_with('.')
        || lower.starts_with("~$")
        || lower.ends_with('~')
        || ending.is_some_and(|e| TEMPORARY_ENDINGS.contains(&e))
}

fn is_reserved(name: &str) -> bool {
    let lower = name.to_lowercase();
    [".report.csv", ".report.json", ".report.html"].iter().any(|end| lower.ends_with(end))
}

fn is_corrections(name: &str) -> bool {
    name.to_lowercase().ends_with(".corrections.csv")
}

/// `users.test.csv`: tried and not applied.
fn is_test(name: &str) -> bool {
    let lower = name.to_lowercase();
    lower.rsplit_once('.').is_some_and(|(stem, _)| stem.ends_with(".test"))
}

fn matches(pattern: &str, name: &str) -> bool {
    // A pattern is checked when it is set; one that no longer reads triggers nothing rather than everything.
    GlobBuilder::new(pattern)
        .case_insensitive(true)
        .literal_separator(true)
        .build()
        .is_ok_and(|glob| glob.compile_matcher().is_match(name))
}
