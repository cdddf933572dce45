//! How a file is read.

use super::super::control::{Choices, Control};
use super::{NONE, Setting, setting, w};
use crate::import::lists::LISTS;

const DATES: Choices = &[
    (
        "auto",
        w(
            "Automatic: proved by the file",
            "Automatique\u{a0}: prouvé par le fichier",
            "Automatisch: durch die Datei belegt",
        ),
    ),
    ("dmy", w("Day, month, year", "Jour, mois, année", "Tag, Monat, Jahr")),
    ("mdy", w("Month, day, year", "Mois, jour, année", "Monat, Tag, Jahr")),
    ("ymd", w("Year, month, day", "Année, mois, jour", "Jahr, Monat, Tag")),
];
const ENCODINGS: Choices = &[
    ("auto", w("Automatic", "Automatique", "Automatisch")),
    ("utf-8", w("Unicode only", "Unicode seulement", "Nur Unicode")),
    (
        "windows-1252",
        w(
            "Windows-1252 (Western Europe)",
            "Windows-1252 (Europe de l’Ouest)",
            "Windows-1252 (Westeuropa)",
        ),
    ),
    (
        "iso-8859-15",
        w(
            "ISO-8859-15 (Western Europe)",
            "ISO-8859-15 (Europe de l’Ouest)",
            "ISO-8859-15 (Westeuropa)",
        ),
    ),
    (
        "iso-8859-2",
        w(
            "ISO-8859-2 (Central Europe)",
            "ISO-8859-2 (Europe centrale)",
            "ISO-8859-2 (Mitteleuropa)",
        ),
    ),
    (
        "windows-1250",
        w(
            "Windows-1250 (Central Europe)",
            "Windows-1250 (Europe centrale)",
            "Windows-1250 (Mitteleuropa)",
        ),
    ),
    (
        "windows-1251",
        w("Windows-1251 (Cyrillic)", "Windows-1251 (cyrillique)", "Windows-1251 (Kyrillisch)"),
    ),
    ("windows-1253", w("Windows-1253 (Greek)", "Windows-1253 (grec)", "Windows-1253 (Griechisch)")),
    ("windows-1254", w("Windows-1254 (Turkish)", "Windows-1254 (turc)", "Windows-1254 (Türkisch)")),
    ("windows-1257", w("Windows-1257 (Baltic)", "Windows-1257 (balte)", "Windows-1257 (Baltisch)")),
    ("macintosh", w("Macintosh", "Macintosh", "Macintosh")),
    ("cp850", w("CP850 (DOS)", "CP850 (DOS)", "CP850 (DOS)")),
];
const ENDS: Choices = &[
    (
        "auto",
        w(
            "Hold a file that lacks it once others had it",
            "Mettre en attente un fichier sans fin de ligne si d’autres en avaient",
            "Datei ohne Zeilenende anhalten, wenn frühere eines hatten",
        ),
    ),
    (
        "optional",
        w("The sender writes none", "L’émetteur n’en écrit pas", "Der Absender schreibt keines"),
    ),
];
const COLUMNS: Choices = &[
    (
        "ignore",
        w(
            "Leave them unread, and tell",
            "Ne pas les lire, et le signaler",
            "Nicht lesen und melden",
        ),
    ),
    ("keep", w("Keep them as text", "Les garder comme texte", "Als Text behalten")),
];

/// Dates, encoding, columns, closed lists.
pub(super) const READING: &[Setting] = &[
    setting(
        "dates",
        w(
            "Order in dates such as 03/04/2026",
            "Ordre dans les dates comme 03/04/2026",
            "Reihenfolge in Daten wie 03/04/2026",
        ),
        w(
            "Automatic takes what the file proves; the first applied import freezes it. 2026-04-03 is always read.",
            "Automatique retient ce que prouve le fichier\u{a0}; le premier import appliqué le fige. 2026-04-03 est toujours lu.",
            "Automatisch nimmt, was die Datei belegt; der erste übernommene Import legt es fest. 2026-04-03 wird immer gelesen.",
        ),
        w("automatic", "automatique", "automatisch"),
        Control::Choice(DATES),
    ),
    setting(
        "encoding",
        w("Character encoding", "Codage des caractères", "Zeichenkodierung"),
        w(
            "Of files that are no Unicode. Automatic guesses and says so in the report; Unicode only refuses them.",
            "Des fichiers qui ne sont pas en Unicode. Automatique devine et le dit dans le rapport\u{a0}; Unicode seulement les refuse.",
            "Von Dateien, die kein Unicode sind. Automatisch rät und sagt es im Bericht; Nur Unicode lehnt sie ab.",
        ),
        w("automatic", "automatique", "automatisch"),
        Control::Choice(ENCODINGS),
    ),
    setting(
        "final_line_end",
        w(
            "Line end after the last row",
            "Fin de ligne après la dernière ligne",
            "Zeilenende nach der letzten Zeile",
        ),
        w(
            "A file without it may have been cut off on its way.",
            "Un fichier sans fin de ligne a pu être coupé en chemin.",
            "Eine Datei ohne Zeilenende kann unterwegs abgeschnitten worden sein.",
        ),
        w(
            "hold a file that lacks it once others had it",
            "mettre en attente un fichier qui n’en a pas si d’autres en avaient",
            "eine Datei ohne Zeilenende anhalten, wenn frühere eines hatten",
        ),
        Control::Choice(ENDS),
    ),
    setting(
        "unknown_columns",
        w("Columns that nobody knows", "Colonnes inconnues", "Unbekannte Spalten"),
        w(
            "Kept columns become text fields of the user, named after their header.",
            "Les colonnes gardées deviennent des champs texte de l’utilisateur, nommés d’après leur en-tête.",
            "Behaltene Spalten werden Textfelder des Benutzers mit dem Namen ihrer Überschrift.",
        ),
        w("leave them unread", "ne pas les lire", "nicht lesen"),
        Control::Choice(COLUMNS),
    ),
    setting(
        "closed_lists",
        w("Closed reference lists", "Listes de référence fermées", "Geschlossene Referenzlisten"),
        w(
            "No file adds to a closed list: a code that is not in it refuses its cell. Load the list first.",
            "Aucun fichier n’ajoute à une liste fermée\u{a0}: un code absent fait refuser sa cellule. Chargez d’abord la liste.",
            "Keine Datei ergänzt eine geschlossene Liste: Ein fehlender Code lehnt seine Zelle ab. Laden Sie die Liste zuerst.",
        ),
        NONE,
        Control::Fields(LISTS),
    ),
];
