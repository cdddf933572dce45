"""Looks at servers that do it in their own way, and deliveries to one that is away: nothing stuck, nothing twice, nothing lost in silence."""

import os
import socket
import sqlite3
import threading
import time

import oddssh
import paramiko

from exchange import ROSTER, SETTINGS, Place
from odd import Odd, Session
from servers import Authority

HEAD = "employeeNumber;lastName;firstName;mail;dtContractStart;department\n"
DAY_S = 86_400


def roster(department):
    return f"{HEAD}0001;Roy;Zoe;zoe@x.example;2020-01-13;{department}\n"


def aged(place, name, text, seconds):
    """Puts a file that was changed so long ago."""
    path = place.put(name, text)
    when = time.time() - seconds
    os.utime(path, (when, when))
    return path


def paths(outcome):
    return [fetched["path"] for fetched in outcome["fetched"]]


def alarms(place):
    return [(alarm["code"], alarm["subject"]) for alarm in place.json("alarms", "acme")]


def imported(place):
    place.wait(lambda: place.settled() and all(i["status"] != "waiting" for i in place.imports()), "the imports")


class NoTimes(Session):
    def do_mdtm(self, _):
        self.say("502 not here")


class NewTimes(Session):
    """A renamed file is as new as its name."""

    def do_rnto(self, path):
        to = self.on_disk(path)
        self.renamed.rename(to)
        os.utime(to)
        self.say("250 renamed")


class EmptyRefused(Session):
    words = "550 No files found"

    def listed(self, answer, argument):
        return answer(argument) if any(self.on_disk(".").iterdir()) else self.say(self.words)

    def do_list(self, argument):
        return self.listed(super().do_list, argument)

    def do_mlsd(self, argument):
        return self.listed(super().do_mlsd, argument)


class EmptyBusy(EmptyRefused):
    words = "450 No such file or directory"


def refusing(words):
    """A server that refuses to give what begins with `old`, as long as it says so."""

    class Refusing(Session):
        is_refusing = True

        def do_retr(self, path):
            if type(self).is_refusing and "old" in path:
                return self.say(words)
            return super().do_retr(path)

    return Refusing


def companions(house, authority, after, speaks):
    """Every day a file and its companion, over lists without times."""
    with Odd(authority, speaks=speaks, mlst=False) as server:
        place = Place(house.binary, server, "ftpes", after, extra='ready = "companion"\n').serve()
        try:
            for day in range(3):
                place.put("users.csv", roster(f"Sales{day}"))
                place.put("users.csv.ok", "")
                outcome = place.fetch()
                assert paths(outcome) == ["/in/users.csv"], (day, outcome)
                imported(place)
                time.sleep(1.1)
            if after == "leave":
                place.put("users.csv", roster("Early"))
                outcome = place.fetch()
                assert not outcome["fetched"] and "announced the version before" in outcome["waiting"][0]["why"], outcome
            assert len(place.imports()) == 3 and not alarms(place), (place.imports(), alarms(place))
        finally:
            place.stop()


def oldest_first(house, authority):
    with Odd(authority, mlst=False) as server:
        place = Place(house.binary, server, "ftpes")
        aged(place, "users_9.csv", roster("Old"), 3 * DAY_S)
        aged(place, "users_10.csv", roster("New"), 60)
        outcome = place.fetch()
        assert paths(outcome) == ["/in/users_9.csv", "/in/users_10.csv"], outcome


def locked(house, authority, words):
    """A file that is locked waits; the others come, and somebody hears of it when it stays locked."""
    speaks = refusing(words)
    with Odd(authority, speaks=speaks) as server:
        place = Place(house.binary, server, "ftpes")
        aged(place, "old.csv", roster("Old"), DAY_S)
        first = place.fetch()
        assert not first["fetched"] and "old.csv" in first["problems"][0], first
        assert not alarms(place), alarms(place)
        newer_comes(place)
        speaks.is_refusing = False
        overtaken(place)


def newer_comes(place):
    """A file that is still locked at the second look raises an alarm, and does not hold up the newer one."""
    aged(place, "users.csv", roster("New"), 60)
    second = place.fetch()
    assert paths(second) == ["/in/users.csv"] and "old.csv" in second["problems"][0], second
    assert alarms(place) == [("T03", f"{place.login}/in/fetch")], alarms(place)


def overtaken(place):
    """The newer list was imported meanwhile: the older one would undo it, unless it is sent again."""
    outcome = place.fetch()
    assert not outcome["fetched"] and not alarms(place), (outcome, alarms(place))
    assert [(one["name"], "older than users.csv" in one["why"]) for one in outcome["waiting"]] == [("old.csv", True)], outcome
    aged(place, "old.csv", roster("Again"), 30)
    assert paths(place.fetch()) == ["/in/old.csv"]


class Locking(oddssh.Files):
    """Answers "Failure" for what begins with `old`, as for a file that another program has open."""

    is_locking = True

    def open(self, path, flags, attr):
        if type(self).is_locking and "old" in path:
            return paramiko.SFTP_FAILURE
        return super().open(path, flags, attr)


class ByPassword:
    """An SSH server to which one logs in by password, as `Place` wants it."""

    def __init__(self, server):
        self.root, self.host, self.port, self.login = server.root, server.host, server.port, server.login
        self.password, self.certificate = server.password, server.pins["ed25519"]

    def path(self, *parts):
        return "/" + "/".join(parts)


def locked_over_ssh(house):
    usual, oddssh.Files = oddssh.Files, Locking
    try:
        with oddssh.OddSsh() as server:
            place = Place(house.binary, ByPassword(server), "sftp", by_key=False)
            aged(place, "old.csv", roster("Old"), DAY_S)
            assert place.fetch()["problems"]
            newer_comes(place)
            Locking.is_locking = False
            overtaken(place)
    finally:
        oddssh.Files = usual


def unreadable(house, authority):
    speaks = refusing("550 Permission denied")
    with Odd(authority, speaks=speaks) as server:
        place = Place(house.binary, server, "ftpes").serve()
        try:
            aged(place, "old.csv", roster("Old"), 3600)
            assert "Permission denied" in place.fetch()["problems"][0]
            assert alarms(place) == [("T03", f"{place.login}/in/fetch")], alarms(place)
            assert "old.csv" in place.cli("fetches", "acme").stdout.splitlines()[0]
            # The report of another file, and a delivery, do not end it.
            place.put("users.csv", roster("New"))
            assert paths(place.fetch()) == ["/in/users.csv"]
            place.wait(lambda: place.report() is not None and place.settled(), "the report")
            assert alarms(place) == [("T03", f"{place.login}/in/fetch")], alarms(place)
            speaks.is_refusing = False
            overtaken(place)
        finally:
            place.stop()


def renamed(house, authority, after):
    with Odd(authority, speaks=NewTimes) as server:
        place = Place(house.binary, server, "ftpes", after).serve()
        try:
            aged(place, "a.csv", roster("A"), 7200)
            aged(place, "b.csv", roster("B"), 3600)
            assert paths(place.fetch()) == ["/in/a.csv", "/in/b.csv"]
            imported(place)
            time.sleep(1.1)
            outcome = place.fetch()
            assert not outcome["fetched"] and not outcome["problems"], outcome
            left = [name for name in place.names() if name in ("a.csv", "b.csv")]
            assert not left and not place.parts() and len(place.imports()) == 2, (place.names(), place.imports())
        finally:
            place.stop()


def ahead(house, authority):
    """Files from the future: by the server's clock, and by ours of yesterday."""
    with Odd(authority) as server:
        place = Place(house.binary, server, "ftpes")
        aged(place, "users.csv", roster("Tomorrow"), -DAY_S)
        assert paths(place.fetch()) == ["/in/users.csv"]
        place.settings(f"{SETTINGS}min_age_minutes = 5\n")
        aged(place, "users.csv", roster("Later"), -2 * DAY_S)
        waits = place.fetch()
        assert "less than 5 minutes ago" in waits["waiting"][0]["why"], waits
        seen(place, -301)
        assert paths(place.fetch()) == ["/in/users.csv"]
        place.settings(SETTINGS.replace("settle_s = 1", "settle_s = 3"))
        aged(place, "users.csv", roster("Clock"), 60)
        seen(place, DAY_S, "users.csv")
        assert paths(place.fetch()) == ["/in/users.csv"]


def seen(place, seconds, new=None):
    """The newest version was first seen so long after (or before) it was; `new`: one that is seen now for the first time."""
    if new:
        place.settings(f"{SETTINGS}min_age_minutes = 5\n")
        place.fetch()
        place.settings(SETTINGS)
    with sqlite3.connect(place.folder / "data/registry.db", timeout=60) as db:
        db.execute("UPDATE fetches SET first_seen_at = first_seen_at + ? WHERE id = (SELECT max(id) FROM fetches)", [seconds * 1_000_000])


def empty(house, authority, speaks, mlst):
    with Odd(authority, speaks=speaks, mlst=mlst) as server:
        place = Place(house.binary, server, "ftpes", "delete").serve()
        try:
            for _ in range(2):
                outcome = place.fetch()
                assert not outcome["fetched"] and not outcome["problems"], outcome
            place.put("users.csv", roster("Sales"))
            assert paths(place.fetch()) == ["/in/users.csv"]
            place.wait(lambda: place.report() is not None and place.settled(), "the report beside nothing")
            assert not alarms(place), alarms(place)
        finally:
            place.stop()


class RefusesOnce(Session):
    """The first file that is brought is refused."""

    def do_stor(self, path):
        if self.server.odd.pop("refuses", None):
            return self.say("553 not this one")
        return super().do_stor(path)


def given_up(house, authority):
    """What is given up has an alarm of its own, which other files do not end."""
    with Odd(authority, speaks=RefusesOnce, refuses=True) as server:
        place = Place(house.binary, server, "ftpes")
        place.more = {"ROLLCALL_OUTGOING__ATTEMPTS": "1"}
        place.serve()
        try:
            file = place.folder / "a.csv"
            file.write_text("1")
            dropped = place.json("drop", "acme", "out", file)
            state = lambda one: place.json("drops", "show", one["id"])["state"]
            place.wait(lambda: state(dropped) == "failed", "the refusal")
            other = place.folder / "b.csv"
            other.write_text("2")
            brought = place.json("drop", "acme", "out", other)
            place.wait(lambda: state(brought) == "delivered", "the other file")
            assert alarms(place) == [("T08", f"drop/{dropped['id']}")], alarms(place)
            place.json("drops", "retry", dropped["id"])
            place.wait(lambda: state(dropped) == "delivered" and not alarms(place), "the retry")
        finally:
            place.stop()


def away(house, authority):
    """A server that is away is waited for, for more tries than a refusal has; then everything is brought."""
    with Odd(authority) as server:
        place = Place(house.binary, server, "ftpes")
        place.more = {"ROLLCALL_OUTGOING__ATTEMPTS": "1"}
        place.serve()
        try:
            place.put("users.csv", ROSTER)
            server.listener.shutdown(socket.SHUT_RDWR)
            server.listener.close()
            file = place.folder / "absences.csv"
            file.write_text("a;b\n1;2\n")
            dropped = place.json("drop", "acme", "out", file)
            show = lambda: place.json("drops", "show", dropped["id"])
            # The second try comes after ten seconds.
            place.wait(lambda: ("T02", place.login) in alarms(place), "two tries")
            shown = show()
            assert shown["state"] == "waiting" and shown["note"], shown
            server.listener = socket.create_server((server.host, server.port))
            threading.Thread(target=server._accept, daemon=True).start()
            place.json("drops", "retry", dropped["id"])
            place.wait(lambda: show()["state"] == "delivered" and not alarms(place), "the file")
        finally:
            place.stop()


def run(house):
    authority = Authority()
    for after, speaks, how in (("leave", Session, "by MDTM"), ("delete", Session, "by MDTM"), ("delete", NoTimes, "never")):
        house.case(f"companions, times told {how}, after = {after}", lambda a=after, s=speaks: companions(house, authority, a, s))
    house.case("oldest first, without times in the list", lambda: oldest_first(house, authority))
    for words in ("450 old.csv: file busy", "451 local error", "426 aborted"):
        house.case(f"a locked file: {words}", lambda w=words: locked(house, authority, w))
    house.case("a locked file over SFTP", lambda: locked_over_ssh(house))
    house.case("a file that may not be read", lambda: unreadable(house, authority))
    for after in ("archive", "delete"):
        house.case(f"renamed files get a new time, after = {after}", lambda a=after: renamed(house, authority, a))
    house.case("files from the future", lambda: ahead(house, authority))
    for speaks, mlst in ((EmptyRefused, True), (EmptyRefused, False), (EmptyBusy, True)):
        house.case(f"an empty folder: {speaks.words}, MLSD {mlst}", lambda s=speaks, m=mlst: empty(house, authority, s, m))
    house.case("a delivery that is given up", lambda: given_up(house, authority))
    house.case("a server that is away", lambda: away(house, authority))
