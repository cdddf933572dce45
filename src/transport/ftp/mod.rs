//! FTPS, implicit and explicit.

use tokio::net::TcpListener;

use super::{Edge, next_connection};
use crate::model::Protocol;

/// Serves one listener until the server stops.
pub async fn serve(edge: Edge, listener: TcpListener, kind: Protocol) {
    while let Some((tcp, peer, pass)) = next_connection(&edge, &listener, kind).await {
        tracing::debug!(%peer, "not served yet");
        drop((tcp, pass));
    }
}
