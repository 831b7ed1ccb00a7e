//! `/` through golden – failure check, log line and spans on, exporter off – against the same body on bare axum.

use std::{
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::Context as _;
use tests::{Reply, binary, free_port, until};

use crate::{
    figure::{Goal, Report},
    machine::cpu_s,
    wrk,
};

const ROUNDS: usize = 5;
const SECONDS: u32 = 4;

/// A server under test; killed when dropped.
struct Server {
    child: Child,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(command: &mut Command, port: u16) -> anyhow::Result<Self> {
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("starting a server")?;
        let server = Self { child, url: format!("http://127.0.0.1:{port}/") };
        until("the server answers", 20, || match Reply::get(&server.url, &[], Duration::from_secs(1)) {
            Ok(reply) if reply.status == 200 => Ok(()),
            Ok(reply) => Err(format!("{} {}", reply.status, reply.body)),
            Err(error) => Err(format!("{error:#}")),
        });
        Ok(server)
    }

    /// Throughput, and CPU microseconds of the server per request.
    fn round(&self) -> anyhow::Result<(f64, f64)> {
        let before = cpu_s(self.child.id()).context("the server runs")?;
        let rate = wrk::requests_per_s(&self.url, SECONDS)?;
        let spent = cpu_s(self.child.id()).context("the server runs")? - before;
        Ok((rate, spent * 1e6 / (rate * f64::from(SECONDS))))
    }
}

pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    eprintln!("golden against bare axum");
    let lab = tests::Lab::up();
    let (golden_port, peer_port, admin_port) = (free_port(), free_port(), free_port());
    let mut golden = Command::new(binary("golden"));
    golden
        .env("BIND_ADDR", format!("127.0.0.1:{golden_port}"))
        .env("ADMIN_ADDR", format!("127.0.0.1:{admin_port}"))
        .env("DB_SECRET_ARN", lab.name("DB_SECRET_ARN"));
    for variable in
        ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PARAM_FAILURE_MODE"]
    {
        golden.env(variable, lab.name(variable));
    }
    let golden = Server::start(&mut golden, golden_port)?;
    let peer = Server::start(
        Command::new(std::env::current_exe()?).args(["peer", "--port", &peer_port.to_string()]),
        peer_port,
    )?;
    let (mut throughput, mut cpu, mut rate) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (golden_rate, golden_cpu) = golden.round()?;
        let (peer_rate, peer_cpu) = peer.round()?;
        throughput.push(golden_rate / peer_rate);
        cpu.push(peer_cpu / golden_cpu);
        rate.push(golden_rate);
        thread::sleep(Duration::from_millis(200));
    }
    report.add("golden_throughput", "`/` through golden ÷ bare axum, requests/s", Goal::AtLeast(0.85), throughput);
    report.add("golden_cpu", "server CPU per request, bare axum ÷ golden", Goal::None, cpu);
    report.add("golden_rate", "`/` through golden, requests/s", Goal::None, rate);
    Ok(())
}
