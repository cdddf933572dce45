"""Hooks against a real HTTP server: the report arrives signed, a failure is tried again, a redirect is not followed."""

import hashlib
import hmac
import http.server
import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "interop"))

from house import Failed, House, expect, wait_for

SECRET = "a secret of more than sixteen signs"
FILE = "employee number;last name;first name;hire date\r\n1;Roy;Anne;2026-02-02\r\n"


class Receiver(http.server.ThreadingHTTPServer):
    """Answers with these codes, one after the other, the last one again and again."""

    def __init__(self, codes):
        self.codes, self.calls, self.lock = list(codes), [], threading.Lock()
        self.ended = threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, path="/rollcall"):
        return f"http://127.0.0.1:{self.server_port}{path}"

    def end(self):
        self.ended.set()
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        with self.server.lock:
            self.server.calls.append((self.path, dict(self.headers.items()), body))
            codes = self.server.codes
            code = codes.pop(0) if len(codes) > 1 else codes[0]
        if self.path == "/open":
            # The answer is there, and the connection stays open.
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nok")
            self.wfile.flush()
            self.server.ended.wait(60)
            return
        self.send_response(code)
        if code == 302:
            self.send_header("Location", self.server.url("/elsewhere"))
        self.end_headers()
        self.wfile.write(b"noted")

    def log_message(self, *_):
        pass


class Stage:
    def __init__(self, binary, hooks, allow="127.0.0.0/8"):
        self.folder = tempfile.TemporaryDirectory(prefix="rollcall-hooks-")
        config = Path(self.folder.name) / "rollcall.toml"
        config.write_text(hooks)
        self.house = House(binary, config=config, outgoing__allow=allow)
        self.account = self.house.account("hooks", protocols="sftp")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.house.stop()
            found = self.house.panics()
            expect(not found, f"the server panicked: {found}")
        finally:
            self.house.remove()
            self.folder.cleanup()

    def imported(self):
        path = self.house.work / "users.csv"
        path.write_bytes(FILE.encode())
        return self.house.cli("import", self.account.slug, str(path), "--folder", "roster")


def a_report_arrives_signed_and_a_failure_is_tried_again(binary):
    receiver = Receiver([500, 200])
    try:
        hooks = f'[[hooks]]\nname = "portal"\nurl = "{receiver.url()}"\nsecret = "{SECRET}"\n'
        with Stage(binary, hooks) as stage:
            told = stage.house.cli("hooks", "list")
            expect(told[0]["is_signed"] and SECRET not in json.dumps(told), told)
            stage.imported()
            first, second = wait_for("both calls", lambda: len(receiver.calls) >= 2 and receiver.calls[:2], 240)
            path, headers, body = second
            low = {name.lower(): value for name, value in headers.items()}
            expect(path == "/rollcall" and body == first[2], "the second try brought something else")
            report = json.loads(body)
            expect(report["counts"]["created"] == 1 and report["client"] == stage.account.slug, report["summary"])
            made = hmac.new(SECRET.encode(), low["x-rollcall-timestamp"].encode() + b"." + body, hashlib.sha256)
            expect(low["x-rollcall-signature"] == "sha256=" + made.hexdigest(), "a wrong signature")
            expect(low["x-rollcall-event"] == "import.finished", low)
            delivery = f"hook/{report['import']}/ok/portal"
            deliveries = {n.lower(): v for n, v in first[1].items()}["x-rollcall-delivery"], low["x-rollcall-delivery"]
            expect(deliveries == (delivery, delivery), deliveries)
            wait_for("the call to be done", lambda: stage.house.cli("hooks", "list")[0]["last"]["state"] == "done")
            answer = stage.house.cli("hooks", "test", "portal")
            expect("200" in answer["answer"], answer)
            expect(json.loads(receiver.calls[-1][2])["schema"] == "rollcall/hook-test/1", receiver.calls[-1][2])
    finally:
        receiver.end()


def no_redirect_is_followed_and_no_private_address_reached(binary):
    receiver = Receiver([302])
    try:
        hooks = f'[[hooks]]\nname = "portal"\nurl = "{receiver.url()}"\n'
        with Stage(binary, hooks) as stage:
            failed(stage, "portal", "302")
        expect([path for path, _, _ in receiver.calls] == ["/rollcall"], receiver.calls)
        with Stage(binary, hooks, allow="") as stage:
            failed(stage, "portal", "127.0.0.1")
        expect(len(receiver.calls) == 1, "a loopback address was reached without leave")
    finally:
        receiver.end()


def a_hook_of_some_clients_hears_of_no_other(binary):
    receiver = Receiver([200])
    try:
        # The stage's client is the first of its server, the other is named before it exists.
        hooks = "".join(f'[[hooks]]\nname = "{name}"\nurl = "{receiver.url("/" + name)}"\nclients = [{clients}]\n'
                        for name, clients in (("all", ""), ("own", '"hooks-1"'), ("other", '"other-2"')))
        with Stage(binary, hooks) as stage:
            other = stage.house.account("other", protocols="sftp")
            expect((stage.account.slug, other.slug) == ("hooks-1", "other-2"), (stage.account.slug, other.slug))
            stage.imported()
            wait_for("two calls", lambda: len(receiver.calls) >= 2, 240)
            path = stage.house.work / "users.csv"
            stage.house.cli("import", other.slug, str(path), "--folder", "roster")
            wait_for("two more", lambda: len(receiver.calls) >= 4, 240)
            heard = sorted((path, json.loads(body)["client"]) for path, _, body in receiver.calls)
            expected = [("/all", "hooks-1"), ("/all", "other-2"), ("/other", "other-2"), ("/own", "hooks-1")]
            expect(heard == expected, heard)
            wait_for("all calls to be done", lambda: all(
                one["last"]["state"] == "done" for one in stage.house.cli("hooks", "list")))
    finally:
        receiver.end()


def an_answer_whose_body_does_not_end_is_an_answer(binary):
    receiver = Receiver([200])
    try:
        hooks = f'[[hooks]]\nname = "portal"\nurl = "{receiver.url("/open")}"\ntimeout_s = 5\n'
        with Stage(binary, hooks) as stage:
            answer = stage.house.cli("hooks", "test", "portal")
            expect("200" in answer["answer"], answer)
            stage.imported()
            wait_for("the call to be done", lambda: (stage.house.cli("hooks", "list")[0]["last"] or {}).get("state") == "done")
            expect(len(receiver.calls) == 2, "it was told twice")
    finally:
        receiver.end()


def failed(stage, name, word):
    try:
        stage.house.cli("hooks", "test", name)
    except Failed as why:
        expect(word in str(why), str(why))
        return
    raise Failed("the hook was told")


CHECKS = [
    a_report_arrives_signed_and_a_failure_is_tried_again,
    no_redirect_is_followed_and_no_private_address_reached,
    a_hook_of_some_clients_hears_of_no_other,
    an_answer_whose_body_does_not_end_is_an_answer,
]


def run(house, check):
    """Each check brings up a server of its own: its hooks are others."""
    for one in CHECKS:
        name = "hooks: " + one.__name__.replace("_", " ")
        try:
            one(house.binary)
            check(name, True, "")
        except (Failed, OSError, subprocess.SubprocessError, KeyError, IndexError, ValueError) as why:
            check(name, False, str(why))


if __name__ == "__main__":
    results = []

    class Given:
        binary = str(Path(sys.argv[1]).resolve())

    run(Given, lambda name, ok, why: results.append(ok) or print("ok" if ok else f"FAILED {why}", name, flush=True))
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    sys.exit(results.count(False) > 0)
