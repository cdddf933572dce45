//! Managers in a circle (X204).

use super::draft::{Context, Fate, Rows};
use super::managers::{Managers, NewManager};
use super::people::People;
use super::places::Links;
use super::tell::{message, params};
use crate::import::codes::Code;
use crate::import::fields::Field;

/// X204: refuses what would make a circle. All cells of the file that take part in it are refused, so
/// that the order of the rows does not decide whose stands.
pub(super) fn refuse_circles(
    context: &Context<'_>,
    people: &People<'_>,
    rows: &Rows,
    managers: &mut Managers,
) {
    let moves = managers.of_row.iter().any(|to| matches!(to, NewManager::To(_)));
    if !moves && managers.appeared.is_empty() {
        return;
    }
    loop {
        let above = above(context, people, managers);
        let mut refused = Vec::new();
        let mut any = false;
        for circle in circles(&above) {
            let path = path(people, &circle);
            any |= managers.refuse_appeared(people, &circle, &path);
            for place in circle {
                let row = people.get(place).and_then(|person| person.row);
                let changed = row.filter(|row| {
                    matches!(managers.of_row.get(*row), Some(NewManager::To(_)))
                        && rows.drafts.get(*row).is_some_and(|d| d.fate == Fate::Live)
                });
                refused.extend(changed.map(|row| (row, path.clone())));
            }
        }
        // Whom somebody waited for gives way to what the file says; then there may be no circle left.
        if any {
            continue;
        }
        if refused.is_empty() {
            return;
        }
        for (row, path) in refused {
            let told = message(Code::X204, "", params([("path", path)]));
            managers.refuse(context, people, row, told);
        }
    }
}

/// Everybody's manager as it would be; nobody above whoever is their own.
fn above(context: &Context<'_>, people: &People<'_>, managers: &Managers) -> Links {
    let users = &context.job.snapshot.users;
    let mut above = Links::new(people.len());
    for (me, person) in people.all() {
        let to = person.row.and_then(|row| managers.of_row.get(row).copied());
        let appeared = managers.appeared.get(&me).copied().map(NewManager::to);
        let boss = match appeared.or(to) {
            Some(NewManager::To(boss)) => Some(boss.at()),
            Some(NewManager::Clear) => None,
            Some(NewManager::Same) | None => person
                .get(Field::Manager)
                .and_then(|id| id.parse::<i64>().ok())
                .and_then(|id| users.binary_search_by_key(&id, |user| user.id).ok()),
        };
        above.set(me, boss.filter(|boss| *boss != me));
    }
    above
}

/// The circles of a graph in which everybody points to one other at most.
fn circles(above: &Links) -> Vec<Vec<usize>> {
    const UNSEEN: u32 = 0;
    let mut seen_in: Vec<u32> = vec![UNSEEN; above.len()];
    let mut circles = Vec::new();
    for (walk, start) in (1_u32..).zip(0..above.len()) {
        let mut at = Some(start);
        while let Some(place) = at {
            let Some(mark) = seen_in.get_mut(place) else { break };
            if *mark == walk {
                circles.push(circle_from(above, place));
            }
            if *mark != UNSEEN {
                break;
            }
            *mark = walk;
            at = above.get(place);
        }
    }
    circles
}

fn circle_from(above: &Links, start: usize) -> Vec<usize> {
    let mut circle = vec![start];
    let mut at = above.get(start);
    while let Some(place) = at.filter(|place| *place != start) {
        circle.push(place);
        at = above.get(place);
    }
    circle
}

/// `MARTIN Paul → DUPONT Anne → MARTIN Paul`, beginning with whoever comes first in the alphabet.
fn path(people: &People<'_>, circle: &[usize]) -> String {
    let mut names: Vec<String> =
        circle.iter().filter_map(|at| people.get(*at)).map(|person| person.name()).collect();
    let first =
        names.iter().enumerate().min_by_key(|(_, name)| name.as_str()).map_or(0, |(at, _)| at);
    names.rotate_left(first);
    names.extend(names.first().cloned());
    names.join(" → ")
}

#[cfg(test)]
mod tests {
    use super::circles;
    use crate::import::plan::places::Links;

    fn check(above: &[Option<usize>], expected: &[&[usize]]) {
        let mut links = Links::default();
        above.iter().for_each(|to| links.push(*to));
        let mut found = circles(&links);
        for circle in &mut found {
            circle.sort_unstable();
        }
        found.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn circles_are_found_once_each() {
        check(&[], &[]);
        check(&[None, Some(0), Some(1)], &[]);
        check(&[Some(1), Some(0), Some(1)], &[&[0, 1]]);
        check(&[Some(1), Some(2), Some(0), Some(4), Some(3), Some(0)], &[&[0, 1, 2], &[3, 4]]);
    }
}
