//! The program is killed between any two steps of an export: its file is sent once, under its number.

use super::super::cli::Workplace;

const ROSTER: &str = "login;last_name;first_name;email;contract_start\n\
    adupont;Dupont;Anne;anne@x.example;2020-01-06\npmartin;Martin;Paul;paul@x.example;2021-03-01\n";

#[test]
fn a_killed_export_sends_its_file_once() {
    for (fault, recorded) in [
        ("export.written", false),
        ("export.recorded", true),
        ("drop.kept", true),
        ("export.handed", true),
    ] {
        let place = Workplace::new();
        let login = place.with_account()["login"].as_str().unwrap().to_owned();
        place.ok(&["folder", "add", &login, "out", "/handed", "--purpose", "export"]);
        std::fs::write(place.path("users.csv"), ROSTER).unwrap();
        place.ok(&["import", "acme", "users.csv"]);
        let settings = ["what=changed", "file_name=c_{seq}.csv", "columns=[\"login\"]"];
        place.ok(&[&["exports", "add", "acme", "c", "--folder", "out"], &settings[..]].concat());
        let mut killed = place.command(&["exports", "run", "acme", "c"]);
        let killed = killed.env("ROLLCALL_FAULT", format!("kill:{fault}")).output().unwrap();
        assert!(!killed.status.success(), "{fault}");
        let next = place.json(&["exports", "run", "acme", "c"]);
        // A recorded run is not made again: the next one finds nothing new and sends what was owed.
        let state = if recorded { "nothing" } else { "sent" };
        assert_eq!(next["state"], state, "{fault}: {next}");
        let out = place.path(&format!("data/clients/acme/files/{login}/handed"));
        let names: Vec<_> =
            std::fs::read_dir(&out).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["c_1.csv"], "{fault}");
        let file = std::fs::read_to_string(out.join("c_1.csv")).unwrap();
        assert_eq!(file, "login\r\nadupont\r\npmartin\r\n", "{fault}");
        let drops = place.json(&["drops", "list", "acme"]);
        assert_eq!(drops.as_array().unwrap().len(), 1, "{fault}: {drops}");
        let shown = place.json(&["exports", "show", "acme", "c"]);
        assert_eq!(shown["export"]["next_seq"], 2, "{fault}: {shown}");
    }
}
