//! Drives the client side by hand or from a test: one JSON command a line on standard input, one JSON answer a line.
//!
//! The first line is the target: `{"protocol":"sftp","host":"127.0.0.1","port":22,"login":"me","password":"…","pins":["SHA256:…"],
//! "allow":["127.0.0.0/8"],"step_s":5}`; then for example `{"do":"open"}`, `{"do":"entries","path":"/"}`,
//! `{"do":"put","path":"/a.csv","file":"a.csv"}`. `tests/exchange/connect.py` shows all of them.
//! `ROLLCALL_LOG=debug` writes a log to standard error.

use std::error::Error as Failure;
use std::io::{BufRead, Write};
use std::time::Duration;

use rollcall::error::Error;
use rollcall::model::VPath;
use rollcall::remote::{
    Auth, Connection, Overwrite, Reach, Target, Trust, http, is_identity_change, is_unrecognised,
    probe,
};
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Failure>>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Outcome<()> {
    if let Ok(filter) = std::env::var("ROLLCALL_LOG") {
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    }
    let mut lines = std::io::stdin().lock().lines();
    let first = lines.next().ok_or("the first line is the target")??;
    let target = target(&serde_json::from_str(&first)?)?;
    let mut connection = None;
    for line in lines {
        let asked: Value = serde_json::from_str(&line?)?;
        let answer = match answer(&target, &mut connection, &asked).await {
            Ok(answer) => json!({ "ok": answer }),
            Err(error) => match error.downcast_ref::<Error>() {
                Some(error) => json!({
                    "error": format!("{:?}", error.kind()),
                    "message": error.message(),
                    "identity_change": is_identity_change(error),
                    "unrecognised": is_unrecognised(error),
                }),
                None => json!({ "error": "driver", "message": error.to_string() }),
            },
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn text(value: &Value, key: &str) -> Outcome<String> {
    Ok(value
        .get(key)
        .and_then(Value::as_str)
        .ok_or_else(|| format!("\"{key}\" is missing"))?
        .to_owned())
}

fn texts(value: &Value, key: &str) -> Vec<String> {
    let listed = value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    listed.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn path(value: &Value, key: &str) -> Outcome<VPath> {
    Ok(text(value, key)?.parse()?)
}

fn target(told: &Value) -> Outcome<Target> {
    let auth = match text(told, "key") {
        Ok(pem) => {
            Auth::Key { pem: pem.into(), passphrase: text(told, "passphrase").ok().map(Into::into) }
        }
        Err(_) => Auth::Password(text(told, "password")?.into()),
    };
    let allow: Result<Vec<_>, _> = texts(told, "allow").iter().map(|n| n.parse()).collect();
    Ok(Target {
        protocol: text(told, "protocol")?.parse()?,
        host: text(told, "host")?,
        port: told.get("port").and_then(Value::as_u64).unwrap_or_default().try_into()?,
        login: text(told, "login")?,
        auth,
        trust: trust(told)?,
        reach: Reach { allow: allow? },
        step_timeout: Duration::from_secs(told.get("step_s").and_then(Value::as_u64).unwrap_or(10)),
    })
}

fn trust(told: &Value) -> Outcome<Trust> {
    Ok(match (told.get("ca"), told.get("pins")) {
        (Some(_), _) => Trust::Ca(text(told, "ca")?),
        (None, Some(_)) => Trust::Pins(texts(told, "pins")),
        (None, None) => Trust::Platform,
    })
}

async fn answer(
    target: &Target,
    connection: &mut Option<Connection>,
    asked: &Value,
) -> Outcome<Value> {
    match text(asked, "do")?.as_str() {
        "probe" => {
            let shown = probe(target).await?;
            let not_after = shown.not_after.map(|t| t.to_string());
            return Ok(
                json!({ "kind": shown.kind, "fingerprint": shown.fingerprint, "not_after": not_after }),
            );
        }
        "open" => {
            *connection = Some(Connection::open(target).await?);
            return Ok(Value::Null);
        }
        "close" => {
            if let Some(open) = connection.take() {
                open.close().await;
            }
            return Ok(Value::Null);
        }
        "peak" => return Ok(json!(peak_kib()?)),
        "post" => return call(target, asked).await,
        _ => {}
    }
    work(connection.as_mut().ok_or("open first")?, asked).await
}

async fn work(connection: &mut Connection, asked: &Value) -> Outcome<Value> {
    let entry = |e: rollcall::remote::RemoteEntry| {
        let modified = e.modified.map(|t| t.to_string());
        json!({ "name": e.name, "is_folder": e.is_folder, "bytes": e.bytes, "modified": modified })
    };
    Ok(match text(asked, "do")?.as_str() {
        "entries" => {
            let entries = connection.entries(&path(asked, "path")?).await?;
            Value::Array(entries.into_iter().map(entry).collect())
        }
        "stat" => entry(connection.stat(&path(asked, "path")?).await?),
        "put" => {
            let mut file = tokio::fs::File::open(text(asked, "file")?).await?;
            let there = file.metadata().await?.len();
            let bytes = asked.get("bytes").and_then(Value::as_u64).unwrap_or(there);
            json!(connection.put_from(&path(asked, "path")?, &mut file, bytes).await?)
        }
        "get" => {
            let mut file = tokio::fs::File::create(text(asked, "file")?).await?;
            let max_bytes = asked.get("max_bytes").and_then(Value::as_u64).unwrap_or(1 << 32);
            json!(connection.get_to(&path(asked, "path")?, &mut file, max_bytes).await?)
        }
        "rename" => {
            let overwrite = match asked.get("replace") {
                Some(Value::Bool(true)) => Overwrite::Replace,
                _ => Overwrite::Never,
            };
            connection.rename(&path(asked, "path")?, &path(asked, "to")?, overwrite).await?;
            Value::Null
        }
        "delete" => {
            connection.delete(&path(asked, "path")?).await?;
            Value::Null
        }
        "mkdir" => {
            connection.make_dir(&path(asked, "path")?).await?;
            Value::Null
        }
        other => return Err(format!("\"{other}\" is no command").into()),
    })
}

async fn call(target: &Target, asked: &Value) -> Outcome<Value> {
    let headers = [("X-Token".to_owned(), text(asked, "token").unwrap_or_default())];
    let post = http::Post {
        url: &text(asked, "url")?,
        body: text(asked, "body").unwrap_or_default().into_bytes(),
        headers: &headers,
        trust: &target.trust,
        reach: &target.reach,
        timeout: target.step_timeout,
    };
    let (status, answer) = http::post(&post).await?;
    let begins: String = String::from_utf8_lossy(&answer).chars().take(100).collect();
    Ok(json!({ "status": status, "bytes": answer.len(), "begins": begins }))
}

/// The most memory that this process has had, in KiB.
fn peak_kib() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.split_whitespace().next().unwrap_or_default().parse()?)
}
