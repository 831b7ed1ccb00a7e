//! Plan → apply → verify.

use std::{collections::HashSet, mem, time::Instant};

use crate::{
    Clients, Event, Names, Options, Report, ReportedStep, ResetError,
    apply::apply,
    observe::Observer,
    plan::{Action, plan},
    report::chain,
    verify::{unmet, verify},
};

/// Brings the lab back to health and proves it. On a healthy lab it changes nothing and only proves.
///
/// # Errors
/// [`ResetError`] when nothing can be seen, a step fails, or the lab is not healthy in time. The steps that do not depend
/// on a failed one were still done: running it again is always safe.
pub async fn run(
    clients: &Clients,
    names: &Names,
    options: &Options,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Result<Report, ResetError> {
    let began = Instant::now();
    let mut observer = Observer::new(clients.clone(), names.clone());
    let seen = observer.observe().await?;
    if let Some(missing) = seen.missing.iter().find(|missing| !missing.is_lost()) {
        return Err(ResetError::Missing(missing.clone()));
    }
    let lost = seen.missing.first().cloned();
    let steps = plan(&seen, options.desired_count);
    tell(Event::Planned(steps.clone()));
    let mut report = Report {
        steps: steps.into_iter().map(|step| ReportedStep { step, done: None }).collect(),
        redeployed: None,
        first_failure: None,
        verified: None,
        unhealthy: None,
    };
    if options.dry_run {
        report.unhealthy = lost.map(|lost| lost.to_string()).or_else(|| unmet(&seen, options.desired_count));
        return Ok(report);
    }
    let mut applied = HashSet::new();
    let mut failed = None;
    for ReportedStep { step, done } in &mut report.steps {
        applied.insert(mem::discriminant(&step.action));
        // What is only waited for is told by the verification, when it waits.
        let acts = step.action != Action::HealTasks;
        if acts {
            tell(Event::Applying(step.clone()));
        }
        match apply(clients, names, step).await {
            Ok(means) => {
                if acts {
                    tell(Event::Applied(step.clone(), means.clone()));
                }
                *done = Some(means);
            }
            Err(source) => {
                tell(Event::StepFailed(step.clone(), chain(&source)));
                // The first failure is the one to mend; later ones often follow from it.
                failed.get_or_insert(ResetError::Step { what: step.what.clone(), source });
            }
        }
    }
    // What is lost is the reason that no second run mends, so it is told before a step that failed.
    if let Some(error) = lost.map(ResetError::Missing).or(failed) {
        return Err(error);
    }
    let outcome = verify(&mut observer, options, began, applied, tell).await?;
    report.redeployed = outcome.redeployed;
    report.first_failure = outcome.first_failure;
    report.verified = Some(outcome.verified);
    Ok(report)
}
