//! The hand-out sheet: everything that a client must type to connect, once, in the client's language.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;

use super::words::{Words, words};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::model::{Account, AccountKey, Folder, Language, Protocol, Purpose};

/// What the sheet says; with `--json` it is printed as it stands.
#[derive(Debug, Clone, Serialize)]
pub struct Sheet {
    /// The client's slug.
    pub client: String,
    /// The account's name.
    pub name: String,
    /// The login.
    pub login: String,
    /// The password, in clear, this once; `None`: keys only, or it is not known any more.
    pub password: Option<String>,
    /// The host name to connect to.
    pub host: String,
    /// The port of each connection type that the account may use and the server offers.
    pub ports: BTreeMap<Protocol, u16>,
    /// The connection types that the account may use.
    pub protocols: Vec<Protocol>,
    /// `SHA256:…` of each host key, with its kind.
    pub host_keys: Vec<HostKey>,
    /// The TLS certificate.
    pub certificate: Option<Certificate>,
    /// The public keys that may log in.
    pub keys: Vec<String>,
    /// The remote folders.
    pub folders: Vec<Folder>,
}

/// A host key of the server.
#[derive(Debug, Clone, Serialize)]
pub struct HostKey {
    /// `ssh-ed25519`, `ssh-rsa` …
    pub kind: String,
    /// `SHA256:…` as `ssh-keygen -l` prints it.
    pub fingerprint: String,
}

/// The server's TLS certificate.
#[derive(Debug, Clone, Serialize)]
pub struct Certificate {
    /// SHA-256 over the whole certificate: upper-case hex pairs with colons.
    pub sha256: String,
    /// SHA-256 over its public key, base64: curl's `--pinnedpubkey sha256//…`.
    pub public_key_pin: String,
    /// Programs do not know who signed it: they must be told to trust it by its fingerprint.
    pub self_signed: bool,
    /// The host names (in small letters) and IP addresses that it is for.
    pub names: Vec<String>,
}

impl Certificate {
    /// The facts of a certificate (DER), and its last instant.
    ///
    /// # Errors
    /// `Kind::Invalid` for bytes that are no certificate.
    pub fn read(der: &[u8]) -> Result<(Self, Timestamp)> {
        let broken = |why: String| {
            Error::new(Kind::Invalid, format!("this is no certificate that can be read: {why}"))
        };
        let (_, x509) =
            x509_parser::parse_x509_certificate(der).map_err(|e| broken(e.to_string()))?;
        let until = Timestamp::from_second(x509.validity().not_after.timestamp())
            .map_err(|e| broken(e.to_string()))?;
        let certificate = Self {
            sha256: colons(&Sha256::digest(der)),
            public_key_pin: BASE64_STANDARD.encode(Sha256::digest(x509.public_key().raw)),
            self_signed: x509.issuer() == x509.subject(),
            names: names(&x509),
        };
        Ok((certificate, until))
    }

    /// Whether programs that check names take it for this host. Source: RFC 6125, 6.4.
    #[must_use]
    pub fn is_for(&self, host: &str) -> bool {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let asked = bare.parse::<IpAddr>().map_or_else(|_| plain(host), |ip| ip.to_string());
        let above = asked.split_once('.').map(|(_, above)| above);
        self.names.iter().any(|name| {
            *name == asked || name.strip_prefix("*.").is_some_and(|name| above == Some(name))
        })
    }
}

/// The names that count for programs; a common name does not any more.
fn names(x509: &X509Certificate<'_>) -> Vec<String> {
    let held = x509.subject_alternative_name().ok().flatten();
    let held = held.map(|extension| extension.value.general_names.as_slice()).unwrap_or_default();
    held.iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(plain(name)),
            GeneralName::IPAddress(bytes) => address(bytes),
            _ => None,
        })
        .collect()
}

/// As DNS compares names.
fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn address(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok().map(|ip| ip.to_string())
}

/// `AB:CD:…`
fn colons(digest: &[u8]) -> String {
    let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

/// How clients reach and recognise this server: what every sheet says, whoever's it is.
#[derive(Debug, Clone, Default)]
pub struct ServerFacts {
    /// Where a running server listens; the configuration says it of the others.
    pub bound: BTreeMap<Protocol, SocketAddr>,
    /// `SHA256:…` of each host key, with its kind; empty before the first start.
    pub host_keys: Vec<HostKey>,
    /// The TLS certificate; `None` before the first start.
    pub certificate: Option<Certificate>,
    /// Those of host profiles that have one of their own.
    pub certificates: BTreeMap<String, Certificate>,
}

impl Sheet {
    /// The sheet of an account.
    #[must_use]
    pub fn new(
        config: &Config,
        server: &ServerFacts,
        account: &Account,
        (folders, keys): (&[Folder], &[AccountKey]),
        password: Option<String>,
    ) -> Self {
        let offered = |protocol: &Protocol| listen(config, *protocol);
        let ports = account.protocols.iter().filter_map(|protocol| {
            let port = match (offered(protocol)?.port(), server.bound.get(protocol)) {
                (0, Some(bound)) => bound.port(),
                (port, _) => port,
            };
            (port != 0).then_some((*protocol, port))
        });
        Self {
            client: account.client.clone(),
            name: account.name.clone(),
            login: account.login.clone(),
            password,
            host: host(config, account),
            ports: ports.collect(),
            protocols: account.protocols.iter().copied().filter(|p| offered(p).is_some()).collect(),
            host_keys: server.host_keys.clone(),
            certificate: server
                .certificates
                .get(&account.host_profile)
                .or(server.certificate.as_ref())
                .cloned(),
            keys: keys.iter().map(|key| key.fingerprint.clone()).collect(),
            folders: folders.to_vec(),
        }
    }

    /// The sheet as text of at most 80 columns (fingerprints and long names apart).
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let w = words(language);
        let mut text = String::new();
        self.heading(w, &mut text);
        self.credentials(w, &mut text);
        self.server(w, &mut text);
        self.folder_list(w, &mut text);
        self.commands(w, &mut text);
        self.programs(w, &mut text);
        text
    }

    fn heading(&self, w: &Words, text: &mut String) {
        put(text, &format!("{}: {} ({})", w.title, self.name, self.client));
        put(text, &"═".repeat(72));
    }

    fn credentials(&self, w: &Words, text: &mut String) {
        pair(text, w.login, &self.login);
        match &self.password {
            Some(password) => {
                pair(text, w.password, password);
                pair(text, "", w.password_once);
            }
            None if self.keys.is_empty() => pair(text, w.password, w.password_known),
            None => {}
        }
        for (i, key) in self.keys.iter().enumerate() {
            pair(text, if i == 0 { w.key } else { "" }, key);
        }
        put(text, "");
    }

    fn server(&self, w: &Words, text: &mut String) {
        pair(text, w.server, &self.host);
        for protocol in &self.protocols {
            let port = self.ports.get(protocol).map_or(w.port_unknown.to_owned(), u16::to_string);
            let name = protocol.name().to_uppercase();
            pair(
                text,
                &format!("  {name}"),
                &format!("{} {port:<6} {}", w.port, w.kind(*protocol)),
            );
        }
        if self.protocols.contains(&Protocol::Sftp) {
            for (i, key) in self.host_keys.iter().enumerate() {
                let label = if i == 0 { w.host_key } else { "" };
                pair(text, label, &format!("{} ({})", key.fingerprint, key.kind));
            }
        }
        if let (true, Some(certificate)) = (self.uses_tls(), &self.certificate) {
            let pairs: Vec<&str> = certificate.sha256.split(':').collect();
            for (i, half) in pairs.chunks(16).enumerate() {
                pair(text, if i == 0 { w.certificate } else { "" }, &half.join(":"));
            }
            if certificate.self_signed {
                pair(text, "", w.self_signed);
            }
            if !self.is_named() {
                pair(text, "", w.nameless);
            }
        }
        put(text, "");
    }

    fn folder_list(&self, w: &Words, text: &mut String) {
        if self.folders.is_empty() {
            return;
        }
        put(text, w.folders);
        for folder in &self.folders {
            let purpose = match folder.purpose {
                Purpose::Import => w.purpose_import,
                Purpose::Export => w.purpose_export,
                Purpose::Plain => w.purpose_plain,
            };
            let pattern = folder.pattern.as_ref().map(|p| format!(" ({p})")).unwrap_or_default();
            put(text, &format!("  {:<14} {purpose}{pattern}", folder.path.as_str()));
        }
        put(text, "");
    }

    fn commands(&self, w: &Words, text: &mut String) {
        put(text, w.send);
        text.push_str(&self.samples(w));
        put(text, "");
    }

    /// Sample commands of sftp, lftp and curl.
    #[must_use]
    pub fn samples(&self, w: &Words) -> String {
        let text = &mut String::new();
        let folder = self.upload_folder();
        let (login, host) = (&self.login, &self.host);
        if let Some(port) = self.ports.get(&Protocol::Sftp) {
            put(text, &format!("  SFTP   sftp -P {port} {login}@{host}"));
            put(text, &format!("           put users.csv {folder}"));
            put(text, &format!("           get {folder}users.csv.report.csv"));
            put(text, &format!("         lftp -u {login} -p {port} sftp://{host}"));
        }
        if let Some(port) = self.ports.get(&Protocol::Ftpes) {
            self.curl(text, "FTPES", " --ssl-reqd", &format!("ftp://{host}:{port}{folder}"));
            self.lftp(text, "set ftp:ssl-force true; ", &format!("{port} ftp://{host}"));
        }
        if let Some(port) = self.ports.get(&Protocol::Ftps) {
            self.curl(text, "FTPS ", "", &format!("ftps://{host}:{port}{folder}"));
            self.lftp(text, "", &format!("{port} ftps://{host}"));
        }
        if self.uses_tls() && self.is_self_signed() {
            put(text, &format!("  {}", w.ca_file));
        }
        std::mem::take(text)
    }

    /// With a self-signed certificate curl checks the public key instead of the signer.
    fn curl(&self, text: &mut String, kind: &str, options: &str, target: &str) {
        let pinned = self.certificate.as_ref().filter(|c| c.self_signed);
        let trust = if pinned.is_some() { " -k" } else { "" };
        put(text, &format!("  {kind}  curl{options} -u {} -T users.csv{trust} \\", self.login));
        if let Some(certificate) = pinned {
            let pin = &certificate.public_key_pin;
            put(text, &format!("           --pinnedpubkey sha256//{pin} \\"));
        }
        put(text, &format!("           {target}"));
    }

    fn lftp(&self, text: &mut String, settings: &str, target: &str) {
        let trust = if self.is_self_signed() { "set ssl:ca-file rollcall.pem" } else { "" };
        // The file is all that is trusted then: whose name it bears does not matter.
        if self.is_self_signed() && !self.is_named() {
            // Between these quotes the shell joins both lines; lftp itself takes no command over two.
            put(text, &format!("         lftp -e \"{settings}{trust}; \\"));
            put(text, "           set ssl:check-hostname no\" \\");
        } else {
            put(text, &format!("         lftp -e '{settings}{trust}' \\"));
        }
        put(text, &format!("           -u {} -p {target}", self.login));
    }

    fn programs(&self, w: &Words, text: &mut String) {
        put(text, "WinSCP, FileZilla");
        for (protocol, port) in &self.ports {
            let kind = match protocol {
                Protocol::Sftp => "SFTP",
                Protocol::Ftps => w.form_ftps,
                Protocol::Ftpes => w.form_ftpes,
            };
            let (host, login) = (&self.host, &self.login);
            put(text, &format!("  {kind}"));
            put(text, &format!("    {} {host}, {} {port}, {} {login}", w.server, w.port, w.login));
        }
        if self.uses_tls() {
            put(text, &format!("  {}", w.passive));
        }
    }

    /// Whether a connection type with TLS is offered.
    #[must_use]
    pub fn uses_tls(&self) -> bool {
        self.protocols.iter().any(|p| *p != Protocol::Sftp)
    }

    /// Whether programs must be told to trust the certificate.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        self.certificate.as_ref().is_some_and(|c| c.self_signed)
    }

    /// Whether the certificate bears the name of the server; true where there is none yet.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.certificate.as_ref().is_none_or(|c| c.is_for(&self.host))
    }

    /// Where the sample commands put their file, with a `/` at the end.
    fn upload_folder(&self) -> String {
        let import = self.folders.iter().find(|f| f.purpose == Purpose::Import);
        match import.or(self.folders.first()) {
            Some(folder) if !folder.path.is_root() => format!("{}/", folder.path),
            _ => "/".to_owned(),
        }
    }
}

/// The address that the configuration gives to a connection type; `None`: off.
fn listen(config: &Config, protocol: Protocol) -> Option<SocketAddr> {
    let text = match protocol {
        Protocol::Sftp => &config.sftp.listen,
        Protocol::Ftps => &config.ftps.implicit,
        Protocol::Ftpes => &config.ftps.explicit,
    };
    text.parse().ok()
}

/// The host name to hand out: that of the profile, else the address listened on, else this machine's name.
fn host(config: &Config, account: &Account) -> String {
    let public = config.profile(&account.host_profile).and_then(|profile| profile.public_host);
    let bound = account.protocols.iter().filter_map(|p| listen(config, *p)).next();
    let fixed = bound.filter(|a| !a.ip().is_unspecified()).map(|a| a.ip().to_string());
    let machine = || {
        std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned())
    };
    public.or(fixed).or_else(machine).unwrap_or_else(|| "localhost".to_owned())
}

fn put(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

/// A label of 14 columns and its value.
fn pair(text: &mut String, label: &str, value: &str) {
    // Writing to a String cannot fail.
    let written = writeln!(text, "{label:<14} {value}");
    debug_assert!(written.is_ok());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::VPath;

    fn sheet() -> Sheet {
        Sheet {
            client: "acme".to_owned(),
            name: "Payroll".to_owned(),
            login: "acme-payroll".to_owned(),
            password: Some("gJ7mKwq2-Xr4TzbPn-hV8c".to_owned()),
            host: "files.example.org".to_owned(),
            ports: [(Protocol::Sftp, 2022), (Protocol::Ftps, 2990), (Protocol::Ftpes, 2121)].into(),
            protocols: Protocol::ALL.to_vec(),
            host_keys: vec![HostKey {
                kind: "ssh-ed25519".to_owned(),
                fingerprint: format!("SHA256:{}", "x".repeat(43)),
            }],
            certificate: Some(Certificate {
                sha256: vec!["AB"; 32].join(":"),
                public_key_pin: format!("{}=", "p".repeat(43)),
                self_signed: true,
                names: vec!["localhost".to_owned(), "files.example.org".to_owned()],
            }),
            keys: Vec::new(),
            folders: vec![Folder {
                login: "acme-payroll".to_owned(),
                name: "in".to_owned(),
                path: VPath::root().join("in").unwrap(),
                purpose: Purpose::Import,
                pattern: None,
            }],
        }
    }

    #[test]
    fn the_sheet_fits_a_page_and_names_everything() {
        for language in Language::ALL {
            let text = sheet().text(language);
            for needed in
                ["acme-payroll", "gJ7mKwq2", "2022", "2121", "2990", "SHA256:", "AB:AB", "/in/"]
            {
                assert!(text.contains(needed), "{needed} in\n{text}");
            }
            let wide: Vec<&str> = text.lines().filter(|l| l.chars().count() > 80).collect();
            assert!(wide.is_empty(), "{wide:#?}");
        }
    }

    #[test]
    fn a_certificate_without_the_servers_name_is_told_and_programs_are_told_what_to_do() {
        let mut sheet = sheet();
        assert!(sheet.is_named() && !sheet.text(Language::En).contains("check-hostname"));
        sheet.host = "other.example.org".to_owned();
        for language in Language::ALL {
            let text = sheet.text(language);
            assert!(text.contains(words(language).nameless), "{text}");
            assert_eq!(text.matches("set ssl:check-hostname no\" \\").count(), 2, "{text}");
            assert!(text.lines().all(|l| l.chars().count() <= 80), "{text}");
        }
    }

    #[test]
    fn names_are_compared_as_programs_do() {
        let mut certificate = sheet().certificate.unwrap();
        let names = ["files.example.org", "*.wild.example", "192.0.2.7", "2001:db8::1"];
        certificate.names = names.map(str::to_owned).to_vec();
        for host in ["FILES.example.org.", "a.wild.example", "192.0.2.7", "[2001:DB8:0::1]"] {
            assert!(certificate.is_for(host), "{host}");
        }
        for host in ["example.org", "wild.example", "a.b.wild.example", "192.0.2.8", ""] {
            assert!(!certificate.is_for(host), "{host}");
        }
    }

    #[test]
    fn nothing_is_offered_that_the_account_may_not_use() {
        let mut sheet = sheet();
        sheet.protocols = vec![Protocol::Sftp];
        sheet.ports.retain(|p, _| *p == Protocol::Sftp);
        let text = sheet.text(Language::En);
        assert!(
            !text.contains("curl") && !text.contains("TLS") && !text.contains("AB:AB"),
            "{text}"
        );
    }

    #[test]
    fn a_password_is_not_invented() {
        let mut sheet = sheet();
        sheet.password = None;
        assert!(sheet.text(Language::En).contains("as agreed with you"));
        sheet.keys = vec!["SHA256:k".to_owned()];
        assert!(!sheet.text(Language::En).contains("Password"));
    }
}
