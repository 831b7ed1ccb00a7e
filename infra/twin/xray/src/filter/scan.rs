//! Words, numbers, texts and signs of a filter expression, each with its place.

use super::Mistake;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A keyword, with its dots: `http.url`.
    Word(String),
    /// What stood in quotation marks.
    Text(String),
    Number(f64),
    Sign(&'static str),
    End,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    pub(super) token: Token,
    /// Character, counted from 1.
    pub(super) position: usize,
}

/// Longest first, where one begins another.
const SIGNS: [&str; 14] = ["!=", "<=", ">=", "=", "<", ">", "!", "(", ")", "{", "}", "[", "]", ","];

/// The tokens, the last of which is [`Token::End`].
pub(super) fn scan(text: &str) -> Result<Vec<Placed>, Mistake> {
    let characters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&next) = characters.get(at) {
        let position = at + 1;
        let token = match next {
            _ if next.is_whitespace() => {
                at += 1;
                continue;
            }
            '"' | '\'' => quoted(&characters, &mut at)?,
            _ if next.is_ascii_digit() || is_signed_number(&characters, at) => number(&characters, &mut at)?,
            _ if next.is_alphabetic() || next == '_' => {
                let word = run(&characters, &mut at, |next| next.is_alphanumeric() || matches!(next, '_' | '.' | '-'));
                Token::Word(word)
            }
            ':' => {
                at += 1;
                Token::Sign(":")
            }
            _ => {
                let rest: String = characters[at..].iter().take(2).collect();
                let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
                let Some(sign) = sign else {
                    return Err(Mistake { position, message: format!("unexpected character `{next}`") });
                };
                at += sign.len();
                Token::Sign(sign)
            }
        };
        tokens.push(Placed { token, position });
    }
    tokens.push(Placed { token: Token::End, position: characters.len() + 1 });
    Ok(tokens)
}

fn run(characters: &[char], at: &mut usize, belongs: impl Fn(char) -> bool) -> String {
    let text: String = characters[*at..].iter().take_while(|next| belongs(**next)).collect();
    *at += text.chars().count();
    text
}

fn is_signed_number(characters: &[char], at: usize) -> bool {
    let digit = |at: usize| characters.get(at).is_some_and(char::is_ascii_digit);
    match characters[at] {
        '-' | '+' => digit(at + 1) || (characters.get(at + 1) == Some(&'.') && digit(at + 2)),
        '.' => digit(at + 1),
        _ => false,
    }
}

fn number(characters: &[char], at: &mut usize) -> Result<Token, Mistake> {
    let position = *at + 1;
    let mut before = ' ';
    let text = characters[*at..].iter().take_while(|next| {
        // A sign belongs to a number at its head and after the exponent's letter.
        let sign = matches!(**next, '-' | '+') && matches!(before, ' ' | 'e' | 'E');
        before = **next;
        sign || next.is_ascii_alphanumeric() || **next == '.'
    });
    let text: String = text.collect();
    *at += text.len();
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Token::Number(number)),
        _ => Err(Mistake { position, message: format!("`{text}` is not a number") }),
    }
}

fn quoted(characters: &[char], at: &mut usize) -> Result<Token, Mistake> {
    let (start, mark) = (*at, characters[*at]);
    let mut text = String::new();
    *at += 1;
    while let Some(&next) = characters.get(*at) {
        *at += 1;
        match next {
            _ if next == mark => return Ok(Token::Text(text)),
            '\\' => {
                // Only the mark and the backslash itself are escaped; before anything else a backslash is a backslash.
                match characters.get(*at) {
                    Some(&escaped) if escaped == mark || escaped == '\\' => {
                        *at += 1;
                        text.push(escaped);
                    }
                    _ => text.push('\\'),
                }
            }
            _ => text.push(next),
        }
    }
    Err(Mistake { position: start + 1, message: "the quotation mark here is never closed".into() })
}
