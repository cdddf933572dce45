"""What a client that has an account can do to the others: storms of messages, replies that nobody reads, work that costs nothing to
ask for, names that change under each other's hands. Nothing of it may slow, break or fill more than the client's own."""

import ftplib
import io
import random
import ssl
import struct
import threading
import time

import paramiko
from floods import resident_mib
from house import Failed, expect, free_range, wait_for
from paramiko.message import Message

#: A session of another client logs in and stores a file within this, or, on a slow machine, so many times what one before the storm took.
WITHIN_S = 10
TIMES = 20
HOLE_BYTES = 256 << 20


def transport(account, login=True):
    found = paramiko.Transport(account.house.connect("sftp"))
    found.banner_timeout = found.auth_timeout = 120
    found.start_client(timeout=120)
    if login:
        found.auth_password(account.login, account.password)
    return found


def stored(account):
    """How long it takes to log in and to store a file."""
    began = time.monotonic()
    line = transport(account)
    with paramiko.SFTPClient.from_transport(line).open("/files/mine.txt", "w") as file:
        file.write(b"mine")
    line.close()
    return time.monotonic() - began


def neighbour(house):
    """An account of another client, and the time that its session may take later."""
    account = house.account("other")
    account.may_take_s = max(WITHIN_S, TIMES * max(stored(account) for _ in range(3)))
    return account


def others_go_on(account):
    took = stored(account)
    expect(took < account.may_take_s, f"another client's session took {took:.1f} s; {account.may_take_s:.1f} s would be much")


def message(kind, *parts):
    out = Message()
    out.add_byte(bytes([kind]))
    for part in parts:
        if isinstance(part, bool):
            out.add_boolean(part)
        elif isinstance(part, int):
            out.add_int(part)
        else:
            out.add_string(part)
    return out


def packet(kind, body):
    return struct.pack(">IB", len(body) + 1, kind) + body


def string(text):
    text = text.encode() if isinstance(text, str) else text
    return struct.pack(">I", len(text)) + text


def whole(channel, count):
    found = b""
    while len(found) < count:
        more = channel.recv(count - len(found))
        if not more:
            raise Failed("the server ended the SFTP channel")
        found += more
    return found


def answer(channel):
    return whole(channel, struct.unpack(">I", whole(channel, 4))[0])


def asked(channel, kind, body):
    channel.sendall(packet(kind, struct.pack(">I", 1) + body))
    return answer(channel)


def sftp(line):
    channel = line.open_session()
    channel.invoke_subsystem("sftp")
    channel.sendall(packet(1, struct.pack(">I", 3)))
    answer(channel)
    return channel


def tell(send, one):
    """Sends a message that the server may answer by hanging up, now or at one before it."""
    try:
        send(one)
    except (OSError, EOFError, paramiko.SSHException):
        pass


def out_of_order(ground):
    house = ground.house()
    account, other = house.account("storm"), neighbour(house)
    line = transport(account)
    channel = sftp(line)
    for _ in range(2000):
        # More than a window can hold.
        line._send_user_message(message(93, channel.remote_chanid, 0xFFFFFFFF))
    expect(asked(channel, 17, string("/"))[0] == 105, "STAT after too many window adjustments")
    for kind in range(93, 101):
        for number in (99, 0xFFFFFFFF):
            tell(line._send_user_message, message(kind, number, *([5] if kind == 93 else [b"x"] if kind == 94 else [])))
    others_go_on(other)
    line.close()
    for size, window in ((0, 1 << 20), (1, 1), (0xFFFFFFFF, 0xFFFFFFFF)):
        line = transport(account)
        tell(line._send_user_message, message(90, "session", 7, window, size))
        tell(line._send_user_message, message(98, 0, "subsystem", True, "sftp"))
        folders = b"".join(packet(11, struct.pack(">I", n) + string("/files")) for n in range(50))
        tell(line._send_user_message, message(94, 0, packet(1, struct.pack(">I", 3)) + folders))
        others_go_on(other)
        line.close()
    stranger = transport(account, login=False)
    for step in (message(52), message(5, "ssh-connection"), message(90, "session", 0, 1 << 20, 32768),
                 message(98, 0, "subsystem", True, "sftp"), message(94, 0, packet(1, struct.pack(">I", 3)))):
        tell(stranger._send_message, step)
    # A greeting of the SFTP server would come within that.
    time.sleep(1)
    expect(not stranger.is_authenticated() and account.house.process.poll() is None, "a client let itself in")
    stranger.close()
    others_go_on(other)


def unread(ground):
    house = ground.house()
    account, other = house.account("unread"), neighbour(house)
    before = resident_mib(house)
    for one in (message(80, "keepalive@openssh.com", True), message(98, 0, "env", True, "A", "B" * 1000)):
        line = transport(account)
        line.open_session()
        stay = threading.Event()
        reads = line.packetizer.read_message
        line.packetizer.read_message = lambda stay=stay, reads=reads: (stay.wait(), reads())[1]
        until = time.monotonic() + 5

        def pour(line=line, one=one, until=until):
            try:
                while time.monotonic() < until:
                    line._send_user_message(one)
            except (OSError, EOFError, paramiko.SSHException):
                pass

        pouring = threading.Thread(target=pour, daemon=True)
        pouring.start()
        pouring.join(6)
        others_go_on(other)
        grown = resident_mib(house) - before
        line.sock.close()
        stay.set()
        expect(grown < 96, f"the server grew by {grown} MiB over replies that nobody read")


def hollow(ground):
    """Hashes of a file that is one great hole: forty bytes ask for a second of work."""
    house = ground.house(limits__shutdown_grace_s=5)
    account, other = house.account("hollow"), neighbour(house)
    line = transport(account)
    channel = sftp(line)
    handle = string(asked(channel, 3, string("/files/hole") + struct.pack(">II", 0x1A, 0))[9:])
    asked(channel, 10, handle + struct.pack(">IQ", 1, HOLE_BYTES))
    expect(asked(channel, 4, handle)[0] == 101, "the hole was not closed")
    lines = [transport(account) for _ in range(12)]
    for number, each in enumerate(lines):
        hashing = sftp(each)
        late = [string(asked(hashing, 3, string(f"/files/late-{number}-{n}") + struct.pack(">II", 0x1A, 0))[9:]) for n in range(4)]
        body = string("check-file-name") + string("/files/hole") + string("sha256") + struct.pack(">QQI", 0, 0, 0)
        # As many are hashed at their end, because nothing of them came in order.
        ends = b"".join(packet(6, struct.pack(">I", 2) + own + struct.pack(">Q", HOLE_BYTES - 1) + string(b"x"))
                        + packet(4, struct.pack(">I", 3) + own) for own in late)
        hashing.sendall(ends + packet(200, struct.pack(">I", 4) + body))
    for _ in range(5):
        others_go_on(other)
    for each in lines:
        each.close()


def ports(ground):
    house = ground.house(ftps__passive_ports=free_range(20))
    account, other = house.account("hog"), house.account("other")

    def session(of):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        control = ftplib.FTP_TLS(context=context)
        control.connect("127.0.0.1", house.ports["ftpes"], 120)
        control.login(of.login, of.password)
        control.prot_p()
        return control

    hogs = [session(account) for _ in range(20)]
    refused = 0
    for hog in hogs:
        try:
            hog.sendcmd("EPSV")
        except ftplib.error_temp:
            refused += 1
    expect(refused == 5, f"{refused} of 20 sessions were refused a port")
    control = session(other)
    told = control.storbinary("STOR /files/mine.txt", io.BytesIO(b"mine"))
    expect(told.startswith("226"), told)
    for each in (*hogs, control):
        each.close()


RACED = ("/payroll/a.csv", "/payroll/b.csv", "/payroll/a.csv.part", "/payroll/b.tmp", "/files/a.csv", "/files/b", "/files/d/a")


def content():
    rows = random.choice((0, 10, 500, 3000))
    lines = "".join(f"{n + 2};Roy;Zoe{n};15/02/2024;E\r\n" for n in range(rows))
    return f"employee number;last name;first name;hire date;department\r\n{lines}1;Whole;Zoe;15/02/2024;END\r\n".encode()


def race(account, until):
    client = paramiko.SFTPClient.from_transport(transport(account))
    while time.monotonic() < until:
        name, to = random.choice(RACED), random.choice(RACED)
        try:
            match random.randrange(6):
                case 0 | 1:
                    with client.open(name, random.choice(("w", "wx"))) as file:
                        file.set_pipelined(True)
                        file.write(content())
                case 2:
                    client.rename(name, to)
                case 3:
                    client.posix_rename(name, to)
                case 4:
                    client.remove(name)
                case _:
                    random.choice((client.mkdir, client.rmdir))("/files/d")
        except OSError:
            pass  # Most of it is refused, and that is no fault.
    client.get_channel().get_transport().close()


def raced(ground):
    house = ground.house(limits__reply_wait_s=0)
    account = house.account("races")
    until = time.monotonic() + 10
    racers = [threading.Thread(target=race, args=(account, until), daemon=True) for _ in range(6)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(180)
        expect(not racer.is_alive(), "a session hangs")
    wait_for("the end of all imports", lambda: not any(i["status"] == "waiting" for i in account.imports(limit=100_000)), 600)
    for path in account.files.rglob("*"):
        if path.is_file() and "reports" not in path.parts and ".report." not in path.name and path.stat().st_size > 200:
            expect(path.read_bytes().endswith(b"END\r\n"), f"{path.name} is not whole")
    wait_for("an empty spool", lambda: not account.spooled())


CASES = [
    ("abuse: SSH messages out of order and out of range", out_of_order),
    ("abuse: replies that nobody reads", unread),
    ("abuse: hashes of a hole", hollow),
    ("abuse: one client at every passive port", ports),
    ("abuse: names moved, replaced and removed at once", raced),
]
