//! The pages behind the sign-in: one file for each screen, its template beside it.

mod accounts;
mod client;
mod clients;
mod import;
mod import_files;
mod imports_parts;
mod settings;
pub(super) mod status;
mod today;

use super::route::Route;

pub(super) fn routes() -> Vec<Route> {
    [
        accounts::routes(),
        client::routes(),
        clients::routes(),
        import::routes(),
        import_files::routes(),
        settings::routes(),
        today::routes(),
    ]
    .concat()
}
