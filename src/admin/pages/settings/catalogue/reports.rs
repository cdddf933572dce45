//! Report files and e-mail.

use super::super::control::{Choices, Control};
use super::{Group, NO, NONE, Section, Setting, setting, w};

pub(super) fn reports() -> Section {
    Section {
        slug: "reports",
        title: w("Reports and e-mail", "Rapports et e-mail", "Berichte und E-Mail"),
        about: w(
            "What lies beside an upload, and who is written to. Sensitive values are always masked in reports.",
            "Ce qui est déposé à côté d’un fichier, et à qui on écrit. Les valeurs sensibles sont toujours masquées dans les rapports.",
            "Was neben einem Upload liegt und wem geschrieben wird. Sensible Werte sind in Berichten immer maskiert.",
        ),
        groups: vec![
            Group {
                title: w("Report files", "Fichiers de rapport", "Berichtsdateien"),
                settings: REPORT_FILES,
            },
            Group { title: w("E-mail", "E-mail", "E-Mail"), settings: MAIL },
        ],
    }
}

const LANGUAGES: Choices = &[
    ("en", w("English", "anglais", "Englisch")),
    ("fr", w("French", "français", "Französisch")),
    ("de", w("German", "allemand", "Deutsch")),
];
const FORMATS: Choices = &[
    ("csv", w("CSV, for spreadsheets", "CSV, pour tableurs", "CSV, für Tabellen")),
    ("json", w("JSON, for programs", "JSON, pour programmes", "JSON, für Programme")),
    (
        "html",
        w("HTML, to read and print", "HTML, à lire et imprimer", "HTML, zum Lesen und Drucken"),
    ),
];

const REPORT_FILES: &[Setting] = &[
    setting(
        "report.languages",
        w("Languages of the report", "Langues du rapport", "Sprachen des Berichts"),
        w(
            "One set of files for each language.",
            "Un jeu de fichiers par langue.",
            "Für jede Sprache ein Satz Dateien.",
        ),
        w(
            "none chosen: the client’s language",
            "rien de coché\u{a0}: la langue du client",
            "nichts gewählt: die Sprache des Kunden",
        ),
        Control::Several(LANGUAGES, &[]),
    ),
    setting(
        "report.formats",
        w("Kinds of file", "Types de fichier", "Arten von Dateien"),
        w(
            "They lie beside the upload after its import.",
            "Ils sont à côté du dépôt après son import.",
            "Sie liegen nach dem Import neben dem Upload.",
        ),
        w("CSV and JSON", "CSV et JSON", "CSV und JSON"),
        Control::Several(FORMATS, &["csv", "json"]),
    ),
    setting(
        "report.markers",
        w("Marker files", "Fichiers témoins", "Markerdateien"),
        w(
            "Yes: also an empty file users.csv.ok, .partial, .held, .rejected or .failed, for scripts that only list a folder.",
            "Oui\u{a0}: aussi un fichier vide users.csv.ok, .partial, .held, .rejected ou .failed, pour les scripts qui ne font que lister un dossier.",
            "Ja: auch eine leere Datei users.csv.ok, .partial, .held, .rejected oder .failed, für Skripte, die nur einen Ordner auflisten.",
        ),
        NO,
        Control::YesNo,
    ),
];

const ON: Choices = &[
    ("all", w("About every import", "Pour chaque import", "Zu jedem Import")),
    (
        "problems",
        w(
            "Only when there is something to correct, decide or know",
            "Seulement s’il y a quelque chose à corriger, décider ou savoir",
            "Nur wenn etwas zu korrigieren, zu entscheiden oder zu wissen ist",
        ),
    ),
    ("digest", w("One message a day", "Un message par jour", "Eine Nachricht am Tag")),
];
const FILES: Choices = &[
    ("csv", w("Report as CSV", "Rapport CSV", "Bericht als CSV")),
    ("html", w("Report as HTML", "Rapport HTML", "Bericht als HTML")),
    ("json", w("Report as JSON", "Rapport JSON", "Bericht als JSON")),
    (
        "corrections",
        w(
            "Refused rows as received (birth dates and all)",
            "Lignes refusées telles que reçues (dates de naissance comprises)",
            "Abgelehnte Zeilen wie empfangen (samt Geburtsdaten)",
        ),
    ),
];

const MAIL: &[Setting] = &[
    setting(
        "mail.to",
        w("Recipients", "Destinataires", "Empfänger"),
        w(
            "An address, also as Anne Roy <anne.roy@example.com>; or a user of the directory by login or employee number. Empty a line to take it out.",
            "Une adresse, aussi sous la forme Anne Roy <anne.roy@example.com>\u{a0}; ou un utilisateur de l’annuaire par identifiant ou matricule. Videz une ligne pour la retirer.",
            "Eine Adresse, auch als Anne Roy <anne.roy@example.com>; oder ein Benutzer des Verzeichnisses nach Benutzername oder Personalnummer. Leeren Sie eine Zeile, um sie zu entfernen.",
        ),
        w("nobody", "personne", "niemand"),
        Control::Recipients,
    ),
    setting(
        "mail.on",
        w("When they are written to", "Quand leur écrire", "Wann ihnen geschrieben wird"),
        w(
            "Problems: refusals, held files and decisions about them, failures.",
            "Problèmes\u{a0}: refus, mises en attente et leurs décisions, échecs.",
            "Probleme: Ablehnungen, angehaltene Dateien und Entscheidungen darüber, Fehlschläge.",
        ),
        w("about every import", "pour chaque import", "zu jedem Import"),
        Control::Choice(ON),
    ),
    setting(
        "mail.attach",
        w("Attached files", "Pièces jointes", "Anhänge"),
        w(
            "E-mail is not encrypted: attach only what may be read on its way.",
            "L’e-mail n’est pas chiffré\u{a0}: ne joignez que ce qui peut être lu en chemin.",
            "E-Mail ist nicht verschlüsselt: Hängen Sie nur an, was unterwegs gelesen werden darf.",
        ),
        NONE,
        Control::Several(FILES, &[]),
    ),
    setting(
        "mail.digest_at",
        w(
            "Time of the daily message",
            "Heure du message quotidien",
            "Uhrzeit der täglichen Nachricht",
        ),
        w(
            "By the clock of the client’s time zone.",
            "Selon l’heure du fuseau du client.",
            "Nach der Uhr in der Zeitzone des Kunden.",
        ),
        w("07:00", "07:00", "07:00"),
        Control::Time,
    ),
];
