//! What an import reads: the bytes as they were acknowledged, its folder's settings, and what the report says of both.

use super::decrypt::{self, Content};
use super::run::Run;
use crate::config;
use crate::error::{Error, Kind, Result};
use crate::import::settings::Settings;
use crate::import::{Limits, Meta};
use crate::model::{Folder, Purpose, Upload};
use crate::vfs;

impl Run<'_> {
    /// What the upload holds: the bytes as they were acknowledged, opened if they came encrypted.
    pub(super) fn read(&self, settings: &Settings) -> Result<Content> {
        self.open(settings, self.read_archive()?)
    }

    pub(super) fn open(&self, settings: &Settings, bytes: Vec<u8>) -> Result<Content> {
        let asked = &settings.handling.encryption;
        decrypt::open(self.service, self.upload, self.source(), asked, bytes)
    }

    /// The bytes as they were acknowledged, or an error that no second try cures.
    fn read_archive(&self) -> Result<Vec<u8>> {
        if self.upload.bytes > self.service.config().limits.max_import_bytes {
            // Refused by its size (F006); its bytes are not wanted in memory.
            return Ok(Vec::new());
        }
        let reading = |e| Error::io(format!("reading upload {}", self.upload.id), e);
        let file = self.open_archive(self.upload)?;
        let read = vfs::read_same(&file, self.upload.bytes, &self.upload.sha256);
        read.map_err(reading)?.ok_or_else(|| {
            Error::new(
                Kind::Unsupported,
                "the archived file is not the one that was received (its SHA-256 differs); send it again",
            )
        })
    }

    pub(super) fn open_archive(&self, upload: &Upload) -> Result<std::fs::File> {
        let name = upload.id.to_string();
        self.space.archive.open_file(&name).map_err(|e| {
            Error::io(
                format!("the archived file of upload {name} cannot be opened; send it again"),
                e,
            )
        })
    }

    pub(super) fn settings(&self) -> Result<Settings> {
        let stored = self.service.registry().folder_settings(&self.client.slug, self.source())?;
        // Without its folder an import that stands has its report written by the defaults; none is made (see `need_folder`).
        Settings::from_toml(&stored.unwrap_or_default()).map_err(|why| {
            let folder = self.source();
            Error::new(Kind::Invalid, format!("the import settings of folder {folder}: {why}"))
        })
    }

    /// Refuses to read a file by the defaults in place of its folder's settings: they would make a full file of a delta file.
    pub(super) fn need_folder(&self) -> Result<()> {
        let folders = self.service.registry().client_folders(&self.client.slug)?;
        let is_there = |f: &Folder| f.name == self.source() && f.purpose == Purpose::Import;
        if folders.iter().any(is_there) {
            return Ok(());
        }
        let why = format!(
            "the client has no import folder \"{}\" any more, and nobody else knows how its files are read; \
             add it again with its settings, then approve again or have the file sent again",
            self.source()
        );
        Err(Error::new(Kind::Unsupported, why))
    }

    pub(super) fn source(&self) -> &str {
        self.upload.folder.as_deref().unwrap_or_default()
    }

    pub(super) fn file_name(&self) -> &str {
        self.upload.path.name().unwrap_or_default()
    }

    pub(super) fn meta(&self, content: &Content) -> Meta {
        Meta { content_sha256: content.sha256.clone(), ..self.upload_meta() }
    }

    pub(super) fn upload_meta(&self) -> Meta {
        Meta {
            import: self.upload.id.to_string(),
            client: self.client.slug.clone(),
            account: self.upload.login.clone(),
            file_name: self.file_name().to_owned(),
            path: self.upload.path.to_string(),
            bytes: self.upload.bytes,
            sha256: self.upload.sha256.clone(),
            content_sha256: self.upload.sha256.clone(),
            received_at: Some(self.upload.received_at),
            started_at: Some(self.service.clock().now()),
        }
    }
}

/// What one file may use of the program.
pub fn import_limits(config: &config::Config) -> Limits {
    let limits = &config.limits;
    Limits {
        max_bytes: limits.max_import_bytes,
        max_unpack_ratio: limits.max_unpack_ratio,
        max_columns: limits.max_columns,
        max_cell_bytes: limits.max_cell_bytes,
        max_report_changes: config::REPORT_CHANGES_LISTED,
        max_report_messages: config::REPORT_MESSAGES_LISTED,
    }
}
