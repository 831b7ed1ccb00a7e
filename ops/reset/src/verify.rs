//! The proof: the lab looks healthy, and serves good traffic for a sustained window while it does.
//!
//! Promises: a bounded time; the first reason for waiting is kept. Refuses: to take a good look for a proof.

mod condition;
mod patience;
mod traffic;

pub(crate) use condition::unmet;

use std::{
    collections::HashSet,
    mem::{self, Discriminant},
    time::{Duration, Instant},
};

use crate::report::chain;
use crate::{
    Event, Names, Observation, Options, ResetError, Verified,
    apply::{self, apply},
    observe::Observer,
    plan::{Action, plan},
};
use patience::{Complaint, Patience};

/// Between two looks at first: the balancer's checks and the parameter's refresh are no finer.
const POLL: Duration = Duration::from_millis(200);
/// Between two looks later on, so that a slow repair in AWS does not meet the quotas of its APIs.
const SLOW_POLL: Duration = Duration::from_secs(1);
/// When the first becomes the second.
const SLOW_AFTER: Duration = Duration::from_secs(20);

/// What the verification leaves behind.
pub(crate) struct Outcome {
    pub(crate) verified: Verified,
    pub(crate) redeployed: Option<String>,
    pub(crate) first_failure: Option<String>,
}

/// Waits until the lab is healthy and proves it. Drift that shows only now gets one repair of each kind, and tasks that do
/// not heal get one new deployment.
pub(crate) async fn verify(
    observer: &mut Observer,
    options: &Options,
    began: Instant,
    mut applied: HashSet<Discriminant<Action>>,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Result<Outcome, ResetError> {
    let (mut redeployed, mut first_failure) = (None, None);
    let mut last_reason = String::from("nothing was observed in that time");
    let mut patience = Patience::default();
    loop {
        if began.elapsed() >= options.timeout() {
            return Err(ResetError::NotVerified { timeout_s: options.timeout_s, reason: last_reason });
        }
        // A control plane that is away for a moment is one more thing to wait for.
        let seen = match observer.observe().await {
            Ok(seen) => seen,
            Err(error) => {
                last_reason = error.to_string();
                tell(Event::Waiting(last_reason.clone()));
                tokio::time::sleep(SLOW_POLL).await;
                continue;
            }
        };
        if let Some(missing) = seen.missing.first() {
            return Err(ResetError::Missing(missing.clone()));
        }
        let mut complaints = Complaint::of(&seen, &observer.probe).await;
        let reason = match unmet(&seen, options.desired_count) {
            Some(reason) => {
                if reason != last_reason {
                    tell(Event::Waiting(reason.clone()));
                }
                reason
            }
            None => {
                tell(Event::WindowBegan(options.window()));
                match prove(observer, options, &seen).await? {
                    Ok(mut verified) => {
                        verified.after_s = began.elapsed().as_secs_f64();
                        tell(Event::Verified(verified.clone()));
                        return Ok(Outcome { verified, redeployed, first_failure });
                    }
                    Err(failure) => {
                        tell(Event::WindowFailed(failure.reason.clone()));
                        complaints.extend(failure.complaint);
                        failure.reason
                    }
                }
            }
        };
        first_failure.get_or_insert_with(|| reason.clone());
        last_reason = reason;
        repair_late_drift(observer, options, &seen, &mut applied, tell).await;
        if redeployed.is_none()
            && let Some(reason) = patience.exhausted(complaints)
        {
            let names = &observer.names;
            apply::force_new_deployment(&observer.clients, names).await.map_err(|source| step_failed(names, source))?;
            tell(Event::Redeployed(reason.clone()));
            redeployed = Some(reason);
        }
        tokio::time::sleep(if began.elapsed() < SLOW_AFTER { POLL } else { SLOW_POLL }).await;
    }
}

fn step_failed(names: &Names, source: crate::StepError) -> ResetError {
    ResetError::Step { what: format!("the tasks of service {}", names.service), source }
}

/// Some drift hides behind another: a wrong password behind a full database, a bad image behind a crashing task.
async fn repair_late_drift(
    observer: &Observer,
    options: &Options,
    seen: &Observation,
    applied: &mut HashSet<Discriminant<Action>>,
    tell: &mut (dyn FnMut(Event) + Send),
) {
    for step in plan(seen, options.desired_count) {
        let again = !applied.insert(mem::discriminant(&step.action));
        // Limits that were restored before a policy pressed anew have been lowered again since.
        let may_repeat = matches!(step.action, Action::RestoreScaling { .. });
        if step.action == Action::HealTasks || (again && !may_repeat) {
            continue;
        }
        tell(Event::Applying(step.clone()));
        match apply(&observer.clients, &observer.names, &step).await {
            Ok(means) => tell(Event::Applied(step, means)),
            // Not the end: the verdict names the condition that is still not met when the time is over.
            Err(error) => tell(Event::StepFailed(step, chain(&error))),
        }
    }
}

/// One window of traffic, and a last look: what was healthy before the window must still be so after it.
async fn prove(
    observer: &mut Observer,
    options: &Options,
    before: &Observation,
) -> Result<Result<Verified, traffic::Failure>, ResetError> {
    let url = match before.balancer.as_result() {
        Ok(balancer) => balancer.url.clone(),
        Err(error) => return Ok(Err(traffic::Failure::new(error.to_owned()))),
    };
    let window_began = Instant::now();
    let good_requests = match traffic::window(&observer.probe, &url, options.window()).await {
        Ok(good_requests) => good_requests,
        Err(failure) => return Ok(Err(failure)),
    };
    let window_s = window_began.elapsed().as_secs_f64();
    let after = observer.observe().await?;
    if let Some(reason) = unmet(&after, options.desired_count) {
        return Ok(Err(traffic::Failure::new(reason)));
    }
    let version = after.parameter.known().map(|parameter| parameter.version);
    Ok(Ok(Verified {
        parameter_version: version.unwrap_or_default(),
        tasks: after.effective.len(),
        good_requests,
        window_s,
        after_s: 0.0,
    }))
}
