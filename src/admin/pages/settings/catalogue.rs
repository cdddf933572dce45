//! The import settings as people read them, section by section: name, effect and default in three languages.

use super::control::{Choices, Control, Only, Setting};
use crate::import::codes::Words;
use crate::import::fields::Field;
use crate::import::lists::LISTS;

const fn w(en: &'static str, fr: &'static str, de: &'static str) -> Words {
    Words { en, fr, de }
}

/// A part of the settings that has a page of its own.
pub(super) struct Section {
    /// Its address.
    pub(super) slug: &'static str,
    pub(super) title: Words,
    pub(super) about: Words,
    pub(super) groups: Vec<Group>,
}

/// Settings that belong together.
pub(super) struct Group {
    pub(super) title: Words,
    pub(super) settings: Vec<Setting>,
}

const fn setting(
    name: &'static str,
    label: Words,
    hint: Words,
    default: Words,
    control: Control,
) -> Setting {
    Setting { name, label, hint, default, control, only: Only::Always }
}

const fn only(only: Only, setting: Setting) -> Setting {
    Setting { only, ..setting }
}

const NO: Words = w("no", "non", "nein");
const NONE: Words = w("none", "aucun", "keine");

/// The section at an address; `remote`: the folder lies on the client's own server.
pub(super) fn section(slug: &str, remote: bool) -> Option<Section> {
    match slug {
        "settings" => Some(people()),
        "guards" => Some(guards()),
        "schedule" => Some(schedule(remote)),
        "reports" => Some(reports()),
        "encryption" => Some(encryption()),
        _ => None,
    }
}

fn people() -> Section {
    Section {
        slug: "settings",
        title: w("People and reading", "Personnes et lecture", "Personen und Lesen"),
        about: w(
            "Who a row is, what absence means, and how a file is read.",
            "Qui désigne une ligne, ce que signifie une absence et comment un fichier est lu.",
            "Wen eine Zeile meint, was Fehlen bedeutet und wie eine Datei gelesen wird.",
        ),
        groups: vec![
            Group { title: w("Who is meant", "Qui est visé", "Wer gemeint ist"), settings: who() },
            Group {
                title: w("People who are missing", "Personnes absentes", "Fehlende Personen"),
                settings: absence(),
            },
            Group {
                title: w("New users", "Nouveaux utilisateurs", "Neue Benutzer"),
                settings: new_users(),
            },
            Group {
                title: w("How a file is read", "Lecture du fichier", "Wie eine Datei gelesen wird"),
                settings: reading(),
            },
        ],
    }
}

fn who() -> Vec<Setting> {
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
    vec![
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
    ]
}

fn absence() -> Vec<Setting> {
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
    vec![
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
    ]
}

fn new_users() -> Vec<Setting> {
    vec![
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
    ]
}

fn reading() -> Vec<Setting> {
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
            "windows-1250",
            w(
                "Windows-1250 (Central Europe)",
                "Windows-1250 (Europe centrale)",
                "Windows-1250 (Mitteleuropa)",
            ),
        ),
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
            w(
                "The sender writes none",
                "L’émetteur n’en écrit pas",
                "Der Absender schreibt keines",
            ),
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
    vec![
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
            w(
                "Closed reference lists",
                "Listes de référence fermées",
                "Geschlossene Referenzlisten",
            ),
            w(
                "No file adds to a closed list: a code that is not in it refuses its cell. Load the list first.",
                "Aucun fichier n’ajoute à une liste fermée\u{a0}: un code absent fait refuser sa cellule. Chargez d’abord la liste.",
                "Keine Datei ergänzt eine geschlossene Liste: Ein fehlender Code lehnt seine Zelle ab. Laden Sie die Liste zuerst.",
            ),
            NONE,
            Control::Fields(LISTS),
        ),
    ]
}

fn guards() -> Section {
    let limit = |name, label, hint, count, percent| {
        setting(name, label, hint, w("", "", ""), Control::Limit(count, percent))
    };
    let of_active = w(
        "Counted in active people; a limit trips when both are passed, the number and the share.",
        "Compté en personnes actives\u{a0}; une limite se déclenche quand le nombre et la part sont dépassés tous deux.",
        "Gezählt in aktiven Personen; eine Grenze greift, wenn Anzahl und Anteil beide überschritten sind.",
    );
    let limits = vec![
        limit(
            "guards.endings",
            w(
                "Contracts that end (G601)",
                "Contrats qui prennent fin (G601)",
                "Verträge, die enden (G601)",
            ),
            of_active,
            5,
            10,
        ),
        limit(
            "guards.creations",
            w("New users (G602)", "Nouveaux utilisateurs (G602)", "Neue Benutzer (G602)"),
            w(
                "Share of the active people before the file; never on a client’s first import.",
                "Part des personnes actives avant le fichier\u{a0}; jamais au premier import d’un client.",
                "Anteil an den aktiven Personen vor der Datei; nie beim ersten Import eines Kunden.",
            ),
            50,
            30,
        ),
        limit(
            "guards.one_field",
            w(
                "One and the same field changes (G603)",
                "Un même champ change (G603)",
                "Dasselbe Feld ändert sich (G603)",
            ),
            w(
                "A column filled by mistake. A blank that is filled does not count.",
                "Une colonne remplie par erreur. Un champ vide qui est rempli ne compte pas.",
                "Eine versehentlich gefüllte Spalte. Ein gefülltes leeres Feld zählt nicht.",
            ),
            20,
            50,
        ),
        limit(
            "guards.fewer_rows",
            w(
                "Fewer rows than last time (G604)",
                "Moins de lignes que la dernière fois (G604)",
                "Weniger Zeilen als zuletzt (G604)",
            ),
            w(
                "An export that was cut short: rows fewer than in the last applied full file.",
                "Un export tronqué\u{a0}: lignes de moins que dans le dernier fichier complet appliqué.",
                "Ein abgebrochener Export: weniger Zeilen als in der letzten übernommenen vollständigen Datei.",
            ),
            5,
            20,
        ),
        limit(
            "guards.reopenings",
            w(
                "Contract ends lifted or moved later (G609)",
                "Fins de contrat levées ou repoussées (G609)",
                "Vertragsenden aufgehoben oder verschoben (G609)",
            ),
            of_active,
            5,
            10,
        ),
    ];
    let others = vec![
        setting(
            "guards.whole_entity",
            w(
                "A whole legal entity is missing (G605)",
                "Une entité légale entière manque (G605)",
                "Eine ganze Gesellschaft fehlt (G605)",
            ),
            w(
                "Yes: the file waits for approval.",
                "Oui\u{a0}: le fichier attend une approbation.",
                "Ja: Die Datei wartet auf Freigabe.",
            ),
            w("yes", "oui", "ja"),
            Control::YesNo,
        ),
        setting(
            "approve_by_file",
            w(
                "Approve by a dropped file",
                "Approuver par un fichier déposé",
                "Freigabe durch eine abgelegte Datei",
            ),
            w(
                "Yes: an empty file users.csv.approve-… next to the held users.csv approves it (the report says the name), users.csv.discard-… discards it.",
                "Oui\u{a0}: un fichier vide users.csv.approve-… à côté de users.csv en attente l’approuve (le rapport donne le nom), users.csv.discard-… l’abandonne.",
                "Ja: Eine leere Datei users.csv.approve-… neben der angehaltenen users.csv gibt sie frei (der Bericht nennt den Namen), users.csv.discard-… verwirft sie.",
            ),
            NO,
            Control::YesNo,
        ),
    ];
    Section {
        slug: "guards",
        title: w("Guards", "Garde-fous", "Schutzgrenzen"),
        about: w(
            "A file that would change unusually much is held: nothing of it is applied until somebody approves it.",
            "Un fichier qui changerait trop de choses est mis en attente\u{a0}: rien n’est appliqué avant une approbation.",
            "Eine Datei, die ungewöhnlich viel ändern würde, wird angehalten: Nichts wird übernommen, bis jemand sie freigibt.",
        ),
        groups: vec![
            Group { title: w("Limits", "Limites", "Grenzen"), settings: limits },
            Group { title: w("Others", "Autres", "Weitere"), settings: others },
        ],
    }
}

fn schedule(remote: bool) -> Section {
    let import = vec![setting(
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
    let expected = vec![
        setting(
            "expected.by",
            w(
                "A file is expected by",
                "Un fichier est attendu avant",
                "Eine Datei wird erwartet bis",
            ),
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
    let mut groups = vec![
        Group { title: w("Import", "Import", "Import"), settings: import },
        Group {
            title: w("Expected files", "Fichiers attendus", "Erwartete Dateien"),
            settings: expected,
        },
    ];
    if remote {
        let title = w(
            "Fetching from the client’s server",
            "Récupération sur le serveur du client",
            "Abholen vom Server des Kunden",
        );
        groups.insert(0, Group { title, settings: fetch() });
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

fn fetch() -> Vec<Setting> {
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
    vec![
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
            Control::When(
                "manual",
                w("By command only", "Sur commande seulement", "Nur auf Befehl"),
            ),
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
            w(
                "Unchanged for (seconds)",
                "Inchangé depuis (secondes)",
                "Unverändert seit (Sekunden)",
            ),
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
    ]
}

fn reports() -> Section {
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
                settings: report_files(),
            },
            Group { title: w("E-mail", "E-mail", "E-Mail"), settings: mail() },
        ],
    }
}

fn report_files() -> Vec<Setting> {
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
    vec![
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
    ]
}

fn mail() -> Vec<Setting> {
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
    vec![
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
    ]
}

fn encryption() -> Section {
    const REQUIRED: Choices = &[
        (
            "false",
            w(
                "No: encrypted files are opened, others read as they are",
                "Non\u{a0}: les fichiers chiffrés sont ouverts, les autres lus tels quels",
                "Nein: Verschlüsselte Dateien werden geöffnet, andere so gelesen",
            ),
        ),
        ("pgp", w("OpenPGP", "OpenPGP", "OpenPGP")),
        (
            "zip",
            w(
                "Zip with AES and a password",
                "Zip avec AES et mot de passe",
                "Zip mit AES und Passwort",
            ),
        ),
    ];
    const SIGNATURES: Choices = &[
        ("ignore", w("Not looked at", "Non vérifiée", "Wird nicht geprüft")),
        (
            "required",
            w(
                "A partner must have signed the file",
                "Un partenaire doit avoir signé le fichier",
                "Ein Partner muss die Datei signiert haben",
            ),
        ),
    ];
    let settings = vec![
        setting(
            "encryption.required",
            w(
                "Files must be encrypted",
                "Fichiers obligatoirement chiffrés",
                "Dateien müssen verschlüsselt sein",
            ),
            w(
                "Files that are not encrypted so are refused (F007).",
                "Les fichiers qui ne le sont pas sont refusés (F007).",
                "Dateien, die nicht so verschlüsselt sind, werden abgelehnt (F007).",
            ),
            NO,
            Control::Choice(REQUIRED),
        ),
        setting(
            "encryption.signature",
            w("Signature", "Signature", "Signatur"),
            w(
                "Needs OpenPGP. The partners’ keys stand with the client.",
                "Nécessite OpenPGP. Les clés des partenaires sont chez le client.",
                "Braucht OpenPGP. Die Schlüssel der Partner stehen beim Kunden.",
            ),
            w("not looked at", "non vérifiée", "wird nicht geprüft"),
            Control::Choice(SIGNATURES),
        ),
    ];
    Section {
        slug: "encryption",
        title: w("Encryption", "Chiffrement", "Verschlüsselung"),
        about: w(
            "Whether files must come encrypted or signed. The connection is encrypted in any case.",
            "Si les fichiers doivent arriver chiffrés ou signés. La connexion est chiffrée dans tous les cas.",
            "Ob Dateien verschlüsselt oder signiert kommen müssen. Die Verbindung ist in jedem Fall verschlüsselt.",
        ),
        groups: vec![Group { title: w("Files", "Fichiers", "Dateien"), settings }],
    }
}
