//! What the certificates folder may hold, and what is made of it.

use std::os::unix::fs::PermissionsExt as _;

use super::pair::{CERTIFICATE, KEY, VALID_DAYS};
use super::*;
use crate::service::handouts::Certificate;

#[test]
fn a_first_start_makes_a_pair_that_later_starts_keep() {
    let certs = tempfile::tempdir().unwrap();
    let made = Tls::load_or_create(certs.path(), &[], &[]).unwrap().fingerprint();
    assert_eq!(Tls::load_or_create(certs.path(), &[], &[]).unwrap().fingerprint(), made);
    assert_eq!(stored_fingerprint(certs.path()).unwrap(), made);
    let key = std::fs::metadata(certs.path().join(KEY)).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    let chain = Pair::of_server(certs.path()).chain().unwrap();
    let (_, parsed) = x509_parser::parse_x509_certificate(chain.first().unwrap()).unwrap();
    assert!(!parsed.is_ca());
    let days = parsed.validity().not_after.timestamp() - parsed.validity().not_before.timestamp();
    assert_eq!(days, i64::from(VALID_DAYS) * 86_400);
    let names = parsed.subject_alternative_name().unwrap().unwrap();
    assert!(names.value.general_names.len() >= 3, "localhost, 127.0.0.1 and ::1");
}

#[test]
fn a_pair_is_made_for_the_names_by_which_the_server_is_reached_and_never_remade() {
    let certs = tempfile::tempdir().unwrap();
    let reached = [
        "Files.Example.com.",
        "203.0.113.7",
        "[2001:db8::7]",
        "files.example.com",
        "127.0.0.1",
        "e-paye.example.com",
        "zahlmüller.example",
        "",
    ];
    let made = Tls::load_or_create(certs.path(), &[], &reached.map(str::to_owned)).unwrap();
    let (held, _) = Certificate::read(&made.certificate().unwrap()).unwrap();
    for name in [
        "localhost",
        "127.0.0.1",
        "::1",
        "files.example.com",
        "203.0.113.7",
        "2001:db8::7",
        "e-paye.example.com",
    ] {
        assert_eq!(held.names.iter().filter(|held| *held == name).count(), 1, "{name} in {held:?}");
        assert!(held.is_for(name), "{name} in {held:?}");
    }
    assert!(!held.names.iter().any(|name| name.contains("zahl") || name.is_empty()), "{held:?}");
    let other = Tls::load_or_create(certs.path(), &[], &["new.example.com".to_owned()]).unwrap();
    assert_eq!(other.fingerprint(), made.fingerprint(), "clients have pinned it");
}

#[test]
fn a_lost_key_is_an_error_and_a_lost_certificate_is_made_for_the_key_that_is_there() {
    let certs = tempfile::tempdir().unwrap();
    Tls::load_or_create(certs.path(), &[], &[]).unwrap();
    let key = std::fs::read(certs.path().join(KEY)).unwrap();
    std::fs::remove_file(certs.path().join(CERTIFICATE)).unwrap();
    Tls::load_or_create(certs.path(), &[], &[]).unwrap();
    assert_eq!(std::fs::read(certs.path().join(KEY)).unwrap(), key);
    std::fs::remove_file(certs.path().join(KEY)).unwrap();
    let error = Tls::load_or_create(certs.path(), &[], &[]).unwrap_err();
    assert!(error.message().contains("tls-key.pem"), "{error}");
    assert!(!certs.path().join(KEY).exists(), "never a silent new key");
}

#[test]
fn a_new_pair_is_taken_up_and_a_bad_one_changes_nothing() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let tls = Tls::load_or_create(one.path(), &[], &[]).unwrap();
    let other = Tls::load_or_create(two.path(), &[], &[]).unwrap().fingerprint();
    let first = tls.fingerprint();
    for file in [CERTIFICATE, KEY] {
        std::fs::copy(two.path().join(file), one.path().join(file)).unwrap();
    }
    tls.reload();
    assert_ne!(first, other);
    assert_eq!(tls.fingerprint(), other);
    for bad in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n"] {
        std::fs::write(one.path().join(CERTIFICATE), bad).unwrap();
        tls.reload();
        assert_eq!(tls.fingerprint(), other, "{bad}");
    }
    std::fs::remove_file(one.path().join(KEY)).unwrap();
    tls.reload();
    assert_eq!(tls.fingerprint(), other);
}

#[test]
fn a_pair_that_does_not_match_is_refused_in_words() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    Tls::load_or_create(one.path(), &[], &[]).unwrap();
    Tls::load_or_create(two.path(), &[], &[]).unwrap();
    std::fs::copy(two.path().join(KEY), one.path().join(KEY)).unwrap();
    let error = Tls::load_or_create(one.path(), &[], &[]).unwrap_err();
    assert!(error.message().contains("does not belong to"), "{error}");
    std::fs::write(one.path().join(CERTIFICATE), "no certificate").unwrap();
    assert!(Tls::load_or_create(one.path(), &[], &[]).is_err());
}

#[test]
fn a_profile_with_a_pair_of_its_own_shows_it_and_a_bad_one_is_told() {
    let (certs, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let host = NamedHost { profile: "mprh".to_owned(), host: "Files.Example.com".to_owned() };
    let tls = Tls::load_or_create(certs.path(), std::slice::from_ref(&host), &[]).unwrap();
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = Arc::clone(&told);
    tls.on_reload(move |wrong| *kept.lock().unwrap() = wrong.to_vec());
    assert!(tls.certificates_of_profiles().is_empty());
    let theirs = Tls::load_or_create(other.path(), &[], &[]).unwrap().certificate().unwrap();
    for (from, to) in [(CERTIFICATE, "tls-cert-mprh.pem"), (KEY, "tls-key-mprh.pem")] {
        std::fs::copy(other.path().join(from), certs.path().join(to)).unwrap();
    }
    tls.reload();
    assert_eq!(tls.certificates_of_profiles()["mprh"], theirs);
    assert!(told.lock().unwrap().is_empty());
    std::fs::write(certs.path().join("tls-cert-mprh.pem"), "cut").unwrap();
    tls.reload();
    assert_eq!(tls.certificates_of_profiles()["mprh"], theirs, "the old one stays");
    assert!(told.lock().unwrap()[0].contains("tls-cert-mprh.pem"));
    assert!(Tls::load_or_create(certs.path(), &[host], &[]).is_err(), "a start does not guess");
    for file in ["tls-cert-mprh.pem", "tls-key-mprh.pem"] {
        std::fs::remove_file(certs.path().join(file)).unwrap();
    }
    tls.reload();
    assert!(tls.certificates_of_profiles().is_empty() && told.lock().unwrap().is_empty());
}
