//! A service's task and its target groups.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use super::step;
use crate::{
    core::Core,
    state::{Happening, Note, Order},
};

/// How long AWS takes, about, from registering to the first health check of a target. Here the time is used to let the
/// container open its port, so that the first check does not fail on a process that is a few milliseconds old.
const REGISTRATION_S: f64 = 20.0;

/// Registers the task with each target group of its service.
pub(super) async fn register(core: &Arc<Core>, order: &Order) {
    for (target, address) in places(core, order) {
        let until = tokio::time::Instant::now() + core.settings.speed.wait(REGISTRATION_S);
        while tokio::time::Instant::now() < until && tokio::net::TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let SocketAddr::V4(socket) = address else { continue };
        match core.targets.register(&target, *socket.ip(), socket.port()).await {
            Ok(()) => note(core, order, Happening::Registered(target)),
            Err(error) => {
                tell(
                    core,
                    order,
                    &format!("failed to register targets in (target-group {target}) with (error {error})"),
                );
            }
        }
        // Wakes the service, which looks at the target's health.
        step(core, order, |_| {});
    }
}

/// Starts the draining of each registration.
pub(super) async fn deregister(core: &Arc<Core>, order: &Order) {
    for (target, address) in places(core, order) {
        let SocketAddr::V4(socket) = address else { continue };
        if core.targets.health(&target, *socket.ip(), socket.port()).await.is_none() {
            continue;
        }
        note(core, order, Happening::Draining);
        match core.targets.deregister(&target, *socket.ip(), socket.port()).await {
            Ok(()) => note(core, order, Happening::Deregistered(target)),
            Err(error) => tracing::warn!(%error, target, "a target could not be deregistered"),
        }
    }
}

/// Becomes ready when no target group knows the task any more: its last request has ended or the deregistration delay is over.
pub(super) async fn drained(core: &Arc<Core>, order: &Order) {
    for (target, address) in places(core, order) {
        let SocketAddr::V4(socket) = address else { continue };
        while core.targets.health(&target, *socket.ip(), socket.port()).await.is_some() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn places(core: &Core, order: &Order) -> Vec<(String, SocketAddr)> {
    let place = core.read(|state| state.tasks.get(&order.id).and_then(|task| task.place.clone()));
    let Some(place) = place else { return Vec::new() };
    let socket = |port| SocketAddr::from((place.address, place.port(port)));
    order.targets.iter().map(|it| (it.target_group_arn.clone(), socket(it.container_port))).collect()
}

/// Something that the task's service tells of, for all of its tasks together.
pub(super) fn note(core: &Core, order: &Order, happening: Happening) {
    core.change(|state| {
        if let Some(service) = order.service.as_ref().and_then(|key| state.services.get_mut(key)) {
            service.notes.push(Note { cohort: order.started_by.clone(), task: order.id.clone(), happening });
        }
    });
}

/// An event of the task's service.
fn tell(core: &Core, order: &Order, message: &str) {
    core.change(|state| {
        if let Some(service) = order.service.as_ref().and_then(|key| state.services.get_mut(key)) {
            service.tell_of(&order.started_by, message);
        }
    });
}
