"""What no well-behaved client does: raw sockets against the edges. The time-outs of this server are short."""

import os
import re
import socket
import ssl
import subprocess
import threading
import time

import clients
from aborts import reset
from house import Failed, expect, roster, wait_for
from matrix import done, local, tail


class Control:
    """An FTP control connection, spoken by hand."""

    def __init__(self, account, protocol="ftpes", tls=True, address="127.0.0.1", context=None, source=None):
        self.account = account
        self.address = address
        self.context = context or anyone()
        self.sock = socket.create_connection(
            (address, account.house.ports[protocol]), timeout=60, source_address=source and (source, 0))
        self.read = b""
        if protocol == "ftps":
            self.secure()
        self.greeting = self.reply()
        if protocol == "ftpes" and tls:
            expect(self.ask("AUTH TLS").startswith("234"), "AUTH TLS was not answered 234")
            self.secure()

    def secure(self):
        self.sock = self.context.wrap_socket(self.sock, server_hostname="localhost")

    def send(self, line):
        self.sock.sendall(line.encode() + b"\r\n")

    def line(self):
        while b"\n" not in self.read:
            block = self.sock.recv(4096)
            if not block:
                raise Closed("the server closed the connection")
            self.read += block
        line, self.read = self.read.split(b"\n", 1)
        return line.decode(errors="replace").rstrip("\r")

    def reply(self):
        first = self.line()
        lines = [first]
        if first[3:4] == "-":
            while not lines[-1].startswith(first[:3] + " "):
                lines.append(self.line())
        return "\n".join(lines)

    def ask(self, line):
        self.send(line)
        return self.reply()

    def log_in(self, password=None):
        self.ask(f"USER {self.account.login}")
        answer = self.ask(f"PASS {password or self.account.password}")
        if password is None:
            expect(answer.startswith("230"), f"login answered {answer}")
            expect(self.ask("PBSZ 0").startswith("200"), "PBSZ 0")
            expect(self.ask("PROT P").startswith("200"), "PROT P")
        return answer

    def passive(self):
        answer = self.ask("EPSV")
        expect(answer.startswith("229"), f"EPSV answered {answer}")
        return self.address, int(re.search(r"\|\|\|(\d+)\|", answer).group(1))

    def data(self, where=None, source=None):
        plain = socket.create_connection(where or self.passive(), timeout=60, source_address=source and (source, 0))
        return plain

    def closed(self, within_s=60):
        """The server has ended the connection; what it said before does not matter."""
        self.sock.settimeout(within_s)
        try:
            while self.sock.recv(4096):
                pass
        except TimeoutError:
            raise Failed(f"the connection is still open after {within_s} s") from None
        except (OSError, ssl.SSLError):
            pass

    def upload(self, name, data, verb="STOR", session=None, end="close_notify"):
        where = self.passive()
        self.send(f"{verb} {name}")
        try:
            plain = socket.create_connection(where, timeout=60)
        except ConnectionRefusedError:
            # With a refusal the server closes the port, which may be before we come to it.
            plain = None
        first = self.reply()
        if first[:1] != "1":
            if plain:
                plain.close()
            return first
        expect(plain, f"{verb} was answered {first}, but its port was closed")
        return self.send_data(plain, data, session, end)

    def send_data(self, plain, data, session=None, end="close_notify"):
        """Sends a file over a data connection that stands, ends it in one of three ways, answers the last reply."""
        secure = self.context.wrap_socket(plain, server_hostname="localhost", session=session)
        secure.sendall(data)
        if end == "close_notify":
            secure.unwrap().close()
        elif end == "fin":
            secure.shutdown(socket.SHUT_WR)
        else:
            reset(socket.socket(fileno=secure.detach()))
        return self.reply()

    def works(self):
        answer = self.ask("NOOP")
        expect(answer.startswith("200"), f"the session is out of step: NOOP answered {answer}")
        data = os.urandom(3000)
        answer = self.upload("/files/after.bin", data)
        expect(answer.startswith("226"), f"the next upload answered {answer}")
        expect(self.account.on_disk("/files/after.bin").read_bytes() == data, "the next upload is not whole")


class Closed(Exception):
    pass


def anyone(low=None, high=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if low:
        context.minimum_version = low
    if high:
        context.maximum_version = high
    return context


# FTPS: the control connection


def user_in_clear(account):
    """USER before TLS is refused, and no password is asked for."""
    control = Control(account, tls=False)
    answer = control.ask(f"USER {account.login}")
    expect(answer.startswith("530"), f"USER answered {answer}")
    answer = control.ask(f"PASS {account.password}")
    expect(answer[:3] in ("530", "503"), f"PASS answered {answer}")


def injection(account):
    """Bytes that came in clear behind AUTH TLS are not obeyed."""
    control = Control(account, tls=False)
    control.sock.sendall(f"AUTH TLS\r\nUSER {account.login}\r\n".encode())
    try:
        answer = control.reply()
        expect(answer.startswith(("234", "5", "4")), answer)
        if answer.startswith("234"):
            control.secure()
            answer = control.ask(f"PASS {account.password}")
            expect(False, f"the connection lived on; PASS answered {answer}")
    except (Closed, OSError):
        pass


def clear_data(account):
    """PROT C and CCC are refused, and nothing is transferred without PROT P."""
    control = Control(account)
    control.ask(f"USER {account.login}")
    expect(control.ask(f"PASS {account.password}").startswith("230"), "login")
    for passive in ("EPSV", "PASV"):
        answer = control.ask(passive)
        if answer[:1] == "2":
            answer = control.ask("STOR /files/clear.txt")
        expect(answer[:1] in "45", f"{passive} and STOR without PROT P answered {answer}")
    control.ask("PBSZ 0")
    answer = control.ask("PROT C")
    expect(answer[:1] == "5", f"PROT C answered {answer}")
    answer = control.ask("STOR /files/clear.txt")
    expect(answer[:1] in "45", f"STOR after PROT C answered {answer}")
    answer = control.ask("CCC")
    expect(answer[:1] == "5", f"CCC answered {answer}")
    expect(not account.on_disk("/files/clear.txt").exists(), "a file was made in clear")


def long_line(account):
    """A control line without end is cut off, before login and after it."""
    for logged_in in (False, True):
        control = Control(account)
        if logged_in:
            control.log_in()
        sent = 0
        try:
            while sent < 4 << 20:
                control.sock.sendall(b"x" * 4096)
                sent += 4096
        except OSError:
            pass
        expect(sent < 4 << 20, "the server read 4 MiB of one line")
        control.closed()


def silent(protocol):
    def run(account):
        """A connection that says nothing is ended at the login time-out."""
        with account.house.connect(protocol, timeout=60) as sock:
            began = time.monotonic()
            try:
                while sock.recv(4096):
                    pass
            except TimeoutError:
                raise Failed("still open after 60 s; the time-out is shorter") from None
            except OSError:
                pass
            expect(time.monotonic() - began > 1, "closed at once")
    return run


def no_handshake(account):
    """A TLS handshake that never comes after AUTH TLS ends the connection."""
    control = Control(account, tls=False)
    expect(control.ask("AUTH TLS").startswith("234"), "AUTH TLS")
    control.closed()


def guesses(account):
    """Three wrong passwords end a connection; many of them never lock the account."""
    for _ in range(3):
        control = Control(account)
        answers = []
        try:
            for _ in range(6):
                answers.append(control.log_in("wrong"))
        except (Closed, OSError):
            pass
        expect(len(answers) <= 3, f"{len(answers)} guesses on one connection")
        expect(not any(a.startswith("230") for a in answers), "a wrong password was accepted")
    Control(account).log_in()


def fumbled(account):
    """Arguments that are wrong or missing are answered, and the session goes on."""
    control = Control(account)
    control.log_in()
    for line in ("OPTS MLST", "OPTS", "TYPE", "TYPE X", "MODE", "STRU", "RETR", "STOR", "REST", "REST x", "RNFR", "RNTO x",
                 "CWD", "SIZE", "MDTM", "MFMT", "MFMT x y", "HASH", "SITE", "SITE XYZ", "ALLO", "EPSV 9", "PORT", "XYZZY",
                 "ABOR", "", "   ", "PBSZ", "PROT", "AUTH", "USER", "HELP XYZ", "LANG", "STAT /nowhere", "MLST /nowhere"):
        try:
            answer = control.ask(line)
        except Closed:
            raise Failed(f"\"{line}\" ended the session") from None
        expect(re.match(r"[1-5]\d\d[ -]", answer), f"\"{line}\" answered {answer}")
        answer = control.ask("PWD")
        expect(answer.startswith("257"), f"after \"{line}\" PWD answered {answer}")
    control.works()


def pipelined(account):
    """Commands sent in one go are answered one after the other."""
    control = Control(account)
    control.log_in()
    control.sock.sendall(b"NOOP\r\nPWD\r\nCWD /files\r\nPWD\r\nTYPE I\r\nCWD ..\r\nPWD\r\n")
    codes = [control.reply() for _ in range(7)]
    expect([c[:3] for c in codes] == ["200", "257", "250", "257", "200", "250", "257"], f"{codes}")
    expect('"/files"' in codes[3] and '"/"' in codes[6], f"{codes}")
    control.works()


def folders_of_ftp(account):
    """CWD between PASV and STOR counts; `..` at the root stays; MLST and PWD know the working folder."""
    control = Control(account)
    control.log_in()
    where = control.passive()
    expect(control.ask("CWD files").startswith("250"), "CWD")
    control.send("STOR here.txt")
    plain = socket.create_connection(where, timeout=60)
    expect(control.reply()[:1] == "1", "STOR")
    secure = control.context.wrap_socket(plain, server_hostname="localhost")
    secure.sendall(b"here")
    secure.unwrap().close()
    expect(control.reply().startswith("226"), "226")
    expect(account.on_disk("/files/here.txt").read_bytes() == b"here", "the file went elsewhere")
    answer = control.ask("MLST here.txt")
    expect(answer.startswith("250") and "size=4" in answer.lower(), f"MLST answered {answer}")
    for line, folder in (("CWD /files/../files/./", "/files"), ("CDUP", "/"), ("CWD ..", "/"), ("CWD ../../..", "/")):
        expect(control.ask(line)[:3] in ("250", "200"), line)
        expect(f'"{folder}"' in control.ask("PWD"), f"after {line}: {control.ask('PWD')}")


def courtesies(account):
    """What client programs ask on the way: FEAT, MFMT, MDTM, SIZE, HASH, CLNT, TYPE A, OPTS UTF8, SYST, STAT."""
    control = Control(account)
    control.log_in()
    data = b"one\r\ntwo\r\n"
    expect(control.ask("TYPE A").startswith("200"), "TYPE A")
    expect(control.upload("/files/a.txt", data).startswith("226"), "STOR")
    expect(account.on_disk("/files/a.txt").read_bytes() == data, "TYPE A changed the bytes")
    expect(control.ask("TYPE I").startswith("200"), "TYPE I")
    features = control.ask("FEAT").upper()
    for feature in ("UTF8", "EPSV", "SIZE", "MDTM", "MFMT", "MLST", "REST STREAM", "PBSZ", "PROT", "AUTH TLS"):
        expect(feature in features, f"FEAT does not name {feature}: {features}")
    for line, code in (("CLNT FileZilla", "200"), ("OPTS UTF8 ON", "200"), ("SYST", "215"), ("SIZE /files/a.txt", "213 10"),
                       ("MFMT 20240229123456 /files/a.txt", "213"), ("MDTM /files/a.txt", "213 20240229123456"),
                       ("STAT", "211"), ("HELP", "214"), ("ALLO 10", "20"), ("MODE S", "200"), ("STRU F", "200")):
        answer = control.ask(line)
        expect(answer.startswith(code), f"{line} answered {answer}")
    for line in ("PORT 127,0,0,1,200,200", "EPRT |1|127.0.0.1|51400|"):
        answer = control.ask(line)
        expect(answer.startswith("5"), f"{line} answered {answer}")


def beyond_the_end(account):
    """REST beyond the end makes no sparse file, and its offset does not outlive the refusal."""
    control = Control(account)
    control.log_in()
    answer = control.ask("REST 1000000000000")
    if answer.startswith("350"):
        answer = control.upload("/files/sparse.bin", b"x")
    expect(answer[:1] == "5", f"answered {answer}")
    found = account.on_disk("/files/sparse.bin")
    expect(not found.exists() or found.stat().st_size <= 1, "a sparse file was made")
    control.works()


def no_gluing(account):
    """Appending to yesterday's roster is refused: it would glue today's rest to it."""
    control = Control(account)
    control.log_in()
    data = roster(3)
    expect(control.upload("/payroll/users.csv", data).startswith("226"), "STOR")
    answer = control.upload("/payroll/users.csv", b"x", "APPE")
    expect(answer[:1] in "45", f"APPE answered {answer}")
    control.ask("REST 10")
    answer = control.upload("/payroll/users.csv", b"x")
    expect(answer[:1] in "45", f"REST and STOR answered {answer}")
    expect(account.on_disk("/payroll/users.csv").read_bytes() == data, "the file has changed")
    expect(len(account.imports()) == 1, "there is a second import")


def versions(account):
    """TLS 1.2 and 1.3 work, older is refused; ALPN `ftp` is taken, another is refused."""
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        for protocol in ("ftps", "ftpes"):
            control = Control(account, protocol, context=anyone(version, version))
            control.log_in()
            control.works()
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old = anyone(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)
    old.set_ciphers("ALL:@SECLEVEL=0")
    try:
        Control(account, "ftps", context=old)
    except (OSError, Closed):
        pass
    else:
        raise Failed("TLS 1.1 was accepted")
    for name, good in (("ftp", True), ("h2", False)):
        context = anyone()
        context.set_alpn_protocols([name])
        try:
            Control(account, "ftps", context=context).log_in()
            expect(good, f"ALPN {name} was accepted")
        except (ssl.SSLError, ConnectionError, Closed) as error:
            expect(not good, f"ALPN {name} was refused: {error}")


# FTPS: the data connection


def never_connected(account):
    """A passive port to which nobody connects is answered in time, and the session lives."""
    control = Control(account)
    control.log_in()
    control.passive()
    began = time.monotonic()
    answer = control.ask("STOR /files/never.bin")
    if answer.startswith("1"):
        answer = control.reply()
    expect(answer.startswith("4"), f"answered {answer}")
    expect(time.monotonic() - began < 45, "answered late; the time-out is a few seconds")
    expect(not account.on_disk("/files/never.bin").exists(), "a file was made of nothing")
    control.works()


def garbage(account):
    """Bytes that are no TLS on the data connection fail this transfer only."""
    control = Control(account)
    control.log_in()
    where = control.passive()
    control.send("STOR /files/garbage.bin")
    with socket.create_connection(where, timeout=60) as plain:
        plain.sendall(os.urandom(4096))
        answer = control.reply()
        while answer.startswith("1"):
            answer = control.reply()
    expect(answer[:1] in "45", f"answered {answer}")
    expect(not account.on_disk("/files/garbage.bin").exists(), "the garbage was stored")
    control.works()


def mute(account):
    """A data connection without a handshake, and one that stops in the middle, end at their time-outs."""
    control = Control(account)
    control.log_in()
    where = control.passive()
    control.send("STOR /files/mute.bin")
    with socket.create_connection(where, timeout=60):
        answer = control.reply()
        while answer.startswith("1"):
            answer = control.reply()
    expect(answer[:1] == "4", f"no handshake: answered {answer}")
    where = control.passive()
    control.send("STOR /files/mute.bin")
    plain = socket.create_connection(where, timeout=60)
    expect(control.reply().startswith("1"), "STOR")
    with control.context.wrap_socket(plain, server_hostname="localhost") as secure:
        secure.sendall(b"half")
        answer = control.reply()
    expect(answer[:1] == "4", f"stopped in the middle: answered {answer}")
    control.works()


def stranger(account):
    """A data connection from another address is dropped; the session's own still gets through."""
    control = Control(account)
    control.log_in()
    where = control.passive()
    control.send("STOR /files/mine.bin")
    with socket.create_connection(where, timeout=60, source_address=("127.0.0.2", 0)) as foreign:
        foreign.settimeout(60)
        try:
            foreign.sendall(b"x" * 100)
            expect(foreign.recv(100) == b"", "the stranger was answered")
        except TimeoutError:
            raise Failed("the stranger's connection is held open") from None
        except OSError:
            pass
        plain = socket.create_connection(where, timeout=60)
        expect(control.reply().startswith("1"), "STOR")
        secure = control.context.wrap_socket(plain, server_hostname="localhost")
        secure.sendall(b"mine")
        secure.unwrap().close()
    expect(control.reply().startswith("226"), "226")
    expect(account.on_disk("/files/mine.bin").read_bytes() == b"mine", "another's bytes were stored")


def sixth(account):
    """Over IPv6 EPSV works and PASV is refused without ending the session."""
    control = peculiar(account, "ftpes", "::1")
    answer = control.ask("PASV")
    expect(answer.startswith("522"), f"PASV answered {answer}")
    answer = control.upload("/files/six.bin", b"six", session=control.sock.session)
    expect(answer.startswith("226"), answer)


def peculiar(account, protocol="ftps", address="127.0.0.1"):
    """A session on the server whose data connections must resume the control connection's TLS session."""
    control = Control(account, protocol, address=address, context=anyone(None, ssl.TLSVersion.TLSv1_2))
    control.log_in()
    return control


def must_resume(account):
    """With `resumption = "require"` a data connection of another TLS session is refused."""
    control = peculiar(account)
    try:
        answer = control.upload("/files/hijack.bin", b"another's")
    except OSError:
        answer = control.reply()
    expect(answer[:1] in "45", f"answered {answer}")
    expect(not account.on_disk("/files/hijack.bin").exists(), "another's bytes were stored")
    answer = control.upload("/files/mine.bin", b"mine", session=control.sock.session)
    expect(answer.startswith("226"), f"a resumed data connection was answered {answer}")


def lenient(account):
    """With `lenient_data_end` a FIN ends a file, a reset never does."""
    control = peculiar(account)
    answer = control.upload("/files/fin.bin", b"all", session=control.sock.session, end="fin")
    expect(answer.startswith("226"), f"FIN: answered {answer}")
    expect(account.on_disk("/files/fin.bin").read_bytes() == b"all", "other bytes")
    old = account.on_disk("/files/fin.bin")
    answer = control.upload("/files/fin.bin", os.urandom(100_000), session=control.sock.session, end="reset")
    expect(answer[:1] == "4", f"reset: answered {answer}")
    expect(old.read_bytes() == b"all", "a reset replaced the file")


def active(account):
    """With `active = "own-address"` the server connects to the client itself, and to nobody else."""
    control = peculiar(account)
    for line in ("PORT 127,0,0,2,200,200", "EPRT |1|10.0.0.1|51400|", "PORT 127,0,0,1,0,80", "EPRT |1|127.0.0.1|80|"):
        answer = control.ask(line)
        expect(answer[:1] == "5", f"{line} answered {answer}")
    with socket.create_server(("127.0.0.1", 0)) as here:
        here.settimeout(60)
        port = here.getsockname()[1]
        answer = control.ask(f"PORT 127,0,0,1,{port // 256},{port % 256}")
        expect(answer.startswith("200"), f"PORT answered {answer}")
        control.send("STOR /files/active.bin")
        plain, _ = here.accept()
        expect(control.reply()[:1] == "1", "STOR")
        answer = control.send_data(plain, b"active", control.sock.session)
    expect(answer.startswith("226"), answer)
    expect(account.on_disk("/files/active.bin").read_bytes() == b"active", "other bytes")


def quit_during(account):
    """Connections that come and go in the middle of everything leave nothing behind."""
    for how in range(12):
        control = Control(account)
        if how % 2:
            control.log_in()
        if how % 3 == 0:
            control.sock.sendall(b"STOR /files/x")
        elif how % 4 == 1:
            control.passive()
            control.send("STOR /files/x.bin")
        reset(socket.socket(fileno=control.sock.detach()))
    Control(account).log_in()
    wait_for("an empty spool", lambda: not account.spooled())


# SFTP


def ssh(account, *arguments, options=()):
    return clients.program(
        ["ssh", *clients.ssh_login(account, None)[0], *clients.ssh_options(account), *options, "-T",
         "-p", account.house.ports["sftp"], f"{account.login}@127.0.0.1", *arguments], env=account.house.env)


def no_shell(account):
    """Commands, a shell and forwarding are refused in words, and so is what a shell would do behind scp."""
    for arguments in (("id",), ("cat /etc/passwd",), ("scp -t /files/x.txt; cat /etc/passwd",), ("scp -f $(id)",), ("scp -t -S id x",), ()):
        outcome = ssh(account, *arguments)
        expect(not outcome.ok and outcome.text.strip(), f"ssh {arguments}: {outcome}")
        expect("root:" not in outcome.text and "uid=" not in outcome.text, "a command ran")
    outcome = ssh(account, options=("-W", f"127.0.0.1:{account.house.ports['ftpes']}"))
    expect(not outcome.ok and "220" not in outcome.text, f"a connection was forwarded: {outcome.text}")
    outcome = ssh(account, options=("-N", "-R", "0:127.0.0.1:9", "-o", "ExitOnForwardFailure=yes"))
    expect(not outcome.ok, "a port was opened for forwarding")
    expect(not account.on_disk("/files/x.txt").exists(), "a refused command left a file")


def old_algorithms(account):
    """Only the clean list of algorithms is offered."""
    for options in ("KexAlgorithms=diffie-hellman-group14-sha1", "KexAlgorithms=diffie-hellman-group1-sha1",
                    "Ciphers=aes128-cbc", "MACs=hmac-sha1", "HostKeyAlgorithms=ssh-rsa", "KexAlgorithms=ecdh-sha2-nistp256"):
        # A MAC is only negotiated for a cipher that does not authenticate by itself.
        outcome = ssh(account, "id", options=("-o", options, "-o", "Ciphers=aes256-ctr" if "MAC" in options else options))
        expect("no matching" in outcome.text.lower(), f"{options}: {tail(outcome.text)}")
    for options in ("Ciphers=chacha20-poly1305@openssh.com", "Ciphers=aes256-gcm@openssh.com", "Ciphers=aes256-ctr",
                    "KexAlgorithms=curve25519-sha256", "KexAlgorithms=diffie-hellman-group16-sha512",
                    "HostKeyAlgorithms=rsa-sha2-512"):
        command, env = clients.OpenSshSftp().command(account, more=("-o", options))
        outcome = clients.program(command, b"ls /\n", env)
        expect(outcome.ok, f"{options}: {tail(outcome.text)}")


def noise(account):
    """Bytes that are no SSH end the connection and nothing else."""
    for data in (os.urandom(5000), b"GET / HTTP/1.1\r\n\r\n", b"SSH-1.0-old\r\n", b"SSH-2.0-x\r\n" + os.urandom(50_000), b"\0" * 70_000):
        with account.house.connect("sftp") as sock:
            sock.settimeout(60)
            try:
                sock.sendall(data)
                while sock.recv(4096):
                    pass
            except TimeoutError:
                raise Failed("the connection is still open") from None
            except OSError:
                pass
    # A login has little time here: one that came too late on a busy machine is no fault.
    wait_for("a login after the noise", lambda: clients.Paramiko().run(account, [("list", "/")]).ok)


def sftp_session(account):
    import paramiko
    transport = paramiko.Transport(account.house.connect("sftp"))
    transport.banner_timeout = transport.auth_timeout = 120
    transport.connect(username=account.login, password=account.password)
    sftp = paramiko.SFTPClient.from_transport(transport)
    sftp.get_channel().settimeout(180)
    return transport, sftp


def refused(what, *arguments, **named):
    try:
        what(*arguments, **named)
    except OSError:
        return
    raise Failed(f"{what.__name__}{arguments} was accepted")


def confined(account):
    """No name, link or dot leads out of the account's root, and a name that is no UTF-8 is refused."""
    transport, sftp = sftp_session(account)
    for path in ("/etc/passwd", "../../../../../../etc/passwd", "/files/../../../../etc/passwd", "/../registry.db"):
        refused(sftp.stat, path)
    expect(sftp.normalize("../../..") == "/", "realpath leads out")
    refused(sftp.symlink, "/etc/passwd", "/files/link")
    refused(sftp.open, b"/files/caf\xe9.txt", "w")
    os.symlink("/etc", account.on_disk("/files/etc"))
    refused(sftp.open, "/files/etc/passwd")
    refused(sftp.open, "/files/etc/rollcall-was-here", "w")
    expect("spool" not in sftp.listdir("/"), "the spool is visible")
    transport.close()


def reserved(account):
    """Report names cannot be made, replaced or faked by a client."""
    transport, sftp = sftp_session(account)
    done(clients.Paramiko(), account, [("put", local(account, roster(2)), "/payroll/users.csv")])
    kept = account.on_disk("/payroll/users.csv.report.json").read_bytes()
    for name in ("users.csv.report.json", "users.csv.report.csv", "other.csv.report.html", "USERS.CSV.REPORT.CSV"):
        refused(put_bytes, sftp, f"/payroll/{name}", b"{}")
    put_bytes(sftp, "/files/fake", b"{}")
    refused(sftp.posix_rename, "/files/fake", "/payroll/users.csv.report.json")
    expect(account.on_disk("/payroll/users.csv.report.json").read_bytes() == kept, "the report was replaced")
    transport.close()


def put_bytes(sftp, path, data):
    with sftp.open(path, "w") as there:
        there.write(data)


def handles(account):
    """Too many open handles are refused in good order; those that are open go on."""
    transport, sftp = sftp_session(account)
    put_bytes(sftp, "/files/a.txt", b"a")
    opened = []
    try:
        for _ in range(400):
            opened.append(sftp.open("/files/a.txt"))
    except OSError:
        pass
    expect(100 <= len(opened) < 400, f"{len(opened)} handles were given")
    expect(opened[0].read() == b"a", "an open handle does not read")
    for handle in opened:
        handle.close()
    put_bytes(sftp, "/files/b.txt", b"b")
    transport.close()


def attributes(account):
    """chmod, utime and truncate on an upload never fail it; -p keeps the time."""
    data = local(account, b"dated")
    os.utime(data, (1_700_000_000, 1_700_000_000))
    command, env = clients.OpenSshSftp().command(account)
    outcome = clients.program(command, f"put -p {data} /files/dated.txt\nchmod 600 /files/dated.txt\n".encode(), env)
    expect(outcome.ok, tail(outcome.text))
    expect(int(account.on_disk("/files/dated.txt").stat().st_mtime) == 1_700_000_000, "the time was not kept")
    transport, sftp = sftp_session(account)
    with sftp.open("/files/open.txt", "w") as there:
        there.chmod(0o644)
        there.write(b"123456")
        there.flush()
        there.truncate(4)
        expect(sftp.stat("/files/open.txt").st_size == 4, "STAT of the open path does not see the upload")
        there.utime((1_600_000_000, 1_600_000_000))
    expect(account.on_disk("/files/open.txt").read_bytes() == b"1234", "truncate was lost")
    expect(int(sftp.stat("/files/open.txt").st_mtime) == 1_600_000_000, "utime was lost")
    transport.close()


def renames(account):
    """RENAME never replaces a file, posix-rename does; no folder goes over an import folder."""
    transport, sftp = sftp_session(account)
    put_bytes(sftp, "/files/a.txt", b"a")
    put_bytes(sftp, "/files/b.txt", b"b")
    refused(sftp.rename, "/files/a.txt", "/files/b.txt")
    sftp.posix_rename("/files/a.txt", "/files/b.txt")
    expect(account.on_disk("/files/b.txt").read_bytes() == b"a", "posix-rename did not replace")
    sftp.mkdir("/files/d")
    refused(sftp.posix_rename, "/files/d", "/payroll")
    refused(sftp.posix_rename, "/payroll", "/files/p")
    refused(sftp.rmdir, "/payroll")
    transport.close()


def renamed_while_open(account):
    """A script that renames and then closes (Perl's Net::SSH2) sends tonight's file, never the one that a night before left behind."""
    transport, sftp = sftp_session(account)
    tonight = roster(3)
    put_bytes(sftp, "/payroll/roster.csv.tmp", roster(2))
    there = sftp.open("/payroll/roster.csv.tmp", "wb")
    there.write(tonight)
    there.flush()
    sftp.rename("/payroll/roster.csv.tmp", "/payroll/roster.csv")
    expect(not account.on_disk("/payroll/roster.csv").exists(), "it was stored before it was closed")
    there.close()
    expect(account.on_disk("/payroll/roster.csv").read_bytes() == tonight, "another file was renamed")
    expect(not account.on_disk("/payroll/roster.csv.tmp").exists(), "the old file stayed behind")
    transport.close()


def removed_while_open(account):
    """Whoever removes a half file and then closes it has sent nothing, and hears of no fault."""
    transport, sftp = sftp_session(account)
    whole = roster(3)
    for old in (False, True):
        if old:
            put_bytes(sftp, "/payroll/half.csv", whole)
        there = sftp.open("/payroll/half.csv", "wb")
        there.write(whole[:-40])
        there.flush()
        sftp.remove("/payroll/half.csv")
        there.close()
        expect(not account.on_disk("/payroll/half.csv").exists(), "a removed file was stored")
    transport.close()


def many_readers(account):
    """`sftp -R 1024` and -B 261120: many large requests at once do not freeze a download."""
    data = os.urandom(1 << 20) * 48
    path = account.on_disk("/files/large.bin")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    for more in (("-R", "1024"), ("-B", "261120"), ("-R", "1")):
        back = account.house.work / f"{account.slug}-back"
        command, env = clients.OpenSshSftp().command(account, more=more)
        outcome = clients.program(command, f"get /files/large.bin {back}\n".encode(), env)
        expect(outcome.ok and back.read_bytes() == data, f"{more}: {tail(outcome.text)}")
        back.unlink()


def shut_out(account):
    """Disabling an account ends its live sessions within five seconds."""
    transport, sftp = sftp_session(account)
    control = Control(account)
    control.log_in()
    account.house.cli("account", "disable", account.login)
    control.closed(30)
    wait_for("the end of the SFTP session", lambda: not transport.is_active(), 30)
    sftp.close()
    refused_login = clients.Paramiko().run(account, [("list", "/")])
    expect(not refused_login.ok, "a disabled account logged in")
    account.house.cli("account", "enable", account.login)
    wait_for("the enabled account's login", lambda: clients.Paramiko().run(account, [("list", "/")]).ok)


def crowd(account):
    """Forty sessions of both protocols at once, all upload, all files are whole."""
    wrong = []

    def one(number):
        data = os.urandom(100_000)
        client = [clients.Paramiko(), clients.Ftplib("ftps"), clients.Ftplib("ftpes")][number % 3]
        outcome = client.run(account, [("put", local(account, data), f"/files/crowd-{number}.bin")])
        if not outcome.ok:
            wrong.append(f"{client.name}: {tail(outcome.text)}")
        elif account.on_disk(f"/files/crowd-{number}.bin").read_bytes() != data:
            wrong.append(f"{client.name}: other bytes")

    threads = [threading.Thread(target=one, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    expect(not wrong, f"{len(wrong)} of 40: {wrong[:3]}")


# Each of these waits for a time-out of the login. Whoever has to log in has the usual time for it: on a busy machine that takes its while.
LOGINS = [
    ("FTPES silent", silent("ftpes")),
    ("FTPS silent", silent("ftps")),
    ("SFTP silent", silent("sftp")),
    ("FTPES no handshake", no_handshake),
    ("SFTP noise", noise),
]

# And these for one of a data connection.
DATA = [
    ("FTPS passive never connected", never_connected),
    ("FTPS mute data connection", mute),
]

CASES = [
    ("FTPES USER in clear", user_in_clear),
    ("FTPES bytes behind AUTH TLS", injection),
    ("FTPES PROT C, CCC", clear_data),
    ("FTPS line without end", long_line),
    ("FTPS wrong arguments", fumbled),
    ("FTPS commands in one go", pipelined),
    ("FTPS working folder", folders_of_ftp),
    ("FTPS courtesies", courtesies),
    ("FTPS REST beyond the end", beyond_the_end),
    ("FTPS no appending to a roster", no_gluing),
    ("FTPS TLS versions and ALPN", versions),
    ("FTPS garbage on the data connection", garbage),
    ("FTPS stranger on the data port", stranger),
    ("FTPS gone in the middle", quit_during),
    ("SFTP no shell, no forwarding", no_shell),
    ("SFTP confined", confined),
    ("SFTP reserved names", reserved),
    ("SFTP handles", handles),
    ("SFTP attributes", attributes),
    ("SFTP renames", renames),
    ("SFTP renamed before it is closed", renamed_while_open),
    ("SFTP removed before it is closed", removed_while_open),
    ("SFTP many large requests", many_readers),
    ("live sessions of a disabled account", shut_out),
    ("FTPS guessed passwords", guesses),
    ("SFTP algorithms", old_algorithms),
    ("a crowd", crowd),
]


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def cases(hasty_house, stingy_house, odd_house, house):
    for table, its_house in ((LOGINS, hasty_house), (DATA, stingy_house), (CASES, house)):
        for name, run in table:
            yield f"wire: {name}", None, None, lambda run=run, its_house=its_house: run(its_house().account("wire"))
    odd = [("FTPS resumption required", must_resume), ("FTPS lenient data end", lenient), ("FTPS active mode", active)]
    if has_ipv6():
        odd.append(("FTPS over IPv6", sixth))
    for name, run in odd:
        yield f"wire: {name}", None, None, lambda run=run: run(odd_house().account("odd"))
