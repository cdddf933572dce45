//! What narrows an account down: from where, until when, with which proofs, what it may do.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::{Service, usage};
use crate::error::{Error, Kind, Result};
use crate::model::{AccountLimits, AccountRules, Network, Rights, VPath};
use crate::store::registry::RulesChange;

/// Why an account on a client's own server has neither rules nor rights.
const NO_RULES: &str = "what may be done there is decided by that server";

/// What to change of an account's rules; `None` leaves a value as it is.
#[derive(Debug, Clone, Default)]
pub struct RulesPatch {
    /// The networks from which it may log in; empty: from everywhere.
    pub allow_from: Option<Vec<Network>>,
    /// The last day on which it may log in, in its client's time zone; `Some(None)`: for ever.
    pub last_day: Option<Option<Date>>,
    /// Whether a key and then the password are needed.
    pub needs_both: Option<bool>,
    /// Whether an FTPS data end without TLS close_notify is accepted.
    pub lenient_data_end: Option<bool>,
    /// What it may do outside of folders that have rights of their own.
    pub rights: Option<Rights>,
}

/// What to change of an account's access at once: all of it holds, or nothing was changed.
#[derive(Debug, Clone, Default)]
pub struct AccessPatch {
    /// Its rules.
    pub rules: RulesPatch,
    /// Folders by name, and the rights that each has of its own; `None`: those of the account.
    pub folders: Vec<(String, Option<Rights>)>,
    /// All its limits.
    pub limits: Option<AccountLimits>,
}

impl Service {
    /// The rules of an account.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn account_rules(&self, login: &str) -> Result<AccountRules> {
        self.account(login)?;
        self.registry().account_rules(login)
    }

    /// Changes the rules of an account. Live sessions follow within a second.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Invalid` when nobody could log in any more by the new rules.
    pub fn set_account_rules(&self, login: &str, patch: &RulesPatch) -> Result<AccountRules> {
        let change = self.rules_change(login, patch)?;
        let rules = self.registry().set_access(login, change, &[], None)?;
        self.record("account.rules", login, &in_words(&rules));
        Ok(rules)
    }

    /// Changes rules, rights in folders and limits together. Live sessions follow within a second.
    ///
    /// # Errors
    /// As [`Service::set_account_rules`], [`Service::set_folder_rights`] and [`Service::set_account_limits`]; nothing is changed then.
    pub fn set_access(&self, login: &str, patch: &AccessPatch) -> Result<()> {
        let change = self.rules_change(login, &patch.rules)?;
        patch.limits.map_or(Ok(()), usage::check)?;
        let rules = self.registry().set_access(login, change, &patch.folders, patch.limits)?;
        self.record("account.rules", login, &in_words(&rules));
        for (name, rights) in &patch.folders {
            self.record_rights(login, name, *rights);
        }
        if let Some(limits) = patch.limits {
            self.record("account.limits", login, &usage::in_words(limits));
        }
        Ok(())
    }

    /// What a patch changes, with the instant at which the last day is over.
    fn rules_change(&self, login: &str, patch: &RulesPatch) -> Result<RulesChange> {
        let account = self.hosted_account(login, NO_RULES)?;
        let expires_at = match patch.last_day {
            None => None,
            Some(None) => Some(None),
            Some(Some(day)) => Some(Some(end_of(day, &self.client(&account.client)?.time_zone)?)),
        };
        Ok(RulesChange {
            allow_from: patch.allow_from.clone(),
            expires_at,
            needs_both: patch.needs_both,
            lenient_data_end: patch.lenient_data_end,
            rights: patch.rights,
        })
    }

    /// The rights in those folders of an account that have their own, by path.
    ///
    /// # Errors
    /// `Kind::NotFound`.
    pub fn folder_rights(&self, login: &str) -> Result<Vec<(VPath, Rights)>> {
        self.account(login)?;
        self.registry().folder_rights(login)
    }

    /// Gives a folder rights of its own, or (`None`) takes them away so that the account's hold.
    ///
    /// # Errors
    /// `Kind::NotFound` for an account or folder that is not there.
    pub fn set_folder_rights(&self, login: &str, name: &str, rights: Option<Rights>) -> Result<()> {
        self.hosted_account(login, NO_RULES)?;
        self.registry().set_folder_rights(login, name, rights)?;
        self.record_rights(login, name, rights);
        Ok(())
    }

    fn record_rights(&self, login: &str, name: &str, rights: Option<Rights>) {
        let rights = rights.map_or("those of the account".to_owned(), |rights| rights.to_string());
        self.record("folder.rights", login, &format!("{name}: {rights}"));
    }
}

/// The instant at which a day is over.
fn end_of(day: Date, time_zone: &str) -> Result<Timestamp> {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    let next = day.checked_add(1.day()).and_then(|next| next.to_zoned(zone));
    next.map(|zoned| zoned.timestamp()).map_err(|e| {
        Error::caused(Kind::Invalid, format!("{day} is no day that an account can end on"), e)
    })
}

fn in_words(rules: &AccountRules) -> String {
    let networks: Vec<String> = rules.allow_from.iter().map(Network::to_string).collect();
    let from = if networks.is_empty() { "anywhere".to_owned() } else { networks.join(" ") };
    let until = rules.expires_at.map_or("never".to_owned(), |at| at.to_string());
    format!(
        "from {from}; expires {until}; key and password {}; lenient data end {}; rights {}",
        rules.needs_both, rules.lenient_data_end, rules.rights
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_may_log_in_on_the_whole_of_its_last_day() {
        let at = |day: &str, zone: &str| end_of(day.parse().unwrap(), zone).unwrap().to_string();
        assert_eq!(at("2027-01-31", "Europe/Paris"), "2027-01-31T23:00:00Z");
        assert_eq!(at("2026-10-25", "Europe/Paris"), "2026-10-25T23:00:00Z");
        assert_eq!(at("2026-12-31", "UTC"), "2027-01-01T00:00:00Z");
    }
}
