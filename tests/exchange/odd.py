"""An FTPS server that misbehaves on purpose: data connections cut in the middle, no SIZE, no MLSD, no EPSV, answers that are not true."""

import os
import shutil
import socket
import ssl
import struct
import tempfile
import threading
import time
from pathlib import Path

from connect import Remote, Refused, driver, target
from exchange import ROSTER, Place
from servers import PASSWORD, Authority

WAIT_S = 120


class Odd:
    """A small FTPS server of explicit TLS on a free port; `oddities` say what it does wrong.

    `size`     False: SIZE is answered 550; None: 502
    `mlst`     False: no MLST and MLSD
    `epsv`     False: EPSV is named in FEAT and answered 502 all the same
    `retr`, `stor`  (bytes, end, reply): the first `times` transfers stop after so many bytes, the data connection ends with
               `notify`, `fin` or `reset`, and then the reply comes; without a reply the control connection ends too
    `drip`     a download sends a byte now and then, and never ends
    `speaks`   the class of its sessions
    """

    def __init__(self, authority, speaks=None, **oddities):
        self.speaks = speaks or Session
        self.odd = dict(size=True, mlst=True, epsv=True, retr=None, stor=None, times=1, drip=False)
        self.odd.update(oddities)
        self.folder = Path(tempfile.mkdtemp(prefix="rollcall-odd-"))
        self.root = self.folder / "files"
        self.root.mkdir()
        pem = self.folder / "tls.pem"
        self.certificate = authority.issue(pem)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(pem)
        self.host, self.login, self.password, self.home = "127.0.0.1", "payroll", PASSWORD, "/"
        self.left = {"retr": self.odd["times"], "stor": self.odd["times"]}
        self.lock = threading.Lock()
        self.listener = socket.create_server((self.host, 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def path(self, *parts):
        return "/" + "/".join(parts)

    def fault(self, verb):
        """What goes wrong with this transfer, if anything."""
        with self.lock:
            if self.odd[verb] is None or self.left[verb] == 0:
                return None
            self.left[verb] -= 1
            return self.odd[verb]

    def _accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            peer.settimeout(WAIT_S)
            threading.Thread(target=lambda: self.speaks(self, peer).run(), daemon=True).start()

    def stop(self):
        self.listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Session:
    """One control connection."""

    def __init__(self, server, peer):
        self.server, self.sock = server, peer
        self.folder, self.passive, self.renamed = "/", None, None

    def run(self):
        try:
            self.say("220 odd")
            lines = self.sock.makefile("rb")
            while line := lines.readline(4096):
                verb, _, argument = line.decode().strip().partition(" ")
                if verb.upper() == "AUTH":
                    self.say("234 go ahead")
                    self.sock = self.server.tls.wrap_socket(self.sock, server_side=True)
                    lines = self.sock.makefile("rb")
                elif not self.obey(verb.upper(), argument):
                    break
        except (OSError, ValueError):
            pass
        finally:
            for each in filter(None, (self.passive, self.sock)):
                each.close()

    def say(self, line):
        self.sock.sendall(line.encode() + b"\r\n")

    def on_disk(self, path):
        return self.server.root / os.path.normpath(os.path.join(self.folder, path)).lstrip("/")

    def obey(self, verb, argument):
        """Answers one command; whether the session goes on."""
        known = getattr(self, f"do_{verb.lower()}", None)
        if known:
            return known(argument) is not False
        plain = {"USER": "331 password", "PASS": "230 in", "PBSZ": "200 ok", "PROT": "200 ok", "TYPE": "200 ok", "OPTS": "200 ok",
                 "NOOP": "200 ok", "QUIT": "221 bye"}
        self.say(plain.get(verb, "502 not here"))
        return verb != "QUIT"

    def do_feat(self, _):
        odd = self.server.odd
        lines = ["UTF8"] + ["SIZE"] * (odd["size"] is True) + ["MLST type*;size*;modify*;"] * odd["mlst"] + ["EPSV"]
        self.say("211-Features\r\n" + "".join(f" {line}\r\n" for line in lines) + "211 end")

    def do_size(self, path):
        known, file = self.server.odd["size"], self.on_disk(path)
        if known is None:
            return self.say("502 no SIZE here")
        self.say(f"213 {file.stat().st_size}" if known and file.is_file() else "550 no size")

    def do_mdtm(self, path):
        file = self.on_disk(path)
        self.say(time.strftime("213 %Y%m%d%H%M%S", time.gmtime(file.stat().st_mtime)) if file.is_file() else "550 nothing there")

    def do_cwd(self, path):
        there = self.on_disk(path)
        if there.is_dir():
            self.folder = "/" + str(there.relative_to(self.server.root)).replace(".", "", 1).lstrip("/") if there == self.server.root \
                else "/" + str(there.relative_to(self.server.root))
        self.say("250 ok" if there.is_dir() else "550 no such folder")

    def do_mkd(self, path):
        self.on_disk(path).mkdir(exist_ok=True)
        self.say("257 made")

    def do_dele(self, path):
        file = self.on_disk(path)
        if file.is_file():
            file.unlink()
            return self.say("250 gone")
        return self.say("550 nothing there")

    def do_rnfr(self, path):
        self.renamed = self.on_disk(path)
        self.say("350 to" if self.renamed.exists() else "550 nothing there")

    def do_rnto(self, path):
        self.renamed.rename(self.on_disk(path))
        self.say("250 renamed")

    def facts(self, file):
        kind = "dir" if file.is_dir() else "file"
        changed = time.strftime("%Y%m%d%H%M%S", time.gmtime(file.stat().st_mtime))
        return f"type={kind};size={file.stat().st_size};modify={changed}; {file.name}"

    def do_mlst(self, path):
        if not self.server.odd["mlst"]:
            return self.say("502 not here")
        file = self.on_disk(path)
        self.say(f"250-Facts\r\n {self.facts(file)}\r\n250 end" if file.exists() else "550 nothing there")

    def do_epsv(self, _):
        if not self.server.odd["epsv"]:
            return self.say("502 not here")
        self.say(f"229 Entering (|||{self.listen()}|)")

    def do_pasv(self, _):
        port = self.listen()
        # Somebody else's address: a client must not believe it.
        self.say(f"227 Entering (192,0,2,1,{port // 256},{port % 256})")

    def listen(self):
        if self.passive:
            self.passive.close()
        self.passive = socket.create_server((self.server.host, 0))
        self.passive.settimeout(WAIT_S)
        return self.passive.getsockname()[1]

    def data(self):
        self.say("150 here it comes")
        peer, _ = self.passive.accept()
        peer.settimeout(WAIT_S)
        return self.server.tls.wrap_socket(peer, server_side=True)

    def end(self, data, how, reply):
        """Ends the data connection and answers; whether the session goes on."""
        if how == "notify":
            try:
                data.unwrap()
            except (OSError, ValueError):
                pass
            data.close()
        elif how == "fin":
            plain = socket.socket(fileno=data.detach())
            plain.shutdown(socket.SHUT_WR)
            plain.close()
        else:
            plain = socket.socket(fileno=data.detach())
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            plain.close()
        if reply is None:
            return False
        self.say(reply)
        return True

    def do_list(self, _):
        lines = []
        for file in sorted(self.on_disk(".").iterdir()):
            kind = "d" if file.is_dir() else "-"
            day = time.strftime("%b %d %H:%M", time.gmtime(file.stat().st_mtime))
            lines.append(f"{kind}rw-r--r-- 1 ftp ftp {file.stat().st_size} {day} {file.name}\r\n")
        data = self.data()
        data.sendall("".join(lines).encode())
        return self.end(data, "notify", "226 done")

    def do_mlsd(self, _):
        if not self.server.odd["mlst"]:
            return self.say("502 not here")
        lines = "".join(self.facts(file) + "\r\n" for file in sorted(self.on_disk(".").iterdir()))
        data = self.data()
        data.sendall(lines.encode())
        return self.end(data, "notify", "226 done")

    def do_retr(self, path):
        file = self.on_disk(path)
        if not file.is_file():
            return self.say("550 nothing there")
        content = file.read_bytes()
        fault = self.server.fault("retr")
        data = self.data()
        if self.server.odd["drip"]:
            for byte in content:
                data.sendall(bytes([byte]))
                time.sleep(0.5)
        if fault is None:
            data.sendall(content)
            return self.end(data, "notify", "226 done")
        data.sendall(content[:fault[0]])
        return self.end(data, *fault[1:])

    def do_stor(self, path):
        fault = self.server.fault("stor")
        data, content = self.data(), b""
        most = fault[0] if fault else 1 << 30
        try:
            while len(content) < most and (more := data.recv(min(65536, most - len(content)))):
                content += more
        except OSError:
            pass
        self.on_disk(path).write_bytes(content)
        return self.end(data, *fault[1:]) if fault else self.end(data, "notify", "226 done")


BYTES = 300_000
HALF = 100_000


def sent_by_driver(house, authority, folder):
    """Each end of a data connection, with a server that says sizes and one that does not: half is never whole."""
    content = os.urandom(BYTES)
    source = folder / "source"
    source.write_bytes(content)
    for size in (True, False, None):
        for end in ("notify", "fin", "reset"):
            for reply in ("226 done", "426 broken", "451 odd", None):
                fault = (HALF, end, reply)
                name = f"{'SIZE' if size else 'no SIZE' if size is None else '550 to SIZE'}, {end}, {reply or 'gone'}"

                def get(fault=fault, size=size):
                    # In good order and called whole, without a size: nobody could know. The looks at a folder know its listing.
                    if size is not True and fault[1:] == ("notify", "226 done"):
                        return
                    with Odd(authority, size=size, retr=fault) as server, Remote(driver(house), target(server, "ftpes")) as remote:
                        (server.root / "a.bin").write_bytes(content)
                        remote("open")
                        expect_told(lambda: remote("get", path="/a.bin", file=str(folder / "got")))

                def put(fault=fault, size=size):
                    with Odd(authority, size=size, stor=fault) as server, Remote(driver(house), target(server, "ftpes")) as remote:
                        remote("open")
                        expect_told(lambda: remote("put", path="/a.bin", file=str(source)))

                house.case(f"half a download: {name}", get)
                house.case(f"half an upload: {name}", put)


def expect_told(run):
    began = time.monotonic()
    try:
        answer = run()
    except Refused as error:
        assert error.kind in ("Busy", "Conflict", "Denied", "Invalid"), error
        assert len(error.message) > 40, error
        assert time.monotonic() - began < 60, error
        return
    raise AssertionError(f"half a file was taken for whole: {answer}")


def without_anything(house, authority, folder):
    """SIZE 550, no MLSD, no EPSV, an address in PASV that is somebody else's: files come and go all the same."""
    content = os.urandom(BYTES)
    source = folder / "whole"
    source.write_bytes(content)
    for size in (False, None):
        def both(size=size):
            with Odd(authority, size=size, mlst=False, epsv=False) as server, Remote(driver(house), target(server, "ftpes")) as remote:
                remote("open")
                remote("put", path="/a.bin", file=str(source))
                assert (server.root / "a.bin").read_bytes() == content
                assert remote("get", path="/a.bin", file=str(folder / "back")) == BYTES
                assert (folder / "back").read_bytes() == content
                assert [e["name"] for e in remote("entries", path="/")] == ["a.bin"]
        house.case(f"a server with {'502' if size is None else '550'} to SIZE and without MLSD and EPSV", both)


def fetched(house, authority):
    """The data connection of a fetch is cut: nothing is taken, it is told, and the next look takes the whole file."""
    for size, mlst, faults in (
        (True, True, ((40, "fin", "226 done"), (40, "reset", "226 done"), (0, "fin", None))),
        (False, True, ((40, "notify", "226 done"), (40, "fin", "426 broken"))),
        (None, False, ((40, "notify", "226 done"), (40, "fin", "226 done"))),
    ):
        for fault in faults:
            def cut(size=size, mlst=mlst, fault=fault):
                with Odd(authority, size=size, mlst=mlst, retr=fault) as server:
                    place = Place(house.binary, server, "ftpes")
                    try:
                        place.put("users.csv", ROSTER)
                        first = place.cli("--json", "fetch", "acme", "in", good=False)
                        assert '"fetched": [{' not in first.stdout and not place.imports(), (first.stdout, place.imports())
                        told = first.stdout + first.stderr
                        assert "users.csv" in told, told
                        assert not list((place.folder / "data/clients/acme/spool").iterdir())
                        assert not list((place.folder / "data/clients/acme/archive").iterdir())
                        place.serve()
                        place.wait(lambda: place.fetch() is not None and place.report() is not None and place.settled(), "the next look")
                        imports = place.imports()
                        assert len(imports) == 1 and imports[0]["counts"]["created"] == 1, imports
                        assert imports[0]["file"]["bytes"] == len(ROSTER.encode()), imports
                    finally:
                        place.stop()
            house.case(f"a cut fetch: {fault}, SIZE {size}, MLSD {mlst}", cut)


def delivered(house, authority):
    """The data connection of a delivery is cut: the name never holds half a file, it is told, and the next try brings it whole."""
    for size, mlst, faults in (
        (True, True, ((4, "fin", "226 done"), (4, "reset", None))),
        (False, True, ((4, "notify", "226 done"), (4, "reset", "226 done"))),
        (None, False, ((4, "fin", "226 done"), (4, "fin", "426 broken"))),
    ):
        for fault in faults:
            def cut(size=size, mlst=mlst, fault=fault):
                with Odd(authority, size=size, mlst=mlst, stor=fault) as server:
                    place = Place(house.binary, server, "ftpes").serve()
                    try:
                        file = place.folder / "absences.csv"
                        file.write_text("employee;day\n0001;2026-01-05\n")
                        dropped = place.json("drop", "acme", "out", file)
                        show = lambda: place.json("drops", "show", dropped["id"])
                        place.wait(lambda: show()["attempts"] > 0, "a first try")
                        shown = show()
                        assert shown["state"] == "waiting" and shown["note"], shown
                        assert "absences.csv" not in place.names("out"), place.names("out")
                        place.json("drops", "retry", dropped["id"])
                        place.wait(lambda: show()["state"] == "delivered", "the retry")
                        assert (server.root / "out/absences.csv").read_text() == file.read_text()
                        assert not place.parts(), place.names("out")
                    finally:
                        place.stop()
            house.case(f"a cut delivery: {fault}, SIZE {size}, MLSD {mlst}", cut)


def dripping(house, authority):
    """A server that sends a byte now and then holds nobody up for longer than a job may take, and that is told."""
    with Odd(authority, drip=True) as server:
        place = Place(house.binary, server, "ftpes")
        try:
            place.more = {"ROLLCALL_OUTGOING__TIMEOUT_S": "4"}
            place.put("users.csv", ROSTER * 50)
            began = time.monotonic()
            done = place.cli("--json", "fetch", "acme", "in", good=False)
            assert done.returncode == 1 and "within 4 s (outgoing.timeout_s)" in done.stderr, (done.returncode, done.stderr)
            assert time.monotonic() - began < 60, time.monotonic() - began
            assert not list((place.folder / "data/clients/acme/spool").iterdir()) and not place.imports()
        finally:
            place.stop()


def run(house):
    authority = Authority()
    with tempfile.TemporaryDirectory(prefix="rollcall-odd-") as folder:
        sent_by_driver(house, authority, Path(folder))
        without_anything(house, authority, Path(folder))
    fetched(house, authority)
    delivered(house, authority)
    house.case("a server that drips", lambda: dripping(house, authority))
