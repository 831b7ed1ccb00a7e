//! A twin inside the test's process, on free ports.

use std::{
    fmt::Debug,
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    path::Path,
    time::Duration,
};

use clap::Parser as _;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, PgConnection, postgres::PgConnectOptions};
use tokio::{sync::oneshot, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use twin::{Config, Ready, RunError};

/// A running twin. End it with [`Twin::end`].
pub(crate) struct Twin {
    ready: Ready,
    state: tempfile::TempDir,
    shutdown: CancellationToken,
    running: JoinHandle<Result<(), RunError>>,
}

fn config(state_dir: &Path, port: u16) -> Config {
    let state_dir = state_dir.to_str().expect("a temporary folder's name is text");
    // The fastest clock: the recovery of a crashed server is waited for.
    let port = port.to_string();
    Config::try_parse_from(["twin", "--port", &port, "--speed", "100", "--state-dir", state_dir])
        .expect("good arguments")
}

impl Twin {
    pub(crate) async fn start() -> Self {
        let state = tempfile::tempdir().expect("a temporary folder");
        let (sender, receiver) = oneshot::channel();
        let shutdown = CancellationToken::new();
        let run = twin::run(config(state.path(), 0), shutdown.clone(), |ready| {
            let _ = sender.send(ready.clone());
        });
        let mut running = tokio::spawn(run);
        let ready = tokio::select! {
            ready = receiver => ready.expect("the twin says when it is ready"),
            ended = &mut running => panic!("the twin did not start: {ended:?}"),
        };
        Self { ready, state, shutdown, running }
    }

    pub(crate) async fn second(&self, port: u16) -> Result<(), RunError> {
        self.second_in(self.state.path(), port).await
    }

    pub(crate) async fn second_in(&self, state_dir: &Path, port: u16) -> Result<(), RunError> {
        twin::run(config(state_dir, port), CancellationToken::new(), |_| {}).await
    }

    pub(crate) async fn end(self) -> tempfile::TempDir {
        self.shutdown.cancel();
        self.running.await.expect("no panic").expect("a clean end");
        self.state
    }

    pub(crate) fn port(&self) -> u16 {
        self.ready.endpoint.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("the endpoint has a port")
    }

    /// Status and body; a header that is given replaces the client's own.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.ready.endpoint));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.to_owned()).expect("a request");
        tokio::task::block_in_place(|| {
            let mut response = agent.run(request).expect("the endpoint answers");
            let bytes = response.body_mut().read_to_vec().expect("a whole body");
            (response.status().as_u16(), String::from_utf8_lossy(&bytes).into_owned())
        })
    }

    /// The whole answer to a request whose sender ends it after a few of the hundred bytes that it announced.
    pub(crate) fn send_cut(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> String {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n{headers}\r\nonly these");
        tokio::task::block_in_place(|| {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port())).expect("the endpoint listens");
            stream.write_all(request.as_bytes()).expect("sent");
            stream.shutdown(Shutdown::Write).expect("half closed");
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).expect("an answer");
            String::from_utf8_lossy(&answer).into_owned()
        })
    }

    /// A Secrets Manager action; the error is the body.
    pub(crate) fn secrets(&self, action: &str, input: Value) -> Result<Value, String> {
        let target = format!("secretsmanager.{action}");
        let (status, body) = self.send("POST", "/", &[("x-amz-target", &target)], &input.to_string());
        if status == 200 { Ok(serde_json::from_str(&body).expect("JSON")) } else { Err(body) }
    }

    pub(crate) fn rds(&self, action: &str, rest: &str) -> (u16, String) {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", "/", &form, &format!("Action={action}&Version=2014-10-31{rest}"))
    }

    pub(crate) fn app_secret(&self) -> Value {
        let text = std::fs::read(&self.ready.database.app_secret_file).expect("the twin writes the first credentials");
        serde_json::from_slice(&text).expect("JSON")
    }

    /// The lab's secret, made from the first credentials: its ARN and its value.
    pub(crate) fn database_secret(&self) -> (String, Value) {
        let value = self.app_secret();
        let created = self.secrets("CreateSecret", json!({"Name": "golden/db", "SecretString": value.to_string()}));
        (created.expect("created")["ARN"].as_str().expect("an ARN").to_owned(), value)
    }

    pub(crate) fn current(&self, arn: &str) -> Value {
        let value = self.secrets("GetSecretValue", json!({"SecretId": arn})).expect("a current version");
        serde_json::from_str(value["SecretString"].as_str().expect("text")).expect("JSON")
    }

    /// The pid of the recorded child with this name.
    pub(crate) fn child(&self, name: &str) -> i32 {
        let record = std::fs::read(self.state.path().join("processes.json")).expect("the twin records its children");
        let record: Value = serde_json::from_slice(&record).expect("JSON");
        let child = record.as_array().into_iter().flatten().find(|child| child["name"] == name).expect("it runs");
        child["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).expect("a pid")
    }
}

/// Logs in with a secret's value.
pub(crate) async fn login(secret: &Value) -> Result<PgConnection, sqlx::Error> {
    let text = |key: &str| secret[key].as_str().expect("text");
    let port = secret["port"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
    let options = PgConnectOptions::new_without_pgpass().host(text("host")).port(port).username(text("username"));
    options.password(text("password")).database(text("dbname")).connect().await
}

pub(crate) fn sqlstate(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

pub(crate) fn kill_9(pid: i32) {
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it runs");
}

/// A zombie has ended.
pub(crate) fn runs(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z')))
}

/// Waits for a condition, at most twenty seconds; the last state is in the message.
pub(crate) async fn until<T, E: Debug>(what: &str, mut condition: impl AsyncFnMut() -> Result<T, E>) -> T {
    let end = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        match condition().await {
            Ok(value) => return value,
            Err(last) => assert!(std::time::Instant::now() < end, "{what}: still not after 20 s: {last:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
