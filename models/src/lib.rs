//! Memory engines and scenarios that check the shipped protocol.
//!
//! The protocol's source is generic over `datahub::memory::Memory`. Here it runs unchanged over
//! simulated memories: [`engine`] holds loom, shuttle and our own explorer, [`scenario`] what they
//! run, [`published`] the protocol with its flaws, [`litmus`] what the engines themselves must see.
//! [`catalogue`] names every model, [`request`] runs one, [`gate()`] all of them, [`replay()`] one execution.
//! What the models are worth is asked too: [`mutant`] weakens orderings, [`plant`](mod@plant) plants
//! defects, [`crash`] kills, [`second`] asks the other engines, [`table`] compares the sites with what
//! was met, [`agree`] engine with engine; [`bounds`] says where engines stop, and [`whole`] counts what
//! came back.

#![forbid(unsafe_code)]

#[cfg(not(any(feature = "explore", feature = "loom", feature = "shuttle")))]
compile_error!("without an engine nothing can be checked: enable explore, loom or shuttle");

pub mod agree;
pub mod bounds;
pub mod catalogue;
pub mod context;
pub mod crash;
pub mod engine;
pub mod gate;
pub mod litmus;
pub mod memory;
pub mod mutant;
pub mod plant;
pub mod published;
pub mod replay;
pub mod request;
pub mod scenario;
pub mod second;
pub mod sites;
pub mod stop;
pub mod table;
pub mod trace;
pub mod violation;
pub mod whole;
pub mod worker;

pub use engine::Engine;
pub use gate::{Found, Options, gate};
pub use replay::replay;
pub use request::{Request, plan, run};
pub use stop::Stop;
pub use worker::{run_in_process_of, run_unless};
