//! Header to field: exact code, then the client's alias, then a synonym; never a fuzzy match.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Serialize;

use super::catalogue::{self, AMBIGUOUS, PREVIOUS_NUMBER};
use super::{Field, FieldKey, remarks};
use crate::import::settings::UnknownColumns;
use crate::import::text::{clean_words, fold};

/// How a column found its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchedBy {
    /// An exact code, such as `dtContractStart`.
    Code,
    /// The client's own alias.
    Alias,
    /// A header of the catalogue.
    Synonym,
    /// An ambiguous header, settled by the other columns.
    Neighbours,
    /// An ambiguous header, settled by its values.
    Values,
    /// A client's own column (`e_…`), kept as text.
    Custom,
    /// A column that steers the import: `_code`, `_message`, `previous_employee_number`.
    Control,
    /// Not read: another column has the same field (H104).
    Duplicate,
    /// Not read: the header may mean several fields (H105).
    Ambiguous,
    /// Not read: no field has this header (H103).
    Unknown,
    /// Not read: no header and no values.
    Blank,
}

/// What a header says by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    Field(FieldKey, MatchedBy),
    /// One of a numbered family (`userAxisValues_3`): the lowest number gives the field, others are kept as text.
    Numbered(Field, u32),
    Ambiguous(&'static [Field]),
    PreviousNumber,
    Correction,
    Unknown,
}

/// The header names of the catalogue and of one client.
#[derive(Debug, Clone)]
pub struct Headers {
    aliases: HashMap<String, FieldKey>,
    pub(super) unknown: UnknownColumns,
}

impl Default for Headers {
    /// The catalogue alone.
    fn default() -> Self {
        Self::new(&BTreeMap::new(), UnknownColumns::Ignore)
    }
}

struct Catalogue {
    codes: HashMap<String, Field>,
    synonyms: HashMap<String, Field>,
    ambiguous: HashMap<String, &'static [Field]>,
    previous: Vec<String>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let mut codes = HashMap::new();
    let mut synonyms = HashMap::new();
    for field in Field::ALL {
        let names = catalogue::names(*field);
        codes.extend(names.codes.iter().map(|code| (fold(code), *field)));
        synonyms.extend(names.synonyms().map(|name| (fold_words(name), *field)));
    }
    Catalogue {
        codes,
        synonyms,
        ambiguous: AMBIGUOUS.iter().map(|(name, fields)| (fold_words(name), *fields)).collect(),
        previous: PREVIOUS_NUMBER.iter().map(|name| fold_words(name)).collect(),
    }
});

impl Headers {
    /// The catalogue with a client's aliases (header to field) and its wish for other columns.
    #[must_use]
    pub fn new(aliases: &BTreeMap<String, FieldKey>, unknown: UnknownColumns) -> Self {
        let aliases = aliases.iter().map(|(name, key)| (fold(name), key.clone())).collect();
        Self { aliases, unknown }
    }

    /// Whether two names of one column say the same: the same words, or names of one field.
    #[must_use]
    pub fn agree(&self, one: &str, other: &str) -> bool {
        if fold(one) == fold(other) {
            return true;
        }
        match (self.meaning(one), self.meaning(other)) {
            (Meaning::Unknown, Meaning::Unknown) => true,
            (Meaning::Field(one, _), Meaning::Field(other, _)) => one == other,
            (Meaning::Ambiguous(fields), Meaning::Field(FieldKey::Known(field), _))
            | (Meaning::Field(FieldKey::Known(field), _), Meaning::Ambiguous(fields)) => {
                fields.contains(&field)
            }
            (one, other) => one == other,
        }
    }

    /// The field that an alias gives a header which is an exact code of another field: the code decides.
    pub(super) fn overruled_alias(&self, header: &str) -> Option<&FieldKey> {
        let code = fold(&clean_words(header));
        let alias = self.aliases.get(&code)?;
        match self.meaning(header) {
            Meaning::Field(key, MatchedBy::Code) if key != *alias => Some(alias),
            Meaning::Numbered(field, _) if FieldKey::Known(field) != *alias => Some(alias),
            _ => None,
        }
    }

    /// Whether the text is a header that this client's files may have.
    #[must_use]
    pub fn knows(&self, header: &str) -> bool {
        // Longer texts are sentences or values: not worth folding.
        header.len() <= 120 && self.meaning(header) != Meaning::Unknown
    }

    pub(super) fn meaning(&self, header: &str) -> Meaning {
        let header = clean_words(header);
        let whole = self.meaning_of(&header);
        if whole != Meaning::Unknown {
            return whole;
        }
        // `Matricule (obligatoire)`, `Date of birth [dd/mm/yyyy]`: such a remark is no part of the name.
        let Some((name, remarks)) = header.split_once(['(', '[']) else { return Meaning::Unknown };
        if name.trim().is_empty() {
            return Meaning::Unknown;
        }
        let meaning = self.meaning_of(name);
        let field = match &meaning {
            Meaning::Field(FieldKey::Known(field), _) => Some(*field),
            _ => None,
        };
        match meaning {
            _ if !remarks::change_nothing(remarks, field) => Meaning::Unknown,
            Meaning::Field(key, MatchedBy::Code) => Meaning::Field(key, MatchedBy::Synonym),
            meaning => meaning,
        }
    }

    fn meaning_of(&self, header: &str) -> Meaning {
        let known = &*CATALOGUE;
        let code = fold(header);
        if code.is_empty() {
            return Meaning::Unknown;
        }
        match header {
            "_code" | "_message" => return Meaning::Correction,
            _ => {}
        }
        if let Some(field) = known.codes.get(&code) {
            return Meaning::Field(FieldKey::Known(*field), MatchedBy::Code);
        }
        if let Some(numbered) = numbered(&code) {
            return numbered;
        }
        if let Some(key) = self.aliases.get(&code) {
            return Meaning::Field(key.clone(), MatchedBy::Alias);
        }
        if header.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("e_")) {
            return Meaning::Field(FieldKey::Custom(custom_name(header)), MatchedBy::Custom);
        }
        let words = fold_words(header);
        if let Some(fields) = known.ambiguous.get(&words) {
            return Meaning::Ambiguous(fields);
        }
        if let Some(field) = known.synonyms.get(&words) {
            return Meaning::Field(FieldKey::Known(*field), MatchedBy::Synonym);
        }
        if known.previous.contains(&words) {
            return Meaning::PreviousNumber;
        }
        Meaning::Unknown
    }
}

/// `habilitedRoles_0`, `userAxisValues_1`, `profile_cleemy_2`, folded.
fn numbered(code: &str) -> Option<Meaning> {
    const FAMILIES: [(&str, Field); 4] = [
        ("habilitedroles", Field::Roles),
        ("useraxisvalues", Field::CostCenter),
        ("profilecleemy", Field::ProfileExpense),
        ("profilefiggo", Field::ProfileAbsence),
    ];
    FAMILIES.iter().find_map(|(name, field)| {
        let number = code.strip_prefix(name)?.parse().ok()?;
        Some(match field {
            Field::Roles => Meaning::Field(FieldKey::Known(Field::Roles), MatchedBy::Code),
            field => Meaning::Numbered(*field, number),
        })
    })
}

/// The name of a client's own column: lower case, words joined by `_`.
#[must_use]
pub fn custom_name(header: &str) -> String {
    let mut name = String::with_capacity(header.len());
    for word in header.split(|c: char| !c.is_alphanumeric()).map(fold).filter(|w| !w.is_empty()) {
        if !name.is_empty() {
            name.push('_');
        }
        name.push_str(&word);
    }
    name
}

/// Words that carry no meaning in a header.
pub(super) const STOP: &[&str] = &[
    "d", "l", "de", "du", "des", "la", "le", "les", "au", "aux", "et", "the", "of", "for", "a",
    "an", "in", "der", "die", "das", "dem", "den", "von", "vom", "zu", "zum", "zur", "jj", "mm",
    "aaaa", "dd", "yyyy", "tt", "jjjj", "jjmmaaaa", "ddmmyyyy", "ttmmjjjj",
];

/// Folds a header word by word and leaves out the words that carry no meaning (`de`, `the`, `der`, `JJ/MM/AAAA`).
fn fold_words(header: &str) -> String {
    let mut folded = String::with_capacity(header.len());
    let mut word = String::new();
    let mut finish = |word: &mut String| {
        let plain = fold(word);
        if !STOP.contains(&plain.as_str()) {
            folded.push_str(&plain);
        }
        word.clear();
    };
    let mut was_lower = false;
    for c in header.chars() {
        let ends = !c.is_alphanumeric() || (was_lower && c.is_uppercase());
        if ends {
            finish(&mut word);
        }
        if let Some(sign) = meaningful_sign(c) {
            word.push_str(sign);
        } else {
            word.push(c);
        }
        was_lower = c.is_lowercase();
    }
    finish(&mut word);
    if folded.is_empty() { fold(header) } else { folded }
}

/// Signs that people write for a word.
fn meaningful_sign(c: char) -> Option<&'static str> {
    match c {
        '%' => Some("percent"),
        '#' => Some("number"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field_of(header: &str) -> Option<Field> {
        match Headers::default().meaning(header) {
            Meaning::Field(FieldKey::Known(field), _) | Meaning::Numbered(field, _) => Some(field),
            _ => None,
        }
    }

    #[test]
    fn no_header_has_two_meanings() {
        let mut owner: HashMap<String, Field> = HashMap::new();
        for field in Field::ALL {
            let names = catalogue::names(*field);
            for name in names.synonyms() {
                let folded = fold_words(name);
                assert!(!folded.is_empty(), "{name}");
                let other = *owner.entry(folded.clone()).or_insert(*field);
                assert_eq!(other, *field, "\"{name}\" stands for {other} and {field}");
                let code = CATALOGUE.codes.get(&fold(name)).copied();
                assert!(code.is_none_or(|c| c == *field), "\"{name}\" is a code of another field");
                assert!(!CATALOGUE.ambiguous.contains_key(&folded), "\"{name}\" is also ambiguous");
                assert!(!CATALOGUE.previous.contains(&folded), "\"{name}\"");
            }
        }
    }

    #[test]
    fn every_header_of_the_catalogue_finds_its_field() {
        for field in Field::ALL {
            let names = catalogue::names(*field);
            for name in names.codes.iter().copied().chain(names.synonyms()) {
                for written in [name.to_owned(), name.to_uppercase(), format!("  {name} * ")] {
                    assert_eq!(field_of(&written), Some(*field), "{written}");
                }
            }
        }
    }

    #[test]
    fn headers_as_people_write_them() {
        for (header, field) in [
            ("DATE_NAISSANCE", Field::BirthDate),
            ("Date de naissance (JJ/MM/AAAA)", Field::BirthDate),
            ("DateDeNaissance", Field::BirthDate),
            ("Date d’embauche", Field::ContractStart),
            ("Matricule*", Field::EmployeeNumber),
            ("Nº salarié", Field::EmployeeNumber),
            ("Employee #", Field::EmployeeNumber),
            ("habilitedRoles_3", Field::Roles),
            ("userAxisValues_0", Field::CostCenter),
            ("profile_cleemy_1", Field::ProfileExpense),
            ("Prénom\r\n(usuel)", Field::FirstName),
            ("\u{FEFF}Nom", Field::LastName),
            ("N+1", Field::Manager),
            ("Vorgesetzte:r", Field::Manager),
            ("E-MAIL", Field::Email),
            ("Matricule (obligatoire)", Field::EmployeeNumber),
            ("Personalnummer (8-stellig, Pflichtfeld)", Field::EmployeeNumber),
            ("Sexe (H/F)", Field::Gender),
            ("Matricule (champ obligatoire)", Field::EmployeeNumber),
            ("Employee number (required field)", Field::EmployeeNumber),
            ("Matricule (issu de la GTA)", Field::EmployeeNumber),
            ("Taux d'activité (en %)", Field::Fte),
            ("Civilité (M/Mme)", Field::Gender),
            ("Anrede (Herr/Frau)", Field::Gender),
            ("Pays (2 lettres)", Field::Country),
            ("Country (2 letters)", Field::Country),
            ("Date de sortie (JJ/MM/AAAA) [facultatif] *", Field::ContractEnd),
            ("Geschlecht [m/w/d]", Field::Gender),
            ("Date de fin (le cas échéant)", Field::ContractEnd),
            ("Taux d'activité (%)", Field::Fte),
            ("Téléphone (professionnel)", Field::Phone),
            ("Telefon (geschäftlich)", Field::Phone),
            ("Responsable hiérarchique (N+1)", Field::Manager),
            ("Responsable (matricule du N+1)", Field::Manager),
            ("Matricule (du N+1)", Field::Manager),
            ("Date de sortie (prévue)", Field::ContractEnd),
            ("Abteilung (Kürzel)", Field::Department),
            ("Adresse (personnelle)", Field::Address),
        ] {
            assert_eq!(field_of(header), Some(field), "{header}");
        }
        for header in [
            "Date de fin (période d'essai)",
            "Enddatum (Probezeit)",
            "E-Mail (privat)",
            "Téléphone (domicile)",
            "Pays (naissance)",
            "Service (N-1)",
            "Service (n - 1)",
            "Courriel (du N+1)",
            "Position (alt)",
            "Date d'entrée (groupe)",
            "Prénom (manager)",
            "Nom (de naissance du conjoint)",
            "Personalnummer (alt)",
            "Vorname (Notfallkontakt Bank)",
            "Matricule (ex)",
            "Adresse (bureau)",
            "Nom (de jeune fille) du conjoint",
            "Kündigungsdatum",
        ] {
            assert_eq!(field_of(header), None, "{header}");
        }
        let brackets = "()[]".repeat(500_000);
        assert_eq!(field_of(&format!("Matricule {brackets}")), Some(Field::EmployeeNumber));
        assert_eq!(field_of(&format!("Service {brackets} (N-1)")), None);
        for header in ["", "  ", "Nomenclature", "Date", "Kommentar", "Dupont", "12"] {
            assert_eq!(field_of(header), None, "{header}");
        }
    }

    #[test]
    fn aliases_and_own_columns() {
        let aliases = BTreeMap::from([
            ("Zone 17".to_owned(), FieldKey::Known(Field::Department)),
            ("matricule".to_owned(), FieldKey::Known(Field::Login)),
            ("Pointure".to_owned(), FieldKey::Custom("shoe".to_owned())),
        ]);
        let headers = Headers::new(&aliases, UnknownColumns::Ignore);
        let known = |field, by| Meaning::Field(FieldKey::Known(field), by);
        assert_eq!(headers.meaning("ZONE_17"), known(Field::Department, MatchedBy::Alias));
        assert_eq!(headers.meaning("Matricule"), known(Field::Login, MatchedBy::Alias));
        assert_eq!(
            headers.meaning("pointure"),
            Meaning::Field(FieldKey::Custom("shoe".to_owned()), MatchedBy::Alias)
        );
        assert_eq!(
            headers.meaning("e_Taille T-shirt"),
            Meaning::Field(FieldKey::Custom("e_taille_t_shirt".to_owned()), MatchedBy::Custom)
        );
    }
}
