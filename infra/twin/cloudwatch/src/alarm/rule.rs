//! Rules of composite alarms: `ALARM("a") AND (NOT OK("b") OR TRUE)`.
//!
//! Source: "PutCompositeAlarm" (CloudWatch API Reference). NOT binds tighter than AND, AND tighter than OR; the words are taken
//! in any case. Errors name the position, counted in characters from 1.

use super::State;

/// Most alarms in one rule.
const MOST_ALARMS: usize = 100;
/// Levels of parentheses and NOT; each costs stack.
const MOST_LEVELS: usize = 64;
/// Longest rule, in characters.
const MOST_CHARACTERS: usize = 10_240;

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Constant(bool),
    /// Whether the alarm (by name or ARN) is in the state.
    Is(State, String),
    Not(Box<Rule>),
    And(Box<Rule>, Box<Rule>),
    Or(Box<Rule>, Box<Rule>),
}

impl Rule {
    /// Whether the rule holds; `state` is asked for each alarm.
    pub(crate) fn holds(&self, state: &impl Fn(&str) -> Option<State>) -> bool {
        match self {
            Self::Constant(truth) => *truth,
            Self::Is(wanted, alarm) => state(alarm) == Some(*wanted),
            Self::Not(inner) => !inner.holds(state),
            Self::And(left, right) => left.holds(state) && right.holds(state),
            Self::Or(left, right) => left.holds(state) || right.holds(state),
        }
    }

    /// The names of all alarms in the rule, each once, in its order.
    pub(crate) fn alarms(&self) -> Vec<&str> {
        let mut alarms = Vec::new();
        self.gather(&mut alarms);
        alarms
    }

    fn gather<'a>(&'a self, alarms: &mut Vec<&'a str>) {
        match self {
            Self::Constant(_) => {}
            Self::Is(_, alarm) => {
                let name = alarm_name(alarm);
                if !alarms.contains(&name) {
                    alarms.push(name);
                }
            }
            Self::Not(inner) => inner.gather(alarms),
            Self::And(left, right) | Self::Or(left, right) => {
                left.gather(alarms);
                right.gather(alarms);
            }
        }
    }
}

/// The name in an alarm's ARN, or the name itself.
pub(crate) fn alarm_name(name_or_arn: &str) -> &str {
    if !name_or_arn.starts_with("arn:") {
        return name_or_arn;
    }
    name_or_arn.split_once(":alarm:").map_or(name_or_arn, |(_, name)| name)
}

/// Reads a rule; the error is for a person.
pub(crate) fn parse(text: &str) -> Result<Rule, String> {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() > MOST_CHARACTERS {
        return Err(format!("the rule is longer than {MOST_CHARACTERS} characters"));
    }
    let mut parser = Parser { characters, at: 0, levels: 0 };
    let rule = parser.or()?;
    parser.skip_space();
    if parser.at < parser.characters.len() {
        return Err(parser.unexpected("AND, OR or the end"));
    }
    if rule.alarms().len() > MOST_ALARMS {
        return Err(format!("the rule names more than {MOST_ALARMS} alarms"));
    }
    Ok(rule)
}

struct Parser {
    characters: Vec<char>,
    at: usize,
    levels: usize,
}

impl Parser {
    fn skip_space(&mut self) {
        while self.characters.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
    }

    fn unexpected(&self, wanted: &str) -> String {
        let found = self.characters.get(self.at).map_or_else(|| "the end".to_owned(), |c| format!("'{c}'"));
        format!("expected {wanted}, found {found} at position {}", self.at + 1)
    }

    /// The next word in capitals, without taking it.
    fn word(&mut self) -> String {
        self.skip_space();
        let letters = self.characters[self.at..].iter().take_while(|c| c.is_ascii_alphabetic() || **c == '_');
        letters.map(char::to_ascii_uppercase).collect()
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = self.word() == word;
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn accept(&mut self, wanted: char) -> bool {
        self.skip_space();
        let found = self.characters.get(self.at) == Some(&wanted);
        self.at += usize::from(found);
        found
    }

    fn or(&mut self) -> Result<Rule, String> {
        let mut left = self.and()?;
        while self.accept_word("OR") {
            left = Rule::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Rule, String> {
        let mut left = self.not()?;
        while self.accept_word("AND") {
            left = Rule::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Rule, String> {
        self.levels += 1;
        if self.levels > MOST_LEVELS {
            return Err(format!("more than {MOST_LEVELS} levels at position {}", self.at + 1));
        }
        let rule =
            if self.accept_word("NOT") { self.not().map(|inner| Rule::Not(Box::new(inner))) } else { self.primary() };
        self.levels -= 1;
        rule
    }

    fn primary(&mut self) -> Result<Rule, String> {
        if self.accept('(') {
            let inner = self.or()?;
            return if self.accept(')') { Ok(inner) } else { Err(self.unexpected("')'")) };
        }
        let word = self.word();
        let rule = match word.as_str() {
            "TRUE" => Rule::Constant(true),
            "FALSE" => Rule::Constant(false),
            name => {
                let state = State::named(name)
                    .ok_or_else(|| self.unexpected("ALARM(…), OK(…), INSUFFICIENT_DATA(…), TRUE, FALSE, NOT or '('"))?;
                self.at += word.len();
                return self.argument().map(|alarm| Rule::Is(state, alarm));
            }
        };
        self.at += word.len();
        Ok(rule)
    }

    /// `("name")`; quotes may be single or, around a name without blanks and parentheses, absent.
    fn argument(&mut self) -> Result<String, String> {
        if !self.accept('(') {
            return Err(self.unexpected("'('"));
        }
        self.skip_space();
        let quote = self.characters.get(self.at).copied().filter(|c| matches!(c, '"' | '\''));
        self.at += usize::from(quote.is_some());
        let ends = |c: char| quote.map_or(c == ')' || c == '(' || c.is_whitespace(), |quote| c == quote);
        let mut name = String::new();
        while let Some(&c) = self.characters.get(self.at).filter(|c| !ends(**c)) {
            // A quote inside of a name is escaped.
            let escaped = self.characters.get(self.at + 1).copied().filter(|_| c == '\\' && quote.is_some());
            self.at += 1 + usize::from(escaped.is_some());
            name.push(escaped.unwrap_or(c));
        }
        if let Some(quote) = quote
            && !self.accept(quote)
        {
            return Err(self.unexpected("the end of the quoted name"));
        }
        if name.is_empty() {
            return Err(self.unexpected("an alarm's name"));
        }
        if self.accept(')') { Ok(name) } else { Err(self.unexpected("')'")) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holds(rule: &str) -> bool {
        let states = |name: &str| match alarm_name(name) {
            "a" => Some(State::Alarm),
            "o" => Some(State::Ok),
            "i" => Some(State::InsufficientData),
            _ => None,
        };
        parse(rule).unwrap_or_else(|error| panic!("{rule}: {error}")).holds(&states)
    }

    #[test]
    fn rules_hold_by_the_states_of_their_alarms() {
        for rule in [
            "TRUE",
            "NOT FALSE",
            "ALARM(a)",
            "ALARM(\"a\") AND OK('o')",
            "ALARM(arn:aws:cloudwatch:us-east-1:1:alarm:a)",
            "FALSE AND FALSE OR TRUE",
            "TRUE OR FALSE AND FALSE",
            "NOT ALARM(o) AND INSUFFICIENT_DATA(i)",
            "(ALARM(a) OR ALARM(o)) AND NOT (OK(a) OR OK(i))",
            "not alarm ( \"o\" )",
        ] {
            assert!(holds(rule), "{rule}");
        }
        for rule in ["FALSE", "ALARM(gone)", "OK(a)", "NOT TRUE OR ALARM(\"o\")", "ALARM(\"a\\\"b\")"] {
            assert!(!holds(rule), "{rule}");
        }
        assert_eq!(parse("ALARM(b) OR OK(a) AND NOT ALARM(b)").expect("a rule").alarms(), ["b", "a"]);
    }

    #[test]
    fn errors_name_the_position() {
        for (rule, expected) in [
            (
                "",
                "expected ALARM(…), OK(…), INSUFFICIENT_DATA(…), TRUE, FALSE, NOT or '(', found the end at position 1",
            ),
            ("ALARM(a) ALARM(b)", "expected AND, OR or the end, found 'A' at position 10"),
            ("ALARM a", "expected '(', found 'a' at position 7"),
            ("ALARM()", "expected an alarm's name, found ')' at position 7"),
            ("(TRUE", "expected ')', found the end at position 6"),
            ("ALARM(\"a)", "expected the end of the quoted name, found the end at position 10"),
        ] {
            assert_eq!(parse(rule), Err(expected.to_owned()), "{rule}");
        }
        assert!(parse(&"NOT ".repeat(3000)).is_err_and(|error| error.contains("longer")));
        assert!(parse(&"(".repeat(3000)).is_err_and(|error| error.contains("levels")));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(rule in "(ALARM|OK|NOT |AND |OR |TRUE|\\(|\\)|\"|\\\\|a| |é){0,30}") {
            if let Ok(rule) = parse(&rule) {
                rule.holds(&|_| None);
            }
        }

        #[test]
        fn any_text_is_a_rule_or_an_error(rule in ".{0,100}") {
            let _ = parse(&rule);
        }
    }
}
