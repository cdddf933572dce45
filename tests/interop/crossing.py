"""Every client program × every operation: the cases, and the table of what came of them."""

import importlib.metadata
import json
import re
import subprocess
import tomllib
from pathlib import Path

import demands
import desktop
import matrix
import others
import scripts
from house import Failed

OPERATIONS = [*matrix.OPERATIONS, *demands.OPERATIONS]
WORDS = "result in words"
PROGRAMS = [*others.ALL, *scripts.ALL, *desktop.ALL]
BEGIN, END = "<!-- results: written by tests/interop/run --write -->", "<!-- end of results -->"


class Missing(Failed):
    """A program that is not installed."""


def cases(house, compat, legacy, more=()):
    """(name, client, operation, run); `more`: suites that are run only when asked for."""
    for client in [*others.ALL, *(client for suite in more for client in suite.ALL)]:
        at = legacy if client.needs_legacy else compat if client.needs_compat else house
        for operation, needs, case in OPERATIONS:
            if needs <= client.can and operation not in client.cannot:
                yield f"{client.name}: {operation}", client.name, operation, one(at, client, case)
        if client.protocol != "sftp" and client.shows_answers:
            yield f"{client.name}: {WORDS}", client.name, WORDS, one(at, client, matrix.result_in_words)


def one(house, client, case):
    def run():
        reason = client.missing()
        if reason:
            raise Missing(reason)
        allowed = "sftp,ftps,ftpes"
        if case is matrix.protocol_refused:
            allowed = ",".join(p for p in allowed.split(",") if p != client.protocol)
        case(client, house().account(case.__name__.replace("_", "-"), allowed))
    return run


def first_number(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, stdin=subprocess.DEVNULL)
    except OSError:
        return ""
    # sshfs tells the version of its library beside its own.
    found = re.search(r"(?:SSHFS version )(\d[\d.]+)", done.stdout + done.stderr)
    found = found or re.search(r"(\d+(?:\.\d+)+(?:p\d+)?)", done.stdout + done.stderr)
    return found.group(1) if found else ""


def version(client):
    """The version of the program, as far as it tells one."""
    of_program = {
        "OpenSSH": ("ssh", "-V"), "PuTTY": ("psftp", "-V"), "sshfs": ("sshfs", "-V"), "lftp": ("lftp", "--version"),
        "curl": ("curl", "-V"), "rclone": ("rclone", "version"), "wget": ("wget", "-V"),
    }
    first = client.name.split(",")[0].split()[0]
    if getattr(client, "package", ""):
        return first_number("dpkg-query", "-W", "-f", "${Version}", client.package.split()[0])
    if first in of_program:
        return first_number(*of_program[first])
    package = client.name.split(",")[0].split()[-1]
    if first == "npm":
        try:
            return json.loads((Path(others.Node.modules()) / package / "package.json").read_text())["version"]
        except OSError:
            return ""
    if first == "Rust":
        lock = tomllib.loads((Path(__file__).resolve().parents[2] / "Cargo.lock").read_text())
        return next(of["version"] for of in lock["package"] if of["name"] == package)
    if first == "Java":
        library = "libjsch-java" if "JSch" in client.name else "libcommons-net-java"
        return first_number("dpkg-query", "-W", "-f", "${Version}", library)
    if package == "ftplib":
        return first_number("python3", "-V")
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def cell(client, operation, why):
    if operation in client.cannot:
        return client.cannot[operation]
    return "yes" if why is None else "**no**"


def table_before(page):
    """The cells that the page has already, by program and column: what is not run again keeps them."""
    cells, columns = {}, []
    for line in page.partition(BEGIN)[2].partition(END)[0].splitlines():
        parts = [part.strip() for part in line.strip().strip("|").split("|")]
        if not line.startswith("|") or set(line) <= set("|- "):
            continue
        if parts[0] == "":
            columns = parts[1:]
        else:
            cells.update({(parts[0], column): said for column, said in zip(columns, parts[1:])})
    return cells


def shown_name(client):
    named, _, protocol = client.name.partition(", ")
    name = " ".join(word for word in (named, version(client)) if word)
    return ", ".join(word for word in (name, protocol) if word)


def write(path, results):
    """Writes two tables, program × operation, between the two marks of the page."""
    page = Path(path).read_text()
    known = {(client, operation): why for _, client, operation, why, _ in results if client}
    before = table_before(page)
    tables = []
    for operations in ([o for o, _, _ in matrix.OPERATIONS], [o for o, _, _ in demands.OPERATIONS] + [WORDS]):
        lines = ["| | " + " | ".join(operations) + " |", "|---" * (len(operations) + 1) + "|"]
        for client in PROGRAMS:
            name = shown_name(client)
            # "–" says that a program does not offer something: who was never run says nothing.
            if not any((client.name, o) in known or (name, o) in before for o in operations):
                continue
            cells = [cell(client, o, known[(client.name, o)]) if (client.name, o) in known else before.get((name, o), "–")
                     for o in operations]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        tables.append("\n".join(lines))
    head, _, rest = page.partition(BEGIN)
    _, _, foot = rest.partition(END)
    Path(path).write_text(f"{head}{BEGIN}\n\n" + "\n\n".join(tables) + f"\n\n{END}{foot}")
