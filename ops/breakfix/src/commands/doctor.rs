//! `doctor`: what the lab needs on this machine, and whether its drills are complete; each finding with the line that mends it.
//! Changes nothing.

mod cgroups;
mod checks;
mod drills;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;

use crate::{
    commands::own_name,
    lab::{Lab, StateDir},
    outages::Outages,
    output,
};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Port of the AWS endpoint that `up` will use.
    #[arg(long, env = "LAB_PORT", default_value_t = 4566)]
    pub port: u16,
    /// Port of the load balancer that `up` will use.
    #[arg(long, env = "LAB_BALANCER_PORT", default_value_t = 8000)]
    pub balancer_port: u16,
    /// Directory with PostgreSQL's programs, as for `up`.
    #[arg(long, env = "LAB_PG_BIN", value_name = "DIRECTORY")]
    pub pg_bin: Option<std::path::PathBuf>,
    /// The findings as JSON on stdout.
    #[arg(long)]
    json: bool,
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Grade {
    /// As it should be.
    Ok,
    /// The lab runs, with less than it could.
    Warn,
    /// The lab does not run.
    Fail,
}

/// One check's result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub name: &'static str,
    pub grade: Grade,
    /// What was found.
    pub detail: String,
    /// The line that mends it, where something is to mend.
    pub mend: Option<String>,
}

impl Finding {
    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, grade: Grade::Ok, detail: detail.into(), mend: None }
    }

    fn warn(name: &'static str, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { name, grade: Grade::Warn, detail: detail.into(), mend: Some(mend.into()) }
    }

    fn fail(name: &'static str, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { name, grade: Grade::Fail, detail: detail.into(), mend: Some(mend.into()) }
    }
}

pub(crate) async fn run(arguments: &Arguments, state_dir: &StateDir, lab: &Lab) -> Result<ExitCode> {
    let mut findings = checks::all(arguments, state_dir);
    findings.extend(outages(lab).await);
    findings.extend(drills::all());
    if arguments.json {
        output::data(serde_json::to_string_pretty(&findings).context("writing the findings")?);
    } else {
        output::data(text(&findings));
    }
    let failed = findings.iter().any(|finding| finding.grade == Grade::Fail);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What is down on purpose. Nothing is said where nobody can ask.
async fn outages(lab: &Lab) -> Option<Finding> {
    const NAME: &str = "outages";
    let active = Outages::maybe(lab)?.active().await.ok()?;
    let lines: Vec<String> = active.iter().map(|outage| outage.line()).collect();
    Some(match lines.is_empty() {
        true => Finding::ok(NAME, "none is active"),
        false => Finding::warn(NAME, lines.join("; "), format!("{} outage --end", own_name())),
    })
}

fn text(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.name.len()).max().unwrap_or_default();
    let mut lines = Vec::new();
    for finding in findings {
        let grade = match finding.grade {
            Grade::Ok => "ok  ",
            Grade::Warn => "warn",
            Grade::Fail => "FAIL",
        };
        lines.push(format!("{grade}  {:width$}  {}", finding.name, finding.detail));
        lines.extend(finding.mend.iter().map(|mend| format!("      {:width$}  mend: {mend}", "")));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_read_without_colour() {
        insta::assert_snapshot!(text(&[
            Finding::ok("disk", "900 MiB free in /lab"),
            Finding::warn("aws CLI", "not installed", "pip install awscli"),
            Finding::fail("port 4566", "taken by nc (pid 7)", "breakfix up --port PORT"),
        ]), @"
        ok    disk       900 MiB free in /lab
        warn  aws CLI    not installed
                         mend: pip install awscli
        FAIL  port 4566  taken by nc (pid 7)
                         mend: breakfix up --port PORT
        ");
    }
}
