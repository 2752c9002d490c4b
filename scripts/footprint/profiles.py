"""What is measured."""

TARGETS = {
    "thumbv6m-none-eabi": "Cortex-M0",
    "thumbv7em-none-eabi": "Cortex-M4",
    "riscv32imac-unknown-none-elf": "RISC-V",
}

# (features of the firmware, what they are, the goal: bytes of flash, static RAM and stack)
PROFILES = {
    "stream": ("", "receives, over a reliable stream", (4_096, 512, 512)),
    "cobs": ("cobs", "receives, over a line (COBS)", (4_096, 512, 512)),
    "both-stream": ("both", "receives and sends, stream", (10_240, 1_536, None)),
    "both-cobs": ("both,cobs", "receives and sends, COBS", (10_240, 1_536, None)),
    "classic": ("classic", "receives by the classic handshake", (None, None, None)),
    "cobs-defmt": ("cobs,defmt", "receives, COBS, `defmt`", (None, None, None)),
    "both-cobs-defmt": ("both,cobs,defmt", "receives and sends, COBS, `defmt`", (None, None, None)),
}

# Beside `cobs`: what looking at names costs.
NAMES = ("cobs-names", "cobs,names")
