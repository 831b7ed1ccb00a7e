//! Whole evaluations: what any data and any settings come to, and the reasons in AWS's words.

use proptest::prelude::*;
use twin_platform::Speed;

use super::{judge::Verdict, measure, reason, reason::Point, *};
use crate::store::{Bucket, Store};

const NOW_S: i64 = 1_795_252_800;

fn watched(stat: &str) -> Watched {
    Watched::One {
        metric: Metric::new("Lab", "m", Vec::new()),
        stat: stat.to_owned(),
        statistic: Statistic::any(stat).expect("a statistic"),
        unit: None,
    }
}

fn alarm(periods: usize, needed: usize, missing: Option<Missing>) -> MetricAlarm {
    MetricAlarm {
        watched: watched("Sum"),
        period_s: 60,
        evaluation_periods: periods,
        datapoints_to_alarm: Some(needed),
        threshold: 1.0,
        comparison: Comparison::GreaterOrEqual,
        missing,
        ignore_low_samples: None,
    }
}

fn points(values: &[f64]) -> Vec<Point> {
    let point = |(at, value): (i64, &f64)| Point {
        at_ms: (NOW_S + at * 60) * 1000,
        value: *value,
        samples: Some(1.0),
        breaches: *value >= 1.0,
    };
    (0..).zip(values).map(point).collect()
}

#[test]
fn reasons_are_in_the_words_of_aws() {
    let text = |alarm: &MetricAlarm, state, values: &[f64], filled| {
        reason::text(alarm, state, &points(values), &Verdict { state: Some(state), judged: Vec::new(), filled })
    };
    let not_breaching = alarm(20, 1, Some(Missing::NotBreaching));
    assert_eq!(
        text(&not_breaching, State::Alarm, &[613.0], 19),
        "Threshold Crossed: 1 out of the last 20 datapoints [613.0 (21/11/26 09:20:00)] was greater than or equal to the threshold (1.0) and 19 missing datapoints were treated as [NonBreaching] (minimum 1 datapoint for OK -> ALARM transition)."
    );
    assert_eq!(
        text(&alarm(3, 2, None), State::Alarm, &[2.0, 0.0, 3.0], 0),
        "Threshold Crossed: 2 out of the last 3 datapoints [3.0 (21/11/26 09:22:00), 2.0 (21/11/26 09:20:00)] were greater than or equal to the threshold (1.0) (minimum 2 datapoints for OK -> ALARM transition)."
    );
    assert_eq!(
        text(&alarm(3, 2, None), State::Ok, &[2.0, 0.0, 0.5], 0),
        "Threshold Crossed: 2 out of the last 3 datapoints [0.5 (21/11/26 09:22:00), 0.0 (21/11/26 09:21:00)] were not greater than or equal to the threshold (1.0) (minimum 2 datapoints for ALARM -> OK transition)."
    );
    let long = text(&alarm(6, 5, None), State::Alarm, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 0);
    assert!(long.starts_with("Threshold Crossed: 6 out of the last 6 datapoints were greater than or equal to the threshold (1.0). The most recent datapoints which crossed the threshold: [6.0 (21/11/26 09:25:00), "), "{long}");
    let breaching = alarm(3, 2, Some(Missing::Breaching));
    assert_eq!(
        text(&breaching, State::Alarm, &[], 3),
        "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as [Breaching]."
    );
    assert_eq!(
        text(&breaching, State::Alarm, &[0.0], 2),
        "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as [Breaching]."
    );
    assert_eq!(
        text(&alarm(1, 1, None), State::InsufficientData, &[], 1),
        "Insufficient Data: 1 datapoint was unknown."
    );
}

#[test]
fn a_window_is_a_period_divided_by_the_speed() {
    let window = |period_s, factor| measure::window_s(period_s, Speed::new(factor).expect("a speed"));
    assert_eq!(
        [window(60, 1.0), window(60, 10.0), window(60, 7.0), window(10, 100.0), window(300, 10.0)],
        [60, 6, 9, 1, 30]
    );
}

proptest! {
    #[test]
    fn any_evaluation_has_a_reason_that_fits(
        seconds in proptest::collection::vec((0_i64..400, -10.0_f64..10.0, 1.0_f64..100.0), 0..100),
        periods in 1_usize..40,
        share in 0.0_f64..1.0,
        missing in prop::sample::select(Missing::ALL.to_vec()),
        comparison in prop::sample::select(Comparison::ALL.to_vec()),
        stat in prop::sample::select(vec!["Sum", "Average", "Minimum", "SampleCount", "p95", "tm90", "PR(:1)"]),
        ignore in any::<Option<bool>>(),
        factor in 1.0_f64..100.0,
        period_s in prop::sample::select(vec![10_i64, 60, 300, 3600]),
    ) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a test")]
        let needed = 1 + (share * (periods - 1) as f64) as usize;
        let alarm = MetricAlarm {
            watched: watched(stat), period_s, comparison, ignore_low_samples: ignore, ..alarm(periods, needed, Some(missing))
        };
        let mut store = Store::default();
        for (second, value, count) in seconds {
            let mut bucket = Bucket::at(NOW_S - second);
            bucket.add(value, count);
            store.add(Metric::new("Lab", "m", Vec::new()), "None", bucket, NOW_S);
        }
        let finding = measure::evaluate(&alarm, &store, Speed::new(factor).expect("a speed"), NOW_S * 1000);
        if let Some(state) = finding.state {
            prop_assert!(!finding.reason.is_empty() && finding.reason.chars().count() <= 1023, "{}", finding.reason);
            prop_assert_eq!(state == State::InsufficientData, finding.reason.starts_with("Insufficient Data"));
        }
        let data = finding.reason_data.expect("data");
        prop_assert!(data.len() <= 4000);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&data).is_ok());
    }
}
