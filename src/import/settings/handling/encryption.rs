//! Encrypted and signed files.

use toml::Value;

use crate::import::settings::document::Document;
use crate::import::settings::read::{Read, choice, table};

/// Encrypted and signed files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Encryption {
    /// Whether a file must be encrypted.
    pub required: Required,
    /// Whether a file must be signed.
    pub signature: Signatures,
}

/// Whether a file must be encrypted, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Required {
    /// Encrypted files are opened, others are read as they are.
    #[default]
    No,
    /// With OpenPGP.
    Pgp,
    /// As a zip with AES.
    Zip,
}

/// Whether a file must be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signatures {
    /// Signatures are not looked at.
    #[default]
    Ignored,
    /// A partner of the client must have signed it.
    Required,
}

const REQUIRED: [(&str, Required); 2] = [("pgp", Required::Pgp), ("zip", Required::Zip)];
const SIGNATURE: [(&str, Signatures); 2] =
    [("ignore", Signatures::Ignored), ("required", Signatures::Required)];

impl Encryption {
    pub(super) fn read(value: &Value) -> Read<Self> {
        let mut settings = Self::default();
        for (name, value) in table("encryption", value, "[encryption]")? {
            match name.as_str() {
                "required" if *value == Value::Boolean(false) => settings.required = Required::No,
                "required" if value.is_str() => {
                    settings.required = choice("encryption.required", value, &REQUIRED)?;
                }
                "required" => {
                    return Err(format!(
                        "encryption.required = {value} is not possible; write false, \"pgp\" or \"zip\""
                    ));
                }
                "signature" => {
                    settings.signature = choice("encryption.signature", value, &SIGNATURE)?;
                }
                _ => {
                    return Err(format!(
                        "encryption.{name} is not a setting; there are: required, signature"
                    ));
                }
            }
        }
        if settings.required == Required::Zip && settings.signature == Signatures::Required {
            return Err("encryption.signature = \"required\" needs OpenPGP: a zip has no signature; write encryption.required = \"pgp\"".to_owned());
        }
        Ok(settings)
    }

    pub(super) fn write(&self, doc: &mut Document) {
        doc.line("# Encrypted and signed files (docs/encryption.md).");
        doc.line("[encryption]");
        let required = REQUIRED.iter().find(|(_, required)| *required == self.required);
        let required = required.map_or("false".to_owned(), |(name, _)| format!("\"{name}\""));
        doc.setting(
            &["false (default): both are read. \"pgp\" or \"zip\": files that are not encrypted so are refused (F007)."],
            &format!("required = {required}"),
        );
        let signature = SIGNATURE.iter().find(|(_, signature)| *signature == self.signature);
        doc.setting(
            &["\"ignore\" (default), or \"required\": a partner must have signed the file (rollcall pgp partner add)."],
            &format!("signature = \"{}\"", signature.map_or("ignore", |(name, _)| name)),
        );
    }
}
