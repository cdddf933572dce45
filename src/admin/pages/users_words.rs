//! Words that the pages about users share: standing, days, the fields in groups, and the fields of a form.

use jiff::civil::Date;

use crate::admin::shell::Shell;
use crate::import::fields::{DATE_FIELDS, Field, FieldKey};
use crate::import::report::field_words;
use crate::import::standing::Standing;
use crate::model::Language;

/// A standing in words and its class.
pub(super) fn standing(p: &Shell, standing: Standing) -> (&'static str, &'static str) {
    let (class, [en, fr, de]) = match standing {
        Standing::Active => ("good", ["Active", "Actif", "Aktiv"]),
        Standing::Upcoming => ("look", ["Upcoming", "À venir", "Künftig"]),
        Standing::Ended => ("plain", ["Ended", "Parti", "Ausgetreten"]),
        Standing::Withdrawn => ("bad", ["Withdrawn", "Retiré", "Zurückgezogen"]),
    };
    (class, p.t(en, fr, de))
}

/// A day in canonical text as people of the language write it; anything else as it is.
pub(super) fn day(p: &Shell, text: &str) -> String {
    let Ok(day) = text.parse::<Date>() else { return text.to_owned() };
    let pattern = match p.language {
        Language::En => "%Y-%m-%d",
        Language::Fr => "%d/%m/%Y",
        Language::De => "%d.%m.%Y",
    };
    day.strftime(pattern).to_string()
}

/// The name of a field in the page's language.
pub(super) fn label(p: &Shell, field: &FieldKey) -> String {
    match field {
        FieldKey::Known(_) => field_words(field, p.language).into_owned(),
        FieldKey::Custom(name) => name.clone(),
    }
}

/// A value as it is shown: days in the page's language, roles one after the other.
pub(super) fn value(p: &Shell, field: &FieldKey, text: &str) -> String {
    match field {
        FieldKey::Known(field) if DATE_FIELDS.contains(field) => day(p, text),
        _ => text.replace('\n', ", "),
    }
}

/// The fields of a user in the groups in which pages show them.
pub(super) const GROUPS: [(Group, &[Field]); 5] = [
    (
        Group::Identity,
        &[
            Field::EmployeeNumber,
            Field::LegalEntity,
            Field::Establishment,
            Field::LastName,
            Field::FirstName,
            Field::BirthName,
            Field::Login,
            Field::Email,
            Field::BirthDate,
            Field::Gender,
            Field::Nationality,
        ],
    ),
    (
        Group::Contract,
        &[
            Field::ContractStart,
            Field::ContractEnd,
            Field::EndReason,
            Field::ContractType,
            Field::SeniorityDate,
            Field::Fte,
            Field::WeeklyHours,
            Field::Calendar,
            Field::Status,
        ],
    ),
    (
        Group::Organisation,
        &[
            Field::Department,
            Field::Manager,
            Field::JobTitle,
            Field::Csp,
            Field::CostCenter,
            Field::Role,
            Field::Roles,
        ],
    ),
    (Group::Profiles, &[Field::ProfileAbsence, Field::ProfileTime, Field::ProfileExpense]),
    (
        Group::Contact,
        &[Field::Phone, Field::Mobile, Field::Address, Field::Country, Field::Culture],
    ),
];

/// A group of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Identity,
    Contract,
    Organisation,
    Profiles,
    Contact,
}

impl Group {
    /// Its name.
    pub(super) fn words(self, p: &Shell) -> &'static str {
        let [en, fr, de] = match self {
            Self::Identity => ["Identity", "Identité", "Person"],
            Self::Contract => ["Contract", "Contrat", "Vertrag"],
            Self::Organisation => ["Organisation", "Organisation", "Organisation"],
            Self::Profiles => ["Profiles", "Profils", "Profile"],
            Self::Contact => ["Contact", "Coordonnées", "Kontakt"],
        };
        p.t(en, fr, de)
    }
}

/// A field of a form.
pub(super) struct Input {
    /// Its name in the form: the field's own.
    pub(super) name: String,
    pub(super) label: String,
    /// What stands in it.
    pub(super) value: String,
    /// What the directory had when the form was opened.
    pub(super) was: String,
    /// `text`, `date` or `email`.
    pub(super) kind: &'static str,
    /// The codes to choose from; more can be typed.
    pub(super) codes: Vec<crate::service::users_file::CodeView>,
    /// Every new user needs it.
    pub(super) required: bool,
}

/// Which kind of field a form has for a value.
pub(super) fn kind(field: Field) -> &'static str {
    match field {
        Field::Email => "email",
        field if DATE_FIELDS.contains(&field) => "date",
        _ => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_in_one_group() {
        let mut grouped: Vec<Field> =
            GROUPS.iter().flat_map(|(_, fields)| fields.iter().copied()).collect();
        grouped.sort_unstable();
        assert_eq!(grouped, Field::ALL);
    }
}
