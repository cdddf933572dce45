//! What must hold for any bytes that the import reads. The fuzz targets ask it (`fuzz/`), and a test over `tests/corpus`.

mod applied;
mod cells;
mod nights;
mod packed;
mod table;
mod text;
mod whole;

use jiff::civil::{Date, date};

use super::Limits;
use super::inspect::refusal_words;
use super::note::FileRefusal;
use crate::model::Language;

pub(crate) use cells::cells;
pub(crate) use nights::nights;
pub(crate) use packed::packed;
pub(crate) use table::table;
pub(crate) use text::text;
pub(crate) use whole::{settings, whole};

/// The day on which everything is read here.
const TODAY: Date = date(2026, 11, 21);

/// Small, so that a file that is larger than it may be is soon found.
const LIMITS: Limits = Limits {
    max_bytes: 1 << 20,
    max_unpack_ratio: 250,
    max_columns: 200,
    max_cell_bytes: 4096,
    max_report_changes: 50,
    max_report_messages: 50,
};

/// A refused file is refused with a code of files, and says in each language what is wrong and what to do.
fn explained(refusal: &FileRefusal) {
    assert!(refusal.code.starts_with('F'), "{refusal:?}");
    for language in Language::ALL {
        let (text, cure) = refusal_words(refusal, language);
        assert!(!text.is_empty() && !cure.is_empty(), "{language:?}: {refusal:?}");
        assert!(
            !text.contains('{') || refusal.params.iter().any(|(_, v)| v.contains('{')),
            "{text}"
        );
    }
}
