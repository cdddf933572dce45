//! Exports: users as another program's CSV. Pure: no file, clock or database.

mod cells;
mod document;
mod forms;
mod head;
mod lines;
mod name;
mod read;
mod settings;
mod sheet;
#[cfg(test)]
mod tests;
mod told;

pub use cells::{Around, Cells};
pub use forms::DateForm;
pub use head::first_rows;
pub use lines::{Lines, Problem};
pub use name::{FileName, Naming};
pub use settings::{
    Column, Decimal, Encoding, ExportSettings, Formulas, LineEnd, ManagerAs, NotEncodable, Quotes,
    UnmappedOut, ValueMapOut, What, When,
};
pub use sheet::Sheet;
pub use told::{Entry, Now, Step, Told, step};
