//! The value of an expression.

use super::{Grid, Kind, MathError, Node, Operand, TimeSeries, function, operator};

/// What an expression may refer to.
pub(crate) trait Inputs {
    /// The value behind an id; none when there is no such id.
    fn get(&self, id: &str) -> Option<Operand>;
    /// All metrics (not expressions) in the request's order, with their ids.
    fn metrics(&self) -> Vec<(String, TimeSeries)>;
    /// The datapoints asked for.
    fn grid(&self) -> Grid;
}

/// Comes to a scalar, a series, or an array of series.
pub(crate) fn evaluate(node: &Node, inputs: &dyn Inputs) -> Result<Operand, MathError> {
    let wrong = |what: String| Err(MathError::at(node.position, what));
    match &node.kind {
        Kind::Number(number) => Ok(Operand::Scalar(*number)),
        Kind::Id(id) => inputs.get(id).ok_or_else(|| MathError::at(node.position, format!("Unknown id '{id}'"))),
        Kind::Word(word) => wrong(format!("'{word}' has no meaning here")),
        Kind::Text(_) => wrong("A text has no meaning here".to_owned()),
        Kind::Negation(inner) => Ok(match evaluate(inner, inputs)? {
            Operand::Scalar(number) => Operand::Scalar(-number),
            Operand::Series(series) => Operand::Series(series.mapped(|value| -value)),
            Operand::Many(many) => Operand::Many(many.iter().map(|series| series.mapped(|value| -value)).collect()),
        }),
        Kind::Binary(kind, left, right) => {
            operator::apply(*kind, evaluate(left, inputs)?, evaluate(right, inputs)?, node.position)
        }
        Kind::List(items) => {
            let mut many = Vec::new();
            for item in items {
                match evaluate(item, inputs)? {
                    Operand::Series(series) => many.push(series),
                    Operand::Many(more) => many.extend(more),
                    Operand::Scalar(_) => {
                        return Err(MathError::at(item.position, "An array holds time series, not scalars"));
                    }
                }
            }
            Ok(Operand::Many(many))
        }
        Kind::Call(name, arguments) => function::call(name, arguments, node.position, inputs),
    }
}
