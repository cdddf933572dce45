//! A client's own server: where it is, as whom we log in, how it is recognised.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Protocol;

/// The host profile of accounts on clients' own servers. It is not one that can be configured.
pub const CLIENT_SERVER: &str = "client-server";

/// The longest login on somebody's server, in bytes.
const MAX_LOGIN_BYTES: usize = 256;
/// The longest host name, in bytes (RFC 1035, 2.3.4).
const MAX_HOST_BYTES: usize = 253;

/// A client's own server, to which we connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteServer {
    /// Host name (ASCII, lower case) or IP address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The login there.
    pub login: String,
}

/// How a server is recognised before any secret is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServerTrust {
    /// By these fingerprints, any of them; none: nobody has confirmed it yet, and nothing is sent.
    Pins(Vec<String>),
    /// By a certificate that this machine trusts (FTPS and FTPES).
    Platform,
    /// By a certificate of this authority (PEM).
    Ca(String),
}

impl ServerTrust {
    /// Whether somebody has said how the server is recognised.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        !matches!(self, Self::Pins(pins) if pins.is_empty())
    }
}

impl Protocol {
    /// The port where servers of this kind listen by custom.
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Self::Sftp => 22,
            Self::Ftps => 990,
            Self::Ftpes => 21,
        }
    }

    /// A fingerprint as it is compared: `SHA256:…` of a host key (SFTP), 64 lower-case hex digits of a certificate.
    ///
    /// # Errors
    /// A sentence with a right example.
    pub fn checked_pin(self, text: &str) -> Result<String, String> {
        let text = text.trim();
        let wrong = |kind: &str, example: &str| {
            Err(format!("the fingerprint \"{text}\" is not {kind}; write it as {example}"))
        };
        if self == Self::Sftp {
            let base64 = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
            let print = text.strip_prefix("SHA256:").map(|print| print.trim_end_matches('='));
            return match print {
                Some(print) if print.len() == 43 && print.chars().all(base64) => {
                    Ok(format!("SHA256:{print}"))
                }
                _ => wrong(
                    "that of a host key",
                    "ssh-keygen -l prints it: SHA256: and 43 letters and digits",
                ),
            };
        }
        let lower = text.to_ascii_lowercase();
        let print = lower.strip_prefix("sha256:").or(lower.strip_prefix("sha-256:"));
        let print: String = print
            .unwrap_or(&lower)
            .chars()
            .filter(|c| *c != ':' && !c.is_ascii_whitespace())
            .collect();
        if print.len() == 64 && print.chars().all(|c| c.is_ascii_hexdigit()) {
            return Ok(print);
        }
        wrong(
            "the SHA-256 of a certificate",
            "openssl x509 -fingerprint -sha256 prints it: 64 hex digits, colons allowed",
        )
    }
}

/// Reads `HOST` or `HOST:PORT`: a name (also one with accents), an IPv4 address, an IPv6 address in brackets.
///
/// # Errors
/// A sentence that says what is wrong and how to write it.
pub fn parse_host(text: &str) -> Result<(String, Option<u16>), String> {
    let text = text.trim();
    let wrong = |why: &str| {
        Err(format!(
            "the host \"{text}\" is not acceptable: {why}; write for example sftp.example.com or \
             sftp.example.com:2022"
        ))
    };
    if text.contains("://") {
        return wrong(
            "the connection type stands before it (sftp, ftps or ftpes), without \"://\"",
        );
    }
    if text.contains('@') {
        return wrong("the login is given apart, with --login");
    }
    if text.contains(['/', '\\', '?', '#']) {
        return wrong("paths are given with `rollcall folder add`");
    }
    if let Ok(address @ IpAddr::V6(_)) = text.parse::<IpAddr>() {
        return Ok((address.to_string(), None));
    }
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inner, "")) => (inner, None),
        Some((inner, rest)) if rest.starts_with(':') => (inner, rest.strip_prefix(':')),
        Some(_) => return wrong("behind the bracket stands : and the port, or nothing"),
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = match port.map(str::parse::<u16>) {
        None => None,
        Some(Ok(port)) if port > 0 => Some(port),
        Some(_) => return wrong("the port is a number from 1 to 65535"),
    };
    let in_brackets = text.starts_with('[');
    match host.parse::<IpAddr>() {
        Ok(address) if address.is_ipv6() == in_brackets => return Ok((address.to_string(), port)),
        _ if in_brackets => return wrong("in brackets stands an IPv6 address"),
        _ => {}
    }
    checked_name(host).map_or_else(wrong, |name| Ok((name, port)))
}

/// A host name in its ASCII form, lower case, without the dot of the root.
fn checked_name(host: &str) -> Result<String, &'static str> {
    let ascii = idna::domain_to_ascii(host.strip_suffix('.').unwrap_or(host))
        .map_err(|_| "it is no host name")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if ascii.is_empty() {
        return Err("it is empty");
    }
    if ascii.len() > MAX_HOST_BYTES || ascii.split('.').any(|label| label.len() > 63) {
        return Err("it is too long");
    }
    let good = |label: &str| {
        !label.is_empty()
            && label.chars().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if !ascii.split('.').all(good) {
        return Err("a host name consists of letters, digits, \"-\" and dots");
    }
    // Systems read such names as addresses of their own making: 127.1, 0x7f000001.
    let last = ascii.rsplit('.').next().unwrap_or_default();
    if last.chars().all(|c| c.is_ascii_digit()) || last.starts_with("0x") {
        return Err("it looks like an IP address, and is none of four numbers");
    }
    Ok(ascii)
}

/// Checks the login on somebody's server.
///
/// # Errors
/// A sentence with the rule.
pub fn checked_remote_login(login: &str) -> Result<String, String> {
    let problem = if login.is_empty() {
        "it is empty"
    } else if login.len() > MAX_LOGIN_BYTES {
        "it has more than 256 bytes"
    } else if login.chars().any(char::is_control) {
        // In FTP a line break would begin another command.
        "it holds a control character"
    } else {
        return Ok(login.to_owned());
    };
    Err(format!("the login on the client's server is not acceptable: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_as_people_write_them() {
        for (text, host, port) in [
            ("sftp.example.com", "sftp.example.com", None),
            (" SFTP.Example.COM:2022 ", "sftp.example.com", Some(2022)),
            ("münchen.example", "xn--mnchen-3ya.example", None),
            ("example.com.", "example.com", None),
            ("nas_1", "nas_1", None),
            ("192.0.2.7:65535", "192.0.2.7", Some(65535)),
            ("[2001:DB8::1]:990", "2001:db8::1", Some(990)),
            ("[::1]", "::1", None),
            ("2001:db8::1", "2001:db8::1", None),
        ] {
            assert_eq!(parse_host(text), Ok((host.to_owned(), port)), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused_with_the_cure() {
        for (text, cure) in [
            ("sftp://example.com", "without \"://\""),
            ("user@example.com", "--login"),
            ("example.com/in", "folder add"),
            ("example.com:0", "from 1 to 65535"),
            ("example.com:65536", "from 1 to 65535"),
            ("example.com:", "from 1 to 65535"),
            ("example.com:ssh", "from 1 to 65535"),
            ("", "it is empty"),
            ("a b", "letters, digits"),
            ("a..b", "letters, digits"),
            ("-a.example", "letters, digits"),
            ("127.1", "looks like an IP address"),
            ("2130706433", "looks like an IP address"),
            ("0x7f000001", "looks like an IP address"),
            ("256.1.1.1", "looks like an IP address"),
            ("[example.com]", "IPv6 address"),
            ("[192.0.2.1]", "IPv6 address"),
            ("[::1]22", "behind the bracket"),
        ] {
            let said = parse_host(text).unwrap_err();
            assert!(said.contains(cure), "{text}: {said}");
            assert!(said.contains("sftp.example.com:2022"), "{text}: {said}");
        }
        assert!(parse_host(&"a.".repeat(130)).is_err());
        assert!(parse_host(&"a".repeat(64)).is_err());
    }

    #[test]
    fn fingerprints_are_compared_in_one_form() {
        let key = "SHA256:/uiP5APEHwsHlFvK7XuhaY5bZYcP4qhXTxzw6GgqPlQ";
        assert_eq!(Protocol::Sftp.checked_pin(&format!(" {key}= ")).as_deref(), Ok(key));
        let hex = "ab".repeat(32);
        let colons = ["AB"; 32].join(":");
        for text in [&hex, &colons, &format!("SHA256:{colons}")] {
            assert_eq!(Protocol::Ftps.checked_pin(text).as_deref(), Ok(hex.as_str()), "{text}");
        }
        for (protocol, text) in [
            (Protocol::Sftp, hex.as_str()),
            (Protocol::Sftp, "MD5:00:11"),
            (Protocol::Sftp, ""),
            (Protocol::Ftpes, key),
            (Protocol::Ftps, &hex[1..]),
        ] {
            let said = protocol.checked_pin(text).unwrap_err();
            assert!(said.contains("SHA256:") || said.contains("64 hex digits"), "{said}");
        }
    }

    #[test]
    fn logins_of_others_cannot_begin_a_command() {
        assert!(checked_remote_login("DOMAIN\\payroll user").is_ok());
        for bad in ["", "a\r\nDELE x", &"x".repeat(257)] {
            assert!(checked_remote_login(bad).is_err());
        }
    }
}
