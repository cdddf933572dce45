//! The PROXY protocol, versions 1 and 2: a trusted load balancer says in front of a connection for whom it is.
//!
//! Source: the HAProxy project's proxy-protocol.txt.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::timeout;

use crate::model::Network;

/// A balancer sends its header at once.
const WITHIN: Duration = Duration::from_secs(5);
const SIGNATURE_V2: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// The longest header of version 1, with its line end.
const MAX_V1_BYTES: usize = 107;
/// Addresses and extras of version 2; more than any balancer sends.
const MAX_V2_BYTES: usize = 4096;

/// Whether connections from here must begin with a header.
pub(super) fn is_trusted(trusted: &[Network], peer: IpAddr) -> bool {
    trusted.iter().any(|network| network.contains(peer))
}

/// Reads the header and not a byte more: for whom the connection is; `None`: for the balancer itself (its own check).
///
/// # Errors
/// There is no header, or none that can be read.
pub(super) async fn read_header(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<SocketAddr>> {
    timeout(WITHIN, header(stream)).await?
}

pub(super) async fn header(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<SocketAddr>> {
    let mut head = [0_u8; SIGNATURE_V2.len()];
    stream.read_exact(&mut head).await?;
    if head == SIGNATURE_V2 {
        return version_2(stream).await;
    }
    if !head.starts_with(b"PROXY ") {
        return Err(broken("the connection does not begin with a PROXY header"));
    }
    let mut line = head.to_vec();
    while !line.ends_with(b"\r\n") {
        if line.len() >= MAX_V1_BYTES {
            return Err(broken("the PROXY header does not end"));
        }
        line.push(stream.read_u8().await?);
    }
    version_1(&line)
}

fn version_1(line: &[u8]) -> io::Result<Option<SocketAddr>> {
    let unreadable = || broken("the PROXY header cannot be read");
    let text = std::str::from_utf8(line).map_err(|_| unreadable())?;
    let words: Vec<&str> = text.trim_end().split(' ').collect();
    match words.as_slice() {
        ["PROXY", "UNKNOWN", ..] => Ok(None),
        ["PROXY", family @ ("TCP4" | "TCP6"), from, _to, from_port, _to_port] => {
            let ip: IpAddr = from.parse().map_err(|_| unreadable())?;
            let port = from_port.parse().map_err(|_| unreadable())?;
            if ip.is_ipv4() != (*family == "TCP4") {
                return Err(unreadable());
            }
            Ok(Some(SocketAddr::new(ip.to_canonical(), port)))
        }
        _ => Err(unreadable()),
    }
}

async fn version_2(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let command = stream.read_u8().await?;
    let family = stream.read_u8().await?;
    let length = usize::from(stream.read_u16().await?);
    if length > MAX_V2_BYTES {
        return Err(broken("the PROXY header is too long"));
    }
    let mut body = vec![0_u8; length];
    stream.read_exact(&mut body).await?;
    let mut body = body.as_slice();
    match (command, family) {
        // LOCAL, or a family that says nothing of addresses.
        (0x20, _) | (0x21, 0x00) => Ok(None),
        (0x21, 0x11) => {
            let from = Ipv4Addr::from_bits(body.read_u32().await?);
            let _to = body.read_u32().await?;
            Ok(Some(SocketAddr::new(from.into(), body.read_u16().await?)))
        }
        (0x21, 0x21) => {
            let from = Ipv6Addr::from_bits(body.read_u128().await?);
            let _to = body.read_u128().await?;
            Ok(Some(SocketAddr::new(from.to_canonical(), body.read_u16().await?)))
        }
        _ => Err(broken("the PROXY header is of no kind that is known")),
    }
}

fn broken(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the header of `bytes`, after which `rest` must be left.
    async fn check(bytes: &[u8], expected: Option<&str>) {
        let all = [bytes, b"rest"].concat();
        let mut stream = all.as_slice();
        let told = read_header(&mut stream).await.unwrap();
        assert_eq!(told, expected.map(|address| address.parse().unwrap()), "{bytes:?}");
        assert_eq!(stream, b"rest", "{bytes:?}");
    }

    fn second(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&SIGNATURE_V2[..], &[command, family], &length, body].concat()
    }

    #[tokio::test]
    async fn both_versions_are_read_to_their_last_byte() {
        let four = b"PROXY TCP4 203.0.113.9 192.0.2.1 51000 2022\r\n";
        check(four, Some("203.0.113.9:51000")).await;
        check(b"PROXY TCP6 2001:db8::9 2001:db8::1 51000 2022\r\n", Some("[2001:db8::9]:51000"))
            .await;
        check(b"PROXY UNKNOWN\r\n", None).await;
        check(b"PROXY UNKNOWN ff ff 1 2\r\n", None).await;
        let body = [&[203, 0, 113, 9, 192, 0, 2, 1][..], &[0xC7, 0x38, 7, 0xE6], &[4, 0, 0]];
        check(&second(0x21, 0x11, &body.concat()), Some("203.0.113.9:51000")).await;
        let from = "2001:db8::9".parse::<Ipv6Addr>().unwrap().octets();
        let body = [&from[..], &from, &[0xC7, 0x38, 7, 0xE6]].concat();
        check(&second(0x21, 0x21, &body), Some("[2001:db8::9]:51000")).await;
        check(&second(0x20, 0x00, b""), None).await;
    }

    #[tokio::test]
    async fn what_is_no_header_is_refused() {
        let long = [&b"PROXY TCP4 "[..], &[b'1'; 200]].concat();
        for bytes in [
            &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
            b"PROXY TCP4 2001:db8::9 192.0.2.1 1 2\r\n",
            b"PROXY TCP4 203.0.113.9 192.0.2.1 70000 2\r\n",
            b"PROXY TCP4 203.0.113.9\r\n",
            b"PROXY",
            b"",
            &long,
            &second(0x21, 0x11, b"short"),
            &second(0x31, 0x11, &[0; 12]),
            &second(0x21, 0x11, &[0; 5000]),
        ] {
            let mut stream = bytes;
            assert!(read_header(&mut stream).await.is_err(), "{bytes:?}");
        }
    }
}
