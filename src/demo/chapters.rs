//! The demo's chapters: what is done over the wire, and what a person sees of it.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::page::Page;
use super::stage::Stage;
use crate::cli::output::{Output, Tone};
use crate::cli::sheet::{Here, gather};
use crate::cli::{Outcome, Stop, history, story, users};
use crate::error::{Error, Kind, Result};
use crate::model::{Language, Protocol, Purpose, VPath};
use crate::remote::{Auth, Connection, Reach, Target, Trust};
use crate::service::accounts::{NewAccount, NewPassword};
use crate::service::clients::NewClient;
use crate::service::handouts::Sheet;
use crate::service::people;
use crate::transport::Running;

/// The roster of the first evening.
const FIRST_DAY: &[u8] = include_bytes!("../../data/samples/demo-day1.csv");
/// The next evening: changes, leavers, a bad date, an unknown manager.
const SECOND_DAY: &[u8] = include_bytes!("../../data/samples/demo-day2.csv");
/// Another client's roster, as a French payroll program writes it.
const FRENCH: &[u8] = include_bytes!("../../data/samples/model-fr.csv");

/// Somebody whom the second day changes: department and manager.
const CHANGED_USER: &str = "00127";

/// How long the demo waits for one answer or report.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks for a report that was not there yet.
const PAUSE: Duration = Duration::from_millis(100);
/// The largest report that the demo reads back.
const MAX_REPORT_BYTES: u64 = 16 * 1024 * 1024;
/// How many messages of a report are shown.
const SHOWN_MESSAGES: usize = 8;

/// The story as far as it is told.
pub(super) struct Story<'a> {
    out: Output,
    stage: &'a Stage,
    running: &'a Running,
    /// The sheets handed out: the clients connect with what stands on them, and with nothing else.
    sheets: Vec<Sheet>,
    chapter: u32,
}

impl<'a> Story<'a> {
    pub(super) fn new(out: Output, stage: &'a Stage, running: &'a Running) -> Self {
        Self { out, stage, running, sheets: Vec::new(), chapter: 0 }
    }

    /// A client, its account, and the sheet that its people get.
    pub(super) fn hand_out(&mut self) -> Outcome {
        self.open("A client gets an account: this sheet is handed out, once")?;
        let sheet = self.account("acme", "Acme SA", Language::En, "standard")?;
        if self.out.is_json() {
            self.event("sheet", &sheet)?;
        } else {
            self.out.bytes(sheet.text(Language::En).as_bytes())?;
        }
        self.sheets.push(sheet);
        Ok(())
    }

    /// The first roster, over SFTP.
    pub(super) async fn first_day(&mut self) -> Outcome {
        self.open("Monday, over SFTP: the payroll program sends every employee")?;
        self.put_and_report(Protocol::Sftp, "acme", "users.csv", FIRST_DAY).await?;
        self.directory("acme")
    }

    /// The same bytes once more, over FTPS.
    pub(super) async fn same_file_again(&mut self) -> Outcome {
        self.open("The same file again, over FTPS: nothing happens twice")?;
        self.put_and_report(Protocol::Ftps, "acme", "users.csv", FIRST_DAY).await
    }

    /// Changes and mistakes, over FTPES.
    pub(super) async fn second_day(&mut self) -> Outcome {
        self.open("Tuesday, over FTPES: changes, leavers, and some mistakes")?;
        self.put_and_report(Protocol::Ftpes, "acme", "users.csv", SECOND_DAY).await?;
        self.directory("acme")?;
        self.history("acme", CHANGED_USER)
    }

    /// Another client, in French, as a French payroll program writes its file.
    pub(super) async fn another_client(&mut self) -> Outcome {
        self.open("Another client: French headers in Windows-1252, and a report in French")?;
        let sheet = self.account("lumiere", "Lumière SARL", Language::Fr, "e-paye")?;
        self.sheets.push(sheet);
        self.put_and_report(Protocol::Sftp, "lumiere", "salaries.csv", FRENCH).await
    }

    /// The server stays up: what a visitor may do now.
    pub(super) fn what_to_try(&mut self, page: &Page) -> Outcome {
        let Some(sheet) = self.sheets.first() else { return Ok(()) };
        let folder = upload_folder(sheet);
        self.event(
            "ready",
            &json!({
                "login": sheet.login, "password": sheet.password, "ports": sheet.ports,
                "page": page.value(),
            }),
        )?;
        if self.out.is_json() {
            return Ok(());
        }
        let (out, login) = (self.out, &sheet.login);
        let data = self.stage.data().display();
        self.chapter += 1;
        out.toned(
            Tone::Strong,
            format!("\n{}  Your turn: the server stays up until Ctrl-C", self.chapter),
        )?;
        out.line("\n   The administration page, in a browser:\n")?;
        for line in page.lines() {
            out.line(format!("     {line}"))?;
        }
        out.line("\n   In another terminal, with the password from the sheet:\n")?;
        if let Some(port) = sheet.ports.get(&Protocol::Sftp) {
            out.line(format!("     sftp -P {port} {login}@{}", sheet.host))?;
            out.line(format!("       get {folder}/users.csv.report.csv"))?;
            out.line(format!("       put users.csv {folder}/"))?;
        }
        out.line("\n   The directory, and where each value came from:\n")?;
        out.line(format!("     export ROLLCALL_DATA={data}"))?;
        for command in ["users list acme", "imports list acme", "users export acme --json"] {
            out.line(format!("     rollcall {command}"))?;
        }
        Ok(())
    }

    /// Adds a client with one account; what its people get.
    fn account(&self, slug: &str, name: &str, language: Language, profile: &str) -> Result<Sheet> {
        let service = &self.stage.service;
        service.add_client(NewClient {
            slug: slug.to_owned(),
            name: name.to_owned(),
            language,
            time_zone: "Europe/Paris".to_owned(),
        })?;
        let added = service.add_account(&NewAccount {
            client: slug.to_owned(),
            name: "Payroll".to_owned(),
            login: Some(format!("{slug}-payroll")),
            host_profile: profile.to_owned(),
            protocols: Some(Protocol::ALL.to_vec()),
            password: NewPassword::Generated,
            keys: Vec::new(),
        })?;
        let certs = self.stage.certs();
        let here = Here { config: service.config(), data: self.stage.data(), certs: &certs };
        gather(here, &added.account, (&added.folders, &[]), added.password)
    }

    /// Sends a file and reads its report back over the same connection.
    async fn put_and_report(
        &self,
        protocol: Protocol,
        client: &str,
        name: &str,
        bytes: &[u8],
    ) -> Outcome {
        let sheet = self.sheet(client)?;
        let folder = upload_folder(sheet);
        let path = folder.join(name).map_err(|why| Error::new(Kind::Invalid, why))?;
        let target = self.target(sheet, protocol);
        let mut connection = Connection::open(&target).await?;
        let answer = connection.put(&path, bytes).await?;
        self.told_put(protocol, &path, bytes.len(), &answer)?;
        let report = self.report(&mut connection, &path).await?;
        let names = connection.list(&folder).await?;
        connection.close().await;
        if self.out.is_json() {
            return self.event("report", &report);
        }
        self.out.line(format!("   {}", self.prompt(&format!("ls {folder}"))))?;
        self.out.paragraph(5, "", &names.join("  "))?;
        self.out.line(format!("   {}\n", self.prompt(&format!("get {path}.report.json"))))?;
        story::tell(self.out, &report, SHOWN_MESSAGES)
    }

    fn told_put(&self, protocol: Protocol, path: &VPath, bytes: usize, answer: &str) -> Outcome {
        if self.out.is_json() {
            let put =
                json!({ "protocol": protocol, "path": path, "bytes": bytes, "answer": answer });
            return self.event("put", &put);
        }
        self.out.line(format!("   {}   ({bytes} bytes)", self.prompt(&format!("put {path}"))))?;
        self.out.paragraph(5, "", answer)
    }

    fn prompt(&self, command: &str) -> String {
        self.out.paint(Tone::Faint, format!("> {command}"))
    }

    /// The JSON report beside an upload. It is there when the answer comes, unless the import takes longer than
    /// `limits.reply_wait_s`.
    async fn report(&self, connection: &mut Connection, upload: &VPath) -> Result<Value> {
        let name = format!("{}.report.json", upload.as_str());
        let path: VPath = name.parse().map_err(|why: String| Error::new(Kind::Invalid, why))?;
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                match connection.get(&path, MAX_REPORT_BYTES).await {
                    Err(error) if error.kind() == Kind::NotFound => tokio::time::sleep(PAUSE).await,
                    got => return got,
                }
            }
        });
        let bytes = waited.await.map_err(|elapsed| {
            let words = format!("{path}: no report within {} s", PATIENCE.as_secs());
            Error::caused(Kind::Internal, words, elapsed)
        })??;
        serde_json::from_slice(&bytes)
            .map_err(|e| Error::caused(Kind::Internal, format!("{path} is not JSON: {e}"), e))
    }

    /// The client's users as the operator sees them.
    fn directory(&self, client: &str) -> Outcome {
        let service = &self.stage.service;
        let persons = people::persons(&service.users(client, None)?);
        if self.out.is_json() {
            return self.event("users", &persons);
        }
        self.out
            .line(format!("\n   {}\n", self.prompt(&format!("rollcall users list {client}"))))?;
        users::table(self.out, client, &persons)
    }

    /// Where each value of a user came from.
    fn history(&self, client: &str, user: &str) -> Outcome {
        let changes = history::changes(&self.stage.service, client, user)?;
        if self.out.is_json() {
            return self.event("history", &changes);
        }
        let command = format!("rollcall users history {client} {user}");
        self.out.line(format!("\n   {}\n", self.prompt(&command)))?;
        history::table(self.out, &changes)
    }

    fn sheet(&self, client: &str) -> Result<&Sheet> {
        let missing = || Error::new(Kind::NotFound, format!("client {client} has no sheet yet"));
        self.sheets.iter().find(|sheet| sheet.client == client).ok_or_else(missing)
    }

    /// What a client program is told: everything stands on the sheet, and the address is this machine's.
    fn target(&self, sheet: &Sheet, protocol: Protocol) -> Target {
        let bound = self.running.bound();
        let address = match protocol {
            Protocol::Sftp => bound.sftp,
            Protocol::Ftps => bound.ftps,
            Protocol::Ftpes => bound.ftpes,
        };
        let pins = match protocol {
            Protocol::Sftp => sheet.host_keys.iter().map(|key| key.fingerprint.clone()).collect(),
            _ => sheet.certificate.iter().map(|c| c.sha256.clone()).collect(),
        };
        Target {
            protocol,
            host: address.map_or_else(|| sheet.host.clone(), |a| a.ip().to_string()),
            port: address.map_or(0, |a| a.port()),
            login: sheet.login.clone(),
            auth: Auth::Password(sheet.password.clone().unwrap_or_default().into()),
            trust: Trust::Pins(pins),
            // The demo's server listens on this machine only.
            reach: Reach {
                allow: address.iter().filter_map(|a| a.ip().to_string().parse().ok()).collect(),
            },
            step_timeout: PATIENCE,
        }
    }

    /// Begins a chapter.
    fn open(&mut self, title: &str) -> Outcome {
        self.chapter += 1;
        if self.out.is_json() {
            return Ok(());
        }
        self.out.toned(Tone::Strong, format!("\n{}  {title}\n", self.chapter))
    }

    /// With `--json`: one line for each thing that happens.
    fn event(&self, name: &str, what: &impl Serialize) -> Outcome {
        if !self.out.is_json() {
            return Ok(());
        }
        let what = serde_json::to_value(what).map_err(Stop::from_json)?;
        self.out.json_line(&json!({ "event": name, name: what }))
    }
}

/// The folder in which an upload is imported.
fn upload_folder(sheet: &Sheet) -> VPath {
    let import = sheet.folders.iter().find(|folder| folder.purpose == Purpose::Import);
    import.map_or_else(VPath::root, |folder| folder.path.clone())
}
