//! Which algorithms a connection uses: read along from the client's first message, which still travels in clear.
//!
//! Source: RFC 4253, 4.2 (identification), 6 (packets), 7.1 (SSH_MSG_KEXINIT: the client's first choice that the server has).

use russh::Preferred;

use super::algorithms::is_weak;

/// The longest that is read along: RFC 4253 has no longer packets, and lines before it are short.
const MOST_BYTES: usize = 36_000;
const KEXINIT: u8 = 20;
const COOKIE_BYTES: usize = 16;

/// The algorithms of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Agreed {
    names: Vec<String>,
}

impl Agreed {
    /// For people: `mlkem768x25519-sha256, ssh-ed25519, chacha20-poly1305@openssh.com`.
    pub(super) fn in_words(&self) -> String {
        self.names.join(", ")
    }

    /// Those that are weak.
    pub(super) fn weak(&self) -> Vec<&str> {
        self.names.iter().map(String::as_str).filter(|name| is_weak(name)).collect()
    }
}

/// Takes a client's first bytes until its choice is known.
#[derive(Debug, Default)]
pub(super) struct Eavesdropper {
    heard: Vec<u8>,
}

/// What a listener has made of the bytes so far.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The message is not whole yet.
    Part,
    /// It is; nothing came of what cannot be understood, which is the protocol's own business.
    All(Option<Agreed>),
}

impl Eavesdropper {
    /// More bytes from the client.
    pub(super) fn hear(&mut self, bytes: &[u8], offered: &Preferred) -> Heard {
        let room = MOST_BYTES.saturating_sub(self.heard.len());
        self.heard.extend(bytes.iter().take(room));
        let packet = first_packet(&self.heard);
        if packet.is_none() && self.heard.len() < MOST_BYTES {
            return Heard::Part;
        }
        Heard::All(packet.and_then(|payload| agreed(payload, offered)))
    }
}

/// The payload of the packet behind the identification line, once it is whole.
fn first_packet(heard: &[u8]) -> Option<&[u8]> {
    let end = memchr::memchr(b'\n', heard)?;
    let packet = heard.get(end.checked_add(1)?..)?;
    let (length, rest) = packet.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (padding, rest) = rest.get(..length)?.split_first()?;
    rest.get(..rest.len().checked_sub(usize::from(*padding))?)
}

fn agreed(payload: &[u8], offered: &Preferred) -> Option<Agreed> {
    let lists = payload.strip_prefix(&[KEXINIT])?.get(COOKIE_BYTES..)?;
    let (kex, rest) = name_list(lists)?;
    let (key, rest) = name_list(rest)?;
    let (cipher, rest) = name_list(rest)?;
    let (_cipher_back, rest) = name_list(rest)?;
    let (mac, _) = name_list(rest)?;
    let keys: Vec<String> = offered.key.iter().map(ToString::to_string).collect();
    let cipher = choice(cipher, offered.cipher.iter().map(AsRef::as_ref))?;
    let mut names = vec![
        choice(kex, offered.kex.iter().map(AsRef::as_ref))?,
        choice(key, keys.iter().map(String::as_str))?,
        cipher.clone(),
    ];
    // The others carry their own.
    if !cipher.contains("gcm") && !cipher.contains("poly1305") {
        names.push(choice(mac, offered.mac.iter().map(AsRef::as_ref))?);
    }
    Some(Agreed { names })
}

fn name_list(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (list, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    Some((std::str::from_utf8(list).ok()?, rest))
}

/// The first of the client's that the server has.
fn choice<'a>(wanted: &str, offered: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
    let has = |name: &&str| offered.clone().any(|ours| ours == *name);
    wanted.split(',').find(has).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::transport::sftp::algorithms::{Lenience, preferred};

    fn hello(lists: [&str; 6]) -> Vec<u8> {
        let mut payload = [&[KEXINIT][..], &[7; COOKIE_BYTES]].concat();
        for list in lists {
            payload.extend(u32::try_from(list.len()).unwrap().to_be_bytes());
            payload.extend(list.as_bytes());
        }
        let length = u32::try_from(payload.len() + 5).unwrap().to_be_bytes();
        [b"SSH-2.0-Test_1\r\n", &length[..], &[4], &payload, &[0; 4]].concat()
    }

    const MODERN: [&str; 6] = [
        "sntrup,curve25519-sha256,ext-info-c",
        "ssh-ed25519-cert-v01@openssh.com,rsa-sha2-512,ssh-ed25519",
        "aes256-gcm@openssh.com,aes128-ctr",
        "aes256-gcm@openssh.com",
        "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-256-etm@openssh.com",
    ];

    fn check(lists: [&str; 6], lenience: Lenience, expected: Option<(&str, &[&str])>) {
        let bytes = hello(lists);
        let mut listener = Eavesdropper::default();
        let offered = preferred(lenience);
        // However the bytes are cut, nothing is said before the last.
        let (last, before) = bytes.split_last().unwrap();
        for part in before.chunks(7) {
            assert_eq!(listener.hear(part, &offered), Heard::Part);
        }
        let Heard::All(agreed) = listener.hear(&[*last], &offered) else { panic!("all was said") };
        let told = agreed.as_ref().map(|a| (a.in_words(), a.weak()));
        assert_eq!(told, expected.map(|(words, weak)| (words.to_owned(), weak.to_vec())));
    }

    #[test]
    fn the_clients_first_choice_that_is_offered_counts() {
        let modern = "curve25519-sha256, rsa-sha2-512, aes256-gcm@openssh.com";
        check(MODERN, Lenience::None, Some((modern, &[])));
        let old = ["diffie-hellman-group14-sha1", "ssh-rsa", "aes128-cbc", "", "hmac-sha1", ""];
        check(old, Lenience::Compat, None);
        let words = "diffie-hellman-group14-sha1, ssh-rsa, aes128-cbc, hmac-sha1";
        let weak = ["diffie-hellman-group14-sha1", "ssh-rsa", "aes128-cbc", "hmac-sha1"];
        check(old, Lenience::Legacy, Some((words, &weak)));
    }

    #[test]
    fn nonsense_is_heard_to_a_limit_and_says_nothing() {
        let mut listener = Eavesdropper::default();
        let offered = preferred(Lenience::of(&Config::default()));
        let mut heard = Heard::Part;
        for _ in 0..MOST_BYTES.div_ceil(1000) {
            assert_eq!(heard, Heard::Part);
            heard = listener.hear(&[0xFF; 1000], &offered);
        }
        assert_eq!(heard, Heard::All(None));
        assert_eq!(listener.heard.len(), MOST_BYTES);
        for at in 0..hello(MODERN).len() {
            let mut bytes = hello(MODERN);
            bytes[at] ^= 0x80;
            let heard = Eavesdropper::default().hear(&bytes, &offered);
            assert!(!matches!(heard, Heard::All(Some(agreed)) if agreed.names.len() < 3));
        }
    }
}
