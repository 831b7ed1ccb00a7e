//! Reading `deploymentConfiguration`: what is not given stays as it was.

use twin_platform::{AwsError, seam::AlarmStates};
use winterbaume_ecs::model::DeploymentConfiguration;

use super::input::{invalid, refuse, some};
use crate::state::{Alarms, Breaker, Configuration, Strategy};

/// A day, in minutes: the longest bake time.
const MINUTES_MAX: i32 = 1440;

/// The configuration before, with what the caller says in its place.
pub(super) fn read(
    before: &Configuration,
    given: Option<&DeploymentConfiguration>,
    known: &dyn AlarmStates,
) -> Result<Configuration, AwsError> {
    let Some(given) = given else { return Ok(before.clone()) };
    refuse(some(given.lifecycle_hooks.as_ref()), "deployment lifecycle hooks (lifecycleHooks)")?;
    let percent = |value: Option<i32>, before: u32| value.map_or(Ok(before), u32::try_from);
    let out_of_range = |_| invalid("Deployment percentages must not be negative.");
    let minimum_percent = percent(given.minimum_healthy_percent, before.minimum_percent).map_err(out_of_range)?;
    let maximum_percent = percent(given.maximum_percent, before.maximum_percent).map_err(out_of_range)?;
    if minimum_percent > 100 || !(100..=1000).contains(&maximum_percent) {
        return Err(invalid(format!(
            "minimumHealthyPercent {minimum_percent} must be within 0 and 100 and maximumPercent {maximum_percent} within 100 and 1000"
        )));
    }
    if minimum_percent == 100 && maximum_percent == 100 {
        return Err(invalid(
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.",
        ));
    }
    let breaker = match &given.deployment_circuit_breaker {
        Some(breaker) => breaker.enable.then_some(Breaker { rollback: breaker.rollback }),
        None => before.breaker,
    };
    let alarms = match &given.alarms {
        Some(alarms) => {
            if alarms.enable && alarms.alarm_names.is_empty() {
                return Err(invalid("alarmNames must not be empty when deployment alarms are enabled."));
            }
            if let Some(unknown) = alarms.alarm_names.iter().find(|name| known.state_of(name).is_none()) {
                return Err(invalid(format!("The CloudWatch alarm {unknown} does not exist.")));
            }
            let names = alarms.alarm_names.clone();
            Some(Alarms { names, enable: alarms.enable, rollback: alarms.rollback })
        }
        None => before.alarms.clone(),
    };
    let strategy = strategy(before.strategy, given)?;
    let bake_minutes = minutes("bakeTimeInMinutes", given.bake_time_in_minutes)?.or(before.bake_minutes);
    if strategy != Strategy::Rolling && bake_minutes.is_none() {
        return Err(invalid(format!(
            "bakeTimeInMinutes must be specified when the deployment strategy is {}.",
            strategy.as_str()
        )));
    }
    Ok(Configuration { minimum_percent, maximum_percent, breaker, strategy, bake_minutes, alarms })
}

fn strategy(before: Strategy, given: &DeploymentConfiguration) -> Result<Strategy, AwsError> {
    let (linear, canary) = (given.linear_configuration.clone(), given.canary_configuration.clone());
    let name = given.strategy.as_deref().unwrap_or(before.as_str());
    refuse(linear.is_some() && name != "LINEAR", "linearConfiguration with another strategy than LINEAR")?;
    refuse(canary.is_some() && name != "CANARY", "canaryConfiguration with another strategy than CANARY")?;
    Ok(match name {
        "ROLLING" => Strategy::Rolling,
        "BLUE_GREEN" => Strategy::BlueGreen,
        "LINEAR" => {
            let given = linear.unwrap_or_default();
            let step_percent = share("stepPercent", given.step_percent.unwrap_or(10.0), 3.0)?;
            let step_minutes = minutes("stepBakeTimeInMinutes", given.step_bake_time_in_minutes)?.unwrap_or(6);
            Strategy::Linear { step_percent, step_minutes }
        }
        "CANARY" => {
            let given = canary.unwrap_or_default();
            let percent = share("canaryPercent", given.canary_percent.unwrap_or(5.0), 0.1)?;
            let minutes = minutes("canaryBakeTimeInMinutes", given.canary_bake_time_in_minutes)?.unwrap_or(10);
            Strategy::Canary { percent, minutes }
        }
        other => return Err(invalid(format!("Invalid deployment strategy {other}"))),
    })
}

fn minutes(name: &str, value: Option<i32>) -> Result<Option<u32>, AwsError> {
    let Some(value) = value else { return Ok(None) };
    let in_range = Some(value).filter(|it| (0..=MINUTES_MAX).contains(it)).and_then(|it| u32::try_from(it).ok());
    in_range.map(Some).ok_or_else(|| invalid(format!("{name} {value} must be within 0 and {MINUTES_MAX}.")))
}

fn share(name: &str, value: f64, least: f64) -> Result<f64, AwsError> {
    let tenths = value * 10.0;
    if (least..=100.0).contains(&value) && (tenths - tenths.round()).abs() < 1e-6 {
        Ok(value)
    } else {
        Err(invalid(format!("{name} {value} must be a multiple of 0.1 within {least} and 100.0.")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Knows one alarm.
    struct One;

    impl AlarmStates for One {
        fn state_of(&self, alarm_name: &str) -> Option<&'static str> {
            (alarm_name == "known").then_some("OK")
        }
    }

    fn read_json(given: serde_json::Value) -> Result<Configuration, AwsError> {
        let given = serde_json::from_value(given).expect("a deployment configuration");
        let before = Configuration { breaker: Some(Breaker { rollback: true }), ..Configuration::DEFAULT };
        read(&before, Some(&given), &One)
    }

    #[test]
    fn what_is_not_given_stays() {
        let after = read_json(serde_json::json!({ "minimumHealthyPercent": 50 })).expect("a good configuration");
        assert_eq!((after.minimum_percent, after.maximum_percent), (50, 200));
        assert_eq!(after.breaker, Some(Breaker { rollback: true }));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        use serde_json::json;
        for given in [
            json!({ "maximumPercent": 100 }),
            json!({ "minimumHealthyPercent": -1 }),
            json!({ "strategy": "BLUE_GREEN" }),
            json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1441 }),
            json!({ "strategy": "PURPLE" }),
            json!({ "strategy": "LINEAR", "bakeTimeInMinutes": 0, "linearConfiguration": { "stepPercent": 2.0 } }),
            json!({ "strategy": "CANARY", "bakeTimeInMinutes": 0, "canaryConfiguration": { "canaryPercent": 0.15 } }),
            json!({ "alarms": { "alarmNames": ["unknown"], "enable": true, "rollback": true } }),
            json!({ "lifecycleHooks": [{ "hookTargetArn": "arn:aws:lambda:us-east-1:1:function:f" }] }),
        ] {
            assert!(read_json(given.clone()).is_err(), "{given}");
        }
        let alarms = json!({ "alarms": { "alarmNames": ["known"], "enable": true, "rollback": true } });
        assert_eq!(read_json(alarms).expect("a known alarm").watched(), ["known"]);
    }
}
