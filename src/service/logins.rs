//! An account gets another login: its keys, folders, uploads and files follow, its live sessions end.

use super::Service;
use crate::error::{Error, Kind, Result};
use crate::fault;
use crate::model::{Account, check_login, check_not_reserved};
use crate::store::registry::LoginChange;

impl Service {
    /// Gives a hosted account another login. Programs that still use the old one are refused from now on.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Exists` for a login that is taken or whose files are still there; `Kind::Invalid` for one
    /// that is not acceptable, or an account on the client's own server; `Kind::Busy` while files of it wait or an import
    /// runs.
    pub fn rename_login(&self, old: &str, new: &str) -> Result<Account> {
        let account = self.hosted_account(
            old,
            "its login here is only a name in commands; the login on that server is changed with its server",
        )?;
        if old == new {
            return Ok(account);
        }
        check_login(new)
            .and_then(|()| check_not_reserved("login", new))
            .map_err(|e| Error::new(Kind::Invalid, e))?;
        if self.registry().account(new)?.is_some() {
            let message = format!("login \"{new}\" exists already; choose another");
            return Err(Error::new(Kind::Exists, message));
        }
        let space = self.client_space(&account.client)?;
        if !space.is_free_for_account(new)? {
            let message = format!(
                "files of an earlier account \"{new}\" of this client are still on disk; choose another login"
            );
            return Err(Error::new(Kind::Exists, message));
        }
        // Nobody writes a report or places a file under the old name meanwhile.
        let Some(_importing) = space.try_lock()? else {
            let message = "an import of this client is running; try again in a minute";
            return Err(Error::new(Kind::Busy, message));
        };
        let _placing = space.lock_drops()?;
        let change = self.registry().change_login(old, new, self.clock().now())?;
        fault::at("login-changed").map_err(|e| Error::io("change a login", e))?;
        self.follow(&change)?;
        self.record("account.login", new, &format!("before: {old}"));
        self.account(new)
    }

    /// What a crash left half done: files that are still under an old login. Before anybody can log in.
    pub(super) fn finish_login_changes(&self) -> Result<()> {
        for change in self.registry().login_changes()? {
            let (old, new) = (&change.old, &change.new);
            match self.follow(&change) {
                Ok(()) => tracing::info!(old, new, "a change of login was completed"),
                // That account stays closed; all others go on.
                Err(error) => {
                    tracing::error!(%error, old, new, "a change of login is not complete")
                }
            }
        }
        Ok(())
    }

    /// The files and the history follow; then the account is open again. Can be repeated.
    fn follow(&self, change: &LoginChange) -> Result<()> {
        let space = self.client_space(&change.client)?;
        space.rename_account(&change.old, &change.new)?;
        self.open_directory(&change.client)?.rename_login(&change.old, &change.new)?;
        self.registry().finish_login_change(change.id)
    }
}
