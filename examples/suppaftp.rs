//! The crate suppaftp as a program of its users, for `tests/interop`: one plan as JSON on standard input, the outcome as JSON on standard output.
//!
//! `{"protocol":"ftpes","host":"127.0.0.1","port":21,"login":"me","password":"…","certificate":"server.pem","steps":[["put","a.csv","/a.csv"]]}`

use std::error::Error as Failure;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use serde_json::json;
use suppaftp::Mode;
use suppaftp::tokio::{AsyncRustlsConnector, AsyncRustlsFtpStream};
use suppaftp::types::FileType;
use tokio::fs::{File, OpenOptions};
use tokio_rustls::TlsConnector;

type Outcome<T> = Result<T, Box<dyn Failure>>;

#[derive(Deserialize)]
struct Plan {
    protocol: String,
    host: String,
    port: u16,
    login: String,
    password: String,
    /// The server's own, PEM.
    certificate: String,
    steps: Vec<Vec<String>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let plan: Plan = serde_json::from_reader(std::io::stdin())?;
    let mut names = Vec::new();
    let ended = run(&plan, &mut names).await;
    let text = ended.as_ref().err().map(|why| format!("{why}\n")).unwrap_or_default();
    let told = json!({ "ok": ended.is_ok(), "text": text, "names": names });
    writeln!(std::io::stdout(), "{told}")?;
    Ok(())
}

async fn run(plan: &Plan, names: &mut Vec<String>) -> Outcome<()> {
    let connector = AsyncRustlsConnector::from(TlsConnector::from(tls(plan)?));
    let place = (plan.host.as_str(), plan.port);
    let mut ftp = if plan.protocol == "ftps" {
        AsyncRustlsFtpStream::connect_secure_implicit(place, connector, &plan.host).await?
    } else {
        let plain = AsyncRustlsFtpStream::connect(place).await?;
        plain.into_secure(connector, &plan.host).await?
    };
    // EPSV names no address: it works through a line that has another one.
    ftp.set_mode(Mode::ExtendedPassive);
    ftp.login(&plan.login, &plan.password).await?;
    ftp.transfer_type(FileType::Binary).await?;
    for step in &plan.steps {
        let words: Vec<&str> = step.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["put", from, to] => {
                ftp.put_file(to, &mut File::open(from).await?).await?;
            }
            ["get", from, to] => get(&mut ftp, from, File::create(to).await?).await?,
            ["resume", from, to] => {
                let mut file = std::fs::File::open(from)?;
                file.seek(SeekFrom::Start(u64::try_from(ftp.size(to).await?)?))?;
                ftp.append_file(to, &mut File::from_std(file)).await?;
            }
            ["resume-get", from, to] => {
                let file = OpenOptions::new().append(true).create(true).open(to).await?;
                ftp.resume_transfer(usize::try_from(file.metadata().await?.len())?).await?;
                get(&mut ftp, from, file).await?;
            }
            ["rename", from, to] => ftp.rename(from, to).await?,
            ["remove", path] => ftp.rm(path).await?,
            ["mkdir", path] => ftp.mkdir(path).await?,
            ["rmdir", path] => ftp.rmdir(path).await?,
            ["list", path] => {
                let listed = ftp.nlst(Some(path)).await?;
                let last = |line: &String| line.rsplit('/').next().unwrap_or(line).to_owned();
                *names = listed.iter().map(last).collect();
            }
            other => return Err(format!("{other:?} is no step").into()),
        }
    }
    ftp.quit().await?;
    Ok(())
}

async fn get(ftp: &mut AsyncRustlsFtpStream, from: &str, mut to: File) -> Outcome<()> {
    let mut stream = ftp.retr_as_stream(from).await?;
    tokio::io::copy(&mut stream, &mut to).await?;
    stream.finish().await?;
    to.sync_all().await?;
    Ok(())
}

fn tls(plan: &Plan) -> Outcome<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(&plan.certificate)? {
        roots.add(certificate?)?;
    }
    let config = ClientConfig::builder().with_root_certificates(roots);
    Ok(Arc::new(config.with_no_client_auth()))
}
