//! What clients ask about a file and set on it: facts, times, hashes, room; nothing here moves bytes or names.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::conversation::{Conversation, Flow};
use super::listing::{self, Form, Selection, Wildcards};
use super::login::go;
use super::options::Options;
use super::reply::Reply;
use super::transfer::Lane;
use crate::error::Result;
use crate::service::session::{Download, Session};
use crate::transport::aside::blocking;

/// The most entries that STAT shows over the control connection.
const STAT_ENTRIES: usize = 1000;
const HASH_BLOCK_BYTES: usize = 1024 * 1024;

/// How a hash is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HashForm {
    /// As the draft of HASH says.
    Hash,
    /// The bare hash, as older programs know it from XSHA256.
    Xsha,
}

impl Conversation {
    /// `MDTM name` asks; `MDTM YYYYMMDDhhmmss name` sets, as old programs do that know no MFMT.
    pub(super) async fn mdtm(&mut self, argument: &str) -> Flow {
        if let Some((stamp, name)) = argument.split_once(' ')
            && let Some(modified) = listing::parse_stamp(stamp)
            && let Ok(literal) = self.resolve(argument)
        {
            // A file of just that name is meant before anything is set.
            let there = self.with_session(move |session| session.stat(&literal)).await;
            if there.is_err() {
                return self.touch(name, modified).await;
            }
        }
        self.facts_of("MDTM", argument).await
    }

    /// The bytes that may still be stored. Source: draft-peterson-streamlined-ftp-command-extensions, 4.
    pub(super) async fn available(&mut self, argument: &str) -> Flow {
        let path = match self.resolve(argument) {
            Ok(path) => path,
            Err(refusal) => return Flow::Go(refusal),
        };
        let asked = self.with_session(move |session| {
            session.stat(&path)?;
            session.space()
        });
        let reply = asked.await.map(|space| Reply::new(213, space.free_bytes.to_string()));
        Flow::Go(reply.unwrap_or_else(|refusal| refusal))
    }

    /// Source: RFC 3659, 7.
    pub(super) async fn mlst(&mut self, argument: &str) -> Flow {
        let path = match self.resolve(argument) {
            Ok(path) => path,
            Err(refusal) => return Flow::Go(refusal),
        };
        let (asked, facts) = (path.clone(), self.facts);
        let told = self.with_session(move |session| {
            let stat = session.stat(&asked)?;
            Ok(facts.of(&stat, || listing::perm(session, &asked, &stat)))
        });
        Flow::Go(match told.await {
            Ok(facts) => {
                let line = format!("{facts} {path}");
                Reply::listing(250, "Facts:", vec![line], "End")
            }
            Err(refusal) => refusal,
        })
    }

    /// Source: draft-somers-ftp-mfxx, 3.
    pub(super) async fn mfmt(&mut self, argument: &str) -> Flow {
        let (stamp, name) = argument.split_once(' ').unwrap_or((argument, ""));
        let Some(modified) = listing::parse_stamp(stamp) else {
            return go(
                501,
                "The time is not YYYYMMDDhhmmss (UTC); write MFMT 20261121203000 name.",
            );
        };
        if name.is_empty() {
            return go(501, "Which file? Write MFMT 20261121203000 name.");
        }
        self.touch(name, modified).await
    }

    async fn touch(&mut self, name: &str, modified: Timestamp) -> Flow {
        let path = match self.resolve(name) {
            Ok(path) => path,
            Err(refusal) => return Flow::Go(refusal),
        };
        let text = format!("Modify={}; {path}", listing::stamp(modified));
        let set = self.with_session(move |session| session.set_modified(&path, modified)).await;
        Flow::Go(set.map_or_else(|refusal| refusal, |()| Reply::new(213, text)))
    }

    pub(super) async fn stat(&mut self, argument: &str) -> Flow {
        let Some(guest) = &self.guest else { return go(530, "Log in first.") };
        if argument.is_empty() {
            let lines = vec![
                format!("Logged in as {} over {}.", guest.session.login(), self.link.kind),
                "Connections are encrypted; transfers are binary.".to_owned(),
            ];
            return Flow::Go(Reply::listing(211, "Status:", lines, "End"));
        }
        let owner = guest.session.login().to_owned();
        let form = Form::Long { now: self.edge.service.clock().now(), owner };
        let (options, wanted) = Options::split(argument);
        let path = match self.resolve(wanted) {
            Ok(path) => path,
            Err(refusal) => return Flow::Go(refusal),
        };
        let lines = self.with_session(move |session| {
            Selection::open(session, &path, Wildcards::Allowed)?
                .with_options(options)?
                .take(STAT_ENTRIES)
                .map(|entry| Ok(form.line(&entry?).trim_end().to_owned()))
                .collect::<Result<Vec<_>>>()
        });
        Flow::Go(match lines.await {
            Ok(lines) => Reply::listing(213, "Entries:", lines, "End"),
            Err(refusal) => refusal,
        })
    }

    /// Source: draft-bryan-ftp-hash. SHA-256 of the whole file.
    pub(super) async fn hash(&mut self, argument: &str, form: HashForm) -> Flow {
        let path = match self.resolve(argument) {
            Ok(path) => path,
            Err(refusal) => return Flow::Go(refusal),
        };
        let asked = path.clone();
        let file = match self.with_session(move |session| session.open_read(&asked)).await {
            Ok(file) => file,
            Err(refusal) => return Flow::Go(refusal),
        };
        let lane = self.lane();
        let bytes = file.bytes();
        let Some(guest) = &self.guest else { return go(530, "Log in first.") };
        let hashing = hash_of(guest.session.clone(), file, lane.clone());
        let reply = match self.attend(&lane, hashing).await {
            Ok(hash) if form == HashForm::Xsha => Reply::new(250, hash),
            Ok(hash) => Reply::new(213, format!("SHA-256 0-{bytes} {hash} {path}")),
            Err(refusal) => refusal,
        };
        self.finish(reply).await
    }

    pub(super) async fn site(&mut self, argument: &str) -> Flow {
        let (name, rest) = argument.split_once(' ').unwrap_or((argument, ""));
        match name.to_ascii_uppercase().as_str() {
            "HELP" => go(214, "SITE CHMOD, SITE UTIME, SITE HELP."),
            // Permissions are the server's; a failure here would make clients report a failed upload.
            "CHMOD" => match rest.split_once(' ') {
                Some((_, name)) => self.chmod(name).await,
                None => go(501, "Write SITE CHMOD 644 name."),
            },
            "UTIME" => self.utime(rest).await,
            _ => go(504, "SITE HELP lists what is offered."),
        }
    }

    async fn chmod(&mut self, name: &str) -> Flow {
        let path = match self.resolve(name) {
            Ok(path) => path,
            Err(refusal) => return Flow::Go(refusal),
        };
        let there = self.with_session(move |session| session.stat(&path)).await;
        Flow::Go(match there {
            Ok(_) => Reply::new(200, "Noted; permissions here are the server's own."),
            Err(refusal) => refusal,
        })
    }

    /// Both forms: `YYYYMMDDhhmm[ss] name` and `name atime mtime ctime UTC`.
    async fn utime(&mut self, argument: &str) -> Flow {
        let usage = "Write SITE UTIME 20261121203000 name.";
        if let Some((stamp, name)) = argument.split_once(' ')
            && let Some(modified) = parse_utime(stamp)
        {
            return self.touch(name, modified).await;
        }
        let mut words = argument.rsplitn(5, ' ');
        let (zone, _changed, modified) = (words.next(), words.next(), words.next());
        let (_accessed, name) = (words.next(), words.next());
        match (zone, modified.and_then(parse_utime), name) {
            (Some(zone), Some(modified), Some(name)) if zone.eq_ignore_ascii_case("UTC") => {
                self.touch(name, modified).await
            }
            _ => go(501, usage),
        }
    }
}

fn parse_utime(stamp: &str) -> Option<Timestamp> {
    match stamp.len() {
        12 => listing::parse_stamp(&format!("{stamp}00")),
        _ => listing::parse_stamp(stamp),
    }
}

async fn hash_of(
    session: Session,
    file: Download,
    lane: Lane,
) -> std::result::Result<String, Reply> {
    let mut state = (file, Sha256::new(), 0_u64, vec![0_u8; HASH_BLOCK_BYTES]);
    loop {
        if lane.stop.is_cancelled() {
            return Err(Reply::new(426, "Aborted."));
        }
        let session = session.clone();
        let (next, got) = blocking(move || {
            let (file, mut hasher, offset, mut block) = state;
            let _turn = session.turn();
            let got = file.read_at(offset, &mut block)?;
            hasher.update(block.get(..got).unwrap_or_default());
            let offset = offset.saturating_add(u64::try_from(got).unwrap_or(u64::MAX));
            Ok(((file, hasher, offset, block), got))
        })
        .await
        .map_err(|e| Reply::error(&e))?;
        if got == 0 {
            let digest = next.1.finalize();
            return Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect());
        }
        state = next;
    }
}
