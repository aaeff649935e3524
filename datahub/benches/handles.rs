//! What one message costs inside one process: the instructions of the handles, with every line in
//! the nearest cache. Says nothing about latency between processes; `harness run` measures that.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use datahub::config::{BlockConfig, ChecksumAlgorithm, ChecksumPolicy, ConsumerSync};
use datahub::consumer::Consumer;
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;
use datahub::wait::Timeout;

fn pair(config: BlockConfig) -> Option<(Producer, Consumer)> {
    let producer = Producer::create_unnamed(&Folder::default(), config).ok()?;
    let consumer = Consumer::attach(Place::File(producer.path()), JoinAt::Oldest).ok()?;
    Some((producer, consumer))
}

/// One message written and read; its label, so that nothing is optimised away.
fn pass(producer: &mut Producer, consumer: &mut Consumer, bytes: usize) -> Option<u64> {
    let mut slot = producer.acquire_write_slot(Timeout::Now).ok()?;
    let sequence = slot.sequence();
    slot.payload()[..8].copy_from_slice(&sequence.to_le_bytes());
    slot.commit(bytes).ok()?;
    Some(consumer.acquire_consume_slot(Timeout::Now).ok()?.sequence())
}

fn handles(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("one message, one process");
    for (name, sync) in
        [("sequential", ConsumerSync::Sequential), ("latest-only", ConsumerSync::LatestOnly)]
    {
        let Some((mut producer, mut consumer)) = BlockConfig::new(sync, 64, 8).ok().and_then(pair)
        else {
            continue;
        };
        group.bench_function(name, |bencher| {
            bencher.iter(|| pass(&mut producer, &mut consumer, 8));
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("enforced checksum, both sides");
    for algorithm in
        [ChecksumAlgorithm::Xxh3, ChecksumAlgorithm::Crc32c, ChecksumAlgorithm::Blake2b]
    {
        let config = BlockConfig::new(ConsumerSync::Sequential, 8, 4096)
            .map(|config| config.checksum(algorithm, ChecksumPolicy::Enforced));
        let Some((mut producer, mut consumer)) = config.ok().and_then(pair) else { continue };
        group.throughput(Throughput::Bytes(4096));
        group.bench_function(format!("{algorithm:?}, 4 KiB"), |bencher| {
            bencher.iter(|| pass(&mut producer, &mut consumer, 4096));
        });
    }
    group.finish();
}

criterion_group!(benches, handles);
criterion_main!(benches);
