//! Serial lines, by pseudo terminals with a cable between them that may do harm.

mod cable;
mod damaged;
mod line;
mod lines;
mod lost;
mod noise;
mod ports;
mod shore;
mod transfers;
