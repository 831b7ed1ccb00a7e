//! From tokens to an expression, with what X-Ray allows where.

use super::{
    BoolField, Expression, Field, Filter, Match, Mistake, NumberField, Order, Test, TextField, Who,
    scan::{Placed, Token, scan},
};

/// Deepest nesting of parentheses, braces and negations: deeper is no question that anybody asks, and must not exhaust the stack.
const MAX_DEPTH: usize = 64;

impl std::str::FromStr for Filter {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        let mut parser = Parser { tokens: scan(text)?, at: 0, depth: 0, inside: Inside::Trace };
        let expression = parser.any()?;
        match parser.peek() {
            Token::End => Ok(Self(expression)),
            _ => Err(parser.unexpected("AND, OR or the end")),
        }
    }
}

/// Where the parser is: some words mean nothing elsewhere.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    Trace,
    Braces,
}

struct Parser {
    tokens: Vec<Placed>,
    at: usize,
    depth: usize,
    inside: Inside,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].token
    }

    fn position(&self) -> usize {
        self.tokens[self.at].position
    }

    fn next(&mut self) -> Token {
        let token = self.tokens[self.at].token.clone();
        // The last token is the end, and stays.
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn mistake<T>(&self, position: usize, message: impl Into<String>) -> Result<T, Mistake> {
        Err(Mistake { position, message: message.into() })
    }

    fn unexpected(&self, wanted: &str) -> Mistake {
        let found = match self.peek() {
            Token::Word(word) => format!("`{word}`"),
            Token::Text(text) => format!("\"{text}\""),
            Token::Number(number) => format!("`{number}`"),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::End => "the end".into(),
        };
        Mistake { position: self.position(), message: format!("expected {wanted}, found {found}") }
    }

    fn takes_word(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(word) if word.eq_ignore_ascii_case(wanted));
        if found {
            self.next();
        }
        found
    }

    fn takes_sign(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(sign) if *sign == wanted);
        if found {
            self.next();
        }
        found
    }

    fn sign(&mut self, wanted: &str) -> Result<(), Mistake> {
        if self.takes_sign(wanted) { Ok(()) } else { Err(self.unexpected(&format!("`{wanted}`"))) }
    }

    /// One level deeper, or a refusal.
    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, Mistake>) -> Result<T, Mistake> {
        if self.depth == MAX_DEPTH {
            return self.mistake(self.position(), format!("nested deeper than {MAX_DEPTH}"));
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    fn any(&mut self) -> Result<Expression, Mistake> {
        let mut terms = vec![self.all()?];
        while self.takes_word("or") {
            terms.push(self.all()?);
        }
        Ok(if terms.len() == 1 { terms.remove(0) } else { Expression::Any(terms) })
    }

    fn all(&mut self) -> Result<Expression, Mistake> {
        let mut terms = vec![self.term()?];
        loop {
            // `ok !partial duration <3` is the guide's own: terms side by side are joined by AND.
            let side_by_side = match self.peek() {
                Token::Word(word) => !word.eq_ignore_ascii_case("or"),
                Token::Sign(sign) => matches!(*sign, "!" | "("),
                _ => false,
            };
            if !self.takes_word("and") && !side_by_side {
                break;
            }
            terms.push(self.term()?);
        }
        Ok(if terms.len() == 1 { terms.remove(0) } else { Expression::All(terms) })
    }

    fn term(&mut self) -> Result<Expression, Mistake> {
        if self.takes_sign("!") || self.takes_word("not") {
            return self.deeper(Self::term).map(|term| Expression::Not(Box::new(term)));
        }
        if self.takes_sign("(") {
            let inner = self.deeper(Self::any)?;
            self.sign(")")?;
            return Ok(inner);
        }
        let position = self.position();
        let Token::Word(word) = self.peek().clone() else {
            return Err(self.unexpected("a keyword"));
        };
        self.next();
        match word.to_ascii_lowercase().as_str() {
            "service" => self.service(position),
            "edge" => self.edge(position),
            lower => {
                let field = self.field(&word, lower, position)?;
                let test = self.test(&field)?;
                Ok(Expression::Test(field, test))
            }
        }
    }

    fn service(&mut self, position: usize) -> Result<Expression, Mistake> {
        self.outside_braces("service", position)?;
        self.sign("(")?;
        let who = if matches!(self.peek(), Token::Sign(")")) { Who::default() } else { self.who()? };
        self.sign(")")?;
        Ok(Expression::Service(who, self.braces()?))
    }

    fn edge(&mut self, position: usize) -> Result<Expression, Mistake> {
        self.outside_braces("edge", position)?;
        self.sign("(")?;
        let from = self.who()?;
        self.sign(",")?;
        let to = self.who()?;
        self.sign(")")?;
        Ok(Expression::Edge(from, to, self.braces()?))
    }

    fn outside_braces(&self, word: &str, position: usize) -> Result<(), Mistake> {
        match self.inside {
            Inside::Trace => Ok(()),
            Inside::Braces => self.mistake(position, format!("`{word}` cannot stand inside braces")),
        }
    }

    fn braces(&mut self) -> Result<Option<Box<Expression>>, Mistake> {
        if !self.takes_sign("{") {
            return Ok(None);
        }
        self.inside = Inside::Braces;
        let inner = self.deeper(Self::any);
        self.inside = Inside::Trace;
        let inner = inner?;
        self.sign("}")?;
        Ok(Some(Box::new(inner)))
    }

    /// `"name"`, or `id(name: "…", type: "…")` with either or both.
    fn who(&mut self) -> Result<Who, Mistake> {
        if let Token::Text(name) = self.peek().clone() {
            self.next();
            return Ok(Who { name: Some(name), kind: None });
        }
        if !self.takes_word("id") {
            return Err(self.unexpected("a service's name in quotation marks, or id(…)"));
        }
        self.sign("(")?;
        let mut who = Who::default();
        loop {
            let place = if self.takes_word("name") {
                &mut who.name
            } else if self.takes_word("type") {
                &mut who.kind
            } else {
                return Err(self.unexpected("`name` or `type`"));
            };
            self.sign(":")?;
            let Token::Text(text) = self.peek().clone() else {
                return Err(self.unexpected("a text in quotation marks"));
            };
            self.next();
            *place = Some(text);
            if !self.takes_sign(",") {
                break;
            }
        }
        self.sign(")")?;
        Ok(who)
    }

    fn field(&mut self, word: &str, lower: &str, position: usize) -> Result<Field, Mistake> {
        if lower == "annotation" || lower.starts_with("annotation.") {
            return self.annotation(word, position);
        }
        let field = match lower {
            "ok" => Field::Bool(BoolField::Ok),
            "error" => Field::Bool(BoolField::Error),
            "fault" => Field::Bool(BoolField::Fault),
            "throttle" => Field::Bool(BoolField::Throttle),
            "partial" => Field::Bool(BoolField::Partial),
            "inferred" => Field::Bool(BoolField::Inferred),
            "root" => Field::Bool(BoolField::Root),
            "responsetime" => Field::Number(NumberField::ResponseTime),
            "duration" => Field::Number(NumberField::Duration),
            "http.status" => Field::Number(NumberField::HttpStatus),
            "http.url" => Field::Text(TextField::HttpUrl),
            "http.method" => Field::Text(TextField::HttpMethod),
            "http.useragent" => Field::Text(TextField::HttpUserAgent),
            "http.clientip" => Field::Text(TextField::HttpClientIp),
            "user" => Field::Text(TextField::User),
            "name" => Field::Text(TextField::Name),
            "type" => Field::Text(TextField::Type),
            "availabilityzone" => Field::Text(TextField::AvailabilityZone),
            "instance.id" => Field::Text(TextField::InstanceId),
            "resource.arn" => Field::Text(TextField::ResourceArn),
            "first" | "last" | "remote" | "index" | "coverage" | "message" | "json" => {
                return self
                    .mistake(position, format!("`{word}` speaks of root causes, which the twin does not imitate"));
            }
            _ if lower.starts_with("rootcause.") || lower.starts_with("group.") => {
                return self.mistake(position, format!("`{word}` is not imitated by the twin"));
            }
            _ => return self.mistake(position, format!("`{word}` is not a keyword")),
        };
        let inner_only = matches!(field, Field::Bool(BoolField::Root) | Field::Text(TextField::Name | TextField::Type));
        if inner_only && self.inside == Inside::Trace {
            return self.mistake(position, format!("`{word}` stands only inside the braces of service() or edge()"));
        }
        Ok(field)
    }

    fn annotation(&mut self, word: &str, position: usize) -> Result<Field, Mistake> {
        if self.inside == Inside::Braces {
            return self.mistake(position, "`annotation` cannot stand inside braces");
        }
        let key = match word.get("annotation.".len()..) {
            Some(key) if !key.is_empty() => key.to_owned(),
            Some(_) => return self.mistake(position, "`annotation.` needs a key"),
            None => {
                self.sign("[")?;
                let (Token::Word(key) | Token::Text(key)) = self.peek().clone() else {
                    return Err(self.unexpected("an annotation's key"));
                };
                self.next();
                self.sign("]")?;
                key
            }
        };
        Ok(Field::Annotation(key.into()))
    }

    fn test(&mut self, field: &Field) -> Result<Test, Mistake> {
        let position = self.position();
        let order = match self.peek() {
            Token::Sign("=") => Some(Order::Equal),
            Token::Sign("!=") => Some(Order::Unequal),
            Token::Sign("<") => Some(Order::Less),
            Token::Sign("<=") => Some(Order::LessOrEqual),
            Token::Sign(">") => Some(Order::Greater),
            Token::Sign(">=") => Some(Order::GreaterOrEqual),
            _ => None,
        };
        let part = match self.peek() {
            Token::Word(word) if word.eq_ignore_ascii_case("contains") => Some(Match::Contains),
            Token::Word(word) if word.eq_ignore_ascii_case("beginswith") => Some(Match::BeginsWith),
            Token::Word(word) if word.eq_ignore_ascii_case("endswith") => Some(Match::EndsWith),
            _ => None,
        };
        if order.is_none() && part.is_none() {
            return Ok(Test::Set);
        }
        self.next();
        let is_annotation = matches!(field, Field::Annotation(_));
        let takes_bool = is_annotation || matches!(field, Field::Bool(_));
        let takes_number = is_annotation || matches!(field, Field::Number(_));
        let takes_text = is_annotation || matches!(field, Field::Text(_));
        let whole = match order {
            Some(Order::Equal) => Some(Match::Equal),
            Some(Order::Unequal) => Some(Match::Unequal),
            _ => None,
        };
        let value = self.peek().clone();
        let test = match (&value, order, part.or(whole)) {
            (Token::Word(word), Some(_), Some(sense)) if takes_bool && is_bool(word) => {
                Test::Bool(word.eq_ignore_ascii_case("true") == (sense == Match::Equal))
            }
            (Token::Text(word), Some(_), Some(sense)) if takes_bool && !is_annotation && is_bool(word) => {
                Test::Bool(word.eq_ignore_ascii_case("true") == (sense == Match::Equal))
            }
            (Token::Number(number), Some(order), _) if takes_number => Test::Number(order, *number),
            (Token::Text(text), _, Some(sense)) if takes_text => Test::Text(sense, text.clone()),
            _ => return Err(self.wrong_value(field, position, order, part)),
        };
        self.next();
        Ok(test)
    }

    fn wrong_value(&self, field: &Field, operator: usize, order: Option<Order>, part: Option<Match>) -> Mistake {
        let equality = matches!(order, Some(Order::Equal | Order::Unequal));
        let fits = match field {
            Field::Bool(_) => equality,
            Field::Number(_) => order.is_some(),
            Field::Text(_) => equality || part.is_some(),
            Field::Annotation(_) => true,
        };
        if !fits {
            return Mistake { position: operator, message: "this operator does not fit the keyword before it".into() };
        }
        match field {
            Field::Bool(_) => self.unexpected("`true` or `false`"),
            Field::Number(_) => self.unexpected("a number"),
            Field::Text(_) => self.unexpected("a text in quotation marks"),
            Field::Annotation(_) => self.unexpected("a value that fits the operator"),
        }
    }
}

fn is_bool(word: &str) -> bool {
    word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("false")
}
