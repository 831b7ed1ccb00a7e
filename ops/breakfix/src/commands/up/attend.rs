//! The foreground of `up`: a live line until a signal or the twin's own end.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use aws_sdk_ecs::types::Service;
use contract::{failure::shown, names::resource};
use reset::{Clients, observe::read_serving};

use super::Started;
use crate::{output, output::LiveLine, signals::Signals, twin::Twin};

/// How often the line is read anew.
const LOOK: Duration = Duration::from_secs(1);

pub(crate) async fn run(twin: &mut Twin, started: &Started, signals: &mut Signals) -> Result<ExitCode> {
    output::say("");
    let clients = Clients::from_config(started.config.clone());
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
            text = async { tick.tick().await; state(&clients).await } => line.show(&text),
        }
    }
}

/// One line: tasks, targets, mode.
async fn state(clients: &Clients) -> String {
    let (services, parameter) = tokio::join!(
        clients.ecs.describe_services().cluster(resource::CLUSTER).services(resource::SERVICE).send(),
        clients.ssm.get_parameter().name(resource::FAILURE_MODE_PARAMETER).send(),
    );
    let service = services.as_ref().ok().and_then(|services| services.services().first());
    let tasks = service.map(|service| format!("{}/{}", service.running_count(), service.desired_count()));
    let targets = match service {
        Some(service) => targets(clients, service).await,
        None => None,
    };
    let [tasks, targets] = [tasks, targets].map(|known| known.unwrap_or_else(|| "unknown".into()));
    let mode = parameter.ok().and_then(|output| output.parameter).and_then(|parameter| parameter.value);
    let mode = shorten(mode.as_deref().map_or("unknown", shown));
    format!("tasks {tasks} · targets {targets} · mode {mode} · Ctrl-C ends the lab")
}

/// How many targets of the group that serves are healthy.
async fn targets(clients: &Clients, service: &Service) -> Option<String> {
    let group = read_serving(clients, service).await.ok()?.arn?;
    let health = clients.elbv2.describe_target_health().target_group_arn(group).send().await.ok()?;
    let all = health.target_health_descriptions();
    let healthy = all.iter().filter(|target| {
        let state = target.target_health().and_then(|health| health.state());
        state.is_some_and(|state| state.as_str() == "healthy")
    });
    Some(format!("{} healthy of {}", healthy.count(), all.len()))
}

/// A line that wraps cannot be overwritten in place.
fn shorten(mode: &str) -> String {
    const MOST: usize = 30;
    match mode.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &mode[..end]),
        None => mode.to_owned(),
    }
}
