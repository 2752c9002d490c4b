"""One transfer at its receiver (§10)."""

import zlib

import digests
import wire
from store import Refused


class Receiving:
    def __init__(self, offer, sink, window, memory):
        self.id, self.offer, self.sink, self.window, self.memory = offer.transfer, offer, sink, window, memory
        self.received = self.resumed_from = self.said = sink.durable
        self.crc, self.digest = 0, digests.MAKES[offer.digest]()
        self.pieces = []  # what has been stored beyond `received`: (start, end), apart from each other
        self.lost = None  # the end of all that was received when something beyond it was dropped
        self.unsaid = 0  # frames of DATA since the last ACK
        self.is_due = False  # an ACK, once no further frame is there
        self.is_due_at_once = False
        self.stored_at = None
        self.take_in(0, self.received)

    def take_in(self, start, end):
        """Adds what is stored to the check and the digest."""
        while start < end:
            data = self.sink.read(start, min(1 << 20, end - start))
            self.crc = zlib.crc32(data, self.crc)
            self.digest.update(data)
            start += len(data)

    def data(self, offset, payload, now):
        """Takes DATA; raises Refused if it is too large. True if `received` has risen."""
        end = offset + len(payload)
        if end > (2**64 - 2 if self.offer.size is None else self.offer.size):
            raise Refused("too large")
        self.is_due = True
        self.unsaid += 1
        if end <= self.received:
            return False
        if offset > self.received:
            self.beyond(offset, end, payload)
            return False
        self.advance(payload[self.received - offset :])
        self.stored_at = self.stored_at or now
        return True

    def advance(self, payload):
        self.sink.write(self.received, payload)
        self.crc = zlib.crc32(payload, self.crc)
        self.digest.update(payload)
        self.received += len(payload)
        while self.pieces and self.pieces[0][0] <= self.received:
            end = self.pieces.pop(0)[1]
            if end > self.received:
                self.take_in(self.received, end)
                self.received = end
        self.find()

    def last(self):
        """The end of all that was received."""
        return self.pieces[-1][1] if self.pieces else self.received

    def find(self):
        if self.lost is not None and self.last() > self.lost:
            self.lost = None

    def beyond(self, start, end, payload):
        """DATA beyond a gap: it is stored if the gaps can be remembered."""
        apart = [p for p in self.pieces if p[1] < start or p[0] > end]
        touched = [p for p in self.pieces if not (p[1] < start or p[0] > end)]
        joined = (min([start, *(p[0] for p in touched)]), max([end, *(p[1] for p in touched)]))
        pieces = sorted([*apart, joined])
        if len(pieces) > self.memory:
            if start > self.last():
                self.is_due_at_once |= self.lost is None
                self.lost = self.last()
            return
        self.is_due_at_once |= len(pieces) > len(self.pieces)
        self.sink.write(start, payload)
        self.pieces = pieces
        self.find()

    def gaps(self, size=None):
        """Gaps and what lies beyond the last; with the size, as an end that misses the end of the contents."""
        gaps, at, beyond = [], self.received, 0
        for start, end in self.pieces:
            gaps.append((at, start))
            at, beyond = end, end - start
        if size is None and self.lost is not None:
            size = max(at + 1, self.offer.size or 0)
        if size is not None and size > at:
            return [*gaps, (at, size)], 0
        return gaps, beyond

    def ack(self, largest, size=None):
        gaps, beyond = self.gaps(size)
        while True:
            frame = wire.Frame(
                kind="ack", transfer=self.id, received=self.received, durable=self.sink.durable, credit=self.window,
                gaps=gaps, beyond=beyond,
            )
            if len(wire.write(frame)) + 4 <= largest:
                break
            # The first gaps are named; between two of them lies what was received.
            beyond = gaps[-1][0] - gaps[-2][1]
            gaps = gaps[:-1]
        self.said, self.unsaid, self.is_due, self.is_due_at_once = self.received, 0, False, False
        return frame

    def accept(self):
        check = self.crc if self.received else 0
        return wire.Frame(kind="accept", transfer=self.id, have=False, offset=self.received, check=check, credit=self.window)

    def sync(self):
        self.stored_at = None
        if self.sink.durable != self.received:
            self.sink.sync(self.received)
            self.is_due_at_once = True

    def is_right(self, end):
        return end.size == self.received and end.check == self.crc

    def commit(self, end):
        """The code of DONE."""
        if self.digest.digest() != end.value:
            self.sink.discard()
            return "integrity"
        try:
            self.sink.commit(self.received)
        except OSError:
            return "storage"
        return "ok"
