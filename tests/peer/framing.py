"""Where a frame begins and ends on a link (§2)."""

PREAMBLE = bytes.fromhex("f553504e01")


class Broken(Exception):
    """What came cannot be a frame of this framing, or the peer speaks something else."""

    def __init__(self, words, is_abort):
        super().__init__(words)
        self.is_abort = is_abort


class Stream:
    """Length prefixes on a reliable stream (§2.1)."""

    lossy = datagrams = False

    def __init__(self, largest):
        self.largest, self.data, self.greeted, self.begun = largest, bytearray(), False, False

    def wrap(self, frame):
        begin, self.begun = b"" if self.begun else PREAMBLE, True
        return begin + len(frame).to_bytes(3, "little") + frame

    def feed(self, data):
        self.data += data
        if not self.greeted:
            begin = bytes(self.data[: len(PREAMBLE)])
            if begin[:4] in (b"[+] ", b"[!] "):
                raise Broken("the peer speaks the classic handshake", False)
            if begin[:4] == PREAMBLE[:4] and begin[4:] not in (b"", PREAMBLE[4:]):
                raise Broken(f"the peer's framing has version {begin[4]}, this one 1", False)
            if not PREAMBLE.startswith(begin):
                raise Broken("the peer speaks something else", False)
            if len(begin) < len(PREAMBLE):
                return
            del self.data[: len(PREAMBLE)]
            self.greeted = True
        while len(self.data) >= 3:
            length = int.from_bytes(self.data[:3], "little")
            if not 5 <= length <= self.largest:
                raise Broken(f"a frame of {length} bytes", True)
            if len(self.data) < 3 + length:
                return
            frame = bytes(self.data[3 : 3 + length])
            del self.data[: 3 + length]
            yield frame


def stuff(frame):
    """The frame without a zero byte, delimiter not included (§2.2)."""
    out, at = bytearray(), 0
    while True:
        zero = frame.find(0, at, at + 254)
        if zero >= 0:
            out.append(zero - at + 1)
            out += frame[at:zero]
            at = zero + 1
        elif len(frame) - at >= 254:
            out.append(255)
            out += frame[at : at + 254]
            at += 254
            if at == len(frame):
                return bytes(out)
        else:
            out.append(len(frame) - at + 1)
            out += frame[at:]
            return bytes(out)


def unstuff(piece):
    """The frame that a piece without zero bytes stands for, or nothing."""
    out, at = bytearray(), 0
    while at < len(piece):
        end = at + piece[at]
        if end > len(piece):
            return None
        out += piece[at + 1 : end]
        if piece[at] != 255 and end < len(piece):
            out.append(0)
        at = end
    return bytes(out)


class Cobs:
    """Stuffed frames and delimiters on a line that may lose and alter bytes (§2.2)."""

    lossy, datagrams = True, False

    def __init__(self, largest):
        self.largest, self.piece, self.noise, self.follows = largest, bytearray(), bytearray(), False

    def wrap(self, frame):
        return (b"" if self.follows else b"\0") + stuff(frame) + b"\0"

    def feed(self, data):
        *whole, rest = data.split(b"\0")
        for part in whole:
            self.piece += part
            piece, self.piece = bytes(self.piece), bytearray()
            frame = unstuff(piece) if piece else None
            if frame is not None and 5 <= len(frame) <= self.largest:
                yield frame
            else:
                self.noise += piece
        self.piece += rest
        longest = self.largest + self.largest // 254 + 1
        if len(self.piece) > longest + 1:
            # It cannot become a frame any more: one byte too many stays, so that its end is no frame either.
            self.noise += self.piece[: -(longest + 1)]
            del self.piece[: -(longest + 1)]
        del self.noise[:-4096]


class Datagrams:
    """A datagram is a frame (§2.3)."""

    lossy = datagrams = True

    def __init__(self, largest):
        self.largest = largest

    def wrap(self, frame):
        return frame

    def feed(self, data):
        if 5 <= len(data) <= self.largest:
            yield data
