//! File data and listings over FTPS: streamed, each pause limited, the end judged.

use suppaftp::FtpError;
use suppaftp::tokio::TransferStream;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::super::{RemoteEntry, Target, other_length, too_large, within};
use super::stream::HeardStream;
use super::{BEGINS, Connection, Reply, kind_of, listing, open, reply_error};
use crate::config::{REMOTE_ENTRIES, REMOTE_LISTING_BYTES};
use crate::error::{Error, Kind, Result};
use crate::model::VPath;

/// Bytes in memory between the disk and the server.
const BLOCK_BYTES: usize = 64 * 1024;

type Data = TransferStream<HeardStream>;

impl Connection {
    /// Sends the whole file; the text of the 226 that acknowledges it.
    pub(in super::super) async fn put_from(
        &mut self,
        path: &VPath,
        from: &mut (dyn AsyncRead + Unpin + Send),
        bytes: u64,
    ) -> Result<String> {
        let what = format!("put {path}");
        let opened = self.begin(&what, &format!("STOR {path}"), Way::Up(path)).await?;
        let mut data = match opened {
            Ok(data) => data,
            Err(reply) => {
                let parent = path.parent().unwrap_or_else(VPath::root);
                return Err(self.missing_or_denied(&what, &parent, &reply).await);
            }
        };
        let target = self.target.clone();
        let moved = send(&target, &what, from, &mut data, bytes).await;
        // Whatever went wrong with the data, the server's own words say why.
        let told = self.finish(&what, data).await;
        match (moved, told) {
            (Ok(moved), Ok(())) if moved == bytes => Ok(self.heard.last_line()),
            (Ok(moved), Ok(())) => Err(other_length(&target, &what, bytes, moved)),
            (_, Err(error)) if error.kind() != Kind::Busy => Err(error),
            (Err(error), _) | (Ok(_), Err(error)) => Err(error),
        }
    }

    /// Fails when the server says that a file has another size than was sent: asked with SIZE, else by what it lists.
    pub(in super::super) async fn check_arrived(&mut self, path: &VPath, bytes: u64) -> Result<()> {
        let there = match self.size(path).await? {
            None => match self.stat(path).await {
                Ok(entry) => entry.bytes,
                Err(error) if error.kind() == Kind::Busy => return Err(error),
                // A folder that may be written to and not read, or one that is emptied at once.
                Err(_) => None,
            },
            told => told,
        };
        match there {
            Some(there) if there != bytes => {
                Err(other_length(&self.target, &format!("put {path}"), there, bytes))
            }
            _ => Ok(()),
        }
    }

    /// Fetches the whole file.
    pub(in super::super) async fn get_to(
        &mut self,
        path: &VPath,
        to: &mut (dyn AsyncWrite + Unpin + Send),
        max_bytes: u64,
    ) -> Result<u64> {
        let what = format!("get {path}");
        let told = self.size(path).await?;
        if told.is_some_and(|told| told > max_bytes) {
            return Err(too_large(&self.target, &what, max_bytes));
        }
        let mut data = match self.begin(&what, &format!("RETR {path}"), Way::Down).await? {
            Ok(data) => data,
            Err(reply) => return Err(self.missing_or_denied(&what, path, &reply).await),
        };
        let target = self.target.clone();
        let moved = match receive(&target, &what, &mut data, to, max_bytes).await {
            Ok(moved) => moved,
            Err(error) => {
                // The rest is not wanted, and a server may take long to notice.
                self.broken = true;
                return Err(error);
            }
        };
        self.finish(&what, data).await?;
        let torn = self.torn.take();
        match told {
            Some(told) if told != moved => Err(other_length(&target, &what, told, moved)),
            None if torn => Err(target.refused(
                Kind::Busy,
                &format!(
                    "{what}: the data ended without TLS close_notify and the server says no size, so nobody knows \
                     whether it is whole"
                ),
            )),
            _ => Ok(moved),
        }
    }

    /// What lies in a folder. LIST and MLSD are asked without an argument: servers take `*`, `[` and leading dashes in it
    /// for patterns and options.
    pub(in super::super) async fn entries(&mut self, folder: &VPath) -> Result<Vec<RemoteEntry>> {
        let what = format!("list {folder}");
        let entered = self.ask(&what, &format!("CWD {folder}")).await?;
        if entered.code() >= 300 {
            return Err(self.refusal(&what, &entered));
        }
        let (command, read): (_, fn(&str) -> Option<RemoteEntry>) = if self.can("MLST") {
            ("MLSD", listing::mlsd_line)
        } else {
            ("LIST", listing::list_line)
        };
        let mut data = match self.begin(&what, command, Way::Down).await? {
            Ok(data) => data,
            // Some servers refuse to list a folder in which nothing lies.
            Err(reply) if tells_of_no_files(reply.code(), &reply.words()) => return Ok(Vec::new()),
            Err(reply) => return Err(self.refusal(&what, &reply)),
        };
        let mut text = Vec::new();
        let limit = u64::try_from(REMOTE_LISTING_BYTES).unwrap_or(u64::MAX);
        let target = self.target.clone();
        if let Err(error) = receive(&target, &what, &mut data, &mut text, limit).await {
            self.broken = true;
            return Err(error);
        }
        self.finish(&what, data).await?;
        // A line that was cut may name another file.
        if self.torn.take() && !text.is_empty() && !text.ends_with(b"\n") {
            return Err(target.refused(Kind::Busy, &format!("{what}: the list was cut short")));
        }
        let mut entries = Vec::new();
        let mut strange = None;
        for line in text.split(|byte| *byte == b'\n') {
            // Names that are not UTF-8 could not be asked for.
            let Ok(line) = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)) else {
                tracing::debug!("{target:?}: {what}: a name that is not UTF-8 is left out");
                continue;
            };
            let entry = read(line);
            if entry.is_none() && command == "LIST" && listing::is_unknown(line) {
                strange.get_or_insert(line);
            }
            entries.extend(entry);
        }
        // Nothing of it was understood: that is no empty folder.
        if let (true, Some(line)) = (entries.is_empty(), strange) {
            let line: String = line.chars().filter(|c| !c.is_control()).take(80).collect();
            return Err(target.refused(
                Kind::Unsupported,
                &format!("{what}: the list is in a form that is not known: \"{line}\"; ask for MLSD, or for a list like that of ls -l"),
            ));
        }
        if entries.len() > REMOTE_ENTRIES {
            return Err(target.refused(
                Kind::TooLarge,
                &format!("{what}: more than {REMOTE_ENTRIES} entries; move old files away"),
            ));
        }
        Ok(entries)
    }

    /// Opens a data connection for a command; or the server's refusal of the command.
    async fn begin(
        &mut self,
        what: &str,
        command: &str,
        way: Way<'_>,
    ) -> Result<std::result::Result<Data, Reply>> {
        self.still_whole(what)?;
        self.broken = true;
        self.heard.forget();
        self.torn.take();
        let target = self.target.clone();
        let opened = within(&target, what, async {
            Ok(match way {
                Way::Up(path) => self.ftp.put_with_stream(path.as_str()).await,
                Way::Down => {
                    self.ftp.custom_data_command(command, &BEGINS).await.map(|(_, data)| data)
                }
            })
        })
        .await?;
        match opened {
            Ok(data) => {
                self.broken = false;
                Ok(Ok(data))
            }
            Err(FtpError::UnexpectedResponse(response)) => {
                self.broken = false;
                Ok(Err(Reply(response)))
            }
            Err(error @ FtpError::SecureError(_)) => {
                Err(open::tls_error(&target, &self.seen, error))
            }
            Err(error) => Err(reply_error(&target, what, &error)),
        }
    }

    /// Closes the data connection and reads the server's verdict.
    async fn finish(&mut self, what: &str, data: Data) -> Result<()> {
        self.broken = true;
        let target = self.target.clone();
        match within(&target, what, async { Ok(data.finish().await) }).await? {
            Ok(()) => {
                self.broken = false;
                Ok(())
            }
            Err(error @ FtpError::UnexpectedResponse(_)) => {
                self.broken = false;
                Err(reply_error(&target, what, &error))
            }
            // The data connection broke; why, stands in the reply that was read all the same.
            Err(error) => {
                let line = self.heard.last_line();
                let code = line.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0);
                if (400..600).contains(&code) {
                    return Err(target.refused(kind_of(code), &format!("{what}: {line}")));
                }
                Err(reply_error(&target, what, &error))
            }
        }
    }
}

/// Whether the refusal of the list of a folder that was entered means that it is empty.
fn tells_of_no_files(code: u32, words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| words.contains(phrase));
    matches!(code, 450 | 550)
        && says(&["no files", "no such file", "not found", "empty"])
        && !says(&["permission", "denied", "not allowed"])
}

/// Which way the data goes.
enum Way<'a> {
    Up(&'a VPath),
    Down,
}

/// Sends what `from` has, at most one byte more than `bytes`; how many bytes it had.
async fn send(
    target: &Target,
    what: &str,
    from: &mut (dyn AsyncRead + Unpin + Send),
    data: &mut Data,
    bytes: u64,
) -> Result<u64> {
    let mut block = vec![0; BLOCK_BYTES];
    let mut moved = 0_u64;
    loop {
        let length = from
            .read(&mut block)
            .await
            .map_err(|e| Error::io(format!("{target:?}: {what}: read what is to be sent"), e))?;
        let full = block.get(..length).unwrap_or_default();
        moved = moved.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        if length == 0 || moved > bytes {
            return Ok(moved);
        }
        within(target, what, async {
            let sent = data.write_all(full).await;
            sent.map_err(|e| broke(target, what, e))
        })
        .await?;
    }
}

/// Reads the data connection to its end into `to`; how many bytes came.
async fn receive(
    target: &Target,
    what: &str,
    data: &mut Data,
    to: &mut (dyn AsyncWrite + Unpin + Send),
    max_bytes: u64,
) -> Result<u64> {
    let mut block = vec![0; BLOCK_BYTES];
    let mut moved = 0_u64;
    loop {
        let length = within(target, what, async {
            let read = data.read(&mut block).await;
            read.map_err(|e| broke(target, what, e))
        })
        .await?;
        if length == 0 {
            break;
        }
        moved = moved.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        if moved > max_bytes {
            return Err(too_large(target, what, max_bytes));
        }
        let full = block.get(..length).unwrap_or_default();
        to.write_all(full)
            .await
            .map_err(|e| Error::io(format!("{target:?}: {what}: keep what came"), e))?;
    }
    to.flush().await.map_err(|e| Error::io(format!("{target:?}: {what}: keep what came"), e))?;
    Ok(moved)
}

fn broke(target: &Target, what: &str, error: std::io::Error) -> Error {
    Error::caused(
        Kind::Busy,
        format!("{target:?}: {what}: the data connection broke: {error}"),
        error,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_refusals_of_a_list_mean_that_nothing_lies_there() {
        for (code, words, expected) in [
            (550, "550 No files found", true),
            (450, "450 No such file or directory", true),
            (550, "550 *: File not found.", true),
            (550, "550 The directory is EMPTY", true),
            (550, "550 Permission denied", false),
            (550, "550 No such file or permission denied", false),
            (450, "450 file busy", false),
            (425, "425 No files: cannot open the data connection", false),
        ] {
            assert_eq!(tells_of_no_files(code, words), expected, "{words}");
        }
    }
}
