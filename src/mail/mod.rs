//! E-mails: what they say in each language, how they are built, how they leave.

mod body;
mod digest;
mod letter;
mod mailer;
mod news;
mod report;
mod smtp;
mod words;

pub use digest::{DigestLine, digest};
pub use letter::{Addressee, Letter, LetterFile, addressee, check_address, check_sender, message};
pub use mailer::{Mailer, Refused};
pub use news::{alarm, trial};
pub use report::{Around, Told, report};
