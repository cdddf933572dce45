//! The composition root: parse, call, print.

fn main() {}
