"""Accounts on clients' own servers: added, confirmed, tried, changed; their secrets are nowhere to be read."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "interop"))

from house import Failed, expect, wait_for
from servers import PASSWORD, Authority, Missing, fingerprint, made_key, proftpd, sshd, vsftpd

STEPS = ["name", "address", "connection", "identity", "login"]
IN_FOLDER = ["folder", "list", "write", "rename", "read", "delete"]


class Place:
    """A data folder without a server: the commands alone."""

    def __init__(self, binary, allow='["127.0.0.0/8"]'):
        self.binary = str(Path(binary).resolve())
        self.kept = tempfile.TemporaryDirectory(prefix="rollcall-account-")
        self.folder = Path(self.kept.name)
        self.config = self.folder / "rollcall.toml"
        self.config.write_text(f"[outgoing]\nallow = {allow}\nstep_timeout_s = 60\n")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("ROLLCALL_")}
        self.cli("client", "add", "acme")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kept.cleanup()

    def done(self, *words, stdin=None, flags=("--json",)):
        return subprocess.run(
            [self.binary, "--config", self.config, "--data", self.folder / "data", "--certs", self.folder / "certs",
             *flags, *map(str, words)],
            input=stdin or "", capture_output=True, text=True, env=self.env, timeout=300, check=False,
        )

    def cli(self, *words, stdin=None, code=0):
        done = self.done(*words, stdin=stdin)
        expect(done.returncode == code, f"rollcall {' '.join(map(str, words))}: exit {done.returncode}, {done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def refused(self, *words, stdin=None):
        done = self.done(*words, stdin=stdin)
        expect(done.returncode == 1, f"rollcall {' '.join(map(str, words))}: exit {done.returncode}, not 1")
        return done.stderr

    def add(self, server, protocol, *more, stdin=PASSWORD + "\n"):
        """An account on `server`; without a key it gives the password."""
        proof = () if "--key" in more else ("--password-stdin",)
        return self.cli("account", "add", "acme", "Their server", "--remote", protocol, f"{server.host}:{server.port}",
                        "--login", server.login, *proof, *more, stdin=stdin)

    def trial(self, account, *more, code=0):
        """The steps of `account test` as {(folder, step): entry}."""
        steps = self.cli("account", "test", account, *more, code=code)
        return {(s["folder"], s["step"]): s for s in steps}


def all_ok(trial, folders):
    wanted = [(None, s) for s in STEPS] + [(f, s) for f in folders for s in IN_FOLDER]
    expect(sorted(map(str, trial)) == sorted(map(str, wanted)), f"other steps: {sorted(map(str, trial))}")
    for key, step in trial.items():
        expect(step["result"] == "ok", f"{key}: {step}")


def results(trial, folder=None):
    return {step: entry["result"] for (of, step), entry in trial.items() if of == folder}


def key_file(place, text, name="their-key"):
    path = place.folder / name
    path.write_text(text)
    return path


def keys_of_every_kind_log_in_at_openssh(binary):
    names = ("ed25519", "rsa2048", "rsa4096+", "ed25519+", "ecdsa")
    with Place(binary) as place, sshd(keys=names) as server:
        (server.root / "in").mkdir()
        for name in names:
            file = key_file(place, server.keys[name], name)
            locked = ("--passphrase-stdin",) if name.endswith("+") else ()
            added = place.add(server, "sftp", "--key", file, *locked, "--pin", server.pins["ed25519"],
                              "--pin", server.pins["rsa"], stdin=PASSWORD + "\n")
            expect(added["confirmed"] and added["proof"] == "key", f"{added}")
            public = " ".join((server.folder / f"user-{name}.pub").read_text().split()[:2])
            expect(added["public_key"] == public, f"{name}: {added['public_key']} is not {public}")
            folder = f"in-{name.rstrip('+')}{len(name)}"
            place.cli("folder", "add", added["account"], folder, server.path("in"), "--purpose", "import")
            all_ok(place.trial(added["account"]), [folder])
        left = os.listdir(server.root / "in")
        expect(left == [], f"the trials left {left}")
        shown = place.cli("account", "show", added["account"])
        expect(shown["server"]["last_reached_at"] and not shown["server"]["last_failure"], f"{shown}")


def nothing_is_sent_before_somebody_has_confirmed_the_server(binary):
    with Place(binary) as place, sshd() as server:
        file = key_file(place, server.keys["ed25519"])
        added = place.add(server, "sftp", "--key", file)
        expect(not added["confirmed"], "confirmed by nobody")
        print_ = added["shown"]["fingerprint"]
        expect(print_ in server.pins.values(), f"shows {print_}, its keys are {server.pins}")
        trial = place.trial(added["account"], code=1)
        expect(results(trial) == {"name": "ok", "address": "ok", "connection": "ok", "identity": "failed",
                                  "login": "skipped"}, f"{trial}")
        expect(print_ in trial[(None, "identity")]["cure"], "the cure does not name the fingerprint")
        expect("Accepted" not in server.tail() and "publickey" not in server.tail(), server.tail())
        check = place.cli("check")
        told = [f for f in check if f["what"] == f"account {added['account']}"]
        expect(told and told[0]["grade"] == "warning" and "account trust" in told[0]["cure"], f"{told}")
        looked = place.cli("account", "trust", added["account"])
        expect(looked["shown"]["fingerprint"] == print_ and not looked["confirmed"], f"{looked}")
        place.cli("account", "trust", added["account"], "--pin", print_)
        all_ok(place.trial(added["account"]), [])


def another_host_key_is_told_and_nothing_is_sent(binary):
    with Place(binary) as place, sshd() as server:
        other = place.folder / "other-host"
        made_key(other)
        wrong = fingerprint(f"{other}.pub")
        added = place.add(server, "sftp", "--key", key_file(place, server.keys["ed25519"]), "--pin", wrong)
        trial = place.trial(added["account"], code=1)
        step = trial[(None, "identity")]
        expect(step["result"] == "failed" and wrong in step["found"], f"{step}")
        expect(results(trial)["login"] == "skipped", f"{trial}")
        expect("Accepted" not in server.tail(), "somebody logged in")


def passwords_log_in_at_proftpd(binary):
    authority = Authority()
    with Place(binary) as place, proftpd(authority, sftp=True) as server:
        (server.root / "out").mkdir()
        os.chmod(server.root / "out", 0o777)
        added = place.add(server, "sftp", "--pin", server.pins["rsa"])
        place.cli("folder", "add", added["account"], "out", server.path("out"), "--purpose", "export")
        all_ok(place.trial(added["account"]), ["out"])
        place.cli("account", "set", added["account"], "--password-stdin", stdin="wrong password\n")
        trial = place.trial(added["account"], code=1)
        expect(results(trial) == {**{s: "ok" for s in STEPS}, "login": "failed"}, f"{trial}")
        expect("account set" in trial[(None, "login")]["cure"], f"{trial}")
        expect(results(trial, "out") == {"folder": "skipped"}, f"{trial}")
        shown = place.cli("account", "show", added["account"])
        expect(shown["server"]["last_failure"], "the failure is not noted")
        place.cli("account", "set", added["account"], "--password-stdin", stdin=PASSWORD + "\n")
        all_ok(place.trial(added["account"]), ["out"])


def folders_that_are_missing_or_closed_are_told(binary):
    authority = Authority()
    with Place(binary) as place, proftpd(authority, sftp=True) as server:
        closed = server.root / "closed"
        closed.mkdir(mode=0o755)
        (server.root / "file").write_text("x")
        added = place.add(server, "sftp", "--pin", server.pins["rsa"])
        for name in ("closed", "gone", "file"):
            place.cli("folder", "add", added["account"], name, server.path(name), "--purpose", "export")
        trial = place.trial(added["account"], code=1)
        expect(results(trial, "closed")["write"] == "failed", f"{trial}")
        expect("right to write" in trial[("closed", "write")]["cure"], f"{trial}")
        expect(results(trial, "gone")["folder"] == "failed", f"{trial}")
        expect(results(trial, "file")["folder"] == "failed", f"{trial}")
        one = place.trial(added["account"], "--folder", "gone", code=1)
        expect(("closed", "folder") not in one and ("gone", "folder") in one, f"{one}")
        said = place.refused("account", "test", added["account"], "--folder", "nowhere")
        expect("closed" in said and "nowhere" in said, said)


def certificates_are_recognised_by_pin_authority_or_not_at_all(binary):
    authority, other = Authority(), Authority("Another")
    for make, protocol in ((vsftpd, "ftpes"), (proftpd, "ftps")):
        with Place(binary) as place, make(authority, implicit=protocol == "ftps") as server:
            ca = key_file(place, authority.pem, "ca.pem")
            wrong_ca = key_file(place, other.pem, "other.pem")
            added = place.add(server, protocol, "--ca", ca)
            account = added["account"]
            expect(added["trust"] == "ca" and added["confirmed"], f"{added}")
            place.cli("folder", "add", account, "files", server.home, "--purpose", "export")
            all_ok(place.trial(account), ["files"])
            place.cli("account", "trust", account, "--ca", wrong_ca)
            trial = place.trial(account, code=1)
            expect(results(trial)["identity"] == "failed" and results(trial)["login"] == "skipped", f"{trial}")
            place.cli("account", "trust", account, "--platform")
            trial = place.trial(account, code=1)
            expect(results(trial)["identity"] == "failed" and results(trial)["login"] == "skipped", f"{trial}")
            place.cli("account", "trust", account, "--pin", server.certificate.upper())
            all_ok(place.trial(account), ["files"])


def a_private_address_is_refused_unless_the_operator_allows_it(binary):
    with Place(binary, allow="[]") as place, sshd() as server:
        file = key_file(place, server.keys["ed25519"])
        added = place.add(server, "sftp", "--key", file, "--pin", server.pins["ed25519"], "--pin", server.pins["rsa"])
        # The test itself has connected once, to see that it listens; the server tells of that when it gets to it.
        wait_for("the test's own connection in the log", lambda: "Connection from" in server.tail())
        before = server.tail().count("Connection from")
        trial = place.trial(added["account"], code=1)
        expect(results(trial) == {"name": "ok", "address": "failed", "connection": "skipped", "identity": "skipped",
                                  "login": "skipped"}, f"{trial}")
        expect("outgoing.allow" in trial[(None, "address")]["found"], f"{trial}")
        expect(server.tail().count("Connection from") == before, "it was connected to")


def a_server_that_is_not_there_is_told(binary):
    with Place(binary) as place, sshd() as server:
        file = key_file(place, server.keys["ed25519"])
        added = place.add(server, "sftp", "--key", file, "--pin", server.pins["ed25519"])
        server.stop()
        trial = place.trial(added["account"], code=1)
        expect(results(trial)["connection"] == "failed" and results(trial)["login"] == "skipped", f"{trial}")
        place.cli("account", "set", added["account"], "--host", "no-such-host.invalid")
        trial = place.trial(added["account"], code=1)
        expect(results(trial)["name"] == "failed", f"{trial}")
        shown = place.cli("account", "show", added["account"])
        expect(not shown["server"]["confirmed"], "another host needs another confirmation")


def secrets_are_nowhere_to_be_read(binary):
    """Not in any file but the key file's own kind, not in what commands print."""
    with Place(binary) as place, sshd(keys=("ed25519+",)) as server:
        file = key_file(place, server.keys["ed25519+"], "../" + f"{place.folder.name}.key")
        try:
            added = place.add(server, "sftp", "--key", file, "--passphrase-stdin", "--pin", server.pins["ed25519"])
            other = place.cli("account", "add", "acme", "With password", "--remote", "ftps", "ftp.example.com",
                              "--login", "we", "--password-stdin", stdin="Quite-Secret-Word-42\n")
            shown = [place.done(*words, flags=flags) for flags in ((), ("--json",)) for words in (
                ("account", "list"), ("account", "show", added["account"]), ("account", "show", other["account"]),
                ("account", "test", added["account"]), ("check",), ("secrets", "show"), ("secrets", "rotate"),
                ("account", "set", other["account"], "--host", "user:Quite-Secret-Word-42@ftp.example.com"),
            )]
            middle = server.keys["ed25519+"].splitlines()[2]
            sealing = (place.folder / "certs" / "sealing.key").read_text().split("\n")[-2]
            needles = [PASSWORD, "Quite-Secret-Word-42", middle, sealing]
            for done in shown:
                for needle in needles[:1] + needles[2:]:
                    expect(needle not in done.stdout + done.stderr, f"{done.args} shows a secret")
            expect("Quite-Secret-Word-42" not in "".join(d.stdout for d in shown), "a password is shown")
            for path in place.folder.rglob("*"):
                if path.is_file() and path.name != "sealing.key":
                    content = path.read_bytes()
                    for needle in needles:
                        expect(needle.encode() not in content, f"{path} holds a secret")
            expect(((place.folder / "certs" / "sealing.key").stat().st_mode & 0o777) == 0o600, "mode of the key file")
            all_ok(place.trial(added["account"]), [])
        finally:
            file.unlink()


def key_files_of_other_programs_are_read(binary):
    """What openssl and PuTTY write; each is refused without its passphrase."""
    with Place(binary) as place, sshd(keys=("rsa2048",)) as server:
        pins = ("--pin", server.pins["ed25519"], "--pin", server.pins["rsa"])
        source = key_file(place, server.keys["rsa2048"], "source")
        os.chmod(source, 0o600)
        subprocess.run(["ssh-keygen", "-q", "-p", "-m", "PEM", "-N", "", "-f", source], check=True, timeout=60,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        expect("BEGIN RSA PRIVATE KEY" in source.read_text(), "ssh-keygen wrote no PKCS#1")
        made = {"pkcs1": (source, None)}
        for name, command in (
            ("pkcs8", ["openssl", "pkcs8", "-topk8", "-in", source, "-passout", "pass:open sesame"]),
            ("aes128", ["openssl", "rsa", "-in", source, "-aes128", "-traditional", "-passout", "pass:open sesame"]),
            ("des3", ["openssl", "rsa", "-in", source, "-des3", "-traditional", "-passout", "pass:open sesame"]),
        ):
            path = place.folder / name
            subprocess.run([*command, "-out", path], check=True, timeout=60, capture_output=True)
            made[name] = (path, "open sesame")
        said = place.refused("account", "add", "acme", "x", "--remote", "sftp", "h.example", "--login", "u", "--key",
                             made.pop("des3")[0], "--passphrase-stdin", stdin="open sesame\n")
        expect("ssh-keygen -p" in said, said)
        for name, (path, passphrase) in made.items():
            if passphrase:
                for stdin in ("wrong\n", None):
                    more = ("--passphrase-stdin",) if stdin else ()
                    said = place.refused("account", "add", "acme", "x", "--remote", "sftp", "h.example", "--login", "u",
                                         "--key", path, *more, stdin=stdin)
                    expect("passphrase" in said and "sesame" not in said, said)
            more = ("--passphrase-stdin",) if passphrase else ()
            stdin = f"{passphrase}\n" if passphrase else None
            added = place.add(server, "sftp", "--key", path, *more, *pins, stdin=stdin)
            all_ok(place.trial(added["account"]), [])


CHECKS = [
    keys_of_every_kind_log_in_at_openssh,
    nothing_is_sent_before_somebody_has_confirmed_the_server,
    another_host_key_is_told_and_nothing_is_sent,
    passwords_log_in_at_proftpd,
    folders_that_are_missing_or_closed_are_told,
    certificates_are_recognised_by_pin_authority_or_not_at_all,
    a_private_address_is_refused_unless_the_operator_allows_it,
    a_server_that_is_not_there_is_told,
    secrets_are_nowhere_to_be_read,
    key_files_of_other_programs_are_read,
]


def run(house, check):
    """Each check has a data folder and a server of its own."""
    for one in CHECKS:
        name = "account: " + one.__name__.replace("_", " ")
        try:
            one(house.binary)
            check(name, True, "")
        except (Failed, Missing, OSError, RuntimeError, subprocess.SubprocessError, ValueError, KeyError) as why:
            check(name, False, f"{type(why).__name__}: {why}")


if __name__ == "__main__":
    told = []

    class Given:
        binary = os.path.abspath(sys.argv[1])

    if sys.argv[2:]:
        CHECKS = [one for one in CHECKS if one.__name__ in sys.argv[2:]]
    run(Given, lambda name, ok, why: told.append(ok) or print("ok" if ok else f"FAILED {why}", name, flush=True))
    print(f"{told.count(True)} passed, {told.count(False)} failed")
    sys.exit(told.count(False) > 0)
