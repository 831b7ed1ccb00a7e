//! Conditions joined by `&&`, `||` and parentheses; `&&` binds tighter.

use super::{PatternError, scan::Scanner};

/// Deepest nesting of parentheses. The length limit alone would allow five hundred, which a debug build's stack may not hold.
pub(super) const MAX_DEPTH: usize = 32;

#[derive(Debug)]
pub(super) enum Tree<T> {
    All(Vec<Tree<T>>),
    Any(Vec<Tree<T>>),
    Leaf(T),
}

impl<T> Tree<T> {
    pub(super) fn holds(&self, test: &impl Fn(&T) -> bool) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(test)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(test)),
            Self::Leaf(leaf) => test(leaf),
        }
    }

    /// The leaves that must hold whenever the whole does.
    pub(super) fn required(&self) -> Vec<&T> {
        match self {
            Self::All(parts) => parts.iter().flat_map(Self::required).collect(),
            Self::Any(_) => Vec::new(),
            Self::Leaf(leaf) => vec![leaf],
        }
    }
}

/// Reads a condition whose leaves `leaf` reads.
pub(super) fn parse<T>(
    scanner: &mut Scanner<'_>,
    leaf: &mut impl FnMut(&mut Scanner<'_>) -> Result<T, PatternError>,
) -> Result<Tree<T>, PatternError> {
    any(scanner, leaf, 0)
}

fn any<T>(
    scanner: &mut Scanner<'_>,
    leaf: &mut impl FnMut(&mut Scanner<'_>) -> Result<T, PatternError>,
    depth: usize,
) -> Result<Tree<T>, PatternError> {
    let mut parts = vec![all(scanner, leaf, depth)?];
    while scanner.eat("||") {
        parts.push(all(scanner, leaf, depth)?);
    }
    Ok(one_or(parts, Tree::Any))
}

fn all<T>(
    scanner: &mut Scanner<'_>,
    leaf: &mut impl FnMut(&mut Scanner<'_>) -> Result<T, PatternError>,
    depth: usize,
) -> Result<Tree<T>, PatternError> {
    let mut parts = vec![single(scanner, leaf, depth)?];
    while scanner.eat("&&") {
        parts.push(single(scanner, leaf, depth)?);
    }
    Ok(one_or(parts, Tree::All))
}

fn single<T>(
    scanner: &mut Scanner<'_>,
    leaf: &mut impl FnMut(&mut Scanner<'_>) -> Result<T, PatternError>,
    depth: usize,
) -> Result<Tree<T>, PatternError> {
    scanner.skip_whitespace();
    let tree = if scanner.peek() == Some('(') {
        if depth == MAX_DEPTH {
            return Err(scanner.error(format!("parentheses are nested deeper than {MAX_DEPTH}")));
        }
        scanner.expect("(")?;
        let inner = any(scanner, leaf, depth + 1)?;
        scanner.expect(")")?;
        inner
    } else {
        Tree::Leaf(leaf(scanner)?)
    };
    scanner.skip_whitespace();
    Ok(tree)
}

fn one_or<T>(mut parts: Vec<Tree<T>>, join: impl Fn(Vec<Tree<T>>) -> Tree<T>) -> Tree<T> {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}
