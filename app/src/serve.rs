//! Runs a task: two listeners, the background work, and an orderly end.

use std::{future::Future, io, sync::Arc, time::Duration};

use axum::{ServiceExt, serve::ListenerExt};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{config::Config, edge::Edge, router, state::App};

/// The two open sockets.
pub struct Listeners {
    /// Where callers and the balancer come in.
    pub public: TcpListener,
    /// Where the operator comes in.
    pub admin: TcpListener,
}

/// A task that could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address is taken or not ours.
    #[error("cannot listen on {variable} {address}; free the port or give another")]
    Listen {
        /// Which setting.
        variable: &'static str,
        /// Its value.
        address: std::net::SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
    /// Something that must run for ever ended.
    #[error("{0} ended by itself; the task cannot go on without it")]
    Ended(&'static str),
}

impl Listeners {
    /// Opens both sockets.
    ///
    /// # Errors
    /// [`ServeError::Listen`] names the setting and the address.
    pub async fn bind(config: &Config) -> Result<Self, ServeError> {
        let open = |variable, address| async move {
            TcpListener::bind(address).await.map_err(|source| ServeError::Listen { variable, address, source })
        };
        Ok(Self {
            public: open(contract::names::env::BIND_ADDR, config.bind_addr).await?,
            admin: open(contract::names::env::ADMIN_ADDR, config.admin_addr).await?,
        })
    }
}

/// Serves until `shutdown` ends, then drains: fail readiness, let the balancer notice, stop accepting, finish what is in
/// flight (bounded), undo what modes hold, close the pool. Telemetry is flushed by the caller, after this returns.
///
/// # Errors
/// [`ServeError::Ended`] when a background task died; the drain is tried all the same.
pub async fn serve(app: Arc<App>, listeners: Listeners, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
    let stop = CancellationToken::new();
    let public = listeners.public.tap_io(|stream| drop(stream.set_nodelay(true)));
    let mut public = tokio::spawn(
        axum::serve(public, Edge::new(Arc::clone(&app)).into_make_service())
            .with_graceful_shutdown(stop.clone().cancelled_owned())
            .into_future(),
    );
    let mut admin = tokio::spawn(axum::serve(listeners.admin, router::admin_routes(Arc::clone(&app))).into_future());
    let mut refresher = {
        let app = Arc::clone(&app);
        tokio::spawn(async move { crate::failure::refresh::run(&app).await })
    };
    let migration = {
        let app = Arc::clone(&app);
        tokio::spawn(async move { app.database.migrate_in_background().await })
    };

    let outcome = tokio::select! {
        () = shutdown => Ok(()),
        _ = &mut public => Err(ServeError::Ended("the public listener")),
        _ = &mut admin => Err(ServeError::Ended("the admin listener")),
        _ = &mut refresher => Err(ServeError::Ended("the refresh of the failure mode")),
    };
    if let Err(error) = &outcome {
        tracing::error!(errorType = "InternalError", "{error}");
    }
    drain(&app, &stop, public, outcome.is_ok()).await;
    for task in [refresher, migration] {
        task.abort();
        let _ = task.await;
    }
    app.effects.reconcile(&app, &[]).await;
    app.database.close().await;
    admin.abort();
    tracing::info!("stopped");
    outcome
}

async fn drain(app: &App, stop: &CancellationToken, public: JoinHandle<io::Result<()>>, in_order: bool) {
    tracing::info!("draining");
    app.lifecycle.begin_drain();
    if in_order {
        tokio::time::sleep(Duration::from_millis(app.config.shutdown_delay_ms)).await;
    }
    stop.cancel();
    if public.is_finished() {
        return;
    }
    let bound = Duration::from_millis(app.config.drain_timeout_ms);
    if tokio::time::timeout(bound, public).await.is_err() {
        tracing::warn!(
            boundMs = app.config.drain_timeout_ms,
            "requests were still in flight when the drain's time was up"
        );
    }
}
