//! Whether an expression holds for a trace.
//!
//! Outside braces, `ok`, `error`, `fault`, `throttle`, `responsetime` and `http.…` speak of the root segment: "if an error occurs downstream, but
//! is handled by your application and not returned to the user, a search for error will not find it". Inside they speak of one visit to a
//! service, or of one call. A comparison with what is not there does not hold, `!=` included.

use std::ops::ControlFlow;

use super::{BoolField, Expression, Field, Filter, Match, NumberField, Order, Test, TextField, Who};
use crate::{
    segment::{Scalar, Segment},
    summary::Place,
    view::{Call, Unit, View},
};

/// What is asked about.
#[derive(Clone, Copy)]
enum Subject<'v, 'a> {
    Trace,
    Visit(&'v Unit<'a>),
    Call(&'v Call<'a>),
}

impl Filter {
    /// Whether the trace is one of those that were asked for.
    pub(crate) fn matches(&self, view: &View<'_>) -> bool {
        holds(&self.0, view, Subject::Trace)
    }
}

fn holds(expression: &Expression, view: &View<'_>, subject: Subject<'_, '_>) -> bool {
    match expression {
        Expression::All(terms) => terms.iter().all(|term| holds(term, view, subject)),
        Expression::Any(terms) => terms.iter().any(|term| holds(term, view, subject)),
        Expression::Not(term) => !holds(term, view, subject),
        Expression::Service(who, inner) => view
            .units
            .iter()
            .any(|unit| who.is(unit) && inner.as_deref().is_none_or(|inner| holds(inner, view, Subject::Visit(unit)))),
        Expression::Edge(from, to, inner) => view.calls.iter().any(|call| {
            from.is(&view.units[call.from])
                && to.is(&view.units[call.to])
                && inner.as_deref().is_none_or(|inner| holds(inner, view, Subject::Call(call)))
        }),
        Expression::Test(Field::Bool(field), test) => {
            bool_of(*field, view, subject) == !matches!(test, Test::Bool(false))
        }
        Expression::Test(Field::Number(field), test) => match (number_of(*field, view, subject), test) {
            (Some(value), Test::Number(order, wanted)) => order.holds(value, *wanted),
            (value, _) => value.is_some(),
        },
        Expression::Test(Field::Text(field), test) => {
            let each = |text: &str| match test {
                Test::Text(sense, wanted) if !sense.holds(text, wanted) => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            };
            texts_of(*field, view, subject, each).is_break()
        }
        Expression::Test(Field::Annotation(key), test) => {
            let all = view.trace.segments.iter().flat_map(|segment| &segment.annotations);
            all.filter(|(known, _)| known == key).any(|(_, value)| annotation(value, test))
        }
    }
}

impl Who {
    fn is(&self, unit: &Unit<'_>) -> bool {
        self.name.as_deref().is_none_or(|name| name == unit.name())
            && self.kind.as_deref().is_none_or(|kind| unit.kind.as_deref() == Some(kind))
    }
}

/// The segment that answers for the subject.
fn segment_of<'a>(view: &View<'a>, subject: Subject<'_, 'a>) -> Option<&'a Segment> {
    match subject {
        Subject::Trace => view.root_segment(),
        Subject::Visit(unit) => Some(unit.segment),
        Subject::Call(call) => Some(call.seen),
    }
}

/// The visit that the subject is, or leads to.
fn unit_of<'v, 'a>(view: &'v View<'a>, subject: Subject<'v, 'a>) -> Option<&'v Unit<'a>> {
    match subject {
        Subject::Trace => None,
        Subject::Visit(unit) => Some(unit),
        Subject::Call(call) => view.units.get(call.to),
    }
}

fn bool_of<'a>(field: BoolField, view: &View<'a>, subject: Subject<'_, 'a>) -> bool {
    let of = |test: fn(&Segment) -> bool| segment_of(view, subject).is_some_and(test);
    match field {
        BoolField::Ok => of(|segment| !segment.error && !segment.fault && !segment.throttle),
        BoolField::Error => of(|segment| segment.error),
        BoolField::Fault => of(|segment| segment.fault),
        BoolField::Throttle => of(|segment| segment.throttle),
        BoolField::Partial if matches!(subject, Subject::Trace) => view.partial,
        BoolField::Partial => of(|segment| segment.end_time.is_none()),
        BoolField::Inferred => match unit_of(view, subject) {
            Some(unit) => unit.inferred,
            None => view.units.iter().any(|unit| unit.inferred),
        },
        BoolField::Root => match (unit_of(view, subject), view.root) {
            (Some(unit), Some(root)) => unit.id == view.units[root].id,
            _ => false,
        },
    }
}

fn number_of<'a>(field: NumberField, view: &View<'a>, subject: Subject<'_, 'a>) -> Option<f64> {
    let segment = segment_of(view, subject);
    match field {
        NumberField::Duration if matches!(subject, Subject::Trace) => Some(view.trace.duration()),
        NumberField::Duration | NumberField::ResponseTime => segment?.duration(),
        NumberField::HttpStatus => segment?.http.as_ref()?.status.map(f64::from),
    }
}

fn texts_of<'a>(
    field: TextField,
    view: &View<'a>,
    subject: Subject<'_, 'a>,
    mut each: impl FnMut(&str) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let http = segment_of(view, subject).and_then(|segment| segment.http.as_deref());
    let own = |unit: &&Unit<'_>| !unit.inferred;
    // `user`, places and ARNs: of any segment in the trace, or of the one that is asked about.
    let mut of_units = |text: fn(&Unit<'_>) -> Option<String>| match subject {
        Subject::Trace => view.units.iter().filter(own).filter_map(text).try_for_each(|text| each(&text)),
        _ => unit_of(view, subject).filter(own).and_then(text).iter().try_for_each(|text| each(text)),
    };
    match field {
        TextField::AvailabilityZone => return of_units(|unit| Place::of(unit).zone()),
        TextField::InstanceId => return of_units(|unit| Place::of(unit).instance()),
        TextField::ResourceArn => return of_units(|unit| unit.segment.resource_arn.as_deref().map(str::to_owned)),
        TextField::User if matches!(subject, Subject::Trace) => {
            return view.trace.segments.iter().filter_map(|segment| segment.user.as_deref()).try_for_each(each);
        }
        _ => {}
    }
    let text = match field {
        TextField::HttpUrl => http.and_then(|http| http.url.as_deref()),
        TextField::HttpMethod => http.and_then(|http| http.method.as_deref()),
        TextField::HttpUserAgent => http.and_then(|http| http.user_agent.as_deref()),
        TextField::HttpClientIp => http.and_then(|http| http.client_ip.as_deref()),
        TextField::User => segment_of(view, subject).and_then(|segment| segment.user.as_deref()),
        TextField::Name => unit_of(view, subject).map(Unit::name),
        TextField::Type => unit_of(view, subject).and_then(|unit| unit.kind.as_deref()),
        TextField::AvailabilityZone | TextField::InstanceId | TextField::ResourceArn => None,
    };
    text.map_or(ControlFlow::Continue(()), each)
}

fn annotation(value: &Scalar, test: &Test) -> bool {
    match (value, test) {
        (Scalar::Bool(value), Test::Set) => *value,
        (_, Test::Set) => true,
        (Scalar::Bool(value), Test::Bool(wanted)) => value == wanted,
        (Scalar::Number(value), Test::Number(order, wanted)) => order.holds(*value, *wanted),
        (Scalar::Text(value), Test::Text(sense, wanted)) => sense.holds(value, wanted),
        _ => false,
    }
}

impl Order {
    fn holds(self, value: f64, wanted: f64) -> bool {
        match self {
            Self::Equal => value == wanted,
            Self::Unequal => value != wanted,
            Self::Less => value < wanted,
            Self::LessOrEqual => value <= wanted,
            Self::Greater => value > wanted,
            Self::GreaterOrEqual => value >= wanted,
        }
    }
}

impl Match {
    fn holds(self, text: &str, wanted: &str) -> bool {
        match self {
            Self::Equal => text == wanted,
            Self::Unequal => text != wanted,
            Self::Contains => text.contains(wanted),
            Self::BeginsWith => text.starts_with(wanted),
            Self::EndsWith => text.ends_with(wanted),
        }
    }
}
