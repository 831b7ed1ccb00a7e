//! Pages of a list.

use serde::Deserialize;
use twin_platform::AwsError;

use super::input::validation;

/// Items on a page ("DescribeScalingPolicies", `MaxResults`).
const MOST: usize = 50;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Paging {
    max_results: Option<i64>,
    next_token: Option<String>,
}

impl Paging {
    /// One page of what there is, and the token of the next.
    pub(super) fn cut<T>(&self, all: Vec<T>) -> Result<(Vec<T>, Option<String>), AwsError> {
        let size = match self.max_results {
            None => MOST,
            Some(size) => usize::try_from(size)
                .ok()
                .filter(|size| (1..=MOST).contains(size))
                .ok_or_else(|| validation(format!("MaxResults must be between 1 and {MOST}, and it is {size}.")))?,
        };
        let invalid = |_| AwsError::client("InvalidNextTokenException", "The next token supplied was invalid.");
        let given = self.next_token.as_deref().filter(|token| !token.is_empty());
        let first: usize = given.map_or(Ok(0), str::parse).map_err(invalid)?;
        let next = first.saturating_add(size);
        let token = (next < all.len()).then(|| next.to_string());
        Ok((all.into_iter().skip(first).take(size).collect(), token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let page = |max_results, token: Option<&str>| {
            Paging { max_results, next_token: token.map(str::to_owned) }.cut(vec![1, 2, 3])
        };
        assert_eq!(page(Some(2), None).expect("a page"), (vec![1, 2], Some("2".into())));
        assert_eq!(page(Some(2), Some("2")).expect("a page"), (vec![3], None));
        assert!(page(None, Some("18446744073709551615")).expect("a page").0.is_empty());
        assert_eq!(page(None, Some("x")).expect_err("no token of ours").code, "InvalidNextTokenException");
        assert_eq!(page(Some(51), None).expect_err("too many").code, "ValidationException");
    }
}
