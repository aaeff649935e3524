/* One end of a stream whose every payload is a keyed function of its sequence.
 *
 * stream write COUNT: makes a block, prints its path, waits for a line, publishes COUNT payloads.
 * stream read PATH: attaches, prints "ready", checks every payload until the end, prints how many. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datahub.h"

#define WORDS_MAX 64

static uint64_t keyed(uint64_t sequence, uint64_t word) {
    uint64_t z = (sequence * WORDS_MAX + word + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t words_of(uint64_t sequence) { return 1 + sequence % WORDS_MAX; }

static void expect(int fact, const char *what) {
    if (fact) return;
    fprintf(stderr, "%s: %s\n", what, datablock_last_error());
    exit(EXIT_FAILURE);
}

static void say(const char *word) {
    printf("%s\n", word);
    fflush(stdout);
}

static void write_stream(uint64_t count) {
    DataBlockConfig config;
    DataBlockProducer *producer;
    char path[64];

    expect(datablock_config_init(&config, sizeof config) == DATABLOCK_OK, "config");
    config.consumer_sync = DATABLOCK_SEQUENTIAL_SYNC;
    config.capacity = 16;
    config.payload_bytes = WORDS_MAX * sizeof(uint64_t);
    config.checksum_policy = DATABLOCK_CHECKSUM_ENFORCED;
    config.parking = 1;
    expect(datablock_producer_create_unnamed(&config, &producer) == DATABLOCK_OK, "create");
    expect(datablock_producer_set_wait(producer, DATABLOCK_WAIT_YIELD) == DATABLOCK_OK, "wait");
    expect(datablock_producer_path(producer, path, sizeof path) == DATABLOCK_OK, "path");
    say(path);
    expect(getchar() != EOF, "go");
    for (uint64_t sequence = 0; sequence < count; sequence++) {
        DataBlockWriteSlot slot;
        uint64_t words = words_of(sequence);
        expect(datablock_acquire_write_slot(producer, 20000, &slot) == DATABLOCK_OK, "acquire");
        expect(slot.sequence == sequence, "the label of a slot to write");
        expect(slot.payload_bytes == config.payload_bytes, "room");
        for (uint64_t word = 0; word < words; word++) {
            uint64_t value = keyed(sequence, word);
            memcpy((char *)slot.payload + word * sizeof value, &value, sizeof value);
        }
        expect(datablock_commit(producer, words * sizeof(uint64_t)) == DATABLOCK_OK, "commit");
    }
    expect(datablock_producer_destroy(producer) == DATABLOCK_OK, "destroy");
    say("done");
}

static void read_stream(const char *path) {
    DataBlockConsumer *consumer;
    DataBlockReadSlot slot;
    DataBlockStatus status;
    uint64_t count = 0;

    status = datablock_consumer_attach(path, DATABLOCK_JOIN_OLDEST, &consumer);
    expect(status == DATABLOCK_OK, "attach");
    expect(datablock_consumer_set_wait(consumer, DATABLOCK_WAIT_PARK) == DATABLOCK_OK, "wait");
    say("ready");
    while ((status = datablock_acquire_consume_slot(consumer, 20000, &slot)) == DATABLOCK_OK) {
        expect(slot.sequence == count, "order");
        expect(slot.payload_bytes == words_of(count) * sizeof(uint64_t), "length");
        for (uint64_t word = 0; word < words_of(count); word++) {
            uint64_t value;
            memcpy(&value, (const char *)slot.payload + word * sizeof value, sizeof value);
            expect(value == keyed(count, word), "payload");
        }
        expect(datablock_validate_slot(consumer) == DATABLOCK_OK, "validate");
        expect(datablock_release_consume_slot(consumer) == DATABLOCK_OK, "release");
        count++;
    }
    expect(status == DATABLOCK_ENDED, "the end of the stream");
    expect(datablock_consumer_detach(consumer) == DATABLOCK_OK, "detach");
    printf("read %llu\n", (unsigned long long)count);
}

int main(int count, char **words) {
    alarm(120);
    if (count == 3 && strcmp(words[1], "write") == 0) write_stream(strtoull(words[2], NULL, 10));
    else if (count == 3 && strcmp(words[1], "read") == 0) read_stream(words[2]);
    else return EXIT_FAILURE;
    return EXIT_SUCCESS;
}
