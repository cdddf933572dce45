//! OpenPGP keys: our own, and other people's public ones.

use std::collections::BTreeMap;
use std::fmt;

use pgp::composed::{
    ArmorOptions, Deserializable as _, EncryptionCaps, KeyType, PlainSessionKey,
    SecretKeyParamsBuilder, SignedPublicKey, SignedPublicSubKey, SignedSecretKey,
    SubkeyParamsBuilder,
};
use pgp::crypto::ecc_curve::ECCCurve;
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::sym::SymmetricKeyAlgorithm;
use pgp::packet::{KeyFlags, PublicKeyEncryptedSessionKey, Signature, SignatureType};
use pgp::ser::Serialize as _;
use pgp::types::{
    CompressionAlgorithm, DecryptionKey as _, EskType, Fingerprint, KeyDetails as _, Password,
    PkeskVersion, PublicParams, Tag, Timestamp,
};
use rand_core_06::OsRng;
use rsa_bits::modulus_bits;

use super::armor;

/// The shortest RSA key that counts.
const LEAST_RSA_BITS: usize = 2048;

/// A key pair of ours.
pub struct SecretKey(SignedSecretKey);

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecretKey").field(&self.fingerprint()).finish()
    }
}

impl SecretKey {
    /// Makes a key pair of the kind that every OpenPGP program since GnuPG 2.1 reads: Ed25519 and Curve25519, version 4.
    ///
    /// # Errors
    /// A name that OpenPGP cannot take, in words.
    pub fn make(owner: &str, at: u32) -> Result<Self, String> {
        let created = Timestamp::from_secs(at);
        let words = |e: &dyn fmt::Display| format!("the key could not be made: {e}");
        let reading = SubkeyParamsBuilder::default()
            .key_type(KeyType::ECDH(ECCCurve::Curve25519Legacy))
            .can_encrypt(EncryptionCaps::All)
            .created_at(created)
            .build()
            .map_err(|e| words(&e))?;
        let params = SecretKeyParamsBuilder::default()
            .key_type(KeyType::Ed25519Legacy)
            .can_certify(true)
            .can_sign(true)
            .created_at(created)
            .primary_user_id(owner.to_owned())
            .preferred_symmetric_algorithms(
                [SymmetricKeyAlgorithm::AES256, SymmetricKeyAlgorithm::AES128].as_slice().into(),
            )
            .preferred_hash_algorithms(
                [HashAlgorithm::Sha512, HashAlgorithm::Sha256].as_slice().into(),
            )
            .preferred_compression_algorithms(
                [CompressionAlgorithm::ZLIB, CompressionAlgorithm::ZIP].as_slice().into(),
            )
            .subkey(reading)
            .build()
            .map_err(|e| words(&e))?;
        params.generate(OsRng).map(Self).map_err(|e| words(&e))
    }

    /// Both halves, not protected: to be sealed.
    ///
    /// # Errors
    /// When rPGP cannot write it, in words.
    pub fn to_bytes(&self) -> Result<Vec<u8>, String> {
        self.0.to_bytes().map_err(|e| e.to_string())
    }

    /// # Errors
    /// Bytes that are no secret key, in words.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        SignedSecretKey::from_bytes(bytes).map(Self).map_err(|e| e.to_string())
    }

    /// The half that others may have.
    #[must_use]
    pub fn certificate(&self) -> Certificate {
        Certificate(self.0.to_public_key())
    }

    /// Its fingerprint, 40 hex digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex(self.0.primary_key.fingerprint())
    }

    /// What the message is encrypted with; `None`: it is not for this key, `Some(Err)`: it says so and is not.
    pub(super) fn session_key(
        &self,
        recipient: &PublicKeyEncryptedSessionKey,
    ) -> Option<Result<PlainSessionKey, ()>> {
        let values = recipient.values().ok()?;
        let kind = match recipient.version() {
            PkeskVersion::V3 => EskType::V3_4,
            PkeskVersion::V6 => EskType::V6,
            PkeskVersion::Other(_) => return None,
        };
        let is_hidden = recipient.id().is_ok_and(pgp::types::KeyId::is_wildcard)
            || matches!(recipient.fingerprint(), Ok(None));
        let mut named = false;
        for subkey in &self.0.secret_subkeys {
            if !recipient.match_identity(subkey.key.public_key()) {
                continue;
            }
            named = true;
            if let Ok(Ok(session)) = subkey.key.decrypt(&Password::empty(), values, kind) {
                return Some(Ok(session));
            }
        }
        (named && !is_hidden).then_some(Err(()))
    }

    pub(super) fn signing(&self) -> &pgp::packet::SecretKey {
        &self.0.primary_key
    }
}

/// Somebody's public key, or the public half of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate(SignedPublicKey);

/// Why a key is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unusable {
    Expired,
    Revoked,
    NotForThis,
}

/// What a key is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Signing,
    Encrypting,
}

/// One key of a certificate.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'a> {
    Primary(&'a pgp::packet::PublicKey),
    Subkey(&'a pgp::packet::PublicSubkey),
}

impl Part<'_> {
    pub(super) fn created_at(&self) -> Timestamp {
        match self {
            Self::Primary(key) => key.created_at(),
            Self::Subkey(key) => key.created_at(),
        }
    }
}

impl Certificate {
    /// Reads a public key, armored or not.
    ///
    /// # Errors
    /// In words with the cure: a secret key, several keys, no key, one that is too weak or not good at this time.
    pub fn read(file: &[u8], at: u32) -> Result<Self, String> {
        let binary = armor::key(file)?;
        let mut keys = SignedPublicKey::from_bytes_many(binary.as_slice())
            .map_err(|e| format!("this is no OpenPGP key: {e}"))?;
        let first = keys.next().ok_or(
            "this is no OpenPGP key; its owner exports it with: gpg --armor --export NAME",
        )?;
        let first = first.map_err(|e| {
            format!("this is no OpenPGP public key that can be read ({e}); its owner exports it with: gpg --armor --export NAME")
        })?;
        if keys.next().is_some() {
            return Err(
                "the file holds several keys; export each into a file of its own".to_owned()
            );
        }
        let key = Self(first);
        key.check_strength()?;
        key.primary_standing(at).map_err(|why| match why {
            Unusable::Expired => "the key has expired; ask its owner for a new one",
            Unusable::Revoked => "the key was revoked by its owner; ask for the new one, and forget the old one if it is listed here (rollcall pgp partner remove)",
            Unusable::NotForThis => {
                "the key is not signed by itself; ask its owner for the whole key"
            }
        })?;
        let is_of_use = [Purpose::Signing, Purpose::Encrypting]
            .iter()
            .any(|purpose| !key.usable(*purpose, at).is_empty());
        if !is_of_use {
            return Err(
                "the key can neither sign nor encrypt; ask its owner for another".to_owned()
            );
        }
        Ok(key)
    }

    /// Reads what [`Certificate::armored`] wrote.
    ///
    /// # Errors
    /// In words.
    pub fn stored(armored: &str) -> Result<Self, String> {
        let binary = armor::key(armored.as_bytes())?;
        SignedPublicKey::from_bytes(binary.as_slice()).map(Self).map_err(|e| e.to_string())
    }

    /// As text, for a file or a mail.
    ///
    /// # Errors
    /// When rPGP cannot write it, in words.
    pub fn armored(&self) -> Result<String, String> {
        let headers: Option<&BTreeMap<String, Vec<String>>> = None;
        let options = ArmorOptions { headers, include_checksum: true };
        self.0.to_armored_string(options).map_err(|e| e.to_string())
    }

    /// Its fingerprint in hex digits, 40 of them (64 for a key of version 6).
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex(self.0.primary_key.fingerprint())
    }

    /// The names in it: who says to be its owner.
    #[must_use]
    pub fn owners(&self) -> Vec<String> {
        let users = self.0.details.users.iter();
        users.map(|user| String::from_utf8_lossy(user.id.id()).into_owned()).collect()
    }

    /// Whether files can be encrypted for it at this time.
    #[must_use]
    pub fn can_encrypt(&self, at: u32) -> bool {
        !self.usable(Purpose::Encrypting, at).is_empty()
    }

    /// Whether its signatures count at this time.
    #[must_use]
    pub fn can_sign(&self, at: u32) -> bool {
        !self.usable(Purpose::Signing, at).is_empty()
    }

    /// When it expires, in seconds since 1970.
    #[must_use]
    pub fn expires_at(&self) -> Option<u64> {
        let own = self.own_signature()?;
        ends(self.0.primary_key.created_at(), own)
    }

    /// The key that this signature says to be made with, and whether it is good for that.
    pub(super) fn signer(
        &self,
        signature: &Signature,
        at: u32,
    ) -> Option<(Part<'_>, Result<(), Unusable>)> {
        let is_of = |print: &Fingerprint, id: &pgp::types::KeyId| {
            signature.issuer_fingerprint().contains(&print)
                || (signature.issuer_fingerprint().is_empty()
                    && signature.issuer_key_id().contains(&id))
        };
        let primary = &self.0.primary_key;
        if is_of(&primary.fingerprint(), &primary.legacy_key_id()) {
            return Some((Part::Primary(primary), self.primary_for(Purpose::Signing, at)));
        }
        let subkey = self
            .0
            .public_subkeys
            .iter()
            .find(|subkey| is_of(&subkey.key.fingerprint(), &subkey.key.legacy_key_id()))?;
        Some((Part::Subkey(&subkey.key), self.subkey_for(subkey, Purpose::Signing, at)))
    }

    /// The keys that are good for something at this time, the newest first.
    pub(super) fn usable(&self, purpose: Purpose, at: u32) -> Vec<Part<'_>> {
        let mut subkeys: Vec<&SignedPublicSubKey> = self
            .0
            .public_subkeys
            .iter()
            .filter(|subkey| self.subkey_for(subkey, purpose, at).is_ok())
            .collect();
        subkeys.sort_by_key(|subkey| std::cmp::Reverse(subkey.key.created_at().as_secs()));
        let mut parts: Vec<Part<'_>> = subkeys.iter().map(|s| Part::Subkey(&s.key)).collect();
        if self.primary_for(purpose, at).is_ok() {
            parts.push(Part::Primary(&self.0.primary_key));
        }
        parts
    }

    fn check_strength(&self) -> Result<(), String> {
        let subkeys = self.0.public_subkeys.iter().map(|subkey| subkey.key.public_params());
        for params in std::iter::once(self.0.primary_key.public_params()).chain(subkeys) {
            if let Some(bits) = modulus_bits(params).filter(|bits| *bits < LEAST_RSA_BITS) {
                return Err(format!(
                    "the key has {bits} bits, which is too few today; ask its owner for one with at least {LEAST_RSA_BITS}"
                ));
            }
        }
        Ok(())
    }

    fn primary_for(&self, purpose: Purpose, at: u32) -> Result<(), Unusable> {
        self.primary_standing(at)?;
        let flags = self.own_signature().map(Signature::key_flags).unwrap_or_default();
        let params = self.0.primary_key.public_params();
        if serves(&flags, purpose) && able(params, purpose) {
            Ok(())
        } else {
            Err(Unusable::NotForThis)
        }
    }

    /// Whether the certificate as a whole is good.
    fn primary_standing(&self, at: u32) -> Result<(), Unusable> {
        let primary = &self.0.primary_key;
        let revocations = &self.0.details.revocation_signatures;
        if revocations.iter().any(|signature| signature.verify_key(primary).is_ok()) {
            return Err(Unusable::Revoked);
        }
        let own = self.own_signature().ok_or(Unusable::NotForThis)?;
        if ends(primary.created_at(), own).is_some_and(|end| end <= u64::from(at)) {
            return Err(Unusable::Expired);
        }
        Ok(())
    }

    /// The newest thing that the key says about itself.
    fn own_signature(&self) -> Option<&Signature> {
        let primary = &self.0.primary_key;
        let details = &self.0.details;
        let direct = details
            .direct_signatures
            .iter()
            .filter(|signature| signature.verify_key(primary).is_ok());
        let users = details.users.iter().flat_map(|user| {
            user.signatures.iter().filter(|signature| {
                signature.is_certification()
                    && signature.verify_certification(primary, Tag::UserId, &user.id).is_ok()
            })
        });
        direct.chain(users).max_by_key(|signature| made_at(signature))
    }

    fn subkey_for(
        &self,
        subkey: &SignedPublicSubKey,
        purpose: Purpose,
        at: u32,
    ) -> Result<(), Unusable> {
        self.primary_standing(at)?;
        let primary = &self.0.primary_key;
        let own: Vec<&Signature> = subkey
            .signatures
            .iter()
            .filter(|signature| signature.verify_subkey_binding(primary, &subkey.key).is_ok())
            .collect();
        if own.iter().any(|s| s.typ() == Some(SignatureType::SubkeyRevocation)) {
            return Err(Unusable::Revoked);
        }
        let binding = own.into_iter().max_by_key(|s| made_at(s)).ok_or(Unusable::NotForThis)?;
        if ends(subkey.key.created_at(), binding).is_some_and(|end| end <= u64::from(at)) {
            return Err(Unusable::Expired);
        }
        let agreed = purpose != Purpose::Signing
            || binding
                .embedded_signature()
                .is_some_and(|back| back.verify_primary_key_binding(&subkey.key, primary).is_ok());
        let serves = serves(&binding.key_flags(), purpose);
        if serves && agreed && able(subkey.key.public_params(), purpose) {
            Ok(())
        } else {
            Err(Unusable::NotForThis)
        }
    }
}

/// Whether the owner wants the key used so. Keys from before there were such flags say nothing and serve everything.
fn serves(flags: &KeyFlags, purpose: Purpose) -> bool {
    *flags == KeyFlags::default()
        || match purpose {
            Purpose::Signing => flags.sign(),
            Purpose::Encrypting => flags.encrypt_comms() || flags.encrypt_storage(),
        }
}

/// Whether the algorithm does this.
fn able(params: &PublicParams, purpose: Purpose) -> bool {
    match params {
        PublicParams::RSA(_) => true,
        PublicParams::ECDH(_)
        | PublicParams::X25519(_)
        | PublicParams::X448(_)
        | PublicParams::Elgamal(_) => purpose == Purpose::Encrypting,
        PublicParams::Unknown { .. } => false,
        _ => purpose == Purpose::Signing,
    }
}

fn made_at(signature: &Signature) -> u32 {
    signature.created().map_or(0, Timestamp::as_secs)
}

/// When a key ends that says so in this signature; `None`: never.
fn ends(created: Timestamp, signature: &Signature) -> Option<u64> {
    let after = signature.key_expiration_time().map(|time| u64::from(time.as_secs()))?;
    (after > 0).then(|| u64::from(created.as_secs()) + after)
}

/// Hex digits, upper case.
pub(super) fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
}

mod rsa_bits {
    //! How long an RSA key is; rPGP shows its numbers only in what it writes.

    use pgp::ser::Serialize as _;
    use pgp::types::PublicParams;

    /// `None`: another kind of key.
    pub(super) fn modulus_bits(params: &PublicParams) -> Option<usize> {
        let PublicParams::RSA(rsa) = params else { return None };
        // A number begins with its length in bits (RFC 9580, 3.2).
        let written = rsa.to_bytes().ok()?;
        let bits: [u8; 2] = written.get(..2)?.try_into().ok()?;
        Some(usize::from(u16::from_be_bytes(bits)))
    }
}
