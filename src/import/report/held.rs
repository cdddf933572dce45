//! Why an import is held, in one line: for the answer to its upload and for lists.

use super::{GuardOutcome, Report, words};
use crate::import::codes::{Code, Words};
use crate::model::Language;

/// `212 people would end (limit 5 and 10 %); 188 rows fewer than the last file (limit 5 and 20 %)`; empty if nothing
/// holds the import.
#[must_use]
pub fn held_words(report: &Report, language: Language) -> String {
    held_because(&report.guards, language)
}

/// The same of what guards saw.
#[must_use]
pub fn held_because(guards: &[GuardOutcome], language: Language) -> String {
    let tripped = guards.iter().filter(|guard| guard.tripped);
    let all: Vec<String> = tripped.map(|guard| reason(guard, language)).collect();
    all.join(words::semicolon(language))
}

impl Report {
    /// Whether it was held before a newer file superseded it: then it had its turn, and its report lies beside the upload.
    #[must_use]
    pub fn is_superseded_hold(&self) -> bool {
        let superseded = self.messages.iter().find(|told| told.code == Code::N004);
        superseded.is_some_and(|told| told.why == "held")
    }

    /// Whether it is the same file as last time, of which rows or cells were refused then.
    #[must_use]
    pub fn repeats_refusals(&self) -> bool {
        self.messages.iter().any(|told| told.code == Code::N003 && told.why == "partial")
    }
}

/// The same as FTPS's 226 says it: `held: …; nothing was applied`.
pub(super) fn held_line(report: &Report, language: Language) -> String {
    let held = words::held_words().get(language);
    let nothing = words::nothing_applied_words().get(language);
    let (colon, semicolon) = (words::colon(language), words::semicolon(language));
    match held_words(report, language) {
        why if why.is_empty() => format!("{held}{semicolon}{nothing}"),
        why => format!("{held}{colon}{why}{semicolon}{nothing}"),
    }
}

fn reason(guard: &GuardOutcome, language: Language) -> String {
    let what = reason_words(guard.code.name()).get(language);
    let what = what.replace("{observed}", &guard.observed.to_string());
    let Some(limit) = guard.limit else { return what };
    let (count, percent) = (limit.count, limit.percent);
    match language {
        Language::En => format!("{what} (limit {count} and {percent} %)"),
        Language::Fr => format!("{what} (limite {count} et {percent}\u{a0}%)"),
        Language::De => format!("{what} (Grenze {count} und {percent} %)"),
    }
}

fn reason_words(code: &str) -> Words {
    let w = |en, fr, de| Words { en, fr, de };
    match code {
        "G601" => w(
            "{observed} people would end",
            "{observed} personnes sortiraient",
            "{observed} Personen würden ausscheiden",
        ),
        "G602" => w(
            "{observed} people would be created",
            "{observed} personnes seraient créées",
            "{observed} Personen würden neu angelegt",
        ),
        "G603" => w(
            "one field would change for {observed} people",
            "un même champ changerait pour {observed} personnes",
            "ein Feld würde sich bei {observed} Personen ändern",
        ),
        "G604" => w(
            "{observed} rows fewer than the last full file",
            "{observed} lignes de moins que le dernier fichier complet",
            "{observed} Zeilen weniger als in der letzten vollständigen Datei",
        ),
        "G605" => w(
            "all {observed} people of a legal entity are absent",
            "les {observed} personnes d’une entité légale sont toutes absentes",
            "alle {observed} Personen einer Gesellschaft fehlen",
        ),
        "G609" => w(
            "the contract ends of {observed} people would be lifted or moved later",
            "la fin de contrat de {observed} personnes serait levée ou repoussée",
            "das Vertragsende von {observed} Personen würde aufgehoben oder verschoben",
        ),
        "F005" => w(
            "the last row has no line end",
            "la dernière ligne n’a pas de fin de ligne",
            "die letzte Zeile hat kein Zeilenende",
        ),
        "A501" => w(
            "{observed} people are not in the file any more",
            "{observed} personnes ne figurent plus dans le fichier",
            "{observed} Personen stehen nicht mehr in der Datei",
        ),
        _ => w(
            "{observed} rows seem to carry another person under a known key",
            "{observed} lignes semblent désigner une autre personne sous une clé connue",
            "{observed} Zeilen scheinen unter bekanntem Schlüssel eine andere Person zu nennen",
        ),
    }
}
