//! The balancer's access log arrives in its bucket, as gzip and in AWS's format.

use std::{fs, process::Command};

use tests::{Lab, text, until};

#[test]
fn every_request_is_a_line_of_an_object_in_the_bucket() {
    let lab = Lab::up();
    let marked: Vec<_> = (0..5).map(|number| format!("/?marked={number}")).collect();
    marked.iter().for_each(|path| assert_eq!(lab.get(path).status, 200));
    let key = until("an object is delivered", 60, || {
        let listed = lab.aws(&["s3api", "list-objects-v2", "--bucket", "golden-access-logs"]);
        let mut keys = listed["Contents"].as_array().into_iter().flatten().filter_map(|object| object["Key"].as_str());
        keys.next().map(str::to_owned).ok_or_else(|| listed.to_string())
    });
    assert!(key.starts_with("AWSLogs/") && key.ends_with(".log.gz"), "{key}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("log.gz");
    let out = file.display().to_string();
    lab.aws(&["s3api", "get-object", "--bucket", "golden-access-logs", "--key", &key, &out]);
    let unpacked = Command::new("gzip").arg("-dc").arg(&file).output().expect("gzip runs");
    let lines = text(&unpacked.stdout);
    for path in &marked {
        let line =
            lines.lines().find(|line| line.contains(path.as_str())).unwrap_or_else(|| panic!("{path} in {lines}"));
        assert!(line.starts_with("http ") && line.contains(" 200 200 "), "{line}");
    }
    drop(fs::remove_file(file));
}
