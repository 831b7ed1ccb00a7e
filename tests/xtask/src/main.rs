//! The chores: `cargo xtask <chore>`. One command lists them all, and CI runs `cargo xtask test`.

mod contract_file;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "xtask", about = "Chores of the Breakfix lab")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Write infra/contract.json from the contract crate.
    Contract,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().chore {
        Chore::Contract => contract_file::write(),
    }
}
