/*
 * The engine of sampan: file transfer that resumes, over any link (docs/protocol.md).
 *
 * Made by cbindgen of c/src; `scripts/c-example.sh --header` makes it anew. c/README.md shows how it is used.
 *
 * The caller lends the memory and owns the link, the storage and the clock (microseconds since any start, which never run backwards). It loops:
 *
 *   1. While the link has bytes and sampan_receive_buffer gives room: read into it, then sampan_received.
 *   2. sampan_poll, do what the action asks, answer by the function that is named with it.
 *   3. At SAMPAN_ACTION_WAIT: wait for the link, for a late answer of the storage's, or for the instant it names.
 *
 * Nothing is allocated, no function waits, and none calls back. A session is used from one context at a time. No argument may be NULL unless it is
 * said; calls out of order are harmless.
 */

#ifndef SAMPAN_H
#define SAMPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#if UINTPTR_MAX > 0xFFFFFFFFu
#define SAMPAN_64_BIT
#else
#define SAMPAN_32_BIT
#endif

/**
 * A size that is not known.
 */
#define SAMPAN_UNKNOWN UINT64_MAX

/**
 * A time that is not known.
 */
#define SAMPAN_UNKNOWN_TIME INT64_MIN

/**
 * No instant.
 */
#define SAMPAN_NEVER UINT64_MAX

#if defined(SAMPAN_64_BIT)
/**
 * Bytes of the memory of a session, without buffers and transfers.
 */
#define SAMPAN_SESSION_SIZE 1344
#endif

#if defined(SAMPAN_32_BIT)
/**
 * Bytes of the memory of a session, without buffers and transfers.
 */
#define SAMPAN_SESSION_SIZE 1152
#endif

/**
 * Bytes of the memory of one transfer to this end.
 */
#define SAMPAN_INCOMING_SIZE 104

/**
 * Bytes of the memory of one transfer from this end.
 */
#define SAMPAN_OUTGOING_SIZE 144

/**
 * Bytes of a list of gaps or of what is missing, without its entries.
 */
#define SAMPAN_LIST_SIZE 8

/**
 * Bytes of one gap that is remembered.
 */
#define SAMPAN_GAP_SIZE 24

/**
 * Bytes of one range that is missing and is remembered.
 */
#define SAMPAN_REPAIR_SIZE 56

/**
 * The addresses of the memory of a session, of transfers and of lists are multiples of this.
 */
#define SAMPAN_ALIGN 8

/**
 * What is transferred.
 */
enum sampan_file_type
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * A file.
     */
    SAMPAN_FILE_TYPE_FILE = 0,
    /**
     * A file that may be executed.
     */
    SAMPAN_FILE_TYPE_EXECUTABLE = 1,
    /**
     * A directory: a name without contents.
     */
    SAMPAN_FILE_TYPE_DIRECTORY = 2,
    /**
     * Records of what there is (§12).
     */
    SAMPAN_FILE_TYPE_LISTING = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sampan_file_type sampan_file_type;
#else
typedef uint8_t sampan_file_type;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Why a session ended (§8.4).
 */
enum sampan_reason
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Both ends have said goodbye.
     */
    SAMPAN_REASON_GOODBYE = 0,
    /**
     * The link ended or failed.
     */
    SAMPAN_REASON_LINK_LOST = 1,
    /**
     * No session was open by the deadline.
     */
    SAMPAN_REASON_HANDSHAKE = 2,
    /**
     * Nothing was heard for too long.
     */
    SAMPAN_REASON_SILENT = 3,
    /**
     * The peer answers, but no transfer came any further.
     */
    SAMPAN_REASON_STALLED = 4,
    /**
     * A frame was damaged on a link that should lose nothing.
     */
    SAMPAN_REASON_CORRUPT = 5,
    /**
     * The peer does not speak this protocol.
     */
    SAMPAN_REASON_NOT_SAMPAN = 6,
    /**
     * The peer speaks another version of the framing, or the classic handshake only.
     */
    SAMPAN_REASON_VERSION = 7,
    /**
     * The peer did what the protocol does not allow.
     */
    SAMPAN_REASON_PROTOCOL = 8,
    /**
     * The peer began a new session on this link. If the framing is COBS or datagrams, the next session here has to begin with the
     * same nonce, and to speak first.
     */
    SAMPAN_REASON_RESTARTED = 9,
    /**
     * The peer ended the session, with a code.
     */
    SAMPAN_REASON_ABORTED = 10,
    /**
     * This end lacks memory.
     */
    SAMPAN_REASON_MEMORY = 11,
    /**
     * This end ended the session, with a code.
     */
    SAMPAN_REASON_ENDED = 12,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sampan_reason sampan_reason;
#else
typedef uint8_t sampan_reason;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Why a session has not begun.
 */
enum sampan_fault
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * It has begun.
     */
    SAMPAN_FAULT_NONE = 0,
    /**
     * A part of the memory is NULL or too small.
     */
    SAMPAN_FAULT_TOO_SMALL = 1,
    /**
     * A part of the memory is not at a multiple of SAMPAN_ALIGN.
     */
    SAMPAN_FAULT_MISALIGNED = 2,
    /**
     * The setup has a number that is none of those named.
     */
    SAMPAN_FAULT_UNKNOWN = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sampan_fault sampan_fault;
#else
typedef uint8_t sampan_fault;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Where a session stands (§8.1).
 */
enum sampan_state
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Both ends do not know each other yet.
     */
    SAMPAN_STATE_OPENING = 0,
    /**
     * Both ends know each other's limits.
     */
    SAMPAN_STATE_OPEN = 1,
    /**
     * It has failed; a last word may still be on its way out.
     */
    SAMPAN_STATE_ENDING = 2,
    /**
     * It is over.
     */
    SAMPAN_STATE_CLOSED = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sampan_state sampan_state;
#else
typedef uint8_t sampan_state;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Why something is refused or ended (§7.1).
 */
enum sampan_code
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Done.
     */
    SAMPAN_CODE_OK = 0,
    /**
     * None of the below.
     */
    SAMPAN_CODE_OTHER = 1,
    /**
     * Policy.
     */
    SAMPAN_CODE_NOT_ALLOWED = 2,
    /**
     * The name is not valid here.
     */
    SAMPAN_CODE_BAD_NAME = 3,
    /**
     * The name is taken and must not be replaced.
     */
    SAMPAN_CODE_EXISTS = 4,
    /**
     * Larger than allowed, or more bytes than announced.
     */
    SAMPAN_CODE_TOO_LARGE = 5,
    /**
     * No space.
     */
    SAMPAN_CODE_NO_SPACE = 6,
    /**
     * Try again later.
     */
    SAMPAN_CODE_BUSY = 7,
    /**
     * Not found.
     */
    SAMPAN_CODE_NOT_FOUND = 8,
    /**
     * Reading or writing failed.
     */
    SAMPAN_CODE_STORAGE = 9,
    /**
     * Size, check or digest differs; the part has been thrown away.
     */
    SAMPAN_CODE_INTEGRITY = 10,
    /**
     * The source changed while it was sent.
     */
    SAMPAN_CODE_CHANGED = 11,
    /**
     * Somebody stopped it.
     */
    SAMPAN_CODE_CANCELLED = 12,
    /**
     * No such transfer here; offer it again.
     */
    SAMPAN_CODE_UNKNOWN = 13,
    /**
     * The other direction goes first; offer it again. As an answer of this end's: there is nothing now, ask again.
     */
    SAMPAN_CODE_WAIT = 14,
    /**
     * The peer broke a rule of the protocol.
     */
    SAMPAN_CODE_PROTOCOL = 15,
    /**
     * A deadline passed.
     */
    SAMPAN_CODE_TIMEOUT = 16,
    /**
     * This end is shutting down.
     */
    SAMPAN_CODE_CLOSING = 17,
    /**
     * A kind of file or digest that this end does not take.
     */
    SAMPAN_CODE_UNSUPPORTED = 18,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sampan_code sampan_code;
#else
typedef uint8_t sampan_code;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A digest of a whole file (§7.2).
 */
enum sampan_digest
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * None beyond the CRC-32 that the engine always makes and checks.
     */
    SAMPAN_DIGEST_CRC32 = 0,
    /**
     * CRC-64/NVME, 8 bytes, little-endian.
     */
    SAMPAN_DIGEST_CRC64_NVME = 1,
    /**
     * BLAKE3, 32 bytes.
     */
    SAMPAN_DIGEST_BLAKE3 = 2,
    /**
     * SHA-256, 32 bytes.
     */
    SAMPAN_DIGEST_SHA256 = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sampan_digest sampan_digest;
#else
typedef uint8_t sampan_digest;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Whether DATA may go ahead of the receiver's answer (§9.2).
 */
enum sampan_start
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Not before the answer: for a transfer that was begun on an earlier link, so that nothing is sent twice.
     */
    SAMPAN_START_AFTER_ANSWER = 0,
    /**
     * As far as the peer allows: saves a round trip.
     */
    SAMPAN_START_EAGER = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sampan_start sampan_start;
#else
typedef uint8_t sampan_start;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Whether bytes of files may flow both ways at once (§11).
 */
enum sampan_directions
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * The caller reads while its writes wait.
     */
    SAMPAN_DIRECTIONS_BOTH = 0,
    /**
     * The caller's writes block.
     */
    SAMPAN_DIRECTIONS_ONE_AT_A_TIME = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sampan_directions sampan_directions;
#else
typedef uint8_t sampan_directions;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Where a frame begins and ends on a link (§2).
 */
enum sampan_framing
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * A byte stream that loses nothing: TCP, a Unix socket, USB.
     */
    SAMPAN_FRAMING_STREAM = 0,
    /**
     * A byte stream that may lose, damage and inject bytes: a UART.
     */
    SAMPAN_FRAMING_COBS = 1,
    /**
     * Datagrams: what is transmitted is one, and so is what is received.
     */
    SAMPAN_FRAMING_DATAGRAMS = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sampan_framing sampan_framing;
#else
typedef uint8_t sampan_framing;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Who begins to speak on a link (§8.1).
 */
enum sampan_speaks
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * This end: it dialled.
     */
    SAMPAN_SPEAKS_FIRST = 0,
    /**
     * The peer; this end says nothing until it has.
     */
    SAMPAN_SPEAKS_SECOND = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sampan_speaks sampan_speaks;
#else
typedef uint8_t sampan_speaks;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A session over one link, in memory that the caller lends.
 */
typedef struct sampan_session sampan_session;

/**
 * Room to be written to.
 */
typedef struct {
    /**
     * The first byte.
     */
    uint8_t *bytes;
    /**
     * How many.
     */
    size_t length;
} sampan_room;

/**
 * Bytes to be read.
 */
typedef struct {
    /**
     * The first; may be NULL if there are none.
     */
    const uint8_t *bytes;
    /**
     * How many.
     */
    size_t length;
} sampan_bytes;

/**
 * A transfer that is about to be offered.
 */
typedef struct {
    /**
     * The transfer.
     */
    uint32_t transfer;
    /**
     * The digest (sampan_digest) that will be asked for at its end.
     */
    uint8_t digest;
} sampan_describe;

/**
 * A piece of a source that is to be read.
 */
typedef struct {
    /**
     * The transfer.
     */
    uint32_t transfer;
    /**
     * Offset of the first byte.
     */
    uint64_t offset;
    /**
     * Where the bytes go.
     */
    sampan_room into;
} sampan_fetch;

/**
 * The end of a source.
 */
typedef struct {
    /**
     * The transfer.
     */
    uint32_t transfer;
    /**
     * Room for exactly the bytes of the digest; none for CRC-32.
     */
    sampan_room into;
} sampan_finish;

/**
 * A notice that is about to be sent.
 */
typedef struct {
    /**
     * The notice's number.
     */
    uint32_t number;
    /**
     * Room for UTF-8.
     */
    sampan_room into;
} sampan_say;

/**
 * Text in UTF-8, which no zero ends.
 */
typedef struct {
    /**
     * The first byte; may be NULL if there are none.
     */
    const char *text;
    /**
     * How many bytes.
     */
    size_t length;
} sampan_text;

/**
 * Up to 16 bytes that the source chose.
 */
typedef struct {
    /**
     * How many there are.
     */
    uint8_t length;
    /**
     * They, and zeros.
     */
    uint8_t bytes[16];
} sampan_identity;

/**
 * What the peer offers (§5.1).
 */
typedef struct {
    /**
     * The transfer.
     */
    uint32_t transfer;
    /**
     * Where the peer should put it. It is hostile until sampan_name_check has found it right.
     */
    sampan_text name;
    /**
     * What it is.
     */
    sampan_file_type file_type;
    /**
     * The digest (sampan_digest) that its end will carry.
     */
    uint8_t digest;
    /**
     * Whether it must be accepted from offset 0.
     */
    bool restart;
    /**
     * The wish that it answers, or 0.
     */
    uint32_t want;
    /**
     * Bytes in all; SAMPAN_UNKNOWN if that is not known.
     */
    uint64_t size;
    /**
     * Nanoseconds since 1970, leap seconds not counted; SAMPAN_UNKNOWN_TIME if that is not known.
     */
    int64_t modified;
    /**
     * Equal identities of the same name mean the same contents; it cannot be resumed if this has no bytes.
     */
    sampan_identity identity;
} sampan_offered;

/**
 * What the peer wants.
 */
typedef struct {
    /**
     * The id that the transfer will have if it is served.
     */
    uint32_t transfer;
    /**
     * Whether a listing of what begins with the name is wanted (of everything, if that is empty), and not a file.
     */
    bool listing;
    /**
     * The name. It is hostile until sampan_name_check has found it right.
     */
    sampan_text name;
} sampan_wanted;

/**
 * Bytes for a sink.
 */
typedef struct {
    /**
     * The transfer.
     */
    uint32_t transfer;
    /**
     * Offset of the first byte.
     */
    uint64_t offset;
    /**
     * The bytes.
     */
    sampan_bytes data;
} sampan_store;

/**
 * What is to be made durable.
 */
typedef struct {
    /**
     * The transfer.
     */
    uint32_t transfer;
    /**
     * How much has been stored without a gap.
     */
    uint64_t offset;
    /**
     * CRC-32 of these bytes, to be kept beside the offset.
     */
    uint32_t check;
} sampan_sync;

/**
 * What is to be put into its place (§5.7).
 */
typedef struct {
    /**
     * The transfer.
     */
    uint32_t transfer;
    /**
     * Bytes in all.
     */
    uint64_t size;
    /**
     * CRC-32 of the contents; the engine has found it right.
     */
    uint32_t check;
    /**
     * Which digest (sampan_digest) the value is.
     */
    uint8_t digest;
    /**
     * The digest; empty for CRC-32.
     */
    sampan_bytes value;
} sampan_commit;

/**
 * How a transfer came to its good end.
 */
typedef struct {
    /**
     * The transfer.
     */
    uint32_t transfer;
    /**
     * Whether the receiver had it all already.
     */
    bool had_it;
    /**
     * How much the receiver had already when it accepted, in bytes.
     */
    uint64_t resumed_from;
} sampan_sent;

/**
 * How a transfer, or a wish, failed.
 */
typedef struct {
    /**
     * The transfer, or the wish.
     */
    uint32_t number;
    /**
     * Why (sampan_code).
     */
    uint8_t code;
    /**
     * Whether the peer ended it.
     */
    bool by_peer;
    /**
     * The words that came with it.
     */
    sampan_text words;
} sampan_failure;

/**
 * What the application may want to know. Handed out once, not answered; text of the peer's is to be escaped before it is shown.
 */
typedef enum {
    /**
     * The session is open.
     */
    SAMPAN_EVENT_OPENED,
    /**
     * The receiver has it, verified and durable.
     */
    SAMPAN_EVENT_SENT,
    /**
     * A transfer of this end's ended without success.
     */
    SAMPAN_EVENT_SEND_FAILED,
    /**
     * A transfer was received, verified and committed: its id.
     */
    SAMPAN_EVENT_RECEIVED,
    /**
     * A transfer to this end ended without success.
     */
    SAMPAN_EVENT_RECEIVE_FAILED,
    /**
     * The peer does not send what was wanted. The number is that of the wish.
     */
    SAMPAN_EVENT_WANT_FAILED,
    /**
     * Text from the peer's user.
     */
    SAMPAN_EVENT_NOTICE,
    /**
     * The peer stays, to be spoken to, under this name; empty if it has none of its own.
     */
    SAMPAN_EVENT_ATTACHED,
    /**
     * Bytes that came between frames, on a link where that may be: a boot log, a shell.
     */
    SAMPAN_EVENT_NOISE,
    /**
     * The peer has taken the notice with this number.
     */
    SAMPAN_EVENT_NOTICE_TAKEN,
    /**
     * The peer has answered the ping with this number.
     */
    SAMPAN_EVENT_PONGED,
    /**
     * The peer will start no further transfer: why (sampan_code).
     */
    SAMPAN_EVENT_BYE,
    /**
     * Everything is on the link: close its sending side, and go on reading.
     */
    SAMPAN_EVENT_END_OF_STREAM,
    /**
     * Something that this header has no name for.
     */
    SAMPAN_EVENT_OTHER,
} sampan_event_Tag;

typedef struct {
    sampan_event_Tag tag;
    union {
        struct {
            sampan_sent sent;
        };
        struct {
            sampan_failure send_failed;
        };
        struct {
            uint32_t received;
        };
        struct {
            sampan_failure receive_failed;
        };
        struct {
            sampan_failure want_failed;
        };
        struct {
            sampan_text notice;
        };
        struct {
            sampan_text attached;
        };
        struct {
            sampan_bytes noise;
        };
        struct {
            uint32_t notice_taken;
        };
        struct {
            uint32_t ponged;
        };
        struct {
            uint8_t bye;
        };
    };
} sampan_event;

/**
 * How a session ended.
 */
typedef struct {
    /**
     * Why; SAMPAN_REASON_GOODBYE if nothing went wrong.
     */
    sampan_reason reason;
    /**
     * The code (sampan_code) of SAMPAN_REASON_ABORTED and SAMPAN_REASON_ENDED.
     */
    uint8_t code;
    /**
     * Whether the same transfers in another session can succeed: what was durable is not sent again.
     */
    bool resumable;
} sampan_closed;

/**
 * What the caller must do next. What it points to is valid until the next call with this session.
 *
 * An action that lends something is lent again by every poll until it is answered by the function named with it. The others are handed out once.
 */
typedef enum {
    /**
     * Write these bytes to the link; answer with sampan_transmitted, 0 if it takes none now.
     */
    SAMPAN_ACTION_TRANSMIT,
    /**
     * Say what the transfer is that is about to be offered; answer with sampan_described, or sampan_refused.
     */
    SAMPAN_ACTION_DESCRIBE,
    /**
     * Say what this wish is; answer with sampan_asked_file, sampan_asked_listing, or sampan_refused.
     */
    SAMPAN_ACTION_ASK,
    /**
     * Read the source; answer with sampan_fetched, 0 at its end, or sampan_refused (SAMPAN_CODE_WAIT if there is nothing now).
     */
    SAMPAN_ACTION_FETCH,
    /**
     * The last byte was fetched: say whether the source is still the one described, and give its digest; answer with sampan_finished, or
     * sampan_refused.
     */
    SAMPAN_ACTION_FINISH,
    /**
     * Give the words of a notice; answer with sampan_said.
     */
    SAMPAN_ACTION_SAY,
    /**
     * The peer offers something; answer with sampan_accepted, sampan_accepted_in_order, sampan_had, or sampan_refused.
     */
    SAMPAN_ACTION_OFFERED,
    /**
     * The peer wants something; answer with sampan_served, or sampan_refused.
     */
    SAMPAN_ACTION_WANTED,
    /**
     * Write bytes to the sink; answer with sampan_stored, 0 if it is busy, or sampan_refused.
     */
    SAMPAN_ACTION_STORE,
    /**
     * Make durable what was stored so far. Handed out once; answer with sampan_synced when it is done, now or later.
     */
    SAMPAN_ACTION_SYNC,
    /**
     * Everything has arrived and its CRC-32 is right: compare the digest, flush, put into its final place. Handed out once; answer with
     * sampan_committed when it is done, now or later.
     */
    SAMPAN_ACTION_COMMIT,
    /**
     * This transfer to this end is over without a commit: what was stored may be resumed. Not answered.
     */
    SAMPAN_ACTION_KEEP,
    /**
     * This transfer to this end is over without a commit: what was stored is wrong, throw it away. Not answered.
     */
    SAMPAN_ACTION_DISCARD,
    /**
     * What the application may want to know. Not answered.
     */
    SAMPAN_ACTION_EVENT,
    /**
     * Nothing to do until bytes arrive, the link takes bytes again, a late answer comes, or this instant.
     */
    SAMPAN_ACTION_WAIT,
    /**
     * The session is over; nothing changes any more, and its memory is the caller's again.
     */
    SAMPAN_ACTION_CLOSED,
} sampan_action_Tag;

typedef struct {
    sampan_action_Tag tag;
    union {
        struct {
            sampan_bytes transmit;
        };
        struct {
            sampan_describe describe;
        };
        struct {
            uint32_t ask;
        };
        struct {
            sampan_fetch fetch;
        };
        struct {
            sampan_finish finish;
        };
        struct {
            sampan_say say;
        };
        struct {
            sampan_offered offered;
        };
        struct {
            sampan_wanted wanted;
        };
        struct {
            sampan_store store;
        };
        struct {
            sampan_sync sync;
        };
        struct {
            sampan_commit commit;
        };
        struct {
            uint32_t keep;
        };
        struct {
            uint32_t discard;
        };
        struct {
            sampan_event event;
        };
        struct {
            uint64_t wait;
        };
        struct {
            sampan_closed closed;
        };
    };
} sampan_action;

/**
 * What a transfer is, for its offer (§5.1).
 */
typedef struct {
    /**
     * Its name; empty only for a listing of everything.
     */
    sampan_text name;
    /**
     * What it is: one of sampan_file_type.
     */
    uint8_t file_type;
    /**
     * Whether it may go ahead of the answer: one of sampan_start.
     */
    uint8_t start;
    /**
     * Bytes in all; SAMPAN_UNKNOWN if that is not known.
     */
    uint64_t size;
    /**
     * Nanoseconds since 1970, leap seconds not counted; SAMPAN_UNKNOWN_TIME if that is not known.
     */
    int64_t modified;
    /**
     * What tells these contents from others of the same name; no bytes if it cannot be resumed.
     */
    sampan_identity identity;
} sampan_description;

/**
 * A session that has begun, or why it has not.
 */
typedef struct {
    /**
     * The session, in the memory that was lent; NULL if it has not begun.
     */
    sampan_session *session;
    /**
     * Why it has not.
     */
    sampan_fault fault;
} sampan_begun;

/**
 * The memory of a session: the caller's, and used by nobody else until the session is over.
 */
typedef struct {
    /**
     * SAMPAN_SESSION_SIZE bytes at a multiple of SAMPAN_ALIGN.
     */
    sampan_room session;
    /**
     * SAMPAN_INCOMING_SIZE bytes for each transfer that may come to this end at a time, at least one; at a multiple of SAMPAN_ALIGN.
     */
    sampan_room incoming;
    /**
     * SAMPAN_OUTGOING_SIZE bytes for each transfer that may go from this end at a time, at least one; at a multiple of SAMPAN_ALIGN. Not used by a library
     * that only receives.
     */
    sampan_room outgoing;
    /**
     * What lies beyond gaps, on a link that loses frames: SAMPAN_LIST_SIZE bytes and SAMPAN_GAP_SIZE for each gap, of which 4, 16 or 64 are used; at a
     * multiple of SAMPAN_ALIGN. May be NULL: then everything from the first loss on comes again, as it does with a library that
     * was built without the feature `repair`.
     */
    sampan_room gaps;
    /**
     * What the peer lacks, on a link that loses frames: SAMPAN_LIST_SIZE bytes and SAMPAN_REPAIR_SIZE for each range, of which 4, 16 or 64 are used; at a
     * multiple of SAMPAN_ALIGN. May be NULL: then everything from the first loss on is sent again, as it is by a library that
     * was built without the feature `repair`.
     */
    sampan_room repairs;
    /**
     * Holds what the link brings. Its length less a few bytes is the largest frame the peer may send; at least 72.
     */
    sampan_room receive;
    /**
     * Holds what goes to the link. Its length bounds the frames that this end sends; at least 72.
     */
    sampan_room transmit;
} sampan_memory;

/**
 * Bounds of this end. What concerns the peer is told to it, and the smaller of the two ends' rules.
 */
typedef struct {
    /**
     * Bytes that may be on their way to this end. A promise: what exceeds the receive buffer must be stored at line rate, or wait in the link (a
     * UART's ring, a socket's buffer).
     */
    uint32_t window;
    /**
     * How many of these may belong to transfers that this end has not accepted yet; 0 for none.
     */
    uint32_t eager;
    /**
     * Longest name this end takes, in bytes; at most 1,024.
     */
    uint16_t name;
    /**
     * Whether bytes may flow both ways at once: one of sampan_directions.
     */
    uint8_t directions;
    /**
     * Digests (sampan_digest) that this end can check as a receiver, the preferred first; 0 ends them.
     */
    uint8_t checks[4];
    /**
     * Digests (sampan_digest) that this end can make as a sender; 0 ends them.
     */
    uint8_t makes[4];
    /**
     * Milliseconds until the session is open.
     */
    uint32_t handshake;
    /**
     * Nothing heard for so many milliseconds: the link counts as lost. At least 20,000.
     */
    uint32_t silence;
    /**
     * The peer answers but no transfer came any further for so many milliseconds.
     */
    uint32_t stall;
    /**
     * A receiver asks its sink to make what it stored durable after so many bytes ...
     */
    uint32_t sync_bytes;
    /**
     * ... or after so many milliseconds, whichever is first.
     */
    uint32_t sync_interval;
} sampan_limits;

/**
 * How a session begins.
 */
typedef struct {
    /**
     * One of sampan_framing, as the link is.
     */
    uint8_t framing;
    /**
     * One of sampan_speaks.
     */
    uint8_t speaks;
    /**
     * A number that no earlier session had: anything that differs from one boot to the next.
     */
    uint64_t nonce;
    /**
     * Bounds of this end.
     */
    sampan_limits limits;
} sampan_setup;

/**
 * One record of a listing (§12).
 */
typedef struct {
    /**
     * What a wish would ask for.
     */
    sampan_text name;
    /**
     * Bytes in all; SAMPAN_UNKNOWN if that is not known.
     */
    uint64_t size;
    /**
     * Nanoseconds since 1970; SAMPAN_UNKNOWN_TIME if that is not known.
     */
    int64_t modified;
    /**
     * The file may be run.
     */
    bool executable;
    /**
     * A directory.
     */
    bool directory;
} sampan_entry;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Where bytes from the link go next; no room while a frame that was received waits for the caller.
 */
sampan_room sampan_receive_buffer(sampan_session *session);

/**
 * So many bytes were read into the receive buffer. In datagrams, they are one.
 */
void sampan_received(sampan_session *session, size_t length, uint64_t now);

/**
 * The link has ended or failed: no more bytes will come, and none will go.
 */
void sampan_link_lost(sampan_session *session, uint64_t now);

/**
 * The link takes no more bytes, but may still bring some: to be read until it ends.
 */
void sampan_unwritable(sampan_session *session, uint64_t now);

/**
 * When the session must be polled again at the latest, if nothing else happens before; SAMPAN_NEVER once it is over.
 */
uint64_t sampan_deadline(sampan_session *session);

/**
 * What the caller must do now.
 */
sampan_action sampan_poll(sampan_session *session, uint64_t now);

/**
 * Answers SAMPAN_ACTION_TRANSMIT: the link took so many bytes; 0 if it takes none until it is ready again.
 */
void sampan_transmitted(sampan_session *session, size_t length);

/**
 * Answers SAMPAN_ACTION_DESCRIBE.
 * The name is as long as it says.
 */
void sampan_described(sampan_session *session, const sampan_description *description);

/**
 * Answers SAMPAN_ACTION_ASK: a file of this name.
 * The name is as long as it says.
 */
void sampan_asked_file(sampan_session *session, sampan_text name);

/**
 * Answers SAMPAN_ACTION_ASK: a listing of what begins with this, or of everything if it is empty.
 * The prefix is as long as it says.
 */
void sampan_asked_listing(sampan_session *session, sampan_text prefix);

/**
 * Answers SAMPAN_ACTION_FETCH: so many bytes were read; 0 at the source's end.
 */
void sampan_fetched(sampan_session *session, size_t length);

/**
 * Answers SAMPAN_ACTION_FINISH: the digest has so many bytes; 0 if none was asked for.
 */
void sampan_finished(sampan_session *session, size_t length);

/**
 * Answers SAMPAN_ACTION_SAY: the words have so many bytes.
 */
void sampan_said(sampan_session *session, size_t length);

/**
 * Answers SAMPAN_ACTION_OFFERED: takes it, from what this end's part holds already: its first `offset` bytes, whose CRC-32 is `check`; 0 and 0 if nothing.
 */
void sampan_accepted(sampan_session *session,
                     uint64_t offset,
                     uint32_t check);

/**
 * Answers SAMPAN_ACTION_OFFERED: takes it likewise, for a sink that takes bytes only one after the other.
 */
void sampan_accepted_in_order(sampan_session *session, uint64_t offset, uint32_t check);

/**
 * Answers SAMPAN_ACTION_OFFERED: this end has it all.
 */
void sampan_had(sampan_session *session);

/**
 * Answers SAMPAN_ACTION_WANTED: it will be sent.
 */
void sampan_served(sampan_session *session);

/**
 * Answers SAMPAN_ACTION_STORE: the sink took so many bytes; 0 if it is busy.
 */
void sampan_stored(sampan_session *session, size_t length);

/**
 * Answers SAMPAN_ACTION_SYNC: everything of the transfer below `durable` survives a power cut.
 */
void sampan_synced(sampan_session *session, uint32_t transfer, uint64_t durable);

/**
 * Answers SAMPAN_ACTION_COMMIT: it is in place if the code is SAMPAN_CODE_OK, else not, for this reason. The words may be NULL.
 * The words end with a zero, and stay as they are until the session is over.
 */
void sampan_committed(sampan_session *session, uint32_t transfer, uint8_t code, const char *why);

/**
 * Refuses what the last poll lent, if it can be refused. `SAMPAN_CODE_WAIT` makes it be asked for again later. The words may be NULL.
 * The words end with a zero, and stay as they are until the session is over.
 */
void sampan_refused(sampan_session *session, uint8_t code, const char *why);

/**
 * A session on a link that has just been opened. There is nothing to be freed when it is over: the memory may be used again.
 * The memory is as it says, nobody else reads or writes it until the session is over, and no part of it overlaps another.
 */
sampan_begun sampan_begin(const sampan_memory *memory, const sampan_setup *setup, uint64_t now);

/**
 * The text of a string that a zero ends.
 * It is NULL, or a zero ends it.
 */
sampan_text sampan_text_of(const char *string);

/**
 * Queues a transfer, which SAMPAN_ACTION_DESCRIBE will ask about, and gives its id; 0 while there is no memory for another one, or after goodbye.
 * A library that only receives does not have it.
 */
uint32_t sampan_offer(sampan_session *session);

/**
 * Asks the peer for a file or a listing, whose name SAMPAN_ACTION_ASK will ask for, and gives the number of the wish; 0 while there is no
 * memory for another one, before the session is open, after goodbye, or if the peer has nothing to give.
 */
uint32_t sampan_want(sampan_session *session);

/**
 * Sends a notice to the peer's user, whose words SAMPAN_ACTION_SAY will ask for, and gives its number; 0 while another one has not been taken
 * yet, before the session is open, or after goodbye.
 */
uint32_t sampan_notify(sampan_session *session);

/**
 * Sends a ping of this length, as far as a frame can have it, and gives its number, with which SAMPAN_EVENT_PONGED tells of the answer; 0 while another one
 * has not been written yet, before the session is open, or after goodbye.
 */
uint32_t sampan_ping(sampan_session *session,
                     size_t length);

/**
 * Says to the peer that this end stays and may be spoken to, and what it is called (§4.6): up to 64 letters, digits, `.`, `_` and `-`, or nothing. Whether
 * the name is right.
 * The name is as long as it says, and stays as it is until the session is over.
 */
bool sampan_attach(sampan_session *session,
                   sampan_text name);

/**
 * Starts nothing more, finishes what is under way, and says goodbye with this code: SAMPAN_CODE_OK, or why.
 */
void sampan_close(sampan_session *session, uint8_t code);

/**
 * Ends the session at once, whatever is under way, and tells the peer why.
 */
void sampan_abort(sampan_session *session, uint8_t code);

/**
 * Gives a transfer of this end's up. A library that only receives does not have it.
 */
void sampan_cancel_sending(sampan_session *session, uint32_t transfer, uint8_t code);

/**
 * Gives a transfer to this end up; its part is kept.
 */
void sampan_cancel_receiving(sampan_session *session, uint32_t transfer, uint8_t code);

/**
 * Whether no transfer is queued, under way, or to be reported.
 */
bool sampan_is_idle(sampan_session *session);

/**
 * Where the session stands.
 */
sampan_state sampan_session_state(const sampan_session *session);

/**
 * How many bytes of a transfer of this end's the receiver has said that it has; 0 if the transfer is over. A library that only
 * receives does not have it.
 */
uint64_t sampan_acknowledged(sampan_session *session, uint32_t transfer);

/**
 * The largest name the peer takes, in bytes; 0 before the session is open.
 */
size_t sampan_longest_name(const sampan_session *session);

/**
 * Whether a name of the peer's is right (§6): a relative path that leads out of no directory. What a file system makes of it is another question.
 * The name is as long as it says.
 */
bool sampan_name_check(sampan_text name);

/**
 * The CRC-32, as zlib has it, of what `crc` stands for followed by these bytes; 0 stands for nothing yet.
 * There are as many bytes as it says.
 */
uint32_t sampan_crc32(uint32_t crc, sampan_bytes data);

/**
 * Limits for a microcontroller: nothing sent ahead, a window of 256 bytes, no digests.
 */
sampan_limits sampan_limits_small(void);

/**
 * Limits for a computer: a window of 8 MiB, small files sent without waiting for an answer, no digests.
 */
sampan_limits sampan_limits_large(void);

/**
 * Writes a record, and says how many bytes it has; 0 if there is not room enough.
 * The name is as long as it says, and there is as much room as it says.
 */
size_t sampan_write_entry(const sampan_entry *entry, sampan_room into);

/**
 * Reads the record that these bytes begin with, and says how many of them it takes; 0 if it is not right, or the rest of it is still to come. The name
 * lies in the bytes.
 * There are as many bytes as it says.
 */
size_t sampan_read_entry(sampan_bytes bytes,
                         sampan_entry *entry);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SAMPAN_H */
