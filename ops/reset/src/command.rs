//! The command line of a reset, for `reset` and `breakfix reset` alike.
//!
//! Text for people goes to stderr, the result to stdout. Exit 0: healthy. Exit 1: not healthy or not possible, with the
//! reason; a dry run that found something to do counts as a failed check. Exit 2: usage.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use serde_json::json;

use crate::{Clients, Event, Names, Options, Report, ResetError, report::chain, run};

/// Arguments of a reset.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    pub options: Options,
    /// Print the result as one JSON document on stdout
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub names: Names,
}

/// Runs a reset, tells people about it, prints the result, and gives the exit code.
///
/// # Errors
/// When stdout cannot be written.
pub async fn execute(clients: &Clients, arguments: &Arguments) -> io::Result<ExitCode> {
    let Options { window_s, timeout_s, .. } = arguments.options;
    if window_s >= timeout_s {
        let _ = writeln!(
            io::stderr(),
            "error: --window-s {window_s} does not fit into --timeout-s {timeout_s}; give a shorter window or more time"
        );
        return Ok(ExitCode::from(2));
    }
    let mut tell = |event: Event| {
        // Nobody may be reading any more; that is no reason to leave the lab half repaired.
        let _ = writeln!(io::stderr(), "{event}");
    };
    let result = run(clients, &arguments.names, &arguments.options, &mut tell).await;
    if let Some(text) = verdict(&result) {
        let _ = writeln!(io::stderr(), "{text}");
    }
    if arguments.json {
        writeln!(io::stdout(), "{:#}", document(&result))?;
    }
    Ok(if result.is_ok_and(|report| report.is_healthy()) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the events have not told.
fn verdict(result: &Result<Report, ResetError>) -> Option<String> {
    match result {
        Ok(report) if report.verified.is_some() => None,
        Ok(report) => Some(match &report.unhealthy {
            Some(reason) => format!("dry run: not healthy: {reason}"),
            None => "dry run: the lab looks healthy".to_owned(),
        }),
        Err(error) => Some(format!("error: {}", chain(error))),
    }
}

fn document(result: &Result<Report, ResetError>) -> serde_json::Value {
    match result {
        Ok(report) => json!({"healthy": report.is_healthy(), "report": report}),
        Err(error) => json!({"healthy": false, "error": chain(error)}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StepError;

    #[test]
    fn an_error_reads_as_one_line_with_its_cause() {
        let source = StepError::Sql { operation: "counting leaked sessions", source: sqlx::Error::PoolTimedOut };
        let error: Result<Report, _> = Err(ResetError::Step { what: "database sessions".into(), source });
        let text = verdict(&error).expect("an error has a verdict");
        assert!(text.starts_with("error: cannot repair database sessions: counting leaked sessions: "), "{text}");
        assert_eq!(document(&error)["healthy"], false);
    }
}
