//! Files looked at as an import folder would read them, so that their columns can be assigned.

use jiff::civil::Date;

use super::received::import_limits;
use super::run::Run;
use super::settings::SettingsDocument;
use super::users_file::Sight;
use super::{Service, commit, decrypt};
use crate::crypt;
use crate::error::{Error, Kind, Result};
use crate::import::directory::DateOrder;
use crate::import::inspect::{self, Inspection, refusal_words};
use crate::import::note::FileRefusal;
use crate::import::settings::Settings;
use crate::model::{Folder, Language, Upload, UploadId, UploadState};
use crate::vfs;

/// A file that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its name.
    pub name: String,
    /// How it is read; or why it cannot be, and what to do about it.
    pub read: std::result::Result<Inspection, (String, String)>,
    /// Its header and first rows as plain CSV: to look at again after the settings were changed.
    pub excerpt: Vec<u8>,
    /// The settings document that it was read with.
    pub document: SettingsDocument,
}

/// A file that was opened as a folder would.
#[derive(Debug)]
pub struct OpenedSample {
    /// What an import would read; or why it cannot be opened (F007).
    pub bytes: std::result::Result<Vec<u8>, FileRefusal>,
    /// What it was wrapped in: `pgp, signature: Groupe Roux`.
    pub wrapping: Option<String>,
    /// The folder's import settings.
    pub settings: Settings,
    /// The order of day and month that the folder's earlier files proved.
    pub date_order: Option<DateOrder>,
    /// Today in the client's time zone.
    pub today: Date,
}

/// Whether a file is encrypted, so that it takes a client's keys or a password to read it.
#[must_use]
pub fn is_encrypted(bytes: &[u8]) -> bool {
    crypt::form(bytes).is_some()
}

/// The headers of a sample and how they are read, with nothing that stands below them.
fn without_values(mut sample: Sample) -> Sample {
    sample.excerpt.clear();
    if let Ok(read) = &mut sample.read {
        read.title_lines.clear();
        read.first_rows.clear();
        read.warnings.clear();
        for column in &mut read.columns {
            column.example = None;
        }
    }
    sample
}

impl Service {
    /// Looks at a file with the settings of a folder; nothing is kept.
    ///
    /// # Errors
    /// `Kind::NotFound` for client or folder; settings that cannot be read. What is wrong with the file is no error.
    pub fn look_at_sample(
        &self,
        client: &str,
        folder: &str,
        (name, bytes): (&str, Vec<u8>),
        language: Language,
    ) -> Result<Sample> {
        let folder = self.import_folder(client, folder)?;
        let upload = self.as_upload(client, &folder, name, &bytes)?;
        self.looked_at(&upload, &folder.name, Some(bytes), language)
    }

    /// Opens a file as a folder would, with its keys and passwords; nothing is kept.
    ///
    /// # Errors
    /// As [`Service::look_at_sample`]; [`Kind::Invalid`] when the client has several folders and none is named.
    pub fn open_sample(
        &self,
        client: &str,
        folder: Option<&str>,
        (name, bytes): (&str, Vec<u8>),
    ) -> Result<OpenedSample> {
        let client = self.client(client)?;
        let folder = self.chosen_folder(&client, folder)?;
        let upload = self.as_upload(&client.slug, &folder, name, &bytes)?;
        let settings = self.settings(&client.slug, &folder.name)?;
        let asked = &settings.handling.encryption;
        let content = decrypt::open(self, &upload, &folder.name, asked, bytes)?;
        Ok(OpenedSample {
            bytes: match content.refusal {
                Some(refusal) => Err(refusal),
                None => Ok(content.bytes),
            },
            wrapping: content.wrapping,
            settings,
            date_order: self.earlier_dates(&client.slug, &folder.name)?,
            today: self.clock().today(&client.time_zone),
        })
    }

    /// The order of day and month that a folder's earlier files proved.
    pub(super) fn earlier_dates(&self, client: &str, folder: &str) -> Result<Option<DateOrder>> {
        Ok(self.open_directory(client)?.source(folder)?.1.date_order)
    }

    fn as_upload(&self, client: &str, folder: &Folder, name: &str, bytes: &[u8]) -> Result<Upload> {
        Ok(Upload {
            id: commit::new_id(self.clock()),
            seq: 0,
            client: client.to_owned(),
            login: folder.login.clone(),
            folder: Some(folder.name.clone()),
            path: folder.path.join(name).map_err(|e| Error::new(Kind::Invalid, e))?,
            protocol: None,
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            sha256: vfs::sha256_of(bytes),
            state: UploadState::Stored,
            attempts: 0,
            received_at: self.clock().now(),
            finished_at: None,
            failure: None,
        })
    }

    /// Looks at a file that was received, with the settings that its folder has now; `None`: the archive does not have
    /// it any more. Its values are for those who see everything, and that they were read stands in the audit trail; others
    /// see the headers and how they are read.
    ///
    /// # Errors
    /// As [`Service::look_at_sample`]; `Kind::TooLarge` for one that is larger than `admin.max_sample_bytes`.
    pub fn look_at_received(
        &self,
        client: &str,
        folder: &str,
        id: UploadId,
        (language, sight): (Language, Sight),
    ) -> Result<Option<Sample>> {
        let found = self.registry().upload(id)?;
        let ours = found.filter(|u| u.client == client && u.folder.as_deref() == Some(folder));
        let Some(upload) = ours else { return Ok(None) };
        let limit = self.config().admin.max_sample_bytes;
        if upload.bytes > limit {
            let message = format!(
                "{} has {} bytes, and this page reads {limit} (admin.max_sample_bytes); choose the first rows of it as a sample",
                upload.path, upload.bytes
            );
            return Err(Error::new(Kind::TooLarge, message));
        }
        if !super::reports::is_archived(&*self.client_space(client)?, upload.id) {
            return Ok(None);
        }
        let sample = self.looked_at(&upload, folder, None, language)?;
        match sight {
            Sight::Masked => Ok(Some(without_values(sample))),
            Sight::Whole => {
                self.record("import.read", &id.to_string(), "the first rows as they were received");
                Ok(Some(sample))
            }
        }
    }

    /// `bytes`: `None`, those of the archive.
    fn looked_at(
        &self,
        upload: &Upload,
        folder: &str,
        bytes: Option<Vec<u8>>,
        language: Language,
    ) -> Result<Sample> {
        let document = self.settings_document(&upload.client, folder)?;
        let settings = self.settings(&upload.client, folder)?;
        let client = self.client(&upload.client)?;
        let content = match bytes {
            Some(bytes) => {
                decrypt::open(self, upload, folder, &settings.handling.encryption, bytes)?
            }
            None => {
                let space = self.client_space(&client.slug)?;
                Run { service: self, space: &space, client: &client, upload }.read(&settings)?
            }
        };
        let name = upload.path.name().unwrap_or_default().to_owned();
        let limits = import_limits(self.config());
        let words = |refusal: &FileRefusal| Err(refusal_words(refusal, language));
        if let Some(refusal) = &content.refusal {
            return Ok(Sample { name, read: words(refusal), excerpt: Vec::new(), document });
        }
        let moment =
            (self.clock().today(&client.time_zone), self.earlier_dates(&client.slug, folder)?);
        let read = inspect::inspect(&content.bytes, &name, &settings, &limits, moment);
        let excerpt = inspect::excerpt(&content.bytes, &settings, &limits).unwrap_or_default();
        Ok(Sample { name, read: read.or_else(|refusal| words(&refusal)), excerpt, document })
    }
}
