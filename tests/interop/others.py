"""More client programs: sshfs, wget, aioftp, the libraries of Node.js and Java; and the list of all programs."""

import asyncio
import json
import os
import shutil
import ssl
import subprocess
from pathlib import Path, PurePosixPath

import clients
from clients import TIMEOUT_S, Client, Outcome, program, ssh_login, ssh_options
from house import wait_for

HERE = Path(__file__).resolve().parent
TITLES = {"sftp": "SFTP", "ftps": "FTPS", "ftpes": "FTPES"}


class Sshfs(Client):
    """The account as a folder of this machine, used with the programs of every folder: cp, mv, rm."""

    name = "sshfs"
    needs = "sshfs"
    can = Client.can | {"key", "resume-get", "put-dated", "get-dated", "put-tree", "get-tree"}
    large_mib = 64

    def missing(self):
        return super().missing() or (None if os.access("/dev/fuse", os.R_OK | os.W_OK) else "/dev/fuse cannot be opened")

    def run(self, account, steps, password=None):
        login, env = ssh_login(account, password or (None if account.by_key else account.password))
        options = [word for word in (*login, *ssh_options(account)) if word != "-F"]
        options.remove("/dev/null")
        options = [f"IdentityFile={options[n]}" if options[n - 1] == "-i" else options[n]
                   for n in range(len(options)) if options[n] not in ("-o", "-i")]
        there = account.house.work / f"{account.slug}-{os.urandom(4).hex()}-mount"
        there.mkdir()
        mounted = program(["sshfs", f"{account.login}@{account.house.address}:/", there, "-p", account.house.ports["sftp"],
                           "-F", "/dev/null", *[w for o in options for w in ("-o", o)]], env=env)
        if not mounted.ok:
            return mounted
        outcome = Outcome(True, "")
        try:
            for what, *a in steps:
                outcome = self.step(there, what, a)
                if not outcome.ok:
                    break
                # It closes files behind cp's back, and forgets those that are open when it is unmounted: docs/clients.md. Once the
                # server has the end, whoever opens the file waits for its answer.
                wait_for("the end of the upload", lambda: not account.spooled(), TIMEOUT_S)
                if what in ("put", "put-dated", "resume"):
                    program(["cat", f"{there}{a[1]}"])
        finally:
            program(["fusermount", "-u", there])
        return outcome

    @staticmethod
    def step(mount, what, a):
        at = lambda path: f"{mount}{path}"
        words = {
            "put": lambda f, t: ["cp", f, at(t)], "get": lambda f, t: ["cp", at(f), t],
            "put-dated": lambda f, t: ["cp", "--preserve=timestamps", f, at(t)],
            "get-dated": lambda f, t: ["cp", "--preserve=timestamps", at(f), t],
            "put-tree": lambda f, t: ["cp", "-r", f, at(t)], "get-tree": lambda f, t: ["cp", "-r", at(f), t],
            "rename": lambda f, t: ["mv", at(f), at(t)], "remove": lambda p: ["rm", at(p)],
            "mkdir": lambda p: ["mkdir", at(p)], "rmdir": lambda p: ["rmdir", at(p)], "list": lambda p: ["ls", "-1", at(p)],
            "resume": lambda f, t: ["sh", "-c", 'tail -c +$(($(stat -c %s "$2") + 1)) "$1" >>"$2"', "sh", f, at(t)],
            "resume-get": lambda f, t: ["sh", "-c", 'tail -c +$(($(stat -c %s "$2") + 1)) "$1" >>"$2"', "sh", at(f), t],
        }
        return program(words[what](*a))


class Wget(Client):
    needs = "wget"
    can = {"get", "resume-get", "get-dated", "get-tree"}
    one_session = False

    def __init__(self, protocol):
        self.protocol = protocol
        self.name = f"wget, {TITLES[protocol]}"

    def missing(self):
        reason = super().missing()
        if reason is None and "+ssl" not in subprocess.run(["wget", "-V"], capture_output=True, text=True, check=False).stdout:
            return "this wget has no TLS built in"
        return reason

    def run(self, account, steps, password=None):
        # Its options would show the password to everybody on the machine; its start-up file does not.
        start = account.house.work / f"{account.slug}-{os.urandom(4).hex()}.wgetrc"
        start.write_text(f"user = {account.login}\npassword = {password or account.password}\n")
        outcome = Outcome(True, "")
        for what, *a in steps:
            common = ["wget", f"--config={start}", f"--ca-certificate={account.house.certificate()}", "--tries=1", "--timeout=180",
                      *(["--ftps-implicit"] if self.protocol == "ftps" else [])]
            path = clients.urllib.parse.quote(a[0])
            url = f"ftps://{account.house.address}:{account.house.ports[self.protocol]}/%2F{path.lstrip('/')}"
            if what == "list":
                outcome = program([*common, "-O", account.house.work / f"{account.slug}.list", url + "/"], env=account.house.env)
            elif what == "get-tree":
                depth = len([part for part in a[0].split("/") if part])
                Path(a[1]).mkdir()
                outcome = program([*common, "-r", "-nH", f"--cut-dirs={depth}", "-P", a[1], url.replace("/%2F", "/") + "/"],
                                  env=account.house.env)
            elif what == "get":
                outcome = program([*common, "-O", a[1], url], env=account.house.env)
            else:
                # -c and -N go by the file's own name.
                folder = Path(a[1]).parent / f"{account.slug}-{os.urandom(4).hex()}"
                folder.mkdir()
                named = folder / a[0].rsplit("/", 1)[1]
                if Path(a[1]).exists():
                    shutil.move(a[1], named)
                outcome = program([*common, "-c" if what == "resume-get" else "-N", "-P", folder, url], env=account.house.env)
                if named.exists():
                    shutil.move(named, a[1])
            if not outcome.ok:
                break
        return outcome


class Aioftp(Client):
    def __init__(self, protocol):
        self.protocol = protocol
        self.name = f"Python aioftp, {TITLES[protocol]}"
        self.can = Client.can | {"resume-get", "put-tree", "get-tree"}

    def missing(self):
        try:
            import aioftp  # noqa: F401
        except ImportError:
            return "aioftp is not installed"
        return None

    async def session(self, account, steps, password):
        import aioftp
        context = ssl.create_default_context(cafile=str(account.house.certificate()))
        if account.by_key:
            context.load_cert_chain(str(account.by_key))
        names = []
        ftp = aioftp.Client(ssl=context if self.protocol == "ftps" else None, socket_timeout=180, connection_timeout=60)
        await ftp.connect(account.house.address, account.house.ports[self.protocol])
        try:
            if self.protocol == "ftpes":
                await ftp.upgrade_to_tls(context)
            await ftp.login(account.login, password or account.password)
            for what, *a in steps:
                if what == "put":
                    await ftp.upload(a[0], a[1], write_into=True)
                elif what == "put-tree":
                    # It takes the names within a folder as seen from where it stands, not from the folder's own place.
                    to = PurePosixPath(a[1])
                    await ftp.change_directory(to.parent)
                    await ftp.upload(a[0], to.name, write_into=True)
                    await ftp.change_directory("/")
                elif what in ("get", "get-tree"):
                    await ftp.download(a[0], a[1], write_into=True)
                elif what == "resume":
                    had = int((await ftp.stat(a[1]))["size"])
                    async with ftp.append_stream(a[1]) as there:
                        await there.write(Path(a[0]).read_bytes()[had:])
                elif what == "resume-get":
                    with open(a[1], "ab") as here:
                        async with ftp.download_stream(a[0], offset=here.tell()) as there:
                            async for block in there.iter_by_block():
                                here.write(block)
                elif what == "list":
                    names = [path.name for path, _ in await ftp.list(a[0])]
                else:
                    method = {"rename": ftp.rename, "remove": ftp.remove_file, "mkdir": ftp.make_directory,
                              "rmdir": ftp.remove_directory}[what]
                    await method(*a)
            await ftp.quit()
        finally:
            ftp.close()
        return names

    def run(self, account, steps, password=None):
        import aioftp

        async def in_time():
            return await asyncio.wait_for(self.session(account, steps, password), TIMEOUT_S)

        try:
            return Outcome(True, "", asyncio.run(in_time()))
        except (aioftp.AIOFTPException, OSError, EOFError, asyncio.TimeoutError) as error:
            return Outcome(False, f"{type(error).__name__}: {error}")


def fingerprints(account):
    done = subprocess.run(["ssh-keygen", "-l", "-f", str(account.house.known_hosts())],
                          capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    return [word for line in done.stdout.splitlines() for word in line.split() if word.startswith("SHA256:")]


class Node(Client):
    """The libraries of npm, through driver.mjs."""

    needs = "node"

    def __init__(self, protocol):
        self.protocol = protocol
        self.name = "npm ssh2-sftp-client" if protocol == "sftp" else f"npm basic-ftp, {TITLES[protocol]}"
        self.shows_answers = True
        self.can = Client.can | {"key", "put-tree", "get-tree"} | (set() if protocol == "sftp" else {"resume-get"})

    @staticmethod
    def modules():
        return os.environ.get("INTEROP_NODE_MODULES") or str(HERE.parent.parent / ".tools" / "clients" / "node" / "node_modules")

    def missing(self):
        package = "ssh2-sftp-client" if self.protocol == "sftp" else "basic-ftp"
        there = (Path(self.modules()) / package).is_dir()
        return super().missing() or (None if there else f"{package} is not installed in {self.modules()}")

    def run(self, account, steps, password=None):
        plan = {
            "protocol": self.protocol, "host": account.house.address, "port": account.house.ports[self.protocol],
            "login": account.login, "password": password or account.password, "certificate": str(account.house.certificate()),
            "fingerprints": fingerprints(account) if self.protocol == "sftp" else [],
            "key": str(account.by_key) if account.by_key and password is None else None,
            "steps": [[str(word) for word in step] for step in steps],
        }
        done = program(["node", HERE / "driver.mjs"], json.dumps(plan).encode(), {**account.house.env, "NODE_MODULES": self.modules()})
        try:
            told = json.loads(done.names[-1])
        except (IndexError, ValueError):
            return Outcome(False, done.text)
        return Outcome(told["ok"], told["text"], told["names"])


class Suppaftp(Client):
    """The Rust crate, through `examples/suppaftp.rs`, which `cargo test` builds beside the server."""

    def __init__(self, protocol):
        self.protocol = protocol
        self.name = f"Rust suppaftp, {TITLES[protocol]}"
        # No "key": its login knows 230 and 331 as answers to USER, and not 232 (RFC 4217), which ends it.
        self.can = Client.can | {"resume-get"}

    @staticmethod
    def binary():
        return Path(os.environ.get("INTEROP_EXAMPLES") or HERE.parent.parent / "target" / "debug" / "examples") / "suppaftp"

    def missing(self):
        return None if self.binary().exists() else f"{self.binary()} is not built: cargo build --examples"

    def run(self, account, steps, password=None):
        plan = {
            "protocol": self.protocol, "host": account.house.address, "port": account.house.ports[self.protocol],
            "login": account.login, "password": password or account.password, "certificate": str(account.house.certificate()),
            "steps": [[str(word) for word in step] for step in steps],
        }
        done = program([self.binary()], json.dumps(plan).encode(), account.house.env)
        try:
            told = json.loads(done.names[-1])
        except (IndexError, ValueError):
            return Outcome(False, done.text)
        return Outcome(told["ok"], told["text"], told["names"])


class Java(Client):
    """JSch and Apache Commons Net, through Driver.java."""

    needs = "java"
    jars = {"jsch.jar": "libjsch-java", "jzlib.jar": "libjsch-java", "commons-net.jar": "libcommons-net-java"}

    def __init__(self, protocol):
        self.way = protocol
        # The listener's; JSch's own example of scp speaks to the same one.
        self.protocol = "sftp" if protocol == "scp" else protocol
        self.needs_legacy = self.protocol == "sftp"
        self.name = f"Java Commons Net, {TITLES[protocol]}" if not self.needs_legacy else f"Java JSch, {protocol.upper()}"
        self.can = {"put", "get"} if protocol == "scp" else Client.can | {"resume-get"}
        self.shows_answers = True
        self.large_mib = 8 if self.needs_legacy else 64

    def missing(self):
        reason = super().missing() or (None if shutil.which("javac") else "this Java has no compiler")
        for jar, package in self.jars.items():
            if not (Path("/usr/share/java") / jar).exists():
                reason = reason or f"{package} is not installed"
        return reason

    def path(self):
        return ":".join(f"/usr/share/java/{jar}" for jar in self.jars)

    def compiled(self, house):
        """Driver.java, compiled once for each server."""
        folder = house.folder / "java"
        with house.lock:
            if not folder.exists():
                subprocess.run(["javac", "-encoding", "UTF-8", "-cp", self.path(), "-d", str(folder), str(HERE / "Driver.java")],
                               check=True, capture_output=True, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL)
        return folder

    def run(self, account, steps, password=None):
        compiled = self.compiled(account.house)
        lines = [self.way, account.house.address, account.house.ports[self.protocol], account.login,
                 password or account.password, "", account.house.known_hosts() if self.protocol == "sftp" else "",
                 account.house.certificate()]
        lines += ["\t".join(str(word) for word in step) for step in steps]
        done = program(["java", "-Dfile.encoding=UTF-8", "-Dsun.jnu.encoding=UTF-8", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
                        "-cp", f"{self.path()}:{compiled}", "Driver"],
                       "\n".join(str(line) for line in lines).encode(), account.house.env)
        names = [line[5:] for line in done.names if line.startswith("NAME ")]
        return Outcome(bool(done.names) and done.names[-1] == "OK", done.text, names)


ALL = [
    *clients.ALL[:8], Sshfs(), *clients.ALL[8:], Wget("ftps"), Wget("ftpes"), Aioftp("ftps"), Aioftp("ftpes"),
    Node("sftp"), Node("ftps"), Node("ftpes"), Suppaftp("ftps"), Suppaftp("ftpes"), Java("sftp"), Java("scp"), Java("ftps"), Java("ftpes"),
]
