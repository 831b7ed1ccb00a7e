//! The balancer from outside: API calls as the query protocol carries them, requests over real sockets to real backends.

mod api;
mod client_errors;
mod draining;
mod failures;
mod health;
mod routing;
mod support;
