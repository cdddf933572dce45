//! The pattern of logins that are made for new users: `{first}.{last}`.

/// A piece of a login pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginPart {
    /// `{first}`: the first name.
    First,
    /// `{last}`: the last name.
    Last,
    /// `{f}`: the first name's initial.
    FirstInitial,
    /// `{l}`: the last name's initial.
    LastInitial,
    /// `{number}`: the employee number.
    Number,
    /// A letter, digit or `.` `-` `_`, as it is.
    Sign(char),
}

const NAMES: &[(&str, LoginPart)] = &[
    ("first", LoginPart::First),
    ("last", LoginPart::Last),
    ("f", LoginPart::FirstInitial),
    ("l", LoginPart::LastInitial),
    ("number", LoginPart::Number),
];

/// The longest pattern that is read; a login has at most 64 characters.
const MAX_BYTES: usize = 200;

/// The pieces of a login pattern.
///
/// # Errors
/// Why it can make no logins.
pub fn parts(pattern: &str) -> Result<Vec<LoginPart>, String> {
    if pattern.len() > MAX_BYTES {
        return Err(format!("it has more than {MAX_BYTES} characters"));
    }
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let Some(sign) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix('{') {
            let (name, tail) = after.split_once('}').ok_or("a \"{\" is not closed")?;
            let part = NAMES.iter().find(|(known, _)| *known == name).ok_or_else(|| {
                format!(
                    "there is no {{{name}}}, only {{first}}, {{last}}, {{f}}, {{l}}, {{number}}"
                )
            })?;
            parts.push(part.1);
            rest = tail;
            continue;
        }
        if !matches!(sign, 'a'..='z' | '0'..='9' | '.' | '-' | '_') {
            return Err(format!(
                "\"{sign}\" cannot stand in a login, only a-z, 0-9, \".\", \"-\" and \"_\""
            ));
        }
        parts.push(LoginPart::Sign(sign));
        rest = rest.get(sign.len_utf8()..).unwrap_or_default();
    }
    if parts.iter().all(|part| matches!(part, LoginPart::Sign(_))) {
        return Err("everybody would get the same login".to_owned());
    }
    if matches!(parts.first(), Some(LoginPart::Sign('.' | '-' | '_'))) {
        return Err("a login begins with a letter or digit".to_owned());
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_read() {
        use LoginPart::{First, FirstInitial, Last, Number, Sign};
        assert_eq!(parts("{first}.{last}").unwrap(), [First, Sign('.'), Last]);
        assert_eq!(parts("{f}{last}").unwrap(), [FirstInitial, Last]);
        assert_eq!(parts("a-{number}").unwrap(), [Sign('a'), Sign('-'), Number]);
    }

    #[test]
    fn what_makes_no_logins_is_refused() {
        for (pattern, why) in [
            ("", "same login"),
            ("abc", "same login"),
            ("{first", "not closed"),
            ("{name}", "{name}"),
            ("{first} {last}", "\" \""),
            ("{first}É", "\"É\""),
            (".{first}", "begins"),
        ] {
            let said = parts(pattern).unwrap_err();
            assert!(said.contains(why), "{pattern}: {said}");
        }
    }
}
