//! The table of modes, from the contract.

use contract::failure::{Dependency, ModeName};

/// One line for each mode, columns aligned.
pub(crate) fn text() -> String {
    let rows: Vec<[String; 3]> =
        ModeName::ALL.map(|mode| [mode.as_str().into(), parameters(mode), mode.summary().into()]).into();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let (first, second) = (width(0), width(1));
    let lines =
        rows.iter().map(|[mode, parameters, summary]| format!("{mode:first$}  {parameters:second$}  {summary}"));
    lines.collect::<Vec<_>>().join("\n")
}

fn parameters(mode: ModeName) -> String {
    if mode == ModeName::DependencyDown {
        return format!("targets of {}", Dependency::ALL.map(Dependency::as_str).join(","));
    }
    let one = |parameter: &contract::failure::Parameter| {
        let default = parameter.default.map_or_else(|| "by task".to_owned(), |default| default.to_string());
        format!("{}={default} ({}-{})", parameter.name, parameter.min, parameter.max)
    };
    mode.parameters().iter().map(one).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_has_its_line() {
        let text = text();
        assert_eq!(text.lines().count(), ModeName::ALL.len());
        assert!(text.contains("min_ms=500 (0-3600000) max_ms=1500 (0-3600000) "), "{text}");
        assert!(text.contains("targets of s3,ssm,secrets,database"), "{text}");
    }
}
