//! TLS client certificates: in place of the password, or besides it.

use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{RootCertStore, version};

use rollcall::service::rules::RulesPatch;

use super::wire::{Ground, PASSWORD, Wire};

/// A certificate as a payroll program has it: self-signed, valid in these years.
struct Identity {
    pem: String,
    der: CertificateDer<'static>,
    key: Vec<u8>,
}

fn identity(name: &str, years: (i32, i32)) -> Identity {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
    params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    Identity { pem: certificate.pem(), der: certificate.der().clone(), key: key.serialize_der() }
}

impl Identity {
    fn tls(
        &self,
        ground: &Ground,
        version: &'static rustls::SupportedProtocolVersion,
    ) -> ClientConfig {
        use rustls::pki_types::pem::PemObject as _;
        let pem = std::fs::read(ground.app.path("certs/tls-cert.pem")).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.clone()));
        ClientConfig::builder_with_protocol_versions(&[version])
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![self.der.clone()], key)
            .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_accounts_certificate_is_enough_and_anothers_is_nothing() {
    let ground = Ground::new().await;
    let (acme, stranger) = (identity("acme", (2020, 2090)), identity("stranger", (2020, 2090)));
    let keys = ground.app.service.add_key("acme", &acme.pem).unwrap();
    assert!(keys[0].fingerprint.starts_with("X509:"), "{keys:?}");
    for version in [&version::TLS13, &version::TLS12] {
        for explicit in [false, true] {
            let tls = acme.tls(&ground, version);
            let mut wire = match explicit {
                true => Wire::explicit(ground.explicit(), tls).await,
                false => Wire::implicit(ground.implicit(), tls).await,
            };
            assert_eq!(wire.code("USER acme").await, 232);
            assert_eq!(wire.code("PASS whatever").await, 202);
            assert_eq!(wire.code("PBSZ 0").await, 200);
            assert_eq!(wire.code("PROT P").await, 200);
            assert_eq!(wire.put("STOR /a.txt", b"by certificate").await.0, 226);
            assert_eq!(wire.get("RETR /a.txt").await, b"by certificate");
        }
        let mut wire = Wire::implicit(ground.implicit(), acme.tls(&ground, version)).await;
        assert_eq!(wire.code("USER zeta").await, 331, "another account's login");
        assert_eq!(wire.code(&format!("PASS {PASSWORD}")).await, 230);
        let mut wire = Wire::implicit(ground.implicit(), stranger.tls(&ground, version)).await;
        assert_eq!(wire.code("USER acme").await, 331);
        assert_eq!(wire.code("PASS wrong-password").await, 530);
    }
    ground.guest().await;
    ground.app.service.remove_key("acme", &keys[0].fingerprint).unwrap();
    let mut wire = Wire::implicit(ground.implicit(), acme.tls(&ground, &version::TLS13)).await;
    assert_eq!(wire.code("USER acme").await, 331);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_both_needed_neither_is_enough() {
    let ground = Ground::new().await;
    let acme = identity("acme", (2020, 2090));
    ground.app.service.add_key("acme", &acme.pem).unwrap();
    let both = RulesPatch { needs_both: Some(true), ..RulesPatch::default() };
    ground.app.service.set_account_rules("acme", &both).unwrap();
    let mut wire = Wire::implicit(ground.implicit(), acme.tls(&ground, &version::TLS13)).await;
    assert_eq!(wire.code("USER acme").await, 331);
    assert_eq!(wire.code("PWD").await, 530);
    assert_eq!(wire.code("PASS wrong-password").await, 530);
    assert_eq!(wire.code("USER acme").await, 331);
    assert_eq!(wire.code(&format!("PASS {PASSWORD}")).await, 230);
    let mut wire = Wire::implicit(ground.implicit(), ground.tls()).await;
    assert_eq!(wire.code("USER acme").await, 331);
    assert_eq!(wire.code(&format!("PASS {PASSWORD}")).await, 530, "the password alone");
    // What was proved for one login counts for no other.
    let mut wire = Wire::implicit(ground.implicit(), acme.tls(&ground, &version::TLS13)).await;
    assert_eq!(wire.code("USER acme").await, 331);
    assert_eq!(wire.code("USER zeta").await, 331);
    assert_eq!(wire.code(&format!("PASS {PASSWORD}")).await, 230);
    assert_eq!(wire.ask("PWD").await.0, 257);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_counts_only_while_it_is_valid() {
    let ground = Ground::new().await;
    for (years, name) in [((2010, 2020), "over"), ((2080, 2090), "not yet")] {
        let identity = identity("acme", years);
        ground.app.service.add_key("acme", &identity.pem).unwrap();
        let tls = identity.tls(&ground, &version::TLS13);
        let mut wire = Wire::implicit(ground.implicit(), tls).await;
        assert_eq!(wire.code("USER acme").await, 331, "{name}");
    }
    let refused =
        ground.app.service.add_key("acme", "-----BEGIN CERTIFICATE-----\nabc").unwrap_err();
    assert!(refused.message().contains("not whole PEM"), "{refused}");
}
