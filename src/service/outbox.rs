//! What is sent to others: each job of the outbox in its lane's order, tried until it is done or given up.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

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
    /// No try will: it was refused for good.
    Never(Error),
    /// Nobody wants it any more, and why: it was overtaken, or what it is about is gone.
    Moot(String),
}

impl Trouble {
    /// Why, whatever follows from it.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Again(error) | Self::Never(error) => error,
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
    let mut running: JoinSet<Ended> = JoinSet::new();
    let mut lanes: HashSet<String> = HashSet::new();
    let mut looks: u32 = 0;
    while !stopping.load(Ordering::Acquire) {
        if looks.is_multiple_of(FORGET_EVERY)
            && let Err(error) = forget(service)
        {
            tracing::warn!(%error, "forgetting what was sent long ago");
        }
        looks = looks.wrapping_add(1);
        match service.registry().due_jobs(service.clock().now()) {
            Ok(due) => {
                for job in due {
                    let most = service.config().outgoing.jobs;
                    if running.len() >= most || !lanes.insert(job.lane.clone()) {
                        continue;
                    }
                    let service = service.clone();
                    running.spawn(async move { attempt(&service, job).await });
                }
            }
            Err(error) => tracing::warn!(%error, "looking for what is to be sent"),
        }
        let ended = tokio::time::timeout(LOOK_PAUSE, async {
            match running.join_next().await {
                Some(ended) => ended,
                None => std::future::pending().await,
            }
        });
        match ended.await {
            Ok(Ok((job, outcome))) => {
                lanes.remove(&job.lane);
                if let Err(error) = settle(service, &job, outcome) {
                    tracing::error!(%error, job = job.key, "noting how a job ended");
                }
            }
            // Only noting how a job ended is left that could panic: its lane stays taken until the next start.
            Ok(Err(error)) => tracing::error!(code = "E901", %error, "sending panicked"),
            Err(_elapsed) => {}
        }
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
    outcome: std::result::Result<(), Trouble>,
) -> Result<()> {
    let now = service.clock().now();
    let registry = service.registry();
    let (error, is_final) = match outcome {
        Ok(()) => {
            registry.finish_job(job.id, JobState::Done, now, None)?;
            if matches!(job.kind, JobKind::Mail | JobKind::Hook) {
                mail::went_out(service, job);
            } else if job.kind == JobKind::Webhook {
                webhooks::went_out(service, job);
            }
            return Ok(());
        }
        Err(Trouble::Moot(why)) => {
            tracing::info!(job = job.key, why, "not sent: nobody wants it any more");
            registry.finish_job(job.id, JobState::Withdrawn, now, Some(&why))?;
            if matches!(job.kind, JobKind::Mail | JobKind::Hook) {
                mail::withdrawn(service, job)?;
            }
            return Ok(());
        }
        Err(Trouble::Never(error)) => (error, true),
        Err(Trouble::Again(error)) => {
            let tries = job.attempts.saturating_add(1);
            (error, tries >= u64::from(service.config().outgoing.attempts))
        }
    };
    if job.kind == JobKind::Webhook && webhooks::failed(service, job, &error, is_final)? {
        // Paused: its jobs are withdrawn, this one too.
        return Ok(());
    }
    if is_final {
        tracing::error!(job = job.key, %error, "given up: it was not sent");
        // The alarm first: a crash in between must not leave a job given up that nobody hears of.
        if matches!(job.kind, JobKind::Mail | JobKind::Hook) {
            mail::given_up(service, job, &error);
        }
        return registry.finish_job(job.id, JobState::Failed, now, Some(error.message()));
    }
    let at = usize::try_from(job.attempts).unwrap_or(usize::MAX);
    let pause = PAUSES_S.get(at).or(PAUSES_S.last()).copied().unwrap_or(3600);
    tracing::warn!(job = job.key, %error, pause_s = pause, "not sent; it is tried again");
    let next = now.saturating_add(jiff::SignedDuration::from_secs(pause));
    registry.postpone_job(job.id, next.unwrap_or(now), error.message())
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
