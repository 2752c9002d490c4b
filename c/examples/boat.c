/*
 * A boat: sends and fetches files, or serves a directory, as firmware would with the engine's C library, but on a POSIX system.
 *
 *     boat send LINK FILE NAME         sends a file under this name
 *     boat get LINK NAME FILE          fetches the file of this name
 *     boat serve LINK DIRECTORY        takes files into the directory, lists and gives them, until it is killed
 *
 * LINK is tcp:ADDRESS:PORT, unix:PATH or udp:ADDRESS:PORT (IPv4), which is dialled, or for `serve` listened at (not udp); or pty, a new pseudo
 * terminal, whose name is printed, with the framing for serial lines. A file that comes is NAME.part until it is whole; beside it NAME.journal
 * says how much of it is durable, so that it goes on from there in a later session.
 *
 * All that a session needs are the buffers below: nothing is allocated for it.
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "sampan.h"

#define PATH_SIZE 512
#define NAME_SIZE 128
/* Largest record of a listing here. */
#define RECORD_SIZE (NAME_SIZE + 32)

static alignas(SAMPAN_ALIGN) uint8_t session_memory[SAMPAN_SESSION_SIZE];
static alignas(SAMPAN_ALIGN) uint8_t incoming_memory[SAMPAN_INCOMING_SIZE];
static alignas(SAMPAN_ALIGN) uint8_t outgoing_memory[SAMPAN_OUTGOING_SIZE];
static alignas(SAMPAN_ALIGN) uint8_t gaps_memory[SAMPAN_LIST_SIZE + 16 * SAMPAN_GAP_SIZE];
static alignas(SAMPAN_ALIGN) uint8_t repairs_memory[SAMPAN_LIST_SIZE + 16 * SAMPAN_REPAIR_SIZE];
static uint8_t receive_memory[1400];
static uint8_t transmit_memory[1400];

typedef enum { SEND, GET, SERVE } task;

/* How much of a file that is coming is durable. */
typedef struct {
    sampan_identity identity;
    uint32_t check;
    uint64_t offset;
} journal;

typedef struct {
    task task;
    int link;
    sampan_framing framing;
    /* Whether the link has refused bytes. */
    bool busy;
    /* The directory that is served. */
    const char *directory;
    /* What `send` sends and `get` wants. */
    const char *name;
    /* The file of `send` and `get`. */
    const char *file;
    /* The file that is coming, -1 if none is. */
    int coming;
    char coming_path[PATH_SIZE];
    journal journal;
    /* The file that is going, -1 if none is. */
    int going;
    char going_name[NAME_SIZE];
    struct stat going_stat;
    /* Not a file is going, but a listing of what begins with the name. */
    bool listing;
    bool succeeded;
} boat;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now_in_micros(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/* What differs from one session to the next; a board would take a counter of its boots, or its noise. */
static uint64_t new_nonce(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return ((uint64_t)now.tv_sec << 30 | (uint64_t)now.tv_nsec) ^ (uint64_t)getpid() << 48;
}

/* Copies text of the peer's; whether it fits. */
static bool copy_text(sampan_text text, char *into, size_t size) {
    if (text.length >= size)
        return false;
    if (text.length > 0)
        memcpy(into, text.text, text.length);
    into[text.length] = 0;
    return true;
}

/* Words of the peer's, with nothing in them that a terminal obeys. */
static void print_words(const char *what, sampan_text words) {
    fprintf(stderr, "boat: %s: ", what);
    for (size_t i = 0; i < words.length; i++) {
        unsigned char c = (unsigned char)words.text[i];
        fputc(c >= ' ' && c < 127 ? c : '?', stderr);
    }
    fputc('\n', stderr);
}

/* Files. */

static void path_of(const boat *b, const char *name, char *path) {
    snprintf(path, PATH_SIZE, "%s/%s", b->directory, name);
}

/* A name that may be that of a file of the directory; it has no directories below. */
static bool is_name_here(sampan_text name, char *copy) {
    return sampan_name_check(name) && copy_text(name, copy, NAME_SIZE) && strchr(copy, '/') == NULL && copy[0] != '.';
}

static bool same_identity(const sampan_identity *a, const sampan_identity *b) {
    return a->length == b->length && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static void beside(const boat *b, const char *suffix, char *path) {
    snprintf(path, PATH_SIZE, "%.*s%s", PATH_SIZE - 16, b->coming_path, suffix);
}

static bool read_journal(const boat *b, journal *into) {
    char path[PATH_SIZE];
    beside(b, ".journal", path);
    int file = open(path, O_RDONLY);
    if (file < 0)
        return false;
    bool whole = read(file, into, sizeof *into) == (ssize_t)sizeof *into;
    close(file);
    return whole;
}

/* Puts a new journal into the place of the old one, in one step. */
static bool write_journal(const boat *b) {
    char path[PATH_SIZE], old[PATH_SIZE];
    beside(b, ".journal.new", path);
    beside(b, ".journal", old);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (file < 0)
        return false;
    bool written = write(file, &b->journal, sizeof b->journal) == (ssize_t)sizeof b->journal && fsync(file) == 0;
    close(file);
    return written && rename(path, old) == 0;
}

static void forget_part(const boat *b) {
    char path[PATH_SIZE];
    beside(b, ".part", path);
    unlink(path);
    beside(b, ".journal", path);
    unlink(path);
}

static void stop_coming(boat *b) {
    if (b->coming >= 0)
        close(b->coming);
    b->coming = -1;
}

static void stop_going(boat *b) {
    if (b->going >= 0)
        close(b->going);
    b->going = -1;
    b->listing = false;
}

/* What the engine asks. */

static void offered(boat *b, sampan_session *session, const sampan_offered *offer) {
    char name[NAME_SIZE], part[PATH_SIZE];
    journal kept;
    if (b->task == SEND || (b->task == GET && offer->want == 0)) {
        sampan_refused(session, SAMPAN_CODE_NOT_ALLOWED, NULL);
        return;
    }
    if (offer->file_type != SAMPAN_FILE_TYPE_FILE && offer->file_type != SAMPAN_FILE_TYPE_EXECUTABLE) {
        sampan_refused(session, SAMPAN_CODE_UNSUPPORTED, "only files are taken here");
        return;
    }
    if (b->task == GET) {
        snprintf(b->coming_path, PATH_SIZE, "%s", b->file);
    } else if (is_name_here(offer->name, name)) {
        path_of(b, name, b->coming_path);
    } else {
        sampan_refused(session, SAMPAN_CODE_BAD_NAME, "there are no directories here");
        return;
    }
    stop_coming(b);
    beside(b, ".part", part);
    bool resumes = !offer->restart && offer->identity.length > 0 && read_journal(b, &kept) &&
                   same_identity(&kept.identity, &offer->identity);
    if (!resumes) {
        forget_part(b);
        kept = (journal){.identity = offer->identity};
    }
    b->coming = open(part, O_RDWR | O_CREAT, 0666);
    if (b->coming < 0) {
        sampan_refused(session, SAMPAN_CODE_STORAGE, NULL);
        return;
    }
    b->journal = kept;
    fprintf(stderr, "boat: takes it from %llu\n", (unsigned long long)kept.offset);
    sampan_accepted(session, kept.offset, kept.check);
}

static void stored(boat *b, sampan_session *session, const sampan_store *store) {
    ssize_t written = pwrite(b->coming, store->data.bytes, store->data.length, (off_t)store->offset);
    if (written > 0)
        sampan_stored(session, (size_t)written);
    else
        sampan_refused(session, errno == ENOSPC ? SAMPAN_CODE_NO_SPACE : SAMPAN_CODE_STORAGE, NULL);
}

static void synced(boat *b, sampan_session *session, const sampan_sync *sync) {
    journal before = b->journal;
    b->journal.offset = sync->offset;
    b->journal.check = sync->check;
    if (fsync(b->coming) != 0 || !write_journal(b))
        b->journal = before;
    sampan_synced(session, sync->transfer, b->journal.offset);
}

static void committed(boat *b, sampan_session *session, const sampan_commit *commit) {
    char part[PATH_SIZE];
    beside(b, ".part", part);
    bool done = ftruncate(b->coming, (off_t)commit->size) == 0 && fsync(b->coming) == 0 && rename(part, b->coming_path) == 0;
    stop_coming(b);
    if (done)
        forget_part(b);
    sampan_committed(session, commit->transfer, done ? SAMPAN_CODE_OK : SAMPAN_CODE_STORAGE, NULL);
}

static void wanted(boat *b, sampan_session *session, const sampan_wanted *want) {
    char path[PATH_SIZE];
    if (b->task != SERVE) {
        sampan_refused(session, SAMPAN_CODE_NOT_ALLOWED, NULL);
        return;
    }
    stop_going(b);
    if (want->listing) {
        if (!copy_text(want->name, b->going_name, NAME_SIZE)) {
            sampan_refused(session, SAMPAN_CODE_BAD_NAME, NULL);
            return;
        }
        b->listing = true;
        sampan_served(session);
        return;
    }
    if (is_name_here(want->name, b->going_name)) {
        path_of(b, b->going_name, path);
        b->going = open(path, O_RDONLY);
    }
    if (b->going >= 0)
        sampan_served(session);
    else
        sampan_refused(session, SAMPAN_CODE_NOT_FOUND, NULL);
}

static int64_t modified(const struct stat *of) {
    return (int64_t)of->st_mtim.tv_sec * 1000000000 + of->st_mtim.tv_nsec;
}

static void described(boat *b, sampan_session *session) {
    sampan_description description = {
        .name = sampan_text_of(b->going_name),
        .file_type = SAMPAN_FILE_TYPE_LISTING,
        .start = SAMPAN_START_AFTER_ANSWER,
        .size = SAMPAN_UNKNOWN,
        .modified = SAMPAN_UNKNOWN_TIME,
    };
    if (!b->listing) {
        if (fstat(b->going, &b->going_stat) != 0 || !S_ISREG(b->going_stat.st_mode)) {
            sampan_refused(session, SAMPAN_CODE_NOT_FOUND, NULL);
            return;
        }
        description.file_type = b->going_stat.st_mode & 0111 ? SAMPAN_FILE_TYPE_EXECUTABLE : SAMPAN_FILE_TYPE_FILE;
        description.size = (uint64_t)b->going_stat.st_size;
        description.modified = modified(&b->going_stat);
        /* Size and time are those of many a different file; its number and its last change, which nobody can set, tell them apart. */
        const struct timespec *changed = &b->going_stat.st_ctim;
        uint64_t which = description.size ^ (uint64_t)b->going_stat.st_ino << 24;
        uint64_t when = (uint64_t)description.modified * 31 + (uint64_t)changed->tv_sec * 1000000000 + (uint64_t)changed->tv_nsec;
        description.identity.length = 16;
        memcpy(description.identity.bytes, &which, 8);
        memcpy(description.identity.bytes + 8, &when, 8);
    }
    sampan_described(session, &description);
}

/* The records of the listing from an offset on; those before are made too, and left out. */
static size_t list(const boat *b, uint64_t skip, sampan_room into) {
    DIR *directory = opendir(b->directory);
    size_t filled = 0;
    if (directory == NULL)
        return 0;
    for (struct dirent *found; filled < into.length && (found = readdir(directory)) != NULL;) {
        char path[PATH_SIZE], name[NAME_SIZE];
        uint8_t record[RECORD_SIZE];
        struct stat about;
        sampan_text text = sampan_text_of(found->d_name);
        if (!is_name_here(text, name) || strncmp(name, b->going_name, strlen(b->going_name)) != 0)
            continue;
        path_of(b, name, path);
        if (stat(path, &about) != 0 || !S_ISREG(about.st_mode))
            continue;
        sampan_entry entry = {.name = text, .size = (uint64_t)about.st_size, .modified = modified(&about)};
        size_t length = sampan_write_entry(&entry, (sampan_room){record, sizeof record});
        if (skip >= length) {
            skip -= length;
            continue;
        }
        size_t take = length - (size_t)skip;
        if (take > into.length - filled)
            take = into.length - filled;
        memcpy(into.bytes + filled, record + skip, take);
        filled += take;
        skip = 0;
    }
    closedir(directory);
    return filled;
}

static void fetched(boat *b, sampan_session *session, const sampan_fetch *fetch) {
    if (b->listing) {
        sampan_fetched(session, list(b, fetch->offset, fetch->into));
        return;
    }
    ssize_t length = pread(b->going, fetch->into.bytes, fetch->into.length, (off_t)fetch->offset);
    if (length >= 0)
        sampan_fetched(session, (size_t)length);
    else
        sampan_refused(session, SAMPAN_CODE_STORAGE, NULL);
}

static void finished(boat *b, sampan_session *session) {
    struct stat about;
    if (b->listing || (fstat(b->going, &about) == 0 && about.st_size == b->going_stat.st_size &&
                       modified(&about) == modified(&b->going_stat)))
        sampan_finished(session, 0);
    else
        sampan_refused(session, SAMPAN_CODE_CHANGED, NULL);
}

static void happened(boat *b, sampan_session *session, const sampan_event *event) {
    switch (event->tag) {
    case SAMPAN_EVENT_OPENED:
        if (b->task == GET && sampan_want(session) == 0)
            sampan_abort(session, SAMPAN_CODE_UNSUPPORTED);
        break;
    case SAMPAN_EVENT_SENT:
        fprintf(stderr, "boat: sent, from %llu\n", (unsigned long long)event->sent.resumed_from);
        stop_going(b);
        if (b->task == SEND) {
            b->succeeded = true;
            sampan_close(session, SAMPAN_CODE_OK);
        }
        break;
    case SAMPAN_EVENT_RECEIVED:
        fprintf(stderr, "boat: has %s\n", b->coming_path);
        if (b->task == GET) {
            b->succeeded = true;
            sampan_close(session, SAMPAN_CODE_OK);
        }
        break;
    case SAMPAN_EVENT_SEND_FAILED:
        stop_going(b);
        print_words("not sent", event->send_failed.words);
        sampan_close(session, b->task == SERVE ? SAMPAN_CODE_OK : event->send_failed.code);
        break;
    case SAMPAN_EVENT_RECEIVE_FAILED:
        print_words("not received", event->receive_failed.words);
        if (b->task == GET)
            sampan_close(session, event->receive_failed.code);
        break;
    case SAMPAN_EVENT_WANT_FAILED:
        print_words("not there", event->want_failed.words);
        sampan_close(session, SAMPAN_CODE_OK);
        break;
    case SAMPAN_EVENT_NOTICE:
        print_words("notice", event->notice);
        break;
    case SAMPAN_EVENT_BYE:
        sampan_close(session, SAMPAN_CODE_OK);
        break;
    case SAMPAN_EVENT_END_OF_STREAM:
        if (b->framing == SAMPAN_FRAMING_STREAM)
            shutdown(b->link, SHUT_WR);
        break;
    default:
        break;
    }
}

/* The link. */

static bool is_nothing_now(void) {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static void receive(boat *b, sampan_session *session, uint64_t now) {
    sampan_room room = sampan_receive_buffer(session);
    if (room.length == 0)
        return;
    ssize_t length = read(b->link, room.bytes, room.length);
    if (length > 0)
        sampan_received(session, (size_t)length, now);
    else if (b->framing != SAMPAN_FRAMING_DATAGRAMS && (length == 0 || !is_nothing_now()))
        sampan_link_lost(session, now);
}

static void transmit(boat *b, sampan_session *session, sampan_bytes bytes, uint64_t now) {
    ssize_t length = write(b->link, bytes.bytes, bytes.length);
    if (length >= 0)
        sampan_transmitted(session, (size_t)length);
    else if (is_nothing_now()) {
        b->busy = true;
        sampan_transmitted(session, 0);
    } else if (b->framing == SAMPAN_FRAMING_DATAGRAMS)
        /* As if it were lost on its way. */
        sampan_transmitted(session, bytes.length);
    else
        sampan_unwritable(session, now);
}

/* Waits for the link, or for this instant. */
static void wait_until(boat *b, sampan_session *session, uint64_t until, uint64_t now) {
    struct pollfd about = {.fd = b->link};
    if (sampan_receive_buffer(session).length > 0)
        about.events |= POLLIN;
    if (b->busy)
        about.events |= POLLOUT;
    b->busy = false;
    uint64_t millis = until > now ? (until - now) / 1000 + 1 : 0;
    poll(&about, 1, millis < 60000 ? (int)millis : 60000);
}

/* One session; says how it ended. */
static sampan_closed run(boat *b, uint64_t nonce, sampan_speaks speaks) {
    sampan_memory memory = {
        .session = {session_memory, sizeof session_memory},
        .incoming = {incoming_memory, sizeof incoming_memory},
        .outgoing = {outgoing_memory, sizeof outgoing_memory},
        .gaps = {gaps_memory, sizeof gaps_memory},
        .repairs = {repairs_memory, sizeof repairs_memory},
        .receive = {receive_memory, sizeof receive_memory},
        .transmit = {transmit_memory, sizeof transmit_memory},
    };
    sampan_setup setup = {.framing = b->framing, .speaks = speaks, .nonce = nonce, .limits = sampan_limits_small()};
    setup.limits.window = b->framing == SAMPAN_FRAMING_COBS ? 2048 : 16384;
    setup.limits.sync_bytes = 65536;
    /* A server waits for as long as it takes. */
    if (b->task == SERVE)
        setup.limits.handshake = UINT32_MAX;
    sampan_begun begun = sampan_begin(&memory, &setup, now_in_micros());
    if (begun.session == NULL) {
        fprintf(stderr, "boat: the session has not begun: fault %d\n", begun.fault);
        exit(1);
    }
    sampan_session *session = begun.session;
    if (b->task == SEND)
        sampan_offer(session);
    for (;;) {
        uint64_t now = now_in_micros();
        receive(b, session, now);
        sampan_action action = sampan_poll(session, now);
        switch (action.tag) {
        case SAMPAN_ACTION_TRANSMIT:
            transmit(b, session, action.transmit, now);
            break;
        case SAMPAN_ACTION_DESCRIBE:
            described(b, session);
            break;
        case SAMPAN_ACTION_ASK:
            sampan_asked_file(session, sampan_text_of(b->name));
            break;
        case SAMPAN_ACTION_FETCH:
            fetched(b, session, &action.fetch);
            break;
        case SAMPAN_ACTION_FINISH:
            finished(b, session);
            break;
        case SAMPAN_ACTION_SAY:
            sampan_said(session, 0);
            break;
        case SAMPAN_ACTION_OFFERED:
            offered(b, session, &action.offered);
            break;
        case SAMPAN_ACTION_WANTED:
            wanted(b, session, &action.wanted);
            break;
        case SAMPAN_ACTION_STORE:
            stored(b, session, &action.store);
            break;
        case SAMPAN_ACTION_SYNC:
            synced(b, session, &action.sync);
            break;
        case SAMPAN_ACTION_COMMIT:
            committed(b, session, &action.commit);
            break;
        case SAMPAN_ACTION_KEEP:
            stop_coming(b);
            break;
        case SAMPAN_ACTION_DISCARD:
            stop_coming(b);
            forget_part(b);
            break;
        case SAMPAN_ACTION_EVENT:
            happened(b, session, &action.event);
            break;
        case SAMPAN_ACTION_WAIT:
            wait_until(b, session, action.wait, now);
            break;
        case SAMPAN_ACTION_CLOSED:
            stop_coming(b);
            if (b->task != SEND)
                stop_going(b);
            return action.closed;
        }
    }
}

/* What goes to a link is urgent already: it does not wait for more. */
static void prepare(int file) {
    int on = 1;
    setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (fcntl(file, F_SETFL, fcntl(file, F_GETFL) | O_NONBLOCK) != 0)
        fail("fcntl");
}

static struct sockaddr_in inet_address(const char *text) {
    char host[64];
    const char *colon = strrchr(text, ':');
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (colon == NULL || (size_t)(colon - text) >= sizeof host) {
        fprintf(stderr, "boat: %s is no address and port\n", text);
        exit(2);
    }
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = 0;
    address.sin_port = htons((uint16_t)atoi(colon + 1));
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        fprintf(stderr, "boat: %s is no IPv4 address\n", host);
        exit(2);
    }
    return address;
}

/* Dials, or listens for `serve`. */
static int open_socket(boat *b, int domain, int type, const struct sockaddr *address, socklen_t length) {
    int file = socket(domain, type, 0);
    if (file < 0)
        fail("socket");
    b->framing = type == SOCK_DGRAM ? SAMPAN_FRAMING_DATAGRAMS : SAMPAN_FRAMING_STREAM;
    if (b->task != SERVE) {
        if (connect(file, address, length) != 0)
            fail("connect");
        prepare(file);
        return file;
    }
    if (bind(file, address, length) != 0 || listen(file, 8) != 0)
        fail("listen");
    if (domain == AF_INET) {
        struct sockaddr_in bound;
        socklen_t size = sizeof bound;
        getsockname(file, (struct sockaddr *)&bound, &size);
        printf("%d\n", ntohs(bound.sin_port));
    }
    fflush(stdout);
    return file;
}

/* A pseudo terminal; its other end is kept open, so that it stays while nobody else has it open. */
static int open_pty(boat *b) {
    int file = posix_openpt(O_RDWR | O_NOCTTY);
    if (file < 0 || grantpt(file) != 0 || unlockpt(file) != 0)
        fail("pty");
    int other = open(ptsname(file), O_RDWR | O_NOCTTY);
    struct termios raw;
    if (other < 0 || tcgetattr(other, &raw) != 0)
        fail("pty");
    cfmakeraw(&raw);
    tcsetattr(other, TCSANOW, &raw);
    prepare(file);
    b->framing = SAMPAN_FRAMING_COBS;
    printf("%s\n", ptsname(file));
    fflush(stdout);
    return file;
}

static int open_link(boat *b, const char *link) {
    if (strcmp(link, "pty") == 0)
        return open_pty(b);
    if (strncmp(link, "unix:", 5) == 0) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        snprintf(address.sun_path, sizeof address.sun_path, "%s", link + 5);
        return open_socket(b, AF_UNIX, SOCK_STREAM, (struct sockaddr *)&address, sizeof address);
    }
    if (strncmp(link, "tcp:", 4) == 0 || (strncmp(link, "udp:", 4) == 0 && b->task != SERVE)) {
        struct sockaddr_in address = inet_address(link + 4);
        int type = link[0] == 't' ? SOCK_STREAM : SOCK_DGRAM;
        return open_socket(b, AF_INET, type, (struct sockaddr *)&address, sizeof address);
    }
    fprintf(stderr, "boat: no such link: %s\n", link);
    exit(2);
}

/* Sessions one after another, one at a time. */
static void serve(boat *b, int opened) {
    sampan_speaks speaks = SAMPAN_SPEAKS_SECOND;
    uint64_t nonce = new_nonce();
    for (;;) {
        if (b->framing == SAMPAN_FRAMING_STREAM) {
            b->link = accept(opened, NULL, NULL);
            if (b->link < 0)
                continue;
            prepare(b->link);
        }
        sampan_closed closed = run(b, nonce, speaks);
        /* A peer that has begun anew on a line that stays waits for this nonce. */
        bool again = closed.reason == SAMPAN_REASON_RESTARTED && b->framing != SAMPAN_FRAMING_STREAM;
        speaks = again ? SAMPAN_SPEAKS_FIRST : SAMPAN_SPEAKS_SECOND;
        nonce = again ? nonce : new_nonce();
        if (b->framing == SAMPAN_FRAMING_STREAM)
            close(b->link);
    }
}

static int usage(void) {
    fprintf(stderr, "usage: boat send LINK FILE NAME | boat get LINK NAME FILE | boat serve LINK DIRECTORY\n");
    return 2;
}

int main(int count, char **words) {
    boat b = {.coming = -1, .going = -1, .link = -1};
    signal(SIGPIPE, SIG_IGN);
    if (count == 5 && strcmp(words[1], "send") == 0) {
        b.task = SEND;
        b.file = words[3];
        b.name = words[4];
        b.going = open(b.file, O_RDONLY);
        if (b.going < 0)
            fail(b.file);
        if (!copy_text(sampan_text_of(b.name), b.going_name, NAME_SIZE))
            return usage();
    } else if (count == 5 && strcmp(words[1], "get") == 0) {
        b.task = GET;
        b.name = words[3];
        b.file = words[4];
    } else if (count == 4 && strcmp(words[1], "serve") == 0) {
        b.task = SERVE;
        b.directory = words[3];
    } else {
        return usage();
    }
    int opened = open_link(&b, words[2]);
    b.link = opened;
    if (b.task == SERVE)
        serve(&b, opened);
    sampan_closed closed = run(&b, new_nonce(), SAMPAN_SPEAKS_FIRST);
    if (closed.reason != SAMPAN_REASON_GOODBYE)
        fprintf(stderr, "boat: the session ended: reason %d, code %d\n", closed.reason, closed.code);
    return b.succeeded ? 0 : 1;
}
