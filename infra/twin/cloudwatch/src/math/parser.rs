//! Tokens as a tree. From loose to tight: OR, AND, comparison, `+ -`, `* /`, unary `-`, `^` (from the right).

use super::{
    Kind, MathError, Node, Operator,
    function::{self, FUNCTIONS},
    lexer::{Token, tokens},
};

/// Levels of parentheses, lists, calls and signs. Each costs stack.
const MOST_LEVELS: usize = 64;

/// Reads an expression.
pub(crate) fn parse(expression: &str) -> Result<Node, MathError> {
    if expression.trim_start().get(..6).is_some_and(|start| start.eq_ignore_ascii_case("SELECT")) {
        let unimitated = Some("Metrics Insights queries".to_owned());
        return Err(MathError { unimitated, ..MathError::at(1, "A Metrics Insights query") });
    }
    let tokens = tokens(expression)?;
    let mut parser = Parser { tokens, at: 0, end: expression.chars().count() + 1, levels: 0 };
    let node = parser.binary(0)?;
    match parser.tokens.get(parser.at) {
        None => Ok(node),
        Some((position, token)) => Err(MathError::at(*position, format!("Unexpected {}", name(token)))),
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    end: usize,
    levels: usize,
}

type Parsed<T> = Result<T, MathError>;

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn position(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end, |(position, _)| *position)
    }

    fn unexpected<T>(&self, wanted: &str) -> Parsed<T> {
        let found = self.peek().map_or_else(|| "the end".to_owned(), name);
        Err(MathError::at(self.position(), format!("Expected {wanted}, found {found}")))
    }

    fn accept(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        self.at += usize::from(found);
        found
    }

    /// Runs one level deeper.
    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.levels += 1;
        if self.levels > MOST_LEVELS {
            return Err(MathError::at(self.position(), format!("More than {MOST_LEVELS} levels")));
        }
        let parsed = parse(self);
        self.levels -= 1;
        parsed
    }

    fn binary(&mut self, least: u8) -> Parsed<Node> {
        let mut left = self.signed()?;
        while let Some(Token::Operator(operator)) = self.peek() {
            let operator = *operator;
            let strength = strength(operator);
            if strength < least || operator == Operator::Power {
                break;
            }
            let position = self.position();
            self.at += 1;
            let right = self.deeper(|parser| parser.binary(strength + 1))?;
            left = Node { position, kind: Kind::Binary(operator, Box::new(left), Box::new(right)) };
        }
        Ok(left)
    }

    fn signed(&mut self) -> Parsed<Node> {
        let position = self.position();
        if self.accept(&Token::Operator(Operator::Subtract)) {
            let inner = self.deeper(Self::signed)?;
            return Ok(Node { position, kind: Kind::Negation(Box::new(inner)) });
        }
        let base = self.primary()?;
        let position = self.position();
        if self.accept(&Token::Operator(Operator::Power)) {
            let exponent = self.deeper(Self::signed)?;
            return Ok(Node { position, kind: Kind::Binary(Operator::Power, Box::new(base), Box::new(exponent)) });
        }
        Ok(base)
    }

    fn primary(&mut self) -> Parsed<Node> {
        let position = self.position();
        let Some(token) = self.peek().cloned() else { return self.unexpected("a value") };
        self.at += 1;
        let kind = match token {
            Token::Number(number) => Kind::Number(number),
            Token::Id(id) => Kind::Id(id),
            Token::Text(text) => Kind::Text(text),
            Token::Word(word) if self.accept(&Token::Open) => {
                known(&word, position)?;
                let arguments = self.items(&Token::Close, "')'")?;
                function::check(&word, arguments.len(), position)?;
                Kind::Call(word, arguments)
            }
            Token::Word(word) => Kind::Word(word),
            Token::OpenList => Kind::List(self.items(&Token::CloseList, "']'")?),
            Token::Open => {
                let inner = self.deeper(|parser| parser.binary(0))?;
                if !self.accept(&Token::Close) {
                    return self.unexpected("')'");
                }
                return Ok(inner);
            }
            Token::Operator(_) | Token::Close | Token::CloseList | Token::Comma => {
                self.at -= 1;
                return self.unexpected("a value");
            }
        };
        Ok(Node { position, kind })
    }

    fn items(&mut self, close: &Token, wanted: &str) -> Parsed<Vec<Node>> {
        let mut items = Vec::new();
        if self.accept(close) {
            return Ok(items);
        }
        loop {
            items.push(self.deeper(|parser| parser.binary(0))?);
            if self.accept(close) {
                return Ok(items);
            }
            if !self.accept(&Token::Comma) {
                return self.unexpected(&format!("',' or {wanted}"));
            }
        }
    }
}

fn known(word: &str, position: usize) -> Parsed<()> {
    const UNIMITATED: [&str; 6] =
        ["ANOMALY_DETECTION_BAND", "DB_PERF_INSIGHTS", "INSIGHT_RULE_METRIC", "LAMBDA", "SEARCH", "SERVICE_QUOTA"];
    if UNIMITATED.contains(&word) {
        let unimitated = Some(format!("the function {word}"));
        return Err(MathError { unimitated, ..MathError::at(position, word) });
    }
    if FUNCTIONS.iter().any(|(name, ..)| *name == word) {
        return Ok(());
    }
    Err(MathError::at(position, format!("Unknown function {word}")))
}

fn strength(operator: Operator) -> u8 {
    match operator {
        Operator::Or => 0,
        Operator::And => 1,
        Operator::Equal
        | Operator::NotEqual
        | Operator::Less
        | Operator::LessOrEqual
        | Operator::Greater
        | Operator::GreaterOrEqual => 2,
        Operator::Add | Operator::Subtract => 3,
        Operator::Multiply | Operator::Divide => 4,
        Operator::Power => 5,
    }
}

fn name(token: &Token) -> String {
    match token {
        Token::Number(number) => format!("{number}"),
        Token::Id(word) | Token::Word(word) => format!("'{word}'"),
        Token::Text(text) => format!("\"{text}\""),
        Token::Operator(operator) => format!("the operator {operator:?}"),
        Token::Open => "'('".to_owned(),
        Token::Close => "')'".to_owned(),
        Token::OpenList => "'['".to_owned(),
        Token::CloseList => "']'".to_owned(),
        Token::Comma => "','".to_owned(),
    }
}
