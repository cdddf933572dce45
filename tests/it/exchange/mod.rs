//! Files that go the other way: handed over through export folders, fetched from and delivered to clients' own servers.

mod drops;
