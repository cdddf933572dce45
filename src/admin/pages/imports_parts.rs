//! What the pages about imports share: ids in addresses, what an import waits for, sizes.

use crate::admin::shell::Shell;
use crate::error::{Error, Kind, Result};
use crate::import::report::{Group, Row, held_because};
use crate::model::{ImportStatus, Language, UploadId};
use crate::service::imports::{ImportView, Wait};

/// The id of an import in an address.
///
/// # Errors
/// `Kind::NotFound` for what is none: nobody learns more from it than from an id that is unknown.
pub(super) fn parse_id(text: &str) -> Result<UploadId> {
    text.parse().map_err(|_| {
        let shown: String = text.chars().take(60).collect();
        Error::new(Kind::NotFound, format!("there is no import {shown}"))
    })
}

/// What an import waits for, in the page's language.
pub(super) fn waits(p: &Shell, view: &ImportView) -> Option<String> {
    Some(match view.wait.as_ref()? {
        Wait::Approval(guards) => held_because(guards, p.language),
        Wait::Rows => rows(p, view.pending_lines.len()),
        Wait::Held(_) => p
            .t(
                "It waits behind a held import: each file of this folder builds on the one before.",
                "Il attend derrière un import en attente\u{a0}: chaque fichier de ce dossier s’appuie sur le précédent.",
                "Wartet hinter einem angehaltenen Import: Jede Datei dieses Ordners baut auf der vorigen auf.",
            )
            .to_owned(),
        Wait::Time(at) => match p.language {
            Language::En => format!("It is imported at {at}."),
            Language::Fr => format!("Il sera importé à {at}."),
            Language::De => format!("Wird um {at} importiert."),
        },
    })
}

fn rows(p: &Shell, count: usize) -> String {
    match (p.language, count) {
        (Language::En, 1) => "1 row waits for a decision".to_owned(),
        (Language::En, n) => format!("{n} rows wait for a decision"),
        (Language::Fr, 1) => "1 ligne attend une décision".to_owned(),
        (Language::Fr, n) => format!("{n} lignes attendent une décision"),
        (Language::De, 1) => "1 Zeile wartet auf eine Entscheidung".to_owned(),
        (Language::De, n) => format!("{n} Zeilen warten auf eine Entscheidung"),
    }
}

/// A size as people read it.
pub(super) fn size(p: &Shell, bytes: u64) -> String {
    const UNITS: [(u64, &str, &str); 3] =
        [(1 << 30, "GiB", "Gio"), (1 << 20, "MiB", "Mio"), (1 << 10, "KiB", "Kio")];
    for (unit, name, fr) in UNITS {
        if bytes >= unit {
            let tenths = bytes.saturating_mul(10) / unit;
            let name = if p.language == Language::Fr { fr } else { name };
            let comma = if p.language == Language::En { '.' } else { ',' };
            return format!("{}{comma}{}\u{a0}{name}", p.number(&(tenths / 10)), tenths % 10);
        }
    }
    let word = match (p.language, bytes) {
        (Language::Fr, 0 | 1) => "octet",
        (Language::Fr, _) => "octets",
        (Language::En, 1) => "byte",
        (Language::En, _) => "bytes",
        (Language::De, 1) => "Byte",
        (Language::De, _) => "Bytes",
    };
    format!("{bytes}\u{a0}{word}")
}

/// Whether an import as a whole, and not only tried, waits for somebody's decision.
pub(super) fn is_held(view: &ImportView) -> bool {
    view.status == ImportStatus::Held.name() && !view.dry_run && view.expires_at.is_some()
}

/// Messages of one level, some of them.
pub(super) struct Shown {
    pub(super) class: &'static str,
    pub(super) title: &'static str,
    /// How many there are in all.
    pub(super) total: usize,
    pub(super) rows: Vec<Row>,
}

impl Shown {
    /// At most `most` of a group, from a place on.
    pub(super) fn of(group: Group, from: usize, most: usize) -> Self {
        let total = group.rows.len();
        let rows = group.rows.into_iter().skip(from).take(most).collect();
        Self { class: group.class, title: group.title, total, rows }
    }

    /// Whether some are left out.
    pub(super) fn is_cut(&self) -> bool {
        self.rows.len() < self.total
    }
}

/// The first of each group.
pub(super) fn first(groups: Vec<Group>, most: usize) -> Vec<Shown> {
    groups.into_iter().map(|group| Shown::of(group, 0, most)).collect()
}
