"""Fetching from and delivering to other people's servers: versions, companions, what stays, and ends between any two steps."""

import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import proxy
import servers

ROSTER = "employeeNumber;lastName;firstName;mail;dtContractStart;department\n" \
    "0001;Roy;Zoe;zoe@x.example;2020-01-13;Sales\n0002;;Lea;lea@x.example;2020-02-01;IT\n"
DEADLINE_S = 240
SETTINGS = '[fetch]\ntrigger = "manual"\nsettle_s = 1\n'


class Place:
    """A Rollcall with one client whose files lie on `server`."""

    def __init__(self, binary, server, kind, after="leave", extra="", by_key=True):
        self.binary, self.server = binary, server
        self.folder = Path(tempfile.mkdtemp(prefix="rollcall-exchange-"))
        self.running, self.more = None, {}
        for name in ("in", "out"):
            path = server.root / name
            path.mkdir(exist_ok=True)
            os.chmod(path, 0o777)
        self.cli("client", "add", "acme", "--time-zone", "Europe/Paris")
        words = ["account", "add", "acme", "Server", "--remote", kind, f"{server.host}:{server.port}", "--login", server.login]
        secret = None
        if kind == "sftp" and by_key:
            key = self.folder / "key"
            key.write_text(server.keys["ed25519"])
            os.chmod(key, 0o600)
            words += ["--key", key, "--pin", server.pins["ed25519"]]
        else:
            words += ["--password-stdin", "--pin", server.certificate]
            secret = server.password
        self.login = self.json(*words, stdin=secret)["account"]
        self.cli("folder", "add", self.login, "in", server.path("in"), "--purpose", "import", "--pattern", "*.csv")
        self.cli("folder", "add", self.login, "out", server.path("out"), "--purpose", "export")
        self.settings(f'{SETTINGS}after = "{after}"\n{extra}')

    def settings(self, text):
        (self.folder / "settings.toml").write_text(text)
        self.cli("settings", "load", "acme", "in", self.folder / "settings.toml")

    def env(self, fault=None):
        env = {"PATH": os.environ["PATH"], "ROLLCALL_OUTGOING__ALLOW": "127.0.0.0/8", "ROLLCALL_SFTP__LISTEN": "127.0.0.1:0",
               "ROLLCALL_FTPS__EXPLICIT": "off", "ROLLCALL_FTPS__IMPLICIT": "off",
               "ROLLCALL_ADMIN__LISTEN": "127.0.0.1:0", "ROLLCALL_LIMITS__MIN_FREE_BYTES": "0", **self.more}
        return {**env, "ROLLCALL_FAULT": fault} if fault else env

    def cli(self, *words, stdin=None, fault=None, good=True):
        done = subprocess.run(
            [str(self.binary), *map(str, words)], cwd=self.folder, env=self.env(fault), capture_output=True, text=True,
            input=stdin or "", timeout=300)
        if good and done.returncode != 0:
            raise AssertionError(f"{words}: {done.returncode} {done.stdout} {done.stderr}")
        return done

    def json(self, *words, **options):
        return json.loads(self.cli("--json", *words, **options).stdout)

    def serve(self, fault=None):
        self.running = subprocess.Popen(
            [str(self.binary), "--json", "serve"], cwd=self.folder, env=self.env(fault), stdout=subprocess.PIPE,
            stderr=(self.folder / "log").open("ab"), text=True)
        self.running.stdout.readline()
        return self

    def stop(self):
        if self.running:
            self.running.send_signal(signal.SIGTERM)
            self.running.wait(120)
            self.running = None

    def killed(self):
        code = self.running.wait(DEADLINE_S)
        self.running = None
        return code != 0

    def put(self, name, text, folder="in"):
        path = self.server.root / folder / name
        part = path.with_name(f".{name}.tmp-of-test")
        part.write_text(text)
        os.chmod(part, 0o666)
        part.rename(path)
        return path

    def names(self, folder="in"):
        return sorted(p.name for p in (self.server.root / folder).iterdir())

    def report(self, name="users.csv"):
        path = self.server.root / "in" / f"{name}.report.json"
        try:
            return json.loads(path.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None

    def imports(self):
        return self.json("imports", "list", "acme")

    def fetch(self):
        return self.json("fetch", "acme", "in")

    def wait(self, done, what):
        end = time.monotonic() + DEADLINE_S
        while not done():
            if time.monotonic() > end:
                log = (self.folder / "log").read_text(errors="replace")[-3000:]
                raise AssertionError(f"{what}: {self.names()} {self.names('out')} {self.imports()}\n{log}")
            time.sleep(0.1)

    def settled(self):
        """Every delivery has gone out."""
        return all(job["state"] != "waiting" for job in self.json("outbox", "list", "acme"))

    def parts(self):
        return [n for folder in ("in", "out") for n in self.names(folder) if n.startswith(".rollcall-")]


def story(house, kind, server, name):
    """One file from the client's server to its report, and a file back."""
    place = Place(house.binary, server, kind).serve()
    try:
        place.put("users.csv", ROSTER)
        place.put("notes.txt", "no roster")
        first = place.fetch()
        house.check(f"{name}: a file is fetched once it has settled", len(first["fetched"]) == 1, first)
        place.wait(lambda: place.report() is not None and place.settled(), "the report comes back")
        report = place.report()
        house.check(f"{name}: its report lies beside it",
                    report["status"] == "partial" and report["counts"]["created"] == 1, report)
        beside = place.names()
        house.check(f"{name}: with corrections, and nothing half",
                    "users.csv.corrections.csv" in beside and "users.csv.report.csv" in beside and not place.parts(), beside)
        again = place.fetch()
        house.check(f"{name}: neither the file nor our own corrections are fetched again",
                    not again["fetched"] and len(place.imports()) == 1, (again, place.imports()))
        third = place.fetch()
        house.check(f"{name}: our corrections are known from then on", not third["waiting"], third)
        time.sleep(1.1)
        place.put("users.csv", ROSTER.replace("0002;;", "0002;Noir;"))
        place.fetch()
        place.wait(lambda: (place.report() or {}).get("status") == "ok" and place.settled(), "the second report")
        house.check(f"{name}: a newer version is imported, and old corrections go",
                    len(place.imports()) == 2 and "users.csv.corrections.csv" not in place.names(), place.names())
        file = place.folder / "absences.csv"
        file.write_text("a;b\n1;2\n")
        dropped = place.json("drop", "acme", "out", file)
        place.wait(lambda: place.json("drops", "show", dropped["id"])["state"] == "delivered", "the drop")
        house.check(f"{name}: a file is delivered whole under its own name",
                    (server.root / "out" / "absences.csv").read_text() == file.read_text() and not place.parts(),
                    place.names("out"))
        file.write_text("a;b\n3;4\n")
        dropped = place.json("drop", "acme", "out", file)
        place.wait(lambda: place.json("drops", "show", dropped["id"])["state"] == "delivered", "the second drop")
        house.check(f"{name}: a newer one takes its place",
                    (server.root / "out" / "absences.csv").read_text() == file.read_text(), place.names("out"))
    finally:
        place.stop()


def afterwards(house, make, name, kind):
    """Files that are moved away or deleted once they were fetched."""
    for after in ("archive", "delete"):
        server = make()
        place = Place(house.binary, server, kind, after).serve()
        try:
            place.put("users.csv", ROSTER)
            fetched = place.fetch()
            place.wait(lambda: place.report() is not None and place.settled(), "the report")
            archived = list((server.root / "in").glob("archive/*-users.csv"))
            ok = "users.csv" not in place.names() and len(archived) == (after == "archive")
            house.check(f"{name}: after = {after}", ok and not place.parts(), (fetched, place.names(), archived))
            time.sleep(1.1)
            place.put("users.csv", ROSTER)
            place.fetch()
            place.wait(lambda: [i["status"] != "waiting" for i in place.imports()] == [True, True] and place.settled(),
                       "the same bytes sent again")
            house.check(f"{name}: after = {after}: a file that is sent again is a new one",
                        place.imports()[0]["status"] == "duplicate", place.imports())
        finally:
            place.stop()
            server.stop()


def companions(house, server):
    place = Place(house.binary, server, "sftp", extra='ready = "companion"\ncompanion = ".done"\n').serve()
    try:
        place.put("users.csv", ROSTER)
        waits = place.fetch()
        house.check("a file without its companion waits", not waits["fetched"] and waits["waiting"], waits)
        place.put("users.done", "")
        house.check("its companion announces it", len(place.fetch()["fetched"]) == 1, place.names())
        time.sleep(1.1)
        place.put("users.csv", ROSTER.replace("Zoe", "Zoé"))
        waits = place.fetch()
        house.check("yesterday's companion announces nothing", not waits["fetched"] and waits["waiting"], waits)
        place.put("users.done", "")
        house.check("a new one does", len(place.fetch()["fetched"]) == 1, place.names())
    finally:
        place.stop()


def growing(house, server):
    """A file that grows is not touched before it has come to rest."""
    place = Place(house.binary, server, "sftp").serve()
    try:
        place.settings(SETTINGS.replace("settle_s = 1", "settle_s = 5"))
        path, enough = place.put("users.csv", ROSTER), threading.Event()

        def grow():
            while not enough.wait(0.1):
                with path.open("a") as file:
                    file.write("x\n")

        writer = threading.Thread(target=grow)
        writer.start()
        try:
            outcome = place.fetch()
        finally:
            enough.set()
            writer.join()
        house.check("a growing file is left alone", not outcome["fetched"], outcome)
        house.check("and fetched when it rests", len(place.fetch()["fetched"]) == 1, place.names())
    finally:
        place.stop()


def ends(house, server):
    """The program ends between any two steps: nothing twice, nothing lost, nothing half."""
    fetch = ["fetch.copied", "fetch.archived", "fetch.recorded", "fetch.handed_on", "fetch.settling"]
    report = ["import.begun", "apply.committed", "report.sending", "report.sent", "report.naming", "report.named"]
    for step in fetch + report:
        for old in (server.root / "in").rglob("*") if (server.root / "in").exists() else []:
            old.unlink() if old.is_file() else None
        place = Place(house.binary, server, "sftp", "delete" if step == "fetch.settling" else "leave")
        try:
            place.put("users.csv", ROSTER)
            if step in fetch:
                killed = place.cli("fetch", "acme", "in", fault=f"kill:{step}", good=False).returncode != 0
                place.serve()
            else:
                place.serve(f"kill:{step}")
                place.fetch()
                killed = place.killed()
                place.serve()
            place.fetch()
            place.wait(lambda: place.report() is not None and place.settled(), step)
            place.fetch()
            imports = place.imports()
            ok = len(imports) == 1 and imports[0]["status"] == "partial" and place.report()["import"] == imports[0]["id"]
            spool = list((place.folder / "data/clients/acme/spool").iterdir())
            house.check(f"killed at {step}: one import, one whole report", killed and ok and not spool and not place.parts(),
                        (killed, imports, place.names(), spool))
        finally:
            place.stop()
    for step in ["delivery.sent", "delivery.renaming", "delivery.renamed"]:
        for taken in (False, True):
            place = Place(house.binary, server, "sftp").serve(f"kill:{step}")
            try:
                file = place.folder / f"{step}-{taken}.csv"
                file.write_text("a;b\n1;2\n")
                dropped = place.json("drop", "acme", "out", file)
                killed = place.killed()
                lies = server.root / "out" / file.name
                was_there = lies.exists()
                if taken and was_there:
                    lies.unlink()
                place.serve()
                place.wait(lambda: place.json("drops", "show", dropped["id"])["state"] == "delivered", step)
                ok = lies.exists() != (taken and was_there) and was_there == (step == "delivery.renamed")
                house.check(f"killed at {step}, {'taken away' if taken else 'left'}: it comes once", killed and ok and not place.parts(),
                            (killed, was_there, place.names("out")))
            finally:
                place.stop()


def refusals(house, server):
    """A server that refuses: said in words, and what can go on goes on."""
    place = Place(house.binary, server, "ftpes", "delete").serve()
    try:
        os.chmod(server.root / "out", 0o555)
        file = place.folder / "x.csv"
        file.write_text("1")
        dropped = place.json("drop", "acme", "out", file)
        # On a busy machine a try may end before the server has said anything: the next one is refused.
        place.wait(lambda: "T03" in [a["code"] for a in place.json("alarms", "acme")], "a refusal")
        shown = place.json("drops", "show", dropped["id"])
        alarms = place.json("alarms", "acme")
        house.check("a refused delivery waits, says why, and raises T03",
                    shown["state"] == "waiting" and shown["note"] and [a["code"] for a in alarms] == ["T03"], (shown, alarms))
        os.chmod(server.root / "out", 0o777)
        place.json("drops", "retry", dropped["id"])
        place.wait(lambda: place.json("drops", "show", dropped["id"])["state"] == "delivered", "the retry")
        house.check("it comes once it may, and the alarm is over",
                    (server.root / "out" / "x.csv").exists() and not place.json("alarms", "acme"), place.names("out"))
        place.put("users.csv", ROSTER)
        os.chmod(server.root / "in", 0o555)
        first, second = place.fetch(), place.fetch()
        house.check("a fetched file that cannot be deleted is imported once, and that is said",
                    len(first["fetched"]) == 1 and first["problems"] and not second["fetched"], (first, second))
        os.chmod(server.root / "in", 0o777)
        third = place.fetch()
        house.check("it is deleted once it may", "users.csv" not in place.names() and not third["problems"], (third, place.names()))
    finally:
        place.stop()


def decided(house, server):
    """Each decision about a row brings the report anew, also when the import's status stays what it was."""
    head = "ID number;lastName;firstName;mail;dtContractStart\n"
    people = [("001", "Bell", "Ben"), ("002", "Cole", "Cleo"), ("003", "Dean", "Dan"), ("004", "Ford", "Fay")]
    line = lambda n, last, first: f"{n};{last};{first};{first.lower()}@x.example;2020-01-13\n"
    place = Place(house.binary, server, "sftp", extra='[guards]\nendings = "off"\ncreations = "off"\nfewer_rows = "off"\n').serve()
    try:
        place.put("users.csv", head + "".join(line(*one) for one in people))
        place.fetch()
        place.wait(lambda: place.report() is not None and place.settled(), "the first report")
        time.sleep(1.1)
        renumbered = [("901", *people[0][1:]), ("902", *people[1][1:]), *people[2:]]
        place.put("users.csv", head + "".join(line(*one) for one in renumbered))
        place.fetch()
        place.wait(lambda: (place.report() or {}).get("status") == "partial" and place.settled(), "the report of two renumbered people")
        newest = place.imports()[0]
        house.check("two renumbered people wait", newest["pending_lines"] == [2, 3], newest)
        place.cli("imports", "approve", newest["id"], "--line", "2")
        place.wait(lambda: place.report() and place.report()["counts"]["rejected"] == 1 and place.settled(), "the report after one was approved")
        report = place.report()
        house.check("the report on the server tells of the decision", report["status"] == "partial" and report["counts"]["updated"] == 1, report["counts"])
    finally:
        place.stop()


def cuts(house, server):
    """The connection is cut after ever more bytes: whatever came through, nothing is half and nothing comes twice."""
    for way, sizes in (("cut_after_down", (2500, 3500, 4500, 5500, 6500)), ("cut_after_up", (2500, 3000, 3500, 4000, 5000))):
        for size in sizes:
            through = proxy.Proxy(server.port, **{way: size})
            direct, server.port = server.port, through.port
            for old in (server.root / "in").rglob("*") if (server.root / "in").exists() else []:
                old.unlink() if old.is_file() else None
            place = Place(house.binary, server, "sftp", "archive")
            server.port = direct
            try:
                place.put("users.csv", ROSTER)
                first = place.cli("--json", "fetch", "acme", "in", good=False)
                got = first.returncode == 0 and len(json.loads(first.stdout)["fetched"])
                place.cli("account", "set", place.login, "--port", direct)
                # Another port may be another server: it is confirmed anew.
                place.cli("account", "trust", place.login, "--pin", server.pins["ed25519"])
                place.serve()
                place.fetch()
                place.wait(lambda: place.report() is not None and place.settled(), f"{way} {size}")
                imports = place.imports()
                house.check(f"{way} {size}: one import, one report", len(imports) == 1 and not place.parts()
                            and "users.csv" not in place.names(), (got, imports, place.names()))
            finally:
                place.stop()
                through.stop()


def run(house):
    with servers.sshd() as server:
        story(house, "sftp", server, "sshd")
    for work in (companions, growing, ends, decided, cuts):
        with servers.sshd() as server:
            work(house, server)
    afterwards(house, servers.sshd, "sshd", "sftp")
    authority = servers.Authority()
    with servers.proftpd(authority) as server:
        refusals(house, server)
    for name, make, kind in [
        ("vsftpd", lambda: servers.vsftpd(authority), "ftpes"),
        ("vsftpd implicit", lambda: servers.vsftpd(authority, implicit=True), "ftps"),
        ("proftpd", lambda: servers.proftpd(authority), "ftpes"),
    ]:
        with make() as server:
            story(house, kind, server, name)
