//! The files of a folder, and whether a text names a word.

use std::{collections::BTreeMap, path::Path};

/// The files with this ending by their names, with their texts. A folder that cannot be read has none.
pub(super) fn named(folder: &Path, ending: &str) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let wanted = entries.filter(|path| path.extension().is_some_and(|end| end == ending));
    let text = |path: &Path| {
        let name = path.file_name()?.to_str()?.to_owned();
        Some((name, std::fs::read_to_string(path).ok()?))
    };
    wanted.filter_map(|path| text(&path)).collect()
}

/// Whether the word stands there as a word: `hang` is not in `change`.
pub(super) fn names(text: &str, word: &str) -> bool {
    let inside = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    text.match_indices(word)
        .any(|(at, _)| !inside(text[..at].chars().next_back()) && !inside(text[at + word.len()..].chars().next()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_no_part_of_one() {
        assert!(names("mode \"hang\"", "hang") && names("hang", "hang"));
        assert!(!names("change", "hang") && !names("hangs", "hang") && !names("un_hang", "hang"));
    }
}
