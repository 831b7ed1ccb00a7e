//! Expressions, loosest binding first: `or`, `and`, `not`, comparisons and `like` and `in`, `+ -`, `* / %`, `^`, sign.

use super::super::{
    QueryError,
    aggregate::{self, Aggregate},
    expression::{Arithmetic, Comparison, Expression, Like},
    function::Function,
    period::Period,
    regular,
    value::Value,
};
use super::Parser;

/// Deepest nesting of brackets, calls, `not` and signs.
const MAX_DEPTH: usize = 32;

/// Words that cannot be a field's name without backticks.
const RESERVED: [&str; 9] = ["and", "or", "not", "like", "in", "as", "by", "asc", "desc"];

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Result<Expression, QueryError> {
        let mut parts = vec![self.all()?];
        while self.cursor.eat_word("or") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression, QueryError> {
        let mut parts = vec![self.negation()?];
        while self.cursor.eat_word("and") {
            parts.push(self.negation()?);
        }
        Ok(one_or(parts, Expression::All))
    }

    fn negation(&mut self) -> Result<Expression, QueryError> {
        if self.cursor.eat_word("not") {
            return self.deeper(|parser| Ok(Expression::Not(Box::new(parser.negation()?))));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Expression, QueryError> {
        let left = self.sum()?;
        if self.cursor.eat_word("not") {
            let found = self.membership(left)?;
            return found
                .map(|it| Expression::Not(Box::new(it)))
                .map_err(|_| self.cursor.unexpected("expected 'like' or 'in'"));
        }
        let left = match self.membership(left)? {
            Ok(found) => return Ok(found),
            Err(left) => left,
        };
        // The two-character ones first: `<=` starts with `<`.
        const COMPARISONS: [(&str, Comparison); 6] = [
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("=", Comparison::Equal),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        for (written, comparison) in COMPARISONS {
            if self.cursor.eat(written) {
                let right = self.sum()?;
                return Ok(Expression::Compare(comparison, Box::new((left, right))));
            }
        }
        Ok(left)
    }

    /// `like`, `=~` or `in` after a value; the value comes back when none of them follows.
    fn membership(&mut self, left: Expression) -> Result<Result<Expression, Expression>, QueryError> {
        if self.cursor.eat_word("like") || self.cursor.eat("=~") {
            let like = match self.cursor.peek() {
                Some('/') => {
                    let start = self.cursor.at();
                    let (_, body) = self.cursor.regular()?;
                    Like::Regular(regular::compile(&body).map_err(|message| self.cursor.error(start, &message))?)
                }
                Some('"' | '\'') => Like::text(&self.cursor.string()?),
                _ => return Err(self.cursor.unexpected("expected text in quotes or an expression between slashes")),
            };
            return Ok(Ok(Expression::Like(Box::new(left), like)));
        }
        if self.cursor.eat_word("in") {
            self.cursor.expect("[")?;
            let members = self.deeper(|parser| parser.list(Parser::sum))?;
            self.cursor.expect("]")?;
            return Ok(Ok(Expression::In(Box::new(left), members)));
        }
        Ok(Err(left))
    }

    fn sum(&mut self) -> Result<Expression, QueryError> {
        self.chain(&[("+", Arithmetic::Add), ("-", Arithmetic::Subtract)], Self::product)
    }

    fn product(&mut self) -> Result<Expression, QueryError> {
        let operators = [("*", Arithmetic::Multiply), ("/", Arithmetic::Divide), ("%", Arithmetic::Remainder)];
        self.chain(&operators, Self::power)
    }

    fn chain(
        &mut self,
        operators: &[(&str, Arithmetic)],
        operand: fn(&mut Self) -> Result<Expression, QueryError>,
    ) -> Result<Expression, QueryError> {
        let first = operand(self)?;
        let mut rest = Vec::new();
        while let Some((_, operator)) = operators.iter().find(|(written, _)| self.cursor.eat(written)) {
            rest.push((*operator, operand(self)?));
        }
        Ok(if rest.is_empty() { first } else { Expression::Chain(Box::new(first), rest) })
    }

    fn power(&mut self) -> Result<Expression, QueryError> {
        let base = self.operand()?;
        if !self.cursor.eat("^") {
            return Ok(base);
        }
        let exponent = self.deeper(Self::power)?;
        Ok(Expression::Chain(Box::new(base), vec![(Arithmetic::Power, exponent)]))
    }

    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, QueryError>) -> Result<T, QueryError> {
        if self.depth == MAX_DEPTH {
            return Err(self.cursor.unexpected(&format!("nested deeper than {MAX_DEPTH}")));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// A literal, a field, a call, or an expression in parentheses.
    pub(super) fn operand(&mut self) -> Result<Expression, QueryError> {
        match self.cursor.peek() {
            Some('"' | '\'') => return Ok(Expression::Literal(Value::text(self.cursor.string()?))),
            Some('(') => {
                self.cursor.expect("(")?;
                let inner = self.deeper(Self::expression)?;
                self.cursor.expect(")")?;
                return Ok(inner);
            }
            Some('-') => {
                self.cursor.expect("-")?;
                let inner = self.deeper(Self::operand)?;
                return Ok(Expression::Negate(Box::new(inner)));
            }
            _ => {}
        }
        if let Some(number) = self.cursor.number()? {
            return Ok(Expression::Literal(Value::Number(number)));
        }
        let word = self.cursor.word();
        if RESERVED.iter().any(|reserved| word.eq_ignore_ascii_case(reserved)) {
            return Err(self.cursor.unexpected("expected a field, a value or a function"));
        }
        if let Some(column) = self.column() {
            return Ok(column);
        }
        let start = self.cursor.at();
        if !word.is_empty() {
            let mut ahead = self.cursor.clone();
            ahead.skip(word.len());
            if ahead.eat("(") {
                self.cursor = ahead;
                return self.deeper(|parser| parser.call(word, start));
            }
        }
        if word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("false") {
            self.cursor.skip(word.len());
            return Ok(Expression::Literal(Value::truth(word.eq_ignore_ascii_case("true"))));
        }
        let name = self.cursor.name()?;
        if self.aggregates.is_some() {
            return Err(self
                .cursor
                .error(start, "a field in stats stands within an aggregation such as max(field) or after by"));
        }
        Ok(Expression::Field(self.read(&name)))
    }

    /// After `stats`, a column that has no alias goes by its text: `display bin(5m), count(*)`.
    fn column(&mut self) -> Option<Expression> {
        if self.stats == 0 {
            return None;
        }
        let rest = self.cursor.rest();
        let end = rest.find('(').map(|open| closing(rest, open))??;
        let packed = |text: &str| text.split_whitespace().collect::<String>();
        let text = packed(&rest[..end]);
        let slot = self.names.iter().position(|name| packed(name) == text)?;
        self.cursor.skip(end);
        Some(Expression::Field(slot))
    }

    /// A call whose opening parenthesis has been taken.
    fn call(&mut self, name: &str, start: usize) -> Result<Expression, QueryError> {
        match name.to_ascii_lowercase().as_str() {
            "bin" => {
                let period = self.period()?;
                self.cursor.expect(")")?;
                let moment = Expression::Field(self.read("@timestamp"));
                return Ok(Expression::Floor(Box::new(moment), period));
            }
            rounding @ ("datefloor" | "dateceil") => {
                let floor = rounding == "datefloor";
                let moment = Box::new(self.expression()?);
                self.cursor.expect(",")?;
                let period = self.period()?;
                self.cursor.expect(")")?;
                return Ok(if floor { Expression::Floor(moment, period) } else { Expression::Ceil(moment, period) });
            }
            _ => {}
        }
        if let Some((function, arity)) = aggregate::Function::find(name) {
            let Some(aggregates) = self.aggregates.take() else {
                return Err(self
                    .cursor
                    .error(start, &format!("{name}() aggregates, so it stands in stats, and not within another")));
            };
            let star = function == aggregate::Function::Count && self.cursor.eat("*");
            let mut arguments = if star { self.cursor.expect(")").map(|()| Vec::new())? } else { self.arguments()? };
            self.arity(name, start, arguments.len(), &arity)?;
            let function = match (function, arguments.get(1)) {
                (aggregate::Function::Percentile(_), Some(Expression::Literal(Value::Number(percent))))
                    if (0.0..=100.0).contains(percent) =>
                {
                    aggregate::Function::Percentile(*percent)
                }
                (_, Some(_)) => {
                    return Err(self.cursor.error(start, &format!("{name}() takes a percentage from 0 to 100")));
                }
                (function, None) => function,
            };
            arguments.truncate(1);
            let aggregates = self.aggregates.insert(aggregates);
            aggregates.push(Aggregate { function, of: arguments.pop() });
            return Ok(Expression::Aggregate(aggregates.len() - 1));
        }
        let Some((function, arity)) = Function::find(name) else {
            let what = if Function::is_known_to_aws(name) { "is not imitated by the twin" } else { "does not exist" };
            return Err(self.cursor.error(start, &format!("the function '{name}' {what}")));
        };
        let arguments = self.arguments()?;
        self.arity(name, start, arguments.len(), &arity)?;
        Ok(Expression::Call(function, arguments))
    }

    fn arguments(&mut self) -> Result<Vec<Expression>, QueryError> {
        if self.cursor.eat(")") {
            return Ok(Vec::new());
        }
        let arguments = self.list(Self::expression)?;
        self.cursor.expect(")")?;
        Ok(arguments)
    }

    fn arity(
        &self,
        name: &str,
        start: usize,
        given: usize,
        takes: &std::ops::RangeInclusive<usize>,
    ) -> Result<(), QueryError> {
        if takes.contains(&given) {
            return Ok(());
        }
        let takes = match (*takes.start(), *takes.end()) {
            (fewest, usize::MAX) => format!("at least {fewest}"),
            (fewest, most) if fewest == most => fewest.to_string(),
            (fewest, most) => format!("{fewest} or {most}"),
        };
        Err(self.cursor.error(start, &format!("{name}() takes {takes} arguments, not {given}")))
    }

    fn period(&mut self) -> Result<Period, QueryError> {
        self.cursor.peek();
        let start = self.cursor.at();
        let Some(count) = self.cursor.number()? else {
            return Err(self.cursor.unexpected("expected a period such as 5m"));
        };
        let unit = self.cursor.word();
        self.cursor.skip(unit.len());
        Period::new(count, unit).ok_or_else(|| {
            self.cursor.error(start, "a period is a whole number and a unit: ms, s, m, h, d, w, mo, q, y")
        })
    }
}

/// Where the parenthesis that opens there closes.
fn closing(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (offset, byte) in text.bytes().enumerate().skip(open) {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b'|' => return None,
            _ => {}
        }
        if depth == 0 {
            return Some(offset + 1);
        }
    }
    None
}

fn one_or(mut parts: Vec<Expression>, join: impl Fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}
