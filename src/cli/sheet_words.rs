//! The hand-out sheet's words in English, French and German.

use crate::model::{Language, Protocol};

/// The words of one language.
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) login: &'static str,
    pub(super) password: &'static str,
    pub(super) password_once: &'static str,
    pub(super) password_known: &'static str,
    pub(super) key: &'static str,
    pub(super) server: &'static str,
    pub(super) port: &'static str,
    pub(super) port_unknown: &'static str,
    pub(super) host_key: &'static str,
    pub(super) certificate: &'static str,
    pub(super) self_signed: &'static str,
    pub(super) folders: &'static str,
    pub(super) purpose_import: &'static str,
    pub(super) purpose_export: &'static str,
    pub(super) purpose_plain: &'static str,
    pub(super) send: &'static str,
    pub(super) ca_file: &'static str,
    pub(super) form_ftps: &'static str,
    pub(super) form_ftpes: &'static str,
    pub(super) passive: &'static str,
    kind_sftp: &'static str,
    kind_ftps: &'static str,
    kind_ftpes: &'static str,
}

impl Words {
    /// The connection type in words.
    pub(super) fn kind(&self, protocol: Protocol) -> &'static str {
        match protocol {
            Protocol::Sftp => self.kind_sftp,
            Protocol::Ftps => self.kind_ftps,
            Protocol::Ftpes => self.kind_ftpes,
        }
    }
}

/// The words of `language`.
pub(super) fn words(language: Language) -> &'static Words {
    match language {
        Language::En => &EN,
        Language::Fr => &FR,
        Language::De => &DE,
    }
}

const EN: Words = Words {
    title: "Access",
    login: "Login",
    password: "Password",
    password_once: "shown this once; if it is lost, ask for a new one",
    password_known: "as agreed with you",
    key: "SSH key",
    server: "Server",
    port: "port",
    port_unknown: "chosen when the server starts",
    host_key: "Host key",
    certificate: "Cert. SHA-256",
    self_signed: "self-signed: compare these figures when your program asks",
    folders: "Folders",
    purpose_import: "put the employee file here; its report appears beside it",
    purpose_export: "files for you to fetch",
    purpose_plain: "files, nothing is imported",
    send: "Send a file, read its report",
    ca_file: "rollcall.pem is the server's certificate; you get it from us.",
    form_ftps: "FTP, TLS/SSL implicit encryption",
    form_ftpes: "FTP, TLS/SSL explicit encryption (required)",
    passive: "Passive mode. Transfers in binary.",
    kind_sftp: "files over SSH",
    kind_ftps: "FTP, implicit TLS, passive mode",
    kind_ftpes: "FTP, explicit TLS, passive mode",
};

const FR: Words = Words {
    title: "Accès",
    login: "Identifiant",
    password: "Mot de passe",
    password_once: "affiché une seule fois ; perdu, il faut en demander un nouveau",
    password_known: "celui convenu avec vous",
    key: "Clé SSH",
    server: "Serveur",
    port: "port",
    port_unknown: "choisi au démarrage du serveur",
    host_key: "Clé d'hôte",
    certificate: "Cert. SHA-256",
    self_signed: "auto-signé : comparez ces chiffres quand le logiciel les montre",
    folders: "Dossiers",
    purpose_import: "déposez ici le fichier des salariés ; le rapport est à côté",
    purpose_export: "fichiers à récupérer",
    purpose_plain: "fichiers, rien n'est importé",
    send: "Envoyer un fichier, lire son rapport",
    ca_file: "rollcall.pem est le certificat du serveur ; nous vous le remettons.",
    form_ftps: "FTP, chiffrement TLS/SSL implicite",
    form_ftpes: "FTP, chiffrement TLS/SSL explicite (exigé)",
    passive: "Mode passif. Transferts en binaire.",
    kind_sftp: "fichiers par SSH",
    kind_ftps: "FTP, TLS implicite, mode passif",
    kind_ftpes: "FTP, TLS explicite, mode passif",
};

const DE: Words = Words {
    title: "Zugang",
    login: "Benutzername",
    password: "Passwort",
    password_once: "wird nur einmal gezeigt; bei Verlust ein neues anfordern",
    password_known: "wie mit Ihnen vereinbart",
    key: "SSH-Schlüssel",
    server: "Server",
    port: "Port",
    port_unknown: "steht beim Start des Servers fest",
    host_key: "Host-Schlüssel",
    certificate: "Zert. SHA-256",
    self_signed: "selbst signiert: Ziffern vergleichen, wenn das Programm fragt",
    folders: "Ordner",
    purpose_import: "Personaldatei hier ablegen; der Bericht liegt dann daneben",
    purpose_export: "Dateien zum Abholen",
    purpose_plain: "Dateien, nichts wird importiert",
    send: "Datei senden, Bericht lesen",
    ca_file: "rollcall.pem ist das Zertifikat des Servers; Sie erhalten es von uns.",
    form_ftps: "FTP, implizite TLS/SSL-Verschlüsselung",
    form_ftpes: "FTP, explizite TLS/SSL-Verschlüsselung (erforderlich)",
    passive: "Passiver Modus. Übertragung binär.",
    kind_sftp: "Dateien über SSH",
    kind_ftps: "FTP, implizites TLS, passiver Modus",
    kind_ftpes: "FTP, explizites TLS, passiver Modus",
};
