//! Start and end of a contract: what a row makes of them. Dates are canonical text, so they compare as text.

use jiff::civil::Date;

use super::tell::params;
use crate::import::codes::{Code, Params};

/// An end that lies more than so many days back is told as late (C408).
const LATE_DAYS: i64 = 30;

/// What a row says about the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End<'r> {
    /// Nothing: no such column, a blank that keeps, a refused cell.
    Silent,
    /// There is none: a blank that clears, `31/12/9999`.
    Open,
    /// The last day.
    On(&'r str),
}

/// A contract in the directory and what a row says about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contract<'r> {
    pub is_new: bool,
    pub old_start: Option<&'r str>,
    pub old_end: Option<&'r str>,
    pub start: Option<&'r str>,
    pub end: End<'r>,
    /// Why being in the file lifts a past end, if it does.
    pub lift: Option<Lift<'r>>,
    pub today: &'r str,
}

/// Why being in the file lifts a past end that the row does not state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lift<'r> {
    /// Absence had set it; the end that stood before returns.
    Absence(Option<&'r str>),
    /// It closed the contract under another number.
    Renumbered,
}

/// What becomes of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Settled<'r> {
    pub start: Option<&'r str>,
    pub end: Option<&'r str>,
    /// The end before today is new.
    pub ended: bool,
    /// The person had left and is back.
    pub reinstated: bool,
    /// What is told about the start or the end of a user who is in the directory.
    pub told: Vec<(Code, &'static str, Params)>,
    /// The end lies before the start: these cells are refused (C402).
    pub refused: Option<Refused>,
}

/// The cells that make an end before a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Start,
    End,
    Both,
}

/// Decides start and end.
pub(super) fn settle<'r>(contract: &Contract<'r>) -> Settled<'r> {
    let Contract { is_new, old_start, old_end, today, .. } = *contract;
    let start = contract.start.or(old_start);
    let had_left = old_end.is_some_and(|end| end < today);
    let start_moved = !is_new && start != old_start;
    let comes_back = start_moved && old_end.is_some_and(|end| start.is_some_and(|s| s > end));
    let end = match (contract.end, contract.lift.filter(|_| had_left)) {
        (End::On(end), _) => Some(end),
        // Unless the row begins the next contract.
        (End::Silent, Some(Lift::Absence(was))) => {
            was.filter(|was| start.is_none_or(|start| start <= *was))
        }
        (_, lift) if comes_back || lift.is_some() => None,
        (End::Silent, _) => old_end,
        (End::Open, _) => old_end.filter(|end| *end < today),
    };
    if let Some((start, end)) = start.zip(end)
        && end < start
    {
        return refused(contract, end != old_end.unwrap_or_default(), start_moved);
    }
    let mut settled = Settled { start, end, ..Settled::default() };
    if is_new {
        return settled;
    }
    settled.ended = end != old_end && end.is_some_and(|end| end < today);
    settled.reinstated =
        had_left && (comes_back || (end != old_end && end.is_none_or(|end| end >= today)));
    tell_end(contract, &mut settled, had_left, comes_back);
    let begun = old_start.is_some_and(|start| start <= today);
    if start_moved && begun && !comes_back {
        let told = dated([("old_date", old_start), ("new_date", start)]);
        settled.told.push((Code::C406, "", told));
    }
    settled
}

fn refused<'r>(contract: &Contract<'r>, end_moved: bool, start_moved: bool) -> Settled<'r> {
    let refused = match (contract.is_new, end_moved, start_moved) {
        (true, ..) | (_, true, true) => Some(Refused::Both),
        (_, true, false) => Some(Refused::End),
        (_, false, true) => Some(Refused::Start),
        // It stands so in the directory already; the row changes nothing about it.
        (_, false, false) => None,
    };
    let start = contract.start.or(contract.old_start);
    let end = match contract.end {
        End::On(end) => Some(end),
        _ => contract.old_end,
    };
    // A new user's row is refused as a whole; its start was given all the same.
    let stays = if contract.is_new { contract.start } else { contract.old_start };
    let mut settled =
        Settled { start: stays, end: contract.old_end, refused, ..Settled::default() };
    if refused.is_some() {
        settled.told.push((Code::C402, "", dated([("start_date", start), ("end_date", end)])));
    }
    settled
}

fn tell_end<'r>(
    contract: &Contract<'r>,
    settled: &mut Settled<'r>,
    had_left: bool,
    comes_back: bool,
) {
    let Contract { old_end, today, .. } = *contract;
    let told = match (old_end, settled.end) {
        _ if settled.reinstated => {
            let why = match (contract.lift, settled.end) {
                (Some(Lift::Absence(_)), Some(_)) if contract.end == End::Silent => "restored",
                _ if comes_back => "",
                (Some(Lift::Absence(_)), None) => "present",
                (Some(Lift::Renumbered), None) => "renumbered",
                _ => "extended",
            };
            Some((
                Code::C404,
                why,
                dated([
                    ("old_date", old_end),
                    ("new_date", settled.start),
                    ("end_date", settled.end),
                ]),
            ))
        }
        (Some(old), Some(new)) if old == new => (had_left && contract.end == End::Open)
            .then(|| (Code::C407, "blank_end", dated([("old_date", old_end)]))),
        (Some(_), Some(_)) if had_left => {
            Some((Code::C407, "end", dated([("old_date", old_end), ("new_date", settled.end)])))
        }
        (_, Some(new)) if new < today => {
            let code = if is_late(new, today) { Code::C408 } else { Code::C401 };
            Some((code, "", dated([("end_date", settled.end)])))
        }
        (Some(_), Some(_)) => {
            Some((Code::C403, "", dated([("old_date", old_end), ("new_date", settled.end)])))
        }
        (Some(_), None) => {
            let why = if comes_back { "next_contract" } else { "removed" };
            Some((Code::C403, why, dated([("old_date", old_end), ("new_date", settled.start)])))
        }
        (None, _) => None,
    };
    settled.told.extend(told);
    // The end that absence had taken away does not return, for the row has none any more.
    if let (Some(Lift::Absence(Some(was))), End::Open, None) =
        (contract.lift, contract.end, settled.end)
        && had_left
        && !comes_back
    {
        settled.told.push((Code::C403, "removed", dated([("old_date", Some(was))])));
    }
}

fn is_late(end: &str, today: &str) -> bool {
    let (Ok(end), Ok(today)) = (end.parse::<Date>(), today.parse::<Date>()) else { return false };
    i64::from(end.until(today).map_or(0, |span| span.get_days())) > LATE_DAYS
}

fn dated<const N: usize>(named: [(&str, Option<&str>); N]) -> Params {
    params(named.into_iter().filter_map(|(name, date)| Some((name, date?.to_owned()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: &str = "2026-11-21";

    fn check(
        (old_start, old_end): (&str, &str),
        (start, end): (Option<&'static str>, End<'static>),
        expected: (&str, &str),
        codes: &[&str],
    ) -> (bool, bool) {
        let some = |text: &'static str| Some(text).filter(|t| !t.is_empty());
        let (old_start, old_end) = (old_start.to_owned(), old_end.to_owned());
        let contract = Contract {
            is_new: false,
            old_start: Some(old_start.as_str()).filter(|t| !t.is_empty()),
            old_end: Some(old_end.as_str()).filter(|t| !t.is_empty()),
            start: start.and_then(some),
            end,
            lift: None,
            today: TODAY,
        };
        let settled = settle(&contract);
        assert_eq!(settled.start.unwrap_or(""), expected.0);
        assert_eq!(settled.end.unwrap_or(""), expected.1);
        let told: Vec<&str> = settled.told.iter().map(|(code, ..)| code.name()).collect();
        assert_eq!(told, codes, "{settled:?}");
        (settled.ended, settled.reinstated)
    }

    #[test]
    fn an_end_is_set_moved_and_removed() {
        let was = ("2020-01-01", "");
        assert_eq!(check(was, (None, End::Silent), was, &[]), (false, false));
        assert_eq!(check(was, (None, End::Open), was, &[]), (false, false));
        let to = |end| ("2020-01-01", end);
        assert_eq!(
            check(was, (None, End::On("2026-10-31")), to("2026-10-31"), &["C401"]),
            (true, false)
        );
        assert_eq!(
            check(was, (None, End::On("2026-09-30")), to("2026-09-30"), &["C408"]),
            (true, false)
        );
        assert_eq!(
            check(was, (None, End::On("2027-01-31")), to("2027-01-31"), &[]),
            (false, false)
        );
        // Today is the last day: not over yet.
        assert_eq!(check(was, (None, End::On(TODAY)), to(TODAY), &[]), (false, false));
        check(to("2027-01-31"), (None, End::On("2027-06-30")), to("2027-06-30"), &["C403"]);
        check(to("2027-01-31"), (None, End::Open), to(""), &["C403"]);
        check(to(TODAY), (None, End::Open), to(""), &["C403"]);
        check(to("2027-01-31"), (None, End::Silent), to("2027-01-31"), &[]);
    }

    #[test]
    fn a_past_end_is_lifted_by_a_later_start_only() {
        let was = ("2020-01-01", "2026-06-30");
        assert_eq!(check(was, (None, End::Open), was, &["C407"]), (false, false));
        let back = (Some("2026-11-01"), End::Open);
        assert_eq!(check(was, back, ("2026-11-01", ""), &["C404"]), (false, true));
        let back = (Some("2026-11-01"), End::Silent);
        assert_eq!(check(was, back, ("2026-11-01", ""), &["C404"]), (false, true));
        // A given later end of the same contract is taken as it is.
        let longer = (None, End::On("2026-12-31"));
        assert_eq!(check(was, longer, ("2020-01-01", "2026-12-31"), &["C404"]), (false, true));
        let corrected = (None, End::On("2026-07-31"));
        assert_eq!(check(was, corrected, ("2020-01-01", "2026-07-31"), &["C407"]), (true, false));
        // Back and gone again, both before today.
        let brief = (Some("2026-08-01"), End::On("2026-08-31"));
        assert_eq!(check(was, brief, ("2026-08-01", "2026-08-31"), &["C404"]), (true, true));
    }

    #[test]
    fn an_end_before_the_start_is_refused_and_the_old_pair_stays() {
        let was = ("2020-01-01", "2027-06-30");
        check(was, (None, End::On("2019-12-31")), was, &["C402"]);
        check(was, (Some("2026-01-01"), End::On("2025-12-31")), was, &["C402"]);
        check(
            ("2020-01-01", ""),
            (Some("2026-01-01"), End::On("2025-01-01")),
            ("2020-01-01", ""),
            &["C402"],
        );
    }

    #[test]
    fn a_begun_contract_whose_start_moves_is_told() {
        check(("2020-01-01", ""), (Some("2020-02-01"), End::Open), ("2020-02-01", ""), &["C406"]);
        check(("2027-01-01", ""), (Some("2027-02-01"), End::Open), ("2027-02-01", ""), &[]);
    }

    #[test]
    fn a_new_user_is_taken_as_the_file_says() {
        let new = Contract {
            is_new: true,
            old_start: None,
            old_end: None,
            start: Some("2020-01-01"),
            end: End::On("2021-01-01"),
            lift: None,
            today: TODAY,
        };
        let settled = settle(&new);
        assert_eq!((settled.start, settled.end), (Some("2020-01-01"), Some("2021-01-01")));
        assert!(settled.told.is_empty() && !settled.ended && !settled.reinstated);
        let wrong = settle(&Contract { end: End::On("2019-01-01"), ..new });
        assert_eq!(wrong.refused, Some(Refused::Both));
    }

    #[test]
    fn presence_lifts_what_absence_or_another_number_closed() {
        let was = Contract {
            is_new: false,
            old_start: Some("2020-01-01"),
            old_end: Some("2026-11-10"),
            start: None,
            end: End::Open,
            lift: Some(Lift::Absence(None)),
            today: TODAY,
        };
        for (lift, why) in [(Lift::Absence(None), "present"), (Lift::Renumbered, "renumbered")] {
            for end in [End::Open, End::Silent] {
                let settled = settle(&Contract { lift: Some(lift), end, ..was });
                assert_eq!((settled.end, settled.reinstated), (None, true));
                assert_eq!(
                    settled.told.first().map(|told| (told.0, told.1)),
                    Some((Code::C404, why))
                );
            }
        }
        // The file states an end itself.
        let stated = settle(&Contract { end: End::On("2026-11-10"), ..was });
        assert_eq!((stated.end, stated.reinstated), (Some("2026-11-10"), false));
        let later = settle(&Contract { end: End::On("2026-12-31"), ..was });
        assert_eq!(later.told.first().map(|told| told.1), Some("extended"));
        // An end that is to come is no absence's.
        let to_come = settle(&Contract { old_end: Some("2026-12-31"), end: End::Silent, ..was });
        assert_eq!(to_come.end, Some("2026-12-31"));
    }

    #[test]
    fn presence_gives_back_the_end_that_absence_took_away() {
        let was = Contract {
            is_new: false,
            old_start: Some("2020-01-01"),
            old_end: Some("2026-11-10"),
            start: None,
            end: End::Silent,
            lift: Some(Lift::Absence(Some("2026-12-31"))),
            today: TODAY,
        };
        let told = |settled: &Settled<'_>| settled.told.first().map(|told| (told.0, told.1));
        let back = settle(&was);
        assert_eq!((back.end, back.reinstated), (Some("2026-12-31"), true));
        assert_eq!(told(&back), Some((Code::C404, "restored")));
        // The file states that there is none, or another one.
        let open = settle(&Contract { end: End::Open, ..was });
        assert_eq!((open.end, told(&open)), (None, Some((Code::C404, "present"))));
        let stated = settle(&Contract { end: End::On("2027-03-31"), ..was });
        assert_eq!(
            (stated.end, told(&stated)),
            (Some("2027-03-31"), Some((Code::C404, "extended")))
        );
        // A start before that end leaves it; a later one begins the next contract.
        let moved = settle(&Contract { start: Some("2026-11-20"), ..was });
        assert_eq!((moved.end, told(&moved)), (Some("2026-12-31"), Some((Code::C404, "restored"))));
        let next = settle(&Contract { start: Some("2027-01-01"), ..was });
        assert_eq!((next.end, told(&next)), (None, Some((Code::C404, ""))));
        // Somebody's word that the contract ended meanwhile.
        let past = settle(&Contract { lift: Some(Lift::Absence(Some("2026-11-15"))), ..was });
        assert_eq!((past.end, past.reinstated, past.ended), (Some("2026-11-15"), false, true));
        assert_eq!(told(&past), Some((Code::C407, "end")));
    }
}
