//! Serial lines, by pseudo terminals with a cable between them that may do harm.

mod cable;
mod damaged;
mod lines;
