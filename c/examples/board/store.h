/*
 * One file, and room for the next, which outlive a reset: in files of the computer's, where a board would have its flash. A journal of two checked
 * records says what is whole, and how much of the next has come.
 */

#ifndef STORE_H
#define STORE_H

#include "sampan.h"

#define NAME_SIZE 64
#define LARGEST (4u << 20)

/* A file, whole or in part. */
typedef struct {
    uint64_t size;
    /* What is durable, and its CRC-32. */
    uint64_t offset;
    uint32_t check;
    /* Where it is, 0 or 1; of what there is not, anything. */
    uint32_t slot;
    bool there;
    char name[NAME_SIZE];
    sampan_identity identity;
} stored_file;

/* Reads the journal; whether there can be a store. */
bool store_open(void);
/* The file that is whole, if it is there. */
const stored_file *store_whole(void);
/* The file that has come in part, if it is there. */
const stored_file *store_begun(void);
/* Begins a new one, in place of what has come in part. */
bool store_begin(sampan_text name, const sampan_identity *identity);
/* Writes a piece of it. */
bool store_write(uint64_t offset, sampan_bytes data);
/* Notes that so much of it is durable. */
bool store_note(uint64_t offset, uint32_t check);
/* It is whole, and takes the place of the one before. */
bool store_commit(uint64_t size, uint32_t check);
/* Throws it away. */
bool store_discard(void);
/* Reads a piece of the file that is whole. */
size_t store_read(uint64_t offset, sampan_room into);

#endif
