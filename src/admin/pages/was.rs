//! Two people at one form: what one of them did not touch stays as the other has saved it since.

use crate::admin::form::Pairs;
use crate::admin::shell::Shell;

/// The fields of a form by name, each as one text that is the same in every language.
pub(super) type Fields = Vec<(&'static str, String)>;

/// The hidden field that carries what the form showed when it was opened.
const WAS: &str = "was";

/// What a form shows, as its field `was` carries it.
pub(super) fn carried(fields: &Fields) -> String {
    serde_json::to_string(fields).unwrap_or_default()
}

/// What a form that came back carries; empty: it does not say what it showed.
pub(super) fn of(pairs: &Pairs) -> &str {
    pairs.iter().find(|(key, _)| key == WAS).map_or("", |(_, value)| value)
}

/// A box that is ticked or not.
pub(super) fn ticked(is: bool) -> String {
    if is { "✓" } else { "–" }.to_owned()
}

/// What has become of the fields of a form since it was opened.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Since {
    /// The fields that say what they showed: they ask for nothing.
    untouched: Vec<&'static str>,
    /// The fields that somebody else has changed to something else, and what they are now.
    pub(super) overtaken: Fields,
}

/// Compares what a form showed, what it says, and what holds now. A form that does not say what it showed counts whole.
pub(super) fn since(was: &str, sent: &Fields, now: &Fields) -> Since {
    let was: Vec<(String, String)> = serde_json::from_str(was).unwrap_or_default();
    let mut since = Since::default();
    for ((name, sent), (_, now)) in sent.iter().zip(now) {
        let Some((_, was)) = was.iter().find(|(known, _)| known == name) else { continue };
        if sent == was {
            since.untouched.push(name);
        } else if now != was && now != sent {
            since.overtaken.push((name, now.clone()));
        }
    }
    since
}

impl Since {
    /// What somebody else has changed.
    pub(super) fn about(overtaken: Fields) -> Self {
        Self { untouched: Vec::new(), overtaken }
    }

    /// Whether a field asks for something.
    pub(super) fn touches(&self, name: &str) -> bool {
        !self.untouched.contains(&name)
    }

    /// The form without the fields that ask for nothing.
    pub(super) fn touched(&self, pairs: &Pairs) -> Pairs {
        let counts = |(key, value): &&(String, String)| {
            self.touches(key) && (key != "has" || self.touches(value))
        };
        pairs.iter().filter(counts).cloned().collect()
    }

    /// What the second of two people is told.
    pub(super) fn words(&self, p: &Shell, label: impl Fn(&'static str) -> &'static str) -> String {
        let now: Vec<String> = self
            .overtaken
            .iter()
            .map(|(name, now)| {
                let now = if now.is_empty() { "–" } else { now };
                format!("{}{} {now}", label(name), p.t(":", "\u{a0}:", ":"))
            })
            .collect();
        let saved = p.t("Saved now –", "Enregistré à présent –", "Jetzt gespeichert –");
        format!("{} {saved} {}", overtaken(p), now.join("; "))
    }
}

fn overtaken(p: &Shell) -> &str {
    p.t(
        "Somebody else has changed this since you opened the page. Nothing of yours was saved. Below stands what you entered; check it and save again.",
        "Quelqu’un d’autre a modifié ceci depuis que vous avez ouvert la page. Rien de votre saisie n’a été enregistré. Ci-dessous, votre saisie\u{a0}; vérifiez et enregistrez à nouveau.",
        "Jemand anders hat dies geändert, seit Sie die Seite geöffnet haben. Von Ihnen wurde nichts gespeichert. Unten steht Ihre Eingabe; prüfen Sie sie und speichern Sie noch einmal.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_touched_stays_as_the_other_saved_it() {
        let fields = |day: &str, from: &str, both: bool| -> Fields {
            vec![("day", day.to_owned()), ("from", from.to_owned()), ("both", ticked(both))]
        };
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let was = carried(&fields("", "", false));
        // Somebody restricted the addresses; this form sets a day.
        let now = fields("", "192.0.2.0/24", true);
        let one = since(&was, &fields("2030-01-31", "", false), &now);
        assert!(one.overtaken.is_empty() && one.touches("day") && !one.touches("from"));
        let pairs = vec![pair("day", "2030-01-31"), pair("from", ""), pair("has", "both")];
        assert_eq!(one.touched(&pairs), [pair("day", "2030-01-31")]);
        // Both changed the addresses, in two ways; the same way is no quarrel.
        let other = since(&was, &fields("", "203.0.113.0/24", true), &now);
        assert_eq!(other.overtaken, [("from", "192.0.2.0/24".to_owned())]);
        // A form of a script says nothing of what was.
        assert_eq!(since("", &fields("", "", false), &now), Since::default());
    }
}
