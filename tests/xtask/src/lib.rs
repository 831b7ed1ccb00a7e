//! What the chores and the tests share: cargo, run as from a shell. The chores themselves are in the program.

pub mod workspace;
