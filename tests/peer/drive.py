"""Moves frames between sessions and links, and time into both."""

import select
import socket
import time

import links
from framing import Broken
from session import Ending, Session


def send_out(session, framing, link, now):
    while link.has_room() and (frame := session.take(now)) is not None:
        framing.follows = link.pending() > 0
        link.send(framing.wrap(frame))
        if not link.has_room():
            link.flush()
    link.flush()


def take_in(session, framing, link):
    """Gives the session what has come. False at the end of the link."""
    pieces = link.receive()
    if pieces is None:
        return False
    try:
        for piece in pieces:
            for frame in framing.feed(piece):
                session.frame(frame, time.monotonic())
    except Broken as fault:
        if fault.is_abort:
            session.fault("protocol", str(fault))
        else:
            session.end(Ending(False, str(fault)))
    session.quiet(time.monotonic())
    return True


def run(session, framing, link, previous=None):
    """One session to its end; the link stays open. Returns how it ended."""
    try:
        return run_on(session, framing, link, previous)
    except KeyboardInterrupt:
        session.fault("cancelled", "interrupted")
        send_out(session, framing, link, time.monotonic())
        raise


def run_on(session, framing, link, previous):
    give_up = None
    while True:
        now = time.monotonic()
        session.tick(now, link.pending() > 0)
        send_out(session, framing, link, now)
        if session.ending:
            give_up = give_up or now + 1
            if not link.pending() or now >= give_up or link.is_dead:
                return session.ending
        wanted = [link] if link.pending() else []
        readable, _, _ = select.select([link], wanted, [], session.wait(now))
        if readable:
            if previous:
                answer_late(session, framing, link, previous)
            elif not take_in(session, framing, link):
                session.link_lost()


def answer_late(session, framing, link, previous):
    """As take_in, on a line where the session before may still be said goodbye to."""
    pieces = link.receive()
    if pieces is None:
        session.link_lost()
        return
    for piece in pieces:
        for frame in framing.feed(piece):
            if late := previous.answer_late(frame):
                link.send(framing.wrap(late))
            else:
                session.frame(frame, time.monotonic())
    session.quiet(time.monotonic())


def linger(previous, framing, link):
    """Answers the goodbyes that come again, as long as they do."""
    silent_at = time.monotonic() + 3
    while (left := silent_at - time.monotonic()) > 0:
        if not select.select([link], [], [], left)[0]:
            return
        for piece in link.receive() or []:
            for frame in framing.feed(piece):
                if late := previous.answer_late(frame):
                    link.send(framing.wrap(late))
                    silent_at = time.monotonic() + 3
        link.flush()


class Guests:
    """The sessions of an end that waits on a port (§8.6)."""

    REMEMBERED = 30.0

    def __init__(self, address, limits, make):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)
        self.limits, self.make, self.cookies = limits, make, links.Cookies()
        self.sessions, self.ended_at = {}, {}
        self.framing = links.FRAMINGS["udp"](limits.frame)

    def send(self, frame, address):
        try:
            self.socket.sendto(frame, address)
        except OSError:
            pass

    def take_in(self, touched):
        for _ in range(64):
            try:
                data, address = self.socket.recvfrom(65536)
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                continue
            for frame in self.framing.feed(data):
                self.frame(frame, address, touched)

    def frame(self, frame, address, touched):
        now, session = time.monotonic(), self.sessions.get(address)
        hello = links.padded_hello(frame)
        if hello:
            if session and session.peer.nonce == hello.nonce:
                session.frame(frame, now)
            elif self.cookies.is_good(address, hello):
                if session and not session.ending:
                    session.link_lost()
                session = self.sessions[address] = self.make(self.framing, hello.echo, now)
                session.echoed = hello.nonce
                session.frame(frame, now)
            else:
                stranger = Session(self.framing, self.limits, now, nonce=self.cookies.now(address, hello.nonce),
                                   takes_offers=True, speaks_first=False)
                stranger.peer = hello
                stranger.hello(now)
                self.send(stranger.take(now), address)
        elif session and session.ending:
            if late := session.answer_late(frame):
                self.send(late, address)
        elif session:
            session.frame(frame, now)
            touched.add(session)

    def turn(self, ended):
        """Waits for something and does it; `ended` is told of each session that is over."""
        wait = min([1.0, *(s.wait(time.monotonic()) for s in self.sessions.values() if not s.ending)])
        touched = set()
        if select.select([self.socket], [], [], wait)[0]:
            self.take_in(touched)
        for session in touched:
            session.quiet(time.monotonic())
        now = time.monotonic()
        for address, session in list(self.sessions.items()):
            session.tick(now)
            while (frame := session.take(now)) is not None:
                self.send(frame, address)
            if session.ending:
                if address not in self.ended_at:
                    ended(session.ending)
                if now - self.ended_at.setdefault(address, now) > self.REMEMBERED:
                    del self.sessions[address], self.ended_at[address]
            else:
                self.ended_at.pop(address, None)
