"""The server under test: starts the real binary in a temporary folder, makes clients and accounts, looks at what it did."""

import hashlib
import json
import os
import queue
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

# Deadlines are for machines that are many times slower than this one; nothing here measures how long they are.
START_S = 120
COMMAND_S = 180
STOP_S = 90


class Failed(Exception):
    """An expectation that did not hold."""


def expect(truth, what):
    if not truth:
        raise Failed(what)


def wait_for(what, look, within_s=60):
    """Asks `look` until it answers something true; the deadline is the only clock."""
    end = time.monotonic() + within_s
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > end:
            raise Failed(f"waited {within_s} s for: {what}")
        time.sleep(0.01)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Account:
    """A client of its own with one account: an import folder /payroll, a plain folder /files.

    `by_key` is what a program logs in with instead of the password: a private key, or over FTPS a certificate with its key in one file.
    """

    by_key = None

    def __init__(self, house, slug, credentials):
        self.house = house
        self.slug = slug
        self.login = credentials["login"]
        self.password = credentials.get("password")
        self.key = house.user_key
        client = house.data / "clients" / slug
        self.files = client / "files" / self.login
        self.spool = client / "spool"

    def on_disk(self, path):
        return self.files / path.lstrip("/")

    def imports(self, limit=50):
        return self.house.cli("imports", "list", self.slug, "--limit", str(limit))

    def users(self):
        return self.house.cli("users", "list", self.slug)

    def spooled(self):
        if not self.spool.exists():
            return []
        return [p for p in self.spool.iterdir() if p.is_file()]

    def report(self, path):
        """The report beside `path` as it lies on the disk; None when there is none."""
        try:
            return json.loads(self.on_disk(path + ".report.json").read_bytes())
        except FileNotFoundError:
            return None

    def expect_imported(self, path, data, within_s=120):
        """The report beside `path` is there and tells of these very bytes."""
        report = wait_for(f"a report beside {path}", lambda: self.report(path), within_s)
        told = report["file"]["sha256"]
        expect(told == sha256(data), f"the report beside {path} tells of other bytes ({told})")
        return report


class House:
    """One running server."""

    def __init__(self, binary, names=(), **settings):
        """`names`: what the server's certificate is made for (`IP:127.0.0.2`); without them the server makes its own."""
        self.binary = str(Path(binary).resolve())
        self.folder = Path(tempfile.mkdtemp(prefix="rollcall-interop-"))
        self.data = self.folder / "data"
        self.certs = self.folder / "certs"
        self.work = self.folder / "work"
        self.work.mkdir()
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith("ROLLCALL_")},
            "ROLLCALL_SFTP__LISTEN": "127.0.0.1:0",
            "ROLLCALL_ADMIN__LISTEN": "127.0.0.1:0",
            "ROLLCALL_FTPS__EXPLICIT": "127.0.0.1:0",
            "ROLLCALL_FTPS__IMPLICIT": "127.0.0.1:0",
            "ROLLCALL_FTPS__PASSIVE_PORTS": "0",
            # A machine that stands still for a while is no client that does; cases about these limits set their own.
            "ROLLCALL_LIMITS__MIN_FREE_BYTES": "0",
            "ROLLCALL_LIMITS__LOGIN_TIMEOUT_S": "120",
            "ROLLCALL_LIMITS__TLS_HANDSHAKE_TIMEOUT_S": "60",
            "ROLLCALL_LIMITS__DATA_ACCEPT_TIMEOUT_S": "60",
            "LC_ALL": "C.UTF-8",
            "RUST_BACKTRACE": "1",
            # Client programs find their known_hosts here, and nothing of whoever runs the tests.
            "HOME": str(self.folder / "home"),
            **{f"ROLLCALL_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self.process = None
        # Where client programs connect; another one when something stands between them and the server.
        self.address = "127.0.0.1"
        self.ports = {}
        # The passive ports where a test has to know them: all of a range, its last one too.
        first, last = (int(n) for n in str(settings.get("ftps__passive_ports", "0-0")).split("-"))
        self.passive = range(first, last + 1) if first else range(0)
        # The address of the administration page and the API.
        self.page = None
        self.log = self.folder / "server.log"
        self.number = 0
        self.lock = threading.Lock()
        self.user_key = self.folder / "id_ed25519"
        self.rsa_key = self.folder / "id_rsa"
        if names:
            self.make_certificate(names)
        self.start()
        self.make_user_keys()

    # Running

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.command(), "serve"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=self.env,
            )
        lines = queue.Queue()
        threading.Thread(target=self._read, args=(self.process.stdout, lines), daemon=True).start()
        end = time.monotonic() + START_S
        while True:
            try:
                line = lines.get(timeout=max(0.1, end - time.monotonic()))
            except queue.Empty:
                raise Failed(f"serve said nothing within {START_S} s; {self.log_tail()}") from None
            if line is None:
                raise Failed(f"serve ended with {self.process.wait()}; {self.log_tail()}")
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if event.get("event") == "ready":
                break
        self.page = event.get("admin")
        for name in ("sftp", "ftps", "ftpes"):
            if event.get(name):
                self.ports[name] = int(event[name].rsplit(":", 1)[1])

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.put(line)
        lines.put(None)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise Failed(f"the server did not end within {STOP_S} s of SIGTERM") from None
        if self.process and self.process.stdout:
            self.process.stdout.close()

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def panics(self):
        """Each panic in the server's log with the frames of this program."""
        found = []
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except OSError:
            lines = []
        for number, line in enumerate(lines):
            if "panicked at" in line:
                frames = [l.strip() for l in lines[number:number + 120] if "rollcall" in l and "panicked" not in l]
                found.append(" / ".join([line.strip(), *frames[:8]]))
        return found

    def log_tail(self, lines=15):
        try:
            return "its log ends: " + "\n".join(self.log.read_text().splitlines()[-lines:])
        except OSError:
            return "it has no log"

    # The command line

    def command(self):
        return [self.binary, "--data", str(self.data), "--certs", str(self.certs), "--json"]

    def cli(self, *arguments, stdin=None):
        done = subprocess.run(
            [*self.command(), *arguments], input=stdin, capture_output=True, text=True,
            env=self.env, timeout=COMMAND_S, check=False,
        )
        if done.returncode != 0:
            raise Failed(f"rollcall {' '.join(arguments)}: exit {done.returncode}: {done.stderr.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def make_certificate(self, names):
        self.certs.mkdir(mode=0o700)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
             "-subj", "/CN=rollcall.example", "-addext", f"subjectAltName={','.join(names)}",
             # As the server's own: programs over rustls take no authority's certificate for a server's.
             "-addext", "basicConstraints=critical,CA:FALSE",
             "-keyout", str(self.certs / "tls-key.pem"), "-out", str(self.certificate())],
            check=True, capture_output=True, timeout=COMMAND_S, stdin=subprocess.DEVNULL,
        )

    def make_user_keys(self):
        for kind, path in ((("-t", "ed25519"), self.user_key), (("-t", "rsa", "-b", "3072"), self.rsa_key)):
            subprocess.run(
                ["ssh-keygen", "-q", *kind, "-N", "", "-C", "interop", "-f", str(path)],
                check=True, timeout=COMMAND_S, stdin=subprocess.DEVNULL,
            )

    def account(self, name, protocols="sftp,ftps,ftpes", folders=True):
        with self.lock:
            self.number += 1
            slug = f"{name}-{self.number}"
        self.cli("client", "add", slug, "--name", name)
        credentials = self.cli(
            "account", "add", slug, "payroll", "--login", f"{slug}-login",
            "--protocols", protocols, "--key", f"{self.user_key}.pub",
        )
        self.cli("account", "key", "add", credentials["login"], f"{self.rsa_key}.pub")
        account = Account(self, slug, credentials)
        if folders:
            self.cli("folder", "add", account.login, "roster", "/payroll", "--purpose", "import")
            self.cli("folder", "add", account.login, "papers", "/files", "--purpose", "plain")
        return account

    # Trust

    def known_hosts(self):
        """The host keys as ssh-keyscan reads them from the running server."""
        path = self.folder / "known_hosts"
        own = self.folder / "home" / ".ssh" / "known_hosts"
        with self.lock:
            if not path.exists():
                done = subprocess.run(
                    ["ssh-keyscan", "-T", "60", "-p", str(self.ports["sftp"]), "127.0.0.1"],
                    capture_output=True, text=True, timeout=COMMAND_S, check=False,
                )
                expect("ssh-ed25519" in done.stdout, f"ssh-keyscan read no Ed25519 key: {done.stderr}")
                own.parent.mkdir(parents=True, mode=0o700)
                # curl asks for the type of the first line it finds, and older libssh2 cannot do RSA with SHA-2.
                own.write_text("".join(l for l in done.stdout.splitlines(True) if "ssh-ed25519" in l))
                path.write_text(done.stdout)
        return path

    def host_fingerprint(self):
        done = subprocess.run(
            ["ssh-keygen", "-l", "-f", str(self.known_hosts())],
            capture_output=True, text=True, timeout=COMMAND_S, check=True,
        )
        return next(w for line in done.stdout.splitlines() if "ED25519" in line
                    for w in line.split() if w.startswith("SHA256:"))

    def certificate(self):
        return self.certs / "tls-cert.pem"

    def connect(self, protocol, address="127.0.0.1", timeout=60):
        return socket.create_connection((address, self.ports[protocol]), timeout=timeout)


# Ports that this process has given out: bound at an address that nobody uses, so that no other test is given them meanwhile.
RESERVED = []
RESERVING = "127.77.77.77"


def reserve(ports):
    """Whether nobody uses these ports of the loopback, nor has reserved them; if so they are ours until this process ends."""
    probes, held = [], []
    try:
        for port in ports:
            held.append(socket.socket())
            held[-1].bind((RESERVING, port))
            probes.append(socket.create_server(("127.0.0.1", port)))
    except OSError:
        for each in held:
            each.close()
        return False
    finally:
        for each in probes:
            each.close()
    RESERVED.extend(held)
    return True


def free_port():
    """A port that nobody listens on, below those that the system gives to connections: it is still free a moment later."""
    return int(free_range(1).partition("-")[0])


def free_range(count=60):
    """So many ports in a row that nobody uses, below those that the system gives out."""
    for _ in range(1000):
        first = random.randrange(20_000, 32_000 - count)
        if reserve(range(first, first + count)):
            return f"{first}-{first + count - 1}"
    raise Failed(f"no {count} free ports in a row")


HEADER = "employee number;last name;first name;hire date;department\r\n"


def roster(people, day="15/02/2024", department="Paie", start=1):
    """A payroll file of `people` rows; another `day` or `department` makes other bytes."""
    rows = [
        f"{n:06d};Lefèvre-{n:06d};Zoé;{day};{department}\r\n" for n in range(start, start + people)
    ]
    return (HEADER + "".join(rows)).encode()


def wide_roster(people, mark, wide="name"):
    """Rows of 128 bytes under a header of 59: a transfer's block (a power of two) never ends at a row's end.

    Where it does end, 69 bytes into a row, lies the last name or, with `wide="department"`, the last cell.
    """
    rows = []
    for n in range(1, people + 1):
        name, department = f"N{n:07d}", mark
        room = 126 - len(f"{n:07d};{name};P;15/02/2024;{department}")
        if wide == "name":
            name += "x" * room
        else:
            department += "x" * room
        rows.append(f"{n:07d};{name};P;15/02/2024;{department}\r\n")
    return (HEADER + "".join(rows)).encode()
