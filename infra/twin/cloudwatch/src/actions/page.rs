//! Paging: a token is the position of the next item.

use twin_platform::AwsError;

use super::Context;
use crate::input::violated;

/// The position that `NextToken` names, 0 without one.
pub(super) fn start(context: &Context<'_>) -> Result<usize, AwsError> {
    let token = context.input.text("NextToken")?.filter(|token| !token.is_empty());
    let position = token.map(|token| token.parse().map_err(|_| invalid_token())).transpose()?;
    Ok(position.unwrap_or(0))
}

fn invalid_token() -> AwsError {
    AwsError::client("InvalidNextToken", "The next token is not one that this action gave")
}

/// At most `size` items from the token's position, and the token of what is left.
pub(super) fn cut<T>(
    context: &Context<'_>,
    items: impl Iterator<Item = T>,
    size: usize,
) -> Result<(Vec<T>, Option<String>), AwsError> {
    let start = start(context)?;
    let mut rest = items.skip(start);
    let page: Vec<T> = rest.by_ref().take(size).collect();
    let token = rest.next().map(|_| (start + size).to_string());
    Ok((page, token))
}

/// `MaxRecords`: 1 to 100.
pub(super) fn size(context: &Context<'_>) -> Result<usize, AwsError> {
    match context.input.integer("MaxRecords")? {
        None => Ok(100),
        Some(size @ 1..=100) => Ok(usize::try_from(size).unwrap_or(100)),
        Some(size) => Err(violated("maxRecords", &format!("'{size}'"), "be between 1 and 100")),
    }
}
