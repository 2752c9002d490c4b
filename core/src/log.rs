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

/// Logs how something has ended: at *info* if all is well, else at *warn* with the code and the words.
macro_rules! log_end {
    ($refusal:expr, $well:literal, $badly:literal, $($what:expr),*) => {{
        #[cfg(feature = "defmt")]
        match $refusal.code {
            $crate::wire::Code::Ok => ::defmt::info!($well, $($what),*),
            _ => ::defmt::warn!($badly, $($what),*, $refusal.code, $refusal.words),
        }
    }};
}
