//! Room in the state directory.

use std::{io::Write, path::Path};

use anyhow::Result;

use crate::problem::failure;

/// What a lab writes at its start: PostgreSQL's data directory (40 MiB) and its first write-ahead segments, with as much again.
pub(crate) const NEEDED_MIB: u64 = 150;

/// Free MiB for this user where `path` lies, or `None` when the system does not tell.
pub(crate) fn free_mib(path: &Path) -> Option<u64> {
    let stat = nix::sys::statvfs::statvfs(path).ok()?;
    // The types differ between systems; u64 holds each.
    #[allow(clippy::useless_conversion, reason = "u32 on macOS, u64 on Linux")]
    Some(u64::from(stat.blocks_available()).saturating_mul(u64::from(stat.fragment_size())) / (1024 * 1024))
}

/// Makes the directory and proves that it can be written and has room.
///
/// # Errors
/// One line with the directory, what is wrong with it and the mend.
pub(crate) fn prepare(dir: &Path) -> Result<()> {
    let refuse = |error: std::io::Error| {
        failure(
            format!("the state directory {} cannot be written: {error}", dir.display()),
            "free space or mend its permissions, or choose another with --state-dir DIRECTORY",
        )
    };
    std::fs::create_dir_all(dir).map_err(refuse)?;
    let probe = dir.join(format!("probe.{}", std::process::id()));
    let written =
        std::fs::File::create(&probe).and_then(|mut file| file.write_all(&[0; 65536]).and_then(|()| file.sync_all()));
    let removed = std::fs::remove_file(&probe);
    written.and(removed).map_err(refuse)?;
    match free_mib(dir) {
        Some(free) if free < NEEDED_MIB => Err(failure(
            format!("only {free} MiB are free in {}; a lab needs {NEEDED_MIB}", dir.display()),
            "free space, or choose another place with --state-dir DIRECTORY",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_no_directory_is_refused_in_one_line() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        prepare(&dir.path().join("new")).expect("made");
        let file = dir.path().join("file");
        std::fs::write(&file, "").expect("written");
        let error = prepare(&file.join("below")).expect_err("a file is no directory").to_string();
        assert!(error.contains("file/below cannot be written") && !error.contains('\n'), "{error}");
    }
}
