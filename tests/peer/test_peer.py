#!/usr/bin/env python3
"""The peer against the command: over streams, over COBS on a pseudo terminal and over UDP, whole, damaged and cut."""

import contextlib
import json
import os
import pathlib
import queue
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import zlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import digests
import framing
import relays
import session
import wire

ROOT = HERE.parent.parent
PATIENCE = 40
PEER = [sys.executable, str(HERE / "peer.py")]


def build():
    """The command, built from this tree."""
    subprocess.run(["cargo", "build", "--locked", "--package", "sampan"], cwd=ROOT, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", ROOT / "target")
    return str(pathlib.Path(target).resolve() / "debug" / "sampan")


class Process:
    """A program that prints events, ended by its id."""

    def __init__(self, words, directory):
        self.words = [str(word) for word in words]
        self.process = subprocess.Popen(self.words, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.events, self.lines, self.errors = [], queue.Queue(), []
        self.threads = [threading.Thread(target=self.read, daemon=True), threading.Thread(target=self.read_errors, daemon=True)]
        for thread in self.threads:
            thread.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put(None)

    def read_errors(self):
        self.errors += self.process.stderr.readlines()

    def until(self, event):
        """The next event of this name."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = self.lines.get(timeout=max(0.01, deadline - time.monotonic()))
            if found is None:
                raise AssertionError(f"{self.words} ended without {event}: {self.events} {self.errors}")
            self.events.append(found)
            if found["event"] == event:
                return found

    def done(self):
        """All events of a program that ends by itself, as it should."""
        deadline = time.monotonic() + PATIENCE
        while (found := self.lines.get(timeout=max(0.01, deadline - time.monotonic()))) is not None:
            self.events.append(found)
        code = self.process.wait(PATIENCE)
        self.threads[1].join(1)
        if code:
            raise AssertionError(f"{self.words} ended with {code}: {self.events[-5:]} {self.errors}")
        return self.events

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for thread in self.threads:
            thread.join()
        self.process.stdout.close()
        self.process.stderr.close()


class Peer:
    """How the peer is told what to do."""

    serve = staticmethod(lambda url, directory: [*PEER, "receive", url, "--dir", directory])
    send = staticmethod(lambda url, files: [*PEER, "send", url, "--retries", 8, *files])
    get = staticmethod(lambda url, names, directory: [*PEER, "get", url, "--retries", 8, "--dir", directory, *names])
    list = staticmethod(lambda url, prefix: [*PEER, "list", url, prefix])


class Command:
    """How the command is told the same."""

    program = None

    @classmethod
    def serve(cls, url, directory):
        return [cls.program, "serve", "--json", "--control", "none", "--allow", "put,get,list", "--listen", url, directory]

    @classmethod
    def send(cls, url, files):
        return [cls.program, "send", "--json", "--to", url, *files]

    @classmethod
    def get(cls, url, names, directory):
        return [cls.program, "get", "--json", "--from", url, "-o", f"{directory}/", *names]

    @classmethod
    def list(cls, url, prefix):
        return [cls.program, "ls", "--json", "--from", url, prefix]


def setUpModule():
    Command.program = build()


class Links:
    """How server and client are joined: gives the client's URL and what lies between."""

    @staticmethod
    @contextlib.contextmanager
    def tcp(server, directory, words):
        with Process(server.serve("tcp://127.0.0.1:0", words), directory) as process:
            port = Links.port(process)
            if directory.cut:
                with relays.Streams(port, directory.cut) as relay:
                    yield f"tcp://127.0.0.1:{relay.port}", relay, process
            else:
                yield f"tcp://127.0.0.1:{port}", None, process

    @staticmethod
    @contextlib.contextmanager
    def serial(server, directory, words):
        with relays.Line(directory.damage, directory.cut) as line:
            with Process(server.serve(f"serial:{line.ends[1]}", words), directory) as process:
                process.until("listening")
                yield f"serial:{line.ends[0]}", line, process

    @staticmethod
    @contextlib.contextmanager
    def udp(server, directory, words):
        with Process(server.serve("udp://127.0.0.1:0", words), directory) as process:
            with relays.Datagrams(Links.port(process), directory.damage, directory.cut) as relay:
                yield f"udp://127.0.0.1:{relay.port}", relay, process

    @staticmethod
    def port(process):
        listening = process.until("listening")
        return listening.get("port") or int(listening["url"].rpartition(":")[2])


class Place(type(pathlib.Path())):
    """A directory of a test, and what is to happen between its ends."""

    damage = cut = None


class Case(unittest.TestCase):
    def setUp(self):
        self.place = Place(tempfile.mkdtemp(prefix="sampan-peer-"))
        self.addCleanup(shutil.rmtree, self.place)
        self.seed = random.Random(self.id())

    def make(self, name, length):
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.seed.randbytes(length))
        return name

    def run_client(self, words):
        with Process(words, self.place) as process:
            return process.done()

    def equal(self, left, right, names):
        for name in names:
            self.assertEqual((self.place / left / name).read_bytes(), (self.place / right / name).read_bytes(), name)

    def resumed_from(self, events, event, name):
        return [e["resumed_from"] for e in events if e["event"] == event and e["name"] == name]


FILES = {"empty": 0, "one": 1, "large": 300 * 1024, "tree/below/deep": 5000}


class Everything:
    """The same over each link and for each way round, with `link`, `server` and `client` as the class has them."""

    def test_whole(self):
        for name, length in FILES.items():
            self.make(f"here/{name}", length)
        (self.place / "here/tree/below/deep").chmod(0o755)
        with self.link(self.server, self.place, "there") as (url, _, _):
            files = ["here/empty", "here/one", "here/large", "here/tree"]
            sent = self.run_client(self.client.send(url, files))
            self.equal("here", "there", FILES)
            self.assertEqual(self.resumed_from(sent, "sent", "large"), [0])
            again = self.run_client(self.client.send(url, ["here/large"]))
            self.assertEqual(self.resumed_from(again, "sent", "large"), [FILES["large"]], "it is there already")
            listed = self.run_client(self.client.list(url, ""))
            entries = {e["name"]: (e["size"], e["directory"], e["executable"]) for e in listed if e["event"] == "entry"}
            self.assertEqual(entries, {
                "empty": (0, False, False), "one": (1, False, False), "large": (FILES["large"], False, False),
                "tree": (None, True, False), "tree/below": (None, True, False),
                "tree/below/deep": (5000, False, True),
            })
            below = self.run_client(self.client.list(url, "tree/b"))
            self.assertEqual([e["name"] for e in below if e["event"] == "entry"], ["tree/below", "tree/below/deep"])
            (self.place / "back").mkdir()
            names = ["empty", "one", "large", "tree/below/deep"]
            self.run_client(self.client.get(url, names, "back"))
        found = {path.name: path for path in (self.place / "back").rglob("*") if path.is_file()}
        for name, length in FILES.items():
            back = found[pathlib.Path(name).name]
            self.assertEqual(back.read_bytes(), (self.place / "here" / name).read_bytes(), name)
            self.assertEqual(back.stat().st_mtime_ns, (self.place / "here" / name).stat().st_mtime_ns, name)


class Damaged:
    """On links that lose and alter what they carry."""

    def test_damaged(self):
        self.place.damage = self.damage()
        self.make("here/large", FILES["large"])
        self.make("here/one", 1)
        with self.link(self.server, self.place, "there") as (url, _, _):
            self.run_client(self.client.send(url, ["here/large", "here/one"]))
            self.equal("here", "there", ["large", "one"])
            (self.place / "back").mkdir()
            self.run_client(self.client.get(url, ["large", "one"], "back"))
            self.equal("here", "back", ["large", "one"])


class Cut:
    """Transfers that are cut in the middle, and resumed."""

    def test_cut_sending(self):
        self.make("here/large", FILES["large"])
        self.place.cut = 200_000
        with self.link(self.server, self.place, "there") as (url, relay, process):
            sent = self.resume(relay, self.client.send(url, ["here/large"]))
            self.equal("here", "there", ["large"])
            self.is_resumed(self.resumed_from(sent, "sent", "large"))

    def test_cut_fetching(self):
        self.make("there/large", FILES["large"])
        (self.place / "back").mkdir()
        self.place.cut = 200_000
        with self.link(self.server, self.place, "there") as (url, relay, process):
            fetched = self.resume(relay, self.client.get(url, ["large"], "back"))
            self.equal("there", "back", ["large"])
            self.is_resumed(self.resumed_from(fetched, "received", "large"))

    def is_resumed(self, offsets):
        self.assertEqual(len(offsets), 1)
        self.assertGreater(offsets[0], 0)
        self.assertLess(offsets[0], FILES["large"])

    def resume(self, relay, words):
        """The events of the client that ends what another one began."""
        if isinstance(relay, relays.Streams):
            events = self.run_client(words)
            self.assertEqual(relay.connections, 2)
            return events
        with Process(words, self.place) as process:
            deadline = time.monotonic() + PATIENCE
            while not relay.is_cut():
                self.assertLess(time.monotonic(), deadline, "it was never cut")
                self.assertIsNone(process.process.poll(), process.errors)
                time.sleep(0.005)
            self.let_go(process)
        relay.mend()
        return self.run_client(words)

    def let_go(self, process):
        process.process.terminate()
        process.process.wait(PATIENCE)


def line_damage():
    return relays.Damage(seed=7, flips=0.0001, drops=0.00003)


def datagram_damage():
    return relays.Damage(seed=7, flips=0.01, drops=0.02, repeats=0.01, delays=0.02)


class StreamToCommand(Everything, Cut, Case):
    link, server, client = staticmethod(Links.tcp), Command, Peer


class StreamToPeer(Everything, Cut, Case):
    link, server, client = staticmethod(Links.tcp), Peer, Command


class CobsToCommand(Everything, Damaged, Cut, Case):
    link, server, client, damage = staticmethod(Links.serial), Command, Peer, staticmethod(line_damage)


class CobsToPeer(Everything, Damaged, Cut, Case):
    link, server, client, damage = staticmethod(Links.serial), Peer, Command, staticmethod(line_damage)


class UdpToCommand(Everything, Damaged, Cut, Case):
    link, server, client, damage = staticmethod(Links.udp), Command, Peer, staticmethod(datagram_damage)

    def test_the_hello_that_brings_the_cookie_back_is_lost(self):
        self.place.damage = relays.LastHello()
        self.make("here/one", 1)
        with self.link(self.server, self.place, "there") as (url, _, _):
            sent = self.run_client(self.client.send(url, ["here/one"]))
        self.assertTrue(self.place.damage.is_done)
        self.equal("here", "there", ["one"])
        self.assertEqual([e["well"] for e in sent if e["event"] == "ended"], [True], "in the first session")


class UdpToPeer(Everything, Damaged, Cut, Case):
    link, server, client, damage = staticmethod(Links.udp), Peer, Command, staticmethod(datagram_damage)


class UdpAlone(Everything, Damaged, Cut, Case):
    link, server, client, damage = staticmethod(Links.udp), Peer, Peer, staticmethod(datagram_damage)


class Rules(Case):
    """Frame by frame: what the command has to answer."""

    def setUp(self):
        super().setUp()
        self.server = Process(Command.serve("tcp://127.0.0.1:0", "there"), self.place)
        self.addCleanup(self.server.__exit__)
        self.port = Links.port(self.server)
        self.talk()

    def talk(self):
        self.link, self.framing = socket.create_connection(("127.0.0.1", self.port)), framing.Stream(1 << 20)
        self.addCleanup(self.link.close)
        self.link.settimeout(PATIENCE)
        self.found = []
        self.session = session.Session(self.framing, session.Limits(), 0.0)
        while not self.session.is_open:
            self.say_all()
            self.session.frame(self.hear_bytes(), 0.0)
        self.say_all()

    def say_all(self):
        while self.session.out:
            self.link.sendall(self.framing.wrap(self.session.out.popleft()))

    def say(self, kind, **fields):
        self.session.put(kind, **fields)
        self.say_all()

    def hear_bytes(self):
        while not self.found:
            data = self.link.recv(65536)
            self.assertTrue(data, "the link ended")
            self.found += self.framing.feed(data)
        return self.found.pop(0)

    def hear(self, kind):
        data = self.hear_bytes()
        self.assertTrue(wire.checked(data, self.session.tag_in))
        frame = wire.read(data[0], data[1:-4])
        self.assertEqual(frame.kind, kind, frame)
        return frame

    def hear_end(self):
        self.assertEqual(self.found, [])
        self.link.shutdown(socket.SHUT_WR)
        self.assertEqual(self.link.recv(1), b"")

    def offer(self, transfer, contents, **changes):
        fields = dict(transfer=transfer, size=len(contents), modified=None, executable=False, directory=False, restart=False,
                      want=None, listing=False, digest=wire.CRC64, identity=b"identity", name=b"file")
        self.say("offer", **{**fields, **changes})

    def say_end(self, transfer, contents, check=None):
        digest = digests.Crc64()
        digest.update(contents)
        check = zlib.crc32(contents) if check is None else check
        self.say("end", transfer=transfer, size=len(contents), check=check, digest=wire.CRC64, value=digest.digest())

    def test_ping_notice_and_bye(self):
        self.session.out.append(wire.seal(b"\x02\x07padding", self.session.tag_out))
        self.say_all()
        self.assertEqual(self.hear("pong").number, 7)
        self.say("notice", number=9, words="a word")
        self.assertEqual(self.hear("pong").number, 9)
        self.assertEqual(self.server.until("notice")["text"], "a word")
        self.say("bye", code="ok", words="")
        self.hear("bye")
        self.hear_end()

    def test_kinds_that_are_not_known(self):
        for kind in (0x40, 0x7F):
            self.session.out.append(wire.seal(bytes([kind, 1, 2]), self.session.tag_out))
        self.say("ping", number=1)
        self.hear("pong")
        self.session.out.append(wire.seal(bytes([0x18, 1, 2]), self.session.tag_out))
        self.say_all()
        abort = self.hear("abort")
        self.assertEqual((abort.scope, abort.code), ("session", "protocol"))

    def test_a_damaged_frame(self):
        frame = bytearray(wire.seal(b"\x02\x01", self.session.tag_out))
        frame[1] ^= 1
        self.link.sendall(self.framing.wrap(bytes(frame)))
        self.assertEqual(self.hear("abort").code, "integrity")

    def test_a_length_that_is_too_short(self):
        self.link.sendall(b"\4\0\0data")
        self.assertEqual(self.hear("abort").code, "protocol")

    def test_given_up_and_resumed(self):
        contents = self.seed.randbytes(1000)
        self.offer(1, contents)
        self.assertEqual(self.hear("accept").offset, 0)
        self.say("data", transfer=1, offset=0, payload=contents[:600])
        self.say("abort", scope="sending", transfer=1, code="cancelled", words="")
        self.offer(2, contents)
        accept = self.hear("accept")
        self.assertEqual((accept.offset, accept.check), (600, zlib.crc32(contents[:600])))
        self.say("data", transfer=2, offset=600, payload=contents[600:])
        self.say_end(2, contents)
        self.assertEqual(self.hear("done").code, "ok")
        self.assertEqual((self.place / "there/file").read_bytes(), contents)
        self.offer(3, contents)
        self.assertTrue(self.hear("accept").have)

    def test_restart(self):
        first, second = self.seed.randbytes(1000), self.seed.randbytes(1000)
        self.offer(1, first)
        self.hear("accept")
        self.say("data", transfer=1, offset=0, payload=first[:600])
        self.offer(1, second, restart=True)
        self.assertEqual(self.hear("accept").offset, 0)
        self.say("data", transfer=1, offset=0, payload=second)
        self.say_end(1, second)
        self.assertEqual(self.hear("done").code, "ok")
        self.assertEqual((self.place / "there/file").read_bytes(), second)

    def test_wrong_contents(self):
        self.offer(1, b"contents")
        self.hear("accept")
        self.say("data", transfer=1, offset=0, payload=b"CONTENTS")
        self.say_end(1, b"contents")
        self.assertEqual(self.hear("done").code, "integrity")
        self.offer(1, b"contents", restart=True)
        self.assertEqual(self.hear("accept").offset, 0)
        self.assertFalse((self.place / "there/file").exists())

    def test_more_than_was_offered(self):
        self.offer(1, b"contents")
        self.hear("accept")
        self.say("data", transfer=1, offset=0, payload=b"contents and more")
        abort = self.hear("abort")
        self.assertEqual((abort.scope, abort.transfer, abort.code), ("receiving", 1, "too large"))

    def test_what_was_never_offered(self):
        self.say("data", transfer=1, offset=0, payload=b"data")
        self.assertEqual(self.hear("abort").code, "protocol")

    def test_names(self):
        for number, name in enumerate((b"", b"a//b", b"../a", b".SAMPAN/a", b"a\\b", b"a\x00", b"\xff"), 1):
            self.offer(number, b"", name=name)
            decline = self.hear("decline")
            self.assertEqual((decline.what, decline.number, decline.code), ("offer", number, "bad name"), name)

    def test_a_want(self):
        self.say("want", number=1, listing=False, name=b"nothing")
        decline = self.hear("decline")
        self.assertEqual((decline.what, decline.number, decline.code), ("want", 1, "not found"))


if __name__ == "__main__":
    unittest.main()
