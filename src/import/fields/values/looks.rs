//! What kind of value a text looks like.

use crate::import::text::fold;

/// A question mark within or right beside a word: what is left of `é` in a file that was written without accents.
pub(super) fn like_lost_letters(text: &str) -> bool {
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let touches = before.is_alphabetic() || chars.peek().is_some_and(|c| c.is_alphabetic());
        if c == '?' && touches {
            return true;
        }
        before = c;
    }
    false
}

/// `#REF!`, `#N/A`, `#WERT!`, `#####`.
pub(in crate::import::fields) fn like_spreadsheet_error(text: &str) -> bool {
    const ERRORS: &[&str] = &[
        "#REF!",
        "#REF",
        "#N/A",
        "#NA",
        "#NAME?",
        "#NOM?",
        "#VALUE!",
        "#VALEUR!",
        "#WERT!",
        "#DIV/0!",
        "#NUM!",
        "#NOMBRE!",
        "#ZAHL!",
        "#NULL!",
        "#NUL!",
        "#BEZUG!",
        "#NV",
        "#SPILL!",
        "#CALC!",
        "#GETTING_DATA",
    ];
    let only_signs = text.len() >= 2 && text.bytes().all(|b| b == b'#');
    only_signs || ERRORS.iter().any(|error| error.eq_ignore_ascii_case(text))
}

/// A whole number with decimals that say nothing: `11.0`, `11,00`.
pub(in crate::import::fields) fn like_amount(text: &str) -> bool {
    let Some((whole, decimals)) = text.split_once(['.', ',']) else { return false };
    let is_whole = !whole.is_empty() && whole.bytes().all(|b| b.is_ascii_digit());
    is_whole && matches!(decimals, "0" | "00")
}

/// A whole number with commas between its thousands: `1,234`.
pub(in crate::import::fields) fn like_thousands(text: &str) -> bool {
    let mut groups = text.split(',');
    let first = groups.next().unwrap_or_default();
    let is_number = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    let mut rest = groups.peekable();
    rest.peek().is_some()
        && (1..=3).contains(&first.len())
        && !first.starts_with('0')
        && is_number(first)
        && rest.all(|group| group.len() == 3 && is_number(group))
}

/// `&eacute;`, `=C3=A9`, `%C3%A9`, `\u00e9`: characters that a program wrote as codes.
pub(super) fn like_coded_letters(text: &str) -> bool {
    let mut places = text.char_indices().filter(|(_, c)| matches!(c, '&' | '\\' | '%' | '='));
    places.any(|(at, sign)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        match sign {
            '&' => rest.split_once(';').is_some_and(|(name, _)| is_entity(name)),
            '\\' => rest.strip_prefix('u').and_then(|rest| hexadecimal(rest, 4)).is_some(),
            sign => {
                let second = rest.get(2..).and_then(|rest| rest.strip_prefix(sign));
                let letter = (hexadecimal(rest, 2), second.and_then(|rest| hexadecimal(rest, 2)));
                matches!(letter, (Some(0xC3..=0xC5), Some(0x80..=0xBF)))
            }
        }
    })
}

/// The first digits as a number, if all of them are hexadecimal.
fn hexadecimal(text: &str, digits: usize) -> Option<u16> {
    let digits = text.get(..digits).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u16::from_str_radix(digits, 16).ok()
}

/// What stands between `&` and `;` for one character in HTML. Source: HTML 4.01, section 24.
fn is_entity(name: &str) -> bool {
    const SIGNS: [&str; 6] = ["amp", "lt", "gt", "quot", "apos", "nbsp"];
    const ACCENTS: [&str; 10] =
        ["acute", "grave", "circ", "uml", "cedil", "tilde", "ring", "slash", "lig", "caron"];
    if let Some(number) = name.strip_prefix('#') {
        let digits = number.strip_prefix(['x', 'X']).unwrap_or(number);
        return (2..=5).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    }
    let is_letter = |accent: &&str| {
        name.strip_suffix(*accent).is_some_and(|letter| matches!(letter.len(), 1 | 2))
    };
    SIGNS.contains(&name) || ACCENTS.iter().any(is_letter)
}

/// `1,23E+05`: a number that a spreadsheet rounded away.
pub(in crate::import::fields) fn like_scientific(text: &str) -> bool {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let signed = exponent.strip_prefix(['+', '-']);
    let fraction = mantissa.split_once([',', '.']);
    match (signed, fraction) {
        (Some(exponent), Some((whole, part))) => digits(exponent) && digits(whole) && digits(part),
        (Some(exponent), None) => digits(exponent) && digits(mantissa),
        // `1.5E3` is damage too; `12E3` may be a code.
        (None, Some((whole, part))) => digits(exponent) && digits(whole) && digits(part),
        (None, None) => false,
    }
}

/// Words for "no end" in a date column.
pub(in crate::import::fields) fn like_never(text: &str) -> bool {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    const WORDS: &[&str] = &[
        "cdi",
        "indetermine",
        "indeterminee",
        "dureeindeterminee",
        "sansfin",
        "aucune",
        "neant",
        "encours",
        "unbefristet",
        "keines",
        "keine",
        "offen",
        "permanent",
        "openended",
        "none",
        "never",
        "ongoing",
        "current",
        "null",
        "na",
        "nd",
    ];
    matches!(text, "-" | "--" | "/" | "//" | "∞") || WORDS.contains(&fold(text).as_str())
}

/// An address that mail servers accept: one @, a plain name before it, a domain with a dot after it.
pub(in crate::import::fields) fn like_email(text: &str) -> bool {
    let Some((name, domain)) = text.split_once('@') else { return false };
    let atom = |b: u8| {
        // Every printable sign but those of RFC 5322, section 3.2.3, "specials"; the point parts atoms.
        b.is_ascii_graphic()
            && !matches!(
                b,
                b'(' | b')' | b'<' | b'>' | b'[' | b']' | b':' | b';' | b'@' | b'\\' | b',' | b'"'
            )
    };
    let good_name = (1..=64).contains(&name.len())
        && name.bytes().all(atom)
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..");
    let good_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = domain.rsplit('.').next().unwrap_or_default();
    good_name
        && domain.contains('.')
        && domain.split('.').all(good_label)
        && last.chars().count() >= 2
        && !last.bytes().all(|b| b.is_ascii_digit())
}

/// `female`, `male` or `other`, as the three languages and the French social security number write it.
pub(in crate::import::fields) fn gender_of(text: &str) -> Option<&'static str> {
    match fold(text).as_str() {
        "f" | "w" | "2" | "femme" | "feminin" | "female" | "woman" | "weiblich" | "frau"
        | "mme" | "madame" | "mlle" | "mademoiselle" | "mrs" | "ms" | "miss" => Some("female"),
        "m" | "h" | "1" | "homme" | "masculin" | "male" | "man" | "mannlich" | "maennlich"
        | "herr" | "mr" | "monsieur" | "mister" => Some("male"),
        "x" | "d" | "divers" | "autre" | "other" | "nonbinaire" | "nonbinary" | "diverse" => {
            Some("other")
        }
        _ => None,
    }
}

/// `active` or `ended` where a status, or a yes or no, says so.
pub(in crate::import::fields) fn status_of(text: &str) -> Option<&'static str> {
    if let Some(yes) = boolean(text) {
        return Some(if yes { "active" } else { "ended" });
    }
    match fold(text).as_str() {
        "a" | "actif" | "active" | "actifve" | "aktiv" | "present" | "presente" | "enposte"
        | "enactivite" | "encours" | "employed" | "current" | "beschaftigt" => Some("active"),
        "i" | "inactif" | "inactive" | "inaktiv" | "sorti" | "sortie" | "parti" | "partie"
        | "ended" | "terminated" | "left" | "leaver" | "ausgeschieden" | "ausgetreten"
        | "exited" => Some("ended"),
        _ => None,
    }
}

/// Yes or no, as the three languages write it.
pub(in crate::import::fields) fn boolean(text: &str) -> Option<bool> {
    match fold(text).as_str() {
        "oui" | "o" | "vrai" | "yes" | "y" | "true" | "t" | "ja" | "j" | "wahr" | "1" => Some(true),
        "non" | "n" | "faux" | "no" | "false" | "nein" | "falsch" | "0" => Some(false),
        _ => None,
    }
}

pub(in crate::import::fields) fn like_status(text: &str) -> bool {
    status_of(text).is_some()
        || matches!(
            fold(text).as_str(),
            "suspendu"
                | "suspended"
                | "absent"
                | "onleave"
                | "conge"
                | "ruhend"
                | "preavis"
                | "avenir"
        )
}

pub(in crate::import::fields) fn like_gender(text: &str) -> bool {
    gender_of(text).is_some()
}

/// `Mr`, `Dr.`, `Prof. Dr. med.`, `Dipl.-Ing.`, `Maître`: what somebody is called, and nothing else.
pub(in crate::import::fields) fn like_form_of_address(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "dr",
        "prof",
        "professor",
        "doktor",
        "docteur",
        "doctor",
        "med",
        "dent",
        "vet",
        "jur",
        "phil",
        "rer",
        "nat",
        "pol",
        "oec",
        "habil",
        "hc",
        "dipl",
        "ing",
        "kfm",
        "mag",
        "mba",
        "msc",
        "bsc",
        "phd",
        "maitre",
        "me",
        "mr",
        "mrs",
        "ms",
        "miss",
        "mx",
        "mme",
        "mlle",
        "herr",
        "frau",
        "monsieur",
        "madame",
        "mademoiselle",
        "m",
        "sir",
        "h",
        "c",
    ];
    let words: Vec<String> =
        text.split(|c: char| !c.is_alphanumeric()).map(fold).filter(|w| !w.is_empty()).collect();
    !words.is_empty() && words.iter().all(|word| WORDS.contains(&word.as_str()))
}

/// `Marié(e)`, `ledig`, `single`.
pub(in crate::import::fields) fn like_marital_status(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "marie",
        "mariee",
        "celibataire",
        "divorce",
        "divorcee",
        "veuf",
        "veuve",
        "pacse",
        "pacsee",
        "separe",
        "separee",
        "concubin",
        "concubinage",
        "concubine",
        "single",
        "married",
        "divorced",
        "widowed",
        "separated",
        "ledig",
        "verheiratet",
        "geschieden",
        "verwitwet",
        "getrenntlebend",
    ];
    let folded = fold(text);
    let whole = |word: &&&str| folded == **word || folded.strip_suffix('e') == Some(**word);
    WORDS.iter().any(|word| whole(&word))
}

/// A socio-professional category by the words that the French use.
pub(in crate::import::fields) fn like_csp(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "cadre",
        "employe",
        "ouvrier",
        "etam",
        "agentdemaitrise",
        "maitrise",
        "technicien",
        "apprenti",
        "stagiaire",
        "dirigeant",
        "profession",
        "noncadre",
        "alternant",
        "ingenieur",
        "vrp",
        "am",
        "tam",
    ];
    let folded = fold(text);
    WORDS.iter().any(|word| folded.starts_with(word))
}

/// The French number of an establishment: 14 digits.
pub(in crate::import::fields) fn like_siret(text: &str) -> bool {
    has_digits(text, 14)
}

/// The French number of a company: 9 digits.
pub(in crate::import::fields) fn like_siren(text: &str) -> bool {
    has_digits(text, 9)
}

fn has_digits(text: &str, wanted: usize) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    digits == wanted && text.bytes().all(|b| b.is_ascii_digit() || b == b' ')
}

/// An employee number: digits with at most a few letters around them.
pub(in crate::import::fields) fn like_number(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (1..=20).contains(&text.len())
        && digits * 2 >= text.len()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_/.".contains(&b))
}

/// A login: letters, without white space.
pub(in crate::import::fields) fn like_login(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    letters * 2 > text.chars().count() && !text.contains(char::is_whitespace)
}
