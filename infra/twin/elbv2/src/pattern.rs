//! Wildcards of listener rules: `*` is any run of characters, `?` exactly one (Application Load Balancer user guide,
//! "Listener rules").

/// A pattern, compiled to what comparing needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    text: String,
    ignore_case: bool,
}

impl Pattern {
    /// Case matters: paths.
    pub(crate) fn exact(text: &str) -> Self {
        Self { text: text.to_owned(), ignore_case: false }
    }

    /// Case does not matter: hosts, header values, query strings.
    pub(crate) fn ignoring_case(text: &str) -> Self {
        Self { text: text.to_owned(), ignore_case: true }
    }

    /// As the caller wrote it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether `value` as a whole fits. Takes at most `pattern × value` steps and no recursion, so a hostile request cannot
    /// make it expensive.
    pub(crate) fn matches(&self, value: &[u8]) -> bool {
        let pattern = self.text.as_bytes();
        let same = |a: u8, b: u8| if self.ignore_case { a.eq_ignore_ascii_case(&b) } else { a == b };
        let (mut at, mut read) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        while read < value.len() {
            match pattern.get(at) {
                Some(b'*') => {
                    star = Some((at, read));
                    at += 1;
                }
                Some(&wanted) if wanted == b'?' || same(wanted, value[read]) => {
                    at += 1;
                    read += 1;
                }
                _ => {
                    // Let the last star take one character more, or give up when there was none.
                    let Some((star_at, taken)) = star else { return false };
                    star = Some((star_at, taken + 1));
                    at = star_at + 1;
                    read = taken + 1;
                }
            }
        }
        pattern[at..].iter().all(|left| *left == b'*')
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, value, fits) in [
            ("/img/*", "/img/", true),
            ("/img/*", "/img", false),
            ("*", "", true),
            ("/a?c", "/abc", true),
            ("/a?c", "/ac", false),
            ("/*/x/*", "/1/2/x/3", true),
            ("*.example.com", "a.EXAMPLE.com", false),
        ] {
            assert_eq!(Pattern::exact(pattern).matches(value.as_bytes()), fits, "{pattern} against {value}");
        }
        assert!(Pattern::ignoring_case("*.example.com").matches(b"a.EXAMPLE.com"));
    }

    /// The definition, slow and recursive, to compare with.
    fn by_definition(pattern: &[u8], value: &[u8]) -> bool {
        match (pattern.split_first(), value.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => {
                by_definition(rest, value) || value.split_first().is_some_and(|(_, tail)| by_definition(pattern, tail))
            }
            (Some((wanted, rest)), Some((got, tail))) => {
                (*wanted == b'?' || wanted == got) && by_definition(rest, tail)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn any_pattern_agrees_with_the_definition(pattern in "[ab*?]{0,8}", value in "[ab]{0,10}") {
            prop_assert_eq!(Pattern::exact(&pattern).matches(value.as_bytes()), by_definition(pattern.as_bytes(), value.as_bytes()));
        }

        #[test]
        fn nothing_panics(pattern in "\\PC{0,40}", value in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Pattern::exact(&pattern).matches(&value);
            let _ = Pattern::ignoring_case(&pattern).matches(&value);
        }
    }
}
