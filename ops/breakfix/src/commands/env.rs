//! `env`: exports for bash and zsh that point the aws CLI, psql and scripts at the lab.

mod shell;

use std::{collections::BTreeMap, ffi::OsString, process::ExitCode};

use anyhow::Result;
use clap::Args;
use contract::names::{env, resource};

use self::shell::{Shell, export};
use crate::{
    checkout,
    lab::{DUMMY_KEY, Lab},
    names, output,
};

#[derive(Debug, Args)]
#[command(after_help = "Use it with: eval \"$(breakfix env)\"")]
pub(crate) struct Arguments {
    /// Print the lines that leave the lab again: what it set is taken out, what it replaced is given back.
    #[arg(long)]
    unset: bool,
}

pub(crate) async fn run(arguments: &Arguments, lab: &Lab) -> Result<ExitCode> {
    let shell = Shell::of_this_process();
    if arguments.unset {
        output::data(shell.leave(&ALL).join("\n"));
        return Ok(ExitCode::SUCCESS);
    }
    let pairs = exports(lab, &shell).await?;
    let lines = match lab {
        Lab::Laptop(_) => shell.enter(&pairs),
        _ => pairs.iter().map(|(name, value)| export(name, value)).collect(),
    };
    output::data(lines.join("\n"));
    Ok(ExitCode::SUCCESS)
}

/// What a shell has after it took the exports in: for blocks that are written for one.
///
/// # Errors
/// As for `env`.
pub(crate) async fn variables(lab: &Lab) -> Result<BTreeMap<OsString, OsString>> {
    let pairs = exports(lab, &Shell::of_this_process()).await?;
    let mut variables: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
    if let Lab::Laptop(_) = lab {
        variables.retain(|name, _| !name.to_str().is_some_and(shell::leads_astray));
    }
    variables.extend(pairs.into_iter().map(|(name, value)| (name.into(), value.into())));
    Ok(variables)
}

async fn exports(lab: &Lab, shell: &Shell) -> Result<Vec<(&'static str, String)>> {
    let config = lab.aws().await?;
    let (url, group, secret, database) = tokio::try_join!(
        names::balancer_url(&config),
        names::target_group_arn(&config),
        async { Ok(names::secret_arn(&config).await) },
        async { Ok(names::database(&config).await) }
    )?;
    // What the shell says of itself counts only where no lab of ours is meant.
    let named = |variable: &'static str, name: &str| {
        let set = shell.value(variable).map(str::to_owned);
        (variable, set.filter(|_| !lab.ignores_generated_names()).unwrap_or_else(|| name.into()))
    };
    let mut pairs = Vec::new();
    let region = config.region().map(ToString::to_string).unwrap_or_default();
    match lab {
        Lab::Laptop(ready) => pairs.extend([
            ("AWS_ENDPOINT_URL", ready.endpoint.clone()),
            ("AWS_ACCESS_KEY_ID", DUMMY_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", DUMMY_KEY.to_owned()),
        ]),
        // Another endpoint has the credentials with which it was just asked; an account in AWS keeps its own secret.
        _ => {
            if let Some(endpoint) = config.endpoint_url() {
                pairs.push(("AWS_ENDPOINT_URL", endpoint.to_owned()));
                pairs.push(named("AWS_ACCESS_KEY_ID", DUMMY_KEY));
                pairs.push(named("AWS_SECRET_ACCESS_KEY", DUMMY_KEY));
            }
        }
    }
    pairs.extend([
        ("AWS_REGION", region.clone()),
        ("AWS_DEFAULT_REGION", region),
        // A pager would stop a script, and a person who copies a command, at the first page.
        ("AWS_PAGER", String::new()),
        named(env::CLUSTER, resource::CLUSTER),
        named(env::SERVICE, resource::SERVICE),
        (env::ALB_URL, url),
        (env::TARGET_GROUP_ARN, group),
        named(env::PARAM_FAILURE_MODE, resource::FAILURE_MODE_PARAMETER),
        named(env::LOG_GROUP, resource::LOG_GROUP),
    ]);
    match secret {
        Ok(secret) => pairs.push((env::DB_SECRET_ARN, secret)),
        // A lost secret is an incident, and this is how one begins to look for it.
        Err(error) => output::say(format!("warning: {} is left out: {error:#}", env::DB_SECRET_ARN)),
    }
    // The password stays in the secret; a secret that is not usable leaves psql to itself.
    if let Some(database) = database {
        pairs.extend([
            ("PGHOST", database.host),
            ("PGPORT", database.port.to_string()),
            ("PGDATABASE", database.dbname),
            ("PGUSER", database.username),
        ]);
    }
    if let Some(folder) = checkout::folder("ops/queries") {
        pairs.push((env::QUERIES, folder.to_string_lossy().into_owned()));
    }
    Ok(pairs)
}

/// Every variable that a laptop's exports set.
const ALL: [&str; 18] = [
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_PAGER",
    env::CLUSTER,
    env::SERVICE,
    env::ALB_URL,
    env::TARGET_GROUP_ARN,
    env::DB_SECRET_ARN,
    env::PARAM_FAILURE_MODE,
    env::LOG_GROUP,
    env::QUERIES,
    "PGHOST",
    "PGPORT",
    "PGDATABASE",
    "PGUSER",
];
