//! Every request passes here: host, origin, who asks, what they may, and the headers of every answer.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::{RequestExt as _, Router};
use axum_extra::extract::CookieJar;
use sha2::{Digest as _, Sha256};

use super::hop::Hop;
use super::pace::{self, Late, Pace};
use super::route::{Needs, Of, Route};
use super::shell::{self, Failure, Shell};
use super::{Admin, api, door, hop, pages, parts, probes};
use crate::error::{Error, Kind, Result};
use crate::model::{Administrator, Language, Scope};
use crate::service::sign_in::Presence;
use crate::service::unmoved::Unmoved;

/// The cookie of a session.
const COOKIE: &str = "rollcall_session";
/// The same over TLS: browsers take a cookie of this name from nobody but this very host, over TLS.
const SECURE_COOKIE: &str = "__Host-rollcall_session";

/// The header of requests by which a page brings a part of itself up to date.
const PART: HeaderName = HeaderName::from_static("x-part");

/// Who asks: somebody signed in, or a program with an API token.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// For the audit trail: the administrator's name, or `token NAME`.
    pub(super) name: String,
    /// Signed in on the page; `None`: an API token.
    pub(super) administrator: Option<Administrator>,
    /// What they may do.
    pub(super) scopes: Vec<Scope>,
    /// The one client that they see; `None`: all.
    pub(super) client: Option<String>,
    /// What every form that they send must hold.
    pub(super) csrf: String,
    /// The session's token; empty for API tokens.
    pub(super) session: String,
    /// The number of the API token.
    pub(super) token: Option<i64>,
    /// What they change must still be what they saw (`If-Match`).
    pub(super) unmoved: Option<Arc<Unmoved>>,
}

impl Caller {
    /// Whether they have a scope.
    pub(super) fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether things of this client are theirs to see.
    pub(super) fn sees(&self, client: &str) -> bool {
        self.client.as_deref().is_none_or(|own| own == client)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Response;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> std::result::Result<Self, Response> {
        // Only a route that needs nobody has none, and its handler does not ask.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| StatusCode::FORBIDDEN.into_response())
    }
}

/// What is not the caller's to see or do.
pub(super) fn denied() -> Error {
    Error::new(Kind::Denied, shell::NOT_YOURS)
}

/// The value that a session's forms must hold: nobody can tell it without the cookie.
pub(super) fn csrf_of(session: &str) -> String {
    let digest = Sha256::digest(format!("form of {session}").as_bytes());
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The address of whoever asks, also behind a trusted proxy.
pub(super) fn peer(extensions: &axum::http::Extensions) -> IpAddr {
    extensions.get::<Hop>().map_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), |hop| hop.peer)
}

/// The token of the session that the request's cookie names, valid or not.
pub(super) fn session_token(
    headers: &HeaderMap,
    extensions: &axum::http::Extensions,
) -> Option<String> {
    // A cookie that was set in clear is no cookie here: anybody on the way could have set it.
    let name = if is_secure(extensions) { SECURE_COOKIE } else { COOKIE };
    CookieJar::from_headers(headers).get(name).map(|cookie| cookie.value().to_owned())
}

fn is_secure(extensions: &axum::http::Extensions) -> bool {
    extensions.get::<Hop>().is_some_and(|hop| hop.secure)
}

/// The cookie that begins a session; an empty token ends it.
pub(super) fn session_cookie(extensions: &axum::http::Extensions, token: &str) -> HeaderValue {
    let (name, secure) =
        if is_secure(extensions) { (SECURE_COOKIE, "; Secure") } else { (COOKIE, "") };
    let age = if token.is_empty() { "; Max-Age=0" } else { "" };
    let cookie = format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax{secure}{age}");
    HeaderValue::try_from(cookie).unwrap_or(HeaderValue::from_static(""))
}

/// All routes behind all checks.
pub(super) fn app(admin: &Admin) -> Router {
    let config = admin.service().config();
    let mut router = Router::new();
    let routes = routes();
    for route in &routes {
        let entry = Entry { admin: admin.clone(), needs: route.needs };
        let guarded = api::behind(admin, route, &routes)
            .layer(middleware::from_fn_with_state(entry, authorize));
        router = router.route(route.path, guarded);
    }
    let limits = pace::Limits::of(&config.admin);
    router
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_this_way)
        .layer(DefaultBodyLimit::max(config.admin.max_form_bytes))
        .layer(middleware::from_fn_with_state((admin.clone(), limits), around))
        .with_state(admin.clone())
}

/// The one table of routes.
pub(super) fn routes() -> Vec<Route> {
    [door::routes(), parts::routes(), pages::routes(), api::routes(), probes::routes()].concat()
}

async fn nothing_here(State(admin): State<Admin>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let shell = shell_of_anybody(&admin, request).await;
    let words = shell.t("There is no page", "Il n’y a pas de page", "Es gibt keine Seite");
    shell::words_only(StatusCode::NOT_FOUND, &format!("{words} {path}"), &shell)
}

/// A page that only takes forms was asked for as if it could be read: an address from a browser's history, for instance.
async fn not_this_way(State(admin): State<Admin>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let shell = shell_of_anybody(&admin, request).await;
    let words = shell.t(
        "only takes forms; go back to the page with the form.",
        "ne prend que des formulaires\u{a0}; revenez à la page du formulaire.",
        "nimmt nur Formulare; gehen Sie zur Seite mit dem Formular zurück.",
    );
    shell::words_only(StatusCode::METHOD_NOT_ALLOWED, &format!("{path} {words}"), &shell)
}

/// The shell of a page that needs nobody, with the navigation of whoever is signed in.
pub(super) async fn shell_of_anybody(admin: &Admin, request: Request) -> Shell {
    let (mut parts, _) = request.into_parts();
    let session = session_token(&parts.headers, &parts.extensions);
    if let Ok(Some(caller)) = identify(admin, parts.headers.clone(), session, false).await {
        parts.extensions.insert(caller);
    }
    Shell::of(&parts.headers, &parts.uri, &parts.extensions)
}

/// What surrounds every request: host, origin, time limit, headers.
async fn around(
    State((admin, limits)): State<(Admin, pace::Limits)>,
    request: Request,
    next: Next,
) -> Response {
    let (path, method) = (request.uri().path().to_owned(), request.method().clone());
    let hop = Hop::of(&admin, &request);
    let secure = hop.secure;
    let (mut parts, body) = request.into_parts();
    let (pace, body) = Pace::watch(body);
    parts.extensions.insert(hop);
    parts.extensions.insert(pace.clone());
    let shell = Shell::of(&parts.headers, &parts.uri, &parts.extensions);
    let request = Request::from_parts(parts, body);
    let had_flash = CookieJar::from_headers(request.headers()).get(shell::FLASH).is_some();
    let mut response = if let Err(why) = hop::check_host(&admin, &request) {
        refused(StatusCode::MISDIRECTED_REQUEST, why)
    } else if let Err(why) = check_origin(&request) {
        refused(StatusCode::FORBIDDEN, why)
    } else {
        tokio::select! {
            response = next.run(request) => response,
            late = pace.late(&limits) => too_late(late, &shell),
        }
    };
    if had_flash && is_page(&response) {
        shell::clear_flash(response.headers_mut());
    }
    if path.starts_with("/api/") {
        response = api::dressed(&method, &path, response);
    }
    harden(response.headers_mut(), secure, &path);
    response
}

fn refused(status: StatusCode, why: String) -> Response {
    (status, why).into_response()
}

fn too_late(late: Late, shell: &Shell) -> Response {
    let (status, words) = match late {
        Late::Answer => (
            StatusCode::GATEWAY_TIMEOUT,
            shell.t(
                "The answer took too long. Look what became of it, then try again.",
                "La réponse a pris trop de temps. Vérifiez ce qu’il en est, puis réessayez.",
                "Die Antwort hat zu lange gedauert. Sehen Sie nach, was daraus wurde, und versuchen Sie es dann erneut.",
            ),
        ),
        Late::Body => (
            StatusCode::REQUEST_TIMEOUT,
            shell.t(
                "The file or form came in too slowly, or not at all any more. Nothing was done; send it again.",
                "Le fichier ou le formulaire arrivait trop lentement, ou n’arrivait plus. Rien n’a été fait\u{a0}; envoyez-le à nouveau.",
                "Die Datei oder das Formular kam zu langsam oder gar nicht mehr an. Es wurde nichts getan; bitte senden Sie erneut.",
            ),
        ),
    };
    shell::words_only(status, words, shell)
}

fn is_page(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// Headers of every answer; one that a handler has set stays.
fn harden(headers: &mut HeaderMap, secure: bool, path: &str) {
    const CSP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    let cache = if path.starts_with("/assets/") { "public, max-age=3600" } else { "no-store" };
    let always = [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
        (header::CACHE_CONTROL, cache),
    ];
    for (name, value) in always {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if secure {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(year);
    }
}

/// What changes something must come from our own pages; programs with tokens send neither header.
fn check_origin(request: &Request) -> std::result::Result<(), String> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let text = |name: HeaderName| {
        request.headers().get(name).map(|value| value.to_str().unwrap_or("?").to_lowercase())
    };
    let from_here = text(HeaderName::from_static("sec-fetch-site"))
        .is_none_or(|site| site == "same-origin" || site == "none");
    let host = text(header::HOST).unwrap_or_default();
    let secure = is_secure(request.extensions());
    let same = text(header::ORIGIN).is_none_or(|origin| {
        let parts = origin.split_once("://");
        parts.is_some_and(|(scheme, from)| from == host && (!secure || scheme == "https"))
    });
    if from_here && same {
        return Ok(());
    }
    Err("the request came from another site's page; open this page itself and try again".to_owned())
}

/// What one route needs.
#[derive(Clone)]
struct Entry {
    admin: Admin,
    needs: Needs,
}

/// Finds out who asks and whether they may; hands the caller on.
async fn authorize(State(entry): State<Entry>, mut request: Request, next: Next) -> Response {
    let admin = &entry.admin;
    if entry.needs == Needs::Nothing {
        return next.run(request).await;
    }
    let through_api = request.uri().path().starts_with("/api/");
    let (headers, session) =
        (request.headers().clone(), session_token(request.headers(), request.extensions()));
    let caller = match identify(admin, headers, session, through_api).await {
        Ok(Some(caller)) => caller,
        Ok(None) if through_api => return api::unauthorized(),
        Ok(None) => return sign_in_first(&request),
        Err(error) => return fail(&request, error, through_api),
    };
    request.extensions_mut().insert(caller.clone());
    if let Err(error) = allowed(admin, &caller, entry.needs, &mut request).await {
        return fail(&request, error, through_api);
    }
    if let Some(pace) = request.extensions().get::<Pace>() {
        pace.known();
    }
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    if through_api || safe {
        return next.run(request).await;
    }
    match super::form::checked(admin, &caller, request).await {
        Ok(request) => next.run(request).await,
        Err((request, error)) => fail(&request, error, false),
    }
}

fn fail(request: &Request, error: Error, through_api: bool) -> Response {
    if through_api {
        return api::Problem::from(error).into_response();
    }
    let shell = Shell::of(request.headers(), request.uri(), request.extensions());
    Failure::new(error, &shell).into_response()
}

fn sign_in_first(request: &Request) -> Response {
    let (back, lost) = match *request.method() {
        Method::GET | Method::HEAD => {
            (request.uri().path_and_query().map_or("/", |p| p.as_str()), "")
        }
        // Whoever signs out has what they wanted.
        _ if request.uri().path() == "/sign-out" => ("/", ""),
        // What was pressed is not done, and the page says so.
        _ => ("/", "&lost=1"),
    };
    let back: String = form_encoded(back);
    Redirect::to(&format!("/sign-in?next={back}{lost}")).into_response()
}

/// A value for a query.
pub(super) fn form_encoded(value: &str) -> String {
    let mut out = String::new();
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A name as the last part of an address. A thing may be called `new` since before that was refused: written so, its address
/// is none of the forms that add one.
pub(super) fn path_part(name: &str) -> String {
    if name == "new" { "%6Eew".to_owned() } else { form_encoded(name) }
}

async fn identify(
    admin: &Admin,
    headers: HeaderMap,
    session: Option<String>,
    through_api: bool,
) -> Result<Option<Caller>> {
    if through_api {
        let value = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
        let Some(token) = value.and_then(bearer).map(str::to_owned) else { return Ok(None) };
        let found = admin.run("", move |service| service.check_api_token(&token)).await?;
        return Ok(found.map(|token| Caller {
            name: format!("token {}", token.name),
            administrator: None,
            scopes: token.scopes,
            client: token.client,
            csrf: String::new(),
            session: String::new(),
            token: Some(token.id),
            unmoved: None,
        }));
    }
    let Some(session) = session else { return Ok(None) };
    let token = session.clone();
    // A part that brings itself up to date goes on while nobody sits there.
    let presence = if headers.contains_key(PART) { Presence::Program } else { Presence::Person };
    let found = admin.run("", move |service| service.session(&token, presence)).await?;
    Ok(found.map(|administrator| Caller {
        name: administrator.name.clone(),
        scopes: administrator.role.scopes().to_vec(),
        client: administrator.client.clone(),
        csrf: csrf_of(&session),
        administrator: Some(administrator),
        session,
        token: None,
        unmoved: None,
    }))
}

/// The token of an `Authorization: Bearer …` header (RFC 6750).
pub(super) fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether the caller may, by scope and by whose thing it is. Somebody bound to one client learns nothing of others: what is
/// not theirs and what does not exist are refused alike.
async fn allowed(
    admin: &Admin,
    caller: &Caller,
    needs: Needs,
    request: &mut Request,
) -> Result<()> {
    let Needs::Scope(scope, of) = needs else { return Ok(()) };
    if !caller.has(scope) {
        return Err(denied());
    }
    let Some(own) = caller.client.clone() else { return Ok(()) };
    let named = |name: &'static str, params: &RawPathParams| {
        params.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    };
    let Ok(params) = request.extract_parts::<RawPathParams>().await else {
        return Err(denied());
    };
    let client = match of {
        Of::Own => return Ok(()),
        Of::Server => None,
        Of::Client => named("client", &params),
        Of::Account => match named("login", &params) {
            None => None,
            Some(login) => {
                admin.run("", move |service| service.account(&login)).await.ok().map(|a| a.client)
            }
        },
        Of::Import => match named("import", &params).and_then(|id| id.parse().ok()) {
            None => None,
            Some(id) => admin.run("", move |service| service.client_of_import(id)).await.ok(),
        },
    };
    if client.is_some_and(|client| client == own) { Ok(()) } else { Err(denied()) }
}

/// The language that somebody chose on this browser, else the one that it asks for first, of those there are.
pub(super) fn preferred_language(headers: &HeaderMap) -> Language {
    let jar = CookieJar::from_headers(headers);
    if let Some(chosen) = jar.get(parts::LANGUAGE).and_then(|c| c.value().parse().ok()) {
        return chosen;
    }
    let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or("");
    wanted
        .split(',')
        .filter_map(|part| part.trim().get(..2).and_then(|code| code.parse().ok()))
        .next()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn no_two_routes_have_the_same_method_and_path() {
        let mut seen = BTreeSet::new();
        // Names of path parameters do not tell addresses apart.
        let shape = |path: &str| -> String {
            let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
            parts.collect::<Vec<_>>().join("/")
        };
        for route in super::routes() {
            let address = format!("{} {}", route.method, shape(route.path));
            assert!(seen.insert(address.clone()), "{address} stands twice in the table of routes");
        }
        assert!(seen.len() > 200, "{}", seen.len());
    }
}
