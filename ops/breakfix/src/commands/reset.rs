//! `reset`: the same as the program `reset`, against the lab that this command line finds.
//!
//! An outage that was made on purpose is not `reset`'s to end, since no API of AWS shows it; it is named before, because
//! nothing can be repaired through a service that does not answer.

use std::process::ExitCode;

use ::reset::{Arguments, Clients};
use anyhow::{Context, Result};

use crate::{commands::own_name, lab::Lab, outages::Outages, output};

pub(crate) async fn run(arguments: &Arguments, lab: &Lab) -> Result<ExitCode> {
    let clients = Clients::from_config(lab.aws().await?);
    if let Some(outages) = Outages::maybe(lab) {
        // Whoever answers there need not be a lab.
        for outage in outages.active().await.unwrap_or_default() {
            let hurts = if outage.hits_operators() { "; reset's own calls are hit too" } else { "" };
            output::say(format!(
                "warning: an outage is active, and reset does not end it: {}{hurts} (`{} outage {} --end`)",
                outage.line(),
                own_name(),
                outage.service
            ));
        }
    }
    ::reset::execute(&clients, arguments).await.context("writing the result")
}
