"""What stands between a client program and the server: a stranger with other keys, or a line that breaks in the middle."""

import socket
import subprocess
import threading
from contextlib import contextmanager

from house import wait_for

# Another address of the loopback: the same port numbers can be taken there, so that data connections pass through as well.
NEAR = "127.0.0.2"


class Elsewhere:
    """An account's house as a client program sees it: all is the real house's but for what is set here."""

    def __init__(self, house, **other):
        self._house = house
        self.__dict__.update(other)

    def __getattr__(self, name):
        return getattr(self._house, name)


def with_house(account, house):
    """The same account, reached through `house`."""
    seen = object.__new__(type(account))
    seen.__dict__.update(account.__dict__)
    seen.house = house
    return seen


def run(arguments, **named):
    subprocess.run([str(a) for a in arguments], check=True, capture_output=True, timeout=180, stdin=subprocess.DEVNULL, **named)


def stranger(account):
    """The account as somebody sees it who expects another server: other host keys, another certificate."""
    house = account.house
    folder = house.folder / f"{account.slug}-stranger"
    (folder / "home" / ".ssh").mkdir(parents=True, mode=0o700)
    key, port = folder / "host_key", house.ports["sftp"]
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
    line = f"[{house.address}]:{port} {key.with_suffix('.pub').read_text()}"
    for known in (folder / "known_hosts", folder / "home" / ".ssh" / "known_hosts"):
        known.write_text(line)
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
         "-subj", "/CN=vm", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", folder / "other-key.pem",
         "-out", folder / "other-cert.pem"])
    printed = subprocess.run(["ssh-keygen", "-l", "-f", str(key)], capture_output=True, text=True, check=True, timeout=60).stdout
    return with_house(account, Elsewhere(
        house, known_hosts=lambda: folder / "known_hosts", certificate=lambda: folder / "other-cert.pem",
        host_fingerprint=lambda: printed.split()[1], env={**house.env, "HOME": str(folder / "home")}))


class Line:
    """Passes the server's ports on at another address; the first connection that has sent `cut_after` bytes takes all others with it."""

    def __init__(self, ports, cut_after):
        self.cut_after, self.is_cut, self.lock, self.open = cut_after, False, threading.Lock(), []
        self.listeners = []
        try:
            for port in ports:
                self.listeners.append(self._listen(port))
        except BaseException:
            self.stop()
            raise
        for listener, port in zip(self.listeners, ports, strict=True):
            threading.Thread(target=self._accept, args=(listener, port), daemon=True).start()

    @staticmethod
    def _listen(port):
        """The port at the other address; a connection that somebody makes from there may hold it for a moment."""
        def listening():
            try:
                return socket.create_server((NEAR, port))
            except OSError:
                return None
        return wait_for(f"{NEAR}:{port}", listening)

    def _accept(self, listener, port):
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", port), timeout=60)
            except OSError:
                # Nobody listens on this passive port: the client is told so by the end of its connection.
                near.close()
                continue
            far.settimeout(None)
            with self.lock:
                self.open += [near, far]
            threading.Thread(target=self._pass, args=(near, far, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, False), daemon=True).start()

    def _pass(self, one, other, is_up):
        passed = 0
        try:
            while data := one.recv(16384):
                passed += len(data)
                if is_up and not self.is_cut and passed >= self.cut_after:
                    self.cut()
                    return
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            for each in (one, other):
                each.close()

    def cut(self):
        """The line breaks: each connection ends where it is."""
        with self.lock:
            self.is_cut = True
            for each in self.open:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self.open = []

    def stop(self):
        for listener in self.listeners:
            # A thread that waits in accept() wakes from this, not from close().
            try:
                listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            listener.close()
        self.cut()


LINES = threading.Lock()


@contextmanager
def breaking_line(account, cut_after):
    """The account through a line that breaks once. One at a time: all of them use the same address."""
    house = account.house
    with LINES:
        line = Line([*house.ports.values(), *house.passive], cut_after)
        known = house.folder / f"{account.slug}-known_hosts"
        lines = house.known_hosts().read_text().replace("[127.0.0.1]", f"[{NEAR}]")
        known.write_text(lines)
        home = house.folder / f"{account.slug}-home"
        (home / ".ssh").mkdir(parents=True, mode=0o700)
        (home / ".ssh" / "known_hosts").write_text("".join(l for l in lines.splitlines(True) if "ssh-ed25519" in l))
        try:
            yield with_house(account, Elsewhere(house, address=NEAR, known_hosts=lambda: known,
                                                env={**house.env, "HOME": str(home)})), line
        finally:
            line.stop()
