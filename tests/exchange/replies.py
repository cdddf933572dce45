"""One long FTP session, in and out of order, with vsftpd, ProFTPD and Rollcall: the same class of reply to the same command.

Rollcall's reply has to be of the class (first digit) that at least one of the two others gives. Where it is of neither, the step
stands in ACCEPTED with the reason; a step that stands there without need fails, too, so the list stays true.
"""

import re
import socket
import ssl

import servers
from servers import Authority

# Each command, and what goes over a data connection if it opens one: bytes to send, or None to read.
SEND = b"employee number;last name\r\n00001;Dupont\r\n"
SESSION = [
    # Before the login
    "NOOP", "SYST", "FEAT", "PWD", "CWD /", "LIST", "PASV", "STOR x", "RETR x", "RNTO x", "PASS early", "HELP", "NOSUCH", "STAT",
    "ACCT x", "TYPE I", "MODE S", "STRU F", "SITE HELP", "USER", "@login", "USER again", "@login",
    # Protection and parameters
    "PBSZ 0", "PROT P", "PBSZ", "PROT X", "AUTH TLS", "TYPE I", "TYPE A", "TYPE A N", "TYPE L 8", "TYPE X", "TYPE", "TYPE I",
    "MODE S", "MODE B", "MODE", "STRU F", "STRU R", "STRU", "NOOP", "noop", "NoOp", "NOOP again", "SYST", "HELP", "HELP STOR", "HELP NOSUCH",
    "SITE HELP", "SITE", "SITE NOSUCH", "OPTS UTF8 ON", "OPTS NOSUCH", "OPTS", "ALLO 100", "ACCT x", "SMNT /", "REIN x", "STAT",
    # Folders
    "PWD", "XPWD", "CWD", "@home", "MKD differ", "MKD differ", "MKD", "XMKD differ/inner", "CWD differ", "CDUP", "XCUP", "@home",
    "CWD differ/inner", "CDUP", "CDUP", "CWD nowhere", "CWD differ/nowhere", "RMD nowhere", "RMD differ", "XRMD differ/inner", "CWD differ",
    "PWD", "RMD", "RMD ../nowhere",
    # Out of order
    "RNTO nothing", "RNFR nothing", "RNFR", "RNTO", "REST 0", "REST x", "REST -1", "REST", "ABOR", "PASS again", "EPSV", "EPSV 1", "EPSV 9",
    "EPSV x", "PASV", "PASV", "PASV extra",
    # Transfers
    "PASV|STOR a.csv", "SIZE a.csv", "MDTM a.csv", "PASV|RETR a.csv", "REST 10", "PASV|RETR a.csv", "PASV|APPE a.csv", "SIZE a.csv",
    "PASV|STOR b.csv", "PASV|LIST", "PASV|LIST -la", "PASV|NLST", "PASV|LIST a.csv", "PASV|NLST *.csv", "EPSV|NLST", "PASV|RETR nothing",
    "PASV|STOR nowhere/x", "PASV|STOR", "PASV|RETR", "PASV|STOU", "REST 5", "NOOP", "PASV|STOR c.csv", "STAT a.csv", "STAT nothing",
    "SIZE nothing", "SIZE", "MDTM nothing", "MDTM", "SIZE .", "PASV|RETR .", "MLST a.csv", "MLST nothing", "EPSV|MLSD", "EPSV|MLSD a.csv",
    # Names
    "RNFR a.csv", "RNTO d.csv", "RNFR a.csv", "RNTO e.csv", "RNFR d.csv", "NOOP", "RNTO e.csv", "RNFR d.csv", "RNTO nowhere/e.csv",
    "RNFR d.csv", "RNTO b.csv", "DELE b.csv", "DELE b.csv", "DELE", "DELE .", "SITE CHMOD 644 c.csv", "SITE CHMOD 644 nothing", "SITE CHMOD",
    "MFMT 20200101000000 c.csv", "MFMT x c.csv", "DELE c.csv", "RMD c.csv",
    # Active mode, and things that are no commands
    "PORT 1,2,3", "PORT 300,0,0,1,1,1", "EPRT |9|x|1|", "STORx y", "QUIT now",
]
# Step number is counted anew for equal commands: "MKD differ#2" is the second.
ACCEPTED = {
    "HELP": "what the commands are is no secret, and nothing else is told before the login",
    "ACCT x": "RFC 959, 4.2: 202, no account is needed; nothing depends on the login",
    "TYPE I": "parameters say nothing about anybody; some programs set them before USER",
    "STRU F": "as TYPE I",
    "PBSZ": "RFC 2228, 8: PBSZ takes a number; without it the line is wrong",
    "HELP NOSUCH": "RFC 959, 4.1.3: help for what is no command cannot be given",
    "SITE HELP#2": "neither of the two offers it as they are set up here",
    "REST x": "a wrong number must not become 0: the next upload would begin anew",
    "DELE c.csv": "REST beyond the end was refused here without making a file, so there is none to remove",
    "STAT nothing": "RFC 959, 4.2: 550, no such file; an empty list would hide a typing error",
}


class Session:
    """One server, spoken to by hand. Data connections resume the control connection's TLS session, as two of the three demand."""

    def __init__(self, port, login, password, home):
        self.login, self.password, self.home = login, password, home
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.context, self.rest = context, b""
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=120)
        self.reply()
        self.ask("AUTH TLS")
        self.sock = context.wrap_socket(self.sock, server_hostname="localhost")

    def line(self):
        while b"\n" not in self.rest:
            block = self.sock.recv(4096)
            if not block:
                raise EOFError("the server closed the connection")
            self.rest += block
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode(errors="replace").rstrip("\r")

    def reply(self):
        first = line = self.line()
        while first[3:4] == "-" and not line.startswith(first[:3] + " "):
            line = self.line()
        return first

    def ask(self, line):
        self.sock.sendall(line.encode() + b"\r\n")
        return self.reply()

    def step(self, command):
        """Replies to one step, joined by blanks: `150 226`."""
        if command == "@login":
            return f"{self.ask('USER ' + self.login)[:3]} {self.ask('PASS ' + self.password)[:3]}"
        if command == "@home":
            return self.ask(f"CWD {self.home}")[:3]
        if command == "ABOR":
            # ProFTPD answers it twice when a port is open; NOOP tells where its answers end.
            self.sock.sendall(b"ABOR\r\nNOOP\r\n")
            codes = [self.reply()[:3], self.reply()[:3]]
            while codes[-1] != "200":
                codes.append(self.reply()[:3])
            return " ".join(codes[:-1])
        passive, found, transfer = command.partition("|")
        return self.move(passive, transfer) if found else self.ask(command)[:3]

    def move(self, passive, command):
        answer = self.ask(passive)
        numbers = re.findall(r"\d+", answer.partition("(")[2])
        if not answer.startswith("2"):
            return answer[:3]
        port = int(numbers[-1]) if passive == "EPSV" else int(numbers[4]) * 256 + int(numbers[5])
        plain = socket.create_connection(("127.0.0.1", port), timeout=120)
        first = self.ask(command)[:3]
        if first[:1] != "1":
            plain.close()
            return first
        try:
            with self.context.wrap_socket(plain, server_hostname="localhost", session=self.sock.session) as secure:
                if command.split()[0] in ("STOR", "APPE", "STOU"):
                    secure.sendall(SEND)
                else:
                    while secure.recv(65536):
                        pass
                secure.unwrap()
        except OSError:
            pass
        return f"{first} {self.reply()[:3]}"

    def run(self):
        told, counts = {}, {}
        for command in SESSION:
            counts[command] = counts.get(command, 0) + 1
            name = command if counts[command] == 1 else f"{command}#{counts[command]}"
            try:
                told[name] = self.step(command)
            except (OSError, EOFError, IndexError) as error:
                told[name] = f"gone ({error})"
                break
        self.sock.close()
        return told


def last_class(codes):
    return codes.rpartition(" ")[2][:1]


def run(house, check):
    if not house.wanted("the same session with three servers"):
        return
    authority = Authority()
    with servers.vsftpd(authority) as vsftpd, servers.proftpd(authority) as proftpd:
        others = [Session(s.port, s.login, s.password, s.home).run() for s in (vsftpd, proftpd)]
    ours = house.serve()
    try:
        account = ours.account("differ")
        mine = Session(ours.ports["ftpes"], account.login, account.password, "/files").run()
    finally:
        ours.stop()
        ours.remove()
    for other, kind in zip(others, ("vsftpd", "ProFTPD"), strict=True):
        check(f"{kind} reaches the end", list(other)[-1] == "QUIT now", list(other.items())[-3:])
    check("the session is long", len(mine) > 150, len(mine))
    check("it reaches its end", list(mine)[-1] == "QUIT now", list(mine.items())[-3:])
    for name, codes in mine.items():
        theirs = [other.get(name, "never asked") for other in others]
        agrees = last_class(codes) in {last_class(one) for one in theirs}
        if name in ACCEPTED:
            check(f"{name!r} is accepted with a reason and needs it", not agrees, f"all answer {codes}; take it off the list")
        else:
            check(f"{name!r} is answered as others answer it", agrees, f"Rollcall {codes}, vsftpd {theirs[0]}, ProFTPD {theirs[1]}")


if __name__ == "__main__":
    raise SystemExit("use tests/exchange/run BINARY --only replies")
