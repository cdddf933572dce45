//! Limits of single accounts: set, shown, and held to.

use std::collections::HashMap;
use std::sync::Arc;

use super::Service;
use super::session::State;
use crate::error::{Error, Kind, Result};
use crate::model::AccountLimits;
pub use crate::vfs::Usage;

/// Why an account on a client's own server has no limits.
const NO_LIMITS: &str = "what may be used there is decided by that server";

impl Service {
    /// The limits of an account.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn account_limits(&self, login: &str) -> Result<AccountLimits> {
        self.account(login)?;
        self.registry().account_limits(login)
    }

    /// Replaces the limits of an account. Live sessions follow within a second; those over a new limit of sessions go on.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Invalid` for a limit with which nothing could be done.
    pub fn set_account_limits(&self, login: &str, limits: AccountLimits) -> Result<AccountLimits> {
        self.hosted_account(login, NO_LIMITS)?;
        check(limits)?;
        self.registry().set_account_limits(login, limits)?;
        self.record("account.limits", login, &in_words(limits));
        Ok(limits)
    }

    /// The files and bytes in an account's space.
    ///
    /// # Errors
    /// `Kind::NotFound`, or the space cannot be read.
    pub fn account_usage(&self, login: &str) -> Result<Usage> {
        let account = self.account(login)?;
        self.client_space(&account.client)?.account(login)?.usage()
    }
}

/// Limits with which something can be done.
pub(super) fn check(limits: AccountLimits) -> Result<()> {
    let numbers = [
        ("sessions", limits.max_sessions.map(u64::from)),
        ("seconds without a move", limits.idle_timeout_s.map(u64::from)),
        ("bytes of an upload", limits.max_upload_bytes),
    ];
    let Some((what, _)) = numbers.iter().find(|(_, n)| *n == Some(0)) else { return Ok(()) };
    let message = format!(
        "a limit of 0 {what} lets nothing through; give at least 1, or disable the account"
    );
    Err(Error::new(Kind::Invalid, message))
}

pub(super) fn in_words(limits: AccountLimits) -> String {
    let word = |n: Option<u64>| n.map_or("the server's".to_owned(), |n| n.to_string());
    format!(
        "sessions {}; idle seconds {}; upload bytes {}; quota bytes {}; quota files {}",
        word(limits.max_sessions.map(u64::from)),
        word(limits.idle_timeout_s.map(u64::from)),
        word(limits.max_upload_bytes),
        word(limits.quota_bytes),
        word(limits.quota_files)
    )
}

/// How large an upload may become within its account's quota; `None`: no quota of bytes. `replaced`: the size of the file
/// whose place it takes; `own`: the bytes that it has by now, `None` before it is counted among those under way.
///
/// # Errors
/// `Kind::Quota`: not even an empty file has room; the space cannot be counted.
pub(super) fn room(
    session: &Arc<State>,
    replaced: Option<u64>,
    own: Option<u64>,
) -> Result<Option<u64>> {
    let limits = session.access().limits();
    if !limits.has_quota() {
        return Ok(None);
    }
    let used = used(session)?;
    let left_out = u64::from(replaced.is_some()).saturating_add(u64::from(own.is_some()));
    let files = used.files.saturating_sub(left_out);
    if let Some(most) = limits.quota_files.filter(|most| files >= *most) {
        let message = format!(
            "the account's quota of {most} files is used up; remove files that are not needed"
        );
        return Err(Error::new(Kind::Quota, message));
    }
    let left_out = replaced.unwrap_or(0).saturating_add(own.unwrap_or(0));
    let others = used.bytes.saturating_sub(left_out);
    Ok(limits.quota_bytes.map(|most| most.saturating_sub(others)))
}

/// What lies in the account's space and what is on its way there.
fn used(session: &Arc<State>) -> Result<Usage> {
    let under_way: HashMap<_, _> =
        session.service.0.sessions.uploading(&session.login).into_iter().collect();
    // One that gets its name just now lies there, too; it counts once.
    let lying = session.files.usage_without(|file| under_way.contains_key(&file))?;
    let files = u64::try_from(under_way.len()).unwrap_or(u64::MAX);
    let bytes = under_way.values().copied().fold(0, u64::saturating_add);
    Ok(Usage { files: lying.files.saturating_add(files), bytes: lying.bytes.saturating_add(bytes) })
}
