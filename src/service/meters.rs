//! What is counted while the server runs, and what is looked up when somebody asks: numbers for monitoring (docs/metrics.md).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::Service;
use super::activity::Activity;
use super::health::room;
use crate::error::Result;
use crate::import::report::Report;

/// Bounds of the classes in which imports are counted by how long they took, in seconds.
const SECONDS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0, 600.0];
/// The client under which those are counted that came after `metrics.clients` others.
const OTHERS: &str = "_others";

/// Names and values of labels.
pub type Labels = Vec<(&'static str, String)>;

/// What one number is.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// It only grows.
    Counter(f64),
    /// It goes up and down.
    Gauge(f64),
    /// How often something was at most so large.
    Classes {
        /// All values added up.
        sum: f64,
        /// How many there were.
        count: u64,
        /// Upper bounds, and how many values lie in each class alone.
        classes: Vec<(f64, u64)>,
    },
}

/// A family of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// Its name, without the unit's or the kind's suffix.
    pub name: &'static str,
    /// What it tells.
    pub help: &'static str,
    /// Its numbers.
    pub readings: Vec<(Labels, Reading)>,
}

/// What is counted while the server runs.
#[derive(Default)]
pub(super) struct Meters(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    /// By what happened and the connection type: how often, how many bytes.
    activity: BTreeMap<(String, &'static str), (u64, u64)>,
    /// By client and status.
    imports: BTreeMap<(String, &'static str), u64>,
    clients: BTreeSet<String>,
    rows: u64,
    seconds: f64,
    classes: [u64; SECONDS.len()],
    beyond: u64,
}

impl Meters {
    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what somebody did over a connection.
    pub(super) fn happened(&self, one: &Activity) {
        let protocol = one.protocol.map_or("", crate::model::Protocol::name);
        let mut counted = self.lock();
        let (times, bytes) =
            counted.activity.entry((one.event.clone(), protocol)).or_insert((0, 0));
        *times = times.saturating_add(1);
        *bytes = bytes.saturating_add(one.bytes.unwrap_or(0));
    }

    /// Counts an import that has ended.
    pub(super) fn imported(&self, client: &str, report: &Report, most_clients: usize) {
        let mut counted = self.lock();
        let known = counted.clients.contains(client);
        let client = if known || counted.clients.len() < most_clients {
            counted.clients.insert(client.to_owned());
            client
        } else {
            OTHERS
        };
        let times = counted.imports.entry((client.to_owned(), report.status.name())).or_insert(0);
        *times = times.saturating_add(1);
        counted.rows = counted.rows.saturating_add(report.counts.rows);
        let (Some(begun), Some(ended)) = (report.started_at, report.finished_at) else { return };
        let took = Duration::try_from(ended.duration_since(begun)).unwrap_or_default();
        let took = took.as_secs_f64();
        counted.seconds += took;
        match SECONDS.iter().zip(counted.classes.iter_mut()).find(|(bound, _)| took <= **bound) {
            Some((_, class)) => *class += 1,
            None => counted.beyond += 1,
        }
    }
}

impl Service {
    /// Everything that monitoring can know; `certificate_ends` is told by the listeners.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn measure(&self, certificate_ends: Option<Timestamp>) -> Result<Vec<Measure>> {
        let mut all = vec![Measure {
            name: "rollcall_build",
            help: "The version that runs",
            readings: vec![(
                vec![("version", env!("CARGO_PKG_VERSION").to_owned())],
                Reading::Gauge(1.0),
            )],
        }];
        all.extend(self.counted());
        all.extend(self.queues()?);
        all.extend(self.databases()?);
        all.extend(machine(self));
        if let Some(ends) = certificate_ends {
            let help = "When the TLS certificate ends, in seconds since 1970";
            all.push(gauge("rollcall_certificate_end_seconds", help, float(ends.as_second())));
        }
        Ok(all)
    }

    fn counted(&self) -> Vec<Measure> {
        let counted = self.0.activity.1.lock();
        let of = |event: &'static str, bytes: bool| {
            let own = counted.activity.iter().filter(move |((name, _), _)| name == event);
            own.map(move |((_, protocol), (times, sum))| {
                let labels = vec![("protocol", (*protocol).to_owned())];
                (labels, Reading::Counter(wide(if bytes { *sum } else { *times })))
            })
            .collect::<Vec<_>>()
        };
        let family = |name, help, readings| Measure { name, help, readings };
        let imports = counted.imports.iter().map(|((client, status), times)| {
            let labels = vec![("client", client.clone()), ("status", (*status).to_owned())];
            (labels, Reading::Counter(wide(*times)))
        });
        let classes: Vec<(f64, u64)> = SECONDS
            .into_iter()
            .zip(counted.classes)
            .chain([(f64::INFINITY, counted.beyond)])
            .collect();
        let count = classes.iter().map(|(_, n)| n).sum();
        let durations = Reading::Classes { sum: counted.seconds, count, classes };
        let rows = Reading::Counter(wide(counted.rows));
        vec![
            family("rollcall_logins", "Logins over SFTP and FTPS", of("login", false)),
            family("rollcall_logins_refused", "Logins that were refused", of("refused", false)),
            family("rollcall_bans", "Addresses that were banned", of("ban", false)),
            family("rollcall_uploads", "Uploads that were acknowledged", of("upload", false)),
            family("rollcall_upload_bytes", "Bytes of these uploads", of("upload", true)),
            family(
                "rollcall_uploads_interrupted",
                "Uploads that broke off",
                of("interrupted", false),
            ),
            family("rollcall_downloads", "Downloads", of("download", false)),
            family("rollcall_download_bytes", "Bytes of these downloads", of("download", true)),
            family(
                "rollcall_imports",
                "Imports that ended, by client and status",
                imports.collect(),
            ),
            family("rollcall_import_rows", "Rows of these imports", vec![(Vec::new(), rows)]),
            family(
                "rollcall_import_duration_seconds",
                "How long imports took",
                vec![(Vec::new(), durations)],
            ),
        ]
    }

    fn queues(&self) -> Result<Vec<Measure>> {
        let mut sessions: BTreeMap<&'static str, u64> =
            crate::model::Protocol::ALL.into_iter().map(|p| (p.name(), 0)).collect();
        for session in self.0.sessions.all() {
            *sessions.entry(session.protocol.name()).or_default() += 1;
        }
        let sessions = sessions
            .into_iter()
            .map(|(name, n)| (vec![("protocol", name.to_owned())], Reading::Gauge(wide(n))));
        let counts = self.registry().counts()?;
        let labelled = |label: &'static str, all: Vec<(String, u64)>| {
            let reading = |(name, n)| (vec![(label, name)], Reading::Gauge(wide(n)));
            all.into_iter().map(reading).collect::<Vec<_>>()
        };
        let outbox = counts.outbox.into_iter().map(|(kind, state, n)| {
            (vec![("kind", kind), ("state", state)], Reading::Gauge(wide(n)))
        });
        let age = |at: Option<Timestamp>| match at {
            Some(at) => self.clock().now().duration_since(at).as_secs_f64().max(0.0),
            None => 0.0,
        };
        let ready = age(self.oldest_ready()?);
        Ok(vec![
            Measure {
                name: "rollcall_sessions",
                help: "Sessions of accounts",
                readings: sessions.collect(),
            },
            gauge(
                "rollcall_queue_uploads",
                "Uploads that wait for their import",
                wide(counts.waiting),
            ),
            gauge(
                "rollcall_queue_age_seconds",
                "How long the oldest upload has waited whose turn it is",
                ready,
            ),
            gauge(
                "rollcall_imports_held",
                "Imports that wait for somebody's decision",
                wide(counts.held),
            ),
            Measure {
                name: "rollcall_outbox_jobs",
                help: "What is to be sent and what was sent lately, by kind and state",
                readings: outbox.collect(),
            },
            gauge(
                "rollcall_outbox_age_seconds",
                "How long the oldest job has been due",
                age(counts.outbox_due_since),
            ),
            Measure {
                name: "rollcall_alarms",
                help: "Alarms that stand, by their code",
                readings: labelled("code", counts.alarms),
            },
        ])
    }

    /// The sizes of the databases; of clients, the first `metrics.clients` by their names.
    fn databases(&self) -> Result<Vec<Measure>> {
        let clients = self.clients()?;
        let most = self.config().metrics.clients;
        let mut readings = Vec::new();
        let mut others = 0;
        for (n, client) in clients.iter().enumerate() {
            let size = std::fs::metadata(self.directory_file(&client.slug)).map_or(0, |m| m.len());
            if n < most {
                let labels = vec![("client", client.slug.clone())];
                readings.push((labels, Reading::Gauge(wide(size))));
            } else {
                others += size;
            }
        }
        if clients.len() > most {
            readings.push((vec![("client", OTHERS.to_owned())], Reading::Gauge(wide(others))));
        }
        let registry = self.data().join("registry.db");
        let registry = std::fs::metadata(registry).map_or(0, |m| m.len());
        let clients = u64::try_from(clients.len()).unwrap_or(u64::MAX);
        Ok(vec![
            gauge("rollcall_clients", "Clients", wide(clients)),
            gauge("rollcall_registry_bytes", "The size of the registry", wide(registry)),
            Measure {
                name: "rollcall_directory_bytes",
                help: "The sizes of clients' directories",
                readings,
            },
        ])
    }
}

/// The disk and this process.
fn machine(service: &Service) -> Vec<Measure> {
    let mut all = Vec::new();
    if let Ok(room) = room(service.data()) {
        let (free, total) = (room.free_bytes, room.total_bytes);
        all.push(gauge(
            "rollcall_disk_free_bytes",
            "Room on the disk of the data folder",
            wide(free),
        ));
        all.push(gauge("rollcall_disk_size_bytes", "The size of that disk", wide(total)));
    }
    if let Some(bytes) = resident_bytes() {
        all.push(gauge("process_resident_memory_bytes", "Memory of this process", wide(bytes)));
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        let open = u64::try_from(open.count()).unwrap_or(u64::MAX);
        all.push(gauge("process_open_fds", "Files and connections that are open", wide(open)));
    }
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    if let Some(limit) = limit {
        all.push(gauge("process_max_fds", "How many may be open", wide(limit)));
    }
    all
}

/// What the kernel says of this process; `None`: it is another kernel.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

fn gauge(name: &'static str, help: &'static str, value: f64) -> Measure {
    Measure { name, help, readings: vec![(Vec::new(), Reading::Gauge(value))] }
}

#[expect(clippy::as_conversions, reason = "a measurement loses nothing that matters in 53 bits")]
fn wide(n: u64) -> f64 {
    n as f64
}

#[expect(clippy::as_conversions, reason = "seconds since 1970 fit into 53 bits")]
fn float(n: i64) -> f64 {
    n as f64
}
