//! Who may connect at all: caps on connections in total, from one address, and before login.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Limits;

/// Counts connections of both protocols together. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    max_connections: usize,
    max_per_address: usize,
    max_half_open: usize,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: Tally,
    by_address: HashMap<IpAddr, Tally>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    connections: usize,
    half_open: usize,
}

/// Why a connection is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// `limits.max_connections` is reached.
    Connections,
    /// `limits.max_connections_per_address` is reached for this address.
    Address,
    /// `limits.max_half_open` is reached, or this address holds half of it.
    HalfOpen,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connections => "limits.max_connections is reached",
            Self::Address => "limits.max_connections_per_address is reached for this address",
            Self::HalfOpen => "limits.max_half_open: too many connections that have not logged in",
        })
    }
}

impl Gate {
    /// An open gate with the limits of the configuration.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self(Arc::new(Inner {
            max_connections: limits.max_connections,
            max_per_address: limits.max_connections_per_address,
            max_half_open: limits.max_half_open,
            counts: Mutex::default(),
        }))
    }

    /// Lets a new connection in; its places are free again when the pass is dropped.
    ///
    /// # Errors
    /// Which cap is reached.
    pub fn admit(&self, peer: IpAddr) -> Result<Pass, Full> {
        let address = one_subscriber(peer);
        let mut counts = self.counts();
        if counts.all.connections >= self.0.max_connections {
            return Err(Full::Connections);
        }
        if counts.all.half_open >= self.0.max_half_open {
            return Err(Full::HalfOpen);
        }
        let here = counts.by_address.get(&address).copied().unwrap_or_default();
        if here.connections >= self.0.max_per_address {
            return Err(Full::Address);
        }
        // One address must not be able to keep everybody else from logging in.
        if here.half_open >= self.0.max_half_open.div_ceil(2) {
            return Err(Full::HalfOpen);
        }
        counts.all.enter();
        counts.by_address.entry(address).or_default().enter();
        drop(counts);
        Ok(Pass { gate: self.clone(), address, half_open: true })
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    fn enter(&mut self) {
        self.connections = self.connections.saturating_add(1);
        self.half_open = self.half_open.saturating_add(1);
    }

    fn log_in(&mut self) {
        self.half_open = self.half_open.saturating_sub(1);
    }

    fn leave(&mut self, half_open: bool) {
        self.connections = self.connections.saturating_sub(1);
        if half_open {
            self.log_in();
        }
    }
}

/// The places that one connection takes; dropping it gives them back.
#[derive(Debug)]
pub struct Pass {
    gate: Gate,
    address: IpAddr,
    half_open: bool,
}

impl Pass {
    /// Gives the half-open place back: somebody has logged in.
    pub fn logged_in(&mut self) {
        if !std::mem::replace(&mut self.half_open, false) {
            return;
        }
        let mut counts = self.gate.counts();
        counts.all.log_in();
        if let Some(here) = counts.by_address.get_mut(&self.address) {
            here.log_in();
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut counts = self.gate.counts();
        counts.all.leave(self.half_open);
        let Some(here) = counts.by_address.get_mut(&self.address) else { return };
        here.leave(self.half_open);
        if here.connections == 0 {
            counts.by_address.remove(&self.address);
        }
    }
}

/// The address by which connections are counted: a subscriber owns a whole IPv6 /64.
fn one_subscriber(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(all: usize, per_address: usize, half_open: usize) -> Gate {
        Gate::new(&Limits {
            max_connections: all,
            max_connections_per_address: per_address,
            max_half_open: half_open,
            ..Limits::default()
        })
    }

    fn ip(s: &str) -> IpAddr {
        s.parse().unwrap()
    }

    #[test]
    fn each_cap_refuses_and_a_dropped_pass_frees_its_place() {
        let gate = gate(3, 2, 100);
        let a = gate.admit(ip("192.0.2.1")).unwrap();
        let _b = gate.admit(ip("192.0.2.1")).unwrap();
        assert_eq!(gate.admit(ip("192.0.2.1")).unwrap_err(), Full::Address);
        let _c = gate.admit(ip("192.0.2.2")).unwrap();
        assert_eq!(gate.admit(ip("192.0.2.3")).unwrap_err(), Full::Connections);
        drop(a);
        assert!(gate.admit(ip("192.0.2.1")).is_ok());
    }

    #[test]
    fn half_open_places_are_freed_by_login_and_no_address_takes_them_all() {
        let gate = gate(100, 100, 2);
        let mut a = gate.admit(ip("192.0.2.1")).unwrap();
        assert_eq!(gate.admit(ip("192.0.2.1")).unwrap_err(), Full::HalfOpen);
        let _b = gate.admit(ip("192.0.2.2")).unwrap();
        assert_eq!(gate.admit(ip("192.0.2.3")).unwrap_err(), Full::HalfOpen);
        a.logged_in();
        a.logged_in();
        assert!(gate.admit(ip("192.0.2.1")).is_ok());
    }

    #[test]
    fn an_ipv6_subscriber_counts_once_and_mapped_ipv4_is_ipv4() {
        let gate = gate(100, 1, 100);
        let _a = gate.admit(ip("2001:db8::1")).unwrap();
        assert_eq!(gate.admit(ip("2001:db8::2")).unwrap_err(), Full::Address);
        let _b = gate.admit(ip("::ffff:192.0.2.1")).unwrap();
        assert_eq!(gate.admit(ip("192.0.2.1")).unwrap_err(), Full::Address);
        assert!(gate.admit(ip("2001:db8:0:1::1")).is_ok());
    }
}
