/*
 * Firmware in C for an LM3S6965, as QEMU emulates it: over the UART, in COBS, it takes a file into its memory, and lists it and gives it back. It needs no
 * C library and no start-up code but what is here. The registers are polled, the session is a part of the loop.
 */

#include "sampan.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define UART_DATA REGISTER(0x4000C000)
#define UART_FLAGS REGISTER(0x4000C018)
#define UART_LINE REGISTER(0x4000C02C)
#define UART_CONTROL REGISTER(0x4000C030)
#define UART_RECEIVES_NOTHING (1u << 4)
#define UART_TRANSMITS_NO_MORE (1u << 5)
#define TICK_CONTROL REGISTER(0xE000E010)
#define TICK_RELOAD REGISTER(0xE000E014)
#define TICK_COUNT REGISTER(0xE000E018)

/* From one tick to the next, in microseconds, at 12.5 MHz. */
#define TICK 10000u
#define COUNTS (TICK / 2 * 25)

#define FILE_SIZE 24576
#define NAME_SIZE 64

/* A file in memory. */
typedef struct {
    bool whole;
    char name[NAME_SIZE];
    sampan_identity identity;
    uint64_t size;
    uint8_t bytes[FILE_SIZE];
} file;

static _Alignas(SAMPAN_ALIGN) uint8_t session_memory[SAMPAN_SESSION_SIZE];
static _Alignas(SAMPAN_ALIGN) uint8_t incoming_memory[SAMPAN_INCOMING_SIZE];
static _Alignas(SAMPAN_ALIGN) uint8_t outgoing_memory[SAMPAN_OUTGOING_SIZE];
static uint8_t receive_memory[600], transmit_memory[600];
/* The present one, and room for the next. */
static file files[2];
static unsigned present;
/* What is going is a listing. */
static bool listing;
static volatile uint32_t ticks;

/* In the library. */
void *memcpy(void *into, const void *from, size_t length);
int memcmp(const void *a, const void *b, size_t length);

static void tick(void) {
    ticks++;
}

/* Microseconds since the start, to the tick: a session needs them no finer. */
static uint64_t now(void) {
    return (uint64_t)ticks * TICK;
}

/* Asks the emulator for the time of day: this board has no randomness. */
static uint32_t time_of_day(void) {
    register uint32_t operation __asm__("r0") = 0x11;
    register uint32_t argument __asm__("r1") = 0;
    __asm__ volatile("bkpt 0xAB" : "+r"(operation) : "r"(argument) : "memory");
    return operation;
}

static uint64_t new_nonce(void) {
    return (uint64_t)time_of_day() << 32 | TICK_COUNT << 8 | (ticks & 0xFF);
}

static size_t uart_read(uint8_t *into, size_t length) {
    size_t read = 0;
    while (read < length && !(UART_FLAGS & UART_RECEIVES_NOTHING))
        into[read++] = (uint8_t)UART_DATA;
    return read;
}

static size_t uart_write(const uint8_t *from, size_t length) {
    size_t written = 0;
    while (written < length && !(UART_FLAGS & UART_TRANSMITS_NO_MORE))
        UART_DATA = from[written++];
    return written;
}

static bool begins_with(sampan_text name, const char *prefix, size_t length) {
    return name.length >= length && memcmp(name.text, prefix, length) == 0;
}

static bool is_present(sampan_text name) {
    sampan_text here = sampan_text_of(files[present].name);
    return files[present].whole && name.length == here.length && begins_with(name, here.text, here.length);
}

static void offered(sampan_session *session, const sampan_offered *offer) {
    file *next = &files[1 - present];
    if (offer->file_type != SAMPAN_FILE_TYPE_FILE) {
        sampan_refused(session, SAMPAN_CODE_UNSUPPORTED, "only files are taken here");
        return;
    }
    if (!sampan_name_check(offer->name) || offer->name.length >= NAME_SIZE) {
        sampan_refused(session, SAMPAN_CODE_BAD_NAME, 0);
        return;
    }
    if (offer->size != SAMPAN_UNKNOWN && offer->size > FILE_SIZE) {
        sampan_refused(session, SAMPAN_CODE_TOO_LARGE, "there is room for 24 KiB");
        return;
    }
    if (is_present(offer->name) && offer->identity.length > 0 &&
        memcmp(&offer->identity, &files[present].identity, sizeof offer->identity) == 0) {
        sampan_had(session);
        return;
    }
    memcpy(next->name, offer->name.text, offer->name.length);
    next->name[offer->name.length] = 0;
    next->identity = offer->identity;
    sampan_accepted(session, 0, 0);
}

static void stored(sampan_session *session, const sampan_store *store) {
    if (store->offset > FILE_SIZE || store->data.length > FILE_SIZE - store->offset) {
        sampan_refused(session, SAMPAN_CODE_TOO_LARGE, 0);
        return;
    }
    memcpy(files[1 - present].bytes + store->offset, store->data.bytes, store->data.length);
    sampan_stored(session, store->data.length);
}

static void committed(sampan_session *session, const sampan_commit *commit) {
    files[1 - present].size = commit->size;
    files[1 - present].whole = true;
    files[present].whole = false;
    present = 1 - present;
    sampan_committed(session, commit->transfer, SAMPAN_CODE_OK, 0);
}

static void wanted(sampan_session *session, const sampan_wanted *want) {
    /* The listing is of all there is: of other prefixes there is none. */
    listing = want->listing;
    if (listing ? want->name.length == 0 : is_present(want->name))
        sampan_served(session);
    else
        sampan_refused(session, SAMPAN_CODE_NOT_FOUND, 0);
}

static void described(sampan_session *session) {
    sampan_description description = {
        .name = sampan_text_of(listing ? 0 : files[present].name),
        .file_type = listing ? SAMPAN_FILE_TYPE_LISTING : SAMPAN_FILE_TYPE_FILE,
        .size = listing ? SAMPAN_UNKNOWN : files[present].size,
        .modified = SAMPAN_UNKNOWN_TIME,
    };
    if (!listing)
        description.identity = files[present].identity;
    sampan_described(session, &description);
}

static void fetched(sampan_session *session, const sampan_fetch *fetch) {
    uint8_t record[NAME_SIZE + 32];
    const uint8_t *bytes = files[present].bytes;
    uint64_t size = files[present].size;
    if (listing) {
        sampan_entry entry = {.name = sampan_text_of(files[present].name), .size = size, .modified = SAMPAN_UNKNOWN_TIME};
        bytes = record;
        size = files[present].whole ? sampan_write_entry(&entry, (sampan_room){record, sizeof record}) : 0;
    }
    size_t rest = fetch->offset < size ? (size_t)(size - fetch->offset) : 0;
    size_t length = rest < fetch->into.length ? rest : fetch->into.length;
    memcpy(fetch->into.bytes, bytes + fetch->offset, length);
    sampan_fetched(session, length);
}

/* Does one thing; whether the session goes on. */
static bool turn(sampan_session *session, sampan_closed *closed) {
    sampan_room room = sampan_receive_buffer(session);
    size_t length = uart_read(room.bytes, room.length);
    if (length > 0)
        sampan_received(session, length, now());
    sampan_action action = sampan_poll(session, now());
    switch (action.tag) {
    case SAMPAN_ACTION_TRANSMIT:
        sampan_transmitted(session, uart_write(action.transmit.bytes, action.transmit.length));
        break;
    case SAMPAN_ACTION_OFFERED:
        offered(session, &action.offered);
        break;
    case SAMPAN_ACTION_STORE:
        stored(session, &action.store);
        break;
    case SAMPAN_ACTION_SYNC:
        /* Memory is not durable. */
        sampan_synced(session, action.sync.transfer, 0);
        break;
    case SAMPAN_ACTION_COMMIT:
        committed(session, &action.commit);
        break;
    case SAMPAN_ACTION_WANTED:
        wanted(session, &action.wanted);
        break;
    case SAMPAN_ACTION_DESCRIBE:
        described(session);
        break;
    case SAMPAN_ACTION_FETCH:
        fetched(session, &action.fetch);
        break;
    case SAMPAN_ACTION_FINISH:
        sampan_finished(session, 0);
        break;
    case SAMPAN_ACTION_EVENT:
        if (action.event.tag == SAMPAN_EVENT_BYE)
            sampan_close(session, SAMPAN_CODE_OK);
        break;
    case SAMPAN_ACTION_CLOSED:
        *closed = action.closed;
        return false;
    default:
        break;
    }
    return true;
}

static void run(void) {
    const sampan_memory memory = {
        .session = {session_memory, sizeof session_memory},
        .incoming = {incoming_memory, sizeof incoming_memory},
        .outgoing = {outgoing_memory, sizeof outgoing_memory},
        .receive = {receive_memory, sizeof receive_memory},
        .transmit = {transmit_memory, sizeof transmit_memory},
    };
    sampan_setup setup = {
        .framing = SAMPAN_FRAMING_COBS,
        .speaks = SAMPAN_SPEAKS_SECOND,
        .nonce = new_nonce(),
        .limits = sampan_limits_small(),
    };
    /* What is on its way waits in the line: the emulator takes bytes only when there is room for them. */
    setup.limits.window = 2048;
    for (;;) {
        sampan_closed closed;
        sampan_begun begun = sampan_begin(&memory, &setup, now());
        if (begun.session == 0)
            return;
        while (turn(begun.session, &closed)) {
            /* The other work of the board goes here. */
        }
        /* A peer that has begun anew waits for this nonce. */
        bool again = closed.reason == SAMPAN_REASON_RESTARTED;
        setup.speaks = again ? SAMPAN_SPEAKS_FIRST : SAMPAN_SPEAKS_SECOND;
        setup.nonce = again ? setup.nonce : new_nonce();
    }
}

extern uint32_t data_start[], data_end[], data_source[], bss_start[], bss_end[], stack_end[];

void reset(void) {
    const uint32_t *from = data_source;
    for (volatile uint32_t *word = data_start; word < data_end; word++)
        *word = *from++;
    for (volatile uint32_t *word = bss_start; word < bss_end; word++)
        *word = 0;
    UART_CONTROL = 0;
    UART_LINE = 0x70;
    UART_CONTROL = 0x301;
    TICK_RELOAD = COUNTS - 1;
    TICK_COUNT = 0;
    TICK_CONTROL = 7;
    run();
    for (;;) {
    }
}

static void halt(void) {
    for (;;) {
    }
}

__attribute__((section(".vectors"), used)) static void *const vectors[16] = {
    stack_end, reset, halt, halt, halt, halt, halt, 0, 0, 0, 0, halt, 0, 0, halt, tick,
};
