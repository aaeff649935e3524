/* DataHub: a zero-copy data block in shared memory, one producer, many consumers.
 *
 * Link with libdatahub.so or libdatahub.a (then also -lpthread -ldl -lm). Linux, 64 bits, little-endian.
 *
 * slot_rw_* works on one slot in memory that the caller maps; datablock_* on whole blocks.
 *
 * For all functions:
 * - Pointers are NULL or lead to what the name says, for the whole call. NULL and misaligned
 *   pointers are refused with SLOT_ACQUIRE_ERROR or DATABLOCK_ERROR.
 * - A handle is used by one thread at a time, only in the process that made it, and not after it was
 *   destroyed or detached. A slot's payload is touched only between acquire and commit, abort, release.
 * - A child that a fork leaves running keeps the seats of its parent's handles alive until it ends or
 *   calls exec; its own calls on them are refused with DATABLOCK_INVALID_STATE.
 * - A code other than OK says that nothing was done, unless the function says otherwise.
 *   datablock_last_error() has the message.
 * - timeout_ms: 0 tries once, negative waits for ever.
 *
 * The ABI grows only at its ends: new functions, new codes, new fields behind the last one. Structs
 * that may grow begin with their size in the caller.
 *
 * This file is written by `REFRESH_HEADER=1 cargo test -p datahub-capi --test header`.
 */

#ifndef DATAHUB_H
#define DATAHUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define DATABLOCK_ALIGNED(bytes) __attribute__((aligned(bytes)))
#else
#define DATABLOCK_ALIGNED(bytes)
#endif

/**
 * Bytes of the header, which is written once.
 */
#define DATABLOCK_HEADER_BYTES 4096

/**
 * Where the header describes the flexible zones, 128 bytes each.
 */
#define DATABLOCK_OFFSET_ZONES 1024

/**
 * Where the header has the text of the slot's schema.
 */
#define DATABLOCK_OFFSET_SLOT_SCHEMA_TEXT 2048

/**
 * The producer's line: commit_index, latest.
 */
#define DATABLOCK_OFFSET_PRODUCER 4096

/**
 * The acknowledgement line: registry as honoured, read_index, closed.
 */
#define DATABLOCK_OFFSET_ACK 4160

/**
 * Who is registered.
 */
#define DATABLOCK_OFFSET_REGISTRY 4224

/**
 * Where consumers sleep.
 */
#define DATABLOCK_OFFSET_DATA_PARK 4288

/**
 * Where the producer sleeps.
 */
#define DATABLOCK_OFFSET_SPACE_PARK 4352

/**
 * The producer's heartbeat slot.
 */
#define DATABLOCK_OFFSET_PRODUCER_HEARTBEAT 4416

/**
 * The metrics section.
 */
#define DATABLOCK_OFFSET_METRICS 4480

/**
 * The counts at the last reset.
 */
#define DATABLOCK_OFFSET_METRICS_BASELINE 4736

/**
 * Whose seats are kept while they come from the predecessor.
 */
#define DATABLOCK_OFFSET_ARRIVALS 4992

/**
 * The consumers' heartbeat slots.
 */
#define DATABLOCK_OFFSET_HEARTBEATS 5120

/**
 * The consumers' cursors.
 */
#define DATABLOCK_OFFSET_CURSORS 7168

/**
 * Bytes of a slot's state.
 */
#define DATABLOCK_SLOT_STATE_BYTES 64

/**
 * Bytes of a heartbeat slot; the usual eight make 512.
 */
#define DATABLOCK_HEARTBEAT_BYTES 64

/**
 * Bytes of the metrics section.
 */
#define DATABLOCK_METRICS_BYTES 256

/**
 * From one cursor to the next.
 */
#define DATABLOCK_CURSOR_BYTES 128

/**
 * Bytes of a checksum record.
 */
#define DATABLOCK_CHECKSUM_RECORD_BYTES 64

/**
 * The version of the layout; blocks of another one are refused.
 */
#define DATABLOCK_LAYOUT_VERSION 1

/**
 * What a `slot_rw_*` function returns. Numbers as in HEP-CORE-0002.
 */
enum SlotAcquireResult
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Done.
     */
    SLOT_ACQUIRE_OK = 0,
    /**
     * Readers did not leave in time; the slot is as before.
     */
    SLOT_ACQUIRE_TIMEOUT = 1,
    /**
     * No committed payload to enter now; trying again may succeed.
     */
    SLOT_ACQUIRE_NOT_READY = 2,
    /**
     * A writer owns the slot and did not give it up in time.
     */
    SLOT_ACQUIRE_LOCKED = 3,
    /**
     * A bad argument: NULL, misaligned, or out of range. Nothing was done.
     */
    SLOT_ACQUIRE_ERROR = 4,
    /**
     * A call out of order. Nothing was done.
     */
    SLOT_ACQUIRE_INVALID_STATE = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum SlotAcquireResult SlotAcquireResult;
#else
typedef int32_t SlotAcquireResult;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a `datablock_*` function returns. The first six mean what they mean for a slot.
 */
enum DataBlockStatus
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Done.
     */
    DATABLOCK_OK = 0,
    /**
     * Not within the time.
     */
    DATABLOCK_TIMEOUT = 1,
    /**
     * Nothing new now (time-out 0); trying again may succeed.
     */
    DATABLOCK_NOT_READY = 2,
    /**
     * A living producer has the name, or the block's only consumer seat is taken.
     */
    DATABLOCK_LOCKED = 3,
    /**
     * A bad argument: NULL, misaligned, a bad name, or out of range.
     */
    DATABLOCK_ERROR = 4,
    /**
     * A call out of order: a slot is open, none is open, or the handle is another process's.
     */
    DATABLOCK_INVALID_STATE = 5,
    /**
     * There is no such block.
     */
    DATABLOCK_NOT_FOUND = 6,
    /**
     * The ring is full, and the block's rule is to say so.
     */
    DATABLOCK_FULL = 7,
    /**
     * The producer came round; some payloads are lost, and the next call goes on behind them.
     */
    DATABLOCK_LAPPED = 8,
    /**
     * The producer has ended the stream and everything was read.
     */
    DATABLOCK_ENDED = 9,
    /**
     * The producer is dead. Another may take the block over.
     */
    DATABLOCK_PRODUCER_DEAD = 10,
    /**
     * A checksum does not match its payload; the next call goes on behind it.
     */
    DATABLOCK_CHECKSUM = 11,
    /**
     * The shared words make no sense, or a death left them half done: the block needs recovery.
     */
    DATABLOCK_DAMAGED = 12,
    /**
     * The file is not a block that this library can use.
     */
    DATABLOCK_INCOMPATIBLE = 13,
    /**
     * The memory cannot be reserved.
     */
    DATABLOCK_NO_SPACE = 14,
    /**
     * Every consumer seat has a living owner.
     */
    DATABLOCK_CONSUMERS_FULL = 15,
    /**
     * The block belongs to another user.
     */
    DATABLOCK_NOT_PERMITTED = 16,
    /**
     * The operating system refused.
     */
    DATABLOCK_SYSTEM = 17,
    /**
     * All sequence numbers are spent.
     */
    DATABLOCK_EXHAUSTED = 18,
    /**
     * Others made, removed, joined or left all the time; try again.
     */
    DATABLOCK_CONTENDED = 19,
    /**
     * The producer went on without this consumer, which was too slow: detach and attach again.
     */
    DATABLOCK_EVICTED = 20,
    /**
     * Everything was read, and the stream goes on in another block: datablock_follow leads there.
     */
    DATABLOCK_MOVED = 21,
    /**
     * A defect of this library, caught before it reached the caller. The handle can only be
     * destroyed now.
     */
    DATABLOCK_BUG = 70,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum DataBlockStatus DataBlockStatus;
#else
typedef int32_t DataBlockStatus;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Which payloads a consumer is shown.
 */
enum DataBlockConsumerSync
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * The newest payload; older ones are skipped and nobody holds the producer back.
     */
    DATABLOCK_LATEST_ONLY = 0,
    /**
     * Every payload in order, for exactly one consumer.
     */
    DATABLOCK_SEQUENTIAL = 1,
    /**
     * Every payload in order, for each consumer; the slowest gates the producer.
     */
    DATABLOCK_SEQUENTIAL_SYNC = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum DataBlockConsumerSync DataBlockConsumerSync;
#else
typedef uint32_t DataBlockConsumerSync;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What the producer does when a sequential ring is full.
 */
enum DataBlockOnFull
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Wait for the slowest consumer, as long as the time-out allows.
     */
    DATABLOCK_ON_FULL_BLOCK = 0,
    /**
     * Return DATABLOCK_FULL at once.
     */
    DATABLOCK_ON_FULL_ERROR = 1,
    /**
     * Write over the oldest; a consumer that was passed gets DATABLOCK_LAPPED.
     */
    DATABLOCK_ON_FULL_OVERWRITE = 2,
    /**
     * Wait evict_after_us for the same consumer, then go on without it; it gets DATABLOCK_EVICTED.
     * All reads and writes of such a block are copies. Not for latest-only.
     */
    DATABLOCK_ON_FULL_EVICT = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum DataBlockOnFull DataBlockOnFull;
#else
typedef uint32_t DataBlockOnFull;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How a checksum is computed.
 */
enum DataBlockChecksumAlgorithm
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * XXH3, 64 bits.
     */
    DATABLOCK_XXH3 = 1,
    /**
     * CRC-32C (Castagnoli).
     */
    DATABLOCK_CRC32C = 2,
    /**
     * BLAKE2b, 256 bits.
     */
    DATABLOCK_BLAKE2B = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum DataBlockChecksumAlgorithm DataBlockChecksumAlgorithm;
#else
typedef uint32_t DataBlockChecksumAlgorithm;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Who sees to the checksum of a slot.
 */
enum DataBlockChecksumPolicy
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * The users call datablock_update_checksum_slot and datablock_verify_checksum_slot.
     */
    DATABLOCK_CHECKSUM_MANUAL = 0,
    /**
     * Stamped before every commit, verified at every read.
     */
    DATABLOCK_CHECKSUM_ENFORCED = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum DataBlockChecksumPolicy DataBlockChecksumPolicy;
#else
typedef uint32_t DataBlockChecksumPolicy;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Where a consumer joins a sequential block.
 */
enum DataBlockJoin
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * At the oldest payload that is still readable.
     */
    DATABLOCK_JOIN_OLDEST = 0,
    /**
     * At the newest payload, or the first one to come.
     */
    DATABLOCK_JOIN_LATEST = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum DataBlockJoin DataBlockJoin;
#else
typedef uint32_t DataBlockJoin;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a process does while it waits.
 */
enum DataBlockWait
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Keeps its core busy: lowest latency, one core a waiter. The default.
     */
    DATABLOCK_WAIT_SPIN = 0,
    /**
     * Spins briefly, then lets others run between two looks; a producer that waits for room for long
     * also naps, up to a millisecond.
     */
    DATABLOCK_WAIT_YIELD = 1,
    /**
     * Spins briefly, then sleeps in the kernel until woken. Yields in a block without parking.
     */
    DATABLOCK_WAIT_PARK = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum DataBlockWait DataBlockWait;
#else
typedef uint32_t DataBlockWait;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A consumer: one reader of a block. One slot is open at a time. A handle is not thread-safe and
 * belongs to the process that made it.
 */
typedef struct DataBlockConsumer DataBlockConsumer;

/**
 * A producer: the one writer of a block. One slot is open at a time. A handle is not thread-safe
 * and belongs to the process that made it.
 */
typedef struct DataBlockProducer DataBlockProducer;

/**
 * One slot's state, in memory that the caller owns and shares: 64 bytes, on a multiple of 64.
 * All bytes zero is a slot that holds nothing. Its insides are private.
 */
typedef struct DATABLOCK_ALIGNED(64) SlotRWState {
    uint64_t opaque[8];
} SlotRWState;

/**
 * The shape and the rules of a block. Filled by datablock_config_init, then changed by the caller.
 */
typedef struct DataBlockConfig {
    /**
     * sizeof(DataBlockConfig) in the caller.
     */
    uint32_t size;
    /**
     * A DataBlockConsumerSync.
     */
    uint32_t consumer_sync;
    /**
     * Bytes of the largest payload: 1 to 2^30.
     */
    uint64_t payload_bytes;
    /**
     * Payloads that stay readable, also while the next one is written: 1 to 65536.
     */
    uint32_t capacity;
    /**
     * How many consumers can be attached at once: 1 to 32.
     */
    uint32_t max_consumers;
    /**
     * Slots in memory; 0 for the usual number.
     */
    uint32_t physical_slots;
    /**
     * A DataBlockOnFull.
     */
    uint32_t on_full;
    /**
     * A DataBlockChecksumAlgorithm.
     */
    uint32_t checksum_algorithm;
    /**
     * A DataBlockChecksumPolicy.
     */
    uint32_t checksum_policy;
    /**
     * 1 when waiters may sleep in the kernel, 0 when not.
     */
    uint32_t parking;
    /**
     * Microseconds of patience under DATABLOCK_ON_FULL_EVICT, up to one hour; 0 for one second.
     * Otherwise 0.
     */
    uint32_t evict_after_us;
} DataBlockConfig;

/**
 * A slot that is open for writing.
 */
typedef struct DataBlockWriteSlot {
    /**
     * Where to write. Holds what an earlier commit left there.
     */
    void *payload;
    /**
     * How many bytes fit.
     */
    uint64_t payload_bytes;
    /**
     * The sequence that the commit will have.
     */
    uint64_t sequence;
} DataBlockWriteSlot;

/**
 * A slot that is open for reading.
 */
typedef struct DataBlockReadSlot {
    /**
     * What was committed; NULL when the call failed.
     */
    const void *payload;
    /**
     * Bytes in use; 0 when the call failed.
     */
    uint64_t payload_bytes;
    /**
     * Which commit it is. After LAPPED: which comes next, or the oldest one there is. After
     * CHECKSUM: which is wrong. After EVICTED: which would have come next.
     */
    uint64_t sequence;
    /**
     * After LAPPED: how many payloads were lost. Otherwise 0.
     */
    uint64_t missed_slots;
} DataBlockReadSlot;

/**
 * The counters of a block: 256 bytes, named and placed as in the shared metrics section.
 */
typedef struct DataBlockCounters {
    /**
     * Acquisitions for writing that gave up waiting.
     */
    uint64_t writer_timeout_count;
    /**
     * Nanoseconds the producer spent waiting.
     */
    uint64_t writer_blocked_total_ns;
    /**
     * Refused attempts to become a second producer.
     */
    uint64_t write_lock_contention;
    /**
     * How often the tag in the slot words has wrapped: commits / 2^30.
     */
    uint64_t write_generation_wraps;
    /**
     * Reads that found nothing new.
     */
    uint64_t reader_not_ready_count;
    /**
     * Reads that met the producer on the way in and looked again.
     */
    uint64_t reader_race_detected;
    /**
     * Reads whose slot no longer held what was admitted.
     */
    uint64_t reader_validation_failed;
    /**
     * Most pins ever seen in one slot; readers behind a cursor set none.
     */
    uint64_t reader_peak_count;
    /**
     * When the last error happened, monotonic nanoseconds.
     */
    uint64_t last_error_timestamp_ns;
    /**
     * The last error's code: 1 full, 2 slot locked, 3 exhausted, 4 commit too long, 5 slot discarded.
     */
    uint32_t last_error_code;
    /**
     * How many errors there were.
     */
    uint32_t error_sequence;
    /**
     * Acquisitions for writing that failed for another reason than time.
     */
    uint64_t slot_acquire_errors;
    /**
     * Commits that were refused.
     */
    uint64_t slot_commit_errors;
    /**
     * Payloads whose checksum was wrong.
     */
    uint64_t checksum_failures;
    /**
     * Control messages that could not be sent.
     */
    uint64_t zmq_send_failures;
    /**
     * Control messages that could not be received.
     */
    uint64_t zmq_recv_failures;
    /**
     * Control messages that got no answer in time.
     */
    uint64_t zmq_timeout_count;
    /**
     * Consumers that were refused because they expected another layout.
     */
    uint64_t schema_mismatch_count;
    /**
     * Zero.
     */
    uint64_t reserved_17;
    /**
     * Payloads that consumers missed because they were passed.
     */
    uint64_t reader_lapped_slots;
    /**
     * Zero.
     */
    uint64_t reserved_19;
    /**
     * Heartbeats sent, by both sides.
     */
    uint64_t heartbeat_sent_count;
    /**
     * Heartbeats that could not be sent.
     */
    uint64_t heartbeat_failed_count;
    /**
     * The producer's last heartbeat, monotonic nanoseconds.
     */
    uint64_t last_heartbeat_ns;
    /**
     * Zero.
     */
    uint64_t reserved_23;
    /**
     * Payloads committed.
     */
    uint64_t total_slots_written;
    /**
     * Payloads delivered, over all consumers.
     */
    uint64_t total_slots_read;
    /**
     * Bytes committed.
     */
    uint64_t total_bytes_written;
    /**
     * The block's age in seconds.
     */
    uint64_t uptime_seconds;
    /**
     * Bytes delivered, over all consumers.
     */
    uint64_t total_bytes_read;
    /**
     * Reads that gave up waiting.
     */
    uint64_t reader_timeout_count;
    /**
     * Living consumers that were evicted because they were too slow.
     */
    uint64_t evictions_count;
    /**
     * Consumers whose remains were cleared after their death.
     */
    uint64_t recovery_actions_count;
} DataBlockCounters;

/**
 * The metrics of a block. The caller sets `size`; what lies beyond its size is not written.
 */
typedef struct DataBlockMetrics {
    /**
     * sizeof(DataBlockMetrics) in the caller.
     */
    uint32_t size;
    /**
     * Physical slots of the block.
     */
    uint32_t slot_count;
    /**
     * How many commits there were; never reset.
     */
    uint64_t commit_index;
    /**
     * The counters since the last reset.
     */
    struct DataBlockCounters counters;
} DataBlockMetrics;

/**
 * The first fields of a segment.
 */
typedef struct DataBlockHeader {
    /**
     * "DATAHUB1" as little-endian text; 0 until the block is complete.
     */
    uint64_t magic;
    /**
     * DATABLOCK_LAYOUT_VERSION.
     */
    uint32_t version;
    /**
     * 0x01020304 as the producer writes it.
     */
    uint32_t byte_order;
    /**
     * Hash of every offset and size of the layout.
     */
    uint64_t layout_hash;
    /**
     * Size of the whole segment.
     */
    uint64_t total_bytes;
    /**
     * Largest payload.
     */
    uint64_t payload_bytes;
    /**
     * Payloads promised.
     */
    uint32_t capacity;
    /**
     * Physical slots.
     */
    uint32_t physical_slots;
    /**
     * Consumers at once.
     */
    uint32_t max_consumers;
    /**
     * A DataBlockConsumerSync.
     */
    uint32_t consumer_sync;
    /**
     * A DataBlockOnFull.
     */
    uint32_t on_full;
    /**
     * A DataBlockChecksumAlgorithm.
     */
    uint32_t checksum_algorithm;
    /**
     * A DataBlockChecksumPolicy.
     */
    uint32_t checksum_policy;
    /**
     * 1 when waiters may sleep.
     */
    uint32_t parking;
    /**
     * First sequence of the block.
     */
    uint64_t first_sequence;
    /**
     * Drawn at creation, tells two blocks of one name apart.
     */
    uint8_t nonce[16];
    /**
     * Hash of the slot's schema; zero: none.
     */
    uint8_t slot_schema_hash[32];
    /**
     * Hash of the zones' schema; zero: none.
     */
    uint8_t zone_schema_hash[32];
    /**
     * Zero.
     */
    uint8_t capability[64];
    /**
     * How many flexible zones there are.
     */
    uint32_t zone_count;
    /**
     * Bytes of the text of the slot's schema; 0: none, or too long for the header.
     */
    uint32_t slot_schema_text_bytes;
    /**
     * The nonce of the stream's first block; a successor has its predecessor's.
     */
    uint8_t stream[16];
    /**
     * The predecessor's nonce; zero: none.
     */
    uint8_t predecessor[16];
    /**
     * The device of the predecessor's file.
     */
    uint64_t predecessor_device;
    /**
     * The number of the predecessor's file on its device.
     */
    uint64_t predecessor_file;
    /**
     * Nanoseconds after which a consumer in the way is evicted; 0: never.
     */
    uint64_t evict_after_ns;
} DataBlockHeader;

/**
 * A heartbeat slot: one line, written by its owner.
 */
typedef struct DataBlockHeartbeat {
    /**
     * State in bits 0 and 1 (EMPTY, CLAIMING, LIVE, RETIRING), the number of claims above them;
     * bit 62: the owner was evicted, bit 63: it is being evicted at this moment.
     */
    uint64_t word;
    /**
     * The owner's process id, as it saw itself.
     */
    uint64_t process;
    /**
     * When the owner attached, monotonic nanoseconds.
     */
    uint64_t since_ns;
    /**
     * The owner's last beat, monotonic nanoseconds.
     */
    uint64_t last_heartbeat_ns;
    /**
     * Zero.
     */
    uint64_t reserved[4];
} DataBlockHeartbeat;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The code in words, never NULL. Any number may be passed. The text lives as long as the program.
 */
const char *datablock_error_string(int32_t code);

/**
 * The result in words, never NULL. Any number may be passed. The text lives as long as the program.
 */
const char *slot_acquire_result_string(int32_t result);

/**
 * The library's version as text, for instance "0.1.0".
 */
const char *datablock_version(void);

/**
 * What went wrong in this thread's last failed `datablock_*` call: what, where, what to do. UTF-8,
 * never NULL, empty when nothing failed yet. The text lives until this thread's next call.
 */
const char *datablock_last_error(void);

/**
 * Makes the slot hold nothing, whatever stood there. Only while nobody else uses it.
 */
SlotAcquireResult slot_rw_init(struct SlotRWState *state);

/**
 * Takes the slot for writing: keeps new readers out, and waits until those inside have left.
 *
 * timeout_ms: 0 tries once, negative waits for ever. TIMEOUT: readers stayed. LOCKED: a writer
 * stayed. INVALID_STATE: this thread is writing the slot. After each of them the slot is as
 * before. The thread that acquires is the one that commits and releases. A raw slot cannot tell
 * that a writer has died; use a block where that matters.
 */
SlotAcquireResult slot_rw_acquire_write(struct SlotRWState *state, int32_t timeout_ms);

/**
 * Publishes what was written: readers may enter. Ends the writing; slot_rw_release_write may
 * follow. INVALID_STATE: this thread is not writing the slot.
 */
SlotAcquireResult slot_rw_commit(struct SlotRWState *state);

/**
 * After slot_rw_commit: succeeds, and changes nothing. Without a commit: gives the writing up, and
 * the slot holds nothing. INVALID_STATE: this thread neither writes the slot nor has just
 * committed it.
 */
SlotAcquireResult slot_rw_release_write(struct SlotRWState *state);

/**
 * Enters the slot for reading; never waits. Until slot_rw_release_read no writer touches it.
 *
 * reader: 0 to 31; each concurrent reader has a number of its own. generation_out: which commit
 * it is, for slot_rw_validate_read. NOT_READY: nothing committed to enter now. INVALID_STATE: this
 * reader is inside already. ERROR also for a reader above 31.
 */
SlotAcquireResult slot_rw_acquire_read(struct SlotRWState *state,
                                       uint32_t reader,
                                       uint64_t *generation_out);

/**
 * Whether the slot still holds this commit: always so between slot_rw_acquire_read and
 * slot_rw_release_read, unless somebody called slot_rw_init meanwhile. False for a NULL state.
 */
bool slot_rw_validate_read(const struct SlotRWState *state, uint64_t generation);

/**
 * Leaves the slot. INVALID_STATE: this reader was not inside.
 */
SlotAcquireResult slot_rw_release_read(struct SlotRWState *state, uint32_t reader);

/**
 * The state that an observer sees: 0 FREE, 1 WRITING, 2 COMMITTED, 3 DRAINING. FREE for a NULL state.
 */
uint32_t slot_rw_slot_state(const struct SlotRWState *state);

/**
 * How many readers are inside, as an observer sees it. 0 for a NULL state.
 */
uint32_t slot_rw_reader_count(const struct SlotRWState *state);

/**
 * Whether a writer keeps new readers out and waits until those inside have left, as an observer sees it.
 * False for a NULL state.
 */
bool slot_rw_writer_waiting(const struct SlotRWState *state);

/**
 * Fills `config` with the defaults: latest-only, one payload of 4096 bytes, eight consumers, XXH3
 * by hand, no parking. `size` is sizeof(DataBlockConfig), so that older and newer callers work.
 */
DataBlockStatus datablock_config_init(struct DataBlockConfig *config, size_t size);

/**
 * Makes the block called `name` in /dev/shm, or takes it over from a dead producer: one of the
 * same shape goes on where it stopped. LOCKED: a living producer has the name. ERROR: the name or
 * the configuration. NO_SPACE, INCOMPATIBLE (a file of that name is no block), CONTENDED, SYSTEM.
 * producer_out: NULL after each of them.
 */
DataBlockStatus datablock_producer_create(const char *name,
                                          const struct DataBlockConfig *config,
                                          struct DataBlockProducer **producer_out);

/**
 * Makes a block without a name, which leaves nothing behind when its users are gone. Others
 * attach through datablock_producer_path. producer_out: NULL after a failure.
 */
DataBlockStatus datablock_producer_create_unnamed(const struct DataBlockConfig *config,
                                                  struct DataBlockProducer **producer_out);

/**
 * Goes on with the stream in a block of the shape of `config`, and moves the consumers there: each reads
 * this block to its end, gets DATABLOCK_MOVED, and calls datablock_follow; nothing is lost and nothing
 * comes twice. Payloads may become larger, not smaller; consumer_sync stays. INVALID_STATE: a slot is open.
 * ERROR: the configuration, or what consumers were promised. CONTENDED: consumers have still to come from
 * the block before this one. NOT_FOUND: the name was taken away. NO_SPACE, SYSTEM. After each of them the
 * producer goes on in its block.
 */
DataBlockStatus datablock_hand_over(struct DataBlockProducer *producer,
                                    const struct DataBlockConfig *config);

/**
 * Which consumers have not come yet from the block before this one, one bit each. A producer of an unnamed
 * block that is destroyed before this is 0 takes from them what they have not read.
 * INVALID_STATE: a slot is open.
 */
DataBlockStatus datablock_still_to_move(struct DataBlockProducer *producer,
                                        uint32_t *consumers_out);

/**
 * Ends the stream and frees the handle. An open slot is given up; consumers read what is left.
 * NULL is allowed. INVALID_STATE in a child of the process that made it: nothing is freed.
 */
DataBlockStatus datablock_producer_destroy(struct DataBlockProducer *producer);

/**
 * Writes a path through which processes of this user can attach while this one lives. `buffer`
 * has `buffer_bytes` bytes, 64 are enough. ERROR: it is too small. INVALID_STATE: a slot is open.
 */
DataBlockStatus datablock_producer_path(struct DataBlockProducer *producer,
                                        char *buffer,
                                        size_t buffer_bytes);

/**
 * Opens a slot for the next sequence. timeout_ms: 0 tries once, negative waits for ever. TIMEOUT:
 * no room; FULL: the same under DATABLOCK_ON_FULL_ERROR; DAMAGED: the block needs recovery;
 * EXHAUSTED; INVALID_STATE: a slot is open. After each of them nothing has changed.
 */
DataBlockStatus datablock_acquire_write_slot(struct DataBlockProducer *producer,
                                             int32_t timeout_ms,
                                             struct DataBlockWriteSlot *slot_out);

/**
 * Publishes the first `bytes` bytes of the open slot. ERROR: more than fit; the slot is given up.
 * INVALID_STATE: no slot is open. The payload must not be touched afterwards.
 */
DataBlockStatus datablock_commit(struct DataBlockProducer *producer, uint64_t bytes);

/**
 * Gives the open slot up: what was promised is still readable, and no sequence was spent.
 * INVALID_STATE: no slot is open.
 */
DataBlockStatus datablock_abort(struct DataBlockProducer *producer);

/**
 * Stamps the checksum of the first `bytes` bytes of the open slot; a commit does so by itself under
 * DATABLOCK_CHECKSUM_ENFORCED. ERROR: more bytes than fit. INVALID_STATE: no slot is open.
 */
DataBlockStatus datablock_update_checksum_slot(struct DataBlockProducer *producer, uint64_t bytes);

/**
 * How this producer waits: a DataBlockWait. ERROR: another number. INVALID_STATE: a slot is open.
 */
DataBlockStatus datablock_producer_set_wait(struct DataBlockProducer *producer, uint32_t wait);

/**
 * Says that this producer is there. Done by itself about four times a second while it commits or waits.
 */
DataBlockStatus datablock_producer_heartbeat(struct DataBlockProducer *producer);

/**
 * Attaches to a block. `place`: its name, or a path (a text with a slash, for instance of
 * datablock_producer_path). `join`: a DataBlockJoin. NOT_FOUND, NOT_PERMITTED, INCOMPATIBLE;
 * CONSUMERS_FULL: all seats have living owners; LOCKED: a sequential block has its one consumer.
 * consumer_out: NULL after each of them.
 */
DataBlockStatus datablock_consumer_attach(const char *place,
                                          uint32_t join,
                                          struct DataBlockConsumer **consumer_out);

/**
 * Leaves the block and frees the handle. An open slot is released. NULL is allowed.
 * INVALID_STATE in a child of the process that made it: nothing is freed.
 */
DataBlockStatus datablock_consumer_detach(struct DataBlockConsumer *consumer);

/**
 * Opens the next payload, or under latest-only the newest one not yet read. timeout_ms: 0 looks
 * once, negative waits until the producer ends or dies. NOT_READY (0 only), TIMEOUT, LAPPED,
 * ENDED, MOVED (see datablock_follow), EVICTED, PRODUCER_DEAD, CHECKSUM, DAMAGED, CONTENDED (overtaken
 * again and again); INVALID_STATE: a slot is open. `slot_out` is filled in each case.
 */
DataBlockStatus datablock_acquire_consume_slot(struct DataBlockConsumer *consumer,
                                               int32_t timeout_ms,
                                               struct DataBlockReadSlot *slot_out);

/**
 * Opens the payload called `sequence`, without moving this consumer's place. Otherwise as
 * datablock_acquire_consume_slot; NOT_READY and TIMEOUT: it is not there yet, LAPPED: no more.
 */
DataBlockStatus datablock_acquire_sequence(struct DataBlockConsumer *consumer,
                                           uint64_t sequence,
                                           int32_t timeout_ms,
                                           struct DataBlockReadSlot *slot_out);

/**
 * Goes on in the block that the stream was handed over to, with the first sequence that was not read yet.
 * timeout_ms bounds the wait for the seat there. INVALID_STATE: the stream has not moved, something is
 * left to read, or a slot is open. NOT_FOUND: the block is gone. EVICTED: the seat was given away.
 * TIMEOUT; SYSTEM. After each of them the consumer is where it was.
 */
DataBlockStatus datablock_follow(struct DataBlockConsumer *consumer,
                                 int32_t timeout_ms);

/**
 * Closes the open slot; its payload must not be touched afterwards. INVALID_STATE: none is open.
 */
DataBlockStatus datablock_release_consume_slot(struct DataBlockConsumer *consumer);

/**
 * Whether the open slot still holds what was acquired: always so, unless somebody recovered by
 * force under a living reader, which is DAMAGED. INVALID_STATE: no slot is open.
 */
DataBlockStatus datablock_validate_slot(struct DataBlockConsumer *consumer);

/**
 * Compares the open payload with its checksum; acquiring does so by itself under
 * DATABLOCK_CHECKSUM_ENFORCED. CHECKSUM: they differ. INVALID_STATE: no slot is open.
 */
DataBlockStatus datablock_verify_checksum_slot(struct DataBlockConsumer *consumer);

/**
 * How this consumer waits: a DataBlockWait. ERROR: another number. INVALID_STATE: a slot is open.
 */
DataBlockStatus datablock_consumer_set_wait(struct DataBlockConsumer *consumer, uint32_t wait);

/**
 * Says that this consumer is there. Done by itself about four times a second while it reads or waits.
 */
DataBlockStatus datablock_consumer_heartbeat(struct DataBlockConsumer *consumer);

/**
 * How many commits there were. 0: nothing yet; otherwise the newest sequence is one less.
 */
DataBlockStatus datablock_producer_get_commit_index(const struct DataBlockProducer *producer,
                                                    uint64_t *index_out);

/**
 * The sequence that the next commit will have, also while its slot is open: none is burnt.
 */
DataBlockStatus datablock_producer_get_write_index(const struct DataBlockProducer *producer,
                                                   uint64_t *index_out);

/**
 * What all sequential consumers have read, as the producer last saw it: every sequence below.
 * Stays 0 under latest-only.
 */
DataBlockStatus datablock_producer_get_read_index(const struct DataBlockProducer *producer,
                                                  uint64_t *index_out);

/**
 * As datablock_producer_get_commit_index.
 */
DataBlockStatus datablock_consumer_get_commit_index(const struct DataBlockConsumer *consumer,
                                                    uint64_t *index_out);

/**
 * As datablock_producer_get_write_index.
 */
DataBlockStatus datablock_consumer_get_write_index(const struct DataBlockConsumer *consumer,
                                                   uint64_t *index_out);

/**
 * As datablock_producer_get_read_index.
 */
DataBlockStatus datablock_consumer_get_read_index(const struct DataBlockConsumer *consumer,
                                                  uint64_t *index_out);

/**
 * The metrics of the block called `place` (a name, or a path with a slash). `metrics_out->size` is
 * set by the caller. NOT_FOUND, NOT_PERMITTED, INCOMPATIBLE, ERROR. Works on a dead producer's block.
 */
DataBlockStatus datablock_get_metrics(const char *place,
                                      struct DataBlockMetrics *metrics_out);

/**
 * Counts from zero again. Touches nothing that the block or its users rely on.
 */
DataBlockStatus datablock_reset_metrics(const char *place);

/**
 * The metrics of the producer's block; `metrics_out->size` is set by the caller.
 */
DataBlockStatus datablock_producer_get_metrics(const struct DataBlockProducer *producer,
                                               struct DataBlockMetrics *metrics_out);

/**
 * The metrics of the consumer's block; `metrics_out->size` is set by the caller.
 */
DataBlockStatus datablock_consumer_get_metrics(const struct DataBlockConsumer *consumer,
                                               struct DataBlockMetrics *metrics_out);

/**
 * As datablock_reset_metrics.
 */
DataBlockStatus datablock_producer_reset_metrics(const struct DataBlockProducer *producer);

/**
 * As datablock_reset_metrics.
 */
DataBlockStatus datablock_consumer_reset_metrics(const struct DataBlockConsumer *consumer);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

/* A C99 compiler refuses an array of negative size: what follows are assertions. */
#define DATABLOCK_ASSERT(name, fact) typedef char datablock_assert_##name[(fact) ? 1 : -1]
#define DATABLOCK_ASSERT_AT(type, field, offset) \
    DATABLOCK_ASSERT(type##_##field, offsetof(type, field) == (offset))

DATABLOCK_ASSERT(pointers, sizeof(void *) == 8);
DATABLOCK_ASSERT(slot, sizeof(SlotRWState) == DATABLOCK_SLOT_STATE_BYTES);
DATABLOCK_ASSERT(slots, sizeof(SlotRWState[4]) == 4 * 64);
DATABLOCK_ASSERT(config, sizeof(DataBlockConfig) == 48);
DATABLOCK_ASSERT(write_slot, sizeof(DataBlockWriteSlot) == 24);
DATABLOCK_ASSERT(read_slot, sizeof(DataBlockReadSlot) == 32);
DATABLOCK_ASSERT(counters, sizeof(DataBlockCounters) == DATABLOCK_METRICS_BYTES);
DATABLOCK_ASSERT(metrics, sizeof(DataBlockMetrics) == 272);
DATABLOCK_ASSERT(heartbeats, sizeof(DataBlockHeartbeat[8]) == 512);
DATABLOCK_ASSERT(header, sizeof(DataBlockHeader) == 288);
DATABLOCK_ASSERT_AT(DataBlockHeader, magic, 0);
DATABLOCK_ASSERT_AT(DataBlockHeader, version, 8);
DATABLOCK_ASSERT_AT(DataBlockHeader, byte_order, 12);
DATABLOCK_ASSERT_AT(DataBlockHeader, layout_hash, 16);
DATABLOCK_ASSERT_AT(DataBlockHeader, total_bytes, 24);
DATABLOCK_ASSERT_AT(DataBlockHeader, payload_bytes, 32);
DATABLOCK_ASSERT_AT(DataBlockHeader, capacity, 40);
DATABLOCK_ASSERT_AT(DataBlockHeader, physical_slots, 44);
DATABLOCK_ASSERT_AT(DataBlockHeader, max_consumers, 48);
DATABLOCK_ASSERT_AT(DataBlockHeader, consumer_sync, 52);
DATABLOCK_ASSERT_AT(DataBlockHeader, on_full, 56);
DATABLOCK_ASSERT_AT(DataBlockHeader, checksum_algorithm, 60);
DATABLOCK_ASSERT_AT(DataBlockHeader, checksum_policy, 64);
DATABLOCK_ASSERT_AT(DataBlockHeader, parking, 68);
DATABLOCK_ASSERT_AT(DataBlockHeader, first_sequence, 72);
DATABLOCK_ASSERT_AT(DataBlockHeader, nonce, 80);
DATABLOCK_ASSERT_AT(DataBlockHeader, slot_schema_hash, 96);
DATABLOCK_ASSERT_AT(DataBlockHeader, zone_schema_hash, 128);
DATABLOCK_ASSERT_AT(DataBlockHeader, capability, 160);
DATABLOCK_ASSERT_AT(DataBlockHeader, zone_count, 224);
DATABLOCK_ASSERT_AT(DataBlockHeader, slot_schema_text_bytes, 228);
DATABLOCK_ASSERT_AT(DataBlockMetrics, commit_index, 8);
DATABLOCK_ASSERT_AT(DataBlockMetrics, counters, 16);
DATABLOCK_ASSERT_AT(DataBlockCounters, reader_peak_count, 56);
DATABLOCK_ASSERT_AT(DataBlockCounters, last_error_timestamp_ns, 64);
DATABLOCK_ASSERT_AT(DataBlockCounters, last_error_code, 72);
DATABLOCK_ASSERT_AT(DataBlockCounters, zmq_timeout_count, 120);
DATABLOCK_ASSERT_AT(DataBlockCounters, schema_mismatch_count, 128);
DATABLOCK_ASSERT_AT(DataBlockCounters, reader_lapped_slots, 144);
DATABLOCK_ASSERT_AT(DataBlockCounters, heartbeat_sent_count, 160);
DATABLOCK_ASSERT_AT(DataBlockCounters, total_slots_written, 192);
DATABLOCK_ASSERT_AT(DataBlockCounters, recovery_actions_count, 248);
#undef DATABLOCK_ASSERT_AT
#undef DATABLOCK_ASSERT

#endif /* DATAHUB_H */
