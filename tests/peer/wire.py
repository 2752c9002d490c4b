"""Frames (docs/protocol.md §3 to §7): the bytes between kind and check, both ways, and the check."""

import re
import types
import zlib

KINDS = {
    0x01: "hello", 0x02: "ping", 0x03: "pong", 0x04: "notice", 0x05: "abort", 0x06: "bye", 0x10: "offer", 0x11: "want",
    0x12: "accept", 0x13: "decline", 0x14: "data", 0x15: "ack", 0x16: "end", 0x17: "done", 0x47: "attach",
}
CODES_OF_KINDS = {name: code for code, name in KINDS.items()}
HELLO = 0x01

CODES = [
    "ok", "other", "not allowed", "bad name", "exists", "too large", "no space", "busy", "not found", "storage",
    "integrity", "changed", "cancelled", "unknown", "wait", "protocol", "timeout", "closing", "unsupported",
]
CRC32, CRC64, BLAKE3, SHA256 = range(4)
DIGEST_BYTES = {CRC32: 0, CRC64: 8, BLAKE3: 32, SHA256: 32}
SCOPES = ["session", "sending", "receiving"]

SMALLEST_LARGEST = 60
LARGEST_CONTROL = 1088
TOP = 2**64 - 1


class Malformed(Exception):
    """A frame with a right check that breaks §3.3; its argument is the class of the fault."""


class Frame(types.SimpleNamespace):
    """A frame's kind, by name, and its fields by the names of the tables of §4 and §5."""


# Numbers


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def zigzag(n):
    return varint(n * 2 if n >= 0 else -n * 2 - 1)


def le(n, size):
    return n.to_bytes(size, "little")


class Reader:
    """Takes fields from the front of bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def left(self):
        return len(self.data) - self.at

    def bytes(self, n):
        if self.left() < n:
            raise Malformed("truncated")
        self.at += n
        return self.data[self.at - n : self.at]

    def uint(self, size):
        return int.from_bytes(self.bytes(size), "little")

    def varint(self, bits=64):
        value = 0
        for place in range(10):
            byte = self.uint(1)
            value |= (byte & 127) << 7 * place
            if byte < 128:
                if value >= 1 << bits or (byte == 0 and place > 0):
                    raise Malformed("varint")
                return value
        raise Malformed("varint")

    def varint32(self, least=0):
        value = self.varint(32)
        if value < least:
            raise Malformed("value")
        return value

    def zigzag(self):
        n = self.varint()
        return n >> 1 if n & 1 == 0 else -(n >> 1) - 1

    def flags(self, known):
        flags = self.uint(1)
        if flags & ~known:
            raise Malformed("value")
        return flags

    def code(self, may_be_ok=True):
        code = self.uint(1)
        return CODES[code] if (code > 0 or may_be_ok) and code < len(CODES) else "other"

    def rest(self):
        return self.bytes(self.left())

    def words(self, most=256):
        data = self.rest()
        if len(data) > most:
            raise Malformed("text")
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise Malformed("text") from None

    def choice(self, known):
        value = self.uint(1)
        if value >= len(known):
            raise Malformed("value")
        return known[value]

    def done(self):
        if self.left():
            raise Malformed("trailing")


# Names


def valid_name(name):
    """Whether bytes are a name by §6."""
    if not 1 <= len(name) <= 1024:
        return False
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return False
    if re.search("[\\\\\0-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", text):
        return False
    return all(
        1 <= len(part) <= 255 and part not in (b".", b"..") and not part.lower().startswith(b".sampan")
        for part in name.split(b"/")
    )


# Fields


def read_hello(r):
    f = Frame(version=r.uint(1), nonce=r.uint(8), echo=r.uint(8))
    flags = r.uint(1)
    f.one_direction, f.answers_want, f.open = bool(flags & 1), bool(flags & 2), bool(flags & 4)
    f.frame = r.varint32()
    f.window, f.eager, f.transfers, f.gaps, f.name = (r.varint32() for _ in range(5))
    count = r.uint(1)
    if f.version == 0 or f.nonce == 0 or f.frame < SMALLEST_LARGEST or count > 4:
        raise Malformed("value")
    f.digests = list(dict.fromkeys(d for d in r.bytes(count) if d in DIGEST_BYTES))
    r.rest()
    return f


def write_hello(f):
    return (
        le(f.version, 1) + le(f.nonce, 8) + le(f.echo, 8) + bytes([f.one_direction | f.answers_want << 1 | f.open << 2])
        + b"".join(map(varint, (f.frame, f.window, f.eager, f.transfers, f.gaps, f.name)))
        + bytes([len(f.digests)]) + bytes(f.digests) + bytes(f.padding)
    )


def read_ping(r):
    f = Frame(number=r.varint32())
    r.rest()
    return f


def read_abort(r):
    f = Frame(scope=r.choice(SCOPES), transfer=r.varint32(), code=r.code(False), words=r.words())
    if (f.scope == "session") != (f.transfer == 0):
        raise Malformed("value")
    return f


def read_offer(r):
    f = Frame(transfer=r.varint32(1))
    flags = r.flags(0x7F)
    f.executable, f.directory, f.listing = bool(flags & 4), bool(flags & 8), bool(flags & 64)
    f.restart = bool(flags & 16)
    if f.executable + f.directory + f.listing > 1:
        raise Malformed("value")
    f.size = r.varint() if flags & 1 else None
    f.modified = r.zigzag() if flags & 2 else None
    f.want = r.varint32(1) if flags & 32 else None
    f.digest = r.uint(1)
    length = r.uint(1)
    if f.digest not in DIGEST_BYTES or length > 16 or (f.directory and f.size):
        raise Malformed("value")
    f.identity, f.name = r.bytes(length), r.rest()
    return f


def write_offer(f):
    flags = (
        (f.size is not None) | (f.modified is not None) << 1 | f.executable << 2 | f.directory << 3 | f.restart << 4
        | (f.want is not None) << 5 | f.listing << 6
    )
    return (
        varint(f.transfer) + bytes([flags]) + (b"" if f.size is None else varint(f.size))
        + (b"" if f.modified is None else zigzag(f.modified)) + (b"" if f.want is None else varint(f.want))
        + bytes([f.digest, len(f.identity)]) + f.identity + f.name
    )


def read_accept(r):
    f = Frame(transfer=r.varint32(1), have=bool(r.flags(1)), offset=r.varint(), check=r.uint(4), credit=r.varint32())
    if (f.have and (f.offset or f.check or f.credit)) or (f.offset == 0 and f.check):
        raise Malformed("value")
    return f


def read_data(r):
    f = Frame(transfer=r.varint32(1), offset=r.varint(), payload=r.rest())
    if not f.payload:
        raise Malformed("truncated")
    return f


def read_ack(r):
    f = Frame(transfer=r.varint32(1), received=r.varint(), durable=r.varint(), credit=r.varint32(), gaps=[], beyond=0)
    if f.durable > f.received:
        raise Malformed("value")
    end = f.received
    for i in range(r.varint32()):
        skip, length = r.varint(), r.varint()
        if length == 0 or (skip == 0 and i > 0) or end + skip + length > TOP:
            raise Malformed("value")
        f.gaps.append((end + skip, end + skip + length))
        end += skip + length
    if f.gaps:
        f.beyond = r.varint()
        if end + f.beyond > TOP:
            raise Malformed("value")
    return f


def write_ack(f):
    out, end = b"", f.received
    for start, stop in f.gaps:
        out += varint(start - end) + varint(stop - start)
        end = stop
    return (
        varint(f.transfer) + varint(f.received) + varint(f.durable) + varint(f.credit) + varint(len(f.gaps)) + out
        + (varint(f.beyond) if f.gaps else b"")
    )


def read_end(r):
    f = Frame(transfer=r.varint32(1), size=r.varint(), check=r.uint(4), digest=r.uint(1))
    if f.digest not in DIGEST_BYTES:
        raise Malformed("value")
    f.value = r.bytes(DIGEST_BYTES[f.digest])
    return f


def read_attach(r):
    f = Frame(name=r.rest())
    try:
        f.name.decode()
    except UnicodeDecodeError:
        raise Malformed("text") from None
    if len(f.name) > 64:
        raise Malformed("text")
    if not re.fullmatch(rb"[A-Za-z0-9._-]*", f.name) or f.name.lower() == b"all":
        raise Malformed("value")
    return f


READ = {
    "hello": read_hello,
    "ping": read_ping,
    "pong": lambda r: Frame(number=r.varint32()),
    "notice": lambda r: Frame(number=r.varint32(1), words=r.words(1024)),
    "abort": read_abort,
    "bye": lambda r: Frame(code=r.code(), words=r.words()),
    "offer": read_offer,
    "want": lambda r: Frame(number=r.varint32(1), listing=bool(r.flags(1)), name=r.rest()),
    "accept": read_accept,
    "decline": lambda r: Frame(
        what=r.choice(["offer", "want"]), number=r.varint32(1), code=r.code(False), words=r.words()
    ),
    "data": read_data,
    "ack": read_ack,
    "end": read_end,
    "done": lambda r: Frame(transfer=r.varint32(1), code=r.code(), words=r.words()),
    "attach": read_attach,
}


def coded(f):
    return bytes([CODES.index(f.code)]) + f.words.encode()


WRITE = {
    "hello": write_hello,
    "ping": lambda f: varint(f.number),
    "pong": lambda f: varint(f.number),
    "notice": lambda f: varint(f.number) + f.words.encode(),
    "abort": lambda f: bytes([SCOPES.index(f.scope)]) + varint(f.transfer) + coded(f),
    "bye": coded,
    "offer": write_offer,
    "want": lambda f: varint(f.number) + bytes([f.listing]) + f.name,
    "accept": lambda f: varint(f.transfer) + bytes([f.have]) + varint(f.offset) + le(f.check, 4) + varint(f.credit),
    "decline": lambda f: bytes([["offer", "want"].index(f.what)]) + varint(f.number) + coded(f),
    "data": lambda f: varint(f.transfer) + varint(f.offset) + f.payload,
    "ack": write_ack,
    "end": lambda f: varint(f.transfer) + varint(f.size) + le(f.check, 4) + bytes([f.digest]) + f.value,
    "done": lambda f: varint(f.transfer) + coded(f),
    "attach": lambda f: f.name,
}


def read(kind, body):
    """The frame of a known kind, given as its byte, with this body; raises Malformed."""
    reader = Reader(body)
    frame = READ[KINDS[kind]](reader)
    reader.done()
    frame.kind = KINDS[kind]
    return frame


def write(frame):
    """Kind and body."""
    return bytes([CODES_OF_KINDS[frame.kind]]) + WRITE[frame.kind](frame)


# The check


def tag(sender, receiver):
    """What the check of a frame from one nonce to the other begins with (§3.4)."""
    return zlib.crc32(le(sender, 8) + le(receiver, 8))


def seal(covered, start=0):
    return covered + le(zlib.crc32(covered, start), 4)


def checked(frame, start=0):
    return len(frame) >= 5 and zlib.crc32(frame[:-4], start) == int.from_bytes(frame[-4:], "little")


# Listings


def record(size, modified, executable, directory, name):
    """One record of a listing (§12)."""
    flags = (size is not None) | (modified is not None) << 1 | executable << 2 | directory << 3
    return (
        bytes([flags]) + (b"" if size is None else varint(size)) + (b"" if modified is None else zigzag(modified))
        + varint(len(name)) + name
    )


def read_record(r):
    flags = r.flags(15)
    f = Frame(executable=bool(flags & 4), directory=bool(flags & 8))
    f.size = r.varint() if flags & 1 else None
    f.modified = r.zigzag() if flags & 2 else None
    length = r.varint()
    if length > 1024:
        raise Malformed("value")
    f.name = r.bytes(length)
    return f


def records(contents):
    """The records of a whole listing; raises Malformed."""
    reader, found = Reader(contents), []
    while reader.left():
        found.append(read_record(reader))
    return found
