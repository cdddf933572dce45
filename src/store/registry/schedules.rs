//! What the scheduler remembers over a restart.

/// The schema's step.
pub(super) const STEP: &str = r"
-- done_until: the last instant of this task's schedule that was taken care of.
CREATE TABLE schedule_marks (
    client     TEXT NOT NULL REFERENCES clients(slug) ON DELETE CASCADE,
    task       TEXT NOT NULL,
    done_until INTEGER NOT NULL,
    PRIMARY KEY (client, task)
) STRICT;
";
