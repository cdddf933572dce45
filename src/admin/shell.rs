//! What every page has around it: language, navigation, who is signed in, the word about what was just done; and the page of a failure.

use std::convert::Infallible;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::guard::{Caller, preferred_language};
use super::{Admin, parts};
use crate::error::{Error, Kind};
use crate::import::report::straight;
use crate::model::{Language, Scope};

/// The cookie that carries one sentence over a redirect.
pub(super) const FLASH: &str = "rollcall_said";
/// The longest such sentence.
const FLASH_CHARS: usize = 600;

/// What is told of what somebody may not see or do, whether it exists or not.
pub(super) const NOT_YOURS: &str =
    "this is not for you to see or do; ask an administrator for the right";
/// What is told of a form without the secret of its session.
pub(super) const FORGED: &str = "the form does not come from this page, or you have signed in anew since it was opened; open it again";

/// How a sentence is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Bad,
}

/// What every page needs to know.
#[derive(Debug, Clone)]
pub(super) struct Shell {
    pub(super) language: Language,
    /// Whoever is signed in.
    pub(super) caller: Option<Caller>,
    /// The path of the page, for the navigation.
    pub(super) path: String,
    /// The same with its query, to come back to.
    pub(super) here: String,
    /// What was just done: its class (`good`, `bad`) and its words.
    pub(super) said: Option<(&'static str, String)>,
    /// In which times are written.
    zone: TimeZone,
}

impl Shell {
    /// The shell of a request's page.
    pub(super) fn of(headers: &HeaderMap, uri: &Uri, extensions: &Extensions) -> Self {
        let caller = extensions.get::<Caller>().cloned();
        let known = caller.as_ref().and_then(|c| c.administrator.as_ref()).map(|a| a.language);
        Self {
            language: known.unwrap_or_else(|| preferred_language(headers)),
            caller,
            path: uri.path().to_owned(),
            here: uri.path_and_query().map_or("/", |here| here.as_str()).to_owned(),
            said: read_flash(headers),
            zone: TimeZone::system(),
        }
    }

    /// Words in the page's language: English, French, German.
    pub(super) fn t<'a>(&self, en: &'a str, fr: &'a str, de: &'a str) -> &'a str {
        match self.language {
            Language::En => en,
            Language::Fr => fr,
            Language::De => de,
        }
    }

    /// The address of a compiled-in file, with the hash of its content.
    pub(super) fn asset(&self, name: &str) -> String {
        parts::address(name)
    }

    /// Whether the caller has a scope, so that buttons that would be refused are not shown.
    pub(super) fn may(&self, scope: &Scope) -> bool {
        self.caller.as_ref().is_some_and(|caller| caller.has(*scope))
    }

    /// Whether the caller sees every client.
    pub(super) fn sees_all(&self) -> bool {
        self.caller.as_ref().is_some_and(|caller| caller.client.is_none())
    }

    /// The value of the hidden field `csrf`.
    pub(super) fn csrf(&self) -> &str {
        self.caller.as_ref().map_or("", |caller| &caller.csrf)
    }

    /// The name to sign in with of whoever is signed in.
    pub(super) fn name(&self) -> &str {
        self.caller.as_ref().map_or("", |caller| &caller.name)
    }

    /// Whether this page belongs to a part of the navigation.
    pub(super) fn within(&self, part: &str) -> bool {
        self.path == part || self.path.strip_prefix(part).is_some_and(|rest| rest.starts_with('/'))
    }

    /// The same shell with times in a client's zone.
    pub(super) fn in_zone(mut self, name: &str) -> Self {
        self.zone = TimeZone::get(name).unwrap_or(TimeZone::UTC);
        self
    }

    /// Whether this page is `/clients/CLIENT` itself.
    pub(super) fn at_client(&self) -> bool {
        self.within("/clients") && self.path.split('/').count() == 3
    }

    /// Whether this page is `/clients/CLIENT/part` or below it; an import's own page is one of `imports`.
    pub(super) fn within_client(&self, part: &str) -> bool {
        let below = self.within("/clients") && self.path.split('/').nth(3) == Some(part);
        below || (part == "imports" && self.within("/imports"))
    }

    /// A time as people of the language write it, to the minute, in this machine's zone or the client's ([`Self::in_zone`]).
    pub(super) fn time(&self, at: &Timestamp) -> String {
        let at = at.to_zoned(self.zone.clone());
        let pattern = match self.language {
            Language::En => "%Y-%m-%d %H:%M",
            Language::Fr => "%d/%m/%Y %H:%M",
            Language::De => "%d.%m.%Y %H:%M",
        };
        at.strftime(pattern).to_string()
    }

    /// The first instant of a day, in the zone in which this page writes times.
    pub(super) fn begin_of(&self, day: Date) -> Option<Timestamp> {
        day.to_zoned(self.zone.clone()).ok().map(|at| at.timestamp())
    }

    /// A number with the language's thousands separators.
    pub(super) fn number(&self, n: &u64) -> String {
        let digits = n.to_string();
        let sign = match self.language {
            Language::En => ',',
            Language::Fr => '\u{202f}',
            Language::De => '.',
        };
        let mut out = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                out.push(sign);
            }
            out.push(digit);
        }
        out
    }
}

impl FromRequestParts<Admin> for Shell {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &Admin) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers, &parts.uri, &parts.extensions))
    }
}

/// A page. A cell or file name that turns the direction of writing must not turn what stands after it.
pub(super) fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => Html(straight(&text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            (StatusCode::INTERNAL_SERVER_ERROR, "this page could not be written; the log says why")
                .into_response()
        }
    }
}

/// Goes on to a page of ours after something was done, and says there what it was.
pub(super) fn done(path: &str, tone: Tone, words: &str) -> Response {
    let mut response = Redirect::to(path).into_response();
    let words: String = words.chars().take(FLASH_CHARS).collect();
    let mark = if tone == Tone::Good { 'g' } else { 'b' };
    let value = BASE64_URL_SAFE_NO_PAD.encode(format!("{mark}{words}"));
    let cookie = format!("{FLASH}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=60");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

pub(super) fn clear_flash(headers: &mut HeaderMap) {
    const GONE: &str = "rollcall_said=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0";
    headers.append(header::SET_COOKIE, HeaderValue::from_static(GONE));
}

fn read_flash(headers: &HeaderMap) -> Option<(&'static str, String)> {
    let jar = CookieJar::from_headers(headers);
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(jar.get(FLASH)?.value()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let tone = if text.starts_with('g') { "good" } else { "bad" };
    let words: String = text.chars().skip(1).take(FLASH_CHARS).collect();
    (!words.is_empty()).then_some((tone, words))
}

/// Why a page could not be shown or something was not done.
pub(super) struct Failure {
    error: Error,
    shell: Shell,
}

impl Failure {
    /// The failure of a request.
    pub(super) fn new(error: Error, shell: &Shell) -> Self {
        Self { error, shell: shell.clone() }
    }
}

#[derive(Template)]
#[template(path = "admin/failure.html")]
struct FailurePage<'a> {
    p: &'a Shell,
    status: u16,
    message: &'a str,
}

/// A failure's page in the words of whoever reads it.
pub(super) fn words_only(status: StatusCode, words: &str, shell: &Shell) -> Response {
    let mut response = page(&FailurePage { p: shell, status: status.as_u16(), message: words });
    *response.status_mut() = status;
    response
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = status_of(self.error.kind());
        if status.is_server_error() {
            tracing::error!(error = %self.error, "a page failed");
        }
        // The sentences that everybody meets, in the reader's own words.
        let message = match self.error.message() {
            NOT_YOURS => self.shell.t(
                NOT_YOURS,
                "Ceci ne vous est pas ouvert\u{a0}; demandez ce droit à un administrateur.",
                "Das ist für Sie nicht freigegeben; bitten Sie einen Administrator um das Recht.",
            ),
            FORGED => self.shell.t(
                FORGED,
                "Le formulaire ne vient pas de cette page, ou vous vous êtes reconnecté depuis son ouverture\u{a0}; ouvrez-le à nouveau.",
                "Das Formular kommt nicht von dieser Seite, oder Sie haben sich seit dem Öffnen neu angemeldet; öffnen Sie es noch einmal.",
            ),
            other => other,
        };
        words_only(status, message, &self.shell)
    }
}

/// The HTTP status of an error (RFC 9110).
pub(super) fn status_of(kind: Kind) -> StatusCode {
    match kind {
        Kind::Denied => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Exists | Kind::NotEmpty | Kind::Conflict => StatusCode::CONFLICT,
        Kind::Busy => StatusCode::SERVICE_UNAVAILABLE,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::Invalid | Kind::Unsupported | Kind::IsFolder | Kind::NotFolder => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Kind::NoSpace | Kind::Quota => StatusCode::INSUFFICIENT_STORAGE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
