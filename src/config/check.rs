//! What the types alone cannot say of a configuration: addresses, ranges, limits that fit each other.

use std::net::{Ipv4Addr, SocketAddr};

use super::bounds::check_bounds;
use super::mail::{check_hooks, check_mail};
use super::{Admin, Config, Limits, MOST_REKEY_BYTES, Outgoing, Webhooks};
use crate::model::CLIENT_SERVER;

/// A setting whose value cannot stand.
pub(super) struct Wrong {
    /// `section.key`.
    pub(super) key: String,
    /// `is …: why; write for example …`
    pub(super) problem: String,
}

pub(super) fn wrong(key: &str, problem: String) -> Wrong {
    Wrong { key: key.to_owned(), problem }
}

pub(super) fn check(config: &Config) -> Result<(), Wrong> {
    check_bounds(config)?;
    for (key, value, example) in [
        ("sftp.listen", &config.sftp.listen, "[::]:2022"),
        ("sftp.old_keys_listen", &config.sftp.old_keys_listen, "[::]:2023"),
        ("ftps.explicit", &config.ftps.explicit, "[::]:2121"),
        ("ftps.implicit", &config.ftps.implicit, "[::]:2990"),
    ] {
        if !value.eq_ignore_ascii_case("off") && value.parse::<SocketAddr>().is_err() {
            let problem = format!(
                "is \"{value}\": not an address with a port; write for example \"{example}\", or \"off\""
            );
            return Err(wrong(key, problem));
        }
    }
    passive_ports(&config.ftps.passive_ports)?;
    if let Some(host) = &config.ftps.passive_host
        && host.parse::<Ipv4Addr>().is_err()
    {
        let problem =
            format!("is \"{host}\": not an IPv4 address; write for example \"203.0.113.7\"");
        return Err(wrong("ftps.passive_host", problem));
    }
    for name in config.hosts.keys() {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || !name.chars().all(plain) {
            let problem =
                "is not a good name for a host profile: use a-z, 0-9 and \"-\"".to_owned();
            return Err(wrong(&format!("hosts.{name}"), problem));
        }
        if name == CLIENT_SERVER {
            let problem =
                "is the name of accounts on clients' own servers; choose another".to_owned();
            return Err(wrong(&format!("hosts.{name}"), problem));
        }
    }
    limits(&config.limits)?;
    outgoing(&config.outgoing)?;
    webhooks(&config.webhooks)?;
    check_mail(&config.mail)?;
    check_hooks(&config.hooks)?;
    if config.throttle.remembered == 0 || config.throttle.ban_unknown_logins == 0 {
        let key = if config.throttle.remembered == 0 { "remembered" } else { "ban_unknown_logins" };
        return Err(wrong(&format!("throttle.{key}"), "is 0: use at least 1".to_owned()));
    }
    admin(&config.admin)
}

fn admin(admin: &Admin) -> Result<(), Wrong> {
    let zero = [
        ("session_idle_minutes", admin.session_idle_minutes == 0),
        ("session_hours", admin.session_hours == 0),
        ("sessions_per_administrator", admin.sessions_per_administrator == 0),
        ("invitation_hours", admin.invitation_hours == 0),
        ("max_form_bytes", admin.max_form_bytes == 0),
        ("api_requests_per_minute", admin.api_requests_per_minute == 0),
        ("max_connections", admin.max_connections == 0),
        ("max_connections_per_address", admin.max_connections_per_address == 0),
        ("request_timeout_s", admin.request_timeout_s == 0),
        ("body_idle_timeout_s", admin.body_idle_timeout_s == 0),
    ];
    match zero.into_iter().find(|(_, is_zero)| *is_zero) {
        Some((key, _)) => Err(wrong(&format!("admin.{key}"), "is 0: use at least 1".to_owned())),
        None => Ok(()),
    }
}

fn passive_ports(value: &str) -> Result<(), Wrong> {
    let good = value.trim().parse::<u16>().is_ok()
        || value.split_once('-').is_some_and(|(first, last)| {
            match (first.trim().parse::<u16>(), last.trim().parse::<u16>()) {
                (Ok(first), Ok(last)) => 0 < first && first <= last,
                _ => false,
            }
        });
    if good {
        return Ok(());
    }
    let problem = format!(
        "is \"{value}\": not a range of ports; write for example \"50000-50099\", or \"0\" to let the \
         system choose"
    );
    Err(wrong("ftps.passive_ports", problem))
}

fn webhooks(webhooks: &Webhooks) -> Result<(), Wrong> {
    let wide = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    for (key, value) in
        [("users_told", wide(webhooks.users_told)), ("timeout_s", webhooks.timeout_s)]
    {
        if value == 0 {
            return Err(wrong(&format!("webhooks.{key}"), "is 0: use at least 1".to_owned()));
        }
    }
    Ok(())
}

/// With a zero here nothing would ever go out or be fetched, and nobody would be told why.
fn outgoing(outgoing: &Outgoing) -> Result<(), Wrong> {
    let jobs = u64::try_from(outgoing.jobs).unwrap_or(u64::MAX);
    for (key, value) in [
        ("step_timeout_s", outgoing.step_timeout_s),
        ("timeout_s", outgoing.timeout_s),
        ("attempts", u64::from(outgoing.attempts)),
        ("jobs", jobs),
    ] {
        if value == 0 {
            return Err(wrong(&format!("outgoing.{key}"), "is 0: use at least 1".to_owned()));
        }
    }
    Ok(())
}

/// Limits that would stop everything when they are too small.
fn limits(limits: &Limits) -> Result<(), Wrong> {
    let wide = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    for (key, value, least) in [
        ("max_upload_bytes", limits.max_upload_bytes, 1),
        ("max_import_bytes", limits.max_import_bytes, 1),
        ("max_unpack_ratio", limits.max_unpack_ratio, 1),
        ("max_decrypt_s", limits.max_decrypt_s, 1),
        ("max_columns", wide(limits.max_columns), 1),
        ("max_cell_bytes", wide(limits.max_cell_bytes), 1),
        ("max_waiting_uploads", u64::from(limits.max_waiting_uploads), 1),
        ("import_attempts", u64::from(limits.import_attempts), 1),
        ("hold_days", u64::from(limits.hold_days), 1),
        ("export_lists", u64::from(limits.export_lists), 1),
        ("max_connections", wide(limits.max_connections), 1),
        ("max_connections_per_address", wide(limits.max_connections_per_address), 1),
        ("max_half_open", wide(limits.max_half_open), 1),
        ("login_timeout_s", limits.login_timeout_s, 1),
        ("tls_handshake_timeout_s", limits.tls_handshake_timeout_s, 1),
        ("data_accept_timeout_s", limits.data_accept_timeout_s, 1),
        ("data_idle_timeout_s", limits.data_idle_timeout_s, 1),
        ("idle_timeout_s", limits.idle_timeout_s, 1),
        ("login_attempts_per_connection", u64::from(limits.login_attempts_per_connection), 1),
        // RFC 959 lines with the longest path that is accepted.
        ("control_line_bytes", wide(limits.control_line_bytes), 512),
        ("sftp_handles", wide(limits.sftp_handles), 1),
        ("sftp_channels", wide(limits.sftp_channels), 1),
        ("sftp_outstanding_requests", wide(limits.sftp_outstanding_requests), 16),
        // One SFTP packet must fit.
        ("connection_memory_bytes", wide(limits.connection_memory_bytes), 512 * 1024),
        ("transfer_memory_bytes", wide(limits.transfer_memory_bytes), 512 * 1024),
        ("sessions_per_account", wide(limits.sessions_per_account), 1),
        ("sftp_rekey_bytes", wide(limits.sftp_rekey_bytes), 1024 * 1024),
    ] {
        if value < least {
            return Err(wrong(
                &format!("limits.{key}"),
                format!("is {value}: use at least {least}"),
            ));
        }
    }
    if limits.sftp_rekey_bytes > MOST_REKEY_BYTES {
        let problem = format!("is {}: use at most {MOST_REKEY_BYTES}", limits.sftp_rekey_bytes);
        return Err(wrong("limits.sftp_rekey_bytes", problem));
    }
    if limits.transfer_memory_bytes < limits.connection_memory_bytes {
        let problem = format!(
            "is {}: less than limits.connection_memory_bytes, {}; use at least that",
            limits.transfer_memory_bytes, limits.connection_memory_bytes
        );
        return Err(wrong("limits.transfer_memory_bytes", problem));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(change: impl FnOnce(&mut Config)) -> Option<String> {
        let mut config = Config::default();
        change(&mut config);
        check(&config).err().map(|w| format!("{} {}", w.key, w.problem))
    }

    #[test]
    fn the_defaults_stand() {
        assert_eq!(problem(|_| {}), None);
        for ports in ["0", "50000", "50000-50099", "1-65535"] {
            assert_eq!(problem(|c| c.ftps.passive_ports = ports.to_owned()), None, "{ports}");
        }
        assert_eq!(problem(|c| c.sftp.listen = "off".to_owned()), None);
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for ports in ["", "9-5", "0-5", "1-70000", "a-b"] {
            assert!(problem(|c| c.ftps.passive_ports = ports.to_owned()).is_some(), "{ports}");
        }
        for listen in ["", "2022", ":2022", "localhost", "[::]"] {
            assert!(problem(|c| c.sftp.listen = listen.to_owned()).is_some(), "{listen}");
        }
        assert!(problem(|c| c.ftps.passive_host = Some("ftp.example.com".to_owned())).is_some());
        assert!(problem(|c| c.limits.max_connections = 0).is_some());
        assert_eq!(
            problem(|c| c.admin.api_requests_per_minute = 0).unwrap(),
            "admin.api_requests_per_minute is 0: use at least 1"
        );
        assert_eq!(problem(|c| c.outgoing.jobs = 0).unwrap(), "outgoing.jobs is 0: use at least 1");
        assert!(problem(|c| c.outgoing.timeout_s = 0).is_some());
        assert!(problem(|c| c.limits.sftp_rekey_bytes = MOST_REKEY_BYTES + 1).is_some());
        assert!(problem(|c| c.limits.transfer_memory_bytes = 1024 * 1024).is_some());
    }
}
