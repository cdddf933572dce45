"""What every client program is asked to do; the harder half is in demands.py."""

import os

import clients
from house import expect, roster, sha256, wait_for


# How much of everything: `--write` asks for all of it, every other run for enough.
SCALE = {"small_files": 60, "large_mib": None}


def done(client, account, steps, password=None):
    outcome = client.run(account, steps, password)
    expect(outcome.ok, f"{client.name} could not {'; '.join(s[0] for s in steps)}: {tail(outcome.text)}")
    return outcome


def tail(text, lines=8):
    return " | ".join(text.strip().splitlines()[-lines:])


def local(account, data):
    path = account.house.work / f"{account.slug}-{os.urandom(4).hex()}"
    path.write_bytes(data)
    return path


def same_on_disk(account, path, data):
    found = account.on_disk(path)
    expect(found.is_file(), f"{path} is not there")
    expect(found.read_bytes() == data, f"{path} has other bytes ({found.stat().st_size} instead of {len(data)})")


def put(client, account):
    """An upload is there byte by byte, imported once, its report tells of it."""
    data = roster(3)
    done(client, account, [("put", local(account, data), "/payroll/users.csv")])
    same_on_disk(account, "/payroll/users.csv", data)
    report = account.report("/payroll/users.csv")
    expect(report, "no report when the client was done")
    expect(report["file"]["sha256"] == sha256(data), "the report tells of other bytes")
    expect(report["counts"]["created"] == 3, f"created {report['counts']}")
    expect(len(account.imports()) == 1, "not exactly one import")
    expect(len(account.users()) == 3, "not exactly three users")


def put_then_get(client, account):
    """The report of an upload is read in the same session, without waiting."""
    data = roster(4)
    back = account.house.work / f"{account.slug}.json"
    done(client, account, [
        ("put", local(account, data), "/payroll/users.csv"),
        ("get", "/payroll/users.csv.report.json", back),
    ])
    expect(sha256(data).encode() in back.read_bytes(), "the report read back is not this upload's")


def temporary_name(client, account):
    """Uploading under a temporary name imports nothing; renaming it imports once."""
    data = roster(5)
    done(client, account, [("put", local(account, data), "/payroll/users.csv.part")])
    expect(not account.imports(), "a temporary name was imported")
    done(client, account, [("rename", "/payroll/users.csv.part", "/payroll/users.csv")])
    same_on_disk(account, "/payroll/users.csv", data)
    account.expect_imported("/payroll/users.csv", data)
    expect(not account.on_disk("/payroll/users.csv.part").exists(), "the temporary name is still there")
    expect(len(account.imports()) == 1, "not exactly one import")


def overwrite(client, account):
    """A second file of the same name replaces the first; the report is the second's at once."""
    first, second = roster(6), roster(6, department="Compta")
    steps = [("put", local(account, first), "/payroll/users.csv"), ("put", local(account, second), "/payroll/users.csv")]
    done(client, account, steps)
    same_on_disk(account, "/payroll/users.csv", second)
    report = account.report("/payroll/users.csv")
    expect(report and report["file"]["sha256"] == sha256(second), "the report is not the second upload's")
    expect(report["counts"]["updated"] == 6, f"updated: {report['counts']}")
    expect(len(account.imports()) == 2, "not exactly two imports")


def resume(client, account):
    """Half a file is completed from where it ends."""
    data = os.urandom(700_000)
    done(client, account, [("put", local(account, data[:300_001]), "/files/big.bin")])
    done(client, account, [("resume", local(account, data), "/files/big.bin")])
    same_on_disk(account, "/files/big.bin", data)


def listing(client, account):
    """A folder's list names what lies there."""
    data = roster(2)
    names = ["a.csv", "b c.txt", "d.bin"]
    done(client, account, [("put", local(account, data), f"/files/{n}") for n in names])
    seen = [n.rsplit("/", 1)[-1] for n in done(client, account, [("list", "/files")]).names]
    expect(all(n in seen for n in names), f"listed {seen}")


def delete(client, account):
    """A removed file is gone."""
    done(client, account, [("put", local(account, b"x"), "/files/old.txt")])
    done(client, account, [("remove", "/files/old.txt")])
    expect(not account.on_disk("/files/old.txt").exists(), "the file is still there")


def folders(client, account):
    """A folder is made, filled, emptied and removed."""
    done(client, account, [("mkdir", "/files/2026")])
    done(client, account, [("put", local(account, b"yes"), "/files/2026/note.txt")])
    same_on_disk(account, "/files/2026/note.txt", b"yes")
    done(client, account, [("remove", "/files/2026/note.txt"), ("rmdir", "/files/2026")])
    expect(not account.on_disk("/files/2026").exists(), "the folder is still there")


def names(client, account):
    """Latin, non-Latin and awkward names arrive as they are and come back."""
    for name in ("Été 2026 – paie.csv", "名簿 Список.csv", "it's 100% [a] (b) & c.csv"):
        data = roster(2) + name.encode()
        back = account.house.work / f"{account.slug}-back"
        there = f"/files/{name}"
        done(client, account, [("put", local(account, data), there), ("get", there, back)])
        same_on_disk(account, there, data)
        expect(back.read_bytes() == data, f"{name} came back with other bytes")


def large(client, account):
    """A large file there and back without a changed byte."""
    data = os.urandom(1 << 20) * (SCALE["large_mib"] or client.large_mib)
    back = account.house.work / f"{account.slug}-large"
    done(client, account, [("put", local(account, data), "/files/large.bin"), ("get", "/files/large.bin", back)])
    same_on_disk(account, "/files/large.bin", data)
    expect(back.read_bytes() == data, "it came back with other bytes")
    back.unlink()


def empty(client, account):
    """A file of no bytes is a file; in an import folder its report says so (F001)."""
    done(client, account, [("put", local(account, b""), "/files/empty.txt")])
    same_on_disk(account, "/files/empty.txt", b"")
    done(client, account, [("put", local(account, b""), "/payroll/users.csv")])
    report = wait_for("a report", lambda: account.report("/payroll/users.csv"))
    expect(report["status"] == "rejected", f"status {report['status']}")
    expect("F001" in [m["code"] for m in report["messages"]], "no F001 in the report")


def knock(client, account):
    """The least that a program can do in a session."""
    if "put" in client.can and "list" not in client.can:
        return [("put", local(account, b"x"), "/files/x.txt")]
    return [("list", "/")]


def wrong_password(client, account):
    """A wrong password lets nobody in."""
    outcome = client.run(account, knock(client, account), "not-" + account.password)
    expect(not outcome.ok, f"a wrong password was accepted: {tail(outcome.text)}")


def protocol_refused(client, account):
    """The right password over a connection type that the account may not use lets nobody in."""
    outcome = client.run(account, knock(client, account))
    expect(not outcome.ok, f"the connection type was accepted: {tail(outcome.text)}")


def result_in_words(client, account):
    """The answer to an FTPS upload says what the import did."""
    outcome = done(client, account, [("put", local(account, roster(7)), "/payroll/users.csv")])
    answer = [l for l in outcome.text.splitlines() if "226" in l and "7 rows" in l]
    expect(answer, f"no 226 with the result: {tail(outcome.text)}")
    expect("users.csv.report.csv" in answer[0] and "7 created" in answer[0], answer[0])


# (column in docs/clients.md, what a client must be able to do, the case)
OPERATIONS = [
    ("put", {"put"}, put),
    ("put, then get the report", {"put", "get"}, put_then_get),
    ("temporary name, rename", {"put", "rename"}, temporary_name),
    ("overwrite", {"put"}, overwrite),
    ("resume", {"resume"}, resume),
    ("list", {"list"}, listing),
    ("delete", {"remove"}, delete),
    ("folders", {"mkdir"}, folders),
    ("names", {"put", "get"}, names),
    ("large file both ways", {"put", "get"}, large),
    ("empty file", {"put"}, empty),
    ("wrong password", set(), wrong_password),
    ("type not allowed", set(), protocol_refused),
]
