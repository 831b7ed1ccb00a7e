//! The truth of a scenario, and how much of it a diagnosis says.

use schemars::JsonSchema;
use serde::Deserialize;

/// What is broken, and why.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// The part that is broken.
    pub component: Answer,
    /// What is wrong with it.
    pub cause: Answer,
}

/// Something that can be said in several ways.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The best way to say it.
    pub is: String,
    /// Words or phrases that say it as well. In a phrase the words may stand apart, in any order.
    #[serde(default)]
    pub or: Vec<String>,
}

impl Truth {
    /// Both in a sentence.
    pub fn sentence(&self) -> String {
        format!("{}: {}", self.component.is, self.cause.is)
    }
}

impl Answer {
    /// Whether the text says it: all words of one of the ways are in it.
    pub fn is_said_in(&self, text: &str) -> bool {
        let said = words(text);
        std::iter::once(&self.is).chain(&self.or).any(|way| {
            let wanted = words(way);
            !wanted.is_empty() && wanted.iter().all(|word| said.iter().any(|other| alike(word, other)))
        })
    }
}

/// Whether the text says a phrase.
pub(crate) fn says(text: &str, phrase: &str) -> bool {
    Answer { is: phrase.to_owned(), or: Vec::new() }.is_said_in(text)
}

fn words(text: &str) -> Vec<String> {
    /// Words that say nothing by themselves.
    const FILLERS: [&str; 18] = [
        "a", "an", "and", "are", "at", "by", "for", "in", "is", "of", "on", "the", "to", "with", "was", "were", "it",
        "its",
    ];
    text.to_lowercase()
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty() && !FILLERS.contains(word))
        .map(str::to_owned)
        .collect()
}

/// The same word, another form of it (`rotated`, `rotation`), or a slip of the keyboard in a long one.
fn alike(wanted: &str, said: &str) -> bool {
    const STEM: usize = 5;
    let stem = |word: &str| word.chars().take(STEM).collect::<String>();
    let long = wanted.chars().count() > STEM && said.chars().count() > STEM;
    wanted == said
        || wanted.strip_suffix('s') == Some(said)
        || said.strip_suffix('s') == Some(wanted)
        || (long && (stem(wanted) == stem(said) || strsim::damerau_levenshtein(wanted, said) <= 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_known_in_other_words() {
        let cause = Answer {
            is: "the password was rotated".into(),
            or: vec!["stale credentials".into(), "old password".into()],
        };
        for text in
            ["Password rotation broke it", "credentials are STALE", "tasks use an old password", "pasword rotated"]
        {
            assert!(cause.is_said_in(text), "{text}");
        }
        for text in ["", "the database is slow", "password", "rotated logs"] {
            assert!(!cause.is_said_in(text), "{text}");
        }
    }
}
