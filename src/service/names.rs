//! Which upload is an import: import folders, patterns, temporary and reserved names.

use globset::GlobBuilder;

use super::holds::Verdict;
use crate::import::report::is_reserved_name;
use crate::model::{Folder, MAX_NAME_BYTES, Purpose, VPath};

/// What an upload to a path is, by its name alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// It is imported with this folder's settings.
    Import { folder: String },
    /// It lies in an import folder and its name asks for no import; the words say why.
    Beside { folder: String, why: String },
    /// It lies in no import folder.
    Plain,
}

/// The sub-folder of an import folder whose uploads are tried and not applied.
const TEST_FOLDER: &str = "test";
/// The sub-folder of an import folder that keeps old reports.
pub(super) const REPORTS_FOLDER: &str = "reports";

/// The longest name of an upload in an import folder: `reports/` adds a time, an id and an ending to it.
const MAX_IMPORT_NAME_BYTES: usize = MAX_NAME_BYTES - 75;

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
    let Some(folder) = import_home(folders, &parent) else { return Place::Plain };
    let beside = |why: String| Place::Beside { folder: folder.name.clone(), why };
    if is_temporary(name) {
        return beside("the name is a temporary one; rename it when it is complete".to_owned());
    }
    if is_reserved(name) {
        return beside("the name is reserved for reports".to_owned());
    }
    match &folder.pattern {
        Some(pattern) if !starts_import(pattern, name) => {
            beside(format!("name does not match {pattern}"))
        }
        _ => Place::Import { folder: folder.name.clone() },
    }
}

/// The import folder to which files right in `folder` belong.
pub(super) fn import_home<'a>(folders: &'a [Folder], folder: &VPath) -> Option<&'a Folder> {
    folders.iter().find(|f| f.purpose == Purpose::Import && is_home(&f.path, folder))
}

/// Whether `folder` is the import folder at `home` or its test folder.
pub(super) fn is_home(home: &VPath, folder: &VPath) -> bool {
    folder == home || (folder.name() == Some(TEST_FOLDER) && folder.parent().as_ref() == Some(home))
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
    let mut below = inside.split('/').filter(|part| !part.is_empty()).peekable();
    below.next_if(|part| *part == TEST_FOLDER);
    if below.next().is_some_and(|first| first.eq_ignore_ascii_case(REPORTS_FOLDER)) {
        return Some(format!(
            "{path}: the folder \"{REPORTS_FOLDER}\" is kept by the server; use another name"
        ));
    }
    let is_home = is_home(&above.path, &parent);
    if is_home && is_reserved(name) {
        return Some(format!(
            "{path}: this name is reserved for the server's reports; use another name"
        ));
    }
    if is_home && name.len() > MAX_IMPORT_NAME_BYTES {
        return Some(format!(
            "{path}: the name has {} bytes; here at most {MAX_IMPORT_NAME_BYTES} are allowed, so that the report's name fits",
            name.len()
        ));
    }
    None
}

/// A name that decides about a held import: `users.csv.approve-<12 hex digits>` beside `users.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DecisionName {
    /// The import folder's name.
    pub(super) folder: String,
    /// The upload that is decided about.
    pub(super) upload: VPath,
    /// What shall become of it.
    pub(super) verdict: Verdict,
    /// How its SHA-256 begins.
    pub(super) sha256: String,
}

/// What a name right in an import folder decides, if it is the name of a decision.
pub(super) fn decision(folders: &[Folder], path: &VPath) -> Option<DecisionName> {
    let (parent, name) = (path.parent()?, path.name()?);
    let home = folders.iter().find(|f| f.purpose == Purpose::Import && f.path == parent)?;
    let (upload, last) = name.rsplit_once('.')?;
    let (verdict, sha256) = last.split_once('-')?;
    let verdict = [Verdict::Approve, Verdict::Discard]
        .into_iter()
        .find(|known| known.name().eq_ignore_ascii_case(verdict))?;
    let is_digest = sha256.len() == 12 && sha256.bytes().all(|b| b.is_ascii_hexdigit());
    Some(DecisionName {
        folder: home.name.clone(),
        upload: parent.join(upload).ok().filter(|_| is_digest)?,
        verdict,
        sha256: sha256.to_ascii_lowercase(),
    })
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

/// Whether a name is one of the server's reports or markers.
pub(super) fn is_reserved(name: &str) -> bool {
    is_reserved_name(name) && !is_random_partial(name)
}

/// `users.csv.2a3b4c5d.partial`: rclone's name while it writes; the marker would be `users.csv.partial`.
fn is_random_partial(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.strip_suffix(".partial").and_then(|stem| stem.rsplit_once('.')).is_some_and(
        |(_, random)| random.len() == 8 && random.bytes().all(|b| b.is_ascii_alphanumeric()),
    )
}

/// An encrypted file counts under the name of the file in it: `users.csv.pgp` matches `*.csv`.
fn starts_import(pattern: &str, name: &str) -> bool {
    let inner = inner_name(name);
    matches(pattern, name) || matches(pattern, inner) || is_corrections(inner)
}

/// Endings under which encrypted, signed and packed files are sent.
const WRAPPINGS: [&str; 4] = ["pgp", "gpg", "asc", "zip"];

/// The name of the file in an encrypted or packed one: `users.csv` of `users.csv.pgp`. Else the name itself.
fn inner_name(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((inner, last))
            if !inner.is_empty()
                && WRAPPINGS.iter().any(|known| last.eq_ignore_ascii_case(known)) =>
        {
            inner
        }
        _ => name,
    }
}

fn is_corrections(name: &str) -> bool {
    name.to_lowercase().ends_with(".corrections.csv")
}

/// Whether an upload is tried and not applied: `users.test.csv`, or anything in the `test/` below an import folder.
pub(super) fn is_dry_run(folders: &[Folder], path: &VPath) -> bool {
    let name = path.name().unwrap_or_default();
    let in_test = path.parent().is_some_and(|parent| {
        // An import folder may itself be called `test`.
        let is_import = folders.iter().any(|f| f.purpose == Purpose::Import && f.path == parent);
        parent.name() == Some(TEST_FOLDER) && !is_import
    });
    let is_marked = |name: &str| {
        let lower = name.to_lowercase();
        lower.rsplit_once('.').is_some_and(|(stem, _)| stem.ends_with(".test"))
    };
    in_test || is_marked(name) || is_marked(inner_name(name))
}

fn matches(pattern: &str, name: &str) -> bool {
    // A pattern is checked when it is set; one that no longer reads triggers nothing rather than everything.
    GlobBuilder::new(pattern)
        .case_insensitive(true)
        .literal_separator(true)
        .build()
        .is_ok_and(|glob| glob.compile_matcher().is_match(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(path: &str, pattern: Option<&str>) -> Folder {
        Folder {
            login: "acme".to_owned(),
            name: "import".to_owned(),
            path: path.parse().unwrap(),
            purpose: Purpose::Import,
            pattern: pattern.map(str::to_owned),
        }
    }

    fn check(folders: &[Folder], path: &str, expected: &str) {
        let found = match place(folders, &path.parse().unwrap()) {
            Place::Import { .. } => "import",
            Place::Beside { .. } => "beside",
            Place::Plain => "plain",
        };
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn only_final_names_right_in_an_import_folder_are_imported() {
        let all = [folder("/in", None)];
        let csv = [folder("/in", Some("*.csv"))];
        for (path, of_all, of_csv) in [
            ("/in/users.csv", "import", "import"),
            ("/in/USERS.CSV", "import", "import"),
            ("/in/users.txt", "import", "beside"),
            ("/in/test/users.csv", "import", "import"),
            ("/in/users.csv.corrections.csv", "import", "import"),
            ("/in/users.csv.pgp", "import", "import"),
            ("/in/users.CSV.Gpg", "import", "import"),
            ("/in/users.csv.asc", "import", "import"),
            ("/in/users.csv.zip", "import", "import"),
            ("/in/users.csv.corrections.csv.gpg", "import", "import"),
            ("/in/users.pgp", "import", "beside"),
            ("/in/users.csv.gpg.tmp", "beside", "beside"),
            ("/in/deeper/users.csv", "plain", "plain"),
            ("/in/test/deeper/users.csv", "plain", "plain"),
            ("/users.csv", "plain", "plain"),
            ("/in2/users.csv", "plain", "plain"),
            ("/in/users.csv.report.csv", "beside", "beside"),
            ("/in/users.csv.ok", "beside", "beside"),
            ("/in/.users.csv", "beside", "beside"),
            ("/in/.in.users.csv.", "beside", "beside"),
            ("/in/users.csv.filepart", "beside", "beside"),
            ("/in/users.csv.PART", "beside", "beside"),
            ("/in/users.csv.tmp", "beside", "beside"),
            ("/in/users.csv~", "beside", "beside"),
            ("/in/users.csv.2a3b4c5d.partial", "beside", "beside"),
        ] {
            check(&all, path, of_all);
            check(&csv, path, of_csv);
        }
    }

    #[test]
    fn what_the_server_writes_no_client_writes() {
        let folders = [folder("/in", None)];
        let refused = |path: &str| refusal(&folders, &path.parse().unwrap()).is_some();
        for path in [
            "/in/users.csv.report.json",
            "/in/reports",
            "/in/Reports/x",
            "/in/reports/deep/x.csv",
            "/in/test/reports/x.csv",
            "/in/test/users.csv.test-ok",
        ] {
            assert!(refused(path), "{path}");
        }
        for path in [
            "/in/users.csv",
            "/in/users.csv.corrections.csv",
            "/in/users.csv.2a3b4c5d.partial",
            "/in/deeper/users.csv.report.json",
            "/out/users.csv.report.json",
            "/reports/x.csv",
        ] {
            assert!(!refused(path), "{path}");
        }
    }

    #[test]
    fn a_decision_names_its_upload_and_the_first_digits_of_its_bytes() {
        let folders = [folder("/in", None)];
        let of = |path: &str| decision(&folders, &path.parse().unwrap());
        let found = of("/in/users.csv.approve-0123456789AB").unwrap();
        assert_eq!(found.upload, "/in/users.csv".parse().unwrap());
        assert_eq!((found.verdict, found.sha256.as_str()), (Verdict::Approve, "0123456789ab"));
        assert_eq!(of("/in/a.b.csv.discard-0123456789ab").unwrap().verdict, Verdict::Discard);
        for path in [
            "/in/users.csv",
            "/in/users.csv.approve-0123456789a",
            "/in/users.csv.approve-0123456789abc",
            "/in/users.csv.approve-0123456789xy",
            "/in/users.csv.keep-0123456789ab",
            "/in/approve-0123456789ab",
            "/in/test/users.csv.approve-0123456789ab",
            "/in/deeper/users.csv.approve-0123456789ab",
            "/users.csv.approve-0123456789ab",
        ] {
            assert_eq!(of(path), None, "{path}");
        }
    }

    #[test]
    fn a_folder_called_test_may_be_an_import_folder() {
        let dry = |folders: &[Folder], path: &str| is_dry_run(folders, &path.parse().unwrap());
        let folders = [folder("/in", None), folder("/test", None)];
        assert!(dry(&folders, "/in/test/users.csv"));
        assert!(dry(&folders, "/in/users.test.csv"));
        assert!(dry(&folders, "/in/users.test.csv.pgp"));
        assert!(dry(&folders, "/in/users.test.zip"));
        assert!(!dry(&folders, "/in/users.csv.pgp"));
        assert!(!dry(&folders, "/test/users.csv"));
        assert!(!dry(&folders, "/in/latest.csv"));
        assert!(dry(&[], "/in/test/users.csv"), "also when the folder was removed meanwhile");
    }
}
