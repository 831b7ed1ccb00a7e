use std::time::Duration;

use contract::failure::ModeName;
use proptest::prelude::*;

use super::*;
use crate::Severity;

const GOOD: &str = r#"---
id: slow-database
modes: [slow_query]
alarms: [golden-latency-p95]
severity: medium
budget: 15m
---
# Slow database

## Symptom
It is slow.

## Confirm
The statement is active
for long:

```sh confirm
# expect: at least 1
# within: 30s
echo 2
```

```text
not a step
```

## Mitigate
1. End the statement. The client sees SQLSTATE 57014.

   ```sh mitigate
   # expect: empty
   true
   ```

## Verify
It is fast:

```sh verify
# expect: equals "200"
cat $QUERIES/a-b.cwli; echo "$(cat "$QUERIES/c.cwli")" $QUERIES/a-b.cwli
```

## Cause and long-term fix
An index:

```sh
psql -c 'CREATE INDEX …'
```

## Undo
Nothing is to be undone.
"#;

fn read(text: &str) -> Result<Runbook, String> {
    Runbook::parse(Path::new("slow-database.md"), text).map_err(|flaws| flaws.to_string())
}

#[test]
fn a_runbook_is_read() {
    let runbook = read(GOOD).expect("sound");
    assert_eq!((runbook.title.as_str(), runbook.severity), ("Slow database", Severity::Medium));
    assert_eq!(
        (runbook.modes.as_slice(), runbook.budget),
        ([ModeName::SlowQuery].as_slice(), Duration::from_secs(900))
    );
    let steps: Vec<_> = runbook.steps.iter().map(|step| (step.kind, step.line, step.purpose.as_str())).collect();
    assert_eq!(
        steps,
        [
            (Kind::Confirm, 18, "The statement is active for long"),
            (Kind::Mitigate, 31, "End the statement"),
            (Kind::Verify, 39, "It is fast"),
        ]
    );
    assert_eq!(runbook.steps[1].script, "# expect: empty\ntrue\n");
    assert_eq!(runbook.queries(), ["a-b.cwli", "c.cwli"]);
    assert_eq!(runbook.steps[2].line, 1 + GOOD[..GOOD.find("# expect: equals").expect("there")].matches('\n').count());
}

#[test]
fn every_flaw_is_told_with_its_line() {
    for (from, to, wanted) in [
        ("id: slow-database", "id: fast-database", "slow-database.md:2: the id `fast-database` is not the file's name"),
        ("[slow_query]", "[slow_queries]", "slow-database.md:3: "),
        ("severity: medium", "severity: mild", "slow-database.md:5: "),
        ("budget: 15m", "budget: soon", "slow-database.md:6: "),
        ("budget: 15m", "budget: 15m\ncolour: red", "slow-database.md:7: "),
        ("budget: 15m\n", "", "slow-database.md:"),
        ("---\nid", "\nid", "slow-database.md:1: the file begins with front matter"),
        ("# Slow database\n", "\n", "slow-database.md:1: a title is missing"),
        ("## Verify\n", "## Check\n", "slow-database.md:35: here comes the section `Verify`, not `Check`"),
        ("\n## Undo\nNothing is to be undone.\n", "\n", "the section `Undo` is missing"),
        ("```sh confirm", "```sh verify", "slow-database.md:17: a block of this section begins with ```sh confirm"),
        ("```sh confirm", "```sh", "slow-database.md:17: a block of this section begins with ```sh confirm"),
        ("```sh confirm", "```bash confirm", "slow-database.md:17: a block of this section begins with ```sh confirm"),
        ("```sh\npsql", "```sh verify\npsql", "is an example: ```sh"),
        ("# expect: at least 1\n", "", "slow-database.md:18: this confirm block does not say what it expects"),
        ("# within: 30s", "# within: soon", "slow-database.md:19: `soon` is no duration"),
        ("The statement is active\nfor long:\n", "\n", "a sentence before the block says what it is for"),
        ("```sh verify\n# expect: equals \"200\"", "```text", "no block ```sh verify is there"),
    ] {
        assert_eq!(GOOD.matches(from).count(), 1, "{from} is there once");
        let error = read(&GOOD.replace(from, to)).expect_err(to);
        assert!(error.contains(wanted), "{to}: {error}");
    }
}

#[test]
fn all_flaws_are_told_at_once() {
    let error = read(&GOOD.replace("budget: 15m", "budget: soon").replace("30s", "soon")).expect_err("two flaws");
    assert_eq!(error.lines().filter(|line| line.starts_with("slow-database.md:")).count(), 2, "{error}");
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>()) {
        let _ = read(&text);
    }

    #[test]
    fn no_change_makes_the_reader_panic(at in 0..GOOD.len(), length in 0..80usize, put in "[-#`:\n /\"a-z]{0,12}") {
        let floor = |mut at: usize| { while !GOOD.is_char_boundary(at) { at -= 1; } at };
        let (from, to) = (floor(at), floor((at + length).min(GOOD.len())));
        let _ = read(&format!("{}{put}{}", &GOOD[..from], &GOOD[to..]));
    }
}
