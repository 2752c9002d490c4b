/*
 * What a session says to memory and to calls that are not as they should be. Ends with 0 if all is as the header says.
 */

#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include "sampan.h"

_Static_assert(SAMPAN_SESSION_SIZE % SAMPAN_ALIGN == 0, "arrays of memory stay aligned");
_Static_assert(SAMPAN_INCOMING_SIZE % SAMPAN_ALIGN == 0, "arrays of memory stay aligned");
_Static_assert(SAMPAN_OUTGOING_SIZE % SAMPAN_ALIGN == 0, "arrays of memory stay aligned");

static alignas(SAMPAN_ALIGN) uint8_t session_memory[SAMPAN_SESSION_SIZE + SAMPAN_ALIGN];
static alignas(SAMPAN_ALIGN) uint8_t incoming_memory[SAMPAN_INCOMING_SIZE + 1];
static alignas(SAMPAN_ALIGN) uint8_t outgoing_memory[2 * SAMPAN_OUTGOING_SIZE];
static alignas(SAMPAN_ALIGN) uint8_t gaps_memory[SAMPAN_LIST_SIZE + 16 * SAMPAN_GAP_SIZE];
static alignas(SAMPAN_ALIGN) uint8_t repairs_memory[SAMPAN_LIST_SIZE + 64 * SAMPAN_REPAIR_SIZE];
static uint8_t receive_memory[72], transmit_memory[72];

static int wrong;

static void expect(bool right, const char *what) {
    if (!right) {
        printf("faults: %s\n", what);
        wrong = 1;
    }
}

int main(void) {
    const sampan_memory memory = {
        .session = {session_memory, SAMPAN_SESSION_SIZE},
        .incoming = {incoming_memory, SAMPAN_INCOMING_SIZE},
        .outgoing = {outgoing_memory, sizeof outgoing_memory},
        .receive = {receive_memory, sizeof receive_memory},
        .transmit = {transmit_memory, sizeof transmit_memory},
    };
    const sampan_setup setup = {.framing = SAMPAN_FRAMING_COBS, .speaks = SAMPAN_SPEAKS_FIRST, .nonce = 1, .limits = sampan_limits_small()};
    sampan_memory other = memory;

    other.session.length -= 1;
    expect(sampan_begin(&other, &setup, 0).fault == SAMPAN_FAULT_TOO_SMALL, "a session a byte too small");
    other = memory;
    other.session.bytes += 1;
    expect(sampan_begin(&other, &setup, 0).fault == SAMPAN_FAULT_MISALIGNED, "a session at an odd address");
    other = memory;
    other.incoming.bytes += 1;
    expect(sampan_begin(&other, &setup, 0).fault == SAMPAN_FAULT_MISALIGNED, "a transfer at an odd address");
    other = memory;
    other.outgoing.length = SAMPAN_OUTGOING_SIZE - 1;
    expect(sampan_begin(&other, &setup, 0).fault == SAMPAN_FAULT_TOO_SMALL, "a transfer a byte too small");
    other = memory;
    other.gaps = (sampan_room){gaps_memory, SAMPAN_LIST_SIZE + 4 * SAMPAN_GAP_SIZE - 1};
    expect(sampan_begin(&other, &setup, 0).fault == SAMPAN_FAULT_TOO_SMALL, "memory for gaps a byte too small");
    other.gaps = (sampan_room){gaps_memory + 4, sizeof gaps_memory - 4};
    expect(sampan_begin(&other, &setup, 0).fault == SAMPAN_FAULT_MISALIGNED, "memory for gaps at an odd address");
    other.gaps = (sampan_room){gaps_memory, sizeof gaps_memory};
    other.repairs = (sampan_room){repairs_memory, 0};
    expect(sampan_begin(&other, &setup, 0).fault == SAMPAN_FAULT_TOO_SMALL, "memory for repairs that is none");
    other.repairs = (sampan_room){repairs_memory, sizeof repairs_memory};
    expect(sampan_begin(&other, &setup, 0).fault == SAMPAN_FAULT_NONE, "memory for gaps and repairs that is just enough");
    other = memory;
    other.receive.bytes = NULL;
    expect(sampan_begin(&other, &setup, 0).fault == SAMPAN_FAULT_TOO_SMALL, "no receive buffer");
    other = memory;
    other.transmit.length = 40;
    expect(sampan_begin(&other, &setup, 0).fault == SAMPAN_FAULT_TOO_SMALL, "a transmit buffer that holds no frame");
    sampan_setup odd = setup;
    odd.framing = 7;
    expect(sampan_begin(&memory, &odd, 0).fault == SAMPAN_FAULT_UNKNOWN, "a framing that there is not");

    sampan_begun begun = sampan_begin(&memory, &setup, 0);
    expect(begun.fault == SAMPAN_FAULT_NONE && begun.session != NULL, "a session in memory that is just enough");
    if (begun.session == NULL)
        return 1;
    sampan_session *session = begun.session;

    /* Answers to what was not asked change nothing. */
    sampan_accepted(session, 5, 5);
    sampan_served(session);
    sampan_stored(session, 100);
    sampan_fetched(session, 100);
    sampan_synced(session, 3, 9);
    sampan_committed(session, 3, 200, "there is none");
    sampan_refused(session, 99, "there is nothing");
    expect(sampan_session_state(session) == SAMPAN_STATE_OPENING, "a session is not open by itself");
    expect(sampan_want(session) == 0, "there is nobody to want something of");
    expect(sampan_offer(session) != 0 && sampan_offer(session) != 0 && sampan_offer(session) == 0,
           "as many transfers as there is memory for");

    sampan_action action = sampan_poll(session, 0);
    expect(action.tag == SAMPAN_ACTION_TRANSMIT && action.transmit.length > 0, "it speaks first");
    sampan_transmitted(session, action.transmit.length);
    action = sampan_poll(session, 0);
    expect(action.tag == SAMPAN_ACTION_WAIT && action.wait == sampan_deadline(session), "it waits for an answer");
    sampan_link_lost(session, 1);
    for (int turn = 0; turn < 100 && action.tag != SAMPAN_ACTION_CLOSED; turn++)
        action = sampan_poll(session, sampan_deadline(session));
    expect(action.tag == SAMPAN_ACTION_CLOSED && action.closed.reason != SAMPAN_REASON_GOODBYE, "a lost link ends it");
    expect(sampan_deadline(session) == SAMPAN_NEVER, "nothing is due any more");

    expect(sampan_name_check(sampan_text_of("a/b")) && !sampan_name_check(sampan_text_of("../b")), "names that lead out are wrong");
    const uint8_t digits[] = "123456789";
    expect(sampan_crc32(sampan_crc32(0, (sampan_bytes){digits, 4}), (sampan_bytes){digits + 4, 5}) == 0xCBF43926, "CRC-32 in two pieces");

    uint8_t record[64];
    sampan_entry entry = {.name = sampan_text_of("name"), .size = 5, .modified = SAMPAN_UNKNOWN_TIME}, read;
    size_t length = sampan_write_entry(&entry, (sampan_room){record, sizeof record});
    expect(length > 0 && sampan_write_entry(&entry, (sampan_room){record, length - 1}) == 0, "a record that does not fit");
    length = sampan_write_entry(&entry, (sampan_room){record, length});
    expect(sampan_read_entry((sampan_bytes){record, length - 1}, &read) == 0, "a record that is cut off");
    expect(sampan_read_entry((sampan_bytes){record, length}, &read) == length && read.size == 5 && read.name.length == 4 &&
               memcmp(read.name.text, "name", 4) == 0 && read.modified == SAMPAN_UNKNOWN_TIME,
           "a record that is read as it was written");
    return wrong;
}
