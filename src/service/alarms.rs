//! What somebody should look at: raised once for each subject, cleared when it is over.

use super::{Service, events};
use crate::error::Result;
use crate::model::EventKind;

pub use crate::store::registry::Alarm;

impl Service {
    /// The alarms that stand (or also those that are over), newest first.
    ///
    /// # Errors
    /// `Kind::NotFound` for the client.
    pub fn alarms(
        &self,
        client: Option<&str>,
        also_cleared: bool,
        limit: u32,
    ) -> Result<Vec<Alarm>> {
        if let Some(client) = client {
            self.client(client)?;
        }
        self.registry().alarms(client, also_cleared, limit)
    }

    /// Alarms that are over, newest first; `before`: those that come after the page which ended with this number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn past_alarms(&self, before: Option<i64>, limit: u32) -> Result<Vec<Alarm>> {
        self.registry().past_alarms(before, limit)
    }

    /// Raises an alarm unless it stands. A registry that cannot be written is logged: the alarm is raised again later.
    pub(super) fn raise(&self, client: Option<&str>, code: &str, subject: &str, text: &str) {
        let now = self.clock().now();
        match self.registry().raise_alarm(client, code, subject, text, now) {
            Ok(Some(id)) => {
                tracing::warn!(code, client, subject, "{text}");
                super::mail::alarm_raised(self, id, client, code, subject, text);
                let about = (code, subject);
                self.tell(events::of_alarm(EventKind::AlarmRaised, client, about, text));
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, code, client, subject, "raising an alarm: {text}")
            }
        }
    }

    /// Ends an alarm, if it stands.
    pub(super) fn clear(&self, client: Option<&str>, code: &str, subject: &str) {
        let now = self.clock().now();
        match self.registry().clear_alarm(client, code, subject, now) {
            Ok(true) => {
                tracing::info!(code, client, subject, "an alarm is over");
                let about = (code, subject);
                self.tell(events::of_alarm(EventKind::AlarmCleared, client, about, ""));
            }
            Ok(false) => {}
            Err(error) => tracing::error!(%error, code, client, subject, "ending an alarm"),
        }
    }
}
