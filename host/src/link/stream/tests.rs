//! How it behaves, over real sockets and pipes.
