//! When files are fetched, imported and expected.

use super::super::control::{Choices, Control, Only};
use super::{Group, Section, Setting, only, setting, w};

pub(super) fn schedule(remote: bool) -> Section {
    let mut groups = vec![
        Group { title: w("Import", "Import", "Import"), settings: IMPORT },
        Group {
            title: w("Expected files", "Fichiers attendus", "Erwartete Dateien"),
            settings: EXPECTED,
        },
    ];
    if remote {
        let title = w(
            "Fetching from the client’s server",
            "Récupération sur le serveur du client",
            "Abholen vom Server des Kunden",
        );
        groups.insert(0, Group { title, settings: FETCH });
    }
    Section {
        slug: "schedule",
        title: w("Schedule", "Planification", "Zeitplan"),
        about: w(
            "When files are imported, and who is warned when none comes.",
            "Quand les fichiers sont importés, et quand avertir si aucun n’arrive.",
            "Wann Dateien importiert werden und wann gewarnt wird, wenn keine kommt.",
        ),
        groups,
    }
}

const IMPORT: &[Setting] = &[setting(
    "trigger",
    w(
        "When a received file is imported",
        "Quand un fichier reçu est importé",
        "Wann eine empfangene Datei importiert wird",
    ),
    w(
        "By the clock of the client’s time zone.",
        "Selon l’heure du fuseau du client.",
        "Nach der Uhr in der Zeitzone des Kunden.",
    ),
    w("at once", "immédiatement", "sofort"),
    Control::When("upload", w("At once", "Immédiatement", "Sofort")),
)];

const EXPECTED: &[Setting] = &[
    setting(
        "expected.by",
        w("A file is expected by", "Un fichier est attendu avant", "Eine Datei wird erwartet bis"),
        w(
            "Warns (T05) when no file has come by this hour.",
            "Avertit (T05) si aucun fichier n’est arrivé à cette heure.",
            "Warnt (T05), wenn bis zu dieser Uhrzeit keine Datei gekommen ist.",
        ),
        w("nobody is warned", "personne n’est averti", "niemand wird gewarnt"),
        Control::Time,
    ),
    only(
        Only::WithAny(&["expected.by", "expected.stale_after_days"]),
        setting(
            "expected.days",
            w("On these days", "Ces jours-là", "An diesen Tagen"),
            w(
                "On other days no file is missed.",
                "Les autres jours, aucun fichier ne manque.",
                "An anderen Tagen wird keine Datei vermisst.",
            ),
            w("Monday to Friday", "du lundi au vendredi", "Montag bis Freitag"),
            Control::Days,
        ),
    ),
    setting(
        "expected.stale_after_days",
        w(
            "Warn after so many days without an import",
            "Avertir après tant de jours sans import",
            "Warnen nach so vielen Tagen ohne Import",
        ),
        w(
            "Warns (T06) when the newest import is older.",
            "Avertit (T06) si le dernier import est plus ancien.",
            "Warnt (T06), wenn der neueste Import älter ist.",
        ),
        w("nobody is warned", "personne n’est averti", "niemand wird gewarnt"),
        Control::Number,
    ),
];

const READY: Choices = &[
    (
        "stable",
        w(
            "It kept its size and time",
            "Sa taille et sa date n’ont pas changé",
            "Größe und Zeit sind gleich geblieben",
        ),
    ),
    (
        "companion",
        w(
            "A companion file lies beside it",
            "Un fichier témoin est à côté",
            "Eine Begleitdatei liegt daneben",
        ),
    ),
];
const AFTER: Choices = &[
    ("leave", w("Leave it", "Le laisser", "Liegen lassen")),
    (
        "archive",
        w(
            "Move it into the folder archive",
            "Le déplacer dans le dossier archive",
            "In den Ordner archive verschieben",
        ),
    ),
    ("delete", w("Delete it", "Le supprimer", "Löschen")),
];

const FETCH: &[Setting] = &[
    setting(
        "fetch.trigger",
        w(
            "When the folder is looked at",
            "Quand le dossier est consulté",
            "Wann der Ordner angesehen wird",
        ),
        w(
            "By command only: rollcall fetch.",
            "Sur commande seulement\u{a0}: rollcall fetch.",
            "Nur auf Befehl: rollcall fetch.",
        ),
        w("every 15 minutes", "toutes les 15 minutes", "alle 15 Minuten"),
        Control::When("manual", w("By command only", "Sur commande seulement", "Nur auf Befehl")),
    ),
    setting(
        "fetch.ready",
        w(
            "A file is complete when",
            "Un fichier est complet quand",
            "Eine Datei ist vollständig, wenn",
        ),
        w(
            "The companion is users.csv.ok or users.ok; its ending stands below.",
            "Le témoin est users.csv.ok ou users.ok\u{a0}; son extension est ci-dessous.",
            "Die Begleitdatei heißt users.csv.ok oder users.ok; ihre Endung steht unten.",
        ),
        w(
            "it kept its size and time",
            "sa taille et sa date n’ont pas changé",
            "Größe und Zeit gleich geblieben sind",
        ),
        Control::Choice(READY),
    ),
    only(
        Only::With("fetch.ready", "companion"),
        setting(
            "fetch.companion",
            w("Ending of the companion", "Extension du témoin", "Endung der Begleitdatei"),
            w(
                "Only with a companion file.",
                "Seulement avec un fichier témoin.",
                "Nur mit einer Begleitdatei.",
            ),
            w(".ok", ".ok", ".ok"),
            Control::Text,
        ),
    ),
    setting(
        "fetch.settle_s",
        w("Unchanged for (seconds)", "Inchangé depuis (secondes)", "Unverändert seit (Sekunden)"),
        w(
            "How long a file must have kept its size and time (1 to 600).",
            "Durée pendant laquelle taille et date n’ont pas changé (1 à 600).",
            "Wie lange Größe und Zeit gleich geblieben sein müssen (1 bis 600).",
        ),
        w("30", "30", "30"),
        Control::Number,
    ),
    setting(
        "fetch.min_age_minutes",
        w(
            "Last changed before (minutes)",
            "Modifié il y a au moins (minutes)",
            "Zuletzt geändert vor (Minuten)",
        ),
        w(
            "By the server’s own clock (0 to 44640).",
            "Selon l’horloge du serveur (0 à 44640).",
            "Nach der Uhr des Servers (0 bis 44640).",
        ),
        w("0", "0", "0"),
        Control::Number,
    ),
    setting(
        "fetch.after",
        w("After fetching a file", "Après récupération du fichier", "Nach dem Abholen"),
        w(
            "What becomes of it on the client’s server.",
            "Ce qu’il devient sur le serveur du client.",
            "Was auf dem Server des Kunden mit ihr geschieht.",
        ),
        w("leave it", "le laisser", "liegen lassen"),
        Control::Choice(AFTER),
    ),
];
