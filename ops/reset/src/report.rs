//! What a reset tells while it works, and what it has to show at its end.

use std::{collections::BTreeMap, error::Error, fmt, time::Duration};

use serde::Serialize;

use crate::{AwsError, ObserveError, observe::Missing, plan::Step, wording};

/// What happens, as it happens. `Display` is the line for people.
#[derive(Clone, Debug)]
pub enum Event {
    /// The plan is made; empty when the lab is healthy.
    Planned(Vec<Step>),
    /// A step is about to be done.
    Applying(Step),
    /// A step is done; the text says by which means.
    Applied(Step, String),
    /// A step failed.
    StepFailed(Step, String),
    /// The lab is not healthy yet, for this reason. Told once for each new reason.
    Waiting(String),
    /// Tasks did not heal by themselves: a new deployment was forced, for this reason.
    Redeployed(String),
    /// The lab looks healthy; traffic must prove it for this long.
    WindowBegan(Duration),
    /// A request of the proving traffic failed; the window begins anew.
    WindowFailed(String),
    /// The lab is healthy.
    Verified(Verified),
}

/// The proof of health.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verified {
    /// Version of the parameter that every running task applies.
    pub parameter_version: i64,
    /// Tasks in service.
    pub tasks: usize,
    /// Good requests by route, all of them within the last window.
    pub good_requests: BTreeMap<String, u64>,
    /// Length of that window in seconds.
    pub window_s: f64,
    /// Seconds from the start of the reset to the verdict.
    pub after_s: f64,
}

/// What a reset did.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The plan; with `done` it was applied.
    pub steps: Vec<ReportedStep>,
    /// Why a new deployment was forced; none when it was not.
    pub redeployed: Option<String>,
    /// The first reason for which the lab was not yet healthy after the steps were applied.
    pub first_failure: Option<String>,
    /// The proof; none after a dry run.
    pub verified: Option<Verified>,
    /// What a dry run found wrong; none when the lab looked healthy, or when it was no dry run.
    pub unhealthy: Option<String>,
}

impl Report {
    /// Whether the lab is healthy: proved by traffic, or as far as a dry run can see.
    pub fn is_healthy(&self) -> bool {
        self.verified.is_some() || (self.steps.is_empty() && self.unhealthy.is_none())
    }
}

/// A step and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedStep {
    /// The step.
    #[serde(flatten)]
    pub step: Step,
    /// By which means it was done; none in a dry run.
    pub done: Option<String>,
}

/// The lab could not be brought back, or not be proved healthy.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// Nothing could be seen.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// A given name leads nowhere, or what it led to is gone: no waiting helps.
    #[error("{0}")]
    Missing(Missing),
    /// A step failed. The other steps were still tried.
    #[error("cannot repair {what}")]
    Step {
        /// The thing.
        what: String,
        /// Why.
        #[source]
        source: StepError,
    },
    /// The time was over before the lab was healthy.
    #[error("not healthy after {timeout_s} s: {reason}")]
    NotVerified {
        /// What the reset had.
        timeout_s: u64,
        /// The condition that was not met last.
        reason: String,
    },
}

/// One step failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// AWS refused or did not answer.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// A statement failed.
    #[error("{operation}")]
    Sql {
        /// What the statement was for.
        operation: &'static str,
        /// PostgreSQL's answer.
        #[source]
        source: sqlx::Error,
    },
    /// It cannot be done, in one line.
    #[error("{0}")]
    Impossible(String),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Planned(steps) if steps.is_empty() => write!(f, "plan: nothing to do"),
            Self::Planned(steps) => {
                let plural = if steps.len() == 1 { "step" } else { "steps" };
                write!(f, "plan: {} {plural}", steps.len())?;
                steps.iter().enumerate().try_for_each(|(index, step)| write!(f, "\n  {}. {step}", index + 1))
            }
            Self::Applying(step) => write!(f, "apply: {}", step.what),
            Self::Applied(step, means) => write!(f, "done: {}: {means}", step.what),
            Self::StepFailed(step, reason) => write!(f, "failed: {}: {reason}", step.what),
            Self::Waiting(reason) => write!(f, "wait: {reason}"),
            Self::Redeployed(reason) => write!(f, "redeploy: {reason}"),
            Self::WindowBegan(length) => {
                write!(f, "verify: {} s of traffic through the balancer", length.as_secs_f64())
            }
            Self::WindowFailed(reason) => write!(f, "verify: {reason}; the window begins anew"),
            Self::Verified(verified) => {
                let requests: u64 = verified.good_requests.values().sum();
                write!(
                    f,
                    "healthy: {} at version {} of the parameter, {requests} requests good over {:.1} s, verified after {:.1} s",
                    wording::tasks(i64::try_from(verified.tasks).unwrap_or(i64::MAX)),
                    verified.parameter_version,
                    verified.window_s,
                    verified.after_s
                )
            }
        }
    }
}

/// An error with its sources in one line, each said once. None of ours holds a secret: see [`crate::aws::AwsError`].
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut links = vec![error.to_string()];
    let mut next = error.source();
    while let Some(link) = next {
        links.push(link.to_string());
        next = link.source();
    }
    links.dedup();
    links.join(": ")
}
