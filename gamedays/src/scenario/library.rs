//! The folder of scenarios.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{InvalidScenario, Scenario};

/// The name that stands for one of them, drawn by seed and not told.
pub const MYSTERY: &str = "mystery";

/// A folder with a file for each scenario.
#[derive(Clone, Debug)]
pub struct Library {
    folder: PathBuf,
}

/// No scenario.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// The folder or a file cannot be read.
    #[error("reading {}", .path.display())]
    Read {
        /// What.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No file of that name.
    #[error("no scenario `{id}`{}", .near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    Unknown {
        /// What was asked for.
        id: String,
        /// What is nearest.
        near: Option<String>,
    },
    /// A file with a flaw.
    #[error(transparent)]
    Invalid(#[from] InvalidScenario),
}

impl Library {
    /// The scenarios in that folder.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Ids in alphabetical order.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn ids(&self) -> Result<Vec<String>, LibraryError> {
        let unreadable = |source| LibraryError::Read { path: self.folder.clone(), source };
        let mut ids = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|ending| ending == "yaml")
                && let Some(id) = path.file_stem()
            {
                ids.push(id.to_string_lossy().into_owned());
            }
        }
        ids.sort();
        Ok(ids)
    }

    /// The scenario of that id, or in that file.
    ///
    /// # Errors
    /// When there is none, with the nearest name, or it has a flaw, with its place.
    pub fn get(&self, name: &str) -> Result<Scenario, LibraryError> {
        let is_file = name.contains('/') || Path::new(name).extension().is_some_and(|ending| ending == "yaml");
        let path = if is_file { PathBuf::from(name) } else { self.folder.join(format!("{name}.yaml")) };
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Scenario::parse(&path, &text)?),
            Err(source) if source.kind() == io::ErrorKind::NotFound && !is_file => {
                let ids = self.ids()?;
                let near = ids.into_iter().map(|id| (strsim::damerau_levenshtein(&id, name), id)).min();
                let near = near.filter(|(distance, _)| *distance <= 3).map(|(_, id)| id);
                Err(LibraryError::Unknown { id: name.to_owned(), near })
            }
            Err(source) => Err(LibraryError::Read { path, source }),
        }
    }

    /// Every scenario.
    ///
    /// # Errors
    /// The first one that has a flaw.
    pub fn all(&self) -> Result<Vec<Scenario>, LibraryError> {
        self.ids()?.iter().map(|id| self.get(id)).collect()
    }

    /// One of them by lot; the same seed draws the same one while the folder stays.
    ///
    /// # Errors
    /// When the folder cannot be read, or the drawn file has a flaw.
    pub fn draw(&self, seed: u64) -> Result<Scenario, LibraryError> {
        let ids = self.ids()?;
        if ids.is_empty() {
            return Err(LibraryError::Unknown { id: MYSTERY.to_owned(), near: None });
        }
        self.get(&ids[fastrand::Rng::with_seed(seed).usize(..ids.len())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Library {
        Library::at(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios"))
    }

    #[test]
    fn the_labs_own_scenarios_are_sound_and_their_runbooks_are_there() {
        let runbooks = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../ops/runbooks"));
        let runbooks = runbooks::Library::read(runbooks).unwrap_or_else(|flaws| panic!("{flaws}"));
        for scenario in own().all().unwrap_or_else(|error| panic!("{error}")) {
            if let Some(id) = &scenario.runbook {
                runbooks.find(&id.value).unwrap_or_else(|error| panic!("{}: {error}", scenario.id));
            }
            let truth = scenario.truth.sentence();
            let told = scenario.truth.cause.is_said_in(&scenario.brief);
            assert!(!told, "{}: the brief gives the cause away", scenario.id);
            assert!(scenario.truth.component.is_said_in(&truth) && scenario.truth.cause.is_said_in(&truth));
        }
    }

    #[test]
    fn a_seed_draws_the_same_scenario_again_and_a_slip_is_understood() {
        let (library, ids) = (own(), own().ids().expect("a folder"));
        let drawn = |seed| library.draw(seed).expect("sound").id;
        assert_eq!(drawn(7), drawn(7));
        assert!((0..50).map(drawn).any(|id| id != drawn(7)), "of {} not always the same", ids.len());
        let error = library.get("secret-drif").expect_err("no such file").to_string();
        assert_eq!(error, "no scenario `secret-drif`; did you mean `secret-drift`?");
    }

    #[test]
    fn a_typo_is_refused_with_its_place_and_the_known_words() {
        let text = "title: x\nbrief: y\nseverity: high\nsteady_stat: {probes: []}\n";
        let error = Scenario::parse(Path::new("a/x.yaml"), text).expect_err("a typo").to_string();
        assert!(error.starts_with("a/x.yaml:4:1: ") && error.contains("expected one of title, "), "{error}");
    }
}
