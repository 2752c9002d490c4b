/*
 * Firmware in C for an LM3S6965, as QEMU emulates it: over the UART, in COBS, it takes a file into its store, and lists it and gives it back. After a
 * reset, or after the command was killed, it goes on where it was. It needs no C library and no start-up code but what is here. The session is a
 * part of the loop, which sleeps until a byte or a tick comes. Built with RECEIVE_ONLY it takes files only, and the library needs no more than that either.
 */

#include "sampan.h"
#include "semihosting.h"
#include "store.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define UART_DATA REGISTER(0x4000C000)
#define UART_FLAGS REGISTER(0x4000C018)
#define UART_LINE REGISTER(0x4000C02C)
#define UART_CONTROL REGISTER(0x4000C030)
#define UART_WAKES_BY REGISTER(0x4000C038)
#define UART_BYTES (1u << 4 | 1u << 6)
#define UART_INTERRUPT 5u
#define INTERRUPTS REGISTER(0xE000E100)
#define UART_RECEIVES_NOTHING (1u << 4)
#define UART_TRANSMITS_NO_MORE (1u << 5)
#define TICK_CONTROL REGISTER(0xE000E010)
#define TICK_RELOAD REGISTER(0xE000E014)
#define TICK_COUNT REGISTER(0xE000E018)

/* From one tick to the next, in microseconds, at 12.5 MHz. */
#define TICK 10000u
#define COUNTS (TICK / 2 * 25)

static _Alignas(SAMPAN_ALIGN) uint8_t session_memory[SAMPAN_SESSION_SIZE];
static _Alignas(SAMPAN_ALIGN) uint8_t incoming_memory[SAMPAN_INCOMING_SIZE];
static _Alignas(SAMPAN_ALIGN) uint8_t gaps_memory[SAMPAN_LIST_SIZE + 4 * SAMPAN_GAP_SIZE];
#ifndef RECEIVE_ONLY
static _Alignas(SAMPAN_ALIGN) uint8_t outgoing_memory[SAMPAN_OUTGOING_SIZE];
static _Alignas(SAMPAN_ALIGN) uint8_t repairs_memory[SAMPAN_LIST_SIZE + 4 * SAMPAN_REPAIR_SIZE];
/* What is going is a listing, or else this file. */
static bool listing;
static stored_file going;
#endif
static uint8_t receive_memory[600], transmit_memory[600];
static volatile uint32_t ticks;

/* In the library. */
int memcmp(const void *a, const void *b, size_t length);

static void tick(void) {
    ticks++;
}

/* It has woken the board, and says nothing more until it is asked to. */
static void uart_wakes(void) {
    UART_WAKES_BY = 0;
}

/* Until a byte or a tick comes; what comes in between is noticed all the same, for a pending interrupt ends the sleep. */
static void sleep(void) {
    __asm__ volatile("cpsid i" ::: "memory");
    UART_WAKES_BY = UART_BYTES;
    if (UART_FLAGS & UART_RECEIVES_NOTHING)
        __asm__ volatile("wfi");
    __asm__ volatile("cpsie i" ::: "memory");
}

/* Microseconds since the start, to the tick: a session needs them no finer. */
static uint64_t now(void) {
    return (uint64_t)ticks * TICK;
}

/* This board has no randomness: the time of day and the clock's phase have to do. */
static uint64_t new_nonce(void) {
    return (uint64_t)host_time() << 32 | TICK_COUNT << 8 | (ticks & 0xFF);
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

static bool is(const stored_file *file, sampan_text name) {
    sampan_text its = sampan_text_of(file->name);
    return file->there && its.length == name.length && memcmp(its.text, name.text, name.length) == 0;
}

/* Whether it is the same file with the same contents. */
static bool is_same(const stored_file *file, const sampan_offered *offer) {
    return is(file, offer->name) && offer->identity.length > 0 && memcmp(&offer->identity, &file->identity, sizeof offer->identity) == 0;
}

static void offered(sampan_session *session, const sampan_offered *offer) {
    const stored_file *begun = store_begun();
    if (offer->file_type != SAMPAN_FILE_TYPE_FILE) {
        sampan_refused(session, SAMPAN_CODE_UNSUPPORTED, "only files are taken here");
    } else if (!sampan_name_check(offer->name) || offer->name.length >= NAME_SIZE) {
        sampan_refused(session, SAMPAN_CODE_BAD_NAME, 0);
    } else if (offer->size != SAMPAN_UNKNOWN && offer->size > LARGEST) {
        sampan_refused(session, SAMPAN_CODE_TOO_LARGE, "there is room for 4 MiB");
    } else if (is_same(store_whole(), offer) && !offer->restart) {
        sampan_had(session);
    } else if (is_same(begun, offer) && !offer->restart) {
        sampan_accepted(session, begun->offset, begun->check);
    } else if (store_begin(offer->name, &offer->identity)) {
        sampan_accepted(session, 0, 0);
    } else {
        sampan_refused(session, SAMPAN_CODE_STORAGE, 0);
    }
}

static void stored(sampan_session *session, const sampan_store *store) {
    if (store_write(store->offset, store->data))
        sampan_stored(session, store->data.length);
    else
        sampan_refused(session, SAMPAN_CODE_STORAGE, 0);
}

static void committed(sampan_session *session, const sampan_commit *commit) {
    bool done = store_commit(commit->size, commit->check);
    sampan_committed(session, commit->transfer, done ? SAMPAN_CODE_OK : SAMPAN_CODE_STORAGE, 0);
}

#ifndef RECEIVE_ONLY
static void wanted(sampan_session *session, const sampan_wanted *want) {
    /* The listing is of all there is: of other prefixes there is none. */
    listing = want->listing;
    going = *store_whole();
    if (listing ? want->name.length == 0 : is(&going, want->name))
        sampan_served(session);
    else
        sampan_refused(session, SAMPAN_CODE_NOT_FOUND, 0);
}

static void described(sampan_session *session) {
    sampan_description description = {
        .name = sampan_text_of(listing ? 0 : going.name),
        .file_type = listing ? SAMPAN_FILE_TYPE_LISTING : SAMPAN_FILE_TYPE_FILE,
        .size = listing ? SAMPAN_UNKNOWN : going.size,
        .modified = SAMPAN_UNKNOWN_TIME,
    };
    if (!listing)
        description.identity = going.identity;
    sampan_described(session, &description);
}

/* A piece of the one record there is. */
static size_t list(uint64_t offset, sampan_room into) {
    uint8_t record[NAME_SIZE + 32];
    sampan_entry entry = {.name = sampan_text_of(going.name), .size = going.size, .modified = SAMPAN_UNKNOWN_TIME};
    size_t length = going.there ? sampan_write_entry(&entry, (sampan_room){record, sizeof record}) : 0;
    size_t listed = 0;
    while (offset + listed < length && listed < into.length) {
        into.bytes[listed] = record[offset + listed];
        listed++;
    }
    return listed;
}

/* Whether another file has come while this one goes. */
static bool has_changed(void) {
    return !listing && memcmp(&going, store_whole(), sizeof going) != 0;
}

static void fetched(sampan_session *session, const sampan_fetch *fetch) {
    if (has_changed())
        sampan_refused(session, SAMPAN_CODE_CHANGED, 0);
    else
        sampan_fetched(session, listing ? list(fetch->offset, fetch->into) : store_read(fetch->offset, fetch->into));
}

static void finished(sampan_session *session) {
    if (has_changed())
        sampan_refused(session, SAMPAN_CODE_CHANGED, 0);
    else
        sampan_finished(session, 0);
}
#endif

/* Whether the UART has refused bytes. */
static bool busy;

/* Does one thing; whether the session goes on. */
static bool turn(sampan_session *session, sampan_closed *closed) {
    sampan_room room = sampan_receive_buffer(session);
    size_t length = uart_read(room.bytes, room.length);
    if (length > 0)
        sampan_received(session, length, now());
    sampan_action action = sampan_poll(session, now());
    switch (action.tag) {
    case SAMPAN_ACTION_TRANSMIT:
        length = uart_write(action.transmit.bytes, action.transmit.length);
        busy = length == 0;
        sampan_transmitted(session, length);
        break;
    case SAMPAN_ACTION_OFFERED:
        offered(session, &action.offered);
        break;
    case SAMPAN_ACTION_STORE:
        stored(session, &action.store);
        break;
    case SAMPAN_ACTION_SYNC:
        if (store_note(action.sync.offset, action.sync.check))
            sampan_synced(session, action.sync.transfer, action.sync.offset);
        break;
    case SAMPAN_ACTION_COMMIT:
        committed(session, &action.commit);
        break;
    case SAMPAN_ACTION_DISCARD:
        store_discard();
        break;
#ifndef RECEIVE_ONLY
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
        finished(session);
        break;
#endif
    case SAMPAN_ACTION_EVENT:
        if (action.event.tag == SAMPAN_EVENT_BYE)
            sampan_close(session, SAMPAN_CODE_OK);
        break;
    case SAMPAN_ACTION_WAIT:
        if (!busy)
            sleep();
        busy = false;
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
        .gaps = {gaps_memory, sizeof gaps_memory},
#ifndef RECEIVE_ONLY
        .outgoing = {outgoing_memory, sizeof outgoing_memory},
        .repairs = {repairs_memory, sizeof repairs_memory},
#endif
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
    setup.limits.sync_bytes = 16384;
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
    INTERRUPTS = 1u << UART_INTERRUPT;
    TICK_RELOAD = COUNTS - 1;
    TICK_COUNT = 0;
    TICK_CONTROL = 7;
    if (store_open())
        run();
    for (;;) {
    }
}

static void halt(void) {
    for (;;) {
    }
}

__attribute__((section(".vectors"), used)) static void *const vectors[16 + UART_INTERRUPT + 1] = {
    stack_end, reset, halt, halt, halt, halt, halt, 0, 0, 0, 0, halt, 0, 0, halt, tick,
    [16 + UART_INTERRUPT] = uart_wakes,
};
