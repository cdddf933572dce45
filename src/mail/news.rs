//! Messages for operators: alarms, and the test of the settings.

use super::body::{self, Part, Tone, one_line};
use super::report::Told;
use super::words::Labels;
use crate::model::Language;

/// The message about an alarm, in English, as all that operators read.
#[must_use]
pub fn alarm(code: &str, client: Option<&str>, about: &str, text: &str) -> Told {
    let whose = client.map(|client| format!(" ({client})")).unwrap_or_default();
    let subject = format!("[ALARM {code}] {}{whose}", one_line(about));
    let mut command = "rollcall alarms".to_owned();
    if let Some(client) = client {
        command = format!("{command} {client}");
    }
    let parts = [
        Part::Title(Tone::Bad, subject.clone()),
        Part::Text(text.to_owned()),
        Part::Text("All alarms that stand:".to_owned()),
        Part::Command(command),
        Part::Small(Labels::of(Language::En).automatic.to_owned()),
    ];
    let html = body::html(&parts, &subject, Language::En.code());
    Told { text: body::text(&parts), html, subject }
}

/// The test message.
#[must_use]
pub fn trial(language: Language) -> Told {
    let l = Labels::of(language);
    let parts = [Part::Title(Tone::Good, l.trial.to_owned()), Part::Small(l.automatic.to_owned())];
    let subject = format!("[TEST] {}", l.trial_subject);
    let html = body::html(&parts, &subject, language.code());
    Told { text: body::text(&parts), html, subject }
}
