//! SIGTERM and SIGINT end the twin in order.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::RunError;

/// Cancels the token at the first SIGTERM or SIGINT. Further ones are ignored: the end is bounded, and a half-ended twin would
/// leave processes behind.
///
/// # Errors
/// When the operating system gives no signal handler.
pub fn cancel_on_signal(shutdown: CancellationToken) -> Result<(), RunError> {
    let failed = |source| RunError::Io { operation: "waiting for signals".into(), source };
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    tokio::spawn(async move {
        loop {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            if !shutdown.is_cancelled() {
                tracing::info!(signal = name, "ending");
            }
            shutdown.cancel();
        }
    });
    Ok(())
}
