//! The chores: `cargo xtask <chore>`. One command lists them all, and CI runs `cargo xtask test`.

mod bench;
mod contract_file;
mod drill;
mod lab;
mod need;
mod test;

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "xtask", about = "Chores of the Breakfix lab")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Install what the tests need, then run every check until the first failure.
    Test {
        /// Run only this step; give it again for a second one.
        #[arg(long, value_enum, value_name = "STEP")]
        only: Vec<test::Step>,
    },
    /// Build what changed and run `breakfix` with these arguments (`cargo lab …` is short for this).
    #[command(disable_help_flag = true)]
    Lab {
        /// Arguments of `breakfix`; none prints its help.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Measure the lab against its peers in an optimised build.
    #[command(disable_help_flag = true)]
    Bench {
        /// Arguments of `tests/bench`, e.g. `--only golden`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Play every scenario on autopilot against a fresh lab; exit 1 when one fails.
    Drill(drill::Arguments),
    /// Write infra/contract.json from the contract crate.
    Contract,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::Test { only } => test::run(&only),
        Chore::Lab { arguments } => lab::exec(&arguments),
        Chore::Bench { arguments } => bench::measure(&arguments),
        Chore::Drill(arguments) => drill::drill(&arguments),
        Chore::Contract => contract_file::write(),
    };
    // Not the Debug text that `main` would print: under RUST_BACKTRACE a page of frames would bury the hint.
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
