//! Lines for a POSIX shell that enter the lab, and those that leave it and give back what was there before.
//!
//! Values that the shell already has are moved by the shell itself, so that no key of an account is ever printed.

use std::collections::BTreeMap;

use crate::lab::DUMMY_KEY;

/// Where a value waits until the lab is left.
const KEPT: &str = "BREAKFIX_OLD_";
/// Variables that would send a command past the lab, to an account in AWS or to nowhere.
const ASTRAY: [&str; 5] = [
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
];
/// With the name of a service behind it, it beats the endpoint of all services.
const ENDPOINT_OF_A_SERVICE: &str = "AWS_ENDPOINT_URL_";

/// Whether a variable would send a command past the lab.
pub(super) fn leads_astray(name: &str) -> bool {
    ASTRAY.contains(&name) || name.starts_with(ENDPOINT_OF_A_SERVICE)
}

/// The shell's variables.
pub(super) struct Shell(BTreeMap<String, String>);

impl Shell {
    pub(super) fn of_this_process() -> Self {
        // A name that is no plain word cannot stand in a line for a shell.
        let plain = |name: &str| name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok().filter(|name| plain(name))?, value.to_string_lossy().into_owned()))
        });
        Self(variables.collect())
    }

    /// The value of a variable that is set and not empty.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Sets these, and takes out what would lead astray; both are kept for [`Self::leave`].
    pub(super) fn enter(&self, pairs: &[(&str, String)]) -> Vec<String> {
        let astray = self.0.keys().filter(|name| leads_astray(name));
        let mut lines = Vec::new();
        for name in astray {
            lines.extend(self.keep(name));
            lines.push(format!("unset {name}"));
        }
        // What an earlier lab set is worth nothing outside it.
        let in_a_lab = self.value("AWS_ACCESS_KEY_ID") == Some(DUMMY_KEY);
        for (name, value) in pairs {
            if !in_a_lab {
                lines.extend(self.keep(name));
            }
            lines.push(export(name, value));
        }
        lines
    }

    /// Takes these out, and gives back what was kept.
    pub(super) fn leave(&self, names: &[&str]) -> Vec<String> {
        let kept: Vec<&str> = self.0.keys().filter_map(|name| name.strip_prefix(KEPT)).collect();
        let gone = names.iter().filter(|name| !kept.contains(*name)).map(|name| format!("unset {name}"));
        let back = kept.iter().map(|name| format!("export {name}=\"${KEPT}{name}\"; unset {KEPT}{name}"));
        gone.chain(back).collect()
    }

    fn keep(&self, name: &str) -> Option<String> {
        let kept = format!("{KEPT}{name}");
        (self.value(name).is_some() && !self.0.contains_key(&kept)).then(|| format!("export {kept}=\"${name}\""))
    }
}

/// One line for a POSIX shell; single quotes keep everything but themselves.
pub(super) fn export(name: &str, value: &str) -> String {
    format!("export {name}='{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_any_value() {
        for value in ["", "plain", "two words", "it's", "$HOME `id` \"x\" \\ !", "a\nb", "'"] {
            let script = format!("{}\nprintf %s \"$V\"", export("V", value));
            let output = std::process::Command::new("sh").arg("-c").arg(&script).output().expect("sh runs");
            assert_eq!(String::from_utf8_lossy(&output.stdout), value, "{script}");
        }
    }

    /// Runs lines in a shell with just these variables, and reads the variables back.
    fn run(shell: &Shell, lines: &[String]) -> Shell {
        let script = format!("{}\nenv", lines.join("\n"));
        let mut command = std::process::Command::new("sh");
        command.arg("-c").arg(&script).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let output = command.envs(&shell.0).output().expect("sh runs");
        let text = String::from_utf8_lossy(&output.stdout);
        let ours = |name: &str| name.starts_with("AWS_") || name.starts_with(KEPT) || name == "CLUSTER";
        let pairs = text.lines().filter_map(|line| line.split_once('=')).filter(|(name, _)| ours(name));
        Shell(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    #[test]
    fn who_leaves_has_back_what_was_there() {
        let before = Shell(
            [
                ("AWS_PROFILE", "it's mine"),
                ("AWS_ACCESS_KEY_ID", "AKIA"),
                ("AWS_SECRET_ACCESS_KEY", "secret"),
                ("AWS_ENDPOINT_URL_SSM", "https://ssm.us-west-2.amazonaws.com"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        );
        let pairs = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "CLUSTER"].map(|name| (name, DUMMY_KEY.to_owned()));
        let lines = before.enter(&pairs);
        assert!(!lines.iter().any(|line| line.contains("AKIA") || line.contains("='secret")), "{lines:?}");
        let inside = run(&before, &lines);
        assert_eq!(inside.value("AWS_ACCESS_KEY_ID"), Some(DUMMY_KEY));
        for gone in ["AWS_PROFILE", "AWS_ENDPOINT_URL_SSM"] {
            assert_eq!(inside.value(gone), None);
        }
        // Once more, as after `down` and `up`: the lab's own values are not taken for the person's.
        let again = run(&inside, &inside.enter(&pairs));
        assert_eq!(again.0, inside.0);
        let after = run(&again, &again.leave(&pairs.each_ref().map(|(name, _)| *name)));
        assert_eq!(after.0, before.0);
    }
}
