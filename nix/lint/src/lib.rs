//! Nothing. Cargo wants a package to have something to build; what is wanted is in Cargo.toml.
