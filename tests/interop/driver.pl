#!/usr/bin/perl
# Net::FTP with TLS and Net::SFTP::Foreign, as a script of their users would call them: one plan as JSON on standard input, the outcome as
# JSON on the last line of standard output.

use strict;
use warnings;
use JSON::PP;

my $plan = decode_json(do { local $/; <STDIN> });
my %outcome = (ok => JSON::PP::true, text => '', names => []);

# Paths as bytes: Net::FTP sends what it is given, and so does every call of the system.
sub bytes { my $text = shift; utf8::encode($text); return $text }

sub by_ftp {
    require Net::FTP;
    my %tls = (SSL_ca_file => $plan->{certificate});
    @tls{qw(SSL_cert_file SSL_key_file)} = ($plan->{key}, $plan->{key}) if $plan->{key};
    my $implicit = $plan->{protocol} eq 'ftps';
    my $ftp = Net::FTP->new($plan->{host}, Port => $plan->{port}, Timeout => 180, Passive => 1, %tls, $implicit ? (SSL => 1) : ())
        or die "connect: $@\n";
    my $sure = sub { my ($answer, $what) = @_; $answer or die "$what: " . $ftp->message . "\n" };
    $sure->($ftp->starttls, 'AUTH TLS') unless $implicit;
    $sure->($ftp->login($plan->{login}, $plan->{password}), 'login');
    $sure->($ftp->binary, 'TYPE I');
    my %steps = (
        put => sub { $ftp->put(@_) },
        get => sub { $ftp->get(@_) },
        resume => sub {
            my ($from, $to) = @_;
            open my $here, '<:raw', $from or die "$from: $!\n";
            seek $here, $ftp->size($to), 0;
            $ftp->append($here, $to);
        },
        'resume-get' => sub { $ftp->get($_[0], $_[1], -s $_[1]) },
        rename => sub { $ftp->rename(@_) },
        remove => sub { $ftp->delete(@_) },
        mkdir  => sub { $ftp->mkdir(@_) },
        rmdir  => sub { $ftp->rmdir(@_) },
        list => sub {
            my @listed = $ftp->ls(@_);
            $outcome{names} = [map { utf8::decode($_); $_ } @listed];
            my @long = $ftp->dir(@_);
            die "LIST is shorter than NLST\n" if @long < @listed;
            return $ftp->ok;
        },
    );
    for my $step (@{ $plan->{steps} }) {
        my ($what, @words) = @$step;
        $sure->(scalar $steps{$what}->(map { bytes($_) } @words), $what);
        $outcome{text} .= $ftp->code . ' ' . $ftp->message;
    }
    $ftp->quit;
    return;
}

sub by_sftp {
    require Net::SFTP::Foreign;
    my @more = map { ('-o', $_) } @{ $plan->{options} };
    my $sftp = Net::SFTP::Foreign->new(
        $plan->{host},
        user => $plan->{login}, port => $plan->{port}, timeout => 180, more => \@more,
        # Names pass as the bytes that they are here; it would encode those of a sent folder once more. A fetched folder wants them read.
        fs_encoding => (grep { $_->[0] eq 'get-tree' } @{ $plan->{steps} }) ? 'utf8' : 'latin1',
        $plan->{key} ? (key_path => $plan->{key}) : (password => $plan->{password}),
    );
    die 'connect: ' . $sftp->error . "\n" if $sftp->error;
    # They keep a file's own time unless told otherwise: what is dated and what is not is one call.
    my %steps = (
        put => sub { $sftp->put(@_) },
        'put-dated' => sub { $sftp->put(@_) },
        'put-tree' => sub { $sftp->rput(@_) },
        get => sub { $sftp->get(@_) },
        'get-dated' => sub { $sftp->get(@_) },
        'get-tree' => sub { $sftp->rget(@_) },
        resume => sub { $sftp->put(@_, resume => 1) },
        'resume-get' => sub { $sftp->get(@_, resume => 1) },
        rename => sub { $sftp->rename(@_, overwrite => 1) },
        remove => sub { $sftp->remove(@_) },
        mkdir => sub { $sftp->mkdir(@_) },
        rmdir => sub { $sftp->rmdir(@_) },
        list => sub { $outcome{names} = [map { my $name = $_->{filename}; utf8::decode($name); $name } @{ $sftp->ls(@_) || die $sftp->error . "\n" }]; return 1 },
    );
    for my $step (@{ $plan->{steps} }) {
        my ($what, @words) = @$step;
        scalar $steps{$what}->(map { bytes($_) } @words) or die "$what: " . $sftp->error . "\n";
        die "$what: " . $sftp->error . "\n" if $sftp->error;
    }
    $sftp->disconnect;
    return;
}

eval { $plan->{protocol} eq 'sftp' ? by_sftp() : by_ftp(); 1 } or do {
    $outcome{ok} = JSON::PP::false;
    $outcome{text} .= "$@";
};
print "\n", encode_json(\%outcome), "\n";
