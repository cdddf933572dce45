//! What must hold for any command line and any line of the scp protocol; asked by the fuzz targets (`fuzz/`).

use super::command::Command;
use super::lines::{Line, name_fault};
use crate::config::SCP_COMMAND_BYTES;
use crate::model::VPath;

/// Reads the bytes as a command, and as lines: what is understood is written and read again the same, and no name leaves
/// its folder.
pub(crate) fn scp(bytes: &[u8]) {
    if let Some(command) = Command::parse(bytes) {
        ask_command(&command);
    }
    for line in bytes.split(|byte| *byte == b'\n') {
        let Ok(line) = Line::parse(line) else { continue };
        let written = line.write();
        let again = Line::parse(written.strip_suffix('\n').unwrap_or_default().as_bytes());
        assert_eq!(again.as_ref(), Ok(&line), "{written:?}");
        if let Line::File(_, name) | Line::Folder(name) = &line {
            ask_name(name);
        }
    }
}

fn ask_command(command: &Command) {
    assert!(!command.paths.is_empty());
    for path in &command.paths {
        assert!(!path.text.contains('\0'));
        let Some(pattern) = &path.pattern else { continue };
        assert!(!pattern.contains('/') && pattern.contains(['*', '?', '[']), "{pattern:?}");
    }
    let line = command.line();
    let mut literal = command.clone();
    literal.paths.iter_mut().for_each(|path| path.pattern = None);
    if line.len() <= SCP_COMMAND_BYTES {
        assert_eq!(Command::parse(line.as_bytes()), Some(literal), "{line:?}");
    }
}

fn ask_name(name: &str) {
    let folder = VPath::root().join("in").unwrap_or_else(|_| VPath::root());
    if name_fault(name).is_none()
        && let Ok(path) = folder.join(name)
    {
        assert_eq!((path.parent(), path.name()), (Some(folder), Some(name)));
    }
}
