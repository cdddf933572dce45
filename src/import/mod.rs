//! The import, told in order: bytes, text, table, rows, plan, report. Pure: no async, files, clock or database.

pub mod directory;
pub mod fields;
pub mod plan;
pub mod report;
