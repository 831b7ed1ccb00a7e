//! The lab as a whole: from `up` to the first good `/db`, the twin's memory, and reset to verified from every mode.

use std::time::Instant;

use anyhow::ensure;
use contract::failure::ModeName;
use tests::{Lab, text, until};

use crate::{
    figure::{Goal, Report},
    machine::resident_mib,
};

pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    eprintln!("the lab as a whole");
    let mut starts = Vec::new();
    for _ in 0..3 {
        let start = Instant::now();
        let lab = Lab::up();
        until("the first good /db", 20, || match lab.get("/db") {
            reply if reply.status == 200 => Ok(()),
            reply => Err(format!("{} {}", reply.status, reply.body)),
        });
        starts.push(start.elapsed().as_secs_f64());
    }
    report.add("up_to_first_db", "`up` to the first good `/db`, built binaries, seconds", Goal::AtMost(4.0), starts);

    let lab = Lab::up();
    let (mut worst, mut all) = (("", 0.0), Vec::new());
    for mode in ModeName::ALL {
        let value = match mode {
            ModeName::DependencyDown => r#"{"mode":"dependency_down","targets":["database","s3"]}"#,
            mode => mode.as_str(),
        };
        let version = lab.set_mode(value);
        if !matches!(mode, ModeName::Hang | ModeName::Crash) {
            lab.until_applied(version);
        }
        for path in ["/", "/work?ms=1", "/db"] {
            if mode != ModeName::Hang {
                // Whatever comes back: the mode shall have had something to break.
                let _ = lab.try_get(path);
            }
        }
        let start = Instant::now();
        let output = lab.breakfix(&["reset"]);
        ensure!(output.status.success(), "reset from {}: {}", mode.as_str(), text(&output.stderr));
        let seconds = start.elapsed().as_secs_f64();
        eprintln!("  reset from {}: {seconds:.1} s", mode.as_str());
        if seconds > worst.1 {
            worst = (mode.as_str(), seconds);
        }
        all.push(seconds);
    }
    report.add(
        "reset_worst",
        &format!("reset to verified, the worst of 15 modes ({}), seconds", worst.0),
        Goal::AtMost(15.0),
        vec![worst.1],
    );
    report.add("reset_median", "reset to verified, the median of 15 modes, seconds", Goal::None, all);
    let resident = resident_mib(lab.twin_pid()).unwrap_or(f64::NAN);
    report.add(
        "twin_rss",
        "the twin's resident memory after all that, without PostgreSQL, MiB",
        Goal::AtMost(120.0),
        vec![resident],
    );
    Ok(())
}
