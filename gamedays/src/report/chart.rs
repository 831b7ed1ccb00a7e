//! Line charts as SVG, with the phases behind them.

use std::fmt::Write as _;

use time::OffsetDateTime;

use super::clock;
use crate::{Band, Moment, Phase, Sample};

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 168.0;
/// Room for the labels of the axis.
const LEFT: f64 = 52.0;
const BOTTOM: f64 = 18.0;
/// Room for the names of the phases and the marks of the moments.
const TOP: f64 = 34.0;
/// The width of a letter, to know which names have room.
const LETTER: f64 = 6.2;
/// Half the width of a mark.
const MARK: f64 = 7.5;

/// What a chart shows.
pub(super) struct Chart<'run> {
    pub(super) title: &'static str,
    pub(super) unit: &'static str,
    pub(super) value: fn(&Sample) -> Option<f64>,
    /// Whether the area under the line is filled: for what is bad when it is much.
    pub(super) filled: bool,
    /// What the steady state asks for.
    pub(super) bound: Option<f64>,
    pub(super) samples: &'run [Sample],
    pub(super) bands: &'run [Band],
    pub(super) moments: &'run [(&'static str, Option<&'run Moment>)],
}

/// Where things are.
struct Scale {
    from: OffsetDateTime,
    to: OffsetDateTime,
    top: f64,
}

impl Scale {
    fn x(&self, at: OffsetDateTime) -> f64 {
        let span = (self.to - self.from).as_seconds_f64().max(1.0);
        LEFT + (at - self.from).as_seconds_f64() / span * (WIDTH - LEFT)
    }

    fn y(&self, value: f64) -> f64 {
        TOP + (1.0 - value / self.top) * (HEIGHT - TOP - BOTTOM)
    }
}

impl Chart<'_> {
    /// The drawing; nothing where there is nothing to draw. Writing to a string does not fail.
    pub(super) fn svg(&self) -> String {
        let (Some(first), Some(last)) = (self.samples.first(), self.samples.last()) else { return String::new() };
        let most = self.samples.iter().filter_map(self.value).fold(self.bound.unwrap_or_default(), f64::max);
        let scale = Scale {
            from: self.bands.first().map_or(first.at, |band| band.from.min(first.at)),
            to: self.bands.last().map_or(last.at, |band| band.to.max(last.at)),
            // A line along the upper edge would look cut off.
            top: round_up(most * 1.05),
        };
        let mut svg = format!(
            "<figure><figcaption>{} <span>{}</span></figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{0}\">",
            self.title, self.unit
        );
        self.phases(&scale, &mut svg);
        grid(&scale, &mut svg);
        self.line(&scale, &mut svg);
        if let Some(bound) = self.bound {
            let y = scale.y(bound);
            let _ = write!(svg, "<line class=\"bound\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>");
        }
        self.marks(&scale, &mut svg);
        svg + "</svg></figure>\n"
    }

    fn phases(&self, scale: &Scale, svg: &mut String) {
        for band in self.bands {
            let (begin, end) = (scale.x(band.from), scale.x(band.to));
            let name = band.phase.to_string();
            let _ = write!(
                svg,
                "<rect class=\"{}\" x=\"{begin:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"><title>{name}</title></rect>",
                class(band.phase),
                (end - begin).max(0.5),
                HEIGHT - TOP - BOTTOM,
            );
            #[allow(clippy::cast_precision_loss, reason = "the length of a word")]
            if end - begin > name.len() as f64 * LETTER {
                let _ = write!(svg, "<text x=\"{:.1}\" y=\"10\">{name}</text>", begin + 2.0);
            }
        }
    }

    /// The line, and the area under it where that is wanted; both broken where nothing is known.
    fn line(&self, scale: &Scale, svg: &mut String) {
        for run in self.samples.split(|sample| (self.value)(sample).is_none()).filter(|run| !run.is_empty()) {
            let mut points = String::new();
            for (sample, value) in run.iter().filter_map(|sample| Some((sample, (self.value)(sample)?))) {
                let _ = write!(points, "L{:.1} {:.1}", scale.x(sample.at), scale.y(value));
            }
            let points = points.trim_start_matches('L');
            if self.filled {
                let (begin, end) = (scale.x(run[0].at), scale.x(run[run.len() - 1].at));
                let base = scale.y(0.0);
                let _ = write!(svg, "<path class=\"area\" d=\"M{begin:.1} {base:.1}L{points}L{end:.1} {base:.1}Z\"/>");
            }
            let _ = write!(svg, "<path class=\"line\" d=\"M{points}\"/>");
        }
    }

    /// A numbered mark for each moment; those at nearly the same time stand beside one another.
    fn marks(&self, scale: &Scale, svg: &mut String) {
        let mut free = 0.0_f64;
        for (number, (name, moment)) in (1..).zip(self.moments) {
            let Some(moment) = moment else { continue };
            let x = scale.x(moment.at);
            let place = x.max(free).min(WIDTH - MARK);
            free = place + 2.0 * MARK + 1.0;
            let _ = write!(
                svg,
                "<g class=\"mark\"><title>{name} {}</title><line class=\"moment\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{:.1}\"/>\
                 <circle cx=\"{place:.1}\" cy=\"23\" r=\"{MARK}\"/><text x=\"{place:.1}\" y=\"26.5\">{number}</text></g>",
                clock(moment.at),
                HEIGHT - BOTTOM,
            );
        }
    }
}

fn grid(scale: &Scale, svg: &mut String) {
    for value in [0.0, scale.top / 2.0, scale.top] {
        let y = scale.y(value);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"axis\" x=\"{:.1}\" y=\"{:.1}\">{value}</text>",
            LEFT - 6.0,
            y + 4.0
        );
    }
    for (at, place, anchor) in [(scale.from, LEFT, "start"), (scale.to, WIDTH, "end")] {
        let _ =
            write!(svg, "<text text-anchor=\"{anchor}\" x=\"{place}\" y=\"{:.1}\">{}</text>", HEIGHT - 4.0, clock(at));
    }
}

/// The next round number, for the top of an axis.
fn round_up(most: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let power = 10.0_f64.powf(most.log10().floor());
    [1.0, 1.2, 1.6, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|top| *top >= most)
        .unwrap_or(most)
}

fn class(phase: Phase) -> &'static str {
    match phase {
        Phase::Preflight | Phase::SteadyState | Phase::Rollback => "calm",
        Phase::Inject | Phase::Detect | Phase::Acknowledge => "unseen",
        Phase::Diagnose | Phase::Mitigate => "known",
        Phase::Verify => "proof",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{moments, tests::outcome};

    #[test]
    fn a_line_is_broken_where_nothing_is_known_and_marks_stand_apart() {
        let outcome = outcome();
        let moments = moments(&outcome.measured);
        let chart = Chart {
            title: "p95",
            unit: "ms",
            value: |sample| sample.p95_ms,
            filled: true,
            bound: Some(300.0),
            samples: &outcome.samples,
            bands: &outcome.bands,
            moments: &moments,
        };
        let svg = chart.svg();
        assert_eq!(svg.matches("class=\"line\"").count(), 2, "{svg}");
        assert!(svg.contains("class=\"known\"") && svg.contains(">400<"), "{svg}");
        let places = svg.split("<circle cx=\"").skip(1).filter_map(|rest| rest.split('"').next()?.parse::<f64>().ok());
        let places: Vec<f64> = places.collect();
        assert!(places.len() == 6 && places.windows(2).all(|two| two[1] - two[0] >= 2.0 * MARK), "{places:?}");
        let nothing = Chart { samples: &[], ..chart };
        assert_eq!(nothing.svg(), "");
    }

    #[test]
    fn axes_end_at_round_numbers() {
        for (most, top) in [(0.0, 1.0), (0.3, 0.3), (9.5, 10.0), (33.0, 40.0), (100.0, 100.0), (1201.0, 1600.0)] {
            assert!((round_up(most) - top).abs() < 1e-9, "{most}");
        }
    }
}
