"""Many at once, and much at once: guessing, half-open connections, endless lines and packets. Others still get in."""

import os
import resource
import socket
import struct
import subprocess
import time
from pathlib import Path

from house import Failed, expect, wait_for
from scans import scanner
from wire import Control

FLOOD = 2000
# What the server may grow by under any of these, in MiB: the pieces it reads at once, not what it was sent.
GROWS_MIB = 200


def resident_mib(house):
    status = (Path("/proc") / str(house.process.pid) / "status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) // 1024


def descriptors(house):
    return len(os.listdir(f"/proc/{house.process.pid}/fd"))


def sftp_from(account, source, password=None):
    """Logs in over SFTP from an address of this machine; what the login said, and after how long."""
    import paramiko
    began = time.monotonic()
    sock = socket.create_connection(("127.0.0.1", account.house.ports["sftp"]), timeout=60, source_address=(source, 0))
    transport = paramiko.Transport(sock)
    transport.banner_timeout = transport.auth_timeout = 120
    try:
        transport.connect(username=account.login, password=password or account.password)
        paramiko.SFTPClient.from_transport(transport).listdir("/")
        return True, time.monotonic() - began
    except (paramiko.SSHException, OSError, EOFError):
        return False, time.monotonic() - began
    finally:
        transport.close()


def ftps_from(account, source):
    control = Control(account, "ftps", source=source)
    control.log_in()
    control.sock.close()


def spray(service, port, logins, passwords, house, seconds, enough=lambda: True):
    """hydra for a while, and on a slow machine until it was `enough`; the logins and passwords that it believes to be right."""
    for name, words in (("logins", logins), ("passwords", passwords)):
        (house.folder / name).write_text("\n".join(words) + "\n")
    out = house.folder / "found"
    command = [scanner("hydra"), "-I", "-q", "-u", "-t", "16", "-w", "5", "-L", str(house.folder / "logins"), "-P",
               str(house.folder / "passwords"), "-o", str(out), "-s", str(house.ports[port]), "127.0.0.1", service]
    process, end = None, time.monotonic() + seconds
    while time.monotonic() < end or (not enough() and time.monotonic() < end + 180):
        if process is None or (process.poll() is not None and not enough()):
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=house.folder)
        time.sleep(1)
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    lines = out.read_text().splitlines() if out.exists() else []
    return [line for line in lines if "password:" in line]


def spraying(service, port):
    """Passwords are tried for many logins, most of which do not exist: the address is banned, everybody else goes on."""
    def run(ground):
        house = ground.house()
        account = house.account("sprayed")
        before = resident_mib(house)
        logins = [account.login, *[f"client-{n}" for n in range(200)]]

        def banned():
            return "127.0.0.1" in [ban["address"] for ban in house.cli("bans", "list")]

        found = spray(service, port, logins, [f"Summer{n}!" for n in range(50)], house, 25, banned)
        expect(not found, f"hydra believes in {found}")
        # Whatever still runs of it, another address gets in at once.
        entered, took = sftp_from(account, "127.0.0.2")
        expect(entered and took < 60, f"another address: entered {entered}, {took:.1f} s")
        ftps_from(account, "127.0.0.3")
        refused = house.cli("log", "--event", "refused", "--limit", "1000")
        expect(0 < len(refused) < 1000, f"{len(refused)} guesses were answered")
        expect(banned(), f"banned: {house.cli('bans', 'list')}; {len(refused)} refused")
        expect(resident_mib(house) - before < GROWS_MIB, f"{before} MiB before, {resident_mib(house)} after")
    return run


def guessing(ground):
    """Passwords are tried for one login from the address of its own program: both are slowed, and nobody is locked out."""
    house = ground.house()
    account = house.account("guessed")
    expect(sftp_from(account, "127.0.0.1")[0], "the first login")
    found = spray("ftps", "ftpes", [account.login], [f"Autumn{n}!" for n in range(2000)], house, 15)
    expect(not found, f"hydra believes in {found}")
    entered, took = sftp_from(account, "127.0.0.1")
    expect(entered and took < 60, f"the account's own address: entered {entered}, {took:.1f} s")
    expect(not house.cli("bans", "list"), "an address with a good login was banned")
    refused = len(house.cli("log", "--event", "refused", "--limit", "1000"))
    expect(refused < 200, f"{refused} guesses in 15 s")


def half_open(ground):
    """2,000 connections that never log in: bounded, others get in meanwhile, and all is given back."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    house = ground.house(limits__login_timeout_s=60)
    account = house.account("crowded")
    expect(sftp_from(account, "127.0.0.2")[0], "before")
    memory, files = resident_mib(house), descriptors(house)
    held = []
    # Where this process may not open so many, the other cases need some of what it may.
    for n in range(min(FLOOD, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)):
        port = ("sftp", "ftps", "ftpes")[n % 3]
        try:
            held.append(house.connect(port, timeout=30))
        except OSError:
            continue
    most = descriptors(house)
    expect(most - files < 400, f"{files} descriptors before, {most} with {len(held)} half-open connections")
    for address in ("127.0.0.2", "127.0.0.3"):
        entered, took = sftp_from(account, address)
        expect(entered and took < 60, f"{address}: entered {entered}, {took:.1f} s")
    ftps_from(account, "127.0.0.2")
    grown = resident_mib(house) - memory
    expect(grown < GROWS_MIB, f"{memory} MiB before, {grown} more with the flood")
    for sock in held:
        sock.close()
    # What readers of the registry opened at once stays open for the next ones: eight connections of three files each.
    wait_for("the descriptors of the flood", lambda: descriptors(house) <= files + 40)


def poured(sock, data, most=256 << 20):
    """Sends `data` again and again until nobody takes it; how many bytes were taken."""
    sent = 0
    sock.settimeout(60)
    try:
        while sent < most:
            sock.sendall(data)
            sent += len(data)
    except OSError:
        pass
    return sent


def endless(ground):
    """Lines and packets without end, before login and after it: memory stays, the connection goes."""
    house = ground.house()
    account = house.account("endless")
    Control(account).log_in()
    before = resident_mib(house)
    for name, data in [
        ("ftpes", b"x" * 65536), ("ftpes", b"\xff\xf4" * 32768), ("sftp", b"x" * 65536), ("sftp", b"\0" * 65536),
        ("ftps", b"\x16\x03\x01\xff\xff" + b"\x01" * 65530), ("sftp", b"SSH-2.0-x\r\n" + struct.pack(">I", 0xFFFFFFFF) * 16384),
    ]:
        with house.connect(name) as sock:
            sent = poured(sock, data)
            expect(sent < 64 << 20, f"{name} {data[:12]}: {sent} bytes were taken")
    control = Control(account)
    control.log_in()
    expect(poured(control.sock, b"STOR " + b"x" * 65536) < 64 << 20, "a line without end after the login")
    for length in (0xFFFFFFFF, 300 << 20, 262_145 + 9, 0):
        oversized_packet(account, length)
    wait_for("the memory", lambda: resident_mib(house) - before < GROWS_MIB)
    control = Control(account)
    control.log_in()
    control.works()


def oversized_packet(account, length):
    """An SFTP packet that says it is longer than any may be: its channel ends."""
    import paramiko
    transport = paramiko.Transport(account.house.connect("sftp"))
    transport.banner_timeout = transport.auth_timeout = 120
    transport.connect(username=account.login, password=account.password)
    channel = transport.open_session()
    channel.invoke_subsystem("sftp")
    channel.settimeout(60)
    channel.sendall(struct.pack(">IBI", 5, 1, 3))
    channel.recv(4096)
    try:
        channel.sendall(struct.pack(">I", length) + b"\x06" + b"x" * 100_000)
        while channel.recv(4096):
            pass
    except socket.timeout:
        raise Failed(f"a packet of {length} bytes: the channel still stands") from None
    except OSError:
        pass
    finally:
        transport.close()


def slow_readers(ground):
    """Downloads and listings that nobody reads: bounded memory, ended by the idle limit, others go on."""
    house = ground.house(limits__data_idle_timeout_s=10)
    account = house.account("slow")
    account.on_disk("/files").mkdir(parents=True, exist_ok=True)
    large = account.on_disk("/files/large.bin")
    large.write_bytes(os.urandom(1 << 20) * 64)
    before, waiting = resident_mib(house), []
    for _ in range(20):
        control = Control(account)
        control.log_in()
        where = control.passive()
        control.send("RETR /files/large.bin")
        plain = socket.create_connection(where, timeout=60)
        secure = control.context.wrap_socket(plain, server_hostname="localhost")
        expect(secure.recv(1), "the first byte")
        waiting.append((control, secure))
    expect(resident_mib(house) - before < GROWS_MIB, f"{before} MiB before, {resident_mib(house)} with 20 slow readers")
    expect(sftp_from(account, "127.0.0.2")[0], "another gets in")
    for control, _ in waiting:
        answers = control.reply()
        answers = control.reply() if answers.startswith("150") else answers
        expect(answers[:1] == "4", f"a download that nobody reads ended with {answers}")


CASES = [
    ("flood: hydra over SFTP", spraying("ssh", "sftp")),
    ("flood: hydra over FTPES", spraying("ftps", "ftpes")),
    ("flood: hydra against one login from its own address", guessing),
    (f"flood: {FLOOD} half-open connections", half_open),
    ("flood: endless lines and packets", endless),
    ("flood: slow readers", slow_readers),
]
