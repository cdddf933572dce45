//! `users …`: the people of a client's directory, today and as they were known on any day.

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;

use super::output::Output;
use super::{Outcome, Place, history};
use crate::error::{Error, Kind};
use crate::import::edit::Edit;
use crate::import::fields::{Field, FieldKey};
use crate::service::Service;
use crate::service::people::{Person, csv, persons};
use crate::service::users::{Standing, UserView};

/// `users …`
#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// List the users with state, department and manager
    List(ListArgs),
    /// Show one user with the history of every value
    Show(UserArgs),
    /// Show what changed for one user: when, from what, by which file and line
    History(UserArgs),
    /// Change values of one user by hand; files that say the same as before do not bring the old values back
    Set(SetArgs),
    /// Print every field of every user
    Export(ExportArgs),
}

/// `users set`
#[derive(Debug, Args)]
pub struct SetArgs {
    #[command(flatten)]
    user: UserArgs,
    /// field=value, as a file would write it: department=Sales contract_end=2026-12-31 manager=00042; nothing after "=" clears it
    #[arg(required = true, value_name = "FIELD=VALUE")]
    values: Vec<String>,
}

/// `users export`
#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    list: ListArgs,
    /// As the last file of this import folder: its columns, headers, separator and dates; importing it changes nothing
    #[arg(long, value_name = "FOLDER", conflicts_with = "format")]
    layout: Option<String>,
}

/// `users list` and `users export`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// The client
    client: String,
    /// The directory as it was known at the end of that day, such as 2026-03-31
    #[arg(long, value_name = "DATE", value_parser = super::day)]
    as_of: Option<Date>,
    /// table for people (list), csv or json for programs
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Only users in this state
    #[arg(long, value_enum)]
    state: Option<StateFilter>,
}

/// `users show` and `users history`
#[derive(Debug, Args)]
pub struct UserArgs {
    /// The client
    client: String,
    /// Employee number, login, e-mail or name; to change somebody, the whole name
    user: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StateFilter {
    Upcoming,
    Active,
    Ended,
}

impl StateFilter {
    fn standing(self) -> Standing {
        match self {
            Self::Upcoming => Standing::Upcoming,
            Self::Active => Standing::Active,
            Self::Ended => Standing::Ended,
        }
    }
}

pub(super) fn run(place: &Place, command: UsersCommand) -> Outcome {
    let service = place.service()?;
    let out = place.out;
    match command {
        UsersCommand::List(args) => {
            let (_, persons) = select(&service, &args)?;
            match format(out, args.format, Format::Table) {
                Format::Table => {
                    if persons.is_empty() && (args.state.is_some() || args.as_of.is_some()) {
                        return out.line(nobody(&args));
                    }
                    table(out, &args.client, &persons)
                }
                Format::Csv => out.bytes(csv(&persons).as_bytes()),
                Format::Json => out.json(&persons),
            }
        }
        UsersCommand::Set(args) => set(out, &service, &args),
        UsersCommand::Export(ExportArgs { list: args, layout: Some(folder) }) => {
            let (users, persons) = select(&service, &args)?;
            let (bytes, left_out) = service.in_layout(&args.client, &folder, &persons, users)?;
            if left_out > 0 {
                tracing::warn!(
                    left_out,
                    folder,
                    "users without the folder's key are not in the export"
                );
            }
            out.bytes(&bytes)
        }
        UsersCommand::Export(ExportArgs { list: args, layout: None }) => {
            let (_, persons) = select(&service, &args)?;
            match format(out, args.format, Format::Csv) {
                Format::Table => table(out, &args.client, &persons),
                Format::Csv => out.bytes(csv(&persons).as_bytes()),
                Format::Json => out.json(&persons),
            }
        }
        UsersCommand::Show(args) => history::show(out, &service, &args.client, &args.user),
        UsersCommand::History(args) => {
            let entries = history::changes(&service, &args.client, &args.user)?;
            out.either(&entries, |out, entries| history::table(out, entries))
        }
    }
}

/// `--json` is the global word for `--format json`.
fn format(out: Output, asked: Option<Format>, default: Format) -> Format {
    asked.unwrap_or(if out.is_json() { Format::Json } else { default })
}

/// Everybody, and those whom the arguments select.
fn select(service: &Service, args: &ListArgs) -> Outcome<(Vec<UserView>, Vec<Person>)> {
    let known_at = args.as_of.map(|date| service.end_of_day(&args.client, date)).transpose()?;
    let users = service.users(&args.client, known_at)?;
    let mut persons = persons(&users);
    persons.retain(|p| args.state.is_none_or(|wanted| wanted.standing() == p.state));
    Ok((users, persons))
}

/// That none of those who were asked for is there: the directory itself need not be empty.
fn nobody(args: &ListArgs) -> String {
    let state = args.state.map(|state| format!(" in the state \"{}\"", state.standing().name()));
    let day = args.as_of.map(|day| format!(" as known at the end of {day}"));
    format!(
        "No user{} in the directory of {}{}.",
        state.unwrap_or_default(),
        args.client,
        day.unwrap_or_default()
    )
}

/// Users as a table, with a line that counts them.
///
/// # Errors
/// [`super::Stop::Quiet`] when nobody reads any more.
pub fn table(out: Output, client: &str, persons: &[Person]) -> Outcome {
    if persons.is_empty() {
        return out.line(format!("No user in the directory of {client}."));
    }
    let rows = persons.iter().map(|p| {
        let shown = |field| p.shown(field).unwrap_or_default();
        let manager = p.manager.as_ref().map(|(_, name)| name.clone()).unwrap_or_default();
        vec![
            p.shown(Field::EmployeeNumber).or_else(|| p.shown(Field::Login)).unwrap_or_default(),
            p.listed_name(),
            shown(Field::Department),
            manager,
            standing(p),
        ]
    });
    out.table(&["Number", "Name", "Department", "Manager", "State"], rows)?;
    let count = |state| persons.iter().filter(|p| p.state == state).count();
    let (active, upcoming, ended) =
        (count(Standing::Active), count(Standing::Upcoming), count(Standing::Ended));
    let users = if persons.len() == 1 { "user" } else { "users" };
    out.line(format!(
        "\n{} {users}: {active} active, {upcoming} upcoming, {ended} ended",
        persons.len()
    ))
}

/// `active`, with the date that matters: `active until 2026-12-31`, `ended 2026-11-20`, `upcoming 2026-12-01`.
fn standing(person: &Person) -> String {
    let date = |field| person.values.get(field).map(str::to_owned);
    let (word, when) = match person.state {
        Standing::Active => ("active until", date(Field::ContractEnd)),
        Standing::Ended => ("ended", date(Field::ContractEnd)),
        state => (state.name(), date(Field::ContractStart)),
    };
    when.map_or_else(|| person.state.name().to_owned(), |when| format!("{word} {when}"))
}

/// Changes one user by hand.
fn set(out: Output, service: &Service, args: &SetArgs) -> Outcome {
    let UserArgs { client, user } = &args.user;
    let person = service.user_to_change(client, user)?;
    let mut wanted: Vec<(FieldKey, String)> = Vec::new();
    for text in &args.values {
        let refused = |why: &str| Error::new(Kind::Invalid, format!("\"{text}\": {why}"));
        let (field, value) = text
            .split_once('=')
            .ok_or_else(|| refused("write field=value, such as department=Sales"))?;
        let field: FieldKey = field.trim().parse().map_err(|why: String| refused(&why))?;
        if wanted.iter().any(|(known, _)| *known == field) {
            return Err(refused("this field is given twice").into());
        }
        wanted.push((field, value.to_owned()));
    }
    let edit = service.edit_user(client, person.id, &wanted, "cli")?;
    let told = serde_json::json!({
        "user": person.id,
        "changes": &edit.changes,
        "list_entries": &edit.list_entries,
    });
    out.either(&told, |out, _| tell_edit(out, &person, &edit))
}

fn tell_edit(out: Output, person: &Person, edit: &Edit) -> Outcome {
    if edit.changes.is_empty() {
        return out.line(format!("Nothing to change: {} has these values already.", person.name()));
    }
    for (field, code) in &edit.list_entries {
        out.line(format!(
            "\"{code}\" is new in the list of {field}; check that it is no misspelling."
        ))?;
    }
    let fields: Vec<String> = edit.changes.iter().map(|c| c.field.to_string()).collect();
    out.line(format!("Changed for {}: {}.", person.name(), fields.join(", ")))?;
    out.line("Files that still say the same as before do not bring the old values back.")
}
