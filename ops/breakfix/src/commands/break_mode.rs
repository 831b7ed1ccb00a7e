//! `break`: writes a failure mode to its parameter, after the same check the service makes.

mod aim;
mod likely;
mod table;
mod value;

use std::process::ExitCode;

use ::reset::{
    Clients, Names,
    observe::{Task, reads, running_tasks},
};
use anyhow::Result;
use aws_sdk_ssm::{
    Client,
    error::ProvideErrorMetadata,
    types::{Parameter, ParameterType},
};
use clap::Args;
use contract::{
    failure::{Plan, shown},
    names::env,
};

use crate::{
    commands::own_name,
    lab::Lab,
    output,
    problem::{self, failure, usage},
};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  breakfix break return_500\n  breakfix break latency min_ms=200 max_ms=800 --percentage 30 \
                        --path /work --for 10m\n  breakfix break connection_leak per_request=2 --tasks 50%\n  \
                        breakfix break dependency_down targets=s3,ssm\n  breakfix break none\n  breakfix break --list"
)]
pub(crate) struct Arguments {
    /// Mode to set, `none`, or a whole parameter value as JSON.
    mode: Option<String>,
    /// The mode's own parameters.
    #[arg(value_name = "KEY=VALUE")]
    parameters: Vec<String>,
    #[command(flatten)]
    scope: value::Scope,
    /// Check and print the value; write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Write only when the parameter still has this version (as `status` shows it).
    #[arg(long, value_name = "VERSION")]
    if_version: Option<i64>,
    /// Write even when the parameter has changed since it was read.
    #[arg(long)]
    force: bool,
    /// Print the table of modes with their parameters, defaults and ranges.
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    names: Names,
}

pub(crate) async fn run(arguments: Arguments, lab: &Lab) -> Result<ExitCode> {
    if arguments.list {
        output::data(table::text());
        return Ok(ExitCode::SUCCESS);
    }
    let own = own_name();
    let Some(mode) = arguments.mode.as_deref() else {
        return Err(usage(
            "name the mode, or `none`",
            format!("`{own} break --list` shows the modes and their parameters"),
        ));
    };
    let mut value = value::build(mode, &arguments.parameters, &arguments.scope)?;
    let mut plan = Plan::parse(&value)?;
    aim::unreached(&plan).iter().for_each(output::say);
    // The value alone needs no lab; whether the parameter still has that version does.
    if arguments.dry_run && arguments.if_version.is_none() {
        return Ok(only_checked(&value));
    }
    let config = lab.aws().await?;
    let (ssm, clients) = (Client::new(&config), Clients::from_config(config));
    let name = &arguments.names.parameter;
    refuse_unread(&clients, &arguments.names).await?;
    let tasks = tasks(&clients, &arguments.names, &plan).await;
    if let Some((settled, lines)) = tasks.as_deref().and_then(|tasks| aim::settle(&value, &plan, tasks)) {
        (value, plan) = (settled.clone(), Plan::parse(&settled)?);
        lines.iter().for_each(output::say);
    }
    let before = read(&ssm, name).await?;
    let expected = arguments.if_version.unwrap_or(before.version);
    let now = read(&ssm, name).await?;
    if now.version != expected && !arguments.force {
        return Err(failure(
            format!(
                "{name} has changed since it was read: version {expected} was expected, it is {} with the value `{}`",
                now.version,
                shown(now.value.as_deref().unwrap_or_default())
            ),
            "look at it with `status`; --force overwrites it",
        ));
    }
    if arguments.dry_run {
        return Ok(only_checked(&value));
    }
    let put = ssm.put_parameter().name(name).value(&value).r#type(ParameterType::String).overwrite(true).send().await;
    let written = put.map_err(|error| problem::aws("writing the failure mode", error))?.version;
    output::data(&value);
    output::say(format!(
        "written to {lab}: {name} is version {written} now; it was `{}` (version {})",
        shown(now.value.as_deref().unwrap_or_default()),
        now.version
    ));
    if written != now.version + 1 && !arguments.force {
        // Parameter Store has no conditional write, so somebody may get between the last look and the write.
        return Err(failure(
            format!(
                "somebody else wrote {name} at the same moment: version {} is theirs and is overwritten",
                written - 1
            ),
            format!("agree with them, then look: aws ssm get-parameter-history --name {name}"),
        ));
    }
    if plan.is_none() {
        output::say(format!("nothing is broken by it any more; `{own} reset` also mends what the mode left behind"));
        return Ok(ExitCode::SUCCESS);
    }
    for fault in plan.faults() {
        output::say(format!("look for: {}", fault.mode.name().look_for()));
    }
    let mut nobody = false;
    if let Some(tasks) = &tasks {
        aim::told(&plan, tasks).iter().for_each(output::say);
        nobody = aim::hits_nobody(&plan, tasks);
    }
    let effect = if nobody { "see who runs" } else { "it takes effect within about a second" };
    output::say(format!("{effect}: {own} status\nundo it with: {own} reset"));
    Ok(ExitCode::SUCCESS)
}

/// The running tasks, where the value chooses among them.
async fn tasks(clients: &Clients, names: &Names, plan: &Plan) -> Option<Vec<Task>> {
    if plan.faults().iter().all(|fault| fault.tasks.is_none()) {
        return None;
    }
    match running_tasks(clients, names).await {
        Ok(tasks) => Some(tasks),
        // Not to know the tasks is no reason not to write the value.
        Err(error) => {
            output::say(format!("warning: whether a task is chosen is unknown: {error}"));
            None
        }
    }
}

/// A parameter that no task reads breaks nothing, and a person would wait for it.
async fn refuse_unread(clients: &Clients, names: &Names) -> Result<()> {
    // Who may not look at the service may still write the parameter.
    let reads = reads(clients, names).await.unwrap_or_default();
    match reads.instead_of(&names.parameter) {
        None => Ok(()),
        Some(read) => Err(failure(
            format!("the tasks read the parameter {read}, you named {}; nothing was written", names.parameter),
            format!("leave out --parameter and `unset {}`, or name theirs", env::PARAM_FAILURE_MODE),
        )),
    }
}

fn only_checked(value: &str) -> ExitCode {
    output::say("valid; nothing is written");
    output::data(value);
    ExitCode::SUCCESS
}

async fn read(ssm: &Client, name: &str) -> Result<Parameter> {
    match ssm.get_parameter().name(name).send().await {
        Ok(output) => output
            .parameter
            .ok_or_else(|| failure(format!("{name} was read but is empty"), "look at it with the aws CLI")),
        Err(error) if error.code() == Some("ParameterNotFound") => Err(failure(
            format!("parameter {name} does not exist"),
            format!("`{} reset` creates it again; another is named with {}", own_name(), env::PARAM_FAILURE_MODE),
        )),
        Err(error) => Err(problem::aws("reading the failure mode", error)),
    }
}
