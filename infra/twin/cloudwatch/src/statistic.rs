//! Statistics and extended statistics: what a datapoint's number is made of.
//!
//! Source: "CloudWatch statistics definitions" (Amazon CloudWatch User Guide). Percentiles are by nearest rank. As there, no
//! extended statistic exists where a statistic set hides the single values, or where a value is negative.

use crate::store::Pool;

/// One statistic.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Statistic {
    SampleCount,
    Average,
    Sum,
    Minimum,
    Maximum,
    /// 0 to 100.
    Percentile(f64),
    /// A statistic of the values within bounds.
    Within(Kind, Bounds),
}

/// What is computed of the values within bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    TrimmedMean,
    TrimmedCount,
    TrimmedSum,
    WinsorizedMean,
    PercentileRank,
}

/// Lower bound exclusive, upper inclusive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bounds {
    /// Ranks, 0 to 100.
    Percent(f64, f64),
    Absolute(f64, f64),
}

impl Statistic {
    /// One of the five that have names of their own.
    pub(crate) fn plain(name: &str) -> Option<Self> {
        Some(match name {
            "SampleCount" => Self::SampleCount,
            "Average" => Self::Average,
            "Sum" => Self::Sum,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            _ => return None,
        })
    }

    /// An extended statistic: `p95`, `tm90`, `TM(10%:90%)`, `PR(:0.5)`, `IQM`, …
    pub(crate) fn extended(name: &str) -> Option<Self> {
        const KINDS: [(&str, &str, Kind); 5] = [
            ("tm", "TM", Kind::TrimmedMean),
            ("tc", "TC", Kind::TrimmedCount),
            ("ts", "TS", Kind::TrimmedSum),
            ("wm", "WM", Kind::WinsorizedMean),
            ("", "PR", Kind::PercentileRank),
        ];
        if name == "IQM" {
            return Some(Self::Within(Kind::TrimmedMean, Bounds::Percent(25.0, 75.0)));
        }
        if let Some(rank) = name.strip_prefix('p') {
            return percent(rank).map(Self::Percentile);
        }
        let (short, long) = (name.get(..2)?, name.get(2..)?);
        let (lower, _, kind) = KINDS.into_iter().find(|(lower, upper, _)| *lower == short || *upper == short)?;
        if lower == short {
            return Some(Self::Within(kind, Bounds::Percent(0.0, percent(long)?)));
        }
        let (low, high) = long.strip_prefix('(')?.strip_suffix(')')?.split_once(':')?;
        let bounds = if low.ends_with('%') || high.ends_with('%') {
            let rank = |text: &str, open| if text.is_empty() { Some(open) } else { percent(text.strip_suffix('%')?) };
            Bounds::Percent(rank(low, 0.0)?, rank(high, 100.0)?)
        } else if low.is_empty() && high.is_empty() {
            return None;
        } else {
            let edge = |text: &str, open| if text.is_empty() { Some(open) } else { decimal(text) };
            Bounds::Absolute(edge(low, f64::NEG_INFINITY)?, edge(high, f64::INFINITY)?)
        };
        let (low, high) = match bounds {
            Bounds::Percent(..) if kind == Kind::PercentileRank => return None,
            Bounds::Percent(low, high) | Bounds::Absolute(low, high) => (low, high),
        };
        (low < high).then_some(Self::Within(kind, bounds))
    }

    /// Either form, as `Stat` of `GetMetricData` takes both.
    pub(crate) fn any(name: &str) -> Option<Self> {
        Self::plain(name).or_else(|| Self::extended(name))
    }

    /// Whether single values are needed.
    pub(crate) fn needs_values(&self) -> bool {
        matches!(self, Self::Percentile(_) | Self::Within(..))
    }

    /// Samples under which a percentile says little: 10/(1−p) above the median, 10/p below ("Percentile-based CloudWatch alarms
    /// and low data samples"). Nothing for other statistics.
    pub(crate) fn significant_samples(&self) -> Option<f64> {
        let Self::Percentile(rank) = self else { return None };
        let share = rank / 100.0;
        Some(10.0 / if share >= 0.5 { 1.0 - share } else { share })
    }

    /// The number for one datapoint; none when it does not exist.
    pub(crate) fn of(&self, pool: &mut Pool) -> Option<f64> {
        if pool.count <= 0.0 {
            return None;
        }
        let number = match self {
            Self::SampleCount => pool.count,
            Self::Average => pool.sum / pool.count,
            Self::Sum => pool.sum,
            Self::Minimum => pool.minimum,
            Self::Maximum => pool.maximum,
            Self::Percentile(_) | Self::Within(..) if !pool.complete || pool.minimum < 0.0 => return None,
            Self::Percentile(rank) => percentile(pool.sorted(), *rank)?,
            Self::Within(kind, bounds) => within(pool.sorted(), *kind, *bounds)?,
        };
        number.is_finite().then_some(number)
    }
}

/// Digits with at most ten decimals.
fn decimal(text: &str) -> Option<f64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    (!whole.is_empty() && digits(whole) && digits(decimals) && decimals.len() <= 10).then(|| text.parse().ok())?
}

fn percent(text: &str) -> Option<f64> {
    decimal(text).filter(|rank| (0.0..=100.0).contains(rank))
}

fn total(values: &[(f64, f64)]) -> f64 {
    values.iter().map(|(_, count)| count).sum()
}

/// The least value that `rank` percent of all are not above.
fn percentile(values: &[(f64, f64)], rank: f64) -> Option<f64> {
    let wanted = total(values) * rank / 100.0;
    let mut seen = 0.0;
    for (value, count) in values {
        seen += count;
        // Counts are sums of floating-point numbers.
        if seen >= wanted - 1e-9 {
            return Some(*value);
        }
    }
    values.last().map(|(value, _)| *value)
}

fn within(values: &[(f64, f64)], kind: Kind, bounds: Bounds) -> Option<f64> {
    let total = total(values);
    let (mut count, mut sum) = (0.0, 0.0);
    match bounds {
        Bounds::Absolute(low, high) => {
            for (value, times) in values.iter().filter(|(value, _)| *value > low && *value <= high) {
                count += times;
                sum += value * times;
            }
        }
        Bounds::Percent(low, high) => {
            let (from, to) = (total * low / 100.0, total * high / 100.0);
            let mut seen = 0.0;
            for (value, times) in values {
                let share = (f64::min(seen + times, to) - f64::max(seen, from)).max(0.0);
                seen += times;
                count += share;
                sum += value * share;
            }
        }
    }
    Some(match kind {
        Kind::TrimmedCount => count,
        Kind::TrimmedSum => sum,
        Kind::TrimmedMean => sum / count,
        Kind::PercentileRank => count / total * 100.0,
        Kind::WinsorizedMean => {
            let (low, high) = match bounds {
                Bounds::Absolute(low, high) => (low, high),
                Bounds::Percent(low, high) => {
                    let low = if low == 0.0 { f64::NEG_INFINITY } else { percentile(values, low)? };
                    (low, percentile(values, high)?)
                }
            };
            values.iter().map(|(value, times)| value.max(low).min(high) * times).sum::<f64>() / total
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hundred() -> Pool {
        Pool::of((1..=100).rev().map(|value| (f64::from(value), 1.0)).collect())
    }

    #[test]
    fn each_statistic_is_what_its_definition_says() {
        let cases = [
            ("SampleCount", 100.0),
            ("Average", 50.5),
            ("Sum", 5050.0),
            ("Minimum", 1.0),
            ("Maximum", 100.0),
            ("p50", 50.0),
            ("p95", 95.0),
            ("p99.5", 100.0),
            ("p0", 1.0),
            ("p100", 100.0),
            ("tm90", 45.5),
            ("TM(:90%)", 45.5),
            ("TM(10%:90%)", 50.5),
            ("TM(10:20)", 15.5),
            ("IQM", 50.5),
            ("tc90", 90.0),
            ("TC(80:)", 20.0),
            ("ts10", 55.0),
            ("TS(90%:)", 955.0),
            ("wm90", (4095.0 + 10.0 * 90.0) / 100.0),
            ("PR(:30)", 30.0),
            ("PR(10:30)", 20.0),
        ];
        for (name, expected) in cases {
            let found = Statistic::any(name).unwrap_or_else(|| panic!("{name}")).of(&mut hundred());
            assert!(found.is_some_and(|found| (found - expected).abs() < 1e-9), "{name}: {found:?}");
        }
    }

    #[test]
    fn what_does_not_exist_is_refused_or_absent() {
        for name in [
            "",
            "p",
            "p101",
            "p-1",
            "p5.12345678901",
            "pNaN",
            "tm",
            "TM()",
            "TM(90%:10%)",
            "TM(:)",
            "PR(1%:2%)",
            "average",
            "é",
            "TM(5:1)",
            "P95",
            "TM(1e3:)",
        ] {
            assert_eq!(Statistic::any(name), None, "{name}");
        }
        let p95 = Statistic::Percentile(95.0);
        let mut incomplete = hundred();
        incomplete.complete = false;
        assert_eq!(p95.of(&mut incomplete), None);
        assert_eq!(p95.of(&mut Pool::of(vec![(-1.0, 1.0), (1.0, 1.0)])), None);
        assert_eq!(p95.significant_samples().map(f64::round), Some(200.0));
        assert_eq!(Statistic::Percentile(10.0).significant_samples(), Some(100.0));
    }

    proptest! {
        #[test]
        fn no_name_and_no_values_make_it_panic(
            name in "(p|tm|TM|WM|wm|PR|TC|ts|IQM)?[(]?[0-9%:.]{0,12}[)]?",
            values in proptest::collection::vec((0.0_f64..1e6, 0.0_f64..100.0), 0..50),
        ) {
            let mut pool = Pool::of(values);
            if let Some(statistic) = Statistic::any(&name) {
                prop_assert!(statistic.of(&mut pool).is_none_or(f64::is_finite));
            }
        }
    }
}
