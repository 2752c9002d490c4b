"""Where contents come from and where they go: files below one directory, and bytes in memory."""

import hashlib
import json
import os
import pathlib

import wire

OWN = ".sampan-peer"


class Refused(Exception):
    """The storage does not take, or have, something; its argument is a code of §7.1."""


class File:
    """A source: a file as it was when it was opened."""

    def __init__(self, path):
        self.file = open(path, "rb")
        about = os.fstat(self.file.fileno())
        self.length, self.modified = about.st_size, about.st_mtime_ns
        self.executable, self.directory = bool(about.st_mode & 0o100), False
        digest = hashlib.sha256()
        while piece := self.file.read(1 << 20):
            digest.update(piece)
        self.identity = digest.digest()[:16]

    def read(self, offset, length):
        return os.pread(self.file.fileno(), length, offset)

    def is_unchanged(self):
        about = os.fstat(self.file.fileno())
        return (about.st_size, about.st_mtime_ns) == (self.length, self.modified)


class Memory:
    """A source: contents that are at hand, a directory if there are none to be."""

    def __init__(self, contents, directory=False, modified=None):
        self.contents, self.length, self.directory, self.modified = contents, len(contents), directory, modified
        self.executable, self.identity = False, b""

    def read(self, offset, length):
        return self.contents[offset : offset + length]

    def is_unchanged(self):
        return True


class Collected:
    """A sink for what is not to be stored, such as a listing."""

    durable = 0

    def __init__(self):
        self.contents = bytearray()

    def write(self, offset, data):
        self.contents.extend(bytes(max(0, offset - len(self.contents))))
        self.contents[offset : offset + len(data)] = data

    def read(self, offset, length):
        return bytes(self.contents[offset : offset + length])

    def sync(self, received):
        pass

    def keep(self, received):
        pass

    def discard(self):
        self.contents.clear()

    def commit(self, received):
        pass


def fsync(path):
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


class Part:
    """A sink: an unfinished file, with a note of how much of it is durable."""

    def __init__(self, store, key, offer, is_new):
        self.store, self.key, self.offer = store, key, offer
        self.path, self.note = store.own / f"{key}.part", store.own / f"{key}.note"
        self.file = os.open(self.path, os.O_RDWR | os.O_CREAT | (os.O_TRUNC if is_new else 0))
        self.durable = 0
        if is_new:
            self.note.unlink(missing_ok=True)
        elif self.note.exists():
            self.durable = min(int(self.note.read_text()), os.fstat(self.file).st_size)
        store.busy.add(key)

    def write(self, offset, data):
        while data:
            done = os.pwrite(self.file, data, offset)
            offset, data = offset + done, data[done:]

    def read(self, offset, length):
        return os.pread(self.file, length, offset)

    def sync(self, received):
        os.fsync(self.file)
        if self.offer.identity:
            fresh = self.note.with_suffix(".fresh")
            fresh.write_text(str(received))
            fresh.rename(self.note)
        self.durable = received

    def keep(self, received):
        """The transfer is over before its end."""
        self.sync(received)
        self.close()
        if not self.offer.identity:
            self.path.unlink()

    def discard(self):
        self.close()
        self.path.unlink()
        self.note.unlink(missing_ok=True)

    def close(self):
        os.close(self.file)
        self.store.busy.discard(self.key)

    def commit(self, received):
        os.ftruncate(self.file, received)
        os.fchmod(self.file, 0o755 if self.offer.executable else 0o644)
        if self.offer.modified is not None:
            os.utime(self.file, ns=(self.offer.modified, self.offer.modified))
        os.fsync(self.file)
        self.close()
        place = self.store.path(self.offer.name)
        place.parent.mkdir(parents=True, exist_ok=True)
        self.path.rename(place)
        self.note.unlink(missing_ok=True)
        fsync(place.parent)
        self.store.remember(self.key, place)


class Directory:
    """A sink: a directory that is made."""

    durable = 0

    def __init__(self, place):
        self.place = place

    def write(self, offset, data):
        raise Refused("too large")

    def sync(self, received):
        pass

    def keep(self, received):
        pass

    discard = lambda self: None

    def commit(self, received):
        self.place.mkdir(parents=True, exist_ok=True)
        fsync(self.place.parent)


class Store:
    """A directory that takes files and has files."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.own = self.root / OWN
        self.own.mkdir(parents=True, exist_ok=True)
        self.busy = set()

    def path(self, name):
        return self.root / os.fsdecode(name)

    def remember(self, key, place):
        about = place.stat()
        (self.own / f"{key}.done").write_text(json.dumps([about.st_size, about.st_mtime_ns]))

    def has(self, key, place):
        done = self.own / f"{key}.done"
        try:
            about = place.stat()
            return json.loads(done.read_text()) == [about.st_size, about.st_mtime_ns]
        except FileNotFoundError:
            return False

    def decide(self, offer):
        """A sink for what is offered, or nothing if it is here already (§10.2)."""
        if not wire.valid_name(offer.name):
            raise Refused("bad name")
        place = self.path(offer.name)
        if offer.directory:
            if place.exists() and not place.is_dir():
                raise Refused("exists")
            return Directory(place)
        key = hashlib.sha256(offer.identity + b"\0" + offer.name).hexdigest()[:32]
        if offer.identity and not offer.restart and self.has(key, place):
            return None
        if key in self.busy:
            raise Refused("busy")
        if place.is_dir():
            raise Refused("exists")
        return Part(self, key, offer, is_new=offer.restart or not offer.identity)

    def find(self, name):
        """The source that has this name."""
        if not wire.valid_name(name):
            raise Refused("bad name")
        path = self.path(name)
        if path.is_dir() and not path.is_symlink():
            return Memory(b"", directory=True, modified=path.stat().st_mtime_ns)
        if not path.is_file():
            raise Refused("not found")
        return File(path)

    def listing(self, prefix):
        """The contents of a listing (§12)."""
        out = b""
        for path in sorted(self.root.rglob("*")):
            name = os.fsencode(path.relative_to(self.root))
            is_directory = path.is_dir() and not path.is_symlink()
            if not name.startswith(prefix) or not wire.valid_name(name) or not (is_directory or path.is_file()):
                continue
            about = path.stat()
            executable = not is_directory and bool(about.st_mode & 0o100)
            size = None if is_directory else about.st_size
            out += wire.record(size, about.st_mtime_ns, executable, is_directory, name)
        return out
