"""The limit on open files: a low soft limit is raised, a low hard limit is told in words, and running out of files ends nothing."""

import socket
import time

import clients
from house import House, expect, roster, wait_for
from watch import Watch

# The usual soft limit of a shell, and a hard one that is enough.
USUAL = (256, 4096)
# So few that connections alone use them up.
FEW = 120


class Limited(House):
    """A server that starts with a limit on its open files."""

    def __init__(self, binary, soft, hard, **settings):
        self.limit = f"--nofile={soft}:{hard}"
        super().__init__(binary, **settings)

    def command(self):
        return ["prlimit", self.limit, *super().command()]


def raised(binary):
    """`serve` raises its own soft limit as far as it may."""
    house = Limited(binary, *USUAL)
    try:
        expect(Watch(house.process.pid).file_limit() == USUAL[1], "the soft limit was not raised to the hard one")
    finally:
        house.stop()
        house.remove()


def told(binary):
    """A hard limit that cannot hold the connections which the configuration allows is a warning at the start."""
    house = Limited(binary, FEW, FEW)
    try:
        wait_for("a warning", lambda: f"{FEW} open files" in house.log.read_text())
    finally:
        house.stop()
        house.remove()


def used_in(watch, seconds):
    """Processor time that the server uses in so many seconds."""
    before = watch.cpu_s()
    time.sleep(seconds)
    return watch.cpu_s() - before


def used_up(binary):
    """Without a free descriptor nobody new is served, nothing is lost, and all is well once some are free again."""
    house = Limited(binary, FEW, FEW, limits__login_timeout_s=120, limits__reply_wait_s=30)
    crowd = []
    try:
        account = house.account("few")
        house.known_hosts()
        data = roster(3)
        here = house.work / "users.csv"
        here.write_bytes(data)
        watch = Watch(house.process.pid)
        while len(crowd) < FEW + 40:
            crowd.append(socket.create_connection(("127.0.0.1", house.ports["ftpes"]), timeout=60))
        wait_for("no descriptor left", lambda: watch.descriptors() >= FEW - 4)
        # What is measured is what it does while nothing can be done. One that spins does so all the time.
        spent = min(used_in(watch, 2) for _ in range(3))
        expect(spent < 1, f"a server without descriptors spins: {spent:.1f} s of processor time in 2 s")
        expect(house.process.poll() is None, "the server ended")
        for each in crowd:
            each.close()
        crowd.clear()
        wait_for("descriptors", lambda: watch.descriptors() < FEW // 2, 180)
        outcome = wait_for("an upload", lambda: clients.Paramiko().run(account, [("put", here, "/payroll/users.csv")]).ok, 180)
        expect(outcome, "no upload")
        account.expect_imported("/payroll/users.csv", data)
        expect(not house.panics(), house.panics()[:2])
    finally:
        for each in crowd:
            each.close()
        house.stop()
        house.remove()


def run(binary, check):
    for name, case in (("the soft limit on open files is raised", raised), ("a low hard limit is told", told),
                       ("running out of files ends nothing", used_up)):
        try:
            case(binary)
        except Exception as error:
            check(name, False, f"{type(error).__name__}: {error}")
        else:
            check(name, True)
