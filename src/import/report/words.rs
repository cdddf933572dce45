//! The words of a report that are not messages: columns, levels, effects, statuses, fields.

use std::borrow::Cow;

use super::Decided;
use crate::import::codes::{Code, Effect, Level, Words};
use crate::import::fields::{Field, FieldKey};
use crate::import::settings::Mode;
use crate::model::{ImportStatus, Language};

const fn w(en: &'static str, fr: &'static str, de: &'static str) -> Words {
    Words { en, fr, de }
}

/// A colon and the space behind it; in French a space that never breaks stands before it.
pub(super) fn colon(language: Language) -> &'static str {
    if language == Language::Fr { "\u{a0}: " } else { ": " }
}

/// The same of a semicolon.
pub(super) fn semicolon(language: Language) -> &'static str {
    if language == Language::Fr { "\u{a0}; " } else { "; " }
}

/// The headings of the CSV report, in its order.
pub(super) const HEADINGS: [Words; 12] = [
    w("Level", "Niveau", "Stufe"),
    w("Code", "Code", "Code"),
    w("Line", "Ligne", "Zeile"),
    w("Cell", "Cellule", "Zelle"),
    w("Field", "Champ", "Feld"),
    w("Column", "Colonne", "Spalte"),
    w("Received", "Reçu", "Erhalten"),
    w("Kept", "Conservé", "Behalten"),
    w("Person", "Personne", "Person"),
    w("Effect", "Effet", "Wirkung"),
    w("Message", "Message", "Meldung"),
    w("What to do", "Que faire", "Was zu tun ist"),
];

/// A level as the report writes it.
pub(super) fn level_words(level: Level) -> Words {
    match level {
        Level::Fatal => w("FATAL", "FATAL", "FATAL"),
        Level::Error => w("ERROR", "ERREUR", "FEHLER"),
        Level::Field => w("CELL", "CELLULE", "ZELLE"),
        Level::Warning => w("WARNING", "ATTENTION", "WARNUNG"),
        Level::Info => w("INFO", "INFO", "INFO"),
    }
}

/// An effect in words.
#[must_use]
pub fn effect_words(effect: Effect) -> Words {
    match effect {
        Effect::FileRefused => w("Nothing applied", "Rien n’a été appliqué", "Nichts übernommen"),
        Effect::RowRefused => w("Row refused", "Ligne refusée", "Zeile abgelehnt"),
        Effect::RowHeld => w("Row held", "Ligne en attente", "Zeile angehalten"),
        Effect::CellRefused => w("Cell refused", "Cellule refusée", "Zelle abgelehnt"),
        Effect::RowIgnored => w("Row left out", "Ligne laissée de côté", "Zeile übergangen"),
        Effect::ColumnIgnored => w("Column not read", "Colonne non lue", "Spalte nicht gelesen"),
        Effect::LineLeftOut => w("Left out", "Laissé de côté", "Übergangen"),
        Effect::Applied => w("Applied", "Appliqué", "Übernommen"),
        Effect::AppliedChanged => {
            w("Applied, adapted", "Appliqué après adaptation", "Angepasst übernommen")
        }
        Effect::Kept => w("Old value kept", "Ancienne valeur conservée", "Alter Wert behalten"),
        Effect::Held => w("Waits for approval", "En attente d’approbation", "Wartet auf Freigabe"),
        Effect::Told => w("For information", "Pour information", "Zur Information"),
    }
}

/// A status in words.
#[must_use]
pub fn status_words(status: ImportStatus) -> Words {
    match status {
        ImportStatus::Ok => w("Applied", "Appliqué", "Übernommen"),
        ImportStatus::OkWithWarnings => {
            w("Applied, with warnings", "Appliqué, avec avertissements", "Mit Warnungen übernommen")
        }
        ImportStatus::Partial => w("Applied in part", "Appliqué en partie", "Teilweise übernommen"),
        ImportStatus::Held => {
            w("Held for approval", "En attente d’approbation", "Angehalten bis zur Freigabe")
        }
        ImportStatus::Rejected => w(
            "Refused, nothing applied",
            "Refusé, rien n’a été appliqué",
            "Abgelehnt, nichts übernommen",
        ),
        ImportStatus::Duplicate => w(
            "Same file as last time",
            "Même fichier que la dernière fois",
            "Dieselbe Datei wie beim letzten Mal",
        ),
        ImportStatus::Superseded => w(
            "Replaced by a newer file",
            "Remplacé par un fichier plus récent",
            "Durch eine neuere Datei ersetzt",
        ),
        ImportStatus::Discarded => w("Discarded", "Abandonné", "Verworfen"),
        ImportStatus::Expired => w("Expired", "Expiré", "Abgelaufen"),
        ImportStatus::Undone => w("Undone", "Annulé", "Rückgängig gemacht"),
        ImportStatus::Failed => w("Failed", "Échoué", "Fehlgeschlagen"),
    }
}

/// The status of a dry run in words: what would become of the file.
pub(super) fn dry_status_words(status: ImportStatus) -> Words {
    match status {
        ImportStatus::Ok => w(
            "Dry run: would be applied",
            "Essai\u{a0}: serait appliqué",
            "Probelauf: würde übernommen",
        ),
        ImportStatus::OkWithWarnings => w(
            "Dry run: would be applied, with warnings",
            "Essai\u{a0}: serait appliqué, avec avertissements",
            "Probelauf: würde mit Warnungen übernommen",
        ),
        ImportStatus::Partial => w(
            "Dry run: would be applied in part",
            "Essai\u{a0}: serait appliqué en partie",
            "Probelauf: würde teilweise übernommen",
        ),
        ImportStatus::Held => w(
            "Dry run: would be held for approval",
            "Essai\u{a0}: serait mis en attente d’approbation",
            "Probelauf: würde bis zur Freigabe angehalten",
        ),
        ImportStatus::Rejected => w(
            "Dry run: would be refused, nothing applied",
            "Essai\u{a0}: serait refusé, rien ne serait appliqué",
            "Probelauf: würde abgelehnt, nichts übernommen",
        ),
        other => status_words(other),
    }
}

/// An effect in words where nothing has been applied: a dry run, or a held or refused file.
pub(super) fn planned_effect_words(effect: Effect) -> Words {
    match effect {
        Effect::RowRefused => {
            w("Row would be refused", "Ligne serait refusée", "Zeile würde abgelehnt")
        }
        Effect::CellRefused => {
            w("Cell would be refused", "Cellule serait refusée", "Zelle würde abgelehnt")
        }
        Effect::RowIgnored => {
            w("Row would be left out", "Ligne serait laissée de côté", "Zeile würde übergangen")
        }
        Effect::Applied => w("Would be applied", "Serait appliqué", "Würde übernommen"),
        Effect::AppliedChanged => w(
            "Would be applied, adapted",
            "Serait appliqué après adaptation",
            "Würde angepasst übernommen",
        ),
        Effect::Kept => w(
            "Old value would be kept",
            "L’ancienne valeur serait conservée",
            "Alter Wert würde behalten",
        ),
        other => effect_words(other),
    }
}

/// A date order, as the settings write it, in words.
pub(super) fn order_words(order: &str) -> Option<Words> {
    match order {
        "dmy" => Some(w("day, month, year", "jour, mois, année", "Tag, Monat, Jahr")),
        "mdy" => Some(w("month, day, year", "mois, jour, année", "Monat, Tag, Jahr")),
        "ymd" => Some(w("year, month, day", "année, mois, jour", "Jahr, Monat, Tag")),
        _ => None,
    }
}

/// The heading of the messages of one level.
pub(super) fn group_words(level: Level) -> Words {
    match level {
        Level::Fatal => w("The file", "Le fichier", "Die Datei"),
        Level::Error => w("Rows not applied", "Lignes non appliquées", "Nicht übernommene Zeilen"),
        Level::Field => {
            w("Cells not applied", "Cellules non appliquées", "Nicht übernommene Zellen")
        }
        Level::Warning => w("Warnings", "Avertissements", "Warnungen"),
        Level::Info => w("For information", "Pour information", "Zur Information"),
    }
}

/// What a guard counts.
pub(super) fn guard_words(code: Code) -> Words {
    match code.name() {
        "G601" => w(
            "Contracts that end, or end earlier",
            "Contrats qui prennent fin ou finissent plus tôt",
            "Verträge, die enden oder früher enden",
        ),
        "G602" => w("New people", "Nouvelles personnes", "Neue Personen"),
        "G603" => w(
            "People for whom one and the same field changes",
            "Personnes dont un même champ change",
            "Personen, bei denen sich dasselbe Feld ändert",
        ),
        "G604" => w(
            "Rows fewer than in the last applied full file",
            "Lignes de moins que dans le dernier fichier complet appliqué",
            "Zeilen weniger als in der letzten übernommenen vollständigen Datei",
        ),
        "G605" => w(
            "People of legal entities that are wholly absent",
            "Personnes d’entités légales entièrement absentes",
            "Personen von Gesellschaften, die ganz fehlen",
        ),
        "G609" => w(
            "Contract ends lifted, or moved later",
            "Fins de contrat levées ou repoussées",
            "Vertragsenden aufgehoben oder verschoben",
        ),
        "F005" => w(
            "No line end after the last row",
            "Pas de fin de ligne après la dernière ligne",
            "Kein Zeilenende nach der letzten Zeile",
        ),
        "D105" => w("Identity swaps", "Changements d’identité", "Identitätswechsel"),
        "A501" => w(
            "People absent from the file",
            "Personnes absentes du fichier",
            "Personen, die in der Datei fehlen",
        ),
        _ => w("Other", "Autre", "Sonstiges"),
    }
}

/// What a row that waits for a decision would do.
pub(super) fn pending_words(code: Code) -> Words {
    match code.name() {
        "D104" => w(
            "Renumbering: the person of the directory takes the new number",
            "Renumérotation\u{a0}: la personne de l’annuaire prend le nouveau matricule",
            "Neue Personalnummer: Die Person im Verzeichnis erhält die neue Nummer",
        ),
        _ => w(
            "Another identity under the same key: name, birth date and e-mail of the directory are replaced",
            "Autre identité sous la même clé\u{a0}: le nom, la date de naissance et l’adresse e-mail de l’annuaire sont remplacés",
            "Andere Identität unter demselben Schlüssel: Name, Geburtsdatum und E-Mail im Verzeichnis werden ersetzt",
        ),
    }
}

/// What somebody decided.
pub(super) fn decided_words(decided: Decided) -> Words {
    match decided {
        Decided::Approved => w("Approved", "Approuvé", "Freigegeben"),
        Decided::Discarded => w("Discarded", "Abandonné", "Verworfen"),
        Decided::Expired => w("Expired", "Expiré", "Abgelaufen"),
        Decided::Undone => w("Undone", "Annulé", "Rückgängig gemacht"),
    }
}

/// Whether everybody had to be in the file.
pub(super) fn mode_words(mode: Mode) -> Words {
    match mode {
        Mode::Full => w(
            "full: everybody is in the file",
            "complet\u{a0}: tout le monde est dans le fichier",
            "vollständig: Alle stehen in der Datei",
        ),
        Mode::Delta => w(
            "delta: only those who are in the file",
            "différentiel\u{a0}: seulement les personnes du fichier",
            "Delta: nur wer in der Datei steht",
        ),
    }
}

/// How a column was matched, or why it was not read.
#[must_use]
pub fn matched_words(matched_by: &str) -> Words {
    match matched_by {
        "code" => w("its code", "son code", "ihren Code"),
        "alias" => {
            w("an alias of the settings", "un alias des réglages", "einen Alias der Einstellungen")
        }
        "synonym" => w("a known name", "un nom connu", "einen bekannten Namen"),
        "neighbours" => w("the other columns", "les autres colonnes", "die anderen Spalten"),
        "values" => w("its values", "ses valeurs", "ihre Werte"),
        "custom" => {
            w("the client’s own field", "champ propre au client", "eigenes Feld des Kunden")
        }
        "control" => {
            w("column that steers the import", "colonne de pilotage", "Steuerspalte des Imports")
        }
        "duplicate" => w(
            "another column carries the same field",
            "une autre colonne contient le même champ",
            "eine andere Spalte enthält dasselbe Feld",
        ),
        "ambiguous" => {
            w("several fields are possible", "plusieurs champs possibles", "mehrere Felder möglich")
        }
        "blank" => {
            w("no header, no values", "ni en-tête ni valeurs", "weder Überschrift noch Werte")
        }
        _ => w("no field has this name", "aucun champ de ce nom", "kein Feld dieses Namens"),
    }
}

/// The first word of the answer to a held upload.
pub(super) fn held_words() -> Words {
    w("held", "en attente", "angehalten")
}

/// What a held import has done so far.
pub(super) fn nothing_applied_words() -> Words {
    w("nothing was applied", "rien n’a été appliqué", "nichts wurde übernommen")
}

/// `2 rows and 1 cell to correct`; `None`: nothing is.
pub(super) fn to_correct(rows: u64, cells: u64, language: Language) -> Option<String> {
    let rows_word = match (language, rows == 1) {
        (Language::En, true) => "row",
        (Language::En, false) => "rows",
        (Language::Fr, true) => "ligne",
        (Language::Fr, false) => "lignes",
        (Language::De, true) => "Zeile",
        (Language::De, false) => "Zeilen",
    };
    let cells_word = match (language, cells == 1) {
        (Language::En, true) => "cell",
        (Language::En, false) => "cells",
        (Language::Fr, true) => "cellule",
        (Language::Fr, false) => "cellules",
        (Language::De, true) => "Zelle",
        (Language::De, false) => "Zellen",
    };
    let and = w("and", "et", "und").get(language);
    let what = match (rows, cells) {
        (0, 0) => return None,
        (rows, 0) => format!("{rows} {rows_word}"),
        (0, cells) => format!("{cells} {cells_word}"),
        (rows, cells) => format!("{rows} {rows_word} {and} {cells} {cells_word}"),
    };
    Some(match language {
        Language::En => format!("{what} to correct"),
        Language::Fr => format!("{what} à corriger"),
        Language::De => format!("{what} zu korrigieren"),
    })
}

/// A field's name for people.
#[must_use]
pub fn field_words(key: &FieldKey, language: Language) -> Cow<'_, str> {
    match key {
        FieldKey::Known(field) => Cow::Borrowed(known_field(*field).get(language)),
        FieldKey::Custom(name) => Cow::Borrowed(name),
    }
}

fn known_field(field: Field) -> Words {
    match field {
        Field::EmployeeNumber => w("Employee number", "Matricule", "Personalnummer"),
        Field::LegalEntity => w("Legal entity", "Entité légale", "Gesellschaft"),
        Field::Establishment => w("Establishment", "Établissement", "Betriebsstätte"),
        Field::Login => w("Login", "Identifiant", "Benutzername"),
        Field::FirstName => w("First name", "Prénom", "Vorname"),
        Field::LastName => w("Last name", "Nom", "Nachname"),
        Field::BirthName => w("Birth name", "Nom de naissance", "Geburtsname"),
        Field::Email => w("E-mail", "Adresse e-mail", "E-Mail"),
        Field::ContractStart => w("Contract start", "Début du contrat", "Vertragsbeginn"),
        Field::ContractEnd => w("Contract end", "Fin du contrat", "Vertragsende"),
        Field::EndReason => w("Reason for leaving", "Motif de sortie", "Austrittsgrund"),
        Field::SeniorityDate => {
            w("Seniority date", "Date d’ancienneté", "Datum der Betriebszugehörigkeit")
        }
        Field::ContractType => w("Contract type", "Type de contrat", "Vertragsart"),
        Field::BirthDate => w("Date of birth", "Date de naissance", "Geburtsdatum"),
        Field::Department => w("Department", "Département", "Abteilung"),
        Field::CostCenter => w("Cost centre", "Centre de coûts", "Kostenstelle"),
        Field::Csp => w("Category", "Catégorie socioprofessionnelle", "Tarifgruppe"),
        Field::JobTitle => w("Job title", "Intitulé du poste", "Stelle"),
        Field::Manager => w("Manager", "Responsable", "Führungskraft"),
        Field::Role => w("Main role", "Rôle principal", "Hauptrolle"),
        Field::Roles => w("Other roles", "Rôles secondaires", "Weitere Rollen"),
        Field::ProfileAbsence => w("Leave profile", "Profil congés", "Urlaubsprofil"),
        Field::ProfileTime => w("Time profile", "Profil temps", "Zeitprofil"),
        Field::ProfileExpense => w("Expense profile", "Profil notes de frais", "Spesenprofil"),
        Field::Fte => w("FTE", "Taux d’activité", "Beschäftigungsgrad"),
        Field::WeeklyHours => w("Weekly hours", "Horaire hebdomadaire", "Wochenstunden"),
        Field::Calendar => w("Calendar", "Calendrier", "Feiertagskalender"),
        Field::Culture => w("Language", "Langue", "Sprache"),
        Field::Country => w("Country", "Pays", "Land"),
        Field::Nationality => w("Nationality", "Nationalité", "Nationalität"),
        Field::Gender => w("Gender", "Sexe", "Geschlecht"),
        Field::Phone => w("Phone", "Téléphone", "Telefon"),
        Field::Mobile => w("Mobile phone", "Téléphone portable", "Mobiltelefon"),
        Field::Address => w("Address", "Adresse", "Adresse"),
        Field::Status => w("Status", "Statut", "Status"),
    }
}
