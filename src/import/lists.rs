//! Reference lists: the fields whose values are codes of a list, and what a file's code means there.

use super::fields::Field;

/// The fields that have a list of their own, in the order of the user record. `roles` shares the list of `role`.
pub const LISTS: &[Field] = &[
    Field::LegalEntity,
    Field::Establishment,
    Field::EndReason,
    Field::ContractType,
    Field::Department,
    Field::CostCenter,
    Field::Csp,
    Field::Role,
    Field::ProfileAbsence,
    Field::ProfileTime,
    Field::ProfileExpense,
    Field::Calendar,
];

/// The list that a field's codes are entries of.
#[must_use]
pub fn list_of(field: Field) -> Option<Field> {
    match field {
        Field::Roles => Some(Field::Role),
        _ => Some(field).filter(|field| LISTS.contains(field)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_field_has_a_list() {
        for field in Field::ALL {
            assert_eq!(list_of(*field).is_some(), field.is_reference(), "{field}");
        }
    }
}
