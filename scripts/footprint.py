"""What an image takes, of which what belongs to the engine. For scripts/footprint.sh, whose head says how each number comes about."""

import re
import subprocess
import sys

# The firmware of examples/firmware/receive-only but for its module `engine`, and what comes before `main`.
NOT_THE_ENGINE = re.compile(
    r"<*(?:board|receive_only(?!::engine::)|cortex_m_rt|defmt)\b"
    r"|(?:main|Reset|_start|__stext|__INTERRUPTS|__EXCEPTIONS|__RESET_VECTOR|__pre_init|_?_?Default\w+|HardFault\w*)$"
)


def lines(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


class Symbol:
    def __init__(self, address, size, kind, name):
        self.address, self.size, self.name = address, size, name
        self.is_ram = kind in "bBdD"
        self.is_engine = not NOT_THE_ENGINE.match(name)


def symbols(image):
    """Those that have a size, one for each address."""
    found = {}
    for line in lines("nm", "--print-size", "--demangle", image):
        parts = line.split(maxsplit=3)
        if len(parts) == 4 and len(parts[1]) == 8 and len(parts[2]) == 1:
            symbol = Symbol(int(parts[0], 16) & ~1, int(parts[1], 16), parts[2], parts[3])
            found.setdefault(symbol.address, symbol)
    return list(found.values())


def sections(image):
    sizes = {}
    for line in lines("size", "-A", image):
        parts = line.split()
        if len(parts) == 3 and parts[1].isdigit():
            sizes[parts[0]] = int(parts[1])
    return sizes


class Image:
    def __init__(self, path):
        self.symbols = symbols(path)
        self.sizes = sections(path)

    def bytes_of(self, *names):
        return sum(self.sizes.get(name, 0) for name in names)

    def others(self, is_ram):
        return sum(s.size for s in self.symbols if s.is_ram == is_ram and not s.is_engine)

    def flash(self):
        """Code, constants and initial values of the engine; what pads them, too."""
        return self.bytes_of(".vector_table", ".text", ".rodata", ".data") - self.others(is_ram=False)

    def ram(self):
        return self.bytes_of(".data", ".bss", ".uninit") - self.others(is_ram=True)


def show_map(image):
    for what, is_ram in (("static RAM", True), ("flash", False)):
        for whose, is_engine in (("the engine", True), ("the rest of the firmware", False)):
            chosen = [s for s in image.symbols if s.is_ram == is_ram and s.is_engine == is_engine and s.size]
            print(f"\n{what} of {whose} by symbol: {sum(s.size for s in chosen)}")
            for symbol in sorted(chosen, key=lambda s: -s.size):
                print(f"{symbol.size:6}  {symbol.name}")
    print(f"\nconstants, all of them the engine's: {image.bytes_of('.rodata')}")


def main():
    image = Image(sys.argv[1])
    if sys.argv[2:] == ["--map"]:
        show_map(image)
    print(f"flash {image.flash()}  RAM {image.ram()}")


main()
