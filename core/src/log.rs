//! Log points for `defmt`: without the feature they are nothing, and what they name is not evaluated.
//!
//! What happens is logged where it is decided, and nowhere else: *error* is not used, for whoever drives the engine is told of what fails; *warn* is what
//! went wrong, *info* what an end or its peer did, *debug* what a link did to frames, *trace* what may happen with every frame.

/// Logs at a level of `defmt`'s.
macro_rules! log {
    ($level:ident, $($what:tt)*) => {{
        #[cfg(feature = "defmt")]
        ::defmt::$level!($($what)*);
    }};
}

/// Logs what has ended with a code: at *info* if all is well, else at *warn*.
macro_rules! log_end {
    ($code:expr, $($what:tt)*) => {{
        #[cfg(feature = "defmt")]
        match $code {
            $crate::wire::Code::Ok => ::defmt::info!($($what)*),
            _ => ::defmt::warn!($($what)*),
        }
    }};
}
