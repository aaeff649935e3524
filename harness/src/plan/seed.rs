//! One seed for each trial, from the scenario's one.

/// A seed that depends on the base, the cell's id and the repeat, and on nothing else: a filter
/// or another order of cells leaves it as it is.
pub(super) fn derive(base: u64, cell: &str, repeat: u32) -> u64 {
    let mut hash = mix(base);
    for byte in cell.bytes() {
        hash = mix(hash ^ u64::from(byte));
    }
    mix(hash ^ (u64::from(repeat) << 8))
}

/// A bijection of 64 bits in which each bit of the input moves half of the output's.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}
