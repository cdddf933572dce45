//! The configuration: one TOML file, environment overrides, every default and every limit.

mod admin;
mod bounds;
mod check;
mod keys;
mod load;
mod mail;
mod metrics;
mod profiles;
mod webhooks;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::{Network, Protocol, Purpose, VPath};

pub use admin::{Admin, DEFAULT_ADMIN_LISTEN};
pub use mail::{Hidden, Hook, HookEvent, Mail, SmtpServer, Starttls};
pub use metrics::{Metrics, MetricsAccess};
pub use webhooks::{MOST_WEBHOOKS, WEBHOOK_EVENTS, Webhooks};

/// All settings of the server. Documented for operators in `docs/configuration.md`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The SFTP listener.
    pub sftp: Sftp,
    /// The FTPS listeners, explicit and implicit.
    pub ftps: Ftps,
    /// The administration page and the REST API.
    pub admin: Admin,
    /// Load balancers in front of the listeners.
    pub proxy: Proxy,
    /// Every limit on what strangers and clients may use.
    pub limits: Limits,
    /// How failed logins slow their sender.
    pub throttle: Throttle,
    /// Connections to other people's servers.
    pub outgoing: Outgoing,
    /// Where the key lies that seals stored secrets.
    pub secrets: Secrets,
    /// How e-mails leave.
    pub mail: Mail,
    /// Other programs that are told of imports.
    pub hooks: Vec<Hook>,
    /// Addresses that are told of events.
    pub webhooks: Webhooks,
    /// What monitoring may ask.
    pub metrics: Metrics,
    /// How long finished things are kept.
    pub retention: Retention,
    /// The log.
    pub log: Log,
    /// Host profiles beyond the shipped ones, or changes to those.
    pub hosts: BTreeMap<String, HostProfile>,
}

/// The SFTP listener.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sftp {
    /// Address and port, or `off`. `[::]` serves IPv4 too.
    pub listen: String,
    /// Also offer older algorithms (ecdh-nistp, group14-sha256, hmac-sha2, ecdsa-p256) for old payroll programs.
    pub compat: bool,
    /// Also offer what is weak today (SHA-1, CBC), with all of `compat`, for programs that cannot be replaced yet; each session that uses it is warned about.
    pub legacy: bool,
    /// Also take and give files over the old `scp` protocol, which OpenSSH before 9.0, `scp -O` and many payroll programs speak.
    pub scp: bool,
    /// A second address and port, or `off`: there clients are still shown the host keys from before `rollcall keys switch`.
    pub old_keys_listen: String,
}

impl Default for Sftp {
    fn default() -> Self {
        Self {
            listen: "[::]:2022".to_owned(),
            compat: false,
            legacy: false,
            scp: true,
            old_keys_listen: "off".to_owned(),
        }
    }
}

/// The FTPS listeners.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ftps {
    /// Address and port of explicit TLS (FTPES), or `off`.
    pub explicit: String,
    /// Address and port of implicit TLS (FTPS), or `off`.
    pub implicit: String,
    /// First and last passive port, `50000-50099`; `0` lets the system choose.
    pub passive_ports: String,
    /// The IPv4 address that PASV answers behind a NAT; none: the address that the client reached.
    pub passive_host: Option<String>,
    /// Whether a data connection must resume the control connection's TLS session.
    pub resumption: Resumption,
    /// Active mode (PORT, EPRT).
    pub active: ActiveMode,
    /// Accept a data end without TLS close_notify (old .NET programs); a reset or ABOR never counts as an end.
    pub lenient_data_end: bool,
}

impl Default for Ftps {
    fn default() -> Self {
        Self {
            explicit: "[::]:2121".to_owned(),
            implicit: "[::]:2990".to_owned(),
            passive_ports: "50000-50099".to_owned(),
            passive_host: None,
            resumption: Resumption::Prefer,
            active: ActiveMode::Off,
            lenient_data_end: false,
        }
    }
}

/// Load balancers in front of the listeners.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Proxy {
    /// Networks of balancers whose connections begin with a PROXY header (version 1 or 2), and of HTTP proxies before the administration page.
    pub trusted: Vec<Network>,
}

/// Whether FTPS data connections must prove by TLS resumption that they belong to their session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resumption {
    /// Offered; a data connection from the session's own address is accepted without it.
    Prefer,
    /// A data connection that does not resume is refused.
    Require,
    /// Not offered.
    Off,
}

/// Whether the server connects to the client for data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActiveMode {
    /// PORT and EPRT are answered 502.
    Off,
    /// Only to the address of the control connection, ports above 1023.
    OwnAddress,
}

/// Every limit. Units stand last in the names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The largest upload.
    pub max_upload_bytes: u64,
    /// The largest file that an import reads; larger ones are rejected with F006.
    pub max_import_bytes: u64,
    /// The most bytes that a packed file (gzip, zip, xlsx) may become for each of its own; small ones are not asked.
    pub max_unpack_ratio: u64,
    /// The longest that opening one encrypted file may take, in seconds (F007).
    pub max_decrypt_s: u64,
    /// The most columns that a table may have.
    pub max_columns: usize,
    /// The most bytes of one cell.
    pub max_cell_bytes: usize,
    /// Files, spool and archive of one client together; 0: no limit.
    pub client_quota_bytes: u64,
    /// Uploads are refused when the disk has less room than this.
    pub min_free_bytes: u64,
    /// How long an answer waits for its import.
    pub reply_wait_s: u64,
    /// Uploads of one client that may wait for import.
    pub max_waiting_uploads: u32,
    /// Imports at the same time, of different clients; 0: one for each core.
    pub import_workers: usize,
    /// How often an import that failed by our fault is tried.
    pub import_attempts: u32,
    /// How many days a held import waits for somebody's decision before it expires.
    pub hold_days: u32,
    /// How many lists of what the other side knows are kept for each export: so many runs can be withdrawn.
    pub export_lists: u32,
    /// The most events that `rollcall log` keeps.
    pub activity_rows: u64,
    /// Connections at the same time, both protocols together.
    pub max_connections: usize,
    /// Connections at the same time from one address.
    pub max_connections_per_address: usize,
    /// Connections that have not logged in yet, both protocols together.
    pub max_half_open: usize,
    /// From connection to login.
    pub login_timeout_s: u64,
    /// A TLS handshake, control or data.
    pub tls_handshake_timeout_s: u64,
    /// From PASV or EPSV and a transfer command to the data connection.
    pub data_accept_timeout_s: u64,
    /// A data connection on which nothing moves.
    pub data_idle_timeout_s: u64,
    /// A logged-in session on which nothing moves.
    pub idle_timeout_s: u64,
    /// Failed logins on one connection before it is closed.
    pub login_attempts_per_connection: u32,
    /// How long a login's password counts as right after it was checked in full; 0: each login is checked in full.
    pub password_memory_s: u64,
    /// The longest FTP control line.
    pub control_line_bytes: usize,
    /// Files and folders that one client's sessions, all together, have open; 0: a quarter of those that the system lets
    /// the server open beside its connections and imports.
    pub open_files_per_client: usize,
    /// Open handles of one SFTP session.
    pub sftp_handles: usize,
    /// Channels of one SSH connection.
    pub sftp_channels: usize,
    /// Requests of one SFTP session that may be unanswered.
    pub sftp_outstanding_requests: usize,
    /// Bytes of one connection that may wait for the disk.
    pub connection_memory_bytes: usize,
    /// The same for all connections together.
    pub transfer_memory_bytes: usize,
    /// Sessions of one account at the same time.
    pub sessions_per_account: usize,
    /// SSH keys that a client may offer before it must have found the right one.
    pub sftp_key_offers: usize,
    /// After so many bytes in one direction (or an hour) the SSH keys of a connection are made anew; at most 1 GiB.
    pub sftp_rekey_bytes: usize,
    /// How long a stopping server waits for transfers under way.
    pub shutdown_grace_s: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            max_upload_bytes: 4096 * MIB,
            max_import_bytes: 1024 * MIB,
            max_unpack_ratio: 250,
            max_decrypt_s: 600,
            max_columns: 2000,
            max_cell_bytes: 1024 * 1024,
            client_quota_bytes: 0,
            min_free_bytes: 256 * MIB,
            reply_wait_s: 3,
            max_waiting_uploads: 1000,
            import_workers: 0,
            import_attempts: 3,
            hold_days: 7,
            export_lists: 20,
            activity_rows: 1_000_000,
            max_connections: 2000,
            max_connections_per_address: 500,
            max_half_open: 300,
            login_timeout_s: 30,
            tls_handshake_timeout_s: 10,
            data_accept_timeout_s: 15,
            data_idle_timeout_s: 60,
            idle_timeout_s: 600,
            login_attempts_per_connection: 3,
            password_memory_s: 3600,
            control_line_bytes: 4096,
            open_files_per_client: 0,
            sftp_handles: 256,
            sftp_channels: 4,
            sftp_outstanding_requests: 4096,
            connection_memory_bytes: 8 * 1024 * 1024,
            transfer_memory_bytes: 512 * 1024 * 1024,
            sessions_per_account: 64,
            sftp_key_offers: 20,
            sftp_rekey_bytes: MOST_REKEY_BYTES,
            shutdown_grace_s: 30,
        }
    }
}

/// Connections to other people's servers: clients' own, hooks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outgoing {
    /// Networks that may be connected to although they are not public: loopback, private, link-local …
    pub allow: Vec<Network>,
    /// A connection, a login, one answer.
    pub step_timeout_s: u64,
    /// One job as a whole: a delivery, an e-mail, a hook, a look at a folder on a client's server.
    pub timeout_s: u64,
    /// How often a job is tried before it is given up; with the pauses between, 30 are about a day.
    pub attempts: u32,
    /// Jobs at the same time.
    pub jobs: usize,
}

impl Default for Outgoing {
    fn default() -> Self {
        Self { allow: Vec::new(), step_timeout_s: 30, timeout_s: 3600, attempts: 30, jobs: 8 }
    }
}

/// Where the key lies that seals stored secrets (passwords and keys for clients' own servers, OpenPGP keys).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Secrets {
    /// The key file; none: the systemd credential `rollcall-sealing-key` if there is one, else `sealing.key` in the
    /// folder of the certificates.
    pub key_file: Option<PathBuf>,
}

/// How failed logins slow their sender; both protocols together.
///
/// An account is never locked, and an address that has logged in lately is never banned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Throttle {
    /// The wait after the first failure of an address with a login; it doubles with each further one.
    pub first_delay_ms: u64,
    /// The longest wait for an address that has never logged in with this login.
    pub max_delay_ms: u64,
    /// The longest wait for an address that has.
    pub familiar_delay_ms: u64,
    /// Failures are forgotten after so long without another.
    pub forget_s: u64,
    /// How long a successful login makes its address familiar.
    pub familiar_days: u32,
    /// An address that tries so many logins that do not exist is banned.
    pub ban_unknown_logins: usize,
    /// How long a ban lasts.
    pub ban_s: u64,
    /// Addresses and logins that are remembered, each; the oldest make room.
    pub remembered: usize,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            first_delay_ms: 250,
            max_delay_ms: 8000,
            familiar_delay_ms: 2000,
            forget_s: 900,
            familiar_days: 30,
            ban_unknown_logins: 20,
            ban_s: 900,
            remembered: 20_000,
        }
    }
}

/// RFC 4253, 9: keys are made anew after each gigabyte at the latest.
pub const MOST_REKEY_BYTES: usize = 1 << 30;
/// Characters of a generated password (5.8 bits each).
pub const GENERATED_PASSWORD_CHARS: usize = 24;
/// The fewest characters of a password that somebody chose.
pub const MIN_PASSWORD_CHARS: usize = 12;
/// The longest password that is looked at.
pub const MAX_PASSWORD_BYTES: usize = 1024;
/// Right passwords of logins that are remembered at the same time (`limits.password_memory_s`).
pub const REMEMBERED_PASSWORDS: usize = 10_000;
/// Notes of interrupted uploads that the registry keeps of each client.
pub const INTERRUPTIONS_KEPT: u32 = 1000;
/// How often an import is begun that ends the program each time (or is cut short by each restart).
pub const IMPORT_STARTS: u32 = 20;
/// Channels of one SSH connection one after the other; each leaves a few kilobytes in the SSH library until the connection ends.
pub const SFTP_CHANNELS_IN_ALL: usize = 1000;
/// The longest command line of `scp`: some addresses of the longest kind.
pub const SCP_COMMAND_BYTES: usize = 32 * 1024;
/// The longest line of the scp protocol: a name, and what is told about it.
pub const SCP_LINE_BYTES: usize = 16 * 1024;
/// What an scp client may send before it was asked for it.
pub const SCP_AHEAD_BYTES: usize = 64 * 1024;
/// Answers that an scp client may leave unread.
pub const SCP_UNREAD_BYTES: usize = 64 * 1024;
/// Files and folders of a client's own server that one look reads.
pub const REMOTE_ENTRIES: usize = 100_000;
/// Bytes of one listing of a client's own server.
pub const REMOTE_LISTING_BYTES: usize = 32 * 1024 * 1024;
/// Bytes of a hook's answer that are read.
pub const HTTP_ANSWER_BYTES: usize = 64 * 1024;
/// How long the rest of an answer is waited for once its status is there.
pub const HTTP_ANSWER_WAIT: std::time::Duration = std::time::Duration::from_secs(5);
/// Different words that a search for people looks for.
pub const SEARCH_WORDS: usize = 100;
/// Field changes that a report lists; it counts all of them.
pub const REPORT_CHANGES_LISTED: usize = 1000;
/// Messages of one column and cause that a report lists one by one.
pub const REPORT_MESSAGES_LISTED: usize = 1000;

/// How long finished things are kept; 0: for ever. A client may have its own (`client set`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Received bytes of uploads in a final state, in `archive/`.
    pub archive_days: u32,
    /// Old reports: the files in `reports/`, and what the database keeps of them about persons.
    pub reports_days: u32,
    /// The history of values: what the directory was on an earlier day, and what an undo needs.
    pub history_days: u32,
    /// After how many months users who have left, and are in no file any more, get pseudonyms; 0: never.
    pub pseudonymise_after_months: u32,
    /// Events, for the API and for webhooks.
    pub events_days: u32,
    /// What accounts did (`rollcall log`): logins, transfers, changes; 0: for ever, up to `limits.activity_rows`.
    pub activity_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            archive_days: 90,
            reports_days: 90,
            history_days: 0,
            pseudonymise_after_months: 0,
            events_days: 30,
            activity_days: 90,
        }
    }
}

/// The log on standard error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, or a filter such as `rollcall=debug,russh=warn`.
    pub level: String,
    /// `text` or `json`.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Presets under which an account is hosted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct HostProfile {
    /// The host name that the hand-out sheet names.
    pub public_host: Option<String>,
    /// Connection types of new accounts; empty: all three.
    pub protocols: Vec<Protocol>,
    /// Remote folders of new accounts.
    pub folders: Vec<ProfileFolder>,
    /// Import settings of new import folders (the keys of `settings show`).
    pub settings: toml::Table,
}

/// A remote folder that a host profile gives to new accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileFolder {
    /// Its name.
    pub name: String,
    /// Its path below the account's root.
    pub path: VPath,
    /// What it is for.
    pub purpose: Purpose,
    /// Which names trigger an import.
    #[serde(default)]
    pub pattern: Option<String>,
}
