//! How long a request may take: a body that keeps coming may take its time, the answer may not.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use tokio::time::Instant;

use crate::config;

/// How often a request under way is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What a request may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// For the answer, once the request has come in; for all of it, while nobody knows who asks.
    answer: Duration,
    /// Between two pieces of a body; also before its pace is judged.
    idle: Duration,
    /// The least pace of a body over the time that was waited for it.
    bytes_per_s: u64,
}

impl Limits {
    /// The limits of a configuration.
    pub(super) fn of(admin: &config::Admin) -> Self {
        Self {
            answer: Duration::from_secs(admin.request_timeout_s),
            idle: Duration::from_secs(admin.body_idle_timeout_s),
            bytes_per_s: admin.body_min_bytes_per_s,
        }
    }
}

/// What took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Late {
    /// The answer.
    Answer,
    /// The rest of the request's body.
    Body,
}

/// How far a request has come. Clones are about the same one.
#[derive(Debug, Clone)]
pub(super) struct Pace(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// Who asks is known, and that they may: a stranger's request gets no time beyond that of its answer.
    known: bool,
    began: Instant,
    /// When the last piece of the body came, or it was known who asks.
    moved: Instant,
    /// Since when the next piece is waited for; `None`: nobody waits for one.
    waiting: Option<Instant>,
    /// How long pieces were waited for.
    waited: Duration,
    bytes: u64,
}

impl State {
    fn new(now: Instant) -> Self {
        Self {
            known: false,
            began: now,
            moved: now,
            waiting: None,
            waited: Duration::ZERO,
            bytes: 0,
        }
    }

    fn late(&self, limits: &Limits, now: Instant) -> Option<Late> {
        if !self.known {
            return (now - self.began > limits.answer).then_some(Late::Answer);
        }
        let Some(since) = self.waiting else {
            return (now - self.moved > limits.answer).then_some(Late::Answer);
        };
        let waited = self.waited + (now - since);
        let is_slow = waited > limits.idle
            && self.bytes < limits.bytes_per_s.saturating_mul(waited.as_secs());
        (is_slow || now - since > limits.idle).then_some(Late::Body)
    }

    /// Nobody waits for the body any more, or a piece has come.
    fn rest(&mut self, now: Instant) {
        if let Some(since) = self.waiting.take() {
            self.waited += now - since;
        }
        self.moved = now;
    }
}

impl Pace {
    /// A request that has just begun, and its body, which is watched from now on.
    pub(super) fn watch(body: Body) -> (Self, Body) {
        let pace = Self(Arc::new(Mutex::new(State::new(Instant::now()))));
        let watched = Watched { body, pace: pace.clone() };
        (pace, Body::new(watched))
    }

    /// Whoever asks is known and may: from here on the body's pace counts.
    pub(super) fn known(&self) {
        let mut state = self.lock();
        (state.known, state.moved) = (true, Instant::now());
    }

    /// Returns as soon as something has taken too long.
    pub(super) async fn late(&self, limits: &Limits) -> Late {
        loop {
            tokio::time::sleep(LOOK_EVERY.min(limits.answer)).await;
            if let Some(late) = self.lock().late(limits, Instant::now()) {
                return late;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body that notes how it comes in.
struct Watched {
    body: Body,
    pace: Pace,
}

impl hyper::body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let mut state = self.pace.lock();
        match &polled {
            Poll::Pending => {
                state.waiting.get_or_insert_with(Instant::now);
            }
            Poll::Ready(piece) => {
                state.rest(Instant::now());
                if let Some(Ok(frame)) = piece {
                    let bytes = frame.data_ref().map_or(0, Bytes::len);
                    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
                    state.bytes = state.bytes.saturating_add(bytes);
                }
            }
        }
        drop(state);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.pace.lock().rest(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        answer: Duration::from_secs(60),
        idle: Duration::from_secs(30),
        bytes_per_s: 1000,
    };

    /// What is late `after` seconds, of a request whose body is waited for since `waiting` seconds, after `bytes` that took
    /// `waited` seconds.
    fn check(
        known: bool,
        (waiting, waited, bytes): (Option<u64>, u64, u64),
        after: u64,
        expected: Option<Late>,
    ) {
        let began = Instant::now();
        let at = |s| began + Duration::from_secs(s);
        let mut state = State::new(began);
        state.known = known;
        state.waiting = waiting.map(at);
        state.moved = at(waiting.unwrap_or(0));
        (state.waited, state.bytes) = (Duration::from_secs(waited), bytes);
        assert_eq!(state.late(&LIMITS, at(after)), expected, "{state:?} after {after} s");
    }

    #[test]
    fn a_body_that_comes_may_take_its_time_and_one_that_drips_may_not() {
        // Somebody known, whose body comes fast enough, hours long.
        check(true, (Some(7200), 7200, 7_300_000), 7210, None);
        check(true, (Some(7200), 7200, 7_300_000), 7231, Some(Late::Body));
        // Too slow over all, though something comes every few seconds.
        check(true, (Some(100), 99, 50_000), 101, Some(Late::Body));
        // The pace is not judged in the first moments.
        check(true, (Some(10), 9, 0), 20, None);
        // The answer is waited for.
        check(true, (None, 9, 10), 60, None);
        check(true, (None, 9, 10), 61, Some(Late::Answer));
        // A stranger gets the time of an answer for everything.
        check(false, (Some(59), 50, 10_000_000), 60, None);
        check(false, (Some(59), 50, 10_000_000), 61, Some(Late::Answer));
    }

    #[test]
    fn time_that_nobody_waited_for_the_body_does_not_count() {
        let began = Instant::now();
        let mut state = State::new(began);
        state.waiting = Some(began);
        state.rest(began + Duration::from_secs(3));
        state.rest(began + Duration::from_secs(50));
        assert_eq!((state.waited, state.waiting), (Duration::from_secs(3), None));
    }
}
