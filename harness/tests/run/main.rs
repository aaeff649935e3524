//! Real runs of the program: processes, signals, files, exit codes.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

mod break_off;
mod cluster;
mod compare;
mod crash;
mod events;
mod faults;
mod foreign;
mod history;
mod interrupt;
mod kill;
mod killed;
mod outputs;
mod own_ring;
mod peers;
mod plants;
mod reading;
mod search;
mod sinks;
mod soak;
mod support;
mod transports;
mod visits;
mod whole;
mod zones;
