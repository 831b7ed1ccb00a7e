//! Helpers for inputs: what is refused, names, pages.

use twin_platform::AwsError;
use winterbaume_ecs::model::Failure;

/// An input that AWS refuses in these words.
pub(super) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::client("InvalidParameterException", message)
}

/// A request that AWS refuses in these words.
pub(super) fn client(message: impl Into<String>) -> AwsError {
    AwsError::client("ClientException", message)
}

/// The honesty rule for inputs: one that would be ignored is refused instead.
pub(super) fn refuse(given: bool, what: &str) -> Result<(), AwsError> {
    if given { Err(invalid(format!("the twin does not imitate {what}; leave it out"))) } else { Ok(()) }
}

/// Whether an optional list has members.
pub(super) fn some<T>(list: Option<&Vec<T>>) -> bool {
    list.is_some_and(|list| !list.is_empty())
}

/// Names of clusters, services and families: up to 255 letters, digits, hyphens and underscores.
pub(super) fn is_name(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

pub(super) fn missing(arn: String) -> Failure {
    Failure { arn: Some(arn), reason: Some("MISSING".into()), detail: None }
}

/// One page of a list, and the token of the next.
pub(super) fn page<T>(
    all: Vec<T>,
    token: Option<&str>,
    size: Option<i32>,
    largest: usize,
) -> Result<(Vec<T>, Option<String>), AwsError> {
    let bad_token = || invalid("Invalid token");
    let first: usize = token.map_or(Ok(0), str::parse).map_err(|_| bad_token())?;
    let size = match size {
        None => largest,
        Some(size) => usize::try_from(size)
            .ok()
            .filter(|size| (1..=100).contains(size))
            .ok_or_else(|| invalid(format!("maxResults {size} is not within 1 and 100")))?,
    };
    let next = (first + size < all.len()).then(|| (first + size).to_string());
    Ok((all.into_iter().skip(first).take(size).collect(), next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let (first, token) = page(vec![1, 2, 3], None, Some(2), 10).expect("a good page size");
        assert_eq!((first, token.as_deref()), (vec![1, 2], Some("2")));
        let (rest, token) = page(vec![1, 2, 3], token.as_deref(), Some(2), 10).expect("a good token");
        assert_eq!((rest, token), (vec![3], None));
        assert!(page(vec![1], Some("x"), None, 10).is_err());
        assert!(page(vec![1], None, Some(0), 10).is_err());
    }
}
