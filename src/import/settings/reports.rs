//! What the settings say about the report files, from TOML.

use toml::Value;

use super::read::{Read, list, table, wrong, yes_or_no};
use super::{Format, ReportSettings, Settings};
use crate::model::Language;

pub(super) fn report(value: &Value) -> Read<ReportSettings> {
    let mut report = Settings::default().report;
    for (name, value) in table("report", value, "[report] with the line languages = [\"fr\"]")? {
        match name.as_str() {
            "languages" => report.languages = languages(value)?,
            "formats" => report.formats = formats(value)?,
            "markers" => report.markers = yes_or_no("report.markers", value)?,
            "recipients" => {
                if !list("report.recipients", value, "[]")?.is_empty() {
                    return Err(
                        "\"report.recipients\" is not an import setting; write the addresses under [mail]: to = [\"anne.roy@example.com\"]"
                            .to_owned(),
                    );
                }
            }
            _ => {
                return Err(format!(
                    "\"report.{name}\" is not an import setting; there are: languages, formats, markers"
                ));
            }
        }
    }
    Ok(report)
}

fn languages(value: &Value) -> Read<Vec<Language>> {
    let mut languages = Vec::new();
    for name in list("report.languages", value, "[\"fr\", \"en\", \"de\"]")? {
        let language = name.parse().map_err(|_| {
            format!(
                "report.languages: \"{name}\" is not known; write for example languages = [\"fr\", \"en\", \"de\"]"
            )
        })?;
        if !languages.contains(&language) {
            languages.push(language);
        }
    }
    Ok(languages)
}

fn formats(value: &Value) -> Read<Vec<Format>> {
    let example = "[\"csv\", \"json\", \"html\"]";
    let mut formats = Vec::new();
    for name in list("report.formats", value, example)? {
        let format = match name {
            "csv" => Format::Csv,
            "json" => Format::Json,
            "html" => Format::Html,
            _ => return Err(wrong("report.formats", value, example)),
        };
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    if formats.is_empty() {
        return Err(format!("report.formats is empty; write for example formats = {example}"));
    }
    Ok(formats)
}
