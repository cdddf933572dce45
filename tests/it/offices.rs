//! Days of a small office against a model that knows nothing of keys, tables or plans: absence, and what a hand has set.

use proptest::prelude::*;
use rollcall::import::fields::{Field, FieldKey};
use rollcall::import::settings::Settings;

use super::golden::{TODAY, applied, empty_directory, plan_on};

/// One day of a small office: how many days after the last, who is in the file with which department, and whose
/// department a person then sets by hand.
type OfficeDay = (i8, Vec<Option<&'static str>>, Option<(usize, &'static str)>);

const PEOPLE: usize = 4;

fn office_day() -> impl Strategy<Value = OfficeDay> {
    let department = prop::sample::select(&["IT", "HR"][..]);
    let file = prop::collection::vec(prop::option::weighted(0.7, department.clone()), PEOPLE);
    let edit = prop::option::weighted(0.3, (0..PEOPLE, prop::sample::select(&["IT", "Ops"][..])));
    (0_i8..3, file, edit)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Against a model that knows nothing of keys, tables or plans.
    #[test]
    fn absence_needs_its_days_and_a_hand_stays_until_the_file_moves(
        days in prop::collection::vec(office_day(), 1..12),
        limit in 1_u32..4,
    ) {
        let settings = format!(
            "absent = \"end\"\nabsent_after = {limit}\nblanks = {{ department = \"keep\" }}\n\
             [guards]\nendings = \"off\"\none_field = \"off\"\nfewer_rows = \"off\"\nreopenings = \"off\"\nwhole_entity = false\n"
        );
        let settings = Settings::from_toml(&settings).unwrap();
        let mut today = TODAY;
        let mut directory = empty_directory();
        let mut model = vec![Model::default(); PEOPLE];
        for (gap, roster, edit) in days {
            today = today.checked_add(jiff::Span::new().days(i64::from(gap))).unwrap();
            let mut text = "ID number;lastName;firstName;dtContractStart;department\r\n".to_owned();
            for (person, department) in roster.iter().enumerate() {
                if let Some(department) = department {
                    text.push_str(&format!("N{person};Name{person};First;15/01/2020;{department}\r\n"));
                }
            }
            let plan = plan_on(text.as_bytes(), "users.csv", &settings, &directory, (today, None));
            if plan.report.status.is_applied() {
                directory = applied(directory, &plan);
                for (person, department) in model.iter_mut().zip(&roster) {
                    person.file(today, *department, limit);
                }
            }
            for (number, person) in model.iter().enumerate() {
                let number = format!("N{number}");
                let user = directory.users.iter().find(|u| u.values.get(Field::EmployeeNumber) == Some(&number));
                prop_assert_eq!(user.is_some(), person.known);
                if let Some(user) = user {
                    prop_assert_eq!(user.values.get(Field::ContractEnd), person.end.as_deref());
                    prop_assert_eq!(user.values.get(Field::Department), person.value);
                }
            }
            if let Some((at, value)) = edit.filter(|(at, _)| model[*at].known) {
                let number = format!("N{at}");
                let user = directory.users.iter_mut()
                    .find(|u| u.values.get(Field::EmployeeNumber) == Some(&number)).unwrap();
                let department = FieldKey::Known(Field::Department);
                let before = user.values.get(Field::Department).map(str::to_owned);
                if before.as_deref() != Some(value) {
                    directory.protected.entry((user.id, department.clone())).or_insert(before);
                    user.values.set(&department, Some(value));
                    directory.change_number += 1;
                    model[at].value = Some(value);
                }
            }
        }
    }
}

/// What should be true of somebody.
#[derive(Debug, Clone, Default)]
struct Model {
    known: bool,
    value: Option<&'static str>,
    said: Option<&'static str>,
    absent_on: Vec<jiff::civil::Date>,
    end: Option<String>,
}

impl Model {
    fn file(&mut self, today: jiff::civil::Date, says: Option<&'static str>, limit: u32) {
        if let Some(says) = says {
            if self.said != Some(says) {
                self.value = Some(says);
            }
            self.said = Some(says);
            self.known = true;
            self.absent_on.clear();
            self.end = None;
        } else if self.known && self.end.is_none() {
            if self.absent_on.last() != Some(&today) {
                self.absent_on.push(today);
            }
            if self.absent_on.len() >= usize::try_from(limit).unwrap() {
                self.end = Some(self.absent_on[0].yesterday().unwrap().to_string());
                self.absent_on.clear();
            }
        }
    }
}
