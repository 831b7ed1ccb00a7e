//! The rules of the house that a machine can hold. Each rule is a function from files to complaints, so that a test below can
//! also show that it complains.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Longest Rust file; a longer one is two nouns.
const MAX_LINES: usize = 400;
/// Longest first page.
const MAX_README_LINES: usize = 120;
/// What may lie at the top beside files that start with a dot.
const TOP: [&str; 9] = ["Cargo.lock", "Cargo.toml", "README.md", "app", "gamedays", "infra", "ops", "tests", "target"];
/// Folders that are made, not written.
const MADE: [&str; 5] = [".git", ".lab", ".venv", "__pycache__", "target"];
/// Where standard output is the purpose.
const MAY_PRINT: [&str; 3] = ["ops/breakfix/", "tests/bench/", "tests/xtask/"];

/// One file: its path from the root, and its text.
struct File {
    path: String,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn files() -> Vec<File> {
    let mut files = Vec::new();
    collect(&root(), "", &mut files);
    assert!(files.len() > 20, "only {} files were found under {}", files.len(), root().display());
    files
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("a readable folder").map(|entry| entry.expect("a readable entry")) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if entry.path().is_dir() {
            if !MADE.contains(&name.as_str()) {
                collect(&entry.path(), &format!("{path}/"), files);
            }
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            files.push(File { path, text });
        }
    }
}

fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

fn rust(files: &[File]) -> impl Iterator<Item = &File> {
    files.iter().filter(|file| file.path.ends_with(".rs"))
}

fn long_files(files: &[File]) -> Vec<String> {
    let lines = |file: &File| file.text.lines().count();
    rust(files)
        .filter(|file| lines(file) > MAX_LINES)
        .map(|file| format!("{}: {} lines; past {MAX_LINES} it is two nouns", file.path, lines(file)))
        .collect()
}

fn mod_files(files: &[File]) -> Vec<String> {
    let is_mod = |path: &str| path == "mod.rs" || path.ends_with("/mod.rs");
    let named = files.iter().filter(|file| is_mod(&file.path));
    named.map(|file| format!("{}: name the file after the module, beside its folder", file.path)).collect()
}

fn unfinished(files: &[File]) -> Vec<String> {
    // Put together here, or this file would find itself.
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("db", "g!("), concat!("#[ign", "ore")];
    let mut complaints = Vec::new();
    for file in rust(files) {
        for (index, line) in file.text.lines().enumerate() {
            complaints.extend(
                words
                    .iter()
                    .filter(|word| line.contains(**word))
                    .map(|word| format!("{}:{}: {word}", file.path, index + 1)),
            );
        }
    }
    complaints
}

fn prints(files: &[File]) -> Vec<String> {
    let words = [concat!("print", "ln!("), concat!("print", "!(")];
    // `eprintln!` ends in the same letters and is talk on standard error, which anybody may do.
    let prints = |line: &str| {
        words.iter().any(|word| {
            line.match_indices(word)
                .any(|(at, _)| !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_'))
        })
    };
    let elsewhere = rust(files).filter(|file| !MAY_PRINT.iter().any(|place| file.path.starts_with(place)));
    elsewhere
        .flat_map(|file| file.text.lines().enumerate().map(move |(index, line)| (file, index, line)))
        .filter(|(_, _, line)| prints(line))
        .map(|(file, index, _)| format!("{}:{}: only the command line writes to standard output", file.path, index + 1))
        .collect()
}

fn dead_links(files: &[File], exists: impl Fn(&Path) -> bool) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".md")) {
        let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
        for target in file.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let place = target.split(['#', ' ']).next().unwrap_or_default();
            if !place.is_empty() && !place.contains(':') && !exists(&folder.join(place)) {
                complaints.push(format!("{}: {target} leads nowhere", file.path));
            }
        }
    }
    complaints
}

fn strangers<'a>(top: impl Iterator<Item = &'a str>) -> Vec<String> {
    let strange = top.filter(|name| !name.starts_with('.') && !TOP.contains(name));
    strange.map(|name| format!("{name}: the top holds only {}", TOP.join(" "))).collect()
}

fn unhandled_modes(application: &str) -> Vec<String> {
    let modes = contract::failure::ModeName::ALL.into_iter();
    modes
        .filter(|mode| !application.contains(&format!("::{mode:?}")) && !application.contains(mode.as_str()))
        .map(|mode| format!("{}: app/src never names this mode", mode.as_str()))
        .collect()
}

#[test]
fn no_rust_file_is_too_long() {
    none(&long_files(&files()));
}

#[test]
fn no_file_is_named_mod() {
    none(&mod_files(&files()));
}

#[test]
fn nothing_is_left_unfinished() {
    none(&unfinished(&files()));
}

#[test]
fn only_the_command_line_prints() {
    none(&prints(&files()));
}

#[test]
fn the_first_page_is_short() {
    let readme = fs::read_to_string(root().join("README.md")).expect("a first page");
    let lines = readme.lines().count();
    assert!(lines <= MAX_README_LINES, "README.md has {lines} lines; {MAX_README_LINES} are enough");
}

#[test]
fn no_link_is_dead() {
    none(&dead_links(&files(), |path| root().join(path).exists()));
}

#[test]
fn the_top_holds_the_rooms_only() {
    let entries = fs::read_dir(root()).expect("a readable root");
    let names: Vec<String> = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    none(&strangers(names.iter().map(String::as_str)));
}

#[test]
fn every_mode_is_handled() {
    let files = files();
    let application = rust(&files).filter(|file| file.path.starts_with("app/src/"));
    let text: String = application.map(|file| file.text.as_str()).collect();
    assert!(!text.is_empty(), "app/src holds no Rust");
    none(&unhandled_modes(&text));
}

#[test]
fn the_rules_complain() {
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let bad = [
        file("app/src/mod.rs", &"line\n".repeat(MAX_LINES + 1)),
        file("app/src/a.rs", concat!("// TO", "DO later\nx();\n    print", "ln!(\"x\");\n eprint", "ln!(\"x\");")),
        file("ops/breakfix/src/b.rs", concat!("print", "ln!(\"x\");")),
        file("app/README.md", "[here](a.md) [there](https://a.example) [part](#part) [gone](../gone.md#part)"),
    ];
    assert_eq!(long_files(&bad).len(), 1);
    assert_eq!(mod_files(&bad).len(), 1);
    assert_eq!(unfinished(&bad), [concat!("app/src/a.rs:1: TO", "DO")]);
    assert_eq!(prints(&bad), ["app/src/a.rs:3: only the command line writes to standard output"]);
    let dead = dead_links(&bad, |path| path == Path::new("app/a.md"));
    assert_eq!(dead, ["app/README.md: ../gone.md#part leads nowhere"]);
    assert_eq!(strangers(["app", ".git", "notes"].into_iter()).len(), 1);
    let without_hang = "ModeName::Return500 unhealthy";
    assert!(unhandled_modes(without_hang).contains(&"hang: app/src never names this mode".to_owned()));
}
