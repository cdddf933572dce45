//! `pgp …`: OpenPGP keys of a client, ours and its partners'.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::import::read_limited;
use super::output::{Output, Tone};
use super::{Outcome, Place, moment};
use crate::error::{Error, Kind};
use crate::service::pgp::{KeyView, PartnerView, Signed};

/// The largest file that a public key is read from.
const MAX_KEY_BYTES: u64 = 1024 * 1024;

/// `pgp …`
#[derive(Debug, Subcommand)]
pub enum PgpCommand {
    /// Make a key of ours for a client; older ones go on reading until they are retired
    Make {
        /// The client
        client: String,
    },
    /// Show our keys with their fingerprints, to be compared by phone
    Show {
        /// The client
        client: String,
    },
    /// Print our current public key, to be given to whoever sends files
    Export {
        /// The client
        client: String,
        /// The key whose fingerprint ends so (at least 16 digits; default: the current one)
        #[arg(long, value_name = "FINGERPRINT")]
        key: Option<String>,
        /// Write it to this file, which must not exist, instead of printing it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Retire a key of ours: what is received from now on is not read with it
    Retire {
        /// The client
        client: String,
        /// The key's fingerprint, or how it ends (at least 16 digits)
        fingerprint: String,
    },
    /// Encrypt a file for partners, such as one to be handed over with `drop`
    Encrypt {
        /// The client
        client: String,
        /// The file
        file: PathBuf,
        /// The partner's fingerprint, or how it ends (at least 16 digits); may be given several times
        #[arg(long = "for", value_name = "FINGERPRINT", required = true)]
        recipients: Vec<String>,
        /// Sign it with our current key
        #[arg(long)]
        sign: bool,
        /// Write it to this file, which must not exist
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Public keys of others: whose signatures count, for whom exports are encrypted
    #[command(subcommand)]
    Partner(PartnerCommand),
}

/// `pgp partner …`
#[derive(Debug, Subcommand)]
pub enum PartnerCommand {
    /// Trust a public key; compare the fingerprint with its owner by phone
    Add {
        /// The client
        client: String,
        /// The public key, as gpg --armor --export writes it, or binary
        file: PathBuf,
        /// The name in reports (default: the one in the key)
        #[arg(long)]
        name: Option<String>,
    },
    /// List the partners' keys
    List {
        /// The client
        client: String,
    },
    /// Forget a key: its signatures count no more, nothing is encrypted for it
    Remove {
        /// The client
        client: String,
        /// The key's fingerprint, or how it ends (at least 16 digits)
        fingerprint: String,
    },
}

pub(super) fn run(place: &Place, command: PgpCommand) -> Outcome {
    let service = place.service()?;
    let out = place.out;
    match command {
        PgpCommand::Make { client } => out.either(&service.make_pgp_key(&client)?, made),
        PgpCommand::Show { client } => {
            out.either(&service.pgp_keys(&client)?, |out, keys| show(out, &client, keys))
        }
        PgpCommand::Export { client, key, out: file } => {
            let key = service.pgp_key(&client, key.as_deref())?;
            match file {
                Some(file) => {
                    write_new(&file, key.public_key.as_bytes())?;
                    out.either(&key, |out, key| exported(out, &file, key))
                }
                None => out.either(&key, |out, key| out.bytes(key.public_key.as_bytes())),
            }
        }
        PgpCommand::Retire { client, fingerprint } => {
            let key = service.retire_pgp_key(&client, &fingerprint)?;
            out.either(&key, |out, key| {
                out.line(format!(
                    "Retired: {}\nFiles that arrive from now on are not read with it.",
                    grouped(&key.fingerprint)
                ))
            })
        }
        PgpCommand::Encrypt { client, file, recipients, sign, out: to } => {
            let bytes = read_limited(&file, place.config.limits.max_import_bytes)?;
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let signed = if sign { Signed::ByUs } else { Signed::No };
            let sealed = service.encrypt_for(&client, &recipients, signed, &name, &bytes)?;
            write_new(&to, &sealed)?;
            let shown = serde_json::json!({ "file": to, "bytes": sealed.len() });
            out.either(&shown, |out, _| {
                out.line(format!("{}: {} bytes", to.display(), sealed.len()))
            })
        }
        PgpCommand::Partner(PartnerCommand::Add { client, file, name }) => {
            let bytes = read_limited(&file, MAX_KEY_BYTES)?;
            let partner = service.add_pgp_partner(&client, &bytes, name.as_deref())?;
            out.either(&partner, added)
        }
        PgpCommand::Partner(PartnerCommand::List { client }) => {
            out.either(&service.pgp_partners(&client)?, |out, all| partners(out, &client, all))
        }
        PgpCommand::Partner(PartnerCommand::Remove { client, fingerprint }) => {
            let partner = service.remove_pgp_partner(&client, &fingerprint)?;
            out.either(&partner, |out, partner| {
                let print = grouped(&partner.fingerprint);
                out.line(format!("Forgotten: {} {print}", partner.name))
            })
        }
    }
}

fn made(out: Output, key: &KeyView) -> Outcome {
    out.line(format!("Key of client {}: {}", key.client, grouped(&key.fingerprint)))?;
    out.line(format!(
        "Give it to whoever sends files: rollcall pgp export {} --out {}.asc",
        key.client, key.client
    ))?;
    out.line("and let them compare the fingerprint with you by phone.")
}

fn show(out: Output, client: &str, keys: &[KeyView]) -> Outcome {
    if keys.is_empty() {
        return out.line(format!("No key of ours yet. Make one: rollcall pgp make {client}"));
    }
    out.table(
        &["Fingerprint", "Made (UTC)", "State"],
        keys.iter().map(|key| {
            let state = match key.retired_at {
                Some(at) => format!("retired {} UTC", moment(at)),
                None if key.current => "current".to_owned(),
                None => "still reads".to_owned(),
            };
            vec![grouped(&key.fingerprint), moment(key.created_at), state]
        }),
    )
}

fn exported(out: Output, file: &Path, key: &KeyView) -> Outcome {
    out.line(format!("{}: {}", file.display(), grouped(&key.fingerprint)))
}

fn added(out: Output, partner: &PartnerView) -> Outcome {
    out.line(format!("{}: {}", partner.name, grouped(&partner.fingerprint)))?;
    for owner in &partner.owners {
        out.line(format!("  {owner}"))?;
    }
    out.line(format!("  {}", uses(partner)))?;
    out.toned(
        Tone::Strong,
        "Compare the fingerprint with its owner by phone before you rely on it.",
    )
}

fn partners(out: Output, client: &str, all: &[PartnerView]) -> Outcome {
    if all.is_empty() {
        return out
            .line(format!("No partner yet. Add one: rollcall pgp partner add {client} FILE"));
    }
    out.table(
        &["Name", "Fingerprint", "Use"],
        all.iter().map(|partner| {
            vec![partner.name.clone(), grouped(&partner.fingerprint), uses(partner)]
        }),
    )
}

fn uses(partner: &PartnerView) -> String {
    let what = match (partner.signs, partner.encrypts) {
        (true, true) => "signs and can be encrypted for",
        (true, false) => "signs",
        (false, true) => "can be encrypted for",
        (false, false) => "of no use today: it has expired",
    };
    let until = partner.expires_at.map(|at| format!(", expires {} UTC", moment(at)));
    format!("{what}{}", until.unwrap_or_default())
}

/// In groups of four digits, as people read it to each other.
fn grouped(fingerprint: &str) -> String {
    let digits: Vec<char> = fingerprint.chars().collect();
    let groups: Vec<String> = digits.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

fn write_new(file: &Path, bytes: &[u8]) -> Outcome {
    let opened = OpenOptions::new().write(true).create_new(true).open(file);
    let written = opened.and_then(|mut file| file.write_all(bytes));
    written.map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => {
            let words = format!("{} is there already; give another name", file.display());
            Error::new(Kind::Exists, words).into()
        }
        _ => Error::io(format!("writing {}", file.display()), e).into(),
    })
}
