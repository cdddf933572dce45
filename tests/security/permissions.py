"""Every verb without the right that it needs, over both protocols and the old scp: refused, and not one byte on the disk is different."""

import os
import socket

from escapes import tree
from house import expect
from wire import Control, sftp_session

RIGHTS = ("list", "read", "write", "overwrite", "append", "delete", "rename", "mkdir")
# Those that the old scp has a use for.
SCP_RIGHTS = ("list", "read", "write", "overwrite", "mkdir")
OLD = b"what was there before\n" * 20


def transfer(control, line, data=b"new"):
    """A command with its data connection; the last answer and what came."""
    where, got = control.passive(), b""
    control.send(line)
    answer = control.reply()
    if not answer.startswith("1"):
        return answer, got
    secure = control.context.wrap_socket(socket.create_connection(where, timeout=60), server_hostname="localhost")
    if line.split()[0] in ("STOR", "APPE", "STOU"):
        secure.sendall(data)
        secure.unwrap().close()
    else:
        while block := secure.recv(65536):
            got += block
        secure.unwrap().close()
    return control.reply(), got


def ftp_acts(control):
    """right -> what needs it: a name for the report, and a function that answers whether it was refused."""
    def said(*lines):
        def run():
            answers = [control.ask(line) for line in lines]
            return answers[-1][:1] in "45", answers[-1]
        return lines[-1], run

    def moved(*lines):
        def run():
            for line in lines[:-1]:
                control.ask(line)
            answer, got = transfer(control, lines[-1])
            return answer[:1] in "45" and not got, answer
        return lines[-1], run

    return {
        "list": [moved("LIST /files"), moved("LIST -la /files"), moved("LIST /files/*"), moved("NLST /files"), moved("NLST /files/o*"),
                 moved("MLSD /files"), said("STAT /files"), said("STAT /files/*")],
        "read": [moved("RETR /files/old.bin"), moved("REST 5", "RETR /files/old.bin"), said("HASH /files/old.bin"), said("XSHA256 /files/old.bin")],
        "write": [moved("STOR /files/new.bin"), moved("APPE /files/new.bin"), moved("STOU new.bin"), moved("STOR /payroll/new.csv"),
                  said("RNFR /files/old.bin", "RNTO /files/box/old.bin"), said("RNFR /files/old.bin", "RNTO /payroll/old.csv")],
        "overwrite": [moved("STOR /files/old.bin"), said("RNFR /files/other.bin", "RNTO /files/old.bin")],
        "append": [moved("APPE /files/old.bin"), moved("REST 440", "STOR /files/old.bin")],
        "delete": [said("DELE /files/old.bin"), said("RMD /files/box"), said("XRMD /files/box"),
                   said("RNFR /files/old.bin", "RNTO /files/box/old.bin"), said("RNFR /files/old.bin", "RNTO /payroll/old.csv")],
        "rename": [said("RNFR /files/old.bin", "RNTO /files/older.bin"), said("RNFR /files/box", "RNTO /files/bigger")],
        "mkdir": [said("MKD /files/made"), said("XMKD /files/made"), said("MKD /payroll/made")],
        # Times may be set by whoever may send files in any way.
        "times": [said("MFMT 20200101000000 /files/old.bin"), said("MDTM 20200101000000 /files/old.bin"),
                  said("SITE UTIME 20200101000000 /files/old.bin")],
    }


def sftp_acts(sftp):
    def act(name, run):
        def refused():
            try:
                got = run()
            except OSError as error:
                return True, str(error)
            return False, f"answered {got!r}"
        return name, refused

    def write(path, mode):
        def run():
            with sftp.open(path, mode) as file:
                file.write(b"new")
        return act(f"open {path} {mode}", run)

    def read():
        with sftp.open("/files/old.bin") as file:
            return file.read(10)

    def check_file():
        with sftp.open("/files/old.bin") as file:
            return file.check("sha256")

    return {
        "list": [act("listdir", lambda: sftp.listdir("/files"))],
        "read": [act("read", read), act("check-file", check_file)],
        "write": [write("/files/new.bin", "w"), write("/files/new.bin", "a"), write("/files/new.bin", "x"), write("/payroll/new.csv", "w"),
                  act("rename elsewhere", lambda: sftp.rename("/files/old.bin", "/files/box/old.bin")),
                  act("posix-rename elsewhere", lambda: sftp.posix_rename("/files/old.bin", "/payroll/old.csv"))],
        "overwrite": [write("/files/old.bin", "w"), act("posix-rename onto", lambda: sftp.posix_rename("/files/other.bin", "/files/old.bin"))],
        "append": [write("/files/old.bin", "a")],
        "delete": [act("remove", lambda: sftp.remove("/files/old.bin")), act("rmdir", lambda: sftp.rmdir("/files/box")),
                   act("rename elsewhere", lambda: sftp.rename("/files/old.bin", "/files/box/old.bin"))],
        "rename": [act("rename", lambda: sftp.rename("/files/old.bin", "/files/older.bin")),
                   act("posix-rename", lambda: sftp.posix_rename("/files/old.bin", "/files/older.bin")),
                   act("rename a folder", lambda: sftp.rename("/files/box", "/files/bigger"))],
        "mkdir": [act("mkdir", lambda: sftp.mkdir("/files/made")), act("mkdir in the import folder", lambda: sftp.mkdir("/payroll/made"))],
        # Answered with success whatever becomes of it: a transfer must not fail by its time. Only the disk counts.
        "times": [("utime", lambda: (sftp.utime("/files/old.bin", (1, 1)) is None, "answered"))],
        "never": [act("symlink", lambda: sftp.symlink("/etc/passwd", "/files/link")), act("link", lambda: sftp.symlink("/files/old.bin", "/files/l"))],
    }


def scp_acts(transport):
    """One scp each; the client of a source answers everything with "go on" and says so beforehand."""
    def act(command, *lines):
        def run():
            channel = transport.open_session()
            try:
                channel.settimeout(120)
                channel.exec_command(command)
                said = b""
                # In one go: what comes behind a refused line is no line, and refused as well.
                channel.sendall(b"".join(lines))
                channel.shutdown_write()
                while got := channel.recv(4096):
                    said += got
                was_refused = channel.recv_exit_status() != 0 and OLD not in said and said[:1] not in (b"C", b"D")
                return was_refused, said[:200]
            finally:
                channel.close()
        return command, run

    def source(command):
        return act(command, b"\0" * 50)

    def file(name):
        return f"C0644 3 {name}\n".encode(), b"new\0"

    return {
        "list": [source("scp -r -f /files"), source("scp -f /files/*")],
        "read": [source("scp -f /files/old.bin")],
        "write": [act("scp -t /files/new.bin", *file("new.bin")), act("scp -t /payroll", *file("new.csv"))],
        "overwrite": [act("scp -t /files", *file("old.bin")), act("scp -t /files/old.bin", *file("x"))],
        "mkdir": [act("scp -r -t /files", b"D0755 0 made\n"), act("scp -r -t /payroll/made", b"D0755 0 made\n")],
    }


def opened(account, protocol):
    """A session that is logged in: what closes it, and what can be done in it."""
    if protocol in ("sftp", "scp"):
        transport, sftp = sftp_session(account)
        return transport.close, sftp_acts(sftp) if protocol == "sftp" else scp_acts(transport)
    control = Control(account)
    control.log_in()
    control.ask("CWD /files")
    return control.sock.close, ftp_acts(control)


def rights_of(protocol):
    return SCP_RIGHTS if protocol == "scp" else RIGHTS


def prepared(house, name):
    account = house.account(name)
    (account.files / "files" / "box").mkdir(parents=True, exist_ok=True)
    (account.files / "payroll").mkdir(exist_ok=True)
    for file in ("old.bin", "other.bin"):
        (account.files / "files" / file).write_bytes(OLD)
        os.utime(account.files / "files" / file, (1e9, 1e9))
    return account


def whole(account):
    """Names, bytes and times of files."""
    found = tree(account.files)
    times = {path: os.stat(path).st_mtime_ns for path, what in found.items() if what not in ("folder",)}
    return found, times


def refused(ground):
    house = ground.house()
    for protocol in ("sftp", "scp", "ftps"):
        account = prepared(house, f"rights-{protocol}")
        before = whole(account)
        for missing in (*rights_of(protocol), "everything"):
            left = [right for right in RIGHTS if right != missing] if missing != "everything" else ["none"]
            house.cli("account", "rights", account.login, ",".join(left))
            close, acts = opened(account, protocol)
            wanted = acts.get(missing) or [act for group in acts.values() for act in group]
            for name, run in [*wanted, *acts.get("never", [])]:
                was_refused, answer = run()
                expect(was_refused, f"{protocol} without {missing}: {name} was not refused: {answer}")
                expect(whole(account) == before, f"{protocol} without {missing}: {name} ({answer}) has changed something")
            close()
        expect(not account.spooled(), f"{protocol}: {account.spooled()} were left in the spool")


def allowed(ground):
    """The same verbs with all rights do change something: the refusals above were about rights."""
    house = ground.house()
    for protocol in ("sftp", "scp", "ftps"):
        for right in rights_of(protocol):
            account = prepared(house, f"all-{protocol}")
            close, acts = opened(account, protocol)
            name, run = acts[right][0]
            was_refused, answer = run()
            expect(not was_refused, f"{protocol} with all rights: {name} was refused: {answer}")
            close()


def told(ground):
    """The `perm` fact tells what is allowed, for files, folders and folders with rights of their own."""
    house = ground.house()
    account = prepared(house, "perm")
    control = Control(account)
    control.log_in()

    def facts(path):
        line = control.ask(f"MLST {path}").split("\n")[1]
        return dict(fact.split("=") for fact in line.strip().split(" ")[0].strip(";").split(";"))["perm"]

    listed = transfer(control, "MLSD /")[1].decode()
    expect("perm=celmp; payroll" in listed, f"an import folder cannot be moved: {listed}")
    expect((facts("/files/old.bin"), facts("/files/box")) == ("adfrw", "cdeflmp"), f"{facts('/files/old.bin')} {facts('/files/box')}")
    house.cli("account", "rights", account.login, "list,read")
    house.cli("account", "rights", account.login, "write,overwrite", "--folder", "roster")
    control = Control(account)
    control.log_in()
    expect((facts("/files/old.bin"), facts("/files/box"), facts("/payroll")) == ("r", "el", "ce"),
           f"{facts('/files/old.bin')} {facts('/files/box')} {facts('/payroll')}")


CASES = [
    ("rights: every verb without its right", refused),
    ("rights: the same verbs with it", allowed),
    ("rights: the perm fact", told),
]
