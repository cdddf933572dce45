//! `admin …`: who may sign in to the administration page; the way back in for an administrator who is locked out.

use std::net::SocketAddr;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::output::Output;
use super::{Outcome, Place, bound, moment};
use crate::admin;
use crate::config::DEFAULT_ADMIN_LISTEN;
use crate::model::{Administrator, Language, Role};
use crate::service::Service;
use crate::service::administrators::{AdministratorPatch, NewAdministrator};
use crate::service::sign_in::SessionView;

/// `admin …`
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Add somebody and print the link by which they choose a password, once
    Add(AddArgs),
    /// List the administrators
    List,
    /// Change somebody's role, client, language or password
    Set(SetArgs),
    /// Close somebody out; their sessions end at once
    Disable {
        /// The name to sign in with
        name: String,
    },
    /// Let somebody in again
    Enable {
        /// The name to sign in with
        name: String,
    },
    /// Remove somebody; their sessions end at once
    Remove {
        /// The name to sign in with
        name: String,
    },
    /// Print a one-time link by which somebody chooses a new password; the link before is void
    Invite {
        /// The name to sign in with
        name: String,
    },
    /// List who is signed in, or end somebody's sessions
    Sessions {
        /// Only of this one
        name: Option<String>,
        /// End them all
        #[arg(long, requires = "name")]
        end: bool,
    },
}

/// `admin add`
#[derive(Debug, Args)]
pub struct AddArgs {
    /// The name to sign in with: a-z, 0-9, ".", "_", "@" and "-"
    name: String,
    /// admin (everything), operator (all but administrators and API tokens), viewer (looks on), client
    /// (looks at one client and tries files out)
    #[arg(long, default_value = "admin")]
    role: Role,
    /// The client that somebody with the role client sees
    #[arg(long, value_name = "SLUG")]
    client: Option<String>,
    /// The language of their pages: en, fr or de
    #[arg(long, default_value = "en")]
    language: Language,
    /// Read the password from standard input instead of printing a link
    #[arg(long)]
    password_stdin: bool,
}

/// `admin set`
#[derive(Debug, Args)]
pub struct SetArgs {
    /// The name to sign in with
    name: String,
    /// admin, operator, viewer or client
    #[arg(long)]
    role: Option<Role>,
    /// The client that somebody with the role client sees
    #[arg(long, value_name = "SLUG")]
    client: Option<String>,
    /// The language of their pages: en, fr or de
    #[arg(long)]
    language: Option<Language>,
    /// Read a new password from standard input
    #[arg(long)]
    password_stdin: bool,
}

/// Somebody with a link to hand over.
#[derive(Serialize)]
struct Handed {
    #[serde(flatten)]
    administrator: Administrator,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

pub(super) fn run(place: &Place, command: AdminCommand) -> Outcome {
    let begins = matches!(command, AdminCommand::Add(_));
    let service = if begins { place.service_or_new()? } else { place.service()? };
    let out = place.out;
    match command {
        AdminCommand::Add(args) => add(place, &service, &args),
        AdminCommand::List => out.either(&service.administrators()?, |out, all| list(out, all)),
        AdminCommand::Set(args) => set(place, &service, &args),
        AdminCommand::Disable { name } => enable(place, &service, &name, false),
        AdminCommand::Enable { name } => enable(place, &service, &name, true),
        AdminCommand::Remove { name } => out
            .either(&service.remove_administrator(&name)?, |out, gone| {
                out.line(format!("{} is no administrator any more.", gone.name))
            }),
        AdminCommand::Invite { name } => invite(place, &service, &name),
        AdminCommand::Sessions { name, end } => match (name, end) {
            (Some(name), true) => {
                let ended = service.end_all_sessions(&name, None)?;
                out.either(&serde_json::json!({ "name": name, "ended": ended }), |out, _| {
                    out.line(format!("Sessions of {name} that ended: {ended}"))
                })
            }
            (name, _) => {
                let all = service.sessions(name.as_deref())?;
                out.either(&all, |out, all| sessions(out, all))
            }
        },
    }
}

fn add(place: &Place, service: &Service, args: &AddArgs) -> Outcome {
    let new = NewAdministrator {
        name: args.name.clone(),
        role: args.role,
        client: args.client.clone(),
        language: args.language,
    };
    let password = args.password_stdin.then(super::account::password_from_stdin).transpose()?;
    let administrator = service.add_administrator(&new, password.as_deref())?;
    let link = match password {
        Some(_) => None,
        None => Some(link(place, &service.invite_administrator(&administrator.name)?)),
    };
    let handed = Handed { administrator, link };
    place.out.either(&handed, |out, handed| {
        let Administrator { name, role, .. } = &handed.administrator;
        out.line(format!("{name} is added with the role {}.", role.name()))?;
        tell_link(place, out, handed.link.as_deref())
    })
}

fn invite(place: &Place, service: &Service, name: &str) -> Outcome {
    let token = service.invite_administrator(name)?;
    let administrator = service.administrator(name)?;
    let handed = Handed { administrator, link: Some(link(place, &token)) };
    place.out.either(&handed, |out, handed| tell_link(place, out, handed.link.as_deref()))
}

fn tell_link(place: &Place, out: Output, link: Option<&str>) -> Outcome {
    let Some(link) = link else { return Ok(()) };
    let hours = place.config.admin.invitation_hours;
    out.line(format!(
        "Hand this link over; it works once, for {hours} hours, to choose a password:"
    ))?;
    out.line(format!("  {link}"))
}

/// The address where the page is served now, or would be.
fn link(place: &Place, token: &str) -> String {
    let running = bound::noted(&place.global.data).and_then(|addresses| addresses.admin);
    let wanted = place.config.admin.listen.as_deref().unwrap_or(DEFAULT_ADMIN_LISTEN);
    let address = running.or_else(|| wanted.parse().ok());
    let address = address.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
    format!("{}/set-up/{token}", admin::page_url(&place.config, address))
}

fn set(place: &Place, service: &Service, args: &SetArgs) -> Outcome {
    let known = service.administrator(&args.name)?;
    let role = match (args.role, &args.client) {
        (None, None) => None,
        (role, client) => Some((role.unwrap_or(known.role), client.clone())),
    };
    let patch = AdministratorPatch { role, language: args.language, enabled: None };
    let mut changed = service.set_administrator(&known.name, &patch)?;
    if args.password_stdin {
        let password = super::account::password_from_stdin()?;
        changed = service.set_administrator_password(&known.name, &password)?;
    }
    place.out.either(&changed, |out, changed| out.line(format!("{} is changed.", changed.name)))
}

fn enable(place: &Place, service: &Service, name: &str, enabled: bool) -> Outcome {
    let patch = AdministratorPatch { enabled: Some(enabled), ..AdministratorPatch::default() };
    place.out.either(&service.set_administrator(name, &patch)?, |out, changed| {
        let words = if changed.enabled { "may sign in again" } else { "cannot sign in any more" };
        out.line(format!("{} {words}.", changed.name))
    })
}

fn list(out: Output, all: &[Administrator]) -> Outcome {
    if all.is_empty() {
        return out.line(
            "Nobody yet. The server prints a set-up link when it starts; or: rollcall admin add NAME",
        );
    }
    out.table(
        &["Name", "Role", "Client", "Language", "State", "Last sign-in (UTC)"],
        all.iter().map(|one| {
            vec![
                one.name.clone(),
                one.role.name().to_owned(),
                one.client.clone().unwrap_or_default(),
                one.language.code().to_owned(),
                state(one).to_owned(),
                one.last_login_at.map(moment).unwrap_or_default(),
            ]
        }),
    )
}

fn state(one: &Administrator) -> &'static str {
    match (one.enabled, one.has_password) {
        (false, _) => "disabled",
        (true, false) => "invited",
        (true, true) => "active",
    }
}

fn sessions(out: Output, all: &[SessionView]) -> Outcome {
    if all.is_empty() {
        return out.line("Nobody is signed in.");
    }
    out.table(
        &["Name", "Since (UTC)", "Last used (UTC)", "From", "Browser"],
        all.iter().map(|one| {
            vec![
                one.name.clone(),
                moment(one.created_at),
                moment(one.seen_at),
                one.address.clone(),
                one.agent.clone(),
            ]
        }),
    )
}
