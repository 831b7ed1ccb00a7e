//! The service between the twin's real CloudWatch and an ECS that only counts.

mod acting;
mod api;
mod support;
