//! What is sent to others: each job of the outbox in its lane's order, tried until it is done or given up.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{Service, deliver, hooks, mail, webhooks};
use crate::error::{Error, Kind, Result};
use crate::store::registry::NewJob;

pub use crate::store::registry::{JobFilter, JobKind, JobState, OutboxJob};

/// How often the outbox is looked at.
const LOOK_PAUSE: Duration = Duration::from_millis(300);
/// How long the next try waits after each failure; the last one again and again.
const PAUSES_S: [i64; 8] = [10, 30, 60, 120, 300, 600, 1800, 3600];
/// How often finished jobs are looked for that are old enough to be forgotten.
const FORGET_EVERY: u32 = 10_000;

/// Why a job was not done.
pub(super) enum Trouble {
    /// Another try may do it: it did not answer, it was busy, its disk was full.
    Again(Error),
    /// The client's own server or the mail server is not there, or breaks off: it is waited for, however long that takes.
    Away(Error),
    /// No try will: it was refused for good.
    Never(Error),
    /// Nobody wants it any more, and why: it was overtaken, or what it is about is gone.
    Moot(String),
}

impl Trouble {
    /// Why, whatever follows from it.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Again(error) | Self::Away(error) | Self::Never(error) => error,
            Self::Moot(why) => Error::new(Kind::Conflict, why),
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Again(error)
    }
}

/// What a job ended as.
type Ended = (OutboxJob, std::result::Result<(), Trouble>);

/// What is being sent.
struct Sending {
    running: JoinSet<Ended>,
    /// Lanes with a job under way, or with one that is not noted yet.
    lanes: HashSet<String>,
    /// Jobs that ended while nothing could be written. As long as that is not noted they look due: their lanes stay
    /// taken, or the same message would go out again and again.
    unnoted: Vec<Ended>,
    /// When it was last tried to note them.
    tried_at: Instant,
}

impl Service {
    /// The jobs of the outbox, newest first.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client.
    pub fn outbox(&self, filter: &JobFilter) -> Result<Vec<OutboxJob>> {
        if let Some(client) = &filter.client {
            self.client(client)?;
        }
        self.registry().jobs(filter)
    }

    /// Has a job that waits or was given up tried again at once.
    ///
    /// # Errors
    /// `Kind::NotFound`; `Kind::Conflict` for one that was done.
    pub fn retry_job(&self, id: i64) -> Result<OutboxJob> {
        let job = self.registry().retry_job(id, self.clock().now())?;
        self.record("outbox.retry", &job.key, "");
        Ok(job)
    }

    /// Queues a job; a key that is known already is left as it stands.
    pub(super) fn queue_job(&self, job: &NewJob) -> Result<bool> {
        self.registry().queue_job(job, self.clock().now())
    }
}

/// Sends what is due until the service stops. A thread of its own.
pub(super) fn run(service: &Service, stopping: &AtomicBool) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("outgoing")
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => {
            runtime.block_on(serve(service, stopping));
            // What hangs in a server that does not answer is not waited for: its job is still in the outbox.
            runtime.shutdown_timeout(Duration::from_secs(1));
        }
        Err(error) => tracing::error!(%error, "nothing can be sent: no threads for it"),
    }
}

async fn serve(service: &Service, stopping: &AtomicBool) {
    let mut sending = Sending {
        running: JoinSet::new(),
        lanes: HashSet::new(),
        unnoted: Vec::new(),
        tried_at: Instant::now(),
    };
    let mut looks: u32 = 0;
    while !stopping.load(Ordering::Acquire) {
        if looks.is_multiple_of(FORGET_EVERY)
            && let Err(error) = forget(service)
        {
            tracing::warn!(%error, "forgetting what was sent long ago");
        }
        looks = looks.wrapping_add(1);
        sending.note_again(service);
        match service.registry().due_jobs(service.clock().now()) {
            Ok(due) => sending.begin(service, due),
            Err(error) => tracing::warn!(%error, "looking for what is to be sent"),
        }
        let ended = tokio::time::timeout(LOOK_PAUSE, async {
            match sending.running.join_next().await {
                Some(ended) => ended,
                None => std::future::pending().await,
            }
        });
        match ended.await {
            Ok(Ok((job, outcome))) => match settle(service, &job, &outcome) {
                Ok(()) => {
                    sending.lanes.remove(&job.lane);
                }
                Err(error) => {
                    tracing::error!(%error, job = job.key, "noting how a job ended; nothing else of its lane goes out before that is noted");
                    sending.unnoted.push((job, outcome));
                }
            },
            // Only noting how a job ended is left that could panic: its lane stays taken until the next start.
            Ok(Err(error)) => tracing::error!(code = "E901", %error, "sending panicked"),
            Err(_elapsed) => {}
        }
    }
}

impl Sending {
    /// Begins the jobs whose lanes are free, as long as there is a place for them.
    fn begin(&mut self, service: &Service, due: Vec<OutboxJob>) {
        for job in due {
            let most = service.config().outgoing.jobs;
            if self.running.len() >= most || !self.lanes.insert(job.lane.clone()) {
                continue;
            }
            let service = service.clone();
            self.running.spawn(async move { attempt(&service, job).await });
        }
    }

    /// Notes what could not be noted before.
    fn note_again(&mut self, service: &Service) {
        if self.unnoted.is_empty() || self.tried_at.elapsed() < LOOK_PAUSE {
            return;
        }
        for (job, outcome) in std::mem::take(&mut self.unnoted) {
            match settle(service, &job, &outcome) {
                Ok(()) => {
                    self.lanes.remove(&job.lane);
                }
                Err(error) => {
                    tracing::debug!(%error, job = job.key, "noting how a job ended");
                    self.unnoted.push((job, outcome));
                }
            }
        }
        self.tried_at = Instant::now();
    }
}

async fn attempt(service: &Service, job: OutboxJob) -> Ended {
    let limit = Duration::from_secs(service.config().outgoing.timeout_s);
    // A task of its own: a panic over one job must not close its lane to all that wait behind it.
    let mut task = tokio::spawn({
        let (service, job) = (service.clone(), job.clone());
        async move { carry_out(&service, &job).await }
    });
    let done = match tokio::time::timeout(limit, &mut task).await {
        Ok(Ok(done)) => done,
        Ok(Err(panicked)) => Err(Trouble::Again(Error::caused(
            Kind::Internal,
            "sending it ended the task (E901)",
            panicked,
        ))),
        Err(_elapsed) => Err(Trouble::Again(Error::new(
            Kind::Busy,
            format!("not done within {} s (outgoing.timeout_s)", limit.as_secs()),
        ))),
    };
    task.abort();
    (job, done)
}

async fn carry_out(service: &Service, job: &OutboxJob) -> std::result::Result<(), Trouble> {
    match job.kind {
        JobKind::Mail => mail::send(service, job).await,
        JobKind::Delivery => deliver::deliver(service, job).await,
        JobKind::Hook => hooks::tell(service, job).await,
        JobKind::Webhook => webhooks::tell(service, job).await,
    }
}

fn settle(
    service: &Service,
    job: &OutboxJob,
    outcome: &std::result::Result<(), Trouble>,
) -> Result<()> {
    let now = service.clock().now();
    let registry = service.registry();
    let most = u64::from(service.config().outgoing.attempts);
    let tries = job.attempts.saturating_add(1);
    let (error, tries, is_final) = match outcome {
        Ok(()) => {
            registry.finish_job(job.id, JobState::Done, now, None)?;
            match job.kind {
                JobKind::Mail | JobKind::Hook => mail::went_out(service, job),
                JobKind::Webhook => webhooks::went_out(service, job),
                JobKind::Delivery => deliver::over(service, job),
            }
            return Ok(());
        }
        Err(Trouble::Moot(why)) => {
            tracing::info!(job = job.key, why, "not sent: nobody wants it any more");
            registry.finish_job(job.id, JobState::Withdrawn, now, Some(why))?;
            match job.kind {
                JobKind::Mail | JobKind::Hook => mail::withdrawn(service, job)?,
                JobKind::Delivery => deliver::over(service, job),
                JobKind::Webhook => {}
            }
            return Ok(());
        }
        Err(Trouble::Never(error)) => (error, tries, true),
        Err(Trouble::Again(error)) => (error, tries, tries >= most),
        Err(Trouble::Away(error)) => (error, tries_away(job.attempts, most), false),
    };
    if job.kind == JobKind::Webhook && webhooks::failed(service, job, error, is_final)? {
        // Paused: its jobs are withdrawn, this one too.
        return Ok(());
    }
    if is_final {
        tracing::error!(job = job.key, %error, "given up: it was not sent");
        // The alarm first: a crash in between must not leave a job given up that nobody hears of.
        match job.kind {
            JobKind::Mail | JobKind::Hook => mail::given_up(service, job, error),
            JobKind::Delivery => deliver::given_up(service, job, error),
            JobKind::Webhook => {}
        }
        return registry.finish_job(job.id, JobState::Failed, now, Some(error.message()));
    }
    let at = usize::try_from(job.attempts).unwrap_or(usize::MAX);
    let pause = PAUSES_S.get(at).or(PAUSES_S.last()).copied().unwrap_or(3600);
    tracing::warn!(job = job.key, %error, pause_s = pause, "not sent; it is tried again");
    let next = now.saturating_add(jiff::SignedDuration::from_secs(pause));
    registry.postpone_job(job.id, tries, next.unwrap_or(now), error.message())
}

/// How many tries are used up after one for which the server was away. They only lengthen the pause: half of the
/// `most` that a job has, or more, is left for the day when the server is back and refuses.
fn tries_away(before: u64, most: u64) -> u64 {
    let longest_pause = u64::try_from(PAUSES_S.len()).unwrap_or(u64::MAX);
    let enough = longest_pause.min(most / 2).max(1);
    before.max(before.saturating_add(1).min(enough))
}

fn forget(service: &Service) -> Result<()> {
    let days = i64::from(service.config().retention.archive_days);
    if days == 0 {
        return Ok(());
    }
    let now = service.clock().now();
    let before = now.checked_sub(jiff::SignedDuration::from_hours(24 * days)).unwrap_or(now);
    service.registry().forget_jobs(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_away_lengthens_the_pause_and_uses_up_no_tries_that_a_refusal_needs() {
        for (most, expected) in [(30, 8), (10, 5), (2, 1), (1, 1)] {
            let after_a_week = (0..200).fold(0, |tries, _| tries_away(tries, most));
            assert_eq!(after_a_week, expected, "{most}");
        }
        // What was refused before stays counted.
        assert_eq!(tries_away(20, 30), 20);
        assert_eq!((tries_away(0, 30), tries_away(1, 30)), (1, 2));
    }
}
