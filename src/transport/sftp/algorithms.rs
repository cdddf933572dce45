//! Which SSH algorithms are offered, and the russh configuration around them.

use std::borrow::Cow;
use std::time::Duration;

use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PublicKey};
use russh::{MethodKind, MethodSet, Preferred, SshId, cipher, compression, kex, mac, server};

use crate::config::Config;
use crate::transport::HostKeys;

/// Safe with every client; FileZilla, sshj and Cyberduck fail with larger ones.
const MAX_PACKET_BYTES: u32 = 32_768;
/// What a client may have under way to us; enough for 100 MB/s over 40 ms.
const WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// Messages between a request loop and its SSH session, each of at most one packet.
const EVENTS: usize = 32;
/// How long a client may be silent before it is asked for a sign of life.
const KEEPALIVE: Duration = Duration::from_secs(45);
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
const CIPHERS: &[cipher::Name] = &[
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_GCM,
    cipher::AES_128_GCM,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];
const MACS: &[mac::Name] = &[mac::HMAC_SHA512_ETM, mac::HMAC_SHA256_ETM];
const MACS_COMPAT: &[mac::Name] = &[mac::HMAC_SHA512, mac::HMAC_SHA256];

/// The configuration of every SSH connection.
pub(super) fn ssh_config(config: &Config, host_keys: &HostKeys) -> server::Config {
    let compat = config.sftp.compat;
    server::Config {
        // No version: it would only help whoever looks for a known hole.
        server_id: SshId::Standard(Cow::Borrowed("SSH-2.0-Rollcall")),
        methods: methods(),
        // The service itself takes the same time for every refusal.
        auth_rejection_time: Duration::ZERO,
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: host_keys.keys().to_vec(),
        preferred: preferred(compat),
        window_size: WINDOW_BYTES,
        maximum_packet_size: MAX_PACKET_BYTES,
        event_buffer_size: EVENTS,
        // Failed logins are counted by the handler; this bounds offers of unknown keys and unknown methods.
        max_auth_attempts: config.limits.sftp_key_offers,
        // Idle time is ours to watch: any packet, also IGNORE, would reset russh's own timer.
        inactivity_timeout: None,
        // Only so that no NAT on the way forgets a connection that waits for an import; it ends nobody's session.
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: 0,
        nodelay: true,
        ..server::Config::default()
    }
}

/// The ways in which a client may prove who it is.
pub(super) fn methods() -> MethodSet {
    let allowed: &[MethodKind] = &[MethodKind::PublicKey, MethodKind::Password];
    MethodSet::from(allowed)
}

fn preferred(compat: bool) -> Preferred {
    let also = |yes: bool| if yes { usize::MAX } else { 0 };
    let mut keys = vec![
        Algorithm::Ed25519,
        Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
        Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
    ];
    if compat {
        keys.push(Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 });
    }
    let kex: Vec<_> =
        KEX.iter().chain(KEX_COMPAT.iter().take(also(compat))).chain(KEX_SIGNS).copied().collect();
    let mac: Vec<_> = MACS.iter().chain(MACS_COMPAT.iter().take(also(compat))).copied().collect();
    Preferred {
        kex: kex.into(),
        key: keys.into(),
        cipher: CIPHERS.into(),
        mac: mac.into(),
        compression: Cow::Borrowed(&[compression::NONE]),
        ..Preferred::default()
    }
}

/// Whether a client's key may be used at all, under the algorithm with which it would sign.
///
/// # Errors
/// Why not, for the log.
pub(super) fn check_key(key: &PublicKey, algorithm: &Algorithm) -> Result<(), &'static str> {
    match algorithm {
        Algorithm::Ed25519 | Algorithm::Ecdsa { .. } => Ok(()),
        Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256 => Ok(()),
        Algorithm::Rsa { hash: None } => Err("signatures with SHA-1 (ssh-rsa) are not accepted"),
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

    fn names<T: AsRef<str>>(list: &[T]) -> Vec<&str> {
        list.iter().map(AsRef::as_ref).collect()
    }

    #[test]
    fn the_standard_list_has_nothing_that_an_audit_complains_about() {
        let offered = preferred(false);
        for weak in ["sha1", "nistp", "cbc", "group14", "group-exchange"] {
            assert!(!names(&offered.kex).iter().any(|n| n.contains(weak)), "{weak}");
            assert!(!names(&offered.cipher).iter().any(|n| n.contains(weak)), "{weak}");
            assert!(!names(&offered.mac).iter().any(|n| n.contains(weak)), "{weak}");
        }
        assert!(names(&offered.mac).iter().all(|n| n.ends_with("-etm@openssh.com")));
        assert_eq!(names(&offered.compression), ["none"]);
        assert!(!offered.key.contains(&Algorithm::Rsa { hash: None }));
        assert!(names(&offered.kex).contains(&"kex-strict-s-v00@openssh.com"));
    }

    #[test]
    fn compat_adds_and_removes_nothing() {
        let (standard, compat) = (preferred(false), preferred(true));
        assert!(names(&standard.kex).iter().all(|n| names(&compat.kex).contains(n)));
        assert!(names(&compat.kex).contains(&"diffie-hellman-group14-sha256"));
        assert!(names(&compat.mac).contains(&"hmac-sha2-256"));
        assert!(!names(&compat.mac).contains(&"hmac-sha1"));
    }
}
