//! The hand-out sheet as the command line gathers it: from the configuration, a running server's note and the certificates folder.

use std::collections::BTreeMap;
use std::path::Path;

use super::{bound, identity};
use crate::config::Config;
use crate::error::Result;
use crate::model::{Account, AccountKey, Folder, Protocol};
use crate::service::handouts::{ServerFacts, Sheet};

/// Where the server's facts are read from.
#[derive(Debug, Clone, Copy)]
pub struct Here<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The data folder: a running server notes its ports there.
    pub data: &'a Path,
    /// The certificates folder.
    pub certs: &'a Path,
}

/// The sheet of an account.
///
/// # Errors
/// A key or certificate that cannot be read.
pub fn gather(
    here: Here<'_>,
    account: &Account,
    known: (&[Folder], &[AccountKey]),
    password: Option<String>,
) -> Result<Sheet> {
    let running = bound::noted(here.data);
    let bound = |protocol: Protocol| Some((protocol, running?.get(protocol)?));
    let mut certificates = BTreeMap::new();
    for profile in here.config.profile_names() {
        let own = identity::certificate_of(here.certs, profile)?;
        certificates.extend(own.map(|(certificate, _)| (profile.to_owned(), certificate)));
    }
    let server = ServerFacts {
        certificates,
        bound: Protocol::ALL.into_iter().filter_map(bound).collect(),
        host_keys: identity::host_keys(here.certs)?,
        certificate: identity::certificate(here.certs)?.map(|(certificate, _)| certificate),
    };
    Ok(Sheet::new(here.config, &server, account, known, password))
}
