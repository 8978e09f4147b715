//! The point contract: one TOML file to a checked, canonical, versioned contract.
