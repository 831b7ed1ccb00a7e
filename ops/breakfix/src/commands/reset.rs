//! `reset`: the same as the program `reset`, against the lab that this command line finds.

use std::process::ExitCode;

use ::reset::{Arguments, Clients};
use anyhow::{Context, Result};

use crate::lab::Lab;

pub(crate) async fn run(arguments: &Arguments, lab: &Lab) -> Result<ExitCode> {
    let clients = Clients::from_config(lab.aws().await?);
    ::reset::execute(&clients, arguments).await.context("writing the result")
}
