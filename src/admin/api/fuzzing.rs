//! What must hold for any body that decides about an import; asked by the fuzz targets (`fuzz/`).

use axum::response::IntoResponse as _;

use super::ask::read_json;
use super::decide::Decision;

/// Reads the bytes as a decision: nothing else than an object with known names is one.
pub(crate) fn decision(bytes: &[u8]) {
    let plain: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
    match read_json::<Decision>(bytes) {
        Err(problem) => {
            let status = problem.into_response().status().as_u16();
            let is_json = plain.is_some();
            assert!(status == 422 || (status == 400 && !is_json), "{status}: {plain:?}");
        }
        Ok(decision) => {
            let Some(plain) = plain else {
                assert!(bytes.trim_ascii().is_empty(), "no JSON");
                return;
            };
            // Written in full it is the same again.
            let told = plain.as_object().map_or(0, serde_json::Map::len);
            assert!(told <= 3 && decision.lines.len() <= bytes.len());
            let lines =
                plain.pointer("/lines").and_then(|lines| lines.as_array()).map_or(0, Vec::len);
            assert_eq!(lines, decision.lines.len());
        }
    }
}
