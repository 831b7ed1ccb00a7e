//! The service as clients see it, through its HTTP seam.

mod alarms;
mod any_input;
mod data;
mod protocols;
mod support;
mod validation;
