//! `cargo xtask test`: everything a change must pass, in order, until the first failure.

mod step;

use anyhow::bail;

pub(crate) use step::Step;

/// Runs the steps, all of them or those named.
///
/// # Errors
/// At the first step that fails, with its name and what mends it.
pub(crate) fn run(only: &[Step]) -> anyhow::Result<()> {
    let wanted = |step: &Step| only.is_empty() || only.contains(step);
    let start = std::time::Instant::now();
    let mut done = Vec::new();
    for step in Step::ALL.into_iter().filter(wanted) {
        eprintln!("\n==== {}: {}", step.name(), step.what());
        match step.run() {
            Ok(step::Outcome::Passed) => done.push(step.name().to_owned()),
            Ok(step::Outcome::Skipped(why)) => {
                eprintln!("skipped: {why}");
                done.push(format!("{} (skipped)", step.name()));
            }
            Err(error) => {
                bail!(
                    "step `{}` failed: {error:#}\nhint: {}; again: cargo xtask test --only {}",
                    step.name(),
                    step.mend(),
                    step.name()
                )
            }
        }
    }
    eprintln!("\npassed in {} s: {}", start.elapsed().as_secs(), done.join(", "));
    Ok(())
}
