//! Health checks: one task for each target, each check on a connection of its own.

use std::{
    net::SocketAddrV4,
    sync::{Arc, Weak},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::Instant};
use twin_platform::Speed;

use crate::{
    group::Group,
    settings::Settings,
    target::{Failure, Target},
};

/// How long registering takes before the first check, at speed 1. AWS takes seconds; a process that was started just now
/// needs a moment before it listens.
const REGISTERING_S: f64 = 2.0;
/// A check never has less time than this, however fast the clock: a busy laptop needs it.
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(500);
/// At most this much of a check's answer is read before its connection is closed.
const MAX_ANSWER: usize = 64 * 1024;

/// Checks `target` until it leaves. Changed settings and a group coming into use act at once.
pub(crate) async fn watch(group: Weak<Group>, target: Arc<Target>, speed: Speed) {
    let Some(mut changes) = group.upgrade().map(|group| group.changes()) else { return };
    tokio::time::sleep(speed.wait(REGISTERING_S)).await;
    loop {
        let Some(strong) = group.upgrade() else { return };
        changes.mark_unchanged();
        if !strong.is_in_use() {
            drop(strong);
            if changes.changed().await.is_err() {
                return;
            }
            continue;
        }
        let settings = strong.settings();
        drop(strong);
        let started = Instant::now();
        let interval = speed.wait(f64::from(settings.interval_s));
        let timeout = Duration::from_secs(u64::from(settings.timeout_s)).min(interval).max(SHORTEST_TIMEOUT);
        target.begin_check();
        let outcome =
            tokio::time::timeout(timeout, check(target.address, &settings)).await.unwrap_or(Err(Failure::Timeout));
        let Some(strong) = group.upgrade() else { return };
        tracing::trace!(target = %target.address, group = strong.name, ?outcome, "health check");
        if target.record(outcome, &settings) {
            tracing::debug!(target = %target.address, group = strong.name, health = ?target.health(), "target health changed");
            strong.refresh();
        }
        drop(strong);
        target.pool.sweep();
        tokio::select! {
            () = tokio::time::sleep_until(started + interval) => {}
            gone = changes.changed() => if gone.is_err() { return },
        }
    }
}

/// One check.
async fn check(target: SocketAddrV4, settings: &Settings) -> Result<(), Failure> {
    let address = SocketAddrV4::new(*target.ip(), settings.port.unwrap_or(target.port()));
    let failed = |_| Failure::Failed;
    let stream = TcpStream::connect(address).await.map_err(|_| Failure::Failed)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let request = Request::get(settings.path.as_str())
        .header(header::HOST, address.to_string())
        .header(header::CONNECTION, "close")
        .header(header::USER_AGENT, "ELB-HealthChecker/2.0")
        .header(header::ACCEPT_ENCODING, "gzip, compressed")
        .body(Empty::<Bytes>::new())
        .map_err(|_| Failure::Failed)?;
    // Driven here and not by a task of its own, so that a check that times out takes its connection with it.
    let answer = async {
        let (head, body) = sender.send_request(request).await.map_err(failed)?.into_parts();
        // The code decides; reading the rest only spares the target a reset.
        drop(Limited::new(body, MAX_ANSWER).collect().await);
        Ok(head.status.as_u16())
    };
    tokio::pin!(answer, connection);
    let code = tokio::select! {
        biased;
        code = &mut answer => code,
        _ = &mut connection => answer.await,
    }?;
    if settings.matcher.passes(code) { Ok(()) } else { Err(Failure::Mismatch(code)) }
}
