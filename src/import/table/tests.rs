use super::*;
use crate::import::text::decode;

const LIMITS: TableLimits = TableLimits { max_columns: 200, max_cell_bytes: 10_000 };

fn table(input: &[u8]) -> Result<Table<'_>, FileRefusal> {
    read(decode(input)?, &Headers::default(), &LIMITS)
}

fn refusal(input: &str) -> &'static str {
    match table(input.as_bytes()) {
        Ok(table) => panic!("read {:?} as {:?}", input, rows(&table)),
        Err(refusal) => refusal.code,
    }
}

fn rows(table: &Table<'_>) -> Vec<Vec<String>> {
    table.rows().map(|row| row.cells().map(Cow::into_owned).collect()).collect()
}

#[track_caller]
fn check(input: &str, delimiter: char, header: &[&str], expected: &[&[&str]]) {
    let table = table(input.as_bytes()).unwrap();
    assert_eq!(table.delimiter(), Some(delimiter));
    assert_eq!(table.header(), header);
    assert_eq!(rows(&table), expected);
}

#[test]
fn separators() {
    for sep in [";", ",", "\t", "|"] {
        let input = ["Nom;Prénom;Matricule", "Dupont;Anne;1", "Martin;Paul;2", ""].join("\n");
        check(
            &input.replace(';', sep),
            sep.chars().next().unwrap(),
            &["Nom", "Prénom", "Matricule"],
            &[&["Dupont", "Anne", "1"], &["Martin", "Paul", "2"]],
        );
    }
}

#[test]
fn the_separator_is_not_what_is_most_frequent() {
    // One comma in every row, decimals with commas, and a quoted cell full of separators.
    check(
        "Matricule;Nom complet;Taux d'activité;Adresse\n1;\"Dupont, A\";80,0;\"1, rue, X\"\n2;Martin, P;100,0;\"2, b, c\"\n",
        ';',
        &["Matricule", "Nom complet", "Taux d'activité", "Adresse"],
        &[&["1", "Dupont, A", "80,0", "1, rue, X"], &["2", "Martin, P", "100,0", "2, b, c"]],
    );
    // No header of ours: the shape decides.
    check(
        "a,b,c\n1;5,2,3\n4,5;5,6\n",
        ',',
        &["a", "b", "c"],
        &[&["1;5", "2", "3"], &["4", "5;5", "6"]],
    );
}

#[test]
fn a_sep_line_decides_and_does_not_count() {
    for first in ["sep=;", "\"sep=;\"", "SEP=;", "sep=;;;"] {
        let input = format!("{first}\r\nNom;Matricule\r\nA,B;1\r\n");
        let table = table(input.as_bytes()).unwrap();
        assert_eq!(table.delimiter(), Some(';'));
        assert_eq!(table.header_line(), 1);
        let row = table.row(0).unwrap();
        assert_eq!((row.line(), row.physical_line()), (2, 3));
    }
    check("sep=^\nnom^matricule\nA^1\n", '^', &["nom", "matricule"], &[&["A", "1"]]);
    assert_eq!(refusal("sep=ab\nnom;matricule\nA;1\n"), "F003");
}

#[test]
fn quotes() {
    check(
        "nom;prénom;service\n\"Du;pont\";\"dit \"\"le Grand\"\"\";\"\"\n 5\" tube;\"x\"  ; \"y\"\n",
        ';',
        &["nom", "prénom", "service"],
        &[&["Du;pont", "dit \"le Grand\"", ""], &[" 5\" tube", "x", "y"]],
    );
    check(
        "nom,prénom,service\n\"say \\\"hi\\\", you\",\"b\",\"c\"\n\"x\",\"y \\\"z\\\"\",\"w\"\n",
        ',',
        &["nom", "prénom", "service"],
        &[&["say \"hi\", you", "b", "c"], &["x", "y \"z\"", "w"]],
    );
    // A backslash before the closing quote is a backslash where quotes are doubled.
    check(
        "nom;prénom;service\n\"a \"\"b\"\"\";\"C:\\dir\\\";\"c\"\n",
        ';',
        &["nom", "prénom", "service"],
        &[&["a \"b\"", "C:\\dir\\", "c"]],
    );
    check(
        "=x;nom;prénom\n=\"00123\";A;B\n",
        ';',
        &["=x", "nom", "prénom"],
        &[&["=\"00123\"", "A", "B"]],
    );
}

#[test]
fn quoted_line_breaks_and_line_numbers() {
    let input = "Titre de l'export\r\n\r\nNom;Adresse;Matricule\r\nA;\"1 rue\r\nX\r\nVille\";1\r\n\r\nB;y;2\r\n";
    let table = table(input.as_bytes()).unwrap();
    assert_eq!(table.header_line(), 3);
    assert_eq!(table.title_lines(), [(1, "Titre de l'export".to_owned())]);
    let lines: Vec<(u32, u32)> =
        table.rows().map(|row| (row.line(), row.physical_line())).collect();
    assert_eq!(lines, [(4, 4), (6, 8)]);
    assert_eq!(table.row(0).unwrap().get(1).unwrap(), "1 rue\r\nX\r\nVille");
    let blank = table.notes().iter().find(|note| note.code == "R102").unwrap();
    assert_eq!((blank.count, blank.lines.as_slice()), (2, [2, 5].as_slice()));
}

#[test]
fn line_ends_of_every_kind() {
    for input in [
        "nom;matricule\nA;1\nB;2\n",
        "nom;matricule\r\nA;1\r\nB;2\r\n",
        "nom;matricule\rA;1\rB;2\r",
        "nom;matricule\r\r\nA;1\r\r\nB;2\r\r\n",
        "nom;matricule\nA;1\r\nB;2\r",
        "nom;matricule\nA;1\nB;2",
        "nom;matricule\nA;1\nB;2\n\u{1A}",
    ] {
        let table = table(input.as_bytes()).unwrap();
        assert_eq!(rows(&table), [["A", "1"], ["B", "2"]], "{input:?}");
        assert_eq!(table.rows().map(|r| r.line()).collect::<Vec<_>>(), [2, 3], "{input:?}");
        assert_eq!(table.ends_with_newline(), !input.ends_with('2'));
    }
}

#[test]
fn above_and_below_the_table() {
    let input = "Société;X\n;;;\nExport du 20/11/2026\nMatricule;Nom;Prénom;Service\n1;A;B;C\n;;;\nMatricule;Nom;Prénom;Service\n2;D;E;F\nTotal;2;;\nÉdité le 20/11/2026 par Mme X\n\n";
    let table = table(input.as_bytes()).unwrap();
    assert_eq!(rows(&table), [["1", "A", "B", "C"], ["2", "D", "E", "F"]]);
    let told: Vec<(&str, Vec<u32>)> = table
        .notes()
        .iter()
        .map(|n| (n.params.first().map_or(n.code, |(_, kind)| kind.as_str()), n.lines.clone()))
        .collect();
    assert_eq!(
        told,
        [
            ("title", vec![1, 3]),
            ("repeated_header", vec![7]),
            ("total", vec![9, 10]),
            ("R102", vec![2, 6, 11]),
        ]
    );
}

#[test]
fn a_list_of_several_pages_is_one_table() {
    let page = |number: u32, rows: &str| {
        format!(
            "Personalliste {number:02}.11.2026 Seite {number}\n\n------------------\n| |Matricule|Nom|Prénom|Service|\n------------------\n{rows}"
        )
    };
    let input = page(1, "| |1|A|B|C|\n| |2|D|E|F|\n")
        + &page(2, "| |3|G|H|I|\n------------------\n| |Total|3|||\n------------------\n");
    let table = table(input.as_bytes()).unwrap();
    let numbers: Vec<String> =
        table.rows().map(|row| row.cells().nth(2).unwrap().into_owned()).collect();
    assert_eq!(numbers, ["1", "2", "3"]);
    let kinds: Vec<&str> = table
        .notes()
        .iter()
        .map(|n| n.params.first().map_or(n.code, |(_, kind)| kind.as_str()))
        .collect();
    assert_eq!(kinds, ["title", "drawn", "repeated_header", "total", "trailing_separator", "R102"]);
}

#[test]
fn rows_with_the_words_of_a_title_are_rows() {
    let input =
        "Équipe 1;Anne;Dupont;x\nMatricule;Nom;Prénom;Service\nÉquipe 1;Anne;Dupont;x\nab;;;\n";
    assert_eq!(table(input.as_bytes()).unwrap().row_count(), 2);
}

#[test]
fn people_are_no_totals() {
    let input = "Matricule;Nom;Prénom;Service\n1;Total;Anne;C\nRowsell;;;\n12;Somme;Paul;\n";
    let table = table(input.as_bytes()).unwrap();
    assert_eq!(table.row_count(), 3);
}

#[test]
fn remarks_below_the_table_are_no_rows_however_many_separators_follow() {
    let rows = "Matricule;Nom;Prénom;Service\n1;Roy;Anne;C\n";
    for foot in [
        "Nombre de salariés : 1;;;\nPage 1/1;;;\n",
        "Confidentiel - ne pas diffuser;;;\n",
        ";;;\nConfidential;;;\n;Seite 1 von 1;;\n",
        "Ce document est destiné au service RH;;;\n",
        "Édité le 20/11/2026;;;\n",
    ] {
        let input = format!("{rows}{foot}");
        let table = table(input.as_bytes()).unwrap();
        assert_eq!(table.row_count(), 1, "{foot}");
        assert!(table.notes().iter().any(|note| note.code == "R104"), "{foot}");
    }
    for row in ["Page;;;\n", "00012;;;\n", "De la Tour;;;\n", ";Seite;Anna;\n", "FR01 00012;;;\n"] {
        assert_eq!(table(format!("{rows}{row}").as_bytes()).unwrap().row_count(), 2, "{row}");
    }
}

#[test]
fn a_row_that_was_cut_in_its_first_cell_is_no_remark() {
    for cut in ["Direction des ressources huma", "Page 12", "Confidentiel"] {
        let input = format!("Service;Nom;Prénom;Matricule\nDirection;Roy;Anne;1\n{cut}");
        assert_eq!(refusal(&input), "F005", "{cut}");
    }
}

#[test]
fn trailing_separators() {
    let input = "Nom;Prénom;;\nA;B;;\nC;D;;\n";
    let table = table(input.as_bytes()).unwrap();
    assert_eq!(table.notes()[0].params[0].1, "trailing_separator");
    let input = "Nom;Prénom\nA;B;\nC;D;\n";
    assert_eq!(self::table(input.as_bytes()).unwrap().notes()[0].params[0].1, "trailing_separator");
    let input = "Nom;Prénom\nA;B;x\nC;D;\n";
    assert!(self::table(input.as_bytes()).unwrap().notes().is_empty());
}

#[test]
fn what_is_no_table() {
    assert_eq!(refusal("nom;prénom;matricule\n"), "F002");
    assert_eq!(refusal("nom;prénom;matricule"), "F002");
    assert_eq!(refusal("nom;prénom;matricule\n;;\n\n"), "F002");
    assert_eq!(refusal("Dear all,\nplease find the list attached.\nRegards\n"), "F003");
    assert_eq!(refusal("hello"), "F003");
    assert_eq!(refusal("sep=;\n"), "F003");
    let wide = format!("nom;prénom{}\nA;B\n", ";x".repeat(300));
    assert_eq!(refusal(&wide), "F006");
    let long = format!("nom;prénom\nA;{}\n", "b".repeat(20_000));
    assert_eq!(refusal(&long), "F006");
}

#[test]
fn truncated_files() {
    for input in [
        "nom;prénom;matricule\nA;B;1\nC;D",
        "nom;prénom;matricule\nA;B;1\nTotale",
        "nom;prénom;matricule\nA;B;1\nACME FRANCE",
        "nom;prénom;matricule\nA;B;1\nC;\"D;2\n",
        "nom;prénom;matricule\nA;B;1\nC;\"D;2",
        "nom;prénom;matricule\nA;B;1\nC;D;\"2",
    ] {
        assert_eq!(refusal(input), "F005", "{input:?}");
    }
    assert_eq!(refusal("nom;prénom;matricule\nA;B;1\n;"), "F005");
    // Complete, only without a line end.
    assert!(table("nom;prénom;matricule;\nA;B;1\nC;D;2".as_bytes()).is_ok());
    assert!(table("nom;prénom;matricule\nA;B;1\n  ".as_bytes()).is_ok());
    assert!(table("nom;prénom;matricule\nA;B;1\nC;D;2".as_bytes()).is_ok());
    assert!(table("nom;prénom;matricule\nA;B;1\nTotal : 1".as_bytes()).is_ok());
    // A short last row with its line end is a row's error, not the file's.
    assert!(table("nom;prénom;matricule\nA;B;1\nC;D\n".as_bytes()).is_ok());
}

#[test]
fn a_stray_quote_takes_no_other_row_with_it() {
    let input = "nom;prénom;matricule\nA;B;1\nC;\"D;2\nE;F;3\nG;\"H\";4\nI;J;5\n";
    let table = table(input.as_bytes()).unwrap();
    let found: Vec<(u32, bool)> =
        table.rows().map(|row| (row.line(), row.problem().is_some())).collect();
    assert_eq!(found, [(2, false), (3, true), (4, false), (5, false), (6, false)]);
    assert_eq!(table.row(3).unwrap().get(1).unwrap(), "H");
    let input = "nom;prénom;matricule\nA;B;1\n\"C\" x;D;2\nE;F;3\n";
    let table = self::table(input.as_bytes()).unwrap();
    assert_eq!(table.row(1).unwrap().problem(), Some(RowProblem::Quotes));
    assert_eq!(table.row(2).unwrap().problem(), None);
}

#[test]
fn one_column_is_a_table_if_its_header_is_known() {
    check("Matricule\n1\n2\n", ',', &["Matricule"], &[&["1"], &["2"]]);
}

#[test]
fn a_header_among_the_rows_is_no_title() {
    let input = "A;B;1\nC;D;2\nE;F;3\nnom;prénom;matricule\nG;H;4\n";
    assert_eq!(refusal(input), "F003");
    let input = "X;Personne;\nnom;prénom;matricule\nG;H;4\n";
    assert!(table(input.as_bytes()).is_ok());
}

#[test]
fn stray_quotes_cost_no_more_than_a_few_readings() {
    // Every line opens a quote that only the next line closes, and so on to the end of the file.
    let lines = 50_000;
    let input = format!("nom;prénom;matricule\n{}a\";b;c\n", "x\"y;\"z;1\n".repeat(lines));
    let limits = TableLimits { max_columns: usize::MAX, ..LIMITS };
    let table = read(decode(input.as_bytes()).unwrap(), &Headers::default(), &limits).unwrap();
    assert!(table.rows().all(|row| row.problem().is_some() || row.raw() == "a\";b;c"));
}

#[test]
fn other_quotes_and_separators() {
    check(
        "nom,prénom,service\n'Du,pont','Anne','L''Étang'\n'O','Paul','c'\n",
        ',',
        &["nom", "prénom", "service"],
        &[&["Du,pont", "Anne", "L'Étang"], &["O", "Paul", "c"]],
    );
    // Apostrophes of names are no quotes.
    check(
        "nom;prénom;matricule\nD'Arc;Jeanne;'1\n's Gravenhage;Piet';2\n",
        ';',
        &["nom", "prénom", "matricule"],
        &[&["D'Arc", "Jeanne", "'1"], &["'s Gravenhage", "Piet'", "2"]],
    );
    check(
        "nom, prénom, service\nA, \"B, C\", D\nE, , F\n",
        ',',
        &["nom", "prénom", "service"],
        &[&["A", "B, C", "D"], &["E", "", "F"]],
    );
    check("a^b^c\n1^2^3\n4^5^6\n", '^', &["a", "b", "c"], &[&["1", "2", "3"], &["4", "5", "6"]]);
}

#[test]
fn a_space_separates_many_columns_although_a_few_cells_hold_one() {
    let mut lines = vec!["day hour stock item cost label".to_owned()];
    lines.extend((1..=8).map(|n| format!("{n} 10:0{n} {n}0 Q{n} $1.{n}0 \"a b\"")));
    lines.push("9 10:09 90 Q9 $1.90 Men's Coat".to_owned());
    let text = format!("{}\n", lines.join("\n"));
    let read = read_any(decode(text.as_bytes()).unwrap(), &LIMITS).unwrap();
    assert_eq!(read.delimiter(), Some(' '));
    assert_eq!(rows(&read)[0], ["1", "10:01", "10", "Q1", "$1.10", "a b"]);
    // As many words in most lines of few is chance.
    let names = "guest\nAnne Dupont\nPaul Martin\nZoé Roy\nMia de Vries\nOle Berg\n";
    let read = read_any(decode(names.as_bytes()).unwrap(), &LIMITS);
    assert!(read.is_err_and(|refusal| refusal.code == "F003"));
}

#[test]
fn cells_of_a_damaged_row_stand_where_they_were_meant() {
    let input = "matricule;nom;prénom;service\n1;\"Du;\"A;B\";c\n2;D;E;f\n3;\"\"G;H\";I;j\n";
    let table = table(input.as_bytes()).unwrap();
    assert_eq!(
        rows(&table),
        [["1", "\"Du", "A;B", "c"], ["2", "D", "E", "f"], ["3", "\"G;H", "I", "j"]]
    );
    let problems: Vec<bool> = table.rows().map(|row| row.problem().is_some()).collect();
    assert_eq!(problems, [true, false, true]);
    // Never closed, and not the last row: only its own row is damaged.
    let input = "nom;prénom;matricule\nA;B;1\nC;\"D;2\nE;F;3\nI;J;5\n";
    let table = self::table(input.as_bytes()).unwrap();
    let problems: Vec<bool> = table.rows().map(|row| row.problem().is_some()).collect();
    assert_eq!(problems, [false, true, false, false]);
}

#[test]
fn damaged_lines_cost_no_more_than_a_few_readings() {
    // Each line begins many cells in quotes and closes none of them.
    let line = format!("{}x\"y;z\n", "\"a;".repeat(150));
    let input = format!("nom;prénom;matricule\n{}", line.repeat(3_000));
    assert!(table(input.as_bytes()).is_ok());
    // A cell of blanks with as many quotes behind its first letter.
    let many = 1_000_000;
    let cell = format!("{}x{}", " ".repeat(many), "\"".repeat(many));
    assert_eq!(refusal(&format!("nom;prénom;matricule\nA;B;{cell}\n")), "F006");
    // Wherever one begins to read, a quote is open at the end.
    let line = format!("x\";\"{}\n", ";".repeat(2_000));
    let input = format!("nom;prénom;matricule\n{}", line.repeat(1_900));
    let limits = TableLimits { max_columns: 2_000, ..LIMITS };
    assert!(read_any(decode(input.as_bytes()).unwrap(), &limits).is_err());
}
