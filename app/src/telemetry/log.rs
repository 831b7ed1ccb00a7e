//! The log: JSON lines that requests append to a buffer and one thread writes.
//!
//! Promises: a caller never waits for the pipe. Lines are kept in order and none is lost until [`MAX_BUFFERED`] bytes wait
//! because nobody reads the other end; from there whole lines are dropped and counted, and the count is logged.

use std::{
    io::Write,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use contract::ErrorType;
use time::OffsetDateTime;

/// Bytes that may wait. At 300 bytes a line this is some 25 000 requests; more would count against the task's memory.
const MAX_BUFFERED: usize = 8 << 20;

/// How long lines gather before they are written: one wake-up and one `write` for many requests.
const GATHER: Duration = Duration::from_millis(10);

/// Where lines go.
pub type LogSink = Box<dyn Write + Send>;

/// Appends lines; cheap to clone.
#[derive(Clone)]
pub struct Log {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    filled: Condvar,
    emptied: Condvar,
    /// `"taskId":"…"}` and the line's end, escaped once.
    tail: String,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    writing: bool,
    dropped: u64,
    hurry: bool,
}

/// What the log line of one request says. The two identifiers and the method hold no quote and no backslash: the edge takes
/// only such identifiers from callers, and HTTP only such methods.
pub(crate) struct RequestLine<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) trace_id: &'a str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) status: u16,
    pub(crate) error_type: Option<ErrorType>,
    pub(crate) latency: Duration,
    pub(crate) detail: Option<&'a str>,
    pub(crate) modes: &'a [&'static str],
}

impl Log {
    /// Starts the writing thread.
    pub fn start(sink: LogSink, task_id: &str) -> Self {
        let mut tail = String::from(r#""taskId":"#);
        push_json(&mut tail, task_id);
        tail.push_str("}\n");
        let shared =
            Arc::new(Shared { state: Mutex::default(), filled: Condvar::new(), emptied: Condvar::new(), tail });
        let theirs = Arc::downgrade(&shared);
        let mut sink = sink;
        thread::Builder::new()
            .name("log".into())
            .spawn(move || while theirs.upgrade().is_some_and(|shared| shared.write_once(&mut sink)) {})
            .map(drop)
            .unwrap_or_else(|error| eprintln!("golden: no thread for the log: {error}"));
        Self { shared }
    }

    /// Waits until everything that was logged is written, but no longer than two seconds: a blocked pipe must not keep a
    /// stopping task alive.
    pub fn flush(&self) {
        let deadline = Instant::now() + Duration::from_secs(2);
        let mut state = self.shared.lock();
        state.hurry = true;
        self.shared.filled.notify_all();
        while !state.waiting.is_empty() || state.writing {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.shared.emptied.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The line of one request.
    pub(crate) fn request(&self, line: &RequestLine<'_>) {
        self.write(|out| {
            let level = match line.status {
                500.. => "ERROR",
                400.. => "WARN",
                _ => "INFO",
            };
            start_line(out, level);
            // Identifiers and methods are of a plain alphabet by the time they come here; only the path needs care.
            out.push_str(r#""message":"request","requestId":""#);
            out.push_str(line.request_id);
            out.push_str(r#"","traceId":""#);
            out.push_str(line.trace_id);
            out.push_str(r#"","method":""#);
            out.push_str(line.method);
            out.push_str(r#"","path":"#);
            push_json(out, line.path);
            out.push_str(r#","status":"#);
            push_number(out, u64::from(line.status), 3);
            out.push_str(r#","errorType":"#);
            match line.error_type {
                None => out.push_str("null"),
                Some(error_type) => {
                    out.push('"');
                    out.push_str(error_type.as_str());
                    out.push('"');
                }
            }
            out.push_str(r#","latencyMs":"#);
            let micros = u64::try_from(line.latency.as_micros()).unwrap_or(u64::MAX);
            push_number(out, micros / 1000, 1);
            out.push('.');
            push_number(out, micros % 1000, 3);
            out.push(',');
            if let Some(detail) = line.detail {
                out.push_str(r#""detail":"#);
                push_json(out, detail);
                out.push(',');
            }
            if let Some((first, rest)) = line.modes.split_first() {
                out.push_str(r#""modes":""#);
                out.push_str(first);
                for mode in rest {
                    out.push(' ');
                    out.push_str(mode);
                }
                out.push_str("\",");
            }
        });
    }

    /// A line of the process: fields are `"key":value` pairs, already JSON, each followed by a comma.
    pub(crate) fn event(&self, level: &str, message: &str, fields: &str) {
        self.write(|out| {
            start_line(out, level);
            out.push_str(r#""message":"#);
            push_json(out, message);
            out.push(',');
            out.push_str(fields);
        });
    }

    fn write(&self, fill: impl FnOnce(&mut String)) {
        thread_local! {
            static LINE: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) };
        }
        LINE.with_borrow_mut(|line| {
            line.clear();
            fill(line);
            line.push_str(&self.shared.tail);
            self.shared.append(line.as_bytes());
        });
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, line: &[u8]) {
        let mut state = self.lock();
        if state.waiting.len() + line.len() > MAX_BUFFERED {
            state.dropped += 1;
            return;
        }
        let was_empty = state.waiting.is_empty();
        state.waiting.extend_from_slice(line);
        drop(state);
        if was_empty {
            self.filled.notify_one();
        }
    }

    /// Writes one batch; false when nothing can be written any more.
    fn write_once(&self, sink: &mut LogSink) -> bool {
        let state = self.lock();
        // The wait is bounded so that the thread notices when the last `Log` is gone.
        let (state, _) = self
            .filled
            .wait_timeout_while(state, Duration::from_secs(1), |state| state.waiting.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        let (mut state, _) = self
            .filled
            .wait_timeout_while(state, GATHER, |state| !state.hurry && state.waiting.len() < MAX_BUFFERED / 8)
            .unwrap_or_else(PoisonError::into_inner);
        let batch = std::mem::take(&mut state.waiting);
        let dropped = std::mem::take(&mut state.dropped);
        state.writing = true;
        drop(state);
        let mut written = sink.write_all(&batch);
        if dropped > 0 && written.is_ok() {
            let mut line = String::new();
            start_line(&mut line, "WARN");
            line.push_str(&format!(r#""message":"log lines were dropped","dropped":{dropped},"errorType":null,"#));
            line.push_str(&self.tail);
            written = sink.write_all(line.as_bytes());
        }
        let flushed = written.and_then(|()| sink.flush());
        let mut state = self.lock();
        state.writing = false;
        if state.waiting.is_empty() {
            state.hurry = false;
            // The batch's memory is used again, so that a busy log does not allocate.
            if batch.capacity() <= 1 << 20 {
                let mut batch = batch;
                batch.clear();
                state.waiting = batch;
            }
        }
        self.emptied.notify_all();
        // A closed pipe stays closed: then lines pile up to the bound and are dropped, and the service goes on.
        flushed.is_ok()
    }
}

fn start_line(out: &mut String, level: &str) {
    out.push_str(r#"{"timestamp":""#);
    push_timestamp(out, OffsetDateTime::now_utc());
    out.push_str(r#"","level":""#);
    out.push_str(level);
    out.push_str("\",");
}

/// Writes the time, to the millisecond; the part down to the second is kept per thread, since it seldom changes.
fn push_timestamp(out: &mut String, now: OffsetDateTime) {
    thread_local! {
        static SECOND: std::cell::RefCell<(i64, String)> = const { std::cell::RefCell::new((i64::MIN, String::new())) };
    }
    SECOND.with_borrow_mut(|(second, text)| {
        if *second != now.unix_timestamp() {
            *second = now.unix_timestamp();
            text.clear();
            push_second(text, now);
        }
        out.push_str(text);
    });
    push_number(out, u64::from(now.millisecond()), 3);
    out.push('Z');
}

fn push_second(out: &mut String, now: OffsetDateTime) {
    push_number(out, u64::try_from(now.year()).unwrap_or_default(), 4);
    for (mark, value) in
        [('-', u8::from(now.month())), ('-', now.day()), ('T', now.hour()), (':', now.minute()), (':', now.second())]
    {
        out.push(mark);
        push_number(out, u64::from(value), 2);
    }
    out.push('.');
}

/// Digits, padded with zeros to `width`.
fn push_number(out: &mut String, mut value: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(value % 10).unwrap_or_default();
        value /= 10;
        if value == 0 {
            break;
        }
    }
    let at = at.min(digits.len() - width);
    out.push_str(std::str::from_utf8(&digits[at..]).unwrap_or_default());
}

/// A JSON string with its quotes.
pub(super) fn push_json(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            byte => out.push_str(&format!("\\u{byte:04x}")),
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use time::macros::datetime;

    /// A sink whose text a test can read.
    #[derive(Clone, Default)]
    pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Captured {
        pub(crate) fn lines(&self) -> Vec<serde_json::Value> {
            let text = String::from_utf8(self.0.lock().expect("no writer panicked").clone()).expect("lines are UTF-8");
            text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"))).collect()
        }
    }

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no reader panicked").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_request_line_has_every_key_and_escapes_what_callers_send() {
        let captured = Captured::default();
        let log = Log::start(Box::new(captured.clone()), "task-1");
        log.request(&RequestLine {
            request_id: "r",
            trace_id: "1-2-3",
            method: "GET",
            path: "/a\"\\\n\u{1}ü",
            status: 503,
            error_type: Some(ErrorType::Overloaded),
            latency: Duration::from_micros(12_045),
            detail: Some("why"),
            modes: &["hang", "latency"],
        });
        log.flush();
        let lines = captured.lines();
        assert_eq!(lines.len(), 1);
        let line = &lines[0];
        for (key, wanted) in [
            ("level", serde_json::json!("ERROR")),
            ("message", "request".into()),
            ("requestId", "r".into()),
            ("traceId", "1-2-3".into()),
            ("method", "GET".into()),
            ("path", "/a\"\\\n\u{1}ü".into()),
            ("status", 503.into()),
            ("errorType", "Overloaded".into()),
            ("latencyMs", 12.045.into()),
            ("detail", "why".into()),
            ("modes", "hang latency".into()),
            ("taskId", "task-1".into()),
        ] {
            assert_eq!(line[key], wanted, "{key}");
        }
    }

    #[test]
    fn timestamps_are_rfc_3339() {
        let mut out = String::new();
        push_timestamp(&mut out, datetime!(2026-01-02 03:04:05.006 UTC));
        assert_eq!(out, "2026-01-02T03:04:05.006Z");
    }

    #[test]
    fn many_threads_lose_no_line_and_mix_none() {
        let captured = Captured::default();
        let log = Log::start(Box::new(captured.clone()), "t");
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..500).for_each(|n| log.event("INFO", "m", &format!("\"n\":{n},"))));
            }
        });
        log.flush();
        assert_eq!(captured.lines().len(), 2000);
    }
}
