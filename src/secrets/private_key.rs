//! Private keys with which we log in to clients' servers: read and checked when they are handed in.

use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PrivateKey, decode_secret_key};
use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};

/// The smallest RSA key, in bits.
const MIN_RSA_BITS: usize = 2048;
/// The largest key file.
const MAX_FILE_BYTES: usize = 64 * 1024;
const CONVERT: &str = "ssh-keygen -p -f KEYFILE writes it anew in OpenSSH's format";

/// A private key that can be used, with what may be shown of it.
pub struct CheckedKey {
    /// The key file's text, line ends and blanks put right.
    pub pem: Zeroizing<String>,
    /// Its passphrase; `None`: it needs none.
    pub passphrase: Option<Zeroizing<String>>,
    /// The public key, one line in OpenSSH's format: what the client's server must know.
    pub public_key: String,
    /// `SHA256:…`
    pub fingerprint: String,
}

/// Reads a private key: OpenSSH, PKCS#8 or PKCS#1 PEM, PuTTY; RSA, Ed25519 or ECDSA.
///
/// # Errors
/// `Kind::Invalid` with the cure: a public key, a damaged file, a kind that is not offered, a missing or wrong passphrase.
/// Neither key nor passphrase is ever in the message.
pub fn check_private_key(text: &str, passphrase: Option<&str>) -> Result<CheckedKey> {
    if text.len() > MAX_FILE_BYTES {
        return Err(refuse("the file has more than 64 KiB; it is no private key"));
    }
    let pem = tidy(text);
    look(&pem)?;
    let (key, passphrase) = match decode_secret_key(&pem, None) {
        Ok(key) => (key, None),
        Err(error) if is_encrypted(&pem, &error) => {
            let Some(passphrase) = passphrase.filter(|p| !p.is_empty()) else {
                return Err(refuse(
                    "it is locked by a passphrase; give that too, with --passphrase-stdin",
                ));
            };
            let key = decode_secret_key(&pem, Some(passphrase)).map_err(|_| {
                refuse("it does not open with this passphrase; check it (or the file is damaged)")
            })?;
            (key, Some(Zeroizing::new(passphrase.to_owned())))
        }
        Err(error) => {
            return Err(refuse(&format!(
                "it cannot be read ({error}); copy the whole file again, or convert it: {CONVERT}"
            )));
        }
    };
    check_kind(&key)?;
    let public = key.public_key();
    let mut public = public.clone();
    public.set_comment("");
    let public_key = public
        .to_openssh()
        .map_err(|e| refuse(&format!("its public half cannot be written ({e})")))?
        .trim()
        .to_owned();
    let fingerprint = public.fingerprint(HashAlg::Sha256).to_string();
    Ok(CheckedKey { pem, passphrase, public_key, fingerprint })
}

fn refuse(problem: &str) -> Error {
    Error::new(Kind::Invalid, format!("the private key is not acceptable: {problem}"))
}

/// Mail programs and editors add marks, blanks and line ends of their own.
fn tidy(text: &str) -> Zeroizing<String> {
    let text = text.trim_start_matches('\u{feff}').trim();
    // PuTTY's checksum covers the blanks of the comment.
    let is_putty = text.starts_with("PuTTY-User-Key-File-");
    let mut pem = Zeroizing::new(String::with_capacity(text.len() + 1));
    for line in text.lines() {
        pem.push_str(if is_putty { line } else { line.trim() });
        pem.push('\n');
    }
    pem
}

/// What can be told by its first line, better than by a parser's error.
fn look(pem: &str) -> Result<()> {
    let first = pem.lines().next().unwrap_or_default();
    let public = ["ssh-", "ecdsa-", "sk-", "---- BEGIN SSH2 PUBLIC", "-----BEGIN PUBLIC"];
    let problem = if public.iter().any(|start| first.starts_with(start)) {
        "this is the public key; give the private one (the file without .pub)".to_owned()
    } else if pem.contains("-----BEGIN CERTIFICATE") && !pem.contains("PRIVATE KEY") {
        "this is a certificate; give the private key".to_owned()
    } else if pem.contains("BEGIN DSA PRIVATE KEY") {
        "it is a DSA key, which servers no longer accept; make one: ssh-keygen -t ed25519"
            .to_owned()
    } else if pem.contains("SSH2 ENCRYPTED PRIVATE KEY") {
        // The format of Tectia (ssh.com).
        format!(
            "it is in the format of ssh.com; convert it: ssh-keygen -i -f KEYFILE, then {CONVERT}"
        )
    } else if pem.lines().any(|l| l.starts_with("DEK-Info:") && !l.contains(" AES-128-CBC,")) {
        format!("it is locked in an old way (DEK-Info); convert it: {CONVERT}")
    } else if !pem.contains("PRIVATE KEY-----") && !first.starts_with("PuTTY-User-Key-File-") {
        "it is no private key; give the file that begins with -----BEGIN … PRIVATE KEY-----"
            .to_owned()
    } else {
        return Ok(());
    };
    Err(refuse(&problem))
}

fn is_encrypted(pem: &str, error: &russh::keys::Error) -> bool {
    matches!(error, russh::keys::Error::KeyIsEncrypted)
        || pem.contains("BEGIN ENCRYPTED PRIVATE KEY")
        || pem.contains("Proc-Type: 4,ENCRYPTED")
        || pem.lines().any(|l| l.starts_with("Encryption: ") && l != "Encryption: none")
}

fn check_kind(key: &PrivateKey) -> Result<()> {
    if key.is_encrypted() {
        return Err(refuse("it is locked by a passphrase; give that too, with --passphrase-stdin"));
    }
    match key.algorithm() {
        Algorithm::Ed25519
        | Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP256 | EcdsaCurve::NistP384 | EcdsaCurve::NistP521,
        } => Ok(()),
        Algorithm::Rsa { .. } => {
            let bits = key.public_key().key_data().rsa().map_or(0, |rsa| rsa.key_size());
            let bits = usize::try_from(bits).unwrap_or(usize::MAX);
            if bits >= MIN_RSA_BITS {
                return Ok(());
            }
            Err(refuse(&format!(
                "its {bits} bits are too few; make one of at least {MIN_RSA_BITS}, or better an Ed25519 key: \
                 ssh-keygen -t ed25519"
            )))
        }
        other => Err(refuse(&format!(
            "keys of type {other} are not offered; use Ed25519, RSA or ECDSA: ssh-keygen -t ed25519"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use russh::keys::key::safe_rng;
    use russh::keys::ssh_key::LineEnding;

    use super::*;

    fn key(algorithm: Algorithm) -> PrivateKey {
        PrivateKey::random(&mut safe_rng(), algorithm).unwrap()
    }

    fn openssh(key: &PrivateKey) -> String {
        key.to_openssh(LineEnding::LF).unwrap().to_string()
    }

    fn refusal(text: &str, passphrase: Option<&str>) -> String {
        check_private_key(text, passphrase).err().unwrap().message().to_owned()
    }

    #[test]
    fn keys_are_read_and_what_may_be_shown_is_their_public_half() {
        let p256 = Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 };
        for algorithm in [Algorithm::Ed25519, p256] {
            let made = key(algorithm);
            let read = check_private_key(&openssh(&made), None).unwrap();
            let public = made.public_key();
            assert_eq!(read.fingerprint, public.fingerprint(HashAlg::Sha256).to_string());
            assert!(public.to_openssh().unwrap().starts_with(&read.public_key));
            assert!(read.passphrase.is_none());
        }
        let rsa =
            rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048);
        let read = check_private_key(&rsa.unwrap().serialize_pem(), None).unwrap();
        assert!(read.public_key.starts_with("ssh-rsa AAAA"), "{}", read.public_key);
    }

    #[test]
    fn blanks_marks_and_line_ends_of_others_do_no_harm() {
        let made = openssh(&key(Algorithm::Ed25519));
        let spoiled = format!("\u{feff}\r\n{}", made.replace('\n', "  \r\n"));
        assert_eq!(*check_private_key(&spoiled, None).unwrap().pem, made);
    }

    #[test]
    fn a_locked_key_needs_its_own_passphrase() {
        let made = key(Algorithm::Ed25519);
        let locked = openssh(&made.encrypt(&mut safe_rng(), "open sesame").unwrap());
        assert!(refusal(&locked, None).contains("--passphrase-stdin"));
        assert!(refusal(&locked, Some("")).contains("--passphrase-stdin"));
        let wrong = refusal(&locked, Some("open barley"));
        assert!(wrong.contains("does not open") && !wrong.contains("barley"), "{wrong}");
        let read = check_private_key(&locked, Some("open sesame")).unwrap();
        assert_eq!(read.passphrase.unwrap().as_str(), "open sesame");
        // One that needs none does not keep one.
        assert!(check_private_key(&openssh(&made), Some("x")).unwrap().passphrase.is_none());
    }

    #[test]
    fn what_is_no_usable_private_key_is_refused_with_the_cure() {
        let made = key(Algorithm::Ed25519);
        let public = made.public_key().to_openssh().unwrap();
        let text = openssh(&made);
        let half = &text[..text.len() / 2];
        for (text, cure) in [
            (public.as_str(), "give the private one"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n", "give the private key"),
            ("-----BEGIN DSA PRIVATE KEY-----\nAAAA\n", "ssh-keygen -t ed25519"),
            ("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n", "ssh-keygen -i"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,00\n\nAAAA\n",
                "ssh-keygen -p",
            ),
            ("", "it is no private key"),
            ("hello", "it is no private key"),
            (half, "copy the whole file again"),
        ] {
            let said = refusal(text, None);
            assert!(said.contains(cure), "{text}: {said}");
        }
        assert!(refusal(&"x".repeat(MAX_FILE_BYTES + 1), None).contains("64 KiB"));
    }
}
