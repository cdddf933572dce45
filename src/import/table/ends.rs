//! Where cells end, counted from where their record starts: two bytes for each of many million cells.

use std::collections::BTreeMap;

/// The ends of all cells, record after record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ends {
    near: Vec<u16>,
    /// Those of cells further away from the start of their record than fits, by place.
    far: BTreeMap<u32, u32>,
}

/// Looked up among those further away.
const FAR: u16 = u16::MAX;

impl Ends {
    /// Adds a cell of the record that starts at `start`.
    pub(super) fn push(&mut self, start: u32, end: u32) {
        let offset = end.saturating_sub(start);
        let near = u16::try_from(offset).unwrap_or(FAR);
        if near == FAR
            && let Ok(place) = u32::try_from(self.near.len())
        {
            self.far.insert(place, offset);
        }
        self.near.push(near);
    }

    /// The end of a cell of the record that starts at `start`, by its place among all cells.
    pub(super) fn get(&self, start: u32, place: u32) -> Option<u32> {
        let near = *self.near.get(usize::try_from(place).ok()?)?;
        let offset = if near == FAR { *self.far.get(&place)? } else { u32::from(near) };
        start.checked_add(offset)
    }

    /// Makes room for about so many cells in all.
    pub(super) fn reserve(&mut self, cells: usize) {
        self.near.reserve_exact(cells.saturating_sub(self.near.len()));
    }

    pub(super) fn len(&self) -> usize {
        self.near.len()
    }

    /// Keeps the first `count` cells.
    pub(super) fn truncate(&mut self, count: usize) {
        self.near.truncate(count);
        if let Ok(count) = u32::try_from(count) {
            drop(self.far.split_off(&count));
        }
    }

    /// Adds the cells of other records.
    pub(super) fn append(&mut self, other: &Self) {
        let before = u32::try_from(self.near.len()).unwrap_or(u32::MAX);
        self.near.extend_from_slice(&other.near);
        self.far.extend(other.far.iter().map(|(at, end)| (before.saturating_add(*at), *end)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_and_far_cells_end_where_they_were_said_to() {
        let cells = [(0, 0), (0, 70_000), (70_001, 70_005), (70_001, 135_535), (70_001, 135_537)];
        let mut ends = Ends::default();
        cells.iter().for_each(|(start, end)| ends.push(*start, *end));
        let check = |ends: &Ends, from: u32| {
            for ((start, end), place) in cells.iter().zip(from..) {
                assert_eq!(ends.get(*start, place), Some(*end), "cell {place}");
            }
        };
        check(&ends, 0);
        let mut twice = ends.clone();
        twice.append(&ends);
        check(&twice, 0);
        check(&twice, 5);
        twice.truncate(5);
        assert_eq!(twice, ends);
        assert_eq!((ends.len(), ends.get(0, 5)), (5, None));
    }
}
