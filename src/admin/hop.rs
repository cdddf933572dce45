//! Over which hop a request came: the browser's real address, whether TLS protects it, and by which name it asks.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::Request;
use axum::extract::connect_info::ConnectInfo;
use axum::http::{HeaderMap, HeaderName, Uri, header};

use super::Admin;
use crate::config::Config;
use crate::model::Network;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// The most proxies of a chain that are looked at.
const MAX_HOPS: usize = 20;

/// What is known of a request's way here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hop {
    /// The browser's address.
    pub(super) peer: IpAddr,
    /// Whether the browser speaks TLS, with us or with a proxy before us.
    pub(super) secure: bool,
}

impl Hop {
    /// Looks at the connection, and at what a trusted proxy says; what anybody else says does not count.
    pub(super) fn of(admin: &Admin, request: &Request) -> Self {
        let connected = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let nearest = connected.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
        let nearest = nearest.to_canonical();
        let config = admin.service().config();
        let trusted = &config.proxy.trusted;
        let by_proxy = is_trusted(trusted, nearest);
        let headers = request.headers();
        let peer = if by_proxy { behind(trusted, nearest, headers) } else { nearest };
        let says_tls = by_proxy && last(headers, &X_FORWARDED_PROTO) == "https";
        let public = config.mail.public_url.as_deref().filter(|url| url.starts_with("https://"));
        let public = public.and_then(|url| url.parse::<Uri>().ok());
        // Asked for by its public name, a page on loopback stands behind the proxy that has the certificate.
        let asked = name_of(host(request));
        let by_name = public.is_some_and(|url| url.host().is_some_and(|name| name == asked));
        Self { peer, secure: admin.0.secure || says_tls || by_name }
    }
}

pub(super) fn is_trusted(trusted: &[Network], address: IpAddr) -> bool {
    trusted.iter().any(|network| network.contains(address))
}

/// The nearest address of the chain that is no proxy of ours: those further away anybody could have written.
fn behind(trusted: &[Network], nearest: IpAddr, headers: &HeaderMap) -> IpAddr {
    let chain = if headers.contains_key(header::FORWARDED) {
        forwarded(headers)
    } else {
        let all = headers.get_all(X_FORWARDED_FOR).into_iter().filter_map(|v| v.to_str().ok());
        all.flat_map(|line| line.split(',')).map(|part| part.trim().to_owned()).collect()
    };
    let mut known = nearest;
    for part in chain.iter().rev().take(MAX_HOPS) {
        let Some(address) = address(part) else { break };
        known = address;
        if !is_trusted(trusted, address) {
            break;
        }
    }
    known
}

/// The `for=` values of `Forwarded` (RFC 7239), the farthest first.
fn forwarded(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(header::FORWARDED).into_iter().filter_map(|v| v.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .map(|element| {
            let pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
            let mut named = pairs.filter(|(name, _)| name.eq_ignore_ascii_case("for"));
            named.next().map(|(_, value)| value.trim_matches('"').to_owned()).unwrap_or_default()
        })
        .collect()
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.trim_start_matches('[').split(']').next().unwrap_or(text);
    let found = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|a| a.ip()));
    found.map(|address: IpAddr| address.to_canonical())
}

/// The last value of a header that each proxy adds to.
fn last(headers: &HeaderMap, name: &HeaderName) -> String {
    let line = headers.get_all(name).into_iter().next_back().and_then(|v| v.to_str().ok());
    line.and_then(|line| line.split(',').next_back()).unwrap_or("").trim().to_ascii_lowercase()
}

/// Names that requests may be for, beside IP addresses.
pub(super) fn hosts(config: &Config, bound: SocketAddr) -> Vec<String> {
    let mut hosts: Vec<String> = config.admin.hosts.iter().map(|h| h.to_lowercase()).collect();
    if bound.ip().is_loopback() {
        hosts.push("localhost".to_owned());
    }
    let public = config.mail.public_url.as_deref().and_then(|url| url.parse::<Uri>().ok());
    hosts.extend(public.and_then(|url| url.host().map(str::to_lowercase)));
    hosts.extend(
        config.hosts.values().filter_map(|h| h.public_host.as_deref()).map(str::to_lowercase),
    );
    hosts
}

/// The address of the page without a path, for links that people are given.
#[must_use]
pub fn page_url(config: &Config, bound: SocketAddr) -> String {
    if let Some(url) = &config.mail.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let scheme = if bound.ip().is_loopback() { "http" } else { "https" };
    if !bound.ip().is_unspecified() {
        return format!("{scheme}://{bound}");
    }
    // Nobody can open 0.0.0.0: a name by which it is known, else this machine itself.
    let known = hosts(config, bound).into_iter().next();
    format!("{scheme}://{}:{}", known.as_deref().unwrap_or("127.0.0.1"), bound.port())
}

/// A page of another site whose name was pointed at this address (DNS rebinding) names itself here.
pub(super) fn check_host(admin: &Admin, request: &Request) -> Result<(), String> {
    if request.headers().get_all(header::HOST).iter().count() > 1 {
        return Err("a request names its host once".to_owned());
    }
    let name = name_of(host(request));
    let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    if is_address || admin.0.hosts.contains(&name) {
        return Ok(());
    }
    Err(format!(
        "this server is not known as \"{}\"; if that is its name, add it to admin.hosts",
        name.chars().take(100).collect::<String>()
    ))
}

fn host(request: &Request) -> &str {
    let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    named.or_else(|| request.uri().authority().map(|a| a.as_str())).unwrap_or_default()
}

/// A `host:port` without its port, in lower case.
fn name_of(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => {
            name
        }
        _ => host,
    };
    name.trim_end_matches('.').to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[(&'static str, &'static str)], expected: &str) {
        let trusted: Vec<Network> =
            ["10.0.0.0/8", "2001:db8:1::/48"].iter().map(|n| n.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let found = behind(&trusted, "10.0.0.1".parse().unwrap(), &headers);
        assert_eq!(found, expected.parse::<IpAddr>().unwrap(), "{lines:?}");
    }

    #[test]
    fn the_nearest_address_that_is_no_proxy_of_ours_counts() {
        check(&[], "10.0.0.1");
        check(&[("x-forwarded-for", "203.0.113.9")], "203.0.113.9");
        check(&[("x-forwarded-for", "198.51.100.1, 203.0.113.9, 10.0.0.7")], "203.0.113.9");
        check(
            &[("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "203.0.113.9")],
            "203.0.113.9",
        );
        check(&[("x-forwarded-for", "203.0.113.9:4711")], "203.0.113.9");
        check(&[("x-forwarded-for", "nonsense, 10.0.0.7")], "10.0.0.7");
        check(&[("x-forwarded-for", "::ffff:203.0.113.9")], "203.0.113.9");
        check(
            &[("forwarded", "for=198.51.100.1, for=\"[2001:db8::7]:4711\";proto=https")],
            "2001:db8::7",
        );
        check(&[("forwarded", "for=_hidden"), ("x-forwarded-for", "198.51.100.1")], "10.0.0.1");
        check(
            &[("forwarded", "by=10.0.0.1;FOR=203.0.113.9, for=\"[2001:db8:1::2]\"")],
            "203.0.113.9",
        );
    }

    #[test]
    fn hosts_without_port_and_case() {
        for (host, name) in [
            ("Rollcall.example:8080", "rollcall.example"),
            ("rollcall.example.", "rollcall.example"),
            ("[::1]:8080", "[::1]"),
            ("[::1]", "[::1]"),
            ("127.0.0.1", "127.0.0.1"),
            ("evil.example:80:80", "evil.example:80"),
        ] {
            assert_eq!(name_of(host), name);
        }
    }

    #[test]
    fn links_name_an_address_that_can_be_opened() {
        let mut config = Config::default();
        let url = |config: &Config, bound: &str| page_url(config, bound.parse().unwrap());
        assert_eq!(url(&config, "127.0.0.1:8080"), "http://127.0.0.1:8080");
        assert_eq!(url(&config, "192.0.2.7:8443"), "https://192.0.2.7:8443");
        assert_eq!(url(&config, "0.0.0.0:8443"), "https://127.0.0.1:8443");
        config.admin.hosts = vec!["rollcall.example".to_owned()];
        assert_eq!(url(&config, "0.0.0.0:8443"), "https://rollcall.example:8443");
        config.mail.public_url = Some("https://payroll.example/".to_owned());
        assert_eq!(url(&config, "0.0.0.0:8443"), "https://payroll.example");
    }
}
