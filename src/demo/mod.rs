//! `demo`: the whole story in a temporary folder, told by a real server and real clients on this machine.

mod chapters;
mod page;
mod stage;

use std::pin::pin;

use crate::cli::bound::{self, Addresses};
use crate::cli::output::Tone;
use crate::cli::serve::{runtime, stop_signal_or_hangup};
use crate::cli::{DemoArgs, Outcome, Place};
use chapters::Story;
use page::Page;
use stage::Stage;

/// How the telling ended.
enum Told {
    ToTheEnd,
    Interrupted,
}

/// Plays the story; without `--once` the server and its administration page then stay up until Ctrl-C. Nothing is left behind.
///
/// # Errors
/// What went wrong, as the command that it stands for would say it.
pub fn run(place: &Place, args: &DemoArgs) -> Outcome {
    let stage = Stage::build()?;
    let played = runtime()?.block_on(async {
        // Before the first word, so that Ctrl-C or a closed window in the middle of the story tidies up too.
        let mut stop = pin!(stop_signal_or_hangup()?);
        let running = stage.start().await?;
        let page = if args.once { None } else { Some(Page::open(&stage, &running).await?) };
        let mut addresses = Addresses::from(running.bound());
        addresses.admin = page.as_ref().map(Page::bound);
        // The sheet and the commands to try read the ports from there.
        let noted = bound::note(stage.data(), addresses)?;
        let mut story = Story::new(place.out, &stage, &running);
        let told = tokio::select! {
            told = tell(&mut story, page.as_ref()) => told.map(|()| Told::ToTheEnd),
            () = &mut stop => Ok(Told::Interrupted),
        };
        if matches!(told, Ok(Told::ToTheEnd)) && !args.once {
            stop.await;
        }
        if let Some(page) = page {
            page.close().await;
        }
        running.stop().await;
        drop(noted);
        told.map(drop)
    });
    stage.strike();
    played?;
    if place.out.is_json() {
        return Ok(());
    }
    place.out.toned(Tone::Faint, "\nThe demo's folder is removed; nothing is left behind.")
}

async fn tell(story: &mut Story<'_>, page: Option<&Page>) -> Outcome {
    story.hand_out()?;
    story.first_day().await?;
    story.same_file_again().await?;
    story.second_day().await?;
    story.another_client().await?;
    page.map_or(Ok(()), |page| story.what_to_try(page))
}
