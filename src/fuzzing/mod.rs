//! Every fuzz target by name. Each takes any bytes and fails only where a promise of the program is broken.
//!
//! `fuzz/` looks for such bytes, guided by coverage; what it found lies in `tests/corpus/<target>` and is asked again
//! by every `cargo test`, with some thousand changes of it. Neither is in a built program.

/// A target: its name, which is its folder's in `tests/corpus` too, and what is asked.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 16] = [
    ("text", crate::import::fuzzing::text),
    ("table", crate::import::fuzzing::table),
    ("cells", crate::import::fuzzing::cells),
    ("settings", crate::import::fuzzing::settings),
    ("packed", crate::import::fuzzing::packed),
    ("import", crate::import::fuzzing::whole),
    ("nights", crate::import::fuzzing::nights),
    ("paths", crate::model::fuzzing::paths),
    ("patterns", crate::service::fuzzing::patterns),
    ("ftp", crate::transport::fuzzing::ftp),
    ("sftp", crate::transport::fuzzing::sftp),
    ("scp", crate::transport::fuzzing::scp),
    ("listing", crate::remote::fuzzing::listing),
    ("proxy", crate::transport::fuzzing::proxy),
    ("pgp", crate::crypt::fuzzing::pgp),
    ("decision", crate::admin::fuzzing::decision),
];

/// Asks the target of this name.
pub fn ask(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    assert!(target.is_some(), "no target is called {name}");
    if let Some((_, ask)) = target {
        ask(bytes);
    }
}

#[cfg(test)]
mod replay;
