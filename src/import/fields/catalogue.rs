//! The headers of the world's payroll programs, field by field: codes, and synonyms in French, English and German.

use std::sync::LazyLock;

use super::Field;

/// The list itself, for people to read and add to.
const LIST: &str = include_str!("headers.txt");

/// The headers by which a field is known. docs/file-format.md prints them; a test keeps the two equal.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Codes that integrations write as they are; they beat synonyms.
    pub codes: Vec<&'static str>,
    /// French headers.
    pub fr: Vec<&'static str>,
    /// English headers.
    pub en: Vec<&'static str>,
    /// German headers.
    pub de: Vec<&'static str>,
}

impl Names {
    /// All synonyms, in all languages.
    pub fn synonyms(&self) -> impl Iterator<Item = &'static str> {
        self.fr.iter().chain(&self.en).chain(&self.de).copied()
    }
}

/// The names of a field.
#[must_use]
pub fn names(field: Field) -> &'static Names {
    static NONE: Names =
        Names { codes: Vec::new(), fr: Vec::new(), en: Vec::new(), de: Vec::new() };
    NAMES.get(field.index()).unwrap_or(&NONE)
}

static NAMES: LazyLock<Vec<Names>> = LazyLock::new(|| {
    let mut all = vec![Names::default(); Field::ALL.len()];
    let mut field = None;
    let mut kind = "";
    for line in LIST.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line;
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            field = Field::from_name(name);
            continue;
        }
        if !line.starts_with(' ')
            && let Some((key, list)) = line.split_once(':')
        {
            (kind, words) = (key, list);
        }
        let Some(names) = field.and_then(|field: Field| all.get_mut(field.index())) else {
            continue;
        };
        let list = match kind {
            "code" => &mut names.codes,
            "fr" => &mut names.fr,
            "en" => &mut names.en,
            _ => &mut names.de,
        };
        list.extend(words.split('|').map(str::trim).filter(|word| !word.is_empty()));
    }
    all
});

/// Headers that mean different fields in different files; neighbours or values settle which.
pub const AMBIGUOUS: &[(&str, &[Field])] = &[
    ("établissement", &[Field::Establishment, Field::LegalEntity]),
    ("code établissement", &[Field::Establishment, Field::LegalEntity]),
    ("statut", &[Field::Csp, Field::Status]),
    ("code statut", &[Field::Csp, Field::Status]),
    ("name", &[Field::LastName]),
    ("employee name", &[Field::LastName]),
    ("ID", &[Field::EmployeeNumber, Field::Login]),
    ("numéro", &[Field::EmployeeNumber]),
    ("number", &[Field::EmployeeNumber]),
    ("nummer", &[Field::EmployeeNumber]),
    ("n°", &[Field::EmployeeNumber]),
    ("no", &[Field::EmployeeNumber]),
    ("nr", &[Field::EmployeeNumber]),
    ("title", &[Field::JobTitle, Field::Gender]),
    ("titre", &[Field::JobTitle, Field::Gender]),
    ("titel", &[Field::JobTitle, Field::Gender]),
    ("profil", &[Field::ProfileAbsence, Field::Role]),
    ("profile", &[Field::ProfileAbsence, Field::Role]),
];

/// Headers of columns that steer the import instead of filling a field.
pub(super) const PREVIOUS_NUMBER: &[&str] = &[
    "previous_employee_number",
    "previous employee number",
    "previous employee id",
    "old employee number",
    "former employee number",
    "ancien matricule",
    "ancien n° salarié",
    "ancien numéro",
    "matricule précédent",
    "alte Personalnummer",
    "frühere Personalnummer",
    "vorherige Personalnummer",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_well_formed() {
        let mut seen = Vec::new();
        for line in LIST.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                let field = Field::from_name(name);
                assert!(field.is_some() && !seen.contains(&field), "{line}");
                seen.push(field);
            } else {
                let known = ["code: ", "fr: ", "en: ", "de: ", "    "];
                assert!(known.iter().any(|start| line.starts_with(start)), "{line}");
            }
        }
        for field in Field::ALL {
            let names = names(*field);
            let lists = [&names.codes, &names.fr, &names.en, &names.de];
            assert!(lists.iter().all(|list| !list.is_empty()), "{field}");
        }
    }
}
