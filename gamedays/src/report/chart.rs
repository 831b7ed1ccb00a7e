//! Line charts as SVG, with the phases behind them.

use std::fmt::Write as _;

use time::OffsetDateTime;

use super::clock;
use crate::{Band, Moment, Phase, Sample};

const WIDTH: f64 = 920.0;
const HEIGHT: f64 = 150.0;
/// Room for the labels of the axis.
const LEFT: f64 = 58.0;
const BOTTOM: f64 = 18.0;
/// Room for the names of the phases.
const TOP: f64 = 14.0;

/// What a chart shows.
pub(super) struct Chart<'run> {
    pub(super) title: &'static str,
    pub(super) unit: &'static str,
    pub(super) value: fn(&Sample) -> Option<f64>,
    pub(super) samples: &'run [Sample],
    pub(super) bands: &'run [Band],
    pub(super) moments: &'run [(&'static str, Option<&'run Moment>)],
}

impl Chart<'_> {
    /// The drawing; nothing where there is nothing to draw.
    pub(super) fn svg(&self) -> String {
        let (Some(first), Some(last)) = (self.samples.first(), self.samples.last()) else { return String::new() };
        let from = self.bands.first().map_or(first.at, |band| band.from.min(first.at));
        let to = self.bands.last().map_or(last.at, |band| band.to.max(last.at));
        let span = (to - from).as_seconds_f64().max(1.0);
        let x = |at: OffsetDateTime| LEFT + (at - from).as_seconds_f64() / span * (WIDTH - LEFT);
        let most = self.samples.iter().filter_map(self.value).fold(0.0_f64, f64::max);
        let top = round_up(most);
        let y = |value: f64| TOP + (1.0 - value / top) * (HEIGHT - TOP - BOTTOM);
        let mut svg = format!(
            "<figure><figcaption>{} ({})</figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{0}\">",
            self.title, self.unit
        );
        for band in self.bands {
            let (begin, end) = (x(band.from), x(band.to));
            // Writing to a string does not fail.
            let _ = write!(
                svg,
                "<rect class=\"{}\" x=\"{begin:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"><title>{}</title></rect>",
                class(band.phase),
                (end - begin).max(0.5),
                HEIGHT - TOP - BOTTOM,
                band.phase
            );
            if end - begin > 60.0 {
                let _ = write!(svg, "<text class=\"phase\" x=\"{:.1}\" y=\"10\">{}</text>", begin + 2.0, band.phase);
            }
        }
        for value in [0.0, top / 2.0, top] {
            let at = y(value);
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
                 <text class=\"axis\" x=\"{:.1}\" y=\"{:.1}\">{value}</text>",
                LEFT - 6.0,
                at + 4.0
            );
        }
        for (name, moment) in self.moments {
            if let Some(moment) = moment {
                let at = x(moment.at);
                let _ = write!(
                    svg,
                    "<line class=\"moment\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{:.1}\"><title>{name} {}</title></line>",
                    HEIGHT - BOTTOM,
                    clock(moment.at)
                );
            }
        }
        let _ = write!(svg, "<path class=\"line\" d=\"{}\"/>", self.path(&x, &y));
        let ends = [(from, LEFT, "start"), (to, WIDTH, "end")];
        for (at, place, anchor) in ends {
            let _ = write!(
                svg,
                "<text class=\"clock\" text-anchor=\"{anchor}\" x=\"{place}\" y=\"{:.1}\">{}</text>",
                HEIGHT - 4.0,
                clock(at)
            );
        }
        svg + "</svg></figure>"
    }

    /// The line, broken where nothing is known.
    fn path(&self, x: &impl Fn(OffsetDateTime) -> f64, y: &impl Fn(f64) -> f64) -> String {
        let (mut path, mut is_down) = (String::new(), false);
        for sample in self.samples {
            match (self.value)(sample) {
                Some(value) => {
                    let _ = write!(path, "{}{:.1} {:.1}", if is_down { "L" } else { "M" }, x(sample.at), y(value));
                    is_down = true;
                }
                None => is_down = false,
            }
        }
        path
    }
}

/// The next round number, for the top of an axis.
fn round_up(most: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let power = 10.0_f64.powf(most.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|top| *top >= most).unwrap_or(most)
}

fn class(phase: Phase) -> &'static str {
    match phase {
        Phase::Preflight | Phase::SteadyState | Phase::Rollback => "calm",
        Phase::Inject | Phase::Detect => "unseen",
        Phase::Acknowledge | Phase::Diagnose | Phase::Mitigate => "known",
        Phase::Verify => "proof",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::outcome;

    #[test]
    fn a_line_is_broken_where_nothing_is_known() {
        let outcome = outcome();
        let chart = Chart {
            title: "p95",
            unit: "ms",
            value: |sample| sample.p95_ms,
            samples: &outcome.samples,
            bands: &outcome.bands,
            moments: &[],
        };
        let svg = chart.svg();
        assert_eq!(svg.matches('M').count(), 2, "{svg}");
        assert!(svg.contains("class=\"known\"") && svg.contains(">10<"), "{svg}");
        let nothing = Chart { samples: &[], ..chart };
        assert_eq!(nothing.svg(), "");
    }

    #[test]
    fn axes_end_at_round_numbers() {
        for (most, top) in [(0.0, 1.0), (0.3, 0.5), (9.5, 10.0), (33.0, 50.0), (100.0, 100.0), (1201.0, 2000.0)] {
            assert!((round_up(most) - top).abs() < 1e-9, "{most}");
        }
    }
}
