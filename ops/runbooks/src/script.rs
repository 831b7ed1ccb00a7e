//! The text of a block: its expectation in comments, then what is run.

use crate::{Condition, Expectation, Kind};

/// Reads the comments `# expect:` and `# within:` anywhere in the block. The comments stay in the script, where a person reads
/// them.
///
/// # Errors
/// Flaws with the line in the block, from 0.
pub(crate) fn expectation(kind: Kind, script: &str) -> Result<Expectation, Vec<(usize, String)>> {
    let (mut conditions, mut within, mut flaws) = (Vec::new(), None, Vec::new());
    for (index, line) in script.lines().enumerate() {
        let Some(comment) = line.trim_start().strip_prefix('#').map(str::trim_start) else { continue };
        if let Some(text) = comment.strip_prefix("expect:") {
            match Condition::parse(text) {
                Ok(condition) => conditions.push(condition),
                Err(message) => flaws.push((index, message)),
            }
        } else if let Some(text) = comment.strip_prefix("within:") {
            match contract::duration::parse(text.trim()) {
                Ok(_) if within.is_some() => flaws.push((index, "a block has one `# within:`".to_owned())),
                Ok(duration) => within = Some(duration),
                Err(message) => flaws.push((index, message)),
            }
        }
    }
    if conditions.is_empty() && flaws.is_empty() {
        flaws.push((0, format!("this {kind} block does not say what it expects; begin it with `# expect: …`")));
    }
    if flaws.is_empty() { Ok(Expectation { conditions, within }) } else { Err(flaws) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn comments_say_what_is_expected() {
        let script = "# expect: contains \"a\"\n  # expect: lacks \"b\"\n# within: 2m\n# a remark\necho a\n";
        let expectation = expectation(Kind::Confirm, script).expect("sound");
        assert_eq!(expectation.conditions.len(), 2);
        assert_eq!(expectation.within, Some(Duration::from_secs(120)));
    }

    #[test]
    fn flaws_have_their_line() {
        let of = |script: &str| expectation(Kind::Verify, script).expect_err("flawed");
        assert_eq!(of("echo a\n")[0].0, 0);
        assert_eq!(of("echo\n# expect: maybe\n# within: soon\n").iter().map(|flaw| flaw.0).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(of("# expect: empty\n# within: 1s\n# within: 2s\n")[0].0, 2);
    }
}
