//! Exports: users as another program's CSV. Pure: no file, clock or database.
