//! `users …`: the people of a client's directory, today and as they were known on any day.

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::output::Output;
use super::people::{Person, persons};
use super::{Outcome, Place, history, layout};
use crate::error::{Error, Kind};
use crate::import::edit::Edit;
use crate::import::fields::{Field, FieldKey};
use crate::service::Service;
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
    #[arg(long, value_name = "DATE")]
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
    /// Employee number, login, e-mail or name
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
    fn admits(self, state: Standing) -> bool {
        match self {
            Self::Upcoming => state == Standing::Upcoming,
            Self::Active => state == Standing::Active,
            Self::Ended => state == Standing::Ended,
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
                Format::Table => table(out, &args.client, &persons),
                Format::Csv => out.bytes(csv(&persons).as_bytes()),
                Format::Json => out.json(&persons),
            }
        }
        UsersCommand::Set(args) => set(out, &service, &args),
        UsersCommand::Export(ExportArgs { list: args, layout: Some(folder) }) => {
            let (users, persons) = select(&service, &args)?;
            layout::export(out, &service, &args.client, &folder, &persons, users)
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
    let client = service.client(&args.client)?;
    let zone = TimeZone::get(&client.time_zone).unwrap_or(TimeZone::UTC);
    let known_at = args.as_of.map(|date| end_of(date, &zone)).transpose()?;
    let users = service.users(&args.client, known_at)?;
    let mut persons = persons(&users);
    persons.retain(|p| args.state.is_none_or(|wanted| wanted.admits(p.state)));
    Ok((users, persons))
}

/// The last instant of a day in the client's time zone.
fn end_of(date: Date, zone: &TimeZone) -> Outcome<Timestamp> {
    let next = date.checked_add(1.day()).and_then(|next| next.to_zoned(zone.clone()));
    let last = next.and_then(|next| next.timestamp().checked_sub(1.nanosecond()));
    Ok(last.map_err(|e| {
        Error::caused(Kind::Invalid, format!("--as-of {date}: this day is out of range"), e)
    })?)
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

/// Every field that somebody has, comma-separated UTF-8 (RFC 4180), as `import` would read it again.
fn csv(persons: &[Person]) -> String {
    let fields: Vec<Field> = Field::ALL
        .iter()
        .copied()
        .filter(|field| persons.iter().any(|p| p.values.get(*field).is_some()))
        .collect();
    let mut custom: Vec<&str> =
        persons.iter().flat_map(|p| p.values.custom().map(|(name, _)| name)).collect();
    custom.sort_unstable();
    custom.dedup();
    let heads = fields.iter().map(|f| f.name().to_owned());
    let mut text = record(heads.chain(custom.iter().map(|c| (*c).to_owned())));
    for person in persons {
        let known = fields.iter().map(|f| person.shown(*f).unwrap_or_default().replace('\n', ", "));
        let own: std::collections::BTreeMap<&str, &str> = person.values.custom().collect();
        let own = custom.iter().map(|c| own.get(c).copied().unwrap_or_default().to_owned());
        text.push_str(&record(known.chain(own)));
    }
    text
}

fn record(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|cell| quoted(&cell)).collect();
    format!("{}\r\n", cells.join(","))
}

/// A spreadsheet must never run what a stranger wrote into a name.
fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '@', '\t', '\r'])
        || cell
            .strip_prefix(['+', '-'])
            .is_some_and(|r| !r.starts_with(|c: char| c.is_ascii_digit()));
    let safe = if formula { format!("'{cell}") } else { cell.to_owned() };
    if safe.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", safe.replace('"', "\"\""))
    } else {
        safe
    }
}

/// Changes one user by hand.
fn set(out: Output, service: &Service, args: &SetArgs) -> Outcome {
    let UserArgs { client, user } = &args.user;
    let person = find(service, client, user)?;
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

/// The one user who fits; several are named.
pub(super) fn find(service: &Service, client: &str, user: &str) -> Outcome<Person> {
    let found = service.find_users(client, user)?;
    let ids: Vec<i64> = found.iter().map(|u| u.id).collect();
    let everybody = persons(&service.users(client, None)?);
    let mut fitting: Vec<Person> = everybody.into_iter().filter(|p| ids.contains(&p.id)).collect();
    let names: Vec<String> = fitting
        .iter()
        .map(|p| format!("{} ({})", p.name(), p.shown(Field::EmployeeNumber).unwrap_or_default()))
        .collect();
    match (fitting.pop(), fitting.is_empty()) {
        (Some(person), true) => Ok(person),
        (None, _) => {
            let words = format!(
                "user \"{user}\": nobody in the directory of {client} has this number, login, e-mail or name; see rollcall users list {client}"
            );
            Err(Error::new(Kind::NotFound, words).into())
        }
        (Some(_), false) => {
            let words = format!(
                "user \"{user}\" fits several: {}; use the employee number, with the legal entity if others have it too: FR01+00123",
                names.join(", ")
            );
            Err(Error::new(Kind::Conflict, words).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_are_dead() {
        for (cell, expected) in [
            ("Dupont", "Dupont"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "'=1+1"),
            ("+33 1 23", "+33 1 23"),
            ("+cmd|x", "'+cmd|x"),
            ("@x", "'@x"),
            ("-0.5", "-0.5"),
        ] {
            assert_eq!(quoted(cell), expected, "{cell}");
        }
    }

    #[test]
    fn a_day_ends_where_the_client_lives() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let end = end_of("2026-03-31".parse().unwrap(), &zone).unwrap();
        assert_eq!(end.to_string(), "2026-03-31T21:59:59.999999999Z");
    }
}
