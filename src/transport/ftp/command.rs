//! Control lines to commands: every line is understood or refused here, before anything acts on it.

use super::reply::Reply;

/// What a client may ask for. X-variants (RFC 775) are the same commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Abor,
    Acct,
    Allo,
    Appe,
    Auth,
    Avbl,
    Ccc,
    Cdup,
    Clnt,
    Cwd,
    Dele,
    Eprt,
    Epsv,
    Feat,
    Hash,
    Help,
    Host,
    Lang,
    List,
    Mdtm,
    Mfmt,
    Mkd,
    Mlsd,
    Mlst,
    Mode,
    Nlst,
    Noop,
    /// Known from an RFC, and not offered.
    NotOffered,
    Opts,
    Pass,
    Pasv,
    Pbsz,
    Port,
    Prot,
    Pwd,
    Quit,
    Rein,
    Rest,
    Retr,
    Rmd,
    Rnfr,
    Rnto,
    Site,
    Size,
    Stat,
    Stor,
    Stou,
    Stru,
    Syst,
    Type,
    User,
    Xsha,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Argument {
    None,
    Optional,
    Required,
}

/// Every command by name, with whether it takes an argument.
///
/// Sources: RFC 959, 775, 1123, 2228, 2389, 2428, 2640, 3659, 4217, 7151; draft-somers-ftp-mfxx; draft-bryan-ftp-hash.
const VERBS: &[(&str, Verb, Argument)] = &[
    ("ABOR", Verb::Abor, Argument::None),
    ("ACCT", Verb::Acct, Argument::Optional),
    ("ADAT", Verb::NotOffered, Argument::Optional),
    ("ALLO", Verb::Allo, Argument::Optional),
    ("APPE", Verb::Appe, Argument::Required),
    ("AUTH", Verb::Auth, Argument::Required),
    ("AVBL", Verb::Avbl, Argument::Optional),
    ("CCC", Verb::Ccc, Argument::None),
    ("CDUP", Verb::Cdup, Argument::None),
    ("CLNT", Verb::Clnt, Argument::Optional),
    ("CONF", Verb::NotOffered, Argument::Optional),
    ("CSID", Verb::NotOffered, Argument::Optional),
    ("CWD", Verb::Cwd, Argument::Optional),
    ("DELE", Verb::Dele, Argument::Required),
    ("ENC", Verb::NotOffered, Argument::Optional),
    ("EPRT", Verb::Eprt, Argument::Required),
    ("EPSV", Verb::Epsv, Argument::Optional),
    ("FEAT", Verb::Feat, Argument::None),
    ("HASH", Verb::Hash, Argument::Required),
    ("HELP", Verb::Help, Argument::Optional),
    ("HOST", Verb::Host, Argument::Required),
    ("LANG", Verb::Lang, Argument::Optional),
    ("LIST", Verb::List, Argument::Optional),
    ("LPRT", Verb::NotOffered, Argument::Optional),
    ("LPSV", Verb::NotOffered, Argument::Optional),
    ("MDTM", Verb::Mdtm, Argument::Required),
    ("MFCT", Verb::NotOffered, Argument::Optional),
    ("MFF", Verb::NotOffered, Argument::Optional),
    ("MFMT", Verb::Mfmt, Argument::Required),
    ("MIC", Verb::NotOffered, Argument::Optional),
    ("MKD", Verb::Mkd, Argument::Required),
    ("MLSD", Verb::Mlsd, Argument::Optional),
    ("MLST", Verb::Mlst, Argument::Optional),
    ("MODE", Verb::Mode, Argument::Required),
    ("NLST", Verb::Nlst, Argument::Optional),
    ("NOOP", Verb::Noop, Argument::Optional),
    ("OPTS", Verb::Opts, Argument::Required),
    ("PASS", Verb::Pass, Argument::Optional),
    ("PASV", Verb::Pasv, Argument::None),
    ("PBSZ", Verb::Pbsz, Argument::Required),
    ("PORT", Verb::Port, Argument::Required),
    ("PROT", Verb::Prot, Argument::Required),
    ("PWD", Verb::Pwd, Argument::None),
    ("QUIT", Verb::Quit, Argument::Optional),
    ("REIN", Verb::Rein, Argument::None),
    ("REST", Verb::Rest, Argument::Required),
    ("RETR", Verb::Retr, Argument::Required),
    ("RMD", Verb::Rmd, Argument::Required),
    ("RMDA", Verb::NotOffered, Argument::Optional),
    ("RNFR", Verb::Rnfr, Argument::Required),
    ("RNTO", Verb::Rnto, Argument::Required),
    ("SITE", Verb::Site, Argument::Required),
    ("SIZE", Verb::Size, Argument::Required),
    ("SMNT", Verb::NotOffered, Argument::Optional),
    ("STAT", Verb::Stat, Argument::Optional),
    ("STOR", Verb::Stor, Argument::Required),
    ("STOU", Verb::Stou, Argument::Optional),
    ("STRU", Verb::Stru, Argument::Required),
    ("SYST", Verb::Syst, Argument::Optional),
    ("TYPE", Verb::Type, Argument::Required),
    ("USER", Verb::User, Argument::Required),
    ("XCUP", Verb::Cdup, Argument::None),
    ("XCWD", Verb::Cwd, Argument::Optional),
    ("XMKD", Verb::Mkd, Argument::Required),
    ("XPWD", Verb::Pwd, Argument::None),
    ("XRMD", Verb::Rmd, Argument::Required),
    ("XSHA256", Verb::Xsha, Argument::Required),
];

/// A command with its argument, exactly as the client wrote it (a name may begin or end with spaces).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) verb: Verb,
    pub(super) argument: String,
}

/// The names of all commands that are offered, for HELP.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    VERBS.iter().filter(|(_, verb, _)| *verb != Verb::NotOffered).map(|(name, ..)| *name)
}

/// The command that a word means, in any case: its name, or the beginning of exactly one name.
fn known(word: &str) -> Option<&'static (&'static str, Verb, Argument)> {
    let is = |name: &str| name.eq_ignore_ascii_case(word);
    if let Some(exact) = VERBS.iter().find(|(name, ..)| is(name)) {
        return Some(exact);
    }
    let begins = |name: &str| name.get(..word.len()).is_some_and(is);
    let mut near = VERBS.iter().filter(|(name, ..)| word.len() >= MIN_BEGINNING && begins(name));
    let found = near.next()?;
    // STO could be STOR or STOU: better none than the wrong one.
    near.next().is_none().then_some(found)
}

/// Shorter beginnings are typing errors rather than commands.
const MIN_BEGINNING: usize = 3;

/// How a command is written, for `HELP STOR`; `None`: there is no such command.
pub(super) fn usage(word: &str) -> Option<String> {
    let &(name, verb, takes) = known(word)?;
    Some(match (verb, takes) {
        (Verb::NotOffered, _) => format!("{name} is not offered."),
        (_, Argument::None) => format!("Syntax: {name}"),
        (_, Argument::Optional) => format!("Syntax: {name} [argument]"),
        (_, Argument::Required) => format!("Syntax: {name} argument"),
    })
}

/// Understands a line.
///
/// # Errors
/// The reply that refuses it: 500 for what is no command, 501 for a wrong argument.
pub(super) fn parse(line: &[u8]) -> Result<Request, Reply> {
    let (name, argument) = match memchr::memchr(b' ', line) {
        Some(at) => line.split_at(at),
        None => (line, &[][..]),
    };
    let argument = argument.strip_prefix(b" ").unwrap_or(argument);
    let unknown = || Reply::new(500, "Command not understood; HELP lists the commands.");
    let name = std::str::from_utf8(name).map_err(|_| unknown())?;
    let &(name, verb, takes) = known(name).ok_or_else(unknown)?;
    if verb == Verb::Pass {
        // A password in another encoding is a wrong password, not a broken command.
        let argument = String::from_utf8_lossy(argument).into_owned();
        return Ok(Request { verb, argument });
    }
    let argument = std::str::from_utf8(argument).map_err(|_| {
        Reply::new(501, "The name is not valid UTF-8; set your program to UTF-8 file names.")
    })?;
    if argument.chars().any(char::is_control) {
        return Err(Reply::new(501, "The line holds a control character; rename the file."));
    }
    match takes {
        Argument::Required if argument.trim().is_empty() => {
            Err(Reply::new(501, format!("{name} needs an argument.")))
        }
        // Some programs send blanks after commands that take nothing.
        Argument::None if !argument.trim().is_empty() => {
            Err(Reply::new(501, format!("{name} takes no argument.")))
        }
        _ => Ok(Request { verb, argument: argument.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &[u8], expected: Result<(Verb, &str), u16>) {
        let got = parse(line).map(|r| (r.verb, r.argument)).map_err(|r| r.code());
        assert_eq!(got, expected.map(|(verb, a)| (verb, a.to_owned())), "{line:?}");
    }

    #[test]
    fn lines_become_commands() {
        check(b"noop", Ok((Verb::Noop, "")));
        check(b"STOR a b.csv ", Ok((Verb::Stor, "a b.csv ")));
        check(b"STOR  leading", Ok((Verb::Stor, " leading")));
        check(b"XPWD", Ok((Verb::Pwd, "")));
        check(b"PASV ", Ok((Verb::Pasv, "")));
        check(b"QUI", Ok((Verb::Quit, "")));
        check(b"cWd in", Ok((Verb::Cwd, "in")));
        check(b"noo", Ok((Verb::Noop, "")));
        check(b"SMNT /x", Ok((Verb::NotOffered, "/x")));
        check("STOR caf\u{e9}.csv".as_bytes(), Ok((Verb::Stor, "caf\u{e9}.csv")));
    }

    #[test]
    fn what_is_no_command_is_refused() {
        check(b"", Err(500));
        check(b"GET / HTTP/1.1", Err(500));
        check(b"\x16\x03\x01", Err(500));
        check(b"STO x", Err(500));
        check(b"QU", Err(500));
        check(b"QUITS", Err(500));
        check("QU\u{e9}".as_bytes(), Err(500));
        check(b"STOR", Err(501));
        check(b"STOR  ", Err(501));
        check(b"PASV x", Err(501));
        check(b"STOR caf\xe9.csv", Err(501));
        check(b"STOR a\0b", Err(501));
        check(b"STOR a\rb", Err(501));
    }
}
