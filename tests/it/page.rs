//! The HTML report as text: whole, escaped, masked, the same in every language. tests/browser looks at it in a browser.

use rollcall::import::report::{csv, html, json};
use rollcall::import::settings::Settings;
use rollcall::model::Language;
use sha2::{Digest, Sha256};

use super::golden::{applied, empty_directory, plan};

const HOSTILE: &str = "\
legalEntity;employeeNumber;lastName;firstName;mail;dtContractStart;dtBirth;jobTitle;<img src=x onerror=alert(1)>
FR01;001;</script><script>alert(1)</script>;A\u{202e}nn;ann@example.org;2024-01-08;1990-05-04;' onclick=alert(1) <b onclick=alert(1)>;x
FR01;002;Ben;=cmd|' /C calc'!A0;ben(at)example.org;2024-01-08;04/31/1985;;x
";

fn page(language: Language) -> String {
    let plan =
        plan(HOSTILE.as_bytes(), "</title><script>.csv", &Settings::default(), &empty_directory());
    String::from_utf8(html(&plan.report, language)).unwrap()
}

#[test]
fn what_strangers_wrote_is_text_and_nothing_else() {
    for language in Language::ALL {
        let page = page(language);
        assert_eq!(page.matches("<script").count(), 1, "only the page's own script");
        assert_eq!(page.matches("</script").count(), 1);
        assert_eq!(page.matches("<title").count(), 1);
        for raw in ["<img", "<b onclick", "onerror=alert(1)>", "alert(1)</"] {
            assert!(!page.contains(raw), "{raw}");
        }
        assert!(
            page.contains("&#60;img src=x onerror=alert(1)&#62;"),
            "the header is told as it came"
        );
        assert!(!page.contains('\u{202e}'), "no text turns the direction of another");
    }
}

#[test]
fn nothing_is_loaded_and_only_its_own_script_and_style_run() {
    let page = page(Language::En);
    for reference in ["http:", "https:", "//", "src=\"", "@import", "url(", "style=\"", " on"] {
        let outside = page.split("<script>").next().unwrap();
        let inside_style =
            outside.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        let markup = outside.replace(inside_style, "");
        match reference {
            // Words of a text, not attributes.
            " on" => {
                assert!(!markup.contains("=\"\" on") && !markup.contains("\" on"), "{reference}")
            }
            "//" => assert!(!inside_style.contains(reference), "{reference}"),
            _ => assert!(!outside.contains(reference), "{reference}"),
        }
    }
    let between = |start: &str, end: &str| {
        page.split(start).nth(1).unwrap().split(end).next().unwrap().to_owned()
    };
    let policy = between("Content-Security-Policy\" content=\"", "\">");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    for (kind, part) in
        [("style", between("<style>", "</style>")), ("script", between("<script>", "</script>"))]
    {
        let digest = Sha256::digest(part.as_bytes());
        assert!(policy.contains(&format!("{kind}-src 'sha256-{}'", base64(&digest))), "{policy}");
    }
}

/// Base64, bit by bit: another way than the page's own.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let mut out = String::new();
    for six in bits.as_bytes().chunks(6) {
        let text = format!("{:0<6}", std::str::from_utf8(six).unwrap());
        out.push(char::from(LETTERS[usize::from_str_radix(&text, 2).unwrap()]));
    }
    while !out.len().is_multiple_of(4) {
        out.push('=');
    }
    out
}

#[test]
fn sensitive_values_stand_in_no_report() {
    let settings = Settings::default();
    let first = "employeeNumber;lastName;firstName;dtContractStart;dtBirth\n7;Roy;Zo\u{e9};2024-01-08;1990-05-04\n";
    let next = "employeeNumber;lastName;firstName;dtContractStart;dtBirth\n7;Roy;Zo\u{e9};2024-01-08;1991-06-05\n8;Sol;Ann;2024-01-08;1982-13-45\n";
    let before = plan(first.as_bytes(), "a.csv", &settings, &empty_directory());
    let after = plan(next.as_bytes(), "b.csv", &settings, &applied(empty_directory(), &before));
    for plan in [before, after] {
        let mut held = plan.report.clone();
        held.dry_run = true;
        for report in [plan.report, held] {
            let language = Language::De;
            for bytes in [html(&report, language), csv(&report, language), json(&report, language)]
            {
                let text = String::from_utf8(bytes).unwrap();
                for secret in ["1990", "1991", "1982"] {
                    assert!(!text.contains(secret), "{secret} in {text}");
                }
                assert!(!text.contains("<html") || text.contains("<bdi>•••</bdi>"));
            }
        }
    }
}

#[test]
fn every_language_has_the_same_page() {
    let shape = |page: &str| {
        let tags: Vec<&str> =
            page.split('<').skip(1).filter_map(|t| t.split([' ', '>']).next()).collect();
        tags.join(" ")
    };
    let pages = Language::ALL.map(page);
    assert!(pages.iter().all(|page| shape(page) == shape(&pages[0])));
    for (page, language) in pages.iter().zip(Language::ALL) {
        assert!(page.contains(&format!("<html lang=\"{}\">", language.code())));
    }
}
