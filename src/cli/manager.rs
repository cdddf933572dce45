//! The service manager (systemd, sd_notify(3)): told when the server is ready, reloads, lives and stops. Without one, nothing happens.

use std::time::Duration;

use sd_notify::NotifyState;

use crate::service::Service;

/// Tells the manager; where it cannot be told, the log says so and the server goes on.
pub(super) fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

/// Clients can connect.
pub(super) fn ready() {
    tell(&[NotifyState::Ready, NotifyState::Status("serving")]);
}

/// Certificates are being looked at again; [`ready`] ends it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "the service manager cannot be told"),
    }
}

/// No new connections; what is under way may finish.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("transfers under way may finish")]);
}

/// Shows the manager twice in each of its watchdog's periods that the registry still answers; for ever. One that hangs or cannot be
/// read is not shown, so the manager restarts the server.
pub(super) async fn keep_watchdog(service: Service) {
    let Some(period) = sd_notify::watchdog_enabled() else { return std::future::pending().await };
    let mut turns = tokio::time::interval((period / 2).max(Duration::from_millis(100)));
    loop {
        turns.tick().await;
        let asked = service.clone();
        let answer = tokio::task::spawn_blocking(move || asked.bans()).await;
        if answer.is_ok_and(|answer| answer.is_ok()) {
            tell(&[NotifyState::Watchdog]);
        }
    }
}
