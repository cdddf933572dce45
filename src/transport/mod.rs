//! Listeners, connection limits, TLS and host keys: every public socket is opened here.

mod aside;
mod face;
pub mod ftp;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod gate;
mod host_keys;
mod memory;
mod pattern;
mod prompt;
mod proxy;
pub mod sftp;
pub mod tls;

use std::future::Future;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::model::Protocol;
use crate::service::Service;

pub use face::{Face, Fingerprints, check_host_keys, fingerprints, key_ring, make_identity};
use face::{host_key_record, named_hosts, reached_as};
pub use gate::{Full, Gate, Pass};
pub use host_keys::{HostKeys, KeyRing, KeyStage, StoredKey};
pub use memory::{Reserved, TransferMemory};
use tls::Tls;

/// What every connection needs; clones share one inside.
#[derive(Clone)]
pub struct Edge {
    /// The use cases.
    pub service: Service,
    /// The configuration.
    pub config: Arc<Config>,
    /// Connection caps, for all listeners together.
    pub gate: Gate,
    /// The budget of bytes in flight, for all connections together.
    pub memory: TransferMemory,
    /// The passive ports at which clients are awaited.
    pub data_ports: ftp::DataPorts,
    /// Cancelled when the server stops: take no new work, finish what is under way, close.
    pub shutdown: CancellationToken,
    /// When what is still under way is cut off; set when the server stops.
    stop_by: Arc<OnceLock<Instant>>,
    /// Every task of a connection runs in here, so that a stop can wait for them.
    pub tasks: TaskTracker,
    /// Certificates of the FTPS listeners.
    pub tls: Tls,
    /// The server's SSH identity.
    pub host_keys: Arc<HostKeys>,
}

/// The addresses on which the server listens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bound {
    /// SFTP.
    pub sftp: Option<SocketAddr>,
    /// FTPS, implicit TLS.
    pub ftps: Option<SocketAddr>,
    /// FTPES, explicit TLS.
    pub ftpes: Option<SocketAddr>,
}

/// The listeners at work.
pub struct Running {
    edge: Edge,
    bound: Bound,
}

impl Running {
    /// Where clients connect.
    #[must_use]
    pub fn bound(&self) -> Bound {
        self.bound
    }

    /// How the server looks from outside.
    #[must_use]
    pub fn face(&self) -> Face {
        Face {
            bound: self.bound,
            host_keys: Arc::clone(&self.edge.host_keys),
            tls: self.edge.tls.clone(),
        }
    }

    /// How clients recognise the server.
    #[must_use]
    pub fn fingerprints(&self) -> Fingerprints {
        Fingerprints {
            host_keys: self.edge.host_keys.fingerprints(),
            certificate: self.edge.tls.fingerprint(),
        }
    }

    /// Looks for other certificates at once (it is looked for every two seconds besides).
    pub fn reload_certificate(&self) {
        self.edge.tls.reload();
    }

    /// Stops listening, lets transfers finish for `limits.shutdown_grace_s`, and ends every connection.
    pub async fn stop(self) {
        let grace = Duration::from_secs(self.edge.config.limits.shutdown_grace_s);
        // Those that are cut off are still recorded, and told so.
        let farewell = FAREWELL.min(grace / 2);
        self.edge.stop_by.get_or_init(|| Instant::now() + grace.saturating_sub(farewell));
        self.edge.shutdown.cancel();
        self.edge.tasks.close();
        if tokio::time::timeout(grace, self.edge.tasks.wait()).await.is_err() {
            tracing::warn!(
                tasks = self.edge.tasks.len(),
                "connections did not end within limits.shutdown_grace_s; they are cut off"
            );
        }
    }
}

/// Makes keys and certificates on the first start, binds the listeners and serves them in the background.
///
/// # Errors
/// A key or certificate that is lost or broken, or an address that cannot be bound; the message names it.
pub async fn start(service: Service, config: Arc<Config>, certs: &Path) -> Result<Running> {
    ftp::check_config(&config)?;
    let (host_keys, tls) = load_identity(&service, &config, certs).await?;
    let told = service.clone();
    tls.on_reload(move |wrong| told.certificates_were_reloaded(wrong));
    // They could be loaded: an alarm of before is over.
    let told = service.clone();
    drop(tokio::task::spawn_blocking(move || told.certificates_were_reloaded(&[])));
    let edge = Edge {
        service,
        gate: Gate::new(&config.limits),
        data_ports: ftp::DataPorts::default(),
        memory: TransferMemory::new(config.limits.transfer_memory_bytes),
        shutdown: CancellationToken::new(),
        stop_by: Arc::default(),
        tasks: TaskTracker::new(),
        tls,
        host_keys: Arc::new(host_keys),
        config: Arc::clone(&config),
    };
    let sftp = bind("sftp.listen", &config.sftp.listen).await?;
    let ftps = bind("ftps.implicit", &config.ftps.implicit).await?;
    let ftpes = bind("ftps.explicit", &config.ftps.explicit).await?;
    let bound = Bound { sftp: local(&sftp)?, ftps: local(&ftps)?, ftpes: local(&ftpes)? };
    if let Some(listener) = sftp {
        edge.spawn(sftp::serve(edge.clone(), listener, Arc::clone(&edge.host_keys)));
    }
    serve_old_keys(&edge, certs).await?;
    if let Some(listener) = ftps {
        edge.spawn(ftp::serve(edge.clone(), listener, Protocol::Ftps));
    }
    if let Some(listener) = ftpes {
        edge.spawn(ftp::serve(edge.clone(), listener, Protocol::Ftpes));
    }
    Ok(Running { edge, bound })
}

/// A listener that still shows the host keys from before their exchange, for the clients that do not know the new ones yet.
async fn serve_old_keys(edge: &Edge, certs: &Path) -> Result<()> {
    let Some(listener) = bind("sftp.old_keys_listen", &edge.config.sftp.old_keys_listen).await?
    else {
        return Ok(());
    };
    let Some(old) = HostKeys::load_old(certs)? else {
        tracing::warn!(
            "sftp.old_keys_listen is set, and there are no old host keys: nobody is served there"
        );
        return Ok(());
    };
    let address = listener.local_addr().map_err(|e| Error::io("sftp.old_keys_listen", e))?;
    tracing::info!(%address, "clients are shown the old host keys here");
    edge.spawn(sftp::serve(edge.clone(), listener, Arc::new(old)));
    Ok(())
}

/// What a client is told that has proved who it is, and that the server cannot serve by its own fault.
pub(crate) const CANNOT_OPEN: &str = "The server cannot open this account now; try again later.";
/// What a stopping server keeps for the transfers that it cuts off.
const FAREWELL: Duration = Duration::from_secs(3);
/// How long a client that was busy when the server stopped may take for its next request: uploads under a temporary
/// name are renamed after their end.
pub(crate) const NEXT_REQUEST: Duration = Duration::from_secs(1);

impl Edge {
    /// Resolves when a stopping server waits no longer for transfers under way.
    pub(crate) async fn out_of_time(&self) {
        self.shutdown.cancelled().await;
        if let Some(stop_by) = self.stop_by.get() {
            tokio::time::sleep_until(*stop_by).await;
        }
    }

    /// Runs a task that a stop waits for. A panic inside ends that task only.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.tasks.spawn(task));
    }
}

/// A connection that was accepted.
pub(crate) struct Arrival {
    tcp: TcpStream,
    peer: SocketAddr,
    protocol: Protocol,
    /// `None`: it comes from a trusted balancer, and the real sender is still to be told.
    pass: Option<Pass>,
}

/// Waits for the next connection; an error of `accept` (no file descriptors left) is logged and waited out.
/// `None` when the server stops.
pub(crate) async fn next_connection(
    edge: &Edge,
    listener: &TcpListener,
    protocol: Protocol,
) -> Option<Arrival> {
    loop {
        let accepted = tokio::select! {
            () = edge.shutdown.cancelled() => return None,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((tcp, peer)) => {
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                if proxy::is_trusted(&edge.config.proxy.trusted, peer.ip()) {
                    return Some(Arrival { tcp, peer, protocol, pass: None });
                }
                if let pass @ Some(_) = edge.admit(protocol, peer) {
                    return Some(Arrival { tcp, peer, protocol, pass });
                }
            }
            Err(error) => {
                tracing::warn!(%protocol, %error, "a connection could not be accepted");
                // Without a pause a process that is out of file descriptors would spin here.
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

impl Arrival {
    /// The connection with its real sender; `None`: it is refused.
    pub(crate) async fn introduced(self, edge: &Edge) -> Option<(TcpStream, SocketAddr, Pass)> {
        let Self { mut tcp, peer, protocol, pass } = self;
        if let Some(pass) = pass {
            return Some((tcp, peer, pass));
        }
        match proxy::read_header(&mut tcp).await {
            Ok(told) => {
                let peer = told.unwrap_or(peer);
                let pass = edge.admit(protocol, peer)?;
                Some((tcp, peer, pass))
            }
            Err(error) => {
                tracing::warn!(%protocol, balancer = %peer, %error, "connection refused: no PROXY header");
                None
            }
        }
    }
}

impl Edge {
    /// A place for a connection from `peer`, unless the address is banned or a cap is reached.
    fn admit(&self, protocol: Protocol, peer: SocketAddr) -> Option<Pass> {
        if self.service.is_banned(peer.ip()) {
            tracing::debug!(%protocol, %peer, "connection refused: the address is banned");
            return None;
        }
        match self.gate.admit(peer.ip()) {
            Ok(pass) => Some(pass),
            Err(full) => {
                tracing::warn!(%protocol, %peer, reason = %full, "connection refused");
                None
            }
        }
    }
}

const ACCEPT_RETRY: Duration = Duration::from_millis(100);
/// From here on every user may listen.
const FREE_PORTS: u16 = 1024;

async fn load_identity(
    service: &Service,
    config: &Config,
    certs: &Path,
) -> Result<(HostKeys, Tls)> {
    let certs = certs.to_owned();
    let record = host_key_record(service.data());
    let (compat, hosts, reached) = (config.sftp.compat, named_hosts(config), reached_as(config));
    // RSA-3072 takes a while on a first start.
    tokio::task::spawn_blocking(move || {
        Ok((
            HostKeys::load_or_create(&certs, &record, compat)?,
            Tls::load_or_create(&certs, &hosts, &reached)?,
        ))
    })
    .await
    .map_err(|e| Error::caused(Kind::Internal, "keys and certificates could not be loaded", e))?
}

/// Binds `listen`, `off` meaning none; `[::]` falls back to `0.0.0.0` where the machine has no IPv6.
async fn bind(setting: &str, listen: &str) -> Result<Option<TcpListener>> {
    if listen.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let address: SocketAddr = listen.parse().map_err(|e| {
        let message = format!(
            "{setting} = \"{listen}\" is not an address and port; write for example [::]:2022, 127.0.0.1:2022 or off"
        );
        Error::caused(Kind::Invalid, message, e)
    })?;
    let bound = match TcpListener::bind(address).await {
        Err(e)
            if address == SocketAddr::from((Ipv6Addr::UNSPECIFIED, address.port()))
                && lacks_ipv6(&e) =>
        {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())).await
        }
        bound => bound,
    };
    bound.map(Some).map_err(|e| {
        let hint = why_not(e.kind(), address.port());
        Error::io(format!("{setting} = \"{listen}\" cannot be listened on ({hint})"), e)
    })
}

/// What to look at when an address cannot be listened on.
fn why_not(kind: std::io::ErrorKind, port: u16) -> &'static str {
    match kind {
        std::io::ErrorKind::PermissionDenied if port < FREE_PORTS => {
            "ports below 1024 need CAP_NET_BIND_SERVICE; docs/operations.md has the unit that gives it"
        }
        std::io::ErrorKind::PermissionDenied => "the system does not allow it",
        std::io::ErrorKind::AddrNotAvailable => "this machine has no such address",
        _ => "is another server running there?",
    }
}

fn lacks_ipv6(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::AddrNotAvailable
        || error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

fn local(listener: &Option<TcpListener>) -> Result<Option<SocketAddr>> {
    let address = listener.as_ref().map(TcpListener::local_addr).transpose();
    address.map_err(|e| Error::io("the address of a listener cannot be read", e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[tokio::test]
    async fn an_address_that_cannot_be_had_is_told_with_its_cure() {
        use std::io::ErrorKind::{AddrInUse, AddrNotAvailable, PermissionDenied};
        for (kind, port, words) in [
            (PermissionDenied, 22, "CAP_NET_BIND_SERVICE"),
            (PermissionDenied, 2022, "does not allow"),
            (AddrInUse, 22, "another server"),
            (AddrNotAvailable, 2022, "no such address"),
        ] {
            assert!(why_not(kind, port).contains(words), "{kind:?} {port}");
        }
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let error =
            bind("sftp.listen", &taken.local_addr().unwrap().to_string()).await.unwrap_err();
        assert!(error.message().contains("is another server running there?"), "{error}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_panic_in_one_connection_ends_that_one_only() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.sftp.listen = "127.0.0.1:0".to_owned();
        config.ftps.explicit = "127.0.0.1:0".to_owned();
        config.ftps.implicit = "off".to_owned();
        // Were it waited for, the stop would take so long.
        config.limits.shutdown_grace_s = 600;
        let config = Arc::new(config);
        let data = folder.path().join("data");
        let service = Service::open(Arc::clone(&config), &data, Clock::System).unwrap();
        let running = start(service, config, &folder.path().join("certs")).await.unwrap();
        let pass = running.edge.gate.admit([192, 0, 2, 1].into()).unwrap();
        let (dropped, noticed) = tokio::sync::oneshot::channel::<()>();
        running.edge.spawn(async move {
            let _held = (pass, dropped);
            panic!("injected");
        });
        assert!(noticed.await.is_err(), "what the connection held is given back");
        for address in [running.bound().sftp, running.bound().ftpes] {
            let mut tcp = TcpStream::connect(address.unwrap()).await.unwrap();
            let mut greeting = [0; 4];
            tokio::io::AsyncReadExt::read_exact(&mut tcp, &mut greeting).await.unwrap();
            assert!([*b"SSH-", *b"220 "].contains(&greeting));
        }
        let stopped = tokio::time::timeout(Duration::from_secs(120), running.stop());
        assert!(stopped.await.is_ok(), "a stop must not wait for it");
    }
}
