//! Sizes, offsets and digests that are not what they say, and many who want the same name.

mod alike;
mod announced;
mod changing;
mod contended;
mod offsets;
mod resumed;
