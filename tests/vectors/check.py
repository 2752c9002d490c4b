#!/usr/bin/env python3
"""Checks the vectors beside it against an encoder that is written from docs/protocol.md and zlib."""

import pathlib
import re
import sys
import zlib

HERE = pathlib.Path(__file__).parent
KINDS = {"HELLO": 1, "PING": 2, "PONG": 3, "NOTICE": 4, "ABORT": 5, "BYE": 6, "OFFER": 0x10, "WANT": 0x11, "ACCEPT": 0x12,
         "DECLINE": 0x13, "DATA": 0x14, "ACK": 0x15, "END": 0x16, "DONE": 0x17, "ATTACH": 0x47}
CODES = ["ok", "other", "not allowed", "bad name", "exists", "too large", "no space", "busy", "not found", "storage", "integrity",
         "changed", "cancelled", "unknown", "wait", "protocol", "timeout", "closing", "unsupported"]
DIGESTS = ["crc32", "crc64", "blake3", "sha256"]


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def zigzag(n):
    return varint(n * 2 if n >= 0 else -n * 2 - 1)


def le(n, size):
    return n.to_bytes(size, "little")


def number(text):
    return int(text, 0)


def hexadecimal(text):
    return b"" if text == "-" else bytes.fromhex(text)


def unquote(text):
    assert text[0] == text[-1] == '"', text
    text = re.sub(r"\\x(..)", lambda m: chr(int(m[1], 16)), text[1:-1])
    return text.encode("latin-1")


def quote(data):
    return '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in data) + '"'


def flags(fields, *names):
    """Bit by bit, lowest first; a field that is present counts as a set flag."""
    return bytes([sum(1 << bit for bit, name in enumerate(names) if fields[name] not in ("no", "-"))])


def optional(fields, name, encode):
    return b"" if fields[name] == "-" else encode(number(fields[name]))


def items(text):
    return [] if text == "-" else text.split(",")


def body(kind, f):
    def num(name):
        return varint(number(f[name]))

    def code():
        return bytes([CODES.index(f["code"])])

    if kind == "HELLO":
        digests = items(f["digests"])
        return (le(number(f["version"]), 1) + le(number(f["nonce"]), 8) + le(number(f["echo"]), 8)
                + flags(f, "one_direction", "answers_want", "open")
                + b"".join(map(num, ("frame", "window", "eager", "transfers", "gaps", "name")))
                + bytes([len(digests)]) + bytes(map(DIGESTS.index, digests)))
    if kind in ("PING", "PONG"):
        return num("number")
    if kind == "NOTICE":
        return num("number") + unquote(f["words"])
    if kind == "ABORT":
        scope = ["session", "sending", "receiving"].index(f["scope"])
        return bytes([scope]) + num("transfer") + code() + unquote(f["words"])
    if kind == "BYE":
        return code() + unquote(f["words"])
    if kind == "OFFER":
        identity = hexadecimal(f["identity"])
        types = [f[name] for name in ("executable", "directory", "listing")]
        assert types.count("yes") <= 1, "§5.1: one type"
        return (num("transfer") + flags(f, "size", "modified", "executable", "directory", "restart", "want", "listing")
                + optional(f, "size", varint) + optional(f, "modified", zigzag) + optional(f, "want", varint)
                + bytes([DIGESTS.index(f["digest"]), len(identity)]) + identity + unquote(f["name"]))
    if kind == "WANT":
        return num("number") + flags(f, "listing") + unquote(f["name"])
    if kind == "ACCEPT":
        return num("transfer") + flags(f, "have") + num("offset") + le(number(f["check"]), 4) + num("credit")
    if kind == "DECLINE":
        return bytes([["offer", "want"].index(f["what"])]) + num("number") + code() + unquote(f["words"])
    if kind == "DATA":
        return num("transfer") + num("offset") + hexadecimal(f["payload"])
    if kind == "ACK":
        gaps, end = b"", number(f["received"])
        for gap in items(f["gaps"]):
            start, length = map(int, gap.split("+"))
            assert length > 0 and (start > end or not gaps), "§5.6: gaps do not touch"
            gaps += varint(start - end) + varint(length)
            end = start + length
        return (num("transfer") + num("received") + num("durable") + num("credit")
                + varint(len(items(f["gaps"]))) + gaps + (num("beyond") if gaps else b""))
    if kind == "END":
        value = hexadecimal(f["value"])
        assert len(value) == [0, 8, 32, 32][DIGESTS.index(f["digest"])]
        return num("transfer") + num("size") + le(number(f["check"]), 4) + bytes([DIGESTS.index(f["digest"])]) + value
    if kind == "DONE":
        return num("transfer") + code() + unquote(f["words"])
    if kind == "ATTACH":
        name = unquote(f["name"])
        assert re.fullmatch(rb"[A-Za-z0-9._-]{0,64}", name) and name.lower() != b"all", "§4.6"
        return name
    raise ValueError(kind)


def tag(sender, receiver):
    return zlib.crc32(le(sender, 8) + le(receiver, 8))


def seal(kind, covered, sender, receiver):
    return covered + le(zlib.crc32(covered, 0 if kind == "HELLO" else tag(sender, receiver)), 4)


def name_verdict(name):
    if not name:
        return "empty"
    if len(name) > 1024:
        return "too-long"
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return "not-utf8"
    if "\\" in text:
        return "backslash"
    if re.search("[\0-\x1f\x7f-\x9f\u2028\u2029]", text):
        return "control"
    if re.search("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", text):
        return "direction"
    for part in name.split(b"/"):
        if not part:
            return "empty-part"
        if part in (b".", b".."):
            return "dot-part"
        if len(part) > 255:
            return "part-too-long"
        if part.lower().startswith(b".sampan"):
            return "reserved"
    return "valid"


def portable_verdict(name):
    for part in name.decode().split("/"):
        if re.search('[:*?"<>|]', part):
            return "character"
        if part[-1] in ". ":
            return "ending"
        stem = part.split(".")[0].rstrip(" ").upper()
        if re.fullmatch("CON|PRN|AUX|NUL|CONIN[$]|CONOUT[$]|(COM|LPT)[0-9\u00b9\u00b2\u00b3]", stem):
            return "device"
    return "portable"


def shift(crc, length):
    """Multiplies by x one bit at a time, with the length reduced by the order of x^8, which is 2^32 - 1."""
    length %= 2**32 - 1
    power, factor = 0x00800000, 0x80000000
    while length:
        if length & 1:
            factor = times(factor, power)
        power = times(power, power)
        length >>= 1
    return times(crc, factor)


def times(a, b):
    """As ordinary polynomials: bit n is x^n, divided by the whole polynomial at the end."""
    a, b = (int(f"{n:032b}"[::-1], 2) for n in (a, b))
    product = 0
    for bit in range(32):
        if a >> bit & 1:
            product ^= b << bit
    for bit in range(63, 31, -1):
        if product >> bit & 1:
            product ^= 0x104C11DB7 << (bit - 32)
    return int(f"{product:032b}"[::-1], 2)


def lines(file):
    for line in (HERE / file).read_text("ascii").splitlines():
        if line and not line.startswith("#"):
            yield line


def paragraphs(file):
    text = "\n".join(line for line in (HERE / file).read_text("ascii").splitlines() if not line.startswith("#"))
    for paragraph in re.split(r"\n\n+", text.strip()):
        yield dict(line.split("=", 1) for line in paragraph.splitlines())


def check_frames():
    for f in paragraphs("frames.txt"):
        frame, kind = bytes.fromhex(f["bytes"]), f["kind"]
        assert frame[0] == KINDS[kind], f
        assert seal(kind, frame[:-4], number(f["from"]), number(f["to"])) == frame, f["vector"]
        if "reads" not in f:
            assert frame[1:-4] == body(kind, f), f["vector"]
        yield


def check_malformed():
    """A second parser would be needed to say more than that every kind and class is known."""
    for line in lines("malformed.txt"):
        kind, error, data = line.split(" # ")[0].split()
        assert kind in KINDS and error in ("truncated", "trailing", "varint", "value", "text"), line
        hexadecimal(data)
        yield


def check_names():
    for line in lines("names.txt"):
        verdict, portable, name = line.split(" ", 2)
        name = unquote(name)
        assert name_verdict(name) == verdict, line
        assert portable == (portable_verdict(name) if verdict == "valid" else "-"), line
        yield


def check_varints():
    for line in lines("varints.txt"):
        kind, data, value = line.split()
        data = hexadecimal(data)
        if re.fullmatch("-?[0-9]+", value):
            assert (zigzag if kind == "zigzag" else varint)(int(value)) == data, line
        elif value == "truncated":
            assert not data or data[-1] & 128, line
        else:
            assert value == "varint", line
            decoded = sum((byte & 127) << 7 * i for i, byte in enumerate(data))
            assert decoded >= 2 ** (32 if kind == "varint32" else 64) or varint(decoded) != data, line
        yield


def check_crc():
    for line in lines("crc.txt"):
        what, rest = line.split(" ", 1)
        if what == "crc32":
            text, result = rest.rsplit(" ", 1)
            assert zlib.crc32(unquote(text)) == number(result), line
        else:
            *arguments, result = map(number, rest.split())
            combine = lambda a, b, length: shift(a, length) ^ b
            assert {"tag": tag, "shift": shift, "combine": combine}[what](*arguments) == result, line
        yield


def record(size, modified, executable, directory, name):
    f = dict(size=size, modified=modified, executable=executable, directory=directory)
    return (flags(f, *f) + optional(f, "size", varint) + optional(f, "modified", zigzag)
            + varint(len(name)) + name)


def check_listing():
    for line in lines("listing.txt"):
        fields = line.split(" ", 5)
        if len(fields) == 6:
            assert record(*fields[1:5], unquote(fields[5])) == bytes.fromhex(fields[0]), line
        else:
            assert fields[1] in ("truncated", "varint", "value"), line
        yield


def main():
    for check in (check_frames, check_malformed, check_names, check_varints, check_crc, check_listing):
        count = sum(1 for _ in check())
        assert count, check
        print(f"{check.__name__}: {count}")


if __name__ == "__main__":
    sys.exit(main())
