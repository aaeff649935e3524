/* The layout, once more, in numbers of its own; and the bytes of a real block. */
#define _DEFAULT_SOURCE

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

#define SAME(name, number) typedef char same_##name[(DATABLOCK_##name) == (number) ? 1 : -1]

SAME(HEADER_BYTES, 4096);
SAME(OFFSET_ZONES, 1024);
SAME(OFFSET_SLOT_SCHEMA_TEXT, 2048);
SAME(OFFSET_PRODUCER, 4096);
SAME(OFFSET_ACK, 4160);
SAME(OFFSET_REGISTRY, 4224);
SAME(OFFSET_DATA_PARK, 4288);
SAME(OFFSET_SPACE_PARK, 4352);
SAME(OFFSET_PRODUCER_HEARTBEAT, 4416);
SAME(OFFSET_METRICS, 4480);
SAME(OFFSET_METRICS_BASELINE, 4736);
SAME(OFFSET_ARRIVALS, 4992);
SAME(OFFSET_HEARTBEATS, 5120);
SAME(OFFSET_CURSORS, 7168);
SAME(SLOT_STATE_BYTES, 64);
SAME(HEARTBEAT_BYTES, 64);
SAME(METRICS_BYTES, 256);
SAME(CURSOR_BYTES, 128);
SAME(CHECKSUM_RECORD_BYTES, 64);

static void read_at(int file, uint64_t offset, void *bytes, size_t count) {
    CHECK(pread(file, bytes, count, (off_t)offset) == (ssize_t)count);
}

int main(void) {
    DataBlockConfig config;
    DataBlockProducer *producer;
    DataBlockWriteSlot slot;
    DataBlockHeader header;
    DataBlockHeartbeat heartbeat;
    DataBlockCounters counters;
    uint64_t commit_index;
    char path[64];
    int file;

    CHECK(datablock_config_init(&config, sizeof config) == DATABLOCK_OK);
    config.consumer_sync = DATABLOCK_SEQUENTIAL;
    config.on_full = DATABLOCK_ON_FULL_ERROR;
    config.checksum_algorithm = DATABLOCK_CRC32C;
    config.capacity = 5;
    config.max_consumers = 3;
    config.payload_bytes = 77;
    config.parking = 1;
    CHECK(datablock_producer_create_unnamed(&config, &producer) == DATABLOCK_OK);
    CHECK(datablock_producer_path(producer, path, sizeof path) == DATABLOCK_OK);
    for (int commit = 0; commit < 2; commit++) {
        CHECK(datablock_acquire_write_slot(producer, 0, &slot) == DATABLOCK_OK);
        CHECK(datablock_commit(producer, 70) == DATABLOCK_OK);
    }
    file = open(path, O_RDONLY);
    CHECK(file >= 0);
    read_at(file, 0, &header, sizeof header);
    CHECK(memcmp(&header.magic, "DATAHUB1", 8) == 0);
    CHECK(header.version == DATABLOCK_LAYOUT_VERSION && header.byte_order == 0x01020304);
    CHECK(header.total_bytes == (uint64_t)lseek(file, 0, SEEK_END));
    CHECK(header.capacity == 5 && header.physical_slots == 6 && header.max_consumers == 3);
    CHECK(header.payload_bytes == 77 && header.first_sequence == 0 && header.parking == 1);
    CHECK(header.consumer_sync == DATABLOCK_SEQUENTIAL && header.on_full == DATABLOCK_ON_FULL_ERROR);
    CHECK(memcmp(header.stream, header.nonce, 16) == 0 && header.evict_after_ns == 0);
    CHECK(header.predecessor_device == 0 && header.predecessor_file == 0);
    CHECK(header.zone_count == 0 && header.slot_schema_text_bytes == 0);
    CHECK(header.checksum_algorithm == DATABLOCK_CRC32C);
    CHECK(header.checksum_policy == DATABLOCK_CHECKSUM_MANUAL);
    read_at(file, DATABLOCK_OFFSET_PRODUCER, &commit_index, sizeof commit_index);
    CHECK(commit_index == 2);
    read_at(file, DATABLOCK_OFFSET_METRICS, &counters, sizeof counters);
    CHECK(counters.total_slots_written == 2 && counters.total_bytes_written == 140);
    read_at(file, DATABLOCK_OFFSET_PRODUCER_HEARTBEAT, &heartbeat, sizeof heartbeat);
    CHECK(heartbeat.process == (uint64_t)getpid() && (heartbeat.word & 3) == 2);
    CHECK(heartbeat.last_heartbeat_ns >= heartbeat.since_ns && heartbeat.since_ns > 0);
    CHECK(close(file) == 0);
    CHECK(datablock_producer_destroy(producer) == DATABLOCK_OK);
    printf("layout: every number as it should be\n");
    return 0;
}
