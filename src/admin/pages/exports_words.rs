//! Words that the pages about exports and handed over files share.

use crate::admin::shell::Shell;
use crate::export::{ExportSettings, What, When};
use crate::service::drops::DropState;
use crate::service::exports::{ExportRun, RunState};

/// Who is in a file, in words.
pub(super) fn what(p: &Shell, what: What) -> &'static str {
    let [en, fr, de] = match what {
        What::All => ["Everybody", "Tout le monde", "Alle"],
        What::Changed => ["Who has changed", "Qui a changé", "Wer sich geändert hat"],
        What::Leavers => ["Who has left", "Qui est parti", "Wer ausgetreten ist"],
        What::Newcomers => ["Who has come", "Qui est arrivé", "Wer hinzugekommen ist"],
    };
    p.t(en, fr, de)
}

/// When an export runs, in words; a schedule as it is written.
pub(super) fn when(p: &Shell, settings: &ExportSettings) -> String {
    match &settings.trigger {
        When::Manual => p.t("By hand", "À la main", "Von Hand").to_owned(),
        When::Import => {
            p.t("After each import", "Après chaque import", "Nach jedem Import").to_owned()
        }
        When::At(trigger) => trigger.to_string(),
    }
}

/// What became of a run: class and words.
pub(super) fn run(p: &Shell, run: &ExportRun) -> (&'static str, &'static str) {
    if run.withdrawn_at.is_some() {
        return ("plain", p.t("Withdrawn", "Retiré", "Zurückgezogen"));
    }
    let (class, [en, fr, de]) = match run.state {
        RunState::Ready => ("look", ["On its way", "En cours d’envoi", "Unterwegs"]),
        RunState::Sent => ("good", ["Sent", "Envoyé", "Gesendet"]),
        RunState::Nothing => ("plain", ["Nothing to send", "Rien à envoyer", "Nichts zu senden"]),
        RunState::Noted => {
            ("plain", ["Noted without a file", "Noté sans fichier", "Ohne Datei vermerkt"])
        }
        RunState::Failed => ("bad", ["Failed", "Échoué", "Fehlgeschlagen"]),
    };
    (class, p.t(en, fr, de))
}

/// Why a run was made.
pub(super) fn cause(p: &Shell, cause: &str) -> String {
    match cause {
        "manual" => p.t("by hand", "à la main", "von Hand").to_owned(),
        "import" => p.t("after an import", "après un import", "nach einem Import").to_owned(),
        "schedule" => p.t("schedule", "horaire", "Zeitplan").to_owned(),
        other => other.to_owned(),
    }
}

/// Where a file that was handed over stands: class and words.
pub(super) fn dropped(p: &Shell, state: DropState) -> (&'static str, &'static str) {
    let (class, [en, fr, de]) = match state {
        DropState::Waiting => ("look", ["Waiting", "En attente", "Wartet"]),
        DropState::Placed => ("look", ["Ready to be fetched", "À récupérer", "Liegt bereit"]),
        DropState::Fetched => ("good", ["Fetched", "Récupéré", "Abgeholt"]),
        DropState::Delivered => ("good", ["Delivered", "Livré", "Zugestellt"]),
        DropState::Removed => {
            ("bad", ["Removed unread", "Supprimé sans lecture", "Ungelesen entfernt"])
        }
        DropState::Withdrawn => ("plain", ["Taken back", "Repris", "Zurückgenommen"]),
        DropState::Failed => ("bad", ["Failed", "Échoué", "Fehlgeschlagen"]),
    };
    (class, p.t(en, fr, de))
}

/// A size as people read it.
pub(super) fn bytes(p: &Shell, bytes: u64) -> String {
    let unit = p.t("bytes", "octets", "Bytes");
    if bytes < 10_000 {
        return format!("{} {unit}", p.number(&bytes));
    }
    let kilo = p.t("kB", "ko", "kB");
    format!("{} {kilo}", p.number(&(bytes / 1000)))
}
