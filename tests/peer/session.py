"""One session (§8): what comes in as frames, what goes out, and when something has to be said without being asked."""

import collections
import secrets

import wire
from pace import FIELDS, Pace
from receiving import Receiving
from sending import Sending
from store import Collected, Memory, Refused

# Codes after which the same can succeed on another link (§8.4).
RESUMABLE = ("busy", "cancelled", "closing", "integrity", "timeout")


class Limits:
    """What this end says of itself in HELLO, and its timers (§4.1, §13)."""

    def __init__(self, **changes):
        self.frame, self.window, self.eager, self.transfers, self.gaps, self.name = 16384, 262144, 65536, 16, 32, 1024
        self.digests = [wire.SHA256, wire.CRC64]
        self.one_direction = False
        self.handshake, self.silence, self.keep_alive, self.stall, self.sync = 10.0, 30.0, 10.0, 300.0, 1.0
        for name, value in changes.items():
            assert hasattr(self, name), name
            setattr(self, name, value)


class Ending:
    def __init__(self, is_well, words="", is_resumable=False, code=None):
        self.is_well, self.words, self.is_resumable, self.code = is_well, words, is_resumable, code


class Want:
    """A file, or a listing, that this end asks for."""

    def __init__(self, name, listing=False):
        self.name, self.listing, self.number, self.sink, self.result = name, listing, None, None, None


class Session:
    def __init__(self, framing, limits, now, store=None, sends=(), wants=(), notices=(), nonce=None, takes_offers=False,
                 speaks_first=True, report=lambda **_: None):
        self.lossy, self.datagrams, self.limits, self.store, self.report = framing.lossy, framing.datagrams, limits, store, report
        self.takes_offers, self.is_guest = takes_offers, takes_offers  # a guest says BYE only after its peer has
        self.nonce = nonce or secrets.randbits(64) or 1
        self.peer, self.is_open, self.echoed = None, False, None
        self.out, self.ending, self.successor = collections.deque(), None, None
        self.sends, self.receives = list(sends), {}
        self.next_id = 1
        self.wants, self.notices = list(wants), list(notices)
        self.next_want, self.wants_sent = 1, []
        self.notice, self.next_notice, self.notice_heard, self.notices_done = None, 1, 0, 0
        self.has_heard = False  # another frame than HELLO
        self.is_told_to_wait = False  # the other direction goes first, and its OFFER has yet to come
        self.highest, self.codes = 0, collections.OrderedDict()
        self.highest_want = 0
        self.bye_said = self.bye_heard = 0
        self.speaks_first, self.begun = speaks_first, now if speaks_first else None
        self.heard = self.said = self.further = now
        self.timer, self.tries = None, 0
        self.pace = None
        if speaks_first:
            self.hello(now)

    # Frames out

    def put(self, kind, **fields):
        self.put_frame(wire.Frame(kind=kind, **fields))

    def put_frame(self, frame):
        if frame.kind == "hello":
            self.out.append(wire.seal(wire.write(frame)))
        else:
            self.out.append(wire.seal(wire.write(frame), self.tag_out))

    def hello(self, now):
        limits, echo = self.limits, self.peer.nonce if self.peer else 0
        frame = wire.Frame(
            kind="hello", version=1, nonce=self.nonce, echo=echo, one_direction=limits.one_direction,
            answers_want=self.takes_offers, open=self.lossy and self.is_open, frame=limits.frame, window=limits.window, eager=limits.eager,
            transfers=limits.transfers, gaps=limits.gaps if self.lossy else 0, name=limits.name, digests=limits.digests,
            padding=0,
        )
        if self.datagrams:
            frame.padding = max(0, 60 - 4 - len(wire.write(frame)))
        self.put_frame(frame)
        self.echoed = echo

    def take(self, now):
        """The next frame to send, if there is one."""
        if not self.out and self.is_open and not self.ending:
            self.produce(now)
        if not self.out:
            return None
        self.said = now
        return self.out.popleft()

    def largest(self):
        """The largest frame to the peer: what it takes, and no more than this end has room for."""
        return min(self.peer.frame, self.limits.frame)

    def control(self):
        return min(self.largest(), wire.LARGEST_CONTROL)

    # The end

    def end(self, ending):
        if not self.ending:
            self.ending = ending
            for transfer in list(self.receives.values()):
                transfer.sink.keep(transfer.received)
            self.receives.clear()

    def fault(self, code, words):
        if self.is_open and not self.ending:
            self.out.clear()
            self.put("abort", scope="session", transfer=0, code=code, words=words[:200])
        self.end(Ending(False, words, code in RESUMABLE, code))

    def link_lost(self):
        done = self.bye_heard and not self.is_busy()
        if self.lossy and self.bye_said and not self.is_busy():
            done = True
        self.end(Ending(True) if done else Ending(False, "the link was lost", True))

    def is_busy(self):
        sending = any(t.state != "over" for t in self.sends)
        return bool(sending or self.receives or self.wants or self.wants_sent or self.notice or self.notices)

    # Frames in

    def frame(self, data, now):
        """Takes a frame as it came."""
        if self.ending:
            return
        if data[0] == wire.HELLO:
            if not wire.checked(data):
                if not self.lossy:
                    self.fault("integrity", "a frame arrived damaged")
                return
        elif not self.is_open:
            if not self.lossy:
                self.fault("protocol", "a frame before the session is open")
            return
        elif not wire.checked(data, self.tag_in):
            if not self.lossy:
                self.fault("integrity", "a frame arrived damaged")
            return
        self.heard = now
        if data[0] not in wire.KINDS:
            if data[0] & 0xC0 != 0x40:
                self.fault("protocol", f"a frame of kind {data[0]:02x}")
            return
        try:
            frame = wire.read(data[0], data[1:-4])
        except wire.Malformed as fault:
            self.fault("protocol", f"{wire.KINDS[data[0]]}: {fault}")
            return
        self.has_heard |= frame.kind != "hello"
        getattr(self, f"on_{frame.kind}")(frame, now)
        self.close_if_over()

    def error(self, words):
        """What a table calls an error."""
        if not self.lossy:
            self.fault("protocol", words)

    def on_hello(self, hello, now):
        if hello.nonce == self.nonce:
            return
        if self.is_open and hello.nonce == self.peer.nonce:
            if not hello.open if self.lossy else hello.echo != self.nonce:
                self.hello(now)
            return
        if self.peer and hello.nonce != self.peer.nonce and not self.lossy:
            self.end(Ending(False, "the peer has begun a new session", True))
            return
        if self.is_open:
            if hello.echo == self.nonce:
                self.successor = hello
                self.end(Ending(False, "the peer has begun a new session", True))
                return
            present, self.peer, self.is_open = self.peer, hello, False
            self.hello(now)
            self.peer, self.is_open = present, True
            return
        if self.begun is None:
            self.begun = now
        self.peer = hello
        if hello.echo != self.nonce:
            self.hello(now)
            return
        self.is_open, self.further = True, now
        self.timer = None
        if self.echoed != hello.nonce:
            self.hello(now)
        self.tag_out, self.tag_in = wire.tag(self.nonce, hello.nonce), wire.tag(hello.nonce, self.nonce)
        self.pace = Pace(self.lossy, self.datagrams, self.largest() - FIELDS, hello.window)
        self.one_direction = self.limits.one_direction or hello.one_direction
        self.eager = 0 if self.lossy or self.one_direction else hello.eager
        if self.sends and not hello.transfers:
            self.fault("not allowed", "the peer takes no transfers")
        if self.wants and not hello.answers_want:
            self.fault("not allowed", "the peer does not answer WANT")

    def came_further(self, now, length=0):
        self.further, self.timer = now, None
        self.pace.came_further(length)

    def on_ping(self, ping, now):
        self.put("pong", number=ping.number)
        for transfer in self.receives.values():
            self.put_frame(transfer.ack(self.control()))

    def on_pong(self, pong, now):
        if self.notice and pong.number == self.notice[0]:
            self.notice = None
            self.notices_done += 1
            self.came_further(now)

    def on_notice(self, notice, now):
        self.put("pong", number=notice.number)
        if notice.number > self.notice_heard:
            self.notice_heard = notice.number
            self.report(event="notice", text=notice.words)

    def on_attach(self, attach, now):
        """Of no use: this end has nothing for nodes."""

    def on_bye(self, bye, now):
        self.bye_heard += 1
        if self.lossy:
            for transfer in list(self.receives.values()):
                self.over(transfer, None)
                transfer.sink.keep(transfer.received)
        if self.bye_said:
            if self.lossy and self.bye_heard > 1:
                self.put("bye", code="ok", words="")
            self.came_further(now)

    def on_abort(self, abort, now):
        if abort.scope == "session":
            words = f"the peer gave up: {abort.code} {abort.words}".strip()
            self.end(Ending(False, words, abort.code in RESUMABLE, abort.code))
        elif abort.scope == "sending" and abort.transfer in self.receives:
            transfer = self.receives[abort.transfer]
            self.over(transfer, abort.code)
            if abort.code in ("changed", "integrity"):
                transfer.sink.discard()
            else:
                transfer.sink.keep(transfer.received)
            self.failed(transfer, abort.code)
        elif abort.scope == "receiving" and (transfer := self.sent(abort.transfer)):
            self.finish(transfer, abort.code, abort.words)

    # As a receiver

    def on_offer(self, offer, now):
        transfer = self.receives.get(offer.transfer)
        if transfer:
            is_again = not offer.restart or transfer.offer.restart
            if is_again:
                if self.lossy:
                    self.put_frame(transfer.accept())
                else:
                    self.fault("protocol", "an offer of a transfer that is open")
                return
            self.receives.pop(offer.transfer)
            transfer.sink.discard()
        elif offer.transfer <= self.highest:
            code = self.codes.get(offer.transfer)
            if self.lossy:
                if code not in (None, "wait") and not (code == "integrity" and offer.restart):
                    self.put("done", transfer=offer.transfer, code=code, words="")
                    return
            elif not offer.restart and code != "wait":
                self.fault("protocol", "an offer of a transfer that is over")
                return
        elif self.bye_heard:
            self.error("an offer after BYE")
            return
        self.highest = max(self.highest, offer.transfer)
        want = None
        if offer.want is not None:
            want = next((w for w in self.wants_sent if w.number == offer.want), None)
            if not want:
                if self.lossy:
                    self.decline(offer, "not allowed")
                else:
                    self.fault("protocol", "an offer for a want that is not open")
                return
        if not self.limits.transfers:
            self.error("an offer to an end that takes none")
            return
        try:
            sink = self.decide(offer, want)
        except Refused as refusal:
            self.decline(offer, refusal.args[0])
            if want and refusal.args[0] not in ("busy", "wait"):
                self.answered(want, refusal.args[0])
            return
        self.came_further(now)
        self.codes.pop(offer.transfer, None)
        if sink is None:
            self.put("accept", transfer=offer.transfer, have=True, offset=0, check=0, credit=0)
            self.report(event="received", name=offer.name, size=offer.size, resumed_from=offer.size)
            if want:
                self.answered(want, "ok")
            return
        transfer = Receiving(offer, sink, self.limits.window, self.limits.gaps if self.lossy else 0)
        transfer.want = want
        self.receives[transfer.id] = transfer
        self.put_frame(transfer.accept())

    def decide(self, offer, want):
        if self.one_direction and any(t.is_open() for t in self.sends):
            accepted = any(t.state in ("verifying", "sending", "ended") for t in self.sends)
            if accepted or self.nonce < self.peer.nonce:
                raise Refused("wait")
        if len(self.receives) >= self.limits.transfers:
            raise Refused("busy")
        if offer.digest and offer.digest not in self.limits.digests:
            raise Refused("unsupported")
        if want:
            if offer.name != want.name or offer.listing != want.listing:
                raise Refused("not allowed")
            if want.listing:
                want.sink = Collected()
                return want.sink
        elif offer.listing or not self.takes_offers:
            raise Refused("not allowed")
        return self.store.decide(offer)

    def decline(self, offer, code):
        if code == "wait":
            self.codes[offer.transfer] = code
        self.put("decline", what="offer", number=offer.transfer, code=code, words="")

    def over(self, transfer, code):
        del self.receives[transfer.id]
        self.is_told_to_wait = False
        if code:
            self.codes[transfer.id] = code
            while len(self.codes) > 64:
                self.codes.popitem(last=False)

    def answered(self, want, result):
        want.result = result
        self.wants_sent.remove(want)

    def failed(self, transfer, code):
        self.report(event="failed", name=transfer.offer.name, error=code)
        if transfer.want and code != "integrity":
            self.answered(transfer.want, code)

    def incoming(self, frame):
        """The open transfer of DATA or END; what else there is to say is said."""
        transfer = self.receives.get(frame.transfer)
        if not transfer:
            if frame.transfer > self.highest:
                self.error(f"{frame.kind} of a transfer that was never offered")
            elif self.lossy:
                code = self.codes.get(frame.transfer, "unknown")
                if code != "wait":
                    self.put("done", transfer=frame.transfer, code=code, words="")
        return transfer

    def on_data(self, data, now):
        transfer = self.incoming(data)
        if not transfer:
            return
        if data.offset > transfer.received and not self.lossy:
            self.fault("protocol", "DATA with a gap")
            return
        try:
            if transfer.data(data.offset, data.payload, now):
                self.came_further(now)
        except (Refused, OSError) as fault:
            code = fault.args[0] if isinstance(fault, Refused) else "storage"
            self.over(transfer, code)
            if code == "too large":
                transfer.sink.discard()
            else:
                transfer.sink.keep(transfer.received)
            self.put("abort", scope="receiving", transfer=transfer.id, code=code, words="")
            self.failed(transfer, code)
            return
        is_second = self.datagrams and transfer.unsaid >= 2
        if transfer.is_due_at_once or is_second or (not self.lossy and transfer.received - transfer.said >= self.limits.window // 2):
            self.put_frame(transfer.ack(self.control()))

    def on_end(self, end, now):
        transfer = self.incoming(end)
        if not transfer:
            return
        if end.digest != transfer.offer.digest:
            self.fault("protocol", "END with another digest")
            return
        fits = transfer.offer.size is None or end.size == transfer.offer.size
        if self.lossy and fits and end.size > transfer.received:
            self.put_frame(transfer.ack(self.control(), end.size))
            return
        if transfer.is_right(end) and fits:
            code = transfer.commit(end)
        else:
            transfer.sink.discard()
            code = "integrity"
        self.came_further(now)
        self.over(transfer, code)
        self.put("done", transfer=transfer.id, code=code, words="")
        if code != "ok":
            self.failed(transfer, code)
            return
        if not transfer.offer.listing:
            self.report(event="received", name=transfer.offer.name, size=end.size, resumed_from=transfer.resumed_from)
        if transfer.want:
            self.answered(transfer.want, "ok")

    def quiet(self, now):
        """No further frame is there to be looked at."""
        if self.lossy and not self.ending:
            for transfer in self.receives.values():
                if transfer.is_due:
                    self.put_frame(transfer.ack(self.control()))

    # As a sender

    def sent(self, number):
        return next((t for t in self.sends if t.id == number and t.state != "over"), None)

    def outgoing(self, frame):
        """The open transfer that an answer is for; what is wrong with it is said."""
        transfer = self.sent(frame.transfer)
        if not transfer:
            if frame.transfer >= self.next_id:
                self.error(f"{frame.kind} for a transfer that was never offered")
            elif frame.kind == "ack" and self.lossy:
                self.put("abort", scope="sending", transfer=frame.transfer, code="unknown", words="")
            return None
        if transfer.state == "queued" and frame.kind != "ack":
            self.error(f"{frame.kind} for a transfer that is not offered")
            return None
        return transfer

    def finish(self, transfer, code, words=""):
        transfer.state = "over"
        if code == "ok":
            self.report(event="sent", name=transfer.name, size=transfer.source.length, resumed_from=transfer.resumed_from)
        else:
            self.report(event="failed", name=transfer.name, error=code, words=words)
        transfer.result = code

    def on_accept(self, accept, now):
        transfer = self.outgoing(accept)
        if not transfer:
            return
        if accept.have:
            if transfer.state in ("offered", "ended"):
                transfer.resumed_from = transfer.source.length
                self.came_further(now)
                self.finish(transfer, "ok")
            else:
                self.error("ACCEPT of a transfer that is under way")
            return
        if transfer.state in ("sending", "ended") and not transfer.is_eager and self.lossy:
            accept.received, accept.gaps, accept.beyond = accept.offset, [], 0
            self.on_ack(accept, now)
            return
        if accept.offset > transfer.source.length or (transfer.restart and accept.offset):
            self.error("ACCEPT beyond the size")
            return
        if transfer.state != "offered" and not (transfer.state == "ended" and transfer.is_eager):
            self.error("ACCEPT of a transfer that is under way")
            return
        self.came_further(now)
        transfer.is_eager = False
        transfer.resumed_from = accept.offset
        if accept.offset <= transfer.high:
            transfer.received, transfer.known = accept.offset, max(transfer.known, accept.offset)
            transfer.limit = accept.offset + accept.credit
            if transfer.state == "offered":
                transfer.state = "sending"
            return
        if transfer.state == "ended":
            self.error("ACCEPT beyond the end")
            return
        if transfer.prefix_check(accept.offset) != accept.check:
            transfer.resumed_from = 0
            transfer.queue_again(restart=True)
            return
        transfer.received = transfer.known = transfer.next = transfer.high = accept.offset
        transfer.limit = accept.offset + accept.credit
        transfer.state = "sending"

    def on_ack(self, ack, now):
        transfer = self.outgoing(ack)
        if not transfer or transfer.state in ("queued", "offered", "verifying"):
            return
        if ack.received < transfer.received:
            return
        if ack.received > transfer.high:
            self.error("ACK of what was not sent")
            return
        had_credit = transfer.limit > transfer.next
        had = transfer.has_arrived()
        trip, rise = transfer.arrived(ack, now)
        gain = transfer.has_arrived() - had
        if trip is not None:
            self.pace.measured(trip)
        if rise or (not had_credit and transfer.limit > transfer.next):
            self.came_further(now, max(rise, gain))
        elif gain > 0:
            self.came_further(now, gain)
        if self.lossy:
            self.look_for_lost(transfer, now)

    def look_for_lost(self, transfer, now):
        tolerance = 3 * self.pace.payload if self.datagrams else 0
        if transfer.find_missing(now, self.pace.round_trip(), self.pace.until_lost_again(), tolerance):
            self.pace.lost(now)
        if transfer.state == "ended" and (transfer.missing or transfer.next < transfer.source.length):
            transfer.state = "sending"

    def on_decline(self, decline, now):
        if decline.what == "want":
            want = next((w for w in self.wants_sent if w.number == decline.number), None)
            if want:
                self.came_further(now)
                self.answered(want, decline.code)
                self.report(event="failed", name=want.name, error=decline.code, words=decline.words)
        elif transfer := self.sent(decline.number):
            if decline.code == "wait" and self.one_direction:
                if transfer.state in ("offered", "ended"):
                    transfer.queue_again(transfer.restart)
                    self.is_told_to_wait = self.lossy and not self.receives
                return
            self.came_further(now)
            self.finish(transfer, decline.code, decline.words)

    def on_done(self, done, now):
        transfer = self.outgoing(done)
        if not transfer:
            return
        if transfer.state != "ended" and not (self.lossy and transfer.state in ("sending", "offered")):
            self.error("DONE of a transfer that has not ended")
            return
        self.came_further(now)
        if transfer.chances.get(done.code):
            transfer.chances[done.code] -= 1
            transfer.queue_again(restart=not (self.lossy and done.code == "unknown"))
            return
        self.finish(transfer, done.code, done.words)

    def on_want(self, want, now):
        if want.number <= self.highest_want and not self.lossy:
            self.fault("protocol", "a want with an old number")
            return
        if any(t.want == want.number and t.state != "over" for t in self.sends):
            return
        if self.bye_heard or not self.takes_offers:
            self.error("a want that must not come")
            return
        self.highest_want = max(self.highest_want, want.number)
        try:
            if sum(t.state != "over" for t in self.sends) >= 64:
                raise Refused("busy")
            if want.listing:
                if want.name and not wire.valid_name(want.name):
                    raise Refused("bad name")
                source = Memory(self.store.listing(want.name))
            else:
                source = self.store.find(want.name)
        except (Refused, OSError) as refusal:
            code = refusal.args[0] if isinstance(refusal, Refused) else "storage"
            self.put("decline", what="want", number=want.number, code=code, words="")
            return
        self.sends.append(Sending(want.name, source, want=want.number, listing=want.listing, is_begun=True))

    # What is said unasked

    def produce(self, now):
        """Puts what is to be said next, if anything may be."""
        if self.wants and len(self.wants_sent) < min(self.peer.transfers, self.limits.transfers):
            want = self.wants.pop(0)
            want.number, self.next_want = self.next_want, self.next_want + 1
            self.wants_sent.append(want)
            self.say_want(want)
        elif self.notices and not self.notice:
            self.notice = (self.next_notice, self.notices.pop(0))
            self.next_notice += 1
            self.say_notice()
        elif self.is_over_here():
            self.bye_said = 1
            self.came_further(now)
            self.put("bye", code="ok", words="")
            self.close_if_over()
        else:
            self.produce_transfer(now)

    def is_over_here(self):
        if self.bye_said or any(t.state != "over" for t in self.sends) or self.wants or self.wants_sent:
            return False
        if self.notice or self.notices:
            return False
        return not self.is_guest or bool(self.bye_heard)

    def answer_late(self, data):
        """The answer to a BYE that comes again after both were said, if it is one (§8.6)."""
        if self.ending and self.ending.is_well and self.is_open and data[0] == 0x06 and wire.checked(data, self.tag_in):
            self.put("bye", code="ok", words="")
            return self.out.popleft()
        return None

    def close_if_over(self):
        if not self.ending and self.bye_said and self.bye_heard and not self.is_busy():
            self.end(Ending(True))

    def say_want(self, want):
        self.put("want", number=want.number, listing=want.listing, name=want.name)

    def say_notice(self):
        self.put("notice", number=self.notice[0], words=self.notice[1])

    def may_offer(self):
        if self.one_direction and (self.receives or self.is_told_to_wait):
            return False
        return sum(t.is_open() for t in self.sends) < self.peer.transfers

    def say_offer(self, transfer):
        self.put_frame(transfer.offer(self.peer.digests))

    def produce_transfer(self, now):
        for transfer in self.sends:
            if transfer.state == "queued" and self.may_offer():
                if len(transfer.name) > self.peer.name:
                    self.finish(transfer, "bad name")
                    continue
                if transfer.id is None:
                    transfer.id, self.next_id = self.next_id, self.next_id + 1
                transfer.state = "offered"
                # Nothing goes ahead of an answer that may say where to begin (§9.2).
                transfer.is_eager = self.eager > 0 and not transfer.is_begun and not transfer.restart
                self.say_offer(transfer)
                return
        current = next((t for t in self.sends if t.state not in ("ended", "over")), None)
        if current and (current.state == "sending" or (current.state == "offered" and current.is_eager)):
            self.produce_data(current, now)

    def produce_data(self, transfer, now):
        if not transfer.has_data():
            if not transfer.source.is_unchanged():
                self.put("abort", scope="sending", transfer=transfer.id, code="changed", words="")
                self.finish(transfer, "changed")
                return
            transfer.state = "ended"
            self.put_frame(transfer.end())
            return
        start, stop = transfer.following()
        length = min(stop - start, self.pace.payload, self.room(transfer, start))
        if length <= 0:
            return
        half = self.peer.window // 2
        if length < min(stop - start, self.pace.payload) and self.under_way() >= half > 0:
            return
        data = transfer.data(start, start + length, now)
        if data is None:
            self.put("abort", scope="sending", transfer=transfer.id, code="changed", words="")
            self.finish(transfer, "changed")
            return
        self.put_frame(data)

    def under_way(self):
        return sum(t.under_way() for t in self.sends if t.is_open())

    def room(self, transfer, start):
        """How many bytes of DATA may go from here (§9.2, §9.3)."""
        under_way = self.under_way()
        room = self.peer.window - under_way
        if transfer.is_eager:
            unanswered = sum(t.under_way() for t in self.sends if t.is_open() and t.is_eager)
            room = min(room, self.eager - unanswered)
        else:
            room = min(room, transfer.limit - start)
        if self.lossy and room > 0:
            # A whole frame always, or halves of frames would follow each other.
            allowed = self.pace.allowed - under_way
            room = min(room, self.pace.payload) if allowed > 0 else 0
        return room

    # Time

    def awaits(self):
        """Whether something is said again when it is not answered (§8.5)."""
        if not self.is_open:
            return self.begun is not None
        if self.wants_sent or self.notice or self.receives or self.bye_said or self.is_told_to_wait:
            return True
        return any(
            t.state in ("offered", "ended") or (t.state == "sending" and (t.under_way() or t.has_data())) for t in self.sends
        )

    def say_again(self, now):
        if not self.is_open:
            self.tries += 1
            self.hello(now)
            return
        self.pace.ran_out(now)
        if self.datagrams and self.speaks_first and not self.has_heard:
            # An end that waits on a port has kept nothing if the HELLO with its cookie was lost (§8.6).
            self.hello(now)
        self.is_told_to_wait = False
        for want in self.wants_sent:
            if not any(t.want is want for t in self.receives.values()):
                self.say_want(want)
        if self.notice:
            self.say_notice()
        for transfer in self.receives.values():
            self.put_frame(transfer.ack(self.control()))
        for transfer in self.sends:
            if transfer.state == "offered":
                self.say_offer(transfer)
            elif transfer.state == "sending" and not transfer.under_way() and self.room(transfer, transfer.next) <= 0:
                self.put("ping", number=0)
            elif transfer.state in ("sending", "ended"):
                if transfer.received < transfer.source.length:
                    transfer.go_on_from_known()
                    if transfer.state == "ended" and not transfer.has_data():
                        self.put_frame(transfer.end())
                    else:
                        transfer.state = "sending"
                elif transfer.state == "ended":
                    self.put_frame(transfer.end())
        if self.bye_said and not self.bye_heard:
            if self.bye_said >= 5:
                if not self.receives:
                    self.end(Ending(True))
                return
            self.bye_said += 1
            self.put("bye", code="ok", words="")

    def patience(self):
        return self.pace.wait() if self.pace else min(5.0, 2.0**self.tries)

    def tick(self, now, is_link_full=False):
        if self.ending:
            return
        if not self.is_open:
            if self.begun is not None and now - self.begun >= self.limits.handshake:
                self.end(Ending(False, "no session came about", True))
                return
        else:
            self.tick_open(now)
        if not self.lossy or self.ending:
            return
        for transfer in self.sends:
            if transfer.state in ("sending", "ended") and (transfer.gaps or transfer.back):
                self.look_for_lost(transfer, now)
        if not self.awaits():
            self.timer = None
        elif self.timer is None or is_link_full:
            self.timer = now + self.patience()
        elif now >= self.timer:
            self.say_again(now)
            self.timer = now + self.patience()

    def tick_open(self, now):
        limits = self.limits
        if now - self.heard >= limits.silence:
            self.link_lost()
        elif self.is_busy() and now - self.further >= limits.stall:
            self.fault("timeout", "nothing came further")
        elif now - self.said >= limits.keep_alive:
            self.put("ping", number=0)
        for transfer in self.receives.values():
            if transfer.stored_at is not None and now - transfer.stored_at >= limits.sync:
                transfer.sync()
                self.put_frame(transfer.ack(self.control()))

    def wait(self, now):
        """How long nothing need be done."""
        ends = [1.0]
        if self.timer is not None:
            ends.append(self.timer - now)
        if self.datagrams and any(t.gaps or t.back for t in self.sends if t.state in ("sending", "ended")):
            ends.append(self.pace.round_trip() / 8)
        return max(0.001, min(ends))
