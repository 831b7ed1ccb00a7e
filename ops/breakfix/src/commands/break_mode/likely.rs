//! What was probably meant by a word that is none.

use contract::failure::ModeName;

/// Fields that every mode takes, as the parameter's grammar has them.
const COMMON: [&str; 7] = ["percentage", "every", "tasks", "expires_at", "for_s", "seed", "blind"];
/// Below this similarity two words have nothing to do with each other.
const ALIKE: f64 = 0.8;

/// A line for each word that is unknown and near to a known one.
pub(super) fn hint(mode: &str, parameters: &[String]) -> Option<String> {
    // A whole value is told by the parser alone.
    if mode.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let Some(name) = ModeName::from_word(mode) else {
        let words = ModeName::ALL.map(ModeName::as_str);
        return nearest(mode, words.into_iter().chain(["none"])).map(|word| format!("did you mean `{word}`?"));
    };
    let mut known: Vec<&str> = name.parameters().iter().map(|parameter| parameter.name).collect();
    if name == ModeName::DependencyDown {
        known.push("targets");
    }
    let keys = parameters.iter().filter_map(|parameter| parameter.split_once('=')).map(|(key, _)| key);
    let unknown = keys.into_iter().find(|key| !known.contains(key) && !COMMON.contains(key))?;
    if let Some(word) = nearest(unknown, known.iter().copied().chain(COMMON)) {
        return Some(format!("did you mean `{word}`?"));
    }
    Some(match known.as_slice() {
        [] => format!("`{mode}` has no parameters of its own"),
        known => format!("`{mode}` takes {}", known.join(", ")),
    })
}

/// The known word that is most like this one, or that begins with it (`min` of `min_ms`).
fn nearest<'known>(word: &str, known: impl Iterator<Item = &'known str>) -> Option<&'known str> {
    let word = word.to_ascii_lowercase().replace('-', "_");
    let alike = |known: &str| {
        if word.len() >= 2 && known.starts_with(&word) { 1.0 } else { strsim::jaro_winkler(&word, known) }
    };
    let scored = known.map(|known| (alike(known), known)).filter(|(score, _)| *score >= ALIKE);
    scored.max_by(|left, right| left.0.total_cmp(&right.0)).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_nonsense_is_not() {
        let of = |mode: &str, parameters: &[&str]| {
            let parameters: Vec<String> = parameters.iter().map(|text| (*text).to_owned()).collect();
            hint(mode, &parameters)
        };
        for (mode, wanted) in [
            ("latncy", "latency"),
            ("return500", "return_500"),
            ("connection-leak", "connection_leak"),
            ("HANG", "hang"),
            ("cpu", "cpu_burn"),
            ("nnoe", "none"),
        ] {
            assert_eq!(of(mode, &[]), Some(format!("did you mean `{wanted}`?")), "{mode}");
        }
        assert_eq!(of("xyz", &[]), None);
        assert_eq!(of("latency", &["min=5"]).as_deref(), Some("did you mean `min_ms`?"));
        assert_eq!(of("latency", &["percent=5"]).as_deref(), Some("did you mean `percentage`?"));
        assert_eq!(of("latency", &["colour=red"]).as_deref(), Some("`latency` takes min_ms, max_ms"));
        assert_eq!(of("hang", &["colour=red"]).as_deref(), Some("`hang` has no parameters of its own"));
        assert_eq!(of("latency", &["min_ms=ten"]), None, "the word is right, its value is not");
    }
}
