//! `deploymentConfiguration`: how a service gets from one revision to the next.

use winterbaume_ecs::model;

/// The deployment circuit breaker, when enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Breaker {
    pub(crate) rollback: bool,
}

/// CloudWatch alarms that fail a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alarms {
    pub(crate) names: Vec<String>,
    pub(crate) enable: bool,
    pub(crate) rollback: bool,
}

/// How production traffic comes to the new revision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Strategy {
    /// Task by task.
    Rolling,
    /// At once, when the new revision stands beside the old one.
    BlueGreen,
    /// In equal steps of so many per cent.
    Linear { step_percent: f64, step_minutes: u32 },
    /// A few per cent first, then the rest.
    Canary { percent: f64, minutes: u32 },
}

impl Strategy {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Rolling => "ROLLING",
            Self::BlueGreen => "BLUE_GREEN",
            Self::Linear { .. } => "LINEAR",
            Self::Canary { .. } => "CANARY",
        }
    }

    /// The share of production traffic, in per cent, after so many steps, and the minutes until the next; none after the last.
    pub(crate) fn share(self, step: u32) -> (f64, Option<u32>) {
        match self {
            Self::Linear { step_percent, step_minutes } if step_percent * f64::from(step + 1) < 100.0 => {
                (step_percent * f64::from(step + 1), Some(step_minutes))
            }
            Self::Canary { percent, minutes } if step == 0 && percent < 100.0 => (percent, Some(minutes)),
            _ => (100.0, None),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Configuration {
    pub(crate) minimum_percent: u32,
    pub(crate) maximum_percent: u32,
    pub(crate) breaker: Option<Breaker>,
    pub(crate) strategy: Strategy,
    pub(crate) bake_minutes: Option<u32>,
    pub(crate) alarms: Option<Alarms>,
}

impl Configuration {
    /// What ECS takes when nothing is said.
    pub(crate) const DEFAULT: Self = Self {
        minimum_percent: 100,
        maximum_percent: 200,
        breaker: None,
        strategy: Strategy::Rolling,
        bake_minutes: None,
        alarms: None,
    };

    /// The alarms to watch.
    pub(crate) fn watched(&self) -> &[String] {
        self.alarms.as_ref().filter(|alarms| alarms.enable).map_or(&[], |alarms| &alarms.names)
    }

    pub(crate) fn wire(&self) -> model::DeploymentConfiguration {
        let whole = |minutes: u32| i32::try_from(minutes).ok();
        let mut wire = model::DeploymentConfiguration {
            minimum_healthy_percent: whole(self.minimum_percent),
            maximum_percent: whole(self.maximum_percent),
            deployment_circuit_breaker: Some(model::DeploymentCircuitBreaker {
                enable: self.breaker.is_some(),
                rollback: self.breaker.is_some_and(|breaker| breaker.rollback),
            }),
            strategy: Some(self.strategy.as_str().to_owned()),
            bake_time_in_minutes: self.bake_minutes.and_then(whole),
            alarms: self.alarms.as_ref().map(|alarms| model::DeploymentAlarms {
                alarm_names: alarms.names.clone(),
                enable: alarms.enable,
                rollback: alarms.rollback,
            }),
            ..model::DeploymentConfiguration::default()
        };
        match self.strategy {
            Strategy::Rolling | Strategy::BlueGreen => {}
            Strategy::Linear { step_percent, step_minutes } => {
                let step_bake_time_in_minutes = whole(step_minutes);
                let step_percent = Some(step_percent);
                wire.linear_configuration =
                    Some(model::LinearConfiguration { step_bake_time_in_minutes, step_percent });
            }
            Strategy::Canary { percent, minutes } => {
                let canary_bake_time_in_minutes = whole(minutes);
                let canary_percent = Some(percent);
                wire.canary_configuration =
                    Some(model::CanaryConfiguration { canary_bake_time_in_minutes, canary_percent });
            }
        }
        wire
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_comes_in_the_steps_that_the_strategy_names() {
        let shares = |strategy: Strategy| (0..4).map(|step| strategy.share(step)).collect::<Vec<_>>();
        assert_eq!(shares(Strategy::BlueGreen)[0], (100.0, None));
        let canary = shares(Strategy::Canary { percent: 5.0, minutes: 10 });
        assert_eq!(canary[..2], [(5.0, Some(10)), (100.0, None)]);
        let linear = shares(Strategy::Linear { step_percent: 40.0, step_minutes: 6 });
        assert_eq!(linear[..3], [(40.0, Some(6)), (80.0, Some(6)), (100.0, None)]);
    }
}
