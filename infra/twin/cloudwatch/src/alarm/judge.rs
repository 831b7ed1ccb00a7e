//! The state of a metric alarm from its datapoints: pure, so that AWS's tables can be its tests.
//!
//! Source: "Configuring how CloudWatch alarms treat missing data" and "Avoiding premature transitions to alarm state" (Amazon
//! CloudWatch User Guide). The *evaluation range* is longer than the N evaluation periods. Where the guide leaves open how much,
//! it is [`EXTRA_PERIODS`] here, as in its examples (3 periods, 5 datapoints).
//! 1. N or more real datapoints in the range: the newest N are judged, missing ones play no part.
//! 2. Fewer: missing ones are filled in, as few as are needed to have N, and judged as `TreatMissingData` says.
//! 3. `missing` and `ignore`, when the fewer are all breaching but less than M: ALARM (`ignore`: no change) when the oldest is at
//!    least M periods old, because newer ones could no longer make it a false alarm. Else the state stays as it is.

use super::{Missing, State};

/// Datapoints that are looked at beyond the evaluation periods.
pub(crate) const EXTRA_PERIODS: usize = 2;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// None: the state stays as it is.
    pub(crate) state: Option<State>,
    /// Indexes into the range of the real datapoints that were judged, oldest first.
    pub(crate) judged: Vec<usize>,
    /// Missing datapoints that were filled in.
    pub(crate) filled: usize,
}

/// Judges a range, oldest first: for each period whether its datapoint breaches, none where it is missing. `periods` is N,
/// `needed` is M.
pub(crate) fn judge(range: &[Option<bool>], periods: usize, needed: usize, missing: Missing) -> Verdict {
    let real: Vec<(usize, bool)> =
        range.iter().enumerate().filter_map(|(index, point)| Some((index, (*point)?))).collect();
    let judged = &real[real.len().saturating_sub(periods)..];
    let breaching = judged.iter().filter(|(_, breaches)| *breaches).count();
    let filled = periods - judged.len();
    let by_count = |breaching: usize| Some(if breaching >= needed { State::Alarm } else { State::Ok });
    let state = if filled == 0 || breaching >= needed {
        by_count(breaching)
    } else {
        match missing {
            Missing::Breaching => by_count(breaching + filled),
            Missing::NotBreaching => Some(State::Ok),
            Missing::Unknown if judged.is_empty() => Some(State::InsufficientData),
            Missing::Ignore if judged.is_empty() => None,
            Missing::Unknown | Missing::Ignore if breaching < judged.len() => Some(State::Ok),
            Missing::Ignore => None,
            Missing::Unknown => {
                let oldest_age = judged.first().map_or(0, |(index, _)| range.len() - index);
                (oldest_age >= needed).then_some(State::Alarm)
            }
        }
    };
    Verdict { state, judged: judged.iter().map(|(index, _)| *index).collect(), filled }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The guide's notation: `0` within the threshold, `X` breaching, `-` missing.
    fn range(points: &str) -> Vec<Option<bool>> {
        points.split(' ').map(|point| (point != "-").then_some(point == "X")).collect()
    }

    fn states(points: &str, needed: usize) -> [&'static str; 4] {
        Missing::ALL.map(|missing| judge(&range(points), 3, needed, missing).state.map_or("retain", State::name))
    }

    #[test]
    fn three_out_of_three_as_in_the_guide() {
        // Columns: missing, ignore, breaching, notBreaching.
        assert_eq!(states("0 - X - X", 3), ["OK"; 4]);
        assert_eq!(states("- - - - 0", 3), ["OK"; 4]);
        assert_eq!(states("0 - - - -", 3), ["OK"; 4]);
        assert_eq!(states("- - - - -", 3), ["INSUFFICIENT_DATA", "retain", "ALARM", "OK"]);
        assert_eq!(states("0 X X - X", 3), ["ALARM"; 4]);
        assert_eq!(states("- - X - -", 3), ["ALARM", "retain", "ALARM", "OK"]);
        assert_eq!(states("X - - - -", 3), ["ALARM", "retain", "ALARM", "OK"]);
    }

    #[test]
    fn two_out_of_three_as_in_the_guide() {
        assert_eq!(states("0 - X - X", 2), ["ALARM"; 4]);
        assert_eq!(states("0 0 X 0 X", 2), ["ALARM"; 4]);
        assert_eq!(states("0 - X - -", 2), ["OK", "OK", "ALARM", "OK"]);
        assert_eq!(states("- - - - 0", 2), ["OK", "OK", "ALARM", "OK"]);
        assert_eq!(states("- - - X -", 2), ["ALARM", "retain", "ALARM", "OK"]);
    }

    #[test]
    fn a_single_new_breach_after_silence_is_no_alarm_yet() {
        for points in ["- - - - X", "- - - X -"] {
            assert_eq!(states(points, 3), ["retain", "retain", "ALARM", "OK"], "{points}");
        }
        assert_eq!(states("- - - X X", 2), ["ALARM"; 4], "two real breaches are enough for 2 of 3");
    }

    #[test]
    fn the_fewest_missing_points_are_filled() {
        assert_eq!(judge(&range("0 - X - -"), 3, 2, Missing::Breaching).filled, 1);
        assert_eq!(judge(&range("0 - - - -"), 3, 3, Missing::Breaching).filled, 2);
        let verdict = judge(&range("0 X X - X"), 3, 3, Missing::Unknown);
        assert_eq!((verdict.judged, verdict.filled), (vec![1, 2, 4], 0));
    }

    proptest! {
        #[test]
        fn any_range_is_judged(
            range in proptest::collection::vec(any::<Option<bool>>(), 0..20),
            periods in 1_usize..12,
            share in 0.0_f64..1.0,
            missing in prop::sample::select(Missing::ALL.to_vec()),
        ) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a test")]
            let needed = 1 + (share * (periods - 1) as f64) as usize;
            let verdict = judge(&range, periods, needed, missing);
            prop_assert_eq!(verdict.judged.len() + verdict.filled, periods);
            let breaching = verdict.judged.iter().filter(|index| range[**index] == Some(true)).count();
            if breaching >= needed {
                prop_assert_eq!(verdict.state, Some(State::Alarm), "M breaching points are an alarm whatever is missing");
            }
            if verdict.filled == 0 {
                prop_assert_eq!(verdict.state, Some(if breaching >= needed { State::Alarm } else { State::Ok }));
            }
            if verdict.state == Some(State::InsufficientData) {
                prop_assert!(verdict.judged.is_empty() && missing == Missing::Unknown);
            }
        }
    }
}
