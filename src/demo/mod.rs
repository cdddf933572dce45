//! `demo`: the whole story in a temporary folder, told by a real server and real clients on this machine.

mod chapters;
mod stage;

use std::pin::pin;

use crate::cli::output::Tone;
use crate::cli::serve::{runtime, stop_signal};
use crate::cli::{DemoArgs, Outcome, Place, bound};
use chapters::Story;
use stage::Stage;

/// How the telling ended.
enum Told {
    ToTheEnd,
    Interrupted,
}

/// Plays the story; without `--once` the server then stays up until Ctrl-C. Nothing is left behind.
///
/// # Errors
/// What went wrong, as the command that it stands for would say it.
pub fn run(place: &Place, args: &DemoArgs) -> Outcome {
    let stage = Stage::build()?;
    let played = runtime()?.block_on(async {
        // Before the first word, so that Ctrl-C in the middle of the story tidies up too.
        let mut stop = pin!(stop_signal()?);
        let running = stage.start().await?;
        // The sheet and the commands to try read the ports from there.
        let noted = bound::note(stage.data(), running.bound().into())?;
        let mut story = Story::new(place.out, &stage, &running);
        let told = tokio::select! {
            told = tell(&mut story, args) => told.map(|()| Told::ToTheEnd),
            () = &mut stop => Ok(Told::Interrupted),
        };
        if matches!(told, Ok(Told::ToTheEnd)) && !args.once {
            stop.await;
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

async fn tell(story: &mut Story<'_>, args: &DemoArgs) -> Outcome {
    story.hand_out()?;
    story.first_day().await?;
    story.same_file_again().await?;
    story.second_day().await?;
    story.another_client().await?;
    if args.once { Ok(()) } else { story.what_to_try() }
}
