//! FTPS and FTPES as clients meet them, and as attackers do.

mod behind;
mod certificates;
mod commands;
mod control;
mod ends;
mod moving;
mod stopping;
mod wire;
