#!/usr/bin/env python3
"""A crowd of sessions in a process of its own: some only stay, some upload, download, list, rename and import.

Standard input: the plan as one JSON line (see `plan` in run), then "stay-sftp N", "stay-ftps N", "work", "leave", each a line. Each is answered by one JSON line
on standard output. Python's clients cost more than the server: several of these processes share the work.
"""

import asyncio
import ftplib
import hashlib
import io
import json
import os
import ssl
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "interop"))

import asyncssh
from clients import ImplicitFtp
from house import roster

# A crowd that all come in the same instant is another test; people do not.
TOGETHER = 8
PATIENCE_S = 300
FILE_BYTES = 200_000
# After so many rounds a busy session says goodbye and comes again.
ROUNDS_OF_A_SESSION = 5


class Worker:
    """What one busy session does, and what became of it."""

    def __init__(self, plan, number, account):
        self.plan, self.number, self.account = plan, number, account
        self.done = dict.fromkeys(("logins", "uploads", "downloads", "lists", "renames", "removals", "imports"), 0)
        self.acknowledged, self.wrong = [], []
        self.round, self.slowest_s = 0, 0.0
        # A letter first: 1234567e-3 would be a number that a spreadsheet has spoilt.
        self.mark = "D" + os.urandom(4).hex()

    @property
    def part(self):
        return f"/files/{self.number}.part"

    @property
    def file(self):
        return f"/files/{self.number}.bin"

    @property
    def roster(self):
        return f"/payroll/{self.number}.csv"

    def next_roster(self):
        """Other bytes each time, and people of this worker alone."""
        return roster(10, department=f"{self.mark}-{self.round}", start=1 + self.number * 1000)

    def same(self, what, data, back):
        if data != back:
            raise ValueError(f"{what}: other bytes came back ({len(back)} instead of {len(data)})")

    def take_note(self, data, report):
        told = json.loads(report)["file"]["sha256"]
        sha256 = hashlib.sha256(data).hexdigest()
        if told != sha256:
            raise ValueError(f"{self.roster}: the report tells of other bytes")
        self.done["imports"] += 1

    def acknowledge(self, data):
        self.acknowledged.append(hashlib.sha256(data).hexdigest())

    def fail(self, error):
        self.wrong.append(f"{self.account['login']} round {self.round}: {type(error).__name__}: {error}")


async def connect_sftp(plan, account):
    connection = await asyncssh.connect(
        "127.0.0.1", plan["ports"]["sftp"], username=account["login"], client_keys=[plan["key"]], config=None,
        agent_path=None, known_hosts=plan["known_hosts"], login_timeout=PATIENCE_S, connect_timeout=PATIENCE_S,
        encryption_algs=["aes128-gcm@openssh.com"], keepalive_interval=0,
    )
    return connection, await connection.start_sftp_client()


async def sftp_round(worker, sftp):
    data = os.urandom(FILE_BYTES)
    async with sftp.open(worker.part, "wb") as there:
        await there.write(data)
    worker.done["uploads"] += 1
    await sftp.posix_rename(worker.part, worker.file)
    worker.done["renames"] += 1
    if f"{worker.number}.bin" not in await sftp.listdir("/files"):
        raise ValueError(f"{worker.file} is not in the list")
    worker.done["lists"] += 1
    async with sftp.open(worker.file, "rb") as there:
        worker.same(worker.file, data, await there.read())
    worker.done["downloads"] += 1
    await sftp.remove(worker.file)
    worker.done["removals"] += 1
    if worker.round % 3 == 0:
        data = worker.next_roster()
        async with sftp.open(worker.roster, "wb") as there:
            await there.write(data)
        worker.acknowledge(data)
        async with sftp.open(worker.roster + ".report.json", "rb") as there:
            worker.take_note(data, await there.read())


async def sftp_session(worker):
    connection, sftp = await connect_sftp(worker.plan, worker.account)
    worker.done["logins"] += 1
    try:
        for _ in range(ROUNDS_OF_A_SESSION):
            began = time.monotonic()
            await asyncio.wait_for(sftp_round(worker, sftp), PATIENCE_S)
            worker.slowest_s = max(worker.slowest_s, time.monotonic() - began)
            worker.round += 1
            if time.monotonic() > worker.until:
                break
    finally:
        connection.close()
        await connection.wait_closed()


async def work_sftp(worker):
    while time.monotonic() < worker.until and not worker.wrong:
        try:
            await sftp_session(worker)
        except (asyncssh.Error, OSError, ValueError, asyncio.TimeoutError) as error:
            worker.fail(error)


def tls_of(plan):
    context = ssl.create_default_context(cafile=plan["certificate"])
    context.check_hostname = False
    return context


def connect_ftps(plan, account, context, protocol):
    kind = ImplicitFtp if protocol == "ftps" else ftplib.FTP_TLS
    ftp = kind(context=context, timeout=PATIENCE_S, encoding="utf-8")
    ftp.connect("127.0.0.1", plan["ports"][protocol], PATIENCE_S)
    if protocol == "ftps":
        ftplib.FTP.login(ftp, account["login"], account["password"])
    else:
        ftp.login(account["login"], account["password"])
    ftp.prot_p()
    return ftp


def read_back(ftp, path):
    back = io.BytesIO()
    ftp.retrbinary(f"RETR {path}", back.write, 65536)
    return back.getvalue()


def ftps_round(worker, ftp):
    data = os.urandom(FILE_BYTES)
    ftp.storbinary(f"STOR {worker.part}", io.BytesIO(data), 65536)
    worker.done["uploads"] += 1
    ftp.rename(worker.part, worker.file)
    worker.done["renames"] += 1
    if f"{worker.number}.bin" not in [name for name, _ in ftp.mlsd("/files")]:
        raise ValueError(f"{worker.file} is not in the list")
    worker.done["lists"] += 1
    worker.same(worker.file, data, read_back(ftp, worker.file))
    worker.done["downloads"] += 1
    ftp.delete(worker.file)
    worker.done["removals"] += 1
    if worker.round % 3 == 0:
        data = worker.next_roster()
        ftp.storbinary(f"STOR {worker.roster}", io.BytesIO(data), 65536)
        worker.acknowledge(data)
        worker.take_note(data, read_back(ftp, worker.roster + ".report.json"))


def ftps_session(worker, context, protocol):
    ftp = connect_ftps(worker.plan, worker.account, context, protocol)
    worker.done["logins"] += 1
    try:
        for _ in range(ROUNDS_OF_A_SESSION):
            began = time.monotonic()
            ftps_round(worker, ftp)
            worker.slowest_s = max(worker.slowest_s, time.monotonic() - began)
            worker.round += 1
            if time.monotonic() > worker.until:
                break
        ftp.quit()
    finally:
        ftp.close()


def work_ftps(worker, context):
    protocol = ("ftps", "ftpes")[worker.number % 2]
    while time.monotonic() < worker.until and not worker.wrong:
        try:
            ftps_session(worker, context, protocol)
        except (*ftplib.all_errors, ValueError) as error:
            worker.fail(error)


class Crowd:
    """All sessions of this process."""

    def __init__(self, plan):
        self.plan, self.context = plan, tls_of(plan)
        self.sftp, self.ftps, self.wrong = [], [], []

    def account(self, number):
        accounts = self.plan["accounts"]
        return accounts[number % len(accounts)]

    async def stay_sftp(self, count):
        door = asyncio.Semaphore(TOGETHER)

        async def one(number):
            async with door:
                self.sftp.append(await connect_sftp(self.plan, self.account(number)))

        found = await asyncio.gather(*(one(n) for n in range(count)), return_exceptions=True)
        self.wrong += [f"idle SFTP: {type(e).__name__}: {e}" for e in found if isinstance(e, BaseException)]

    def stay_ftps(self, count):
        def one(number):
            protocol = ("ftps", "ftpes")[number % 2]
            try:
                self.ftps.append(connect_ftps(self.plan, self.account(number), self.context, protocol))
            except ftplib.all_errors as error:
                self.wrong.append(f"idle FTPS: {type(error).__name__}: {error}")

        with ThreadPoolExecutor(TOGETHER) as pool:
            list(pool.map(one, range(count)))

    async def work(self):
        until = time.monotonic() + self.plan["seconds"]
        workers, threads, tasks = [], [], []
        for n in range(self.plan["busy_sftp"] + self.plan["busy_ftps"]):
            # Neighbouring workers are of different clients, and every client has some.
            worker = Worker(self.plan, self.plan["first_number"] + n, self.account(self.plan["first_client"] + n))
            worker.until = until
            workers.append(worker)
            if n < self.plan["busy_sftp"]:
                tasks.append(asyncio.ensure_future(work_sftp(worker)))
            else:
                threads.append(threading.Thread(target=work_ftps, args=(worker, self.context)))
        for thread in threads:
            thread.start()
        await asyncio.gather(*tasks)
        for thread in threads:
            await asyncio.to_thread(thread.join)
        done = {k: sum(w.done[k] for w in workers) for k in workers[0].done} if workers else {}
        accounts = {}
        for worker in workers:
            accounts.setdefault(worker.account["slug"], []).extend(worker.acknowledged)
        return {"done": done, "acknowledged": accounts, "wrong": [e for w in workers for e in w.wrong],
                "slowest_s": max((w.slowest_s for w in workers), default=0)}

    async def leave(self):
        """Each idle session must still answer before it goes."""
        for connection, sftp in self.sftp:
            try:
                await asyncio.wait_for(sftp.stat("/files"), PATIENCE_S)
            except (asyncssh.Error, OSError, asyncio.TimeoutError) as error:
                self.wrong.append(f"an idle SFTP session does not answer: {error}")
            connection.close()
        for connection, _ in self.sftp:
            await connection.wait_closed()
        for ftp in self.ftps:
            try:
                ftp.voidcmd("NOOP")
                ftp.quit()
            except ftplib.all_errors as error:
                self.wrong.append(f"an idle FTPS session does not answer: {error}")
            ftp.close()
        self.sftp, self.ftps = [], []
        return {"wrong": self.wrong}


async def main():
    plan = json.loads(sys.stdin.readline())
    crowd = Crowd(plan)
    while order := (await asyncio.to_thread(sys.stdin.readline)).split():
        if order[0] == "stay-sftp":
            await crowd.stay_sftp(int(order[1]))
            answer = {"sessions": len(crowd.sftp), "wrong": crowd.wrong}
        elif order[0] == "stay-ftps":
            await asyncio.to_thread(crowd.stay_ftps, int(order[1]))
            answer = {"sessions": len(crowd.ftps), "wrong": crowd.wrong}
        elif order[0] == "work":
            answer = await crowd.work()
        else:
            answer = await crowd.leave()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
