//! Places where a test ends the program or fills the disk, to see whether every promise holds. Release builds have none of it.

use std::io;

/// A place between two steps. With `ROLLCALL_FAULT=kill:NAME` the program ends here as if it were killed; with
/// `full:NAME:FILE` the disk is full here for as long as that file exists.
///
/// # Errors
/// A full disk, in a test.
#[cfg(debug_assertions)]
pub fn at(name: &str) -> io::Result<()> {
    use std::sync::OnceLock;
    static FAULT: OnceLock<Option<String>> = OnceLock::new();
    let Some(fault) = FAULT.get_or_init(|| std::env::var("ROLLCALL_FAULT").ok()) else {
        return Ok(());
    };
    let mut parts = fault.splitn(3, ':');
    match (parts.next(), parts.next(), parts.next()) {
        // No destructor, no flush, no answer: what the disk has by now is all that there is.
        (Some("kill"), Some(place), _) if place == name => std::process::abort(),
        (Some("full"), Some(place), Some(file)) if place == name => {
            if std::path::Path::new(file).exists() {
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A place between two steps, of which a release build knows nothing.
///
/// # Errors
/// Never.
#[cfg(not(debug_assertions))]
#[inline]
pub fn at(_name: &str) -> io::Result<()> {
    Ok(())
}
