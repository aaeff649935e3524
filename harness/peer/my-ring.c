/* A ring of one's own under the harness: one producer, one consumer, in shared memory, as many would write
 * it. `cc -O2 -I harness/peer -o my-ring my-ring.c`, then `transport = "./my-ring"` in a scenario.
 * Compiled with -DPLANT_EARLY it publishes before the payload is written, with -DPLANT_LOSE it forgets one
 * message in a thousand: the harness must find both. */
#include "peer.h"
#include <sys/stat.h>

struct ring {
    _Alignas(128) _Atomic uint64_t written; /* the producer's */
    _Alignas(128) _Atomic uint64_t read;    /* the consumer's */
    _Alignas(128) _Atomic uint64_t closed;
    _Alignas(128) unsigned char payloads[];
};

static struct ring *outgoing, *incoming;
static uint64_t sent, taken;

static const char *ring_error(void) { return strerror(errno); }

static size_t size_of_ring(void) { return sizeof(struct ring) + task.slots * task.payload; }

static struct ring *map(int file) {
    void *base = mmap(NULL, size_of_ring(), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    return base == MAP_FAILED ? NULL : base;
}

static int ring_make(char *place, size_t bytes) {
    int file = memfd_create("my-ring", 0);
    if (file < 0 || ftruncate(file, (off_t)size_of_ring()) != 0) return 0;
    snprintf(place, bytes, "/proc/%d/fd/%d", (int)getpid(), file);
    return (outgoing = map(file)) != NULL;
}

static int ring_attach(const char *place) {
    struct stat facts;
    int file = open(place, O_RDWR);
    if (file < 0 || fstat(file, &facts) != 0 || (size_t)facts.st_size < size_of_ring()) return 0;
    return (incoming = map(file)) != NULL;
}

/* Waits as the scenario says, at most so long. */
static int wait_for(_Atomic uint64_t *word, uint64_t below, uint64_t milliseconds) {
    for (uint64_t looks = 0, until = 0; *word < below; looks++) {
        if (task.wait != 0 && looks > 128) sched_yield();
        if (looks % 64) continue;
        if (!until) until = now_ns() + milliseconds * 1000000u;
        if (now_ns() > until) return 0;
    }
    return 1;
}

static enum outcome ring_acquire(struct message *message) {
    if (sent >= task.slots && !wait_for(&outgoing->read, sent - task.slots + 1, task.block_ms)) return WAITED;
    message->payload = outgoing->payloads + sent % task.slots * task.payload;
#ifdef PLANT_EARLY
    outgoing->written = sent + 1;
#endif
    return DONE;
}

static enum outcome ring_commit(int aborts) {
    if (aborts) return DONE;
    sent++;
#ifdef PLANT_LOSE
    if (found.committed % 1000 == 999) sent--;
#endif
    outgoing->written = sent;
    return DONE;
}

static enum outcome ring_take(struct message *message) {
    uint64_t closed = incoming->closed;
    if (!wait_for(&incoming->written, taken + 1, closed ? 0 : 10)) {
        if (closed) return ENDED;
        return WAITED;
    }
    message->payload = incoming->payloads + taken % task.slots * task.payload;
    message->bytes = task.payload;
    return DONE;
}

static enum outcome ring_release(void) {
    incoming->read = ++taken;
    return DONE;
}

static void ring_close(void) {
    if (outgoing) outgoing->closed = 1;
}
