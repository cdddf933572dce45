"""Who the server says it is, and how well it is protected: certificates by name, files that break, weak algorithms by choice."""

import hashlib
import socket
import ssl
import subprocess

import clients
from house import expect, free_port, wait_for
from wire import Control, anyone, sftp_session, ssh


def certificate(folder, name, host):
    """A self-signed pair `tls-cert-NAME.pem`, `tls-key-NAME.pem`; the certificate's DER."""
    suffix = f"-{name}" if name else ""
    cert, key = folder / f"tls-cert{suffix}.pem", folder / f"tls-key{suffix}.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "60", "-subj",
                    f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}", "-keyout", str(key), "-out", str(cert)],
                   check=True, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
    return ssl.PEM_cert_to_DER_cert(cert.read_text())


def shown(house, name, protocol="ftps"):
    """The certificate that a client sees which asks for `name`."""
    with house.connect(protocol) as plain:
        if protocol == "ftpes":
            plain.recv(500)
            plain.sendall(b"AUTH TLS\r\n")
            plain.recv(500)
        with anyone().wrap_socket(plain, server_hostname=name) as secure:
            return secure.getpeercert(True)


def by_name(ground):
    """Each host profile its certificate; other names and none get the server's own. Taken up and left again while it runs."""
    house = ground.house(hosts__mprh__public_host="mprh.example.com", hosts__e_paye__public_host="Paye.Example.com")
    account = house.account("names")
    own = shown(house, None)
    expect(shown(house, "mprh.example.com") == own, "a profile without a certificate")
    theirs = certificate(house.certs, "mprh", "mprh.example.com")
    paye = certificate(house.certs, "e-paye", "paye.example.com")
    wait_for("the new certificates", lambda: shown(house, "mprh.example.com") == theirs and shown(house, "paye.example.com") == paye)
    expect(shown(house, "MPRH.example.COM", "ftpes") == theirs, "another spelling over FTPES")
    for name in (None, "other.example.com", "localhost", "mprh.example.com.example.org"):
        expect(shown(house, name) == own, f"{name} was shown another certificate")
    # The hand-out sheet names what the account's program will see.
    house.cli("client", "add", "mp", "--name", "MP")
    sheet = house.cli("account", "add", "mp", "Payroll", "--login", "mp", "--host-profile", "mprh")
    pairs = ":".join(f"{byte:02X}" for byte in hashlib.sha256(theirs).digest())
    expect(pairs in str(sheet), f"the sheet names another certificate: {sheet}")
    for file in ("tls-cert-mprh.pem", "tls-key-mprh.pem"):
        (house.certs / file).unlink()
    wait_for("the server's own again", lambda: shown(house, "mprh.example.com") == own)
    done = clients.Ftplib("ftps").run(account, [("list", "/")])
    expect(done.ok, done.text)


def broken_files(ground):
    """A pair that cannot be used changes nothing and raises an alarm, which right files end; none is raised while files are exchanged."""
    house = ground.house()
    own = shown(house, "localhost")
    (house.certs / "tls-cert.pem").write_text("cut off")

    def alarms():
        return [alarm for alarm in house.cli("alarms") if alarm["code"] == "T11"]

    found = wait_for("the alarm", alarms)
    expect("tls-cert.pem" in found[0]["text"], f"the alarm says {found}")
    expect(shown(house, "localhost") == own, "a broken file was taken up")
    new = certificate(house.certs, "", "localhost")
    wait_for("the new certificate", lambda: shown(house, "localhost") == new)
    wait_for("the end of the alarm", lambda: not alarms())


def weak(ground):
    """`sftp.legacy` serves programs with SHA-1 and CBC, names each login that needs them, and weakens nobody else."""
    house = ground.house(sftp__legacy="true")
    account = house.account("legacy")
    expect("sftp.legacy is on" in house.log.read_text(), "no warning at the start")
    good, env = clients.OpenSshSftp().command(account)
    outcome = clients.program(good, b"ls /\n", env)
    expect(outcome.ok, outcome.text)
    expect("weak algorithms (sftp.legacy)" not in house.log.read_text(), "a sound login was called weak")
    for options in (["KexAlgorithms=diffie-hellman-group14-sha1"], ["KexAlgorithms=diffie-hellman-group-exchange-sha1"], ["Ciphers=aes128-cbc"],
                    ["Ciphers=aes256-cbc", "MACs=hmac-sha1"], ["HostKeyAlgorithms=ssh-rsa"]):
        command, env = clients.OpenSshSftp().command(account, more=[word for one in options for word in ("-o", one)])
        outcome = clients.program(command, b"ls /\n", env)
        expect(outcome.ok, f"{options}: {outcome.text[-1000:]}")
        name = options[-1].split("=")[1]
        told = [line for line in house.log.read_text().splitlines() if "weak algorithms (sftp.legacy)" in line and name in line]
        expect(told and account.login in told[-1], f"{options}: the log does not name the login")
    outcome = ssh(account, "id", options=("-o", "KexAlgorithms=diffie-hellman-group1-sha1"))
    expect("no matching" in outcome.text.lower(), f"group1 was accepted: {outcome.text}")
    wait_for("the activity", lambda: any("aes128-cbc" in e["detail"] for e in house.cli("log", "--event", "program", "--limit", "100")))


def protection(ground):
    """The log of what accounts did says with which program and cipher each file came, over both protocols."""
    house = ground.house()
    account = house.account("means")
    transport, sftp = sftp_session(account)
    with sftp.open("/files/sftp.bin", "w") as file:
        file.write(b"x")
    control = Control(account, "ftps")
    control.log_in()
    expect(control.upload("/files/ftps.bin", b"x").startswith("226"), "FTPS")

    def uploads():
        found = house.cli("log", "--event", "upload")
        return found if len(found) == 2 else None

    told = {one["protocol"]: one["detail"] for one in wait_for("both uploads", uploads)}
    for part in ("SSH-2.0-paramiko", transport.host_key_type, transport.local_cipher, transport.local_mac):
        expect(part in told["sftp"], f"{part}: {told}")
    version, suite = control.sock.version(), control.sock.cipher()[0]
    expect(version == "TLSv1.3" and suite.replace("TLS_", "TLS13_") in told["ftps"], f"{version} {suite}: {told}")
    transport.close()


def resumption(ground):
    """`ftps.resumption`: prefer takes data connections that resume and those that do not, require only the first, off offers nothing."""
    for mode, resumes, fresh_is_taken in (("prefer", True, True), ("require", True, False), ("off", False, True)):
        house = ground.house(ftps__resumption=mode)
        account = house.account("resumed")
        control = Control(account, "ftps", context=anyone(None, ssl.TLSVersion.TLSv1_2))
        control.log_in()
        for session, taken in ((control.sock.session, resumes or fresh_is_taken), (None, fresh_is_taken)):
            where = control.passive()
            control.send("STOR /files/resumed.bin")
            plain = socket.create_connection(where, timeout=60)
            expect(control.reply().startswith("150"), f"{mode}: STOR")
            secure = control.context.wrap_socket(plain, server_hostname="localhost", session=session)
            expect(secure.session_reused == (resumes and session is not None), f"{mode}: resumed is {secure.session_reused}")
            try:
                secure.sendall(b"x")
                secure.unwrap()
            except OSError:
                pass
            secure.close()
            answer = control.reply()
            expect(answer.startswith("226") == taken, f"{mode}, session {session is not None}: answered {answer}")


def exchanged(ground):
    """Host keys are exchanged in steps: clients that know the next keys notice nothing, the others find the old ones on a second port."""
    house = ground.house()
    account = house.account("exchanged")
    made = house.cli("keys", "prepare")
    known = {stage: house.folder / f"known-{stage}" for stage in ("now", "next")}
    for stage, path in known.items():
        path.write_text("".join(f"rollcall {key['public_key']}\n" for key in made if key["stage"] == stage))
        expect(len(path.read_text().splitlines()) == 2, f"{stage}: {made}")

    def enters(stage, port):
        options = ["HostKeyAlias=rollcall", f"UserKnownHostsFile={known[stage]}", "GlobalKnownHostsFile=/dev/null",
                   "StrictHostKeyChecking=yes", "BatchMode=yes", "IdentitiesOnly=yes"]
        command = ["sftp", "-F", "none", *[word for one in options for word in ("-o", one)], "-i", str(house.user_key), "-P", str(port),
                   "-b", "-", f"{account.login}@127.0.0.1"]
        done = subprocess.run(command, input="ls /\n", capture_output=True, text=True, timeout=180)
        expect(done.returncode == 0 or "Host key verification failed" in done.stderr or "has changed" in done.stderr, done.stderr)
        return done.returncode == 0

    expect(enters("now", house.ports["sftp"]) and not enters("next", house.ports["sftp"]), "before the exchange")
    house.cli("keys", "switch")
    old_port = free_port()
    house.stop()
    house.env["ROLLCALL_SFTP__OLD_KEYS_LISTEN"] = f"127.0.0.1:{old_port}"
    house.start()
    expect(enters("next", house.ports["sftp"]) and not enters("now", house.ports["sftp"]), "after the exchange")
    expect(enters("now", old_port) and not enters("next", old_port), "the port of the old keys")
    house.cli("keys", "forget")
    expect({key["stage"] for key in house.cli("keys", "show")} == {"now"}, "old keys are still there")


CASES = [
    ("identity: host keys exchanged", exchanged),
    ("identity: resumption of data connections", resumption),
    ("identity: certificates by name", by_name),
    ("identity: files that cannot be used", broken_files),
    ("identity: weak algorithms by choice", weak),
    ("identity: program and cipher of each upload", protection),
]
