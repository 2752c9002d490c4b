"""The report on the images that scripts/footprint.sh has built."""

import argparse
import sys

import stack
import table
from image import UNWANTED, Image, ImageError
from profiles import NAMES, PROFILES, TARGETS


def fail(words):
    print(f"footprint: {words}", file=sys.stderr)
    return 1


def report(arguments):
    images = {
        (target, profile): Image(f"{arguments.images}/{target}/{profile}") for target in TARGETS for profile in PROFILES
    }
    status, measured, names = 0, {}, {}
    for key, image in images.items():
        for kind, found in image.unwanted().items():
            status = fail(f"{' '.join(key)}: the image should have no {kind}: {', '.join(found)}")
        measured[key] = (image.flash(), image.ram(), stack.deepest(image)[0])
        print(f"{key[0]:30} {key[1]:16}  flash {measured[key][0]:6}  RAM {measured[key][1]:5}  stack {measured[key][2]:5}")
    for target in TARGETS:
        with_names = Image(f"{arguments.images}/{target}/{NAMES[1]}")
        names[target] = with_names.whole_flash() - images[target, NAMES[0]].whole_flash()
    new = table.table(measured, names, arguments.compiler)
    print(f"\n{new}\nno {', no '.join(UNWANTED)} in any of them")
    if arguments.write:
        table.write(arguments.readme, new)
        table.lower(arguments.budgets, measured)
    for line in table.passed(arguments.budgets, measured):
        status = fail(line)
    if arguments.check:
        for line in table.differs(arguments.readme, new):
            status = fail(f"{line}\n     (scripts/footprint.sh --write)")
    return status


def show_map(image):
    image.show_map()
    size, path = stack.deepest(image)
    print(f"\nworst stack: {size}")
    for frame, name in path:
        print(f"{frame:6}  {name}")
    return 0


def show_bound(image):
    """The bound of the whole firmware's stack, and where static RAM ends."""
    print(stack.deepest_of_all(image)[0], image.end_of_ram())
    return 0


def look(image):
    """Whether everything that is looked for would be found: `image` has it all."""
    missing = set(UNWANTED) - set(image.unwanted())
    return fail(f"not seen in an image that has it: {', '.join(missing)}") if missing else 0


def main():
    parser = argparse.ArgumentParser(prog="footprint")
    parser.add_argument("--images")
    parser.add_argument("--budgets")
    parser.add_argument("--readme")
    parser.add_argument("--compiler")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--map")
    parser.add_argument("--look")
    parser.add_argument("--bound")
    arguments = parser.parse_args()
    try:
        if arguments.map:
            return show_map(Image(arguments.map))
        if arguments.bound:
            return show_bound(Image(arguments.bound))
        if arguments.look:
            return look(Image(arguments.look))
        return report(arguments)
    except ImageError as error:
        return fail(error)


sys.exit(main())
