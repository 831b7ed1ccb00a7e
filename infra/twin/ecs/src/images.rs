//! The little registry: image names and the programs on this laptop that they stand for.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

pub(crate) struct Images {
    known: Vec<(String, PathBuf)>,
    /// Hashing a debug binary takes a noticeable fraction of a second, so it is done once for each state of a file.
    digests: Mutex<HashMap<(PathBuf, u64, SystemTime), String>>,
}

impl Images {
    pub(crate) fn new(known: Vec<(String, PathBuf)>) -> Self {
        let known = known.into_iter().map(|(name, path)| (short_name(&name), path)).collect();
        Self { known, digests: Mutex::default() }
    }

    /// The program behind an image name, with or without its registry.
    ///
    /// # Errors
    /// The stopped reason that Fargate gives ("CannotPullContainerError task errors" in the ECS developer guide).
    pub(crate) fn resolve(&self, image: &str) -> Result<PathBuf, String> {
        let wanted = short_name(image);
        let found = self.known.iter().find(|(name, path)| *name == wanted && path.is_file());
        found.map(|(_, path)| path.clone()).ok_or_else(|| {
            format!(
                "CannotPullContainerError: pull image manifest has been retried 1 time(s): \
                 failed to resolve ref {image}: {image}: not found"
            )
        })
    }

    /// `sha256:…` of the program as it is now; blocks for as long as reading takes. None when it cannot be read.
    pub(crate) fn digest(&self, program: &Path) -> Option<String> {
        let facts = std::fs::metadata(program).ok()?;
        let key = (program.to_owned(), facts.len(), facts.modified().ok()?);
        let digests = || self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = digests().get(&key) {
            return Some(known.clone());
        }
        let hash = sha256(program).ok()?;
        let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let digest = format!("sha256:{hex}");
        digests().insert(key, digest.clone());
        Some(digest)
    }
}

/// In small pieces: a debug binary as a whole would be most of the twin's memory.
fn sha256(program: &Path) -> io::Result<ring::digest::Digest> {
    let mut file = File::open(program)?;
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    let mut piece = vec![0; 64 << 10];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(context.finish()),
            length => context.update(&piece[..length]),
        }
    }
}

/// `golden:latest` of `123456789012.dkr.ecr.us-east-1.amazonaws.com/golden`: the last path part, with the default tag added.
fn short_name(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    if last.contains(':') { last.to_owned() } else { format!("{last}:latest") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_with_and_without_its_registry() {
        let shell = PathBuf::from("/bin/sh");
        let images = Images::new(vec![("golden:latest".into(), shell.clone())]);
        for name in ["golden", "golden:latest", "123456789012.dkr.ecr.us-east-1.amazonaws.com/golden:latest"] {
            assert_eq!(images.resolve(name), Ok(shell.clone()), "{name}");
        }
    }

    #[test]
    fn an_unknown_tag_is_the_error_fargate_gives() {
        let images = Images::new(vec![("golden:latest".into(), "/bin/sh".into())]);
        let reason = images.resolve("r.example/golden:nope").expect_err("there is no such tag");
        assert_eq!(
            reason,
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): \
             failed to resolve ref r.example/golden:nope: r.example/golden:nope: not found"
        );
    }
}
