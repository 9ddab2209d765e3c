package Test::Nginx::Check;

# (C) ngx_http_webhook_module contributors

# Runs tools/webhook-check.

###############################################################################

=head1 SYNOPSIS

	my ($status, $out) = webhook_check($t, 'verify', 'request.json');
	my ($json) = webhook_check_json($t, 'verify', 'request.json');

Files are those of the test's directory, where the tool runs; its configuration
is nginx.conf there.

=cut

###############################################################################

use warnings;
use strict;

use base qw/ Exporter /;

our @EXPORT = qw/ webhook_check webhook_check_json captured left_behind /;

use Cwd qw/ getcwd /;
use JSON::PP qw//;
use MIME::Base64 qw/ encode_base64 /;
use Test::Nginx qw//;

###############################################################################

# "nginx -T", which the tool runs, ends with its configuration in memory

$ENV{ASAN_OPTIONS} = join ':', grep { defined } $ENV{ASAN_OPTIONS},
	'detect_leaks=0';

###############################################################################

=head1 FUNCTIONS

=over

=item webhook_check($t, argument, ...)

The exit status, and all that is printed.

=item webhook_check_json($t, argument, ...)

What is printed with --json: a list, a line each.

=cut

sub webhook_check {
	my ($t, @args) = @_;

	my $out = $t->testdir() . '/webhook-check.out';

	my $pid = fork();
	die "fork() failed: $!\n" unless defined $pid;

	if (!$pid) {
		chdir $t->testdir();
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', $out;
		open STDERR, '>&', \*STDOUT;
		exec $^X, "$Test::Nginx::ROOT/tools/webhook-check",
			'--nginx', $Test::Nginx::NGINX,
			'--conf', $t->testdir() . '/nginx.conf', @args
			or POSIX::_exit(127);
	}

	waitpid($pid, 0);

	return ($? >> 8 || $?, $t->read_file('webhook-check.out'));
}

sub webhook_check_json {
	my ($t, @args) = @_;

	my (undef, $out) = webhook_check($t, '--json', @args);

	return map { JSON::PP->new()->decode($_) } grep { /^\{/ }
		split /\n/, $out;
}

=item captured(%request)

A request with headers as a list of pairs, and a body, as JSON that verify
reads.

=item left_behind(pid)

Folders and processes of the tool that are still there.

=back

=cut

sub captured {
	my (%request) = @_;

	my %headers;

	foreach my $header (@{$request{headers} || []}) {
		my ($name, $value) = @$header;
		push @{$headers{$name}}, ref $value ? @$value : $value;
	}

	return JSON::PP->new()->latin1()->canonical()->encode({
		method => $request{method} || 'POST', url => $request{url},
		headers => \%headers, body_base64 => encode_base64(
			defined $request{body} ? $request{body} : '', ''),
		map { defined $request{$_} ? ($_ => $request{$_}) : () }
			qw/ now name /
	});
}

sub left_behind {
	my ($pid) = @_;

	my $tmp = $ENV{TMPDIR} && -d $ENV{TMPDIR} && length $ENV{TMPDIR} < 50
		? $ENV{TMPDIR} : '/tmp';

	my @folders = glob("$tmp/webhook-check-$pid-*");
	my @processes = grep { /webhook-check-$pid-/ } map {
		open my $fh, '<', $_ or (); defined $fh ? <$fh> : ()
	} glob('/proc/[0-9]*/cmdline');

	return (@folders, @processes);
}

###############################################################################

1;

###############################################################################
