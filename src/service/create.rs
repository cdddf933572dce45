//! The use case of creating one user by hand: planned like a file of one row, so that every rule of the folder holds.

use super::received::import_limits;
use super::{Service, commit, events};
use crate::error::{Error, Kind, Result};
use crate::import::directory::{DateOrder, Key};
use crate::import::fields::{Field, FieldKey};
use crate::import::plan::{Plan, Written};
use crate::import::settings::{Guards, Mode, Settings, UnknownColumns, Unmapped, key_fields};
use crate::import::{self, Job, Meta};
use crate::model::{Client, Language, Purpose};
use crate::store::directory::{Directory, Event, EventKind};

/// What the file of one row is called in messages.
const ROW: &str = "by hand";

/// A user who was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The user's id.
    pub id: i64,
    /// What somebody should know, in sentences: a code that is new in its list, a login that was made …
    pub notes: Vec<String>,
}

impl Service {
    /// Creates a user by hand, by the rules of an import folder (key, required fields, defaults, closed lists, login pattern,
    /// value maps): of the one that is named, else of the client's first. An empty text is no value.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client or folder; `Kind::Exists` where the key is somebody's already; `Kind::Invalid` with a
    /// sentence for each value that is refused.
    pub fn create_user(
        &self,
        client: &str,
        folder: Option<&str>,
        values: &[(FieldKey, String)],
        who: &str,
    ) -> Result<Created> {
        let client = self.client(client)?;
        let space = self.client_space(&client.slug)?;
        let _lock = space.lock()?;
        let mut directory = self.directory(&space)?;
        let settings = self.rules_by_hand(&client, folder, &directory, values)?;
        let row = with_blanks(&settings, values);
        let mut plan = self.plan_row(&client, &settings, &directory, &row)?;
        let id = created(&plan)?;
        let language = Language::En;
        let notes = plan.report.brief(language, usize::MAX).problems;
        let notes = notes.into_iter().map(|p| format!("{} {}", p.text, p.cure).trim().to_owned());
        let notes: Vec<String> = notes.collect();
        // It is nobody's file: nothing is settled for a folder, and no line brought it.
        plan.source = None;
        plan.writes.iter_mut().for_each(|write| write.line = 0);
        let event = Event {
            id: commit::new_id(self.clock()),
            kind: EventKind::Create,
            about: None,
            source: String::new(),
            who: who.to_owned(),
            at: self.clock().now(),
        };
        directory.create(&event, &plan)?;
        if let Err(error) = events::tell_users(self, &client.slug, &directory) {
            // Told with the next import.
            tracing::error!(%error, client = client.slug, "a new user was not told");
        }
        // No value stands in the audit trail: it outlives the user.
        self.record("user.create", &format!("{}/{id}", client.slug), "");
        self.keep_directory(&space, directory);
        Ok(Created { id, notes })
    }

    /// The rules of a folder for one row that says nothing about anybody else.
    fn rules_by_hand(
        &self,
        client: &Client,
        folder: Option<&str>,
        directory: &Directory,
        values: &[(FieldKey, String)],
    ) -> Result<Settings> {
        let first = || -> Result<Option<String>> {
            let folders = self.registry().client_folders(&client.slug)?;
            let first = folders.into_iter().find(|folder| folder.purpose == Purpose::Import);
            Ok(first.map(|folder| folder.name))
        };
        let folder = folder.map_or_else(first, |name| Ok(Some(name.to_owned())))?;
        let (mut settings, frozen) = match &folder {
            Some(name) => (self.settings(&client.slug, name)?, directory.source(name)?.1),
            None => Default::default(),
        };
        let given = |field| {
            let key = FieldKey::Known(field);
            values.iter().any(|(field, value)| *field == key && !value.trim().is_empty())
        };
        settings.key = frozen.key.or(settings.key).or_else(|| {
            Some(
                match (given(Field::EmployeeNumber), given(Field::LegalEntity), given(Field::Login))
                {
                    (true, true, _) => Key::LegalEntityAndEmployeeNumber,
                    (true, false, _) => Key::EmployeeNumber,
                    (false, _, true) => Key::Login,
                    (false, _, false) => Key::Email,
                },
            )
        });
        settings.mode = Mode::Delta;
        settings.strict = false;
        // One user is no mass of anything; a guard on a first import of one would only be in the way.
        settings.guards = Guards {
            endings: None,
            creations: None,
            one_field: None,
            fewer_rows: None,
            whole_entity: false,
            reopenings: None,
        };
        settings.dates = settings.dates.or(frozen.date_order).or(Some(DateOrder::Dmy));
        settings.unknown_columns = UnknownColumns::Keep;
        // A person gives our codes; those of the files are understood too.
        settings.value_maps.values_mut().for_each(|map| map.unmapped = Unmapped::Keep);
        for (field, _) in values {
            settings.aliases.insert(field.to_string(), field.clone());
        }
        Ok(settings)
    }

    fn plan_row(
        &self,
        client: &Client,
        settings: &Settings,
        directory: &Directory,
        values: &[(FieldKey, String)],
    ) -> Result<Plan> {
        let bytes = row(values);
        let meta = Meta {
            import: String::new(),
            client: client.slug.clone(),
            account: String::new(),
            file_name: ROW.to_owned(),
            path: String::new(),
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            sha256: String::new(),
            content_sha256: String::new(),
            received_at: None,
            started_at: None,
        };
        let snapshot = directory.snapshot("")?;
        let today = self.clock().today(&client.time_zone);
        Ok(import::plan(&Job {
            bytes: &bytes,
            settings,
            snapshot: &snapshot,
            today,
            received_on: today,
            dry_run: false,
            approval: None,
            meta: &meta,
            limits: &import_limits(self.config()),
        }))
    }
}

/// The values, and a blank one for every field that the rules ask for: what is missing is told as a blank cell, not as a
/// column that a file lacks.
fn with_blanks(settings: &Settings, values: &[(FieldKey, String)]) -> Vec<(FieldKey, String)> {
    let mut all = values.to_vec();
    let usual = [Field::FirstName, Field::LastName, Field::ContractStart];
    let key = settings.key.map(key_fields).unwrap_or_default();
    let required = settings.required.clone().unwrap_or_default();
    for field in usual.iter().chain(key).chain(&required) {
        let field = FieldKey::Known(*field);
        if !all.iter().any(|(known, _)| *known == field) {
            all.push((field, String::new()));
        }
    }
    all
}

/// The values as a file of one row.
fn row(values: &[(FieldKey, String)]) -> Vec<u8> {
    let quoted = |cell: &str| format!("\"{}\"", cell.trim().replace('"', "\"\""));
    let heads: Vec<String> = values.iter().map(|(field, _)| quoted(&field.to_string())).collect();
    // A line break in a cell would be one in a name.
    let cells: Vec<String> =
        values.iter().map(|(_, value)| quoted(&value.replace(['\r', '\n'], " "))).collect();
    format!("\u{feff}{}\r\n{}\r\n", heads.join(";"), cells.join(";")).into_bytes()
}

/// The id of the one user whom a plan creates; an error that says why it creates nobody.
fn created(plan: &Plan) -> Result<i64> {
    let report = &plan.report;
    let problems = report.brief(Language::En, usize::MAX).problems;
    let unread = report.counts.rejected + report.counts.cells_refused + report.counts.held > 0;
    let no_manager = plan.manager_wishes.iter().any(|(_, wish)| wish.is_some());
    if unread || no_manager || !report.status.is_applied() {
        let sentence = |text: &str, cure: &str| format!("{text} {cure}").trim_end().to_owned();
        let why: Vec<String> = problems.iter().map(|p| sentence(&p.text, &p.cure)).collect();
        return Err(Error::new(Kind::Invalid, why.join("\n")));
    }
    match plan.writes.iter().find(|write| write.is_new()) {
        Some(write) if plan.writes.iter().filter(|w| w.is_new()).count() == 1 => Ok(write.user_id),
        _ => {
            let known = plan.writes.iter().find(|w| matches!(w.what, Written::Changed(_)));
            let who = known.map(|write| format!(" (user {})", write.user_id)).unwrap_or_default();
            let message = format!(
                "somebody has this number, login or e-mail already{who}; change that user instead"
            );
            Err(Error::new(Kind::Exists, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_by_hand_is_one_row_whatever_is_typed() {
        let values = [
            (FieldKey::Known(Field::LastName), "O\"Neill; x\n=1".to_owned()),
            (FieldKey::Custom("badge".to_owned()), " 7 ".to_owned()),
        ];
        let text = String::from_utf8(row(&values)).unwrap();
        let expected = "\u{feff}\"last_name\";\"custom.badge\"\r\n\"O\"\"Neill; x =1\";\"7\"\r\n";
        assert_eq!(text, expected);
    }
}
