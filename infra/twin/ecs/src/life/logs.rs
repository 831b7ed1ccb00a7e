//! The `awslogs` driver: a container's lines into its stream, in order, batched, with nothing lost at the end.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::Child,
    sync::mpsc,
    task::JoinHandle,
};
use twin_platform::seam::LogLine;

use super::permission;
use crate::{core::Core, state::Order};

/// CloudWatch Logs takes 256 KiB for an event and counts 26 bytes of overhead ("PutLogEvents"); the driver splits longer lines.
const LINE_BYTES_MAX: usize = 256 * 1024 - 26;
/// "PutLogEvents" takes 10 000 events in one batch.
const BATCH_LINES_MAX: usize = 1000;
/// How long lines may wait for company.
const BATCH_WAIT: Duration = Duration::from_millis(100);
/// Lines on their way. A container that writes faster is slowed down by its full pipe, as with the driver's blocking mode.
const QUEUE_LINES: usize = 4096;

/// Group and stream of one container.
pub(super) struct Destination {
    pub(super) group: String,
    pub(super) stream: String,
}

impl Destination {
    /// Where the task definition sends the container's lines; none without a log driver.
    pub(super) fn of(order: &Order) -> Option<Self> {
        let options = order.container.log_configuration.as_ref()?.options.as_ref()?;
        let name = order.definition.container_name();
        let stream = match options.get("awslogs-stream-prefix") {
            Some(prefix) => format!("{prefix}/{name}/{}", order.id),
            None => order.id.clone(),
        };
        Some(Self { group: options.get("awslogs-group")?.clone(), stream })
    }
}

/// Reads both outputs and writes batches.
pub(super) struct LogPump {
    writer: JoinHandle<()>,
}

impl LogPump {
    pub(super) fn start(core: &Arc<Core>, order: &Order, destination: Destination, child: &mut Child) -> Self {
        let (lines, queue) = mpsc::channel(QUEUE_LINES);
        if let Some(output) = child.stdout.take() {
            tokio::spawn(read(output, lines.clone()));
        }
        if let Some(output) = child.stderr.take() {
            tokio::spawn(read(output, lines));
        }
        Self { writer: tokio::spawn(write(core.clone(), order.clone(), destination, queue)) }
    }

    /// Waits until the last line is written: the readers end when the pipes close, the writer when the readers end.
    pub(super) async fn finish(self, bound: Duration) {
        let abort = self.writer.abort_handle();
        if tokio::time::timeout(bound, self.writer).await.is_err() {
            tracing::warn!(
                "a container's output was still open {bound:?} after its end; its last lines may be missing"
            );
            abort.abort();
        }
    }
}

async fn read(output: impl AsyncRead + Unpin, lines: mpsc::Sender<LogLine>) {
    let mut output = BufReader::new(output);
    let mut pending: Vec<u8> = Vec::new();
    while let Ok(chunk) = output.fill_buf().await {
        if chunk.is_empty() {
            break;
        }
        let (taken, complete) = match chunk.iter().position(|byte| *byte == b'\n') {
            Some(end) => (end + 1, true),
            None => (chunk.len(), false),
        };
        pending.extend_from_slice(&chunk[..taken - usize::from(complete)]);
        output.consume(taken);
        while pending.len() > LINE_BYTES_MAX {
            let rest = pending.split_off(boundary(&pending, LINE_BYTES_MAX));
            if lines.send(line(&pending)).await.is_err() {
                return;
            }
            pending = rest;
        }
        if complete {
            // CloudWatch takes no empty event, and the driver leaves blank lines out.
            if !pending.is_empty() && lines.send(line(&pending)).await.is_err() {
                return;
            }
            pending.clear();
        }
    }
    if !pending.is_empty() {
        // The writer is gone only when the bound of `finish` has passed.
        let _ = lines.send(line(&pending)).await;
    }
}

/// The last place at or before `at` that does not cut a UTF-8 character.
fn boundary(bytes: &[u8], at: usize) -> usize {
    (at.saturating_sub(3)..=at)
        .rev()
        .find(|index| bytes.get(*index).is_none_or(|byte| byte & 0xC0 != 0x80))
        .unwrap_or(at)
}

fn line(bytes: &[u8]) -> LogLine {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let text = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    LogLine {
        timestamp_ms: i64::try_from(since.as_millis()).unwrap_or_default(),
        message: String::from_utf8_lossy(text).into_owned(),
    }
}

async fn write(core: Arc<Core>, order: Order, destination: Destination, mut queue: mpsc::Receiver<LogLine>) {
    let mut batch = Vec::new();
    let mut refused = false;
    loop {
        if queue.recv_many(&mut batch, BATCH_LINES_MAX).await == 0 {
            return;
        }
        let deadline = tokio::time::Instant::now() + BATCH_WAIT;
        while batch.len() < BATCH_LINES_MAX {
            let room = BATCH_LINES_MAX - batch.len();
            match tokio::time::timeout_at(deadline, queue.recv_many(&mut batch, room)).await {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
        let lines = std::mem::take(&mut batch);
        let appended = match permission::on_stream(&core, &order, "logs:PutLogEvents", &destination) {
            Ok(()) => core.logs.append(&destination.group, &destination.stream, lines).await,
            Err(denial) => Err(denial),
        };
        // The container goes on without its log, as with the driver; one warning tells of it.
        if let Err(error) = appended
            && !std::mem::replace(&mut refused, true)
        {
            tracing::warn!(%error, group = destination.group, stream = destination.stream, "log lines were refused");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines_of(text: &[u8]) -> Vec<String> {
        let (sender, mut receiver) = mpsc::channel(64);
        read(text, sender).await;
        let mut lines = Vec::new();
        while let Some(line) = receiver.recv().await {
            lines.push(line.message);
        }
        lines
    }

    #[tokio::test]
    async fn lines_keep_their_order_and_the_last_needs_no_end() {
        assert_eq!(lines_of(b"one\r\n\ntwo\nthree").await, ["one", "two", "three"]);
    }

    #[tokio::test]
    async fn a_very_long_line_is_split_between_characters() {
        let text = "\u{e9}".repeat(LINE_BYTES_MAX);
        let lines = lines_of(text.as_bytes()).await;
        assert_eq!(lines.concat(), text);
        assert!(lines.len() > 1 && lines.iter().all(|line| line.len() <= LINE_BYTES_MAX));
    }
}
