//! The fields of a setting's form with what stands in them, in the language of the page.

use super::control::{Control, DAYS, Setting, field, fields};
use crate::admin::form::Pairs;
use crate::import::codes::Words;
use crate::model::Language;

/// Empty lines for further recipients.
const MORE_RECIPIENTS: usize = 3;

/// One field of a form.
pub(super) struct Input {
    pub(super) id: String,
    pub(super) name: String,
    /// Empty: the setting's own label says it.
    pub(super) label: String,
    pub(super) kind: InputKind,
}

pub(super) enum InputKind {
    Select(Vec<Choice>),
    Checks(Vec<Choice>),
    /// The input's type, its value, and what stands there while it is empty.
    Line(&'static str, String, String),
}

impl Input {
    pub(super) fn is_checks(&self) -> bool {
        matches!(self.kind, InputKind::Checks(_))
    }
}

pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) chosen: bool,
}

impl Setting {
    /// The fields with what stands in them.
    pub(super) fn inputs(&self, pairs: &Pairs, language: Language) -> Vec<Input> {
        let now = field(pairs, self.name);
        let default = format!("{} {}", as_default().get(language), self.default.get(language));
        let select = |choices: Vec<(&str, String)>| {
            vec![self.input("", "", InputKind::Select(chosen(choices, &[now])))]
        };
        let line =
            |kind| vec![self.input("", "", InputKind::Line(kind, now.to_owned(), String::new()))];
        match &self.control {
            Control::Choice(_) => {
                select([("", default)].into_iter().chain(self.words(language)).collect())
            }
            Control::YesNo => {
                let (yes, no) = (YES.get(language).to_owned(), NO.get(language).to_owned());
                select(vec![("", default), ("true", yes), ("false", no)])
            }
            Control::Text => line("text"),
            Control::Number => line("number"),
            Control::Time => line("time"),
            Control::Several(..) | Control::Fields(_) => {
                let checks = chosen(self.words(language), &fields(pairs, self.name));
                vec![self.input("", "", InputKind::Checks(checks))]
            }
            Control::Days => vec![self.days(self.name, "", pairs, language)],
            Control::Limit(count, percent) => {
                self.limit_inputs(pairs, (*count, *percent), language)
            }
            Control::When(at_once, words) => {
                self.when_inputs(pairs, (at_once, words.get(language)), default, language)
            }
            Control::Recipients => self.recipient_inputs(pairs, language),
        }
    }

    fn input(&self, part: &str, label: &str, kind: InputKind) -> Input {
        let dot = if part.is_empty() { "" } else { "." };
        let name = format!("{}{dot}{part}", self.name);
        Input { id: name.clone(), name, label: label.to_owned(), kind }
    }

    fn days(&self, name: &str, label: &str, pairs: &Pairs, language: Language) -> Input {
        let words = DAYS
            .into_iter()
            .zip(DAY_WORDS)
            .map(|(day, words)| (day, words.get(language).to_owned()));
        let checks = chosen(words.collect(), &fields(pairs, name));
        let (id, name) = (name.to_owned(), name.to_owned());
        Input { id, name, label: label.to_owned(), kind: InputKind::Checks(checks) }
    }

    fn limit_inputs(
        &self,
        pairs: &Pairs,
        (count, percent): (u64, u32),
        language: Language,
    ) -> Vec<Input> {
        let now = field(pairs, self.name);
        let choices = vec![
            (
                "",
                format!("{} {}", as_default().get(language), limit_words(count, percent, language)),
            ),
            ("own", LIMIT_OWN.get(language).to_owned()),
            ("off", LIMIT_OFF.get(language).to_owned()),
        ];
        let line = |part: &str, default: String| {
            let now = field(pairs, &format!("{}.{part}", self.name)).to_owned();
            InputKind::Line("number", now, default)
        };
        vec![
            self.input("", LIMIT_STATE.get(language), InputKind::Select(chosen(choices, &[now]))),
            self.input("count", LIMIT_COUNT.get(language), line("count", count.to_string())),
            self.input(
                "percent",
                LIMIT_PERCENT.get(language),
                line("percent", percent.to_string()),
            ),
        ]
    }

    fn when_inputs(
        &self,
        pairs: &Pairs,
        (at_once, words): (&'static str, &str),
        default: String,
        language: Language,
    ) -> Vec<Input> {
        let now = field(pairs, self.name);
        let mut choices = vec![("", default), (at_once, words.to_owned())];
        for (kind, words) in [("every", WHEN_EVERY), ("daily", WHEN_DAILY), ("cron", WHEN_CRON)] {
            choices.push((kind, words.get(language).to_owned()));
        }
        // What this version cannot read is shown as it stands.
        if !choices.iter().any(|(kind, _)| *kind == now) {
            choices.push((now, now.to_owned()));
        }
        let line = |part: &str, kind, example: &str| {
            let now = field(pairs, &format!("{}.{part}", self.name)).to_owned();
            InputKind::Line(kind, now, example.to_owned())
        };
        vec![
            self.input("", WHEN.get(language), InputKind::Select(chosen(choices, &[now]))),
            self.input("minutes", WHEN_MINUTES.get(language), line("minutes", "number", "15")),
            self.input("at", WHEN_AT.get(language), line("at", "time", "23:30")),
            self.days(&format!("{}.days", self.name), WHEN_DAYS.get(language), pairs, language),
            self.input("cron", WHEN_LINE.get(language), line("cron", "text", "0 6,18 * * mon-sat")),
        ]
    }

    fn recipient_inputs(&self, pairs: &Pairs, language: Language) -> Vec<Input> {
        let part = |name: &str| fields(pairs, &format!("{}.{name}", self.name));
        let (is, to, languages) = (part("is"), part("to"), part("language"));
        let written = to.len();
        let mut inputs = Vec::new();
        for place in 0..written + MORE_RECIPIENTS {
            let get = |all: &[&str]| all.get(place).copied().unwrap_or_default().to_owned();
            let kinds = vec![
                ("address", TO_ADDRESS.get(language).to_owned()),
                ("user", TO_USER.get(language).to_owned()),
            ];
            let mut codes = vec![("", TO_DEFAULT.get(language).to_owned())];
            codes.extend(
                [("en", "English"), ("fr", "Français"), ("de", "Deutsch")]
                    .map(|(c, w)| (c, w.to_owned())),
            );
            let number = place + 1;
            for (name, label, kind) in [
                ("to", TO, InputKind::Line("text", get(&to), String::new())),
                ("is", TO_IS, InputKind::Select(chosen(kinds, &[&get(&is)]))),
                ("language", TO_LANGUAGE, InputKind::Select(chosen(codes, &[&get(&languages)]))),
            ] {
                inputs.push(Input {
                    id: format!("{}.{name}.{number}", self.name),
                    name: format!("{}.{name}", self.name),
                    label: format!("{} {number}", label.get(language)),
                    kind,
                });
            }
        }
        inputs
    }
}

fn chosen(choices: Vec<(&str, String)>, now: &[&str]) -> Vec<Choice> {
    choices
        .into_iter()
        .map(|(value, label)| Choice {
            chosen: now.contains(&value),
            value: value.to_owned(),
            label,
        })
        .collect()
}

const fn w(en: &'static str, fr: &'static str, de: &'static str) -> Words {
    Words { en, fr, de }
}

fn as_default() -> Words {
    w("Default:", "Par défaut\u{a0}:", "Standard:")
}

fn limit_words(count: u64, percent: u32, language: Language) -> String {
    match language {
        Language::En => format!("more than {count} and more than {percent} %"),
        Language::Fr => format!("plus de {count} et plus de {percent}\u{a0}%"),
        Language::De => format!("mehr als {count} und mehr als {percent}\u{a0}%"),
    }
}

const YES: Words = w("Yes", "Oui", "Ja");
const NO: Words = w("No", "Non", "Nein");
const LIMIT_STATE: Words = w("Limit", "Limite", "Grenze");
const LIMIT_OWN: Words = w("Own limit", "Limite propre", "Eigene Grenze");
const LIMIT_OFF: Words = w(
    "Off: never holds a file",
    "Désactivée\u{a0}: ne met jamais de fichier en attente",
    "Aus: hält nie eine Datei an",
);
const LIMIT_COUNT: Words =
    w("Own limit: more than", "Limite propre\u{a0}: plus de", "Eigene Grenze: mehr als");
const LIMIT_PERCENT: Words =
    w("and more than (percent)", "et plus de (pour cent)", "und mehr als (Prozent)");
const WHEN: Words = w("When", "Quand", "Wann");
const WHEN_EVERY: Words = w("Every so many minutes", "Toutes les … minutes", "Alle … Minuten");
const WHEN_DAILY: Words = w("At a time of day", "À une heure de la journée", "Zu einer Uhrzeit");
const WHEN_CRON: Words = w("By a cron line", "Selon une ligne cron", "Nach einer Cron-Zeile");
const WHEN_MINUTES: Words = w("Minutes", "Minutes", "Minuten");
const WHEN_AT: Words = w("Time of day", "Heure", "Uhrzeit");
const WHEN_DAYS: Words = w(
    "On these days (none: every day)",
    "Ces jours-là (aucun\u{a0}: tous les jours)",
    "An diesen Tagen (keiner: jeden Tag)",
);
const WHEN_LINE: Words = w("Cron line", "Ligne cron", "Cron-Zeile");
const TO: Words = w("Recipient", "Destinataire", "Empfänger");
const TO_IS: Words = w("Kind of recipient", "Type de destinataire", "Art des Empfängers");
const TO_LANGUAGE: Words =
    w("Language for recipient", "Langue du destinataire", "Sprache für Empfänger");
const TO_ADDRESS: Words = w("E-mail address", "Adresse e-mail", "E-Mail-Adresse");
const TO_USER: Words = w(
    "User: login or employee number",
    "Utilisateur\u{a0}: identifiant ou matricule",
    "Benutzer: Benutzername oder Personalnummer",
);
const TO_DEFAULT: Words =
    w("The client’s language", "La langue du client", "Die Sprache des Kunden");
const DAY_WORDS: [Words; 7] = [
    w("Monday", "lundi", "Montag"),
    w("Tuesday", "mardi", "Dienstag"),
    w("Wednesday", "mercredi", "Mittwoch"),
    w("Thursday", "jeudi", "Donnerstag"),
    w("Friday", "vendredi", "Freitag"),
    w("Saturday", "samedi", "Samstag"),
    w("Sunday", "dimanche", "Sonntag"),
];
