//! `check`: what is wrong with this installation, and how to mend it.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::identity;
use super::output::{Output, Tone};
use super::{Outcome, Place, Stop, bound};
use crate::config::Config;
use crate::error::{Error, Kind};
use crate::service::handouts::Certificate;
use crate::service::{Service, health, owner};
use crate::transport;

/// A certificate that ends sooner than this is told.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Read or write for the group or for everybody.
const OTHERS: u32 = 0o077;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Grade {
    Good,
    Warning,
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    /// What was looked at.
    what: String,
    grade: Grade,
    /// What was found.
    found: String,
    /// How to mend it; empty when nothing is wrong.
    cure: String,
}

impl Finding {
    fn good(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self { what: what.into(), grade: Grade::Good, found: found.into(), cure: String::new() }
    }

    fn warning(what: impl Into<String>, found: impl Into<String>, cure: impl Into<String>) -> Self {
        let grade = Grade::Warning;
        Self { what: what.into(), grade, found: found.into(), cure: cure.into() }
    }

    fn wrong(what: impl Into<String>, found: impl Into<String>, cure: impl Into<String>) -> Self {
        let grade = Grade::Wrong;
        Self { what: what.into(), grade, found: found.into(), cure: cure.into() }
    }

    /// An error's message names its own cure.
    fn failed(what: impl Into<String>, error: &Error) -> Self {
        Self::wrong(what, error.message(), "")
    }
}

/// Looks at everything; exit code 1 when something is wrong.
pub(super) fn run(place: &Place) -> Outcome {
    let mut findings = configuration(place);
    findings.extend(certificate(&place.config, &place.global.certs));
    findings.extend(by_choice(&place.config, &place.global.certs));
    findings.extend(host_keys(&place.global.certs, &place.global.data));
    findings.extend(key_modes(&place.global.certs));
    findings.extend(disk(&place.config, &place.global.data));
    findings.extend(owners(&place.global.data));
    match place.check_data().and_then(|()| place.service()) {
        // It is asked for before the first start too; nothing is made.
        Err(Stop::Refused(error)) if error.kind() == Kind::NotFound => {
            let cure = "if there should be one, give --data or set ROLLCALL_DATA; else the first client or start makes it";
            findings.push(Finding::warning("data folder", error.message(), cure));
        }
        Ok(service) => {
            findings.extend(databases(&service));
            findings.extend(queue_and_writing(&service));
            findings.extend(lost_uploads(&service));
            findings.extend(given_up_uploads(&service));
            findings.extend(held_imports(&service));
            findings.extend(vault(&service));
            findings.extend(remote_accounts(&service));
            findings.extend(folders_under_files(&service));
            findings.extend(mails(&service));
            findings.extend(hooks(&service));
        }
        Err(Stop::Refused(error)) => findings.push(Finding::failed("databases", &error)),
        Err(stop) => return Err(stop),
    }
    findings.push(server(&place.global.data));
    place.out.either(&findings, |out, findings| tell(out, findings))?;
    let wrong = findings.iter().any(|f| f.grade == Grade::Wrong);
    if wrong { Err(Stop::Quiet(1)) } else { Ok(()) }
}

fn tell(out: Output, findings: &[Finding]) -> Outcome {
    for finding in findings {
        let (tone, word) = match finding.grade {
            Grade::Good => (Tone::Good, "ok     "),
            Grade::Warning => (Tone::Warning, "warning"),
            Grade::Wrong => (Tone::Bad, "WRONG  "),
        };
        out.line(format!("{}  {}", out.paint(tone, word), out.paint(Tone::Strong, &finding.what)))?;
        out.paragraph(9, "", &finding.found)?;
        if !finding.cure.is_empty() {
            out.paragraph(9, "→ ", &finding.cure)?;
        }
    }
    let count = |grade| findings.iter().filter(|f| f.grade == grade).count();
    match (count(Grade::Wrong), count(Grade::Warning)) {
        (0, 0) => out.toned(Tone::Good, "\nNothing is wrong."),
        (0, warnings) => {
            out.toned(Tone::Warning, format!("\nNothing is wrong; warnings: {warnings}."))
        }
        (wrong, _) => out.toned(Tone::Bad, format!("\nThings that are wrong: {wrong}.")),
    }
}

/// The file was read before this command began; here its values are looked at.
fn configuration(place: &Place) -> Vec<Finding> {
    let source = place.global.config.as_ref().map_or_else(
        || "defaults, rollcall.toml if it is there, and the environment".to_owned(),
        |path| path.display().to_string(),
    );
    vec![Finding::good("configuration", format!("read from {source}"))]
}

fn certificate(config: &Config, certs: &Path) -> Vec<Finding> {
    let what = "TLS certificate";
    let file = certs.join(identity::CERTIFICATE_FILE);
    match identity::certificate(certs) {
        Err(error) => vec![Finding::failed(what, &error)],
        Ok(None) => vec![Finding::warning(
            what,
            format!("{} is not there", file.display()),
            "A self-signed one is made when the server starts; or put your own there.",
        )],
        Ok(Some((certificate, until))) => {
            // Those with a pair of their own do not show this one.
            let has_own = |profile: &&str| identity::file_of(certs, profile).exists();
            let profiles = config.profile_names().into_iter().filter(|profile| !has_own(profile));
            let hosts = profiles.filter_map(|profile| config.profile(profile)?.public_host);
            let cure = if certificate.self_signed {
                format!(
                    "Stop the server, remove {} and start it: a new one is made with the name and the same key. Send clients its fingerprint and, as rollcall.pem, the file.",
                    file.display()
                )
            } else {
                "Put one that bears the name into the certificates folder.".to_owned()
            };
            let nameless = nameless(what, &certificate, hosts, &cure);
            let valid = validity(what, until, certificate.self_signed);
            std::iter::once(valid).chain(nameless).collect()
        }
    }
}

/// Clients that check names refuse a certificate without the one that their sheet gives them.
fn nameless(
    what: &str,
    certificate: &Certificate,
    hosts: impl IntoIterator<Item = String>,
    cure: &str,
) -> Option<Finding> {
    let missing: BTreeSet<String> =
        hosts.into_iter().filter(|host| !certificate.is_for(host)).collect();
    if missing.is_empty() {
        return None;
    }
    let kind = if certificate.self_signed { "self-signed, " } else { "" };
    let names: Vec<String> = missing.into_iter().collect();
    let noun = if names.len() == 1 { "name" } else { "names" };
    let found = format!(
        "{kind}without the {noun} {}: clients that check names refuse it",
        names.join(", ")
    );
    Some(Finding::warning(what, found, cure))
}

/// Those that host profiles have of their own, and who else would be shown weak protection.
fn by_choice(config: &Config, certs: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for profile in config.profile_names() {
        let what = format!("TLS certificate of {profile}");
        match identity::certificate_of(certs, profile) {
            Ok(None) => {}
            Ok(Some((certificate, until))) => {
                let host = config.profile(profile).and_then(|profile| profile.public_host);
                let cure = "Put one that bears the name into the certificates folder.";
                findings.push(validity(&what, until, certificate.self_signed));
                findings.extend(nameless(&what, &certificate, host, cure));
            }
            Err(error) => findings.push(Finding::failed(what, &error)),
        }
    }
    if config.sftp.legacy {
        findings.push(Finding::warning(
            "SSH algorithms",
            "sftp.legacy is on: weak ones (SHA-1, CBC) are offered",
            "`rollcall log --event program` names the programs that need them; replace these, then take the setting out.",
        ));
    }
    findings
}

fn validity(what: &str, until: Timestamp, self_signed: bool) -> Finding {
    let now = crate::clock::Clock::System.now();
    let kind = if self_signed { "self-signed, " } else { "" };
    let day = until.strftime("%Y-%m-%d");
    let cure = "Put a new certificate and key into the certificates folder; a running server takes them up by itself.";
    if until <= now {
        return Finding::wrong(what, format!("{kind}ended on {day}"), cure);
    }
    if until.duration_since(now) < RENEW_BEFORE {
        return Finding::warning(what, format!("{kind}ends on {day}"), cure);
    }
    Finding::good(what, format!("{kind}valid until {day}"))
}

fn host_keys(certs: &Path, data: &Path) -> Vec<Finding> {
    let what = "SSH host keys";
    let known = match transport::fingerprints(certs) {
        Ok(known) => known.host_keys,
        Err(error) => return vec![Finding::failed(what, &error)],
    };
    if let Err(error) = transport::check_host_keys(data, certs) {
        return vec![Finding::failed(what, &error)];
    }
    if known.is_empty() {
        let found = format!("none in {}", certs.display());
        return vec![Finding::warning(what, found, "They are made when the server starts.")];
    }
    known
        .into_iter()
        .map(|(kind, print)| Finding::good(what, format!("{print} ({kind})")))
        .collect()
}

/// A private key that others on this machine can read is not private.
fn key_modes(certs: &Path) -> Vec<Finding> {
    let Ok(entries) = std::fs::read_dir(certs) else { return Vec::new() };
    let mut findings = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(metadata) = entry.metadata() else { continue };
        let is_key = name.contains("key") && !name.ends_with(".pub");
        let mode = metadata.permissions().mode() & 0o777;
        if metadata.is_file() && is_key && mode & OTHERS != 0 {
            let path = entry.path();
            findings.push(Finding::wrong(
                format!("key file {name}"),
                format!("{} has mode {mode:04o}: others can read it", path.display()),
                format!("chmod 600 {}", path.display()),
            ));
        }
    }
    findings
}

fn disk(config: &Config, data: &Path) -> Vec<Finding> {
    let what = "disk";
    let nearest = data.ancestors().find(|p| p.exists()).unwrap_or(Path::new("."));
    let room = match rustix::fs::statvfs(nearest) {
        Ok(room) => room.f_bavail.saturating_mul(room.f_frsize),
        Err(error) => {
            let error =
                Error::io(format!("asking for the room in {}", data.display()), error.into());
            return vec![Finding::failed(what, &error)];
        }
    };
    let needed = config.limits.min_free_bytes;
    let found = format!("{} free for {}", bytes(room), data.display());
    let cure = format!(
        "Uploads are refused below limits.min_free_bytes = {}; make room or lower it.",
        bytes(needed)
    );
    vec![match room {
        room if room < needed => Finding::wrong(what, found, cure),
        room if room < needed.saturating_mul(4) => Finding::warning(what, found, cure),
        _ => Finding::good(what, found),
    }]
}

/// A command that ran as another user may have made what the server cannot open.
fn owners(data: &Path) -> Option<Finding> {
    let strange = owner::strange(data)?;
    let mut named: Vec<String> =
        strange.first.iter().map(|path| path.display().to_string()).collect();
    if strange.count > u64::try_from(named.len()).unwrap_or(u64::MAX) {
        named.push("…".to_owned());
    }
    let found = format!(
        "{} of the files and folders belong to another user than registry.db, which is that of {}: {}",
        strange.count,
        strange.owner,
        named.join(", ")
    );
    let cure = format!("chown -R {} {}", strange.owner, data.display());
    Some(Finding::wrong("owner of the data", found, cure))
}

fn databases(service: &Service) -> Vec<Finding> {
    let looked = service.check_databases().into_iter().map(|(file, result)| match result {
        Ok(()) => Finding::good(format!("database {file}"), "whole"),
        Err(why) => Finding::wrong(
            format!("database {file}"),
            why,
            "Stop the server and put the file of the last backup back.",
        ),
    });
    looked.collect()
}

/// What a restored backup has forgotten and no archive can bring back.
/// What the server looks at by itself, too; disk and certificate are told above with their files.
fn queue_and_writing(service: &Service) -> Vec<Finding> {
    let signs = service.health(None).signs.into_iter();
    signs
        .filter_map(|sign| {
            let what = match sign.what {
                "registry" => "registry, writing",
                "queue" => "imports that wait",
                _ => return None,
            };
            let grade = match sign.grade {
                health::Grade::Good => Grade::Good,
                health::Grade::Warning => Grade::Warning,
                health::Grade::Wrong => Grade::Wrong,
            };
            Some(Finding { what: what.to_owned(), grade, found: sign.found, cure: String::new() })
        })
        .collect()
}

fn lost_uploads(service: &Service) -> Vec<Finding> {
    let lost = match service.lost_uploads() {
        Ok(lost) => lost,
        // The database that is at fault stands above with its cure.
        Err(error) => return vec![Finding::failed("received files", &error)],
    };
    let told = lost.into_iter().map(|upload| {
        let received = upload.received_at.strftime("%Y-%m-%d %H:%M");
        Finding::wrong(
            format!("received file {}", upload.path),
            format!(
                "import {} of {} ({received} UTC) is not in the client's database, and its archived file is gone",
                upload.id, upload.client
            ),
            "Have the file of that day sent again, if no later full file has been imported.",
        )
    });
    told.collect()
}

/// What our own fault stopped; the next start brings it to its end.
fn given_up_uploads(service: &Service) -> Vec<Finding> {
    let given_up = match service.given_up_uploads() {
        Ok(given_up) => given_up,
        Err(error) => return vec![Finding::failed("received files", &error)],
    };
    let told = given_up.into_iter().map(|upload| {
        let why = upload.failure.unwrap_or_default();
        Finding::wrong(
            format!("received file {}", upload.path),
            format!("import {} of {} was given up by an error on our side: {why}", upload.id, upload.client),
            "Mend what the message and the log say, then start the server again: it imports the file.",
        )
    });
    told.collect()
}

/// What waits for somebody's decision: nobody else will tell them.
fn held_imports(service: &Service) -> Vec<Finding> {
    // Of a database that cannot be read stands above what to do.
    let Ok(waiting) = service.waiting(None) else { return Vec::new() };
    let told = waiting.into_iter().map(|one| {
        let lines: Vec<String> = one.lines.iter().map(u32::to_string).collect();
        let found = match one.expires_at {
            Some(at) => format!("waits for approval until {}", at.strftime("%Y-%m-%d %H:%M UTC")),
            None => format!("rows {} wait for approval", lines.join(", ")),
        };
        Finding::warning(
            format!("import {} of {}", one.path, one.client),
            found,
            format!("rollcall imports show {}", one.import),
        )
    });
    told.collect()
}

/// The key that opens what is stored for other servers, and what it does not open.
fn vault(service: &Service) -> Vec<Finding> {
    let what = "sealing key";
    let state = match service.vault_state() {
        Ok(state) => state,
        Err(error) => return vec![Finding::failed(what, &error)],
    };
    let file = state.file.display();
    let mut findings: Vec<Finding> = state
        .closed
        .iter()
        .map(|(place, why)| {
            let cure = "Restore the key file from a backup, or enter the secret again.";
            Finding::wrong(format!("secret {place}"), why, cure)
        })
        .collect();
    if state.unfinished {
        let found = format!("{file} holds several keys: an exchange was cut short");
        findings.push(Finding::warning(what, found, "rollcall secrets rotate"));
    }
    let mode = std::fs::metadata(&state.file).map(|m| m.permissions().mode() & 0o777).unwrap_or(0);
    // One in the folder of the certificates is told with the other keys there.
    if mode & OTHERS != 0 && !findings.iter().any(|f| f.what == what) {
        let found = format!("{file} has mode {mode:04o}: others can read it");
        findings.push(Finding::wrong(what, found, format!("chmod 600 {file}")));
    }
    if findings.is_empty() && state.sealed > 0 {
        let found = format!("{file} opens all of {} secrets", state.sealed);
        findings.push(Finding::good(what, found));
    }
    findings
}

/// Whether e-mails that are asked for can leave.
fn mails(service: &Service) -> Vec<Finding> {
    let what = "e-mails";
    let (ready, wanted) = match (service.mail_is_ready(), service.folders_with_mail()) {
        (Ok(ready), Ok(wanted)) => (ready, wanted),
        (Err(error), _) | (_, Err(error)) => return vec![Finding::failed(what, &error)],
    };
    match wanted.first() {
        Some((client, folder)) if !ready => {
            let found = format!(
                "{} folders name somebody to write to, {client}/{folder} for one, but no e-mail leaves",
                wanted.len()
            );
            let cure = "Set [mail] smtp (or dir) and from in the configuration: docs/mail.md";
            vec![Finding::warning(what, found, cure)]
        }
        _ if ready => {
            let cure = "rollcall mail test ADDRESS sends one";
            vec![Finding::good(what, format!("the settings can be read; {cure}"))]
        }
        _ => Vec::new(),
    }
}

/// Hooks whose program cannot be started.
fn hooks(service: &Service) -> Vec<Finding> {
    let missing = service.config().hooks.iter().filter_map(|hook| {
        let program = hook.program.first()?;
        let meta = std::fs::metadata(program);
        let is_runnable = meta.is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
        let found = format!("{program} is not there, or is no program");
        let cure = "Put it there with mode 0755, or correct [[hooks]] in the configuration.";
        (!is_runnable).then(|| Finding::wrong(format!("hook {}", hook.name), found, cure))
    });
    missing.collect()
}

/// Accounts on clients' servers with which nothing is exchanged at present.
fn remote_accounts(service: &Service) -> Vec<Finding> {
    let accounts = match service.accounts(None) {
        Ok(accounts) => accounts,
        Err(error) => return vec![Finding::failed("accounts on clients' servers", &error)],
    };
    let told = accounts.iter().filter(|a| a.remote.is_some() && a.enabled).map(|account| {
        let what = format!("account {}", account.login);
        match service.remote_standing(&account.login) {
            Err(error) => Finding::failed(what, &error),
            Ok(standing) if !standing.confirmed => Finding::warning(
                what,
                format!("nobody has confirmed {} yet; nothing is exchanged", standing.server.host),
                format!("rollcall account trust {}", account.login),
            ),
            Ok(standing) => match standing.last_failure {
                Some(failure) => {
                    let cure = format!("rollcall account test {}", account.login);
                    Finding::warning(what, failure, cure)
                }
                None => Finding::good(what, format!("exchanges with {}", standing.server.host)),
            },
        }
    });
    told.collect()
}

/// Remote folders that nobody can use: a file lies in their place.
fn folders_under_files(service: &Service) -> Vec<Finding> {
    let folders = match service.folders_under_files() {
        Ok(folders) => folders,
        Err(error) => return vec![Finding::failed("remote folders", &error)],
    };
    let told = folders.iter().map(|folder| {
        let found = format!(
            "{} cannot be used: a file lies there, or where a folder above it would",
            folder.path
        );
        let cure = format!(
            "have the account remove that file, or: rollcall folder set {} {} --path …",
            folder.login, folder.name
        );
        Finding::warning(format!("remote folder {}", folder.name), found, cure)
    });
    told.collect()
}

fn server(data: &Path) -> Finding {
    match bound::noted(data) {
        Some(_) => Finding::good("server", "runs over this data folder"),
        None => Finding::good("server", "does not run over this data folder now"),
    }
}

/// `1.5 GiB`
fn bytes(count: u64) -> String {
    const UNITS: [(&str, u32); 4] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    for (unit, shift) in UNITS {
        if count >> shift > 0 {
            let tenths = (count >> (shift - 10)) * 10 / 1024;
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{count} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_in_words() {
        for (count, words) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1.0 KiB"),
            (1536 * 1024, "1.5 MiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(bytes(count), words);
        }
    }

    #[test]
    fn a_certificate_without_a_clients_name_is_told_with_the_cure() {
        let certificate = Certificate {
            sha256: String::new(),
            public_key_pin: String::new(),
            self_signed: true,
            names: vec!["localhost".to_owned(), "a.example".to_owned()],
        };
        let told = |hosts: &[&str]| {
            let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
            nameless("c", &certificate, hosts, "the cure").map(|f| (f.grade, f.found, f.cure))
        };
        assert_eq!(told(&[]), None);
        assert_eq!(told(&["A.example"]), None);
        let words = "self-signed, without the names b.example, c.example: clients that check names refuse it";
        let expected = (Grade::Warning, words.to_owned(), "the cure".to_owned());
        assert_eq!(told(&["c.example", "b.example", "a.example", "b.example"]), Some(expected));
    }

    #[test]
    fn a_certificate_is_told_before_it_ends() {
        let at = |hours| Clock::System.now() + SignedDuration::from_hours(hours);
        use crate::clock::Clock;
        assert_eq!(validity("c", at(-1), true).grade, Grade::Wrong);
        assert_eq!(validity("c", at(24), true).grade, Grade::Warning);
        assert_eq!(validity("c", at(24 * 60), true).grade, Grade::Good);
    }
}
