//! The most that a number may be, by the unit at the end of its name: beyond it no time can be reckoned, and no thread be had.

use toml::{Table, Value};

use super::Config;
use super::check::{Wrong, wrong};

/// A hundred years of 365 days, in seconds: whoever meant "never" by 999999999 goes on.
const HUNDRED_YEARS_S: i64 = 100 * 365 * 24 * 3600;
/// A thousand years, in days: whoever meant "for ever" by 99999 goes on.
const THOUSAND_YEARS_DAYS: i64 = 365_250;
/// Settings each of whose pieces is a thread.
const THREADS: [&str; 2] = ["limits.import_workers", "outgoing.jobs"];
/// The most threads of one setting.
const MOST_THREADS: i64 = 1024;

/// The most of a setting, and what that is in words; `None`: any number will do.
fn most(key: &str) -> Option<(i64, &'static str)> {
    if THREADS.contains(&key) {
        return Some((MOST_THREADS, "each is a thread"));
    }
    // A pace, not a time.
    if key.ends_with("_per_s") {
        return None;
    }
    let most = match key.rsplit('_').next()? {
        "ms" => (HUNDRED_YEARS_S * 1000, "a hundred years"),
        "s" => (HUNDRED_YEARS_S, "a hundred years"),
        "minutes" => (HUNDRED_YEARS_S / 60, "a hundred years"),
        "hours" => (HUNDRED_YEARS_S / 3600, "a hundred years"),
        "days" => (THOUSAND_YEARS_DAYS, "a thousand years"),
        "months" => (12 * 1000, "a thousand years"),
        _ => return None,
    };
    Some(most)
}

/// Refuses numbers beyond their bounds: every setting `section.key`, and those of each hook.
pub(super) fn check_bounds(config: &Config) -> Result<(), Wrong> {
    for (section, settings) in Table::try_from(config).unwrap_or_default() {
        match settings {
            Value::Table(settings) => {
                for (name, value) in settings {
                    check_number(&format!("{section}.{name}"), &value)?;
                }
            }
            // Hooks are given, and refused, as a whole.
            Value::Array(each) => {
                for (name, value) in each.iter().filter_map(Value::as_table).flatten() {
                    let refused = check_number(name, value);
                    refused.map_err(|w| wrong(&section, format!("{} {}", w.key, w.problem)))?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_number(key: &str, value: &Value) -> Result<(), Wrong> {
    match (value.as_integer(), most(key)) {
        (Some(value), Some((most, words))) if value > most => {
            Err(wrong(key, format!("is {value}: use at most {most} ({words})")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Hook;

    fn problem(change: impl FnOnce(&mut Config)) -> Option<String> {
        let mut config = Config::default();
        change(&mut config);
        check_bounds(&config).err().map(|w| format!("{} {}", w.key, w.problem))
    }

    #[test]
    fn times_that_cannot_be_reckoned_are_refused() {
        assert_eq!(problem(|_| {}), None);
        for days in [0, 1, 99_999, 365_250] {
            assert_eq!(problem(|c| c.retention.activity_days = days), None);
        }
        assert_eq!(
            problem(|c| c.retention.activity_days = 9_999_999).unwrap(),
            "retention.activity_days is 9999999: use at most 365250 (a thousand years)"
        );
        assert_eq!(problem(|c| c.limits.login_timeout_s = 3_153_600_000), None);
        assert_eq!(
            problem(|c| c.limits.login_timeout_s = 3_153_600_001).unwrap(),
            "limits.login_timeout_s is 3153600001: use at most 3153600000 (a hundred years)"
        );
        assert!(problem(|c| c.throttle.first_delay_ms = 3_153_600_000_001).is_some());
        assert!(problem(|c| c.admin.session_idle_minutes = u32::MAX).is_some());
        assert!(problem(|c| c.admin.handout_hours = u32::MAX).is_some());
        assert!(problem(|c| c.retention.pseudonymise_after_months = 12_001).is_some());
        assert!(problem(|c| c.limits.import_workers = 1025).is_some());
        // Neither is a time.
        assert_eq!(problem(|c| c.admin.body_min_bytes_per_s = 1 << 40), None);
        assert_eq!(problem(|c| c.limits.max_upload_bytes = 1 << 60), None);
    }

    #[test]
    fn the_times_of_hooks_have_bounds_too() {
        let hook: Hook =
            toml::from_str("name = 'a'\nprogram = ['/a']\ntimeout_s = 9999999999").unwrap();
        assert_eq!(
            problem(|c| c.hooks = vec![hook]).unwrap(),
            "hooks timeout_s is 9999999999: use at most 3153600000 (a hundred years)"
        );
    }
}
