//! The SSH side of a connection: who may log in, and which channels there are.

use std::collections::HashMap;
use std::sync::Arc;

use russh::keys::PublicKey;
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, VerifiedPublicKey};
use russh::{
    Channel, ChannelId, ChannelOpenFailure, ChannelWriteHalf, Disconnect, MethodKind, MethodSet,
    Pty,
};

use super::algorithms::{Lenience, check_key, methods};
use super::channel::Pump;
use super::connection::Connection;
use super::scp::{Command, Ending, Scp};
use crate::config::SFTP_CHANNELS_IN_ALL;
use crate::model::Protocol;
use crate::service::login::{Credential, LoginAttempt};
use crate::transport::CANNOT_OPEN;

/// Longer logins are cut for the log.
const LOGGED_LOGIN_CHARS: usize = 64;
const NO_SHELL: &str = "This server takes files only: use sftp or scp.\r\n";
const NO_SCP: &str = "This server takes files over SFTP only: use sftp, or scp without -O.\r\n";

/// The handler that russh calls for one connection.
pub(super) struct Ssh {
    connection: Arc<Connection>,
    failures: u32,
    /// The login and key that were proved, when the account asks for its password besides.
    proved: Option<(String, String)>,
    /// Its program was noted.
    named: bool,
    /// It was noted that it speaks scp.
    spoke_scp: bool,
    /// Those that are open. russh tells of a client's CLOSE only where ours did not come first, so what we end leaves at once.
    channels: HashMap<ChannelId, Kind>,
    /// Channels so far.
    opened: usize,
}

/// What a channel is used for.
enum Kind {
    /// Open, nothing asked for yet.
    Fresh(ChannelWriteHalf<Msg>),
    Sftp(Pump),
    Scp(Scp),
}

impl Kind {
    /// Whether everything was done and the client was told the end.
    fn is_finished(&self) -> bool {
        match self {
            Self::Fresh(_) => false,
            Self::Sftp(pump) => pump.is_finished(),
            Self::Scp(scp) => scp.is_finished(),
        }
    }
}

/// Whether a key or password was right.
#[derive(Clone, Copy)]
enum Proof<'a> {
    Password(&'a str),
    Key(&'a PublicKey),
}

impl Ssh {
    pub(super) fn new(connection: Arc<Connection>) -> Self {
        Self {
            connection,
            failures: 0,
            proved: None,
            named: false,
            spoke_scp: false,
            channels: HashMap::new(),
            opened: 0,
        }
    }

    fn attempt(&self, user: &str) -> LoginAttempt {
        LoginAttempt {
            login: user.to_owned(),
            protocol: Protocol::Sftp,
            peer: self.connection.peer,
        }
    }

    async fn log_in(&mut self, user: &str, proof: Proof<'_>) -> Result<Auth, russh::Error> {
        let most = self.connection.edge.config.limits.login_attempts_per_connection;
        if self.failures >= most {
            return Err(russh::Error::NotAuthenticated);
        }
        let attempt = self.attempt(user);
        let key = match proof {
            Proof::Password(_) => None,
            Proof::Key(public) => Some(public.to_openssh()?),
        };
        // A key that was proved for another login counts for nothing.
        let proved = self.proved.take().filter(|(login, _)| login == user).map(|(_, key)| key);
        let credential = match (&proof, &proved, &key) {
            (Proof::Password(password), Some(openssh), _) => Credential::Both { password, openssh },
            (Proof::Password(password), None, _) => Credential::Password(password),
            (Proof::Key(_), _, key) => {
                Credential::PublicKey { openssh: key.as_deref().unwrap_or_default() }
            }
        };
        // The service logs both outcomes, for both protocols alike.
        match self.connection.edge.service.log_in(&attempt, credential).await {
            Ok(session) => {
                self.connection.log_in(session);
                return Ok(Auth::Accept);
            }
            // A refusal would say that the password is wrong: it is accepted, and `auth_succeeded` tells the rest.
            Err(refused) if refused.is_ours => return Ok(Auth::Accept),
            Err(refused) if refused.needs_password => {
                self.proved = key.map(|key| (user.to_owned(), key));
                return Ok(ask_for_password());
            }
            Err(_) => self.proved = proved.map(|key| (user.to_owned(), key)),
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures >= most {
            self.connection.doom("too many failed logins");
        }
        Ok(refuse())
    }

    /// Answers a request for anything but SFTP and scp: a text, then exit status 1.
    fn refuse_program(
        &mut self,
        channel: ChannelId,
        session: &mut russh::server::Session,
    ) -> Result<(), russh::Error> {
        if !matches!(self.channels.get(&channel), Some(Kind::Fresh(_))) {
            return session.channel_failure(channel);
        }
        self.channels.remove(&channel);
        session.channel_success(channel)?;
        let text = if self.connection.edge.config.sftp.scp { NO_SHELL } else { NO_SCP };
        session.extended_data(channel, 1, text)?;
        session.exit_status_request(channel, 1)?;
        session.eof(channel)?;
        session.close(channel)
    }
}

/// Refused, and both methods stay open: a client may try its next key, or a password after its keys.
fn refuse() -> Auth {
    Auth::Reject { proceed_with_methods: Some(methods()), partial_success: false }
}

/// The key is right, and the password comes next.
fn ask_for_password() -> Auth {
    let password: &[MethodKind] = &[MethodKind::Password];
    let proceed_with_methods = Some(MethodSet::from(password));
    Auth::Reject { proceed_with_methods, partial_success: true }
}

impl Handler for Ssh {
    type Error = russh::Error;

    async fn auth_none(&mut self, _user: &str) -> Result<Auth, Self::Error> {
        Ok(refuse())
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        self.log_in(user, Proof::Password(password)).await
    }

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        let lenience = Lenience::of(&self.connection.edge.config);
        if let Err(reason) = check_key(offer.public_key, offer.algorithm, lenience) {
            let login: String = user.chars().take(LOGGED_LOGIN_CHARS).collect();
            tracing::info!(protocol = "sftp", ?login, peer = %self.connection.peer, reason, "key refused");
            return Ok(refuse());
        }
        let (attempt, key) = (self.attempt(user), offer.public_key.to_openssh()?);
        let service = self.connection.edge.service.clone();
        let known = tokio::task::spawn_blocking(move || service.key_is_known(&attempt, &key));
        Ok(if known.await.unwrap_or(false) { Auth::Accept } else { refuse() })
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        let lenience = Lenience::of(&self.connection.edge.config);
        if check_key(key.public_key, key.algorithm, lenience).is_err() {
            return Ok(refuse());
        }
        self.log_in(user, Proof::Key(key.public_key)).await
    }

    /// Somebody has proved who they are. Without a session the connection ends, before anything else is heard.
    ///
    /// Source: RFC 4253, 11.1 (`SSH_DISCONNECT_SERVICE_NOT_AVAILABLE`).
    async fn auth_succeeded(
        &mut self,
        session: &mut russh::server::Session,
    ) -> Result<(), Self::Error> {
        if self.connection.session().is_some() {
            return Ok(());
        }
        session.disconnect(Disconnect::ServiceNotAvailable, CANNOT_OPEN, "en")?;
        self.connection.doom(CANNOT_OPEN);
        Ok(())
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        session: &mut russh::server::Session,
    ) -> Result<(), Self::Error> {
        if let Some(here) = self.connection.session()
            && !std::mem::replace(&mut self.named, true)
        {
            here.note_program(&String::from_utf8_lossy(session.remote_sshid()));
        }
        self.channels.retain(|_, kind| !kind.is_finished());
        if self.opened >= SFTP_CHANNELS_IN_ALL
            || self.channels.len() >= self.connection.edge.config.limits.sftp_channels
        {
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
            return Ok(());
        }
        self.opened = self.opened.saturating_add(1);
        let id = channel.id();
        // Input comes through `data`, which alone can make the client wait.
        let (_, write) = channel.split();
        self.channels.insert(id, Kind::Fresh(write));
        reply.accept().await;
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        session: &mut russh::server::Session,
    ) -> Result<(), Self::Error> {
        let entry = self.channels.remove(&channel);
        match (entry, self.connection.session()) {
            (Some(Kind::Fresh(write)), Some(account)) if name == "sftp" => {
                session.channel_success(channel)?;
                let pump = Pump::start(&self.connection, account, write);
                self.channels.insert(channel, Kind::Sftp(pump));
                Ok(())
            }
            (entry, _) => {
                self.channels.extend(entry.map(|kind| (channel, kind)));
                session.channel_failure(channel)
            }
        }
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut russh::server::Session,
    ) -> Result<(), Self::Error> {
        let offered = self.connection.edge.config.sftp.scp;
        let asked = Command::parse(command).filter(|_| offered);
        let (Some(asked), Some(account)) = (asked, self.connection.session()) else {
            return self.refuse_program(channel, session);
        };
        match self.channels.remove(&channel) {
            Some(Kind::Fresh(write)) => {
                if !std::mem::replace(&mut self.spoke_scp, true) {
                    account.note_program("scp");
                }
                session.channel_success(channel)?;
                let ending = Ending::of(session.remote_sshid());
                let scp = Scp::start(&self.connection, account, write, asked, ending);
                self.channels.insert(channel, Kind::Scp(scp));
                Ok(())
            }
            entry => {
                self.channels.extend(entry.map(|kind| (channel, kind)));
                session.channel_failure(channel)
            }
        }
    }

    async fn shell_request(
        &mut self,
        channel: ChannelId,
        session: &mut russh::server::Session,
    ) -> Result<(), Self::Error> {
        self.refuse_program(channel, session)
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _col_width: u32,
        _row_height: u32,
        _pix_width: u32,
        _pix_height: u32,
        _modes: &[(Pty, u32)],
        session: &mut russh::server::Session,
    ) -> Result<(), Self::Error> {
        // Only so that `ssh` gets on to its shell request, and to the text that answers it.
        session.channel_success(channel)
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        _variable_name: &str,
        _variable_value: &str,
        session: &mut russh::server::Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn x11_request(
        &mut self,
        channel: ChannelId,
        _single_connection: bool,
        _x11_auth_protocol: &str,
        _x11_auth_cookie: &str,
        _x11_screen_number: u32,
        session: &mut russh::server::Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn data(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        session: &mut russh::server::Session,
    ) -> Result<(), Self::Error> {
        let overrun = match self.channels.get_mut(&channel) {
            Some(Kind::Sftp(pump)) => pump.take(data).await.err().map(|o| o.to_string()),
            Some(Kind::Scp(scp)) => scp.take(data).await.err().map(|o| o.to_string()),
            Some(Kind::Fresh(_)) | None => None,
        };
        let Some(overrun) = overrun else { return Ok(()) };
        let login = self.connection.session().map(|s| s.login().to_owned());
        tracing::warn!(protocol = "sftp", login, peer = %self.connection.peer, reason = overrun, "channel ended");
        let why = format!("the client broke the protocol: {overrun}");
        match self.channels.remove(&channel) {
            Some(Kind::Sftp(pump)) => pump.lose(&why),
            Some(Kind::Scp(scp)) => scp.refuse(&why),
            Some(Kind::Fresh(_)) | None => {}
        }
        session.exit_status_request(channel, 1)?;
        session.eof(channel)?;
        session.close(channel)
    }

    async fn channel_eof(
        &mut self,
        channel: ChannelId,
        _session: &mut russh::server::Session,
    ) -> Result<(), Self::Error> {
        match self.channels.get(&channel) {
            Some(Kind::Sftp(pump)) => pump.end_of_input(),
            Some(Kind::Scp(scp)) => scp.end_of_input(),
            Some(Kind::Fresh(_)) | None => {}
        }
        Ok(())
    }

    async fn channel_close(
        &mut self,
        channel: ChannelId,
        _session: &mut russh::server::Session,
    ) -> Result<(), Self::Error> {
        match self.channels.remove(&channel) {
            Some(Kind::Sftp(pump)) => {
                pump.lose("the client closed the channel without closing the file");
            }
            Some(Kind::Scp(scp)) => {
                scp.lose("the client closed the channel before the file was complete");
            }
            Some(Kind::Fresh(_)) | None => {}
        }
        Ok(())
    }
}
