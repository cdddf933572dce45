//! *Create an account*: the host server, the name, and for a client's server where it is and how to log in there.

use askama::Template;
use axum::extract::{Query, State as Of};
use axum::response::Response;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::handout::credentials;
use super::state::types;
use super::{Answer, beside, refused, run};
use crate::admin::Admin;
use crate::admin::form::Form;
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_server};
use crate::admin::shell::{Shell, Tone, done, page};
use crate::config::HostProfile;
use crate::error::{Error, Kind, Result};
use crate::model::{CLIENT_SERVER, Client, Protocol, Scope, ServerTrust, parse_host};
use crate::service::Service;
use crate::service::accounts::{NewAccount, NewPassword};
use crate::service::remotes::{NewRemoteAccount, NewSecret};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/accounts/new", of_server(Scope::Arrange), ask),
        Route::post("/accounts/new", of_server(Scope::Arrange), create),
    ]
}

/// What was chosen and typed so far; each step adds to it. The secrets come with the last one only.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Typed {
    client: String,
    host: String,
    name: String,
    login: String,
    /// The connection types of a hosted account; none: those of the profile.
    protocols: Vec<Protocol>,
    /// Public keys of a hosted account.
    keys: String,
    keys_only: bool,
    /// The client's own server: `HOST` or `HOST:PORT`.
    server: String,
    port: String,
    /// Its connection type.
    kind: Option<Protocol>,
    /// `password` or `key`.
    proof: String,
    password: String,
    key: String,
    passphrase: String,
}

/// One choice of host server.
struct Host<'a> {
    name: &'a str,
    profile: Option<HostProfile>,
}

impl Host<'_> {
    /// What comes with it, in a few words.
    fn hint(&self, p: &Shell) -> String {
        let Some(profile) = &self.profile else {
            return p
                .t(
                    "The server is the client’s: files are fetched from it and brought to it.",
                    "Le serveur appartient au client\u{a0}: les fichiers y sont récupérés et déposés.",
                    "Der Server gehört dem Kunden: Dateien werden dort abgeholt und abgelegt.",
                )
                .to_owned();
        };
        let folders: Vec<String> = profile.folders.iter().map(|f| f.path.to_string()).collect();
        let what = p.t("Hosted here", "Hébergé ici", "Hier gehostet");
        format!("{what} · {} · {}", types(profile.protocols()), folders.join(", "))
    }
}

/// Which questions are asked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// For whom, and which host server.
    Host,
    /// The name.
    Name,
    /// The client's server: name, host name, port, connection type.
    Server,
    /// The client's server: login, password or key.
    Secret,
}

#[derive(Template)]
#[template(path = "admin/pages/accounts/new.html")]
struct NewPage<'a> {
    p: &'a Shell,
    step: Step,
    clients: &'a [Client],
    hosts: &'a [Host<'a>],
    client_name: &'a str,
    typed: &'a Typed,
    wrong: Option<&'a str>,
}

impl NewPage<'_> {
    fn profile(&self) -> Option<&HostProfile> {
        self.hosts.iter().find(|host| host.name == self.typed.host).and_then(|h| h.profile.as_ref())
    }

    /// Whether a connection type of a hosted account is ticked.
    fn has(&self, protocol: &Protocol) -> bool {
        match self.typed.protocols.as_slice() {
            [] => self.profile().is_some_and(|profile| profile.protocols().contains(protocol)),
            chosen => chosen.contains(protocol),
        }
    }
}

async fn ask(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Query(typed): Query<Typed>,
) -> Answer {
    let clients = run(&admin, &caller, &shell, |service| service.clients()).await?;
    let is_known = clients.iter().any(|client| client.slug == typed.client);
    let is_hosted = admin.service().config().profile(&typed.host).is_some();
    let (step, wrong) = if !is_known || !(is_hosted || typed.host == CLIENT_SERVER) {
        (Step::Host, None)
    } else if is_hosted {
        (Step::Name, None)
    } else if typed.name.is_empty() && typed.server.is_empty() {
        (Step::Server, None)
    } else {
        match place(&typed).and_then(|_| free_name(&typed, &admin, &caller)) {
            Ok(()) => (Step::Secret, None),
            Err(error) => (Step::Server, Some(error)),
        }
    };
    let wrong = wrong.as_ref().map(Error::message);
    let shown = show(&admin, &shell, &clients, (step, &typed), wrong);
    Ok(if wrong.is_some() { refused(shown) } else { shown })
}

fn free_name(typed: &Typed, admin: &Admin, caller: &Caller) -> Result<()> {
    check_name(&admin.service().acting_as(&caller.name), &typed.client, &typed.name)
}

fn show(
    admin: &Admin,
    shell: &Shell,
    clients: &[Client],
    (step, typed): (Step, &Typed),
    wrong: Option<&str>,
) -> Response {
    let config = admin.service().config();
    let mut hosts: Vec<Host<'_>> = config
        .profile_names()
        .into_iter()
        .map(|name| Host { name, profile: config.profile(name) })
        .collect();
    hosts.push(Host { name: CLIENT_SERVER, profile: None });
    let client_name = clients.iter().find(|c| c.slug == typed.client).map_or("", |c| &c.name);
    page(&NewPage { p: shell, step, clients, hosts: &hosts, client_name, typed, wrong })
}

/// Where the client's server is: `HOST:PORT`.
fn place(typed: &Typed) -> Result<String> {
    let invalid = |words: String| Error::new(Kind::Invalid, words);
    let (host, port) = parse_host(&typed.server).map_err(invalid)?;
    if typed.kind.is_none() {
        return Err(invalid("choose the connection type of the server".to_owned()));
    }
    let port = match (typed.port.trim(), port) {
        ("", port) => port,
        (text, _) => Some(text.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(|| {
            invalid(format!("\"{text}\" is no port; write a number from 1 to 65535"))
        })?),
    };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    Ok(port.map_or(host.clone(), |port| format!("{host}:{port}")))
}

/// The list shows names: two of one name could not be told apart, and a form that is sent twice would make two accounts.
fn check_name(service: &Service, client: &str, name: &str) -> Result<()> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Error::new(Kind::Invalid, "give the account a name, such as \"Payroll\""));
    }
    let accounts = service.accounts(Some(client))?;
    match accounts.iter().find(|account| account.name.eq_ignore_ascii_case(name)) {
        None => Ok(()),
        Some(other) => {
            let message = format!(
                "the client has an account of that name already (\"{}\"); choose another",
                other.login
            );
            Err(Error::new(Kind::Exists, message))
        }
    }
}

async fn create(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Form(typed): Form<Typed>,
) -> Answer {
    let clients = run(&admin, &caller, &shell, |service| service.clients()).await?;
    let (step, made) = if typed.host == CLIENT_SERVER {
        (Step::Secret, create_remote(&admin, &shell, &caller, &typed).await)
    } else {
        (Step::Name, create_hosted(&admin, &shell, &caller, &typed).await)
    };
    match made {
        Ok(response) => Ok(response),
        Err(error) => {
            let wrong = beside(error, &shell)?;
            Ok(refused(show(&admin, &shell, &clients, (step, &typed), Some(&wrong))))
        }
    }
}

async fn create_hosted(
    admin: &Admin,
    shell: &Shell,
    caller: &Caller,
    typed: &Typed,
) -> Result<Response> {
    let filled = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let new = NewAccount {
        client: typed.client.clone(),
        name: typed.name.clone(),
        login: filled(&typed.login),
        host_profile: typed.host.clone(),
        protocols: Some(typed.protocols.clone()).filter(|list| !list.is_empty()),
        password: if typed.keys_only { NewPassword::None } else { NewPassword::Generated },
        keys: filled(&typed.keys).into_iter().collect(),
    };
    let (client, added) = admin
        .run(&caller.name, move |service| {
            check_name(&service, &new.client, &new.name)?;
            let added = service.add_account(&new)?;
            Ok((service.client(&added.account.client)?, added))
        })
        .await?;
    let known = (added.folders.as_slice(), added.keys.as_slice());
    credentials(admin, shell, &client, &added.account, known, added.password)
}

async fn create_remote(
    admin: &Admin,
    shell: &Shell,
    caller: &Caller,
    typed: &Typed,
) -> Result<Response> {
    let host = place(typed)?;
    let protocol = typed.kind.unwrap_or(Protocol::Sftp);
    let new = NewRemoteAccount {
        client: typed.client.clone(),
        name: typed.name.clone(),
        protocol,
        host,
        login: typed.login.clone(),
        secret: secret(&typed.proof, (&typed.password, &typed.key, &typed.passphrase)),
        // Nothing is sent before somebody has looked at the fingerprint, or said that certificates are enough.
        trust: ServerTrust::Pins(Vec::new()),
    };
    let account = admin
        .run(&caller.name, move |service| {
            check_name(&service, &new.client, &new.name)?;
            service.add_remote_account(&new)
        })
        .await?;
    let words = shell.t(
        "The account is created. Test the connection now, and confirm the server.",
        "Le compte est créé. Testez maintenant la connexion et confirmez le serveur.",
        "Das Konto ist angelegt. Testen Sie jetzt die Verbindung und bestätigen Sie den Server.",
    );
    Ok(done(&format!("/accounts/{}/server", account.login), Tone::Good, words))
}

/// A password or a private key, as it was typed.
pub(super) fn secret(proof: &str, (password, key, passphrase): (&str, &str, &str)) -> NewSecret {
    if proof == "key" {
        let passphrase = Some(passphrase).filter(|text| !text.is_empty());
        return NewSecret::Key {
            // Browsers send line ends as CR LF; key files have LF.
            text: Zeroizing::new(key.replace("\r\n", "\n")),
            passphrase: passphrase.map(|text| Zeroizing::new(text.to_owned())),
        };
    }
    NewSecret::Password(Zeroizing::new(password.to_owned()))
}
