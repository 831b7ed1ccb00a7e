//! The texts that lie in the repository beside the programs: runbooks and queries.

use std::path::{Path, PathBuf};

/// A folder of the checkout that the working directory or else this program lies in.
pub(crate) fn folder(path: &str) -> Option<PathBuf> {
    let places = [std::env::current_dir().ok(), std::env::current_exe().ok()];
    places.iter().flatten().find_map(|place| folder_above(place, path))
}

fn folder_above(place: &Path, path: &str) -> Option<PathBuf> {
    place.ancestors().map(|dir| dir.join(path)).find(|folder| folder.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_found_from_within_and_not_elsewhere() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let (wanted, inside) = (place.path().join("ops/queries"), place.path().join("app/src"));
        std::fs::create_dir_all(&wanted).and_then(|()| std::fs::create_dir_all(&inside)).expect("made");
        assert_eq!(folder_above(&inside, "ops/queries"), Some(wanted.clone()));
        assert_eq!(folder_above(&wanted, "ops/queries"), Some(wanted));
        assert_eq!(folder_above(Path::new("/"), "ops/no-such-folder"), None);
        assert!(folder("ops/queries").is_some(), "this test's own program lies in a checkout");
    }
}
