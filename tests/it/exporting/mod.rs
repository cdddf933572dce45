//! Exports of a directory: what a file tells, exactly once, whatever happened since the last one.

mod kills;
mod runs;
mod trips;

use rollcall::model::Purpose;
use rollcall::service::exports::{ExportRun, How};

use super::bench::{Bench, put};

/// The columns of most tests.
const COLUMNS: &str = "columns = [\"login\", \"last_name\", \"contract_end\", \"state\"]\n";

/// A client `acme` with an export folder `/handed` and its roster imported.
async fn bench(roster: &str) -> Bench {
    let bench = Bench::start();
    bench
        .service
        .add_folder("acme", "out", &super::bench::path("/handed"), Purpose::Export, None)
        .unwrap();
    import(&bench, roster).await;
    bench
}

async fn import(bench: &Bench, roster: &str) {
    let session = bench.session().await;
    put(&session, "/in/users.csv", roster).await;
    bench.wait_until_idle();
}

fn add(bench: &Bench, name: &str, toml: &str) {
    bench.service.add_export("acme", name, "out", toml).unwrap();
}

fn run(bench: &Bench, name: &str) -> ExportRun {
    bench.service.run_export("acme", name, How::Usual).unwrap()
}

/// Runs an export; the lines of its file without the header, in order of the login; none: nothing was sent.
fn told(bench: &Bench, name: &str) -> Vec<String> {
    let run = run(bench, name);
    if run.file_name.is_empty() {
        return Vec::new();
    }
    let text = bench.file(&format!("/handed/{}", run.file_name)).unwrap();
    let mut lines: Vec<String> = text.lines().skip(1).map(str::to_owned).collect();
    assert_eq!(run.rows, u64::try_from(lines.len()).unwrap());
    lines.sort();
    lines
}
