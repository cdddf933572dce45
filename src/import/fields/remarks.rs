//! Remarks in brackets behind a column's name: `Matricule (obligatoire)`, `Date de fin (période d'essai)`.

use super::Field;
use super::headers::STOP;
use crate::import::text::fold;

/// Words that say how a column is filled: that it must be, in which form, with which of a few values.
const HARMLESS: &str = "\
    obligatoire requis requise facultatif facultative optionnel optionnelle required mandatory optional compulsory \
    pflicht pflichtfeld erforderlich si applicable echeant cas if any when falls vorhanden unique cle key schlussel \
    eindeutig format iso iso2 iso3 utf texte text date datum nombre number zahl numerique numeric numerisch entier \
    decimal alphanumerique alphanumeric alphanumerisch caracteres caractere car characters character chars char \
    zeichen chiffres chiffre digits digit stellen stellig max maximum min minimum sur ou or oder et and und ex \
    exemple example eg bsp beispiel zb majuscules separes separated par by code codes libelle label bezeichnung \
    name nom prenom vorname nachname first last email mail login id ref no nr num pct pourcentage percent prozent \
    heures hours stunden std hrs decimales annee mois jour year month day jahr monat tag aa yy hh ss jma dmy mdy \
    ymd tmj yyyymmdd aaaammjj jjjjmmtt jjmmaa ddmmyy mmddyyyy ttmmjj jjj mmm oui non yes ja nein vrai faux true \
    false homme femme male female mann frau mannlich weiblich divers cdd cdi usuel usuelle salarie salariee employe \
    employee collaborateur collaboratrice mitarbeiter mitarbeiterin personne contrat contract vertrag paie payroll \
    lohn rh hr sirh siren siret matricule kurzel kurz kurzbezeichnung abrege abreviation short mais but aber \
    conseille recommande recommended empfohlen souhaite effective effectif reelle reel actual tatsachlich champ \
    field feld en in mme mlle herr mr mrs ms madame monsieur lettre lettres letter letters buchstabe buchstaben \
    alpha liste list valeur valeurs value values wert werte remplir renseigner completer saisir saisie angabe \
    pflichtangabe zwingend voir see siehe avec sans with without mit ohne zero zeros null nullen leading fuhrende \
    defaut default standard modele muster sample pas ne not do nicht modifier change andern jours days tage euro \
    eur";

/// Words by which a remark names another person, or another time.
const OTHERS: &str = "\
    naissance birth geburt fille maiden conjoint conjointe epoux epouse spouse partner partnerin ehe pere mere \
    enfant enfants child children kind kinder vater mutter manager managers responsable superieur hierarchique \
    supervisor vorgesetzter vorgesetzte vorgesetzten fuhrungskraft chef boss tuteur tutor ex ancien ancienne \
    anciens old alt alte alter fruher fruhere previous former precedent precedente vorherige nouveau nouvelle new \
    neu neue urgence emergency notfall contact kontakt client kunde fournisseur banque bank candidat bewerber";

/// What a field means anyway.
fn means_anyway(field: Option<Field>) -> &'static str {
    match field {
        Some(Field::Email | Field::Phone | Field::Mobile) => {
            "pro professionnel professionnelle bureau work business office company geschaftlich dienstlich firma"
        }
        Some(Field::ContractEnd) => {
            "prevue prevu previsionnelle expected planned voraussichtlich geplant"
        }
        Some(Field::Address) => "perso personnelle privee domicile home private privat",
        _ => "",
    }
}

/// Whether the remarks behind a name, from behind the first bracket on, leave a column what its name says. `E-Mail (privat)` is nobody's
/// address at work: such a column is told as unknown, where a wrong one would not be told at all.
pub(super) fn change_nothing(remarks: &str, field: Option<Field>) -> bool {
    let mut rest = remarks;
    loop {
        let (remark, behind) = rest.split_once([')', ']']).unwrap_or((rest, ""));
        if !changes_nothing(remark, field) {
            return false;
        }
        match behind.trim_start().strip_prefix(['(', '[']) {
            Some(next) => rest = next,
            // What else stands there would be a part of the name.
            None => return !behind.chars().any(char::is_alphanumeric),
        }
    }
}

/// Every word must be known to change nothing; of a field without which a file is refused, none may be known to change
/// something: a strange remark there costs more than it saves.
fn changes_nothing(remark: &str, field: Option<Field>) -> bool {
    // The level above is somebody's manager; any other level is other people.
    if let Some(level) = level_in(remark) {
        return level == "+1" && field == Some(Field::Manager);
    }
    let words: Vec<String> =
        remark.split(|c: char| !c.is_alphanumeric()).map(fold).filter(|w| !w.is_empty()).collect();
    if field.is_some_and(is_vital) {
        return !words.iter().any(|word| has(OTHERS, word));
    }
    // `ex. 00123` is an example, `ex` alone is somebody who was.
    words != ["ex"] && words.iter().all(|word| is_harmless(word, means_anyway(field)))
}

/// Keys and names: without one of these nothing of a file is imported.
fn is_vital(field: Field) -> bool {
    matches!(
        field,
        Field::EmployeeNumber
            | Field::LegalEntity
            | Field::Login
            | Field::FirstName
            | Field::LastName
    )
}

fn is_harmless(word: &str, besides: &str) -> bool {
    // `%`, `8`, `m/w/d`.
    let is_short = word.chars().count() <= 1 || word.bytes().all(|b| b.is_ascii_digit());
    is_short || STOP.contains(&word) || has(HARMLESS, word) || has(besides, word)
}

fn has(words: &str, word: &str) -> bool {
    words.split(' ').any(|known| known == word)
}

/// `+1` of `N+1`, `-1` of `du N - 1`.
fn level_in(remark: &str) -> Option<String> {
    let plain: String = remark.chars().filter(|c| !c.is_whitespace()).collect();
    let at = plain.find(['+', '-', '–'])?;
    let (before, sign_and_level) = plain.split_at(at);
    let level: String = sign_and_level.chars().skip(1).take_while(char::is_ascii_digit).collect();
    let sign = if sign_and_level.starts_with('+') { '+' } else { '-' };
    (before.ends_with(['n', 'N']) && !level.is_empty()).then(|| format!("{sign}{level}"))
}
