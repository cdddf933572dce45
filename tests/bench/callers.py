"""The client's side of tests/bench/transport: programs for streams and sessions, and small clients of our own where a program
would be slower than the server (idle sessions, listings)."""

import asyncio
import os
import socket
import ssl
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from peers import CIPHER, Failed, call

CONTEXT = ssl.create_default_context()
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE
ANSWER_S = 300


def ssh_options(peer, cipher=CIPHER):
    # Host keys are not what is measured here.
    return ["-q", "-F", "/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
            "-o", "IdentitiesOnly=yes", "-o", f"Ciphers={cipher}", "-i", peer.key, "-o", f"Port={peer.port}"]


def sftp(peer, batch, cipher=CIPHER):
    call("sftp", *ssh_options(peer, cipher), "-b", "-", f"{peer.login}@127.0.0.1", stdin=batch.encode())


def curl(peer, *arguments, path=""):
    call("curl", "-sS", "--insecure", "--ssl-reqd", "-u", f"{peer.login}:{peer.password}", *arguments,
         f"ftp://127.0.0.1:{peer.port}/{path}")


def lftp_mirror(peer, source, target):
    script = (f"set ssl:verify-certificate no; set ftp:ssl-force yes; set ftp:ssl-protect-data yes; set net:max-retries 1; "
              f"open -u '{peer.login},{peer.password}' ftp://127.0.0.1:{peer.port}; mirror -R --no-perms {source} {target}")
    call("lftp", "-c", script)


def many(run, count, at_once):
    """Runs `run(number)` count times, some at once; the seconds of all."""
    began = time.monotonic()
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(run, range(count)))
    return time.monotonic() - began


class Ftp:
    """An FTPS control connection that says just what it is told."""

    def __init__(self, peer):
        self.raw = socket.create_connection(("127.0.0.1", peer.port), ANSWER_S)
        self.reader = self.raw.makefile("rb")
        self.expect("220")
        self.say("AUTH TLS", "234")
        self.tls = CONTEXT.wrap_socket(self.raw)
        self.reader = self.tls.makefile("rb")
        self.raw = self.tls
        self.say(f"USER {peer.login}", "331")
        self.say(f"PASS {peer.password}", "230")
        self.say("PBSZ 0", "200")
        self.say("PROT P", "200")

    def expect(self, code):
        while True:
            line = self.reader.readline().decode(errors="replace")
            if not line:
                raise Failed(f"the server closed the connection instead of {code}")
            if line[:3].isdigit() and line[3:4] == " ":
                if not line.startswith(code):
                    raise Failed(f"instead of {code}: {line.strip()}")
                return line

    def say(self, command, code):
        self.raw.sendall(f"{command}\r\n".encode())
        return self.expect(code)

    def listing(self, verb, folder):
        """(seconds to the first line, to the end, lines)."""
        # pure-ftpd and vsftpd take no path with blanks or options; all of them list where they are.
        self.say(f"CWD {folder}", "250")
        port = int(self.say("EPSV", "229").split("|")[3])
        began = time.monotonic()
        data = socket.create_connection(("127.0.0.1", port), ANSWER_S)
        self.raw.sendall(f"{verb}\r\n".encode())
        self.expect("1")
        data = CONTEXT.wrap_socket(data, session=self.tls.session)
        first, lines, block = None, 0, bytearray(1 << 18)
        while got := data.recv_into(block):
            first = first or time.monotonic() - began
            lines += block.count(b"\n", 0, got)
        took = time.monotonic() - began
        data.close()
        self.expect("2")
        return first, took, lines

    def close(self):
        self.raw.close()


class RawSftp:
    """SFTP packets through OpenSSH's ssh, which does the cryptography."""

    def __init__(self, peer):
        self.process = subprocess.Popen(["ssh", *map(str, ssh_options(peer)), "-s", f"{peer.login}@127.0.0.1", "sftp"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.send(1, struct.pack(">I", 3))
        self.receive()

    def send(self, kind, body):
        self.process.stdin.write(struct.pack(">IB", len(body) + 1, kind) + body)
        self.process.stdin.flush()

    def receive(self):
        head = self.process.stdout.read(4)
        if len(head) < 4:
            raise Failed("the server ended the SFTP session")
        return self.process.stdout.read(struct.unpack(">I", head)[0])

    def listing(self, folder, ahead=16):
        """(seconds to the first names, to the end, names)."""
        began = time.monotonic()
        name = folder.encode()
        self.send(11, struct.pack(">II", 1, len(name)) + name)
        answer = self.receive()
        if answer[0] != 102:
            raise Failed(f"OPENDIR {folder}: {answer[:200]!r}")
        request = struct.pack(">I", 2) + answer[5:]
        for _ in range(ahead):
            self.send(12, request)
        first, names, waiting = None, 0, ahead
        while waiting:
            answer = self.receive()
            waiting -= 1
            if answer[0] == 104:
                first = first or time.monotonic() - began
                names += struct.unpack(">I", answer[5:9])[0]
                self.send(12, request)
                waiting += 1
        return first, time.monotonic() - began, names

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.terminate()
        self.process.wait()


def hold_ftp(peer, count):
    """Sessions that have logged in and do nothing; call what comes back to end them."""
    with ThreadPoolExecutor(8) as pool:
        sessions = list(pool.map(lambda _: Ftp(peer), range(count)))
    return lambda: [session.close() for session in sessions]


def hold_sftp(peer, count):
    """The same over SSH, each with an SFTP channel open, from a process of its own."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "callers.py")
    holder = subprocess.Popen([sys.executable, script, str(peer.port), peer.login, str(peer.key), str(count)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    said = holder.stdout.readline()
    if said.strip() != b"ready":
        raise Failed(f"{count} SFTP sessions with {peer.name} could not be held")

    def end():
        holder.stdin.close()
        holder.wait(120)
        holder.stdout.close()
    return end


async def _hold(port, login, key, count):
    import asyncssh
    gate = asyncio.Semaphore(16)

    async def one():
        async with gate:
            connection = await asyncssh.connect("127.0.0.1", port, username=login, client_keys=[key], known_hosts=None, config=None,
                                                kex_algs=["curve25519-sha256"], encryption_algs=[CIPHER], login_timeout=600)
            return connection, await connection.start_sftp_client()

    held = await asyncio.gather(*(one() for _ in range(count)))
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for connection, _ in held:
        connection.abort()


if __name__ == "__main__":
    port, login, key, count = sys.argv[1:]
    asyncio.run(_hold(int(port), login, key, int(count)))
