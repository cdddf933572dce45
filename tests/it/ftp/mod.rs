//! FTPS and FTPES as clients meet them, and as attackers do.

mod commands;
mod control;
mod ends;
mod moving;
mod wire;
