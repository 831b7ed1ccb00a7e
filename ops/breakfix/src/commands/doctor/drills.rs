//! Whether every failure mode can be practised: a scenario that injects it, a runbook that mends it, an alarm that detects it, a
//! graph that shows it, a query where the log shows it, a test. And that what names another names one that is there.
//!
//! Looks in the checkout; where there is none there is nothing to complete, and nothing is said.

mod scenarios;
mod texts;

use std::{collections::BTreeSet, path::Path};

use contract::failure::ModeName;
use runbooks::{Library, Runbook};

use self::texts::named;
use super::Finding;
use crate::{
    checkout,
    resources::{alarms, dashboards},
};

/// Status, latency and size are as ever, so only a client sees it: no alarm, no graph.
const ONLY_A_CLIENT_SEES: [ModeName; 1] = [ModeName::CorruptBody];
/// What the request log tells by a status, an error or a latency of its own kind.
const THE_LOG_SHOWS: [ModeName; 7] = [
    ModeName::Return500,
    ModeName::Latency,
    ModeName::ConnectionLeak,
    ModeName::SlowQuery,
    ModeName::LockContention,
    ModeName::StaleCredentials,
    ModeName::DependencyDown,
];

pub(super) fn all() -> Vec<Finding> {
    checkout::folder("ops/runbooks").map(|folder| of(&folder.join("../.."))).unwrap_or_default()
}

/// The findings for a checkout.
fn of(root: &Path) -> Vec<Finding> {
    let library = match Library::read(&root.join("ops/runbooks")) {
        Ok(library) => library,
        Err(flaws) => return vec![Finding::warn("runbooks", flaws.to_string(), "mend the lines that it names")],
    };
    let books: Vec<&Runbook> = library.iter().collect();
    let mut findings = vec![runbooks_of(&books), alarms_of(&books), graphs(), queries(root, &books), tests_of(root)];
    findings.extend(scenarios::check(root, &books));
    findings
}

/// One aspect: the modes that lack it, and names that lead nowhere.
fn aspect(name: &'static str, lacking: &[ModeName], astray: Vec<String>, good: String, mend: &str) -> Finding {
    let mut complaints = astray;
    if !lacking.is_empty() {
        let modes: Vec<&str> = lacking.iter().map(|mode| mode.as_str()).collect();
        complaints.insert(0, format!("none for {}", modes.join(", ")));
    }
    if complaints.is_empty() { Finding::ok(name, good) } else { Finding::warn(name, complaints.join("; "), mend) }
}

/// Modes without it.
fn lacking(exempt: &[ModeName], has: impl Fn(ModeName) -> bool) -> Vec<ModeName> {
    ModeName::ALL.into_iter().filter(|mode| !exempt.contains(mode) && !has(*mode)).collect()
}

fn runbooks_of(books: &[&Runbook]) -> Finding {
    let without = lacking(&[], |mode| books.iter().any(|book| book.modes.contains(&mode)));
    let good = format!("{}; every mode has one", books.len());
    aspect("runbooks", &without, Vec::new(), good, "write it: ops/runbooks/README.md")
}

fn alarms_of(books: &[&Runbook]) -> Finding {
    let known = alarms::known();
    let without = lacking(&ONLY_A_CLIENT_SEES, |mode| known.iter().any(|alarm| alarm.modes.contains(&mode)));
    let is_known = |name: &str| known.iter().any(|alarm| alarm.name == name);
    let astray = books.iter().flat_map(|book| {
        let unknown = book.alarms.iter().filter(|name| !is_known(name));
        unknown.map(|name| format!("{}: there is no alarm {name}", book.id))
    });
    let good = format!("{}; every mode that the platform can see raises one", known.len());
    aspect("alarms", &without, astray.collect(), good, "ops/breakfix/src/resources/alarms.rs is the table")
}

fn graphs() -> Finding {
    let (known, graphed) = (alarms::known(), dashboards::graphed());
    let shown = |metrics: &[(&str, &str)]| {
        metrics.iter().any(|(space, name)| graphed.iter().any(|(of, metric)| of == space && metric == name))
    };
    let without = lacking(&ONLY_A_CLIENT_SEES, |mode| {
        known.iter().any(|alarm| alarm.modes.contains(&mode) && shown(&alarm.metrics))
    });
    let good = "for every mode with an alarm a graph shows what it watches".to_owned();
    aspect("dashboards", &without, Vec::new(), good, "ops/breakfix/src/resources/dashboards.rs is the table")
}

fn queries(root: &Path, books: &[&Runbook]) -> Finding {
    let files: BTreeSet<String> = named(&root.join("ops/queries"), "cwli").into_keys().collect();
    let without: Vec<ModeName> = THE_LOG_SHOWS
        .into_iter()
        .filter(|mode| !books.iter().any(|book| book.modes.contains(mode) && !book.queries().is_empty()))
        .collect();
    let used: BTreeSet<String> = books.iter().flat_map(|book| book.queries()).map(str::to_owned).collect();
    let missing = used.difference(&files).map(|name| format!("a runbook uses {name}, which is not there"));
    let unused = files.difference(&used).map(|name| format!("no runbook uses {name}"));
    let good = format!("{}; each is run by a runbook, and by one of every mode that the log shows", files.len());
    aspect("queries", &without, missing.chain(unused).collect(), good, "ops/queries holds them; a block runs one")
}

fn tests_of(root: &Path) -> Finding {
    let texts = named(&root.join("tests/tests/lab"), "rs");
    let without = lacking(&[], |mode| texts.values().any(|text| texts::names(text, mode.as_str())));
    aspect("tests", &without, Vec::new(), "every mode has one".to_owned(), "tests/tests/lab holds them")
}

#[cfg(test)]
mod tests {
    use super::{super::Grade, *};

    #[test]
    fn the_labs_own_drills_are_complete() {
        let findings = of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
        let bad: Vec<&Finding> = findings.iter().filter(|finding| finding.grade != Grade::Ok).collect();
        assert!(findings.len() >= 5 && bad.is_empty(), "{bad:#?}");
    }

    #[test]
    fn what_is_missing_is_named() {
        let root = tempfile::tempdir().expect("a temporary folder");
        for folder in ["ops/runbooks", "ops/queries", "tests/tests/lab", "gamedays/scenarios"] {
            std::fs::create_dir_all(root.path().join(folder)).expect("made");
        }
        let write = |path: &str, text: &str| std::fs::write(root.path().join(path), text).expect("written");
        write("ops/queries/lonely.cwli", "# Who?\n");
        write("tests/tests/lab/a.rs", "lab.set_mode(\"hang\"); // changing");
        write("gamedays/scenarios/a.yaml", "inject:\n  - {name: a, parameter: {mode: hang}}\nrunbook: nowhere\n");
        let section = |name: &str, block: &str| format!("## {name}\nIt is so.\n\n```sh {block}\n```\n");
        let block = |kind: &str| format!("{kind}\n# expect: empty\ncat $QUERIES/gone.cwli");
        let text = format!(
            "---\nid: hang\nmodes: [hang]\nalarms: [golden-nothing]\nseverity: low\nbudget: 1m\n---\n# A\n## Symptom\n{}{}{}## Cause \
             and long-term fix\n## Undo\n",
            section("Confirm", &block("confirm")),
            section("Mitigate", &block("mitigate")),
            section("Verify", &block("verify")),
        );
        write("ops/runbooks/hang.md", &text);
        let details: Vec<(&str, String)> =
            of(root.path()).into_iter().map(|finding| (finding.name, finding.detail)).collect();
        let says = |name: &str, words: &str| {
            assert!(
                details.iter().any(|(of, detail)| *of == name && detail.contains(words)),
                "{name} {words}: {details:#?}"
            );
        };
        says("runbooks", "none for return_500, unhealthy, latency, corrupt_body");
        says("alarms", "hang: there is no alarm golden-nothing");
        says("queries", "none for return_500");
        says("queries", "a runbook uses gone.cwli, which is not there");
        says("queries", "no runbook uses lonely.cwli");
        says("tests", "none for return_500, unhealthy, latency, corrupt_body");
        says("scenarios", "none for return_500, unhealthy, latency, corrupt_body");
        says("scenarios", "a: there is no runbook nowhere");
        write("ops/runbooks/hang.md", "nothing");
        assert!(of(root.path())[0].detail.contains("hang.md:1: "));
    }
}
