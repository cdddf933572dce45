//! Files that would end, create or overwrite too much are held; somebody decides, once, and that is carried out once.

mod console;
mod decisions;
mod guards;
mod rows;
