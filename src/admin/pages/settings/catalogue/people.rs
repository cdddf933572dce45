//! Who is meant, who is missing, who is new.

use super::super::control::{Choices, Control, Only};
use super::reading;
use super::{Group, NO, Section, Setting, only, setting, w};
use crate::import::fields::Field;

pub(super) fn people() -> Section {
    Section {
        slug: "settings",
        title: w("People and reading", "Personnes et lecture", "Personen und Lesen"),
        about: w(
            "Who a row is, what absence means, and how a file is read.",
            "Qui désigne une ligne, ce que signifie une absence et comment un fichier est lu.",
            "Wen eine Zeile meint, was Fehlen bedeutet und wie eine Datei gelesen wird.",
        ),
        groups: vec![
            Group { title: w("Who is meant", "Qui est visé", "Wer gemeint ist"), settings: WHO },
            Group {
                title: w("People who are missing", "Personnes absentes", "Fehlende Personen"),
                settings: ABSENCE,
            },
            Group {
                title: w("New users", "Nouveaux utilisateurs", "Neue Benutzer"),
                settings: NEW_USERS,
            },
            Group {
                title: w("How a file is read", "Lecture du fichier", "Wie eine Datei gelesen wird"),
                settings: reading::READING,
            },
        ],
    }
}

const KEYS: Choices = &[
    (
        "auto",
        w(
            "Automatic: the first columns of the file",
            "Automatique\u{a0}: les premières colonnes du fichier",
            "Automatisch: die ersten Spalten der Datei",
        ),
    ),
    ("employee_number", w("Employee number", "Matricule", "Personalnummer")),
    (
        "legal_entity+employee_number",
        w(
            "Legal entity and employee number",
            "Entité légale et matricule",
            "Gesellschaft und Personalnummer",
        ),
    ),
    ("login", w("Login", "Identifiant", "Benutzername")),
    ("email", w("E-mail", "Adresse e-mail", "E-Mail")),
];
const MODES: Choices = &[
    (
        "full",
        w(
            "Full: every employee is in the file",
            "Complet\u{a0}: tous les salariés sont dans le fichier",
            "Vollständig: Alle stehen in der Datei",
        ),
    ),
    (
        "delta",
        w(
            "Changes only: whoever is not in the file is not meant",
            "Modifications seulement\u{a0}: qui n’est pas dans le fichier n’est pas concerné",
            "Nur Änderungen: Wer nicht in der Datei steht, ist nicht gemeint",
        ),
    ),
];
const POLICIES: Choices = &[
    (
        "report",
        w(
            "Tell, and keep them as they are",
            "Signaler et laisser inchangé",
            "Melden und unverändert lassen",
        ),
    ),
    (
        "end",
        w(
            "End their contract after several files",
            "Mettre fin au contrat après plusieurs fichiers",
            "Vertrag nach mehreren Dateien beenden",
        ),
    ),
    (
        "hold",
        w(
            "Hold the file until somebody approves",
            "Mettre le fichier en attente d’approbation",
            "Datei bis zur Freigabe anhalten",
        ),
    ),
];

const WHO: &[Setting] = &[
    setting(
        "key",
        w("Key", "Clé", "Schlüssel"),
        w(
            "What decides which person a row is. Automatic goes by the file’s first columns; the first applied import freezes it.",
            "Ce qui décide quelle personne désigne une ligne. Automatique suit les premières colonnes\u{a0}; le premier import appliqué fige ce choix.",
            "Was entscheidet, welche Person eine Zeile meint. Automatisch richtet sich nach den ersten Spalten; der erste übernommene Import legt es fest.",
        ),
        w("automatic", "automatique", "automatisch"),
        Control::Choice(KEYS),
    ),
    setting(
        "mode",
        w("What the file holds", "Contenu du fichier", "Inhalt der Datei"),
        w(
            "Declared, never guessed: in a full file, missing people count as absent; in a file of changes they do not.",
            "Déclaré, jamais deviné\u{a0}: dans un fichier complet, les personnes manquantes comptent comme absentes\u{a0}; dans un fichier de modifications, non.",
            "Festgelegt, nie erraten: In einer vollständigen Datei gelten fehlende Personen als abwesend, in einer Datei mit Änderungen nicht.",
        ),
        w("full", "complet", "vollständig"),
        Control::Choice(MODES),
    ),
    setting(
        "strict",
        w("All or nothing", "Tout ou rien", "Alles oder nichts"),
        w(
            "Yes: a single refused row refuses the whole file. No: the good rows are applied.",
            "Oui\u{a0}: une seule ligne refusée fait refuser tout le fichier. Non\u{a0}: les bonnes lignes sont appliquées.",
            "Ja: Eine einzige abgelehnte Zeile lehnt die ganze Datei ab. Nein: Die guten Zeilen werden übernommen.",
        ),
        NO,
        Control::YesNo,
    ),
];

const ABSENCE: &[Setting] = &[
    setting(
        "absent",
        w(
            "Users missing from a full file",
            "Utilisateurs absents d’un fichier complet",
            "In einer vollständigen Datei fehlende Benutzer",
        ),
        w(
            "Ending: once they are missing from several full files on as many days; the last day is the day before the first of these files. Holding: approving the file ends them.",
            "Fin de contrat\u{a0}: après plusieurs fichiers complets, autant de jours différents\u{a0}; le dernier jour est la veille du premier de ces fichiers. En attente\u{a0}: approuver le fichier met fin au contrat.",
            "Beenden: sobald sie in mehreren vollständigen Dateien an ebenso vielen Tagen fehlen; letzter Tag ist der Tag vor der ersten dieser Dateien. Anhalten: Die Freigabe der Datei beendet die Verträge.",
        ),
        w("tell", "signaler", "melden"),
        Control::Choice(POLICIES),
    ),
    only(
        Only::With("absent", "end"),
        setting(
            "absent_after",
            w(
                "Number of full files without them",
                "Nombre de fichiers complets sans eux",
                "Anzahl vollständiger Dateien ohne sie",
            ),
            w(
                "Only where contracts are ended: in how many full files in a row somebody must be missing (1 to 366).",
                "Seulement si les contrats prennent fin\u{a0}: nombre de fichiers complets consécutifs sans la personne (1 à 366).",
                "Nur wenn Verträge beendet werden: In wie vielen vollständigen Dateien hintereinander jemand fehlen muss (1 bis 366).",
            ),
            w("2", "2", "2"),
            Control::Number,
        ),
    ),
];

const NEW_USERS: &[Setting] = &[
    setting(
        "required",
        w(
            "Required for a new user",
            "Obligatoire pour un nouvel utilisateur",
            "Pflicht für neue Benutzer",
        ),
        w(
            "A row for somebody new that lacks one of these is refused. The key is always required.",
            "Une ligne pour une nouvelle personne sans l’un de ces champs est refusée. La clé est toujours obligatoire.",
            "Eine Zeile für eine neue Person, der eines davon fehlt, wird abgelehnt. Der Schlüssel ist immer Pflicht.",
        ),
        w(
            "none chosen: first name, last name, contract start, and e-mail if the file has that column",
            "rien de coché\u{a0}: prénom, nom, début du contrat, et l’adresse e-mail si le fichier a cette colonne",
            "nichts gewählt: Vorname, Nachname, Vertragsbeginn und E-Mail, falls die Datei diese Spalte hat",
        ),
        Control::Fields(Field::ALL),
    ),
    setting(
        "login_pattern",
        w(
            "Logins for new users",
            "Identifiants des nouveaux utilisateurs",
            "Benutzernamen für neue Benutzer",
        ),
        w(
            "Used where neither the file nor a default gives a login: {first}, {last}, {f} and {l} (initials), {number}, with a–z, 0–9, . - _ between them. Example: {first}.{last}",
            "Sert quand ni le fichier ni une valeur par défaut ne donne d’identifiant\u{a0}: {first} (prénom), {last} (nom), {f} et {l} (initiales), {number} (matricule), et a–z, 0–9, . - _ entre eux. Exemple\u{a0}: {first}.{last}",
            "Gilt, wenn weder die Datei noch ein Standardwert einen Benutzernamen gibt: {first} (Vorname), {last} (Nachname), {f} und {l} (Anfangsbuchstaben), {number} (Personalnummer), dazwischen a–z, 0–9, . - _. Beispiel: {first}.{last}",
        ),
        w("none are made", "aucun n’est créé", "keine werden gebildet"),
        Control::Text,
    ),
];
