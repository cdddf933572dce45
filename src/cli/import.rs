//! `import CLIENT FILE`: the same import as an upload's, from a file on this machine.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Outcome, Place, Stop, story};
use crate::error::{Error, Kind};
use crate::import::report::{self, Report};
use crate::model::ImportStatus;
use crate::service::by_hand::{Content, DryRun, ImportFile};

/// How many messages are printed.
const SHOWN_MESSAGES: usize = 20;

/// `import …`
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The client
    client: String,
    /// The file
    file: PathBuf,
    /// The import folder whose settings apply (needed if the client has several)
    #[arg(long, value_name = "NAME")]
    folder: Option<String>,
    /// Show what would happen and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Exit code 1 when nothing was applied because the file was refused or is held.
pub(super) fn run(place: &Place, args: &ImportArgs) -> Outcome {
    let service = place.service()?;
    let client = service.client(&args.client)?;
    let content = content_of(&args.file, place.config.limits.max_import_bytes)?;
    let name = args.file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let dry_run = if args.dry_run { DryRun::Yes } else { DryRun::No };
    let file =
        ImportFile { client: &args.client, folder: args.folder.as_deref(), name: &name, content };
    let done = service.import_file(file, dry_run)?;
    let json = report::json(&done, client.language);
    if place.out.is_json() {
        place.out.bytes(&json)?;
    } else {
        let value = serde_json::from_slice(&json).map_err(Stop::from_json)?;
        story::tell(place.out, &value, SHOWN_MESSAGES)?;
        if !args.dry_run {
            let waits = done.status == ImportStatus::Held || !done.pending_rows.is_empty();
            let what = if waits { "What to do, and the whole report" } else { "The whole report" };
            let command = if waits { "show" } else { "report" };
            place.out.line(format!("\n{what}: rollcall imports {command} {}", done.import))?;
        }
    }
    not_applied(&done).map_or(Ok(()), |words| Err(Error::new(Kind::Conflict, words).into()))
}

/// A script must not go on as if the file were applied: what to say of one that is not.
fn not_applied(report: &Report) -> Option<String> {
    let id = &report.import;
    let words = match (report.status, report.dry_run) {
        (ImportStatus::Held, false) => format!(
            "held, nothing was applied; if the file is right: rollcall imports approve {id}; if not: rollcall imports discard {id}"
        ),
        (ImportStatus::Held, true) => {
            "dry run: the file would be held; the report says why".to_owned()
        }
        (ImportStatus::Rejected, true) => {
            "dry run: the file would be refused; the report says why".to_owned()
        }
        (ImportStatus::Rejected, false) => {
            format!("refused, nothing was applied; why: rollcall imports report {id}")
        }
        (ImportStatus::Failed, _) => {
            format!("failed, nothing was applied; why: rollcall imports show {id}")
        }
        _ => return None,
    };
    Some(words)
}

/// A regular file is read as it is taken in; what a pipe gives must be whole before anybody waits for it.
fn content_of(path: &Path, max_bytes: u64) -> Outcome<Content<'static>> {
    let file = Limited::open(path, max_bytes)?;
    Ok(if file.is_regular { Content::File(file.file) } else { file.read()?.into() })
}

/// The whole file; one that is too large for an import is refused before it fills the memory.
pub(super) fn read_limited(path: &Path, max_bytes: u64) -> Outcome<Vec<u8>> {
    Limited::open(path, max_bytes)?.read()
}

/// An open file that is not too large for an import, as far as it tells its size.
struct Limited<'a> {
    path: &'a Path,
    file: File,
    is_regular: bool,
    told_bytes: u64,
    max_bytes: u64,
}

impl<'a> Limited<'a> {
    fn open(path: &'a Path, max_bytes: u64) -> Outcome<Self> {
        let fault = |e| fault(path, e);
        let file = File::open(path).map_err(fault)?;
        let metadata = file.metadata().map_err(fault)?;
        let told_bytes = metadata.len();
        // Some file systems make a file's content as it is read, and tell no size.
        let is_regular = metadata.is_file() && told_bytes > 0;
        let limited = Self { path, file, is_regular, told_bytes, max_bytes };
        if told_bytes > max_bytes { Err(limited.too_large()) } else { Ok(limited) }
    }

    fn read(self) -> Outcome<Vec<u8>> {
        // Growing by doubling, a large file would be in memory twice.
        let room = usize::try_from(self.told_bytes.saturating_add(1)).unwrap_or(0);
        let mut bytes = Vec::with_capacity(room);
        // A pipe tells no size, and a file may grow while it is read.
        let mut taken = (&self.file).take(self.max_bytes.saturating_add(1));
        taken.read_to_end(&mut bytes).map_err(|e| fault(self.path, e))?;
        match u64::try_from(bytes.len()) {
            Ok(n) if n <= self.max_bytes => Ok(bytes),
            _ => Err(self.too_large()),
        }
    }

    fn too_large(&self) -> Stop {
        let (path, max_bytes) = (self.path.display(), self.max_bytes);
        let words = format!(
            "{path} has more than limits.max_import_bytes = {max_bytes} bytes; split it or raise the limit"
        );
        Error::new(Kind::TooLarge, words).into()
    }
}

fn fault(path: &Path, error: std::io::Error) -> Error {
    Error::io(format!("reading {}", path.display()), error)
}
