//! The listener: HTTP/1.1 in clear on loopback, over TLS everywhere else.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::ConnectInfo;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Layer as _;

use super::{Admin, guard, hop};
use crate::config::{self, DEFAULT_ADMIN_LISTEN};
use crate::error::{Error, Result};
use crate::model::Network;
use crate::service::Service;
use crate::transport::{Face, Gate};

/// Bytes of a request's head.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// From connection to the whole head of a request; also how long an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// How long one connection takes requests; the last one may take as long again, and nobody holds one for ever by reading slowly.
const CONNECTION_LIFE: Duration = Duration::from_secs(3600);
/// How long a stopping server waits for requests under way.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// The page at work.
pub struct Served {
    bound: SocketAddr,
    url: String,
    link: Option<String>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Served {
    /// Binds the address of `admin.listen` and serves in the background; `None`: it is off, or the default port is taken.
    ///
    /// # Errors
    /// The address cannot be bound, or TLS cannot be prepared.
    pub async fn start(service: Service, face: Face) -> Result<Option<Self>> {
        let config = Arc::clone(service.config());
        let wanted = config.admin.listen.as_deref().unwrap_or(DEFAULT_ADMIN_LISTEN);
        if wanted.eq_ignore_ascii_case("off") {
            return Ok(None);
        }
        let listener = match TcpListener::bind(wanted).await {
            Ok(listener) => listener,
            Err(error) if config.admin.listen.is_none() => {
                tracing::warn!(
                    "no administration page: {wanted} cannot be used ({error}); set admin.listen to another address"
                );
                return Ok(None);
            }
            Err(error) => {
                return Err(Error::io(
                    format!("admin.listen = \"{wanted}\" cannot be bound"),
                    error,
                ));
            }
        };
        let bound =
            listener.local_addr().map_err(|e| Error::io("reading the page's address", e))?;
        let secure = !bound.ip().is_loopback();
        let tls = if secure { Some(TlsAcceptor::from(face.web_config()?)) } else { None };
        let admin = Admin::new(service, face, bound);
        let url = admin.base_url();
        let link = admin.service().first_invitation()?;
        let link = link.map(|token| format!("{url}/set-up/{token}"));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let listening = Listening {
            app: guard::app(&admin),
            tls,
            stop: stop.clone(),
            tasks: tasks.clone(),
            gate: gate(&config, config.admin.max_connections_per_address),
            // A proxy brings the connections of many.
            proxied: gate(&config, config.admin.max_connections),
            trusted: config.proxy.trusted.clone(),
            within: Duration::from_secs(config.limits.tls_handshake_timeout_s),
        };
        tasks.spawn(listening.serve(listener));
        Ok(Some(Self { bound, url, link, stop, tasks }))
    }

    /// Where browsers connect.
    #[must_use]
    pub fn bound(&self) -> SocketAddr {
        self.bound
    }

    /// The address of the page, for people.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The link that makes the first administrator, while there is none.
    #[must_use]
    pub fn set_up_link(&self) -> Option<&str> {
        self.link.as_deref()
    }

    /// Takes no new connections and lets requests under way finish.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        drop(tokio::time::timeout(STOP_WITHIN, self.tasks.wait()).await);
    }
}

/// What the accept loop and its connections share.
struct Listening {
    app: Router,
    tls: Option<TlsAcceptor>,
    stop: CancellationToken,
    tasks: TaskTracker,
    gate: Gate,
    proxied: Gate,
    trusted: Vec<Network>,
    /// For a TLS handshake.
    within: Duration,
}

/// Who may connect, by the limits of the page.
fn gate(config: &config::Config, per_address: usize) -> Gate {
    Gate::new(&config::Limits {
        max_connections: config.admin.max_connections,
        max_connections_per_address: per_address,
        // Nobody logs in to a connection here.
        max_half_open: config.admin.max_connections.saturating_mul(2),
        ..config.limits.clone()
    })
}

impl Listening {
    async fn serve(self, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                () = self.stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, most likely: others must end before this can go on.
                    tracing::warn!(%error, "a connection to the administration page could not be taken");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let by_proxy = hop::is_trusted(&self.trusted, peer.ip());
            let gate = if by_proxy { &self.proxied } else { &self.gate };
            let pass = match gate.admit(peer.ip()) {
                Ok(pass) => pass,
                Err(full) => {
                    tracing::debug!(%peer, %full, "a connection to the administration page was refused");
                    continue;
                }
            };
            let (app, tls, stop, within) =
                (self.app.clone(), self.tls.clone(), self.stop.clone(), self.within);
            self.tasks.spawn(async move {
                handle(stream, peer, app, tls, (within, stop)).await;
                drop(pass);
            });
        }
    }
}

/// What a TLS handshake begins with (RFC 8446, 5.1).
const TLS_HANDSHAKE: u8 = 22;
/// What a browser is told that speaks in clear where TLS is needed.
const USE_TLS: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n\
content-length: 65\r\n\r\nThis page is served over TLS only: write https:// before its name";

async fn handle(
    mut stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    tls: Option<TlsAcceptor>,
    (within, stop): (Duration, CancellationToken),
) {
    drop(stream.set_nodelay(true));
    let Some(tls) = tls else { return answer(stream, peer, app, stop).await };
    let encrypted = async {
        let mut first = [0; 1];
        if stream.peek(&mut first).await? > 0 && first != [TLS_HANDSHAKE] {
            stream.write_all(USE_TLS).await?;
            return Ok(None);
        }
        tls.accept(stream).await.map(Some)
    };
    match tokio::time::timeout(within, encrypted).await {
        Ok(Ok(Some(stream))) => answer(stream, peer, app, stop).await,
        Ok(Ok(None)) => tracing::debug!(%peer, "the administration page was asked in clear"),
        Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS on the administration page"),
        Err(_) => tracing::debug!(%peer, "the TLS handshake took too long"),
    }
}

async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    app: Router,
    stop: CancellationToken,
) {
    let app = axum::Extension(ConnectInfo(peer)).layer(app);
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = tokio::time::sleep(CONNECTION_LIFE) => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(CONNECTION_LIFE, connection).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection to the administration page ended early");
    }
}
