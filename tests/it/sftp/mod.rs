//! SFTP over real connections: what clients rely on, and what an attacker tries.

mod attacks;
mod extensions;
mod openssh;
mod raw;
mod requests;
mod scp;
