//! What must hold for any line with which a server tells of its files; asked by the fuzz targets (`fuzz/`).

use super::super::RemoteEntry;
use super::listing::{list_line, mlsd_line, time};

/// Reads each line as one of MLSD and of LIST: what it names is an entry of that very folder, and told again it is the
/// same.
pub(crate) fn listing(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for line in text.split('\n').take(50) {
        if let Some(entry) = mlsd_line(line) {
            check(line, &entry);
            let modified = entry.modified.map(|at| at.strftime("modify=%Y%m%d%H%M%S.%f;"));
            let again = format!(
                "type={};{}{} {}",
                if entry.is_folder { "dir" } else { "file" },
                entry.bytes.map(|bytes| format!("size={bytes};")).unwrap_or_default(),
                modified.map(|at| at.to_string()).unwrap_or_default(),
                entry.name
            );
            assert_eq!(mlsd_line(&again).as_ref(), Some(&entry), "{again:?}");
        }
        if let Some(entry) = list_line(line) {
            check(line, &entry);
            assert!(entry.modified.is_none(), "in nobody knows which time zone: {line:?}");
            assert!(entry.is_folder || !line.starts_with('-') || entry.bytes.is_some(), "{line:?}");
            let kind = if entry.is_folder { 'd' } else { '-' };
            let bytes = entry.bytes.unwrap_or(0);
            let again = format!("{kind}rw-r--r-- 1 o g {bytes} Jan 02 03:04 {}", entry.name);
            let read = list_line(&again);
            let same = RemoteEntry { bytes: entry.bytes.or((kind == '-').then_some(0)), ..entry };
            assert_eq!(read, Some(same), "{again:?}");
        }
        let _ = time(line);
    }
}

fn check(line: &str, entry: &RemoteEntry) {
    assert!(RemoteEntry::is_name(&entry.name), "{line:?}: {entry:?}");
    assert!(line.contains(&entry.name), "{line:?}: {entry:?}");
    assert!(!entry.is_folder || entry.bytes.is_none(), "{line:?}: {entry:?}");
}
