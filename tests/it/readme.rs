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
