//! The words of e-mails that are not the report's own.

use crate::import::codes::Words;
use crate::model::{ImportStatus, Language};

const fn w(en: &'static str, fr: &'static str, de: &'static str) -> Words {
    Words { en, fr, de }
}

/// How a subject begins: one word that a mail rule can look for.
pub(super) fn tag(status: ImportStatus) -> Words {
    match status {
        ImportStatus::Ok => w("OK", "OK", "OK"),
        ImportStatus::OkWithWarnings => w("WARNINGS", "AVERTISSEMENTS", "WARNUNGEN"),
        ImportStatus::Partial => w("PARTIAL", "PARTIEL", "TEILWEISE"),
        ImportStatus::Held => w("HELD", "EN ATTENTE", "ANGEHALTEN"),
        ImportStatus::Rejected => w("REFUSED", "REFUSÉ", "ABGELEHNT"),
        ImportStatus::Duplicate => w("SAME FILE", "MÊME FICHIER", "DIESELBE DATEI"),
        ImportStatus::Superseded => w("REPLACED", "REMPLACÉ", "ERSETZT"),
        ImportStatus::Discarded => w("DISCARDED", "ABANDONNÉ", "VERWORFEN"),
        ImportStatus::Expired => w("EXPIRED", "EXPIRÉ", "ABGELAUFEN"),
        ImportStatus::Undone => w("UNDONE", "ANNULÉ", "ZURÜCKGENOMMEN"),
        ImportStatus::Failed => w("FAILED", "ÉCHEC", "FEHLER"),
    }
}

/// What stands in the subject after the file's name, where the numbers do not say it.
pub(super) fn gist(status: ImportStatus) -> Words {
    match status {
        ImportStatus::Held => {
            w("waits for approval", "attend une approbation", "wartet auf Freigabe")
        }
        ImportStatus::Duplicate => w("nothing new", "rien de nouveau", "nichts Neues"),
        ImportStatus::Superseded => w(
            "a newer file took its place",
            "un fichier plus récent l’a remplacé",
            "eine neuere Datei hat sie ersetzt",
        ),
        ImportStatus::Undone => w(
            "the import was taken back",
            "l’import a été annulé",
            "der Import wurde zurückgenommen",
        ),
        _ => w("nothing was applied", "rien n’a été appliqué", "nichts wurde übernommen"),
    }
}

macro_rules! labels {
    ($($name:ident $en:literal $fr:literal $de:literal;)+) => {
        /// Words in one language.
        pub(super) struct Labels { $(pub(super) $name: &'static str),+ }

        impl Labels {
            pub(super) fn of(language: Language) -> Self {
                Self { $($name: w($en, $fr, $de).get(language)),+ }
            }
        }
    };
}

labels! {
    client "Client:" "Client\u{a0}:" "Kunde:";
    file "File:" "Fichier\u{a0}:" "Datei:";
    received "Received:" "Reçu\u{a0}:" "Empfangen:";
    why_held "Why it is held" "Pourquoi il est en attente" "Warum sie angehalten ist";
    next "What to do next" "Que faire maintenant" "Was jetzt zu tun ist";
    operator "Commands for the operator:" "Commandes pour l’exploitant\u{a0}:" "Befehle für den Betreiber:";
    problems "What is to be looked at" "Ce qu’il faut examiner" "Was anzusehen ist";
    problems_first "What is to be looked at: the first of it" "Ce qu’il faut examiner\u{a0}: les premiers points" "Was anzusehen ist: die ersten Punkte";
    line "Line" "Ligne" "Zeile";
    whole_file "The file" "Le fichier" "Die Datei";
    decision "Decision:" "Décision\u{a0}:" "Entscheidung:";
    full "The full report" "Le rapport complet" "Der vollständige Bericht";
    open "Open it here:" "À ouvrir ici\u{a0}:" "Hier öffnen:";
    open_decide "Look at it and decide here:" "À examiner et à décider ici\u{a0}:" "Hier ansehen und entscheiden:";
    left_out "The attachments were too large for an e-mail and were left out." "Les pièces jointes, trop volumineuses pour un e-mail, n’ont pas été jointes." "Die Anhänge waren zu groß für eine E-Mail und wurden weggelassen.";
    automatic "This message was written by a program; nobody reads answers to it." "Ce message a été écrit par un programme\u{a0}; personne ne lit les réponses." "Diese Nachricht hat ein Programm geschrieben; Antworten liest niemand.";
    digest "Imports of the day" "Imports du jour" "Importe des Tages";
    trial "This is a test: e-mails from Rollcall arrive." "Ceci est un test\u{a0}: les e-mails de Rollcall arrivent." "Dies ist ein Test: E-Mails von Rollcall kommen an.";
    trial_subject "Test message" "Message de test" "Testnachricht";
}

/// Where the full report lies: beside the upload, or with the earlier ones.
pub(super) fn where_it_lies(path: &str, account: &str, language: Language) -> String {
    match (language, account.is_empty()) {
        (Language::En, true) => format!("It lies at {path}."),
        (Language::En, false) => {
            format!(
                "It lies at {path} in the account {account}: fetch it the same way as you send files."
            )
        }
        (Language::Fr, true) => format!("Il se trouve à l’adresse {path}."),
        (Language::Fr, false) => format!(
            "Il se trouve à l’adresse {path} du compte {account}\u{a0}: récupérez-le par la même voie que vos envois."
        ),
        (Language::De, true) => format!("Er liegt unter {path}."),
        (Language::De, false) => format!(
            "Er liegt unter {path} im Konto {account}: Holen Sie ihn auf demselben Weg, auf dem Sie Dateien senden."
        ),
    }
}

/// Until when a held import can be decided about.
pub(super) fn until(moment: &str, language: Language) -> String {
    match language {
        Language::En => {
            format!("It waits until {moment}; after that it expires, and nothing of it is applied.")
        }
        Language::Fr => format!(
            "Il attend jusqu’au {moment}\u{a0}; ensuite il expire et rien n’en est appliqué."
        ),
        Language::De => format!(
            "Sie wartet bis {moment}; danach läuft sie ab, und nichts davon wird übernommen."
        ),
    }
}

/// How a dropped file approves or discards.
pub(super) fn by_file(approve: &str, discard: &str, language: Language) -> String {
    match language {
        Language::En => {
            format!("Or put an empty file beside it: {approve} approves it, {discard} discards it.")
        }
        Language::Fr => format!(
            "Ou déposez à côté un fichier vide\u{a0}: {approve} l’approuve, {discard} l’abandonne."
        ),
        Language::De => format!(
            "Oder legen Sie eine leere Datei daneben: {approve} gibt sie frei, {discard} verwirft sie."
        ),
    }
}

/// How many problems are not listed.
pub(super) fn more(count: usize, language: Language) -> String {
    match (language, count) {
        (Language::En, 1) => "One more is in the full report.".to_owned(),
        (Language::En, _) => format!("{count} more are in the full report."),
        (Language::Fr, 1) => "Un autre point figure dans le rapport complet.".to_owned(),
        (Language::Fr, _) => format!("{count} autres points figurent dans le rapport complet."),
        (Language::De, 1) => "Ein weiterer steht im vollständigen Bericht.".to_owned(),
        (Language::De, _) => format!("{count} weitere stehen im vollständigen Bericht."),
    }
}

/// A value between quotation marks, as the language writes them.
pub(super) fn quoted(value: &str, language: Language) -> String {
    match language {
        Language::En => format!("“{value}”"),
        Language::Fr => format!("«\u{a0}{value}\u{a0}»"),
        Language::De => format!("„{value}“"),
    }
}

/// What stands between a label and what it announces.
pub(super) fn colon(language: Language) -> &'static str {
    if language == Language::Fr { "\u{a0}: " } else { ": " }
}
