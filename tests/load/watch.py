"""What the server process uses: memory, descriptors, threads, processor time, read from /proc."""

import contextlib
import os
import threading


class Watch:
    """One process, seen from outside."""

    def __init__(self, pid):
        self.pid, self.peak_mib = pid, 0.0

    def _status(self, name):
        with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith(name + ":"):
                    return int(line.split()[1])
        return 0

    def resident_mib(self):
        return self._status("VmRSS") / 1024

    def threads(self):
        return self._status("Threads")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_s(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def file_limit(self):
        """The soft limit of open files of the running process."""
        with open(f"/proc/{self.pid}/limits", encoding="ascii", errors="replace") as limits:
            for line in limits:
                if line.startswith("Max open files"):
                    return int(line.split()[3])
        return 0

    @contextlib.contextmanager
    def sampling(self, every_s=0.05):
        """Keeps the most memory that was seen meanwhile in `peak_mib`."""
        enough = threading.Event()
        self.peak_mib = self.resident_mib()

        def look():
            while not enough.wait(every_s):
                try:
                    self.peak_mib = max(self.peak_mib, self.resident_mib())
                except (FileNotFoundError, ProcessLookupError):
                    return

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            enough.set()
            thread.join(5)
