"""Ways out of an account's folder: tricks in names, and a link put there while the server works."""

import ctypes
import hashlib
import os
import socket
import threading
import time

import paramiko
from house import expect
from wire import Control, Closed, sftp_session

SECRET = b"employee number;iban\r\n00001;FR7630006000011234567890189\r\n" * 50
SWAPS_S = 20
RENAME_EXCHANGE = 2
AT_FDCWD = -100


def tree(folder):
    """Every name below, with what it holds."""
    found = {}
    for at, folders, files in os.walk(folder):
        for name in folders:
            path = os.path.join(at, name)
            found[path] = os.readlink(path) if os.path.islink(path) else "folder"
        for name in files:
            path = os.path.join(at, name)
            with open(path, "rb") as file:
                found[path] = hashlib.sha256(file.read()).hexdigest()
    return found


def tricks(outside, neighbour):
    deep = "../" * 12
    yield from (f"/../{neighbour}/files/secret", f"{deep}{outside}/secret", f"/files/{deep}{outside}/secret", f"{outside}/secret",
                f"//{outside}/secret", f"/files/..\\..\\{outside}\\secret", f"\\..\\..\\{outside}\\secret", "C:\\secret",
                "/files/./../../secret", f"/files/%2e%2e/%2e%2e/{outside}/secret", "/files/..%2fsecret", "....//....//secret",
                "/files/.. /secret", "/files/..;/secret", "~/secret", "~root/secret", f"/files/\u2024\u2024/{outside}/secret",
                f"/files/\uff0e\uff0e/{outside}/secret", "/files/" + "a/" * 2000 + "secret", "/files/" + "x" * 5000, "/files/" + "é" * 200)


def names(ground):
    """Nothing outside is read, made, changed or removed, whatever a name looks like, over both protocols."""
    house = ground.house()
    account, neighbour = house.account("names"), house.account("neighbour")
    outside = house.folder / "outside"
    outside.mkdir()
    for folder in (outside, neighbour.files / "files"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "secret").write_bytes(SECRET)
    watched = [outside, neighbour.files, house.certs]
    before = [tree(folder) for folder in watched]
    transport, sftp = sftp_session(account)
    control = Control(account)
    control.log_in()
    for name in tricks(str(outside), f"{neighbour.slug}/files/{neighbour.login}"):
        over_sftp(sftp, name)
        for verb in ("CWD", "SIZE", "MDTM", "MLST", "HASH", "DELE", "RMD", "MKD"):
            control.ask(f"{verb} {name}"[:4000])
        control.ask("CWD /")
        over_ftp(control, name[:3900])
    for raw in ("/files/a\0b", "/files/\0"):
        over_sftp(sftp, raw)
    control.sock.sendall(b"RETR /files/a\0b\r\n")
    expect(control.reply()[:1] == "5", "a NUL in a name was taken")
    expect([tree(folder) for folder in watched] == before, "something outside has changed")
    # One letter in two spellings: two names, never one that reaches the other's bytes.
    for name, data in (("/files/e\u0301.bin", b"decomposed"), ("/files/\u00e9.bin", b"composed")):
        with sftp.open(name, "w") as file:
            file.write(data)
    for name, data in (("/files/e\u0301.bin", b"decomposed"), ("/files/\u00e9.bin", b"composed")):
        with sftp.open(name) as file:
            expect(file.read() == data, f"{name!a} holds another's bytes")
    transport.close()


def over_sftp(sftp, name):
    def read():
        with sftp.open(name) as file:
            expect(SECRET[:40] not in file.read(), f"the secret was read as {name[:80]!a}")

    def write():
        with sftp.open(name, "w") as file:
            file.write(b"overwritten")

    for act in (read, write, lambda: sftp.listdir(name), lambda: sftp.remove(name), lambda: sftp.mkdir(name),
                lambda: sftp.rmdir(name), lambda: sftp.utime(name, (1, 1)), lambda: sftp.symlink("/etc/passwd", name),
                lambda: sftp.posix_rename(name, "/files/taken"), lambda: sftp.posix_rename("/files/taken", name)):
        try:
            act()
        except (OSError, UnicodeError, ValueError):
            pass


def over_ftp(control, name):
    """One download, one upload and one listing of that name."""
    for verb in ("RETR", "STOR", "NLST"):
        where = control.passive()
        control.send(f"{verb} {name}")
        answer = control.reply()
        if not answer.startswith("1"):
            continue
        secure = control.context.wrap_socket(socket.create_connection(where, timeout=60), server_hostname="localhost")
        try:
            if verb == "STOR":
                secure.sendall(b"overwritten")
                secure.unwrap().close()
            else:
                got = b""
                while block := secure.recv(65536):
                    got += block
                expect(SECRET[:40] not in got, f"the secret was read as {name[:80]!a}")
                secure.unwrap().close()
        except OSError:
            secure.close()
        control.reply()


def swap(stop, one, other):
    """Puts each in the other's place, thousands of times a second."""
    libc = ctypes.CDLL(None, use_errno=True)
    count = 0
    while not stop.is_set():
        libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE)
        count += 1
    return count


def swapped(ground):
    """Somebody with a shell on the server swaps a folder for a link to outside while clients work in it: nothing outside is touched."""
    house = ground.house()
    account = house.account("swapped")
    outside = house.folder / "outside"
    outside.mkdir()
    (outside / "roster.csv").write_bytes(SECRET)
    (outside / "kept").mkdir()
    box, link = account.on_disk("/files/box"), account.on_disk("/files/.link")
    box.mkdir(parents=True)
    link.symlink_to(outside)
    before = tree(outside)
    stop, wrong, done = threading.Event(), [], [0, 0]
    swapper = threading.Thread(target=swap, args=(stop, box, link))
    workers = [threading.Thread(target=work, args=(account, stop, wrong, done, over)) for over in (sftp_round, sftp_round, ftp_round)]
    swapper.start()
    for worker in workers:
        worker.start()
    end = time.monotonic() + SWAPS_S
    # On a slow machine it takes longer until the race was met.
    while not wrong and (time.monotonic() < end or (min(done) <= 20 and time.monotonic() < end + 180)):
        time.sleep(0.2)
    stop.set()
    for thread in [swapper, *workers]:
        thread.join(180)
    expect(not wrong, "; ".join(wrong[:3]))
    expect(tree(outside) == before, "something outside has changed")
    expect(done[0] > 20 and done[1] > 20, f"{done[0]} operations succeeded and {done[1]} were refused: the race was not met")


def work(account, stop, wrong, done, one_round):
    while not stop.is_set():
        try:
            one_round(account, stop, wrong, done)
        except (OSError, EOFError, Closed, paramiko.SSHException):
            continue
        except Exception as error:  # told by the case
            wrong.append(f"{type(error).__name__}: {error}")


def sftp_round(account, stop, wrong, done):
    transport, sftp = sftp_session(account)

    def read():
        with sftp.open("/files/box/roster.csv") as file:
            if SECRET[:40] in file.read():
                wrong.append("the file outside was read over SFTP")

    def write():
        with sftp.open("/files/box/roster.csv", "w") as file:
            file.write(b"overwritten by a client")

    def listed():
        if "kept" in sftp.listdir("/files/box"):
            wrong.append("the folder outside was listed over SFTP")

    acts = (write, read, listed, lambda: sftp.mkdir("/files/box/made"), lambda: sftp.rmdir("/files/box/made"),
            lambda: sftp.rmdir("/files/box/kept"), lambda: sftp.utime("/files/box/roster.csv", (1, 1)),
            lambda: sftp.rename("/files/box/roster.csv", "/files/box/moved.csv"), lambda: sftp.remove("/files/box/moved.csv"),
            lambda: sftp.posix_rename("/files/box/roster.csv", "/files/stolen.csv"), lambda: sftp.remove("/files/box/roster.csv"))
    while not stop.is_set():
        for act in acts:
            try:
                act()
                done[0] += 1
            except OSError:
                done[1] += 1
        try:
            with sftp.open("/files/stolen.csv") as file:
                if SECRET[:40] in file.read():
                    wrong.append("the file outside was moved inside")
            sftp.remove("/files/stolen.csv")
        except OSError:
            pass
    transport.close()


def ftp_round(account, stop, wrong, done):
    control = Control(account)
    control.log_in()
    while not stop.is_set():
        over_ftp(control, "/files/box/roster.csv")
        for line in ("CWD /files/box", "MLST roster.csv", "MKD made", "RMD made", "RMD kept", "HASH roster.csv",
                     "MFMT 20200101000000 roster.csv", "DELE roster.csv", "CWD /"):
            answer = control.ask(line)
            done[0 if answer[:1] == "2" else 1] += 1
            if hashlib.sha256(SECRET).hexdigest() in answer.lower():
                wrong.append("the file outside was hashed over FTPS")


CASES = [
    (f"escape: a folder and a link swapped for {SWAPS_S} s", swapped),
    ("escape: tricks in names", names),
]
