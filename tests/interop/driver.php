<?php
// The three ways by which PHP programs reach a server: the ftp extension (ftp_ssl_connect), phpseclib 3, and the ssh2 extension. One plan as
// JSON on standard input, the outcome as JSON on the last line of standard output.

declare(strict_types=1);

// A warning of an extension is how its failures are told: a script of its users stops there.
set_error_handler(function (int $level, string $message): bool {
    throw new RuntimeException($message);
}, E_WARNING | E_NOTICE | E_RECOVERABLE_ERROR | E_USER_WARNING | E_USER_NOTICE);

function sure(mixed $answer, string $what): mixed
{
    if ($answer === false) {
        throw new RuntimeException("$what: refused");
    }
    return $answer;
}

function byFtp(array $plan, array &$names): void
{
    $ftp = sure(ftp_ssl_connect($plan['host'], $plan['port'], 180), 'ftp_ssl_connect');
    sure(ftp_login($ftp, $plan['login'], $plan['password']), 'ftp_login');
    // Where the data connections go: to the host itself, as other programs do, and not to the address in the answer to PASV.
    sure(ftp_set_option($ftp, FTP_USEPASVADDRESS, false), 'ftp_set_option');
    sure(ftp_pasv($ftp, true), 'ftp_pasv');
    foreach ($plan['steps'] as [$what, $a, $b]) {
        match ($what) {
            'put' => sure(ftp_put($ftp, $b, $a, FTP_BINARY), 'ftp_put'),
            'resume' => sure(ftp_put($ftp, $b, $a, FTP_BINARY, FTP_AUTORESUME), 'ftp_put from where it ends'),
            'get' => sure(ftp_get($ftp, $b, $a, FTP_BINARY), 'ftp_get'),
            'resume-get' => sure(ftp_get($ftp, $b, $a, FTP_BINARY, FTP_AUTORESUME), 'ftp_get from where it ends'),
            'rename' => sure(ftp_rename($ftp, $a, $b), 'ftp_rename'),
            'remove' => sure(ftp_delete($ftp, $a), 'ftp_delete'),
            'mkdir' => sure(ftp_mkdir($ftp, $a), 'ftp_mkdir'),
            'rmdir' => sure(ftp_rmdir($ftp, $a), 'ftp_rmdir'),
            'list' => $names = ftpList($ftp, $a),
        };
    }
    ftp_close($ftp);
}

function ftpList(FTP\Connection $ftp, string $folder): array
{
    $named = array_map('basename', sure(ftp_nlist($ftp, $folder), 'ftp_nlist'));
    $told = array_column(sure(ftp_mlsd($ftp, $folder), 'ftp_mlsd'), 'name');
    if ($missing = array_diff($named, $told)) {
        throw new RuntimeException('MLSD leaves out ' . implode(', ', $missing));
    }
    if (count(sure(ftp_rawlist($ftp, $folder), 'ftp_rawlist')) < count($named)) {
        throw new RuntimeException('LIST is shorter than NLST');
    }
    return $named;
}

function bySeclib(array $plan, array &$names): void
{
    require_once 'phpseclib3/autoload.php';
    $sftp = new phpseclib3\Net\SFTP($plan['host'], $plan['port'], 180);
    $key = base64_decode(explode(' ', (string) $sftp->getServerPublicHostKey())[1] ?? '');
    if (!in_array('SHA256:' . rtrim(base64_encode(hash('sha256', $key, true)), '='), $plan['fingerprints'], true)) {
        throw new RuntimeException('another host key');
    }
    $secret = $plan['key'] ? phpseclib3\Crypt\PublicKeyLoader::load(file_get_contents($plan['key'])) : $plan['password'];
    sure($sftp->login($plan['login'], $secret), 'login');
    foreach ($plan['steps'] as [$what, $a, $b]) {
        $dated = str_ends_with($what, '-dated');
        $dated ? $sftp->enableDatePreservation() : $sftp->disableDatePreservation();
        $answer = match ($what) {
            'put', 'put-dated' => $sftp->put($b, $a, phpseclib3\Net\SFTP::SOURCE_LOCAL_FILE),
            // RESUME alone would add the whole file to what is there.
            'resume' => $sftp->put($b, $a, phpseclib3\Net\SFTP::SOURCE_LOCAL_FILE | phpseclib3\Net\SFTP::RESUME, -1, $sftp->filesize($b)),
            'get', 'get-dated' => $sftp->get($a, $b),
            'resume-get' => $sftp->get($a, fopen($b, 'ab'), filesize($b)),
            'rename' => $sftp->rename($a, $b),
            'remove' => $sftp->delete($a, false),
            'mkdir' => $sftp->mkdir($a),
            'rmdir' => $sftp->rmdir($a),
            'list' => $names = $sftp->nlist($a),
        };
        sure($answer, "$what: " . $sftp->getLastSFTPError());
    }
    $sftp->disconnect();
}

// Streams of the ssh2 extension answer short writes with fewer bytes; a script of its users counts them.
function pass($from, $to, string $what): void
{
    while (!feof($from)) {
        $block = sure(fread($from, 65536), "$what: reading");
        for ($done = 0; $done < strlen($block); $done += $wrote) {
            $wrote = sure(fwrite($to, substr($block, $done)), "$what: writing");
            if ($wrote === 0) {
                throw new RuntimeException("$what: nothing more is taken");
            }
        }
    }
    sure(fclose($to), "$what: closing");
    sure(fclose($from), "$what: closing");
}

function bySsh2(array $plan, array &$names): void
{
    $ssh = sure(ssh2_connect($plan['host'], $plan['port']), 'ssh2_connect');
    if (!in_array(strtolower(ssh2_fingerprint($ssh, SSH2_FINGERPRINT_SHA1 | SSH2_FINGERPRINT_HEX)), $plan['fingerprints'], true)) {
        throw new RuntimeException('another host key');
    }
    if ($plan['key']) {
        sure(ssh2_auth_pubkey_file($ssh, $plan['login'], $plan['key'] . '.pub', $plan['key']), 'ssh2_auth_pubkey_file');
    } else {
        sure(ssh2_auth_password($ssh, $plan['login'], $plan['password']), 'ssh2_auth_password');
    }
    $sftp = sure(ssh2_sftp($ssh), 'ssh2_sftp');
    $at = fn(string $path): string => 'ssh2.sftp://' . intval($sftp) . $path;
    foreach ($plan['steps'] as [$what, $a, $b]) {
        match ($what) {
            'put' => pass(fopen($a, 'rb'), fopen($at($b), 'wb'), $what),
            'get' => pass(fopen($at($a), 'rb'), fopen($b, 'wb'), $what),
            'rename' => sure(ssh2_sftp_rename($sftp, $a, $b), $what),
            'remove' => sure(ssh2_sftp_unlink($sftp, $a), $what),
            'mkdir' => sure(ssh2_sftp_mkdir($sftp, $a), $what),
            'rmdir' => sure(ssh2_sftp_rmdir($sftp, $a), $what),
            'list' => $names = sure(scandir($at($a)), $what),
        };
    }
    ssh2_disconnect($ssh);
}

$plan = json_decode(stream_get_contents(STDIN), true, 512, JSON_THROW_ON_ERROR);
$plan['steps'] = array_map(fn(array $step): array => [...$step, '', ''], $plan['steps']);
$outcome = ['ok' => true, 'text' => '', 'names' => []];
try {
    match ($plan['library']) {
        'ftp' => byFtp($plan, $outcome['names']),
        'phpseclib' => bySeclib($plan, $outcome['names']),
        'ssh2' => bySsh2($plan, $outcome['names']),
    };
} catch (Throwable $error) {
    $outcome['ok'] = false;
    $outcome['text'] = get_class($error) . ': ' . $error->getMessage();
}
echo json_encode($outcome, JSON_INVALID_UTF8_SUBSTITUTE), "\n";
