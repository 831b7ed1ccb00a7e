//! The service as clients see it, through its HTTP seam.

mod alarms;
mod any_input;
mod composites;
mod data;
mod protocols;
mod support;
mod validation;
