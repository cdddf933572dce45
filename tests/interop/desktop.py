"""FileZilla, a program with windows, on a screen of its own that nobody sees: its settings, sites and queue are written before it starts."""

import base64
import os
import shutil
import sqlite3
import subprocess
import threading
import time
from pathlib import Path
from xml.sax.saxutils import escape

from clients import TIMEOUT_S, Client, Outcome
from house import Failed, wait_for
from others import TITLES

# As FileZilla numbers them in sitemanager.xml and in its queue.
PROTOCOLS = {"sftp": 1, "ftps": 3, "ftpes": 4}
NORMAL, KEY_FILE = 1, 5
DOWNLOAD = 16
OVERWRITE, RESUME = 1, 5
DONE, BROKEN = "Status: File transfer successful", ("Error: File transfer failed", "Error: Critical", "Error: Could not connect")
# X servers that start at the same time may choose the same number.
STARTING = threading.Lock()


# The tables of queue.sqlite3, as far as they are needed.
QUEUE = """
CREATE TABLE servers (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, host TEXT NOT NULL, port INTEGER, user TEXT, password TEXT,
    account TEXT, keyfile TEXT, protocol INTEGER, type INTEGER, logontype INTEGER, timezone_offset INTEGER, transfer_mode TEXT,
    max_connections INTEGER, encoding TEXT, bypass_proxy INTEGER, post_login_commands TEXT, name TEXT, parameters TEXT,
    site_path TEXT DEFAULT NULL);
CREATE TABLE files (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, server INTEGER NOT NULL, source_file TEXT, target_file TEXT,
    local_path INTEGER, remote_path INTEGER, size INTEGER, error_count INTEGER, priority INTEGER, flags INTEGER,
    default_exists_action INTEGER, extra_flags TEXT);
CREATE TABLE local_paths (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, path TEXT NOT NULL);
CREATE TABLE remote_paths (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, path TEXT NOT NULL);
"""


def ed25519_point(key):
    """The point of an Ed25519 key as PuTTY's list of host keys wants it: x and y (RFC 8032, 5.1.3)."""
    p = 2**255 - 19
    number = int.from_bytes(key, "little")
    y, odd = number & ((1 << 255) - 1), number >> 255
    d = -121665 * pow(121666, p - 2, p)
    square = (y * y - 1) * pow(d * y * y + 1, p - 2, p) % p
    x = pow(square, (p + 3) // 8, p)
    if (x * x - square) % p:
        x = x * pow(2, (p - 1) // 4, p) % p
    return (p - x if x & 1 != odd else x), y


def document(inner):
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<FileZilla3 version="3.63.0" platform="*nix">{inner}</FileZilla3>\n'


def spread(_, here, there):
    return [("put", path, f"{there}/{path.relative_to(here)}") for path in sorted(Path(here).rglob("*")) if path.is_file()]


class Screen:
    """An X server without a screen, for one program."""

    def __init__(self, log):
        with STARTING, log.open("ab") as told:
            read, write = os.pipe()
            self.process = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x900x24", "-nolisten", "tcp"],
                                            pass_fds=[write], stdin=subprocess.DEVNULL, stdout=told, stderr=told)
            os.close(write)
            with os.fdopen(read) as numbers:
                number = numbers.readline().strip()
        if not number:
            self.close()
            raise Failed(f"Xvfb gave no display: {log.read_text()[-500:]}")
        self.name = f":{number}"

    def tool(self, *words):
        return subprocess.run(["xdotool", *words], env={**os.environ, "DISPLAY": self.name}, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=TIMEOUT_S, check=False).stdout

    def windows(self):
        """The titles of the windows that are there to be seen."""
        found = self.tool("search", "--onlyvisible", "--name", ".").split()
        return [title for each in found for title in [self.tool("getwindowname", each).strip()] if title]

    def close(self):
        self.process.terminate()
        self.process.wait(60)


class FileZilla(Client):
    """Uploads and downloads of its queue, done when its user presses Ctrl+P. A dialogue (an unknown key, a wrong password) ends them."""

    needs = "filezilla"
    shows_answers = True
    can = {"put", "get", "resume", "resume-get", "put-tree"}
    large_mib = 30

    def __init__(self, protocol):
        self.protocol = protocol
        self.name = f"FileZilla, {TITLES[protocol]}"
        if protocol == "sftp":
            self.can = self.can | {"key"}
        else:
            # It goes where the answer to PASV says: past the line that breaks here.
            self.cannot = {"line broken, sent again": "–"}

    def missing(self):
        absent = [p for p in ("Xvfb", "xdotool") if not shutil.which(p)]
        return super().missing() or (f"{absent[0]} is not installed" if absent else None)

    def run(self, account, steps, password=None):
        home = account.house.work / f"{account.slug}-{os.urandom(4).hex()}-filezilla"
        log = home / "log.txt"
        # A folder is queued file by file; the folders are made on the way.
        steps = [each for step in steps for each in (spread(*step) if step[0] == "put-tree" else [step])]
        self.furnish(account, home)
        self.fill_queue(account, home / ".config" / "filezilla" / "queue.sqlite3", steps, password)
        screen = Screen(home / "screen.txt")
        try:
            env = {**account.house.env, "HOME": str(home), "DISPLAY": screen.name, "NO_AT_BRIDGE": "1",
                   "DBUS_SESSION_BUS_ADDRESS": "disabled:"}
            with (home / "said.txt").open("wb") as said:
                process = subprocess.Popen(["filezilla"], env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
            try:
                why = self.watch(process, screen, log, len(steps))
            finally:
                process.kill()
                process.wait()
        finally:
            screen.close()
        told = log.read_text(errors="replace") if log.exists() else ""
        return Outcome(why is None, told + (why or ""))

    def furnish(self, account, home):
        """What FileZilla knows before it starts: that nobody wants its greeting, and whom to trust."""
        own = home / ".config" / "filezilla"
        own.mkdir(parents=True)
        settings = {"Greeting version": "3.63.0", "Prompt password save": 0, "Language Code": "en", "Queue completion action": 0,
                    "Number of Transfers": 1, "Reconnect count": 0, "Timeout": 180, "Logging file": home / "log.txt"}
        inner = "".join(f'<Setting name="{name}">{escape(str(value))}</Setting>' for name, value in settings.items())
        (own / "filezilla.xml").write_text(document(f"<Settings>{inner}</Settings>"))
        house = account.house
        port = house.ports[self.protocol]
        if self.protocol == "sftp":
            keys = [line.split()[2] for line in house.known_hosts().read_text().splitlines() if " ssh-ed25519 " in line]
            x, y = ed25519_point(base64.b64decode(keys[0])[-32:])
            (home / ".putty").mkdir()
            (home / ".putty" / "sshhostkeys").write_text(f"ssh-ed25519@{port}:{house.address} {x:#x},{y:#x}\n")
        else:
            pem = house.certificate().read_text().split("-----")[2]
            now = int(time.time())
            told = {"Data": base64.b64decode(pem).hex(), "ActivationTime": now - 3600, "ExpirationTime": now + 86_400,
                    "Host": house.address, "Port": port, "TrustSANs": 0}
            inner = "".join(f"<{name}>{value}</{name}>" for name, value in told.items())
            (own / "trustedcerts.xml").write_text(document(f"<TrustedCerts><Certificate>{inner}</Certificate></TrustedCerts>"))

    def fill_queue(self, account, path, steps, password):
        """The queue as FileZilla keeps it from one day to the next."""
        by_key = account.by_key and password is None
        database = sqlite3.connect(path)
        with database:
            database.executescript(QUEUE)
            database.execute(
                "INSERT INTO servers (id, host, port, user, password, keyfile, protocol, type, logontype, timezone_offset, transfer_mode,"
                " max_connections, encoding, bypass_proxy, name) VALUES (1, ?, ?, ?, ?, ?, ?, 0, ?, 0, 'default', 0, 'Auto', 0, 'payroll')",
                (account.house.address, account.house.ports[self.protocol], account.login,
                 None if by_key else password or account.password, str(account.by_key) if by_key else None,
                 PROTOCOLS[self.protocol], KEY_FILE if by_key else NORMAL))
            for number, (what, one, other) in enumerate(steps, 1):
                downloads = what in ("get", "resume-get")
                here, there = (other, one) if downloads else (one, other)
                here, (folder, name) = Path(here), there.rsplit("/", 1)
                parts = [part for part in folder.split("/") if part]
                remote = " ".join(["1 0", *[f"{len(part)} {part}" for part in parts]])
                database.execute("INSERT INTO local_paths VALUES (?, ?)", (number, f"{here.parent}/"))
                database.execute("INSERT INTO remote_paths VALUES (?, ?)", (number, remote))
                source, target = (name, here.name) if downloads else (here.name, name)
                size = -1 if downloads else here.stat().st_size
                database.execute(
                    "INSERT INTO files (id, server, source_file, target_file, local_path, remote_path, size, priority, flags,"
                    " default_exists_action) VALUES (?, 1, ?, ?, ?, ?, ?, 2, ?, ?)",
                    (number, source, target, number, number, size, DOWNLOAD if downloads else 0,
                     RESUME if what.startswith("resume") else OVERWRITE))
        database.close()

    @staticmethod
    def watch(process, screen, log, wanted):
        """Presses Ctrl+P and looks until all is done: None, or why it is not."""
        wait_for("FileZilla's window", lambda: process.poll() is not None or "FileZilla" in screen.windows(), TIMEOUT_S)
        end, pressed = time.monotonic() + TIMEOUT_S, 0
        while time.monotonic() < end:
            told = log.read_text(errors="replace") if log.exists() else ""
            if not told and time.monotonic() > pressed + 15:
                # Pressed again only if nothing came of it: the second press would stop the queue.
                screen.tool("search", "--onlyvisible", "--name", "^FileZilla$", "windowfocus", "key", "ctrl+p")
                pressed = time.monotonic()
            broken = [line for line in told.splitlines() if any(word in line for word in BROKEN)]
            if broken:
                return broken[0]
            if told.count(DONE) >= wanted:
                return None
            asks = [title for title in screen.windows() if not title.endswith("FileZilla")]
            if asks:
                return f"FileZilla asks: {asks}"
            if process.poll() is not None:
                return f"FileZilla ended with {process.returncode}: {(log.parent / 'said.txt').read_text(errors='replace')[-500:]}"
            time.sleep(0.1)
        return f"FileZilla was not done within {TIMEOUT_S} s"


ALL = [FileZilla("sftp"), FileZilla("ftps"), FileZilla("ftpes")]
