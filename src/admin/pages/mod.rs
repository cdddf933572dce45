//! The pages behind the sign-in: one file for each screen, its template beside it.

mod client;
mod settings;
pub(super) mod status;
mod today;

use super::route::Route;

pub(super) fn routes() -> Vec<Route> {
    [client::routes(), settings::routes(), today::routes()].concat()
}
