//! What an upload holds: encrypted files are opened before the import reads them.

use std::time::{Duration, Instant};

use super::Service;
use super::pgp::seconds;
use crate::crypt::{self, Form, Limits, Opened, Signature, Trouble};
use crate::error::Result;
use crate::import::note::FileRefusal;
use crate::import::report::FileFacts;
use crate::import::settings::{Encryption, Required, Signatures};
use crate::model::Upload;
use crate::vfs;

/// The bytes that an import reads.
#[derive(Debug)]
pub(super) struct Content {
    /// Them; nothing when the file was refused.
    pub(super) bytes: Vec<u8>,
    /// Their SHA-256: encrypted twice, the same file is the same file.
    pub(super) sha256: String,
    /// What they were wrapped in, for the report: `pgp (signed by Groupe Roux)`.
    pub(super) wrapping: Option<String>,
    /// Why the file was not opened.
    pub(super) refusal: Option<FileRefusal>,
}

impl Content {
    fn refused(refusal: FileRefusal, upload: &Upload) -> Self {
        let sha256 = upload.sha256.clone();
        Self { bytes: Vec::new(), sha256, wrapping: None, refusal: Some(refusal) }
    }

    /// Puts what the file was wrapped in before what was found inside.
    pub(super) fn tell_wrapping(&self, file: &mut FileFacts) {
        if let Some(outside) = &self.wrapping {
            let within = file.unpacked.take().map(|within| format!(", {within}"));
            file.unpacked = Some(format!("{outside}{}", within.unwrap_or_default()));
        }
    }
}

/// Opens what was received as the folder asks for it.
///
/// # Errors
/// Only what is our fault: a key that cannot be unsealed. A file that cannot be opened is a refusal.
pub(super) fn open(
    service: &Service,
    upload: &Upload,
    folder: &str,
    asked: &Encryption,
    bytes: Vec<u8>,
) -> Result<Content> {
    let form = crypt::form(&bytes);
    if let Some(missing) = missing(form, asked) {
        // The size is refused first: bytes of a file that is too large were not even read.
        let is_read = upload.bytes <= service.config().limits.max_import_bytes;
        if is_read {
            return Ok(Content::refused(missing, upload));
        }
    }
    let Some(form) = form else {
        let sha256 = upload.sha256.clone();
        return Ok(Content { bytes, sha256, wrapping: None, refusal: None });
    };
    let opened = match form {
        Form::Pgp => open_pgp(service, upload, asked, &bytes)?,
        Form::Zip => open_zip(service, upload, folder, &bytes)?,
    };
    Ok(match opened {
        Ok(opened) if asked.required == Required::Pgp && !opened.is_encrypted => {
            Content::refused(refusal("not_encrypted", []), upload)
        }
        Ok(opened) => {
            let wrapping = Some(words(form, &opened));
            let sha256 = vfs::sha256_of(&opened.bytes);
            Content { bytes: opened.bytes, sha256, wrapping, refusal: None }
        }
        Err(trouble) => {
            tracing::info!(upload = %upload.id, path = ?upload.path.as_str(), ?trouble, "an encrypted file was refused");
            Content::refused(told(trouble), upload)
        }
    })
}

/// What the folder asks for and the file has not, by its form alone.
fn missing(form: Option<Form>, asked: &Encryption) -> Option<FileRefusal> {
    let is_pgp = form == Some(Form::Pgp);
    match asked.required {
        Required::Pgp if !is_pgp => Some(refusal("not_encrypted", [])),
        Required::Zip if form != Some(Form::Zip) => Some(refusal("not_zip", [])),
        _ if asked.signature == Signatures::Required && !is_pgp => Some(refusal("unsigned", [])),
        _ => None,
    }
}

fn open_pgp(
    service: &Service,
    upload: &Upload,
    asked: &Encryption,
    bytes: &[u8],
) -> Result<std::result::Result<Opened, Trouble>> {
    let keys = service.reading_keys(&upload.client, upload.received_at)?;
    let signers = match asked.signature {
        Signatures::Ignored => None,
        Signatures::Required => Some(service.signers(&upload.client)?),
    };
    let signature = signers
        .as_ref()
        .map_or(Signature::Ignored, |signers| Signature::By(signers, seconds(upload.received_at)));
    Ok(within_limits(service, |limits| crypt::open_pgp(bytes, &keys, signature, limits)))
}

fn open_zip(
    service: &Service,
    upload: &Upload,
    folder: &str,
    bytes: &[u8],
) -> Result<std::result::Result<Opened, Trouble>> {
    let password = service.zip_password(&upload.client, folder)?;
    let password = password.as_ref().map(|password| password.as_str());
    Ok(within_limits(service, |limits| crypt::open_zip(bytes, password, limits)))
}

fn within_limits<T>(service: &Service, open: impl FnOnce(&Limits<'_>) -> T) -> T {
    let limits = &service.config().limits;
    let (started, most) = (Instant::now(), Duration::from_secs(limits.max_decrypt_s));
    open(&Limits {
        max_bytes: limits.max_import_bytes,
        max_ratio: limits.max_unpack_ratio,
        is_late: &|| started.elapsed() > most,
    })
}

/// What the file was wrapped in, for the report.
fn words(form: Form, opened: &Opened) -> String {
    let form = match (form, opened.is_encrypted) {
        (Form::Zip, _) => "zip (AES)",
        (Form::Pgp, true) => "pgp",
        (Form::Pgp, false) => "pgp (signed, not encrypted)",
    };
    match &opened.signed_by {
        Some(name) => format!("{form}, signature: {name}"),
        None => form.to_owned(),
    }
}

fn refusal<const N: usize>(why: &str, named: [(&'static str, String); N]) -> FileRefusal {
    let mut params = vec![("what", why.to_owned())];
    params.extend(named);
    FileRefusal::new("F007", params)
}

/// The refusal that a clerk reads.
fn told(trouble: Trouble) -> FileRefusal {
    let by = |why: &str, name: String| refusal(why, [("signer", name)]);
    match trouble {
        Trouble::Damaged => refusal("damaged", []),
        Trouble::Cut => FileRefusal::new("F005", vec![("cause", "encrypted".to_owned())]),
        Trouble::Several => refusal("several", []),
        Trouble::NotForUs(ids) if ids.is_empty() => refusal("not_for_us", []),
        Trouble::NotForUs(ids) => refusal("not_for_us_but", [("recipients", ids.join(", "))]),
        Trouble::PasswordOnly => refusal("password_only", []),
        Trouble::NoIntegrity => refusal("no_integrity", []),
        Trouble::Unsupported(found) => refusal("unsupported", [("received", found)]),
        Trouble::Detached => refusal("detached", []),
        Trouble::Key => refusal("key", []),
        Trouble::TooLarge(bytes) => {
            let limit = format!("{} MiB", bytes / (1024 * 1024));
            FileRefusal::new("F006", vec![("what", "unpacked_bytes".to_owned()), ("limit", limit)])
        }
        Trouble::Ratio(ratio) => FileRefusal::new(
            "F006",
            vec![("what", "ratio".to_owned()), ("limit", ratio.to_string())],
        ),
        Trouble::Late => refusal("late", []),
        Trouble::Unsigned => refusal("unsigned", []),
        Trouble::UnknownSigner(id) => by("unknown_signer", id),
        Trouble::BadSignature(name) => by("bad_signature", name),
        Trouble::ExpiredKey(name) => by("expired_key", name),
        Trouble::RevokedKey(name) => by("revoked_key", name),
        Trouble::InvalidSignature(name) => by("invalid_signature", name),
        Trouble::WeakSignature(name, hash) => {
            refusal("weak_signature", [("signer", name), ("received", hash)])
        }
        Trouble::WrongPassword => refusal("wrong_password", []),
        Trouble::NoPassword => refusal("no_password", []),
        Trouble::WeakZip => refusal("weak_zip", []),
        Trouble::NotOneFile(names) if names.is_empty() => {
            FileRefusal::new("F003", vec![("found", "zip_empty".to_owned())])
        }
        Trouble::NotOneFile(names) => FileRefusal::new(
            "F003",
            vec![
                ("found", "zip_several".to_owned()),
                ("count", names.len().to_string()),
                ("entries", names.join(", ")),
            ],
        ),
    }
}
