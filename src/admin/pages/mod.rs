//! The pages behind the sign-in: one file for each screen, its template beside it.

mod accounts;
mod client;
mod clients;
mod columns;
mod import;
mod import_files;
mod imports_parts;
mod mappings;
mod settings;
pub(super) mod status;
mod today;
mod values;

use super::route::Route;

pub(super) fn routes() -> Vec<Route> {
    [
        accounts::routes(),
        client::routes(),
        clients::routes(),
        columns::routes(),
        import::routes(),
        import_files::routes(),
        mappings::routes(),
        settings::routes(),
        today::routes(),
        values::routes(),
    ]
    .concat()
}
