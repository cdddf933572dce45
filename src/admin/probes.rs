//! For monitoring: is it alive, is it ready, how much does it do.

use std::fmt;
use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::Admin;
use super::guard::{bearer, peer};
use super::route::{Needs, Route};
use crate::config::MetricsAccess;
use crate::error::{Kind, Result};
use crate::model::Scope;
use crate::service::health::Grade;
use crate::service::meters::{Labels, Measure, Reading};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/healthz", Needs::Nothing, alive),
        Route::get("/readyz", Needs::Nothing, ready),
        Route::get("/metrics", Needs::Nothing, metrics),
    ]
}

/// The program runs and answers.
async fn alive() -> Response {
    "ok\n".into_response()
}

/// Whether it can take and import files: 200, or 503 with the reasons; as text, or as JSON where that is asked for.
async fn ready(State(admin): State<Admin>, headers: HeaderMap) -> Response {
    let ends = admin.face().certificate_ends();
    let health = match admin.run("", move |service| Ok(service.health(ends))).await {
        Ok(health) => health,
        Err(error) => {
            return (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response();
        }
    };
    let status = if health.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let wanted = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or("");
    if wanted.contains("application/json") {
        return (status, axum::Json(health)).into_response();
    }
    let line = |sign: &crate::service::health::Sign| {
        let grade = match sign.grade {
            Grade::Good => "ok",
            Grade::Warning => "warning",
            Grade::Wrong => "WRONG",
        };
        format!("{grade} {}: {}\n", sign.what, sign.found)
    };
    let text: String = health.signs.iter().map(line).collect();
    (status, text).into_response()
}

/// Numbers in the OpenMetrics text format, for Prometheus.
async fn metrics(State(admin): State<Admin>, request: Request) -> Response {
    let (headers, from) = (request.headers().clone(), peer(request.extensions()));
    drop(request);
    match may_measure(&admin, &headers, from).await {
        Ok(true) => {}
        Ok(false) => {
            let why = "ask from this machine without a proxy (metrics.access = \"loopback\"), or with an API token of scope read for all clients\n";
            let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
            return (StatusCode::UNAUTHORIZED, challenge, why).into_response();
        }
        Err(error) => {
            return (super::shell::status_of(error.kind()), format!("{error}\n")).into_response();
        }
    }
    let ends = admin.face().certificate_ends();
    let measured = admin.run("", move |service| service.measure(ends)).await;
    let page = measured.and_then(|measures| {
        page(measures)
            .map_err(|e| crate::error::Error::caused(Kind::Internal, "writing the numbers", e))
    });
    match page {
        Ok(page) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], page).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "measuring");
            (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response()
        }
    }
}

/// Whoever asks from this machine itself, if that is allowed; else a token for reading that is not bound to one client.
async fn may_measure(admin: &Admin, headers: &HeaderMap, from: IpAddr) -> Result<bool> {
    // A proxy on this machine passes strangers on: they are not this machine.
    let through_proxy = ["forwarded", "x-forwarded-for", "x-real-ip", "via"]
        .iter()
        .any(|name| headers.contains_key(*name));
    let is_here = from.is_loopback() && !through_proxy;
    if is_here && admin.service().config().metrics.access == MetricsAccess::Loopback {
        return Ok(true);
    }
    let given = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(bearer);
    let Some(token) = given.map(str::to_owned) else { return Ok(false) };
    let found = admin.run("", move |service| service.check_api_token(&token)).await?;
    Ok(found.is_some_and(|token| token.client.is_none() && token.scopes.contains(&Scope::Read)))
}

fn page(measures: Vec<Measure>) -> std::result::Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Measured(measures)));
    let mut page = String::new();
    text::encode(&mut page, &registry)?;
    Ok(page)
}

/// Numbers that were measured for one answer.
#[derive(Debug)]
struct Measured(Vec<Measure>);

impl Collector for Measured {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::result::Result<(), fmt::Error> {
        for measure in &self.0 {
            let Some((_, first)) = measure.readings.first() else { continue };
            let kind = match first {
                Reading::Counter(_) => MetricType::Counter,
                Reading::Gauge(_) => MetricType::Gauge,
                Reading::Classes { .. } => MetricType::Histogram,
            };
            let mut family = encoder.encode_descriptor(measure.name, measure.help, None, kind)?;
            for (labels, reading) in &measure.readings {
                write(&mut family, labels, reading)?;
            }
        }
        Ok(())
    }
}

fn write(
    family: &mut MetricEncoder<'_>,
    labels: &Labels,
    reading: &Reading,
) -> std::result::Result<(), fmt::Error> {
    // An empty family of labels would be written as `{}`.
    if labels.is_empty() {
        return write_one(family, reading);
    }
    write_one(&mut family.encode_family(labels)?, reading)
}

fn write_one(
    one: &mut MetricEncoder<'_>,
    reading: &Reading,
) -> std::result::Result<(), fmt::Error> {
    match reading {
        Reading::Counter(value) => one.encode_counter::<NoLabelSet, f64, f64>(value, None),
        Reading::Gauge(value) => one.encode_gauge(value),
        Reading::Classes { sum, count, classes } => {
            one.encode_histogram::<NoLabelSet>(*sum, *count, classes, None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_prometheus_reads_them_and_labels_are_escaped() {
        let labels = vec![("client", "a\"b\\c\nd".to_owned())];
        let measures = vec![
            Measure {
                name: "rollcall_uploads",
                help: "Uploads",
                readings: vec![(labels, Reading::Counter(3.0))],
            },
            Measure { name: "rollcall_nothing", help: "Nothing", readings: Vec::new() },
            Measure {
                name: "rollcall_took_seconds",
                help: "How long",
                readings: vec![(
                    Vec::new(),
                    Reading::Classes {
                        sum: 7.5,
                        count: 3,
                        classes: vec![(1.0, 2), (f64::INFINITY, 1)],
                    },
                )],
            },
        ];
        let page = page(measures).unwrap();
        for line in [
            "# HELP rollcall_uploads Uploads",
            "# TYPE rollcall_uploads counter",
            "rollcall_uploads_total{client=\"a\\\"b\\\\c\\nd\"} 3.0",
            "# TYPE rollcall_took_seconds histogram",
            "rollcall_took_seconds_bucket{le=\"1.0\"} 2",
            "rollcall_took_seconds_bucket{le=\"+Inf\"} 3",
            "rollcall_took_seconds_count 3",
            "rollcall_took_seconds_sum 7.5",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is missing in\n{page}");
        }
        assert!(!page.contains("nothing") && page.ends_with("# EOF\n"), "{page}");
    }
}
