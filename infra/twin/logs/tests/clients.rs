//! The service under boto3: a listener of a few lines stands in for the twin's endpoint.

use std::{path::PathBuf, process::Command, sync::Arc};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};
use twin_logs::Logs;
use twin_platform::{Account, Request, Service as _};

/// Reads requests with a content length off one connection until the client closes it.
async fn serve(logs: Arc<Logs>, stream: TcpStream) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        let mut request =
            Request { method: "POST".into(), uri: "/".into(), headers: Default::default(), body: Default::default() };
        let mut length = 0;
        loop {
            line.clear();
            stream.read_line(&mut line).await?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().expect("a content length");
            }
            if name.eq_ignore_ascii_case("x-amz-target") {
                request.headers.insert("x-amz-target", value.parse().expect("a header value"));
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        request.body = body.into();
        let response = logs.handle(request).await;
        let mut head = format!("HTTP/1.1 {} x\r\ncontent-length: {}\r\n", response.status, response.body.len());
        for (name, value) in &response.headers {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().expect("a text header")));
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).await?;
        stream.write_all(&response.body).await?;
        line.clear();
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_tails_a_group_as_the_cli_does() {
    let logs = Logs::new(Account::in_region("us-east-1"));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(Arc::clone(&logs), stream));
        }
    });
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let virtual_environment = root.join("../../../.venv/bin/python");
    let python = match std::env::var_os("LAB_PYTHON") {
        Some(python) => PathBuf::from(python),
        None if virtual_environment.exists() => virtual_environment,
        None => "python3".into(),
    };
    let script = root.join("tests/tail.py");
    let run = tokio::task::spawn_blocking(move || Command::new(python).arg(script).arg(endpoint).output());
    let output =
        run.await.expect("the waiting thread lives").expect("python3 with boto3: `cargo xtask test` installs it");
    server.abort();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{talk}\n(boto3 missing? `cargo xtask test` installs it)");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "tailed");
}
