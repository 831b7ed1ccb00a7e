//! The twin's balancer against HAProxy in front of the same backend.

use std::{
    fs,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use tests::{Lab, Reply, free_port, until};

use crate::{
    figure::{Goal, Report},
    wrk,
};

const ROUNDS: usize = 5;
const SECONDS: u32 = 4;

/// Ends a child that the measurement started.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    eprintln!("the balancer against HAProxy");
    let lab = Lab::up();
    let folder = tempfile::tempdir()?;
    let (backend, haproxy, listener) = (free_port(), free_port(), free_port());
    let _backend =
        Running(Command::new(std::env::current_exe()?).args(["peer", "--port", &backend.to_string()]).spawn()?);
    let configuration = folder.path().join("haproxy.cfg");
    // Two threads on two cores, keep-alive on both sides, the forwarding headers and a log format that costs nothing: as the
    // balancer does by default.
    fs::write(
        &configuration,
        format!(
            "global\n  nbthread 2\n  maxconn 4096\ndefaults\n  mode http\n  option forwardfor\n  http-reuse always\n  timeout connect 10s\n  \
             timeout client 60s\n  timeout server 60s\nfrontend in\n  bind 127.0.0.1:{haproxy}\n  default_backend out\n\
             backend out\n  server one 127.0.0.1:{backend}\n"
        ),
    )?;
    let mut command = Command::new("haproxy");
    command.arg("-f").arg(&configuration).arg("-db").stdout(Stdio::null()).stderr(Stdio::null());
    let _haproxy = Running(command.spawn().context("haproxy runs; `cargo xtask bench` installs it")?);
    listen(&lab, backend, listener)?;

    let urls = [format!("http://127.0.0.1:{listener}/"), format!("http://127.0.0.1:{haproxy}/")];
    for url in &urls {
        until("the proxy passes a request on", 30, || match Reply::get(url, &[], Duration::from_secs(1)) {
            Ok(reply) if reply.status == 200 => Ok(()),
            Ok(reply) => Err(format!("{} {}", reply.status, reply.body)),
            Err(error) => Err(format!("{error:#}")),
        });
    }
    let (mut ratio, mut rate) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let own = wrk::requests_per_s(&urls[0], SECONDS)?;
        ratio.push(own / wrk::requests_per_s(&urls[1], SECONDS)?);
        rate.push(own);
    }
    report.add("balancer_throughput", "balancer ÷ HAProxy, requests/s", Goal::AtLeast(0.7), ratio);
    report.add("balancer_rate", "balancer, requests/s", Goal::None, rate);
    Ok(())
}

/// A load balancer as AWS makes it – the lab's own writes an access log, HAProxy here writes none – with a listener on `listener`
/// that forwards to a target group with the backend.
fn listen(lab: &Lab, backend: u16, listener: u16) -> anyhow::Result<()> {
    let (backend, listener) = (backend.to_string(), listener.to_string());
    let balancer =
        lab.try_aws(&["elbv2", "create-load-balancer", "--name", "bench", "--subnets", "subnet-a", "subnet-b"])?;
    let balancer = balancer["LoadBalancers"][0]["LoadBalancerArn"].as_str().context("the balancer's ARN")?.to_owned();
    let group = [
        "elbv2",
        "create-target-group",
        "--name",
        "bench",
        "--protocol",
        "HTTP",
        "--port",
        &backend,
        "--target-type",
        "ip",
        "--vpc-id",
        "vpc-bench",
        "--health-check-path",
        "/",
    ];
    let group = lab.try_aws(&group)?;
    let group = group["TargetGroups"][0]["TargetGroupArn"].as_str().context("the group's ARN")?.to_owned();
    let target = format!("Id=127.0.0.1,Port={backend}");
    lab.try_aws(&["elbv2", "register-targets", "--target-group-arn", &group, "--targets", &target])?;
    let action = format!("Type=forward,TargetGroupArn={group}");
    let create = [
        "elbv2",
        "create-listener",
        "--load-balancer-arn",
        &balancer,
        "--protocol",
        "HTTP",
        "--port",
        &listener,
        "--default-actions",
        &action,
    ];
    lab.try_aws(&create)?;
    Ok(())
}
