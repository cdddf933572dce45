//! FTPS, implicit and explicit: the edge owns every public socket, TLS and limits; libunftp interprets behind it.

mod about;
mod backend;
mod command;
mod control;
mod conversation;
mod data;
mod files;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod interpreter;
mod listing;
mod login;
mod options;
mod passive;
mod records;
mod reply;
mod transfer;
mod transfers;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use super::tls::ClientCertificate;
use super::{Arrival, Edge, Pass, next_connection};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::model::Protocol;
use control::Control;
use conversation::Conversation;
use passive::Ports;

pub use passive::DataPorts;

/// Refuses FTPS settings that cannot be served.
///
/// # Errors
/// [`Kind::Invalid`], naming the setting with an example.
pub fn check_config(config: &Config) -> Result<()> {
    Ports::parse(&config.ftps.passive_ports)?;
    passive::public_host(config)?;
    Ok(())
}

/// Serves one listener until the server stops.
pub async fn serve(edge: Edge, listener: TcpListener, kind: Protocol) {
    if let Err(error) = check_config(&edge.config) {
        tracing::error!(protocol = %kind, %error, "this listener is not served");
        return;
    }
    while let Some(arrival) = next_connection(&edge, &listener, kind).await {
        // In a task of its own: a panic in there ends this one connection.
        edge.spawn(converse(edge.clone(), arrival, kind));
    }
}

async fn converse(edge: Edge, arrival: Arrival, kind: Protocol) {
    let Some((tcp, peer, pass)) = arrival.introduced(&edge).await else { return };
    match begin(&edge, tcp, peer, pass, kind).await {
        Ok(conversation) => conversation.run().await,
        Err(error) => {
            tracing::info!(protocol = %kind, %peer, %error, "connection ended before login")
        }
    }
}

async fn begin(
    edge: &Edge,
    tcp: TcpStream,
    peer: SocketAddr,
    pass: Pass,
    kind: Protocol,
) -> Result<Conversation> {
    let broken = |e| Error::io("the connection or its TLS handshake failed", e);
    tcp.set_nodelay(true).map_err(broken)?;
    let local = tcp.local_addr().map_err(broken)?;
    let local = SocketAddr::new(local.ip().to_canonical(), local.port());
    let service = edge.service.clone();
    let asks = tokio::task::spawn_blocking(move || service.asks_for_certificates()).await;
    let client =
        if asks.unwrap_or(false) { ClientCertificate::Asked } else { ClientCertificate::Ignored };
    let tls = edge.tls.control_config(edge.config.ftps.resumption, client)?;
    let mut control = Control::new(tcp, edge.config.limits.control_line_bytes);
    if kind == Protocol::Ftps {
        let limit = Duration::from_secs(edge.config.limits.tls_handshake_timeout_s);
        tokio::select! {
            () = edge.shutdown.cancelled() => {
                return Err(Error::new(Kind::Busy, "the server stops"));
            }
            secured = control.secure(Arc::clone(&tls), limit) => secured.map_err(broken)?,
        }
    }
    let link = conversation::Link { kind, peer, local, tls };
    Ok(Conversation::new(edge.clone(), link, control, pass))
}
