"""Encrypted and signed files as GnuPG and 7-Zip make them, read by the real binary; and ours, read by GnuPG."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PEOPLE = 150
ROSTER = (
    "Matricule;Nom;Prénom;Email;Date début contrat\n"
    + "".join(f"{n};Roux{n};Anna{n};a{n}@example.com;2020-01-01\n" for n in range(1, PEOPLE + 1))
).encode()
PASSWORD = "correct horse battery"


class Desk:
    """A temporary folder with Rollcall's data and a GnuPG home."""

    def __init__(self, binary):
        self.folder = Path(tempfile.mkdtemp(prefix="rollcall-pgp-"))
        self.home = self.folder / "gnupg"
        self.home.mkdir(mode=0o700)
        (self.folder / "rollcall.toml").write_text("")
        places = [("config", "rollcall.toml"), ("data", "data"), ("certs", "certs")]
        options = [part for name, place in places for part in (f"--{name}", str(self.folder / place))]
        self.binary = [str(binary), *options, "--json"]
        self.rollcall("client", "add", "acme")
        self.login = self.rollcall("account", "add", "acme", "payroll")["login"]

    def end(self):
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "all"], capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *arguments, stdin=b""):
        return subprocess.run([*self.binary, *map(str, arguments)], input=stdin, capture_output=True, timeout=300)

    def rollcall(self, *arguments, stdin=b""):
        done = self.run(*arguments, stdin=stdin)
        if done.returncode != 0:
            raise AssertionError(f"{arguments}: {done.stderr.decode()}")
        return json.loads(done.stdout)

    def refused(self, *arguments, stdin=b""):
        done = self.run(*arguments, stdin=stdin)
        return done.stderr.decode() if done.returncode == 1 else f"exit {done.returncode}"

    def gpg(self, *arguments, stdin=b"", may_fail=False):
        always = ["--batch", "--yes", "--pinentry-mode", "loopback", "--passphrase", "", "--trust-model", "always"]
        command = ["gpg", "--homedir", str(self.home), *always, *map(str, arguments)]
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=300)
        if done.returncode != 0 and not may_fail:
            raise AssertionError(f"gpg {arguments}: {done.stderr.decode()}")
        return done.stdout

    def key(self, owner, kind, usage="default", lasts="never"):
        self.gpg("--quick-gen-key", owner, kind, usage, lasts)
        lines = self.gpg("--list-keys", "--with-colons", owner).decode().splitlines()
        return next(line.split(":")[9] for line in lines if line.startswith("fpr"))

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def settings(self, text):
        self.rollcall("settings", "load", "acme", "import", self.file("settings.toml", text.encode()))

    def look(self, name, content, *more):
        """The report of a file: its status and what refused it."""
        path = self.file(name, content)
        done = self.run("import", "acme", path, "--folder", "import", *(more or ["--dry-run"]))
        report = json.loads(done.stdout)
        fatal = [m for m in report["messages"] if m["level"] == "fatal"]
        return report, fatal

    def zip(self, name, *options):
        inner = self.file("users.csv", ROSTER)
        packed = self.folder / name
        packed.unlink(missing_ok=True)
        subprocess.run(["7z", "a", "-bso0", "-bsp0", *options, str(packed), str(inner)], check=True, timeout=180)
        return packed.read_bytes()


def reads(desk, check, name, content, unpacked=None):
    report, fatal = desk.look(name, content)
    seen = report["file"]["unpacked"]
    good = not fatal and report["counts"]["rows"] == PEOPLE and (unpacked is None or seen == unpacked)
    check(f"{name} is read", good, f"{report['status']} {seen} {fatal}")


def refuses(desk, check, name, content, words, code="F007"):
    report, fatal = desk.look(name, content)
    good = report["status"] == "rejected" and len(fatal) == 1
    good = good and fatal[0]["code"] == code and words in fatal[0]["text"]
    check(f"{name} is refused: {words}", good, f"{report['status']} {fatal}")


def messages(desk, check, ours, other):
    encrypt = ["--encrypt", "-r", ours]
    whole = desk.gpg(*encrypt, stdin=ROSTER)
    armored = desk.gpg("--armor", *encrypt, stdin=ROSTER)
    reads(desk, check, "users.csv.pgp", whole, "pgp")
    path = desk.file("users.csv.pgp", whole)
    found = desk.rollcall("inspect", path, "--client", "acme")
    check("inspect opens a file for a client", (found["rows"], found["unpacked"]) == (PEOPLE, "pgp"), found["unpacked"])
    closed = desk.run("inspect", path)
    said = json.loads(closed.stdout)["refused"]
    check("inspect without a client names the option", "--client" in said["cure"], said)
    reads(desk, check, "users.csv.asc", armored, "pgp")
    reads(desk, check, "windows.asc", armored.replace(b"\n", b"\r\n"))
    reads(desk, check, "mailed.asc", b"\xef\xbb\xbf\n" + armored + b"-- \nAnna\n")
    for method in ["zip", "zlib", "bzip2", "none"]:
        reads(desk, check, f"{method}.gpg", desk.gpg("--compress-algo", method, *encrypt, stdin=ROSTER))
    for cipher in ["AES", "AES256", "3DES", "CAST5", "TWOFISH", "CAMELLIA256"]:
        reads(desk, check, f"{cipher}.gpg", desk.gpg("--cipher-algo", cipher, *encrypt, stdin=ROSTER))
    reads(desk, check, "hidden.gpg", desk.gpg("--encrypt", "-R", ours, stdin=ROSTER))
    reads(desk, check, "several-recipients.gpg", desk.gpg("--encrypt", "-r", other, "-R", other, "-r", ours, stdin=ROSTER))
    refuses(desk, check, "others.gpg", desk.gpg("--encrypt", "-r", other, stdin=ROSTER), "for another key")
    refuses(desk, check, "hidden-others.gpg", desk.gpg("--encrypt", "-R", other, stdin=ROSTER), "not for our key")
    symmetric = desk.gpg("--symmetric", "--passphrase", "x", stdin=ROSTER)
    refuses(desk, check, "symmetric.gpg", symmetric, "with a password instead")
    unprotected = desk.gpg("--rfc2440", "--disable-mdc", *encrypt, stdin=ROSTER, may_fail=True)
    refuses(desk, check, "no-mdc.gpg", unprotected, "outdated way")
    refuses(desk, check, "two.gpg", whole + whole, "one after the other")
    refuses(desk, check, "two.asc", armored + armored, "one after the other")
    for cut in [whole[:20], whole[:-1], armored[: len(armored) // 2], armored[:-12]]:
        refuses(desk, check, f"cut-{len(cut)}.gpg", cut, "ends in the middle", "F005")
    changed = bytearray(whole)
    changed[-30] ^= 1
    refuses(desk, check, "changed.gpg", bytes(changed), "damaged")
    bomb = desk.gpg("--compress-algo", "bzip2", *encrypt, stdin=b"0;" * (20 << 20))
    refuses(desk, check, "bomb.gpg", bomb, "times its size", "F006")


def signatures(desk, check, ours, other):
    encrypt = ["--encrypt", "-r", ours]
    sender = desk.key("Sender <s@example.com>", "rsa2048")
    signed = desk.gpg("--sign", "-u", sender, *encrypt, stdin=ROSTER)
    only = desk.gpg("--compress-algo", "none", "--sign", "-u", sender, stdin=ROSTER)
    clear = desk.gpg("--clearsign", "-u", sender, stdin=ROSTER)
    reads(desk, check, "signed-ignored.gpg", signed, "pgp")
    reads(desk, check, "only-signed.gpg", only, "pgp (signed, not encrypted)")
    refuses(desk, check, "detached.asc", desk.gpg("--armor", "--detach-sign", "-u", sender, stdin=ROSTER), "only a signature")

    desk.settings('[encryption]\nrequired = "pgp"\nsignature = "required"\n')
    refuses(desk, check, "plain.csv", ROSTER, "not encrypted")
    refuses(desk, check, "unsigned.gpg", desk.gpg(*encrypt, stdin=ROSTER), "not signed")
    refuses(desk, check, "stranger.gpg", signed, "not known here")
    public = desk.file("sender.asc", desk.gpg("--armor", "--export", sender))
    desk.rollcall("pgp", "partner", "add", "acme", public, "--name", "Groupe Roux")
    desk.rollcall("pgp", "partner", "add", "acme", desk.file("other.gpg", desk.gpg("--export", other)))
    secret = desk.file("secret.asc", desk.gpg("--armor", "--export-secret-keys", other))
    why = desk.refused("pgp", "partner", "add", "acme", secret)
    check("a secret key is refused", "secret key" in why, why)
    reads(desk, check, "signed.gpg", signed, "pgp, signature: Groupe Roux")
    text = desk.gpg("--armor", "--textmode", "--sign", "-u", sender, *encrypt, stdin=ROSTER)
    reads(desk, check, "text.asc", text, "pgp, signature: Groupe Roux")
    reads(desk, check, "two-signers.gpg", desk.gpg("--sign", "-u", sender, "-u", other, *encrypt, stdin=ROSTER))
    reads(desk, check, "signed-then-encrypted.gpg", desk.gpg(*encrypt, stdin=only), "pgp, signature: Groupe Roux")
    sha1 = desk.gpg("--digest-algo", "SHA1", "--allow-weak-digest-algos", "--sign", "-u", sender, *encrypt, stdin=ROSTER)
    refuses(desk, check, "sha1.gpg", sha1, "SHA1")
    refuses(desk, check, "signed-in-clear.gpg", only, "not encrypted")

    desk.settings('[encryption]\nsignature = "required"\n')
    refuses(desk, check, "plain-unsigned.csv", ROSTER, "not signed")
    reads(desk, check, "clear.asc", clear, "pgp (signed, not encrypted), signature: Groupe Roux")
    refuses(desk, check, "clear-changed.asc", clear.replace(b"Roux7;", b"Roux8;"), "does not fit")
    refuses(desk, check, "changed-signed.gpg", only.replace(b"Roux7;", b"Roux8;"), "does not fit")
    refuses(desk, check, "expired.gpg", signed_by_an_expired_key(desk), "has expired")
    revocation = (desk.home / "openpgp-revocs.d" / f"{sender}.rev").read_text()
    desk.gpg("--import", desk.file("revoke.asc", revocation.replace(":-----BEGIN", "-----BEGIN").encode()))
    why = desk.refused("pgp", "partner", "add", "acme", desk.file("revoked.asc", desk.gpg("--armor", "--export", sender)))
    check("a revoked key is refused", "revoked" in why, why)
    desk.settings("")


def signed_by_an_expired_key(desk):
    """A file signed while its key was good and known here; by now it has expired."""
    for lasts_s in (3, 15, 75):
        made = time.time()
        try:
            short = desk.key(f"Short {lasts_s} <k{lasts_s}@example.com>", "ed25519", "sign", f"seconds={lasts_s}")
            desk.rollcall("pgp", "partner", "add", "acme", desk.file("short.asc", desk.gpg("--armor", "--export", short)))
            signed = desk.gpg("--sign", "-u", short, stdin=ROSTER)
        except AssertionError:
            # On a busy machine it may have expired before it was used.
            if time.time() < made + lasts_s or lasts_s == 75:
                raise
            continue
        # The key was made a little later than `made`, and lasts whole seconds.
        end = time.time() + lasts_s + 1
        while time.time() < end:
            time.sleep(0.2)
        return signed
    raise AssertionError("no key lived long enough to sign")


def rotation(desk, check, ours, other):
    old = desk.gpg("--encrypt", "-r", ours, stdin=ROSTER)
    newer = desk.rollcall("pgp", "make", "acme")["fingerprint"]
    desk.gpg("--import", desk.file("newer.asc", desk.rollcall("pgp", "export", "acme")["public_key"].encode()))
    reads(desk, check, "to-the-older-key.gpg", old)
    desk.rollcall("secrets", "rotate")
    reads(desk, check, "after-the-sealing-key.gpg", desk.gpg("--encrypt", "-r", newer, stdin=ROSTER))
    desk.rollcall("pgp", "retire", "acme", ours[-16:])
    refuses(desk, check, "to-the-retired-key.gpg", old, "for another key")
    report, fatal = desk.look("first.csv.gpg", desk.gpg("--encrypt", "-r", newer, stdin=ROSTER), "--json")
    check("an encrypted file is imported", report["status"] == "ok" and not fatal, report["status"])
    report, _ = desk.look("again.csv.gpg", desk.gpg("--encrypt", "-r", newer, stdin=ROSTER), "--json")
    check("encrypted twice it is the same file", report["status"] == "duplicate", report["status"])
    sealed = desk.folder / "absences.csv.pgp"
    desk.rollcall("pgp", "encrypt", "acme", desk.file("absences.csv", ROSTER), "--for", other, "--sign", "--out", sealed)
    check("GnuPG reads what we encrypt and sign", desk.gpg("--decrypt", sealed) == ROSTER, "another content")


def zips(desk, check, _ours, _other):
    aes = desk.zip("aes.zip", "-tzip", "-mem=AES256", f"-p{PASSWORD}")
    refuses(desk, check, "too-early.zip", aes, "none was agreed")
    desk.rollcall("folder", "zip-password", desk.login, "import", "--password-stdin", stdin=PASSWORD.encode())
    reads(desk, check, "users.csv.zip", aes, "zip (AES)")
    found = desk.rollcall("inspect", desk.file("users.csv.zip", aes), "--client", "acme", "--folder", "import")
    check("inspect opens a zip file for a client", found["unpacked"].startswith("zip (AES)"), found["unpacked"])
    reads(desk, check, "aes128.zip", desk.zip("aes128.zip", "-tzip", "-mem=AES128", f"-p{PASSWORD}"))
    reads(desk, check, "stored.zip", desk.zip("stored.zip", "-tzip", "-mem=AES192", "-mx0", f"-p{PASSWORD}"))
    wrong = desk.zip("wrong.zip", "-tzip", "-mem=AES256", "-pwrong")
    refuses(desk, check, "wrong.zip", wrong, "does not open")
    weak = desk.zip("weak.zip", "-tzip", "-mem=ZipCrypto", f"-p{PASSWORD}")
    refuses(desk, check, "weak.zip", weak, "old way")
    desk.settings('[encryption]\nrequired = "zip"\n')
    refuses(desk, check, "open.zip", desk.zip("open.zip", "-tzip"), "not an encrypted zip")
    refuses(desk, check, "cut.zip", aes[:-40], "ends in the middle", "F005")
    desk.settings("")


def run(house, check):
    desk = Desk(house.binary)
    try:
        made = desk.rollcall("pgp", "make", "acme")
        desk.gpg("--import", desk.file("ours.asc", made["public_key"].encode()))
        other = desk.key("Other <o@example.com>", "ed25519", "default")
        desk.gpg("--quick-add-key", other, "cv25519", "encr", "never")
        for group in [messages, signatures, rotation, zips]:
            try:
                group(desk, check, made["fingerprint"], other)
            except (AssertionError, OSError, subprocess.SubprocessError, KeyError, ValueError) as why:
                check(group.__name__, False, f"{type(why).__name__}: {why}")
    finally:
        desk.end()


if __name__ == "__main__":
    results = []

    class Given:
        binary = str(Path(sys.argv[1]).resolve())

    def told(name, ok, why=""):
        results.append(bool(ok))
        print("ok" if ok else f"FAILED {why}", name, flush=True)

    run(Given, told)
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    sys.exit(results.count(False) > 0)
