"""An SFTP server that is not as others: status codes of later versions, no texts, little at once. Built on paramiko's."""

import os
import shutil
import socket
import tempfile
import threading
from pathlib import Path

import paramiko

from connect import Remote, driver, refused, target
from servers import PASSWORD, fingerprint, made_key

# draft-ietf-secsh-filexfer-13, section 9.1
INVALID_HANDLE, NO_SUCH_PATH, WRITE_PROTECT, QUOTA_EXCEEDED, UNHEARD_OF = 9, 10, 12, 15, 99
LATER = {paramiko.SFTP_NO_SUCH_FILE: NO_SUCH_PATH, paramiko.SFTP_PERMISSION_DENIED: WRITE_PROTECT, paramiko.SFTP_FAILURE: UNHEARD_OF,
         paramiko.SFTP_BAD_MESSAGE: INVALID_HANDLE}


class OddSsh:
    """A small SFTP server on a free port; `oddities` say what it does otherwise.

    `later`    refusals have codes of later versions
    `texts`    False: a status ends after its code
    `most`     the bytes that a read gives at most
    `quota`    the bytes that a file may have
    """

    def __init__(self, **oddities):
        self.odd = dict(later=False, texts=True, most=1 << 30, quota=1 << 30)
        self.odd.update(oddities)
        self.folder = Path(tempfile.mkdtemp(prefix="rollcall-odd-"))
        self.root = self.folder / "files"
        self.root.mkdir()
        made_key(self.folder / "host")
        self.host_key = paramiko.Ed25519Key(filename=str(self.folder / "host"))
        self.pins = {"ed25519": fingerprint(self.folder / "host.pub")}
        self.host, self.login, self.password = "127.0.0.1", "payroll", PASSWORD
        self.reads_after_close, self.reads = 0, 0
        self.listener = socket.create_server((self.host, 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def path(self, *parts):
        return "/" + "/".join(parts)

    def _accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(peer)
            transport.add_server_key(self.host_key)
            transport.set_subsystem_handler("sftp", Wire, Files, self)
            transport.start_server(server=Login(), event=threading.Event())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Login(paramiko.ServerInterface):
    def check_auth_password(self, username, password):
        return paramiko.AUTH_SUCCESSFUL if (username, password) == ("payroll", PASSWORD) else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username):
        return "password"

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED


class Wire(paramiko.SFTPServer):
    """The packets, with another status."""

    def __init__(self, channel, name, server, files, odd):
        super().__init__(channel, name, server, files, odd)
        self.odd_server = odd

    def _process(self, kind, request, message):
        if kind == paramiko.sftp.CMD_READ:
            handle = message.get_binary()
            message.rewind()
            message.get_int()
            self.odd_server.reads += 1
            self.odd_server.reads_after_close += handle not in self.file_table
        super()._process(kind, request, message)

    def _send_status(self, request_number, code, desc=None):
        odd = self.odd_server.odd
        if odd["later"]:
            code = LATER.get(code, code)
        words = (desc or "", "en") if odd["texts"] else ()
        self._response(request_number, paramiko.sftp.CMD_STATUS, code, *words)


class Files(paramiko.SFTPServerInterface):
    def __init__(self, _login, odd):
        self.server = odd

    def on_disk(self, path):
        return self.server.root / os.path.normpath("/" + path).lstrip("/")

    def answered(self, run):
        try:
            return run()
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    def open(self, path, flags, attr):
        return self.answered(lambda: OneFile(self.server, os.open(self.on_disk(path), flags, 0o600)))

    def stat(self, path):
        return self.answered(lambda: paramiko.SFTPAttributes.from_stat(os.stat(self.on_disk(path))))

    def list_folder(self, path):
        def listed():
            folder = self.on_disk(path)
            return [paramiko.SFTPAttributes.from_stat((folder / name).stat(), name) for name in sorted(os.listdir(folder))]
        return self.answered(listed)

    def remove(self, path):
        return self.answered(lambda: os.remove(self.on_disk(path)) or paramiko.SFTP_OK)

    def rename(self, oldpath, newpath):
        if self.on_disk(newpath).exists():
            return paramiko.SFTP_FAILURE
        return self.answered(lambda: os.rename(self.on_disk(oldpath), self.on_disk(newpath)) or paramiko.SFTP_OK)

    def mkdir(self, path, attr):
        return self.answered(lambda: os.mkdir(self.on_disk(path)) or paramiko.SFTP_OK)


class OneFile(paramiko.SFTPHandle):
    def __init__(self, server, number):
        super().__init__()
        self.server, self.number = server, number

    def read(self, offset, length):
        data = os.pread(self.number, min(length, self.server.odd["most"]), offset)
        return data or paramiko.SFTP_EOF

    def write(self, offset, data):
        if offset + len(data) > self.server.odd["quota"]:
            return QUOTA_EXCEEDED
        os.pwrite(self.number, data, offset)
        return paramiko.SFTP_OK

    def stat(self):
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.number))

    def close(self):
        os.close(self.number)


def there_and_back(server, remote, folder):
    """Files of every length, and that nothing is read from a handle that was closed."""
    for size in (0, 1, 999, 1000, 1001, 32_768, 100_001):
        source = folder / "source"
        source.write_bytes(os.urandom(size))
        remote("put", path="/a.bin", file=str(source))
        assert (server.root / "a.bin").read_bytes() == source.read_bytes(), size
        assert remote("get", path="/a.bin", file=str(folder / "back")) == size
        assert (folder / "back").read_bytes() == source.read_bytes(), size
        assert [e["name"] for e in remote("entries", path="/")] == ["a.bin"]
        remote("delete", path="/a.bin")
    assert server.reads_after_close == 0, f"{server.reads_after_close} reads of a closed handle"


def session(house, folder, check, **odd):
    with OddSsh(**odd) as server, Remote(driver(house), target(server, "sftp")) as remote:
        remote("open")
        check(server, remote, folder)
        # The session goes on after every refusal.
        (server.root / "last.csv").write_bytes(b"x")
        assert [e["name"] for e in remote("entries", path="/") if e["name"] == "last.csv"] == ["last.csv"]


def refusals(server, remote, folder):
    (server.root / "there.csv").write_bytes(b"x")
    refused(lambda: remote("stat", path="/no.csv"), "NotFound")
    refused(lambda: remote("delete", path="/no.csv"), "NotFound")
    refused(lambda: remote("get", path="/no.csv", file=str(folder / "no")), "NotFound")
    refused(lambda: remote("rename", path="/there.csv", to="/no folder/b.csv"), "NotFound")
    (server.root / "a folder").mkdir()
    refused(lambda: remote("put", path="/a folder", file=str(folder / "source")), "Internal", "Denied")
    remote("mkdir", path="/a folder")
    assert (server.root / "there.csv").read_bytes() == b"x"


def full(server, remote, folder):
    (folder / "large").write_bytes(bytes(100_000))
    error = refused(lambda: remote("put", path="/large.bin", file=str(folder / "large")), "NoSpace")
    assert "quota exceeded" in error.message, error.message


def little_at_once(server, remote, folder):
    """A server that gives 16 KiB at once is not asked for each piece over and over."""
    size = 2_000_000
    (server.root / "a.bin").write_bytes(os.urandom(size))
    assert remote("get", path="/a.bin", file=str(folder / "back")) == size
    assert (folder / "back").read_bytes() == (server.root / "a.bin").read_bytes()
    least = -(-size // server.odd["most"])
    assert server.reads < least + 150, f"{server.reads} reads where {least} could do"
    (server.root / "a.bin").unlink()


def run(house):
    with tempfile.TemporaryDirectory(prefix="rollcall-odd-") as work:
        folder = Path(work)
        (folder / "source").write_bytes(b"source")
        for name, odd in (("as others", {}), ("later codes", {"later": True}), ("no texts", {"texts": False}),
                          ("later codes and no texts", {"later": True, "texts": False})):
            house.case(f"SFTP, {name}: there and back", lambda o=odd: session(house, folder, there_and_back, **o))
            house.case(f"SFTP, {name}: refusals", lambda o=odd: session(house, folder, refusals, **o))
        for most in (1000, 4096, 16_384):
            house.case(f"SFTP, {most} bytes at once: there and back", lambda m=most: session(house, folder, there_and_back, most=m))
        house.case("SFTP, 16 KiB at once: a large file", lambda: session(house, folder, little_at_once, most=16_384))
        house.case("SFTP, a quota of a later version", lambda: session(house, folder, full, quota=50_000))
        house.case("SFTP, a quota without words", lambda: session(house, folder, full, quota=50_000, texts=False))
