//! The pages behind the sign-in: one file for each screen, its template beside it.

mod accounts;
mod activity;
mod alarm_words;
mod client;
mod clients;
mod columns;
mod decide;
mod decide_undo;
mod drops;
mod encryption;
mod export_form;
mod exports;
mod exports_words;
mod import;
mod import_files;
mod imports;
mod imports_parts;
mod lists;
mod mappings;
mod me;
mod quality;
mod server;
mod settings;
pub(super) mod status;
mod today;
mod trying;
mod user;
mod user_form;
mod users;
mod users_words;
mod values;
mod was;
mod webhooks;

use super::route::Route;

pub(super) fn routes() -> Vec<Route> {
    [
        accounts::routes(),
        activity::routes(),
        client::routes(),
        clients::routes(),
        columns::routes(),
        decide::routes(),
        decide_undo::routes(),
        drops::routes(),
        encryption::routes(),
        export_form::routes(),
        exports::routes(),
        import::routes(),
        import_files::routes(),
        imports::routes(),
        lists::routes(),
        mappings::routes(),
        quality::routes(),
        me::routes(),
        server::routes(),
        settings::routes(),
        today::routes(),
        trying::routes(),
        user::routes(),
        user_form::routes(),
        users::routes(),
        values::routes(),
        webhooks::routes(),
    ]
    .concat()
}
