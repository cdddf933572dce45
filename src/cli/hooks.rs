//! `hooks …`: the programs and addresses that are told of imports, and a test of one.

use clap::Subcommand;

use super::{Outcome, Place};
use crate::model::UploadId;

/// `hooks …`
#[derive(Debug, Subcommand)]
pub enum HooksCommand {
    /// List the hooks of the configuration, and how their last calls went
    List,
    /// Call a hook at once, and say what came back
    Test {
        /// The hook's name
        name: String,
        /// With the report of this import, instead of a test message
        #[arg(long, value_name = "ID")]
        import: Option<UploadId>,
    },
}

pub(super) fn run(place: &Place, command: HooksCommand) -> Outcome {
    let service = place.service()?;
    let out = place.out;
    match command {
        HooksCommand::List => out.either(&service.hooks()?, |out, hooks| {
            if hooks.is_empty() {
                return out
                    .line("The configuration has no hooks; docs/hooks.md shows how to write one.");
            }
            out.table(
                &["Hook", "Calls", "On", "Clients", "Waiting", "Last call"],
                hooks.iter().map(|hook| {
                    let on: Vec<&str> = hook.on.iter().map(|event| event.name()).collect();
                    let last = hook.last.as_ref().map(|job| match &job.failure {
                        Some(failure) => format!("{}: {failure}", job.state.name()),
                        None => job.state.name().to_owned(),
                    });
                    vec![
                        hook.name.clone(),
                        hook.target.clone(),
                        on.join(", "),
                        if hook.clients.is_empty() {
                            "all".to_owned()
                        } else {
                            hook.clients.join(", ")
                        },
                        hook.waiting.to_string(),
                        last.unwrap_or_default(),
                    ]
                }),
            )
        }),
        HooksCommand::Test { name, import } => {
            let told = service.test_hook(&name, import)?;
            out.either(&serde_json::json!({ "hook": name, "answer": told }), |out, _| {
                out.line(format!("The hook {name} was told. Answer: {told}"))
            })
        }
    }
}
