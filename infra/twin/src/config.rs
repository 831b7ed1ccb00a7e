//! What the twin is started with.

use std::path::PathBuf;

use clap::Parser;
use twin_platform::Speed;

/// AWS on a laptop: one endpoint that the aws CLI and every SDK accept, with real processes behind it.
#[derive(Clone, Debug, Parser)]
#[command(name = "twin", version)]
pub struct Config {
    /// TCP port of the endpoint on loopback; 0 picks a free one, which the ready file then names.
    #[arg(long, env = "LAB_PORT", default_value_t = 4566)]
    pub port: u16,

    /// Folder for the ready file, logs, the record of child processes, and the database. One twin at a time uses it.
    #[arg(long, env = "LAB_STATE_DIR", default_value = ".lab")]
    pub state_dir: PathBuf,

    /// Factor that divides the platform's waiting (health-check interval, deregistration delay, …), 1 to 100. At 1 the lab is
    /// as slow as AWS; much above 30 a busy laptop no longer keeps up with its own health checks.
    #[arg(long, env = "LAB_SPEED", default_value = "10", value_parser = speed)]
    pub speed: Speed,

    /// The one region the twin answers for, whatever region a request was signed for.
    #[arg(long, env = "LAB_REGION", default_value = "us-west-2", value_parser = region)]
    pub region: String,

    /// Folder with PostgreSQL's `initdb` and `postgres`, major 14 or later; by default what the system has.
    #[arg(long, env = "LAB_PG_BIN", value_name = "DIR")]
    pub pg_bin: Option<PathBuf>,

    /// An image of the small registry, and the program that is its entry point. May be repeated.
    #[arg(long = "image", value_name = "NAME:TAG=/PATH", value_parser = image)]
    pub images: Vec<(String, PathBuf)>,

    /// TCP port of PostgreSQL on loopback; 0 picks a free one.
    #[arg(long, env = "LAB_DB_PORT", default_value_t = 0)]
    pub db_port: u16,

    /// Sessions that PostgreSQL admits, three of them for the master only, 10 to 200. Many more and a leaked-session drill
    /// takes long to show; many fewer and the tasks' own pools no longer fit.
    #[arg(long, env = "LAB_MAX_CONNECTIONS", default_value_t = 20, value_parser = clap::value_parser!(u16).range(10..=200))]
    pub max_connections: u16,

    /// What is logged to standard error: `error`, `warn`, `info`, `debug`, or a filter per module. At `debug` every request is
    /// a line.
    #[arg(long, env = "LAB_LOG_LEVEL", default_value = "info")]
    pub log_level: String,
}

fn speed(text: &str) -> Result<Speed, String> {
    let range = Speed::RANGE;
    let factor = text.parse().ok().and_then(Speed::new);
    factor.ok_or_else(|| format!("the speed is a number from {} to {}", range.start(), range.end()))
}

fn region(text: &str) -> Result<String, String> {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if text.split('-').count() >= 3 && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    Err("a region looks like us-east-1".into())
}

fn image(text: &str) -> Result<(String, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or("an image is given as NAME:TAG=/absolute/path")?;
    if !name.split_once(':').is_some_and(|(repository, tag)| !repository.is_empty() && !tag.is_empty()) {
        return Err(format!("`{name}` is no NAME:TAG"));
    }
    let path = PathBuf::from(path);
    if !path.is_absolute() {
        return Err(format!("`{}` is no absolute path", path.display()));
    }
    if !path.is_file() {
        return Err(format!("{} is no file; build it first", path.display()));
    }
    Ok((name.to_owned(), path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_the_documented_ones_and_bad_values_are_named() {
        let config = Config::try_parse_from(["twin"]).expect("no argument is needed");
        assert_eq!((config.port, config.speed.factor(), config.region.as_str()), (4566, 10.0, "us-west-2"));
        for (arguments, named) in [
            (["--speed", "0"], "1 to 100"),
            (["--region", "Mars"], "us-east-1"),
            (["--image", "golden=/bin/sh"], "NAME:TAG"),
            (["--image", "golden:latest=bin/sh"], "absolute"),
            (["--image", "golden:latest=/no/such/file"], "build it"),
            (["--max-connections", "3"], "10..=200"),
            (["--port", "70000"], "70000"),
        ] {
            let error = Config::try_parse_from([&["twin"], &arguments[..]].concat()).expect_err(named).to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
