//! Names that would lead somewhere else, and odd ones that are names all the same.

mod links;
mod odd;
mod races;
mod refused;
