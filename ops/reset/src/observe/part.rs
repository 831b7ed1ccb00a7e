//! One part of an observation: what was seen, or why it could not be seen.

use std::fmt;

use serde::Serialize;

/// A part of the observation. Serialized as the part itself, or as `{"error": "…"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Part<T> {
    /// What was seen.
    Known(T),
    /// It could not be seen.
    Unknown {
        /// Why, in one line and without secrets.
        error: String,
    },
}

impl<T> Part<T> {
    pub(crate) fn error(error: impl fmt::Display) -> Self {
        Self::Unknown { error: error.to_string() }
    }

    /// What was seen.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(part) => Some(part),
            Self::Unknown { .. } => None,
        }
    }

    /// Why nothing was seen.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Known(_) => None,
            Self::Unknown { error } => Some(error),
        }
    }

    /// As a `Result`, for `?`.
    ///
    /// # Errors
    /// The reason why nothing was seen.
    pub fn as_result(&self) -> Result<&T, &str> {
        match self {
            Self::Known(part) => Ok(part),
            Self::Unknown { error } => Err(error),
        }
    }
}

impl<T, E: fmt::Display> From<Result<T, E>> for Part<T> {
    fn from(result: Result<T, E>) -> Self {
        match result {
            Ok(part) => Self::Known(part),
            Err(error) => Self::error(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_part_says_why_in_json() {
        let parts = [Part::Known(7), Part::error("connection refused")];
        let json = serde_json::to_string(&parts).expect("parts serialize");
        assert_eq!(json, r#"[7,{"error":"connection refused"}]"#);
    }
}
