"""What auditors' programs say of the listeners. Each finding that is accepted stands here with its reason."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from house import Failed, expect
from wire import has_ipv6

SCAN_S = 2400
# A scanner has time-outs of its own: what a busy machine disturbed is scanned again. What is really wrong is found each time.
SCANS = 3

# ssh-audit says this of every key exchange but the hybrid ones. mlkem768x25519 comes first and serves every program that
# knows it; without the others most of today's payroll programs could not connect at all.
ACCEPTED_SSH = {"does not provide protection against post-quantum attacks"}
# These speak of the certificate that a first start makes, which operators replace, and of the scanner itself.
ACCEPTED_TLS = {
    "cert_chain_of_trust": "self-signed until the operator puts another there",
    "cert_revocation": "a self-signed certificate names no list of revoked ones",
    "cert_expirationStatus": "not of the server",
    "cert_notAfter": "not of the server",
    "cert_extlifeSpan": "825 days, for clients that pin it",
    "engine_problem": "of the scanner's OpenSSL",
    "service": "the scanner expects a web server",
    "RC4": "the scanner's OpenSSL has none to try with; its own sockets have tried it",
    "scanTime": "of the scanner",
    # ALPN: a resumption in which the scanner asks for another protocol fails before it is a resumption.
    "sessionresumption_ticket": "could not be tried",
    "sessionresumption_ID": "could not be tried",
}
ACCEPTED_MOZILLA = {"certificate_path_validation", "maximum_certificate_lifespan"}


def scanner(name):
    found = Path(os.environ.get("ROLLCALL_TEST_SCANNERS", "")) / name
    path = str(found) if found.is_file() else shutil.which(name)
    expect(path, f"{name} is not on this machine; tests/run tools installs it")
    return path


def ssh_audit(ground):
    house = ground.house()
    command = [scanner("ssh-audit"), "-j", "--skip-rate-test", "-t", "60", "-p", str(house.ports["sftp"]), "127.0.0.1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SCAN_S, stdin=subprocess.DEVNULL)
    told = json.loads(done.stdout)
    findings = []
    for kind in ("kex", "key", "enc", "mac"):
        expect(told[kind], f"ssh-audit names no {kind}")
        for algorithm in told[kind]:
            notes = algorithm.get("notes", {})
            wrong = set(notes.get("fail", [])) | set(notes.get("warn", []))
            findings += [f"{algorithm['algorithm']}: {one}" for one in wrong - ACCEPTED_SSH]
    expect(not findings and not told["cves"], f"{findings} {told['cves']}")
    expect("mlkem" in told["kex"][0]["algorithm"], f"the first key exchange is {told['kex'][0]['algorithm']}")


def undisturbed(scan):
    """Scans again when the scan was not whole or found something; the last one's word counts."""
    for _ in range(SCANS - 1):
        try:
            return scan()
        except (Failed, OSError, ValueError, KeyError, TypeError, IndexError):
            continue
    return scan()


def testssl(protocol):
    def run(ground):
        house = ground.house()
        port = house.ports[protocol]
        how = ["-t", "ftp"] if protocol == "ftpes" else []
        out = house.folder / "testssl.json"
        command = [scanner("testssl"), "--quiet", "--color=0", "--warnings=off", "--nodns=none", "-p", "-s", "-f", "-P", "-S", "-U",
                   "--jsonfile", str(out), *how, f"127.0.0.1:{port}"]

        def scan():
            out.unlink(missing_ok=True)
            subprocess.run(command, capture_output=True, timeout=SCAN_S, stdin=subprocess.DEVNULL, check=False)
            findings = json.loads(out.read_text())
            seen = {one["id"] for one in findings}
            expect({"TLS1_2", "TLS1_3", "heartbleed", "secure_client_renego"} <= seen, f"the scan is not whole: {sorted(seen)}")
            bad = [f"{one['id']} {one['severity']}: {one['finding']}" for one in findings
                   if one["severity"] not in ("OK", "INFO", "LOW", "DEBUG") and one["id"].split()[0] not in ACCEPTED_TLS]
            expect(not bad, "\n".join(bad))

        undisturbed(scan)
    return run


def sslyze(protocol):
    def run(ground):
        if protocol == "page" and not has_ipv6():
            return  # Without IPv6 there is no such spelling, and the page on the loopback needs no TLS.
        # This spelling of the loopback is no loopback address for the page, which serves it over TLS then.
        settings = {"admin__listen": "[::ffff:127.0.0.1]:0"} if protocol == "page" else {}
        house = ground.house(**settings)
        port = house.page.rsplit(":", 1)[1] if protocol == "page" else house.ports[protocol]
        how = ["--starttls", "ftp"] if protocol == "ftpes" else []
        out = house.folder / "sslyze.json"
        command = [scanner("sslyze"), f"--json_out={out}", "--mozilla_config=intermediate", *how, f"127.0.0.1:{port}"]

        def scan():
            out.unlink(missing_ok=True)
            done = subprocess.run(command, capture_output=True, text=True, timeout=SCAN_S, stdin=subprocess.DEVNULL)
            told = json.loads(out.read_text())["server_scan_results"][0]
            expect(told["scan_status"] == "COMPLETED", f"{told['scan_status']} {told['connectivity_error_trace']}")
            result = told["scan_result"]
            expect(not result["heartbleed"]["result"]["is_vulnerable_to_heartbleed"], "Heartbleed")
            for old in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"):
                taken = result[f"{old}_cipher_suites"]["result"]["accepted_cipher_suites"]
                expect(not taken, f"{old}: {taken}")
            lines = done.stdout.partition("COMPLIANCE AGAINST")[2].splitlines()
            bad = [line.strip("* ") for line in lines if line.strip().startswith("* ")]
            bad = [line for line in bad if line.split(":")[0] not in ACCEPTED_MOZILLA]
            expect(lines and not bad, "\n".join(bad) or f"no verdict in {done.stdout[-2000:]}")

        undisturbed(scan)
    return run


CASES = [
    ("scan: testssl on FTPS", testssl("ftps")),
    ("scan: testssl on FTPES", testssl("ftpes")),
    ("scan: ssh-audit", ssh_audit),
    ("scan: sslyze on FTPS", sslyze("ftps")),
    ("scan: sslyze on FTPES", sslyze("ftpes")),
    ("scan: sslyze on the administration page", sslyze("page")),
]
