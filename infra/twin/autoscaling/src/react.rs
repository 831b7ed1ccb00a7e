//! An alarm has named a policy: what is known, what is decided, what is done.

use serde_json::{Value, json};
use twin_platform::{AwsError, now_ms, seam::AlarmNotification};

use crate::{
    AutoScaling, State,
    activity::{Outcome, by_alarm},
    alarms::cooldown_ms,
    counts,
    decide::{Cooldown, Decision, Direction, Proposal, Situation, step, tracking},
    policy::Kind,
    target::{Place, Target},
};

/// What an alarm said.
struct Alarm {
    name: String,
    state: String,
    threshold: f64,
    /// Watches for values above the threshold.
    above: bool,
    /// Those it judged, oldest first.
    datapoints: Vec<f64>,
}

impl Alarm {
    /// Reads a notification of CloudWatch's; none when it is no metric alarm's.
    fn read(notification: &AlarmNotification) -> Option<Self> {
        let message: Value = serde_json::from_str(&notification.message).ok()?;
        let trigger = &message["Trigger"];
        let judged = usize::try_from(trigger["EvaluationPeriods"].as_u64()?).ok()?;
        let data: Value = notification.reason_data.as_deref().and_then(|data| serde_json::from_str(data).ok())?;
        let datapoints = data["recentDatapoints"].as_array().into_iter().flatten().filter_map(Value::as_f64);
        let datapoints: Vec<f64> = datapoints.collect();
        Some(Self {
            name: message["AlarmName"].as_str()?.to_owned(),
            state: message["NewStateValue"].as_str()?.to_owned(),
            threshold: trigger["Threshold"].as_f64()?,
            above: trigger["ComparisonOperator"].as_str()?.starts_with("Greater"),
            // The range that is looked at is longer than what is judged.
            datapoints: datapoints[datapoints.len().saturating_sub(judged)..].to_vec(),
        })
    }
}

/// How long the cooldown of a policy lasts, by direction.
struct Cooldowns {
    out_s: i64,
    in_s: i64,
}

impl AutoScaling {
    /// Lets the policy decide on what the alarm judged, and acts.
    pub(crate) async fn react(&self, policy_arn: &str, notification: &AlarmNotification) -> Result<(), AwsError> {
        let mut state = self.state.lock().await;
        let of_policy =
            |target: &Target| target.policies.values().find(|it| it.arn == policy_arn).map(|it| it.name.clone());
        let found = state.targets.iter().find_map(|(place, target)| Some((place.clone(), of_policy(target)?)));
        let Some((place, name)) = found else {
            let message = format!("No scaling policy found with the ARN {policy_arn}");
            return Err(AwsError::client("ObjectNotFoundException", message));
        };
        // A state that was set by hand comes with no datapoints, and a composite alarm with no metric.
        let Some(alarm) = Alarm::read(notification).filter(|alarm| !alarm.datapoints.is_empty()) else { return Ok(()) };
        let Some(service) = self.service(&place).await? else {
            return Err(AwsError::client("ObjectNotFoundException", format!("ECS service doesn't exist: {place}")));
        };
        let Some(situation) = situation(&state, &place, &service) else { return Ok(()) };
        let Some((proposal, cooldowns)) = self.proposal(&mut state, &place, &name, &alarm, &situation).await? else {
            return Ok(());
        };
        let cause = by_alarm(&alarm.name, &alarm.state, &name);
        match situation.decide(proposal) {
            Decision::Rest => Ok(()),
            Decision::NotScaled(why) => {
                state.activities.add_not_scaled(&place, cause, why, situation.now_ms);
                Ok(())
            }
            Decision::Scale(desired) => {
                self.set(&mut state, &place, &service, desired, cause).await?;
                let (direction, lasts_s) = match desired > situation.capacity {
                    true => (Direction::Out, cooldowns.out_s),
                    false => (Direction::In, cooldowns.in_s),
                };
                let lasts_ms = cooldown_ms(lasts_s, self.speed);
                // A larger scale-out during a cooldown begins a new one, and both count from the same capacity.
                let before = if direction == Direction::Out { situation.base() } else { situation.capacity };
                if let Some(target) = state.targets.get_mut(&place) {
                    let until_ms = now_ms().saturating_add(lasts_ms);
                    target.cooldown = Some(Cooldown { direction, before, lasts_ms, until_ms });
                }
                Ok(())
            }
        }
    }

    /// What the policy wants, and how long it cools down after that; none where it wants nothing.
    async fn proposal(
        &self,
        state: &mut State,
        place: &Place,
        name: &str,
        alarm: &Alarm,
        situation: &Situation,
    ) -> Result<Option<(Proposal, Cooldowns)>, AwsError> {
        let Some(target) = state.targets.get_mut(place) else { return Ok(None) };
        let Some(policy) = target.policies.get_mut(name) else { return Ok(None) };
        match &mut policy.kind {
            Kind::Step(steps) => {
                let metric = aggregate(steps.metric_aggregation_type.as_deref(), &alarm.datapoints);
                let beyond = metric.map(|metric| metric - alarm.threshold);
                let proposal = beyond.and_then(|beyond| step::proposal(situation, steps, beyond, alarm.above));
                let cooldowns = Cooldowns { out_s: steps.cooldown_s(), in_s: steps.cooldown_s() };
                Ok(proposal.map(|proposal| (proposal, cooldowns)))
            }
            Kind::Tracking(tracking) => {
                let (settings, target_value) = (&tracking.settings, tracking.settings.target_value);
                let cooldowns = Cooldowns { out_s: settings.out_cooldown_s(), in_s: settings.in_cooldown_s() };
                if alarm.name == tracking.high {
                    let proposal = tracking::scale_out(situation, &alarm.datapoints, target_value);
                    return Ok(proposal.map(|proposal| (proposal, cooldowns)));
                }
                if tracking.low.as_ref() != Some(&alarm.name) {
                    return Ok(None);
                }
                tracking.wanted_in = tracking::scale_in(situation.capacity, &alarm.datapoints, target_value);
                let wanted = self.wanted_by_all(target).await?;
                let proposal = wanted.map(|wanted| (Proposal { direction: Direction::In, wanted }, cooldowns));
                Ok(proposal)
            }
        }
    }

    /// Target tracking scales in only when every policy that may scale in is ready to, and by what the most cautious says.
    async fn wanted_by_all(&self, target: &Target) -> Result<Option<i64>, AwsError> {
        let mut largest = None;
        for policy in target.policies.values() {
            let Kind::Tracking(tracking) = &policy.kind else { continue };
            let Some(low) = &tracking.low else { continue };
            let alarms = self.alarms_of(&policy.arn).await?;
            let ready = alarms.iter().any(|(name, state)| name == low && state == "ALARM");
            let Some(wanted) = tracking.wanted_in.filter(|_| ready) else { return Ok(None) };
            largest = largest.max(Some(wanted));
        }
        Ok(largest)
    }

    /// Sets the desired count, and notes the activity.
    pub(crate) async fn set(
        &self,
        state: &mut State,
        place: &Place,
        service: &Value,
        desired: i64,
        cause: String,
    ) -> Result<(), AwsError> {
        let input = json!({ "cluster": place.cluster, "service": place.service, "desiredCount": desired });
        let answer = self.ask_ecs("UpdateService", &input).await;
        let now_ms = now_ms();
        match answer {
            Ok(_) => {
                tracing::info!(%place, from = counts(service).0, to = desired, cause, "scaled");
                state.activities.end(place, now_ms, |desired| Outcome::Overridden { desired });
                state.activities.add(place, cause, Outcome::InProgress { desired }, now_ms);
                self.begun.notify_one();
                Ok(())
            }
            Err(error) => {
                let why = error.message.clone();
                state.activities.add(place, cause, Outcome::Failed { desired, why }, now_ms);
                Err(error)
            }
        }
    }
}

/// The datapoints as one, by `MetricAggregationType`.
fn aggregate(kind: Option<&str>, datapoints: &[f64]) -> Option<f64> {
    match kind {
        Some("Minimum") => datapoints.iter().copied().reduce(f64::min),
        Some("Maximum") => datapoints.iter().copied().reduce(f64::max),
        _ => tracking::mean(datapoints),
    }
}

fn situation(state: &State, place: &Place, service: &Value) -> Option<Situation> {
    let target = state.targets.get(place)?;
    let deployments = service["deployments"].as_array();
    let under_way = |deployment: &Value| deployment["rolloutState"] == "IN_PROGRESS";
    Some(Situation {
        capacity: counts(service).0,
        minimum: target.minimum,
        maximum: target.maximum,
        suspended_in: target.suspended.dynamic_scaling_in_suspended,
        suspended_out: target.suspended.dynamic_scaling_out_suspended,
        deploying: deployments.is_some_and(|list| list.len() > 1 || list.iter().any(under_way)),
        busy: state.activities.in_progress(place).is_some(),
        cooldown: target.cooldown,
        now_ms: now_ms(),
    })
}
