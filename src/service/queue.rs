//! Whose turn it is: one import at a time for each client, different clients side by side.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The clients that may have uploads waiting. What waits, and in which order, stands in the registry.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    turns: HashMap<String, Turn>,
    stopping: bool,
}

struct Turn {
    is_running: bool,
    /// Something arrived while it ran.
    again: bool,
    due: Instant,
    /// It waits for a time of day; whatever arrives meanwhile goes first.
    waits_for_time: bool,
}

/// What a turn leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing waits.
    Idle,
    /// More may wait.
    Now,
    /// Something waits, but not before this time has gone by.
    After(Duration),
    /// Something waits for its time of day, so long; what arrives meanwhile does not wait for it.
    Later(Duration),
}

/// Time may be set, and time that goes by may stand still while a machine sleeps: nothing waits longer unlooked at.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

impl Queue {
    /// A client may have something waiting.
    pub(super) fn wake(&self, client: &str) {
        let mut state = self.lock();
        match state.turns.get_mut(client) {
            // One that waits out a back-off keeps its time: other uploads of the client queue behind it.
            Some(turn) => {
                turn.again = true;
                if turn.waits_for_time {
                    turn.waits_for_time = false;
                    turn.due = Instant::now();
                }
            }
            None => {
                let due = Instant::now();
                let turn = Turn { is_running: false, again: false, due, waits_for_time: false };
                state.turns.insert(client.to_owned(), turn);
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    /// A client has something waiting, as was known: one that waits for its time goes on waiting.
    pub(super) fn remind(&self, client: &str) {
        let waits = self.lock().turns.get(client).is_some_and(|turn| turn.waits_for_time);
        if !waits {
            self.wake(client);
        }
    }

    /// Waits for a client's turn; `None` when the service stops.
    pub(super) fn take(&self) -> Option<String> {
        let mut state = self.lock();
        loop {
            if state.stopping {
                return None;
            }
            let waiting = state.turns.iter_mut().filter(|(_, turn)| !turn.is_running);
            let first = waiting.min_by_key(|(_, turn)| turn.due);
            let now = Instant::now();
            let pause = match first {
                Some((client, turn)) if turn.due <= now => {
                    turn.is_running = true;
                    turn.again = false;
                    turn.waits_for_time = false;
                    return Some(client.clone());
                }
                Some((_, turn)) => turn.due.saturating_duration_since(now),
                None => Duration::from_secs(3600),
            };
            let woken = self.changed.wait_timeout(state, pause);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// A client's turn is over.
    pub(super) fn finish(&self, client: &str, next: Next) {
        let mut state = self.lock();
        let Some(turn) = state.turns.get_mut(client) else { return };
        turn.is_running = false;
        match next {
            Next::Idle if !turn.again => drop(state.turns.remove(client)),
            Next::Later(_) if turn.again => turn.due = Instant::now(),
            Next::Later(pause) => {
                turn.due = Instant::now() + pause.min(LONGEST_WAIT);
                turn.waits_for_time = true;
            }
            Next::Idle | Next::Now => turn.due = Instant::now(),
            Next::After(pause) => turn.due = Instant::now() + pause,
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Ends every wait; running turns end in their own time.
    pub(super) fn stop(&self) {
        self.lock().stopping = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
