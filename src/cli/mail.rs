//! `mail …`: the e-mails that went out or wait, and a test of the settings.

use clap::Subcommand;

use super::{Outcome, Place};
use crate::model::Language;

/// `mail …`
#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// List the last e-mails: to whom, what about, and whether they went out
    List {
        /// Only those about this client
        client: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Send a test message at once, and say what the server answered
    Test {
        /// The address
        address: String,
        /// Its language: en, fr or de
        #[arg(long, default_value = "en")]
        language: Language,
    },
}

pub(super) fn run(place: &Place, command: MailCommand) -> Outcome {
    let begins = matches!(command, MailCommand::Test { .. });
    let service = if begins { place.service_or_new()? } else { place.service()? };
    let out = place.out;
    match command {
        MailCommand::List { client, limit } => {
            out.either(&service.mails(client.as_deref(), None, limit)?, |out, mails| {
                if mails.is_empty() {
                    return out.line("No e-mail was queued yet.");
                }
                out.table(
                    &["Job", "Queued (UTC)", "To", "State", "Tries", "About", "Why not"],
                    mails.iter().map(|mail| {
                        let job = &mail.job;
                        vec![
                            job.id.to_string(),
                            super::moment(job.created_at),
                            mail.to.clone(),
                            job.state.name().to_owned(),
                            job.attempts.to_string(),
                            job.key.clone(),
                            job.failure.clone().unwrap_or_default(),
                        ]
                    }),
                )
            })
        }
        MailCommand::Test { address, language } => {
            let told = service.send_test_mail(&address, language)?;
            out.either(&serde_json::json!({ "sent": address, "how": told }), |out, _| {
                out.line(&told)
            })
        }
    }
}
