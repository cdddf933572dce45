//! What must hold for any bytes in front of a connection; asked by the fuzz targets (`fuzz/`).

use std::net::SocketAddr;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

pub(crate) use super::ftp::fuzzing::ftp;
use super::proxy;
pub(crate) use super::sftp::fuzzing::{scp, sftp};

/// Reads a header of the PROXY protocol: never a byte too many, and what it says can be said again.
pub(crate) fn proxy(bytes: &[u8]) {
    let Some((told, rest)) = read(bytes) else { return };
    assert!(bytes.ends_with(rest) && rest.len() < bytes.len());
    let header = bytes.get(..bytes.len() - rest.len()).unwrap_or_default();
    let followed = [header, b"SSH-2.0-x\r\n"].concat();
    assert_eq!(read(&followed), Some((told, &b"SSH-2.0-x\r\n"[..])), "what follows is left alone");
    if let Some(from) = told {
        let family = if from.is_ipv4() { "TCP4" } else { "TCP6" };
        let again = format!("PROXY {family} {0} {0} {1} 22\r\n", from.ip(), from.port());
        assert_eq!(read(again.as_bytes()), Some((told, &b""[..])), "{again}");
    }
}

/// All bytes are there already, so the answer is too. Without a runtime there is no timer: none is needed.
fn read(bytes: &[u8]) -> Option<(Option<SocketAddr>, &[u8])> {
    let mut stream = bytes;
    let told = {
        let mut reading = pin!(proxy::header(&mut stream));
        match reading.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(told) => told,
            Poll::Pending => return None,
        }
    };
    told.ok().map(|told| (told, stream))
}
