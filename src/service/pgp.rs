//! Use cases about OpenPGP keys and zip passwords: ours for each client, those of partners, and encrypting for them.

use jiff::Timestamp;
use serde::Serialize;
use zeroize::Zeroizing;

use super::Service;
use crate::crypt::{self, Attest, Certificate, Partner, SecretKey};
use crate::error::{Error, Kind, Result};
use crate::store::registry::{PgpKey, PgpPartner};

/// The longest name of a partner, in characters.
const MAX_NAME_CHARS: usize = 200;
/// The shortest password of a zip, in characters: whoever has the file can try passwords for ever.
const MIN_PASSWORD_CHARS: usize = 12;

/// A key pair of ours, without its secret half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyView {
    /// The client's slug.
    pub client: String,
    /// In hex digits.
    pub fingerprint: String,
    /// Since when.
    pub created_at: Timestamp,
    /// What was received later is not read with it.
    pub retired_at: Option<Timestamp>,
    /// The key that senders should use and exports are signed with: the newest that is not retired.
    pub current: bool,
    /// The public half, armored.
    pub public_key: String,
}

/// A partner's public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartnerView {
    /// The client's slug.
    pub client: String,
    /// In hex digits.
    pub fingerprint: String,
    /// The name given by the operator.
    pub name: String,
    /// The names in the key.
    pub owners: Vec<String>,
    /// Since when.
    pub added_at: Timestamp,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// Whether its signatures count today.
    pub signs: bool,
    /// Whether files can be encrypted for it today.
    pub encrypts: bool,
}

/// Whether an encrypted file is signed by us as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// It is not.
    No,
    /// With the client's current key.
    ByUs,
}

impl Service {
    /// Makes a key pair of ours for a client. Older ones go on reading what is sent to them until they are retired.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client.
    pub fn make_pgp_key(&self, client: &str) -> Result<KeyView> {
        let client = self.client(client)?;
        let now = self.clock().now();
        let key = SecretKey::make(&format!("{} (Rollcall)", client.name), seconds(now))
            .map_err(internal)?;
        let fingerprint = key.fingerprint();
        let plain = Zeroizing::new(key.to_bytes().map_err(internal)?);
        let stored = PgpKey {
            public_key: key.certificate().armored().map_err(internal)?,
            sealed_key: self.seal(&key_context(&client.slug, &fingerprint), &plain)?,
            fingerprint,
            created_at: now,
            retired_at: None,
        };
        self.registry().add_pgp_key(&client.slug, &stored)?;
        self.record("pgp.make", &client.slug, &stored.fingerprint);
        self.pgp_key(&client.slug, Some(&stored.fingerprint))
    }

    /// The key pairs of a client, the newest first.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client.
    pub fn pgp_keys(&self, client: &str) -> Result<Vec<KeyView>> {
        let client = self.client(client)?;
        let keys = self.registry().pgp_keys(&client.slug)?;
        let current = keys.iter().position(|key| key.retired_at.is_none());
        let view = |(place, key): (usize, PgpKey)| KeyView {
            client: client.slug.clone(),
            fingerprint: key.fingerprint,
            created_at: key.created_at,
            retired_at: key.retired_at,
            current: current == Some(place),
            public_key: key.public_key,
        };
        Ok(keys.into_iter().enumerate().map(view).collect())
    }

    /// A key pair of a client: the one whose fingerprint ends so, else the current one.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Invalid` when several fingerprints end so.
    pub fn pgp_key(&self, client: &str, fingerprint: Option<&str>) -> Result<KeyView> {
        let keys = self.pgp_keys(client)?;
        match fingerprint {
            Some(end) => chosen(keys, end, |key| &key.fingerprint, "OpenPGP key of ours", client),
            None => keys.into_iter().find(|key| key.current).ok_or_else(|| {
                let words = format!(
                    "client {client} has no OpenPGP key of ours; make one with `rollcall pgp make {client}`"
                );
                Error::new(Kind::NotFound, words)
            }),
        }
    }

    /// Retires a key pair: what is received from now on is not read with it.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Conflict` when it is retired already.
    pub fn retire_pgp_key(&self, client: &str, fingerprint: &str) -> Result<KeyView> {
        let key = self.pgp_key(client, Some(fingerprint))?;
        let now = self.clock().now();
        if !self.registry().retire_pgp_key(client, &key.fingerprint, now)? {
            let words = format!("the key {} is retired already", key.fingerprint);
            return Err(Error::new(Kind::Conflict, words));
        }
        self.record("pgp.retire", client, &key.fingerprint);
        self.pgp_key(client, Some(&key.fingerprint))
    }

    /// Keeps a partner's public key, from a file that is armored or not. The same key again takes the old one's place.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client; `Kind::Invalid` for what is no usable public key, in words with the cure;
    /// `Kind::Exists` for a name that another key has.
    pub fn add_pgp_partner(
        &self,
        client: &str,
        file: &[u8],
        name: Option<&str>,
    ) -> Result<PartnerView> {
        let client = self.client(client)?;
        let now = self.clock().now();
        let invalid = |words: String| Error::new(Kind::Invalid, words);
        let certificate = Certificate::read(file, seconds(now)).map_err(invalid)?;
        let owners = certificate.owners();
        let name = name.or(owners.first().map(String::as_str)).unwrap_or("no name").trim();
        if name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
            return Err(invalid(format!(
                "a partner's name has 1 to {MAX_NAME_CHARS} characters; give it one"
            )));
        }
        if name.chars().any(char::is_control) {
            return Err(invalid(
                "a partner's name has no line breaks or control characters".into(),
            ));
        }
        let partner = PgpPartner {
            fingerprint: certificate.fingerprint(),
            name: name.to_owned(),
            public_key: certificate.armored().map_err(internal)?,
            added_at: now,
        };
        self.registry().put_pgp_partner(&client.slug, &partner)?;
        self.record("pgp.partner.add", &client.slug, &format!("{} {name}", partner.fingerprint));
        self.pgp_partner(&client.slug, &partner.fingerprint)
    }

    /// The public keys of a client's partners, by name.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client.
    pub fn pgp_partners(&self, client: &str) -> Result<Vec<PartnerView>> {
        let client = self.client(client)?;
        let now = seconds(self.clock().now());
        let partners = self.registry().pgp_partners(&client.slug)?;
        partners
            .into_iter()
            .map(|partner| {
                let key = Certificate::stored(&partner.public_key).map_err(internal)?;
                let expires = key.expires_at().and_then(|at| i64::try_from(at).ok());
                Ok(PartnerView {
                    client: client.slug.clone(),
                    fingerprint: partner.fingerprint,
                    name: partner.name,
                    owners: key.owners(),
                    added_at: partner.added_at,
                    expires_at: expires.and_then(|at| Timestamp::from_second(at).ok()),
                    signs: key.can_sign(now),
                    encrypts: key.can_encrypt(now),
                })
            })
            .collect()
    }

    /// The partner's key whose fingerprint ends so.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Invalid` when several fingerprints end so.
    pub fn pgp_partner(&self, client: &str, fingerprint: &str) -> Result<PartnerView> {
        let partners = self.pgp_partners(client)?;
        chosen(partners, fingerprint, |partner| &partner.fingerprint, "partner's key", client)
    }

    /// Forgets a partner's key: its signatures count no more, nothing is encrypted for it.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn remove_pgp_partner(&self, client: &str, fingerprint: &str) -> Result<PartnerView> {
        let partner = self.pgp_partner(client, fingerprint)?;
        self.registry().remove_pgp_partner(client, &partner.fingerprint)?;
        let detail = format!("{} {}", partner.fingerprint, partner.name);
        self.record("pgp.partner.remove", client, &detail);
        Ok(partner)
    }

    /// Sets the password of a folder's encrypted zips; `None` takes it away.
    ///
    /// # Errors
    /// `Kind::NotFound` for the account or folder; `Kind::Invalid` for a password that is too short.
    pub fn set_zip_password(
        &self,
        login: &str,
        folder: &str,
        password: Option<&str>,
    ) -> Result<()> {
        let client = self.account(login)?.client;
        let folders = self.registry().folders(login)?;
        let Some(folder) = folders.into_iter().find(|known| known.name == folder) else {
            let words = format!("account {login} has no folder \"{folder}\"");
            return Err(Error::new(Kind::NotFound, words));
        };
        let sealed = match password {
            Some(password) if password.chars().count() < MIN_PASSWORD_CHARS => {
                let words = format!(
                    "the password is too short: whoever has the file can try passwords for ever; take at least {MIN_PASSWORD_CHARS} characters"
                );
                return Err(Error::new(Kind::Invalid, words));
            }
            Some(password) => {
                let context = zip_context(&client, &folder.name);
                Some(self.seal(&context, password.as_bytes())?)
            }
            None => None,
        };
        self.registry().set_zip_password(&client, &folder.name, sealed.as_deref())?;
        let detail = if password.is_some() { "set" } else { "taken away" };
        self.record("folder.zip_password", &format!("{client}/{}", folder.name), detail);
        Ok(())
    }

    /// Whether a folder has a password for encrypted zips.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_zip_password(&self, client: &str, folder: &str) -> Result<bool> {
        Ok(self.registry().zip_password(client, folder)?.is_some())
    }

    /// Encrypts a file for partners of a client, by their fingerprints. `name` is the file's name within.
    ///
    /// # Errors
    /// `Kind::NotFound` for a fingerprint that no partner has, or a key of ours that is missing; `Kind::Invalid` for a
    /// key that cannot be encrypted for today, in words with the cure.
    pub fn encrypt_for(
        &self,
        client: &str,
        fingerprints: &[String],
        signed: Signed,
        name: &str,
        bytes: &[u8],
    ) -> Result<Vec<u8>> {
        let stored = self.registry().pgp_partners(client)?;
        let mut recipients = Vec::new();
        for print in fingerprints {
            let wanted = self.pgp_partner(client, print)?.fingerprint;
            let found = stored.iter().find(|partner| partner.fingerprint == wanted);
            let armored = found.map(|partner| partner.public_key.as_str()).unwrap_or_default();
            recipients.push(Certificate::stored(armored).map_err(internal)?);
        }
        let now = self.clock().now();
        let key = match signed {
            Signed::No => None,
            Signed::ByUs => {
                let current = self.pgp_key(client, None)?.fingerprint;
                let mut keys = self.reading_keys(client, now)?;
                keys.retain(|key| key.fingerprint() == current);
                keys.pop()
            }
        };
        let attest = key.as_ref().map_or(Attest::No, Attest::With);
        crypt::encrypt(bytes, name, &recipients, attest, seconds(now))
            .map_err(|words| Error::new(Kind::Invalid, words))
    }

    /// The key pairs that read what was received at this time.
    pub(super) fn reading_keys(&self, client: &str, received: Timestamp) -> Result<Vec<SecretKey>> {
        let keys = self.registry().pgp_keys(client)?;
        keys.iter()
            .filter(|key| key.retired_at.is_none_or(|retired| received < retired))
            .map(|key| {
                let context = key_context(client, &key.fingerprint);
                let plain = self.unseal_again(&context, &key.sealed_key, || {
                    let keys = self.registry().pgp_keys(client)?;
                    let same = keys.into_iter().find(|other| other.fingerprint == key.fingerprint);
                    Ok(same.map(|key| key.sealed_key))
                })?;
                SecretKey::from_bytes(&plain).map_err(internal)
            })
            .collect()
    }

    /// Everybody whose signature may count for a client.
    pub(super) fn signers(&self, client: &str) -> Result<Vec<Partner>> {
        let partners = self.registry().pgp_partners(client)?;
        partners
            .into_iter()
            .map(|partner| {
                let certificate = Certificate::stored(&partner.public_key).map_err(internal)?;
                Ok(Partner { name: partner.name, certificate })
            })
            .collect()
    }

    /// The password of a folder's encrypted zips, which must be set.
    ///
    /// # Errors
    /// `Kind::Invalid` for a folder without one, with the cure.
    pub(super) fn need_zip_password(
        &self,
        client: &str,
        folder: &str,
    ) -> Result<Zeroizing<String>> {
        self.zip_password(client, folder)?.ok_or_else(|| {
            let words = format!(
                "folder \"{folder}\" has no password for encrypted zips; set one with \"rollcall folder zip-password LOGIN {folder}\""
            );
            Error::new(Kind::Invalid, words)
        })
    }

    /// Packs a file into a zip that opens with the folder's password. `name` is the file's name within.
    ///
    /// # Errors
    /// `Kind::Invalid` for a folder without a password, with the cure.
    pub(super) fn zip_for(
        &self,
        client: &str,
        folder: &str,
        name: &str,
        bytes: &[u8],
    ) -> Result<Vec<u8>> {
        let password = self.need_zip_password(client, folder)?;
        crypt::seal_zip(bytes, name, &password).map_err(|words| Error::new(Kind::Invalid, words))
    }

    /// The password of a folder's encrypted zips.
    pub(super) fn zip_password(
        &self,
        client: &str,
        folder: &str,
    ) -> Result<Option<Zeroizing<String>>> {
        let Some(sealed) = self.registry().zip_password(client, folder)? else { return Ok(None) };
        let again = || self.registry().zip_password(client, folder);
        let plain = self.unseal_again(&zip_context(client, folder), &sealed, again)?;
        let text = std::str::from_utf8(&plain).map_err(|e| internal(e.to_string()))?;
        Ok(Some(Zeroizing::new(text.to_owned())))
    }

    /// The sealing key may have been exchanged between reading the row and reading the key file: read it once more.
    fn unseal_again(
        &self,
        context: &str,
        sealed: &[u8],
        again: impl FnOnce() -> Result<Option<Vec<u8>>>,
    ) -> Result<Zeroizing<Vec<u8>>> {
        match self.unseal(context, sealed) {
            Err(error) if error.kind() == Kind::NotFound => match again()? {
                Some(newer) if newer != sealed => self.unseal(context, &newer),
                _ => Err(error),
            },
            other => other,
        }
    }
}

/// The one whose fingerprint ends so, spaces and case aside.
fn chosen<T>(
    all: Vec<T>,
    end: &str,
    fingerprint: impl Fn(&T) -> &String,
    what: &str,
    client: &str,
) -> Result<T> {
    let wanted: String = end.chars().filter(|c| !c.is_whitespace()).collect();
    let wanted = wanted.trim_start_matches("0x").to_ascii_uppercase();
    let known: Vec<String> = all.iter().map(|one| fingerprint(one).clone()).collect();
    // Short ids can be made to measure.
    let is_long = wanted.len() >= 16;
    let mut found = all.into_iter().filter(|one| is_long && fingerprint(one).ends_with(&wanted));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(Error::new(
            Kind::Invalid,
            format!("several fingerprints end with {wanted}; give more of it"),
        )),
        _ => {
            let there = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let words = format!(
                "client {client} has no {what} with the fingerprint \"{end}\" (at least its last 16 digits); there are: {there}"
            );
            Err(Error::new(Kind::NotFound, words))
        }
    }
}

/// Seconds since 1970, as OpenPGP counts them.
pub(super) fn seconds(at: Timestamp) -> u32 {
    u32::try_from(at.as_second().max(0)).unwrap_or(u32::MAX)
}

fn key_context(client: &str, fingerprint: &str) -> String {
    format!("client/{client}/pgp/{fingerprint}")
}

fn zip_context(client: &str, folder: &str) -> String {
    format!("client/{client}/zip/{folder}")
}

fn internal(words: String) -> Error {
    Error::new(Kind::Internal, words)
}
