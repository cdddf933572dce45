"""The server dies between the start of an import by the API and its answer: sent again with its key, the file is imported once.

At named places the program ends itself as if it were killed (debug builds; src/fault.rs), and it is killed with SIGKILL at
instants spread over the time that an import takes. Then it is started again and the same request sent with the same key.
"""

import hashlib
import http.client
import json
import signal
import threading
import time

PLACES = ["import.begun", "apply.inside", "apply.committed", "report.staging", "report.placing", "report.written", "import.marked"]
KILLS = 8
PEOPLE = 300
DEADLINE_S = 240
# Files of very different people follow each other here, and that is meant.
SETTINGS = 'key = "employee_number"\nmode = "delta"\n[guards]\ncreations = "off"\n'


def roster(round_):
    """Everybody of this round is new, so that a second import would show."""
    rows = [f"{round_:02d}{n:04d};Lefèvre-{n};Zoé;2026-02-02;HR\n" for n in range(PEOPLE)]
    return ("employee number;last name;first name;hire date;department\n" + "".join(rows)).encode()


def send(house, token, key, content):
    """Status and body of the answer; `None` when the server died over it."""
    host, port = house.page.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=DEADLINE_S)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/csv", "Idempotency-Key": key}
    try:
        connection.request("POST", "/api/v1/clients/killed/imports?folder=killed&name=users.csv&wait=30", content, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def settled(house, key, token, content):
    """Sends again until it is taken, then waits for the import's end."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        answer = send(house, token, key, content)
        if answer and answer[0] < 400 and house.cli("imports", "show", answer[1]["id"])["status"] != "waiting":
            return answer
        time.sleep(0.1)
    return None


def once(house, token, round_, die):
    """One import over which the server dies; why it was wrong, or nothing."""
    content, key = roster(round_), f"night-{round_}"
    first = []
    asking = threading.Thread(target=lambda: first.append(send(house, token, key, content)))
    die(asking)
    asking.join()
    if house.process.poll() is None:
        house.process.send_signal(signal.SIGKILL)
    house.process.wait()
    house.process.stdout.close()
    house.env.pop("ROLLCALL_FAULT", None)
    house.start()
    again = settled(house, key, token, content)
    third = send(house, token, key, content)
    if not again or not third:
        return f"no answer after the restart: {again} {third}"
    told = first[0] if first else None
    sha256 = hashlib.sha256(content).hexdigest()
    runs = [i for i in house.cli("imports", "list", "killed") if i["file"]["sha256"] == sha256]
    people = [u for u in house.cli("users", "list", "killed", "--format", "json") if u["employee_number"].startswith(f"{round_:02d}")]
    ids = {answer[1]["id"] for answer in (told, again, third) if answer and answer[0] < 400}
    counts = runs[0]["counts"] if runs else {}
    good = len(runs) == 1 and runs[0]["status"] in ("ok", "ok_with_warnings") and counts["created"] == PEOPLE and len(people) == PEOPLE
    if good and ids == {runs[0]["id"]}:
        return None
    return f"{len(runs)} imports, {len(people)} people, ids {ids}; told {told}, then {again}, then {third}"


def run(house, token, check):
    """Each place and each instant; `check(name, truth, why)` counts."""
    house.cli("client", "add", "killed")
    house.cli("account", "add", "killed", "Payroll", "--login", "killed")
    house.cli("folder", "add", "killed", "killed", "/killed", "--purpose", "import")
    settings = house.work / "killed.toml"
    settings.write_text(SETTINGS)
    house.cli("settings", "load", "killed", "killed", str(settings))
    began = time.monotonic()
    usual = send(house, token, "night-0", roster(0))
    took_s = time.monotonic() - began
    check("an import by the API", usual and usual[0] == 201 and usual[1]["counts"]["created"] == PEOPLE, usual)
    round_ = 0
    for place in PLACES:
        round_ += 1
        house.stop()
        house.env["ROLLCALL_FAULT"] = f"kill:{place}"
        house.start()

        def die(asking):
            asking.start()
            house.process.wait(DEADLINE_S)

        why = once(house, token, round_, die)
        check(f"the server dies at {place}: imported once", not why, why)
    for kill in range(KILLS):
        round_ += 1

        def die(asking, kill=kill):
            asking.start()
            # The one clock of this test: the kill is to come while the import is under way, each time at another instant.
            asking.join(took_s * (kill + 0.5) / KILLS)
            house.process.send_signal(signal.SIGKILL)

        why = once(house, token, round_, die)
        check(f"kill -9 after {took_s * (kill + 0.5) / KILLS:.3f} s: imported once", not why, why)
