/* What every role in C needs: the task, the words that it shares with the harness, the keyed payload, and the
 * account of what was delivered.
 * Source of the payload: harness/src/run/payload.rs; of the words: harness/src/run/words.rs; of the account:
 * harness/src/run/tally.rs. */
#ifndef HARNESS_PAYLOAD_H
#define HARNESS_PAYLOAD_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { WORD_STRIDE = 128, PHASE = 0, STOP = 1, PROGRESS = 2, START_NS = 3, FROM = 4, PING = 5, PONG = 6 };
enum { BEFORE = 1, RUN = 2, AFTER = 3 };
enum { EVERYTHING = 0, ANNOUNCED = 1, NEWEST = 2 };
enum { BATCHES = 20, ROUNDS = 1000, HEAD_BYTES = 32, SAMPLE = 64, READ_MS = 500 };

static const uint64_t STEP = 0x9E3779B97F4A7C15u, FAR = (uint64_t)1 << 40;

/* What the harness asks for. */
static struct {
    uint64_t parent, produce, answer, sync, slots, physical, payload, consumers, notify, on_full, block_ms;
    uint64_t algorithm, enforced, promise, warm_ns, warm_count, run_ns, run_count, seed, wait, whole;
    uint64_t abort_every, work_ns, latest, patience_ns, deadline_ns, side, core;
    const char *words;
} task;

/* What this process counts. */
static struct {
    uint64_t committed, delivered, torn, mislabelled, backward, lost, duplicated, checksum, lapped, timeouts;
    uint64_t next, silent, announced, told, refusals, bytes_read, messages, ns;
    char trouble[200];
} found;

static char *words_base;
static uint64_t seed;

static uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t *word(int index) { return (uint64_t *)(void *)(words_base + index * WORD_STRIDE); }
static uint64_t look(int index) { return __atomic_load_n(word(index), __ATOMIC_ACQUIRE); }
static void publish(int index, uint64_t value) { __atomic_store_n(word(index), value, __ATOMIC_RELEASE); }

static void nap(void) {
    struct timespec time = {0, 1000000};
    nanosleep(&time, NULL);
}

static void trouble(const char *what, ...) {
    va_list rest;
    if (found.trouble[0]) return;
    va_start(rest, what);
    vsnprintf(found.trouble, sizeof found.trouble, what, rest);
    va_end(rest);
    /* It becomes part of a JSON text. */
    for (char *at = found.trouble; *at; at++)
        if (*at == '"' || *at == '\\' || (unsigned char)*at < ' ') *at = '\'';
}

/* The payload. */

static uint64_t mix(uint64_t value) {
    value += STEP;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
    return value ^ (value >> 31);
}

struct stamp { uint64_t sequence, intended_ns, actual_ns; };

static size_t reach_of(uint64_t bytes) { return task.whole || bytes < HEAD_BYTES ? (size_t)bytes : HEAD_BYTES; }

static size_t head_words(size_t reach) {
    size_t words = reach / 8;
    words = words > 0 ? words - 1 : 0;
    return words < 3 ? words : 3;
}

static uint64_t base_of(uint64_t key, const struct stamp *stamp, size_t words) {
    uint64_t intended = words > 1 ? stamp->intended_ns : 0, actual = words > 2 ? stamp->actual_ns : 0;
    return mix(mix(key ^ stamp->sequence) + (intended ^ (actual << 32 | actual >> 32)));
}

static uint64_t word_at(const unsigned char *bytes, size_t index) {
    uint64_t value;
    memcpy(&value, bytes + index * 8, 8);
    return value;
}

static void fill(uint64_t key, unsigned char *payload, uint64_t bytes, const struct stamp *stamp) {
    size_t reach = reach_of(bytes), words = head_words(reach), at = words * 8;
    uint64_t value = base_of(key, stamp, words);
    uint64_t head[3] = {stamp->sequence, stamp->intended_ns, stamp->actual_ns};
    if (words == 0) {
        uint64_t alone = stamp->sequence ^ key;
        at = reach < 8 ? reach : 8;
        memcpy(payload, &alone, at);
    } else {
        memcpy(payload, head, at);
    }
    for (; at + 8 <= reach; at += 8, value += STEP) memcpy(payload + at, &value, 8);
    memcpy(payload + at, &value, reach - at);
}

enum content { GOOD, TORN, MISLABELLED };

static int body_matches(const unsigned char *body, size_t bytes, uint64_t value) {
    size_t at = 0;
    uint64_t difference = 0;
    for (; at + 8 <= bytes; at += 8, value += STEP) difference |= word_at(body + at, 0) ^ value;
    return difference == 0 && memcmp(body + at, &value, bytes - at) == 0;
}

static enum content check(const unsigned char *payload, uint64_t bytes, uint64_t label) {
    size_t reach = reach_of(bytes), words = head_words(reach), at = words * 8;
    struct stamp stamp = {0, 0, 0};
    if (words == 0) {
        uint64_t alone = label ^ seed;
        at = reach < 8 ? reach : 8;
        memcpy(&alone, payload, at);
        stamp.sequence = alone ^ seed;
        if (at == 8 && (stamp.sequence > label ? stamp.sequence - label : label - stamp.sequence) >= FAR)
            return TORN;
    } else {
        stamp.sequence = word_at(payload, 0);
        if (words > 1) stamp.intended_ns = word_at(payload, 1);
        if (words > 2) stamp.actual_ns = word_at(payload, 2);
    }
    if (reach > at && !body_matches(payload + at, reach - at, base_of(seed, &stamp, words))) return TORN;
    return stamp.sequence == label ? GOOD : MISLABELLED;
}

/* The sequence that a payload claims for itself; `expected` where the claim cannot be one. */
static uint64_t claim(const unsigned char *payload, uint64_t bytes, uint64_t expected) {
    uint64_t claimed;
    if (bytes < 8) return expected;
    claimed = word_at(payload, 0) ^ (head_words(reach_of(bytes)) ? 0 : seed);
    return (claimed > expected ? claimed - expected : expected - claimed) < FAR ? claimed : expected;
}

/* The consumer's account. */

static void order(uint64_t label) {
    if (label == found.next) {
        found.next++;
    } else if (label < found.next) {
        if (label + 1 == found.next) found.duplicated++;
        else found.backward++;
    } else {
        uint64_t gap = label - found.next;
        found.next = label + 1;
        if (task.promise == EVERYTHING) found.lost += gap;
        else found.lapped += gap;
        if (task.promise == ANNOUNCED && gap > found.announced) found.silent += gap - found.announced;
        found.announced = 0;
    }
}

#endif
