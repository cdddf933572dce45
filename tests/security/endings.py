"""FTPS transfers that are begun, crossed and ended as no program does it: ABOR at every moment, half-closed control connections, two
writers of one name, ports of yesterday. After each of them the session is in step, and what was acknowledged lies there whole, once."""

import os
import socket
import ssl
import threading

from house import Failed, expect, roster, sha256, wait_for
from wire import Closed, Control, anyone, reset


def ground_with(ground, **settings):
    house = ground.house(limits__reply_wait_s=60, **settings)
    return house, house.account("end")


def control_of(account, protocol="ftpes", high=None):
    control = Control(account, protocol, context=anyone(None, high))
    control.log_in()
    return control


def begun(control, command):
    """A transfer under way: its data connection, secured."""
    where = control.passive()
    control.send(command)
    plain = socket.create_connection(where, timeout=20)
    answer = control.reply()
    expect(answer[:1] == "1", f"{command} answered {answer}")
    return control.context.wrap_socket(plain, server_hostname="localhost")


def notify(secure):
    """Ends a data connection in good order, whether the other side still cares or not."""
    try:
        secure.unwrap()
    except OSError:
        pass
    secure.close()


def nothing_staged(account):
    wait_for("an empty spool", lambda: not account.spooled(), 60)


def on_disk(account, path):
    file = account.on_disk(path)
    return file.read_bytes() if file.is_file() else None


def settled(account):
    wait_for("the end of all imports", lambda: all(i["status"] != "waiting" for i in account.imports()), 60)
    return [i["file"]["sha256"] for i in account.imports()]


def each_once(account, *contents):
    hashes = settled(account)
    for data in contents:
        expect(hashes.count(sha256(data)) == 1, f"{hashes.count(sha256(data))} imports of one upload")


def abor_at_every_moment(ground):
    """ABOR, alone and twice, before, during and after each step of an upload: answered, nothing half, and the session in step."""
    _, account = ground_with(ground)
    old = roster(3)
    control = control_of(account)
    expect(control.upload("/payroll/users.csv", old).startswith("226"), "STOR")
    new = roster(3, department="Compta")

    def after(moment, times):
        where = control.passive()
        if moment == "port":
            return [control.ask("ABOR") for _ in range(times)], False
        control.send("STOR /payroll/users.csv")
        if moment == "command":
            # Nobody has connected.
            control.sock.sendall(b"ABOR\r\n" * times)
            return None, False
        plain = socket.create_connection(where, timeout=20)
        if moment == "connection":
            control.sock.sendall(b"ABOR\r\n" * times)
            return None, plain
        expect(control.reply()[:1] == "1", "STOR")
        secure = control.context.wrap_socket(plain, server_hostname="localhost")
        if moment != "handshake":
            secure.sendall(new if moment == "everything" else new[:60])
        if moment == "everything":
            # The end and ABOR race each other; either may come first.
            notify(secure)
        control.sock.sendall(b"ABOR\r\n" * times)
        return None, secure

    for moment in ("port", "command", "connection", "handshake", "half", "everything"):
        for times in (1, 2):
            answers, left = after(moment, times)
            control.sock.sendall(b"NOOP\r\n")
            answers = answers or []
            while not answers or not answers[-1].startswith("200 "):
                answers.append(control.reply())
            codes = [a[:3] for a in answers if a[:1] != "1"]
            expect(all(c in ("226", "425", "426", "225", "200") for c in codes), f"{moment}: {answers}")
            # One for each ABOR, one for NOOP, and one for the transfer if there was any.
            expect(len(codes) == times + 1 + (moment != "port"), f"{moment}: {answers}")
            if left:
                left.close()
            nothing_staged(account)
            now = on_disk(account, "/payroll/users.csv")
            if moment == "everything":
                expect(now in (old, new), "neither the old nor the new file")
                expect("import" in " ".join(answers) or "row" in " ".join(answers) or now == old, f"published and not said: {answers}")
                old = now
            else:
                expect(now == old, f"ABOR after {moment} published something")
            control.works()
    hashes = settled(account)
    expect(set(hashes) <= {sha256(roster(3)), sha256(new)}, f"what was never sent was imported: {hashes}")


def control_half_closed(ground):
    """The client ends its side of the control connection while data flows: never half, and what was answered 226 is there."""
    _, account = ground_with(ground)
    old = roster(3)
    expect(control_of(account).upload("/payroll/users.csv", old).startswith("226"), "STOR")
    for turn, how in enumerate(("notify", "fin", "quit", "reset", "fin after all", "reset after all")):
        new = roster(3, department=f"Service {turn}")
        control = control_of(account, "ftps" if turn % 2 else "ftpes")
        secure = begun(control, "STOR /payroll/users.csv")
        secure.sendall(new if "all" in how else new[:70])
        if "all" in how:
            notify(secure)
        answered = ""
        if how == "quit":
            # The transfer goes on; QUIT waits for its end.
            control.send("QUIT")
            secure.sendall(new[70:])
            notify(secure)
            answered = control.reply()
            expect(answered.startswith("226"), f"QUIT behind STOR: {answered}")
            expect(control.reply().startswith("221"), "QUIT")
        elif how.startswith("reset"):
            reset(socket.socket(fileno=control.sock.detach()))
        else:
            try:
                if how == "notify":
                    control.sock.settimeout(5)
                    control.sock.unwrap()
                else:
                    socket.socket(fileno=os.dup(control.sock.fileno())).shutdown(socket.SHUT_WR)
                    while more := control.sock.recv(4096):
                        answered += more.decode(errors="replace")
            except OSError:
                pass
        secure.close()
        nothing_staged(account)
        settled(account)
        now = on_disk(account, "/payroll/users.csv")
        expect(now in (old, new), f"{how}: neither the old nor the new file")
        if "226" in answered:
            expect(now == new, f"{how}: acknowledged and not there")
        if "all" not in how and how != "quit":
            expect(now == old, f"{how}: half a file was published")
        old = now
        account.expect_imported("/payroll/users.csv", now)
    hashes = settled(account)
    expect(len(set(hashes)) == len(hashes), f"imported twice: {hashes}")


def two_writers(ground):
    """One name, written by six sessions at once: each 226 is one import, and one whole file lies there with its own report."""
    _, account = ground_with(ground)
    acknowledged, wrong = {}, []
    gate = threading.Barrier(6)

    def write(number):
        try:
            control = control_of(account, "ftps" if number % 2 else "ftpes")
            for turn in range(3):
                data = roster(4, department=f"Service {number}-{turn}")
                gate.wait(60)
                answer = control.upload("/payroll/users.csv", data)
                if answer.startswith("226"):
                    acknowledged[sha256(data)] = data
                elif not answer.startswith("4"):
                    wrong.append(answer)
        except Exception as error:  # told below, or the thread would only fall silent
            wrong.append(repr(error))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    expect(not wrong and len(acknowledged) >= 6, f"{len(acknowledged)} acknowledged, {wrong}")
    nothing_staged(account)
    each_once(account, *acknowledged.values())
    now = on_disk(account, "/payroll/users.csv")
    expect(sha256(now) in acknowledged, "what lies there is none of the uploads")
    account.expect_imported("/payroll/users.csv", now)
    expect(len(account.users()) == 4, "the directory is a mix")


def own_second_writer(ground):
    """STOR, RNFR, DELE, CWD and REST for the same name while it is being sent by the same session: done afterwards, in order."""
    _, account = ground_with(ground)
    control = control_of(account)
    data = roster(3)
    secure = begun(control, "STOR /payroll/users.csv")
    control.sock.sendall(b"SIZE /payroll/users.csv\r\nSTOR /payroll/users.csv\r\nREST 5\r\nSTOR /payroll/users.csv\r\nPWD\r\n")
    secure.sendall(data)
    notify(secure)
    answers = [control.reply() for _ in range(6)]
    codes = [a[:3] for a in answers]
    expect(codes[0] == "226" and codes[1] == "213" and codes[2][:1] in "45" and codes[3] == "350" and codes[4][:1] in "45"
           and codes[5] == "257", f"{answers}")
    expect(answers[1] == f"213 {len(data)}", f"{answers}")
    expect(on_disk(account, "/payroll/users.csv") == data, "other bytes")
    each_once(account, data)
    control.works()


def ports_of_yesterday(ground):
    """A passive port counts once and for one command; what connects to an older one, or second, sends nothing into a file."""
    _, account = ground_with(ground)
    control = control_of(account)
    first = control.passive()
    second = control.passive()
    control.send("STOR /files/a.bin")
    if first != second:
        try:
            with socket.create_connection(first, timeout=5) as late:
                late.settimeout(5)
                control.context.wrap_socket(late, server_hostname="localhost").sendall(b"late")
        except OSError:
            pass
    plain = socket.create_connection(second, timeout=20)
    expect(control.reply()[:1] == "1", "STOR")
    # Another one beside it, before anything is secured.
    try:
        rival = socket.create_connection(second, timeout=5)
    except OSError:
        rival = None
    secure = control.context.wrap_socket(plain, server_hostname="localhost")
    secure.sendall(b"mine")
    if rival:
        try:
            control.context.wrap_socket(rival, server_hostname="localhost").sendall(b"rival")
        except OSError:
            pass
        rival.close()
    notify(secure)
    answer = control.reply()
    expect(answer.startswith("226") and on_disk(account, "/files/a.bin") == b"mine", f"{answer}, {on_disk(account, '/files/a.bin')}")
    # The port is spent.
    answer = control.ask("STOR /files/b.bin")
    expect(answer[:1] in "45" and on_disk(account, "/files/b.bin") is None, f"a second STOR on one port answered {answer}")
    for _ in range(40):
        control.passive()
    control.works()


def bytes_behind_the_end(ground):
    """Bytes in clear behind close_notify are none of the file; a record that is damaged, or begun and cut, fails it."""
    _, account = ground_with(ground)
    control = control_of(account, high=ssl.TLSVersion.TLSv1_2)
    old = b"yesterday"
    expect(control.upload("/files/a.bin", old).startswith("226"), "STOR")
    for what, tail in (("clear text", b"and more in clear"), ("half a record", b"\x17\x03\x03\x40\x00abc"),
                       ("a damaged record", b"\x17\x03\x03\x00\x20" + b"x" * 32), ("an alert in clear", b"\x15\x03\x03\x00\x02\x01\x00")):
        secure = begun(control, "STOR /files/a.bin")
        secure.sendall(b"today")
        raw = socket.socket(fileno=os.dup(secure.fileno()))
        raw.sendall(tail)
        raw.shutdown(socket.SHUT_WR)
        answer = control.reply()
        expect(answer[:3] in ("426", "425", "451"), f"{what}: {answer}")
        raw.close(), secure.close()
        expect(on_disk(account, "/files/a.bin") == old, f"{what}: the file was replaced")
    secure = begun(control, "STOR /files/a.bin")
    secure.sendall(b"today")
    secure.settimeout(20)
    raw = socket.socket(fileno=os.dup(secure.fileno()))
    secure.unwrap()
    try:
        raw.sendall(b"behind the end")
    except OSError:
        pass
    answer = control.reply()
    expect(answer.startswith("226") and on_disk(account, "/files/a.bin") == b"today", f"{answer}")
    raw.close(), secure.close()
    control.works()
    nothing_staged(account)


def odd_commands(ground):
    """PBSZ, PROT, ALLO, REST and CCC with numbers from elsewhere; NUL, bare CR and 8-bit bytes; long lines that are just allowed."""
    _, account = ground_with(ground)
    control = control_of(account)
    for line in ("PBSZ -1", "PBSZ 99999999999999999999", "PBSZ 0 0", "PBSZ 0x10", "PROT Q", "PROT PP", "PROT S", "PROT E", "CCC", "CCC x",
                 "ALLO 99999999999999999999", "ALLO -1", "ALLO 5 R 9", "REST -5", "REST 99999999999999999999", "REST 1e3", "REST 5 5",
                 "AUTH TLS", "AUTH SSL", "AUTH GSSAPI", "ADAT x", "MIC x", "ENC x", "STRU P", "MODE Z", "MODE B", "TYPE E", "TYPE L 36",
                 "SITE CHMOD 99999 /files", "SITE UTIME 1 2 3", "MFMT 99999999999999 /files", "HASH /files", "OPTS HASH MD5", "OPTS MLST x;" * 20,
                 "STOU /payroll/../../x", "RNTO /files/x", "SIZE " + "../" * 300, "MLST " + "x" * 400, "EPSV 3", "EPSV x", "LANG xx", "HOST nowhere"):
        answer = control.ask(line)
        expect(answer[:1] in "2345", f"{line}: {answer}")
        if line.split()[0] in ("ADAT", "MIC", "ENC", "CCC") or line in ("PROT Q", "PROT PP", "STRU P", "MODE Z", "MODE B", "REST -5"):
            expect(answer[:1] == "5", f"{line}: {answer}")
        answer = control.ask("PWD")
        expect(answer.startswith("257"), f"behind {line}: {answer}")
    for raw in (b"STAT\0\r\n", b"NOOP\r\r\n", b"SIZE /files/\xff\xfe\r\n", b"SIZE /files/a\0b\r\n", b"\r\r\n", b"NOOP \t \r\n", b"noop\n",
                b"\xff\xf4\xff\xf2NOOP\r\n", b"SIZE /files/" + b"y" * 1500 + b"\r\n"):
        control.sock.sendall(raw)
        answer = control.reply()
        expect(answer[:1] in "245", f"{raw[:40]}: {answer}")
    # A refused REST is no offset for the next STOR.
    control.ask("REST 7x")
    expect(control.upload("/files/r.bin", b"0123456789").startswith("226"), "STOR")
    expect(on_disk(account, "/files/r.bin") == b"0123456789", "an offset outlived its refusal")
    # One that was accepted counts for one command only.
    expect(control.ask("REST 4").startswith("350"), "REST")
    expect(control.ask("SIZE /files/r.bin") == "213 10", "SIZE behind REST")
    expect(control.upload("/files/r.bin", b"abc").startswith("226"), "STOR behind REST and SIZE")
    now = on_disk(account, "/files/r.bin")
    expect(now in (b"abc", b"0123abc"), f"REST 4 and three bytes made {now}")
    control.works()


def all_at_once(ground):
    """Login, PBSZ, PROT, EPSV and STOR in one piece behind the handshake, and the same split into single bytes."""
    _, account = ground_with(ground)
    data = roster(3)
    for piece in (None, 1):
        control = Control(account, "ftpes")
        lines = f"USER {account.login}\r\nPASS {account.password}\r\nPBSZ 0\r\nPROT P\r\nTYPE I\r\nCWD /payroll\r\nEPSV\r\n".encode()
        if piece:
            for byte in lines:
                control.sock.sendall(bytes([byte]))
        else:
            control.sock.sendall(lines)
        answers = [control.reply() for _ in range(7)]
        expect([a[:3] for a in answers] == ["331", "230", "200", "200", "200", "250", "229"], f"{answers}")
        where = (control.address, int(answers[-1].split("|")[3]))
        control.sock.sendall(b"STOR users.csv\r\nSIZE users.csv\r\nQUIT\r\n")
        plain = socket.create_connection(where, timeout=20)
        expect(control.reply()[:1] == "1", "STOR")
        secure = control.context.wrap_socket(plain, server_hostname="localhost")
        secure.sendall(data)
        notify(secure)
        answers = [control.reply() for _ in range(3)]
        expect([a[:3] for a in answers] == ["226", "213", "221"], f"{answers}")
        control.closed()
    expect(on_disk(account, "/payroll/users.csv") == data, "other bytes")


def names_that_move(ground):
    """While a file is being sent, its folder is renamed, removed or replaced by another session: 226 only if it is to be found."""
    _, account = ground_with(ground)
    other = control_of(account)
    for how in ("renamed", "removed", "renamed and made again", "a folder of its name"):
        folder = f"/files/{how.replace(' ', '-')}"
        control = control_of(account)
        expect(control.ask(f"MKD {folder}").startswith("257"), "MKD")
        data = os.urandom(3000)
        secure = begun(control, f"STOR {folder}/up.bin")
        secure.sendall(data)
        if how.startswith("renamed"):
            other.ask(f"RNFR {folder}")
            other.ask(f"RNTO {folder}-moved")
        elif how == "removed":
            other.ask(f"RMD {folder}")
        else:
            other.ask(f"MKD {folder}/up.bin")
        if how.endswith("again"):
            expect(other.ask(f"MKD {folder}").startswith("257"), "MKD again")
        notify(secure)
        answer = control.reply()
        found = [p for p in account.files.rglob("up.bin") if p.is_file() and p.read_bytes() == data]
        expect(len(found) == answer.startswith("226"), f"{how}: {answer}, and the file is at {found}")
        expect(answer.startswith(("226", "45", "55")), f"{how}: {answer}")
        control.works()
    nothing_staged(account)


def read_while_replaced(ground):
    """A download goes on while the file is replaced, removed and renamed: it brings one version whole."""
    _, account = ground_with(ground)
    control, other = control_of(account), control_of(account)
    versions = [bytes([65 + n]) * (24 << 20) for n in range(3)]
    expect(other.upload("/files/big.bin", versions[0]).startswith("226"), "STOR")
    for act in (lambda: other.upload("/files/big.bin", versions[1]), lambda: other.ask("RNFR /files/big.bin") + other.ask("RNTO /files/b2.bin"),
                lambda: other.upload("/files/big.bin", versions[2]) + other.ask("DELE /files/big.bin")):
        path = "/files/big.bin"
        secure = begun(control, f"RETR {path}")
        got = [secure.recv(65536)]
        act()
        try:
            while more := secure.recv(1 << 20):
                got.append(more)
        except ssl.SSLEOFError:
            raise Failed("a download ended without close_notify") from None
        whole = b"".join(got)
        expect(whole in versions, f"a mix of versions, {len(whole)} bytes")
        secure.close()
        answer = control.reply()
        expect(answer.startswith("226"), answer)
        if not account.on_disk(path).exists():
            expect(other.upload(path, versions[1]).startswith("226"), "STOR")
    control.works()


def killed_around_the_end(ground):
    """kill -9 of the server around close_notify and 226: acknowledged is there, imported once; else the old file or the new one."""
    house, account = ground_with(ground)
    last = roster(3)
    expect(control_of(account).upload("/payroll/users.csv", last).startswith("226"), "STOR")
    sent, acknowledged = {sha256(last)}, {sha256(last)}
    for turn, moment in enumerate((None, 0, 1, 3, 6, 10, 15, 22, 35, 50)):
        control = control_of(account, "ftps" if turn % 2 else "ftpes")
        data = roster(3, department=f"Service {turn}")
        sent.add(sha256(data))
        secure = begun(control, "STOR /payroll/users.csv")
        secure.sendall(data)
        answered = ""
        killer = threading.Timer((moment or 0) / 1000, house.process.kill)
        if moment is None:
            house.process.kill()
        else:
            killer.start()
            try:
                notify(secure)
                answered = control.reply()
            except (Closed, OSError):
                pass
            killer.join()
        house.process.wait(20)
        secure.close(), control.sock.close()
        if answered.startswith("226"):
            acknowledged.add(sha256(data))
            last = data
        house.start()
        hashes = settled(account)
        nothing_staged(account)
        now = on_disk(account, "/payroll/users.csv")
        expect(now == data or (not answered.startswith("226") and now == last), f"kill {moment}: neither acknowledged nor new")
        if moment is None:
            expect(now == last, "an upload without close_notify was published")
        last = now
        account.expect_imported("/payroll/users.csv", now)
        expect(len(set(hashes)) == len(hashes) and acknowledged <= set(hashes) <= sent, f"kill {moment}: {hashes}")
        expect(len(account.users()) == 3, "the directory does not hold its three people")


CASES = [
    ("endings: ABOR at every moment", abor_at_every_moment),
    ("endings: the control connection half closed", control_half_closed),
    ("endings: six writers of one name", two_writers),
    ("endings: commands behind a transfer", own_second_writer),
    ("endings: ports of yesterday", ports_of_yesterday),
    ("endings: bytes behind the end", bytes_behind_the_end),
    ("endings: odd commands", odd_commands),
    ("endings: everything at once", all_at_once),
    ("endings: the folder moves", names_that_move),
    ("endings: read while replaced", read_while_replaced),
    ("endings: kill -9 around the end", killed_around_the_end),
]
