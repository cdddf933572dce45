//! What pages are made of beside themselves: style, script and icon, compiled in; the language of whoever is not signed in.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::door::own_path;
use super::form::Form;
use super::route::{Needs, Route};
use crate::model::Language;

/// The cookie that keeps the language of somebody who is not signed in.
pub(super) const LANGUAGE: &str = "rollcall_language";
/// How long an answer whose address names its content is kept: a year.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/assets/{name}", Needs::Nothing, asset),
        Route::post("/language", Needs::Nothing, choose_language),
    ]
}

/// A file that is compiled in.
struct Asset {
    name: &'static str,
    /// The same with a hash of its content in it: such an address never changes its meaning.
    hashed: String,
    kind: &'static str,
    text: &'static str,
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        ("style.css", "text/css; charset=utf-8", include_str!("assets/style.css")),
        ("page.js", "text/javascript; charset=utf-8", include_str!("assets/page.js")),
        ("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
    ]
    .map(|(name, kind, text)| Asset { name, hashed: hashed(name, text), kind, text })
});

/// `style.css` becomes `style.4f1d9a02b7c3.css`.
fn hashed(name: &str, text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let hash: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
    format!("{stem}.{hash}.{ending}")
}

/// The address of a file, with the hash of its content.
pub(super) fn address(name: &str) -> String {
    let known = ASSETS.iter().find(|asset| asset.name == name);
    format!("/assets/{}", known.map_or(name, |asset| &asset.hashed))
}

async fn asset(Path(name): Path<String>) -> Response {
    let Some(found) = ASSETS.iter().find(|asset| asset.name == name || asset.hashed == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = ([(header::CONTENT_TYPE, found.kind)], found.text).into_response();
    if found.hashed == name {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(FOR_GOOD));
    }
    response
}

#[derive(Deserialize)]
struct Chosen {
    language: Language,
    #[serde(default)]
    next: String,
}

/// Keeps the language for this browser; people who are signed in have theirs at `/me`.
async fn choose_language(Form(form): Form<Chosen>) -> Response {
    let mut response = Redirect::to(own_path(&form.next)).into_response();
    let code = form.language.code();
    let cookie = format!("{LANGUAGE}={code}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_its_content() {
        let style = address("style.css");
        assert!(style.starts_with("/assets/style.") && style.ends_with(".css"), "{style}");
        assert_eq!(style.len(), "/assets/style..css".len() + 12);
        assert_ne!(hashed("a.css", "one"), hashed("a.css", "two"));
        assert_eq!(address("nothing.css"), "/assets/nothing.css");
    }
}
