//! Which SSH algorithms are offered, and the russh configuration around them.

use std::borrow::Cow;
use std::time::Duration;

use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PublicKey};
use russh::{
    Limits, MethodKind, MethodSet, Preferred, SshId, cipher, compression, kex, mac, server,
};

use crate::config::{Config, MOST_REKEY_BYTES};
use crate::transport::HostKeys;

/// Safe with every client; FileZilla, sshj and Cyberduck fail with larger ones.
const MAX_PACKET_BYTES: u32 = 32_768;
/// What a client may have under way to us; enough for 100 MB/s over 40 ms.
const WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// Messages between a request loop and its SSH session, each of at most one packet.
const EVENTS: usize = 32;
/// How long a client may be silent before it is asked for a sign of life.
const KEEPALIVE: Duration = Duration::from_secs(45);
/// How long the keys of a connection are used (RFC 4253, 9).
const REKEY_EVERY: Duration = Duration::from_secs(3600);
/// The shortest RSA key that may log in (NIST SP 800-131A).
const MIN_RSA_BITS: u32 = 2048;

const KEX: &[kex::Name] = &[
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::DH_G16_SHA512,
    kex::DH_G18_SHA512,
];
const KEX_COMPAT: &[kex::Name] = &[
    kex::ECDH_SHA2_NISTP256,
    kex::ECDH_SHA2_NISTP384,
    kex::ECDH_SHA2_NISTP521,
    kex::DH_GEX_SHA256,
    kex::DH_G14_SHA256,
];
/// Not algorithms, but signs in the same list: extension info (RFC 8308) and strict key exchange (Terrapin).
const KEX_SIGNS: &[kex::Name] =
    &[kex::EXTENSION_SUPPORT_AS_SERVER, kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER];
/// Weak today; group1 (1024 bits) stays out even of these.
const KEX_LEGACY: &[kex::Name] = &[kex::DH_GEX_SHA1, kex::DH_G14_SHA1];
const CIPHERS: &[cipher::Name] = &[
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_GCM,
    cipher::AES_128_GCM,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];
const CIPHERS_LEGACY: &[cipher::Name] =
    &[cipher::AES_256_CBC, cipher::AES_192_CBC, cipher::AES_128_CBC];
const MACS: &[mac::Name] = &[mac::HMAC_SHA512_ETM, mac::HMAC_SHA256_ETM];
const MACS_COMPAT: &[mac::Name] = &[mac::HMAC_SHA512, mac::HMAC_SHA256];
const MACS_LEGACY: &[mac::Name] = &[mac::HMAC_SHA1_ETM, mac::HMAC_SHA1];

/// How far the server goes to meet old programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lenience {
    /// What an audit calls clean.
    None,
    /// Also what is sound and merely old (`sftp.compat`).
    Compat,
    /// Also what is weak (`sftp.legacy`).
    Legacy,
}

impl Lenience {
    /// As the configuration says.
    pub(super) fn of(config: &Config) -> Self {
        match (config.sftp.legacy, config.sftp.compat) {
            (true, _) => Self::Legacy,
            (false, true) => Self::Compat,
            (false, false) => Self::None,
        }
    }
}

/// Whether an algorithm is offered only because of `sftp.legacy`.
pub(super) fn is_weak(name: &str) -> bool {
    let among = |names: &[&str]| names.contains(&name);
    among(&names_of(KEX_LEGACY))
        || among(&names_of(CIPHERS_LEGACY))
        || among(&names_of(MACS_LEGACY))
        || name == "ssh-rsa"
}

fn names_of<T: AsRef<str>>(list: &[T]) -> Vec<&str> {
    list.iter().map(AsRef::as_ref).collect()
}

/// The configuration of every SSH connection.
pub(super) fn ssh_config(config: &Config, host_keys: &HostKeys) -> server::Config {
    server::Config {
        // No version: it would only help whoever looks for a known hole.
        server_id: SshId::Standard(Cow::Borrowed("SSH-2.0-Rollcall")),
        methods: methods(),
        // The service itself takes the same time for every refusal.
        auth_rejection_time: Duration::ZERO,
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: host_keys.keys().to_vec(),
        preferred: preferred(Lenience::of(config)),
        window_size: WINDOW_BYTES,
        maximum_packet_size: MAX_PACKET_BYTES,
        event_buffer_size: EVENTS,
        // Failed logins are counted by the handler; this bounds offers of unknown keys and unknown methods.
        max_auth_attempts: config.limits.sftp_key_offers,
        limits: rekeying(config.limits.sftp_rekey_bytes),
        // Idle time is ours to watch: any packet, also IGNORE, would reset russh's own timer.
        inactivity_timeout: None,
        // Only so that no NAT on the way forgets a connection that waits for an import; it ends nobody's session.
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: 0,
        nodelay: true,
        ..server::Config::default()
    }
}

fn rekeying(bytes: usize) -> Limits {
    // russh panics on more, because nonces could come again.
    let bytes = bytes.min(MOST_REKEY_BYTES);
    Limits::new(bytes, bytes, REKEY_EVERY)
}

/// The ways in which a client may prove who it is.
pub(super) fn methods() -> MethodSet {
    let allowed: &[MethodKind] = &[MethodKind::PublicKey, MethodKind::Password];
    MethodSet::from(allowed)
}

/// The algorithms that are offered, best first.
pub(super) fn preferred(lenience: Lenience) -> Preferred {
    let at = |least: Lenience| if lenience >= least { usize::MAX } else { 0 };
    let (compat, legacy) = (at(Lenience::Compat), at(Lenience::Legacy));
    let mut keys = vec![
        Algorithm::Ed25519,
        Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
        Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
    ];
    let older = [Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 }];
    keys.extend(older.into_iter().take(compat));
    keys.extend([Algorithm::Rsa { hash: None }].into_iter().take(legacy));
    let kex =
        KEX.iter().chain(KEX_COMPAT.iter().take(compat)).chain(KEX_LEGACY.iter().take(legacy));
    let cipher = CIPHERS.iter().chain(CIPHERS_LEGACY.iter().take(legacy));
    let mac =
        MACS.iter().chain(MACS_COMPAT.iter().take(compat)).chain(MACS_LEGACY.iter().take(legacy));
    Preferred {
        kex: kex.chain(KEX_SIGNS).copied().collect::<Vec<_>>().into(),
        key: keys.into(),
        cipher: cipher.copied().collect::<Vec<_>>().into(),
        mac: mac.copied().collect::<Vec<_>>().into(),
        compression: Cow::Borrowed(&[compression::NONE]),
        ..Preferred::default()
    }
}

/// Whether a client's key may be used at all, under the algorithm with which it would sign.
///
/// # Errors
/// Why not, for the log.
pub(super) fn check_key(
    key: &PublicKey,
    algorithm: &Algorithm,
    lenience: Lenience,
) -> Result<(), &'static str> {
    match algorithm {
        Algorithm::Ed25519 | Algorithm::Ecdsa { .. } => Ok(()),
        Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256 => Ok(()),
        Algorithm::Rsa { hash: None } if lenience < Lenience::Legacy => {
            Err("signatures with SHA-1 (ssh-rsa) are not accepted")
        }
        Algorithm::Rsa { .. } => match key.key_data().rsa() {
            Some(rsa) if rsa.key_size() >= MIN_RSA_BITS => Ok(()),
            _ => Err("RSA keys below 2048 bits are not accepted"),
        },
        _ => Err("this kind of key is not accepted"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_list_has_nothing_that_an_audit_complains_about() {
        let offered = preferred(Lenience::None);
        for weak in ["sha1", "nistp", "cbc", "group14", "group-exchange"] {
            assert!(!names_of(&offered.kex).iter().any(|n| n.contains(weak)), "{weak}");
            assert!(!names_of(&offered.cipher).iter().any(|n| n.contains(weak)), "{weak}");
            assert!(!names_of(&offered.mac).iter().any(|n| n.contains(weak)), "{weak}");
        }
        assert!(names_of(&offered.mac).iter().all(|n| n.ends_with("-etm@openssh.com")));
        assert_eq!(names_of(&offered.compression), ["none"]);
        assert!(!offered.key.contains(&Algorithm::Rsa { hash: None }));
        assert!(names_of(&offered.kex).contains(&"kex-strict-s-v00@openssh.com"));
    }

    #[test]
    fn compat_adds_and_removes_nothing() {
        let (standard, compat) = (preferred(Lenience::None), preferred(Lenience::Compat));
        assert!(names_of(&standard.kex).iter().all(|n| names_of(&compat.kex).contains(n)));
        assert!(names_of(&compat.kex).contains(&"diffie-hellman-group14-sha256"));
        assert!(names_of(&compat.mac).contains(&"hmac-sha2-256"));
        assert!(!names_of(&compat.mac).contains(&"hmac-sha1"));
    }

    #[test]
    fn legacy_adds_what_is_weak_behind_everything_else_and_knows_it() {
        let (compat, legacy) = (preferred(Lenience::Compat), preferred(Lenience::Legacy));
        for (before, now) in [
            (names_of(&compat.cipher), names_of(&legacy.cipher)),
            (names_of(&compat.mac), names_of(&legacy.mac)),
        ] {
            assert!(now.starts_with(&before) && before.iter().all(|name| !is_weak(name)));
            assert!(
                now[before.len()..].iter().all(|name| is_weak(name)) && now.len() > before.len()
            );
        }
        let weak: Vec<_> = names_of(&legacy.kex).into_iter().filter(|name| is_weak(name)).collect();
        assert_eq!(weak, ["diffie-hellman-group-exchange-sha1", "diffie-hellman-group14-sha1"]);
        assert!(names_of(&compat.kex).iter().all(|name| !is_weak(name)));
        assert!(legacy.key.contains(&Algorithm::Rsa { hash: None }));
        assert!(!compat.key.contains(&Algorithm::Rsa { hash: None }));
    }
}
