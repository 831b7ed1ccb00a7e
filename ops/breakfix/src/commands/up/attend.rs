//! The foreground of `up`: a live line until a signal or the twin's own end.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use contract::{failure::shown, names::resource};

use super::Started;
use crate::{names, output, output::LiveLine, signals::Signals, twin::Twin};

/// How often the line is read anew.
const LOOK: Duration = Duration::from_secs(1);

pub(crate) async fn run(twin: &mut Twin, started: &Started, signals: &mut Signals) -> Result<ExitCode> {
    output::say("");
    let mut line = LiveLine::default();
    let mut tick = tokio::time::interval(LOOK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = signals.next() => {
                line.end();
                output::say("ending the lab (again to kill it)");
                output::say(twin.end(signals).await?);
                return Ok(ExitCode::SUCCESS);
            }
            status = twin.wait() => {
                line.end();
                let status = status?;
                if status.success() {
                    output::say("the lab was ended from elsewhere");
                    return Ok(ExitCode::SUCCESS);
                }
                return Err(twin.ended(status));
            }
            text = async { tick.tick().await; state(started).await } => line.show(&text),
        }
    }
}

/// One line: tasks, targets, mode.
async fn state(started: &Started) -> String {
    let config = &started.config;
    let ecs = aws_sdk_ecs::Client::new(config);
    let elb = aws_sdk_elasticloadbalancingv2::Client::new(config);
    let ssm = aws_sdk_ssm::Client::new(config);
    let (services, health, parameter) = tokio::join!(
        ecs.describe_services().cluster(resource::CLUSTER).services(resource::SERVICE).send(),
        async {
            let group = names::target_group_arn(config).await.ok()?;
            elb.describe_target_health().target_group_arn(group).send().await.ok()
        },
        ssm.get_parameter().name(resource::FAILURE_MODE_PARAMETER).send(),
    );
    let tasks = match services.as_ref().map(|services| services.services().first()) {
        Ok(Some(service)) => format!("{}/{}", service.running_count(), service.desired_count()),
        _ => "unknown".into(),
    };
    let targets = match &health {
        Some(health) => {
            let all = health.target_health_descriptions();
            let healthy = all.iter().filter(|target| {
                let state = target.target_health().and_then(|health| health.state());
                state.is_some_and(|state| state.as_str() == "healthy")
            });
            format!("{} healthy of {}", healthy.count(), all.len())
        }
        None => "unknown".into(),
    };
    let mode = parameter.ok().and_then(|output| output.parameter).and_then(|parameter| parameter.value);
    let mode = shorten(mode.as_deref().map_or("unknown", shown));
    format!("tasks {tasks} · targets {targets} · mode {mode} · Ctrl-C ends the lab")
}

/// A line that wraps cannot be overwritten in place.
fn shorten(mode: &str) -> String {
    const MOST: usize = 30;
    match mode.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &mode[..end]),
        None => mode.to_owned(),
    }
}
