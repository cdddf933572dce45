"""SFTP requests in orders that no program sends: handles after their end, offsets from elsewhere, names that move under an open upload,
streams cut at any byte, servers that die before an answer. What was acknowledged is there, whole, and imported once; nothing else is."""

import os
import struct
import threading

import paramiko
from abuses import packet, sftp, string, transport, whole
from house import expect, roster, sha256, wait_for

OK = 0
READ, WRITE, CREATE, TRUNCATE = 1, 2, 8, 16
NEW = WRITE | CREATE | TRUNCATE


class Line:
    """One SFTP channel, spoken by hand."""

    def __init__(self, account, over=None):
        self.account = account
        self.transport = over or transport(account)
        self.channel = sftp(self.transport)
        self.channel.settimeout(40)
        self.last = 0

    def ask(self, kind, *parts):
        """Sends a request; its number."""
        self.last += 1
        self.channel.sendall(request(self.last, kind, *parts))
        return self.last

    def answer(self):
        """(kind, request, body)"""
        size, kind, number = struct.unpack(">IBI", whole(self.channel, 9))
        return kind, number, whole(self.channel, size - 5)

    def call(self, kind, *parts):
        number = self.ask(kind, *parts)
        got, back, body = self.answer()
        expect(back == number, f"answer {back} to request {number}")
        return got, body

    def status(self, kind, *parts):
        got, body = self.call(kind, *parts)
        expect(got == 101, f"answer of kind {got} instead of a status")
        return struct.unpack(">I", body[:4])[0]

    def open(self, path, flags=NEW):
        got, body = self.call(3, path, flags, 0)
        expect(got == 102, f"OPEN {path}: {body}")
        return body[4:]

    def write(self, handle, offset, data):
        return self.status(6, handle, offset.to_bytes(8, "big"), data)

    def close(self, handle):
        return self.status(4, handle)

    def put(self, path, data):
        handle = self.open(path)
        expect(self.write(handle, 0, data) == OK, f"WRITE to {path}")
        expect(self.close(handle) == OK, f"CLOSE of {path}")

    def works(self):
        """The session still does what it should."""
        expect(self.call(17, "/")[0] == 105, "STAT after all that")

    def end(self):
        self.transport.close()


def request(number, kind, *parts):
    body = struct.pack(">I", number)
    for place, part in enumerate(parts):
        if isinstance(part, int):
            body += struct.pack(">I", part)
        elif isinstance(part, bytes) and len(part) == 8 and kind in (5, 6) and place == 1:
            body += part
        else:
            body += string(part)
    return packet(kind, body)


def next_line(account, over):
    """Another channel of one connection: the place of the one before comes back soon after its end."""

    def opened():
        try:
            return Line(account, over)
        except paramiko.ChannelException:
            return None

    return wait_for("a free channel", opened, 60)


def ground_with(ground, **settings):
    house = ground.house(limits__reply_wait_s=60, **settings)
    return house, house.account("hand")


def on_disk(account, path):
    file = account.on_disk(path)
    return file.read_bytes() if file.is_file() else None


def nothing_staged(account):
    wait_for("an empty spool", lambda: not account.spooled(), 60)


def imported_once(account, data):
    runs = [i for i in account.imports() if i["file"]["sha256"] == sha256(data)]
    expect(len(runs) == 1, f"{len(runs)} imports of one upload: {runs}")


def after_close(ground):
    """A handle after its CLOSE, somebody else's handle and an invented one do nothing; the file stays what was acknowledged."""
    _, account = ground_with(ground)
    one, other = Line(account), Line(account)
    data = roster(3)
    handle = one.open("/payroll/a.csv")
    expect(one.write(handle, 0, data) == OK, "WRITE")
    expect(other.write(handle, 0, b"another") != OK, "another session's handle was written to")
    expect(one.close(handle) == OK, "CLOSE")
    for line in (one, other):
        for stale in (handle, b"", b"0", b"\xff" * 200, handle + b"\0"):
            expect(line.write(stale, 0, b"later") != OK, "WRITE after CLOSE")
            expect(line.close(stale) != OK, "CLOSE after CLOSE")
            expect(line.status(10, stale, 1, 0, 0) != OK, "FSETSTAT after CLOSE")
            for kind in (5, 8, 12):
                parts = (bytes(8), 10) if kind == 5 else ()
                expect(line.call(kind, stale, *parts)[0] == 101, f"request {kind} after CLOSE")
    # A new handle is not the old one.
    fresh = one.open("/payroll/b.csv")
    expect(fresh != handle, "a handle comes again at once")
    expect(one.write(handle, 0, b"stale") != OK, "the old name of a handle still writes")
    expect(one.close(fresh) == OK, "CLOSE of an empty file")
    expect(on_disk(account, "/payroll/a.csv") == data, "the file has changed")
    imported_once(account, data)
    one.end(), other.end()


def crossed_requests(ground):
    """READ of a handle for writing, WRITE to one for reading or to a folder, READDIR of a file: refused, and nothing changes."""
    _, account = ground_with(ground)
    line = Line(account)
    line.put("/files/a", b"before")
    reading = line.open("/files/a", READ)
    expect(line.write(reading, 0, b"after!") != OK, "WRITE to a handle for reading")
    folder = line.call(11, "/files")[1][4:]
    expect(line.write(folder, 0, b"x") != OK, "WRITE to a folder")
    expect(line.call(5, folder, bytes(8), 10)[0] == 101, "READ of a folder")
    expect(line.call(12, reading)[0] == 101, "READDIR of a file")
    got, body = line.call(5, reading, bytes(8), 0xFFFFFFFF)
    expect(got == 103 and body[4:] == b"before", f"a READ of 4 GiB was answered {got}")
    got, _ = line.call(5, reading, b"\xff" * 8, 10)
    expect(got == 101, "READ at the last offset of all")
    expect(on_disk(account, "/files/a") == b"before", "the file has changed")
    line.works()
    line.end()


def odd_offsets(ground):
    """Offsets of 4 GiB and of the end of all numbers are refused, the upload with them, and yesterday's file stays."""
    house, account = ground_with(ground, limits__max_upload_bytes=1 << 20)
    line = Line(account)
    old = roster(4)
    line.put("/payroll/users.csv", old)
    for offset in ((1 << 32) - 1, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, (1 << 64) - 9, (1 << 20) - 1):
        handle = line.open("/payroll/users.csv")
        expect(line.write(handle, 0, roster(9)) == OK, "the first WRITE")
        expect(line.write(handle, offset, b"ninebytes") != OK, f"WRITE at {offset} was accepted")
        expect(line.close(handle) != OK, f"an upload with a refused WRITE at {offset} was acknowledged")
    for bytes_ in (1 << 21, 1 << 40, (1 << 64) - 1):
        handle = line.open("/payroll/users.csv")
        body = struct.pack(">I", 1) + string(handle) + struct.pack(">IQ", 1, bytes_)
        line.channel.sendall(packet(10, body))
        expect(line.answer()[2][:4] != bytes(4), f"a size of {bytes_} was accepted")
        line.close(handle)
    nothing_staged(account)
    expect(on_disk(account, "/payroll/users.csv") == old, "yesterday's file has changed")
    expect(len(account.imports()) == 1, f"{account.imports()}")
    line.works()
    line.end()


def overlapping(ground):
    """Writes over each other, backwards, with holes that are filled last: the bytes are those of the last write to each place."""
    _, account = ground_with(ground)
    line = Line(account)
    data = roster(300)
    handle = line.open("/payroll/users.csv")
    for start in range(len(data) - len(data) % 700, -1, -700):
        piece = data[start:start + 900]
        expect(line.write(handle, start, b"x" * len(piece)) == OK, "WRITE")
        expect(line.write(handle, start, piece) == OK, "WRITE over it")
    # Behind the end and cut off again.
    expect(line.write(handle, len(data), b"rubbish") == OK, "WRITE behind the end")
    body = struct.pack(">I", 1) + string(handle) + struct.pack(">IQ", 1, len(data))
    line.channel.sendall(packet(10, body))
    expect(line.answer()[2][:4] == bytes(4), "FSETSTAT to the true size")
    expect(line.close(handle) == OK, "CLOSE")
    expect(on_disk(account, "/payroll/users.csv") == data, "other bytes than the last ones written")
    account.expect_imported("/payroll/users.csv", data)
    expect(len(account.users()) == 300, "not everybody was imported")
    line.end()


def in_one_go(ground):
    """WRITE, CLOSE, WRITE, CLOSE, RENAME and REMOVE without waiting for an answer: done in order, the late ones refused."""
    _, account = ground_with(ground)
    line = Line(account)
    data = roster(2)
    handle = line.open("/payroll/users.csv")
    first = line.last + 1
    line.channel.sendall(b"".join(request(first + n, *parts) for n, parts in enumerate((
        (6, handle, bytes(8), data), (4, handle), (6, handle, bytes(8), b"too late"), (4, handle), (17, "/payroll/users.csv")))))
    line.last += 5
    answers = {}
    for _ in range(5):
        kind, number, body = line.answer()
        answers[number - first] = (kind, body)
    codes = [struct.unpack(">I", answers[n][1][:4])[0] for n in range(4)]
    expect(codes[:2] == [OK, OK] and OK not in codes[2:], f"{codes}")
    expect(answers[4][0] == 105 and struct.unpack(">Q", answers[4][1][4:12])[0] == len(data), "STAT behind a CLOSE does not see the file")
    expect(on_disk(account, "/payroll/users.csv") == data, "other bytes")
    imported_once(account, data)
    line.end()


def names_that_move(ground):
    """The folder of an open upload is renamed, removed or becomes a file: CLOSE says OK only if the bytes are to be found."""
    _, account = ground_with(ground)
    line, other = Line(account), Line(account)
    for how in ("renamed", "removed", "replaced by a file", "renamed and made again"):
        folder = f"/files/{how.replace(' ', '-')}"
        expect(line.status(14, folder, 0) == OK, "MKDIR")
        handle = line.open(f"{folder}/up.bin")
        data = os.urandom(5000)
        expect(line.write(handle, 0, data) == OK, "WRITE")
        if how.startswith("renamed"):
            moved = other.status(18, folder, f"{folder}-moved")
        else:
            moved = other.status(15, folder)
        if how == "replaced by a file" and moved == OK:
            other.put(folder, b"a file")
        if how == "renamed and made again" and moved == OK:
            expect(other.status(14, folder, 0) == OK, "MKDIR again")
        closed = line.close(handle)
        found = [p for p in account.files.rglob("up.bin") if p.read_bytes() == data]
        expect(len(found) == (closed == OK), f"{how}: CLOSE was answered {closed} and the file is at {found}")
    nothing_staged(account)
    line.works(), other.works()
    line.end(), other.end()


def taken_name(ground):
    """While an upload is open, its name is renamed onto, removed, made a folder: each acknowledgement is kept, in order."""
    _, account = ground_with(ground)
    line, other = Line(account), Line(account)
    first, second = roster(3), roster(4, department="Compta")
    handle = line.open("/payroll/users.csv")
    expect(line.write(handle, 0, first) == OK, "WRITE")
    other.put("/payroll/users.csv.part", second)
    expect(other.status(18, "/payroll/users.csv.part", "/payroll/users.csv") == OK, "RENAME onto a name that is being written")
    account.expect_imported("/payroll/users.csv", second)
    expect(line.close(handle) == OK, "CLOSE")
    expect(on_disk(account, "/payroll/users.csv") == first, "the last acknowledged upload is not there")
    account.expect_imported("/payroll/users.csv", first)
    imported_once(account, first), imported_once(account, second)
    # A folder in the file's place: CLOSE cannot be acknowledged, and the folder stays.
    handle = line.open("/files/name")
    expect(line.write(handle, 0, b"bytes") == OK, "WRITE")
    expect(other.status(14, "/files/name", 0) == OK, "MKDIR")
    other.put("/files/name/inside", b"inside")
    expect(line.close(handle) != OK, "an upload took the place of a folder")
    expect(on_disk(account, "/files/name/inside") == b"inside", "the folder was replaced")
    # A name that was removed meanwhile is there again after CLOSE.
    line.put("/files/gone", b"old")
    handle = line.open("/files/gone")
    expect(line.write(handle, 0, b"new") == OK, "WRITE")
    expect(other.status(13, "/files/gone") == OK, "REMOVE")
    expect(line.close(handle) == OK and on_disk(account, "/files/gone") == b"new", "the acknowledged file is not there")
    # One name, opened twice in one session: each CLOSE counts.
    one, two = line.open("/files/twice"), line.open("/files/twice")
    expect(line.write(two, 0, b"two") == OK and line.write(one, 0, b"one") == OK, "WRITE")
    expect(line.close(two) == OK and line.close(one) == OK, "CLOSE")
    expect(on_disk(account, "/files/twice") == b"one", "the last CLOSE does not win")
    nothing_staged(account)
    line.end(), other.end()


def onto_itself(ground):
    """A received file renamed onto itself, onto another spelling of its name, a folder into itself: it is never lost."""
    _, account = ground_with(ground)
    line = Line(account)
    data = roster(3)
    line.put("/payroll/users.csv", data)
    line.put("/payroll/a.part", data + b"\r\n")
    posix = lambda old, new: line.status(200, "posix-rename@openssh.com", old, new)
    for rename in (posix, lambda old, new: line.status(18, old, new)):
        rename("/payroll/users.csv", "/payroll/users.csv")
        rename("/payroll/users.csv", "/payroll/./x/../users.csv")
        expect(on_disk(account, "/payroll/users.csv") == data, "a rename onto itself lost the file")
        rename("/payroll/a.part", "/payroll/a.part")
        expect(on_disk(account, "/payroll/a.part") == data + b"\r\n", "a rename onto itself lost the part")
    expect(line.status(14, "/files/d", 0) == OK, "MKDIR")
    line.put("/files/d/f", b"f")
    for target in ("/files/d/d", "/files/d/d/e", "/files/d/f", "/files/d/.."):
        posix("/files/d", target)
        expect(on_disk(account, "/files/d/f") == b"f", f"a folder was renamed to {target}")
    expect(line.status(200, "copy-data", line.open("/files/d/f", READ)) != OK, "copy-data without its arguments")
    expect(line.status(200, "hardlink@openssh.com", "/files/d/f", "/payroll/linked.csv") != OK, "a hard link was made")
    expect(line.status(20, "/payroll/users.csv", "/files/link") != OK, "a symbolic link was made")
    imported_once(account, data)
    expect(len(account.imports()) == 1, f"{account.imports()}")
    line.works()
    line.end()


def same_folder_at_once(ground):
    """Eight sessions make one folder, put into it, remove it, all at once: each MKDIR wins once, and what is acknowledged is there."""
    _, account = ground_with(ground)
    lines = [Line(account) for _ in range(8)]
    for turn in range(12):
        folder, won, wrong = f"/files/race-{turn}", [], []
        gate = threading.Barrier(len(lines))

        def race(number, line):
            try:
                gate.wait(20)
                won.append(line.status(14, folder, 0) == OK)
                got, body = line.call(3, f"{folder}/{number}", NEW, 0)
                if got == 102:
                    line.write(body[4:], 0, b"%d" % number)
                    if line.close(body[4:]) != OK:
                        wrong.append(f"CLOSE of {number}")
                line.status(15, folder)
            except Exception as error:  # told below, or the thread would only fall silent
                wrong.append(repr(error))

        threads = [threading.Thread(target=race, args=pair) for pair in enumerate(lines)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        expect(not wrong, f"turn {turn}: {wrong}")
        expect(won.count(True) >= 1, "nobody made the folder")
        there = {int(p.name): p.read_bytes() for p in account.on_disk(folder).iterdir()}
        expect(there == {n: b"%d" % n for n in range(8)}, f"turn {turn}: {there}")
    nothing_staged(account)
    for line in lines:
        line.end()


def cut_at_every_byte(ground):
    """A session's stream ends after each of its bytes in turn: the file is there exactly if its CLOSE was whole."""
    _, account = ground_with(ground)
    over = transport(account)
    data = roster(1)
    probe = Line(account, over)
    handle = probe.open("/files/probe")
    probe.close(handle)
    probe.channel.close()
    names = iter(range(10_000))
    # OPEN is answered before the rest is cut: the server chooses the handle.
    length = len(request(2, 6, handle, bytes(8), data)) + len(request(3, 4, handle))
    whole_ones = 0
    for cut in [*range(0, 24), *range(length - 30, length + 1)]:
        path = f"/files/cut-{next(names)}"
        line = next_line(account, over)
        handle = line.open(path)
        stream = request(2, 6, handle, bytes(8), data) + request(3, 4, handle)
        line.channel.sendall(stream[:cut])
        complete = cut >= length
        if complete:
            expect([line.answer()[2][:4] for _ in range(2)] == [bytes(4)] * 2, "WRITE and CLOSE")
            whole_ones += 1
        line.channel.shutdown_write()
        line.channel.close()
        nothing_staged(account)
        found = on_disk(account, path)
        # In a plain folder the part of an interrupted upload takes a free name; it is never more than was sent.
        expect(found == data if complete else found is None or data.startswith(found), f"cut {cut} of {length}: {found}")
    expect(whole_ones == 1, f"{whole_ones} whole streams")
    next_line(account, over).works()
    over.close()


def packets_that_lie(ground):
    """Lengths that lie, names with NUL, of 30,000 bytes, of no bytes: refused or the channel ends; the connection lives."""
    _, account = ground_with(ground)
    over = transport(account)
    for name in (b"/files/\0x", b"/files/" + b"x" * 30_000, b"/files/" + b"d/" * 5000, b"\xff\xfe", b"/files/a\nb", b""):
        line = next_line(account, over)
        expect(line.status(3, name, NEW, 0) != OK, f"{name[:40]} was opened")
        line.works()
        line.channel.close()
    for stream in (struct.pack(">I", 0), struct.pack(">I", 0xFFFFFFFF) + b"x", struct.pack(">IB", 1, 3), packet(3, b"\0\0"),
                   packet(6, struct.pack(">II", 1, 0xFFFFFFF0) + b"x"), packet(4, struct.pack(">II", 1, 0x7FFFFFFF)), packet(255, b""), request(1, 3, b"/files/" + b"x" * 100_000, NEW, 0),
                   packet(200, struct.pack(">I", 1) + string("no-such-extension@nowhere")), packet(1, struct.pack(">I", 3))):
        line = next_line(account, over)
        line.put("/files/good", b"good")
        line.channel.sendall(stream)
        line.channel.shutdown_write()
        line.channel.settimeout(20)
        while line.channel.recv(4096):
            pass
        line.channel.close()
    expect(on_disk(account, "/files/good") == b"good", "the file has changed")
    next_line(account, over).works()
    over.close()


def one_after_the_other(ground):
    """Thirty channels of one connection, each ended in good order by the client's end of input or by us: a place comes back each time."""
    _, account = ground_with(ground)
    over = transport(account)
    for turn in range(30):
        line = next_line(account, over)
        line.put(f"/files/{turn}", b"%d" % turn)
        if turn % 2:
            line.channel.sendall(struct.pack(">I", 0))
        else:
            line.channel.shutdown_write()
        while line.channel.recv(4096):
            pass
        expect(line.channel.recv_exit_status() == turn % 2, "another exit status")
        expect(on_disk(account, f"/files/{turn}") == b"%d" % turn, "the file is not there")
    over.close()


def gone_behind_close(ground):
    """The connection is reset in the moment of CLOSE: the file is the old or the new one, imported once if new, and never half."""
    house, account = ground_with(ground)
    line = Line(account)
    old = roster(3)
    line.put("/payroll/users.csv", old)
    known = {sha256(old): old}
    for turn in range(12):
        line = Line(account)
        data = roster(3, department=f"Service {turn}")
        known[sha256(data)] = data
        handle = line.open("/payroll/users.csv")
        stream = request(2, 6, handle, bytes(8), data) + request(3, 4, handle)
        line.channel.sendall(stream)
        if turn % 3 == 0:
            line.answer()
        # Without a word: what the server has read by now is its own affair.
        line.transport.sock.close()
        line.transport.close()
    nothing_staged(account)
    wait_for("the end of all imports", lambda: all(i["status"] != "waiting" for i in account.imports()), 60)
    now = on_disk(account, "/payroll/users.csv")
    expect(sha256(now) in known, "what lies there is none of the uploads")
    account.expect_imported("/payroll/users.csv", now)
    hashes = [i["file"]["sha256"] for i in account.imports()]
    expect(len(set(hashes)) == len(hashes) and set(hashes) <= set(known), f"imported twice or what was never sent: {hashes}")
    Line(account).works()


def killed_around_close(ground):
    """kill -9 of the server between WRITE and CLOSE, and between CLOSE and its answer: acknowledged is there, once; else old or new."""
    house, account = ground_with(ground)
    line = Line(account)
    last = roster(3)
    line.put("/payroll/users.csv", last)
    sent, acknowledged = {sha256(last)}, {sha256(last)}
    # None: between WRITE and CLOSE; a number: so many milliseconds after CLOSE was sent.
    for turn, moment in enumerate((None, 0, 1, 2, 4, 7, 11, 16, 25, 40)):
        line = Line(account)
        data = roster(3, department=f"Service {turn}")
        sent.add(sha256(data))
        handle = line.open("/payroll/users.csv")
        expect(line.write(handle, 0, data) == OK, "WRITE")
        killer = threading.Timer((moment or 0) / 1000, house.process.kill)
        answered = None
        if moment is None:
            house.process.kill()
        else:
            number = line.ask(4, handle)
            killer.start()
            try:
                kind, back, body = line.answer()
                answered = back == number and kind == 101 and body[:4] == bytes(4)
            except Exception:  # the server is gone, as it should be
                pass
            killer.join()
        house.process.wait(20)
        line.end()
        if answered:
            acknowledged.add(sha256(data))
            last = data
        house.start()
        wait_for("the end of all imports", lambda: all(i["status"] != "waiting" for i in account.imports()), 40)
        nothing_staged(account)
        now = on_disk(account, "/payroll/users.csv")
        expect(now == data or (not answered and now == last), f"kill {moment}: neither the acknowledged file nor the new one")
        if moment is None:
            expect(now == last, "an upload without CLOSE was published")
        last = now
        account.expect_imported("/payroll/users.csv", now)
        hashes = [i["file"]["sha256"] for i in account.imports()]
        expect(len(set(hashes)) == len(hashes) and acknowledged <= set(hashes) <= sent, f"kill {moment}: {hashes}")
        expect(len(account.users()) == 3, "the directory does not hold its three people")


CASES = [
    ("handles: after CLOSE", after_close),
    ("handles: requests for the other kind", crossed_requests),
    ("handles: offsets beyond everything", odd_offsets),
    ("handles: writes over each other", overlapping),
    ("handles: requests in one go", in_one_go),
    ("handles: the folder moves", names_that_move),
    ("handles: the name is taken", taken_name),
    ("handles: renamed onto itself", onto_itself),
    ("handles: eight make one folder", same_folder_at_once),
    ("handles: cut at every byte", cut_at_every_byte),
    ("handles: packets that lie", packets_that_lie),
    ("handles: channels one after the other", one_after_the_other),
    ("handles: gone behind CLOSE", gone_behind_close),
    ("handles: kill -9 around CLOSE", killed_around_close),
]
