//! A target group: who is in it, who gets the next request.

use std::{
    net::SocketAddrV4,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use arc_swap::ArcSwap;
use tokio::sync::watch;
use twin_platform::Speed;

use crate::{
    attributes::GroupAttributes,
    health,
    settings::Settings,
    target::{Health, Target, Ticket},
};

/// A target group.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) arn: Arc<str>,
    pub(crate) name: String,
    /// The port of targets that are registered without one.
    pub(crate) port: u16,
    /// As given; the twin has no networks.
    pub(crate) vpc: Option<String>,
    settings: ArcSwap<Settings>,
    attributes: ArcSwap<GroupAttributes>,
    members: Mutex<Vec<Arc<Target>>>,
    /// Who gets requests now. The hot path reads this and nothing else.
    rotation: ArcSwap<Vec<Arc<Target>>>,
    turn: AtomicUsize,
    in_use: AtomicBool,
    changes: watch::Sender<()>,
}

impl Group {
    pub(crate) fn new(arn: &str, name: &str, port: u16, vpc: Option<String>, settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            arn: arn.into(),
            name: name.to_owned(),
            port,
            vpc,
            settings: ArcSwap::from_pointee(settings),
            attributes: ArcSwap::from_pointee(GroupAttributes::default()),
            members: Mutex::default(),
            rotation: ArcSwap::default(),
            turn: AtomicUsize::new(0),
            in_use: AtomicBool::new(false),
            changes: watch::Sender::new(()),
        })
    }

    fn members(&self) -> MutexGuard<'_, Vec<Arc<Target>>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Health-check settings now.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// Changes the health-check settings; the next check uses them and is made at once.
    pub(crate) fn set_settings(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
        self.changes.send_replace(());
    }

    /// Attributes now.
    pub(crate) fn attributes(&self) -> Arc<GroupAttributes> {
        self.attributes.load_full()
    }

    /// Changes the attributes.
    pub(crate) fn set_attributes(&self, attributes: GroupAttributes) {
        self.attributes.store(Arc::new(attributes));
    }

    /// Tells of changed settings and of coming into use.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Whether a listener sends requests here.
    pub(crate) fn is_in_use(&self) -> bool {
        self.in_use.load(Ordering::Acquire)
    }

    /// A listener begins or ceases to send requests here.
    pub(crate) fn set_in_use(&self, in_use: bool) {
        if self.in_use.swap(in_use, Ordering::AcqRel) == in_use {
            return;
        }
        for target in self.members().iter() {
            target.set_in_use(in_use);
        }
        self.refresh();
        self.changes.send_replace(());
    }

    /// Adds a target and starts its checks. One that is registered stays as it is; one that is leaving starts anew.
    pub(crate) fn register(self: &Arc<Self>, address: SocketAddrV4, zone: Option<String>, speed: Speed) {
        let mut members = self.members();
        if members.iter().any(|target| target.address == address && !target.is_draining()) {
            return;
        }
        members.retain(|target| target.address != address);
        let target = Target::new(address, zone);
        if !self.is_in_use() {
            target.set_in_use(false);
        }
        members.push(Arc::clone(&target));
        drop(members);
        self.refresh();
        let (group, stop) = (Arc::downgrade(self), target.stop.clone());
        tokio::spawn(async move { stop.run_until_cancelled(health::watch(group, target, speed)).await });
    }

    /// Starts draining. The target is gone when its last request has ended, at the latest after the deregistration delay,
    /// when what is left is cut. False when the address is not registered.
    pub(crate) fn deregister(self: &Arc<Self>, address: SocketAddrV4, speed: Speed) -> bool {
        let found = self.members().iter().find(|target| target.address == address).cloned();
        let Some(target) = found else { return false };
        if !target.drain() {
            return true;
        }
        self.refresh();
        let delay = speed.wait(f64::from(self.attributes().deregistration_delay_s));
        let group = Arc::clone(self);
        tokio::spawn(async move {
            if tokio::time::timeout(delay, target.idle()).await.is_err() {
                tracing::info!(target = %target.address, group = group.name, in_flight = target.in_flight(),
                    "deregistration delay is over, the requests that are left are cut");
            }
            target.abort();
            group.members().retain(|member| !Arc::ptr_eq(member, &target));
        });
        true
    }

    /// All targets, those that are leaving included.
    pub(crate) fn targets(&self) -> Vec<Arc<Target>> {
        self.members().clone()
    }

    /// The target with this address.
    pub(crate) fn target(&self, address: SocketAddrV4) -> Option<Arc<Target>> {
        self.members().iter().find(|target| target.address == address).cloned()
    }

    /// Computes anew who gets requests: the healthy ones; when there is none, everyone who is registered (fail open).
    /// A target that has not passed its first check counts as not healthy, so it too gets requests when nobody is healthy.
    pub(crate) fn refresh(&self) {
        let members = self.members();
        let staying = || members.iter().filter(|target| !target.is_draining());
        let healthy: Vec<_> = staying().filter(|target| target.health() == Health::Healthy).cloned().collect();
        let rotation = if healthy.is_empty() { staying().cloned().collect() } else { healthy };
        // Stored under the lock, or an older view could overwrite a newer one.
        self.rotation.store(Arc::new(rotation));
    }

    /// Gives the next request to a target; none when nobody is registered.
    pub(crate) fn pick(&self) -> Option<Ticket> {
        loop {
            let rotation = self.rotation.load();
            let count = rotation.len();
            if count == 0 {
                return None;
            }
            let first = self.turn.fetch_add(1, Ordering::Relaxed) % count;
            let chosen = if self.attributes.load().least_outstanding {
                // Ties go to whose turn it is, so that idle targets share.
                (0..count).map(|step| &rotation[(first + step) % count]).min_by_key(|target| target.in_flight())
            } else {
                rotation.get(first)
            };
            // A target that began to leave after the rotation was read refuses; its removal is being published, so try on.
            if let Some(ticket) = chosen.and_then(|target| target.enter()) {
                return Some(ticket);
            }
            std::hint::spin_loop();
            drop(rotation);
            std::thread::yield_now();
        }
    }

    /// Ends all checks and connections.
    pub(crate) fn close(&self) {
        for target in self.members().drain(..) {
            target.abort();
        }
        self.rotation.store(Arc::default());
    }
}
