//! Which operating system user owns the data, and where it lies. PostgreSQL refuses to run as root.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use nix::unistd::{Gid, Uid, User};
use tokio::process::Command;

use crate::StartError;

/// The user that runs the server.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    /// Set when it is another user than ours.
    switch: Option<(Uid, Gid)>,
    pub(crate) name: String,
}

impl Owner {
    /// Ourselves; as root, the user `postgres`, else `nobody`.
    pub(crate) fn find() -> Result<Self, StartError> {
        if !Uid::effective().is_root() {
            let user = User::from_uid(Uid::effective()).ok().flatten();
            return Ok(Self {
                switch: None,
                name: user.map_or_else(|| Uid::effective().to_string(), |user| user.name),
            });
        }
        let found = ["postgres", "nobody"].iter().find_map(|name| User::from_name(name).ok().flatten());
        let user = found.ok_or(StartError::NoUser)?;
        Ok(Self { switch: Some((user.uid, user.gid)), name: user.name })
    }

    /// Makes the command run as this user.
    pub(crate) fn run_as(&self, command: &mut Command) {
        if let Some((uid, gid)) = self.switch {
            command.uid(uid.as_raw()).gid(gid.as_raw());
        }
    }

    /// Gives a file or folder to this user.
    pub(crate) fn give(&self, path: &Path) -> io::Result<()> {
        match self.switch {
            Some((uid, gid)) => Ok(nix::unistd::chown(path, Some(uid), Some(gid))?),
            None => Ok(()),
        }
    }

    /// The folder for everything of the server: under the state directory, unless that lies where the other user cannot
    /// reach it (root's home); then under `/var/tmp`, under a name that the state directory's path decides.
    pub(crate) fn folder(&self, state_dir: &Path) -> PathBuf {
        if self.switch.is_none() || everyone_may_enter(state_dir) {
            return state_dir.join("postgres");
        }
        PathBuf::from(format!("/var/tmp/breakfix-postgres-{:016x}", digest(state_dir)))
    }

    /// Makes the folder anew, readable for this user alone. What an earlier twin left is removed; what somebody else put in
    /// the way in a folder that all may write to is not touched, and is an error.
    pub(crate) fn fresh(&self, folder: &Path) -> Result<(), StartError> {
        let failed =
            |operation: &'static str| move |source| StartError::File { operation, path: folder.to_owned(), source };
        match fs::symlink_metadata(folder) {
            Ok(found) if found.is_dir() && self.is_ours(found.uid()) => {
                fs::remove_dir_all(folder).map_err(failed("removing the old database"))?;
            }
            Ok(_) => {
                let source = io::Error::other("it is not a folder of ours; remove it by hand");
                return Err(failed("removing the old database")(source));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed("looking for the old database")(error)),
        }
        fs::DirBuilder::new().mode(0o700).create(folder).map_err(failed("creating the folder of the database"))?;
        self.give(folder).map_err(failed("giving the folder of the database to its user"))
    }

    fn is_ours(&self, uid: u32) -> bool {
        uid == Uid::effective().as_raw() || self.switch.is_some_and(|(other, _)| other.as_raw() == uid)
    }
}

/// Whether every folder on the way lets everybody pass.
fn everyone_may_enter(path: &Path) -> bool {
    path.ancestors().all(|folder| fs::metadata(folder).is_ok_and(|found| found.permissions().mode() & 0o001 != 0))
}

/// FNV-1a: the same path gives the same name with every build, which the standard hasher does not promise.
fn digest(path: &Path) -> u64 {
    path.as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_made_anew_and_a_strangers_file_is_left() {
        let state = tempfile::tempdir().expect("a temporary folder");
        let owner = Owner { switch: None, name: "me".into() };
        let folder = owner.folder(state.path());
        owner.fresh(&folder).expect("a new folder");
        fs::write(folder.join("old"), "x").expect("written");
        owner.fresh(&folder).expect("made again");
        assert_eq!(fs::read_dir(&folder).expect("readable").count(), 0);
        assert_eq!(fs::metadata(&folder).expect("there").permissions().mode() & 0o777, 0o700);
        let file = state.path().join("file");
        fs::write(&file, "x").expect("written");
        assert!(owner.fresh(&file).is_err());
        assert!(file.exists());
    }

    #[test]
    fn a_private_folder_is_noticed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).expect("ours");
        assert!(!everyone_may_enter(&folder.path().join("x")));
        assert_ne!(digest(Path::new("/a")), digest(Path::new("/b")));
    }
}
