//! How a message leaves: through an SMTP server, or into a folder.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::Message;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;

use super::smtp::{Failure, Security, Smtp};
use crate::config::{Mail, SmtpServer, Starttls};
use crate::error::{Error, Kind, Result};

/// The largest password or certificate file that is read.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
/// Also of a recipient or a message: the server wants a login, another one, or does not know a command. Source: RFC 5321, 4954.
const SERVER_CODES: [u16; 10] = [421, 500, 502, 503, 504, 521, 530, 534, 535, 538];

/// How messages leave.
pub enum Mailer {
    /// Through an SMTP server; one connection for each message.
    Smtp {
        /// The server.
        server: Box<Smtp>,
        /// `mail.example.com:587`, for messages.
        place: String,
        /// One message as a whole.
        timeout: Duration,
    },
    /// Into a folder, as a file each.
    Folder(PathBuf),
}

/// Why a message did not leave.
#[derive(Debug)]
pub enum Refused {
    /// The server could not be reached, showed a wrong certificate, refused the login …: every message waits.
    Server(Error),
    /// Not now (4xx): this message waits.
    Later(Error),
    /// It is larger than the server takes (552).
    TooLarge(Error),
    /// Never (5xx).
    Never(Error),
}

impl Refused {
    /// Why, whatever follows from it.
    #[must_use]
    pub fn into_error(self) -> Error {
        match self {
            Self::Server(error)
            | Self::Later(error)
            | Self::TooLarge(error)
            | Self::Never(error) => error,
        }
    }
}

impl Mailer {
    /// As the configuration says; `None`: no e-mail leaves.
    ///
    /// # Errors
    /// A password or certificate file that cannot be read.
    pub fn new(config: &Mail) -> Result<Option<Self>> {
        if let Some(dir) = &config.dir {
            return Ok(Some(Self::Folder(dir.clone())));
        }
        let Some(server) = config.server() else { return Ok(None) };
        let timeout = Duration::from_secs(config.timeout_s);
        let named = config.hello_name.clone().map(ClientId::Domain);
        let login = match &config.login {
            Some(login) => Some(Credentials::new(login.clone(), password(config)?)),
            None => None,
        };
        let server = Smtp {
            security: security(config, &server)?,
            host: server.host,
            port: server.port,
            hello: named.unwrap_or_default(),
            login,
        };
        let place = server.place();
        Ok(Some(Self::Smtp { server: Box::new(server), place, timeout }))
    }

    /// Sends a message; `name` is the file's in a folder: the same message again replaces itself.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn send(&self, message: Message, name: &str) -> std::result::Result<(), Refused> {
        match self {
            Self::Folder(dir) => put(dir, name, &message.formatted()).map_err(|e| {
                let what = format!("writing a message into {} (mail.dir)", dir.display());
                Refused::Server(Error::io(what, e))
            }),
            Self::Smtp { server, place, timeout } => {
                match tokio::time::timeout(*timeout, server.send(&message)).await {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(failure)) => Err(refused(place, failure)),
                    Err(_elapsed) => Err(Refused::Server(Error::new(
                        Kind::Busy,
                        format!(
                            "the SMTP server {place} did not take the message within {} s (mail.timeout_s)",
                            timeout.as_secs()
                        ),
                    ))),
                }
            }
        }
    }
}

fn security(config: &Mail, server: &SmtpServer) -> Result<Security> {
    if !server.is_tls && config.starttls == Starttls::Off {
        return Ok(Security::Off);
    }
    let mut builder = TlsParameters::builder(server.host.clone());
    if let Some(path) = &config.ca_file {
        let pem = read(path, "mail.ca_file")?;
        let refused = |why: String| {
            let message = format!(
                "{} (mail.ca_file) holds no certificate that can be read: {why}; it is a PEM file that begins with -----BEGIN CERTIFICATE-----",
                path.display()
            );
            Error::new(Kind::Invalid, message)
        };
        // A file without one reads as an empty list.
        if !pem.windows(27).any(|part| part == b"-----BEGIN CERTIFICATE-----") {
            return Err(refused("there is none in it".to_owned()));
        }
        let certificate = Certificate::from_pem(&pem).map_err(|e| refused(e.to_string()))?;
        builder = builder.add_root_certificate(certificate);
    }
    let parameters = builder.build().map_err(|e| {
        Error::caused(Kind::Invalid, format!("preparing TLS for {}: {e}", server.host), e)
    })?;
    Ok(if server.is_tls { Security::Wrapped(parameters) } else { Security::Starttls(parameters) })
}

fn password(config: &Mail) -> Result<String> {
    if let Some(password) = &config.password {
        return Ok(password.0.clone());
    }
    let Some(path) = &config.password_file else { return Ok(String::new()) };
    let text = String::from_utf8(read(path, "mail.password_file")?).map_err(|e| {
        let message = format!("{} (mail.password_file) is not UTF-8", path.display());
        Error::caused(Kind::Invalid, message, e)
    })?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn read(path: &Path, setting: &str) -> Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES).read_to_end(&mut bytes))
        .map_err(|e| Error::io(format!("reading {} ({setting})", path.display()), e))?;
    Ok(bytes)
}

/// Sorts a failure by what it says about this message and about all others.
fn refused(place: &str, failure: Failure) -> Refused {
    let (error, about_all) = match failure {
        Failure::Connect(error) => {
            let words = format!("the SMTP server {place} cannot be reached: {error}");
            return Refused::Server(Error::caused(Kind::Busy, words, error));
        }
        Failure::Server(error) => (error, true),
        Failure::Message(error) => (error, false),
    };
    let code = error.status().map(u16::from);
    let (permanent, transient) = (error.is_permanent(), error.is_transient());
    let mut words = format!("the SMTP server {place}: {error}");
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        let cause_words = cause.to_string();
        if !words.contains(&cause_words) {
            words.push_str(": ");
            words.push_str(&cause_words);
        }
        source = cause.source();
    }
    let words: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let kind = if permanent { Kind::Denied } else { Kind::Busy };
    let error = Error::caused(kind, words, error);
    match code {
        Some(552 | 523) => Refused::TooLarge(error),
        _ if about_all || code.is_some_and(|code| SERVER_CODES.contains(&code)) => {
            Refused::Server(error)
        }
        _ if permanent => Refused::Never(error),
        _ if transient => Refused::Later(error),
        _ => Refused::Server(error),
    }
}

/// Writes a file that nobody sees before it is whole.
fn put(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    match fs::create_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        other => other?,
    }
    let hidden = dir.join(format!(".{name}.part"));
    let mut file = File::create(&hidden)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&hidden, dir.join(name))?;
    File::open(dir)?.sync_all()
}
