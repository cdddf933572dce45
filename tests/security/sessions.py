"""What ends a session, and what must not: a disabled account, IGNORE messages, a neighbour's fault; and old wire tricks again."""

import os
import socket
import time

import clients
import wire
from house import Failed, expect, wait_for
from wire import Control, sftp_session

# These are kept by tests/interop; here they belong to the picture.
AGAIN = ("bytes behind AUTH TLS", "USER in clear", "PROT C, CCC", "stranger on the data port", "SFTP noise")


def disabled(ground):
    """`account disable` ends sessions with an upload under way, over both protocols; nothing is published."""
    house = ground.house()
    account = house.account("disabled")
    transport, sftp = sftp_session(account)
    file = sftp.open("/payroll/sftp.csv", "w")
    file.write(b"half a roster")
    control = Control(account)
    control.log_in()
    where = control.passive()
    control.send("STOR /payroll/ftps.csv")
    secure = control.context.wrap_socket(socket.create_connection(where, timeout=60), server_hostname="localhost")
    expect(control.reply().startswith("150"), "STOR")
    secure.sendall(b"half a roster")
    house.cli("account", "disable", account.login)
    # Idle sessions live for ten minutes: what ends them within this is the order. On a quiet machine it takes a second.
    wait_for("the end of the SFTP session", lambda: not transport.is_active(), 30)
    control.closed(30)
    wait_for("an empty spool", lambda: not account.spooled(), 30)
    expect(not list((account.files / "payroll").iterdir()), "half a file was published")
    expect(not house.cli("imports", "list", account.slug), "something was imported")


def ignored(ground):
    """IGNORE messages are no sign of life: an idle session ends although they come all the time."""
    house = ground.house(limits__idle_timeout_s=6)
    account = house.account("ignore")
    # Before the login: the last sign of life comes later, and the session's end later still.
    began = time.monotonic()
    transport, _ = sftp_session(account)
    last = time.monotonic()
    while transport.is_active():
        if time.monotonic() - last > 90:
            raise Failed("the session still stands after 90 s of IGNORE messages")
        try:
            transport.send_ignore(32)
        except (OSError, EOFError):
            break
        time.sleep(0.05)
    expect(time.monotonic() - began >= 6, "it ended before its time")


def truncated(ground):
    """Uploads that end by FIN, by reset or by a lost control connection are not published, whatever was there stays."""
    house = ground.house()
    account = house.account("truncated")
    control = Control(account)
    control.log_in()
    whole = os.urandom(50_000)
    expect(control.upload("/files/kept.bin", whole).startswith("226"), "the first upload")
    for end in ("fin", "reset"):
        answer = control.upload("/files/kept.bin", os.urandom(30_000), end=end)
        expect(answer[:1] == "4", f"{end}: answered {answer}")
        expect(account.on_disk("/files/kept.bin").read_bytes() == whole, f"{end}: the file was replaced")
    control.works()


def again(ground):
    house = ground.house(limits__login_timeout_s=30)
    for name, run in [*wire.LOGINS, *wire.CASES]:
        if any(word in name for word in AGAIN):
            run(house.account("again"))


def bounced(ground):
    """PORT and EPRT are off by default; where allowed, never to another address or a service's port."""
    account = ground.house().account("bounce")
    control = Control(account)
    control.log_in()
    for line in ("PORT 127,0,0,1,200,200", "EPRT |1|127.0.0.1|51400|", "LPRT 4,4,127,0,0,1,2,200,200"):
        answer = control.ask(line)
        expect(answer.startswith("502"), f"{line} answered {answer}")
    odd = ground.house(ftps__active="own-address")
    account = odd.account("bounce")
    control = Control(account)
    control.log_in()
    for line in ("PORT 127,0,0,2,200,200", "EPRT |1|10.0.0.1|51400|", "PORT 127,0,0,1,0,22", "EPRT |2|::1|51400|", "PORT 1,2,3"):
        answer = control.ask(line)
        expect(answer.startswith("501"), f"{line} answered {answer}")


def rekeyed(ground):
    """New keys are made in the middle of transfers, asked for by either side; every byte arrives."""
    data = os.urandom(1 << 20) * 24
    for settings, options in (({"limits__sftp_rekey_bytes": 1 << 20}, []), ({}, ["-o", "RekeyLimit=1M"])):
        house = ground.house(**settings)
        account = house.account("rekeyed")
        sent, back = house.work / "sent.bin", house.work / "back.bin"
        sent.write_bytes(data)
        command, env = clients.OpenSshSftp().command(account, more=["-v", *options])
        batch = f"put {sent} /files/rekeyed.bin\nget /files/rekeyed.bin {back}\n"
        outcome = clients.program(command, batch.encode(), env)
        expect(outcome.ok, outcome.text[-2000:])
        expect(account.on_disk("/files/rekeyed.bin").read_bytes() == data and back.read_bytes() == data, f"{settings}: other bytes")
        exchanges = outcome.text.count("SSH2_MSG_NEWKEYS received")
        expect(exchanges > 10, f"{settings} {options}: keys were exchanged {exchanges} times")


CASES = [
    ("session: new keys in the middle", rekeyed),
    ("session: a disabled account's", disabled),
    ("session: IGNORE messages", ignored),
    ("session: truncated uploads", truncated),
    ("session: bounce", bounced),
    ("session: injection, clear data, hijack", again),
]
