"""The client programs: each runs a list of steps in one session, as a script of its user would.

A step is a tuple: ("put", local, remote) · ("get", remote, local) · ("resume", local, remote) · ("resume-get", remote, local) ·
("rename", from, to) · ("remove", path) · ("mkdir", path) · ("rmdir", path) · ("list", folder) · the same with time stamps kept:
("put-dated", local, remote) · ("get-dated", remote, local) · whole folders: ("put-tree", local, remote) · ("get-tree", remote, local).
Remote paths are absolute. What logs in with a key when the account has one in `by_key` can "key". `run` answers Outcome(ok, text, names): names are those of the last list.
"""

import asyncio
import ftplib
import hashlib
import os
import shlex
import shutil
import ssl
import subprocess
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

TIMEOUT_S = 300


@dataclass
class Outcome:
    ok: bool
    text: str
    names: list = field(default_factory=list)


def program(arguments, stdin=None, env=None, cwd=None):
    done = subprocess.run(
        [str(a) for a in arguments], input=stdin, capture_output=True, timeout=TIMEOUT_S,
        env=env, cwd=cwd, check=False,
        **({} if stdin is not None else {"stdin": subprocess.DEVNULL}),
    )
    text = (done.stdout + done.stderr).decode(errors="replace")
    return Outcome(done.returncode == 0, text, [l.rstrip("\r") for l in done.stdout.decode(errors="replace").splitlines()])


class Client:
    name = ""
    protocol = "sftp"
    needs = ""
    can = {"put", "get", "rename", "remove", "mkdir", "rmdir", "list", "resume"}
    one_session = True
    # Programs that know no AES-GCM make an unoptimised build count every block by hand: they set less.
    large_mib = 64
    needs_compat = False
    needs_legacy = False
    # Whether it shows the server's answers, with the result of an import.
    shows_answers = False
    # libssh2 before 1.11 signs with an RSA key by SHA-1 only, which is refused.
    signs_rsa_sha2 = True
    # Steps that the program calls done although the server has refused them.
    takes_no_for_done = frozenset()
    # Whether it removes what lies under the name when an upload fails.
    clears_away = False
    # Operations that the program itself gets wrong, with the reason for the page.
    cannot = {}

    def missing(self):
        """Why this program cannot be run here; None when it can."""
        if self.needs and not shutil.which(self.needs):
            return f"{self.needs} is not installed"
        return None

    def run(self, account, steps, password=None):
        raise NotImplementedError


def ssh_options(account):
    house = account.house
    return [
        "-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={house.known_hosts()}",
        "-o", "GlobalKnownHostsFile=/dev/null", "-o", "ConnectTimeout=90", "-F", "/dev/null",
    ]


def ssh_login(account, password):
    """Options and environment: the account's key, or a password through SSH_ASKPASS (no terminal)."""
    if password is None or account.by_key:
        key = account.by_key or account.key
        return ["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", str(key)], account.house.env
    asks = account.house.folder / "askpass"
    with account.house.lock:
        if not asks.exists():
            asks.write_text('#!/bin/sh\nprintf "%s\\n" "$INTEROP_PASSWORD"\n')
            asks.chmod(0o700)
    env = {**account.house.env, "SSH_ASKPASS": str(asks), "SSH_ASKPASS_REQUIRE": "force",
           "INTEROP_PASSWORD": password, "DISPLAY": ":"}
    options = ["-o", "BatchMode=no", "-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1"]
    return options, env


class OpenSshSftp(Client):
    name = "OpenSSH sftp"
    needs = "sftp"
    can = Client.can | {"key", "resume-get", "put-dated", "get-dated", "put-tree", "get-tree"}

    def batch(self, steps):
        q = lambda p: '"' + str(p).replace("\\", "\\\\").replace('"', '\\"') + '"'
        words = {
            "put": lambda a, b: f"put {q(a)} {q(b)}", "get": lambda a, b: f"get {q(a)} {q(b)}",
            "resume": lambda a, b: f"reput {q(a)} {q(b)}", "rename": lambda a, b: f"rename {q(a)} {q(b)}",
            "remove": lambda a: f"rm {q(a)}", "mkdir": lambda a: f"mkdir {q(a)}",
            "rmdir": lambda a: f"rmdir {q(a)}", "list": lambda a: f"cd {q(a)}\nls -1",
            "resume-get": lambda a, b: f"reget {q(a)} {q(b)}",
            "put-dated": lambda a, b: f"put -p {q(a)} {q(b)}", "get-dated": lambda a, b: f"get -p {q(a)} {q(b)}",
            "put-tree": lambda a, b: f"put -r {q(a)} {q(b)}", "get-tree": lambda a, b: f"get -r {q(a)} {q(b)}",
        }
        return "".join(words[s[0]](*s[1:]) + "\n" for s in steps)

    def command(self, account, password=None, more=()):
        login, env = ssh_login(account, password)
        return (["sftp", *login, *ssh_options(account), *more, "-P", str(account.house.ports["sftp"]),
                 "-b", "-", f"{account.login}@{account.house.address}"], env)

    def run(self, account, steps, password=None):
        command, env = self.command(account, password)
        return program(command, self.batch(steps).encode(), env)


class OpenSshSftpPassword(OpenSshSftp):
    name = "OpenSSH sftp, password"
    can = OpenSshSftp.can - {"key"}

    def run(self, account, steps, password=None):
        return super().run(account, steps, password or account.password)


def literally(path):
    """scp and pscp read a remote source as a pattern."""
    return "".join("\\" + c if c in "[]*?\\" else c for c in path)


def for_a_shell(path):
    """What the old scp sends is read by a shell on other servers. With backslashes: its client compares names with this as a pattern."""
    return "".join("\\" + c if c.isascii() and not (c.isalnum() or c in "/._-") else c for c in path)


class OpenSshScp(Client):
    name = "OpenSSH scp"
    needs = "scp"
    can = {"put", "get", "key", "put-dated", "get-dated", "put-tree", "get-tree"}
    one_session = False
    more = ()
    # How remote paths are written, of files that are sent and that are fetched.
    target, source = staticmethod(str), staticmethod(literally)
    # The option for each way of copying.
    ways = {"put-dated": ["-p"], "get-dated": ["-p"], "put-tree": ["-r"], "get-tree": ["-r"]}

    def command(self, account, step, password=None, more=()):
        what, one, other = step
        login, env = ssh_login(account, password)
        there = f"{account.login}@{account.house.address}:"
        ends = [str(one), there + self.target(other)] if what.startswith("put") else [there + self.source(one), str(other)]
        return (["scp", *self.more, *more, *self.ways.get(what, []), *login, *ssh_options(account), "-P",
                 str(account.house.ports["sftp"]), *ends], env)

    def run(self, account, steps, password=None):
        outcome = Outcome(True, "")
        for step in steps:
            command, env = self.command(account, step, password)
            outcome = program(command, env=env)
            if not outcome.ok:
                break
        return outcome


class OpenSshScpOld(OpenSshScp):
    """The protocol of scp before 9.0."""

    name = "OpenSSH scp -O"
    more = ("-O",)
    target, source = staticmethod(for_a_shell), staticmethod(for_a_shell)


class Paramiko(Client):
    name = "Python paramiko"
    can = Client.can | {"key", "put-dated", "get-dated", "resume-get"}

    def missing(self):
        try:
            import paramiko  # noqa: F401
        except ImportError:
            return "paramiko is not installed"
        return None

    @staticmethod
    def connect(account, password=None):
        import paramiko
        ssh = paramiko.SSHClient()
        ssh.load_host_keys(str(account.house.known_hosts()))
        try:
            login = ({"key_filename": str(account.by_key)} if account.by_key and password is None
                     else {"password": password or account.password})
            ssh.connect(account.house.address, account.house.ports["sftp"], account.login, **login,
                        look_for_keys=False, allow_agent=False, timeout=60, auth_timeout=120, banner_timeout=60)
        except BaseException:
            ssh.close()
            raise
        return ssh

    def run(self, account, steps, password=None):
        import paramiko
        outcome, ssh = Outcome(True, ""), None
        try:
            ssh = self.connect(account, password)
            sftp = ssh.open_sftp()
            sftp.get_channel().settimeout(180)
            for step in steps:
                self.step(sftp, step, outcome)
        except (paramiko.SSHException, OSError, EOFError) as error:
            return Outcome(False, f"{type(error).__name__}: {error}", outcome.names)
        finally:
            if ssh:
                ssh.close()
        return outcome

    @staticmethod
    def step(sftp, step, outcome):
        what, *a = step
        if what in ("put", "put-dated"):
            sftp.put(str(a[0]), a[1])
            if what == "put-dated":
                now = os.stat(a[0])
                sftp.utime(a[1], (now.st_atime, now.st_mtime))
        elif what in ("get", "get-dated"):
            sftp.get(a[0], str(a[1]))
            if what == "get-dated":
                there = sftp.stat(a[0])
                os.utime(a[1], (there.st_atime, there.st_mtime))
        elif what == "resume-get":
            with sftp.open(a[0], "rb") as there, open(a[1], "ab") as here:
                there.seek(here.tell())
                here.write(there.read())
        elif what == "resume":
            with sftp.open(a[1], "r+") as there, open(a[0], "rb") as here:
                there.seek(0, 2)
                here.seek(there.tell())
                there.set_pipelined(True)
                while block := here.read(32768):
                    there.write(block)
        elif what == "rename":
            sftp.posix_rename(a[0], a[1])
        elif what == "remove":
            sftp.remove(a[0])
        elif what == "mkdir":
            sftp.mkdir(a[0])
        elif what == "rmdir":
            sftp.rmdir(a[0])
        elif what == "list":
            outcome.names = sftp.listdir(a[0])


class ParamikoScp(Paramiko):
    """The package scp, over paramiko."""

    name = "Python scp"
    can = {"put", "get", "key", "put-dated", "get-dated", "put-tree", "get-tree"}

    def missing(self):
        try:
            import scp  # noqa: F401
        except ImportError:
            return "scp is not installed"
        return super().missing()

    def run(self, account, steps, password=None):
        import paramiko
        import scp
        outcome, ssh = Outcome(True, ""), None
        try:
            ssh = self.connect(account, password)
            with scp.SCPClient(ssh.get_transport(), socket_timeout=180) as copy:
                for what, one, other in steps:
                    dated, tree = what.endswith("dated"), what.endswith("tree")
                    method = copy.put if what.startswith("put") else copy.get
                    method(str(one), str(other), recursive=tree, preserve_times=dated)
        except (paramiko.SSHException, scp.SCPException, OSError, EOFError) as error:
            return Outcome(False, f"{type(error).__name__}: {error}")
        finally:
            if ssh:
                ssh.close()
        return outcome


class AsyncSsh(Client):
    name = "Python asyncssh"
    # Whether it speaks the old scp.
    old = False
    can = Client.can | {"key", "put-dated", "get-dated", "put-tree", "get-tree"}

    def missing(self):
        try:
            import asyncssh  # noqa: F401
        except ImportError:
            return "asyncssh is not installed"
        return None

    def run(self, account, steps, password=None):
        import asyncssh

        async def session():
            names = []
            async with asyncssh.connect(
                account.house.address, account.house.ports["sftp"], username=account.login, config=None,
                password=None if account.by_key else password or account.password, agent_path=None,
                client_keys=[str(account.by_key)] if account.by_key else None,
                known_hosts=str(account.house.known_hosts()),
            ) as connection:
                if self.old:
                    for what, one, other in steps:
                        up = what.startswith("put")
                        ends = (str(one), (connection, for_a_shell(other))) if up else ((connection, for_a_shell(one)), str(other))
                        await asyncssh.scp(*ends, preserve=what.endswith("dated"), recurse=what.endswith("tree"))
                    return names
                sftp = await connection.start_sftp_client()
                for what, *a in steps:
                    if what == "put":
                        await sftp.put(str(a[0]), a[1])
                    elif what == "get":
                        await sftp.get(a[0], str(a[1]))
                    elif what == "resume":
                        async with sftp.open(a[1], "ab") as there:
                            had = (await sftp.stat(a[1])).size
                            await there.write(Path(a[0]).read_bytes()[had:])
                    elif what == "list":
                        names = await sftp.listdir(a[0])
                    elif "-" in what:
                        method = sftp.put if what.startswith("put") else sftp.get
                        await method(str(a[0]), str(a[1]), preserve=what.endswith("dated"), recurse=what.endswith("tree"))
                    else:
                        method = {"rename": sftp.posix_rename}.get(what) or getattr(sftp, what)
                        await method(*a)
            return names

        async def in_time():
            return await asyncio.wait_for(session(), TIMEOUT_S)

        try:
            return Outcome(True, "", asyncio.run(in_time()))
        except (asyncssh.Error, OSError, asyncio.TimeoutError) as error:
            return Outcome(False, f"{type(error).__name__}: {error}")


class AsyncSshScp(AsyncSsh):
    name = "Python asyncssh, scp"
    old = True
    can = {"put", "get", "key", "put-dated", "get-dated", "put-tree", "get-tree"}


class Lftp(Client):
    needs = "lftp"
    shows_answers = True
    can = Client.can | {"key", "resume-get", "put-dated", "get-dated", "put-tree", "get-tree"}

    def __init__(self, protocol):
        self.protocol = protocol
        self.name = {"sftp": "lftp, SFTP", "ftps": "lftp, FTPS", "ftpes": "lftp, FTPES"}[protocol]

    def script(self, account, steps, password):
        port = account.house.ports[self.protocol]
        q = lambda p: '"' + str(p).replace("\\", "\\\\").replace('"', '\\"') + '"'
        settings = ["cmd:fail-exit yes", "net:max-retries 1", "net:timeout 120", "net:reconnect-interval-base 1",
                    "xfer:clobber yes", "cache:enable no", "cmd:interactive no", "log:enabled/xfer no"]
        if self.protocol == "sftp":
            key = ["-i", str(account.by_key), "-o", "IdentitiesOnly=yes"] if account.by_key else ["-o", "PubkeyAuthentication=no"]
            connect = shlex.join(["ssh", "-a", "-x", *ssh_options(account), *key])
            settings.append(f"sftp:connect-program {q(connect)}")
            url = f"sftp://{account.house.address}:{port}"
        else:
            if account.by_key:
                settings += [f"ssl:cert-file {q(account.by_key)}", f"ssl:key-file {q(account.by_key)}"]
            settings += [f"ssl:ca-file {q(account.house.certificate())}", "ssl:check-hostname no",
                         "ftp:ssl-force yes", "ftp:ssl-protect-data yes", "ftp:ssl-protect-list yes"]
            url = f"{'ftps' if self.protocol == 'ftps' else 'ftp'}://{account.house.address}:{port}"
        words = {
            "put": lambda a, b: f"put {q(a)} -o {q(b)}", "get": lambda a, b: f"get {q(a)} -o {q(b)}",
            "resume": lambda a, b: f"put -c {q(a)} -o {q(b)}", "rename": lambda a, b: f"mv {q(a)} {q(b)}",
            "remove": lambda a: f"rm {q(a)}", "mkdir": lambda a: f"mkdir {q(a)}",
            "rmdir": lambda a: f"rmdir {q(a)}", "list": lambda a: f"cd {q(a)}\ncls -1 --sort=name",
            "resume-get": lambda a, b: f"get -c {q(a)} -o {q(b)}",
            "put-dated": lambda a, b: f"put {q(a)} -o {q(b)}", "get-dated": lambda a, b: f"get {q(a)} -o {q(b)}",
            "put-tree": lambda a, b: f"mirror -R {q(a)} {q(b)}", "get-tree": lambda a, b: f"mirror {q(a)} {q(b)}",
        }
        lines = [f"set {s}" for s in settings]
        lines.append(f"open -u {q(account.login + ',' + password)} {url}")
        lines += [words[s[0]](*s[1:]) for s in steps]
        return "\n".join(lines) + "\nbye\n"

    def command(self, account, steps, password=None, more=()):
        script = account.house.work / f"{account.slug}-{os.urandom(4).hex()}.lftp"
        script.write_text("".join(f"set {m}\n" for m in more) + self.script(account, steps, password or account.password))
        return ["lftp", "--norc", "-d", "-f", str(script)], account.house.env

    def run(self, account, steps, password=None):
        command, env = self.command(account, steps, password)
        return program(command, env=env)


class Curl(Client):
    needs = "curl"
    scheme = None
    shows_answers = True
    can = Client.can | {"key", "resume-get", "get-dated"}

    def __init__(self, protocol):
        self.protocol = protocol
        self.name = {"sftp": "curl, SFTP", "ftps": "curl, FTPS", "ftpes": "curl, FTPES"}[protocol]
        self.needs_compat = protocol == "sftp"
        self.signs_rsa_sha2 = protocol != "sftp"
        self.large_mib = 8 if protocol == "sftp" else 64

    def missing(self):
        reason = super().missing()
        if reason is None and self.protocol == "sftp":
            if " sftp" not in subprocess.run(["curl", "-V"], capture_output=True, text=True, check=False).stdout:
                return "this curl has no SFTP built in"
        return reason

    def common(self, account, password):
        house = account.house
        by_password = password or not account.by_key
        options = ["-sS", "-v", "--max-time", TIMEOUT_S,
                   "-u", f"{account.login}:{password or (account.password if by_password else '')}"]
        if self.protocol == "sftp":
            house.known_hosts()
            return options if by_password else [*options, "--key", account.by_key, "--pubkey", f"{account.by_key}.pub"]
        tls = ["--cacert", house.certificate()]
        if not by_password:
            tls += ["--cert", account.by_key]
        return [*options, *tls, *(["--ssl-reqd"] if self.protocol == "ftpes" else [])]

    def url(self, account, path):
        scheme = self.scheme or {"sftp": "sftp", "ftps": "ftps", "ftpes": "ftp"}[self.protocol]
        path = urllib.parse.quote(path)
        root = "" if self.protocol == "sftp" else "/%2F"
        path = path if self.protocol == "sftp" else path.lstrip("/")
        return f"{scheme}://{account.house.address}:{account.house.ports[self.protocol]}{root}{path}"

    def run(self, account, steps, password=None):
        arguments = ["curl"]
        for number, (what, *a) in enumerate(steps):
            if number:
                arguments.append("--next")
            arguments += [*self.common(account, password), *self.one(account, what, a)]
        return program(arguments, env=account.house.env)

    def one(self, account, what, a):
        if what == "put":
            return ["-T", a[0], self.url(account, a[1])]
        if what == "resume":
            return ["-C", "-", "-T", a[0], self.url(account, a[1])]
        if what == "get":
            return ["-o", a[1], self.url(account, a[0])]
        if what == "get-dated":
            return ["-R", "-o", a[1], self.url(account, a[0])]
        if what == "resume-get":
            return ["-C", "-", "-o", a[1], self.url(account, a[0])]
        if what == "list":
            return ["-l", self.url(account, a[0] + "/")]
        # Commands go before a listing that is thrown away.
        ftp = {"rename": lambda f, t: [f"RNFR {f}", f"RNTO {t}"], "remove": lambda p: [f"DELE {p}"],
               "mkdir": lambda p: [f"MKD {p}"], "rmdir": lambda p: [f"RMD {p}"]}
        ssh = {"rename": lambda f, t: [f'rename "{f}" "{t}"'], "remove": lambda p: [f'rm "{p}"'],
               "mkdir": lambda p: [f'mkdir "{p}"'], "rmdir": lambda p: [f'rmdir "{p}"']}
        words = (ssh if self.protocol == "sftp" else ftp)[what](*a)
        quoted = [x for w in words for x in ("-Q", w)]
        return [*quoted, "-o", "/dev/null", "-l", self.url(account, "/")]


class CurlScp(Curl):
    """scp by libssh2."""

    scheme = "scp"
    can = {"put", "get", "key"}

    def __init__(self):
        super().__init__("sftp")
        self.name = "curl, scp"


class ImplicitFtp(ftplib.FTP_TLS):
    """ftplib for implicit TLS, as its users write it."""

    _sock = None

    @property
    def sock(self):
        return self._sock

    @sock.setter
    def sock(self, value):
        if value is not None and not isinstance(value, ssl.SSLSocket):
            value = self.context.wrap_socket(value)
        self._sock = value


class Ftplib(Client):
    shows_answers = True
    can = Client.can | {"key", "resume-get"}

    def __init__(self, protocol):
        self.protocol = protocol
        self.name = {"ftps": "Python ftplib, FTPS", "ftpes": "Python ftplib, FTPES"}[protocol]

    def open(self, account, password=None, timeout=180):
        context = ssl.create_default_context(cafile=str(account.house.certificate()))
        context.check_hostname = False
        if account.by_key:
            context.load_cert_chain(str(account.by_key))
        kind = ImplicitFtp if self.protocol == "ftps" else ftplib.FTP_TLS
        ftp = kind(context=context, timeout=timeout, encoding="utf-8")
        ftp.connect(account.house.address, account.house.ports[self.protocol], timeout)
        if self.protocol == "ftps":
            # auth() would send AUTH TLS; the connection is TLS already.
            ftplib.FTP.login(ftp, account.login, password or account.password)
        else:
            ftp.login(account.login, password or account.password)
        ftp.prot_p()
        return ftp

    def run(self, account, steps, password=None):
        said, names = [], []
        try:
            ftp = self.open(account, password)
            for what, *a in steps:
                if what == "put":
                    with open(a[0], "rb") as here:
                        said.append(ftp.storbinary(f"STOR {a[1]}", here, 65536))
                elif what == "get":
                    with open(a[1], "wb") as here:
                        said.append(ftp.retrbinary(f"RETR {a[0]}", here.write, 65536))
                elif what == "resume-get":
                    with open(a[1], "ab") as here:
                        said.append(ftp.retrbinary(f"RETR {a[0]}", here.write, 65536, rest=here.tell()))
                elif what == "resume":
                    with open(a[0], "rb") as here:
                        ftp.voidcmd("TYPE I")
                        had = ftp.size(a[1])
                        here.seek(had)
                        said.append(ftp.storbinary(f"STOR {a[1]}", here, 65536, rest=had))
                elif what == "list":
                    names = [n.rsplit("/", 1)[-1] for n in ftp.nlst(a[0])]
                    expected = [n for n, _ in ftp.mlsd(a[0]) if n not in (".", "..")]
                    if sorted(names) != sorted(expected):
                        raise OSError(f"NLST and MLSD differ: {names} {expected}")
                else:
                    method = {"rename": ftp.rename, "remove": ftp.delete, "mkdir": ftp.mkd, "rmdir": ftp.rmd}[what]
                    method(*a)
            said.append(ftp.quit())
        except (*ftplib.all_errors,) as error:
            return Outcome(False, f"{type(error).__name__}: {error}", names)
        return Outcome(True, "\n".join(said), names)


class Rclone(Client):
    needs = "rclone"
    clears_away = True
    one_session = False

    def __init__(self, protocol):
        self.protocol = protocol
        self.name = {"sftp": "rclone, SFTP", "ftps": "rclone, FTPS", "ftpes": "rclone, FTPES"}[protocol]
        self.can = Client.can - {"resume"} | {"put-dated", "get-dated", "put-tree", "get-tree"}
        if protocol == "sftp":
            self.can |= {"key"}
        else:
            # It takes 550 for "no such file", and that for removed; and for "there is such a folder", and that for made.
            self.takes_no_for_done = {"remove", "mkdir"}

    def config(self, account, password):
        """The file that docs/clients.md's command writes; `--obscure`, or rclone takes a generated password for a hidden one."""
        port = account.house.ports[self.protocol]
        name = hashlib.sha256(f"{account.house.address} {port} {account.login} {account.by_key} {password}".encode()).hexdigest()[:12]
        file = account.house.work / f"{account.slug}-{self.protocol}-{name}.rclone"
        more = ["known_hosts_file", account.house.known_hosts()] if self.protocol == "sftp" else \
            ["tls" if self.protocol == "ftps" else "explicit_tls", "true"]
        with account.house.lock:
            if file.exists():
                return file
            login = ["key_file", account.by_key] if account.by_key else ["pass", password]
            words = ["rclone", "config", "create", "--obscure", "payroll", "sftp" if self.protocol == "sftp" else "ftp",
                     "host", account.house.address, "port", port, "user", account.login,
                     *login, *more, "--config", file]
            subprocess.run([str(word) for word in words], capture_output=True, timeout=TIMEOUT_S, check=True,
                           env=account.house.env, stdin=subprocess.DEVNULL)
        return file

    def command(self, account, password, words):
        return ["rclone", *words, "--config", self.config(account, password), "--retries", "1", "--low-level-retries", "1"]

    def run(self, account, steps, password=None):
        remote = "payroll:"
        common = ["-v", "--contimeout", "60s", "--timeout", "180s"]
        outcome = Outcome(True, "")
        for what, *a in steps:
            words = {
                "put": lambda f, t: ["copyto", f, remote + t], "get": lambda f, t: ["copyto", remote + f, t],
                "rename": lambda f, t: ["moveto", remote + f, remote + t],
                "remove": lambda p: ["deletefile", remote + p], "mkdir": lambda p: ["mkdir", remote + p],
                "rmdir": lambda p: ["rmdir", remote + p], "list": lambda p: ["lsf", remote + p],
                "put-dated": lambda f, t: ["copyto", f, remote + t], "get-dated": lambda f, t: ["copyto", remote + f, t],
                "put-tree": lambda f, t: ["copy", f, remote + t], "get-tree": lambda f, t: ["copy", remote + f, t],
            }
            # Same size and time would make rclone skip an overwrite; its user types --ignore-times.
            env = {**account.house.env, "SSL_CERT_FILE": str(account.house.certificate())}
            command = self.command(account, password or account.password, words[what](*a))
            outcome = program([*command, *common, "--ignore-times"], env=env)
            outcome.names = [n.rstrip("/") for n in outcome.names]
            if not outcome.ok:
                break
        return outcome


def putty_login(account, password):
    """The password, or the account's key in PuTTY's own form."""
    if not account.by_key or password is not None:
        return ["-pw", password or account.password]
    own = Path(f"{account.by_key}.ppk")
    with account.house.lock:
        if not own.exists():
            subprocess.run(["puttygen", str(account.by_key), "-O", "private", "-o", str(own)], check=True,
                           timeout=TIMEOUT_S, stdin=subprocess.DEVNULL)
    return ["-i", str(own)]


class Psftp(Client):
    name = "PuTTY psftp"
    can = Client.can | {"key", "resume-get", "put-tree", "get-tree"}
    large_mib = 8
    needs = "psftp"

    def run(self, account, steps, password=None):
        q = lambda p: '"' + str(p).replace('"', '""') + '"'
        words = {
            "put": lambda a, b: f"put {q(a)} {q(b)}", "get": lambda a, b: f"get {q(a)} {q(b)}",
            "resume": lambda a, b: f"reput {q(a)} {q(b)}", "rename": lambda a, b: f"mv {q(a)} {q(b)}",
            "remove": lambda a: f"del {q(a)}", "mkdir": lambda a: f"mkdir {q(a)}",
            "rmdir": lambda a: f"rmdir {q(a)}", "list": lambda a: f"ls {q(a)}",
            "resume-get": lambda a, b: f"reget {q(a)} {q(b)}",
            "put-tree": lambda a, b: f"put -r {q(a)} {q(b)}", "get-tree": lambda a, b: f"get -r {q(a)} {q(b)}",
        }
        script = account.house.work / f"{account.slug}-{os.urandom(4).hex()}.psftp"
        script.write_text("".join(words[s[0]](*s[1:]) + "\n" for s in steps) + "quit\n")
        outcome = program(
            ["psftp", "-P", account.house.ports["sftp"], *putty_login(account, password), "-batch",
             "-hostkey", account.house.host_fingerprint(), "-b", script, f"{account.login}@{account.house.address}"],
            env=account.house.env,
        )
        outcome.names = [l.split(maxsplit=8)[-1] for l in outcome.names if len(l.split()) >= 9]
        return outcome


class Pscp(OpenSshScp):
    name = "PuTTY pscp"
    large_mib = 8
    needs = "pscp"
    how = "-sftp"

    def run(self, account, steps, password=None):
        outcome = Outcome(True, "")
        for what, one, other in steps:
            if what == "put-tree":
                # It makes no folder of another name than the one here, and wants the one above it to be there.
                named = account.house.work / f"{account.slug}-{os.urandom(4).hex()}" / other.rsplit("/", 1)[1]
                shutil.copytree(one, named)
                one, other = named, other.rsplit("/", 1)[0]
            elif what == "get-tree":
                Path(other).mkdir()
            there = f"{account.login}@{account.house.address}:"
            ends = [str(one), there + self.target(other)] if what.startswith("put") else [there + self.source(one), str(other)]
            outcome = program(
                ["pscp", self.how, *self.ways.get(what, []), "-P", account.house.ports["sftp"],
                 *putty_login(account, password), "-batch", "-hostkey", account.house.host_fingerprint(), *ends],
                env=account.house.env,
            )
            if what == "get-tree" and outcome.ok:
                inner = Path(other) / one.rsplit("/", 1)[1]
                for each in inner.iterdir():
                    each.rename(Path(other) / each.name)
                inner.rmdir()
            if not outcome.ok:
                break
        return outcome


class PscpOld(Pscp):
    """PuTTY's pscp over the old protocol."""

    name = "PuTTY pscp -scp"
    how = "-scp"
    target, source = staticmethod(for_a_shell), staticmethod(for_a_shell)


ALL = [
    OpenSshSftp(), OpenSshSftpPassword(), OpenSshScp(), OpenSshScpOld(), Paramiko(), ParamikoScp(), AsyncSsh(), AsyncSshScp(),
    Psftp(), Pscp(), PscpOld(), Lftp("sftp"), Lftp("ftps"), Lftp("ftpes"), Curl("sftp"), CurlScp(), Curl("ftps"), Curl("ftpes"),
    Ftplib("ftps"), Ftplib("ftpes"), Rclone("sftp"), Rclone("ftps"), Rclone("ftpes"),
]
