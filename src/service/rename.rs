//! Renames: plain moves, and moves onto a name that is imported, which are commits.

use std::sync::Arc;

use super::commit::Receipt;
use super::names;
use super::session::State;
use crate::error::{Error, Kind, Result};
use crate::model::VPath;
use crate::vfs::Overwrite;

pub(super) fn rename(
    session: &Arc<State>,
    from: &VPath,
    to: &VPath,
    overwrite: Overwrite,
) -> Result<Receipt> {
    session.may_move(from)?;
    session.may_write(to)?;
    let _guard = session.service.0.locks.lock(&session.login, &[from, to]);
    let source = session.files.stat(from)?;
    if source.is_folder() && names::import_folder_above(&session.folders(), to).is_some() {
        return Err(Error::new(
            Kind::Denied,
            format!("{to}: a folder cannot be moved into or over an import folder"),
        ));
    }
    session.files.rename(from, to, overwrite)?;
    Ok(Receipt::done("Renamed"))
}
