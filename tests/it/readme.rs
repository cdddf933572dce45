//! README's first block is true: its commands are run, and what they print is compared with what it shows.

use std::path::Path;
use std::process::{Command, Stdio};

use super::cli::Workplace;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// One command of the block, with its continuation lines, and the output that the block shows.
struct Step {
    command: String,
    shown: Vec<String>,
}

/// The steps of the first ```console block.
fn steps(readme: &str) -> Vec<Step> {
    let block = readme.split("```console\n").nth(1).unwrap().split("```").next().unwrap();
    let mut steps: Vec<Step> = Vec::new();
    for line in block.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.to_owned(), shown: Vec::new() });
        } else if let Some(more) = line.strip_prefix("> ") {
            let step = steps.last_mut().unwrap();
            step.command = format!("{}\n{more}", step.command);
        } else {
            steps.last_mut().unwrap().shown.push(line.to_owned());
        }
    }
    steps
}

/// Whether the printed lines are those shown, in their order; `…` stands for any number of lines.
fn fits(printed: &[&str], shown: &[String]) -> bool {
    match (shown.first().map(String::as_str), printed.first()) {
        (None, None) => true,
        (Some("…"), _) => {
            (0..=printed.len()).any(|skipped| fits(&printed[skipped..], &shown[1..]))
        }
        (Some(line), Some(first)) => line == *first && fits(&printed[1..], &shown[1..]),
        _ => false,
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{stdout}{stderr}");
    stdout.into_owned()
}

/// A home with a fresh key, and `sftp` that uses it and nothing else of this machine.
fn prepare(place: &Workplace) -> bool {
    let has = |program: &str| {
        let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
        found.is_ok_and(|output| output.status.success())
    };
    if !has("sftp") || !has("ssh-keygen") || !has("bash") {
        return false;
    }
    std::fs::create_dir_all(place.path("home/.ssh")).unwrap();
    std::fs::create_dir_all(place.path("bin")).unwrap();
    let key = place.path("home/.ssh/id_ed25519");
    run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key));
    std::os::unix::fs::symlink(
        assert_cmd::cargo::cargo_bin!("rollcall"),
        place.path("bin/rollcall"),
    )
    .unwrap();
    std::os::unix::fs::symlink(Path::new(ROOT).join("data/samples"), place.path("samples"))
        .unwrap();
    let wrapper = format!(
        "#!/bin/sh\nexec \"$REAL_SFTP\" -F none -o IdentitiesOnly=yes -o IdentityFile={} \
         -o UserKnownHostsFile={} -o StrictHostKeyChecking=accept-new \"$@\"\n",
        key.display(),
        place.path("known_hosts").display()
    );
    std::fs::write(place.path("bin/sftp"), wrapper).unwrap();
    run(Command::new("chmod").arg("+x").arg(place.path("bin/sftp")));
    true
}

/// One command as a reader would type it, with the ports of this test's server.
fn typed(place: &Workplace, command: &str, sftp_port: &str) -> String {
    let command = command.replace("-P 2022", &format!("-P {sftp_port}"));
    let command = command.replace("data/samples/", "samples/");
    let real = run(Command::new("sh").args(["-c", "command -v sftp"]));
    let path = format!("{}:{}", place.path("bin").display(), std::env::var("PATH").unwrap());
    let mut shell = place.command(&[]);
    let envs: Vec<_> = shell
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    shell = Command::new("bash");
    shell.args(["-c", &command]).env_clear().envs(envs).stdin(Stdio::null());
    shell.env("PATH", path).env("HOME", place.path("home")).env("REAL_SFTP", real.trim());
    shell.current_dir(place.path("."));
    run(&mut shell)
}

#[test]
fn the_first_block_is_true() {
    let readme = std::fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let steps = steps(&readme);
    assert!(steps.len() >= 5, "the block runs it, hands out an account, puts and reads");
    let place = Workplace::new();
    if !prepare(&place) {
        eprintln!("README's block was not run: sftp, ssh-keygen or bash is not installed");
        return;
    }
    let serving = place.serve();
    let port = serving.ready["sftp"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    for step in steps {
        // The server is up already, on a free port; what `serve` prints has a test of its own.
        if step.command.starts_with("rollcall serve") {
            continue;
        }
        let printed = typed(&place, &step.command, &port);
        let printed = printed.replace('\u{feff}', "");
        let lines: Vec<&str> = printed.lines().map(|line| line.trim_end_matches('\r')).collect();
        assert!(
            fits(&lines, &step.shown),
            "$ {}\nprints\n{printed}\nbut README shows\n{}",
            step.command,
            step.shown.join("\n")
        );
    }
    assert!(serving.stop().success());
}

/// The lines of a page that are prose: no blocks of commands, and without `code` between words.
fn prose(page: &str) -> Vec<String> {
    let mut in_block = false;
    let mut lines = Vec::new();
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            lines.push(line.to_owned());
        }
    }
    lines
}

/// What its headings are called in links, as GitHub makes it; the second of a name ends in `-1`.
fn anchors(page: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in prose(page) {
        let heading = line.trim_start_matches('#');
        if heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ');
        let name = heading.trim().to_lowercase().chars().filter(kept).collect::<String>();
        let name = name.replace(' ', "-");
        let same = found.iter().filter(|other| **other == name).count();
        found.push(if same == 0 { name } else { format!("{name}-{same}") });
    }
    found
}

/// The targets of a page's links into this repository.
fn links(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(page) {
        // Every second piece stands between backticks.
        let text: String = line.split('`').step_by(2).collect();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        found.extend(targets.map(|(target, _)| target.to_owned()));
    }
    found.retain(|target| !target.contains("://") && !target.starts_with("mailto:"));
    found
}

#[test]
fn every_link_leads_somewhere() {
    let root = Path::new(ROOT);
    let mut pages: Vec<_> = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        .iter()
        .map(|page| root.join(page))
        .collect();
    let documents =
        std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    pages.extend(documents.filter(|path| path.extension().is_some_and(|kind| kind == "md")));
    let (mut looked_at, mut dead) = (0, Vec::new());
    for page in &pages {
        for link in links(&std::fs::read_to_string(page).unwrap()) {
            looked_at += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target =
                if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let is_good = target.exists()
                && (anchor.is_empty()
                    || anchors(&std::fs::read_to_string(&target).unwrap())
                        .iter()
                        .any(|a| a == anchor));
            if !is_good {
                dead.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(looked_at > 80, "{looked_at} links were found");
    assert!(dead.is_empty(), "{dead:#?}");
}
