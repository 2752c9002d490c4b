"""The deepest that the engine's stack can be, from the instructions of an image.

The frame of a function is all that its instructions take of the stack, one after the other, as if none of it were given back in between: that is not too
little. What a function calls is where its branches lead that leave it. Where a call goes through a register, that is any function whose address
the function itself has among its constants (compilers do so to save bytes); and, if the register was loaded from memory, any whose address a table of
the image has, as those of trait objects are: none, if the image has no such table. A call that neither explains is an error, and so is a circle of
calls.
"""

import re

from image import ImageError, lines

INSTRUCTION = re.compile(r"\s*([0-9a-f]+):\s+(\S+)\s*([^@<]*)")
CONSTANT = re.compile(r"@ 0x([0-9a-f]+)")


class Function:
    """What one function takes, and calls."""

    def __init__(self):
        self.frame = 0
        self.calls = set()
        # (the line, whether the register was loaded from memory)
        self.through_registers = []
        self.constants = set()


def registers(operands):
    """How many registers are in a list of them."""
    return operands.count(",") + 1


class Arm:
    """Thumb instructions."""

    BRANCH = re.compile(r"b(?:eq|ne|hs|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|al)?(?:\.[wn])?$|cbn?z$")

    def __init__(self, image):
        self.image = image

    def read(self, function, instructions):
        """`instructions`: (address, mnemonic, operands, line)."""
        found = Function()
        known, loaded, from_frame = {}, set(), {"r7"}
        for address, mnemonic, operands, line in instructions:
            parts = operands.replace(",", " ").split()
            first = parts[0] if parts else ""
            if mnemonic.startswith("push") or mnemonic.startswith("stmdb") and first == "sp!":
                found.frame += 4 * registers(operands[operands.index("{") :])
            elif mnemonic.startswith("sub") and first == "sp" and parts[-2] == "sp":
                found.frame += int(parts[-1].lstrip("#"), 0)
            elif mnemonic.startswith("add") and first == "sp" and not parts[-1].startswith("#"):
                if parts[-1] not in known:
                    raise ImageError(f"{function}: how much is that? {line}")
                found.frame += -known[parts[-1]] & 0xFFFF_FFFF if known[parts[-1]] >> 31 else 0
            elif (below := re.search(r"\[sp, #-(\d+)\]!", operands)) is not None:
                found.frame += int(below[1])
            elif mnemonic == "mov" and first == "sp" and parts[-1] not in from_frame:
                raise ImageError(f"{function}: where does the stack go? {line}")
            elif mnemonic in ("bl", "blx", "bx") and not parts[-1].startswith("0x"):
                if first != "lr" and not (mnemonic == "bx" and first in loaded and first not in known):
                    found.through_registers.append((line, first in loaded))
            elif mnemonic == "bl" or self.BRANCH.match(mnemonic):
                target = int(parts[-1], 16)
                if self.image.function_at(target) is not function:
                    found.calls.add(self.target(function, target, line))
            self.follow(found, known, loaded, mnemonic, parts, line)
            # The frame pointer, and what is computed from it to find the way back.
            if mnemonic.startswith(("sub", "add")) and first != "r7":
                (from_frame.add if parts[-2] in from_frame else from_frame.discard)(first)
        return found

    def target(self, function, address, line):
        target = self.image.function_from(address)
        if target is None:
            raise ImageError(f"{function}: where does this lead? {line}")
        return target

    def follow(self, found, known, loaded, mnemonic, parts, line):
        """What is known of registers after an instruction."""
        if not parts or mnemonic.startswith(("str", "cmp", "push", "b", "cb", "tst")):
            return
        first = parts[0]
        known_before = known.pop(first, None)
        loaded.discard(first)
        constant = CONSTANT.search(line)
        if mnemonic.startswith("ldr") and "[pc" in line and constant:
            known[first] = self.image.word(int(constant[1], 16))
        elif mnemonic.startswith("ldr"):
            loaded.add(first)
        elif mnemonic == "movw":
            known[first] = int(parts[-1].lstrip("#"), 0)
        elif mnemonic == "movt" and known_before is not None:
            known[first] = known_before | int(parts[-1].lstrip("#"), 0) << 16
        elif mnemonic.startswith("pop"):
            loaded.update(register.strip("{}") for register in parts)
        if first in known and known[first] & 1:
            target = self.image.function_from(known[first] & ~1)
            if target:
                found.constants.add(target)


class RiscV:
    """RV32 instructions."""

    BRANCH = re.compile(r"b(?:eq|ne|lt|ge|gt|le)u?z?$|j$|jal$")
    OFFSET = re.compile(r"(-?\d*)\(?(\w+)\)?$")

    def __init__(self, image):
        self.image = image

    def read(self, function, instructions):
        found = Function()
        known, loaded = {}, set()
        for address, mnemonic, operands, line in instructions:
            parts = operands.replace(",", " ").split()
            first = parts[0] if parts else ""
            if mnemonic == "addi" and parts[:2] == ["sp", "sp"]:
                found.frame += max(0, -int(parts[2], 0))
            elif mnemonic in ("sub", "add") and parts[:2] == ["sp", "sp"]:
                if parts[2] not in known:
                    raise ImageError(f"{function}: how much is that? {line}")
                by = (known[parts[2]] + (1 << 31)) % (1 << 32) - (1 << 31)
                found.frame += max(0, by if mnemonic == "sub" else -by)
            elif first == "sp" and mnemonic not in ("sw", "auipc") and parts[1:] != ["s0"] and parts[1:2] != ["s0"]:
                if not (mnemonic == "mv" and parts == ["sp", "sp"]):
                    raise ImageError(f"{function}: where does the stack go? {line}")
            elif mnemonic in ("jalr", "jr"):
                offset, register = self.OFFSET.match(parts[-1]).groups()
                if register in known:
                    target = known[register] + int(offset or 0) & 0xFFFF_FFFF
                    if self.image.function_at(target) is not function:
                        found.calls.add(self.target(function, target, line))
                # With `jr`, what is not known is the next piece of a `match`, or the way back.
                elif mnemonic == "jalr":
                    found.through_registers.append((line, register in loaded))
            elif self.BRANCH.match(mnemonic):
                target = int(parts[-1], 16)
                if self.image.function_at(target) is not function:
                    found.calls.add(self.target(function, target, line))
            self.follow(found, known, loaded, mnemonic, parts, line)
        return found

    target = Arm.target

    def follow(self, found, known, loaded, mnemonic, parts, line):
        if not parts or mnemonic.startswith(("s", "b", "j")) and not mnemonic.startswith(("sub", "sl", "sr", "se", "sn")):
            return
        first = parts[0]
        before = dict(known)
        known.pop(first, None)
        loaded.discard(first)
        address = int(line.split(":")[0], 16)
        if mnemonic == "auipc":
            known[first] = address + (int(parts[1], 0) << 12) & 0xFFFF_FFFF
        elif mnemonic == "lui":
            known[first] = int(parts[1], 0) << 12 & 0xFFFF_FFFF
        elif mnemonic == "li":
            known[first] = int(parts[1], 0) & 0xFFFF_FFFF
        elif mnemonic == "addi" and parts[1] in before:
            known[first] = before[parts[1]] + int(parts[2], 0) & 0xFFFF_FFFF
        elif mnemonic == "mv" and parts[1] in before:
            known[first] = before[parts[1]]
        elif mnemonic == "lw":
            loaded.add(first)
        if first in known:
            target = self.image.function_from(known[first])
            if target and mnemonic != "auipc":
                found.constants.add(target)


def functions(image):
    """What each function of the image takes, and calls."""
    reader = (RiscV if image.is_riscv else Arm)(image)
    instructions = {symbol: [] for symbol in image.functions}
    for line in lines("llvm-objdump", "--disassemble", "--no-show-raw-insn", "--no-print-imm-hex", image.path):
        match = INSTRUCTION.match(line)
        if match and not match[2].startswith(".") and not re.fullmatch(r"[0-9a-f]{2}", match[2]):
            function = image.function_at(int(match[1], 16))
            if function:
                instructions[function].append((int(match[1], 16), match[2], match[3].strip(), line.strip()))
    found = {function: reader.read(function, listed) for function, listed in instructions.items() if listed}
    in_tables = {function for function in map(image.function_from, tables(image)) if function}
    for function, what in found.items():
        for line, is_loaded in what.through_registers:
            targets = what.constants | in_tables if is_loaded else what.constants
            if not targets and not is_loaded:
                raise ImageError(f"{function}: what does this call? {line}")
            what.calls |= targets
    return found


def tables(image):
    """Words of the constants that may be addresses of functions."""
    for section in (".rodata", ".data"):
        start = image.places.get(section, 0)
        for address in range(start, start + image.bytes_of(section) - 3, 4):
            # Of a Thumb function the lowest bit is set.
            word = image.word(address)
            if image.is_riscv or word & 1:
                yield word & ~1


def deepest(image):
    """The most bytes of stack that the engine takes, and the calls that take them.

    From what the firmware calls of it to what the engine calls of the firmware: that is left out, and so is whatever interrupts it.
    """
    return walk(functions(image), r"receive_only::engine::(?:begin|turn|offer)$", lambda function: function.is_engine)


def deepest_of_all(image):
    """The same of the whole firmware, from its first instruction."""
    return walk(functions(image), r"(?:Reset|_start)$", lambda _: True)


def walk(found, roots, is_counted):
    done, path = {}, []

    def below(function):
        if function in path:
            raise ImageError("a circle of calls: " + ", ".join(map(str, path[path.index(function) :])))
        if function not in done:
            path.append(function)
            rest = max((below(called) for called in found[function].calls if is_counted(called)), default=(0, []))
            path.pop()
            done[function] = (found[function].frame + rest[0], [(found[function].frame, function.name), *rest[1]])
        return done[function]

    return max(below(function) for function in found if re.search(roots, function.name))
