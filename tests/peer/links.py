"""Links: a TCP connection, a serial line, and UDP, each with the framing it has."""

import errno
import hashlib
import hmac
import os
import secrets
import select
import socket
import termios
import time
import tty

import framing
import wire

STEP = 30.0


class Bytes:
    """A link of bytes; how much of what was sent it holds back is bounded by those who send."""

    def __init__(self, fd, owner, most):
        self.fd, self.owner, self.most = fd, owner, most
        self.waiting, self.is_dead = bytearray(), False
        os.set_blocking(fd, False)

    def fileno(self):
        return self.fd

    def pending(self):
        return len(self.waiting)

    def has_room(self):
        return len(self.waiting) < self.most and not self.is_dead

    def send(self, data):
        self.waiting += data

    def flush(self):
        while self.waiting:
            try:
                done = os.write(self.fd, self.waiting)
            except BlockingIOError:
                return
            except OSError:
                self.is_dead = True
                self.waiting.clear()
                return
            del self.waiting[:done]

    def receive(self):
        """What has come: a list of pieces; nothing at the end."""
        try:
            data = os.read(self.fd, 65536)
        except BlockingIOError:
            return []
        except OSError as fault:
            if fault.errno not in (errno.ECONNRESET, errno.EIO, errno.EPIPE):
                raise
            data = b""
        return [data] if data else None

    def end(self):
        """Ends the sending side and reads on for a moment, so that what was said last is not lost."""
        if isinstance(self.owner, socket.socket):
            try:
                self.owner.shutdown(socket.SHUT_WR)
                deadline = time.monotonic() + 1
                while (left := deadline - time.monotonic()) > 0 and select.select([self.fd], [], [], left)[0]:
                    if self.receive() is None:
                        break
            except OSError:
                pass
        self.close()

    def close(self):
        if isinstance(self.owner, socket.socket):
            self.owner.close()
        else:
            os.close(self.fd)


def tcp(address):
    owner = socket.create_connection(address, timeout=10)
    return tcp_link(owner)


def tcp_link(owner):
    owner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Bytes(owner.fileno(), owner, 1 << 16)


def serial(path):
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(fd, termios.TCSANOW)
    return Bytes(fd, None, 512)


class Udp:
    """Datagrams to and from one address."""

    is_dead = False

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(address)
        self.socket.setblocking(False)

    def fileno(self):
        return self.socket.fileno()

    def pending(self):
        return 0

    def has_room(self):
        return True

    def send(self, data):
        try:
            self.socket.send(data)
        except OSError:
            pass  # lost, as any may be

    def flush(self):
        pass

    def receive(self):
        found = []
        while len(found) < 64:
            try:
                found.append(self.socket.recv(65536))
            except BlockingIOError:
                break
            except ConnectionRefusedError:
                continue  # nobody is there yet, or somebody says so
        return found

    def end(self):
        self.close()

    def close(self):
        self.socket.close()


class Cookies:
    """The nonces that an end which waits on a port gives to those who have shown nothing yet (§8.6)."""

    def __init__(self):
        self.key = secrets.token_bytes(32)

    def make(self, address, nonce, step):
        text = f"{address[0]} {address[1]} {nonce} {step}".encode()
        return int.from_bytes(hmac.digest(self.key, text, hashlib.sha256)[:8], "little") or 1

    def now(self, address, nonce):
        return self.make(address, nonce, int(time.monotonic() // STEP))

    def is_good(self, address, hello):
        step = int(time.monotonic() // STEP)
        return hello.echo in (self.make(address, hello.nonce, step), self.make(address, hello.nonce, step - 1))


def padded_hello(data):
    """The HELLO that a datagram of at least 60 bytes is, or nothing."""
    if len(data) < 60 or data[0] != wire.HELLO or not wire.checked(data):
        return None
    try:
        return wire.read(data[0], data[1:-4])
    except wire.Malformed:
        return None


FRAMINGS = {"tcp": framing.Stream, "serial": framing.Cobs, "udp": framing.Datagrams}


def parse(url):
    """Scheme and address of a URL."""
    scheme, _, rest = url.partition(":")
    if scheme == "serial":
        return scheme, rest
    if scheme not in FRAMINGS or not rest.startswith("//"):
        raise SystemExit(f"no such link: {url}")
    host, _, port = rest[2:].rpartition(":")
    return scheme, (host, int(port))


def dial(url):
    """A link and its scheme."""
    scheme, address = parse(url)
    return {"tcp": tcp, "serial": serial, "udp": Udp}[scheme](address), scheme
