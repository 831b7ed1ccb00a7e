//! The words by which a person calls this program: every command that is printed repeats those that were used.

use std::{path::Path, sync::OnceLock};

static WITH_STATE_DIR: OnceLock<String> = OnceLock::new();

/// From now on the name has the flag in it, so that a printed command means the same lab in another terminal and folder.
pub(super) fn repeat_state_dir(state_dir: &Path) {
    // A process reads its command line once.
    let _ = WITH_STATE_DIR.set(format!("{} --state-dir {}", program(), quoted(&state_dir.to_string_lossy())));
}

/// How a person calls this program, with the flags that say which lab is meant.
pub(crate) fn own_name() -> &'static str {
    WITH_STATE_DIR.get().map_or_else(program, String::as_str)
}

/// The name alone.
pub(crate) fn program() -> &'static str {
    if std::env::var_os("CARGO").is_some() { "cargo lab" } else { "breakfix" }
}

/// One word for a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+:@%,".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_the_directory_as_one_word() {
        for word in ["/tmp/lab", "", "/tmp/my lab", "/tmp/it's", "/tmp/$HOME"] {
            let script = format!("printf '%s|' {}", quoted(word));
            let output = std::process::Command::new("sh").arg("-c").arg(&script).output().expect("sh runs");
            assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{word}|"), "{script}");
        }
        assert_eq!(quoted("/tmp/lab-1"), "/tmp/lab-1", "what needs no quotes has none");
    }
}
