//! Comparisons that cannot go on: what was finished is kept, and who is to blame is named.

use std::fs;

use report_schema::Verdict;

use crate::support::{Place, code, harness, said};

#[test]
fn a_program_that_goes_away_is_named_and_what_was_finished_is_kept() {
    let place = Place::new("stream]", "count = 200");
    let program = place.scenario.with_file_name("vanishing");
    let real = env!("CARGO_BIN_EXE_harness");
    // It takes itself away when it has been started six times.
    let script = format!(
        "#!/bin/bash\nif [[ $1 == --version ]]; then exec {real} --version; fi\n\
         echo >>\"$0.starts\"\nif (( $(wc -l <\"$0.starts\") >= 6 )); then rm -f \"$0\"; fi\n\
         exec {real} \"$@\"\n"
    );
    fs::write(&program, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&program, mode).unwrap();
    let mut command = harness();
    command.arg("ab").arg(&place.scenario).arg("--base").arg(&program).arg("--cand").arg(real);
    command.args(["--times", "9", "--repeats", "6", "--out"]).arg(place.out());
    let output = command.output().unwrap();
    assert_eq!(code(&output), 6, "{}", said(&output));
    let told = said(&output);
    assert!(told.contains("of 9 broke off") && told.contains("vanishing"), "{told}");
    let result = place.result();
    // Either the first comparison was whole, or its trials are there.
    let turns = result.comparisons.iter().flat_map(|comparison| &comparison.cells);
    assert!(turns.map(|cell| cell.turns.len()).sum::<usize>() > 0, "{result:?}");
    assert!(!result.comparisons.is_empty() && result.verdict == Verdict::Broken);
}
