"""The harder half of the matrix: other logins, strangers, missing rights, full quotas, whole folders, time stamps, broken lines."""

import os

from house import expect, wait_for, wide_roster
from matrix import SCALE, done, local, same_on_disk, tail
from network import breaking_line, run as make, stranger, with_house

STAMP = 1_700_000_000

def keys(client, account):
    """An Ed25519 and an RSA key, over FTPS a TLS client certificate, in place of the password."""
    house = account.house
    if client.protocol == "sftp":
        ways = [house.user_key, *([house.rsa_key] if client.signs_rsa_sha2 else [])]
    else:
        folder = house.folder / f"{account.slug}-certificate"
        folder.mkdir()
        one = folder / "both.pem"
        make(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=payroll",
              "-keyout", folder / "key.pem", "-out", folder / "cert.pem"])
        one.write_bytes((folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes())
        house.cli("account", "key", "add", account.login, str(folder / "cert.pem"))
        ways = [one]
    for way in ways:
        by_key = with_house(account, house)
        by_key.by_key, by_key.key = way, way
        if client.protocol != "sftp":
            by_key.password = "a-password-that-is-not-the-account's"
        data = os.urandom(1000)
        done(client, by_key, [("put", local(account, data), f"/files/{way.name}.bin")])
        same_on_disk(account, f"/files/{way.name}.bin", data)


def wrong_host(client, account):
    """A server with another host key or certificate than the expected one gets neither login nor file."""
    steps = [("put", local(account, b"secret"), "/files/x.txt")]
    if "put" not in client.can:
        account.on_disk("/files").mkdir(exist_ok=True)
        account.on_disk("/files/x.txt").write_bytes(b"secret")
        steps = [("get", "/files/x.txt", account.house.work / f"{account.slug}-x")]
    outcome = client.run(stranger(account), steps)
    expect(not outcome.ok, f"the wrong server was trusted: {tail(outcome.text)}")
    events = account.house.cli("log", "--login", account.login)
    expect(not [e for e in events if e["event"] in ("login", "refused")], f"it went as far as the login: {events}")


def tree(account):
    return sorted(str(p.relative_to(account.files)) for p in account.files.rglob("*"))


def no_rights(client, account):
    """What an account may not do is refused in the program's own way, and changes nothing."""
    kept = b"kept as it is"
    account.on_disk("/files").mkdir(exist_ok=True)
    account.on_disk("/files/kept.txt").write_bytes(kept)
    account.on_disk("/files/folder").mkdir()
    account.house.cli("account", "rights", account.login, "list" if client.can >= {"list"} else "none")
    steps = {
        "put": ("put", local(account, b"new"), "/files/new.txt"), "get": ("get", "/files/kept.txt", account.house.work / f"{account.slug}-no"),
        "rename": ("rename", "/files/kept.txt", "/files/other.txt"), "remove": ("remove", "/files/kept.txt"),
        "mkdir": ("mkdir", "/files/made"), "rmdir": ("rmdir", "/files/folder"),
    }
    before = tree(account)
    for what, step in steps.items():
        if what in client.can:
            outcome = client.run(account, [step])
            expect(what in client.takes_no_for_done or not outcome.ok, f"{what} without the right to it was taken for done: {tail(outcome.text)}")
    if "put" in client.can:
        outcome = client.run(account, [("put", local(account, b"other"), "/files/kept.txt")])
        expect(not outcome.ok, f"replacing without the right to it was taken for done: {tail(outcome.text)}")
    expect(tree(account) == before, f"the folders have changed: {before} {tree(account)}")
    same_on_disk(account, "/files/kept.txt", kept)


def full_quota(client, account):
    """A file for which there is no room fails in the program, and the file that was there stays."""
    old = os.urandom(1000)
    done(client, account, [("put", local(account, old), "/files/file.bin")])
    account.house.cli("account", "limits", account.login, "--quota", "1M")
    outcome = client.run(account, [("put", local(account, os.urandom(40 << 20)), "/files/file.bin")])
    expect(not outcome.ok, f"a file beyond the quota was taken for sent: {tail(outcome.text)}")
    if not client.clears_away:
        same_on_disk(account, "/files/file.bin", old)
    wait_for("an empty spool", lambda: not account.spooled())
    account.house.cli("account", "limits", account.login, "--quota", "100M")
    data = os.urandom(1 << 20)
    done(client, account, [("put", local(account, data), "/files/file.bin")])
    same_on_disk(account, "/files/file.bin", data)


def small_files(client, account):
    """Very many small files, one after the other or as a folder."""
    count = SCALE["small_files"]
    here = account.house.work / f"{account.slug}-many"
    here.mkdir()
    contents = {f"file {n:04d}.txt": os.urandom(200 + n) for n in range(count)}
    for name, data in contents.items():
        (here / name).write_bytes(data)
    if "put-tree" in client.can:
        done(client, account, [("put-tree", here, "/files/many")])
    elif "put" in client.can:
        if "mkdir" in client.can:
            done(client, account, [("mkdir", "/files/many")])
        else:
            account.on_disk("/files/many").mkdir(parents=True)
        done(client, account, [("put", here / name, f"/files/many/{name}") for name in contents])
    else:
        account.on_disk("/files/many").mkdir(parents=True)
        for name, data in contents.items():
            account.on_disk(f"/files/many/{name}").write_bytes(data)
    for name, data in contents.items():
        same_on_disk(account, f"/files/many/{name}", data)
    if "list" in client.can:
        seen = {n.rsplit("/", 1)[-1] for n in done(client, account, [("list", "/files/many")]).names}
        expect(seen >= set(contents), f"listed {len(seen)} of {count}")
    if "get-tree" in client.can:
        back = account.house.work / f"{account.slug}-many-back"
        done(client, account, [("get-tree", "/files/many", back)])
        came = {p.name: p.read_bytes() for p in back.rglob("*") if p.is_file() and p.name in contents}
        expect(came == contents, f"{len(came)} of {count} came back, or with other bytes")


def trees(client, account):
    """A folder with folders in it, there and back."""
    here = account.house.work / f"{account.slug}-tree"
    files = {"a.txt": b"a", "été/b c.txt": b"b" * 5000, "été/deep/er/d.csv": b"d"}
    for name, data in files.items():
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_bytes(data)
    if "put-tree" in client.can:
        done(client, account, [("put-tree", here, "/files/tree")])
    else:
        make(["cp", "-r", here, account.on_disk("/files/tree")])
    for name, data in files.items():
        same_on_disk(account, f"/files/tree/{name}", data)
    back = account.house.work / f"{account.slug}-tree-back"
    done(client, account, [("get-tree", "/files/tree", back)])
    found = {str(p.relative_to(back)): p.read_bytes() for p in back.rglob("*") if p.is_file() and p.name != ".listing"}
    expect(found == files, f"came back: {sorted(found)}")


def dates(client, account):
    """The time stamp of a file survives the way there, and the way back."""
    data = local(account, b"dated")
    os.utime(data, (STAMP, STAMP))
    if "put-dated" in client.can:
        done(client, account, [("put-dated", data, "/files/dated.txt")])
        found = int(account.on_disk("/files/dated.txt").stat().st_mtime)
        expect(found == STAMP, f"there its time is {found}")
    else:
        account.on_disk("/files").mkdir(exist_ok=True)
        account.on_disk("/files/dated.txt").write_bytes(b"dated")
        os.utime(account.on_disk("/files/dated.txt"), (STAMP, STAMP))
    back = account.house.work / f"{account.slug}-dated-back"
    done(client, account, [("get-dated", "/files/dated.txt", back)])
    found = int(back.stat().st_mtime)
    # A listing (wget) tells minutes, and of old files the day.
    slack = 86_400 if client.name.startswith("wget") else 0
    expect(abs(found - STAMP) <= slack, f"here its time is {found}")


def resume_get(client, account):
    """Half a download is completed from where it ends."""
    data = os.urandom(700_000)
    account.on_disk("/files").mkdir(exist_ok=True)
    account.on_disk("/files/big.bin").write_bytes(data)
    half = local(account, data[:300_001])
    done(client, account, [("resume-get", "/files/big.bin", half)])
    expect(half.read_bytes() == data, "the completed file has other bytes")


def broken_line(client, account):
    """The line breaks in the middle of a roster and the program, or its user, sends it again: imported once, and whole."""
    data = wide_roster(12_000, "Paie")
    here = local(account, data)
    with breaking_line(account, len(data) // 3) as (far, line):
        outcome = client.run(far, [("put", here, "/payroll/users.csv")])
        expect(line.is_cut, f"the line was not used: {tail(outcome.text)}")
        again = not outcome.ok or not account.on_disk("/payroll/users.csv").exists()
    if again:
        wait_for("an empty spool", lambda: not account.spooled())
        expect(not account.on_disk("/payroll/users.csv").exists() and not account.imports(), "half a roster was taken")
        done(client, account, [("put", here, "/payroll/users.csv")])
    same_on_disk(account, "/payroll/users.csv", data)
    account.expect_imported("/payroll/users.csv", data)
    runs = account.imports()
    expect(len(runs) == 1, f"{len(runs)} imports: {runs}")


# (column in docs/clients.md, what a client must be able to do, the case)
OPERATIONS = [
    ("key or certificate", {"key"}, keys),
    ("wrong server", set(), wrong_host),
    ("no right to it", set(), no_rights),
    ("quota full", {"put"}, full_quota),
    ("many small files", {"put"}, small_files),
    ("folders with all in them", {"get-tree"}, trees),
    ("time stamps", {"get-dated"}, dates),
    ("resume a download", {"resume-get"}, resume_get),
    ("line broken, sent again", {"put"}, broken_line),
]
