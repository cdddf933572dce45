//! The pages behind the sign-in: one file for each screen, its template beside it.

mod today;

use super::route::Route;

pub(super) fn routes() -> Vec<Route> {
    [today::routes()].concat()
}
