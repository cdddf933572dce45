//! How one import setting is shown in a form and read from it: between TOML values and the fields of a form.

use toml::{Table, Value};

use crate::admin::form::Pairs;
use crate::import::codes::Words;
use crate::import::fields::{Field, FieldKey};
use crate::import::report::field_words;
use crate::import::settings::find;
use crate::model::Language;
use crate::schedule::{Days, Trigger, clock_time};

/// The names of the days in settings, from Monday on.
pub(super) const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A setting as a form shows it.
pub(super) struct Setting {
    /// Its place in the document: `guards.endings`.
    pub(super) name: &'static str,
    /// What it is called.
    pub(super) label: Words,
    /// What it does.
    pub(super) hint: Words,
    /// What counts where it is not set.
    pub(super) default: Words,
    pub(super) control: Control,
    /// When it means anything.
    pub(super) only: Only,
}

/// When a setting means anything; else it is taken out of the document.
pub(super) enum Only {
    Always,
    /// Another setting has this value.
    With(&'static str, &'static str),
    /// One of these others is set.
    WithAny(&'static [&'static str]),
}

/// Words that a value of the settings is shown by.
pub(super) type Choices = &'static [(&'static str, Words)];

/// What kind of field it is.
pub(super) enum Control {
    /// One of these words.
    Choice(Choices),
    YesNo,
    Text,
    Number,
    /// A time of day.
    Time,
    /// Any of these words; the default ones.
    Several(Choices, &'static [&'static str]),
    /// Any of these fields; by default none.
    Fields(&'static [Field]),
    /// A count and a share, or `off`; the default ones.
    Limit(u64, u32),
    /// When something is done; what it is at once, or by command only.
    When(&'static str, Words),
    Days,
    Recipients,
}

/// The first value of a name in a form.
pub(in crate::admin::pages) fn field<'p>(pairs: &'p Pairs, name: &str) -> &'p str {
    pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
}

/// All values of a name in a form.
pub(in crate::admin::pages) fn fields<'p>(pairs: &'p Pairs, name: &str) -> Vec<&'p str> {
    pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.trim()).collect()
}

impl Setting {
    pub(super) fn path(&self) -> Vec<String> {
        self.name.split('.').map(str::to_owned).collect()
    }

    /// What the document says about it.
    pub(super) fn now<'t>(&self, document: &'t Table) -> Option<&'t Value> {
        find(document, &self.path())
    }

    /// The form's fields that stand for a value.
    pub(super) fn pairs(&self, value: Option<&Value>) -> Pairs {
        let one = |text: String| vec![(self.name.to_owned(), text)];
        let text = value.map(plain).unwrap_or_default();
        match &self.control {
            Control::Choice(_) | Control::YesNo | Control::Text | Control::Number => one(text),
            Control::Time => one(text
                .strip_suffix(":00")
                .filter(|t| t.contains(':'))
                .unwrap_or(&text)
                .to_owned()),
            Control::Several(..) | Control::Fields(_) => {
                let defaults = self.defaults();
                let chosen =
                    value.and_then(Value::as_array).map(|all| all.iter().map(plain).collect());
                let chosen: Vec<String> =
                    chosen.unwrap_or_else(|| defaults.iter().map(|d| (*d).to_owned()).collect());
                chosen.into_iter().map(|word| (self.name.to_owned(), word)).collect()
            }
            Control::Limit(..) => self.limit_pairs(value),
            Control::When(..) => self.when_pairs(&text),
            Control::Days => {
                let days = Days::parse(if text.is_empty() { "mon-fri" } else { &text });
                self.day_pairs(self.name.to_owned(), days.unwrap_or(Days::WORKING))
            }
            Control::Recipients => self.recipient_pairs(value),
        }
    }

    fn day_pairs(&self, name: String, days: Days) -> Pairs {
        let all = days.to_string();
        let is_on = |day: &str| Days::parse(&format!("{all},{day}")).is_ok_and(|with| with == days);
        DAYS.into_iter()
            .filter(|day| is_on(day))
            .map(|day| (name.clone(), day.to_owned()))
            .collect()
    }

    fn limit_pairs(&self, value: Option<&Value>) -> Pairs {
        let state = match value {
            None => "",
            Some(Value::String(_)) => "off",
            Some(_) => "own",
        };
        let part = |name: &str| {
            let number = value.and_then(Value::as_table).and_then(|table| table.get(name));
            (format!("{}.{name}", self.name), number.map(plain).unwrap_or_default())
        };
        vec![(self.name.to_owned(), state.to_owned()), part("count"), part("percent")]
    }

    fn when_pairs(&self, text: &str) -> Pairs {
        let part = |name: &str, value: String| (format!("{}.{name}", self.name), value);
        let kind = |kind: &str| (self.name.to_owned(), kind.to_owned());
        match Trigger::parse(text) {
            Ok(Trigger::Every { minutes }) => {
                vec![kind("every"), part("minutes", minutes.to_string())]
            }
            Ok(Trigger::Daily { at, days }) => {
                let mut pairs = vec![kind("daily"), part("at", clock_time(at))];
                pairs.extend(self.day_pairs(format!("{}.days", self.name), days));
                pairs
            }
            Ok(Trigger::Cron(cron)) => vec![kind("cron"), part("cron", cron.to_string())],
            Ok(Trigger::Upload) => vec![kind("upload")],
            Err(_) => vec![kind(text)],
        }
    }

    fn recipient_pairs(&self, value: Option<&Value>) -> Pairs {
        let mut pairs = Pairs::new();
        for one in value.and_then(Value::as_array).into_iter().flatten() {
            let (is, to, language) = match one {
                Value::Table(table) => {
                    let get = |name: &str| table.get(name).map(plain).unwrap_or_default();
                    let is = if table.contains_key("user") { "user" } else { "address" };
                    (is, get(is), get("language"))
                }
                one => {
                    let text = plain(one);
                    let parted =
                        text.split_once(':').filter(|(l, _)| l.parse::<Language>().is_ok());
                    let (language, to) = parted.unwrap_or(("", &text));
                    ("address", to.to_owned(), language.to_owned())
                }
            };
            for (part, value) in [("is", is.to_owned()), ("to", to), ("language", language)] {
                pairs.push((format!("{}.{part}", self.name), value));
            }
        }
        pairs
    }

    /// What a form says about it: its own fields and their parts.
    fn of<'p>(&'p self, pairs: &'p Pairs) -> impl Iterator<Item = &'p (String, String)> {
        pairs.iter().filter(|(key, _)| {
            let rest = key.strip_prefix(self.name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// The hidden field that says what a form showed; with it, a form without a tick says "none of them".
    pub(super) fn was(&self) -> String {
        format!("was.{}", self.name)
    }

    /// A value as that field holds it.
    pub(super) fn shown_value(&self, pairs: &Pairs) -> String {
        self.value(pairs).map(|value| value.to_string()).unwrap_or_default()
    }

    /// What somebody entered; where they left what they were shown, or the form does not name it, what is saved now.
    pub(super) fn entered(&self, pairs: &Pairs, document: &Table) -> Pairs {
        let was = self.was();
        let was = pairs.iter().find(|(key, _)| *key == was).map(|(_, value)| value.as_str());
        let own: Pairs = self.of(pairs).cloned().collect();
        let is_left = match was {
            None => own.is_empty(),
            Some(was) => was == self.shown_value(&own),
        };
        if is_left { self.pairs(self.now(document)) } else { own }
    }

    /// The value that the form's fields stand for; `None`: it is not set.
    pub(super) fn value(&self, pairs: &Pairs) -> Option<Value> {
        let text = field(pairs, self.name);
        match &self.control {
            Control::Choice(_) => choice_value(text),
            Control::YesNo => match text {
                "true" => Some(Value::Boolean(true)),
                "false" => Some(Value::Boolean(false)),
                _ => None,
            },
            Control::Text | Control::Time => Some(text).filter(|t| !t.is_empty()).map(Value::from),
            Control::Number => number(text),
            Control::Several(..) | Control::Fields(_) => {
                let chosen = fields(pairs, self.name);
                // In the order of the choices, whatever the browser sent.
                let mut known = self.words(Language::En);
                known.retain(|(word, _)| chosen.contains(word));
                let known: Vec<&str> = known.into_iter().map(|(word, _)| word).collect();
                (known != self.defaults())
                    .then(|| Value::Array(known.into_iter().map(Value::from).collect()))
            }
            Control::Limit(..) => self.limit_value(text, pairs),
            Control::When(at_once, _) => self.when_value(text, at_once, pairs),
            Control::Days => {
                let days = fields(pairs, self.name).join(",");
                let days = Days::parse(&days).map_or(days, |days| days.to_string());
                (days != "mon-fri").then_some(Value::String(days))
            }
            Control::Recipients => self.recipients_value(pairs),
        }
    }

    fn limit_value(&self, state: &str, pairs: &Pairs) -> Option<Value> {
        if state != "own" {
            return Some(state).filter(|state| !state.is_empty()).map(Value::from);
        }
        let mut limit = Table::new();
        for part in ["count", "percent"] {
            if let Some(value) = number(field(pairs, &format!("{}.{part}", self.name))) {
                limit.insert(part.to_owned(), value);
            }
        }
        Some(Value::Table(limit))
    }

    fn when_value(&self, kind: &str, at_once: &str, pairs: &Pairs) -> Option<Value> {
        let part = |name: &str| field(pairs, &format!("{}.{name}", self.name));
        let text = match kind {
            "" => return None,
            "every" => format!("every {} minutes", part("minutes")),
            "daily" => {
                let days = fields(pairs, &format!("{}.days", self.name)).join(",");
                let every_day = Days::parse(&days).is_ok_and(|days| days == Days::ALL);
                let days = if every_day { "" } else { &days };
                format!("daily {} {days}", part("at")).trim_end().to_owned()
            }
            "cron" => format!("cron {}", part("cron")),
            _ if kind == at_once => at_once.to_owned(),
            other => other.to_owned(),
        };
        Some(Value::String(Trigger::parse(&text).map_or(text, |trigger| trigger.to_string())))
    }

    fn recipients_value(&self, pairs: &Pairs) -> Option<Value> {
        let part = |name: &str| fields(pairs, &format!("{}.{name}", self.name));
        let (is, to, languages) = (part("is"), part("to"), part("language"));
        let mut all = Vec::new();
        for ((is, to), language) in is.into_iter().zip(to).zip(languages) {
            if to.is_empty() {
                continue;
            }
            all.push(match (is, language) {
                ("user", language) => {
                    let mut table = Table::new();
                    table.insert("user".to_owned(), to.into());
                    if !language.is_empty() {
                        table.insert("language".to_owned(), language.into());
                    }
                    Value::Table(table)
                }
                (_, "") => Value::from(to),
                (_, language) => Value::from(format!("{language}:{to}")),
            });
        }
        (!all.is_empty()).then_some(Value::Array(all))
    }

    /// The words that can be chosen.
    pub(super) fn words(&self, language: Language) -> Vec<(&'static str, String)> {
        match &self.control {
            Control::Choice(choices) | Control::Several(choices, _) => choices
                .iter()
                .map(|(word, words)| (*word, words.get(language).to_owned()))
                .collect(),
            Control::Fields(fields) => {
                let words = |field| field_words(&FieldKey::Known(field), language).into_owned();
                fields.iter().map(|field| (field.name(), words(*field))).collect()
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn defaults(&self) -> &'static [&'static str] {
        match &self.control {
            Control::Several(_, defaults) => defaults,
            _ => &[],
        }
    }
}

/// `false` is a value of its own in `encryption.required`.
fn choice_value(text: &str) -> Option<Value> {
    match text {
        "" => None,
        "false" => Some(Value::Boolean(false)),
        text => Some(Value::from(text)),
    }
}

/// What is no number goes on as it is: the settings refuse it in their own words.
fn number(text: &str) -> Option<Value> {
    match text.parse::<i64>() {
        _ if text.is_empty() => None,
        Ok(number) => Some(Value::Integer(number)),
        Err(_) => Some(Value::from(text)),
    }
}

/// A value as a field of a form holds it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
