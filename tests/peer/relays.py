"""What lies between two ends in a test: it carries bytes or datagrams, and damages them as a seed has it."""

import contextlib
import os
import pty
import random
import select
import socket
import termios
import threading
import time
import tty


class Damage:
    """What befalls each piece: shares of bytes (of a line) or of datagrams."""

    def __init__(self, seed=0, flips=0.0, drops=0.0, repeats=0.0, delays=0.0):
        self.random = random.Random(seed)
        self.flips, self.drops, self.repeats, self.delays = flips, drops, repeats, delays

    def line(self, data):
        """Bytes of a line: single ones altered, or lost in a row."""
        if not self.flips and not self.drops:
            return data
        out, lost = bytearray(), 0
        for byte in data:
            if lost:
                lost -= 1
            elif self.random.random() < self.drops:
                lost = self.random.randrange(1, 20)
            elif self.random.random() < self.flips:
                out.append(byte ^ 1 << self.random.randrange(8))
            else:
                out.append(byte)
        return bytes(out)

    def datagram(self, data):
        """What comes of a datagram: (delay, bytes) for each that arrives."""
        if self.random.random() < self.drops:
            return
        if self.random.random() < self.flips:
            at = self.random.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ 1 << self.random.randrange(8)]) + data[at + 1 :]
        for _ in range(2 if self.random.random() < self.repeats else 1):
            late = self.random.random() < self.delays
            yield (0.002 + self.random.random() * 0.02 if late else 0.0), data


class LastHello(Damage):
    """Loses one datagram: the first HELLO of an end whose session is open."""

    is_done = False

    def datagram(self, data):
        if not self.is_done and data[0] == 1 and data[18] & 4:
            self.is_done = True
        else:
            yield 0.0, data


class Relay(threading.Thread):
    """Runs `turn` until it is stopped; after `cut` bytes, both ways together, it carries nothing until `mend`."""

    cut = None

    def __init__(self):
        super().__init__(daemon=True)
        self.is_stopped = threading.Event()
        self.carried = 0

    def is_cut(self):
        return self.cut is not None and self.carried > self.cut

    def mend(self):
        self.cut = None

    def run(self):
        while not self.is_stopped.is_set():
            self.turn()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.is_stopped.set()
        self.join()
        self.close()


class Line(Relay):
    """A serial line between two pseudo terminals, `ends` by name."""

    def __init__(self, damage=None, cut=None):
        super().__init__()
        self.damage, self.cut = damage or Damage(), cut
        self.masters, self.slaves = zip(*(pty.openpty() for _ in range(2)))
        for slave in self.slaves:
            tty.setraw(slave, termios.TCSANOW)
        for master in self.masters:
            os.set_blocking(master, False)
        self.ends = [os.ttyname(slave) for slave in self.slaves]
        self.waiting = [bytearray(), bytearray()]

    def turn(self):
        taking = [m for i, m in enumerate(self.masters) if len(self.waiting[1 - i]) < 4096]
        giving = [m for i, m in enumerate(self.masters) if self.waiting[i]]
        readable, writable, _ = select.select(taking, giving, [], 0.05)
        for i, master in enumerate(self.masters):
            if master in readable:
                data = os.read(master, 4096)
                self.carried += len(data)
                if self.is_cut():
                    continue
                self.waiting[1 - i] += self.damage.line(data)
            if master in writable:
                try:
                    del self.waiting[i][: os.write(master, self.waiting[i])]
                except BlockingIOError:
                    pass

    def close(self):
        for fd in (*self.masters, *self.slaves):
            os.close(fd)


class Datagrams(Relay):
    """Stands before a port of UDP at its own, as an address translator with one address: whoever speaks last is answered."""

    def __init__(self, port, damage=None, cut=None):
        super().__init__()
        self.damage, self.cut = damage or Damage(), cut
        self.front, self.behind = self.make(), self.make()
        self.front.bind(("127.0.0.1", 0))
        self.behind.connect(("127.0.0.1", port))
        self.port = self.front.getsockname()[1]
        self.near, self.late = None, []

    @staticmethod
    def make():
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setblocking(False)
        return made

    def turn(self):
        select.select([self.front, self.behind], [], [], 0.002 if self.late else 0.05)
        for data, address in self.receive(self.front):
            self.near = address
            self.carry(data, self.behind)
        for data, _ in self.receive(self.behind):
            self.carry(data, self.front)
        now = time.monotonic()
        due = [entry for entry in self.late if entry[0] <= now]
        self.late = [entry for entry in self.late if entry[0] > now]
        for _, data, end in due:
            self.give(data, end)

    @staticmethod
    def receive(end):
        for _ in range(64):
            try:
                yield end.recvfrom(65536)
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                continue

    def carry(self, data, end):
        self.carried += len(data)
        if self.is_cut():
            return
        for delay, piece in self.damage.datagram(data):
            if delay:
                self.late.append((time.monotonic() + delay, piece, end))
            else:
                self.give(piece, end)

    def give(self, data, end):
        try:
            if end is self.behind:
                end.send(data)
            elif self.near:
                end.sendto(data, self.near)
        except OSError:
            pass

    def close(self):
        self.front.close()
        self.behind.close()


class Streams(Relay):
    """Stands before a port of TCP; the first connection ends after `cut` bytes either way."""

    def __init__(self, port, cut):
        super().__init__()
        self.there, self.cut = ("127.0.0.1", port), cut
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(0.05)
        self.port = self.server.getsockname()[1]
        self.connections = 0

    def turn(self):
        try:
            near = self.server.accept()[0]
        except socket.timeout:
            return
        far = socket.create_connection(self.there)
        self.connections += 1
        most = self.cut if self.connections == 1 else float("inf")
        other, open_ends = {near: far, far: near}, [near, far]
        with near, far:
            while open_ends and not self.is_stopped.is_set():
                for end in select.select(open_ends, [], [], 0.05)[0]:
                    try:
                        data = end.recv(65536)
                        if data and most > 0:
                            other[end].sendall(data)
                        elif not data:
                            open_ends.remove(end)
                    except OSError:
                        return
                    most -= len(data)
                    # Not reset: what was carried is to be read.
                    if most <= 0 or not data:
                        for each in (near, far) if most <= 0 else [other[end]]:
                            with contextlib.suppress(OSError):
                                each.shutdown(socket.SHUT_WR)

    def close(self):
        self.server.close()
