//! `outage`: an AWS service that throttles, is unavailable, is slow, or does not answer, for a while.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Args;
use contract::duration;
use serde_json::json;

use crate::{commands::own_name, lab::Lab, outages::Outages, output, problem::usage};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  breakfix outage ssm --throttle --for 60s\n  breakfix outage s3 --refuse --for 2m --tasks-only\n  \
                        breakfix outage secretsmanager --unavailable --for 30s --percentage 50\n  \
                        breakfix outage ssm --latency 2s --for 60s --action GetParameter\n  breakfix outage ssm --end\n  \
                        breakfix outage                     list what is active"
)]
pub(crate) struct Arguments {
    /// Service as requests are signed for it: ssm, secretsmanager, s3, logs, monitoring, sqs, …
    service: Option<String>,
    #[command(flatten)]
    kind: KindArguments,
    /// How long, on the wall clock (the speed does not divide it); at most 4h.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration::parse)]
    length: Option<Duration>,
    /// Hit only this action, as `GetParameter`; may be given several times. For S3 it is the method.
    #[arg(long = "action", value_name = "ACTION")]
    actions: Vec<String>,
    /// Hit this share of the calls.
    #[arg(long, value_name = "PERCENT")]
    percentage: Option<f64>,
    /// With --throttle: let this many calls a second through.
    #[arg(long, value_name = "PER_S", requires = "throttle")]
    rate: Option<f64>,
    /// Hit the tasks' calls only. Without it operators are hit as well, as in AWS: `reset` cannot write the parameter while
    /// ssm is down.
    #[arg(long)]
    tasks_only: bool,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
struct KindArguments {
    /// Answer with the service's throttling error.
    #[arg(long)]
    throttle: bool,
    /// Answer with the service's internal error.
    #[arg(long)]
    unavailable: bool,
    /// Close the connection without an answer.
    #[arg(long)]
    refuse: bool,
    /// Let each call wait.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    latency: Option<Duration>,
    /// End the outage of the service, or all.
    #[arg(long)]
    end: bool,
}

pub(crate) async fn run(arguments: &Arguments, lab: &Lab) -> Result<ExitCode> {
    let outages = Outages::of(lab)?;
    let kind = &arguments.kind;
    if kind.end {
        outages.end(arguments.service.as_deref()).await?;
        output::say("ended");
        return Ok(ExitCode::SUCCESS);
    }
    let word = [
        (kind.throttle, "throttle"),
        (kind.unavailable, "unavailable"),
        (kind.refuse, "refuse"),
        (kind.latency.is_some(), "latency"),
    ];
    let word = word.into_iter().find_map(|(given, word)| given.then_some(word));
    let (service, word, length) = match (&arguments.service, word, arguments.length) {
        (None, None, None) => {
            let active = outages.active().await?;
            active.iter().for_each(|outage| output::data(outage.line()));
            if active.is_empty() {
                output::say("no outage is active");
            }
            return Ok(ExitCode::SUCCESS);
        }
        (Some(service), Some(word), Some(length)) => (service, word, length),
        _ => {
            return Err(usage(
                "an outage needs a service, what happens, and for how long",
                format!("e.g. `{} outage ssm --throttle --for 60s`", own_name()),
            ));
        }
    };
    let mut wanted = json!({
        "kind": word,
        "for_s": length.as_secs_f64(),
        "actions": arguments.actions,
        "principals": if arguments.tasks_only { "tasks" } else { "all" },
    });
    let optional = [
        ("percentage", arguments.percentage.map(|percentage| json!(percentage))),
        ("rate_per_s", arguments.rate.map(|rate| json!(rate))),
        ("latency_ms", kind.latency.map(|latency| json!(latency.as_millis()))),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            wanted[name] = value;
        }
    }
    let outage = outages.begin(service, &wanted).await?;
    output::data(outage.line());
    output::say(format!("it ends by itself; `{} outage {service} --end` ends it now", own_name()));
    Ok(ExitCode::SUCCESS)
}
