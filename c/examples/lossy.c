/*
 * A file between two sessions over datagrams of which one in ten is lost, in virtual time: with memory for gaps and for what is missing only that is sent
 * again, without it everything from there on. Ends with 0 if the file has arrived as it was each time, and memory has spared what it should.
 */

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sampan.h"

#define FILE_SIZE (1u << 20)
#define FRAME 1400
#define LIST 16
/* Microseconds. */
#define DELAY 5000
#define PER_DATAGRAM 500
#define LONGEST 600000000u
#define UNDER_WAY 4096

_Static_assert(SAMPAN_GAP_SIZE % SAMPAN_ALIGN == 0 && SAMPAN_REPAIR_SIZE % SAMPAN_ALIGN == 0, "lists stay aligned");

/* Memory of one end. */
typedef struct {
    alignas(SAMPAN_ALIGN) uint8_t session[SAMPAN_SESSION_SIZE];
    alignas(SAMPAN_ALIGN) uint8_t incoming[SAMPAN_INCOMING_SIZE];
    alignas(SAMPAN_ALIGN) uint8_t outgoing[SAMPAN_OUTGOING_SIZE];
    alignas(SAMPAN_ALIGN) uint8_t gaps[SAMPAN_LIST_SIZE + LIST * SAMPAN_GAP_SIZE];
    alignas(SAMPAN_ALIGN) uint8_t repairs[SAMPAN_LIST_SIZE + LIST * SAMPAN_REPAIR_SIZE];
    uint8_t receive[FRAME + 1], transmit[FRAME];
} block;

typedef struct {
    uint64_t at;
    size_t length;
    uint8_t bytes[FRAME];
} datagram;

/* One direction of the link. */
typedef struct {
    datagram queue[UNDER_WAY];
    size_t first, count;
    uint64_t free_at, bytes;
    unsigned lost;
} wire;

typedef struct {
    sampan_session *session;
    uint64_t until;
    bool over;
    bool well;
} end;

static block blocks[2];
static wire up, down;
static uint8_t sent[FILE_SIZE], received[FILE_SIZE];
static uint32_t seed;

static uint32_t number(void) {
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

static void put(wire *w, sampan_bytes bytes, uint64_t now) {
    w->bytes += bytes.length;
    w->free_at = (w->free_at > now ? w->free_at : now) + PER_DATAGRAM;
    if (number() % 10 == 0 || w->count == UNDER_WAY) {
        w->lost++;
        return;
    }
    datagram *d = &w->queue[(w->first + w->count++) % UNDER_WAY];
    d->at = w->free_at + DELAY;
    d->length = bytes.length;
    memcpy(d->bytes, bytes.bytes, bytes.length);
}

/* Does what a session asks until it waits. */
static void work(end *e, wire *to, uint64_t now) {
    while (!e->over) {
        sampan_action action = sampan_poll(e->session, now);
        switch (action.tag) {
        case SAMPAN_ACTION_TRANSMIT:
            put(to, action.transmit, now);
            sampan_transmitted(e->session, action.transmit.length);
            break;
        case SAMPAN_ACTION_DESCRIBE: {
            sampan_description description = {.name = sampan_text_of("file"), .size = FILE_SIZE, .modified = SAMPAN_UNKNOWN_TIME};
            sampan_described(e->session, &description);
            break;
        }
        case SAMPAN_ACTION_FETCH: {
            uint64_t rest = FILE_SIZE - action.fetch.offset;
            size_t length = rest < action.fetch.into.length ? (size_t)rest : action.fetch.into.length;
            memcpy(action.fetch.into.bytes, sent + action.fetch.offset, length);
            sampan_fetched(e->session, length);
            break;
        }
        case SAMPAN_ACTION_FINISH:
            sampan_finished(e->session, 0);
            break;
        case SAMPAN_ACTION_OFFERED:
            sampan_accepted(e->session, 0, 0);
            break;
        case SAMPAN_ACTION_STORE:
            memcpy(received + action.store.offset, action.store.data.bytes, action.store.data.length);
            sampan_stored(e->session, action.store.data.length);
            break;
        case SAMPAN_ACTION_SYNC:
            sampan_synced(e->session, action.sync.transfer, 0);
            break;
        case SAMPAN_ACTION_COMMIT:
            sampan_committed(e->session, action.commit.transfer, SAMPAN_CODE_OK, NULL);
            break;
        case SAMPAN_ACTION_EVENT:
            if (action.event.tag == SAMPAN_EVENT_SENT || action.event.tag == SAMPAN_EVENT_BYE)
                sampan_close(e->session, SAMPAN_CODE_OK);
            e->well = e->well || action.event.tag == SAMPAN_EVENT_SENT || action.event.tag == SAMPAN_EVENT_RECEIVED;
            break;
        case SAMPAN_ACTION_WAIT:
            e->until = action.wait;
            return;
        case SAMPAN_ACTION_CLOSED:
            e->over = true;
            break;
        default:
            break;
        }
    }
}

/* Takes what has arrived. */
static void hear(end *e, wire *from, wire *to, uint64_t now) {
    while (from->count > 0 && from->queue[from->first].at <= now) {
        datagram *d = &from->queue[from->first];
        if (!e->over) {
            sampan_room room = sampan_receive_buffer(e->session);
            if (room.length < d->length)
                return;
            memcpy(room.bytes, d->bytes, d->length);
            sampan_received(e->session, d->length, now);
        }
        from->first = (from->first + 1) % UNDER_WAY;
        from->count--;
        work(e, to, now);
    }
}

static sampan_session *begin(block *b, bool remembers, sampan_speaks speaks) {
    sampan_memory memory = {
        .session = {b->session, sizeof b->session},
        .incoming = {b->incoming, sizeof b->incoming},
        .outgoing = {b->outgoing, sizeof b->outgoing},
        .receive = {b->receive, sizeof b->receive},
        .transmit = {b->transmit, sizeof b->transmit},
    };
    if (remembers) {
        memory.gaps = (sampan_room){b->gaps, sizeof b->gaps};
        memory.repairs = (sampan_room){b->repairs, sizeof b->repairs};
    }
    sampan_setup setup = {.framing = SAMPAN_FRAMING_DATAGRAMS, .speaks = speaks, .nonce = number() + 1, .limits = sampan_limits_small()};
    setup.limits.window = 64 << 10;
    sampan_begun begun = sampan_begin(&memory, &setup, 0);
    if (begun.session == NULL) {
        fprintf(stderr, "lossy: fault %d\n", begun.fault);
        exit(1);
    }
    return begun.session;
}

/* Sends the file, and gives the bytes that it took; 0 if it has not arrived as it was. */
static uint64_t transfer(bool remembers) {
    seed = 1;
    memset(&up, 0, sizeof up);
    memset(&down, 0, sizeof down);
    memset(received, 0, sizeof received);
    end sender = {.session = begin(&blocks[0], remembers, SAMPAN_SPEAKS_FIRST)};
    end receiver = {.session = begin(&blocks[1], remembers, SAMPAN_SPEAKS_SECOND)};
    sampan_offer(sender.session);
    uint64_t now = 0;
    while (!(sender.over && receiver.over) && now < LONGEST) {
        work(&sender, &up, now);
        work(&receiver, &down, now);
        hear(&sender, &down, &up, now);
        hear(&receiver, &up, &down, now);
        uint64_t next = SAMPAN_NEVER;
        const wire *wires[] = {&up, &down};
        const end *ends[] = {&sender, &receiver};
        for (int i = 0; i < 2; i++) {
            if (wires[i]->count > 0 && wires[i]->queue[wires[i]->first].at < next)
                next = wires[i]->queue[wires[i]->first].at;
            if (!ends[i]->over && ends[i]->until < next)
                next = ends[i]->until;
        }
        if (next != SAMPAN_NEVER)
            now = next > now ? next : now + 1;
    }
    printf("lossy: %s memory: %u bytes, %u datagrams lost, %llu bytes sent, %.2f s\n", remembers ? "with" : "without", FILE_SIZE, up.lost + down.lost,
           (unsigned long long)up.bytes, (double)now / 1e6);
    return sender.well && receiver.well && memcmp(sent, received, FILE_SIZE) == 0 ? up.bytes : 0;
}

int main(void) {
    for (uint32_t i = 0; i < FILE_SIZE; i++)
        sent[i] = (uint8_t)(i * 2654435761u >> 24);
    uint64_t with = transfer(true), without = transfer(false);
    if (with == 0 || without == 0) {
        printf("lossy: the file is not what was sent\n");
        return 1;
    }
    /* One in ten is lost, so that a ninth more must be sent. */
    if (with > FILE_SIZE / 100 * 125 || without < with / 100 * 125) {
        printf("lossy: memory has not spared what it should\n");
        return 1;
    }
    return 0;
}
