//! The words of a report that are not messages: columns, levels, effects, statuses, fields.

use std::borrow::Cow;

use crate::import::codes::{Effect, Level, Words};
use crate::import::fields::{Field, FieldKey};
use crate::model::{ImportStatus, Language};

const fn w(en: &'static str, fr: &'static str, de: &'static str) -> Words {
    Words { en, fr, de }
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
        Effect::CellRefused => w("Cell refused", "Cellule refusée", "Zelle abgelehnt"),
        Effect::RowIgnored => w("Row left out", "Ligne laissée de côté", "Zeile übergangen"),
        Effect::ColumnIgnored => w("Column not read", "Colonne non lue", "Spalte nicht gelesen"),
        Effect::LineLeftOut => w("Left out", "Laissé de côté", "Übergangen"),
        Effect::Applied => w("Applied", "Appliqué", "Übernommen"),
        Effect::AppliedChanged => {
            w("Applied, adapted", "Appliqué après adaptation", "Angepasst übernommen")
        }
        Effect::Kept => w("Old value kept", "Ancienne valeur conservée", "Alter Wert behalten"),
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
            w("Waiting for approval", "En attente d’approbation", "Wartet auf Freigabe")
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
