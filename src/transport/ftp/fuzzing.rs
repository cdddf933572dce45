//! What must hold for any bytes on a control connection; asked by the fuzz targets (`fuzz/`).

use super::command::{Verb, names, parse, usage};
use super::control::plain;
use super::listing::{Facts, parse_stamp, stamp};
use super::options::Options;
use super::passive::{parse_eprt, parse_port};
use super::reply::Reply;

/// Reads the bytes as control lines, and answers with them.
pub(crate) fn ftp(bytes: &[u8]) {
    for line in bytes.split_inclusive(|byte| *byte == b'\n').take(50) {
        let bare = plain(line);
        assert!(bare.len() <= line.len() && !bare.ends_with(b"\n"));
        check(&bare);
    }
    let text = String::from_utf8_lossy(bytes);
    one_reply(&Reply::new(550, &text), 1);
    let inner = text.lines().take(5).map(|line| line.replace(char::is_control, " ")).collect();
    one_reply(&Reply::listing(211, &text, inner, "End"), 2);
}

fn check(line: &[u8]) {
    match parse(line) {
        Err(reply) => {
            assert!(matches!(reply.code(), 500 | 501), "{line:?}");
            one_reply(&reply, 1);
        }
        Ok(request) => {
            let is_password = request.verb == Verb::Pass;
            assert!(is_password || !request.argument.chars().any(char::is_control), "{line:?}");
            assert!(request.argument.len() <= line.len() * 3);
            arguments(&request.argument);
            let word = String::from_utf8_lossy(line);
            let word = word.split(' ').next().unwrap_or_default();
            assert!(usage(word).is_some(), "what is done is explained too: {word}");
            // The whole name, in another case, is the same command.
            let same = |name: &&str| {
                let again = format!("{} {}", name.to_lowercase(), request.argument);
                parse(again.as_bytes()).as_ref() == Ok(&request)
            };
            assert!(
                request.verb == Verb::NotOffered || names().any(|name| same(&name)),
                "{line:?}"
            );
        }
    }
}

/// What is read from an argument can be written and read again.
fn arguments(text: &str) {
    let (options, name) = Options::split(text);
    assert!(text.ends_with(name), "{text:?}: {name:?}");
    assert!(options == Options::default() || name.len() < text.len(), "{text:?}: {name:?}");
    let facts = Facts::choose(text);
    assert_eq!(Facts::choose(&facts.to_string()), facts, "{text:?}");
    if let Some(at) = parse_stamp(text) {
        assert!(text.starts_with(&stamp(at)), "{text:?}: {at}");
    }
    if let Some(address) = parse_eprt(text) {
        let family = if address.is_ipv4() { 1 } else { 2 };
        let again = format!("|{family}|{}|{}|", address.ip(), address.port());
        assert_eq!(parse_eprt(&again), Some(address), "{text:?}");
    }
    if let Some(address) = parse_port(text) {
        let [high, low] = address.port().to_be_bytes();
        let again = format!("{},{high},{low}", address.ip().to_string().replace('.', ","));
        assert_eq!(parse_port(&again), Some(address), "{text:?}");
    }
}

/// A reply is one reply, whatever its text: its last line, and none before, begins with the code and a space.
fn one_reply(reply: &Reply, least_lines: usize) {
    let bytes = reply.to_bytes();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.ends_with("\r\n"), "{text:?}");
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert!(
        lines.len() >= least_lines && !lines.iter().any(|l| l.contains(['\r', '\n'])),
        "{text:?}"
    );
    let end = format!("{} ", reply.code());
    assert_eq!(
        lines.iter().position(|line| line.starts_with(&end)),
        Some(lines.len() - 1),
        "{text:?}"
    );
}
