"""Folders that import by the clock: what the client is told, what waits, what goes on beside it."""

import io

from house import expect, roster, wait_for
from order import Pusher

LEAP_DAY = "cron 0 4 29 2 *"


def waits_and_runs(account):
    """A scheduled folder answers with the time; another trigger imports what waits, once, the newest only."""
    house = account.house
    house.cli("settings", "set", account.slug, "roster", f"trigger={LEAP_DAY}", "expected.by=08:00")
    planned = house.cli("schedule", "list", account.slug)
    kinds = sorted(one["kind"] for one in planned)
    expect(kinds == ["expected", "import"], f"schedule list: {planned}")
    for protocol in ("ftps", "ftpes", "sftp"):
        pusher = Pusher(account, protocol)
        data = roster(3, department=protocol)
        if protocol == "sftp":
            pusher.put("/payroll/users.csv", data)
        else:
            answer = pusher.ftp.storbinary("STOR /payroll/users.csv", io.BytesIO(data))
            expect(answer.startswith("226 Received; import at 20") and "-02-29 " in answer, answer)
        expect(pusher.report("/payroll/users.csv") is None, "a report before the import")
        pusher.close()
    # What is only tried does not wait.
    trial = Pusher(account, "ftps")
    answer = trial.ftp.storbinary("STOR /payroll/users.test.csv", io.BytesIO(roster(2)))
    expect("2 rows" in answer, answer)
    trial.close()
    waiting = [one for one in account.imports() if one["status"] == "waiting"]
    expect(len(waiting) == 3 and all("imports at" in one["waits_for"] for one in waiting), f"{waiting}")
    house.cli("settings", "set", account.slug, "roster", "trigger=upload")
    wait_for("what waited is imported", lambda: all(one["status"] != "waiting" for one in account.imports()))
    statuses = sorted(one["status"] for one in account.imports() if not one["dry_run"])
    expect(statuses == ["ok", "superseded", "superseded"], f"{statuses}")
    report = Pusher(account, "sftp")
    expect(report.report("/payroll/users.csv")["counts"]["created"] == 3, "the report of the newest")
    report.close()


def cases(house):
    yield "schedules: what waits for its time", None, None, lambda: waits_and_runs(house().account("schedule"))
