//! Somebody's program that webhooks call: keeps what it was told, answers as the test wants.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// One message.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// The program; it ends when it is dropped.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    /// What it answers.
    pub(crate) status: Arc<AtomicU16>,
    told: Arc<Mutex<Vec<Message>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let status = Arc::new(AtomicU16::new(204));
        let (told, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let thread = {
            let (status, told, stop) = (Arc::clone(&status), Arc::clone(&told), Arc::clone(&stop));
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    if stop.load(Ordering::Acquire) {
                        return;
                    }
                    answer(stream.unwrap(), status.load(Ordering::Acquire), &told);
                }
            })
        };
        Self { address, status, told, stop, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/told", self.address)
    }

    /// Everything that it was told and answered with 2xx.
    pub(crate) fn told(&self) -> Vec<Message> {
        self.told.lock().unwrap().clone()
    }

    /// The kinds and subjects of all events that it was told, in order.
    pub(crate) fn events(&self) -> Vec<(String, String)> {
        let of = |message: Message| {
            let events = message.json()["events"].as_array().unwrap().clone();
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            events.iter().map(|e| (text(&e["kind"]), text(&e["subject"]))).collect::<Vec<_>>()
        };
        self.told().into_iter().flat_map(of).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn answer(mut stream: TcpStream, status: u16, told: &Mutex<Vec<Message>>) {
    stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    let mut headers = BTreeMap::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 0) && line != "\r\n" {
        if let Some((name, value)) = line.trim_end().split_once(": ") {
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        line.clear();
    }
    let Some(length) = headers.get("content-length").and_then(|n| n.parse().ok()) else { return };
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    if (200..300).contains(&status) {
        told.lock().unwrap().push(Message { headers, body });
    }
    let head = format!(
        "HTTP/1.1 {status} -\r\ncontent-length: 0\r\nlocation: http://127.0.0.1:1/\r\nconnection: close\r\n\r\n"
    );
    drop(stream.write_all(head.as_bytes()));
}
