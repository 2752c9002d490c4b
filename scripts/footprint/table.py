"""Budgets, and the table in README.md."""

import re

from profiles import PROFILES, TARGETS

BEGIN, END = "<!-- footprint: made by scripts/footprint.sh --write -->\n", "<!-- footprint ends -->\n"

# What two numbers of the table may differ by and still say the same: KiB of flash, bytes of RAM or stack.
ROUNDING = {"flash": 0.11, "RAM": 16, "stack": 16}


def kib(size):
    return f"{size / 1024:.1f} KiB"


def cell(sizes):
    flash, ram, stack = sizes
    parts = [f"{size:,}" if size is not None else "–" for size in (ram, stack)]
    return " / ".join([kib(flash) if flash is not None else "–", *parts])


def goal(sizes):
    return cell(sizes) if sizes[0] is not None else "–"


def table(measured, names, compiler):
    """`measured`: by target and profile."""
    rows = [f"With {compiler}:", ""]
    rows += ["| flash / static RAM / worst stack | goal | " + " | ".join(TARGETS.values()) + " |"]
    rows.append("| --- | ---: |" + " ---: |" * len(TARGETS))
    for profile, (_, what, goals) in PROFILES.items():
        cells = [cell(measured[target, profile]) for target in TARGETS]
        rows.append(f"| {what} | {goal(goals)} | " + " | ".join(cells) + " |")
    rows.append("| the rules for names, for a store that wants them | – | " + " | ".join(f"{kib(names[t])}" for t in TARGETS) + " |")
    return "\n".join(rows) + "\n"


def split(text):
    before, begin, rest = text.partition(BEGIN)
    old, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit("footprint: README.md has no place for the table")
    return before, old, after


def write(readme, new):
    with open(readme) as file:
        before, _, after = split(file.read())
    with open(readme, "w") as file:
        file.write(before + BEGIN + "\n" + new + "\n" + END + after)


def numbers(row):
    """The numbers of a row, each with what it may differ by."""
    for number, unit in re.findall(r"([\d.,]*\d)( KiB)?", row):
        yield float(number.replace(",", "")), ROUNDING["flash" if unit else "RAM"]


def differs(readme, new):
    """Where the table in the README says something else, but for rounding."""
    with open(readme) as file:
        old = split(file.read())[1].strip().splitlines()
    rows = new.strip().splitlines()
    if old[:1] != rows[:1]:
        print(f"README.md has a table of another compiler's, which is not compared: {' '.join(old[:1])}")
        return []
    if len(old) != len(rows):
        return ["the rows are others"]
    return [
        f"README.md has {there}\n     it should be {here}"
        for there, here in zip(old[1:], rows[1:])
        if re.sub(r"[\d.,]*\d", "", there) != re.sub(r"[\d.,]*\d", "", here)
        or any(abs(a - b) > most for (a, most), (b, _) in zip(numbers(there), numbers(here)))
    ]


HEADING = """\
# What the images of receive-only may take at most, in bytes (scripts/footprint.sh).
# `scripts/footprint.sh --write` lowers what is more than is needed; only a hand raises it.
#
"""


def room_for(size):
    """What is taken and a little more, so that not every change of the compiler's is one of a budget."""
    return (size + size // 50) // 16 * 16 + 16


def budgets(path):
    allowed = {}
    with open(path) as file:
        for line in file:
            parts = line.split("#")[0].split()
            if parts:
                allowed[parts[0], parts[1]] = tuple(map(int, parts[2:]))
    return allowed


def lower(path, measured):
    """Takes away what budgets have too much, and adds those that are missing."""
    allowed = budgets(path)
    with open(path, "w") as file:
        file.write(HEADING + f"# {'target':28} {'profile':16} {'flash':>6} {'RAM':>6} {'stack':>6}\n")
        for key, sizes in measured.items():
            rooms = map(room_for, sizes)
            most = [min(pair) for pair in zip(allowed[key], rooms)] if len(allowed.get(key, ())) == 3 else rooms
            file.write(f"{key[0]:30} {key[1]:16} " + " ".join(f"{size:6}" for size in most) + "\n")


def passed(path, measured):
    """Which budgets are passed, or missing."""
    allowed, wrong = budgets(path), []
    for key, sizes in measured.items():
        if len(allowed.get(key, ())) != 3:
            wrong.append(f"{' '.join(key)}: no budget of three numbers; it takes {' '.join(map(str, sizes))}")
        for what, size, most in zip(("flash", "static RAM", "stack"), sizes, allowed.get(key, ())):
            if size > most:
                wrong.append(f"{' '.join(key)}: {size} bytes of {what}, and {most} are allowed")
    return wrong
