//! A hook that is a program: the report on its standard input, no shell, a clean environment, an end by force.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use super::Call;
use crate::config::Hook;
use crate::error::{Error, Kind, Result};

/// How much of its output is kept; the rest is read and thrown away, so that it never waits for us.
const KEPT_BYTES: usize = 4096;
/// How long its output is read after its end: a child that it left behind may hold it open.
const OUTPUT_GRACE: Duration = Duration::from_secs(1);
/// Where a program finds others.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Ends the whole process group, unless the program came to its own end.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0
            && let Err(error) = kill_process_group(group, Signal::KILL)
        {
            tracing::warn!(%error, "ending a hook's program");
        }
    }
}

/// Runs the program; answers the beginning of its output.
///
/// # Errors
/// `Kind::Busy` when it takes too long; `Kind::Internal` when it cannot be started or ends with another code than 0.
pub(super) async fn run(hook: &Hook, call: &Call, limit: Duration) -> Result<String> {
    let [program, arguments @ ..] = hook.program.as_slice() else {
        return Err(Error::new(Kind::Invalid, format!("hook {} has no program", hook.name)));
    };
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs([
            ("PATH", PATH),
            ("LC_ALL", "C.UTF-8"),
            ("ROLLCALL_EVENT", call.event),
            ("ROLLCALL_DELIVERY", &call.delivery),
            ("ROLLCALL_CLIENT", &call.client),
            ("ROLLCALL_IMPORT", &call.import),
        ])
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| Error::io(format!("hook {}: starting {program}", hook.name), e))?;
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let mut group = Group(id);
    match tokio::time::timeout(limit, attend(&mut child, call)).await {
        Ok(Ok((status, output))) => {
            group.0 = None;
            if status.success() {
                return Ok(output);
            }
            let how = match status.code() {
                Some(code) => format!("ended with code {code}"),
                None => "was ended by a signal".to_owned(),
            };
            let message = format!("hook {}: {program} {how}: {output}", hook.name);
            Err(Error::new(Kind::Internal, message.trim_end_matches(": ").to_owned()))
        }
        Ok(Err(error)) => Err(Error::io(format!("hook {}: {program}", hook.name), error)),
        Err(_elapsed) => {
            let limit = limit.as_secs();
            let message =
                format!("hook {}: {program} was ended after {limit} s (timeout_s)", hook.name);
            Err(Error::new(Kind::Busy, message))
        }
    }
}

/// Gives it the report and waits for its end.
async fn attend(
    child: &mut Child,
    call: &Call,
) -> std::io::Result<(std::process::ExitStatus, String)> {
    let stdin = child.stdin.take();
    let out = tokio::spawn(kept(child.stdout.take()));
    let err = tokio::spawn(kept(child.stderr.take()));
    let body = call.body.clone();
    let feed = tokio::spawn(async move {
        if let Some(mut stdin) = stdin {
            // One that does not read everything, or ends early, is told by its code.
            let _given = stdin.write_all(&body).await.is_ok() && stdin.shutdown().await.is_ok();
        }
    });
    let status = child.wait().await?;
    feed.abort();
    let mut output = String::new();
    for stream in [out, err] {
        if let Ok(Ok(bytes)) = tokio::time::timeout(OUTPUT_GRACE, stream).await {
            let text = String::from_utf8_lossy(&bytes);
            let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            output = [output, text.trim().to_owned()].join(" ").trim().to_owned();
        }
    }
    Ok((status, output))
}

/// The beginning of a stream; the rest is read and thrown away.
async fn kept(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut stream) = stream else { return kept };
    let mut buffer = [0_u8; 1024];
    while let Ok(read) = stream.read(&mut buffer).await {
        if read == 0 {
            break;
        }
        let room = KEPT_BYTES.saturating_sub(kept.len()).min(read);
        kept.extend(buffer.iter().take(room));
    }
    kept
}
