//! SSH public keys and TLS client certificates as people hand them in: read, checked, with the fingerprint that `ssh-keygen -l` or
//! `openssl x509 -fingerprint -sha256` prints.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use x509_parser::pem::Pem;

use crate::error::{Error, Kind, Result};

/// The smallest RSA modulus that is accepted, in bits.
const MIN_RSA_BITS: usize = 2048;
/// The largest: checking a signature of more takes noticeable time.
const MAX_RSA_BITS: usize = 16_384;
/// The longest key file.
const MAX_FILE_BYTES: usize = 1024 * 1024;
const KINDS: &str = "ssh-ed25519, ssh-rsa (2048 bits or more) or ecdsa-sha2-nistp256";

/// How a TLS client certificate stands among the keys: this word, then the SHA-256 of its DER form in base64.
const CERTIFICATE: &str = "x509-sha256";

/// A public key, or a certificate, that may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PublicKey {
    kind: &'static str,
    blob: Vec<u8>,
    comment: String,
}

impl PublicKey {
    /// Reads one line of OpenSSH's format: `ssh-ed25519 AAAA… comment`.
    pub(super) fn parse_line(line: &str) -> Result<Self> {
        let mut words = line.split_ascii_whitespace();
        let kind = words.next().unwrap_or_default();
        let base64 = words.next().unwrap_or_default();
        if kind == CERTIFICATE {
            let blob = from_base64(base64).filter(|digest| digest.len() == 32);
            let blob =
                blob.ok_or_else(|| invalid("the certificate's digest is not whole".to_owned()))?;
            return Ok(Self { kind: CERTIFICATE, blob, comment: String::new() });
        }
        if !(kind.starts_with("ssh-") || kind.starts_with("ecdsa-") || kind.starts_with("sk-")) {
            return Err(invalid(format!(
                "a line begins with \"{}\": expected a key type ({KINDS}); options before it are not \
                 supported, take them away",
                kind.chars().take(40).collect::<String>()
            )));
        }
        let blob = from_base64(base64)
            .ok_or_else(|| invalid(format!("the {kind} key is not whole: copy the line again")))?;
        let comment = words.collect::<Vec<_>>().join(" ");
        Self::from_blob(kind, blob, comment)
    }

    /// Reads a file of public keys: OpenSSH lines (empty lines and `#` comments are skipped) or RFC 4716 blocks (PuTTY).
    pub(super) fn parse_file(text: &str) -> Result<Vec<Self>> {
        if text.len() > MAX_FILE_BYTES {
            return Err(invalid("the file has more than 1 MiB".to_owned()));
        }
        if text.contains("PRIVATE KEY") || text.starts_with("PuTTY-User-Key-File") {
            return Err(invalid(
                "this is a private key: it must never leave its owner; give the public key \
                 (the file that ends in .pub)"
                    .to_owned(),
            ));
        }
        if text.contains("-----BEGIN CERTIFICATE") {
            return Self::parse_certificates(text);
        }
        let mut keys = Vec::new();
        let mut lines = text.lines().map(str::trim);
        while let Some(line) = lines.next() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = if line.starts_with("---- BEGIN SSH2 PUBLIC KEY") {
                Self::parse_block(&mut lines)?
            } else {
                Self::parse_line(line)?
            };
            if !keys.iter().any(|known: &Self| known.blob == key.blob) {
                keys.push(key);
            }
        }
        if keys.is_empty() {
            return Err(invalid(format!("the file holds no public key; expected {KINDS}")));
        }
        Ok(keys)
    }

    /// Reads the client's certificate: the first of a PEM file, whose others are its issuers.
    fn parse_certificates(text: &str) -> Result<Vec<Self>> {
        let wrong = |why: &str| {
            Error::new(Kind::Invalid, format!("the certificate is not acceptable: {why}"))
        };
        let pem =
            Pem::iter_from_buffer(text.as_bytes())
                .next()
                .and_then(std::result::Result::ok)
                .ok_or_else(|| wrong("the file is not whole PEM; export the certificate again"))?;
        let (_, certificate) = x509_parser::parse_x509_certificate(&pem.contents)
            .map_err(|_| wrong("it cannot be read; export it again as PEM"))?;
        let comment: String = certificate
            .subject()
            .to_string()
            .chars()
            .filter(|c| !c.is_control())
            .take(200)
            .collect();
        let blob = Sha256::digest(&pem.contents).to_vec();
        Ok(vec![Self { kind: CERTIFICATE, blob, comment }])
    }

    /// The rest of an RFC 4716 block: headers (`Comment: "…"`, continued after `\`), then base64 over several lines.
    fn parse_block<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Result<Self> {
        let (mut base64, mut comment, mut in_header) = (String::new(), String::new(), false);
        for line in lines {
            if line.starts_with("---- END SSH2 PUBLIC KEY") {
                let blob = from_base64(&base64).ok_or_else(|| {
                    invalid("the key block is not whole: copy it again".to_owned())
                })?;
                let kind = Parts(&blob).text().unwrap_or_default().to_owned();
                return Self::from_blob(&kind, blob, comment);
            }
            let is_header = in_header || line.contains(':');
            if is_header {
                if let Some(text) = line.strip_prefix("Comment:") {
                    text.trim().trim_matches('"').clone_into(&mut comment);
                }
                in_header = line.ends_with('\\');
            } else {
                base64.push_str(line);
            }
        }
        Err(invalid("the key block has no end: copy the whole file".to_owned()))
    }

    fn from_blob(kind: &str, blob: Vec<u8>, comment: String) -> Result<Self> {
        let kind = check(kind, &blob)?;
        Ok(Self { kind, blob, comment: comment.chars().filter(|c| !c.is_control()).collect() })
    }

    /// The key as SSH sends it (RFC 4253, 6.6).
    pub(super) fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// The comment that came with it.
    pub(super) fn comment(&self) -> &str {
        &self.comment
    }

    /// The line without options and comment.
    pub(super) fn line(&self) -> String {
        format!("{} {}", self.kind, to_base64(&self.blob, Padding::Yes))
    }

    /// `SHA256:…`; of a certificate `X509:AB:CD:…`
    pub(super) fn fingerprint(&self) -> String {
        if self.kind == CERTIFICATE {
            let pairs: Vec<String> = self.blob.iter().map(|byte| format!("{byte:02X}")).collect();
            return format!("X509:{}", pairs.join(":"));
        }
        format!("SHA256:{}", to_base64(&Sha256::digest(&self.blob), Padding::No))
    }
}

/// A client's certificate as a line among its keys; `None`: it cannot be read, or is not valid now.
pub(super) fn certificate_line(der: &[u8], now: Timestamp) -> Option<String> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    let validity = certificate.validity();
    let valid = (validity.not_before.timestamp()..=validity.not_after.timestamp())
        .contains(&now.as_second());
    let digest = Sha256::digest(der);
    valid.then(|| format!("{CERTIFICATE} {}", to_base64(&digest, Padding::Yes)))
}

fn invalid(problem: String) -> Error {
    Error::new(Kind::Invalid, format!("the public key is not acceptable: {problem}"))
}

/// Checks the parts of a key and names its kind.
fn check(kind: &str, blob: &[u8]) -> Result<&'static str> {
    let broken = || invalid(format!("the {kind} key is not whole: copy the line again"));
    let mut parts = Parts(blob);
    if parts.text() != Some(kind) {
        return Err(broken());
    }
    let kind = match kind {
        "ssh-ed25519" => {
            parts.next().filter(|point| point.len() == 32).ok_or_else(broken)?;
            "ssh-ed25519"
        }
        "ecdsa-sha2-nistp256" => {
            let curve = parts.text();
            let point = parts.next().ok_or_else(broken)?;
            if curve != Some("nistp256") || point.len() != 65 || point.first() != Some(&4) {
                return Err(broken());
            }
            "ecdsa-sha2-nistp256"
        }
        "ssh-rsa" => {
            let exponent = parts.next().ok_or_else(broken)?;
            let bits = bit_length(parts.next().ok_or_else(broken)?);
            if exponent.last().is_none_or(|byte| byte % 2 == 0) || bit_length(exponent) < 2 {
                return Err(broken());
            }
            if bits < MIN_RSA_BITS {
                return Err(invalid(format!(
                    "the RSA key has {bits} bits; make one of at least {MIN_RSA_BITS}, or better an \
                     Ed25519 key: ssh-keygen -t ed25519"
                )));
            }
            if bits > MAX_RSA_BITS {
                return Err(invalid(format!(
                    "the RSA key has {bits} bits; at most {MAX_RSA_BITS} are accepted"
                )));
            }
            "ssh-rsa"
        }
        other => {
            return Err(invalid(format!("keys of type {other} are not accepted; use {KINDS}")));
        }
    };
    if parts.0.is_empty() { Ok(kind) } else { Err(broken()) }
}

/// Bits of an SSH mpint (RFC 4251, 5), leading zero bytes left out.
fn bit_length(number: &[u8]) -> usize {
    let digits = number.iter().position(|byte| *byte != 0).and_then(|at| number.get(at..));
    let Some((first, rest)) = digits.and_then(<[u8]>::split_first) else { return 0 };
    let top = usize::try_from(u8::BITS - first.leading_zeros()).unwrap_or(8);
    rest.len() * 8 + top
}

/// The length-prefixed parts of a key blob.
struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let (part, rest) =
            rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        self.0 = rest;
        Some(part)
    }

    fn text(&mut self) -> Option<&'a str> {
        self.next().and_then(|part| std::str::from_utf8(part).ok())
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Padding {
    Yes,
    No,
}

/// RFC 4648 base64.
fn to_base64(bytes: &[u8], padding: Padding) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |n: usize| chunk.get(n).copied().map_or(0, u32::from);
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for n in 0..=chunk.len() {
            let digit = usize::try_from(word >> (18 - 6 * n) & 63).unwrap_or(0);
            text.push(DIGITS.get(digit).map_or('=', |d| char::from(*d)));
        }
        if padding == Padding::Yes {
            text.extend(std::iter::repeat_n('=', 3 - chunk.len()));
        }
    }
    text
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    if digits.is_empty() || digits.len() % 4 == 1 || text.len() - digits.len() > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for chunk in digits.chunks(4) {
        let mut word = 0_u32;
        for digit in chunk {
            let value = DIGITS.iter().position(|d| d == digit)?;
            word = word << 6 | u32::try_from(value).ok()?;
        }
        word <<= 6 * (4 - chunk.len());
        let [_, whole @ ..] = word.to_be_bytes();
        bytes.extend(whole.iter().take(chunk.len() - 1));
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made for this test with ssh-keygen; the fingerprints are those of `ssh-keygen -l`.
    const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJFiteaJhKr5fAvy4WdDPXw1hs7mZTynsd/bF55HQ0KC payroll@acme";
    const RSA: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC3OM/p2YZzIdAqc7oHoPZa59XRwGL8etdDTuPwn+BKP3bwwdp7tgIWb2kAUw2ht243bTefMi9umjgFde+QCA9Cw6TzFSdh59IMxmWsvK7B59fxH2yNEpFsKYL1pcA1gxLvjh4zbte7e7h5EoNHehzW/mQmNEW0+hfr1RMlSS8T+yL/6/Atvrsj5gXGCkjHU5mGh67+D5nKy2f5Gibq6kWxwpbwFRiV64j8hVllBSEkaOL42Y9N6dC078k454VwMLogACyaA5bSUJtj/uyzzLfCdwd8EUCrJXySzMoNOA52grRz8493Hua/XeCx22NwJadA2vPmSWoPa+zT/Rip5oMH rsa key";
    const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBBXaGxV2rh8PGAlM7zP59O1Eo/mSL1tT0S6rcyqADY2JOn3GZWuaqLFejfNUkQTiGeavFnGKzpRiC2mxtfE4Nfc= ec";
    const RSA_1024: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCuzbpbxI80IgkT+EUGiBNScEi+FmIgfjyLIQOy6kAixSJVXFfuGscImuRB1jkctIy8D9KMbghFEF6EvW8dwj5Tq+04oa+YTh0qg0oTYW6BnSeYml6yBVMz9ZjcZaHjIJ/e4iMVa0QKCpJIU/BRtKkL2epLWRRC6WoZIRnCimjbSw==";
    const P384: &str = "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBEedr3RCW+B2dAVjqaSCrLr4iEZrYJzf7o/e0PeoYC6WKpcn86au1MdWr5lePdBY6W+hYK9aRb7j52MgAeOLSnSrl/2Tzf4+fNl50o2K8oVQN/uIjLJvMR+Gqq0X3nl4NQ== ec";

    #[test]
    fn a_key_has_the_fingerprint_that_ssh_keygen_prints() {
        for (line, comment, fingerprint) in [
            (ED25519, "payroll@acme", "SHA256:/uiP5APEHwsHlFvK7XuhaY5bZYcP4qhXTxzw6GgqPlQ"),
            (RSA, "rsa key", "SHA256:mL8u5T8/pJ0gAyDxzA/XN+De0bomTUZX1yCnIc0mEJI"),
            (ECDSA, "ec", "SHA256:3487D+HFgrllw8uMGJhrmp0QXDPqEXhw3q5uB47OCls"),
        ] {
            let key = PublicKey::parse_line(line).unwrap();
            assert_eq!((key.fingerprint().as_str(), key.comment()), (fingerprint, comment));
            assert_eq!(format!("{} {comment}", key.line()), line);
        }
    }

    #[test]
    fn files_of_several_keys_and_of_putty_are_read() {
        let file = format!("# payroll\r\n{ED25519}\r\n\n{RSA}\n{ED25519}\n");
        assert_eq!(PublicKey::parse_file(&file).unwrap().len(), 2);
        let (head, tail) = ED25519.split(' ').nth(1).unwrap().split_at(40);
        let putty = format!(
            "---- BEGIN SSH2 PUBLIC KEY ----\nComment: \"payroll \\\nkey\"\n{head}\n{tail}\n\
             ---- END SSH2 PUBLIC KEY ----\n"
        );
        let keys = PublicKey::parse_file(&putty).unwrap();
        assert_eq!(keys[0].blob(), PublicKey::parse_line(ED25519).unwrap().blob());
    }

    #[test]
    fn refusals_say_what_to_do() {
        let cut = &ED25519[..60];
        for (text, cure) in [
            (RSA_1024, "at least 2048"),
            (P384, "ecdsa-sha2-nistp384 are not accepted"),
            (cut, "copy the line again"),
            ("restrict,pty ssh-ed25519 AAAA", "options"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb\n", ".pub"),
            ("PuTTY-User-Key-File-3: ssh-ed25519", ".pub"),
            ("", "no public key"),
            ("ssh-ed25519", "copy the line again"),
            ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA", "no end"),
        ] {
            let message = PublicKey::parse_file(text).unwrap_err().message().to_owned();
            assert!(message.contains(cure), "{text}: {message}");
        }
    }

    #[test]
    fn bytes_after_a_key_are_refused() {
        let mut blob = PublicKey::parse_line(ED25519).unwrap().blob;
        blob.push(0);
        let line = format!("ssh-ed25519 {}", to_base64(&blob, Padding::Yes));
        assert!(PublicKey::parse_line(&line).is_err());
    }
}
