//! SFTP: a russh server and our own request loop over russh-sftp's codec.

mod agreed;
mod algorithms;
mod channel;
mod connection;
mod desk;
mod extensions;
mod files;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod packet;
mod scp;
mod ssh;
mod wire;
mod writing;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use russh::server::{RunningSession, run_stream};
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout, timeout_at};

use super::{Arrival, Edge, HostKeys, Pass, next_connection};
use crate::model::Protocol;
use algorithms::Lenience;
use connection::Connection;
use ssh::Ssh;
use wire::Wire;

/// How long a client that is sent away may take to read why.
const FAREWELL: Duration = Duration::from_secs(1);

/// Serves an SFTP listener, which proves itself with these keys, until the server stops.
pub async fn serve(edge: Edge, listener: TcpListener, host_keys: Arc<HostKeys>) {
    let config = Arc::new(algorithms::ssh_config(&edge.config, &host_keys));
    if Lenience::of(&edge.config) == Lenience::Legacy {
        tracing::warn!(
            "sftp.legacy is on: weak algorithms (SHA-1, CBC) are offered; logins that need them are named here"
        );
    }
    while let Some(arrival) = next_connection(&edge, &listener, Protocol::Sftp).await {
        edge.spawn(serve_connection(edge.clone(), Arc::clone(&config), arrival));
    }
}

async fn serve_connection(edge: Edge, config: Arc<russh::server::Config>, arrival: Arrival) {
    let Some((tcp, peer, mut pass)) = arrival.introduced(&edge).await else { return };
    let login_by = Instant::now() + Duration::from_secs(edge.config.limits.login_timeout_s);
    if let Err(error) = tcp.set_nodelay(true) {
        tracing::debug!(%peer, %error, "a connection was gone before it began");
        return;
    }
    let connection = Arc::new(Connection::new(edge, peer));
    let wire = Wire::new(tcp, &connection, &config);
    let ssh = Ssh::new(Arc::clone(&connection));
    let mut running = tokio::select! {
        started = timeout_at(login_by, run_stream(config, wire, ssh)) => match started {
            Ok(Ok(running)) => running,
            Ok(Err(error)) => return log_end(peer, None, Some(&error)),
            Err(_) => return log_end(peer, Some("no login within limits.login_timeout_s"), None),
        },
        () = connection.edge.shutdown.cancelled() => return,
    };
    tokio::select! {
        ended = &mut running => log_end(peer, None, ended.err().as_ref()),
        why = must_end(&connection, &mut pass, login_by) => {
            connection.doom(&why);
            log_end(peer, Some(&why), None);
            send_away(&connection, running, &why).await;
        }
    }
}

/// Waits for a reason to end the connection from our side.
async fn must_end(connection: &Connection, pass: &mut Pass, login_by: Instant) -> String {
    let session = tokio::select! {
        session = connection.logged_in() => session,
        () = connection.doomed() => return doom(connection),
        () = connection.edge.shutdown.cancelled() => return "the server stops".to_owned(),
        () = tokio::time::sleep_until(login_by) => {
            return "no login within limits.login_timeout_s".to_owned();
        }
    };
    pass.logged_in();
    tokio::select! {
        () = session.ended() => "the account was disabled".to_owned(),
        () = connection.doomed() => doom(connection),
        () = connection.idle_for(session.idle_timeout()) => {
            "nothing moved for too long".to_owned()
        }
        () = connection.edge.shutdown.cancelled() => {
            // Files that are open may come to their end; new ones are refused.
            tokio::select! {
                () = connection.settled() => {}
                () = connection.edge.out_of_time() => {}
            }
            connection.stop_taking();
            // What was asked before is still done and answered.
            drop(timeout(FAREWELL, connection.quiet()).await);
            "the server stops".to_owned()
        }
    }
}

fn doom(connection: &Connection) -> String {
    connection.end_reason().unwrap_or_else(|| "internal error".to_owned())
}

/// Tells the client why, then throws the switch, whether it listens or not.
async fn send_away(connection: &Connection, mut running: RunningSession<Ssh>, why: &str) {
    let handle = running.handle();
    let told = async {
        let reason = russh::Disconnect::ByApplication;
        // A session that is gone cannot be told, and need not.
        drop(handle.disconnect(reason, why.to_owned(), "en".to_owned()).await);
        drop((&mut running).await);
    };
    let has_ended = timeout(FAREWELL, told).await.is_ok();
    connection.kill.cancel();
    if !has_ended {
        drop(running.await);
    }
}

fn log_end(peer: SocketAddr, why: Option<&str>, error: Option<&russh::Error>) {
    match (why, error) {
        (Some(why), _) => tracing::info!(protocol = "sftp", %peer, why, "connection ended"),
        // Port scanners and lost lines are everyday.
        (None, Some(error)) => {
            tracing::debug!(protocol = "sftp", %peer, %error, "connection ended");
        }
        (None, None) => tracing::debug!(protocol = "sftp", %peer, "connection ended"),
    }
}
