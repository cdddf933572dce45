use std::collections::BTreeSet;

use super::*;

/// What every message knows of itself (`render::param`).
const OWN: [&str; 9] =
    ["line", "lines", "count", "cell", "column", "value", "kept", "person", "field"];

/// What only the messages of a dry run know.
const OF_DRY_RUN: &str = "dry_run";

fn placeholders(template: &str) -> BTreeSet<&str> {
    let names = template.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0));
    names.map(|name| name.split_once('|').map_or(name, |(name, _)| name)).collect()
}

#[test]
fn one_person_is_no_people() {
    let check = |language, number: &str, expected: &str| {
        let words = entry(Code::G609, "").text.get(language);
        let known = |name: &str| matches!(name, "observed" | "of").then(|| number.into());
        let text = fill(words, language, known);
        assert!(text.contains(expected), "{text}");
    };
    check(Language::En, "1", "for 1 person, where 1 is active");
    check(Language::En, "0", "for 0 people, where 0 are active");
    check(Language::Fr, "0", "de 0 personne serait levée ou repoussée, pour 0 personne active (");
    check(
        Language::Fr,
        "2",
        "de 2 personnes serait levée ou repoussée, pour 2 personnes actives (",
    );
    check(Language::De, "1", "von 1 Person aufgehoben oder verschoben, bei 1 aktiven Person (");
}

#[test]
fn every_code_has_a_text_and_no_text_is_there_twice() {
    let mut seen = BTreeSet::new();
    for entry in entries() {
        assert!(
            seen.insert((entry.code, entry.why)),
            "{} \"{}\" is there twice",
            entry.code,
            entry.why
        );
    }
    for code in Code::ALL {
        assert!(seen.iter().any(|(known, _)| known == code), "{code} has no text");
    }
}

#[test]
fn every_text_says_the_same_in_every_language() {
    for entry in entries() {
        let place = format!("{} \"{}\"", entry.code, entry.why);
        for words in [entry.text, entry.cure] {
            let english = placeholders(words.en);
            for language in [Language::Fr, Language::De] {
                let text = words.get(language);
                assert_eq!(text.is_empty(), words.en.is_empty(), "{place} in {language:?}");
                assert_eq!(placeholders(text), english, "{place} in {language:?}");
            }
            for name in english {
                let is_known = OWN.contains(&name)
                    || name == OF_DRY_RUN
                    || entry.example.iter().any(|(known, _)| *known == name);
                assert!(is_known, "{place}: nothing is known of {{{name}}}");
            }
        }
        assert!(!entry.text.en.is_empty(), "{place}");
    }
}

#[test]
fn a_dry_run_names_no_import_to_approve() {
    // What was approved or received before is no dry run.
    let is_decided = |entry: &&Entry| matches!(entry.code, Code::G606 | Code::E901);
    let held = entries().filter(|entry| entry.effect == Effect::Held && !is_decided(entry));
    for entry in held {
        let cure = |language, name: &'static str| {
            fill(entry.cure.get(language), language, |known| (known == name).then(|| "1".into()))
        };
        let place = format!("{} \"{}\"", entry.code, entry.why);
        for (language, approve, send) in [
            (Language::En, "operator to approve import 1", "to the import folder, where"),
            (Language::Fr, "d’approuver l’import 1", "dans le dossier d’import, où"),
            (Language::De, "den Import 1 freizugeben", "in den Importordner, wo"),
        ] {
            let (real, tried) = (cure(language, "import"), cure(language, OF_DRY_RUN));
            assert!(real.contains(approve) && !real.contains(send), "{place}: {real}");
            assert!(tried.contains(send) && !tried.contains('1'), "{place}: {tried}");
            assert!(!tried.contains("freizugeben"), "{place}: {tried}");
        }
    }
}

#[test]
fn what_somebody_must_mend_has_a_cure() {
    for entry in entries() {
        if matches!(entry.level, Level::Fatal | Level::Error | Level::Field) {
            assert!(!entry.cure.en.is_empty(), "{} \"{}\"", entry.code, entry.why);
        }
    }
}

#[test]
fn typography_is_that_of_the_language() {
    for entry in entries() {
        for words in [entry.text, entry.cure] {
            let place = format!("{} \"{}\"", entry.code, entry.why);
            assert!(
                !words.fr.contains('\'') && !words.en.contains('\''),
                "{place}: an apostrophe is ’"
            );
            assert!(!words.fr.contains('“') && !words.fr.contains('„'), "{place}: quotes are « »");
            assert!(
                !words.de.contains('«') && !words.en.contains('«'),
                "{place}: quotes are „“, “”"
            );
            for sign in [" ,", " .", "..."] {
                let all = [words.en, words.fr, words.de];
                assert!(
                    all.iter().all(|text| !text.replace(" .xlsx", "").contains(sign)),
                    "{place}: \"{sign}\""
                );
            }
        }
    }
}

/// Where a French text could break before a sign that belongs to the word in front of it, or has no space there.
fn loose_sign(text: &str) -> Option<String> {
    // What stands in braces is filled in, with words of its own (`{count|ligne|lignes}`).
    let bare: String =
        text.split('}').map(|part| part.split('{').next().unwrap()).collect::<Vec<_>>().join("x");
    let signs: Vec<char> = bare.chars().collect();
    let around = |at: usize| {
        signs[at.saturating_sub(8)..(at + 3).min(signs.len())].iter().collect::<String>()
    };
    (0..signs.len()).find_map(|at| {
        let before = at.checked_sub(1).map(|at| signs[at]);
        let behind = signs.get(at + 1).copied();
        let is_loose = match signs[at] {
            '»' | ';' | '?' | '!' | '%' => before != Some('\u{a0}'),
            // `{header}:{line}` and `23:30` are no sentences.
            ':' => before != Some('\u{a0}') && !behind.is_some_and(char::is_alphanumeric),
            '«' => behind != Some('\u{a0}'),
            _ => false,
        };
        is_loose.then(|| around(at))
    })
}

#[test]
fn french_signs_never_stand_alone_on_the_next_line() {
    assert_eq!(loose_sign("«\u{a0}{value}\u{a0}»\u{a0}: {count|ligne|lignes}\u{a0}; fin."), None);
    for text in ["fin ; suite", "fin: suite", "« mot\u{a0}»", "«\u{a0}mot »", "Quoi?", "10 %"] {
        assert!(loose_sign(text).is_some(), "{text}");
    }
    for entry in entries() {
        for text in [entry.text.fr, entry.cure.fr] {
            assert_eq!(loose_sign(text), None, "{} \"{}\": {text}", entry.code, entry.why);
        }
    }
    // The other words of a report stand in its source, the three languages beside each other: English and German have
    // no space before these signs.
    for source in [
        include_str!("../report/words.rs"),
        include_str!("../report/held.rs"),
        include_str!("../report/render.rs"),
        include_str!("../report/html/labels.rs"),
        include_str!("../report/html/steps.rs"),
        include_str!("../report/html/view.rs"),
    ] {
        for line in source.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for literal in line.split('"').skip(1).step_by(2) {
                let loose = [" :", " ;", " ?", " !", " »", "« "];
                let found = loose.iter().find(|sign| literal.contains(**sign));
                assert_eq!(found, None, "{literal}");
            }
        }
    }
}
