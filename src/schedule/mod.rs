//! Times of day, cron and working days in a client's time zone. Pure: every instant comes as an argument.
