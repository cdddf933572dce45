//! What must hold for any file name and pattern; asked by the fuzz targets (`fuzz/`).

use super::names::{Place, is_dry_run, is_reserved, place, refusal};
use crate::model::{Folder, Purpose, VPath};

/// Puts a file of the second line's name into a folder with the first line's pattern.
pub(crate) fn patterns(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (pattern, name) = text.split_once('\n').unwrap_or(("*.csv", &text));
    let folder = |pattern: Option<&str>| Folder {
        login: "acme".to_owned(),
        name: "import".to_owned(),
        path: "/in".parse().unwrap_or_else(|_| VPath::root()),
        purpose: Purpose::Import,
        pattern: pattern.map(str::to_owned),
    };
    let Ok(path) = folder(None).path.join(name) else { return };
    let all = [folder(None)];
    let some = [folder(Some(pattern))];
    let (of_all, of_some) = (place(&all, &path), place(&some, &path));
    let imports = |place: &Place| matches!(place, Place::Import { .. });
    assert!(
        imports(&of_all) || !imports(&of_some),
        "a pattern takes names away and adds none: {path} {pattern:?}"
    );
    let name = path.name().unwrap_or_default();
    if refusal(&all, &path).is_none() && !path.is_root() {
        // What a client may write is no report of ours, by whatever spelling of its name.
        assert!(
            !is_reserved(&name.to_ascii_lowercase())
                || path.parent().as_ref() != Some(&folder(None).path),
            "{path}"
        );
    }
    if imports(&of_all) {
        assert!(!is_reserved(name), "{path} is a report of ours");
        assert_eq!(is_dry_run(&all, &path), is_dry_run(&some, &path));
    }
}
