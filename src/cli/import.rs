//! `import CLIENT FILE`: the same import as an upload's, from a file on this machine.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Outcome, Place, Stop, story};
use crate::error::{Error, Kind};
use crate::import::report::{self, Report};
use crate::model::ImportStatus;
use crate::service::imports::{DryRun, ImportFile};

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
    let bytes = read_limited(&args.file, place.config.limits.max_import_bytes)?;
    let name = args.file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let dry_run = if args.dry_run { DryRun::Yes } else { DryRun::No };
    let file = ImportFile {
        client: &args.client,
        folder: args.folder.as_deref(),
        name: &name,
        bytes: bytes.into(),
    };
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
    match done.status {
        ImportStatus::Rejected | ImportStatus::Failed => Err(Stop::Quiet(1)),
        ImportStatus::Held if done.dry_run => Err(Stop::Quiet(1)),
        ImportStatus::Held => Err(held(&done)),
        _ => Ok(()),
    }
}

/// A script must not go on as if the file were applied.
fn held(report: &Report) -> Stop {
    let id = &report.import;
    let words = format!(
        "held, nothing was applied; if the file is right: rollcall imports approve {id}; if not: rollcall imports discard {id}"
    );
    Error::new(Kind::Conflict, words).into()
}

/// The whole file; one that is too large for an import is refused before it fills the memory.
pub(super) fn read_limited(path: &Path, max_bytes: u64) -> Outcome<Vec<u8>> {
    let fault = |e| Error::io(format!("reading {}", path.display()), e);
    let file = std::fs::File::open(path).map_err(fault)?;
    let told_bytes = file.metadata().map_err(fault)?.len();
    // A pipe tells no size, and a file may grow while it is read.
    if told_bytes <= max_bytes {
        // Growing by doubling, a large file would be in memory twice.
        let room = usize::try_from(told_bytes.saturating_add(1)).unwrap_or(0);
        let mut bytes = Vec::with_capacity(room);
        file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(fault)?;
        if u64::try_from(bytes.len()).is_ok_and(|n| n <= max_bytes) {
            return Ok(bytes);
        }
    }
    let words = format!(
        "{} has more than limits.max_import_bytes = {max_bytes} bytes; split it or raise the limit",
        path.display()
    );
    Err(Error::new(Kind::TooLarge, words).into())
}
