//! The firewall by its API and by the requests that it judges.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod any_input;
mod bad_input;
mod managed;
mod resources;
mod rules;
mod support;
