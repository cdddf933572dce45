"""Reports of the running server: as the published schema says, and refused rows that come back mended."""

import json
from pathlib import Path

import jsonschema
from house import expect
from order import Pusher

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ("every-error.csv", "german.csv", "titles-and-breaks.csv", "unreadable/login-page.csv", "held/1-before.csv")
REFUSED = (
    "employeeNumber;lastName;firstName;mail;dtContractStart;dtBirth\r\n"
    "00123;Dupont;Anne;anne.dupont@example.org;2024-03-01;1990-05-04\r\n"
    "00124;Martin;Paul;paul.martin(at)example.org;01/04/2024;31/01/1985\r\n"
)


def schema(common):
    """Every report that the server writes, against docs/report.schema.json."""
    schema = json.loads((ROOT / "docs/report.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    account = common().account("report-schema")
    session = Pusher(account, "sftp")
    for number, sample in enumerate(SAMPLES):
        path = f"/payroll/{number}.csv"
        session.put(path, (ROOT / "data/samples" / sample).read_bytes())
        report = session.report(path)
        expect(report, f"no report of {sample}")
        faults = [f"{'/'.join(map(str, f.absolute_path))}: {f.message}" for f in validator.iter_errors(report)]
        expect(not faults, f"{sample}: {faults[:3]}")
    session.close()


def corrections(common):
    """The corrections file as it came, one cell mended, sent again: the row is applied and nobody is absent."""
    account = common().account("report-corrections")
    session = Pusher(account, "sftp")
    session.put("/payroll/users.csv", REFUSED.encode())
    first = session.report("/payroll/users.csv")
    expect(first["counts"]["created"] == 1 and first["counts"]["rejected"] == 1, first["counts"])
    with session.sftp.open("/payroll/users.csv.corrections.csv") as there:
        text = there.read().decode("utf-8")
    expect('="00124"' in text.replace('""', '"'), f"the number would lose its zeros: {text}")
    mended = text.replace("paul.martin(at)example.org", "paul.martin@example.org", 1)
    session.put("/payroll/users.csv.corrections.csv", mended.encode())
    second = session.report("/payroll/users.csv.corrections.csv")
    expect(second["mode"] == "delta", second["mode"])
    expect(second["counts"]["created"] == 1 and second["counts"]["absent"] == 0, second)
    numbers = sorted(user["employee_number"] for user in account.users())
    expect(numbers == ["00123", "00124"], numbers)
    session.close()


def cases(common):
    return [
        ("reports are as the schema says", None, None, lambda: schema(common)),
        ("corrections come back mended", None, None, lambda: corrections(common)),
    ]
