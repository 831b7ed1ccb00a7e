//! `env`: exports for bash and zsh that point the aws CLI and scripts at the lab.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use contract::names::{env, resource};

use crate::{
    lab::{DUMMY_KEY, Lab},
    names, output,
};

#[derive(Debug, Args)]
#[command(after_help = "Use it with: eval \"$(breakfix env)\"")]
pub(crate) struct Arguments {
    /// Print `unset` lines instead, to leave the lab again.
    #[arg(long)]
    unset: bool,
}

pub(crate) async fn run(arguments: &Arguments, lab: &Lab) -> Result<ExitCode> {
    if arguments.unset {
        output::data(ALL.map(|name| format!("unset {name}")).join("\n"));
        return Ok(ExitCode::SUCCESS);
    }
    let config = lab.aws().await?;
    let (url, group, secret) =
        tokio::try_join!(names::balancer_url(&config), names::target_group_arn(&config), names::secret_arn(&config))?;
    // What the shell says of itself counts only where no lab of ours is meant.
    let named = |variable: &'static str, name: &str| {
        let set = std::env::var(variable).ok().filter(|value| !value.is_empty());
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
        (env::DB_SECRET_ARN, secret),
        named(env::PARAM_FAILURE_MODE, resource::FAILURE_MODE_PARAMETER),
        named(env::LOG_GROUP, resource::LOG_GROUP),
    ]);
    output::data(pairs.iter().map(|(name, value)| export(name, value)).collect::<Vec<_>>().join("\n"));
    Ok(ExitCode::SUCCESS)
}

/// Every variable that a laptop's exports set.
const ALL: [&str; 13] = [
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
];

/// One line for a POSIX shell; single quotes keep everything but themselves.
fn export(name: &str, value: &str) -> String {
    format!("export {name}='{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_any_value() {
        for value in ["", "plain", "two words", "it's", "$HOME `id` \"x\" \\ !", "a\nb", "'"] {
            let script = format!("{}\nprintf %s \"$V\"", export("V", value));
            let output = std::process::Command::new("sh").arg("-c").arg(&script).output().expect("sh runs");
            assert_eq!(String::from_utf8_lossy(&output.stdout), value, "{script}");
        }
    }
}
