/* One role of a trial, in C, over any ring: fills and checks the same keyed payloads as the harness's own
 * workers, keeps the same account and reports in the same words. A program that includes this file and
 * defines the functions below is run by `transport = "./program"` in a scenario; README.md beside it says how.
 *
 * Arguments are key=value; what each means stands at its reading. Standard input brings one line with
 * the places of the others; standard output takes one JSON text a line. */
#ifndef HARNESS_PEER_H
#define HARNESS_PEER_H
#ifndef HARNESS_PAYLOAD_H
#include "payload.h"
#endif

/* What came of a call. */
enum outcome {
    DONE,
    WAITED, /* in vain, at most task.block_ms or READ_MS; the harness tries again, or stops */
    FULL,   /* no room now, and the ring does not wait */
    AGAIN,  /* look again at once */
    LAPPED, /* message->missed were passed over */
    SPOILT, /* message->label was there and its checksum wrong */
    ENDED,  /* the producer has closed the ring and everything was taken */
    FAILED  /* for good; ring_error says why */
};

/* A ring that gives no labels leaves this: the payload's own claim is taken instead. */
#define UNLABELLED UINT64_MAX

struct message {
    unsigned char *payload;
    uint64_t bytes, label, missed;
};

/* What a ring must define. `task` says what is asked for. */
static int ring_make(char *place, size_t bytes);           /* makes the outgoing ring; says where it is, 0: failed */
static int ring_attach(const char *place);                 /* attaches to the incoming one; 0: failed */
static enum outcome ring_acquire(struct message *message); /* where the next payload of task.payload bytes goes */
static enum outcome ring_commit(int aborts);               /* publishes it, or gives it up */
static enum outcome ring_take(struct message *message);    /* the next payload, until it is released */
static enum outcome ring_release(void);
static void ring_close(void);                              /* ends the outgoing ring, leaves the incoming one */
static const char *ring_error(void);

static int fail(const char *what) {
    trouble("%s: %s", what, ring_error());
    printf("{\"Failed\":{\"why\":\"%s\"}}\n", found.trouble);
    fflush(stdout);
    return 6;
}

/* Latencies: 64 buckets for each power of two. */

static uint64_t buckets[128 + 57 * 64];

static void note(uint64_t ns) {
    int shift = ns < 128 ? 0 : 57 - __builtin_clzll(ns);
    buckets[ns < 128 ? ns : 64 + (uint64_t)shift * 64 + (ns >> shift) - 64]++;
}

/* What a bucket stands for. */
static uint64_t middle(uint64_t bucket) {
    uint64_t shift = bucket / 64 - 1;
    return bucket < 128 ? bucket : ((bucket % 64 + 64) << shift) + ((uint64_t)1 << (shift - 1));
}

/* When the payload was due; 0: it is not timed. */
static uint64_t word_of_time(const struct message *message) {
    return message->bytes < 24 ? 0 : word_at(message->payload, 1);
}

static void take(const struct message *message) {
    uint64_t label = message->label, begun = word_of_time(message), now = begun ? now_ns() : 0;
    if (task.work_ns) for (uint64_t end = now_ns() + task.work_ns; now_ns() < end;) {}
    if (label == UNLABELLED) label = claim(message->payload, message->bytes, found.next);
    switch (check(message->payload, message->bytes, label)) {
    case TORN: found.torn++; break;
    case MISLABELLED: found.mislabelled++; break;
    case GOOD: if (begun) note(now > begun ? now - begun : 0);
    }
    found.delivered++;
    found.bytes_read += message->bytes;
    order(label);
}

/* Takes the next payload. Says whether there was one. */
static int take_one(void) {
    static uint64_t since, seen;
    for (;;) {
        struct message message = {NULL, 0, UNLABELLED, 0};
        enum outcome outcome = ring_take(&message);
        if (outcome == DONE) {
            take(&message);
            if (ring_release() == DONE) return 1;
            trouble("the consumer cannot release: %s", ring_error());
            return 0;
        }
        if (outcome == LAPPED) {
            found.announced += message.missed;
            found.told += message.missed;
        } else if (outcome == SPOILT) {
            found.checksum++;
            order(message.label);
        } else if (outcome == WAITED) {
            found.timeouts++;
            if (found.delivered != seen || !since) seen = found.delivered, since = now_ns();
            if (now_ns() - since > task.patience_ns) {
                trouble("the consumer gave up waiting for sequence %llu", (unsigned long long)found.next);
                return 0;
            }
        } else if (outcome == ENDED) {
            return 0;
        } else if (outcome != AGAIN) {
            trouble("the consumer cannot read: %s", ring_error());
            return 0;
        }
    }
}

static uint64_t first_ns, last_ns, first, last;

/* How much was delivered when, in the measured part. */
static void mark(void) {
    if (found.delivered % SAMPLE || look(FROM) == 0 || found.next <= look(FROM)) return;
    last_ns = now_ns(), last = found.delivered;
    if (!first_ns) first_ns = last_ns, first = last;
}

static void consume(void) {
    while (take_one()) mark();
    found.messages = last - first;
    found.ns = last_ns - first_ns;
}

/* The producer. */

/* Commits or aborts one payload. Says whether to go on. */
static int put(uint64_t end_ns, uint64_t stamp_ns, int aborts) {
    uint64_t since = 0;
    for (;;) {
        struct message message = {NULL, task.payload, found.committed, 0};
        enum outcome outcome = ring_acquire(&message);
        if (outcome == DONE) {
            struct stamp stamp = {message.label, aborts ? 0 : stamp_ns, aborts ? 0 : stamp_ns};
            fill(aborts ? mix(seed) : seed, message.payload, message.bytes, &stamp);
            if (ring_commit(aborts) == DONE) return 1;
            trouble("the producer cannot publish: %s", ring_error());
            return 0;
        }
        if (outcome == WAITED) found.timeouts++;
        else if (outcome == FULL) found.refusals++, sched_yield();
        else if (outcome != AGAIN) {
            trouble("the producer cannot write: %s", ring_error());
            return 0;
        }
        if (now_ns() >= end_ns || look(STOP)) return 0;
        if (!since) since = now_ns();
        if (now_ns() - since > task.patience_ns) {
            trouble("the producer gave up: %s", ring_error());
            return 0;
        }
    }
}

/* One more was committed. */
static void count_one(void) {
    if (++found.committed % 1024 == 0) publish(PROGRESS, found.committed);
}

static uint64_t stream(uint64_t ns, uint64_t count, int timed) {
    static uint64_t writes;
    uint64_t start = now_ns(), end = ns ? start + ns : UINT64_MAX, sent = 0;
    while (!count || sent < count) {
        uint64_t stamp_ns = 0;
        if (sent % SAMPLE == 0) {
            uint64_t now = now_ns();
            if (now >= end || look(STOP)) break;
            stamp_ns = timed ? now : 0;
        }
        if (task.abort_every && ++writes % task.abort_every == 0 && !put(end, 0, 1)) break;
        if (!put(end, stamp_ns, 0)) break;
        count_one();
        sent++;
    }
    found.ns = now_ns() - start;
    return sent;
}

/* One round trip after the other; its time holds everything that both ends do. */
static uint64_t round_trips(uint64_t ns, uint64_t count, int timed) {
    uint64_t start = now_ns(), end = ns ? start + ns : UINT64_MAX, before = start, now = start, sent = 0;
    while ((!count || sent < count) && now < end && !look(STOP) && put(end, 0, 0)) {
        count_one();
        if (!take_one()) {
            trouble("the other end has ended");
            break;
        }
        now = now_ns();
        if (timed) note((now - before) / 2);
        before = now;
        sent++;
    }
    found.ns = now_ns() - start;
    return sent;
}

static void produce(void) {
    uint64_t (*span)(uint64_t, uint64_t, int) = task.answer ? round_trips : stream;
    if (task.warm_ns || task.warm_count) span(task.warm_ns, task.warm_count, 0);
    publish(START_NS, now_ns());
    publish(FROM, found.committed + 1);
    if (!found.trouble[0]) found.messages = span(task.run_ns, task.run_count, 1);
    publish(PROGRESS, found.committed);
}

/* Answers each payload. */
static void echo(void) {
    while (take_one() && put(UINT64_MAX, 0, 0)) {
        count_one();
        mark();
    }
    found.messages = last - first;
    found.ns = last_ns - first_ns;
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
    printf("\"next\":%llu,\"silent\":%llu,\"announced\":%llu,\"refusals\":%llu,\"bytes_written\":%llu,\"bytes_read\":%llu,"
           "\"measured\":{\"messages\":%llu,\"bytes\":%llu,\"ns\":%llu},\"line_ns\":[%s,%s],",
           (u)found.next, (u)found.silent, (u)found.told, (u)found.refusals, (u)(found.committed * task.payload), (u)found.bytes_read,
           (u)found.messages, (u)(found.messages * task.payload), (u)found.ns,
           or_null(first, sizeof first, before), or_null(second, sizeof second, after));
    if (pinned) printf("\"degraded\":[],");
    else printf("\"degraded\":[\"core %llu was refused: not pinned\"],", (u)(task.core - 1));
    printf("\"samples\":[");
    for (uint64_t bucket = 0, listed = 0; bucket < sizeof buckets / sizeof *buckets; bucket++)
        if (buckets[bucket])
            printf("%s[%llu,%llu]", listed++ ? "," : "", (u)middle(bucket), (u)buckets[bucket]);
    printf("],");
    if (found.trouble[0]) printf("\"trouble\":\"%s\"}}\n", found.trouble);
    else printf("\"trouble\":null}}\n");
    fflush(stdout);
}

static int read_task(int count, char **arguments) {
    static const struct { const char *key; uint64_t *value; } KEYS[] = {
        {"produce", &task.produce}, {"answer", &task.answer}, {"sync", &task.sync}, {"slots", &task.slots},
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
        struct message slot = {payload, 0, strtoull(line, &at, 10), 0};
        unsigned byte;
        for (at++; sscanf(at, "%2x", &byte) == 1; at += 2) payload[slot.bytes++] = (unsigned char)byte;
        take(&slot);
    }
    report(0, 0, 1);
    return 0;
}

int main(int count, char **arguments) {
    char place[256], line[4096], *other = NULL;
    uint64_t deadline, before, after;
    int pinned, makes;

    if (count == 5 && strcmp(arguments[1], "--account") == 0) return account(arguments);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || !read_task(count, arguments)) return 2;
    if ((uint64_t)getppid() != task.parent) return 6;
    if (!map_words()) return fail("the shared words cannot be mapped");
    seed = mix(task.seed);
    deadline = now_ns() + task.deadline_ns;
    pinned = pin();
    makes = task.produce || task.answer;
    if (makes && !ring_make(place, sizeof place)) return fail("the ring cannot be made");
    if (makes) printf("{\"Made\":{\"block\":\"%s\"}}\n", place);
    else printf("{\"Made\":{\"block\":null}}\n");
    fflush(stdout);
    if (!meet(line, sizeof line, &other)) return fail("nobody has made the ring to read");
    if ((!task.produce || task.answer) && !ring_attach(other)) return fail("the ring cannot be attached");
    if (!reach("Before", BEFORE, deadline)) return fail("the phase Before never came");
    before = play(0);
    if (!reach("Run", RUN, deadline)) return fail("the phase Run never came");
    if (task.produce) produce();
    else if (task.answer) echo();
    else consume();
    ring_close();
    if (!reach("After", AFTER, deadline)) return fail("the phase After never came");
    after = play(1);
    report(before, after, pinned);
    return 0;
}

#endif
