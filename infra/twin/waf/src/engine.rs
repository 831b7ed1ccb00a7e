//! Judging a request by the compiled rules of a web ACL.
//!
//! Promises: rules in the order of their priority; a rule sees the labels of those before it; each component of a request is read
//! and transformed at most once, and only when a rule looks at it; nothing here panics, whatever the request.

pub(crate) mod address;
pub(crate) mod component;
pub(crate) mod json_body;
pub(crate) mod outcome;
pub(crate) mod program;
pub(crate) mod rate;
mod read;
pub(crate) mod request;
pub(crate) mod test;
pub(crate) mod transform;
