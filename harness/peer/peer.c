/* One role of a trial, in C: fills and checks the same keyed payloads as the harness's own workers,
 * over the C API, and reports in the same words.
 *
 * Arguments are key=value; what each means stands at its reading. Standard input brings one line with
 * the blocks of the others; standard output takes one JSON text a line. Compiled by the harness, behind
 * the text of datahub.h.
 * Source of the payload: harness/src/run/payload.rs; of the words: harness/src/run/words.rs. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
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
    uint64_t parent, produce, sync, slots, physical, payload, consumers, notify, on_full, block_ms;
    uint64_t algorithm, enforced, promise, warm_ns, warm_count, run_ns, run_count, seed, wait, whole;
    uint64_t abort_every, work_ns, latest, patience_ns, deadline_ns, side, core;
    const char *words;
} task;

/* What this process counts. */
static struct {
    uint64_t committed, delivered, torn, mislabelled, backward, lost, duplicated, checksum, lapped, timeouts;
    uint64_t next, silent, announced, bytes_read, messages, ns;
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

static int fail(const char *what) {
    trouble("%s: %s", what, datablock_last_error());
    printf("{\"Failed\":{\"why\":\"%s\"}}\n", found.trouble);
    fflush(stdout);
    return 6;
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

static void take(const DataBlockReadSlot *slot) {
    enum content content;
    if (task.work_ns) for (uint64_t end = now_ns() + task.work_ns; now_ns() < end;) {}
    content = check(slot->payload, slot->payload_bytes, slot->sequence);
    found.delivered++;
    found.bytes_read += slot->payload_bytes;
    if (content == TORN) found.torn++;
    if (content == MISLABELLED) found.mislabelled++;
    order(slot->sequence);
}

static void consume(DataBlockConsumer *consumer) {
    uint64_t since = 0, seen = 0, first_ns = 0, before = 0, last_ns = 0, last = 0;
    for (;;) {
        DataBlockReadSlot slot;
        DataBlockStatus status = datablock_acquire_consume_slot(consumer, READ_MS, &slot);
        if (status == DATABLOCK_OK) {
            take(&slot);
            if (datablock_release_consume_slot(consumer) != DATABLOCK_OK) {
                trouble("the consumer cannot release: %s", datablock_last_error());
                break;
            }
            if (found.delivered % SAMPLE == 0 && look(FROM) != 0 && found.next > look(FROM)) {
                last_ns = now_ns(), last = found.delivered;
                if (!first_ns) first_ns = last_ns, before = last;
            }
        } else if (status == DATABLOCK_LAPPED) {
            found.announced += slot.missed_slots;
        } else if (status == DATABLOCK_CHECKSUM) {
            found.checksum++;
            order(slot.sequence);
        } else if (status == DATABLOCK_TIMEOUT) {
            found.timeouts++;
            if (found.delivered != seen || !since) seen = found.delivered, since = now_ns();
            if (now_ns() - since > task.patience_ns) {
                trouble("the consumer gave up waiting for sequence %llu", (unsigned long long)found.next);
                break;
            }
        } else if (status == DATABLOCK_ENDED) {
            break;
        } else if (status != DATABLOCK_CONTENDED) {
            trouble("the consumer cannot read: %s", datablock_last_error());
            break;
        }
    }
    found.messages = last - before;
    found.ns = last_ns - first_ns;
}

/* The producer. */

/* Commits or aborts one payload. Says whether to go on. */
static int put(DataBlockProducer *producer, uint64_t end_ns, uint64_t stamp_ns, int aborts) {
    uint64_t since = 0;
    for (;;) {
        DataBlockWriteSlot slot;
        DataBlockStatus status = datablock_acquire_write_slot(producer, (int32_t)task.block_ms, &slot);
        if (status == DATABLOCK_OK) {
            struct stamp stamp = {slot.sequence, aborts ? 0 : stamp_ns, aborts ? 0 : stamp_ns};
            fill(aborts ? mix(seed) : seed, slot.payload, slot.payload_bytes, &stamp);
            status = aborts ? datablock_abort(producer) : datablock_commit(producer, slot.payload_bytes);
            if (status == DATABLOCK_OK) return 1;
            trouble("the producer cannot publish: %s", datablock_last_error());
            return 0;
        }
        if (status == DATABLOCK_TIMEOUT) found.timeouts++;
        else if (status == DATABLOCK_FULL) sched_yield();
        else {
            trouble("the producer cannot write: %s", datablock_last_error());
            return 0;
        }
        if (now_ns() >= end_ns || look(STOP)) return 0;
        if (!since) since = now_ns();
        if (now_ns() - since > task.patience_ns) {
            trouble("the producer gave up: %s", datablock_last_error());
            return 0;
        }
    }
}

static uint64_t stream(DataBlockProducer *producer, uint64_t ns, uint64_t count, int timed) {
    static uint64_t writes;
    uint64_t start = now_ns(), end = ns ? start + ns : UINT64_MAX, sent = 0;
    while (!count || sent < count) {
        uint64_t stamp_ns = 0;
        if (sent % SAMPLE == 0) {
            uint64_t now = now_ns();
            if (now >= end || look(STOP)) break;
            stamp_ns = timed ? now : 0;
        }
        if (task.abort_every && ++writes % task.abort_every == 0 && !put(producer, end, 0, 1)) break;
        if (!put(producer, end, stamp_ns, 0)) break;
        sent++;
        if (++found.committed % 1024 == 0) publish(PROGRESS, found.committed);
    }
    found.ns = now_ns() - start;
    return sent;
}

static void produce(DataBlockProducer *producer) {
    if (task.warm_ns || task.warm_count) stream(producer, task.warm_ns, task.warm_count, 0);
    publish(START_NS, now_ns());
    publish(FROM, found.committed + 1);
    if (!found.trouble[0]) found.messages = stream(producer, task.run_ns, task.run_count, 1);
    publish(PROGRESS, found.committed);
}

/* The bare line. */

static int await_word(int index, uint64_t value) {
    uint64_t since = 0;
    for (;;) {
        for (int looks = 0; looks < 1 << 14; looks++)
            if (look(index) >= value) return 1;
        if (!since) since = now_ns();
        if (now_ns() - since > 500000000u) return 0;
    }
}

static int compare(const void *one, const void *other) {
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return a < b ? -1 : a > b;
}

/* The one-way median, for the side that begins; 0: not measured. */
static uint64_t play(uint64_t turn) {
    uint64_t times[BATCHES], first = turn * BATCHES * ROUNDS;
    if (!task.side) return 0;
    if (task.side == 2) {
        for (uint64_t round = first + 1; round <= first + BATCHES * ROUNDS; round++) {
            if (!await_word(PING, round)) return 0;
            publish(PONG, round);
        }
        return 0;
    }
    for (uint64_t batch = 0; batch < BATCHES; batch++) {
        uint64_t start = now_ns(), base = first + batch * ROUNDS;
        for (uint64_t round = base + 1; round <= base + ROUNDS; round++) {
            publish(PING, round);
            if (!await_word(PONG, round)) return 0;
        }
        times[batch] = (now_ns() - start) / (2 * ROUNDS);
    }
    qsort(times, BATCHES, sizeof times[0], compare);
    return times[BATCHES / 2];
}

/* The harness. */

static int reach(const char *name, uint64_t phase, uint64_t deadline) {
    printf("{\"At\":{\"phase\":\"%s\"}}\n", name);
    fflush(stdout);
    for (int looks = 0; look(PHASE) < phase; looks++) {
        if (looks < 2000) continue;
        if (now_ns() >= deadline) return 0;
        nap();
    }
    return 1;
}

static const char *or_null(char *text, size_t bytes, uint64_t value) {
    if (value) snprintf(text, bytes, "%llu", (unsigned long long)value);
    else snprintf(text, bytes, "null");
    return text;
}

static void report(uint64_t before, uint64_t after, int pinned) {
    typedef unsigned long long u;
    char first[24], second[24];
    printf("{\"Done\":{\"counts\":{\"committed\":%llu,\"delivered\":%llu,\"torn\":%llu,\"mislabelled\":%llu,"
           "\"backward\":%llu,\"lost\":%llu,\"duplicated\":%llu,\"checksum_failures\":%llu,\"lapped\":%llu,"
           "\"timeouts\":%llu},",
           (u)found.committed, (u)found.delivered, (u)found.torn, (u)found.mislabelled, (u)found.backward,
           (u)found.lost, (u)found.duplicated, (u)found.checksum, (u)found.lapped, (u)found.timeouts);
    printf("\"next\":%llu,\"silent\":%llu,\"bytes_written\":%llu,\"bytes_read\":%llu,"
           "\"measured\":{\"messages\":%llu,\"bytes\":%llu,\"ns\":%llu},\"line_ns\":[%s,%s],",
           (u)found.next, (u)found.silent, (u)(found.committed * task.payload), (u)found.bytes_read,
           (u)found.messages, (u)(found.messages * task.payload), (u)found.ns,
           or_null(first, sizeof first, before), or_null(second, sizeof second, after));
    if (pinned) printf("\"degraded\":[],");
    else printf("\"degraded\":[\"core %llu was refused: not pinned\"],", (u)(task.core - 1));
    if (found.trouble[0]) printf("\"trouble\":\"%s\"}}\n", found.trouble);
    else printf("\"trouble\":null}}\n");
    fflush(stdout);
}

static int read_task(int count, char **arguments) {
    static const struct { const char *key; uint64_t *value; } KEYS[] = {
        {"produce", &task.produce}, {"sync", &task.sync}, {"slots", &task.slots},
        {"physical", &task.physical}, {"payload", &task.payload}, {"consumers", &task.consumers},
        {"notify", &task.notify}, {"on-full", &task.on_full}, {"block-ms", &task.block_ms},
        {"algorithm", &task.algorithm}, {"enforced", &task.enforced}, {"promise", &task.promise},
        {"warm-ns", &task.warm_ns}, {"warm-count", &task.warm_count}, {"run-ns", &task.run_ns},
        {"run-count", &task.run_count}, {"seed", &task.seed}, {"wait", &task.wait}, {"whole", &task.whole},
        {"abort-every", &task.abort_every}, {"work-ns", &task.work_ns}, {"latest", &task.latest},
        {"patience-ns", &task.patience_ns}, {"deadline-ns", &task.deadline_ns}, {"side", &task.side},
        {"core", &task.core},
    };
    if (count > 2) task.parent = strtoull(arguments[2], NULL, 10);
    for (int index = 3; index < count; index++) {
        char *value = strchr(arguments[index], '=');
        size_t known = 0;
        if (!value) return 0;
        *value++ = 0;
        if (strcmp(arguments[index], "words") == 0) {
            task.words = value;
            continue;
        }
        while (known < sizeof KEYS / sizeof *KEYS && strcmp(KEYS[known].key, arguments[index])) known++;
        if (known == sizeof KEYS / sizeof *KEYS) return 0;
        *KEYS[known].value = strtoull(value, NULL, 10);
    }
    return task.words != NULL;
}

static int map_words(void) {
    int file = open(task.words, O_RDWR | O_CLOEXEC);
    void *base;
    if (file < 0) return 0;
    base = mmap(NULL, 7 * WORD_STRIDE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    words_base = base;
    return base != MAP_FAILED;
}

/* Core numbers are sent with 1 added, so that 0 is none. */
static int pin(void) {
    cpu_set_t cores;
    if (!task.core) return 1;
    CPU_ZERO(&cores);
    CPU_SET((int)task.core - 1, &cores);
    return sched_setaffinity(0, sizeof cores, &cores) == 0;
}

static DataBlockStatus make(DataBlockProducer **producer) {
    DataBlockConfig config;
    DataBlockStatus status = datablock_config_init(&config, sizeof config);
    if (status != DATABLOCK_OK) return status;
    config.consumer_sync = (uint32_t)task.sync;
    config.payload_bytes = task.payload;
    config.capacity = (uint32_t)task.slots;
    config.physical_slots = (uint32_t)task.physical;
    config.max_consumers = (uint32_t)task.consumers;
    config.on_full = (uint32_t)task.on_full;
    config.parking = (uint32_t)task.notify;
    if (task.algorithm) {
        config.checksum_algorithm = (uint32_t)task.algorithm;
        config.checksum_policy = task.enforced ? DATABLOCK_CHECKSUM_ENFORCED : DATABLOCK_CHECKSUM_MANUAL;
    }
    status = datablock_producer_create_unnamed(&config, producer);
    return status == DATABLOCK_OK ? datablock_producer_set_wait(*producer, (uint32_t)task.wait) : status;
}

/* The first block of the line that introduces the others. */
static int meet(char *line, size_t bytes, char **block) {
    char *end;
    if (!fgets(line, (int)bytes, stdin)) return 0;
    *block = strchr(line, '[');
    if (!*block || (*block)[1] != '"') return task.produce != 0;
    *block += 2;
    end = strchr(*block, '"');
    if (!end) return 0;
    *end = 0;
    return 1;
}

/* Checks what stands in standard input, `label hexadecimal-payload` a line, and says what it counted:
 * so that a test can hold this account against the harness's own. */
static int account(char **arguments) {
    static unsigned char payload[4096];
    static char line[8300];
    task.promise = strtoull(arguments[2], NULL, 10);
    task.whole = strtoull(arguments[3], NULL, 10);
    seed = mix(strtoull(arguments[4], NULL, 10));
    while (fgets(line, sizeof line, stdin)) {
        char *at;
        DataBlockReadSlot slot = {payload, 0, strtoull(line, &at, 10), 0};
        unsigned byte;
        for (at++; sscanf(at, "%2x", &byte) == 1; at += 2) payload[slot.payload_bytes++] = (unsigned char)byte;
        take(&slot);
    }
    report(0, 0, 1);
    return 0;
}

int main(int count, char **arguments) {
    DataBlockProducer *producer = NULL;
    DataBlockConsumer *consumer = NULL;
    char path[64], line[4096], *block = NULL;
    uint64_t deadline, before, after;
    int pinned;

    if (count == 5 && strcmp(arguments[1], "--account") == 0) return account(arguments);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || !read_task(count, arguments)) return 2;
    if ((uint64_t)getppid() != task.parent) return 6;
    if (!map_words()) return fail("the shared words cannot be mapped");
    seed = mix(task.seed);
    deadline = now_ns() + task.deadline_ns;
    pinned = pin();
    if (task.produce) {
        if (make(&producer) != DATABLOCK_OK) return fail("the block cannot be made");
        if (datablock_producer_path(producer, path, sizeof path) != DATABLOCK_OK) return fail("no path");
        printf("{\"Made\":{\"block\":\"%s\"}}\n", path);
    } else {
        printf("{\"Made\":{\"block\":null}}\n");
    }
    fflush(stdout);
    if (!meet(line, sizeof line, &block)) return fail("nobody has made the block to read");
    if (!task.produce) {
        uint32_t join = task.latest ? DATABLOCK_JOIN_LATEST : DATABLOCK_JOIN_OLDEST;
        if (datablock_consumer_attach(block, join, &consumer) != DATABLOCK_OK
            || datablock_consumer_set_wait(consumer, (uint32_t)task.wait) != DATABLOCK_OK)
            return fail("the block cannot be attached");
    }
    if (!reach("Before", BEFORE, deadline)) return fail("the phase Before never came");
    before = play(0);
    if (!reach("Run", RUN, deadline)) return fail("the phase Run never came");
    if (task.produce) produce(producer);
    else consume(consumer);
    datablock_producer_destroy(producer);
    datablock_consumer_detach(consumer);
    if (!reach("After", AFTER, deadline)) return fail("the phase After never came");
    after = play(1);
    report(before, after, pinned);
    return 0;
}
