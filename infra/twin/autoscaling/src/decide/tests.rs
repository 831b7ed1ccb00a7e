//! AWS's rules as tests.

use proptest::prelude::*;

use super::*;
use crate::policy::{Step, StepScaling};

fn situation(capacity: i64) -> Situation {
    Situation {
        capacity,
        minimum: 2,
        maximum: 10,
        suspended_in: false,
        suspended_out: false,
        deploying: false,
        busy: false,
        cooldown: None,
        now_ms: 1000,
    }
}

fn cooling(direction: Direction, before: i64) -> Option<Cooldown> {
    Some(Cooldown { direction, before, lasts_ms: 300, until_ms: 1300 })
}

fn out(wanted: i64) -> Proposal {
    Proposal { direction: Direction::Out, wanted }
}

fn fewer(wanted: i64) -> Proposal {
    Proposal { direction: Direction::In, wanted }
}

#[test]
fn target_tracking_scales_out_in_proportion() {
    let wanted = |capacity, datapoints: &[f64]| {
        tracking::scale_out(&situation(capacity), datapoints, 60.0).map(|proposal| proposal.wanted)
    };
    assert_eq!(wanted(2, &[90.0, 90.0, 90.0]), Some(3));
    assert_eq!(wanted(2, &[120.0, 180.0, 240.0]), Some(6), "the mean is three times the target");
    assert_eq!(wanted(3, &[60.1]), Some(4), "one more at least");
    assert_eq!(wanted(0, &[600.0]), Some(10));
    assert_eq!(wanted(2, &[]), None);
    assert_eq!(wanted(2, &[f64::NAN]), None);
}

#[test]
fn target_tracking_scales_in_by_the_highest_datapoint_and_gradually() {
    assert_eq!(tracking::scale_in(4, &[10.0, 20.0], 60.0), Some(3), "one task, not half of them");
    assert_eq!(tracking::scale_in(40, &[10.0], 60.0), Some(36), "a tenth");
    assert_eq!(tracking::scale_in(4, &[1.0, 50.0], 60.0), Some(4), "three tasks would have 67 of 60");
    assert_eq!(tracking::scale_in(3, &[60.0], 60.0), Some(3));
    assert_eq!(tracking::scale_in(3, &[], 60.0), None);
}

#[test]
fn bounds_hold_and_a_count_outside_is_mended_by_the_alarm_of_that_side() {
    assert_eq!(situation(9).decide(out(14)), Decision::Scale(10));
    let full = Decision::NotScaled(NotScaled::AlreadyAtMaxCapacity { maximum: 10 });
    assert_eq!(situation(10).decide(out(14)), full);
    let empty = Decision::NotScaled(NotScaled::AlreadyAtMinCapacity { minimum: 2 });
    assert_eq!(situation(2).decide(fewer(1)), empty);
    // Somebody set 0 or 12 by hand.
    assert_eq!(situation(0).decide(out(1)), Decision::Scale(2));
    assert_eq!(situation(0).decide(fewer(0)), empty);
    assert_eq!(situation(12).decide(fewer(11)), Decision::Scale(10));
    assert_eq!(situation(12).decide(out(13)), full);
}

#[test]
fn during_a_cooldown_only_a_larger_scale_out_adds_and_nothing_is_taken() {
    let after_two_more = Situation { cooldown: cooling(Direction::Out, 4), ..situation(6) };
    assert_eq!(after_two_more.base(), 4, "the two that were added are part of the next three");
    assert_eq!(after_two_more.decide(out(6)), Decision::Rest);
    assert_eq!(after_two_more.decide(out(7)), Decision::Scale(7));
    assert_eq!(after_two_more.decide(fewer(5)), Decision::Rest);
    let after_scale_in = Situation { cooldown: cooling(Direction::In, 7), ..situation(6) };
    assert_eq!(after_scale_in.decide(fewer(5)), Decision::Rest);
    assert_eq!(after_scale_in.decide(out(7)), Decision::Scale(7), "scale-out does not wait for it");
    let over = Situation { now_ms: 1300, ..after_two_more };
    assert_eq!((over.base(), over.decide(fewer(5))), (6, Decision::Scale(5)));
}

#[test]
fn a_deployment_turns_scale_in_off_and_not_scale_out() {
    let deploying = Situation { deploying: true, ..situation(6) };
    assert_eq!(deploying.decide(fewer(5)), Decision::NotScaled(NotScaled::TargetServicePutResourceAsUnscalable));
    assert_eq!(deploying.decide(out(7)), Decision::Scale(7));
}

#[test]
fn what_is_suspended_rests() {
    let suspended = Situation { suspended_in: true, suspended_out: true, ..situation(6) };
    assert_eq!((suspended.decide(out(7)), suspended.decide(fewer(5))), (Decision::Rest, Decision::Rest));
}

fn steps(kind: &str, steps: &[(Option<f64>, Option<f64>, i64)]) -> StepScaling {
    let step = |(lower, upper, adjustment): &(Option<f64>, Option<f64>, i64)| Step {
        lower: *lower,
        upper: *upper,
        adjustment: *adjustment,
    };
    StepScaling {
        adjustment_type: Some(kind.to_owned()),
        step_adjustments: Some(steps.iter().map(step).collect()),
        min_adjustment_magnitude: None,
        cooldown: None,
        metric_aggregation_type: None,
    }
}

fn wanted(policy: &StepScaling, capacity: i64, beyond: f64, above: bool) -> Option<i64> {
    step::proposal(&situation(capacity), policy, beyond, above).map(|proposal| proposal.wanted)
}

/// The tables of "Step scaling policies": a threshold of 50, and metric values of 50 to 59, 60 to 69, 70 and more, and the same
/// downwards.
#[test]
fn steps_are_chosen_by_how_far_the_metric_is_beyond() {
    let up = steps(
        "PercentChangeInCapacity",
        &[(Some(0.0), Some(10.0), 0), (Some(10.0), Some(20.0), 10), (Some(20.0), None, 30)],
    );
    for (beyond, capacity) in [(0.0, 10), (9.9, 10), (10.0, 11), (19.9, 11), (20.0, 13), (400.0, 13)] {
        assert_eq!(wanted(&up, 10, beyond, true), Some(capacity), "{beyond}");
    }
    let down = steps(
        "PercentChangeInCapacity",
        &[(Some(-10.0), Some(0.0), 0), (Some(-20.0), Some(-10.0), -10), (None, Some(-20.0), -30)],
    );
    for (beyond, capacity) in [(0.0, 10), (-9.9, 10), (-10.0, 9), (-19.9, 9), (-20.0, 7), (-400.0, 7)] {
        assert_eq!(wanted(&down, 10, beyond, false), Some(capacity), "{beyond}");
    }
    assert_eq!(wanted(&up, 10, -1.0, true), None, "no step covers it");
}

#[test]
fn percentages_are_cut_and_are_one_task_at_least() {
    let by = |adjustment, least| StepScaling {
        min_adjustment_magnitude: least,
        ..steps("PercentChangeInCapacity", &[(Some(0.0), None, adjustment)])
    };
    assert_eq!(wanted(&by(127, None), 10, 1.0, true), Some(22), "12.7 are 12");
    assert_eq!(wanted(&by(10, None), 4, 1.0, true), Some(5), "0.4 are 1");
    assert_eq!(wanted(&by(-10, None), 4, 1.0, true), Some(3));
    assert_eq!(wanted(&by(-67, None), 10, 1.0, true), Some(4), "-6.7 are -6");
    assert_eq!(wanted(&by(25, Some(2)), 4, 1.0, true), Some(6), "AWS's example of MinAdjustmentMagnitude");
}

#[test]
fn an_exact_capacity_goes_either_way() {
    let exact = steps("ExactCapacity", &[(Some(0.0), None, 5)]);
    let direction = |capacity| step::proposal(&situation(capacity), &exact, 1.0, true).map(|it| it.direction);
    assert_eq!((direction(3), direction(8)), (Some(Direction::Out), Some(Direction::In)));
    assert_eq!(situation(5).decide(out(5)), Decision::NotScaled(NotScaled::AlreadyAtDesiredCapacity { current: 5 }));
}

/// One minute of a service: the metric of each policy, and whether a deployment is under way.
type Minute = (f64, f64, bool);

proptest! {
    /// Whatever the metrics do, the count stays within the bounds, nothing is taken while a cooldown lasts, and a scale-out
    /// during one only ever adds to what the first one began from.
    #[test]
    fn the_count_stays_in_bounds_and_does_not_flap(
        start in 0_i64..20,
        minutes in proptest::collection::vec((0.0_f64..400.0, 0.0_f64..400.0, any::<bool>()), 1..60),
    ) {
        let mut capacity = start;
        let mut cooldown: Option<Cooldown> = None;
        let mut now_ms = 0;
        for (cpu, requests, deploying) in minutes as Vec<Minute> {
            now_ms += 60_000;
            for metric in [cpu, requests] {
                let now = Situation { capacity, cooldown, deploying, now_ms, ..situation(capacity) };
                let proposal = if metric > 60.0 {
                    tracking::scale_out(&now, &[metric], 60.0)
                } else if cpu < 54.0 && requests < 54.0 {
                    tracking::scale_in(capacity, &[metric], 60.0).map(fewer)
                } else {
                    None
                };
                let Some(proposal) = proposal else { continue };
                let Decision::Scale(desired) = now.decide(proposal) else { continue };
                prop_assert!((now.minimum..=now.maximum).contains(&desired), "{desired}");
                let direction = if desired > capacity { Direction::Out } else { Direction::In };
                prop_assert_eq!(direction, proposal.direction);
                if let Some(running) = cooldown.filter(|running| now_ms < running.until_ms) {
                    prop_assert_eq!(direction, Direction::Out, "taken in a cooldown");
                    prop_assert!(running.direction == Direction::In || now.base() == running.before);
                }
                prop_assert!(direction == Direction::Out || !deploying);
                let before = if direction == Direction::Out { now.base() } else { capacity };
                cooldown = Some(Cooldown { direction, before, lasts_ms: 300_000, until_ms: now_ms + 300_000 });
                capacity = desired;
            }
        }
    }

    #[test]
    fn any_step_policy_gives_a_count_in_bounds(
        capacity in 0_i64..2000,
        kind in prop::sample::select(vec!["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"]),
        adjustment in any::<i64>(),
        beyond in any::<f64>(),
        above in any::<bool>(),
    ) {
        let policy = steps(kind, &[(None, Some(0.0), adjustment), (Some(0.0), None, adjustment)]);
        let now = situation(capacity);
        if let Some(proposal) = step::proposal(&now, &policy, beyond, above)
            && let Decision::Scale(desired) = now.decide(proposal)
        {
            prop_assert!((2..=10).contains(&desired));
        }
    }
}
