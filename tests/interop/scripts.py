"""The libraries of PHP, Perl and Ruby, and ftputil on top of Python's ftplib."""

import base64
import ftplib
import hashlib
import json
import subprocess

from clients import TIMEOUT_S, Client, Ftplib, Outcome, program, ssh_options
from others import HERE, TITLES, fingerprints


def known_keys(account):
    """The host keys that the account's user knows, as they travel."""
    lines = account.house.known_hosts().read_text().splitlines()
    return [base64.b64decode(line.split()[2]) for line in lines if line and not line.startswith("#")]


class Driven(Client):
    """A library of another language: its driver takes one plan as JSON and answers one outcome as JSON."""

    interpreter, driver = [], ""
    # What asks whether the library is there, and the Debian package that has it.
    looks, package = [], ""

    def missing(self):
        reason = super().missing()
        if reason is None and subprocess.run([self.needs, *self.looks], capture_output=True, stdin=subprocess.DEVNULL,
                                             timeout=TIMEOUT_S, check=False).returncode != 0:
            return f"{self.package} is not installed"
        return reason

    def more(self, account):
        return {}

    def run(self, account, steps, password=None):
        plan = {
            "protocol": self.protocol, "host": account.house.address, "port": account.house.ports[self.protocol],
            "login": account.login, "password": password or account.password, "certificate": str(account.house.certificate()),
            "key": str(account.by_key) if account.by_key and password is None else None,
            "steps": [[str(word) for word in step] for step in steps], **self.more(account),
        }
        done = program([*self.interpreter, HERE / self.driver], json.dumps(plan).encode(), account.house.env)
        try:
            told = json.loads(done.names[-1])
        except (IndexError, ValueError):
            return Outcome(False, done.text)
        return Outcome(told["ok"], told["text"], told["names"])


class Php(Driven):
    needs, interpreter, driver = "php", ["php"], "driver.php"

    def missing(self):
        self.looks = ["-r", f"exit({self.check} ? 0 : 1);"]
        return super().missing()


class PhpFtp(Php):
    name = "PHP ftp_ssl_connect, FTPES"
    protocol, package, check = "ftpes", "php-cli", "function_exists('ftp_ssl_connect')"
    can = Client.can | {"resume-get"}
    cannot = {"wrong server": "no"}  # The extension looks at no certificate: docs/clients.md.

    def more(self, account):
        return {"library": "ftp"}


class PhpSeclib(Php):
    name = "PHP phpseclib"
    package, check = "php-phpseclib3", "stream_resolve_include_path('phpseclib3/autoload.php')"
    can = Client.can | {"key", "resume-get", "put-dated", "get-dated"}
    large_mib = 8

    def more(self, account):
        return {"library": "phpseclib", "fingerprints": fingerprints(account)}


class PhpSsh2(Php):
    name = "PHP ssh2"
    package, check = "php-ssh2", "function_exists('ssh2_sftp')"
    can = Client.can - {"resume"} | {"key"}
    # As curl of the same Debian, it stands on libssh2 1.10.
    needs_compat, signs_rsa_sha2, large_mib = True, False, 8

    def more(self, account):
        return {"library": "ssh2", "fingerprints": [hashlib.sha1(key).hexdigest() for key in known_keys(account)]}


class Perl(Driven):
    needs, interpreter, driver = "perl", ["perl"], "driver.pl"

    def __init__(self, protocol):
        self.protocol = protocol
        self.name = "Perl Net::SFTP::Foreign" if protocol == "sftp" else f"Perl Net::FTP, {TITLES[protocol]}"
        self.shows_answers = True
        self.can = Client.can | {"key", "resume-get"}
        if protocol == "sftp":
            self.package, self.looks = "libnet-sftp-foreign-perl libio-pty-perl", ["-MNet::SFTP::Foreign", "-MIO::Pty", "-e1"]
            self.can |= {"put-dated", "get-dated", "put-tree", "get-tree"}
        else:
            self.package, self.looks = "libio-socket-ssl-perl", ["-MNet::FTP", "-MIO::Socket::SSL", "-e1"]
            # It goes where the answer to PASV says: past the line that breaks here.
            self.cannot = {"line broken, sent again": "–"}

    def more(self, account):
        options = [word for word in ssh_options(account) if "=" in word] if self.protocol == "sftp" else []
        return {"options": [*options, "IdentitiesOnly=yes"]}


class Ruby(Driven):
    needs, interpreter, driver = "ruby", ["ruby", "-EUTF-8"], "driver.rb"

    def __init__(self, protocol):
        self.protocol = protocol
        self.name = "Ruby Net::SFTP" if protocol == "sftp" else f"Ruby Net::FTP, {TITLES[protocol]}"
        self.shows_answers = True
        self.can = Client.can | {"key", "resume-get"}
        if protocol == "sftp":
            self.package, self.looks = "ruby-net-sftp", ["-rnet/sftp", "-e", ""]
            self.can |= {"put-tree", "get-tree"}
            # Without the gem x25519, which Debian has not, it shares no key exchange with the standard ones.
            # The key's parts are put into it one by one, which OpenSSL 3 refuses (net-ssh 7.0).
            self.needs_compat, self.signs_rsa_sha2, self.large_mib = True, False, 8
        else:
            self.package, self.looks = "ruby", ["-rnet/ftp", "-e", ""]

    def more(self, account):
        return {"known_hosts": str(account.house.known_hosts())} if self.protocol == "sftp" else {}


class Ftputil(Client):
    """Files and folders over ftplib, in the manner of the modules os and shutil."""

    def __init__(self, protocol):
        self.protocol = protocol
        self.name = f"Python ftputil, {TITLES[protocol]}"
        self.can = Client.can - {"resume"} | {"key"}

    def missing(self):
        try:
            import ftputil  # noqa: F401
        except ImportError:
            return "ftputil is not installed"
        return None

    def run(self, account, steps, password=None):
        import ftputil
        inner, names = Ftplib(self.protocol), []
        try:
            with ftputil.FTPHost(session_factory=lambda: inner.open(account, password)) as host:
                for what, *a in steps:
                    if what == "put":
                        host.upload(str(a[0]), a[1])
                    elif what == "get":
                        host.download(a[0], str(a[1]))
                    elif what == "list":
                        names = host.listdir(a[0])
                    else:
                        {"rename": host.rename, "remove": host.remove, "mkdir": host.mkdir, "rmdir": host.rmdir}[what](*a)
        except (ftputil.error.FTPError, *ftplib.all_errors) as error:
            return Outcome(False, f"{type(error).__name__}: {error}", names)
        return Outcome(True, "", names)


ALL = [
    PhpFtp(), PhpSeclib(), PhpSsh2(), Perl("sftp"), Perl("ftps"), Perl("ftpes"), Ruby("sftp"), Ruby("ftpes"),
    Ftputil("ftps"), Ftputil("ftpes"),
]
