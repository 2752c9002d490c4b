#include "store.h"

#include "semihosting.h"

void *memcpy(void *into, const void *from, size_t length);
void *memset(void *into, int byte, size_t length);

/* The newest that is right counts; the next is written over the other. */
typedef struct {
    uint32_t number;
    stored_file whole, begun;
    uint32_t check;
} record;

#define CHECKED offsetof(record, check)

static host_file slots[2], journal[2];
static record now;

static uint32_t check_of(const record *of) {
    return sampan_crc32(0, (sampan_bytes){(const uint8_t *)of, CHECKED});
}

bool store_open(void) {
    static record read;
    slots[0] = host_open("slot0.bin");
    slots[1] = host_open("slot1.bin");
    journal[0] = host_open("journal0.bin");
    journal[1] = host_open("journal1.bin");
    memset(&now, 0, sizeof now);
    for (int i = 0; i < 2; i++) {
        if (slots[i] == 0 || journal[i] == 0)
            return false;
        bool right = host_read(journal[i], 0, &read, sizeof read) == sizeof read && read.check == check_of(&read);
        if (right && read.number > now.number)
            now = read;
    }
    return true;
}

/* Writes a record of what is now. */
static bool note(void) {
    now.number++;
    now.check = check_of(&now);
    return host_write(journal[now.number % 2], 0, &now, sizeof now);
}

const stored_file *store_whole(void) {
    return &now.whole;
}

const stored_file *store_begun(void) {
    return &now.begun;
}

bool store_begin(sampan_text name, const sampan_identity *identity) {
    if (name.length >= NAME_SIZE)
        return false;
    memset(&now.begun, 0, sizeof now.begun);
    now.begun.there = true;
    now.begun.slot = now.whole.there ? 1 - now.whole.slot : 0;
    now.begun.identity = *identity;
    memcpy(now.begun.name, name.text, name.length);
    return note();
}

bool store_write(uint64_t offset, sampan_bytes data) {
    return offset <= LARGEST && data.length <= LARGEST - offset && host_write(slots[now.begun.slot], offset, data.bytes, data.length);
}

bool store_note(uint64_t offset, uint32_t check) {
    now.begun.offset = offset;
    now.begun.check = check;
    return note();
}

bool store_commit(uint64_t size, uint32_t check) {
    now.whole = now.begun;
    now.whole.size = now.whole.offset = size;
    now.whole.check = check;
    now.begun.there = false;
    return note();
}

bool store_discard(void) {
    now.begun.there = false;
    return note();
}

size_t store_read(uint64_t offset, sampan_room into) {
    uint64_t rest = offset < now.whole.size ? now.whole.size - offset : 0;
    size_t length = rest < into.length ? (size_t)rest : into.length;
    return host_read(slots[now.whole.slot], offset, into.bytes, length);
}
