//! Which addresses this program may connect to: public ones, and what the operator allows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::error::{Error, Kind, Result};
use crate::model::Network;

/// What is not the public internet, with what it is (RFC 6890 and its registries). IPv6 outside 2000::/3 is refused
/// as a whole.
const CLOSED: [(&str, &str); 22] = [
    ("0.0.0.0/8", "this machine"),
    ("10.0.0.0/8", "a private network"),
    ("100.64.0.0/10", "a carrier's internal network"),
    ("127.0.0.0/8", "this machine"),
    ("169.254.0.0/16", "the local link, where clouds keep their credentials"),
    ("172.16.0.0/12", "a private network"),
    ("192.0.0.0/24", "reserved for protocols"),
    ("192.0.2.0/24", "for documentation"),
    ("192.88.99.0/24", "a relay that is no more"),
    ("192.168.0.0/16", "a private network"),
    ("198.18.0.0/15", "for measurements"),
    ("198.51.100.0/24", "for documentation"),
    ("203.0.113.0/24", "for documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("2001::/23", "reserved for protocols"),
    ("2001:db8::/32", "for documentation"),
    ("3fff::/20", "for documentation"),
    ("fc00::/7", "a private network"),
    ("fe80::/10", "the local link"),
    ("ff00::/8", "multicast"),
    ("::1/128", "this machine"),
];

/// The outgoing rule: public addresses, and the networks that the operator allows besides.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// Networks that may be connected to although they are not public (`outgoing.allow`).
    pub allow: Vec<Network>,
}

impl Reach {
    /// Resolves `host` once; the addresses that may be connected to.
    ///
    /// # Errors
    /// `NotFound` when the name has no address now, `Denied` when none of them may be connected to.
    pub async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>> {
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        let found: Vec<SocketAddr> = match bare.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => tokio::net::lookup_host((bare, port))
                .await
                .map_err(|e| {
                    let words = format!("the name \"{host}\" has no address ({e}); check the host");
                    Error::caused(Kind::NotFound, words, e)
                })?
                .collect(),
        };
        self.permitted(host, found)
    }

    /// Connects to the first of the permitted addresses that answers.
    ///
    /// # Errors
    /// As [`Reach::addresses`]; `Busy` when none answers within `limit`.
    pub async fn connect(&self, host: &str, port: u16, limit: Duration) -> Result<TcpStream> {
        let step = async {
            let mut last = None;
            let addresses = self.addresses(host, port).await?;
            // A dead address must leave time for the next one.
            let share = limit / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
            for address in addresses {
                match tokio::time::timeout(share, TcpStream::connect(address)).await {
                    Ok(Ok(stream)) => {
                        stream.set_nodelay(true).map_err(|e| Error::io(format!("{address}"), e))?;
                        return Ok(stream);
                    }
                    Ok(Err(error)) => last = Some(format!("{address}: {error}")),
                    Err(_) => last = Some(format!("{address}: no answer")),
                }
            }
            let words = last.unwrap_or_else(|| "no address".to_owned());
            Err(Error::new(
                Kind::Busy,
                format!("{host}:{port} cannot be reached ({words}); check host, port and firewall"),
            ))
        };
        match tokio::time::timeout(limit, step).await {
            Ok(result) => result,
            Err(_) => Err(Error::new(
                Kind::Busy,
                format!("{host}:{port}: no connection within {} s", limit.as_secs()),
            )),
        }
    }

    fn permitted(&self, host: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>> {
        let mut refused = None;
        let mut open = Vec::new();
        for address in found {
            let canonical = SocketAddr::new(address.ip().to_canonical(), address.port());
            match self.closed(canonical.ip()) {
                None if open.contains(&canonical) => {}
                None => open.push(canonical),
                Some(what) => {
                    refused.get_or_insert((canonical.ip(), what));
                }
            }
        }
        match refused {
            _ if !open.is_empty() => Ok(open),
            Some((address, what)) => Err(Error::new(
                Kind::Denied,
                format!(
                    "\"{host}\" is {address}: {what}, which is not connected to; if that is meant, the operator adds \
                     \"{address}\" or its network to outgoing.allow"
                ),
            )),
            None => Err(Error::new(Kind::NotFound, format!("the name \"{host}\" has no address"))),
        }
    }

    /// What forbids an address, if anything does. An IPv4 address within an IPv6 one is judged as what it is.
    fn closed(&self, address: IpAddr) -> Option<&'static str> {
        if self.allow.iter().any(|network| network.contains(address)) {
            return None;
        }
        if let IpAddr::V6(address) = address {
            if let Some(wrapped) = wrapped(address) {
                return self.closed(IpAddr::V4(wrapped));
            }
            if address.segments().first().is_some_and(|s| s & 0xe000 != 0x2000) {
                return Some(closed_network(IpAddr::V6(address)).unwrap_or("no public address"));
            }
        }
        closed_network(address)
    }
}

fn closed_network(address: IpAddr) -> Option<&'static str> {
    let within = |text: &str| text.parse::<Network>().is_ok_and(|n| n.contains(address));
    CLOSED.iter().find(|(network, _)| within(network)).map(|(_, what)| *what)
}

/// The IPv4 address that an IPv6 one leads to: mapped, NAT64 (RFC 6052, 8215), 6to4 (RFC 3056).
fn wrapped(address: Ipv6Addr) -> Option<Ipv4Addr> {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return Some(mapped);
    }
    let [a, b, c, d, e, f, g, h] = address.segments();
    let of = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match (a, b) {
        (0x2002, _) => Some(of(b, c)),
        (0x64, 0xff9b) if [c, d, e, f] == [0; 4] || c == 1 => Some(of(g, h)),
        (0, 0) if [c, d, e, f] == [0; 4] && (g, h) > (0, 1) => Some(of(g, h)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(allow: &[&str]) -> Reach {
        Reach { allow: allow.iter().map(|n| n.parse().unwrap()).collect() }
    }

    fn check(allow: &[&str], address: &str, open: bool) {
        let address: IpAddr = address.parse().unwrap();
        assert_eq!(reach(allow).closed(address).is_none(), open, "{address} with {allow:?}");
    }

    #[test]
    fn only_public_addresses_are_open() {
        for public in
            ["8.8.8.8", "192.0.1.1", "172.32.0.1", "100.128.0.1", "2a00:1450::1", "2606::1"]
        {
            check(&[], public, true);
        }
        for closed in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.1.2.3",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.5",
            "198.51.100.5",
            "203.0.113.5",
            "198.19.0.1",
            "::",
            "::1",
            "fe80::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "2001:0:1::1",
            "3fff::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::7f00:1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "::127.0.0.1",
            "fec0::1",
            "100::1",
            "5f00::1",
        ] {
            check(&[], closed, false);
        }
    }

    #[test]
    fn wrapped_public_addresses_and_what_the_operator_allows_are_open() {
        check(&[], "64:ff9b::808:808", true);
        check(&[], "2002:808:808::1", true);
        check(&["127.0.0.0/8"], "127.0.0.1", true);
        check(&["127.0.0.0/8"], "::ffff:127.0.0.1", true);
        check(&["127.0.0.0/8"], "::1", false);
        check(&["10.0.0.0/8"], "64:ff9b::a00:1", true);
        check(&["10.0.0.5"], "10.0.0.6", false);
        check(&["::1"], "::1", true);
    }

    #[test]
    fn of_a_name_with_several_addresses_only_the_permitted_ones_are_tried() {
        let found = |texts: &[&str]| texts.iter().map(|t| t.parse().unwrap()).collect::<Vec<_>>();
        let both = found(&["127.0.0.1:22", "8.8.8.8:22", "[::ffff:8.8.8.8]:22"]);
        assert_eq!(reach(&[]).permitted("host", both).unwrap(), found(&["8.8.8.8:22"]));
        let error = reach(&[]).permitted("host", found(&["10.0.0.9:22"])).unwrap_err();
        assert_eq!(error.kind(), Kind::Denied);
        assert!(error.message().contains("10.0.0.9") && error.message().contains("outgoing.allow"));
        assert_eq!(reach(&[]).permitted("host", Vec::new()).unwrap_err().kind(), Kind::NotFound);
    }
}
