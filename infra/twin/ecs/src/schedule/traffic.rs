//! What a look at a service wants of its load balancers. It is done after the look, with no lock held, and reported back.

use std::sync::Arc;

use crate::{
    core::Core,
    state::{Make, Route},
};

/// Something to do at listener rules.
#[derive(Debug)]
pub(super) enum Errand {
    /// Both target groups must be behind the production rule or the test rule, or no health check would ever tell.
    Check(Vec<(Vec<String>, [String; 2])>),
    /// Each rule with the weights of its target groups.
    Shift(Vec<(String, Vec<(String, u32)>)>),
}

impl Errand {
    pub(super) fn check(make: &Make) -> Self {
        let rules =
            |route: &Route| [Some(route.production.clone()), route.test.clone()].into_iter().flatten().collect();
        Self::Check(make.routes().into_iter().map(|it| (rules(&it), [it.own, it.other])).collect())
    }

    /// Test traffic to the cohort.
    pub(super) fn test(make: &Make) -> Self {
        let shift = |route: Route| Some((route.test?, weights(route.own, route.other, 100.0)));
        Self::Shift(make.routes().into_iter().filter_map(shift).collect())
    }

    /// This share of production traffic, in per cent, to the cohort.
    pub(super) fn production(make: &Make, share: f64) -> Self {
        let shift = |route: Route| (route.production, weights(route.own, route.other, share));
        Self::Shift(make.routes().into_iter().map(shift).collect())
    }

    /// All traffic to the cohort whose targets are in `groups`, at the rules of `make`.
    pub(super) fn back(make: &Make, groups: &[String]) -> Self {
        let mut shifts = Vec::new();
        for Route { production, test, own, other } in make.routes() {
            let (own, other) = if groups.contains(&own) { (own, other) } else { (other, own) };
            for rule in [Some(production), test].into_iter().flatten() {
                shifts.push((rule, weights(own.clone(), other.clone(), 100.0)));
            }
        }
        Self::Shift(shifts)
    }

    /// Does it.
    ///
    /// # Errors
    /// Why not, as the service deployment's `statusReason` says it.
    pub(super) async fn run(&self, core: &Arc<Core>) -> Result<(), String> {
        match self {
            Self::Check(routes) => {
                for (rules, groups) in routes {
                    let mut behind = Vec::new();
                    for rule in rules {
                        behind.extend(core.targets.forwards(rule).await.unwrap_or_default());
                    }
                    if !groups.iter().all(|group| behind.iter().any(|(arn, _)| arn == group)) {
                        return Err(
                            "of invalid networking configuration. Both targetGroup and alternateTargetGroup must be \
                                    associated with the productionListenerRule or testListenerRule."
                                .into(),
                        );
                    }
                }
            }
            Self::Shift(shifts) => {
                for (rule, weights) in shifts {
                    let shifted = core.targets.shift(rule, weights).await;
                    shifted.map_err(|error| format!("traffic could not be shifted at {rule}: {error}."))?;
                }
            }
        }
        Ok(())
    }
}

/// Weights of a share in per cent. Whole per cents are hundredths, as ECS writes them; tenths need the finest weights there are.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 and 999")]
fn weights(own: String, other: String, share: f64) -> Vec<(String, u32)> {
    let whole = if share.fract() == 0.0 { 100 } else { 999 };
    let weight = (share * f64::from(whole) / 100.0).round() as u32;
    vec![(own, weight), (other, whole - weight)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_hundredths_unless_tenths_of_a_per_cent_are_asked_for() {
        let of =
            |share| weights("a".into(), "b".into(), share).into_iter().map(|(_, weight)| weight).collect::<Vec<_>>();
        assert_eq!([of(100.0), of(5.0), of(0.1), of(33.3)], [vec![100, 0], vec![5, 95], vec![1, 998], vec![333, 666]]);
    }
}
