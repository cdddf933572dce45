"""A TCP proxy that a test owns: it cuts, delays, slows or swallows what passes between a client and a server."""

import socket
import struct
import threading
import time


class Proxy:
    """Listens on a free port and passes everything to `host:port`, until the test says otherwise.

    `cut_after_up`, `cut_after_down`  a connection is closed once so many bytes went up (to the server) or down
    `reset`                           cuts are resets, not ends
    `silent_after_up`, `…_down`       from there on bytes are swallowed and the connection stays (half open)
    `delay_s`                         a pause before each piece
    `rate`                            bytes in a second, each way
    `piece`                           the largest piece that is passed at once
    `only`                            the connection (1 is the first) that this is done to; None: all
    """

    def __init__(self, port, host="127.0.0.1", **faults):
        self.to = (host, port)
        self.faults = dict(cut_after_up=None, cut_after_down=None, silent_after_up=None, silent_after_down=None,
                           reset=False, delay_s=0, rate=None, piece=65536, only=None)
        self.faults.update(faults)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.made, self.open, self.lock = 0, [], threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self.to, timeout=60)
                far.settimeout(None)
            except OSError:
                near.close()
                continue
            for end in (near, far):
                # Small pieces must not wait for the other side's delayed acknowledgements.
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.made += 1
                number = self.made
                self.open += [near, far]
            for one, other, way in ((near, far, "up"), (far, near, "down")):
                threading.Thread(target=self._pass, args=(one, other, way, number), daemon=True).start()

    def _pass(self, one, other, way, number):
        faults = self.faults
        hit = faults["only"] in (None, number)
        passed = 0
        try:
            while True:
                data = one.recv(faults["piece"] if hit else 65536)
                if not data:
                    other.shutdown(socket.SHUT_WR)
                    return
                if hit:
                    silent, cut = faults[f"silent_after_{way}"], faults[f"cut_after_{way}"]
                    if silent is not None and passed + len(data) > silent:
                        data = data[: max(0, silent - passed)]
                        if not data:
                            continue
                    if cut is not None and passed + len(data) >= cut:
                        other.sendall(data[: cut - passed])
                        self._end(one, other)
                        return
                    pause = faults["delay_s"] + (len(data) / faults["rate"] if faults["rate"] else 0)
                    if pause:
                        time.sleep(pause)
                other.sendall(data)
                passed += len(data)
        except OSError:
            self._end(one, other)

    def _end(self, *sockets):
        for each in sockets:
            try:
                if self.faults["reset"]:
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
            except OSError:
                pass

    def cut(self):
        """Ends every connection now."""
        with self.lock:
            self._end(*self.open)
            self.open = []

    def stop(self):
        self.listener.close()
        self.cut()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
