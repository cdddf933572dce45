"""What narrows an account down, and what the server offers beyond files, with real programs; signals too."""

import datetime
import hashlib
import io
import os
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import clients
from clients import program
from house import Failed, House, expect, roster, wait_for
from matrix import done, local, same_on_disk, tail


def openssh(account, lines, options, password=None):
    """OpenSSH's sftp with these lines and these ways to log in."""
    _, env = clients.ssh_login(account, password or "none")
    command = ["sftp", *options, *clients.ssh_options(account), "-P", str(account.house.ports["sftp"]),
               "-b", "-", f"{account.login}@127.0.0.1"]
    return program(command, lines.encode(), env)


def key_and_password(account):
    """A key and then the password, in one login; neither alone."""
    account.house.cli("account", "rules", account.login, "--key-and-password", "true")
    key = ["-o", "IdentitiesOnly=yes", "-i", str(account.key)]
    asks = ["-o", "BatchMode=no", "-o", "NumberOfPasswordPrompts=1"]
    both = openssh(account, "ls /files\n", key + asks, account.password)
    expect(both.ok, f"key and password: {tail(both.text)}")
    wrong = openssh(account, "ls /files\n", key + asks, "not-the-password")
    expect(not wrong.ok, "a key and a wrong password logged in")
    only_key = openssh(account, "ls /files\n", ["-o", "BatchMode=yes", *key])
    expect(not only_key.ok, "a key alone logged in")
    only_password = openssh(account, "ls /files\n", ["-o", "PubkeyAuthentication=no", *asks], account.password)
    expect(not only_password.ok, "a password alone logged in")
    ftp = clients.Ftplib("ftpes").run(account, [("list", "/")])
    expect(not ftp.ok, "a password alone logged in over FTPES")


def self_signed(folder, name):
    """A certificate and its key as a payroll program has them, in PEM files."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30)).sign(key, hashes.SHA256()))
    certificate, private = folder / f"{name}-cert.pem", folder / f"{name}-key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return certificate, private


def by_certificate(account):
    """curl and lftp log in with the account's TLS client certificate and no password; with another one they do not."""
    folder = Path(tempfile.mkdtemp(dir=account.house.folder))
    certificate, key = self_signed(folder, "payroll")
    other, other_key = self_signed(folder, "other")
    added = account.house.cli("account", "key", "add", account.login, str(certificate))
    expect(any("X509:" in str(one) for one in added), f"account key add says {added}")
    here = local(account, b"by certificate")
    for protocol, scheme in [("ftps", "ftps"), ("ftpes", "ftp")]:
        url = f"{scheme}://127.0.0.1:{account.house.ports[protocol]}/%2Ffiles/{protocol}.txt"
        common = ["curl", "-sSk", "--ssl-reqd", "--user", f"{account.login}:"]
        sent = program([*common, "--cert", str(certificate), "--key", str(key), "-T", here, url], env=account.house.env)
        expect(sent.ok, f"curl with the certificate over {protocol}: {tail(sent.text)}")
        same_on_disk(account, f"/files/{protocol}.txt", b"by certificate")
        refused = program([*common, "--cert", str(other), "--key", str(other_key), "-l", url.rsplit("/", 1)[0] + "/"],
                          env=account.house.env)
        expect(not refused.ok, f"curl with another certificate logged in over {protocol}")
    lines = (f"set ssl:verify-certificate no; set ssl:cert-file {certificate}; set ssl:key-file {key}; set net:max-retries 1; "
             f"open -u {account.login}, ftps://127.0.0.1:{account.house.ports['ftps']}; cls -1 /files; exit")
    listed = program(["lftp", "-c", lines], env=account.house.env)
    expect(listed.ok and "ftps.txt" in listed.text, f"lftp with the certificate: {tail(listed.text)}")


def networks(account):
    """Only from the allowed networks, over each protocol."""
    house = account.house
    house.cli("account", "rules", account.login, "--allow-from", "203.0.113.0/24,2001:db8::/32")
    for client in (clients.Paramiko(), clients.OpenSshSftp(), clients.Ftplib("ftps"), clients.Ftplib("ftpes")):
        expect(not client.run(account, [("list", "/")]).ok, f"{client.name} logged in from elsewhere")
    house.cli("account", "rules", account.login, "--allow-from", "127.0.0.0/8")
    done(clients.Paramiko(), account, [("list", "/")])
    house.cli("account", "rules", account.login, "--expires", "2020-01-31")
    expect(not clients.Paramiko().run(account, [("list", "/")]).ok, "an expired account logged in")
    house.cli("account", "rules", account.login, "--expires", "never", "--allow-from", "any")
    done(clients.Paramiko(), account, [("list", "/")])


def expires_meanwhile(account):
    """An account whose time ends in the middle of an upload: the line is cut within seconds, and half a roster is nobody's."""
    house = account.house
    rows = local(account, roster(200_000))
    slow = ["-l", "1600", *clients.ssh_options(account), "-i", str(account.key), "-o", "IdentitiesOnly=yes", "-P", str(house.ports["sftp"])]
    # Each sends 200 KiB a second: so many rows take longer than anybody waits here.
    programs = [["scp", *way, *slow, str(rows), f"{account.login}@127.0.0.1:/payroll/users.csv"] for way in ([], ["-O"])]
    for port, scheme in (("ftps", "ftps"), ("ftpes", "ftp")):
        programs.append(["curl", "-sSk", "--ssl-reqd", "--limit-rate", "200k", "--user", f"{account.login}:{account.password}", "-T", str(rows),
                         f"{scheme}://127.0.0.1:{house.ports[port]}/%2Fpayroll/users.csv"])
    for command in programs:
        house.cli("account", "rules", account.login, "--expires", "never")
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as sending:
            wait_for(f"the upload by {command[0]}", account.spooled)
            house.cli("account", "rules", account.login, "--expires", "2020-01-31")
            began = time.monotonic()
            said = sending.communicate(timeout=60)[0].decode(errors="replace")
            took = time.monotonic() - began
        expect(sending.returncode != 0, f"{command[0]} says that the upload is done: {tail(said)}")
        expect(took < 20, f"{command[0]} was cut only after {took:.0f} s")
        wait_for("an empty spool", lambda: not account.spooled())
        expect(not account.on_disk("/payroll/users.csv").exists(), f"half a file lies there after {command[0]}")
    expect(account.imports() == [], f"imported: {account.imports()}")


def drop_box(account):
    """A folder for sending only: what is there can neither be seen nor fetched, replaced or removed."""
    house = account.house
    first = local(account, b"first")
    done(clients.OpenSshSftp(), account, [("put", first, "/files/there")])
    house.cli("account", "rights", account.login, "write", "--folder", "papers")
    for n, client in enumerate((clients.OpenSshSftp(), clients.Curl("ftpes"), clients.Ftplib("ftps"))):
        done(client, account, [("put", first, f"/files/new-{n}")])
        same_on_disk(account, f"/files/new-{n}", b"first")
        other = local(account, b"other")
        for step in (("put", other, "/files/there"), ("get", "/files/there", account.house.work / f"fetched-{n}"),
                     ("remove", "/files/there"), ("rename", "/files/there", "/files/moved"), ("mkdir", "/files/made")):
            if step[0] in client.can:
                expect(not client.run(account, [step]).ok, f"{client.name}: {step[0]} was allowed")
        same_on_disk(account, "/files/there", b"first")
    expect(sorted(p.name for p in account.on_disk("/files").iterdir()) == ["new-0", "new-1", "new-2", "there"],
           "something else was made or moved")
    # Elsewhere the account may do what it could before.
    done(clients.OpenSshSftp(), account, [("put", local(account, roster(2)), "/payroll/users.csv"),
                                          ("get", "/payroll/users.csv.report.json", house.work / "drop-report")])


def beyond(account):
    """OpenSSH's cp, df, names of owners and homes; paramiko's hash."""
    data = os.urandom(300_000)
    key = ["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", str(account.key)]
    done(clients.OpenSshSftp(), account, [("put", local(account, data), "/files/a")])
    told = openssh(account, "cp /files/a /files/b\nls -l /files\ndf -h /files\n", key)
    expect(told.ok, f"OpenSSH: {tail(told.text)}")
    same_on_disk(account, "/files/b", data)
    expect(account.login[:8] in told.text, f"ls -l names no owner: {tail(told.text)}")
    fetched = account.house.work / "from-home"
    source = f"{account.login}@127.0.0.1:~{account.login}/files/a"
    told = program(["scp", *key, *clients.ssh_options(account), "-P", str(account.house.ports["sftp"]), source, fetched])
    expect(told.ok and fetched.read_bytes() == data, f"scp from ~{account.login}: {tail(told.text)}")
    client = clients.Paramiko()
    with client.connect(account) as ssh, ssh.open_sftp() as sftp, sftp.open("/files/a", "rb") as file:
        expect(file.check("sha256") == hashlib.sha256(data).digest(), "paramiko was told another hash")


def hangup(account):
    """SIGHUP takes a new certificate up at once; a bad one is not used; nobody's session ends."""
    house = account.house
    control = socket.create_connection(("127.0.0.1", house.ports["sftp"]), timeout=60)
    expect(control.recv(4) == b"SSH-", "no SSH greeting")

    def served():
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with house.connect("ftps") as plain, context.wrap_socket(plain) as tls:
            return tls.getpeercert(binary_form=True)

    before = served()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "30", "-subj", "/CN=localhost", "-keyout", str(house.work / "key.pem"),
         "-out", str(house.work / "cert.pem")], check=True, capture_output=True, timeout=60)
    (house.work / "key.pem").replace(house.certs / "tls-key.pem")
    (house.work / "cert.pem").replace(house.certs / "tls-cert.pem")
    house.process.send_signal(signal.SIGHUP)
    after = wait_for("the new certificate", lambda: (lambda now: now if now != before else None)(served()))
    (house.certs / "tls-cert.pem").write_text("no certificate")
    house.process.send_signal(signal.SIGHUP)
    wait_for("the complaint in the log", lambda: "new certificate is not used" in house.log.read_text())
    expect(served() == after, "a bad certificate was taken up")
    expect(house.process.poll() is None, "SIGHUP ended the server")
    control.close()


def last_upload(account):
    """A stopping server waits for the uploads under way, over both protocols, and for the rename that follows."""
    house = account.house
    ftp = clients.Ftplib("ftpes").open(account)
    client = clients.Paramiko()
    ssh = client.connect(account)
    sftp = ssh.open_sftp()
    started, go_on, answers = threading.Barrier(2, timeout=120), threading.Event(), []

    class Slow(io.BytesIO):
        first = True

        def read(self, size=-1):
            if self.first:
                self.first = False
                return b"x" * 1000
            if not go_on.is_set():
                started.wait()
                go_on.wait(120)
            return super().read(size)

    upload = threading.Thread(target=lambda: answers.append(ftp.storbinary("STOR /files/slow", Slow(b"y" * 1000))))
    upload.start()
    file = sftp.open("/files/slower.part", "wb")
    file.write(b"z" * 1000)
    started.wait()
    house.process.send_signal(signal.SIGTERM)
    wait_for("the closed listener", lambda: refused(house))
    file.write(b"z" * 1000)
    file.close()
    sftp.rename("/files/slower.part", "/files/slower")
    go_on.set()
    upload.join(120)
    expect(answers and answers[0].startswith("226"), f"the upload was answered {answers}")
    same_on_disk(account, "/files/slow", b"x" * 1000 + b"y" * 1000)
    same_on_disk(account, "/files/slower", b"z" * 2000)
    expect(house.process.wait(90) == 0, "the server did not end in good order")
    ssh.close()


def refused(house):
    try:
        house.connect("ftps", timeout=5).close()
    except OSError:
        return True
    return False


def many_logins(account):
    """Passwords are hashed in memory that is used again: many logins leave the server as small as a few did."""
    house = account.house

    def resident_mib():
        status = (Path("/proc") / str(house.process.pid) / "status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) // 1024

    def log_in(times):
        for _ in range(times):
            clients.Ftplib("ftpes").open(account).quit()

    log_in(10)
    before = resident_mib()
    log_in(90)
    after = resident_mib()
    # One hash takes 19 MiB; kept for each login it would be 1.7 GiB.
    expect(after - before < 60, f"{before} MiB after 10 logins, {after} MiB after 100")


def alone(binary, run):
    """A case that signals the server has one of its own."""
    def case():
        house = House(binary, limits__reply_wait_s=30)
        try:
            run(house.account("alone"))
            panics = house.panics()
            if panics:
                raise Failed(f"a panic: {panics[0]}")
        finally:
            house.stop()
            house.remove()
    return case


def cases(house, binary):
    for name, run in [
        ("SFTP key and password", key_and_password), ("FTPS client certificate", by_certificate), ("networks and last day", networks),
        ("a last day in the middle of an upload", expires_meanwhile),
        ("rights in a folder", drop_box), ("OpenSSH cp, df, homes; hashes", beyond),
    ]:
        yield f"rules: {name}", None, None, lambda run=run: run(house().account("rules"))
    for name, run in [("SIGHUP", hangup), ("SIGTERM during uploads", last_upload), ("memory after many logins", many_logins)]:
        yield f"rules: {name}", None, None, alone(binary, run)
