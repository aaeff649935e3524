/* One role of a trial over DataHub's C API. Compiled by the harness, behind the text of datahub.h and of
 * peer.h, which does everything that is not about blocks. */

static DataBlockProducer *producer;
static DataBlockConsumer *consumer;

static enum outcome outcome_of(DataBlockStatus status) {
    switch (status) {
    case DATABLOCK_OK: return DONE;
    case DATABLOCK_TIMEOUT: return WAITED;
    case DATABLOCK_FULL: return FULL;
    case DATABLOCK_CONTENDED: return AGAIN;
    case DATABLOCK_LAPPED: return LAPPED;
    case DATABLOCK_CHECKSUM: return SPOILT;
    case DATABLOCK_ENDED: return ENDED;
    default: return FAILED;
    }
}

static const char *ring_error(void) { return datablock_last_error(); }

static DataBlockStatus make(void) {
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
    status = datablock_producer_create_unnamed(&config, &producer);
    return status == DATABLOCK_OK ? datablock_producer_set_wait(producer, (uint32_t)task.wait) : status;
}

/* Whether the users of the block see to its checksums. */
static int by_hand(void) { return task.algorithm && !task.enforced; }

static int ring_make(char *place, size_t bytes) {
    return make() == DATABLOCK_OK && datablock_producer_path(producer, place, bytes) == DATABLOCK_OK;
}

static int ring_attach(const char *place) {
    uint32_t join = task.latest ? DATABLOCK_JOIN_LATEST : DATABLOCK_JOIN_OLDEST;
    return datablock_consumer_attach(place, join, &consumer) == DATABLOCK_OK
           && datablock_consumer_set_wait(consumer, (uint32_t)task.wait) == DATABLOCK_OK;
}

static enum outcome ring_acquire(struct message *message) {
    DataBlockWriteSlot slot;
    DataBlockStatus status = datablock_acquire_write_slot(producer, (int32_t)task.block_ms, &slot);
    if (status == DATABLOCK_OK)
        message->payload = slot.payload, message->bytes = slot.payload_bytes, message->label = slot.sequence;
    return outcome_of(status);
}

static enum outcome ring_commit(int aborts) {
    DataBlockStatus stamped = DATABLOCK_OK;
    if (by_hand() && !aborts) stamped = datablock_update_checksum_slot(producer, task.payload);
    if (stamped != DATABLOCK_OK) return outcome_of(stamped);
    return outcome_of(aborts ? datablock_abort(producer) : datablock_commit(producer, task.payload));
}

static enum outcome ring_take(struct message *message) {
    DataBlockReadSlot slot = {0};
    DataBlockStatus status = datablock_acquire_consume_slot(consumer, READ_MS, &slot);
    message->payload = (unsigned char *)(uintptr_t)slot.payload;
    message->bytes = slot.payload_bytes, message->label = slot.sequence, message->missed = slot.missed_slots;
    if (status == DATABLOCK_OK && by_hand()) {
        status = datablock_verify_checksum_slot(consumer);
        /* What is not shown is not released by the caller. */
        if (status != DATABLOCK_OK) datablock_release_consume_slot(consumer);
    }
    return outcome_of(status);
}

static enum outcome ring_release(void) { return outcome_of(datablock_release_consume_slot(consumer)); }

static void ring_close(void) {
    datablock_producer_destroy(producer);
    datablock_consumer_detach(consumer);
}
