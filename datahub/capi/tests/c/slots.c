/* slot_rw_*: every result provoked, on a slot that two processes share. */
#define _DEFAULT_SOURCE

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define COMMITS 20000u

static SlotRWState *shared_slot(void) {
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    CHECK(slot_rw_init(page) == SLOT_ACQUIRE_OK);
    return page;
}

static void arguments(SlotRWState *slot) {
    uint64_t generation;
    SlotRWState *crooked = (SlotRWState *)((char *)slot + 8);
    CHECK(slot_rw_init(NULL) == SLOT_ACQUIRE_ERROR);
    CHECK(slot_rw_init(crooked) == SLOT_ACQUIRE_ERROR);
    CHECK(slot_rw_acquire_write(NULL, 0) == SLOT_ACQUIRE_ERROR);
    CHECK(slot_rw_commit(NULL) == SLOT_ACQUIRE_ERROR);
    CHECK(slot_rw_release_write(NULL) == SLOT_ACQUIRE_ERROR);
    CHECK(slot_rw_acquire_read(NULL, 0, &generation) == SLOT_ACQUIRE_ERROR);
    CHECK(slot_rw_acquire_read(slot, 32, &generation) == SLOT_ACQUIRE_ERROR);
    CHECK(slot_rw_acquire_read(slot, 0, NULL) == SLOT_ACQUIRE_ERROR);
    CHECK(slot_rw_release_read(NULL, 0) == SLOT_ACQUIRE_ERROR);
    CHECK(slot_rw_release_read(slot, 32) == SLOT_ACQUIRE_ERROR);
    CHECK(!slot_rw_validate_read(NULL, 1));
    CHECK(slot_rw_slot_state(NULL) == 0 && slot_rw_reader_count(NULL) == 0);
    CHECK(!slot_rw_writer_waiting(NULL));
}

static void order(SlotRWState *slot) {
    uint64_t generation = 99;
    CHECK(slot_rw_commit(slot) == SLOT_ACQUIRE_INVALID_STATE);
    CHECK(slot_rw_release_write(slot) == SLOT_ACQUIRE_INVALID_STATE);
    CHECK(slot_rw_release_read(slot, 0) == SLOT_ACQUIRE_INVALID_STATE);
    CHECK(slot_rw_acquire_read(slot, 0, &generation) == SLOT_ACQUIRE_NOT_READY && generation == 99);

    CHECK(slot_rw_slot_state(slot) == 0);
    CHECK(slot_rw_acquire_write(slot, 0) == SLOT_ACQUIRE_OK);
    CHECK(slot_rw_slot_state(slot) == 1 && slot_rw_reader_count(slot) == 0);
    CHECK(slot_rw_acquire_write(slot, -1) == SLOT_ACQUIRE_INVALID_STATE);
    CHECK(slot_rw_acquire_read(slot, 0, &generation) == SLOT_ACQUIRE_NOT_READY);
    CHECK(slot_rw_commit(slot) == SLOT_ACQUIRE_OK);
    CHECK(slot_rw_commit(slot) == SLOT_ACQUIRE_INVALID_STATE);
    /* F17: a release after the commit succeeds and throws nothing away. */
    CHECK(slot_rw_release_write(slot) == SLOT_ACQUIRE_OK);
    CHECK(slot_rw_release_write(slot) == SLOT_ACQUIRE_INVALID_STATE);
    CHECK(slot_rw_acquire_read(slot, 31, &generation) == SLOT_ACQUIRE_OK && generation == 1);
    CHECK(slot_rw_acquire_read(slot, 31, &generation) == SLOT_ACQUIRE_INVALID_STATE);
    CHECK(slot_rw_validate_read(slot, 1) && !slot_rw_validate_read(slot, 2));

    CHECK(slot_rw_slot_state(slot) == 2 && slot_rw_reader_count(slot) == 1);
    CHECK(!slot_rw_writer_waiting(slot));

    /* Readers inside: the writer gives up, and the slot is as before. */
    CHECK(slot_rw_acquire_write(slot, 0) == SLOT_ACQUIRE_TIMEOUT);
    CHECK(slot_rw_acquire_write(slot, 10) == SLOT_ACQUIRE_TIMEOUT);
    CHECK(slot_rw_acquire_read(slot, 0, &generation) == SLOT_ACQUIRE_OK && generation == 1);
    CHECK(slot_rw_release_read(slot, 0) == SLOT_ACQUIRE_OK);
    CHECK(slot_rw_release_read(slot, 31) == SLOT_ACQUIRE_OK);
    CHECK(slot_rw_release_read(slot, 31) == SLOT_ACQUIRE_INVALID_STATE);

    /* Without a commit the release aborts: the slot holds nothing, and no generation was spent. */
    CHECK(slot_rw_acquire_write(slot, 0) == SLOT_ACQUIRE_OK);
    CHECK(slot_rw_release_write(slot) == SLOT_ACQUIRE_OK);
    CHECK(slot_rw_acquire_read(slot, 0, &generation) == SLOT_ACQUIRE_NOT_READY);
    CHECK(!slot_rw_validate_read(slot, 1));
    CHECK(slot_rw_acquire_write(slot, 0) == SLOT_ACQUIRE_OK);
    CHECK(slot_rw_commit(slot) == SLOT_ACQUIRE_OK);
    /* The release may be left out. */
    CHECK(slot_rw_acquire_write(slot, 0) == SLOT_ACQUIRE_OK);
    CHECK(slot_rw_commit(slot) == SLOT_ACQUIRE_OK);
    CHECK(slot_rw_acquire_read(slot, 0, &generation) == SLOT_ACQUIRE_OK && generation == 3);
    CHECK(slot_rw_release_read(slot, 0) == SLOT_ACQUIRE_OK);
}

static void *steals(void *slot) {
    CHECK(slot_rw_commit(slot) == SLOT_ACQUIRE_INVALID_STATE);
    CHECK(slot_rw_release_write(slot) == SLOT_ACQUIRE_INVALID_STATE);
    CHECK(slot_rw_acquire_write(slot, 0) == SLOT_ACQUIRE_LOCKED);
    return NULL;
}

static void owners(SlotRWState *slot) {
    pthread_t thread;
    int status;
    pid_t child;
    CHECK(slot_rw_acquire_write(slot, 0) == SLOT_ACQUIRE_OK);
    CHECK(pthread_create(&thread, NULL, steals, slot) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    child = fork();
    if (child == 0) {
        /* A child of the writer is not the writer. */
        steals(slot);
        CHECK(slot_rw_acquire_write(slot, 5) == SLOT_ACQUIRE_LOCKED);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(slot_rw_commit(slot) == SLOT_ACQUIRE_OK);
    CHECK(slot_rw_release_write(slot) == SLOT_ACQUIRE_OK);
}

/* Two writers and three readers: no read is torn, and a generation never goes back. */
static void traffic(SlotRWState *slot) {
    volatile uint64_t *payload = (volatile uint64_t *)((char *)slot + 64);
    pid_t children[5];
    for (int number = 0; number < 5; number++) {
        children[number] = fork();
        if (children[number] != 0) continue;
        if (number < 2) {
            for (unsigned commit = 0; commit < COMMITS / 2; commit++) {
                CHECK(slot_rw_acquire_write(slot, -1) == SLOT_ACQUIRE_OK);
                uint64_t next = payload[0] + 1;
                for (int word = 0; word < 8; word++) payload[word] = next;
                CHECK(slot_rw_commit(slot) == SLOT_ACQUIRE_OK);
                CHECK(slot_rw_release_write(slot) == SLOT_ACQUIRE_OK);
            }
            _exit(0);
        }
        for (uint64_t last = 0, value = 0; value < COMMITS;) {
            uint64_t generation;
            SlotAcquireResult result = slot_rw_acquire_read(slot, (uint32_t)number, &generation);
            CHECK(result == SLOT_ACQUIRE_OK || result == SLOT_ACQUIRE_NOT_READY);
            if (result != SLOT_ACQUIRE_OK) continue;
            value = payload[0];
            for (int word = 1; word < 8; word++) CHECK(payload[word] == value);
            CHECK(generation == value && generation >= last);
            CHECK(slot_rw_validate_read(slot, generation));
            last = generation;
            CHECK(slot_rw_release_read(slot, (uint32_t)number) == SLOT_ACQUIRE_OK);
            usleep(1);
        }
        _exit(0);
    }
    for (int number = 0; number < 5; number++) {
        int status;
        CHECK(waitpid(children[number], &status, 0) == children[number] && status == 0);
    }
}

int main(void) {
    SlotRWState *slot = shared_slot();
    alarm(120);
    arguments(slot);
    order(slot);
    owners(slot);
    CHECK(slot_rw_init(slot) == SLOT_ACQUIRE_OK);
    traffic(slot);
    for (int result = -1; result <= 6; result++) CHECK(strlen(slot_acquire_result_string(result)) > 3);
    printf("slots: every result as it should be\n");
    return 0;
}
