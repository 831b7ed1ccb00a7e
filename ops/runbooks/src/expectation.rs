//! What a block expects, as it says itself, and whether it is so.

use std::{fmt, time::Duration};

use regex::bytes::{Regex, RegexBuilder};

use crate::Output;

/// Characters of an output that a reason quotes.
const QUOTED: usize = 600;

/// One line `# expect: …`.
#[derive(Clone, Debug)]
pub enum Condition {
    /// `exit 0`: the exit code. Without such a line it must be 0.
    Exit(i32),
    /// `contains "text"`.
    Contains(String),
    /// `lacks "text"`.
    Lacks(String),
    /// `equals "text"`: the whole output, without the white space around it.
    Equals(String),
    /// `matches /regex/`; `^` and `$` are the ends of a line.
    Matches(Regex),
    /// `empty`: nothing but white space.
    Empty,
    /// `at least 2`: the output is a number, not smaller than this.
    AtLeast(f64),
    /// `at most 0.4`: the output is a number, not larger than this.
    AtMost(f64),
}

impl Condition {
    /// Reads what stands behind `# expect:`.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (word, rest) = text.split_once(' ').map_or((text, ""), |(word, rest)| (word, rest.trim()));
        match (word, rest) {
            ("empty", "") => Ok(Self::Empty),
            ("exit", code) => {
                code.parse().map(Self::Exit).map_err(|_| format!("`{code}` is no exit code; write `exit 0`"))
            }
            ("contains", text) => quoted(text).map(Self::Contains),
            ("lacks", text) => quoted(text).map(Self::Lacks),
            ("equals", text) => quoted(text).map(Self::Equals),
            ("matches", pattern) => regular(pattern).map(Self::Matches),
            ("at", bound) => match bound.split_once(' ') {
                Some(("least", number)) => finite(number).map(Self::AtLeast),
                Some(("most", number)) => finite(number).map(Self::AtMost),
                _ => Err("write `at least 2` or `at most 0.4`".to_owned()),
            },
            _ => Err(format!(
                "`{text}` is no expectation; write contains \"…\", lacks \"…\", equals \"…\", matches /…/, empty, at least N, at \
                 most N or exit N"
            )),
        }
    }

    /// Whether it is so.
    fn holds(&self, output: &Output) -> bool {
        let text = output.stdout.trim();
        match self {
            Self::Exit(code) => output.exit == Some(*code),
            Self::Contains(part) => text.contains(part),
            Self::Lacks(part) => !text.contains(part),
            Self::Equals(whole) => text == whole,
            Self::Matches(pattern) => pattern.is_match(output.stdout.as_bytes()),
            Self::Empty => text.is_empty(),
            Self::AtLeast(bound) => text.parse::<f64>().is_ok_and(|number| number >= *bound),
            Self::AtMost(bound) => text.parse::<f64>().is_ok_and(|number| number <= *bound),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "exit {code}"),
            Self::Contains(text) => write!(f, "contains \"{text}\""),
            Self::Lacks(text) => write!(f, "lacks \"{text}\""),
            Self::Equals(text) => write!(f, "equals \"{text}\""),
            Self::Matches(pattern) => write!(f, "matches /{pattern}/"),
            Self::Empty => f.write_str("empty"),
            Self::AtLeast(bound) => write!(f, "at least {bound}"),
            Self::AtMost(bound) => write!(f, "at most {bound}"),
        }
    }
}

/// All conditions of a block, and the time that they may take to come true.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// Never empty; all of them must hold.
    pub conditions: Vec<Condition>,
    /// `# within: 2m`, as time in AWS.
    pub within: Option<Duration>,
}

impl Expectation {
    /// Whether the output of one run is as expected.
    ///
    /// # Errors
    /// The condition that does not hold, and what was there instead.
    pub fn judge(&self, output: &Output) -> Result<(), String> {
        let exit_is_named = self.conditions.iter().any(|condition| matches!(condition, Condition::Exit(_)));
        if !exit_is_named && output.exit != Some(0) {
            let code = output.exit.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
            return Err(format!("it ended with {code}: {}", quote(output)));
        }
        match self.conditions.iter().find(|condition| !condition.holds(output)) {
            None => Ok(()),
            Some(condition) => Err(format!("expected `{condition}`, the output was: {}", quote(output))),
        }
    }
}

/// The end of what was said: on stdout, or where that is empty, on stderr.
fn quote(output: &Output) -> String {
    let text = [output.stdout.trim(), output.stderr.trim()].into_iter().find(|text| !text.is_empty());
    let text = text.unwrap_or("(nothing)");
    let begin = text.char_indices().rev().nth(QUOTED).map_or(0, |(at, _)| at);
    if begin == 0 { text.to_owned() } else { format!("…{}", &text[begin..]) }
}

fn quoted(text: &str) -> Result<String, String> {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).filter(|inner| !inner.is_empty());
    inner.map(str::to_owned).ok_or_else(|| format!("`{text}` is no text in double quotes"))
}

fn regular(text: &str) -> Result<Regex, String> {
    let inner = text.strip_prefix('/').and_then(|text| text.strip_suffix('/')).filter(|inner| !inner.is_empty());
    let inner = inner.ok_or_else(|| format!("`{text}` is no regular expression between slashes"))?;
    let built = RegexBuilder::new(inner).unicode(false).multi_line(true).build();
    built.map_err(|error| format!("`{inner}` is no regular expression: {error}"))
}

fn finite(text: &str) -> Result<f64, String> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| format!("`{text}` is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(stdout: &str, exit: i32) -> Output {
        Output { stdout: stdout.into(), stderr: String::new(), exit: Some(exit) }
    }

    #[test]
    fn conditions_hold_and_do_not() {
        for (condition, good, bad) in [
            ("contains \"503\"", "a 503 b", "a 200 b"),
            ("lacks \"503\"", "200", "503"),
            ("equals \"2 healthy\"", " 2 healthy\n", "12 healthy"),
            ("matches /^5[0-9]+$/", "200\n503\n", "200 503"),
            ("empty", " \n", "x"),
            ("at least 2", "2\n", "1.9"),
            ("at most 0.4", "0.4", "0.41"),
            ("at least 0", "0", "None"),
        ] {
            let expectation =
                Expectation { conditions: vec![Condition::parse(condition).expect(condition)], within: None };
            assert_eq!(expectation.judge(&output(good, 0)), Ok(()), "{condition}");
            assert!(expectation.judge(&output(bad, 0)).is_err(), "{condition}");
            assert!(expectation.judge(&output(good, 1)).is_err(), "{condition}: the exit code counts too");
            assert_eq!(expectation.conditions[0].to_string(), condition);
        }
        let exits = Expectation { conditions: vec![Condition::Exit(3)], within: None };
        assert_eq!(exits.judge(&output("", 3)), Ok(()));
        assert!(exits.judge(&output("", 0)).is_err());
    }

    #[test]
    fn what_is_no_condition_is_refused_with_what_to_write() {
        for text in
            ["", "contains", "contains x", "contains \"\"", "matches /(/", "at 3", "at least x", "exit", "empty x"]
        {
            assert!(Condition::parse(text).is_err(), "{text}");
        }
        let error = Condition::parse("includes \"x\"").expect_err("no such word");
        assert!(error.contains("write contains"), "{error}");
    }

    #[test]
    fn a_reason_says_what_was_there_and_stays_short() {
        let expectation = Expectation { conditions: vec![Condition::Contains("x".into())], within: None };
        let reason = expectation.judge(&output(&"ä".repeat(5000), 0)).expect_err("no x");
        assert!(reason.starts_with("expected `contains \"x\"`") && reason.chars().count() < 700, "{reason}");
        let silent = Output { stdout: String::new(), stderr: "no such host\n".into(), exit: Some(7) };
        assert_eq!(expectation.judge(&silent), Err("it ended with exit code 7: no such host".to_owned()));
    }
}
