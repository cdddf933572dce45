//! What must hold for any path that a client sends; asked by the fuzz targets (`fuzz/`).

use super::{MAX_NAME_BYTES, MAX_PATH_BYTES, VPath};

/// Resolves the second line in the folder of the first, and further lines from there.
pub(crate) fn paths(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut at = VPath::root();
    for raw in text.split('\n').take(20) {
        let Ok(path) = at.join(raw) else { continue };
        check(&path);
        if !raw.starts_with('/') && !raw.contains("..") {
            assert!(path.is_within(&at), "{at} + {raw:?} = {path}");
        }
        at = path;
    }
}

fn check(path: &VPath) {
    let text = path.as_str();
    assert!(text.starts_with('/') && text.len() <= MAX_PATH_BYTES);
    assert!(path.is_root() || !text.ends_with('/'), "{text:?}");
    assert!(!text.chars().any(|c| c.is_control() || c == '\u{FFFD}'), "{text:?}");
    for part in path.parts() {
        assert!(!matches!(part, "" | "." | "..") && part.len() <= MAX_NAME_BYTES, "{text:?}");
    }
    assert_eq!(text.parse().as_ref(), Ok(path));
    assert_eq!(path.join(text).as_ref(), Ok(path), "an absolute path is the same from everywhere");
    assert_eq!(path.join(".").as_ref(), Ok(path));
    assert!(path.is_within(path) && path.is_within(&VPath::root()));
    let below = path.relative();
    assert!(!below.starts_with('/') && !below.is_empty());
    assert_eq!(VPath::root().join(below).as_ref(), Ok(path));
    match (path.parent(), path.name()) {
        (Some(parent), Some(name)) => {
            assert!(path.is_within(&parent) && !parent.is_within(path));
            assert_eq!(parent.join(name).as_ref(), Ok(path));
            assert_eq!(path.join("..").as_ref(), Ok(&parent));
        }
        (parent, name) => assert!(path.is_root() && parent.is_none() && name.is_none()),
    }
    let stored = serde_json::to_string(path).unwrap_or_default();
    assert_eq!(serde_json::from_str(&stored).ok().as_ref(), Some(path));
}
