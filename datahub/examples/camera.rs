//! A camera and a viewer in one program: frames are written in place, and the viewer always sees
//! the newest one, whole.
//!
//! Run with `cargo run --example camera`.

use std::error::Error;
use std::io::Write;
use std::thread;
use std::time::Duration;

use datahub::{
    BlockConfig, BlockName, Consumer, ConsumerSync, JoinAt, Producer, ReadError, Timeout,
    WaitStrategy,
};

const FRAME_BYTES: u64 = 640 * 480;
const FRAMES: u8 = 50;

fn view(mut viewer: Consumer) -> Result<(u64, u64), ReadError> {
    viewer.set_wait(WaitStrategy::Yield);
    let (mut seen, mut newest) = (0, 0);
    loop {
        match viewer.acquire_consume_slot(Timeout::After(Duration::from_secs(1))) {
            Ok(frame) => {
                let first = frame.first().copied();
                assert!(frame.iter().all(|&pixel| Some(pixel) == first), "a torn frame");
                (seen, newest) = (seen + 1, frame.sequence());
            }
            Err(ReadError::Ended) => return Ok((seen, newest)),
            Err(error) => return Err(error),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let name = BlockName::new("example-camera")?;
    let config = BlockConfig::new(ConsumerSync::LatestOnly, 1, FRAME_BYTES)?;
    let mut camera = Producer::create(&name, config)?;
    let viewer = Consumer::attach(&name, JoinAt::Latest)?;
    let viewer = thread::spawn(move || view(viewer));

    for pixel in 0..FRAMES {
        let mut frame = camera.acquire_write_slot(Timeout::After(Duration::from_secs(1)))?;
        frame.payload().fill(pixel);
        let bytes = frame.payload().len();
        frame.commit(bytes)?;
    }
    drop(camera);

    let (seen, newest) = viewer.join().map_err(|_| "the viewer panicked")??;
    writeln!(std::io::stdout(), "{FRAMES} frames made, {seen} seen, the newest was {newest}")?;
    Ok(())
}
