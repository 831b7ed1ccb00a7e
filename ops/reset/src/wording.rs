//! How numbers, identifiers and long texts read in a line for people.

/// Longer texts are cut in the line for people; the data keeps them whole.
const LONGEST_SHOWN_CHARS: usize = 160;

/// The first eight characters of an id: enough to tell two apart, as git does.
pub(crate) fn short_id(id: &str) -> &str {
    id.char_indices().nth(8).map_or(id, |(end, _)| &id[..end])
}

/// `1 task`, `2 tasks`.
pub(crate) fn tasks(count: impl Into<i64>) -> String {
    match count.into() {
        1 => "1 task".to_owned(),
        count => format!("{count} tasks"),
    }
}

/// How many run, beside how many should.
pub(crate) fn running(running: impl Into<i64>, wanted: impl Into<i64>) -> String {
    let (running, wanted) = (running.into(), wanted.into());
    let verb = if running == 1 { "runs" } else { "run" };
    if running > wanted {
        format!("{} {verb} where {wanted} should", tasks(running))
    } else {
        format!("{running} of {} {verb}", tasks(wanted))
    }
}

/// One line of bounded length, cut between two words.
pub(crate) fn shown(text: &str) -> String {
    let line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let Some((end, _)) = line.char_indices().nth(LONGEST_SHOWN_CHARS) else { return line };
    // A text without spaces is cut where it is.
    let end = line[..end].rfind(' ').filter(|space| *space > end / 2).unwrap_or(end);
    format!("{} …", line[..end].trim_end_matches([',', ';', ':']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_agree_with_their_words() {
        assert_eq!(running(1, 2), "1 of 2 tasks runs");
        assert_eq!(running(0, 1), "0 of 1 task run");
        assert_eq!(running(4, 2), "4 tasks run where 2 should");
        assert_eq!((tasks(1), tasks(0)), ("1 task".to_owned(), "0 tasks".to_owned()));
    }

    #[test]
    fn a_long_text_ends_with_a_word() {
        let long = shown(&"word, ".repeat(40));
        assert!(long.ends_with("word …") && long.chars().count() <= LONGEST_SHOWN_CHARS + 2, "{long}");
        assert_eq!(shown("a\nb"), "a b");
        assert_eq!(shown(&"é".repeat(400)).chars().count(), LONGEST_SHOWN_CHARS + 2);
    }
}
