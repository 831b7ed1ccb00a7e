//! Is the lab healthy, and does the scenario fit it? Changes nothing.

use contract::names::resource;
use reset::Options;

use super::{RunError, Settings, watch::Sight};
use crate::{
    Lab,
    scenario::{Action, Step},
};

pub(super) async fn check(lab: &Lab, settings: &Settings) -> Result<(), RunError> {
    if settings.autopilot && !settings.scenario.is_without_fault() && settings.runbook.is_none() {
        return Err(RunError::Unfit("the autopilot needs the scenario's runbook".to_owned()));
    }
    let is_outage = |step: &Step| matches!(step.action, Action::Outage(_));
    if lab.place.endpoint.is_none() && settings.scenario.inject.iter().any(is_outage) {
        return Err(RunError::Unfit(
            "it needs an outage of an AWS service, which only a lab on a laptop has".to_owned(),
        ));
    }
    healthy(lab).await.map_err(RunError::Sick)?;
    let sight = Sight::look(lab, &[]).await;
    let alarms = sight.alarms.ok_or_else(|| RunError::Sick(sight.error.unwrap_or_default()))?;
    for name in &settings.scenario.expect.alarms {
        if !alarms.contains_key(name) {
            let known: Vec<&str> = alarms.keys().map(String::as_str).collect();
            return Err(RunError::Unfit(format!("there is no alarm `{name}`; there are {}", known.join(", "))));
        }
    }
    if let Some((name, _)) = alarms.iter().find(|(_, alarm)| alarm.silenced)
        && !settings.scenario.is_without_fault()
    {
        return Err(RunError::Sick(format!("the actions of the alarm {name} are switched off")));
    }
    Ok(())
}

/// As `reset --dry-run` sees it.
///
/// # Errors
/// The first thing that is wrong.
pub(super) async fn healthy(lab: &Lab) -> Result<(), String> {
    let options = Options { desired_count: resource::DESIRED_COUNT, dry_run: true, ..Options::default() };
    let report =
        reset::run(&lab.clients, &lab.names, &options, &mut |_| {}).await.map_err(|error| error.to_string())?;
    if report.is_healthy() {
        return Ok(());
    }
    let step = report.steps.first().map(|step| step.step.to_string());
    Err(step.or(report.unhealthy).unwrap_or_else(|| "it is not healthy".to_owned()))
}
