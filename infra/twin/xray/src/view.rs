//! What a trace means: which services took part, who called whom, where the request came in.
//!
//! A subsegment belongs to the segment it hangs under, over any number of subsegments. A call (`namespace` aws or remote) leads to
//! the segment that names it as parent, or else to a service that is *inferred* from the call. A load balancer gives its targets
//! only the trace's id, so a segment without a parent in the trace hangs under the balancer's segment that it lies within.

use std::borrow::Cow;

use crate::{
    SegmentId,
    segment::{Kind, LOAD_BALANCER_ORIGIN, Segment},
    store::Trace,
};

/// A trace, understood.
pub(crate) struct View<'a> {
    pub(crate) trace: &'a Trace,
    /// One visit to a service each: the segments, then what is inferred.
    pub(crate) units: Vec<Unit<'a>>,
    pub(crate) calls: Vec<Call<'a>>,
    /// The unit where the request came in.
    pub(crate) root: Option<usize>,
    /// Whether something is in progress, or a subsegment came without its segment.
    pub(crate) partial: bool,
    /// Per segment of the trace: the index of the segment that its parent is, if it is there.
    parents: Vec<Option<usize>>,
}

/// One visit to one service.
pub(crate) struct Unit<'a> {
    /// The service's segment, or the call from which the visit is inferred.
    pub(crate) segment: &'a Segment,
    /// The segment's place in the trace.
    pub(crate) index: usize,
    pub(crate) id: SegmentId,
    /// Type of the service; none when its segment does not say.
    pub(crate) kind: Option<Cow<'a, str>>,
    pub(crate) inferred: bool,
    /// The balancer's segment, when that is its parent by time alone.
    pub(crate) adopted_by: Option<SegmentId>,
}

impl<'a> Unit<'a> {
    pub(crate) fn name(&self) -> &'a str {
        &self.segment.name
    }
}

/// One unit calling another.
pub(crate) struct Call<'a> {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// The call as it was seen: the caller's subsegment, or the called segment where there is none.
    pub(crate) seen: &'a Segment,
}

impl<'a> View<'a> {
    pub(crate) fn of(trace: &'a Trace) -> Self {
        let segments = &trace.segments;
        let mut places: Vec<(SegmentId, usize)> =
            segments.iter().enumerate().map(|(index, segment)| (segment.id, index)).collect();
        places.sort_unstable();
        let place = |id: SegmentId| places.binary_search_by_key(&id, |place| place.0).ok().map(|at| places[at].1);
        let parents: Vec<Option<usize>> = segments
            .iter()
            .enumerate()
            .map(|(index, segment)| segment.parent_id.and_then(place).filter(|parent| *parent != index))
            .collect();
        let mut view = Self { trace, units: Vec::new(), calls: Vec::new(), root: None, partial: false, parents };
        let mut unit_of = vec![None; segments.len()];
        for (index, segment) in segments.iter().enumerate().filter(|(_, segment)| segment.kind == Kind::Segment) {
            unit_of[index] = Some(view.units.len());
            let kind = segment.origin.as_deref().map(Cow::Borrowed);
            let unit = Unit { segment, index, id: segment.id, kind, inferred: false, adopted_by: None };
            view.units.push(unit);
        }
        view.connect_segments(&unit_of);
        view.connect_calls(&unit_of);
        view.partial |= segments.iter().any(|segment| segment.end_time.is_none());
        view.root = view.find_root();
        view
    }

    /// Who called each segment.
    fn connect_segments(&mut self, unit_of: &[Option<usize>]) {
        let own = self.units.len();
        for unit in 0..own {
            let Unit { segment, index, .. } = self.units[unit];
            let caller = self.parents[index].and_then(|parent| Some((parent, unit_of[self.owner(parent)?]?)));
            // A target may hang under the balancer's own caller: the balancer passes `Parent` on as it came.
            let balancer = self.balancer_of(unit);
            let balancer = balancer
                .filter(|balancer| caller.is_none() || self.units[*balancer].segment.parent_id == segment.parent_id);
            match (balancer, caller) {
                (Some(from), _) => {
                    self.units[unit].adopted_by = Some(self.units[from].id);
                    self.calls.push(Call { from, to: unit, seen: segment });
                }
                (None, Some((parent, from))) if from != unit => {
                    let parent = &self.trace.segments[parent];
                    let seen = if parent.kind.is_call() { parent } else { segment };
                    self.calls.push(Call { from, to: unit, seen });
                }
                (None, _) => {}
            }
        }
    }

    /// Calls that no segment answers lead to inferred units.
    fn connect_calls(&mut self, unit_of: &[Option<usize>]) {
        let mut answered = vec![false; self.trace.segments.len()];
        for unit in &self.units {
            if let Some(parent) = self.parents[unit.index] {
                answered[parent] = true;
            }
        }
        for (index, segment) in self.trace.segments.iter().enumerate() {
            if segment.kind == Kind::Segment {
                continue;
            }
            let Some(from) = self.owner(index).and_then(|owner| unit_of[owner]) else {
                self.partial = true;
                continue;
            };
            if segment.kind.is_call() && !answered[index] {
                let id = segment.id.derived(0);
                let kind = Some(called_type(segment));
                self.calls.push(Call { from, to: self.units.len(), seen: segment });
                self.units.push(Unit { segment, index, id, kind, inferred: true, adopted_by: None });
            }
        }
    }

    /// The balancer's unit that this parentless one lies within: of several (one trace id on many requests) the last begun.
    fn balancer_of(&self, unit: usize) -> Option<usize> {
        let segment = self.units[unit].segment;
        let is_balancer = |other: &Unit<'_>| other.segment.origin.as_deref() == Some(LOAD_BALANCER_ORIGIN);
        if is_balancer(&self.units[unit]) {
            return None;
        }
        let holds = |other: &Unit<'_>| {
            let end = other.segment.end_time.unwrap_or(f64::INFINITY);
            is_balancer(other) && other.segment.start_time <= segment.start_time && segment.start_time <= end
        };
        let candidates = self.units.iter().enumerate().filter(|(_, other)| holds(other));
        let last = candidates.max_by(|a, b| a.1.segment.start_time.total_cmp(&b.1.segment.start_time));
        last.map(|(index, _)| index)
    }

    /// The segment to which this segment or subsegment belongs; none when it has not come, or when parents go in a circle.
    fn owner(&self, index: usize) -> Option<usize> {
        let mut at = index;
        for _ in 0..=self.trace.segments.len() {
            if self.trace.segments[at].kind == Kind::Segment {
                return Some(at);
            }
            at = self.parents[at]?;
        }
        None
    }

    /// Under which one a subsegment is shown: its parent, or the ancestor at `max_depth`. None for segments, and for subsegments
    /// without a segment.
    pub(crate) fn holder(&self, index: usize, max_depth: usize) -> Option<usize> {
        if self.trace.segments[index].kind == Kind::Segment {
            return None;
        }
        let owner = self.owner(index)?;
        let mut depth = 0;
        let mut at = index;
        while at != owner {
            at = self.parents[at]?;
            depth += 1;
        }
        let mut holder = self.parents[index]?;
        for _ in max_depth..depth {
            holder = self.parents[holder]?;
        }
        Some(holder)
    }

    fn find_root(&self) -> Option<usize> {
        let mut called = vec![false; self.units.len()];
        for call in &self.calls {
            called[call.to] = true;
        }
        let uncalled = self.units.iter().enumerate().filter(|(index, unit)| !called[*index] && !unit.inferred);
        let first = uncalled.min_by(|a, b| a.1.segment.start_time.total_cmp(&b.1.segment.start_time));
        first.map(|(index, _)| index).or((!self.units.is_empty()).then_some(0))
    }

    /// The unit to which this segment or subsegment of the trace belongs.
    pub(crate) fn unit_of(&self, index: usize) -> Option<&Unit<'a>> {
        let owner = self.owner(index)?;
        self.units.iter().find(|unit| unit.index == owner)
    }

    /// The segment where the request came in.
    pub(crate) fn root_segment(&self) -> Option<&'a Segment> {
        self.root.map(|root| self.units[root].segment)
    }
}

/// Type of a service that is known only from calls to it: `AWS::SecretsManager`, `AWS::S3::Bucket`, `Database::SQL`, `remote`
/// (API reference, `Service`, `Type`).
fn called_type(call: &Segment) -> Cow<'static, str> {
    match call.kind {
        Kind::Sql => "Database::SQL".into(),
        Kind::Aws => match &*call.name {
            "DynamoDB" => "AWS::DynamoDB::Table".into(),
            "S3" => "AWS::S3::Bucket".into(),
            "SQS" => "AWS::SQS::Queue".into(),
            name => format!("AWS::{}", name.replace(' ', "")).into(),
        },
        Kind::Remote | Kind::Local | Kind::Segment => "remote".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TraceId, store::Store};

    /// Segments as `(id, parent, kind, name, start, end)`.
    fn trace(segments: &[(u64, u64, Kind, &'static str, f64, f64)]) -> Trace {
        let trace_id = TraceId::from_bytes([7; 16]).expect("an id");
        let id = |number: u64| SegmentId::from_bytes(number.to_be_bytes());
        let mut store = Store::new(1 << 20);
        for (own, parent, kind, name, start, end) in segments {
            let mut segment = Segment::new(trace_id, id(*own).expect("an id"), *name, *start);
            segment.parent_id = id(*parent);
            segment.kind = *kind;
            segment.end_time = Some(*end);
            segment.origin = (*name == "alb").then(|| LOAD_BALANCER_ORIGIN.into());
            store.put(segment, 0.0);
        }
        (*store.get(trace_id).expect("the trace")).clone()
    }

    fn calls(trace: &Trace) -> Vec<(&str, &str, u64)> {
        let view = View::of(trace);
        let name = |unit: usize| -> &str { view.trace.segments[view.units[unit].index].name.as_ref() };
        let number = |id: SegmentId| u64::from_str_radix(&id.to_string(), 16).expect("hexadecimal");
        view.calls.iter().map(|call| (name(call.from), name(call.to), number(call.seen.id))).collect()
    }

    #[test]
    fn requests_with_one_trace_id_hang_under_the_balancer_segment_they_lie_within() {
        let trace = trace(&[
            (1, 0, Kind::Segment, "alb", 0.0, 1.0),
            (2, 9, Kind::Segment, "alb", 2.0, 3.0),
            (3, 0, Kind::Segment, "first", 0.1, 0.9),
            (4, 9, Kind::Segment, "second", 2.1, 2.9),
            (5, 0, Kind::Segment, "outside", 1.5, 1.6),
        ]);
        let view = View::of(&trace);
        let parents: Vec<_> = view.units.iter().map(|unit| unit.adopted_by.map(|id| id.to_string())).collect();
        let one = |number: u64| Some(format!("{number:016x}"));
        assert_eq!(parents, [None, None, one(1), one(2), None]);
        assert_eq!(view.root_segment().map(|root| &*root.name), Some("alb"));
    }

    #[test]
    fn the_balancer_stands_between_a_caller_and_the_target_that_names_the_same_parent() {
        let trace = trace(&[
            (1, 0, Kind::Segment, "caller", 0.0, 1.0),
            (2, 1, Kind::Remote, "http", 0.1, 0.9),
            (3, 2, Kind::Segment, "alb", 0.2, 0.8),
            (4, 2, Kind::Segment, "target", 0.3, 0.7),
        ]);
        assert_eq!(calls(&trace), [("caller", "alb", 2), ("alb", "target", 4)]);
    }

    #[test]
    fn calls_lead_to_the_segment_that_answers_or_to_what_they_name() {
        let trace = trace(&[
            (1, 0, Kind::Segment, "a", 0.0, 1.0),
            (2, 1, Kind::Local, "inner", 0.1, 0.9),
            (3, 2, Kind::Remote, "http", 0.2, 0.8),
            (4, 3, Kind::Segment, "b", 0.3, 0.7),
            (5, 2, Kind::Aws, "Secrets Manager", 0.2, 0.3),
            (6, 4, Kind::Segment, "c", 0.4, 0.5),
        ]);
        assert_eq!(calls(&trace), [("a", "b", 3), ("b", "c", 6), ("a", "Secrets Manager", 5)]);
        let view = View::of(&trace);
        assert_eq!(view.units.last().and_then(|unit| unit.kind.as_deref()), Some("AWS::SecretsManager"));
        assert!(!view.partial);
    }

    #[test]
    fn circles_end() {
        let trace = trace(&[
            (1, 2, Kind::Remote, "x", 0.0, 1.0),
            (2, 1, Kind::Remote, "y", 0.0, 1.0),
            (3, 4, Kind::Segment, "a", 0.0, 1.0),
            (4, 3, Kind::Segment, "b", 0.0, 1.0),
            (5, 5, Kind::Local, "self", 0.0, 1.0),
        ]);
        let view = View::of(&trace);
        assert!(view.partial && view.root.is_some());
        assert_eq!((view.holder(0, 3), view.holder(4, 3)), (None, None));
    }

    #[test]
    fn a_long_chain_is_shown_no_deeper_than_asked() {
        let chain: Vec<_> = (1..200)
            .map(|number| (number, number - 1, if number == 1 { Kind::Segment } else { Kind::Local }, "x", 0.0, 1.0))
            .collect();
        let trace = trace(&chain);
        let view = View::of(&trace);
        assert_eq!((view.holder(1, 32), view.holder(31, 32), view.holder(198, 32)), (Some(0), Some(30), Some(31)));
    }
}
