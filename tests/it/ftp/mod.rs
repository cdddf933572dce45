//! FTPS and FTPES as clients meet them, and as attackers do.

mod control;
mod ends;
mod moving;
mod wire;
