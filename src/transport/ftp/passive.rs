//! The ports of data connections: ours (PASV, EPSV), and the addresses that PORT and EPRT name.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::model::Network;
use crate::transport::proxy;

/// The IPv4 address that PASV answers instead of the one that the client reached (`ftps.passive_host`).
///
/// # Errors
/// [`Kind::Invalid`] when it is not an IPv4 address.
pub(super) fn public_host(config: &Config) -> Result<Option<Ipv4Addr>> {
    let Some(host) = config.ftps.passive_host.as_deref() else { return Ok(None) };
    host.trim().parse().map(Some).map_err(|e| {
        let message = format!(
            "ftps.passive_host = \"{host}\" is not an IPv4 address; write the public one, for example 203.0.113.7"
        );
        Error::caused(Kind::Invalid, message, e)
    })
}

/// The ports that passive mode may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ports(RangeInclusive<u16>);

impl Ports {
    /// Reads `ftps.passive_ports`: `50000-50099`, one port, or `0` for any.
    ///
    /// # Errors
    /// [`Kind::Invalid`] with an example.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (first.trim().parse::<u16>(), last.trim().parse::<u16>()) {
            (Ok(first), Ok(last)) if first <= last && (first != 0 || last == 0) => {
                Ok(Self(first..=last))
            }
            _ => {
                let message = format!(
                    "ftps.passive_ports = \"{text}\" is not a range of ports; write for example 50000-50099, or 0 for any"
                );
                Err(Error::new(Kind::Invalid, message))
            }
        }
    }

    /// How many of them one client's sessions may wait at together; `None`: no more than the system has.
    fn most_of_one_client(&self) -> Option<usize> {
        let (first, last) = (usize::from(*self.0.start()), usize::from(*self.0.end()));
        // Three of four: whoever asks for ports and does not come leaves some to the others.
        (first > 0).then(|| (last.saturating_sub(first).saturating_add(1) * 3).div_ceil(4))
    }

    /// Listens on a free port of `ip`: a random one first, then each of the others.
    ///
    /// # Errors
    /// No port is free.
    pub(super) fn listen(&self, ip: IpAddr) -> io::Result<TcpListener> {
        let (first, last) = (u32::from(*self.0.start()), u32::from(*self.0.end()));
        let count = last - first + 1;
        let start = rand::random_range(0..count);
        let mut failure = io::Error::from(io::ErrorKind::AddrInUse);
        for step in 0..count {
            let port = first + (start + step) % count;
            let Ok(port) = u16::try_from(port) else { continue };
            match listen(SocketAddr::new(ip, port)) {
                Ok(listener) => return Ok(listener),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}

/// How many ports the sessions of each client wait at just now.
#[derive(Clone, Default)]
pub struct DataPorts(Arc<Mutex<HashMap<String, usize>>>);

/// One client's port; dropping it gives it back.
pub(super) struct Share {
    ports: DataPorts,
    client: String,
}

impl DataPorts {
    /// Counts one more of `client`'s; `None`: it has as many as one client may.
    pub(super) fn take(&self, client: &str, ports: &Ports) -> Option<Share> {
        let mut waiting = self.waiting();
        let count = waiting.entry(client.to_owned()).or_default();
        if ports.most_of_one_client().is_some_and(|most| *count >= most) {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Share { ports: self.clone(), client: client.to_owned() })
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut waiting = self.ports.waiting();
        if let Some(count) = waiting.get_mut(&self.client) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                waiting.remove(&self.client);
            }
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Ports of finished transfers stay in TIME_WAIT; without this a busy minute would use up the range.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// One connection is wanted; a few more places so that a stranger cannot crowd the client out.
const BACKLOG: u32 = 16;

/// The next connection from `peer`: others are dropped and listening goes on.
///
/// # Errors
/// The listener failed.
pub(super) async fn accept_from(
    listener: &TcpListener,
    peer: IpAddr,
    trusted: &[Network],
) -> io::Result<TcpStream> {
    loop {
        let (mut tcp, from) = listener.accept().await?;
        let mut sender = from.ip().to_canonical();
        if proxy::is_trusted(trusted, sender) {
            match proxy::read_header(&mut tcp).await {
                Ok(told) => sender = told.map_or(sender, |told| told.ip()),
                Err(error) => {
                    tracing::warn!(balancer = %from, %error, "a data connection without a PROXY header was dropped");
                    continue;
                }
            }
        }
        if sender == peer {
            tcp.set_nodelay(true)?;
            return Ok(tcp);
        }
        tracing::warn!(%from, %peer, "a data connection from another address than its session's was dropped");
    }
}

/// The address of PORT: `h1,h2,h3,h4,p1,p2`. Source: RFC 959, 4.1.2.
pub(super) fn parse_port(argument: &str) -> Option<SocketAddr> {
    let numbers: Vec<u8> =
        argument.split(',').map(|n| n.trim().parse().ok()).collect::<Option<_>>()?;
    let [a, b, c, d, high, low] = <[u8; 6]>::try_from(numbers).ok()?;
    Some(SocketAddr::new(IpAddr::from([a, b, c, d]), u16::from_be_bytes([high, low])))
}

/// The address of EPRT: `|1|132.235.1.2|6275|`. Source: RFC 2428, 2.
pub(super) fn parse_eprt(argument: &str) -> Option<SocketAddr> {
    let delimiter = argument.chars().next()?;
    let mut parts = argument.split(delimiter).skip(1);
    let (family, ip, port) = (parts.next()?, parts.next()?, parts.next()?);
    let ip: IpAddr = ip.parse().ok()?;
    let named = match family {
        "1" => ip.is_ipv4(),
        "2" => ip.is_ipv6(),
        _ => false,
    };
    named.then_some(())?;
    Some(SocketAddr::new(ip, port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_ranges() {
        assert_eq!(Ports::parse("50000-50099").unwrap(), Ports(50000..=50099));
        assert_eq!(Ports::parse("0").unwrap(), Ports(0..=0));
        assert_eq!(Ports::parse(" 5000 ").unwrap(), Ports(5000..=5000));
        for wrong in ["", "a-b", "2-1", "0-5", "1-70000", "1-2-3"] {
            assert_eq!(Ports::parse(wrong).unwrap_err().kind(), Kind::Invalid, "{wrong}");
        }
    }

    #[test]
    fn one_client_never_has_all_ports() {
        let (ports, shares) = (Ports::parse("50000-50003").unwrap(), DataPorts::default());
        let taken: Vec<_> = (0..3).map(|_| shares.take("acme", &ports).unwrap()).collect();
        assert!(shares.take("acme", &ports).is_none());
        assert!(shares.take("other", &ports).is_some());
        drop(taken);
        assert!(shares.take("acme", &ports).is_some());
        assert!(shares.waiting().is_empty());
        let single = Ports::parse("50000").unwrap();
        let _one = shares.take("acme", &single).unwrap();
        assert!(shares.take("acme", &single).is_none());
        let any = Ports::parse("0").unwrap();
        assert!(shares.take("acme", &any).is_some());
    }

    #[tokio::test]
    async fn a_taken_port_is_passed_over_and_a_full_range_is_an_error() {
        let ip = IpAddr::from([127, 0, 0, 1]);
        let taken = listen(SocketAddr::new(ip, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert!(Ports(port..=port).listen(ip).is_err());
        let range = Ports(port.saturating_sub(5)..=port.saturating_add(5).max(port));
        assert_ne!(range.listen(ip).unwrap().local_addr().unwrap().port(), port);
    }

    #[test]
    fn addresses_of_active_mode() {
        assert_eq!(parse_port("127,0,0,1,4,1"), Some("127.0.0.1:1025".parse().unwrap()));
        assert_eq!(parse_port("127,0,0,1,4"), None);
        assert_eq!(parse_port("127,0,0,256,4,1"), None);
        assert_eq!(parse_eprt("|1|127.0.0.1|6275|"), Some("127.0.0.1:6275".parse().unwrap()));
        assert_eq!(parse_eprt("|2|::1|6275|"), Some("[::1]:6275".parse().unwrap()));
        assert_eq!(parse_eprt("|1|::1|6275|"), None);
        assert_eq!(parse_eprt("|3|x|1|"), None);
        assert_eq!(parse_eprt(""), None);
    }
}
