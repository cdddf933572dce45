use super::*;

const ROSTER: &[u8] = b"Matricule;Nom;Pr\xC3\xA9nom\r\n1;Roux;Anna\r\n2;Petit;Luc\r\n";
/// 2026-11-22, when the keys of these tests are made.
const MADE: u32 = 1_795_305_600;
const YEAR_S: u32 = 365 * 24 * 3600;

fn never() -> bool {
    false
}

fn limits() -> Limits<'static> {
    Limits { max_bytes: 64 << 20, max_ratio: 250, is_late: &never }
}

/// rPGP dates signatures by its own clock.
fn now() -> u32 {
    u32::try_from(crate::clock::Clock::System.now().as_second()).unwrap()
}

fn key(owner: &str) -> SecretKey {
    SecretKey::make(owner, MADE.min(now())).unwrap()
}

fn partner(name: &str, key: &SecretKey) -> Partner {
    Partner { name: name.to_owned(), certificate: key.certificate() }
}

fn sealed(content: &[u8], to: &[Certificate], attest: Attest<'_>) -> Vec<u8> {
    encrypt(content, "users.csv", to, attest, now()).unwrap()
}

#[test]
fn what_is_encrypted_for_us_is_read_by_us_and_nobody_else() {
    let (ours, others) = (key("Acme <acme@example.com>"), key("Another"));
    let file = sealed(ROSTER, &[ours.certificate()], Attest::No);
    assert_eq!(form(&file), Some(Form::Pgp));
    let keys = [others, ours];
    let opened = open_pgp(&file, &keys, Signature::Ignored, &limits()).unwrap();
    assert_eq!(opened, Opened { bytes: ROSTER.to_vec(), is_encrypted: true, signed_by: None });
    let [others, _] = keys;
    let refused = open_pgp(&file, &[others], Signature::Ignored, &limits());
    assert!(matches!(refused, Err(Trouble::NotForUs(ids)) if ids.len() == 1));
}

#[test]
fn only_a_partners_signature_counts_when_one_is_asked_for() {
    let (ours, sender, stranger) = (key("Acme"), key("Groupe Roux"), key("Stranger"));
    let keys = [key("Older"), ours];
    let to = [keys[1].certificate()];
    let partners = [partner("Groupe Roux", &sender)];
    let check = |attest: Attest<'_>, at: u32| {
        let file = sealed(ROSTER, &to, attest);
        open_pgp(&file, &keys, Signature::By(&partners, at), &limits()).map(|o| o.signed_by)
    };
    assert_eq!(check(Attest::With(&sender), now()), Ok(Some("Groupe Roux".to_owned())));
    assert_eq!(check(Attest::No, now()), Err(Trouble::Unsigned));
    let unknown = Trouble::UnknownSigner(stranger.fingerprint());
    assert_eq!(check(Attest::With(&stranger), now()), Err(unknown));
    // Received years before it was signed: the date cannot be.
    let early = check(Attest::With(&sender), now() - 2 * YEAR_S);
    assert_eq!(early, Err(Trouble::InvalidSignature("Groupe Roux".to_owned())));
}

#[test]
fn a_file_may_hold_as_much_as_the_limit_and_no_more() {
    let ours = key("Acme");
    let zeros = vec![b'0'; 20 << 20];
    let file = sealed(&zeros, &[ours.certificate()], Attest::No);
    let keys = [ours];
    let open = |max_bytes, max_ratio| {
        let limits = Limits { max_bytes, max_ratio, is_late: &never };
        open_pgp(&file, &keys, Signature::Ignored, &limits).map(|opened| opened.bytes.len())
    };
    assert_eq!(open(20 << 20, 100_000), Ok(20 << 20));
    assert_eq!(open((20 << 20) - 1, 100_000), Err(Trouble::TooLarge((20 << 20) - 1)));
    assert_eq!(open(64 << 20, 2), Err(Trouble::Ratio(2)));
    let late = Limits { max_bytes: 64 << 20, max_ratio: 100_000, is_late: &|| true };
    let stopped = open_pgp(&file, &keys, Signature::Ignored, &late);
    assert_eq!(stopped.unwrap_err(), Trouble::Late);
}

#[test]
fn two_messages_in_a_row_and_half_a_message_are_told_apart_from_damage() {
    let ours = key("Acme");
    let file = sealed(ROSTER, &[ours.certificate()], Attest::No);
    let keys = [ours];
    let open = |bytes: &[u8]| open_pgp(bytes, &keys, Signature::Ignored, &limits()).map(drop);
    assert_eq!(open(&[file.clone(), file.clone()].concat()), Err(Trouble::Several));
    for cut in [file.len() - 1, file.len() / 2, 10] {
        assert_eq!(open(&file[..cut]), Err(Trouble::Cut), "{cut}");
    }
    let mut changed = file.clone();
    let last = changed.len() - 5;
    changed[last] ^= 1;
    assert_eq!(open(&changed), Err(Trouble::Damaged));
    assert_eq!(open(&[file, b"\n".to_vec()].concat()), Err(Trouble::Damaged));
}

#[test]
fn tables_are_no_messages() {
    for table in [
        "Matricule;Nom\n1;Roux\n".as_bytes(),
        "\u{FEFF}Matricule;Nom\n".as_bytes(),
        // Windows-1252: É, Â, Á, È, £ at the start.
        b"\xC9tat;Nom\n1;Roux\n",
        b"\xC2ge;Nom\n",
        b"\xC1rea;Nom\n",
        b"\xC8re;Nom\n",
        b"\xA3;Nom\n",
        b"\xCBloge;b;Nom\n",
        b"\xFF\xFEM\0a\0",
        b"PK\x03\x04\x14\0\0\0",
        b"-----BEGIN CERTIFICATE-----\n",
        b"",
    ] {
        assert_eq!(form(table), None, "{table:?}");
    }
}

fn packed(content: &[u8], name: &str, password: &str) -> Vec<u8> {
    seal_zip(content, name, password).unwrap()
}

#[test]
fn a_file_that_was_signed_first_and_encrypted_then_is_read_too() {
    let ours = key("Acme");
    let inner = sealed(ROSTER, &[ours.certificate()], Attest::No);
    let file = sealed(&inner, &[ours.certificate()], Attest::No);
    let keys = [ours];
    let open = |file: &[u8]| open_pgp(file, &keys, Signature::Ignored, &limits());
    assert_eq!(open(&file).unwrap().bytes, ROSTER);
    let thrice = sealed(&file, &[keys[0].certificate()], Attest::No);
    assert_eq!(open(&thrice).unwrap().bytes, inner, "and no deeper");
}

#[test]
fn a_zip_opens_with_its_password_only() {
    let file = packed(ROSTER, "users.csv", "correct horse battery");
    assert_eq!(form(&file), Some(Form::Zip));
    let open = |password| open_zip(&file, password, &limits()).map(|opened| opened.bytes);
    assert_eq!(open(Some("correct horse battery")), Ok(ROSTER.to_vec()));
    assert_eq!(open(Some("wrong")), Err(Trouble::WrongPassword));
    assert_eq!(open(None), Err(Trouble::NoPassword));
    let cut = open_zip(&file[..file.len() - 30], Some("x"), &limits());
    assert_eq!(cut.unwrap_err(), Trouble::Cut);
    let mut changed = file.clone();
    changed[70] ^= 1;
    let changed = open_zip(&changed, Some("correct horse battery"), &limits());
    assert!(changed.is_err());
}

#[test]
fn hostile_bytes_are_refused_and_end() {
    let (ours, sender) = (key("Acme"), key("Groupe Roux"));
    let partners = [partner("Groupe Roux", &sender)];
    let file = sealed(ROSTER, &[ours.certificate()], Attest::With(&sender));
    let keys = [ours];
    let mut chance = 0x9E37_79B9_7F4A_7C15_u64;
    let mut draw = |below: usize| {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        usize::try_from(chance % u64::try_from(below).unwrap()).unwrap()
    };
    for _ in 0..2_000 {
        let mut bytes = file.clone();
        for _ in 0..=draw(4) {
            let at = draw(bytes.len().min(160));
            match draw(4) {
                0 => bytes[at] = u8::try_from(draw(256)).unwrap(),
                1 => bytes.truncate(at + 1),
                2 => bytes.insert(at, u8::try_from(draw(256)).unwrap()),
                _ => drop(bytes.remove(at)),
            }
            if bytes.is_empty() {
                bytes.push(0xC1);
            }
        }
        if bytes == file {
            continue;
        }
        if let Ok(opened) = open_pgp(&bytes, &keys, Signature::By(&partners, now()), &limits()) {
            assert_eq!(opened.bytes, ROSTER, "what was changed unnoticed is the same file");
        }
    }
}

#[test]
fn a_partners_key_is_read_from_what_owners_send() {
    let sender = key("Anna Roux <anna@example.com>");
    let armored = sender.certificate().armored().unwrap();
    let read = Certificate::read(armored.as_bytes(), now()).unwrap();
    assert_eq!(read.fingerprint(), sender.fingerprint());
    assert_eq!(read.owners(), ["Anna Roux <anna@example.com>"]);
    assert!(read.can_sign(now()) && read.can_encrypt(now()));
    assert_eq!(Certificate::stored(&armored), Ok(read));
    let twice = format!("{armored}\n{armored}");
    assert!(Certificate::read(twice.as_bytes(), now()).unwrap_err().contains("several keys"));
    for nonsense in ["hello", "", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n"] {
        assert!(Certificate::read(nonsense.as_bytes(), now()).is_err(), "{nonsense}");
    }
    let secret =
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n-----END PGP PRIVATE KEY BLOCK-----";
    assert!(Certificate::read(secret.as_bytes(), now()).unwrap_err().contains("secret key"));
}
