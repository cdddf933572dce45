//! `template CLIENT FOLDER`: an empty CSV that fits the folder's settings, with one invented person.

use clap::Args;

use super::{Outcome, Place};

/// `template …`
#[derive(Debug, Args)]
pub struct TemplateArgs {
    /// The client
    client: String,
    /// The import folder's name
    folder: String,
}

pub(super) fn run(place: &Place, args: &TemplateArgs) -> Outcome {
    let template = place.service()?.template(&args.client, &args.folder)?;
    if place.out.is_json() {
        return place.out.json(&template.columns);
    }
    place.out.bytes(template.csv.as_bytes())
}
