//! The steps.

use clap::ValueEnum;

use xtask::workspace::{self, cargo, run};

use crate::{
    drill,
    need::{postgres, python},
};

/// One step of the whole test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    /// Install what the tests need.
    Tools,
    /// Formatting.
    Fmt,
    /// Lints, warnings denied.
    Clippy,
    /// Documentation, warnings denied.
    Doc,
    /// Unit, router and whole-lab tests.
    Test,
    /// Every game day on autopilot.
    Drill,
    /// Spelling, when `typos` is installed.
    Typos,
    /// Vulnerabilities and licences, when `cargo-deny` is installed.
    Deny,
}

/// How a step ended well.
pub(crate) enum Outcome {
    Passed,
    /// Not run, and why.
    Skipped(&'static str),
}

impl Step {
    pub(crate) const ALL: [Self; 8] =
        [Self::Tools, Self::Fmt, Self::Clippy, Self::Doc, Self::Test, Self::Drill, Self::Typos, Self::Deny];

    /// The word for `--only`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Fmt => "fmt",
            Self::Clippy => "clippy",
            Self::Test => "test",
            Self::Drill => "drill",
            Self::Doc => "doc",
            Self::Typos => "typos",
            Self::Deny => "deny",
        }
    }

    /// What is run, for the heading.
    pub(crate) const fn what(self) -> &'static str {
        match self {
            Self::Tools => "virtual environment, aws CLI",
            Self::Fmt => "cargo fmt --all --check",
            Self::Clippy => "cargo clippy --workspace --all-targets -- -D warnings",
            Self::Test => "PostgreSQL, then cargo test --workspace",
            Self::Drill => "cargo xtask drill: every game day on autopilot against a fresh lab",
            Self::Doc => "cargo doc --workspace --no-deps, warnings denied",
            Self::Typos => "typos",
            Self::Deny => "cargo deny check",
        }
    }

    /// What to do when it fails.
    pub(crate) const fn mend(self) -> &'static str {
        match self {
            Self::Tools => "the line above says what to install",
            Self::Fmt => "run `cargo fmt --all`",
            Self::Clippy => "mend the lint above, or allow it there with a reason",
            Self::Test => "run the failed test alone: cargo test -p <crate> <name>",
            Self::Drill => "play the failed one alone: cargo xtask drill --keep --only <scenario>",
            Self::Doc => "mend the documentation link above",
            Self::Typos => "run `typos --config .typos.toml --write-changes`, or teach .typos.toml the word",
            Self::Deny => "raise the dependency (`cargo update -p <crate>`), or decide in .deny.toml",
        }
    }

    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::Tools => {
                python::obtain()?;
            }
            Self::Fmt => run(&mut cargo(&["fmt", "--all", "--check"]))?,
            Self::Clippy => run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?,
            Self::Test => {
                // Here too, so that `--only test` works on a fresh machine.
                let environment = python::obtain()?;
                // The whole-lab tests start the binaries of every room, which `cargo test` builds only for a package's own.
                run(&mut cargo(&["build", "--workspace", "--bins"]))?;
                let mut test = cargo(&["test", "--workspace"]);
                test.env("LAB_PYTHON", environment.python).env("LAB_AWS", environment.aws);
                run(test.env("LAB_PG_BIN", postgres::obtain()?))?;
            }
            Self::Drill => {
                // The runbooks are aws CLI commands.
                python::obtain()?;
                drill::drill(&drill::Arguments::all())?;
            }
            Self::Doc => {
                run(cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))?;
            }
            Self::Typos if !workspace::has("typos") => {
                return Ok(Outcome::Skipped("typos is not installed (cargo install typos-cli)"));
            }
            Self::Typos => {
                let mut typos = std::process::Command::new("typos");
                run(typos.args(["--config", ".typos.toml"]).current_dir(workspace::path("")))?;
            }
            Self::Deny if !workspace::has("cargo-deny") => {
                return Ok(Outcome::Skipped("cargo-deny is not installed (cargo install cargo-deny)"));
            }
            Self::Deny => run(&mut cargo(&["deny", "check", "--config", ".deny.toml"]))?,
        }
        Ok(Outcome::Passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_run_under_the_word_that_only_takes() {
        let taken: Vec<String> = Step::value_variants()
            .iter()
            .filter_map(|step| Some(step.to_possible_value()?.get_name().to_owned()))
            .collect();
        assert_eq!(taken, Step::ALL.map(Step::name));
    }
}
