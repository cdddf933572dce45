//! Opening an FTPS session: TLS and certificate first, then the login, then what the server can do.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use suppaftp::tokio::ImplAsyncFtpStream;
use suppaftp::types::FileType;
use suppaftp::{FtpError, FtpResult, Mode};
use tokio_rustls::TlsConnector;

use super::super::trust::{Identity, Seen, Trust, identity_change, not_vouched_for, tls_config};
use super::super::{Auth, Target, within};
use super::stream::{Connector, Heard, HeardStream, Torn};
use super::{Connection, reply_error};
use crate::error::{Error, Kind, Result};
use crate::model::Protocol;

/// TLS 1.2 comes first: servers demand that data connections resume the control connection's session (vsftpd and ProFTPD
/// as they are shipped), and only a session of TLS 1.2 can be resumed more than once.
const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// The certificate that a server shows; nothing is sent to it but the request for TLS.
pub(in super::super) async fn probe(target: &Target) -> Result<Identity> {
    let met = meet(target, None).await?;
    let missing = || target.refused(Kind::Internal, "a server without a certificate");
    met.seen.identity().ok_or_else(missing)
}

/// Connects, checks the certificate, protects data connections and logs in.
pub(super) async fn open(target: &Target) -> Result<Connection> {
    let Auth::Password(password) = &target.auth else {
        return Err(target
            .refused(Kind::Invalid, "FTPS and FTPES log in with a password; keys are for SFTP"));
    };
    let Met { mut ftp, heard, torn, seen } = meet(target, Some(&target.trust)).await?;
    within(target, "log in", async {
        let answer = ftp.login(target.login.as_str(), password.as_str()).await;
        answer.map_err(|e| login_error(target, e))
    })
    .await?;
    let mut connection = Connection {
        target: target.clone(),
        ftp,
        heard,
        torn,
        seen,
        features: BTreeSet::new(),
        broken: false,
    };
    connection.prepare().await?;
    Ok(connection)
}

impl Connection {
    /// Everything that a session needs once, after the login.
    async fn prepare(&mut self) -> Result<()> {
        if self.target.protocol == Protocol::Ftps {
            // Explicit TLS has done so already. Some servers of implicit TLS refuse what is always on; data connections
            // are encrypted by us whatever they say.
            for command in ["PBSZ 0", "PROT P"] {
                let reply = self.ask("protect the data", command).await?;
                if reply.code() >= 400 {
                    tracing::debug!("{:?}: {command}: {}", self.target, reply.words());
                }
            }
        }
        let reply = self.ask("ask for features", "FEAT").await?;
        if reply.code() == 211 {
            let first =
                |line: &str| line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            self.features = reply.words().lines().skip(1).map(|line| first(line.trim())).collect();
        }
        if self.can("UTF8") {
            self.ask("ask for UTF-8", "OPTS UTF8 ON").await?;
        }
        let target = self.target.clone();
        within(&target, "set the type", async {
            let set = self.ftp.transfer_type(FileType::Binary).await;
            set.map_err(|e| reply_error(&target, "set the type", &e))
        })
        .await?;
        // EPSV works over IPv4 and IPv6; it is tried, for some servers name it and refuse it. The address in PASV's answer is
        // never used: it may be one behind a NAT, or somebody else's.
        let extended = self.ask("passive mode", "EPSV").await?.code() == 229;
        self.ftp.set_passive_nat_workaround(true);
        self.ftp.set_mode(if extended { Mode::ExtendedPassive } else { Mode::Passive });
        Ok(())
    }
}

/// A connection after its TLS handshake and greeting.
struct Met {
    ftp: ImplAsyncFtpStream<HeardStream>,
    heard: Heard,
    torn: Torn,
    seen: Seen,
}

/// Connects up to the greeting under TLS, with the first version that the server speaks.
async fn meet(target: &Target, trust: Option<&Trust>) -> Result<Met> {
    let mut last = None;
    for version in VERSIONS {
        let (config, seen) = tls_config(trust, &[version])?;
        let (heard, torn) = (Heard::default(), Torn::default());
        let tls = TlsConnector::from(Arc::new(config));
        let connector = Connector::new(tls, heard.clone(), torn.clone());
        match greet(target, &connector).await? {
            Ok(ftp) => return Ok(Met { ftp, heard, torn, seen }),
            // Before the certificate only the version or the ciphers can have been the matter.
            Err(error @ FtpError::SecureError(_)) if seen.identity().is_none() => {
                last.get_or_insert(tls_error(target, &seen, error));
            }
            Err(error) => return Err(tls_error(target, &seen, error)),
        }
    }
    Err(last.unwrap_or_else(|| target.refused(Kind::Internal, "no version of TLS")))
}

async fn greet(
    target: &Target,
    connector: &Connector,
) -> Result<FtpResult<ImplAsyncFtpStream<HeardStream>>> {
    let host = target.host.trim_start_matches('[').trim_end_matches(']');
    if target.protocol == Protocol::Ftps {
        return implicit(target, connector, host).await;
    }
    let stream = target.reach.connect(&target.host, target.port, target.step_timeout).await?;
    let plain = within(target, "wait for the greeting", async {
        let greeted = ImplAsyncFtpStream::connect_with_stream(stream).await;
        greeted.map_err(|e| reply_error(target, "wait for the greeting", &e))
    })
    .await?;
    within(target, "start TLS", async { Ok(plain.into_secure(connector.clone(), host).await) })
        .await
}

/// The addresses one after the other, as suppaftp connects by itself for implicit TLS.
async fn implicit(
    target: &Target,
    connector: &Connector,
    host: &str,
) -> Result<FtpResult<ImplAsyncFtpStream<HeardStream>>> {
    let mut last = None;
    let addresses = within(target, "resolve the name", async {
        target.reach.addresses(&target.host, target.port).await
    })
    .await?;
    for address in addresses {
        let connect = ImplAsyncFtpStream::connect_secure_implicit(address, connector.clone(), host);
        match within(target, "connect and start TLS", async { Ok(connect.await) }).await {
            Ok(Err(FtpError::ConnectionError(error))) => {
                last = Some(target.refused(
                    Kind::Busy,
                    &format!(
                        "{address} cannot be reached ({error}); check host, port and firewall"
                    ),
                ));
            }
            Ok(met) => return Ok(met),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| target.refused(Kind::NotFound, "the name has no address")))
}

/// Why TLS did not come about: the certificate, if that was refused; else what was said.
pub(super) fn tls_error(target: &Target, seen: &Seen, error: FtpError) -> Error {
    let FtpError::SecureError(words) = &error else {
        return match &error {
            FtpError::UnexpectedResponse(_) => Error::caused(
                Kind::Unsupported,
                format!(
                    "{target:?}: start TLS: {}; without TLS nothing is sent",
                    reply_error(target, "TLS", &error).message()
                ),
                error,
            ),
            _ => reply_error(target, "start TLS", &error),
        };
    };
    match (seen.refused(), &target.trust) {
        (Some(shown), Trust::Pins(pins)) => identity_change(&target.address(), &shown, pins),
        (Some(shown), _) => not_vouched_for(&target.address(), &shown, words),
        (None, _) => Error::caused(Kind::Busy, format!("{target:?}: start TLS: {words}"), error),
    }
}

fn login_error(target: &Target, error: FtpError) -> Error {
    match &error {
        FtpError::UnexpectedResponse(reply) if reply.status.code() >= 500 => {
            let said = reply_error(target, "log in", &error);
            let words = format!("{}; check login and password", said.message());
            Error::caused(Kind::Denied, words, error)
        }
        _ => reply_error(target, "log in", &error),
    }
}
