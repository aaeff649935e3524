/* datablock_*: every code provoked that a program can provoke. The rest (BUG, EXHAUSTED, CONTENDED,
 * NOT_PERMITTED) is provoked by unit tests. */
#define _DEFAULT_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static DataBlockConfig config_of(uint32_t sync, uint32_t capacity, uint32_t consumers) {
    DataBlockConfig config;
    CHECK(datablock_config_init(&config, sizeof config) == DATABLOCK_OK);
    config.consumer_sync = sync;
    config.capacity = capacity;
    config.max_consumers = consumers;
    config.payload_bytes = 100;
    return config;
}

static DataBlockProducer *producer_of(const DataBlockConfig *config, char *path) {
    DataBlockProducer *producer = NULL;
    CHECK(datablock_producer_create_unnamed(config, &producer) == DATABLOCK_OK);
    CHECK(datablock_producer_path(producer, path, 64) == DATABLOCK_OK);
    return producer;
}

static DataBlockConsumer *consumer_of(const char *path) {
    DataBlockConsumer *consumer = NULL;
    CHECK(datablock_consumer_attach(path, DATABLOCK_JOIN_OLDEST, &consumer) == DATABLOCK_OK);
    return consumer;
}

static uint64_t publish(DataBlockProducer *producer) {
    DataBlockWriteSlot slot;
    CHECK(datablock_acquire_write_slot(producer, 0, &slot) == DATABLOCK_OK);
    CHECK(slot.payload_bytes == 100);
    memset(slot.payload, (int)slot.sequence, 100);
    CHECK(datablock_commit(producer, 100) == DATABLOCK_OK);
    return slot.sequence;
}

static void plant(const char *path, uint64_t offset, const void *bytes, size_t count) {
    int file = open(path, O_RDWR);
    CHECK(file >= 0 && pwrite(file, bytes, count, (off_t)offset) == (ssize_t)count);
    CHECK(close(file) == 0);
}

static uint64_t offset_of_slots(const DataBlockConfig *config) {
    return DATABLOCK_OFFSET_CURSORS + config->max_consumers * (DATABLOCK_CURSOR_BYTES + 64u);
}

static void arguments(void) {
    DataBlockConfig config = config_of(DATABLOCK_LATEST_ONLY, 1, 1);
    /* Anything, as in a program that did not say; a failure leaves NULL. */
    DataBlockProducer *producer = (DataBlockProducer *)&config;
    DataBlockConsumer *consumer = (DataBlockConsumer *)&config;
    DataBlockMetrics metrics;
    DataBlockWriteSlot writing;
    DataBlockReadSlot reading;
    uint64_t index;
    char path[64];

    REFUSED(DATABLOCK_ERROR, datablock_config_init(NULL, sizeof config));
    REFUSED(DATABLOCK_ERROR, datablock_config_init(&config, 3));
    REFUSED(DATABLOCK_ERROR, datablock_producer_create(NULL, &config, &producer));
    CHECK(producer == NULL);
    REFUSED(DATABLOCK_ERROR, datablock_producer_create("../up", &config, &producer));
    REFUSED(DATABLOCK_ERROR, datablock_producer_create("\xff", &config, &producer));
    REFUSED(DATABLOCK_ERROR, datablock_producer_create("a", NULL, &producer));
    REFUSED(DATABLOCK_ERROR, datablock_producer_create("a", &config, NULL));
    REFUSED(DATABLOCK_ERROR, datablock_producer_create_unnamed(NULL, &producer));
    REFUSED(DATABLOCK_ERROR, datablock_consumer_attach(NULL, 0, &consumer));
    CHECK(consumer == NULL);
    REFUSED(DATABLOCK_ERROR, datablock_consumer_attach("UPPER", 0, &consumer));
    REFUSED(DATABLOCK_ERROR, datablock_consumer_attach("a", 0, NULL));
    REFUSED(DATABLOCK_ERROR, datablock_consumer_attach("a", 2, &consumer));
    config.consumer_sync = 3;
    REFUSED(DATABLOCK_ERROR, datablock_producer_create_unnamed(&config, &producer));
    CHECK(strstr(datablock_last_error(), "consumer_sync") != NULL);
    CHECK(producer == NULL && consumer == NULL);
    config.consumer_sync = DATABLOCK_LATEST_ONLY;

    REFUSED(DATABLOCK_ERROR, datablock_acquire_write_slot(NULL, 0, &writing));
    REFUSED(DATABLOCK_ERROR, datablock_commit(NULL, 0));
    REFUSED(DATABLOCK_ERROR, datablock_abort(NULL));
    REFUSED(DATABLOCK_ERROR, datablock_update_checksum_slot(NULL, 0));
    REFUSED(DATABLOCK_ERROR, datablock_producer_path(NULL, path, sizeof path));
    REFUSED(DATABLOCK_ERROR, datablock_producer_set_wait(NULL, 0));
    REFUSED(DATABLOCK_ERROR, datablock_producer_heartbeat(NULL));
    REFUSED(DATABLOCK_ERROR, datablock_acquire_consume_slot(NULL, 0, &reading));
    REFUSED(DATABLOCK_ERROR, datablock_acquire_sequence(NULL, 0, 0, &reading));
    REFUSED(DATABLOCK_ERROR, datablock_release_consume_slot(NULL));
    REFUSED(DATABLOCK_ERROR, datablock_validate_slot(NULL));
    REFUSED(DATABLOCK_ERROR, datablock_verify_checksum_slot(NULL));
    REFUSED(DATABLOCK_ERROR, datablock_consumer_set_wait(NULL, 0));
    REFUSED(DATABLOCK_ERROR, datablock_consumer_heartbeat(NULL));
    REFUSED(DATABLOCK_ERROR, datablock_producer_get_commit_index(NULL, &index));
    REFUSED(DATABLOCK_ERROR, datablock_consumer_get_commit_index(NULL, &index));
    REFUSED(DATABLOCK_ERROR, datablock_get_metrics(NULL, &metrics));
    REFUSED(DATABLOCK_ERROR, datablock_reset_metrics(NULL));
    REFUSED(DATABLOCK_ERROR, datablock_producer_get_metrics(NULL, &metrics));
    REFUSED(DATABLOCK_ERROR, datablock_producer_reset_metrics(NULL));
    REFUSED(DATABLOCK_ERROR, datablock_consumer_get_metrics(NULL, &metrics));
    REFUSED(DATABLOCK_ERROR, datablock_consumer_reset_metrics(NULL));
    CHECK(datablock_producer_destroy(NULL) == DATABLOCK_OK);
    CHECK(datablock_consumer_detach(NULL) == DATABLOCK_OK);

    producer = producer_of(&config, path);
    consumer = consumer_of(path);
    metrics.size = 8;
    REFUSED(DATABLOCK_ERROR, datablock_get_metrics(path, &metrics));
    REFUSED(DATABLOCK_ERROR, datablock_producer_path(producer, path, 5));
    REFUSED(DATABLOCK_ERROR, datablock_producer_set_wait(producer, 3));
    REFUSED(DATABLOCK_ERROR, datablock_acquire_write_slot(producer, 0, NULL));
    REFUSED(DATABLOCK_ERROR, datablock_acquire_consume_slot(consumer, 0, NULL));
    REFUSED(DATABLOCK_ERROR, datablock_producer_get_read_index(producer, NULL));
    CHECK(datablock_acquire_write_slot(producer, 0, &writing) == DATABLOCK_OK);
    REFUSED(DATABLOCK_ERROR, datablock_update_checksum_slot(producer, 101));
    REFUSED(DATABLOCK_ERROR, datablock_commit(producer, UINT64_MAX));
    REFUSED(DATABLOCK_INVALID_STATE, datablock_commit(producer, 1));
    CHECK(datablock_producer_destroy(producer) == DATABLOCK_OK);
    CHECK(datablock_consumer_detach(consumer) == DATABLOCK_OK);
}

static void order(void) {
    DataBlockConfig config = config_of(DATABLOCK_SEQUENTIAL, 2, 4);
    char path[64];
    DataBlockProducer *producer = producer_of(&config, path);
    DataBlockConsumer *consumer = consumer_of(path), *second = NULL;
    DataBlockWriteSlot writing;
    DataBlockReadSlot reading;
    uint64_t index = 9;

    REFUSED(DATABLOCK_INVALID_STATE, datablock_commit(producer, 1));
    REFUSED(DATABLOCK_INVALID_STATE, datablock_abort(producer));
    REFUSED(DATABLOCK_INVALID_STATE, datablock_release_consume_slot(consumer));
    REFUSED(DATABLOCK_INVALID_STATE, datablock_verify_checksum_slot(consumer));
    REFUSED(DATABLOCK_LOCKED, datablock_consumer_attach(path, DATABLOCK_JOIN_LATEST, &second));
    REFUSED(DATABLOCK_NOT_READY, datablock_acquire_consume_slot(consumer, 0, &reading));
    CHECK(reading.payload == NULL && reading.payload_bytes == 0);
    REFUSED(DATABLOCK_TIMEOUT, datablock_acquire_consume_slot(consumer, 5, &reading));

    CHECK(datablock_acquire_write_slot(producer, 0, &writing) == DATABLOCK_OK && writing.sequence == 0);
    REFUSED(DATABLOCK_INVALID_STATE, datablock_acquire_write_slot(producer, 0, &writing));
    REFUSED(DATABLOCK_INVALID_STATE, datablock_producer_set_wait(producer, DATABLOCK_WAIT_YIELD));
    CHECK(datablock_producer_heartbeat(producer) == DATABLOCK_OK);
    CHECK(datablock_producer_get_write_index(producer, &index) == DATABLOCK_OK && index == 0);
    CHECK(datablock_abort(producer) == DATABLOCK_OK);
    CHECK(publish(producer) == 0 && publish(producer) == 1);
    REFUSED(DATABLOCK_TIMEOUT, datablock_acquire_write_slot(producer, 0, &writing));
    REFUSED(DATABLOCK_TIMEOUT, datablock_acquire_write_slot(producer, 5, &writing));

    CHECK(datablock_acquire_sequence(consumer, 1, 0, &reading) == DATABLOCK_OK && reading.sequence == 1);
    REFUSED(DATABLOCK_INVALID_STATE, datablock_acquire_consume_slot(consumer, 0, &reading));
    REFUSED(DATABLOCK_INVALID_STATE, datablock_consumer_set_wait(consumer, DATABLOCK_WAIT_SPIN));
    CHECK(datablock_consumer_heartbeat(consumer) == DATABLOCK_OK);
    CHECK(datablock_release_consume_slot(consumer) == DATABLOCK_OK);
    CHECK(datablock_acquire_consume_slot(consumer, 0, &reading) == DATABLOCK_OK);
    CHECK(reading.sequence == 0 && reading.payload_bytes == 100);
    CHECK(datablock_release_consume_slot(consumer) == DATABLOCK_OK);
    CHECK(publish(producer) == 2);
    CHECK(datablock_consumer_get_commit_index(consumer, &index) == DATABLOCK_OK && index == 3);
    CHECK(datablock_consumer_get_read_index(consumer, &index) == DATABLOCK_OK && index <= 1);

    CHECK(datablock_producer_destroy(producer) == DATABLOCK_OK);
    for (uint64_t sequence = 1; sequence < 3; sequence++) {
        CHECK(datablock_acquire_consume_slot(consumer, 0, &reading) == DATABLOCK_OK);
        CHECK(reading.sequence == sequence && *(const char *)reading.payload == (char)sequence);
        CHECK(datablock_release_consume_slot(consumer) == DATABLOCK_OK);
    }
    REFUSED(DATABLOCK_ENDED, datablock_acquire_consume_slot(consumer, -1, &reading));
    CHECK(datablock_consumer_detach(consumer) == DATABLOCK_OK);
}

static void fullness(void) {
    DataBlockConfig config = config_of(DATABLOCK_SEQUENTIAL_SYNC, 2, 1);
    DataBlockConsumer *consumer, *second = NULL;
    DataBlockProducer *producer;
    DataBlockWriteSlot writing;
    DataBlockReadSlot reading;
    char path[64];

    config.on_full = DATABLOCK_ON_FULL_ERROR;
    producer = producer_of(&config, path);
    consumer = consumer_of(path);
    REFUSED(DATABLOCK_CONSUMERS_FULL, datablock_consumer_attach(path, 0, &second));
    publish(producer);
    publish(producer);
    REFUSED(DATABLOCK_FULL, datablock_acquire_write_slot(producer, 1000, &writing));
    CHECK(datablock_consumer_detach(consumer) == DATABLOCK_OK);
    CHECK(datablock_producer_destroy(producer) == DATABLOCK_OK);

    config.on_full = DATABLOCK_ON_FULL_OVERWRITE;
    producer = producer_of(&config, path);
    consumer = consumer_of(path);
    for (int commit = 0; commit < 10; commit++) publish(producer);
    REFUSED(DATABLOCK_LAPPED, datablock_acquire_consume_slot(consumer, 0, &reading));
    CHECK(reading.missed_slots == 8 && reading.sequence == 8);
    CHECK(datablock_acquire_consume_slot(consumer, 0, &reading) == DATABLOCK_OK);
    CHECK(reading.sequence == 8 && reading.missed_slots == 0);
    CHECK(datablock_release_consume_slot(consumer) == DATABLOCK_OK);
    REFUSED(DATABLOCK_LAPPED, datablock_acquire_sequence(consumer, 1, 0, &reading));
    CHECK(reading.sequence == 8 && reading.missed_slots == 0);
    CHECK(datablock_consumer_detach(consumer) == DATABLOCK_OK);
    CHECK(datablock_producer_destroy(producer) == DATABLOCK_OK);

    config.payload_bytes = UINT64_C(1) << 30;
    config.capacity = 65536;
    REFUSED(DATABLOCK_NO_SPACE, datablock_producer_create_unnamed(&config, &producer));
}

static void damage(void) {
    DataBlockConfig config = config_of(DATABLOCK_SEQUENTIAL, 2, 1);
    DataBlockConsumer *consumer;
    DataBlockProducer *producer;
    DataBlockReadSlot reading;
    DataBlockWriteSlot writing;
    uint64_t ring, records = offset_of_slots(&config) + 3 * DATABLOCK_SLOT_STATE_BYTES;
    const uint64_t writes = 1;
    char path[64];

    config.checksum_policy = DATABLOCK_CHECKSUM_ENFORCED;
    producer = producer_of(&config, path);
    consumer = consumer_of(path);
    publish(producer);
    publish(producer);
    ring = (records + 3 * DATABLOCK_CHECKSUM_RECORD_BYTES + 4095) / 4096 * 4096;
    plant(path, ring + 7, "x", 1);
    REFUSED(DATABLOCK_CHECKSUM, datablock_acquire_consume_slot(consumer, 0, &reading));
    CHECK(reading.sequence == 0 && reading.payload == NULL);
    CHECK(datablock_acquire_consume_slot(consumer, 0, &reading) == DATABLOCK_OK && reading.sequence == 1);
    CHECK(datablock_verify_checksum_slot(consumer) == DATABLOCK_OK);
    plant(path, ring + 128 + 7, "x", 1);
    REFUSED(DATABLOCK_CHECKSUM, datablock_verify_checksum_slot(consumer));
    CHECK(datablock_consumer_detach(consumer) == DATABLOCK_OK);

    /* The third slot has been taken ahead of time; the one after it is the first again. */
    plant(path, offset_of_slots(&config), &writes, sizeof writes);
    publish(producer);
    REFUSED(DATABLOCK_DAMAGED, datablock_acquire_write_slot(producer, 0, &writing));
    CHECK(datablock_producer_destroy(producer) == DATABLOCK_OK);
}

static void places(void) {
    DataBlockConfig config = config_of(DATABLOCK_LATEST_ONLY, 1, 1);
    DataBlockProducer *producer, *second = NULL;
    DataBlockConsumer *consumer = NULL;
    DataBlockMetrics metrics;
    char name[40], file[] = "/dev/shm/capi-XXXXXX";
    int descriptor = mkstemp(file);

    CHECK(descriptor >= 0 && write(descriptor, file, sizeof file) == (ssize_t)sizeof file);
    REFUSED(DATABLOCK_INCOMPATIBLE, datablock_consumer_attach(file, 0, &consumer));
    REFUSED(DATABLOCK_INCOMPATIBLE, datablock_get_metrics(file, &metrics));
    CHECK(close(descriptor) == 0 && unlink(file) == 0);
    REFUSED(DATABLOCK_NOT_FOUND, datablock_consumer_attach(file, 0, &consumer));
    REFUSED(DATABLOCK_NOT_FOUND, datablock_reset_metrics(file));
    REFUSED(DATABLOCK_SYSTEM, datablock_consumer_attach("/dev/shm", 0, &consumer));
    REFUSED(DATABLOCK_SYSTEM, datablock_reset_metrics("/dev/shm"));

    snprintf(name, sizeof name, "capi-test-%ld", (long)getpid());
    CHECK(datablock_producer_create(name, &config, &producer) == DATABLOCK_OK);
    REFUSED(DATABLOCK_LOCKED, datablock_producer_create(name, &config, &second));
    CHECK(strstr(datablock_last_error(), name) != NULL);
    CHECK(datablock_consumer_attach(name, DATABLOCK_JOIN_LATEST, &consumer) == DATABLOCK_OK);
    CHECK(datablock_consumer_detach(consumer) == DATABLOCK_OK);
    CHECK(datablock_producer_destroy(producer) == DATABLOCK_OK);
    REFUSED(DATABLOCK_NOT_FOUND, datablock_consumer_attach(name, 0, &consumer));
}

static void metrics(void) {
    DataBlockConfig config = config_of(DATABLOCK_SEQUENTIAL, 2, 1);
    char path[64];
    DataBlockProducer *producer = producer_of(&config, path);
    DataBlockConsumer *consumer = consumer_of(path);
    DataBlockReadSlot reading;
    DataBlockMetrics metrics, small;

    publish(producer);
    publish(producer);
    CHECK(datablock_acquire_consume_slot(consumer, 0, &reading) == DATABLOCK_OK);
    CHECK(datablock_release_consume_slot(consumer) == DATABLOCK_OK);
    CHECK(datablock_producer_heartbeat(producer) == DATABLOCK_OK);
    CHECK(datablock_consumer_heartbeat(consumer) == DATABLOCK_OK);
    memset(&metrics, 0xee, sizeof metrics);
    metrics.size = sizeof metrics;
    CHECK(datablock_get_metrics(path, &metrics) == DATABLOCK_OK);
    CHECK(metrics.slot_count == 3 && metrics.commit_index == 2);
    CHECK(metrics.counters.total_slots_written == 2 && metrics.counters.total_bytes_written == 200);
    CHECK(metrics.counters.total_slots_read == 1 && metrics.counters.total_bytes_read == 100);
    CHECK(metrics.counters.heartbeat_sent_count >= 2 && metrics.counters.last_heartbeat_ns > 0);
    CHECK(metrics.counters.evictions_count == 0 && metrics.counters.zmq_timeout_count == 0);

    memset(&small, 0xee, sizeof small);
    small.size = 16;
    CHECK(datablock_consumer_get_metrics(consumer, &small) == DATABLOCK_OK);
    CHECK(small.size == 16 && small.commit_index == 2);
    CHECK(small.counters.writer_timeout_count == UINT64_C(0xeeeeeeeeeeeeeeee));

    CHECK(datablock_reset_metrics(path) == DATABLOCK_OK);
    CHECK(datablock_producer_get_metrics(producer, &metrics) == DATABLOCK_OK);
    CHECK(metrics.counters.total_slots_written == 0 && metrics.commit_index == 2);
    publish(producer);
    CHECK(datablock_consumer_get_metrics(consumer, &metrics) == DATABLOCK_OK);
    CHECK(metrics.counters.total_slots_written == 1);
    CHECK(datablock_consumer_reset_metrics(consumer) == DATABLOCK_OK);
    CHECK(datablock_producer_reset_metrics(producer) == DATABLOCK_OK);
    CHECK(datablock_producer_destroy(producer) == DATABLOCK_OK);
    CHECK(datablock_consumer_detach(consumer) == DATABLOCK_OK);
}

/* A handle does nothing in a child, and what the child says changes nothing for the parent. */
static void forks(void) {
    DataBlockConfig config = config_of(DATABLOCK_LATEST_ONLY, 1, 1);
    char path[64];
    DataBlockProducer *producer = producer_of(&config, path);
    DataBlockConsumer *consumer = consumer_of(path);
    DataBlockWriteSlot writing;
    DataBlockReadSlot reading;
    uint64_t index;
    int status;
    pid_t child;

    CHECK(datablock_acquire_write_slot(producer, 0, &writing) == DATABLOCK_OK);
    child = fork();
    if (child == 0) {
        REFUSED(DATABLOCK_INVALID_STATE, datablock_commit(producer, 1));
        REFUSED(DATABLOCK_INVALID_STATE, datablock_acquire_consume_slot(consumer, 0, &reading));
        REFUSED(DATABLOCK_INVALID_STATE, datablock_producer_get_commit_index(producer, &index));
        REFUSED(DATABLOCK_INVALID_STATE, datablock_producer_heartbeat(producer));
        REFUSED(DATABLOCK_INVALID_STATE, datablock_consumer_detach(consumer));
        REFUSED(DATABLOCK_INVALID_STATE, datablock_producer_destroy(producer));
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(datablock_commit(producer, 1) == DATABLOCK_OK);
    CHECK(datablock_acquire_consume_slot(consumer, 0, &reading) == DATABLOCK_OK);
    /* Open slots are closed by the ends themselves. */
    CHECK(datablock_consumer_detach(consumer) == DATABLOCK_OK);
    CHECK(datablock_acquire_write_slot(producer, 0, &writing) == DATABLOCK_OK);
    CHECK(datablock_producer_destroy(producer) == DATABLOCK_OK);
}

static void death(void) {
    DataBlockConfig config = config_of(DATABLOCK_SEQUENTIAL, 2, 1);
    DataBlockConsumer *consumer;
    DataBlockReadSlot reading;
    char path[64];
    int pipes[2], status;
    pid_t child;

    CHECK(pipe(pipes) == 0);
    child = fork();
    if (child == 0) {
        publish(producer_of(&config, path));
        CHECK(write(pipes[1], path, sizeof path) == (ssize_t)sizeof path);
        alarm(60);
        for (;;) pause();
    }
    CHECK(read(pipes[0], path, sizeof path) == (ssize_t)sizeof path);
    consumer = consumer_of(path);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child);
    CHECK(datablock_acquire_consume_slot(consumer, 0, &reading) == DATABLOCK_OK);
    CHECK(datablock_release_consume_slot(consumer) == DATABLOCK_OK);
    REFUSED(DATABLOCK_PRODUCER_DEAD, datablock_acquire_consume_slot(consumer, 20000, &reading));
    CHECK(datablock_consumer_detach(consumer) == DATABLOCK_OK);
    CHECK(close(pipes[0]) == 0 && close(pipes[1]) == 0);
}

static void hand_over(void) {
    DataBlockConfig config = config_of(DATABLOCK_SEQUENTIAL, 2, 1);
    DataBlockConfig larger = config;
    DataBlockProducer *producer;
    DataBlockConsumer *consumer;
    DataBlockReadSlot slot;
    DataBlockWriteSlot room;
    uint32_t coming = 7;
    uint64_t commits;
    char path[64];

    producer = producer_of(&config, path);
    consumer = consumer_of(path);
    CHECK(publish(producer) == 0);
    CHECK(datablock_follow(consumer, 0) == DATABLOCK_INVALID_STATE);
    larger.payload_bytes = 99;
    CHECK(datablock_hand_over(producer, &larger) == DATABLOCK_ERROR);
    CHECK(strstr(datablock_last_error(), "99") != NULL);
    CHECK(datablock_hand_over(producer, NULL) == DATABLOCK_ERROR);
    larger.payload_bytes = 4000;
    CHECK(datablock_acquire_write_slot(producer, 0, &room) == DATABLOCK_OK);
    CHECK(datablock_hand_over(producer, &larger) == DATABLOCK_INVALID_STATE);
    CHECK(datablock_abort(producer) == DATABLOCK_OK);
    CHECK(datablock_hand_over(producer, &larger) == DATABLOCK_OK);
    CHECK(datablock_still_to_move(producer, &coming) == DATABLOCK_OK && coming == 1);
    CHECK(datablock_hand_over(producer, &larger) == DATABLOCK_CONTENDED);
    CHECK(datablock_follow(consumer, 0) == DATABLOCK_INVALID_STATE);
    CHECK(datablock_acquire_write_slot(producer, 0, &room) == DATABLOCK_OK);
    CHECK(room.payload_bytes == 4000 && room.sequence == 1);
    CHECK(datablock_commit(producer, 4000) == DATABLOCK_OK);

    CHECK(datablock_acquire_consume_slot(consumer, 0, &slot) == DATABLOCK_OK && slot.sequence == 0);
    CHECK(datablock_release_consume_slot(consumer) == DATABLOCK_OK);
    CHECK(datablock_acquire_consume_slot(consumer, 0, &slot) == DATABLOCK_MOVED);
    CHECK(datablock_follow(consumer, 1000) == DATABLOCK_OK);
    CHECK(datablock_acquire_consume_slot(consumer, 0, &slot) == DATABLOCK_OK && slot.sequence == 1);
    CHECK(slot.payload_bytes == 4000);
    CHECK(datablock_release_consume_slot(consumer) == DATABLOCK_OK);
    CHECK(datablock_still_to_move(producer, &coming) == DATABLOCK_OK && coming == 0);
    CHECK(datablock_consumer_get_commit_index(consumer, &commits) == DATABLOCK_OK && commits == 2);
    CHECK(datablock_consumer_detach(consumer) == DATABLOCK_OK);
    CHECK(datablock_producer_destroy(producer) == DATABLOCK_OK);
}

static void eviction(void) {
    DataBlockConfig config = config_of(DATABLOCK_SEQUENTIAL, 1, 1);
    DataBlockProducer *producer;
    DataBlockConsumer *consumer;
    DataBlockReadSlot slot;
    DataBlockWriteSlot room;
    char path[64];

    config.on_full = DATABLOCK_ON_FULL_EVICT;
    config.evict_after_us = 1000;
    producer = producer_of(&config, path);
    consumer = consumer_of(path);
    CHECK(publish(producer) == 0);
    CHECK(datablock_acquire_write_slot(producer, 20000, &room) == DATABLOCK_OK);
    CHECK(datablock_commit(producer, 100) == DATABLOCK_OK);
    CHECK(datablock_acquire_consume_slot(consumer, 0, &slot) == DATABLOCK_EVICTED);
    CHECK(slot.sequence == 0 && slot.payload == NULL);
    CHECK(datablock_consumer_detach(consumer) == DATABLOCK_OK);
    CHECK(datablock_producer_destroy(producer) == DATABLOCK_OK);
}

int main(void) {
    alarm(120);
    CHECK(datablock_last_error()[0] == 0);
    arguments();
    order();
    fullness();
    damage();
    places();
    metrics();
    forks();
    death();
    hand_over();
    eviction();
    for (int code = -1; code <= 71; code++) CHECK(strlen(datablock_error_string(code)) > 3);
    CHECK(strcmp(datablock_error_string(DATABLOCK_BUG), datablock_error_string(71)) != 0);
    printf("blocks of version %s: every code as it should be\n", datablock_version());
    return 0;
}
