"""The servers that tests/bench/transport compares: Rollcall, sshd, vsftpd, pure-ftpd and ProFTPD, each as a process of its own.

Their programs are looked for below $ROLLCALL_TEST_SERVERS (unpacked Debian packages), then in the machine's own folders. Every
server speaks to 127.0.0.1 on a free port, with one account, and offers `inbox` as a place to write to. `listed` holds very many files.
"""

import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "interop"))
from house import Failed, House, wait_for  # noqa: E402

PASSWORD = "Un mot de passe 7!"
CIPHER = "aes256-gcm@openssh.com"
#: Sessions that every server must take at once.
MANY = 4000


class Missing(Exception):
    """A server that is not on this machine."""


def program(name):
    for folder in filter(None, [os.environ.get("ROLLCALL_TEST_SERVERS"), "/"]):
        found = Path(folder).resolve() / name
        if found.exists():
            return found
    raise Missing(f"{name} is not on this machine; tests/run tools unpacks it")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def call(*command, stdin=None, limit_s=900, **options):
    done = subprocess.run([str(c) for c in command], input=stdin, capture_output=True, timeout=limit_s, check=False,
                          **({} if stdin is not None else {"stdin": subprocess.DEVNULL}), **options)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: exit {done.returncode}: {done.stderr[-2000:].decode(errors='replace')}")
    return done.stdout


def fields(pid):
    """What /proc/PID/stat says after the program's name; None when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None


class Peer:
    """One server under test."""

    def __init__(self, name, kind, port, login, password=PASSWORD, key=None, inbox="/files", inbox_on_disk=None):
        self.name, self.kind, self.port, self.login, self.password, self.key = name, kind, port, login, password, key
        self.inbox, self.inbox_on_disk = inbox, Path(inbox_on_disk)
        self.listed = "/listed"
        self.process = self.group = self.usage = None

    def start(self, command, log, env=None):
        with open(log, "wb") as out:
            self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            env=env, start_new_session=True)
        self.count()

        def answers():
            if self.process.poll() is not None:
                raise Failed(f"{self.name} ended: {Path(log).read_text(errors='replace')[-1500:]}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return True
            except OSError:
                return False

        wait_for(f"{self.name} on port {self.port}", answers)
        return self

    def count(self):
        """Gives the server a control group of its own: vsftpd never waits for its children, so only that counts their time."""
        for top, name, per_s in (("unified", "cpu.stat", 1_000_000), ("", "cpu.stat", 1_000_000), ("cpuacct", "cpuacct.usage", 1_000_000_000)):
            group = Path("/sys/fs/cgroup") / top / f"rollcall-bench-{self.process.pid}"
            try:
                group.mkdir()
                if (group / name).exists():
                    (group / "cgroup.procs").write_text(str(self.process.pid))
                    self.group, self.usage = group, (group / name, per_s)
                    return
                group.rmdir()
            except OSError:
                continue
        raise Failed("no control group (cgroup) could be made to count the servers' processor time in")

    def stop(self):
        # The children of a forking server live on in sessions of their own.
        mine = self.pids()
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in mine[1:]:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        self.discard_group()

    def discard_group(self):
        if self.group:
            wait_for(f"the end of {self.name}'s processes", lambda: not (self.group / "cgroup.procs").read_text().strip())
            self.group.rmdir()

    def pids(self):
        """The server's process and everything below it."""
        parents = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit() and (stat := fields(entry)):
                parents.setdefault(int(stat[1]), []).append(int(entry))
        found, left = [], [self.process.pid]
        while left:
            pid = left.pop(0)
            found.append(pid)
            left += parents.get(pid, [])
        return found

    def cpu_s(self):
        """Processor seconds of all its processes, the ended ones too."""
        file, per_s = self.usage
        return int(file.read_text().split()[1 if file.name == "cpu.stat" else 0]) / per_s

    def memory(self):
        """(resident, proportional) KiB of all its processes: shared pages count for each, and for all of them once."""
        rss = pss = 0
        for pid in self.pids():
            try:
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            except OSError:
                continue
            sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
            rss, pss = rss + sizes.get("Rss", 0), pss + sizes.get("Pss", 0)
        return rss, pss


class Rollcall(Peer):
    """The server of this repository, with its limits raised to what the others are given."""

    def __init__(self, binary):
        self.house = House(binary, limits__max_connections=MANY, limits__max_connections_per_address=MANY, log__level="warn",
                           limits__sessions_per_account=MANY, limits__idle_timeout_s=3600, limits__max_half_open=MANY)
        account = self.account = self.house.account("bench")
        super().__init__("Rollcall", "both", self.house.ports["sftp"], account.login, account.password, self.house.user_key,
                         "/files", account.on_disk("/files"))
        self.ftp_port = self.house.ports["ftpes"]
        self.process = self.house.process
        self.count()
        self.listed_on_disk = account.files / "listed"
        self.listed_on_disk.mkdir()
        # The others read the listed folder as another user.
        for folder in [account.files, *account.files.parents][:7]:
            if folder.is_relative_to(self.house.folder):
                folder.chmod(0o755)

    def as_ftp(self):
        """The same server, spoken to over FTPS."""
        other = Peer("Rollcall", "ftp", self.ftp_port, self.login, self.password, None, self.inbox, self.inbox_on_disk)
        other.process, other.usage = self.process, self.usage
        return other

    def stop(self):
        self.house.stop()
        self.house.remove()
        self.discard_group()


def certificate(folder):
    pem, key = folder / "tls.pem", folder / "tls.key"
    if not pem.exists():
        call("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-keyout", key, "-out", pem)
        pem.write_bytes(key.read_bytes() + pem.read_bytes())
        pem.chmod(0o600)
    return pem


def tree(folder, name, listed, owner):
    """A root for one server: `files` to write to, `listed` a mount or link to the common folder."""
    root = folder / name
    (root / "files").mkdir(parents=True)
    os.chown(root / "files", owner.pw_uid, owner.pw_gid)
    for part in [folder, root, root / "files"]:
        part.chmod(0o755)
    call("mount", "--bind", "-o", "ro", listed, _made(root / "listed"))
    return root


def _made(path):
    path.mkdir()
    return path


def release(folder):
    """Ends the mounts of `tree` below `folder`."""
    for line in Path("/proc/mounts").read_text().splitlines():
        place = line.split()[1].replace("\\040", " ")
        if place.startswith(f"{folder}/"):
            call("umount", place)


def hashed(password):
    return call("openssl", "passwd", "-6", "-stdin", stdin=password.encode()).decode().strip()


def sshd(folder, key, listed):
    """OpenSSH with its internal SFTP server, for root by key: its child processes change the user all the same."""
    port, root = free_port(), tree(folder, "sshd", listed, pwd.getpwnam("root"))
    call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "sshd_key")
    shutil.copy(f"{key}.pub", folder / "authorized_keys")
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/sshd_key\nAuthorizedKeysFile {folder}/authorized_keys\n"
        f"StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\nPasswordAuthentication no\nUseDNS no\n"
        f"MaxStartups {MANY}\nMaxSessions 10\nSubsystem sftp internal-sftp\n")
    peer = Peer("sshd", "sftp", port, "root", None, key, f"{root}/files", root / "files")
    peer.listed = f"{root}/listed"
    return peer.start([program("usr/sbin/sshd"), "-D", "-e", "-f", folder / "sshd_config"], folder / "sshd.log")


def vsftpd(folder, listed):
    """vsftpd; its guests log in with a password from a file, as plain text: it does no hashing."""
    port, low, owner = free_port(), 52_000, pwd.getpwnam("daemon")
    root, pem = tree(folder, "vsftpd", listed, owner), certificate(folder)
    (folder / "passwords").write_text(f"{PASSWORD}\n")
    (folder / "empty").mkdir(mode=0o555)
    settings = {
        "listen": "YES", "listen_ipv6": "NO", "listen_address": "127.0.0.1", "listen_port": port, "background": "NO",
        "anonymous_enable": "YES", "local_enable": "NO", "write_enable": "YES", "anon_upload_enable": "YES",
        "anon_mkdir_write_enable": "YES", "anon_other_write_enable": "YES", "anon_world_readable_only": "NO", "anon_umask": "022",
        "anon_root": root, "ftp_username": "daemon", "secure_email_list_enable": "YES",
        "email_password_file": folder / "passwords", "secure_chroot_dir": folder / "empty", "seccomp_sandbox": "NO",
        "xferlog_enable": "NO", "ssl_enable": "YES", "allow_anon_ssl": "YES", "force_anon_logins_ssl": "YES",
        "force_anon_data_ssl": "YES", "rsa_cert_file": pem, "rsa_private_key_file": pem, "require_ssl_reuse": "NO",
        "ssl_ciphers": "HIGH", "pasv_min_port": low, "pasv_max_port": low + 4000, "connect_from_port_20": "NO",
        "idle_session_timeout": "3600", "max_clients": MANY, "max_per_ip": MANY,
    }
    (folder / "vsftpd.conf").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    peer = Peer("vsftpd", "ftp", port, "anonymous", PASSWORD, None, "/files", root / "files")
    return peer.start([program("usr/sbin/vsftpd"), folder / "vsftpd.conf"], folder / "vsftpd.out")


def pure_ftpd(folder, listed):
    """pure-ftpd with virtual users; it hashes passwords with scrypt or Argon2, as its pure-pw chooses."""
    port, low, owner = free_port(), 57_000, pwd.getpwnam("daemon")
    root, pem = tree(folder, "pure-ftpd", listed, owner), certificate(folder)
    twice = f"{PASSWORD}\n{PASSWORD}\n".encode()
    call(program("usr/bin/pure-pw"), "useradd", "payroll", "-f", folder / "pure.passwd", "-F", folder / "pure.pdb", "-m", "-u",
         owner.pw_uid, "-g", owner.pw_gid, "-d", root, stdin=twice)
    # Source: pure-ftpd(8). -H: no look-up of names, -L: files in a listing, -Y 2: TLS only, -U: modes of new files.
    command = [program("usr/sbin/pure-ftpd"), "-S", f"127.0.0.1,{port}", "-l", f"puredb:{folder}/pure.pdb", "-E", "-H", "-A",
               "-c", MANY, "-C", MANY, "-L", "2000000:5", "-Y", "2", "-2", pem, "-p", f"{low}:{low + 4000}", "-I", "60", "-u", "1",
               "-U", "022:022", "-g", folder / "pure.pid"]
    peer = Peer("pure-ftpd", "ftp", port, "payroll", PASSWORD, None, "/files", root / "files")
    return peer.start(command, folder / "pure.out")


def proftpd(folder, listed, key=None):
    """ProFTPD with mod_tls, or with mod_sftp when there is a key; passwords are SHA-512 crypt."""
    sftp = key is not None
    name = "proftpd-sftp" if sftp else "proftpd"
    port, owner = free_port(), pwd.getpwnam("daemon")
    root = tree(folder, name, listed, owner)
    passwords, group = folder / f"{name}.passwd", folder / f"{name}.group"
    passwords.write_text(f"payroll:{hashed(PASSWORD)}:{owner.pw_uid}:{owner.pw_gid}::{root}:/bin/sh\n")
    group.write_text(f"payroll:x:{owner.pw_gid}:payroll\n")
    for file in (passwords, group):
        file.chmod(0o600)
    lines = [
        f"ModulePath {program('usr/lib/proftpd')}", "ServerType standalone", "ServerName bench", "DefaultServer on", f"Port {port}",
        "DefaultAddress 127.0.0.1", "SocketBindTight on", "UseIPv6 off", "UseReverseDNS off", "WtmpLog off",
        f"PidFile {folder}/{name}.pid", f"ScoreboardFile {folder}/{name}.scoreboard", "DelayTable none", "TransferLog none",
        f"SystemLog {folder}/{name}.log", "RequireValidShell off", f"User {owner.pw_name}",
        f"Group {grp.getgrgid(owner.pw_gid).gr_name}", "AuthOrder mod_auth_file.c", f"AuthUserFile {passwords}",
        f"AuthGroupFile {group}", "AllowOverwrite on", "DefaultRoot ~", f"MaxInstances {MANY}", "TimeoutIdle 3600",
        "TimeoutNoTransfer 3600", "PassivePorts 62000 65000", "MaxConnectionRate 100000",
    ]
    if sftp:
        call("ssh-keygen", "-q", "-t", "rsa", "-b", "3072", "-m", "PEM", "-N", "", "-f", folder / "proftpd_key")
        keys = folder / "proftpd_keys"
        keys.write_bytes(call("ssh-keygen", "-e", "-f", f"{key}.pub"))
        lines += ["LoadModule mod_sftp.c", "SFTPEngine on", f"SFTPHostKey {folder}/proftpd_key", f"SFTPLog {folder}/sftp.log",
                  f"SFTPAuthorizedUserKeys file:{keys}", "SFTPAuthMethods publickey password"]
    else:
        lines += ["LoadModule mod_tls.c", "TLSEngine on", "TLSRequired on", "TLSProtocol TLSv1.2 TLSv1.3",
                  f"TLSECCertificateFile {certificate(folder)}", f"TLSECCertificateKeyFile {certificate(folder)}",
                  f"TLSLog {folder}/tls.log", "TLSOptions NoSessionReuseRequired"]
    (folder / f"{name}.conf").write_text("\n".join(lines) + "\n")
    peer = Peer("ProFTPD", "sftp" if sftp else "ftp", port, "payroll", PASSWORD, key, "/files", root / "files")
    return peer.start([program("usr/sbin/proftpd"), "-n", "-q", "-c", folder / f"{name}.conf"], folder / f"{name}.out")
