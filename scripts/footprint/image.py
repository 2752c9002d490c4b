"""An image, and which of its bytes are the engine's."""

import bisect
import re
import struct
import subprocess

# The firmware of examples/firmware/receive-only but for its module `engine`, what comes before `main`, and the logger that is behind defmt.
NOT_THE_ENGINE = re.compile(
    r"<*(?:board|receive_only(?!::engine::)|cortex_m_rt)\b"
    r"|_defmt_\w+$"
    r"|(?:main|Reset|_start|__stext|__INTERRUPTS|__EXCEPTIONS|__RESET_VECTOR|__pre_init|Default\w+|HardFault\w*)$"
)

# By what is shown that something is not linked.
UNWANTED = {
    "panic": re.compile(r"panic|rust_begin_unwind|rust_eh|core::(?:option|result|slice|str|cell)::.*_fail"),
    "formatting": re.compile(r"core::fmt"),
    "allocator": re.compile(r"__rust_|__rg_|__rdl_|(?:^|[ <])alloc::|handle_alloc"),
    "floating point": re.compile(
        r"__aeabi_(?:[fd](?:add|sub|rsub|mul|div|neg|cmp|2)|c[fd](?:cmp|rcmp)|(?:i|ui|l|ul)2[fd])"
        r"|^__(?:add|sub|mul|div|neg|pow\w|cmp|eq|ne|lt|le|gt|ge|unord)[hsdt]f[123i]"
        r"|^__(?:fix|fixuns|float|floatun|extend|trunc)[hsdt][fi]"
        r"|compiler_builtins::(?:float|math)|core::f(?:32|64)|core::num::(?:flt2dec|dec2flt)"
    ),
}


# What is loaded. Initial values of variables are in flash, too; the words of a log are in a section of their own, which is not loaded.
FLASH = (".vector_table", ".text", ".rodata")
RAM = (".data", ".bss", ".uninit")

SYMBOL = re.compile(r"([0-9a-f]{8}) .{7} (\S+)\t([0-9a-f]{8}) (?:\.hidden )?(.*)$")

# How the compiler writes names, as far as the tools leave that so.
HASH = re.compile(r"::h[0-9a-f]{16}\b|\.llvm\.\d+$| \(\.llvm\.\d+\)$")
ESCAPES = {"_$LT$": "<", "$LT$": "<", "$GT$": ">", "$u20$": " ", "$C$": ",", "$RF$": "&", "$LP$": "(", "$RP$": ")", "..": "::"}


class ImageError(Exception):
    """It cannot be said what is asked of an image."""


def lines(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def plain(name):
    name = HASH.sub("", name)
    for escape, text in ESCAPES.items():
        name = name.replace(escape, text)
    return name


class Symbol:
    def __init__(self, address, size, section, name):
        self.address, self.size, self.name = address, size, name
        self.is_ram = section in RAM
        self.is_code = section == ".text"
        self.is_engine = not NOT_THE_ENGINE.match(name)

    def __repr__(self):
        return self.name


class Image:
    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            self.elf = file.read()
        self.is_riscv = struct.unpack_from("<H", self.elf, 18)[0] == 243
        self.names, found = set(), {}
        for line in lines("llvm-objdump", "--syms", "--demangle", path):
            match = SYMBOL.match(line)
            if match and match[2] in FLASH + RAM:
                symbol = Symbol(int(match[1], 16), int(match[3], 16), match[2], plain(match[4]))
                self.names.add(symbol.name)
                # Of several names for the same bytes, one counts.
                if symbol.size > 0:
                    found.setdefault(symbol.address, symbol)
        self.symbols = sorted(found.values(), key=lambda symbol: symbol.address)
        self.functions = [symbol for symbol in self.symbols if symbol.is_code]
        self.starts = [symbol.address for symbol in self.functions]
        self.sizes, self.places = {}, {}
        for line in lines("llvm-size", "-A", path):
            parts = line.split()
            if len(parts) == 3 and parts[1].isdigit():
                self.sizes[parts[0]] = int(parts[1])
                self.places[parts[0]] = int(parts[2])
        # An image that is empty, or that has lost its start, would pass every check.
        if self.bytes_of(".text") == 0 or not any(symbol.name.endswith("::engine::turn") for symbol in self.functions):
            raise ImageError(f"{path} has no engine in it")

    def bytes_of(self, *sections):
        return sum(self.sizes.get(section, 0) for section in sections)

    def whole_flash(self):
        return self.bytes_of(*FLASH, ".data")

    def others(self, is_ram):
        return sum(s.size for s in self.symbols if s.is_ram == is_ram and not s.is_engine)

    def flash(self):
        """Code, constants and initial values of the engine; and what lies between, to align it."""
        return self.whole_flash() - self.others(is_ram=False)

    def ram(self):
        return self.bytes_of(*RAM) - self.others(is_ram=True)

    def end_of_ram(self):
        """The address after the last variable."""
        return max(self.places[s] + self.sizes[s] for s in RAM if s in self.places)

    def unwanted(self):
        """What should not be in it, by kinds."""
        found = {kind: sorted(filter(pattern.search, self.names)) for kind, pattern in UNWANTED.items()}
        return {kind: names for kind, names in found.items() if names}

    def function_at(self, address):
        """The function that this address lies in."""
        at = bisect.bisect_right(self.starts, address) - 1
        if at >= 0 and address < self.functions[at].address + self.functions[at].size:
            return self.functions[at]
        return None

    def function_from(self, address):
        """The function that begins at this address."""
        function = self.function_at(address)
        return function if function and function.address == address else None

    def segments(self):
        """What of the file is loaded: (address, bytes)."""
        start, size, count = *struct.unpack_from("<I", self.elf, 28), *struct.unpack_from("<HH", self.elf, 42)
        for at in range(start, start + size * count, size):
            kind, offset, address, _, length = struct.unpack_from("<5I", self.elf, at)
            if kind == 1:
                yield address, self.elf[offset : offset + length]

    def word(self, address):
        for start, content in self.segments():
            if start <= address <= start + len(content) - 4:
                return struct.unpack_from("<I", content, address - start)[0]
        raise ImageError(f"{self.path} has nothing at {address:#x}")

    def show_map(self):
        for what, is_ram in (("static RAM", True), ("flash", False)):
            for whose, is_engine in (("the rest of the firmware", False), ("the engine", True)):
                chosen = [s for s in self.symbols if s.is_ram == is_ram and s.is_engine == is_engine]
                print(f"\n{what} of {whose} by symbol: {sum(s.size for s in chosen)}")
                for symbol in sorted(chosen, key=lambda symbol: -symbol.size):
                    print(f"{symbol.size:6}  {symbol.name}")
        print(f"\nconstants, taken for the engine's: {self.bytes_of('.rodata')}")
