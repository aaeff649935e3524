//! Whether two runs were made on the same kind of machine; figures of two kinds are not compared.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use report_schema::Host;

/// What must be the same, with its name.
fn facts(host: &Host) -> [(&'static str, Option<String>); 6] {
    let cores = host.cores_online.map(|cores| cores.to_string());
    [
        ("processor", host.cpu_model.clone()),
        ("kernel", host.kernel.clone()),
        ("number of cores", cores),
        ("clock", host.clock_source.clone()),
        ("frequency governor", host.governor.clone()),
        ("hypervisor", host.virtualised.clone()),
    ]
}

/// What differs, in words; `None` when the runs can be compared.
#[must_use]
pub fn differences(base: &Host, candidate: &Host) -> Option<String> {
    let told = |fact: Option<String>| fact.unwrap_or_else(|| "unknown".to_owned());
    let differ: Vec<String> = facts(base)
        .into_iter()
        .zip(facts(candidate))
        .filter(|((_, base), (_, candidate))| base != candidate)
        .map(|((name, base), (_, candidate))| {
            format!("its {name} was {} and is {}", told(base), told(candidate))
        })
        .collect();
    (!differ.is_empty()).then(|| differ.join("; "))
}

/// A short name for all of it. Never stored: it is computed from the facts each time.
#[must_use]
pub fn fingerprint(host: &Host) -> String {
    let mut hasher = DefaultHasher::new();
    facts(host).hash(&mut hasher);
    format!("{:08x}", hasher.finish() >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_kernel_is_told_with_both_names() {
        let host = |kernel: &str| Host { kernel: Some(kernel.to_owned()), ..Host::default() };
        assert_eq!(differences(&host("A"), &host("A")), None);
        let said = differences(&host("A"), &host("B"));
        assert_eq!(said.as_deref(), Some("its kernel was A and is B"));
        assert_ne!(fingerprint(&host("A")), fingerprint(&host("B")));
    }

    #[test]
    fn another_name_of_the_same_machine_is_no_difference() {
        let host = |name: &str| Host { hostname: Some(name.to_owned()), ..Host::default() };
        assert_eq!(differences(&host("a"), &host("b")), None);
    }
}
