"""The peer's frames against the golden vectors."""

import pathlib
import re
import sys
import unittest

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "vectors")]

import check
import digests
import framing
import wire

check.HERE = HERE.parent / "vectors"


def value(key, text, kind):
    if key in ("name", "payload", "value", "identity", "words"):
        if key == "name" and kind == "HELLO":
            return int(text)
        if text.startswith('"'):
            data = check.unquote(text)
            return data.decode() if key == "words" else data
        return check.hexadecimal(text)
    if key == "digests":
        return [check.DIGESTS.index(d) for d in check.items(text)]
    if key == "digest":
        return check.DIGESTS.index(text)
    if key == "gaps" and kind == "ACK":
        return [(int(a), int(a) + int(n)) for a, n in (g.split("+") for g in check.items(text))]
    if text in ("yes", "no"):
        return text == "yes"
    if text == "-":
        return None
    return int(text, 0) if re.fullmatch("-?[0-9]+|0x[0-9a-f]+", text) else text


class Vectors(unittest.TestCase):
    def test_frames(self):
        for f in check.paragraphs("frames.txt"):
            with self.subTest(f["vector"]):
                frame, kind = bytes.fromhex(f["bytes"]), f["kind"]
                start = 0 if kind == "HELLO" else wire.tag(int(f["from"], 0), int(f["to"], 0))
                self.assertTrue(wire.checked(frame, start))
                read = wire.read(frame[0], frame[1:-4])
                for key, text in f.items():
                    if key not in ("vector", "from", "to", "bytes", "reads", "kind"):
                        self.assertEqual(getattr(read, key), value(key, text, kind), key)
                if "reads" not in f:
                    read.padding = 0
                    self.assertEqual(wire.seal(wire.write(read), start), frame)

    def test_malformed(self):
        for line in check.lines("malformed.txt"):
            kind, error, body = line.split(" # ")[0].split()
            with self.subTest(line):
                with self.assertRaises(wire.Malformed) as raised:
                    wire.read(check.KINDS[kind], check.hexadecimal(body))
                self.assertEqual(raised.exception.args[0], error)

    def test_names(self):
        for line in check.lines("names.txt"):
            verdict, _, name = line.split(" ", 2)
            self.assertEqual(wire.valid_name(check.unquote(name)), verdict == "valid", line)

    def test_varints(self):
        for line in check.lines("varints.txt"):
            kind, data, expected = line.split()
            reader = wire.Reader(check.hexadecimal(data))
            try:
                found = str(getattr(reader, kind)())
            except wire.Malformed as fault:
                found = fault.args[0]
            self.assertEqual(found, expected, line)

    def test_listings(self):
        for line in check.lines("listing.txt"):
            fields = line.split(" ", 5)
            reader = wire.Reader(check.hexadecimal(fields[0]))
            if len(fields) == 6:
                f = wire.read_record(reader)
                found = (f.size, f.modified, f.executable, f.directory, f.name)
                size, modified, executable, directory, name = fields[1:]
                expected = (value("size", size, ""), value("modified", modified, ""), executable == "yes",
                            directory == "yes", check.unquote(name))
                self.assertEqual(found, expected, line)
                self.assertEqual(wire.record(*found), bytes.fromhex(fields[0]), line)
            else:
                with self.assertRaises(wire.Malformed) as raised:
                    wire.read_record(reader)
                self.assertEqual(raised.exception.args[0], fields[1], line)


class Digests(unittest.TestCase):
    def test_crc64(self):
        digest = digests.Crc64()
        digest.update(b"1234")
        digest.update(b"56789")
        self.assertEqual(digest.digest(), 0xAE8B14860A799888.to_bytes(8, "little"))


class Cobs(unittest.TestCase):
    def test_the_example_of_the_document(self):
        self.assertEqual(framing.stuff(bytes.fromhex("1100000000")), bytes.fromhex("021101010101"))

    def test_every_length_around_full_runs(self):
        for length in [*range(5, 20), *range(250, 260), *range(505, 520), 1000]:
            for frame in (bytes([7]) * length, bytes(length), bytes(i % 256 for i in range(length))):
                stuffed = framing.stuff(frame)
                self.assertNotIn(0, stuffed)
                self.assertLessEqual(len(stuffed), length + 1 + (length - 1) // 254)
                self.assertEqual(framing.unstuff(stuffed), frame)

    def test_noise_between_frames(self):
        cobs = framing.Cobs(100)
        data = b"boot: ok\r\n\0" + framing.stuff(b"frame") + b"\0" + b"x" * 300 + b"\0\0" + framing.stuff(b"other") + b"\0"
        found = [f for i in range(0, len(data), 7) for f in cobs.feed(data[i : i + 7])]
        self.assertEqual(found, [b"frame", b"other"])
        self.assertIn(b"boot: ok", bytes(cobs.noise))


if __name__ == "__main__":
    unittest.main()
