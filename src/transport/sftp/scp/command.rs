//! The command line of `scp`: what a shell would have made of it, and nothing that a shell would have done.

use crate::config::SCP_COMMAND_BYTES;

/// `scp` as a client starts it on the server's side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::transport::sftp) struct Command {
    pub(super) role: Role,
    /// `-r`: folders, too.
    pub(super) recursive: bool,
    /// `-p`: modification times go along.
    pub(super) keeps_times: bool,
    /// `-v`: the client wants to be told more.
    pub(super) verbose: bool,
    /// `-d`: the target has to be a folder.
    pub(super) into_folder: bool,
    /// At least one.
    pub(super) paths: Vec<Word>,
}

/// Which side the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// `-t`: it receives.
    Sink,
    /// `-f`: it sends.
    Source,
}

/// One word of a command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// What stands there, without quotes.
    pub(super) text: String,
    /// Its last name as a pattern, if a `*`, `?` or `[` stands in it outside of quotes.
    pub(super) pattern: Option<String>,
}

impl Command {
    /// Reads a command line; `None` for whatever is not `scp -t` or `scp -f` with the options that clients send,
    /// and for everything that a shell would do more with than take quotes off.
    pub(in crate::transport::sftp) fn parse(line: &[u8]) -> Option<Self> {
        if line.len() > SCP_COMMAND_BYTES {
            return None;
        }
        // Names that are no UTF-8 are refused where they are used, in words.
        let mut words = words(&String::from_utf8_lossy(line))?.into_iter();
        words.next().filter(|word| word.text == "scp")?;
        let (mut sink, mut source) = (false, false);
        let mut command = Self {
            role: Role::Sink,
            recursive: false,
            keeps_times: false,
            verbose: false,
            into_folder: false,
            paths: Vec::new(),
        };
        while let Some(word) = words.next() {
            let options = word.text.strip_prefix('-').filter(|options| !options.is_empty());
            match options {
                Some("-") => command.paths.extend(words.by_ref()),
                None => command.paths.extend(std::iter::once(word).chain(words.by_ref())),
                Some(options) => {
                    for option in options.chars() {
                        match option {
                            't' => sink = true,
                            'f' => source = true,
                            'r' => command.recursive = true,
                            'p' => command.keeps_times = true,
                            'v' => command.verbose = true,
                            'd' => command.into_folder = true,
                            // Quiet, compressed, never asking, protocol versions: nothing to do for them here.
                            'q' | 'C' | 'B' | '1' | '2' => {}
                            _ => return None,
                        }
                    }
                }
            }
        }
        command.role = match (sink, source) {
            (true, false) => Role::Sink,
            (false, true) => Role::Source,
            _ => return None,
        };
        (!command.paths.is_empty()).then_some(command)
    }
}

impl Word {
    /// A sign that stands for itself, whatever it means outside of quotes.
    fn quoted(&mut self, sign: char) {
        self.text.push(sign);
        if sign == '/' {
            return self.pattern = None;
        }
        let name = self.pattern.take();
        self.pattern = name.map(|mut pattern| {
            escape(&mut pattern, sign);
            pattern
        });
    }

    /// A sign outside of quotes that means nothing to a shell.
    fn plain(&mut self, sign: char) {
        self.text.push(sign);
        match &mut self.pattern {
            pattern @ Some(_) if sign == '/' => *pattern = None,
            Some(pattern) => pattern.push(sign),
            None => {}
        }
    }

    /// `*`, `?` or `[` outside of quotes.
    fn wild(&mut self, sign: char) {
        let pattern = self.pattern.get_or_insert_with(|| {
            let name = self.text.rsplit('/').next().unwrap_or_default();
            let mut pattern = String::new();
            name.chars().for_each(|sign| escape(&mut pattern, sign));
            pattern
        });
        pattern.push(sign);
        self.text.push(sign);
    }
}

fn escape(pattern: &mut String, sign: char) {
    if matches!(sign, '*' | '?' | '[' | ']' | '{' | '}' | '\\' | '!' | '-' | ',' | '^') {
        pattern.push('\\');
    }
    pattern.push(sign);
}

/// The words of a line; `None` where a shell would do more than take quotes off, or wait for a closing one.
fn words(line: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut signs = line.chars();
    while let Some(sign) = signs.next() {
        match sign {
            ' ' | '\t' => words.extend(word.take()),
            '$' | '`' | ';' | '&' | '|' | '<' | '>' | '(' | ')' | '\n' | '\r' | '\0' => {
                return None;
            }
            // A comment.
            '#' if word.is_none() => return None,
            '\'' => single(&mut signs, word.get_or_insert_default())?,
            '"' => double(&mut signs, word.get_or_insert_default())?,
            '\\' => {
                let sign = signs.next().filter(|sign| !matches!(sign, '\n' | '\r' | '\0'))?;
                word.get_or_insert_default().quoted(sign);
            }
            '*' | '?' | '[' => word.get_or_insert_default().wild(sign),
            sign => word.get_or_insert_default().plain(sign),
        }
    }
    words.extend(word);
    Some(words)
}

fn single(signs: &mut std::str::Chars<'_>, word: &mut Word) -> Option<()> {
    loop {
        match signs.next()? {
            '\'' => return Some(()),
            '\0' => return None,
            sign => word.quoted(sign),
        }
    }
}

fn double(signs: &mut std::str::Chars<'_>, word: &mut Word) -> Option<()> {
    loop {
        match signs.next()? {
            '"' => return Some(()),
            '$' | '`' | '\0' => return None,
            '\\' => match signs.next()? {
                sign @ ('"' | '\\' | '$' | '`') => word.quoted(sign),
                '\n' | '\0' => return None,
                sign => {
                    word.quoted('\\');
                    word.quoted(sign);
                }
            },
            sign => word.quoted(sign),
        }
    }
}

#[cfg(any(test, fuzzing))]
impl Command {
    /// A line that says the same.
    pub(super) fn line(&self) -> String {
        let role = if self.role == Role::Sink { " -t" } else { " -f" };
        let options = [
            (self.recursive, " -r"),
            (self.keeps_times, " -p"),
            (self.verbose, " -v"),
            (self.into_folder, " -d"),
        ];
        let options: String = options.into_iter().filter(|(on, _)| *on).map(|(_, o)| o).collect();
        let paths: String = self.paths.iter().map(Word::quote).collect();
        format!("scp{role}{options} --{paths}")
    }
}

#[cfg(any(test, fuzzing))]
impl Word {
    fn quote(&self) -> String {
        format!(" '{}'", self.text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, role: Role, paths: &[&str]) -> Command {
        let command = Command::parse(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
        assert_eq!(command.role, role, "{line}");
        let told: Vec<&str> = command.paths.iter().map(|path| path.text.as_str()).collect();
        assert_eq!(told, paths, "{line}");
        command
    }

    #[test]
    fn what_clients_send_is_read() {
        check("scp -t /payroll/", Role::Sink, &["/payroll/"]);
        check("scp -v -p -r -d -t -- -x", Role::Sink, &["-x"]);
        check("scp -qrpt .", Role::Sink, &["."]);
        check("  scp\t-f '/a b/it'\"'\"'s.csv'  ", Role::Source, &["/a b/it's.csv"]);
        check("scp -pf \"/a \\\"b\\\" \\c\" d\\ e", Role::Source, &["/a \"b\" \\c", "d e"]);
        check("scp -t ''", Role::Sink, &[""]);
        check("scp -t 'a'\\!'b'", Role::Sink, &["a!b"]);
        check("scp -t x#y", Role::Sink, &["x#y"]);
        let all = check("scp -rpvdt x", Role::Sink, &["x"]);
        assert!(all.recursive && all.keeps_times && all.verbose && all.into_folder);
    }

    #[test]
    fn whatever_else_a_shell_would_do_is_refused() {
        for line in [
            "",
            "scp",
            "scp -t",
            "scp /payroll",
            "scp -t -f x",
            "scp -t -o x y",
            "scp -tS prog x",
            "scp -t x; id",
            "scp -t x & id",
            "scp -t x | id",
            "scp -t x && id",
            "scp -t x\nid",
            "scp -t $HOME",
            "scp -t \"$HOME\"",
            "scp -t `id`",
            "scp -t \"`id`\"",
            "scp -t x > y",
            "scp -t <(id)",
            "scp -t 'open",
            "scp -t \"open",
            "scp -t open\\",
            "scp -t a\0b",
            "scp -t 'a\0b'",
            "scp -t x # y; z",
            "#scp -t x",
            "/usr/bin/scp -t x",
            "scpx -t x",
            "id",
            "sftp-server",
            "cat > x",
        ] {
            assert_eq!(Command::parse(line.as_bytes()), None, "{line}");
        }
        let long = format!("scp -t {}", "x".repeat(SCP_COMMAND_BYTES));
        assert_eq!(Command::parse(long.as_bytes()), None);
    }

    #[test]
    fn patterns_are_what_stands_outside_of_quotes_in_the_last_name() {
        for (line, pattern) in [
            ("scp -f /in/*.csv", Some("*.csv")),
            ("scp -f '/in/'*.csv", Some("*.csv")),
            ("scp -f '/in/*.csv'", None),
            ("scp -f /in/\\*.csv", None),
            ("scp -f /*/x.csv", None),
            ("scp -f /in/'a*'-?.csv", Some("a\\*\\-?.csv")),
            ("scp -f /in/[ab]'?'", Some("[ab]\\?")),
        ] {
            let command = Command::parse(line.as_bytes()).unwrap();
            assert_eq!(command.paths[0].pattern.as_deref(), pattern, "{line}");
        }
    }

    #[test]
    fn a_command_is_written_and_read_again_the_same() {
        for line in ["scp -rpvd -t 'it'\\''s'", "scp -f a 'b c' \"d\\\\e\" -f"] {
            let command = Command::parse(line.as_bytes()).unwrap();
            assert_eq!(Command::parse(command.line().as_bytes()), Some(command), "{line}");
        }
    }
}
