//! `account limits`: how much an account may use.

use clap::Args;
use serde_json::json;

use super::Outcome;
use super::output::Output;
use crate::error::{Error, Kind, Result};
use crate::model::AccountLimits;
use crate::service::Service;

/// The word that takes a limit away.
const SERVER: &str = "server";

/// `account limits`
#[derive(Debug, Args)]
pub struct LimitsArgs {
    /// The account's login
    login: String,
    /// Sessions at the same time; `server`: as many as the server allows
    #[arg(long, value_name = "N")]
    sessions: Option<String>,
    /// Seconds after which a session on which nothing moves ends; `server`: the server's limit
    #[arg(long, value_name = "SECONDS")]
    idle: Option<String>,
    /// The largest upload: 500M; `server`: the server's limit
    #[arg(long, value_name = "BYTES")]
    upload: Option<String>,
    /// Bytes of all its files: 20G; `server`: no quota of its own
    #[arg(long, value_name = "BYTES")]
    quota: Option<String>,
    /// Number of its files; `server`: no quota of its own
    #[arg(long, value_name = "N")]
    files: Option<String>,
}

pub(super) fn run(out: Output, service: &Service, args: &LimitsArgs) -> Outcome {
    let before = service.account_limits(&args.login)?;
    let after = AccountLimits {
        max_sessions: changed("sessions", args.sessions.as_deref(), before.max_sessions)?,
        idle_timeout_s: changed("idle", args.idle.as_deref(), before.idle_timeout_s)?,
        max_upload_bytes: changed("upload", args.upload.as_deref(), before.max_upload_bytes)?,
        quota_bytes: changed("quota", args.quota.as_deref(), before.quota_bytes)?,
        quota_files: changed("files", args.files.as_deref(), before.quota_files)?,
    };
    if after != before {
        service.set_account_limits(&args.login, after)?;
    }
    let used = service.account_usage(&args.login)?;
    if out.is_json() {
        return out.json(&json!({ "limits": after, "used": used }));
    }
    let own = |n: Option<u64>, or: &str| n.map_or(or.to_owned(), |n| n.to_string());
    out.pairs(&[
        ("Sessions", own(after.max_sessions.map(u64::from), "the server's limit")),
        ("Idle seconds", own(after.idle_timeout_s.map(u64::from), "the server's limit")),
        ("Largest upload", own(after.max_upload_bytes, "the server's limit")),
        ("Quota of bytes", own(after.quota_bytes, "none")),
        ("Quota of files", own(after.quota_files, "none")),
        ("Used now", format!("{} files, {} bytes", used.files, used.bytes)),
    ])
}

/// The limit as it is to be: left alone, taken away, or a number.
fn changed<T: TryFrom<u64>>(
    option: &str,
    given: Option<&str>,
    before: Option<T>,
) -> Result<Option<T>> {
    match given {
        None => Ok(before),
        Some(SERVER) => Ok(None),
        Some(text) => {
            let number = number(text).and_then(|n| T::try_from(n).ok());
            number.map(Some).ok_or_else(|| {
                let message = format!(
                    "--{option} \"{text}\" is no number that fits; write for example 20, 500M or 2G, or \"{SERVER}\""
                );
                Error::new(Kind::Invalid, message)
            })
        }
    }
}

/// A whole number; K, M and G stand for 1024 each.
fn number(text: &str) -> Option<u64> {
    let (digits, unit) = match text.char_indices().next_back()? {
        (at, 'k' | 'K') => (text.get(..at)?, 1 << 10),
        (at, 'm' | 'M') => (text.get(..at)?, 1 << 20),
        (at, 'g' | 'G') => (text.get(..at)?, 1 << 30),
        _ => (text, 1_u64),
    };
    let plain = digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse::<u64>().ok()?.checked_mul(unit) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_and_without_a_unit() {
        for (text, expected) in [
            ("0", Some(0)),
            ("20", Some(20)),
            ("2k", Some(2048)),
            ("500M", Some(524_288_000)),
            ("1G", Some(1_073_741_824)),
            ("", None),
            ("G", None),
            ("-1", None),
            ("+1", None),
            ("1.5G", None),
            ("99999999999G", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }
}
