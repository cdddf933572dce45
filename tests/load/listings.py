"""Folders of very many files: the first lines come at once, the server's memory stays flat, others are served meanwhile."""

import ftplib
import os
import subprocess
import threading
import time

import clients
from house import Failed, expect
from watch import Watch

# What the first line may take beyond a list of nothing by the same program, and how often that: a slow machine is slow at the login already.
# On a machine that does nothing else it is far less.
FIRST_LINE_S = 1.0
TIMES_NOTHING = 3
# What a listing may add to the server's memory, however long it is.
GROWTH_MIB = 24


def fill(folder, count):
    """`count` files of no bytes; nothing of Rollcall is in the way, as after years of uploads."""
    folder.mkdir(parents=True, exist_ok=True)
    there = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for number in range(count):
            os.close(os.open(f"report-{number:07d}.csv", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=there))
    finally:
        os.close(there)


class Seen:
    """When the first line came, when the last one, and how many there were."""

    def __init__(self):
        self.began, self.first_s, self.whole_s, self.lines = time.monotonic(), None, None, 0

    def lines_came(self, count):
        if self.first_s is None and count:
            self.first_s = time.monotonic() - self.began
        self.lines += count

    def ended(self):
        self.whole_s = time.monotonic() - self.began


def of_program(arguments, env, stdin=None):
    """A program whose standard output is the list."""
    seen = Seen()
    with subprocess.Popen([str(a) for a in arguments], stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as process:
        said = []
        reader = threading.Thread(target=lambda: said.append(process.stderr.read()), daemon=True)
        reader.start()
        if stdin:
            process.stdin.write(stdin)
            process.stdin.close()
        while block := os.read(process.stdout.fileno(), 1 << 16):
            seen.lines_came(block.count(b"report-"))
        process.wait(300)
        reader.join(10)
        expect(process.returncode == 0, f"{arguments[0]} ended with {process.returncode}: {b''.join(said)[-400:]}")
    seen.ended()
    return seen


def by_sftp(account, folder):
    """OpenSSH's sftp prints when it has the whole list: only its end says something about the server."""
    command, env = clients.OpenSshSftp().command(account)
    seen = of_program(command, env, f"ls -1f {folder}\n".encode())
    seen.first_s = None
    return seen


def by_paramiko(account, folder):
    ssh = clients.Paramiko.connect(account)
    try:
        sftp = ssh.open_sftp()
        sftp.get_channel().settimeout(300)
        seen = Seen()
        for _ in sftp.listdir_iter(folder):
            seen.lines_came(1)
        seen.ended()
        return seen
    finally:
        ssh.close()


def by_lftp(account, folder):
    client = clients.Lftp("ftpes")
    # A list that is kept for later, or sorted, would be held back until its end.
    command, env = client.command(account, [], more=("cache:enable no",))
    script = command[-1]
    with open(script, encoding="utf-8") as written:
        lines = written.read().replace("\nbye\n", f"\nnlist {folder}\nbye\n")
    with open(script, "w", encoding="utf-8") as written:
        written.write(lines)
    return of_program([*command[:2], *command[3:]], env)


def by_curl(protocol):
    def run(account, folder):
        client = clients.Curl(protocol)
        common = [w for w in client.common(account, None) if w not in ("-v", "--max-time", clients.TIMEOUT_S)]
        # Without -N curl itself would gather lines.
        return of_program(["curl", "-N", *common, client.url(account, folder + "/")], account.house.env)
    return run


def by_ftplib(account, folder):
    ftp = clients.Ftplib("ftps").open(account, timeout=300)
    seen = Seen()
    ftp.retrlines(f"MLSD {folder}", lambda _: seen.lines_came(1))
    seen.ended()
    try:
        ftp.quit()
    except ftplib.all_errors:
        ftp.close()
    return seen


WAYS = [
    ("OpenSSH sftp, ls -1f", by_sftp),
    ("Python paramiko, listdir_iter", by_paramiko),
    ("lftp, FTPES, nlist", by_lftp),
    ("curl, FTPS, LIST", by_curl("ftps")),
    ("Python ftplib, FTPS, MLSD", by_ftplib),
]


class Neighbour:
    """Another client's session that asks for something small all the while."""

    def __init__(self, account):
        self.ssh = clients.Paramiko.connect(account)
        self.sftp = self.ssh.open_sftp()
        self.sftp.get_channel().settimeout(300)
        self.worst_s, self.wrong, self.enough = 0.0, None, threading.Event()
        self.thread = threading.Thread(target=self._ask, daemon=True)
        self.thread.start()

    def _ask(self):
        try:
            while not self.enough.wait(0.05):
                began = time.monotonic()
                self.sftp.listdir("/files")
                self.worst_s = max(self.worst_s, time.monotonic() - began)
        except Exception as error:
            self.wrong = error

    def stop(self):
        self.enough.set()
        self.thread.join(60)
        self.ssh.close()
        if self.wrong:
            raise Failed(f"the neighbour's session: {self.wrong}")


def run(house, count, check):
    """Each way of listing a folder of `count` files; answers (way, first line, whole, memory, neighbour's worst)."""
    account, other = house.account("crowded"), house.account("neighbour")
    (other.files / "files").mkdir(parents=True, exist_ok=True)
    fill(account.files / "files" / "many", count)
    fill(account.files / "files" / "none", 0)
    rows = []
    for name, way in WAYS:
        watch = Watch(house.process.pid)
        neighbour = Neighbour(other)
        before = watch.resident_mib()
        try:
            nothing_s = way(account, "/files/none").whole_s
            with watch.sampling():
                seen = way(account, "/files/many")
            neighbour.stop()
        except Exception as error:
            check(f"{count:,} files: {name}", False, f"{type(error).__name__}: {error}")
            continue
        growth = watch.peak_mib - before
        rows.append((name, seen.first_s, seen.whole_s, growth, neighbour.worst_s))
        check(f"{count:,} files: {name}: every file once", seen.lines == count, f"{seen.lines} lines")
        check(f"{count:,} files: {name}: flat memory", growth < GROWTH_MIB, f"it grew by {growth:.0f} MiB")
        if seen.first_s is not None:
            check(f"{count:,} files: {name}: the first line", seen.first_s < FIRST_LINE_S + TIMES_NOTHING * nothing_s,
                  f"after {seen.first_s:.2f} s; a list of nothing takes {nothing_s:.2f} s")
    return rows


def in_words(row):
    name, first_s, whole_s, growth, worst_s = row
    first = "" if first_s is None else f"first line after {first_s * 1000:.0f} ms, "
    return f"{name}: {first}whole after {whole_s:.1f} s, {growth:.1f} MiB added, a neighbour waited at most {worst_s * 1000:.0f} ms"
