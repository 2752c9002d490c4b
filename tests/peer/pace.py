"""How long an answer is awaited, how much may be under way, and how long a frame is, on links that lose frames (§8.5, §8.7)."""

import math

LONGEST = 5.0
FIRST_PAYLOAD = 240
LEAST_PAYLOAD = 32
DATAGRAM = 1200
OVERHEAD = 11  # what a frame on a line costs beside its payload
FIELDS = 20  # at most, of DATA, with kind and check


class Pace:
    def __init__(self, is_lossy, is_datagrams, largest_payload, window):
        self.is_lossy, self.is_datagrams = is_lossy, is_datagrams
        self.largest = min(largest_payload, DATAGRAM - FIELDS) if is_datagrams else largest_payload
        if is_lossy:
            self.largest = min(self.largest, max(LEAST_PAYLOAD, window // 2))
        self.payload = self.largest if is_datagrams or not is_lossy else min(self.largest, FIRST_PAYLOAD)
        self.between, self.lately = FIRST_PAYLOAD**2 / OVERHEAD, 0  # bytes for which one frame is lost; since the last loss
        self.trip, self.spread, self.timeout, self.backoff = None, 0.0, 1.0, 1
        self.allowed = 10 * self.payload if is_datagrams else float("inf")
        self.turn = float("inf")  # from here on it grows by a frame a round trip
        self.lost_at = float("-inf")

    def round_trip(self):
        return self.trip if self.trip is not None else 1.0

    def until_lost_again(self):
        """How long after it was sent again something counts as on its way."""
        return 1.0 if self.trip is None else self.trip + max(4 * self.spread, 0.0025)

    def measured(self, trip):
        if self.trip is None:
            self.trip, self.spread = trip, trip / 2
        else:
            self.spread += (abs(self.trip - trip) - self.spread) / 4
            self.trip += (trip - self.trip) / 8
        self.timeout = min(LONGEST, self.trip + max(4 * self.spread, self.trip / 2, 0.010))

    def wait(self):
        return min(LONGEST, self.timeout * self.backoff)

    def came_further(self, length):
        self.backoff = 1
        if not length:
            return
        self.allowed += length if self.allowed < self.turn else self.payload * length / self.allowed
        self.lately += length
        if not self.is_datagrams:
            self.fit()

    def fit(self):
        """The length of frames on a line: longer ones cost more to send again, shorter ones more in overhead."""
        if self.is_lossy:
            best = math.isqrt(int(OVERHEAD * max(self.between, self.lately)))
            self.payload = max(min(LEAST_PAYLOAD, self.largest), min(best, self.largest))

    def note_loss(self):
        """On a packet link, where the length of a frame is not to blame, half of what is under way."""
        if self.is_datagrams:
            self.allowed = self.turn = max(2 * self.payload, self.allowed / 2)
            return
        self.between += (self.lately - self.between) / 4
        self.lately = 0
        self.fit()

    def lost(self, now):
        """A frame was; once a round trip."""
        if now - self.lost_at >= self.round_trip():
            self.lost_at = now
            self.note_loss()

    def ran_out(self, now):
        self.backoff = min(self.backoff * 2, 64)
        under_way = self.allowed
        self.note_loss()
        self.lost_at = now
        self.turn = max(2 * self.payload, under_way / 2) if self.is_datagrams else float("inf")
        self.allowed = self.payload
