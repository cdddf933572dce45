//! `mappings …`: which codes of a folder's files stand for which of ours.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::output::{Output, Tone, one_line};
use super::settings::{Before, Changed};
use super::{Outcome, Place, read_text};
use crate::error::{Error, Kind};
use crate::import::fields::FieldKey;
use crate::import::lists::list_of;
use crate::import::settings::{Settings, Unmapped, quoted};
use crate::service::Service;
use crate::service::mappings::{Rest, UnknownView};

/// `mappings …`
#[derive(Debug, Subcommand)]
pub enum MappingsCommand {
    /// Show the value maps of an import folder: their code, ours, and what becomes of other codes
    Show {
        /// The client
        client: String,
        /// The import folder's name
        folder: String,
    },
    /// List the codes that files have brought and nobody knows, as TOML to fill in and load
    Suggest {
        /// The client
        client: String,
        /// The import folder's name
        folder: String,
        /// Write the TOML to this file instead of showing it
        #[arg(long, value_name = "FILE")]
        write: Option<PathBuf>,
    },
    /// Map codes in one go: mappings set acme import csp "Executive France=Executive" "Executive UK=Executive"
    Set {
        /// The client
        client: String,
        /// The import folder's name
        folder: String,
        /// The field: department, csp, legal_entity, contract_type, role …
        field: String,
        /// THEIRS=OURS, parted at the last "="; an empty OURS takes THEIRS out of the map
        #[arg(value_name = "THEIRS=OURS")]
        codes: Vec<String>,
        /// What becomes of codes that are not in the map: keep, block, or default=OURS
        #[arg(long, value_name = "RULE")]
        unmapped: Option<String>,
    },
    /// Add the value maps of a TOML file, as `suggest` writes it ("-": standard input)
    Load {
        /// The client
        client: String,
        /// The import folder's name
        folder: String,
        /// The file
        file: PathBuf,
    },
}

pub(super) fn run(place: &Place, command: MappingsCommand) -> Outcome {
    let service = place.service()?;
    let out = place.out;
    match command {
        MappingsCommand::Show { client, folder } => {
            let settings = service.settings(&client, &folder)?;
            out.either(&settings.value_maps, |out, _| show(out, &client, &folder, &settings))
        }
        MappingsCommand::Suggest { client, folder, write } => {
            let unknown = service.unknown_codes(&client, &folder)?;
            out.either(&unknown, |out, unknown| {
                suggest(out, &client, &folder, unknown, write.as_deref())
            })
        }
        MappingsCommand::Set { client, folder, field, codes, unmapped } => {
            let key: FieldKey = field.parse().map_err(|why| Error::new(Kind::Invalid, why))?;
            if codes.is_empty() && unmapped.is_none() {
                let why =
                    "nothing to set; write THEIRS=OURS, for example \"Executive UK=Executive\"";
                return Err(Error::new(Kind::Invalid, why).into());
            }
            let codes = codes.iter().map(|code| pair(code)).collect::<Outcome<Vec<_>>>()?;
            let rest = unmapped.as_deref().map_or(Ok(Rest::AsBefore), rest)?;
            let before = Before::of(&service, &client, &folder)?;
            let settings = service.set_mappings(&client, &folder, &key, &codes, rest)?;
            let change = before.to(&service, &client, &folder, &settings)?;
            changed(out, &service, (&client, &folder), &settings, (change, ""))
        }
        MappingsCommand::Load { client, folder, file } => {
            let toml = read_text(&file)?;
            let before = Before::of(&service, &client, &folder)?;
            let settings = service.load_mappings(&client, &folder, &toml)?;
            let change = before.to(&service, &client, &folder, &settings)?;
            let why = why_nothing(&file, &toml);
            changed(out, &service, (&client, &folder), &settings, (change, &why))
        }
    }
}

/// The last "=" parts them: codes of other programs hold stranger signs than ours.
fn pair(code: &str) -> Outcome<(String, String)> {
    let (theirs, ours) =
        code.rsplit_once('=').filter(|(theirs, _)| !theirs.trim().is_empty()).ok_or_else(|| {
            let why = format!(
                "\"{code}\" is no THEIRS=OURS; write for example \"Executive UK=Executive\""
            );
            Error::new(Kind::Invalid, why)
        })?;
    Ok((theirs.trim().to_owned(), ours.trim().to_owned()))
}

fn rest(rule: &str) -> Outcome<Rest> {
    let unmapped = match (rule, rule.strip_prefix("default=").map(str::trim)) {
        ("keep", _) => Unmapped::Keep,
        ("block", _) => Unmapped::Block,
        (_, Some(ours)) if !ours.is_empty() => Unmapped::Default(ours.to_owned()),
        _ => {
            let why =
                format!("\"{rule}\" is no rule; write keep, block, or for example default=Other");
            return Err(Error::new(Kind::Invalid, why).into());
        }
    };
    Ok(Rest::Becomes(unmapped))
}

fn show(out: Output, client: &str, folder: &str, settings: &Settings) -> Outcome {
    if settings.value_maps.is_empty() {
        return out.line(format!(
            "{folder} has no value maps. What could be mapped: rollcall mappings suggest {client} {folder}"
        ));
    }
    let codes = settings.value_maps.iter().flat_map(|(field, map)| {
        let rest = match &map.unmapped {
            Unmapped::Keep if is_closed(settings, field) => {
                "as it is, if the list has it".to_owned()
            }
            Unmapped::Keep => "as it is".to_owned(),
            Unmapped::Block => "refused".to_owned(),
            Unmapped::Default(ours) => ours.clone(),
        };
        let codes = map.codes.iter().map(|(theirs, ours)| (theirs.clone(), ours.clone()));
        codes
            .chain([("(any other)".to_owned(), rest)])
            .map(move |(theirs, ours)| vec![field.to_string(), theirs, ours])
    });
    out.table(&["Field", "Theirs", "Ours"], codes)
}

fn is_closed(settings: &Settings, field: &FieldKey) -> bool {
    match field {
        FieldKey::Known(field) => {
            list_of(*field).is_some_and(|l| settings.closed_lists.contains(&l))
        }
        FieldKey::Custom(_) => false,
    }
}

fn suggest(
    out: Output,
    client: &str,
    folder: &str,
    unknown: &[UnknownView],
    write: Option<&Path>,
) -> Outcome {
    if unknown.is_empty() {
        return out.line(format!(
            "Nothing to map: every code in the files of {folder} is mapped, or in a list that was loaded or accepted."
        ));
    }
    let document = document(client, folder, unknown);
    let Some(path) = write else { return out.bytes(document.as_bytes()) };
    std::fs::write(path, &document)
        .map_err(|e| Error::io(format!("writing {}", path.display()), e))?;
    let path = path.display();
    out.line(format!(
        "{} unknown code(s) written to {path}. Write yours behind each, then:",
        unknown.len()
    ))?;
    out.line(format!("rollcall mappings load {client} {folder} {path}"))
}

/// The unknown codes as a TOML document that changes nothing until somebody fills it in; only what has the same name
/// as an entry is filled in already.
fn document(client: &str, folder: &str, unknown: &[UnknownView]) -> String {
    let mut text = format!(
        "# Codes in the files of {client}/{folder} that no value map and no loaded list knows.\n\
         # Write your code behind each and take the \"#\" before it away; what stays behind \"#\" changes nothing.\n\
         # A list whose codes are yours as they are: rollcall lists accept {client} LIST\n\
         # Then: rollcall mappings load {client} {folder} FILE\n"
    );
    let mut field = None;
    for code in unknown {
        // Writing to a String cannot fail.
        if field != Some(&code.field) {
            let _ok = writeln!(text, "\n[value_maps.{}.codes]", key(&code.field)).is_ok();
            field = Some(&code.field);
        }
        let rows = if code.rows == 1 { "row" } else { "rows" };
        let place = format!(
            "# {} {rows}, first on line {} of {}",
            code.rows,
            code.line,
            one_line(&code.file)
        );
        let theirs = quoted(&code.code);
        let _ok = match &code.suggestion {
            Some(ours) => writeln!(text, "{theirs} = {}  {place}; the same name", quoted(ours)),
            None if code.near.is_empty() => writeln!(text, "# {theirs} = \"\"  {place}"),
            None => writeln!(
                text,
                "# {theirs} = \"\"  {place}; near: {}",
                one_line(&code.near.join(" · "))
            ),
        }
        .is_ok();
    }
    text
}

fn key(field: &FieldKey) -> String {
    match field {
        FieldKey::Known(field) => field.name().to_owned(),
        FieldKey::Custom(_) => quoted(&field.to_string()),
    }
}

/// Why loading a document changed nothing, as the end of a sentence.
fn why_nothing(file: &Path, toml: &str) -> String {
    let mut lines = toml.lines().map(str::trim).filter(|line| !line.is_empty());
    if lines.all(|line| line.starts_with(['#', '['])) {
        format!(": every line of {} is still behind a \"#\"", file.display())
    } else {
        ": the value maps have these codes already".to_owned()
    }
}

/// Tells what became of the value maps; `why` ends the sentence where nothing did.
fn changed(
    out: Output,
    service: &Service,
    (client, folder): (&str, &str),
    settings: &Settings,
    (change, why): (Changed, &str),
) -> Outcome {
    if out.is_json() {
        return out.json(&settings.value_maps);
    }
    let version = settings.version();
    if change == Changed::Settings {
        out.line(format!("Value maps of {folder} changed, settings version {version}."))?;
        out.line("They count from the next import; the same file sent again is imported anew.")?;
    } else {
        out.line(format!("Nothing was changed{why}; settings version {version}."))?;
    }
    match service.unknown_codes(client, folder)?.len() {
        0 => Ok(()),
        rest => out.toned(
            Tone::Faint,
            format!("{rest} unknown code(s) left: rollcall mappings suggest {client} {folder}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::fields::Field;

    #[test]
    fn a_pair_is_parted_at_its_last_sign() {
        let parted = |code| pair(code).ok();
        let expect = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(parted("Executive UK=Executive"), expect("Executive UK", "Executive"));
        assert_eq!(parted("A=B=C"), expect("A=B", "C"));
        assert_eq!(parted("A="), expect("A", ""));
        assert!(parted("A").is_none() && parted("=B").is_none());
        assert!(rest("default=").is_err() && rest("sometimes").is_err() && rest("block").is_ok());
    }

    #[test]
    fn the_suggested_document_is_read_back() {
        let code = |code: &str, suggestion: Option<&str>| UnknownView {
            field: FieldKey::Known(Field::Csp),
            code: code.to_owned(),
            rows: 2,
            line: 4,
            file: "users\n[x]\u{202e}.csv".to_owned(),
            received_at: None,
            suggestion: suggestion.map(str::to_owned),
            near: vec!["EX (Executive)".to_owned()],
        };
        let unknown = [code("Exécutif \"UK\"", None), code("executive", Some("Executive"))];
        let document = document("acme", "import", &unknown);
        assert!(document.contains("of users [x]\u{fffd}.csv"), "{document}");
        let settings = Settings::from_toml(&document).unwrap();
        let map = &settings.value_maps[&FieldKey::Known(Field::Csp)];
        assert_eq!(map.codes.len(), 1, "{document}");
        assert_eq!(map.codes["executive"], "Executive");
        let filled = document.replace("# \"Exéc", "\"Exéc").replace("= \"\"", "= \"Executive\"");
        assert_eq!(
            Settings::from_toml(&filled).unwrap().value_maps[&FieldKey::Known(Field::Csp)]
                .codes
                .len(),
            2
        );
    }
}
