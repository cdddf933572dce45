//! Invisible signs that change the direction in which a text is shown.

/// Whether everything after this sign may be shown backwards: a name or value with one could forge a message.
#[must_use]
pub fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
