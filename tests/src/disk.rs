//! A small disk: a file system in memory that only those see who enter its mount namespace. It takes no privilege, and is gone
//! with the last process in it.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Mounts the disk, says so, and holds the namespace until its input ends.
const HOLD: &str = r#"mount -t tmpfs -o size="$2",mode=0755 small-disk "$1" && echo mounted && exec cat"#;
/// A user that every system has: PostgreSQL does not run as root, which the one who mounts is in the namespace.
const NOBODY: &str = "65534";

/// The disk. It lies over a folder of its own.
pub struct SmallDisk {
    folder: tempfile::TempDir,
    holder: Child,
}

impl SmallDisk {
    /// A disk of this size.
    ///
    /// # Panics
    /// When the system lets nobody mount one: user namespaces are turned off, or util-linux is missing.
    pub fn of(mib: u32) -> Self {
        let folder = tempfile::Builder::new().prefix("disk-").tempdir().expect("a temporary folder");
        let mut holder = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", HOLD, "sh"])
            .arg(folder.path())
            .arg(format!("{mib}m"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare runs; it is in util-linux");
        let mut said = String::new();
        BufReader::new(holder.stdout.take().expect("a pipe")).read_line(&mut said).expect("readable");
        assert_eq!(said.trim(), "mounted", "this system allows no mount in a user namespace; see above");
        Self { folder, holder }
    }

    /// Where it lies for those who entered.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where it lies for everybody else.
    pub fn outside(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(self.path().strip_prefix("/").expect("a temporary folder has an absolute path"))
    }

    /// The command in front of one that is to enter, as an ordinary user.
    pub fn enter(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--user", "--preserve-credentials", "--mount", "--target", &self.holder.id().to_string()]);
        command.args(["unshare", "--user", "--map-user", NOBODY, "--map-group", NOBODY]).arg(program);
        command
    }

    /// Writes until nothing more goes on it.
    ///
    /// # Panics
    /// When something else than its size stops the writing.
    pub fn fill(&self) {
        let mut file = File::create(self.filler()).expect("writable");
        let error = loop {
            if let Err(error) = file.write_all(&[1; 4096]) {
                break error;
            }
        };
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "{error}");
    }

    /// Makes room again.
    ///
    /// # Panics
    /// When it was not filled.
    pub fn clear(&self) {
        fs::remove_file(self.filler()).expect("the disk was filled");
    }

    fn filler(&self) -> PathBuf {
        self.outside().join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}
