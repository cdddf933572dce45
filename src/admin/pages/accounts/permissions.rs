//! What narrows an account down: from where, until when, with which proofs, what it may do where, how much of it.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::{Path, State as Of};
use axum::http::StatusCode;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Answer, Owned, beside, refused, run};
use crate::admin::Admin;
use crate::admin::form::{Form, Pairs};
use crate::admin::guard::Caller;
use crate::admin::pages::was::{self, Fields, Since};
use crate::admin::route::{Route, of_account};
use crate::admin::shell::{Shell, Tone, done, page};
use crate::error::{Error, Kind, Result};
use crate::model::{AccountLimits, AccountRules, Folder, Network, Right, Rights, Scope, VPath};
use crate::service::Service;
use crate::service::rules::{AccessPatch, RulesPatch};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/accounts/{login}/permissions", of_account(Scope::Arrange), show),
        Route::post("/accounts/{login}/permissions", of_account(Scope::Arrange), save),
    ]
}

/// The form's fields: what is, or what was typed.
#[derive(Debug, Clone, Default)]
struct Typed {
    allow_from: String,
    last_day: String,
    needs_both: bool,
    lenient: bool,
    rights: Vec<String>,
    /// Folders with rights of their own, by name.
    own: BTreeMap<String, Vec<String>>,
    /// The limits by their names; empty: the server's.
    limits: BTreeMap<&'static str, String>,
}

/// The field that names the boxes of the form, ticked or not.
const HAS: &str = "has";
/// The names of the limits' fields.
const LIMITS: [&str; 5] =
    ["max_sessions", "idle_timeout_s", "max_upload_bytes", "quota_bytes", "quota_files"];

impl Typed {
    /// What a form says, over what is: what it does not name stays. Boxes that are not ticked are not sent; that they were
    /// there, the form says by their names in `has`.
    fn read(mut typed: Self, pairs: &Pairs) -> Self {
        let named = |name: &str| {
            pairs.iter().any(|(key, value)| key == name || (key == HAS && value == name))
        };
        typed.needs_both &= !named("needs_both");
        typed.lenient &= !named("lenient");
        if named("right") {
            typed.rights.clear();
        }
        if named("own") {
            typed.own.clear();
        }
        let mut rights_in: Vec<(String, String)> = Vec::new();
        for (key, value) in pairs {
            match key.as_str() {
                "allow_from" => typed.allow_from.clone_from(value),
                "last_day" => typed.last_day.clone_from(value),
                "needs_both" => typed.needs_both = true,
                "lenient" => typed.lenient = true,
                "right" => typed.rights.push(value.clone()),
                "own" => drop(typed.own.insert(value.clone(), Vec::new())),
                "right_in" => {
                    // A folder's name holds no slash.
                    let (right, folder) = value.split_once('/').unwrap_or_default();
                    rights_in.push((folder.to_owned(), right.to_owned()));
                }
                key => {
                    if let Some(name) = LIMITS.iter().find(|name| **name == key) {
                        typed.limits.insert(name, value.trim().to_owned());
                    }
                }
            }
        }
        if !named("own") {
            return typed;
        }
        for (folder, right) in rights_in {
            typed.own.entry(folder).and_modify(|rights| rights.push(right));
        }
        typed
    }

    /// What has become, since it was opened, of a form that is about what `self` says holds.
    fn since_opened(&self, pairs: &Pairs) -> Since {
        let sent = Self::read(self.clone(), pairs);
        was::since(was::of(pairs), &sent.fields(), &self.fields())
    }

    /// What holds now.
    fn of(known: &Known) -> Self {
        let Known { owned, folders, rules, rights, limits } = known;
        let networks: Vec<String> = rules.allow_from.iter().map(Network::to_string).collect();
        let own = folders.iter().filter_map(|folder| {
            let (_, rights) = rights.iter().find(|(path, _)| *path == folder.path)?;
            Some((folder.name.clone(), names_of(rights)))
        });
        let text = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
        let numbers = [
            limits.max_sessions.map(u64::from),
            limits.idle_timeout_s.map(u64::from),
            limits.max_upload_bytes,
            limits.quota_bytes,
            limits.quota_files,
        ];
        Self {
            allow_from: networks.join("\n"),
            last_day: rules
                .expires_at
                .map(|end| last_day(end, &owned.client.time_zone).to_string())
                .unwrap_or_default(),
            needs_both: rules.needs_both,
            lenient: rules.lenient_data_end,
            rights: names_of(&rules.rights),
            own: own.collect(),
            limits: LIMITS.into_iter().zip(numbers.map(text)).collect(),
        }
    }

    /// The form's fields as texts, to be compared.
    fn fields(&self) -> Fields {
        let set = |names: &[String]| {
            let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
            names.into_iter().collect::<Vec<_>>().join(", ")
        };
        let own = self.own.iter().map(|(folder, names)| format!("{folder} ({})", set(names)));
        let mut fields = vec![
            ("allow_from", self.networks().collect::<Vec<_>>().join(" ")),
            ("last_day", self.last_day.trim().to_owned()),
            ("needs_both", was::ticked(self.needs_both)),
            ("lenient", was::ticked(self.lenient)),
            ("right", set(&self.rights)),
            ("own", own.collect::<Vec<_>>().join(", ")),
        ];
        fields.extend(LIMITS.into_iter().map(|name| (name, self.limit_text(name).to_owned())));
        fields
    }

    fn networks(&self) -> impl Iterator<Item = &str> {
        let between = |c: char| c.is_whitespace() || c == ',' || c == ';';
        self.allow_from.split(between).filter(|one| !one.is_empty())
    }

    fn patch(&self) -> Result<RulesPatch> {
        let invalid = |words: String| Error::new(Kind::Invalid, words);
        let networks = self.networks().map(|one| one.parse::<Network>().map_err(invalid));
        let last_day = match self.last_day.trim() {
            "" => None,
            text => Some(text.parse::<Date>().map_err(|_| {
                invalid(format!("\"{text}\" is not a day; write for example 2027-01-31"))
            })?),
        };
        Ok(RulesPatch {
            allow_from: Some(networks.collect::<Result<_>>()?),
            last_day: Some(last_day),
            needs_both: Some(self.needs_both),
            lenient_data_end: Some(self.lenient),
            rights: Some(rights(&self.rights)?),
        })
    }

    fn limits(&self) -> Result<AccountLimits> {
        Ok(AccountLimits {
            max_sessions: self.limit("max_sessions")?,
            idle_timeout_s: self.limit("idle_timeout_s")?,
            max_upload_bytes: self.limit("max_upload_bytes")?,
            quota_bytes: self.limit("quota_bytes")?,
            quota_files: self.limit("quota_files")?,
        })
    }

    fn limit<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>> {
        match self.limits.get(name).map_or("", String::as_str) {
            "" => Ok(None),
            "0" if !name.starts_with("quota") => {
                let words = format!("a limit of 0 ({name}) lets nothing through; leave it empty");
                Err(Error::new(Kind::Invalid, words))
            }
            text => text.parse().map(Some).map_err(|_| {
                let words = format!("\"{text}\" ({name}) is no whole number, or too large");
                Error::new(Kind::Invalid, words)
            }),
        }
    }

    fn limit_text(&self, name: &str) -> &str {
        self.limits.get(name).map_or("", String::as_str)
    }

    fn has(&self, right: &Right) -> bool {
        self.rights.iter().any(|name| name == right.name())
    }

    fn is_own(&self, folder: &str) -> bool {
        self.own.contains_key(folder)
    }

    /// Whether a right is ticked for a folder; one without rights of its own shows the account's.
    fn has_in(&self, folder: &str, right: &Right) -> bool {
        match self.own.get(folder) {
            None => self.has(right),
            Some(names) => names.iter().any(|name| name == right.name()),
        }
    }
}

fn names_of(rights: &Rights) -> Vec<String> {
    let held = Right::ALL.into_iter().filter(|right| rights.has(*right));
    held.map(|right| right.name().to_owned()).collect()
}

fn rights(names: &[String]) -> Result<Rights> {
    let text = if names.is_empty() { "none".to_owned() } else { names.join(",") };
    text.parse().map_err(|words: String| Error::new(Kind::Invalid, words))
}

/// The last day on which an account that ends at `end` may log in.
fn last_day(end: Timestamp, time_zone: &str) -> Date {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    (end - SignedDuration::from_secs(1)).to_zoned(zone).date()
}

/// What holds now.
struct Known {
    owned: Owned,
    folders: Vec<Folder>,
    rules: AccountRules,
    rights: Vec<(VPath, Rights)>,
    limits: AccountLimits,
}

impl Known {
    fn find(service: &Service, login: &str) -> Result<Self> {
        let owned = Owned::find(service, login)?;
        if owned.account.remote.is_some() {
            let words = "what may be done on the client’s own server is decided by that server";
            return Err(Error::new(Kind::Invalid, words));
        }
        Ok(Self {
            folders: service.folders(login)?,
            rules: service.account_rules(login)?,
            rights: service.folder_rights(login)?,
            limits: service.account_limits(login)?,
            owned,
        })
    }
}

#[derive(Template)]
#[template(path = "admin/pages/accounts/permissions.html")]
struct PermissionsPage<'a> {
    p: &'a Shell,
    owned: &'a Owned,
    folders: &'a [Folder],
    typed: &'a Typed,
    /// What holds now, which the form carries.
    was: String,
    wrong: Option<&'a str>,
}

/// The words of a field that somebody else has changed.
fn label(p: &Shell, name: &'static str) -> &'static str {
    match name {
        "allow_from" => p.t("addresses", "adresses", "Adressen"),
        "last_day" => p.t("last day", "dernier jour", "letzter Tag"),
        "needs_both" => p.t("key and password", "clé et mot de passe", "Schlüssel und Passwort"),
        "right" => p.t("rights of the account", "droits du compte", "Rechte des Kontos"),
        "own" => p.t("rights in folders", "droits par dossier", "Rechte in Ordnern"),
        "lenient" => "TLS close_notify",
        other => other,
    }
}

impl PermissionsPage<'_> {
    fn right(&self, right: &Right) -> &'static str {
        let p = self.p;
        match right {
            Right::List => p.t("see names", "voir les noms", "Namen sehen"),
            Right::Read => p.t("fetch files", "récupérer des fichiers", "Dateien abholen"),
            Right::Write => p.t("send new files", "envoyer des fichiers", "neue Dateien senden"),
            Right::Overwrite => p.t("replace files", "remplacer des fichiers", "Dateien ersetzen"),
            Right::Append => p.t("continue files", "compléter des fichiers", "Dateien fortsetzen"),
            Right::Delete => p.t("remove", "supprimer", "löschen"),
            Right::Rename => p.t("rename", "renommer", "umbenennen"),
            Right::Mkdir => p.t("make folders", "créer des dossiers", "Ordner anlegen"),
        }
    }
}

async fn show(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
) -> Answer {
    form(&admin, &shell, &caller, login, None).await
}

/// The page; after a refusal with what was typed and why.
async fn form(
    admin: &Admin,
    shell: &Shell,
    caller: &Caller,
    login: String,
    refusal: Option<(&Pairs, &str)>,
) -> Answer {
    let known = run(admin, caller, shell, move |service| Known::find(&service, &login)).await?;
    let wrong = refusal.as_ref().map(|(_, words)| *words);
    let now = Typed::of(&known);
    let was = was::carried(&now.fields());
    let typed = refusal.map_or(now.clone(), |(pairs, _)| {
        Typed::read(now.clone(), &now.since_opened(pairs).touched(pairs))
    });
    let Known { owned, folders, .. } = &known;
    let shown = page(&PermissionsPage { p: shell, owned, folders, typed: &typed, was, wrong });
    Ok(if wrong.is_some() { refused(shown) } else { shown })
}

async fn save(
    Of(admin): Of<Admin>,
    shell: Shell,
    caller: Caller,
    Path(login): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Answer {
    let (named, wish) = (login.clone(), pairs.clone());
    let saved = admin.run(&caller.name, move |service| change(&service, &named, &wish)).await;
    match saved {
        Ok(Some(since)) => {
            let words = since.words(&shell, |name| label(&shell, name));
            let mut shown = form(&admin, &shell, &caller, login, Some((&pairs, &words))).await?;
            *shown.status_mut() = StatusCode::CONFLICT;
            Ok(shown)
        }
        Ok(None) => {
            let words = shell.t(
                "The permissions are saved.",
                "Les droits d’accès sont enregistrés.",
                "Die Berechtigungen sind gespeichert.",
            );
            Ok(done(&format!("/accounts/{login}/permissions"), Tone::Good, words))
        }
        Err(error) => {
            let words = beside(error, &shell)?;
            form(&admin, &shell, &caller, login, Some((&pairs, &words))).await
        }
    }
}

/// Changes what somebody touched; `Some`: somebody else was faster with one of these fields, and nothing was changed.
fn change(service: &Service, login: &str, pairs: &Pairs) -> Result<Option<Since>> {
    let known = Known::find(service, login)?;
    let now = Typed::of(&known);
    let since = now.since_opened(pairs);
    if !since.overtaken.is_empty() {
        return Ok(Some(since));
    }
    let typed = Typed::read(now.clone(), &since.touched(pairs));
    // All is read before anything is changed.
    let (patch, limits) = (typed.patch()?, typed.limits()?);
    let held = &known.rules;
    let rules = RulesPatch {
        allow_from: patch.allow_from.filter(|new| *new != held.allow_from),
        last_day: patch.last_day.filter(|_| typed.last_day.trim() != now.last_day),
        needs_both: patch.needs_both.filter(|new| *new != held.needs_both),
        lenient_data_end: patch.lenient_data_end.filter(|new| *new != held.lenient_data_end),
        rights: patch.rights.filter(|new| *new != held.rights),
    };
    let mut folders = Vec::new();
    for folder in &known.folders {
        let wish = typed.own.get(&folder.name).map(|names| rights(names)).transpose()?;
        let now = known.rights.iter().find(|(path, _)| *path == folder.path);
        if now.map(|(_, rights)| *rights) != wish {
            folders.push((folder.name.clone(), wish));
        }
    }
    let limits = (limits != known.limits).then_some(limits);
    service.set_access(login, &AccessPatch { rules, folders, limits })?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_is_the_one_that_was_typed() {
        // The end of 31 January 2027 in Paris, as the registry keeps it.
        let end: Timestamp = "2027-01-31T23:00:00Z".parse().unwrap();
        assert_eq!(last_day(end, "Europe/Paris").to_string(), "2027-01-31");
    }

    #[test]
    fn a_form_is_read_with_its_folders() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let fresh = |pairs: Pairs| Typed::read(Typed::default(), &pairs);
        let typed = fresh(vec![
            pair("allow_from", "192.0.2.0/24\r\n2001:db8::/32"),
            pair("right", "list"),
            pair("own", "in"),
            pair("right_in", "write/in"),
            pair("right_in", "write/out"),
            pair("quota_files", " 12 "),
        ]);
        let patch = typed.patch().unwrap();
        assert_eq!(patch.allow_from.unwrap().len(), 2);
        assert_eq!(patch.rights.unwrap().to_string(), "list");
        assert_eq!(patch.last_day, Some(None));
        assert!(typed.has_in("in", &Right::Write) && !typed.has_in("in", &Right::List));
        assert!(!typed.is_own("out"), "rights of a folder that is not ticked count for nothing");
        assert_eq!(typed.limits().unwrap().quota_files, Some(12));
        assert!(fresh(vec![pair("max_sessions", "0")]).limits().is_err());
        assert!(fresh(vec![pair("last_day", "31/02/2026")]).patch().is_err());
        // What a form does not name stays; a box that it names and nobody ticked does not.
        let part = Typed::read(typed.clone(), &vec![pair("last_day", "2027-01-31")]);
        assert_eq!((&part.allow_from, &part.rights), (&typed.allow_from, &typed.rights));
        assert!(part.has_in("in", &Right::Write) && part.limits().unwrap().quota_files == Some(12));
        let none = Typed::read(typed, &vec![pair("has", "right"), pair("has", "own")]);
        assert!(none.rights.is_empty() && !none.is_own("in"));
    }
}
