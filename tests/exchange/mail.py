"""E-mails, against a real SMTP server: STARTTLS, login, 4xx then success, 5xx, a hang, a wrong certificate; a folder."""

import email
import email.policy
import json
import logging
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "interop"))

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, SMTP
from house import Failed, House, expect, free_port, wait_for

# A refused certificate is a part of the play, not something to report.
logging.getLogger("mail.log").setLevel(logging.CRITICAL + 1)
warnings.filterwarnings("ignore", module="aiosmtpd")
LOGIN, PASSWORD = b"rollcall", b"mail-secret-7"
FILE = (
    "employee number;last name;first name;hire date;birth date\r\n"
    "1;Roy;Anne;2026-02-02;1980-05-17\r\n"
    "2;Noël;Zoé;31/02/2026;1981-06-18\r\n"
)


class Post:
    """What the SMTP server does with each recipient, and what it took."""

    def __init__(self):
        self.taken = []
        self.tried = []
        self.lock = threading.Lock()
        self.hang = threading.Event()

    async def handle_RCPT(self, server, session, envelope, address, options):
        with self.lock:
            self.tried.append(address)
            tries = self.tried.count(address)
        if address.startswith("later@") and tries == 1:
            return "451 4.7.1 greylisted, come back"
        if address.startswith("nobody@"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("slow@") and tries == 1:
            import asyncio
            for _ in range(600):
                if self.hang.is_set():
                    break
                await asyncio.sleep(0.1)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        with self.lock:
            self.taken.append((list(envelope.rcpt_tos), bytes(envelope.content), session.ssl is not None,
                               bool(session.authenticated)))
        return "250 2.0.0 taken"

    def to(self, address):
        with self.lock:
            return [(email.message_from_bytes(content, policy=email.policy.default), secure, logged_in)
                    for rcpt, content, secure, logged_in in self.taken if address in rcpt]


def authenticate(server, session, envelope, mechanism, auth_data):
    good = getattr(auth_data, "login", b"") == LOGIN and getattr(auth_data, "password", b"") == PASSWORD
    return AuthResult(success=good, handled=False if not good else True)


class SmtpServer(Controller):
    def __init__(self, post, context=None, size=None, login=False, port=0, from_first_byte=None):
        super().__init__(post, hostname="127.0.0.1", port=port, ready_timeout=120, ssl_context=from_first_byte)
        self.context, self.size, self.login = context, size, login

    def factory(self):
        return SMTP(self.handler, tls_context=self.context, require_starttls=self.context is not None,
                    data_size_limit=self.size, auth_required=self.login,
                    authenticator=authenticate if self.login else None, hostname="mail.test")

    def _trigger_server(self):
        # The port is the system's choice; the base class would connect to port 0.
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def authority(folder):
    """A certificate authority and a certificate of 127.0.0.1; the authority's file and the server's TLS context."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=180)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key",
            "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test authority")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "server.key",
            "-out", "server.csr", "-subj", "/CN=127.0.0.1")
    (folder / "ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", "server.pem", "-days", "1", "-extfile", "ext")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return folder / "ca.pem", context


class Stage:
    """A server of ours with this [mail] and a client whose import folder writes to `to`."""

    def __init__(self, binary, **settings):
        self.house = House(binary, limits__reply_wait_s=60, **settings)
        self.account = self.house.account("mail", protocols="sftp")
        self.file = self.house.work / "users.csv"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.house.stop()
            found = self.house.panics()
            expect(not found, f"the server panicked: {found}")
        finally:
            self.house.remove()

    def settings(self, toml):
        self.house.cli("settings", "load", self.account.slug, "roster", "-", stdin=toml)

    def imported(self, text=FILE):
        self.file.write_bytes(text.encode())
        return self.house.cli("import", self.account.slug, str(self.file), "--folder", "roster")

    def put(self, text=FILE, name="users.csv"):
        """Over SFTP, as the client does."""
        self.file.write_bytes(text.encode())
        known = self.house.known_hosts()
        batch = f'put "{self.file}" "/payroll/{name}"\n'
        done = subprocess.run(
            ["sftp", "-q", "-b", "-", "-P", str(self.house.ports["sftp"]), "-i", str(self.house.user_key),
             "-o", f"UserKnownHostsFile={known}", "-o", "IdentitiesOnly=yes", f"{self.account.login}@127.0.0.1"],
            input=batch, capture_output=True, text=True, timeout=180, check=False)
        expect(done.returncode == 0, f"sftp: {done.stderr}")

    def mails(self):
        return self.house.cli("mail", "list", self.account.slug)

    def alarms(self):
        with_alarms = subprocess.run(
            ["sqlite3", "-json", str(self.house.data / "registry.db"),
             "SELECT client, code, subject, text FROM alarms WHERE cleared_at IS NULL"],
            capture_output=True, text=True, timeout=120, check=True).stdout
        return json.loads(with_alarms or "[]")


def over_starttls_with_login(binary):
    with tempfile.TemporaryDirectory(prefix="rollcall-mail-") as folder:
        ca, context = authority(Path(folder))
        post = Post()
        server = SmtpServer(post, context, login=True)
        server.start()
        try:
            with Stage(binary, mail__smtp=f"smtp://127.0.0.1:{server.port}", mail__ca_file=ca,
                       mail__from="Rollcall <rollcall@example.com>", mail__login=LOGIN.decode(),
                       mail__password=PASSWORD.decode(), mail__operators="ops@example.com",
                       mail__public_url="https://rollcall.example.com/") as stage:
                told = stage.house.cli("mail", "test", "anne@example.com", "--language", "fr")
                expect("took the message" in told["how"], told)
                test = post.to("anne@example.com")[0]
                expect(test[1] and test[2], "the test message came without TLS or login")
                expect(test[0]["Subject"].startswith("[TEST] "), test[0]["Subject"])
                stage.settings('[mail]\nto = ["Zoé Noël <zoe@example.com>", "fr:later@example.com", '
                               '"de:nobody@example.com", { user = "1", language = "de" }]\n'
                               'attach = ["csv", "corrections"]\n')
                stage.put()
                report(stage, post)
                later = wait_for("the greylisted message", lambda: post.to("later@example.com"), 240)
                expect(later[0][0]["Subject"].startswith("[PARTIEL] users.csv – 1 ligne à corriger"),
                       later[0][0]["Subject"])
                bounced(stage, post)
        finally:
            post.hang.set()
            server.stop()


def report(stage, post):
    message, secure, logged_in = wait_for("the report's message", lambda: post.to("zoe@example.com"))[0]
    expect(secure and logged_in, "the report came without TLS or login")
    expect(message["Subject"] == "[PARTIAL] users.csv – 1 row to correct (mail)", message["Subject"])
    expect(message["Auto-Submitted"] == "auto-generated", "Auto-Submitted is missing")
    expect(message["Message-ID"] and message["Date"], "Message-ID or Date is missing")
    expect(message["To"].addresses[0].display_name == "Zoé Noël", message["To"])
    kinds = [part.get_content_type() for part in message.walk()]
    expect(kinds == ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/csv", "text/csv"], kinds)
    text = message.get_body(("plain",)).get_content()
    html = message.get_body(("html",)).get_content()
    for wanted in ("Line 3", "31/02/2026", "/payroll/users.csv.report.csv", "https://rollcall.example.com/imports/"):
        expect(wanted in text and wanted in html, f"{wanted!r} is missing:\n{text}")
    # The person's own birth date is in no body: only the corrections, which were asked for, have it.
    expect("1981" not in text and "1981" not in html and "18/06" not in text, "a birth date is in the body")
    names = [part.get_filename() for part in message.iter_attachments()]
    expect(names == ["users.csv.report.csv", "users.csv.corrections.csv"], names)


def bounced(stage, post):
    def given_up():
        states = {mail["to"]: mail["state"] for mail in stage.mails()}
        return states.get("nobody@example.com") == "failed" and states.get("zoe@example.com") == "done"
    wait_for("the bounce in the list", given_up)
    why = [mail["failure"] for mail in stage.mails() if mail["to"] == "nobody@example.com"][0]
    expect("no such mailbox" in why, why)
    # Anne (number 1) is in the directory without an address: that is told too, and nobody else is held up.
    for subject in ("nobody@example.com", "user 1"):
        wait_for(f"the alarm about {subject}", lambda s=subject: ("T08", s) in {(a["code"], a["subject"]) for a in stage.alarms()})
    alarms = wait_for("the alarms' messages", lambda: len(post.to("ops@example.com")) >= 2 and post.to("ops@example.com"), 240)
    expect(all(message["Subject"].startswith("[ALARM T08] ") for message, _, _ in alarms), "an alarm's subject")
    expect(len(post.tried) == len([t for t in post.tried if t != "nobody@example.com"]) + 1, "a 5xx was tried again")


def over_tls_from_the_first_byte(binary):
    with tempfile.TemporaryDirectory(prefix="rollcall-mail-") as folder:
        ca, context = authority(Path(folder))
        post = Post()
        server = SmtpServer(post, from_first_byte=context)
        server.start()
        try:
            address = f"smtps://127.0.0.1:{server.port}"
            with Stage(binary, mail__smtp=address, mail__ca_file=ca, mail__from="r@example.com") as stage:
                stage.house.cli("mail", "test", "anne@example.com")
                expect(len(post.to("anne@example.com")) == 1, "the message did not arrive")
            # Without the authority the server is nobody's; without TLS it has nothing to say.
            with Stage(binary, mail__smtp=address, mail__from="r@example.com") as stage:
                refused(stage, "certificate")
        finally:
            server.stop()
        expect(len(post.tried) == 1, "something was sent to a server that nobody vouches for")


def a_wrong_certificate_gets_nothing(binary):
    with tempfile.TemporaryDirectory(prefix="rollcall-mail-") as folder:
        _, context = authority(Path(folder))
        post = Post()
        server = SmtpServer(post, context)
        server.start()
        try:
            with Stage(binary, mail__smtp=f"smtp://127.0.0.1:{server.port}", mail__from="r@example.com") as stage:
                refused(stage, "certificate")
        finally:
            server.stop()
        expect(post.tried == [], "something was sent in spite of a wrong certificate")


def no_starttls_gets_nothing(binary):
    post = Post()
    server = SmtpServer(post)
    server.start()
    try:
        with Stage(binary, mail__smtp=f"smtp://127.0.0.1:{server.port}", mail__from="r@example.com") as stage:
            refused(stage, "STARTTLS")
    finally:
        server.stop()
    expect(post.tried == [], "something was sent in plain text")


def refused(stage, word):
    try:
        stage.house.cli("mail", "test", "anne@example.com")
    except Failed as failed:
        expect(word.lower() in str(failed).lower(), str(failed))
        return
    raise Failed("the test message was sent")


def a_hang_ends_and_a_large_message_goes_without_attachments(binary):
    post = Post()
    server = SmtpServer(post, size=30_000)
    server.start()
    try:
        with Stage(binary, mail__smtp=f"smtp://127.0.0.1:{server.port}", mail__from="r@example.com",
                   mail__starttls="off", mail__timeout_s=6) as stage:
            stage.settings('[mail]\nto = ["large@example.com", "slow@example.com"]\nattach = ["html"]\n')
            rows = "".join(f"{n};Nom{n};Prénom{n};31/02/2026;1980-01-01\r\n" for n in range(3, 300))
            stage.imported(FILE + rows)
            message, _, _ = wait_for("the large message", lambda: post.to("large@example.com"), 240)[0]
            expect(list(message.iter_attachments()) == [], "the attachment went along")
            expect("too large" in message.get_body(("plain",)).get_content(), "nobody says that it is missing")
            expect("more are in the full report" in message.get_body(("plain",)).get_content(), "20 problems at most")
            wait_for("the try after the hang", lambda: post.to("slow@example.com"), 240)
            expect(post.tried.count("slow@example.com") >= 2, post.tried)
    finally:
        post.hang.set()
        server.stop()


class Scripted:
    """A mail server word for word: `answers` by the first word of a command, 250 to every other; `behind` is said in the same breath as
    the answer to STARTTLS, before TLS begins."""

    def __init__(self, answers, context=None, behind=b""):
        self.answers, self.context, self.behind = answers, context, behind
        self.heard, self.under_tls = [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            connection.sendall(self.answers.get("greeting", b"220 mail.test\r\n"))
            lines = connection.makefile("rb")
            while line := lines.readline():
                word = line.split()[0].decode().upper() if line.split() else ""
                self.heard.append(word)
                if word == "STARTTLS":
                    connection.sendall(b"220 go\r\n" + self.behind)
                    connection = self.context.wrap_socket(connection, server_side=True)
                    lines = connection.makefile("rb")
                    continue
                if isinstance(connection, ssl.SSLSocket):
                    self.under_tls.append(word)
                default = b"250-mail.test\r\n250 STARTTLS\r\n" if word == "EHLO" else b"250 ok\r\n"
                connection.sendall(self.answers.get(word, default))
        except OSError:
            pass
        finally:
            connection.close()

    def end(self):
        self.listener.close()


def answers_in_plain_text_count_for_nothing_under_tls(binary):
    """RFC 3207, section 6: who can only write into the line makes no message vanish."""
    with tempfile.TemporaryDirectory(prefix="rollcall-mail-") as folder:
        ca, context = authority(Path(folder))
        server = Scripted({}, context, b"250-mail.test\r\n250 OK\r\n" + b"250 ok\r\n" * 2 + b"354 go\r\n250 queued\r\n221 bye\r\n")
        try:
            with Stage(binary, mail__smtp=f"smtp://127.0.0.1:{server.port}", mail__ca_file=ca, mail__from="r@example.com") as stage:
                refused(stage, "before TLS")
                expect("DATA" not in server.heard, server.heard)
        finally:
            server.end()


def what_is_the_servers_fault_uses_no_message_up(binary):
    """Sender, greeting and EHLO are the same for every message: it waits, and the alarm is about the server."""
    for answers in ({"MAIL": b"550 5.7.60 sender r@example.com not allowed\r\n"}, {"greeting": b"554 5.7.1 your address is blocked\r\n"},
                    {"EHLO": b"550 5.7.1 HELO name refused\r\n"}):
        server = Scripted(answers)
        try:
            with Stage(binary, mail__smtp=f"smtp://127.0.0.1:{server.port}", mail__from="r@example.com", mail__starttls="off") as stage:
                stage.settings('[mail]\nto = ["anne@example.com"]\n')
                stage.imported()
                wait_for("two tries", lambda: (stage.mails() or [{"attempts": 0}])[0]["attempts"] >= 2, 120)
                expect([mail["state"] for mail in stage.mails()] == ["waiting"], stage.mails())
                subjects = wait_for("the alarm", lambda: [alarm["subject"] for alarm in stage.alarms() if alarm["code"] == "T08"])
                expect(subjects == ["mail server"], subjects)
        finally:
            server.end()


def a_folder_takes_each_message_once(binary):
    with tempfile.TemporaryDirectory(prefix="rollcall-mail-") as folder:
        out = Path(folder) / "out"
        with Stage(binary, mail__dir=out, mail__from="Rollcall <r@example.com>") as stage:
            stage.settings('[mail]\nto = ["a@example.com"]\non = "problems"\n')
            good = FILE.replace("31/02/2026", "2026-02-03")
            stage.imported(good)
            try:
                stage.imported(held_file())
            except Failed as told:
                expect("held, nothing was applied" in str(told), str(told))
            first = wait_for("the held message", lambda: read(out))
            expect(len(first) == 1, [m["Subject"] for m in first])
            expect(first[0]["Subject"].startswith("[HELD] users.csv – waits for approval"), first[0]["Subject"])
            text = first[0].get_body(("plain",)).get_content()
            for wanted in ("rollcall imports approve ", "rollcall imports discard ", "It waits until "):
                expect(wanted in text.replace(" \n", " "), f"{wanted!r} is missing:\n{text}")
            waiting = [i for i in stage.account.imports() if i["status"] == "held"][0]["id"]
            stage.house.cli("imports", "approve", waiting)
            both = wait_for("the message after approval", lambda: len(read(out)) == 2 and read(out))
            decided = [m for m in both if not m["Subject"].startswith("[HELD]")][0]
            expect("Approved" in decided.get_body(("plain",)).get_content(), decided["Subject"])
            expect(decided["References"] == first[0]["References"], "the two are no conversation")
            expect(not [p for p in out.iterdir() if not p.name.endswith(".eml")], "something half-written lies there")


def what_is_queued_survives_kill_9(binary):
    post = Post()
    port = free_port()
    # Nobody listens there until the mail server comes.
    with Stage(binary, mail__smtp=f"smtp://127.0.0.1:{port}", mail__from="r@example.com", mail__starttls="off") as stage:
        stage.settings('[mail]\nto = ["a@example.com", "b@example.com"]\n')
        stage.put()
        wait_for("both messages in the queue", lambda: len(stage.mails()) == 2)
        stage.house.process.kill()
        stage.house.process.wait()
        server = SmtpServer(post, port=port)
        server.start()
        try:
            stage.house.start()
            wait_for("the messages to leave", lambda: all(m["state"] == "done" for m in stage.mails()), 240)
            expect(len(post.to("a@example.com")) == len(post.to("b@example.com")) == 1, post.tried)
        finally:
            server.stop()


def held_file():
    """Everybody but one leaves, and many are new: a guard holds it."""
    rows = "".join(f"{n};Nom{n};Prénom{n};2026-02-02;1980-01-01\r\n" for n in range(100, 200))
    return FILE.splitlines()[0] + "\r\n1;Roy;Anne;2026-02-02;1980-05-17\r\n" + rows


def read(folder):
    if not folder.exists():
        return []
    files = sorted(p for p in folder.iterdir() if p.name.endswith(".eml"))
    return [email.message_from_bytes(p.read_bytes(), policy=email.policy.default) for p in files]


CHECKS = [
    over_starttls_with_login,
    over_tls_from_the_first_byte,
    a_wrong_certificate_gets_nothing,
    no_starttls_gets_nothing,
    a_hang_ends_and_a_large_message_goes_without_attachments,
    answers_in_plain_text_count_for_nothing_under_tls,
    what_is_the_servers_fault_uses_no_message_up,
    a_folder_takes_each_message_once,
    what_is_queued_survives_kill_9,
]


def run(house, check):
    """Each check brings up a server of its own: its [mail] is another."""
    for one in CHECKS:
        name = "mail: " + one.__name__.replace("_", " ")
        try:
            one(house.binary)
            check(name, True, "")
        except (Failed, OSError, subprocess.SubprocessError, KeyError, IndexError) as why:
            check(name, False, str(why))


if __name__ == "__main__":
    results = []

    class Given:
        binary = os.path.abspath(sys.argv[1])

    wanted = sys.argv[2:]
    if wanted:
        CHECKS = [one for one in CHECKS if one.__name__ in wanted]
    run(Given, lambda name, ok, why: results.append(ok) or print("ok" if ok else f"FAILED {why}", name, flush=True))
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    sys.exit(results.count(False) > 0)
