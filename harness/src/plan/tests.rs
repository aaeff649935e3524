//! Facts about plans.
