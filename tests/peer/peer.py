#!/usr/bin/env python3
"""A peer of sampan written from docs/protocol.md alone. See README.md beside it."""

import argparse
import json
import os
import pathlib
import signal
import socket
import sys
import time

import drive
import links
import wire
from sending import Sending
from session import Limits, Session, Want
from store import File, Memory, Store


def report(**event):
    """An event as a line of JSON on the standard output."""
    event = {key: os.fsdecode(value) if isinstance(value, bytes) else value for key, value in event.items()}
    print(json.dumps(event), flush=True)


def limits_of(options):
    names = ("frame", "window", "eager", "gaps", "transfers")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if options.digest:
        given["digests"] = [{"crc32": wire.CRC32, "crc64": wire.CRC64, "sha256": wire.SHA256}[options.digest]]
    return Limits(one_direction=options.one_direction, **given)


def sources(paths):
    """Name and path of each file and directory that is to go."""
    for path in map(pathlib.Path, paths):
        yield os.fsencode(path.name), path
        if path.is_dir():
            for below in sorted(path.rglob("*")):
                yield os.fsencode(path.name) + b"/" + os.fsencode(below.relative_to(path)), below


def source(path):
    if path.is_dir():
        return Memory(b"", directory=True, modified=path.stat().st_mtime_ns)
    return File(path)


class Errand:
    """What a client wants done, over as many links as it takes."""

    def __init__(self, options, store=None, names=(), wants=()):
        self.options, self.store, self.limits = options, store, limits_of(options)
        self.names, self.wants = list(names), list(wants)
        self.notices = list(options.notice)
        self.sends, self.is_begun, self.failures = [], False, []

    def session(self, framing, nonce):
        self.sends = [Sending(name, source(path), is_begun=self.is_begun) for name, path in self.names]
        self.is_begun = True
        for want in self.wants:
            want.result = None
        return Session(framing, self.limits, time.monotonic(), store=self.store, sends=self.sends, wants=self.wants,
                       notices=self.notices, nonce=nonce, report=report)

    def settle(self, session):
        """Notes what a session has done."""
        over = {t.name: t.result for t in self.sends if t.state == "over"}
        self.failures += [name for name, result in over.items() if result != "ok"]
        self.names = [(name, path) for name, path in self.names if name not in over]
        self.failures += [want.name for want in self.wants if want.result not in (None, "ok")]
        self.wants = [want for want in self.wants if want.result is None]
        self.notices = self.notices[session.notices_done :]
        return not (self.names or self.wants or self.notices)

    def run(self):
        tries, nonce, link = 0, None, None
        while True:
            try:
                if link is None:
                    link, scheme = links.dial(self.options.url)
                    framing = links.FRAMINGS[scheme](self.limits.frame)
                session = self.session(framing, nonce)
                ending = drive.run(session, framing, link)
            except OSError as fault:
                report(event="ended", well=False, words=str(fault))
                session, ending = None, None
            if ending:
                report(event="ended", well=ending.is_well, words=ending.words)
                if self.settle(session) and ending.is_well:
                    link.end()
                    return 1 if self.failures else 0
                if not ending.is_resumable and not ending.is_well:
                    link.end()
                    return 1
            tries += 1
            if tries > self.options.retries:
                return 1
            # A peer that has begun anew waits for this end to speak, with the nonce it knows (§8.5).
            if session and session.successor:
                nonce = session.nonce
            else:
                nonce = None
                if link:
                    link.end()
                link = None
                time.sleep(0.1)


def send(options):
    return Errand(options, names=sources(options.files)).run()


def get(options):
    return Errand(options, Store(options.dir), wants=[Want(os.fsencode(name)) for name in options.names]).run()


def list_names(options):
    want = Want(os.fsencode(options.prefix), listing=True)
    code = Errand(options, wants=[want]).run()
    if code == 0:
        for f in wire.records(bytes(want.sink.contents)):
            report(event="entry", name=f.name, size=f.size, modified=f.modified, directory=f.directory,
                   executable=f.executable)
    return code


def receive(options):
    store, limits = Store(options.dir), limits_of(options)
    scheme, address = links.parse(options.url)
    left = options.sessions or float("inf")

    def make(framing, nonce, now):
        return Session(framing, limits, now, store=store, nonce=nonce, takes_offers=True, speaks_first=False, report=report)

    def ended(ending):
        nonlocal left
        report(event="ended", well=ending.is_well, words=ending.words)
        if ending.is_well:
            left -= 1

    if scheme == "tcp":
        server = socket.create_server(address)
        report(event="listening", port=server.getsockname()[1])
        while left > 0:
            link, framing = links.tcp_link(server.accept()[0]), links.FRAMINGS[scheme](limits.frame)
            ended(drive.run(make(framing, None, time.monotonic()), framing, link))
            link.end()
    elif scheme == "serial":
        link, framing, previous, nonce = links.serial(address), links.FRAMINGS[scheme](limits.frame), None, None
        report(event="listening", port=address)
        while left > 0:
            session = make(framing, nonce, time.monotonic())
            if previous and previous.successor:
                session.on_hello(previous.successor, time.monotonic())
            ended(drive.run(session, framing, link, previous))
            previous, nonce = session, session.nonce if session.successor else None
        drive.linger(previous, framing, link)
    else:
        guests = drive.Guests(address, limits, make)
        report(event="listening", port=guests.socket.getsockname()[1])
        while left > 0:
            guests.turn(ended)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name, function, **words):
        sub = commands.add_parser(name, **words)
        sub.set_defaults(function=function)
        sub.add_argument("url", metavar="URL", help="tcp://HOST:PORT, udp://HOST:PORT or serial:DEVICE")
        for number in ("frame", "window", "eager", "gaps", "transfers"):
            sub.add_argument(f"--{number}", type=int, help="as in HELLO")
        sub.add_argument("--digest", choices=("crc32", "crc64", "sha256"), help="asked for as a receiver")
        sub.add_argument("--one-direction", action="store_true", help="DATA in one direction at a time")
        sub.add_argument("--retries", type=int, default=5, help="how often a lost link is dialled again")
        sub.add_argument("--notice", action="append", default=[], metavar="TEXT")
        return sub

    command("send", send, help="push files and directories").add_argument("files", nargs="+")
    sub = command("get", get, help="fetch files")
    sub.add_argument("names", nargs="+")
    sub.add_argument("--dir", default=".")
    command("list", list_names, help="list names").add_argument("prefix", nargs="?", default="")
    sub = command("receive", receive, help="wait for a peer: take files, offer what is there")
    sub.add_argument("--dir", default="received")
    sub.add_argument("--sessions", type=int, default=0, help="ends after so many that ended well")
    options = parser.parse_args()
    return options.function(options)


def interrupt(*_):
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupt)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
