//! `serve`: everything at work until somebody says stop.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use super::bound::{self, Addresses};
use super::output::{Output, Tone};
use super::{Outcome, Place, manager};
use crate::admin::Served;
use crate::error::{Error, Kind, Result};
use crate::model::Protocol;
use crate::service::Service;
use crate::transport::{self, Fingerprints, Running};

/// How often the certificate's end is looked at.
const CERTIFICATE_PAUSE: Duration = Duration::from_secs(3600);

/// How long work on threads that block may go on after every connection has ended.
const LAST_WORK: Duration = Duration::from_secs(2);

/// Runs the server until SIGTERM or SIGINT, then lets transfers finish and stops.
///
/// # Errors
/// Another process serves the data folder, or an address, key or certificate cannot be used.
pub fn run(place: &Place) -> Outcome {
    let service = place.service_or_new()?;
    // Takes the data folder for this process and puts right what a crash left, before anybody can connect.
    let workers = service.start()?;
    let runtime = runtime()?;
    let served = runtime.block_on(async {
        let stop = stop_signal()?;
        let config = Arc::clone(&place.config);
        let running = transport::start(service.clone(), config, &place.global.certs).await?;
        let page = Served::start(service.clone(), running.face()).await?;
        let mut addresses = Addresses::from(running.bound());
        addresses.admin = page.as_ref().map(Served::bound);
        let noted = bound::note(&place.global.data, addresses)?;
        announce(place, addresses, &running.fingerprints(), page.as_ref())?;
        manager::ready();
        until_stopped(&running, &service, stop).await?;
        manager::stopping();
        tracing::info!("stopping: no new connections, transfers under way may finish");
        if let Some(page) = page {
            page.stop().await;
        }
        running.stop().await;
        drop(noted);
        Ok(())
    });
    // Whatever has not ended within the grace (a hash of a huge file) ends with the program, as by kill -9: nobody was
    // answered, and the next start puts it right.
    runtime.shutdown_timeout(LAST_WORK);
    workers.stop();
    served
}

/// Waits for the stop; SIGHUP takes a new certificate up meanwhile.
async fn until_stopped(
    running: &Running,
    service: &Service,
    stop: impl Future<Output = ()>,
) -> Outcome {
    let fault = |e| Error::caused(Kind::Internal, format!("waiting for signals: {e}"), e);
    let mut hangup = signal(SignalKind::hangup()).map_err(fault)?;
    let mut stop = std::pin::pin!(stop);
    let mut watchdog = std::pin::pin!(manager::keep_watchdog(service.clone()));
    let face = running.face();
    let mut certificate = tokio::time::interval(CERTIFICATE_PAUSE);
    loop {
        tokio::select! {
            () = &mut stop => return Ok(()),
            () = &mut watchdog => {}
            _ = certificate.tick() => {
                let (service, ends) = (service.clone(), face.certificate_ends());
                drop(tokio::task::spawn_blocking(move || ends.map(|e| service.look_at_certificate(e))));
            }
            _ = hangup.recv() => {
                manager::reloading();
                running.reload_certificate();
                manager::ready();
            }
        }
    }
}

/// The runtime of everything that talks to the network.
///
/// # Errors
/// The system gives no threads.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::io("starting the worker threads", e))
}

/// Resolves at the first SIGTERM or SIGINT; the handlers stand when this returns.
///
/// # Errors
/// The system refuses a handler.
pub fn stop_signal() -> Result<impl Future<Output = ()>> {
    let fault = |e| Error::caused(Kind::Internal, format!("waiting for signals: {e}"), e);
    let mut terminate = signal(SignalKind::terminate()).map_err(fault)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(fault)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// The same, and the end of the terminal (SIGHUP) unless the program was told to outlive it (`nohup`).
///
/// # Errors
/// The system refuses a handler.
pub fn stop_signal_or_hangup() -> Result<impl Future<Output = ()>> {
    let fault = |e| Error::caused(Kind::Internal, format!("waiting for signals: {e}"), e);
    let stop = stop_signal()?;
    // Looked at first: from the handler on nothing is ignored any more.
    let outlives =
        ignores_hangup(&std::fs::read_to_string("/proc/self/status").unwrap_or_default());
    let mut hangup = signal(SignalKind::hangup()).map_err(fault)?;
    Ok(async move {
        tokio::select! {
            () = stop => {}
            _ = hangup.recv(), if !outlives => {}
        }
    })
}

/// Whether a process with this status ignores SIGHUP, the first of the signals. Source: proc(5), `SigIgn`.
fn ignores_hangup(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & 1 == 1))
}

/// The line that `serve --json` prints when clients can connect.
#[derive(Serialize)]
struct Ready<'a> {
    event: &'static str,
    #[serde(flatten)]
    addresses: Addresses,
    /// The one-time link that makes the first administrator, while there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    set_up: Option<&'a str>,
}

fn announce(
    place: &Place,
    addresses: Addresses,
    known_by: &Fingerprints,
    page: Option<&Served>,
) -> Outcome {
    let set_up = page.and_then(Served::set_up_link);
    if place.out.is_json() {
        return place.out.json_line(&Ready { event: "ready", addresses, set_up });
    }
    let out = place.out;
    let data = place.global.data.display();
    out.toned(Tone::Strong, format!("Rollcall {} is ready", env!("CARGO_PKG_VERSION")))?;
    for (protocol, words) in [
        (Protocol::Sftp, "SFTP "),
        (Protocol::Ftpes, "FTPES (explicit TLS)"),
        (Protocol::Ftps, "FTPS  (implicit TLS)"),
    ] {
        let address = addresses.get(protocol).map_or("off".to_owned(), |a| a.to_string());
        out.line(format!("  {words:<22} {address}"))?;
    }
    identity(out, known_by)?;
    out.line(format!("  {:<22} {data}", "Data"))?;
    if let Some(page) = page {
        out.line(format!("  {:<22} {}", "Administration page", page.url()))?;
    }
    if let Some(link) = set_up {
        out.line("")?;
        out.toned(
            Tone::Strong,
            "Nobody can sign in to the administration page yet. Open this link once to set it up:",
        )?;
        out.line(format!("  {link}"))?;
    }
    out.toned(Tone::Faint, "Ctrl-C stops it.")
}

fn identity(out: Output, known_by: &Fingerprints) -> Outcome {
    for (kind, fingerprint) in &known_by.host_keys {
        out.line(format!("  {:<22} {fingerprint} ({kind})", "Host key"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_started_with_nohup_outlives_the_terminal() {
        for (status, ignores) in [
            ("Name:\trollcall\nSigIgn:\t0000000000000001\n", true),
            ("SigIgn:\t0000000000001001\n", true),
            ("SigIgn:\t0000000000001000\n", false),
            ("", false),
        ] {
            assert_eq!(ignores_hangup(status), ignores, "{status}");
        }
    }
}
