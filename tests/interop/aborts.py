"""Uploads that do not end well: the previous file stays, nothing is imported, nothing is left behind."""

import ftplib
import os
import signal
import socket
import struct
import subprocess

import clients
from house import expect, roster, sha256, wait_for, wide_roster
from matrix import done, local, tail

BIG_ROWS = 60_000


def previous(account):
    """Yesterday's file: received, imported, with its report."""
    data = wide_roster(50, "Paie")
    done(clients.Paramiko(), account, [("put", local(account, data), "/payroll/users.csv")])
    account.expect_imported("/payroll/users.csv", data)
    return data


def spooled_bytes(account):
    sizes = []
    for path in account.spooled():
        try:
            sizes.append(path.stat().st_size)
        except FileNotFoundError:
            pass
    return max(sizes, default=0)


def expect_untouched(account, data):
    wait_for("an empty spool", lambda: not account.spooled())
    expect(account.on_disk("/payroll/users.csv").read_bytes() == data, "the previous file has changed")
    imports = account.imports()
    expect(len(imports) == 1, f"{len(imports)} imports instead of yesterday's one: {imports}")
    expect(len(account.users()) == 50, "the directory has changed")
    report = account.report("/payroll/users.csv")
    expect(report and report["file"]["sha256"] == sha256(data), "yesterday's report is gone or another's")


def halfway(account, command, env, to=signal.SIGKILL, all_of_it=True):
    """Starts a slow upload, waits until half-sent bytes lie in the spool, sends the signal, waits for the program."""
    with subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=env, start_new_session=True) as process:
        try:
            wait_for("bytes in the spool", lambda: spooled_bytes(account) >= 65_536 or process.poll() is not None, 120)
            expect(process.poll() is None, "the client ended before it could be stopped")
            if all_of_it:
                os.killpg(process.pid, to)
            else:
                process.send_signal(to)
            process.wait(120)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        return process.stdout.read().decode(errors="replace")


def slow_upload(client, account, path, data):
    """The command of a slow upload by this client program."""
    here = local(account, data)
    env = account.house.env
    if isinstance(client, clients.OpenSshSftp):
        batch = account.house.work / f"{account.slug}-{os.urandom(4).hex()}.batch"
        batch.write_text(client.batch([("put", here, path)]))
        command, env = client.command(account, more=("-l", "4000"))
        command[command.index("-b") + 1] = str(batch)
        return command, env
    if isinstance(client, clients.OpenSshScp):
        return client.command(account, ("put", here, path), more=("-l", "4000"))
    if isinstance(client, clients.Lftp):
        return client.command(account, [("put", here, path)], more=("net:limit-rate 500K",))
    if isinstance(client, clients.Curl):
        return ["curl", "--limit-rate", "500k", *client.common(account, None), "-T", here,
                client.url(account, path)], env
    command = client.command(account, account.password, ["copyto", here, "payroll:" + path])
    return [*command, "--bwlimit", "500k"], {**env, "SSL_CERT_FILE": str(account.house.certificate())}


def killed(client, account):
    """kill -9 of the client program in the middle of an upload."""
    data = previous(account)
    halfway(account, *slow_upload(client, account, "/payroll/users.csv", wide_roster(BIG_ROWS, "Compta")))
    expect_untouched(account, data)


def killed_in_plain(client, account):
    """In a plain folder the part keeps the name if none was there; an existing file stays."""
    old = os.urandom(1000)
    done(clients.Paramiko(), account, [("put", local(account, old), "/files/old.bin")])
    data = os.urandom(1 << 20) * 8
    halfway(account, *slow_upload(client, account, "/files/old.bin", data))
    wait_for("an empty spool", lambda: not account.spooled())
    expect(account.on_disk("/files/old.bin").read_bytes() == old, "the previous file has changed")
    halfway(account, *slow_upload(client, account, "/files/new.bin", data))
    wait_for("an empty spool", lambda: not account.spooled())
    part = wait_for("the part under its name", lambda: account.on_disk("/files/new.bin").exists()
                    and account.on_disk("/files/new.bin").read_bytes())
    expect(0 < len(part) < len(data) and data.startswith(part), f"{len(part)} bytes that are no beginning of the file")


def parent_killed(client, account):
    """kill -9 of sftp or scp alone: its ssh lives on and ends the channel in good order, without CLOSE."""
    data = previous(account)
    command, env = slow_upload(client, account, "/payroll/users.csv", wide_roster(BIG_ROWS, "Compta"))
    halfway(account, command, env, all_of_it=False)
    expect_untouched(account, data)


def interrupted_sftp(wide):
    def run(account):
        """Ctrl-C in OpenSSH's sftp closes the half-sent file in good order: F005, and nobody is touched."""
        data = previous(account)
        bigger = wide_roster(BIG_ROWS, "Compta", wide)
        command, env = slow_upload(clients.OpenSshSftp(), account, "/payroll/users.csv", bigger)
        text = halfway(account, command, env, to=signal.SIGINT, all_of_it=False)
        wait_for("an empty spool", lambda: not account.spooled())
        found = account.on_disk("/payroll/users.csv").read_bytes()
        expect(len(found) < len(bigger), f"the whole file arrived before Ctrl-C: {tail(text)}")
        if found == data:
            return expect_untouched(account, data)
        expect(bigger.startswith(found), "what lies there is no beginning of the file")
        report = account.expect_imported("/payroll/users.csv", found)
        codes = [m["code"] for m in report["messages"]]
        expect(report["status"] in ("rejected", "held") and "F005" in codes, f"{report['status']} with {codes}")
        users = account.users()
        expect(len(users) == 50, f"{len(users)} users instead of 50")
        expect(all("Compta" not in str(u) for u in users), "a half-sent file changed the directory")
    return run


def reset(sock):
    """Ends a TCP connection with RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def sftp_lost(how):
    def run(account):
        """The SSH connection is lost before CLOSE."""
        import paramiko
        data = previous(account)
        sock = account.house.connect("sftp")
        transport = paramiko.Transport(sock)
        transport.banner_timeout = transport.auth_timeout = 120
        transport.connect(username=account.login, password=account.password)
        sftp = paramiko.SFTPClient.from_transport(transport)
        handle = sftp.open("/payroll/users.csv", "w")
        handle.write(wide_roster(2000, "Compta"))
        handle.flush()
        wait_for("bytes in the spool", lambda: spooled_bytes(account) > 0)
        if how == "reset":
            reset(sock)
        elif how == "fin":
            sock.shutdown(socket.SHUT_RDWR)
        else:
            sftp.get_channel().close()
        expect_untouched(account, data)
        transport.close()
    return run


def ftp_lost(protocol, how):
    def run(account):
        """The data connection ends without proof that the file is whole."""
        data = previous(account)
        ftp = clients.Ftplib(protocol).open(account)
        conn = ftp.transfercmd("STOR /payroll/users.csv")
        conn.sendall(wide_roster(2000, "Compta"))
        if how == "reset":
            # close() alone would go through the TLS layer; RST needs the plain socket.
            reset(socket.socket(fileno=conn.detach()))
        elif how == "fin":
            conn.shutdown(socket.SHUT_WR)
        elif how == "control":
            reset(socket.socket(fileno=ftp.sock.detach()))
            try:
                conn.unwrap()
            except OSError:
                pass
        elif how == "abor":
            ftp.putcmd("ABOR")
        if how != "control":
            expect_refused(ftp, how)
        expect_untouched(account, data)
        if how != "control":
            answer = ftp.voidcmd("NOOP")
            expect(answer.startswith("200"), f"the session is out of step: {answer}")
            again = roster(50, department="Juste")
            with open(local(account, again), "rb") as here:
                answer = ftp.storbinary("STOR /payroll/users.csv", here)
            expect(answer.startswith("226"), answer)
            account.expect_imported("/payroll/users.csv", again)
        ftp.close()
        conn.close()
    return run


def expect_refused(ftp, how):
    try:
        answer = ftp.voidresp()
    except ftplib.error_temp as error:
        answer = str(error)
    expect(answer[:1] == "4", f"answered {answer}")
    if how == "abor":
        expect(answer.startswith("426"), f"ABOR was first answered {answer}")
        second = ftp.voidresp()
        expect(second.startswith("226"), f"and then {second}")


def cases(house, compat):
    def case(name, run, client=None):
        def body():
            if client and client.missing():
                expect(False, client.missing())
            account = (compat if client and client.needs_compat else house)().account("abort")
            return run(client, account) if client else run(account)
        return name, None, None, body

    slow = [clients.OpenSshSftp(), clients.OpenSshScpOld(), clients.Lftp("sftp"), clients.Lftp("ftps"), clients.Lftp("ftpes"),
            clients.Curl("sftp"), clients.Curl("ftps"), clients.Curl("ftpes"), clients.Rclone("sftp"),
            clients.Rclone("ftpes")]
    for client in slow:
        yield case(f"abort: kill -9 of {client.name}", killed, client)
    for client in (clients.OpenSshSftp(), clients.Curl("ftps")):
        yield case(f"abort: kill -9 of {client.name}, plain folder", killed_in_plain, client)
    yield case("abort: kill -9 of sftp alone", parent_killed, clients.OpenSshSftp())
    yield case("abort: kill -9 of scp -O alone", parent_killed, clients.OpenSshScpOld())
    yield case("abort: Ctrl-C in OpenSSH sftp, cut inside a row", interrupted_sftp("name"))
    yield case("abort: Ctrl-C in OpenSSH sftp, cut in the last cell", interrupted_sftp("department"))
    for how in ("reset", "fin", "channel closed"):
        yield case(f"abort: SFTP {how} before CLOSE", sftp_lost(how))
    for protocol in ("ftps", "ftpes"):
        for how in ("reset", "fin", "control", "abor"):
            what = {"fin": "FIN without close_notify", "control": "control connection lost"}.get(how, how)
            yield case(f"abort: {protocol.upper()} {what}", ftp_lost(protocol, how))
