/* What an emulator does for the program that runs in it: files of the computer, in the directory that it was started in, and the time of day. */

#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file; 0 is none. */
typedef uint32_t host_file;

/* Opens a file, which is made if there is none. */
host_file host_open(const char *name);
/* How many bytes were read; fewer than asked for at the end. */
size_t host_read(host_file file, uint64_t offset, void *into, size_t length);
/* Whether all were written. */
bool host_write(host_file file, uint64_t offset, const void *from, size_t length);
/* Seconds since 1970. */
uint32_t host_time(void);

#endif
