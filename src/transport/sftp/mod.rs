//! SFTP: a russh server and our own request loop over russh-sftp's codec.

use tokio::net::TcpListener;

use super::{Edge, next_connection};
use crate::model::Protocol;

/// Serves the SFTP listener until the server stops.
pub async fn serve(edge: Edge, listener: TcpListener) {
    while let Some((tcp, peer, pass)) = next_connection(&edge, &listener, Protocol::Sftp).await {
        tracing::debug!(%peer, "not served yet");
        drop((tcp, pass));
    }
}
