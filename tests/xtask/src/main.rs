//! The chores: `cargo xtask <chore>`. One command lists them all, and CI runs `cargo xtask test`.

mod contract_file;
mod lab;

use std::ffi::OsString;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "xtask", about = "Chores of the Breakfix lab")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Build what changed and run `breakfix` with these arguments (`cargo lab …` is short for this).
    #[command(disable_help_flag = true)]
    Lab {
        /// Arguments of `breakfix`; none prints its help.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Write infra/contract.json from the contract crate.
    Contract,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().chore {
        Chore::Lab { arguments } => lab::exec(&arguments),
        Chore::Contract => contract_file::write(),
    }
}
