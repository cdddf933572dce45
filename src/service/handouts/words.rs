//! The hand-out sheet's words in English, French and German.

use crate::model::{Language, Protocol};

/// The words of one language.
pub struct Words {
    /// What the sheet is.
    pub title: &'static str,
    /// Label.
    pub login: &'static str,
    /// Label.
    pub password: &'static str,
    /// Behind a password.
    pub password_once: &'static str,
    /// In place of a password.
    pub password_known: &'static str,
    /// Label.
    pub key: &'static str,
    /// Label.
    pub server: &'static str,
    /// Label.
    pub port: &'static str,
    /// In place of a port.
    pub port_unknown: &'static str,
    /// Label.
    pub host_key: &'static str,
    /// Label.
    pub certificate: &'static str,
    /// Behind a certificate.
    pub self_signed: &'static str,
    /// Behind a certificate that does not bear the server's name.
    pub nameless: &'static str,
    /// Heading.
    pub folders: &'static str,
    /// What a folder is for.
    pub purpose_import: &'static str,
    /// What a folder is for.
    pub purpose_export: &'static str,
    /// What a folder is for.
    pub purpose_plain: &'static str,
    /// Heading of the sample commands.
    pub send: &'static str,
    /// Below them.
    pub ca_file: &'static str,
    /// How FileZilla and WinSCP call FTPS.
    pub form_ftps: &'static str,
    /// How they call FTPES.
    pub form_ftpes: &'static str,
    /// What to set in such programs.
    pub passive: &'static str,
    kind_sftp: &'static str,
    kind_ftps: &'static str,
    kind_ftpes: &'static str,
}

impl Words {
    /// The connection type in words.
    #[must_use]
    pub fn kind(&self, protocol: Protocol) -> &'static str {
        match protocol {
            Protocol::Sftp => self.kind_sftp,
            Protocol::Ftps => self.kind_ftps,
            Protocol::Ftpes => self.kind_ftpes,
        }
    }
}

/// The words of `language`.
#[must_use]
pub fn words(language: Language) -> &'static Words {
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
    nameless: "it bears another name: programs that check names refuse it",
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
    password_once: "affiché une seule fois\u{a0}; perdu, il faut en demander un nouveau",
    password_known: "celui convenu avec vous",
    key: "Clé SSH",
    server: "Serveur",
    port: "port",
    port_unknown: "choisi au démarrage du serveur",
    host_key: "Clé d’hôte",
    certificate: "Cert. SHA-256",
    self_signed: "auto-signé\u{a0}: comparez ces chiffres quand le logiciel les montre",
    nameless: "établi pour un autre nom\u{a0}: refusé si le logiciel vérifie le nom",
    folders: "Dossiers",
    purpose_import: "déposez ici le fichier des salariés\u{a0}; le rapport est à côté",
    purpose_export: "fichiers à récupérer",
    purpose_plain: "fichiers, rien n’est importé",
    send: "Envoyer un fichier, lire son rapport",
    ca_file: "rollcall.pem est le certificat du serveur\u{a0}; nous vous le remettons.",
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
    nameless: "gilt für einen anderen Namen: wer Namen prüft, lehnt es ab",
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
