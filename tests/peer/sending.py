"""One transfer at its sender (§9), and what it knows of what has arrived."""

import zlib

import digests
import wire


class Sending:
    def __init__(self, name, source, want=None, listing=False, is_begun=False):
        self.id = None
        self.name, self.source, self.want, self.listing, self.is_begun = name, source, want, listing, is_begun
        self.state = "queued"
        self.restart = False
        self.resumed_from = 0
        self.chances = {"integrity": 1, "unknown": 1}  # how often it is offered again
        self.forget()

    def forget(self):
        """As at first: nothing is sent, nothing has arrived."""
        self.received = self.limit = 0
        self.next = self.high = 0  # where new DATA goes on; the end of what was ever sent
        self.gaps, self.known = [], 0  # named by the last ACK; the end of what is known to have arrived
        self.missing = []  # of the gaps, what is to be sent again
        self.back = None  # where everything is to be sent again from, and when it was named
        self.named = {}  # when a gap was first named, by its start
        self.latest = float("-inf")
        self.log = []  # what was sent: (start, end, time, whether for another time)
        self.hashed, self.crc = 0, 0

    def offer(self, receivers_digests):
        self.digest_kind = digests.choose(receivers_digests)
        if not self.hashed:
            self.digest = digests.MAKES[self.digest_kind]()
        source = self.source
        size = None if self.listing or source.directory else source.length
        return wire.Frame(
            kind="offer", transfer=self.id, size=size, modified=source.modified, executable=source.executable,
            directory=source.directory, restart=self.restart, want=self.want, listing=self.listing,
            digest=self.digest_kind, identity=source.identity, name=self.name,
        )

    def queue_again(self, restart):
        self.state, self.restart = "queued", restart
        self.forget()

    def is_open(self):
        return self.state in ("offered", "verifying", "sending", "ended")

    # What is sent

    def take_in(self, data):
        self.crc = zlib.crc32(data, self.crc)
        self.digest.update(data)
        self.hashed += len(data)

    def prefix_check(self, offset):
        """The check of the first bytes of the source, nothing if it is shorter; it begins the check of the whole."""
        while self.hashed < offset:
            data = self.source.read(self.hashed, min(1 << 20, offset - self.hashed))
            if not data:
                return None
            self.take_in(data)
        return self.crc

    def under_way(self):
        arrived = self.known - self.received - sum(end - start for start, end in self.gaps)
        return max(0, self.next - self.received - arrived - sum(end - start for start, end in self.missing))

    def has_data(self):
        return bool(self.missing) or self.next < self.source.length

    def following(self):
        """Start and the most that may follow it of what is to be sent next."""
        if self.missing:
            return self.missing[0]
        return self.next, self.source.length

    def data(self, start, end, now):
        """DATA of this range, nothing if the source has become shorter."""
        payload = self.source.read(start, end - start)
        if len(payload) < end - start:
            return None
        if start <= self.hashed < end:
            self.take_in(payload[self.hashed - start :])
        self.log.append((start, end, now, start < self.high))
        if self.missing:
            first = self.missing[0]
            self.missing[:1] = [(end, first[1])] if end < first[1] else []
        else:
            self.next = end
        self.high = max(self.high, end)
        return wire.Frame(kind="data", transfer=self.id, offset=start, payload=payload)

    def end(self):
        return wire.Frame(
            kind="end", transfer=self.id, size=self.source.length, check=self.crc, digest=self.digest_kind,
            value=self.digest.digest(),
        )

    # What has arrived

    def has_arrived(self):
        """How many bytes are known to have."""
        return self.known - sum(end - start for start, end in self.gaps)

    def newest(self, at):
        return next((entry for entry in reversed(self.log) if entry[0] <= at < entry[1]), None)

    def arrived(self, ack, now):
        """Takes an ACK; the round trip of what it covers, if that was sent once only, and how far it came."""
        rise, trip = ack.received - self.received, None
        before = self.log
        self.received, self.limit = ack.received, ack.received + ack.credit
        if rise:
            covered = [entry for entry in self.log if entry[1] <= self.received]
            once = [e for e in covered if not e[3] and not any(o[3] and o[0] < e[1] and e[0] < o[1] for o in self.log)]
            if once:
                trip = now - once[-1][2]
            self.log = [entry for entry in self.log if entry[1] > self.received]
        self.gaps, self.known = list(ack.gaps), ack.received
        if self.gaps:
            self.known = self.gaps[-1][1] + ack.beyond
        back = None
        if self.gaps and not ack.beyond:
            back = self.gaps.pop()[0]
            self.known = back
        if back is not None and back < self.next:
            if self.back is None or self.back[0] != back:
                self.back = (back, now)
        else:
            self.back = None
        self.named = {start: self.named.get(start, now) for start, _ in self.gaps}
        self.next = max(self.next, self.known)
        self.note_latest(before)
        return trip, rise

    def is_on_its_way(self, at, now, patience):
        """Whether what begins here was sent again not long ago, and nothing has arrived that was sent after it."""
        entry = self.newest(at)
        return entry is not None and entry[3] and now - entry[2] < patience and entry[2] >= self.latest

    def note_latest(self, log):
        """When the latest was sent of what is known to have arrived; what was sent twice does not say which of the two has."""
        for start, end, sent, is_again in reversed(log):
            if sent <= self.latest:
                return
            if not is_again and end <= self.known and not any(a < end and start < b for a, b in self.gaps):
                self.latest = sent
                return

    def find_missing(self, now, round_trip, patience, tolerance):
        """What of the gaps counts as lost (with datagrams only if that much has overtaken it, or a while has passed); whether there is something new."""
        before, self.missing = self.missing, []
        arrived_after = 0
        for start, end in self.gaps:
            arrived_after += end - start
        for start, end in self.gaps:
            overtaken = self.known - start - arrived_after
            arrived_after -= end - start
            if tolerance and overtaken < tolerance and now - self.named[start] < round_trip / 4:
                continue
            at, end = start, min(end, self.next)
            while at < end:
                entry = self.newest(at)
                stop = end if entry is None else min(end, entry[1])
                if not self.is_on_its_way(at, now, patience):
                    self.missing.append((at, stop))
                at = stop
        if self.back and not (tolerance and now - self.back[1] < round_trip / 4):
            at, self.back = self.back[0], None
            if at < self.next and not self.is_on_its_way(at, now, patience):
                self.next = at
                return True
        return any(piece not in before for piece in self.missing)

    def go_on_from_known(self):
        """After the timer: what is known to be missing, then what is not known to have arrived."""
        self.missing, self.back = list(self.gaps), None
        self.next = max(self.known, self.received)
        self.log = [(start, end, float("-inf"), True) for start, end, _, _ in self.log]
