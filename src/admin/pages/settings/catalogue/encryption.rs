//! Encrypted and signed files.

use super::super::control::{Choices, Control};
use super::{Group, NO, Section, Setting, setting, w};

pub(super) fn encryption() -> Section {
    Section {
        slug: "encryption",
        title: w("Encryption", "Chiffrement", "Verschlüsselung"),
        about: w(
            "Whether files must come encrypted or signed. The connection is encrypted in any case.",
            "Si les fichiers doivent arriver chiffrés ou signés. La connexion est chiffrée dans tous les cas.",
            "Ob Dateien verschlüsselt oder signiert kommen müssen. Die Verbindung ist in jedem Fall verschlüsselt.",
        ),
        groups: vec![Group { title: w("Files", "Fichiers", "Dateien"), settings: FILES }],
    }
}

const REQUIRED: Choices = &[
    (
        "false",
        w(
            "No: encrypted files are opened, others read as they are",
            "Non\u{a0}: les fichiers chiffrés sont ouverts, les autres lus tels quels",
            "Nein: Verschlüsselte Dateien werden geöffnet, andere so gelesen",
        ),
    ),
    ("pgp", w("OpenPGP", "OpenPGP", "OpenPGP")),
    (
        "zip",
        w(
            "Zip with AES and a password",
            "Zip avec AES et mot de passe",
            "Zip mit AES und Passwort",
        ),
    ),
];
const SIGNATURES: Choices = &[
    ("ignore", w("Not looked at", "Non vérifiée", "Wird nicht geprüft")),
    (
        "required",
        w(
            "A partner must have signed the file",
            "Un partenaire doit avoir signé le fichier",
            "Ein Partner muss die Datei signiert haben",
        ),
    ),
];

const FILES: &[Setting] = &[
    setting(
        "encryption.required",
        w(
            "Files must be encrypted",
            "Fichiers obligatoirement chiffrés",
            "Dateien müssen verschlüsselt sein",
        ),
        w(
            "Files that are not encrypted so are refused (F007).",
            "Les fichiers qui ne le sont pas sont refusés (F007).",
            "Dateien, die nicht so verschlüsselt sind, werden abgelehnt (F007).",
        ),
        NO,
        Control::Choice(REQUIRED),
    ),
    setting(
        "encryption.signature",
        w("Signature", "Signature", "Signatur"),
        w(
            "Needs OpenPGP. The partners’ keys stand with the client.",
            "Nécessite OpenPGP. Les clés des partenaires sont chez le client.",
            "Braucht OpenPGP. Die Schlüssel der Partner stehen beim Kunden.",
        ),
        w("not looked at", "non vérifiée", "wird nicht geprüft"),
        Control::Choice(SIGNATURES),
    ),
];
