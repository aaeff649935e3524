/* frames write NAME COUNT: publishes COUNT frames. frames read NAME: shows what arrives. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datahub.h"

static int fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, datablock_last_error());
    return EXIT_FAILURE;
}

static int write_frames(const char *name, unsigned long count) {
    DataBlockConfig config;
    DataBlockProducer *producer;
    DataBlockWriteSlot slot;

    datablock_config_init(&config, sizeof config);
    config.consumer_sync = DATABLOCK_SEQUENTIAL_SYNC;
    config.capacity = 64;
    config.payload_bytes = 64;
    if (datablock_producer_create(name, &config, &producer) != DATABLOCK_OK) return fail("create");

    printf("press Enter when the readers are there\n");
    fflush(stdout);
    getchar();
    while (count-- > 0) {
        if (datablock_acquire_write_slot(producer, 1000, &slot) != DATABLOCK_OK) return fail("acquire");
        int bytes = snprintf(slot.payload, slot.payload_bytes, "frame %llu",
                             (unsigned long long)slot.sequence);
        if (datablock_commit(producer, (uint64_t)bytes) != DATABLOCK_OK) return fail("commit");
    }
    datablock_producer_destroy(producer);
    return EXIT_SUCCESS;
}

static int read_frames(const char *name) {
    DataBlockConsumer *consumer;
    DataBlockReadSlot slot;
    DataBlockStatus status;

    if (datablock_consumer_attach(name, DATABLOCK_JOIN_OLDEST, &consumer) != DATABLOCK_OK)
        return fail("attach");
    while ((status = datablock_acquire_consume_slot(consumer, -1, &slot)) == DATABLOCK_OK) {
        printf("%.*s\n", (int)slot.payload_bytes, (const char *)slot.payload);
        datablock_release_consume_slot(consumer);
    }
    datablock_consumer_detach(consumer);
    return status == DATABLOCK_ENDED ? EXIT_SUCCESS : fail("read");
}

int main(int count, char **words) {
    if (count == 4 && strcmp(words[1], "write") == 0)
        return write_frames(words[2], strtoul(words[3], NULL, 10));
    if (count == 3 && strcmp(words[1], "read") == 0) return read_frames(words[2]);
    fprintf(stderr, "usage: frames write NAME COUNT | frames read NAME\n");
    return EXIT_FAILURE;
}
