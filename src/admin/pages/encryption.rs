//! Encryption of a client's files: our OpenPGP keys, those of partners, and passwords of zip files.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::settings::href;
use crate::admin::Admin;
use crate::admin::download::disposition;
use crate::admin::form::{FileForm, Form, Pairs, bytes, text};
use crate::admin::guard::Caller;
use crate::admin::route::{Route, of_client};
use crate::admin::shell::{Failure, Shell, Tone, done, page};
use crate::error::{Error, Kind, Result};
use crate::model::{Client, Scope};
use crate::service::Service;
use crate::service::pgp::{KeyView, PartnerView};

/// The largest file that a public key is read from.
const MAX_KEY_BYTES: u64 = 1024 * 1024;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/clients/{client}/encryption", of_client(Scope::Read), show),
        Route::post("/clients/{client}/encryption/keys", of_client(Scope::Arrange), make),
        Route::get(
            "/clients/{client}/encryption/keys/{fingerprint}",
            of_client(Scope::Read),
            download,
        ),
        Route::post(
            "/clients/{client}/encryption/keys/{fingerprint}/retire",
            of_client(Scope::Arrange),
            retire,
        ),
        Route::post("/clients/{client}/encryption/partners", of_client(Scope::Arrange), add),
        Route::post(
            "/clients/{client}/encryption/partners/{fingerprint}/remove",
            of_client(Scope::Arrange),
            remove,
        ),
        Route::post(
            "/clients/{client}/folders/{folder}/zip-password",
            of_client(Scope::Arrange),
            zip_password,
        ),
    ]
}

/// An import folder and whether it has a password for zip files.
struct FolderRow {
    name: String,
    href: String,
    has_password: bool,
}

struct Opened {
    client: Client,
    keys: Vec<KeyView>,
    partners: Vec<PartnerView>,
    folders: Vec<FolderRow>,
}

fn open(service: &Service, client: &str) -> Result<Opened> {
    let mut folders = Vec::new();
    for folder in service.import_folders(client)? {
        folders.push(FolderRow {
            has_password: service.has_zip_password(client, &folder.name)?,
            href: href(client, &folder.name, "encryption"),
            name: folder.name,
        });
    }
    Ok(Opened {
        client: service.client(client)?,
        keys: service.pgp_keys(client)?,
        partners: service.pgp_partners(client)?,
        folders,
    })
}

#[derive(Template)]
#[template(path = "admin/pages/encryption.html")]
struct EncryptionPage<'a> {
    p: &'a Shell,
    client: &'a Client,
    keys: &'a [KeyView],
    partners: &'a [PartnerView],
    folders: &'a [FolderRow],
    wrong: Option<&'a str>,
    name: &'a str,
}

impl EncryptionPage<'_> {
    /// What a partner's key can do today.
    fn uses(&self, partner: &PartnerView) -> &str {
        match (partner.signs, partner.encrypts) {
            (true, true) => self.p.t(
                "signs, and can be encrypted for",
                "signe, et on peut chiffrer pour elle",
                "signiert, und es kann dafür verschlüsselt werden",
            ),
            (true, false) => self.p.t("signs", "signe", "signiert"),
            (false, true) => self.p.t(
                "can be encrypted for",
                "on peut chiffrer pour elle",
                "es kann dafür verschlüsselt werden",
            ),
            (false, false) => self.p.t(
                "of no use today: it has expired",
                "inutilisable aujourd’hui\u{a0}: elle a expiré",
                "heute nutzlos: abgelaufen",
            ),
        }
    }
}

/// In groups of four digits, as people read it to each other.
fn grouped(fingerprint: &str) -> String {
    let digits: Vec<char> = fingerprint.chars().collect();
    let groups: Vec<String> = digits.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

fn render(opened: &Opened, shell: Shell, refused: Option<(&str, &str)>) -> Response {
    let shell = shell.in_zone(&opened.client.time_zone);
    page(&EncryptionPage {
        p: &shell,
        client: &opened.client,
        keys: &opened.keys,
        partners: &opened.partners,
        folders: &opened.folders,
        wrong: refused.map(|(message, _)| message),
        name: refused.map_or("", |(_, name)| name),
    })
}

async fn show(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(client): Path<String>,
) -> Response {
    match admin.run(&caller.name, move |service| open(&service, &client)).await {
        Ok(opened) => render(&opened, shell, None),
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

fn back(client: &str) -> String {
    format!("/clients/{client}/encryption")
}

async fn make(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(client): Path<String>,
    Form(_): Form<Pairs>,
) -> Response {
    let slug = client.clone();
    match admin.run(&caller.name, move |service| service.make_pgp_key(&slug)).await {
        Ok(key) => {
            let words = shell.t(
                "Key made. Give its public half to whoever sends files, and let them compare the fingerprint with you by phone:",
                "Clé créée. Donnez sa partie publique à qui envoie les fichiers et faites comparer l’empreinte par téléphone\u{a0}:",
                "Schlüssel erzeugt. Geben Sie die öffentliche Hälfte dem Absender der Dateien und lassen Sie den Fingerabdruck am Telefon vergleichen:",
            );
            done(&back(&client), Tone::Good, &format!("{words} {}", grouped(&key.fingerprint)))
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

/// The public half, as a file.
async fn download(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((client, fingerprint)): Path<(String, String)>,
) -> Response {
    let slug = client.clone();
    let found = admin.run(&caller.name, move |service| service.pgp_key(&slug, Some(&fingerprint)));
    match found.await {
        Ok(key) => {
            let kind = HeaderValue::from_static("application/pgp-keys");
            let name = disposition("attachment", &format!("{client}.asc"));
            let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)];
            (headers, key.public_key).into_response()
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

async fn retire(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((client, fingerprint)): Path<(String, String)>,
    Form(_): Form<Pairs>,
) -> Response {
    let slug = client.clone();
    let retired = admin.run(&caller.name, move |s| s.retire_pgp_key(&slug, &fingerprint));
    match retired.await {
        Ok(key) => {
            let words = shell.t(
                "Retired; files that arrive from now on are not read with it:",
                "Retirée\u{a0}; les fichiers qui arrivent désormais ne sont plus lus avec elle\u{a0}:",
                "Außer Dienst; Dateien, die ab jetzt kommen, werden nicht mehr damit gelesen:",
            );
            done(&back(&client), Tone::Good, &format!("{words} {}", grouped(&key.fingerprint)))
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

async fn add(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path(client): Path<String>,
    mut form: FileForm,
) -> Response {
    let mut name = String::new();
    let added = match sent(&mut form, &mut name).await {
        Ok(file) => {
            let (slug, called) = (client.clone(), name.clone());
            let work = move |service: Service| {
                let called = Some(called.trim()).filter(|name| !name.is_empty());
                service.add_pgp_partner(&slug, &file, called)
            };
            admin.run(&caller.name, work).await
        }
        Err(error) => Err(error),
    };
    let error = match added {
        Ok(partner) => {
            let words = shell.t(
                "Compare the fingerprint with its owner by phone before you rely on it:",
                "Comparez l’empreinte avec son propriétaire par téléphone avant de vous y fier\u{a0}:",
                "Vergleichen Sie den Fingerabdruck am Telefon mit dem Inhaber, bevor Sie sich darauf verlassen:",
            );
            let print = grouped(&partner.fingerprint);
            return done(
                &back(&client),
                Tone::Good,
                &format!("{} · {words} {print}", partner.name),
            );
        }
        Err(error) => error,
    };
    let status = match error.kind() {
        Kind::Exists => StatusCode::CONFLICT,
        Kind::Invalid | Kind::TooLarge => StatusCode::UNPROCESSABLE_ENTITY,
        _ => return Failure::new(error, &shell).into_response(),
    };
    match admin.run(&caller.name, move |service| open(&service, &client)).await {
        Ok(opened) => {
            let mut response = render(&opened, shell, Some((error.message(), &name)));
            *response.status_mut() = status;
            response
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

async fn sent(form: &mut FileForm, name: &mut String) -> Result<Vec<u8>> {
    let mut file = None;
    while let Some(field) = form.next().await? {
        match field.name() {
            Some("name") => *name = text(field).await?,
            Some("file") => file = Some(bytes(field, MAX_KEY_BYTES).await?),
            _ => {}
        }
    }
    let file = file.filter(|bytes| !bytes.is_empty());
    file.ok_or_else(|| Error::new(Kind::Invalid, "no file was chosen, or it is empty"))
}

async fn remove(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((client, fingerprint)): Path<(String, String)>,
    Form(_): Form<Pairs>,
) -> Response {
    let slug = client.clone();
    let removed = admin.run(&caller.name, move |s| s.remove_pgp_partner(&slug, &fingerprint));
    match removed.await {
        Ok(partner) => {
            let words = shell.t("Forgotten:", "Oubliée\u{a0}:", "Vergessen:");
            done(&back(&client), Tone::Good, &format!("{words} {}", partner.name))
        }
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}

#[derive(Deserialize)]
struct NewPassword {
    #[serde(default)]
    password: String,
    #[serde(default)]
    remove: String,
}

async fn zip_password(
    State(admin): State<Admin>,
    shell: Shell,
    caller: Caller,
    Path((client, folder)): Path<(String, String)>,
    Form(sent): Form<NewPassword>,
) -> Response {
    let target = href(&client, &folder, "encryption");
    let goes = sent.remove == "1";
    let written = admin.run(&caller.name, move |service| {
        let folder = service.import_folder(&client, &folder)?;
        let password = Some(sent.password.as_str()).filter(|_| !goes);
        service.set_zip_password(&folder.login, &folder.name, password)
    });
    match written.await {
        Ok(()) if goes => {
            let words = shell.t(
                "The password was taken away; encrypted zip files are refused.",
                "Le mot de passe a été retiré\u{a0}; les fichiers zip chiffrés sont refusés.",
                "Das Passwort wurde entfernt; verschlüsselte Zip-Dateien werden abgelehnt.",
            );
            done(&target, Tone::Good, words)
        }
        Ok(()) => {
            let words = shell.t(
                "The password was set; it counts from the next file.",
                "Le mot de passe a été défini\u{a0}; il compte dès le prochain fichier.",
                "Das Passwort wurde gesetzt; es gilt ab der nächsten Datei.",
            );
            done(&target, Tone::Good, words)
        }
        Err(error) if error.kind() == Kind::Invalid => done(&target, Tone::Bad, error.message()),
        Err(error) => Failure::new(error, &shell).into_response(),
    }
}
