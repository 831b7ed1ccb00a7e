//! Follows a runbook: its blocks in order, up to the first that is not as expected.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::{Kind, Runbook, Shell, Step};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// What became of a runbook.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The runbook.
    pub id: String,
    /// Whether every block that was asked for is as it expects.
    pub passed: bool,
    /// The blocks that were asked for, in order.
    pub steps: Vec<StepReport>,
}

/// What became of one block.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// What it is for.
    pub kind: Kind,
    /// File and line.
    pub place: String,
    /// The sentence that introduces it.
    pub purpose: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it is not as expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How often it was run.
    pub runs: u32,
    /// Time that it took, in milliseconds.
    pub elapsed_ms: u64,
    /// Standard output of the last run.
    pub output: String,
}

/// How a block ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As expected.
    Passed,
    /// Not as expected.
    Failed,
    /// A block before it was not as expected.
    NotRun,
}

/// What is going on, for who watches.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A block begins.
    Begins(&'a Step),
    /// A block has ended.
    Ended(&'a StepReport),
}

/// Runs the blocks of these kinds. The first that is not as expected ends it, so that nothing is mitigated that was not
/// confirmed. Cancel by dropping the future: the running block ends with it.
pub async fn check(runbook: &Runbook, kinds: &[Kind], shell: &Shell, mut watch: impl FnMut(Event<'_>)) -> Report {
    let mut steps = Vec::new();
    let mut passed = true;
    for step in runbook.steps.iter().filter(|step| kinds.contains(&step.kind)) {
        let report = if passed {
            watch(Event::Begins(step));
            run(runbook, step, shell).await
        } else {
            StepReport { outcome: Outcome::NotRun, ..StepReport::of(runbook, step) }
        };
        watch(Event::Ended(&report));
        passed &= report.outcome == Outcome::Passed;
        steps.push(report);
    }
    Report { id: runbook.id.clone(), passed, steps }
}

async fn run(runbook: &Runbook, step: &Step, shell: &Shell) -> StepReport {
    let start = Instant::now();
    let (patience, limit) = (shell.patience(step.kind, &step.expectation), shell.limit(&step.expectation));
    let mut report = StepReport::of(runbook, step);
    loop {
        report.runs += 1;
        let result = shell.run(&step.script, limit).await;
        let judged = result.and_then(|output| {
            let judged = step.expectation.judge(&output);
            report.output = output.stdout;
            judged
        });
        report.elapsed_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        match judged {
            Ok(()) => return StepReport { outcome: Outcome::Passed, reason: None, ..report },
            Err(reason) if start.elapsed() >= patience => {
                let waited =
                    if patience.is_zero() { String::new() } else { format!("not within {} s: ", patience.as_secs()) };
                return StepReport { outcome: Outcome::Failed, reason: Some(waited + &reason), ..report };
            }
            Err(_) => tokio::time::sleep(LOOK).await,
        }
    }
}

impl StepReport {
    fn of(runbook: &Runbook, step: &Step) -> Self {
        Self {
            kind: step.kind,
            place: format!("{}:{}", runbook.path.display(), step.line),
            purpose: step.purpose.clone(),
            outcome: Outcome::NotRun,
            reason: None,
            runs: 0,
            elapsed_ms: 0,
            output: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn runbook(confirm: &str, verify: &str) -> Runbook {
        let text = format!(
            "---\nid: a\nmodes: []\nalarms: []\nseverity: low\nbudget: 1m\n---\n# A\n## Symptom\n## Confirm\nIt is so.\n\n\
             ```sh confirm\n{confirm}\n```\n## Mitigate\nMend it.\n\n```sh mitigate\n# expect: empty\necho x >> $FILE\n```\n## \
             Verify\nIt is well.\n\n```sh verify\n{verify}\n```\n## Cause and long-term fix\n## Undo\nTake it back.\n\n```sh \
             undo\n# expect: empty\nrm $FILE\n```\n"
        );
        Runbook::parse(Path::new("a.md"), &text).unwrap_or_else(|flaws| panic!("{flaws}"))
    }

    fn shell(folder: &Path) -> Shell {
        let path = std::env::var("PATH").expect("a path");
        Shell::new([("PATH".to_owned(), path), ("FILE".into(), folder.join("file").to_string_lossy().into_owned())])
    }

    const ALL: [Kind; 3] = [Kind::Confirm, Kind::Mitigate, Kind::Verify];

    #[tokio::test]
    async fn blocks_run_in_order_and_are_reported() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let runbook =
            runbook("# expect: contains \"no\"\nls $FILE 2>/dev/null || echo no", "# expect: equals \"x\"\ncat $FILE");
        let mut seen = Vec::new();
        let report = check(&runbook, &ALL, &shell(folder.path()), |event| {
            if let Event::Begins(step) = event {
                seen.push(step.kind);
            }
        })
        .await;
        assert!(report.passed && seen == ALL, "{report:?}");
        let json = serde_json::to_value(&report).expect("JSON");
        assert_eq!(json["steps"][2]["place"], "a.md:28");
        assert_eq!((&json["steps"][2]["outcome"], &json["steps"][2]["output"]), (&"passed".into(), &"x\n".into()));
        let report = check(&runbook, &[Kind::Undo], &shell(folder.path()), |_| {}).await;
        assert!(report.passed && report.steps.len() == 1 && !folder.path().join("file").exists(), "{report:?}");
    }

    #[tokio::test]
    async fn what_is_not_confirmed_is_not_mitigated() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let report =
            check(&runbook("# expect: empty\necho x", "# expect: empty"), &ALL, &shell(folder.path()), |_| {}).await;
        let outcomes: Vec<Outcome> = report.steps.iter().map(|step| step.outcome).collect();
        assert_eq!(outcomes, [Outcome::Failed, Outcome::NotRun, Outcome::NotRun]);
        assert!(!report.passed && !folder.path().join("file").exists(), "{report:?}");
    }

    #[tokio::test]
    async fn a_block_that_only_looks_is_asked_again_and_a_mitigation_is_not() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let verify = "# expect: at least 3\n# within: 60s\necho y >> $FILE; wc -l < $FILE";
        let report = check(&runbook("# expect: empty", verify), &ALL, &shell(folder.path()), |_| {}).await;
        assert_eq!(report.steps.iter().map(|step| step.runs).collect::<Vec<_>>(), [1, 1, 2], "{report:?}");
        let once = shell(folder.path()).once(true);
        std::fs::remove_file(folder.path().join("file")).expect("it was there");
        let report = check(&runbook("# expect: empty", verify), &[Kind::Verify], &once, |_| {}).await;
        assert!(!report.passed && report.steps[0].runs == 1, "{report:?}");
    }
}
