//! The first rows of a file that an export wrote, as people read them.

use super::settings::{Encoding, ExportSettings};

/// The first rows, cell by cell, the header too if there is one.
#[must_use]
pub fn first_rows(bytes: &[u8], settings: &ExportSettings, most: usize) -> Vec<Vec<String>> {
    let encoding = match settings.encoding {
        Encoding::Utf8 | Encoding::Utf8Bom => encoding_rs::UTF_8,
        Encoding::Windows1252 => encoding_rs::WINDOWS_1252,
        Encoding::Iso885915 => encoding_rs::ISO_8859_15,
    };
    let (text, ..) = encoding.decode(bytes);
    let mut reader = csv::ReaderBuilder::new();
    reader
        .has_headers(false)
        .flexible(true)
        .quoting(settings.quotes != super::settings::Quotes::Never);
    // Every separator that settings allow is ASCII.
    reader.delimiter(u8::try_from(settings.separator).unwrap_or(b';'));
    let rows = reader.from_reader(text.as_bytes()).into_records();
    rows.filter_map(Result::ok)
        .take(most)
        .map(|row| row.iter().map(str::to_owned).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_they_were_written() {
        let settings = ExportSettings {
            encoding: Encoding::Windows1252,
            separator: '\t',
            ..ExportSettings::default()
        };
        let rows =
            first_rows(b"Name\tOrt\r\n\"M\xfcller\tA\"\t\x80\r\nlast\tone\r\n", &settings, 2);
        assert_eq!(rows, [["Name", "Ort"], ["Müller\tA", "€"]]);
    }
}
