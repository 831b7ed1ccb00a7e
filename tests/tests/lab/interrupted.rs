//! Ctrl-C before the lab is up ends what was started, and the next `up` in the same directory works.

use std::{
    fs,
    io::Read as _,
    net::TcpListener,
    process::{Child, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tests::{Lab, free_port, process, until};

/// A moment of the start: its name, and whether it has come for the `up` with this pid.
type Moment = (&'static str, fn(&Lab, i32) -> bool);

/// In the order of a start.
const MOMENTS: [Moment; 5] = [
    ("the directory is locked", |lab, up| pid_in(lab, "up.lock") == Some(up)),
    ("the twin runs", |lab, _| pid_in(lab, "twin.lock").is_some_and(process::runs)),
    ("PostgreSQL runs", |lab, _| has_child(lab, "postgres")),
    ("the twin is ready", |lab, _| lab.state_dir().join("twin.json").exists()),
    ("a task runs", |lab, _| has_child(lab, "task")),
];

fn pid_in(lab: &Lab, file: &str) -> Option<i32> {
    fs::read_to_string(lab.state_dir().join(file)).ok()?.trim().parse().ok()
}

/// The recorded children that still run.
fn running_children(lab: &Lab) -> Vec<(String, i32)> {
    let is_recorded = lab.state_dir().join("processes.json").exists();
    let children = if is_recorded { lab.children() } else { Vec::new() };
    children.into_iter().filter(|(_, pid)| process::runs(*pid)).collect()
}

fn has_child(lab: &Lab, name: &str) -> bool {
    running_children(lab).iter().any(|(child, _)| child.starts_with(name))
}

/// Interrupts an `up` and wants it to say so, in time.
fn interrupt(up: &mut Child) {
    kill(pid(up), Signal::SIGINT).expect("`up` runs");
    let status = until("`up` has ended", 20, || match up.try_wait() {
        Ok(Some(status)) => Ok(status),
        other => Err(format!("{other:?}")),
    });
    let mut said = String::new();
    up.stderr.take().expect("a pipe").read_to_string(&mut said).expect("what `up` said is text");
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("interrupted before the lab was up"), "{said}");
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("a pid fits"))
}

#[test]
fn ctrl_c_during_the_start_leaves_nothing_behind() {
    let mut lab = Lab::unstarted();
    for (moment, has_come) in MOMENTS {
        let (port, balancer_port) = (free_port(), free_port());
        let ports = [port.to_string(), balancer_port.to_string()];
        let mut up = lab.command(&["up", "--port", &ports[0], "--balancer-port", &ports[1]]);
        let mut up = up.stderr(Stdio::piped()).spawn().expect("breakfix runs");
        until(moment, 30, || if has_come(&lab, pid(&up).as_raw()) { Ok(()) } else { Err("not yet") });
        interrupt(&mut up);

        assert_eq!(running_children(&lab), [], "{moment}");
        assert_eq!(process::that_name(lab.state_dir()), [], "{moment}");
        assert!(!lab.state_dir().join("twin.json").exists(), "{moment}: the ready file is left");
        for port in [port, balancer_port] {
            TcpListener::bind(("127.0.0.1", port)).unwrap_or_else(|error| panic!("{moment}: port {port}: {error}"));
        }
    }
    lab.start(&[]);
    assert_eq!(lab.get("/db").status, 200);
}
