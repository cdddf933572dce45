"""Other people's servers as own processes: sshd, rclone, asyncssh, vsftpd and ProFTPD on 127.0.0.1, each in a temporary folder of its own.

They are looked for below $ROLLCALL_TEST_SERVERS (unpacked Debian packages), then in the machine's own folders. All of
them speak to one account, LOGIN with PASSWORD or the key of `Keys`; `Server.root` is where its files lie on the disk and
`Server.home` the same folder as the account sees it.
"""

import functools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from house import free_port, free_range

PASSWORD = "Un mot de passe 7!"
START_S = 90


class Missing(Exception):
    """A server that is not on this machine."""


def program(*names):
    """The path of a server's program or module."""
    folders = [os.environ.get("ROLLCALL_TEST_SERVERS", ""), "/"]
    for folder in filter(None, folders):
        for name in names:
            found = Path(folder).resolve() / name
            if found.exists():
                return found
    raise Missing(f"{names[0]} is not on this machine; tests/run tools unpacks it")


def on_a_free_port(make):
    """These servers cannot be told to look for a port themselves: one that somebody else took meanwhile is changed for another."""

    @functools.wraps(make)
    def started(*args, **options):
        for _ in range(3):
            try:
                return make(*args, **options)
            except RuntimeError as error:
                if "in use" not in str(error) and "could not bind" not in str(error):
                    raise
        return make(*args, **options)

    return started


def run(*command, **options):
    subprocess.run([str(c) for c in command], check=True, timeout=180, stdin=subprocess.DEVNULL, **options)


def made_key(path, kind="ed25519", bits=None, passphrase="", pem=False):
    """A new private key in `path`, the public one beside it; its text."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "test", "-f", path]
    command += ["-b", str(bits)] if bits else []
    command += ["-m", "PEM"] if pem else []
    run(*command)
    return Path(path).read_text()


def fingerprint(public_key):
    """`SHA256:…` of a public key file."""
    done = subprocess.run(["ssh-keygen", "-l", "-f", str(public_key)], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.split()[1]


class Authority:
    """Signs certificates for tests."""

    def __init__(self, name="Test authority"):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self.name, self.key, x509.BasicConstraints(True, None), [], -1, 3650)
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def _sign(self, subject, key, constraints, names, from_days, to_days):
        now = datetime.now(timezone.utc)
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=from_days)).not_valid_after(now + timedelta(days=to_days))
            .add_extension(constraints, critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, path, host="127.0.0.1", from_days=-1, to_days=30):
        """A key and certificate for `host` in one PEM file; the certificate's SHA-256."""
        import ipaddress
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            name = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            name = x509.DNSName(host)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        certificate = self._sign(subject, key, x509.BasicConstraints(False, None), [name], from_days, to_days)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        Path(path).write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        os.chmod(path, 0o600)
        return certificate.fingerprint(hashes.SHA256()).hex()


class Server:
    """A process that listens on `port` until `stop`."""

    def __init__(self, kind):
        self.folder = Path(tempfile.mkdtemp(prefix=f"rollcall-{kind}-"))
        os.chmod(self.folder, 0o755)
        self.root = self.folder / "files"
        self.root.mkdir(mode=0o777)
        os.chmod(self.root, 0o777)
        self.home = "/"
        self.host, self.port = "127.0.0.1", free_port()
        self.login, self.password = "payroll", PASSWORD
        self.log = self.folder / "log"
        self.process = None
        # What this server does with the user's rights and a full disk: nothing, where it may do all, or keeps files elsewhere first.
        self.has_rights = self.has_disk = True

    def start(self, command, env=None):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(c) for c in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **(env or {})}, start_new_session=True,
            )
        end = time.monotonic() + START_S
        while True:
            if self.process.poll() is not None:
                why = f"{command[0]} ended with {self.process.returncode}: {self.tail()}"
                self.stop()
                raise RuntimeError(why)
            try:
                socket.create_connection((self.host, self.port), timeout=1).close()
                return self
            except OSError:
                if time.monotonic() > end:
                    self.stop()
                    raise RuntimeError(f"{command[0]} does not listen: {self.tail()}") from None
                time.sleep(0.05)

    def tail(self):
        return self.log.read_text(errors="replace")[-2000:]

    def path(self, *parts):
        """A path as the account says it."""
        return "/".join([self.home.rstrip("/"), *parts])

    def stop(self):
        if self.process and self.process.poll() is None:
            # Servers start a process for each session; they are one group.
            for sign in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(self.process.pid, sign)
                    self.process.wait(5)
                    break
                except ProcessLookupError:
                    break
                except subprocess.TimeoutExpired:
                    continue
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


@on_a_free_port
def sshd(keys=("ed25519",), host_keys=("ed25519", "rsa"), extra=""):
    """OpenSSH's server with internal-sftp, logins by key only. `server.keys` are texts by the names asked for: `ed25519`,
    `rsa2048`, `rsa4096`, with `+` at the end encrypted with PASSWORD. Paths are the machine's own."""
    server = Server("sshd")
    folder = server.folder
    me = os.getuid()
    login = pwd.getpwuid(me).pw_name
    server.keys, server.pins, public = {}, {}, []
    for name in keys:
        kind = name.rstrip("+")
        bits = kind[3:] if kind.startswith("rsa") else None
        path = folder / f"user-{name}"
        server.keys[name] = made_key(path, "rsa" if bits else kind, bits, PASSWORD if name.endswith("+") else "")
        public.append(path.with_name(path.name + ".pub").read_text())
    (folder / "authorized_keys").write_text("".join(public))
    os.chmod(folder / "authorized_keys", 0o600)
    lines = [
        f"Port {server.port}", f"ListenAddress {server.host}", f"PidFile {folder}/pid",
        f"AuthorizedKeysFile {folder}/authorized_keys", "StrictModes no", "PasswordAuthentication no",
        "KbdInteractiveAuthentication no", "PermitRootLogin prohibit-password", "UsePAM no", "LogLevel VERBOSE",
        "MaxStartups 200", "Subsystem sftp internal-sftp", "ForceCommand internal-sftp", extra,
    ]
    for kind in host_keys:
        made_key(folder / f"host-{kind}", kind)
        server.pins[kind] = fingerprint(folder / f"host-{kind}.pub")
        lines.append(f"HostKey {folder}/host-{kind}")
    (folder / "sshd_config").write_text("\n".join(lines) + "\n")
    if me == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    server.login, server.home, server.password = login, str(server.root), None
    server.has_rights = me != 0
    return server.start([program("usr/sbin/sshd"), "-D", "-e", "-f", folder / "sshd_config"])


@on_a_free_port
def rclone():
    """rclone's SFTP server."""
    server = Server("rclone")
    server.has_rights, server.has_disk = os.getuid() != 0, False
    made_key(server.folder / "host")
    server.pins = {"ed25519": fingerprint(server.folder / "host.pub")}
    return server.start(
        ["rclone", "serve", "sftp", server.root, "--addr", f"{server.host}:{server.port}", "--user", server.login, "--pass", PASSWORD,
         "--key", server.folder / "host", "--vfs-cache-mode", "writes", "--cache-dir", server.folder / "cache",
         "--vfs-write-back", "0s", "--dir-cache-time", "0s"], env={"RCLONE_CONFIG": str(server.folder / "none")})


ASYNCSSH = """
import asyncio, asyncssh, os, sys
folder, root, host, port, login, password = sys.argv[1:]

class Server(asyncssh.SSHServer):
    def password_auth_supported(self):
        return True

    def validate_password(self, name, given):
        return (name, given) == (login, password)

async def main():
    files = lambda channel: asyncssh.SFTPServer(channel, chroot=root.encode())
    await asyncssh.create_server(Server, host, int(port), server_host_keys=[folder + "/host"], sftp_factory=files)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@on_a_free_port
def asyncssh():
    """The SFTP server of Python's asyncssh."""
    server = Server("asyncssh")
    server.has_rights = os.getuid() != 0
    made_key(server.folder / "host")
    server.pins = {"ed25519": fingerprint(server.folder / "host.pub")}
    return server.start([sys.executable, "-c", ASYNCSSH, server.folder, server.root, server.host, server.port, server.login, PASSWORD])


def _ftp_user():
    """A user of every machine, without rights, but with a home that exists: vsftpd goes there first."""
    return pwd.getpwnam("daemon")


@on_a_free_port
def vsftpd(authority, implicit=False, reuse=True, certificate=None, extra=""):
    """vsftpd. It asks the machine for users, so everybody is let in as a guest by a PAM-less trick: its anonymous
    login, protected by a password file, with rights to write."""
    if os.getuid() != 0:
        raise Missing("vsftpd runs as root only")
    server = Server("vsftpd")
    folder, pem = server.folder, server.folder / "tls.pem"
    server.certificate = certificate(pem) if certificate else authority.issue(pem)
    # Without write rights on the root itself, as vsftpd demands; files are in a folder below.
    top = folder / "top"
    top.mkdir(mode=0o755)
    server.root.rename(top / "files")
    server.root, server.home = top / "files", "/files"
    (folder / "passwords").write_text(f"{PASSWORD}\n")
    (folder / "empty").mkdir(mode=0o555)
    first, last = free_range(41).split("-")
    yes = {True: "YES", False: "NO"}
    settings = {
        "listen": "YES", "listen_address": server.host, "listen_port": server.port, "background": "NO",
        "anonymous_enable": "YES", "local_enable": "NO", "write_enable": "YES", "anon_upload_enable": "YES",
        "anon_mkdir_write_enable": "YES", "anon_other_write_enable": "YES", "anon_world_readable_only": "NO",
        "anon_umask": "022", "anon_root": top, "ftp_username": "daemon", "nopriv_user": "nobody",
        "secure_email_list_enable": "YES", "email_password_file": folder / "passwords",
        "secure_chroot_dir": folder / "empty", "seccomp_sandbox": "NO", "xferlog_enable": "NO",
        "log_ftp_protocol": "YES", "vsftpd_log_file": folder / "vsftpd.log", "ssl_enable": "YES",
        "allow_anon_ssl": "YES", "force_anon_logins_ssl": "YES", "force_anon_data_ssl": "YES",
        "rsa_cert_file": pem, "rsa_private_key_file": pem, "implicit_ssl": yes[implicit],
        "require_ssl_reuse": yes[reuse], "ssl_ciphers": "HIGH", "pasv_min_port": first, "pasv_max_port": last,
    }
    (folder / "vsftpd.conf").write_text("".join(f"{k}={v}\n" for k, v in settings.items()) + extra)
    server.login = "anonymous"
    return server.start([program("usr/sbin/vsftpd"), folder / "vsftpd.conf"])


@on_a_free_port
def proftpd(authority, implicit=False, reuse=True, certificate=None, sftp=False, extra=""):
    """ProFTPD with mod_tls, or with mod_sftp and passwords."""
    server = Server("proftpd")
    folder, pem = server.folder, server.folder / "tls.pem"
    modules = program("usr/lib/proftpd")
    user = _ftp_user() if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    os.chown(server.root, user.pw_uid, user.pw_gid) if os.getuid() == 0 else None
    hashed = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=PASSWORD, capture_output=True, text=True,
                            check=True, timeout=60).stdout.strip()
    passwords = folder / "passwd"
    passwords.write_text(f"payroll:{hashed}:{user.pw_uid}:{user.pw_gid}::{server.root}:/bin/sh\n")
    os.chmod(passwords, 0o600)
    group = folder / "group"
    group.write_text("payroll:x:%d:payroll\n" % user.pw_gid)
    os.chmod(group, 0o600)
    lines = [
        f"ModulePath {modules}", "ServerType standalone", "ServerName test", "DefaultServer on", f"Port {server.port}",
        f"DefaultAddress {server.host}", "SocketBindTight on", "UseIPv6 off", "UseReverseDNS off", "WtmpLog off",
        f"PidFile {folder}/pid", f"ScoreboardFile {folder}/scoreboard", f"DelayTable none",
        f"SystemLog {folder}/system.log", "TransferLog none", "RequireValidShell off", f"User {user.pw_name}",
        f"Group #{user.pw_gid}" if False else f"Group {_group_name(user.pw_gid)}",
        "AuthOrder mod_auth_file.c", f"AuthUserFile {passwords}", f"AuthGroupFile {group}", "AllowOverwrite on",
        "DefaultRoot ~", "MaxInstances 60", "TimeoutLinger 2",
    ]
    if sftp:
        made_key(folder / "host-rsa", "rsa", pem=True)
        server.pins = {"rsa": fingerprint(folder / "host-rsa.pub")}
        lines += ["LoadModule mod_sftp.c", "SFTPEngine on", f"SFTPHostKey {folder}/host-rsa", f"SFTPLog {folder}/sftp.log",
                  "SFTPAuthMethods password"]
    else:
        server.certificate = certificate(pem) if certificate else authority.issue(pem)
        options = (["UseImplicitSSL"] if implicit else []) + ([] if reuse else ["NoSessionReuseRequired"])
        lines += ["LoadModule mod_tls.c", "TLSEngine on", "TLSRequired on", "TLSProtocol TLSv1.2 TLSv1.3",
                  f"TLSECCertificateFile {pem}", f"TLSECCertificateKeyFile {pem}", f"TLSLog {folder}/tls.log"]
        lines += [f"TLSOptions {' '.join(options)}"] if options else []
    (folder / "proftpd.conf").write_text("\n".join(lines) + "\n" + extra + "\n")
    return server.start([program("usr/sbin/proftpd"), "-n", "-q", "-c", folder / "proftpd.conf"])


def _group_name(gid):
    import grp
    return grp.getgrgid(gid).gr_name
