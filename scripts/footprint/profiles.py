"""What is measured."""

TARGETS = {
    "thumbv6m-none-eabi": "Cortex-M0",
    "thumbv7em-none-eabi": "Cortex-M4",
    "riscv32imac-unknown-none-elf": "RISC-V",
}

# (features of the firmware, what they are, the goal: bytes of flash, static RAM and stack). The lean engine, and then the full one.
NO_GOAL = (None, None, None)
PROFILES = {
    "lean-cobs": ("lean,cobs", "lean: receives, over a line (COBS)", (4_096, 512, 512)),
    "lean-stream": ("lean", "lean: receives, over a reliable stream", (4_096, 512, 512)),
    "lean-both-cobs": ("lean,both,cobs", "lean: receives and sends, COBS", (10_240, 1_536, None)),
    "lean-both-stream": ("lean,both", "lean: receives and sends, stream", (10_240, 1_536, None)),
    "lean-cobs-defmt": ("lean,cobs,defmt", "lean: receives, COBS, `defmt`", NO_GOAL),
    "lean-both-cobs-defmt": ("lean,both,cobs,defmt", "lean: receives and sends, COBS, `defmt`", NO_GOAL),
    "classic": ("classic", "receives by the classic handshake", NO_GOAL),
    "cobs": ("cobs", "full: receives, over a line (COBS)", NO_GOAL),
    "stream": ("", "full: receives, over a reliable stream", NO_GOAL),
    "both-cobs": ("both,cobs", "full: receives and sends, COBS", NO_GOAL),
    "both-stream": ("both", "full: receives and sends, stream", NO_GOAL),
    "cobs-defmt": ("cobs,defmt", "full: receives, COBS, `defmt`", NO_GOAL),
    "both-cobs-defmt": ("both,cobs,defmt", "full: receives and sends, COBS, `defmt`", NO_GOAL),
}

# What looking at names costs, beside the profile that does not: (that, features, what it is).
NAMES = {
    "lean-cobs-names": ("lean-cobs", "lean,cobs,names", "lean: the rules for names, for a store that wants them"),
    "cobs-names": ("cobs", "cobs,names", "full: the rules for names, for a store that wants them"),
}
