//! An expression as tokens.

use super::{MOST_CHARACTERS, MathError, Operator};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Id(String),
    Word(String),
    Text(String),
    Operator(Operator),
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
}

/// Each token with its position.
pub(super) fn tokens(expression: &str) -> Result<Vec<(usize, Token)>, MathError> {
    let characters: Vec<char> = expression.chars().collect();
    if characters.len() > MOST_CHARACTERS {
        let what = format!("The expression is longer than {MOST_CHARACTERS} characters");
        return Err(MathError::at(MOST_CHARACTERS + 1, what));
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&first) = characters.get(at) {
        let start = at;
        let mut run = |accept: &dyn Fn(char) -> bool| {
            let end = characters[start..].iter().position(|c| !accept(*c)).map_or(characters.len(), |n| start + n);
            at = end;
            characters[start..end].iter().collect::<String>()
        };
        let token = match first {
            c if c.is_whitespace() => {
                at += 1;
                continue;
            }
            '0'..='9' | '.' => {
                let text = number(&characters[at..]);
                at += text.len();
                let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
                Token::Number(value.ok_or_else(|| MathError::at(start + 1, format!("'{text}' is no number")))?)
            }
            'a'..='z' => Token::Id(run(&|c| c.is_ascii_alphanumeric() || c == '_')),
            'A'..='Z' => match run(&|c| c.is_ascii_alphanumeric() || c == '_').as_str() {
                "AND" => Token::Operator(Operator::And),
                "OR" => Token::Operator(Operator::Or),
                word => Token::Word(word.to_owned()),
            },
            '"' | '\'' | '“' | '”' => {
                let closes = |c: char| match first {
                    '“' | '”' => matches!(c, '“' | '”'),
                    plain => c == plain,
                };
                let length = characters[at + 1..].iter().position(|c| closes(*c));
                let length = length.ok_or_else(|| MathError::at(start + 1, "A text that does not end"))?;
                at += length + 2;
                Token::Text(characters[start + 1..start + 1 + length].iter().collect())
            }
            _ => {
                let (token, length) = symbol(first, characters.get(at + 1).copied())
                    .ok_or_else(|| MathError::at(start + 1, format!("Unexpected '{first}'")))?;
                at += length;
                token
            }
        };
        tokens.push((start + 1, token));
    }
    Ok(tokens)
}

fn symbol(first: char, second: Option<char>) -> Option<(Token, usize)> {
    let two = match (first, second) {
        ('&', Some('&')) => Some(Operator::And),
        ('|', Some('|')) => Some(Operator::Or),
        ('=', Some('=')) => Some(Operator::Equal),
        ('!', Some('=')) => Some(Operator::NotEqual),
        ('<', Some('=')) => Some(Operator::LessOrEqual),
        ('>', Some('=')) => Some(Operator::GreaterOrEqual),
        _ => None,
    };
    if let Some(operator) = two {
        return Some((Token::Operator(operator), 2));
    }
    let one = match first {
        '+' => Token::Operator(Operator::Add),
        '-' => Token::Operator(Operator::Subtract),
        '*' => Token::Operator(Operator::Multiply),
        '/' => Token::Operator(Operator::Divide),
        '^' => Token::Operator(Operator::Power),
        '<' => Token::Operator(Operator::Less),
        '>' => Token::Operator(Operator::Greater),
        '(' => Token::Open,
        ')' => Token::Close,
        '[' => Token::OpenList,
        ']' => Token::CloseList,
        ',' => Token::Comma,
        _ => return None,
    };
    Some((one, 1))
}

/// Digits, a point, and an exponent where digits follow it.
fn number(characters: &[char]) -> String {
    let mut text: String = characters.iter().take_while(|c| c.is_ascii_digit() || **c == '.').collect();
    let mut rest = characters[text.len()..].iter();
    if let Some('e' | 'E') = rest.next() {
        let sign: String = rest.clone().take_while(|c| matches!(c, '+' | '-')).take(1).collect();
        let digits: String = rest.skip(sign.len()).take_while(|c| c.is_ascii_digit()).collect();
        if !digits.is_empty() {
            text.push('e');
            text.push_str(&sign);
            text.push_str(&digits);
        }
    }
    text
}
