//! What to do next about an import, in the order of doing.

use crate::import::codes::Level;
use crate::import::report::{PendingRow, Report, render};
use crate::model::{ImportStatus, Language};

/// One thing to do, and the operator's command for it.
pub(in crate::import::report) struct Step {
    pub text: String,
    pub commands: Vec<String>,
}

impl Step {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), commands: Vec::new() }
    }
}

/// What to do next; never empty.
pub(in crate::import::report) fn next(report: &Report, language: Language) -> Vec<Step> {
    let mut steps = Vec::new();
    match report.status {
        ImportStatus::Held => steps.push(held(report, language)),
        ImportStatus::Rejected | ImportStatus::Failed => steps.extend(refused(report, language)),
        _ => {}
    }
    steps.extend(pending(report, language));
    if !report.refused_rows.is_empty() && report.status != ImportStatus::Undone {
        steps.push(Step::new(corrections(report, language)));
    }
    if report.status.is_applied() && report.counts.cells_refused > 0 {
        steps.push(Step::new(cells(report.counts.cells_refused, language)));
    }
    if report.dry_run && report.status.is_applied() {
        steps.push(Step::new(match language {
            Language::En => "To apply the file, send it to the import folder itself.",
            Language::Fr => {
                "Pour l’appliquer, déposez le fichier dans le dossier d’import lui-même."
            }
            Language::De => "Um die Datei zu übernehmen, legen Sie sie in den Importordner selbst.",
        }));
    }
    if steps.is_empty() {
        let warned = report.messages.iter().any(|message| message.level == Level::Warning);
        steps.push(Step::new(nothing(warned, language)));
    }
    steps
}

fn held(report: &Report, language: Language) -> Step {
    let text = match language {
        Language::En => {
            "Nothing of this file has been applied yet. Read why it was held and what would change. If all of it is right, have the operator approve it; if not, correct it in payroll and send the file again."
        }
        Language::Fr => {
            "Rien de ce fichier n’a encore été appliqué. Lisez pourquoi il est en attente et ce qui changerait. Si tout est juste, faites-le approuver par l’exploitant\u{a0}; sinon, corrigez dans le logiciel de paie et renvoyez le fichier."
        }
        Language::De => {
            "Von dieser Datei wurde noch nichts übernommen. Lesen Sie, warum sie angehalten wurde und was sich ändern würde. Ist alles richtig, lassen Sie sie vom Betreiber freigeben; wenn nicht, korrigieren Sie im Lohnprogramm und senden Sie die Datei erneut."
        }
    };
    let id = &report.import;
    let commands = if report.dry_run {
        Vec::new()
    } else {
        vec![format!("rollcall imports approve {id}"), format!("rollcall imports discard {id}")]
    };
    Step { text: text.to_owned(), commands }
}

/// The cures of what refused the file.
fn refused(report: &Report, language: Language) -> Vec<Step> {
    let fatal = report.messages.iter().filter(|message| message.level == Level::Fatal);
    fatal
        .map(|message| render::cure(message, language))
        .filter(|cure| !cure.is_empty())
        .map(Step::new)
        .collect()
}

fn pending(report: &Report, language: Language) -> Option<Step> {
    let waiting: Vec<&PendingRow> =
        report.pending_rows.iter().filter(|row| row.decided.is_none()).collect();
    let first = waiting.first().filter(|_| report.status.is_applied())?;
    let count = waiting.len();
    let text = match (language, count) {
        (Language::En, 1) => {
            "One row waits for a decision: see below whom it is about. Approve it if the proposal is right; else correct the row in payroll.".to_owned()
        }
        (Language::En, _) => format!(
            "{count} rows wait for a decision: see below whom they are about. Approve those whose proposal is right; correct the others in payroll."
        ),
        (Language::Fr, 1) => {
            "Une ligne attend une décision\u{a0}: voyez ci-dessous de qui il s’agit. Approuvez-la si la proposition est juste\u{a0}; sinon, corrigez la ligne dans le logiciel de paie.".to_owned()
        }
        (Language::Fr, _) => format!(
            "{count} lignes attendent une décision\u{a0}: voyez ci-dessous de qui il s’agit. Approuvez celles dont la proposition est juste\u{a0}; corrigez les autres dans le logiciel de paie."
        ),
        (Language::De, 1) => {
            "Eine Zeile wartet auf eine Entscheidung: Unten steht, um wen es geht. Geben Sie sie frei, wenn der Vorschlag stimmt; sonst korrigieren Sie die Zeile im Lohnprogramm.".to_owned()
        }
        (Language::De, _) => format!(
            "{count} Zeilen warten auf eine Entscheidung: Unten steht, um wen es geht. Geben Sie frei, was stimmt; korrigieren Sie die übrigen im Lohnprogramm."
        ),
    };
    let (id, line) = (&report.import, first.line);
    let commands = if report.dry_run {
        Vec::new()
    } else {
        vec![format!("rollcall imports approve {id} --line {line}")]
    };
    Some(Step { text, commands })
}

fn corrections(report: &Report, language: Language) -> String {
    let file = format!("{}.corrections.csv", report.file.name);
    match language {
        Language::En => format!(
            "The refused rows lie in {file}: correct them there and send that file, or correct them in payroll and send the whole file again."
        ),
        Language::Fr => format!(
            "Les lignes refusées se trouvent dans {file}\u{a0}: corrigez-les et envoyez ce fichier, ou corrigez-les dans le logiciel de paie et renvoyez le fichier complet."
        ),
        Language::De => format!(
            "Die abgelehnten Zeilen liegen in {file}: Korrigieren Sie sie dort und senden Sie diese Datei, oder korrigieren Sie sie im Lohnprogramm und senden Sie die ganze Datei erneut."
        ),
    }
}

fn cells(count: u64, language: Language) -> String {
    match (language, count) {
        (Language::En, 1) => {
            "One cell was refused and its old value stays: correct it in payroll; the next file brings it.".to_owned()
        }
        (Language::En, _) => format!(
            "{count} cells were refused and their old values stay: correct them in payroll; the next file brings them."
        ),
        (Language::Fr, 1) => {
            "Une cellule a été refusée, son ancienne valeur reste\u{a0}: corrigez-la dans le logiciel de paie, le prochain fichier l’apportera.".to_owned()
        }
        (Language::Fr, _) => format!(
            "{count} cellules ont été refusées, leurs anciennes valeurs restent\u{a0}: corrigez-les dans le logiciel de paie, le prochain fichier les apportera."
        ),
        (Language::De, 1) => {
            "Eine Zelle wurde abgelehnt, ihr alter Wert bleibt: Korrigieren Sie sie im Lohnprogramm; die nächste Datei bringt sie mit.".to_owned()
        }
        (Language::De, _) => format!(
            "{count} Zellen wurden abgelehnt, ihre alten Werte bleiben: Korrigieren Sie sie im Lohnprogramm; die nächste Datei bringt sie mit."
        ),
    }
}

fn nothing(warned: bool, language: Language) -> &'static str {
    match (language, warned) {
        (Language::En, false) => "Nothing.",
        (Language::En, true) => "Nothing must be done; look through the warnings.",
        (Language::Fr, false) => "Rien.",
        (Language::Fr, true) => "Rien d’obligatoire\u{a0}; parcourez les avertissements.",
        (Language::De, false) => "Nichts.",
        (Language::De, true) => "Nichts ist zwingend zu tun; sehen Sie die Warnungen durch.",
    }
}
