//! Certificates of the FTPS listeners.

use std::path::Path;

use crate::error::Result;

/// The certificate and what is made of it for each connection. Cheap to clone.
#[derive(Clone)]
pub struct Tls;

impl Tls {
    /// Loads the certificate from `certs`, making one on the first start.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub fn load_or_create(_certs: &Path) -> Result<Self> {
        Ok(Self)
    }

    /// SHA-256 of the certificate, hex pairs with colons.
    #[must_use]
    pub fn fingerprint(&self) -> Option<String> {
        None
    }
}

/// SHA-256 of the certificate that lies in `certs`.
///
/// # Errors
/// It cannot be read.
pub fn stored_fingerprint(_certs: &Path) -> Result<Option<String>> {
    Ok(None)
}
