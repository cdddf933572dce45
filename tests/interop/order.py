"""Uploads that cross each other: never a stale report, never an import lost. The answers here do not wait for imports."""

import fcntl
import json
import threading

import clients
from house import Failed, expect, roster, sha256, wait_for

FINAL = {"ok", "ok_with_warnings", "partial", "rejected", "duplicate", "superseded"}


class Pusher:
    """An open session that puts bytes and reads files, by SFTP or FTPS."""

    def __init__(self, account, protocol):
        self.protocol = protocol
        if protocol == "sftp":
            import paramiko
            self.transport = paramiko.Transport(account.house.connect("sftp"))
            self.transport.banner_timeout = self.transport.auth_timeout = 120
            self.transport.connect(username=account.login, password=account.password)
            self.sftp = paramiko.SFTPClient.from_transport(self.transport)
            self.sftp.get_channel().settimeout(180)
        else:
            self.ftp = clients.Ftplib(protocol).open(account)

    def put(self, path, data):
        if self.protocol == "sftp":
            with self.sftp.open(path, "w") as there:
                there.set_pipelined(True)
                there.write(data)
        else:
            import io
            answer = self.ftp.storbinary(f"STOR {path}", io.BytesIO(data))
            expect(answer.startswith("226"), answer)

    def rename(self, old, new):
        if self.protocol == "sftp":
            self.sftp.posix_rename(old, new)
        else:
            self.ftp.rename(old, new)

    def remove(self, path):
        self.sftp.remove(path) if self.protocol == "sftp" else self.ftp.delete(path)

    def report(self, path):
        """The report beside `path` as the client sees it; None when there is none."""
        parts = []
        try:
            if self.protocol == "sftp":
                with self.sftp.open(path + ".report.json") as there:
                    parts.append(there.read())
            else:
                self.ftp.retrbinary(f"RETR {path}.report.json", parts.append)
        except (FileNotFoundError, clients.ftplib.error_perm):
            return None
        return json.loads(b"".join(parts))

    def close(self):
        self.transport.close() if self.protocol == "sftp" else self.ftp.close()


def settled(account, count, within_s=300):
    """All `count` acknowledged uploads have come to their end, each once."""
    def look():
        seen = account.imports()
        return seen if len(seen) >= count and all(i["status"] in FINAL for i in seen) else None
    try:
        seen = wait_for(f"{count} imports", look, within_s)
    except Failed as late:
        raise Failed(f"{late}; there are {[i['status'] for i in account.imports()]}") from None
    expect(len(seen) == count, f"{len(seen)} imports for {count} uploads")
    expect(len({i["id"] for i in seen}) == count, "an import is listed twice")
    return seen


def not_stale(pusher, path, data, when):
    report = pusher.report(path)
    if report is not None:
        expect(report["file"]["sha256"] == sha256(data), f"a stale report {when}: {report['file']}")
    return report


def two_at_once(account):
    """An SFTP and an FTPS client put the same name at the same time, again and again."""
    rounds, wrong, last = 8, [], {}

    def push(protocol, mark):
        try:
            pusher = Pusher(account, protocol)
            for n in range(rounds):
                last[protocol] = roster(40, department=f"{mark}{n}")
                pusher.put("/payroll/users.csv", last[protocol])
            pusher.close()
        except Exception as error:
            wrong.append(f"{protocol}: {type(error).__name__}: {error}")

    threads = [threading.Thread(target=push, args=a) for a in (("sftp", "S"), ("ftpes", "F"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    expect(not wrong, "; ".join(wrong))
    settled(account, 2 * rounds)
    found = account.on_disk("/payroll/users.csv").read_bytes()
    expect(found in last.values(), "the file that lies there is neither client's last")
    account.expect_imported("/payroll/users.csv", found)
    departments = {u.get("department") for u in account.users()}
    expect(len(departments) == 1 and departments.pop().encode() in found, "the directory is not the last file's")


def during_import(protocol):
    def run(account):
        """Files of one name come while the first of them is being imported."""
        pusher = Pusher(account, protocol)
        files = [roster(20_000, department="A"), *(roster(200, department=f"B{n}") for n in range(4)),
                 roster(5_000, department="C")]
        for number, data in enumerate(files):
            pusher.put("/payroll/users.csv", data)
            not_stale(pusher, "/payroll/users.csv", data, f"after put {number + 1}")
        last = files[-1]
        wait_for("the last file's report", lambda: not_stale(pusher, "/payroll/users.csv", last, "while waiting"), 300)
        settled(account, len(files))
        not_stale(pusher, "/payroll/users.csv", last, "at the end")
        expect(account.report("/payroll/users.csv"), "the last report is gone")
        by_number = {u["employee_number"]: u.get("department") for u in account.users()}
        expect(all(by_number[f"{n:06d}"] == "C" for n in range(1, 5001)), "the last file is not what the directory holds")
        pusher.close()
    return run


def there_and_back(protocol):
    def run(account):
        """Renaming a received upload to another name and back imports nothing again and leaves no stale report."""
        pusher = Pusher(account, protocol)
        data = roster(30)
        pusher.put("/payroll/users.csv", data)
        account.expect_imported("/payroll/users.csv", data)
        pusher.rename("/payroll/users.csv", "/payroll/other.csv")
        expect(account.on_disk("/payroll/other.csv").read_bytes() == data, "the moved file is not there")
        expect(not account.on_disk("/payroll/users.csv").exists(), "the old name is still there")
        pusher.rename("/payroll/other.csv", "/payroll/users.csv")
        expect(account.on_disk("/payroll/users.csv").read_bytes() == data, "the file did not come back")
        settled(account, 1)
        not_stale(pusher, "/payroll/users.csv", data, "after both renames")
        newer = roster(30, department="Neuf")
        pusher.put("/payroll/other.csv", newer)
        account.expect_imported("/payroll/other.csv", newer)
        settled(account, 2)
        not_stale(pusher, "/payroll/users.csv", data, "beside the other name")
        pusher.close()
    return run


def temporary_names(protocol):
    def run(account):
        """Five versions, each under a temporary name and then renamed onto the last one."""
        pusher = Pusher(account, protocol)
        files = [roster(2_000 if n == 0 else 60, department=f"T{n}") for n in range(5)]
        for number, data in enumerate(files):
            pusher.put("/payroll/users.csv.tmp", data)
            pusher.rename("/payroll/users.csv.tmp", "/payroll/users.csv")
            not_stale(pusher, "/payroll/users.csv", data, f"after rename {number + 1}")
        settled(account, len(files))
        account.expect_imported("/payroll/users.csv", files[-1])
        expect(not account.on_disk("/payroll/users.csv.tmp").exists(), "the temporary name is still there")
        pusher.close()
    return run


def queue(account):
    """Names that wait behind a long import are all imported, in the order of their arrival."""
    pusher = Pusher(account, "sftp")
    long = roster(20_000)
    pusher.put("/payroll/long.csv", long)
    short = [(f"/payroll/short-{n}.csv", roster(20, department=f"Q{n}", start=50_000)) for n in range(6)]
    for path, data in short:
        pusher.put(path, data)
    settled(account, 1 + len(short))
    for path, data in [("/payroll/long.csv", long), *short]:
        account.expect_imported(path, data)
    starts = [(account.report(path)["started_at"], path) for path, _ in short]
    expect(starts == sorted(starts), f"imported out of order: {starts}")
    last = {u.get("department") for u in account.users() if u["employee_number"] >= "050000"}
    expect(last == {"Q5"}, f"the last of the queue is not what the directory holds: {last}")
    pusher.close()


def removed_at_once(account):
    """A file that its sender removes right after the acknowledgement is imported all the same."""
    pusher = Pusher(account, "ftps")
    pusher.put("/payroll/long.csv", roster(10_000))
    data = roster(10, department="Parti", start=60_000)
    pusher.put("/payroll/users.csv", data)
    pusher.remove("/payroll/users.csv")
    settled(account, 2)
    expect(any(u.get("department") == "Parti" for u in account.users()), "an acknowledged upload was not imported")
    pusher.close()


def neighbours(one, other):
    """One client's long import does not hold up another's short one."""
    slow, quick = Pusher(one, "sftp"), Pusher(other, "ftps")
    # However quick the machine is: whoever holds the client's lock makes its import as long as he likes.
    lock = one.house.data / "clients" / one.slug / "import.lock"
    with open(lock, "a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        slow.put("/payroll/users.csv", roster(200))
        quick.put("/payroll/users.csv", roster(20))
        wait_for("the neighbour's report", lambda: quick.report("/payroll/users.csv"), 120)
        expect(slow.report("/payroll/users.csv") is None, "an import went on although its client was locked")
    wait_for("the long import's report", lambda: slow.report("/payroll/users.csv"), 120)
    settled(one, 1)
    settled(other, 1)
    slow.close()
    quick.close()


def cases(house):
    def unguarded(name):
        """Rosters of very different lengths follow each other here, which the guards would hold."""
        account = house().account(name)
        house().cli("settings", "set", account.slug, "roster",
                    *(f"guards.{guard}=off" for guard in ("endings", "creations", "one_field", "fewer_rows")))
        return account

    def case(name, run):
        return name, None, None, lambda: run(unguarded("order"))

    yield case("order: two clients put one name at once", two_at_once)
    for protocol in ("sftp", "ftpes"):
        kind = protocol.upper()
        yield case(f"order: {kind} puts during an import", during_import(protocol))
        yield case(f"order: {kind} renames there and back", there_and_back(protocol))
        yield case(f"order: {kind} temporary names in a row", temporary_names(protocol))
    yield case("order: a queue behind a long import", queue)
    yield case("order: removed right after the acknowledgement", removed_at_once)
    yield ("order: a neighbour's long import", None, None,
           lambda: neighbours(unguarded("slow"), unguarded("quick")))
