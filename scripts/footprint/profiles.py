"""What is measured."""

TARGETS = {
    "thumbv6m-none-eabi": "Cortex-M0",
    "thumbv7em-none-eabi": "Cortex-M4",
    "riscv32imac-unknown-none-elf": "RISC-V",
}

RECEIVES, BOTH, NONE = (4_096, 512, 512), (10_240, 1_536, None), (None, None, None)

# (features of the firmware, what they are, the goal: bytes of flash, static RAM and stack)
PROFILES = {
    "lean-stream": ("lean", "lean engine, receives, over a reliable stream", RECEIVES),
    "lean-cobs": ("lean,cobs", "lean engine, receives, over a line (COBS)", RECEIVES),
    "lean-both-stream": ("lean,both", "lean engine, receives and sends, stream", BOTH),
    "lean-both-cobs": ("lean,both,cobs", "lean engine, receives and sends, COBS", BOTH),
    "stream": ("", "whole engine, receives, stream", NONE),
    "cobs": ("cobs", "whole engine, receives, COBS", NONE),
    "both-stream": ("both", "whole engine, receives and sends, stream", NONE),
    "both-cobs": ("both,cobs", "whole engine, receives and sends, COBS", NONE),
    "classic": ("classic", "classic handshake, receives", NONE),
    "lean-cobs-defmt": ("lean,cobs,defmt", "lean engine, receives, COBS, with `defmt`", NONE),
    "lean-both-defmt": ("lean,both,cobs,defmt", "lean engine, receives and sends, COBS, with `defmt`", NONE),
    "cobs-defmt": ("cobs,defmt", "whole engine, receives, COBS, with `defmt`", NONE),
    "both-cobs-defmt": ("both,cobs,defmt", "whole engine, receives and sends, COBS, with `defmt`", NONE),
}

# Beside the first: what looking at names costs.
NAMES = ("lean-cobs", "lean-cobs-names", "lean,cobs,names")
