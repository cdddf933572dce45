//! `users export --layout FOLDER`: the users as the folder's own files are written.

use super::Outcome;
use super::output::Output;
use crate::import::directory::User;
use crate::import::layout;
use crate::service::Service;
use crate::service::people::Person;
use crate::service::users::{Standing, UserView};

pub(super) fn export(
    out: Output,
    service: &Service,
    client: &str,
    folder: &str,
    persons: &[Person],
    everybody: Vec<UserView>,
) -> Outcome {
    let layout = service.layout(client, folder)?;
    let user = |id, values, withdrawn| User { id, withdrawn, values };
    let users: Vec<User> = persons
        .iter()
        .filter(|p| layout.admits(p.state))
        .map(|p| user(p.id, p.values.clone(), false))
        .collect();
    let everybody: Vec<User> = everybody
        .into_iter()
        .map(|u| user(u.id, u.values, u.state == Standing::Withdrawn))
        .collect();
    let (bytes, left_out) = layout::write(&layout, &users, &everybody);
    if left_out > 0 {
        tracing::warn!(left_out, folder, "users without the folder's key are not in the export");
    }
    out.bytes(&bytes)
}
