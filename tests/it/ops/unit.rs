//! The systemd unit in the documentation is one that systemd takes.

use std::process::Command;

#[test]
fn the_documented_unit_is_a_good_one() {
    let document = include_str!("../../../docs/operations.md");
    let unit = document.split_once("```ini\n").unwrap().1.split_once("```").unwrap().0;
    for line in ["[Unit]", "[Service]", "[Install]", "ProtectSystem=strict", "UMask=0077"] {
        assert!(unit.lines().any(|found| found == line), "{line}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rollcall.service");
    // The program is not installed here.
    std::fs::write(&file, unit.replace("/usr/local/bin/rollcall", "/bin/true")).unwrap();
    let Ok(checked) = Command::new("systemd-analyze").arg("verify").arg(&file).output() else {
        return;
    };
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.success() && !said.contains("rollcall.service"), "{said}");
}
