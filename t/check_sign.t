#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for webhook-check: what it signs for each built-in scheme with a shared
# secret is accepted, by the live nginx too, and no longer with another byte;
# what is sent comes back by record as it was.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib', "$FindBin::Bin/../tools/lib";
use Test::Nginx;
use Test::Nginx::Check;
use Test::Nginx::Webhook;

use IO::Socket::INET;
use MIME::Base64 qw/ encode_base64 /;

use Webhook::Check::Conf qw/ read_live /;
use Webhook::Check::Nginx qw/ end_guards start /;
use Webhook::Check::Output qw/ %opt /;
use Webhook::Check::Place qw/ find_places /;
use Webhook::Check::Sign qw/ raw_text signed_request /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

# the table of webhook-check itself

my $table = project_text('tools/lib/Webhook/Check/schemes.txt');

my (%text, %from);

foreach my $entry ($table =~ /^([^\s#].*\n(?:\t.*\n)*)/mg) {
	my ($name, $from) = $entry =~ /^(\S+)(?: from=(\S+))?\n/ or next;
	$text{$name} = $entry;
	$from{$name} = $from if defined $from;
}

sub has_line {
	my ($name, $re) = @_;

	return $text{$name} =~ /^\t$re/m
		|| defined $from{$name} && has_line($from{$name}, $re);
}

# a line of its own takes the place of one that is inherited

sub algorithm {
	my ($name) = @_;

	return $1 if $text{$name} =~ /^\talgorithm (.*);$/m;
	return defined $from{$name} ? algorithm($from{$name}) : 'hmac-sha256';
}

my @schemes = grep { algorithm($_) =~ /^(?:hmac-|token)/ } sort keys %text;

my $hex = unpack 'H*', 'the key of a test, of 32 bytes..';
my $base64 = encode_base64('the key of a test, of 32 bytes..', '');

my $t = Test::Nginx->new()->has(qw/http proxy/)->plan(2 * @schemes + 9);

my %secret;

foreach my $name (@schemes) {
	my $prefix = has_line($name, 'secret prefix=whsec_') ? 'whsec_' : '';

	$secret{$name} = has_line($name, 'secret .*encoding=base64')
			? $prefix . $base64
		: has_line($name, 'secret .*encoding=hex') ? $hex
		: "a secret of $name, long enough";

	$t->write_file("secret.$name", "$secret{$name}\n");
	chmod 0600, $t->testdir() . "/secret.$name";
}

my $locations = join '', map { <<"EOF_" } @schemes;
        location = /$_ {
            webhook_verify  $_;
            webhook_secret  file:secret.$_;
            proxy_pass      http://127.0.0.1:8081;
        }
EOF_

$t->write_file_expand('nginx.conf', <<"EOF_");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    server {
        listen       127.0.0.1:8080;
        server_name  hooks.example.com;

$locations
    }
}

EOF_

my $u = upstream(8081);

$t->run();

###############################################################################

my $pid;

# one private nginx for all of them

%opt = (nginx => $Test::Nginx::NGINX, conf => $t->testdir() . '/nginx.conf');

my $live = read_live();
find_places($live);

my $private = start($live);

foreach my $name (@schemes) {
	my $out = raw_text(signed_request($live, $private,
		"https://hooks.example.com/$name"));

	my $n = $u->count();

	is(sent($out) . ', ' . ($u->count() - $n) . ' proxied',
		'200, 1 proxied', "$name - accepted");

	# a token signs nothing

	if (has_line($name, 'algorithm token')) {
		$out =~ s/(\Q$secret{$name}\E|(?<=Basic ))/x$1/;

	} else {
		$out =~ s/.\z/!/s;
	}

	is(sent($out) . ', ' . ($u->count() - $n) . ' proxied',
		'401, 1 proxied', "$name - not with another byte");
}

end_guards();

# what is given is taken

$t->write_file('body', qq({"id":"a", "type":"b"}\r\n));

my ($status, $out) = webhook_check($t, 'sign', '--url',
	'https://hooks.example.com/stripe', '--body', 'body', '--at',
	1764000000);

like($out, qr/^Stripe-Signature: t=1764000000,v1=/m, 'time as it is given');
is($out =~ s/.*?\r\n\r\n//sr, $t->read_file('body'), 'likewise the body');

is((webhook_check($t, 'sign', '--url', 'https://hooks.example.com/stripe',
	'--body', $t->testdir()))[0], 2, 'a folder is no body');

$t->write_file('other', "another secret, long enough\n");

($status, $out) = webhook_check($t, 'sign', '--url',
	'https://hooks.example.com/nextpay', '--secret-file', 'other');

is($status ? $out : sent($out), 401, 'secret of another file');

# sent, and recorded

my $address = '127.0.0.1:' . port(8082);

$pid = fork();
die "fork() failed: $!\n" unless defined $pid;

if (!$pid) {
	open STDOUT, '>', $t->testdir() . '/recorded';
	exec $^X, "$Test::Nginx::ROOT/tools/webhook-check", 'record',
		$address, $t->testdir() . '/captured';
}

$t->waitforsocket($address) or die "record does not run\n";

($status, $out) = webhook_check($t, 'send', '--url',
	'http://hooks.example.com/nextpay?a=b', '--id', 'evt_1', '--type',
	'a.test', '--to', 'http://127.0.0.1:' . port(8082));

like("$status $out", qr/^0 HTTP\S+ 200 /, 'sent');

my ($file) = map { s/\n//r } $t->lines(qr/\.http/, name => 'recorded');

# the connections that only asked whether somebody listens left nothing

is(scalar(() = glob($t->testdir() . '/captured/*')), 1, 'recorded');

my ($json) = webhook_check_json($t, 'verify', $file);

is("$json->{accepted} $json->{event_id} $json->{event_type}",
	'1 evt_1 a.test', 'and accepted');

# in chunks

my $s = IO::Socket::INET->new(Proto => 'tcp',
	PeerAddr => '127.0.0.1:' . port(8082));

my ($head, $body) = project_free($file) =~ /^(.*?\r\n)\r\n(.*)\z/s;

$head =~ s/^Content-Length: .*\r\n/Transfer-Encoding: chunked\r\n/m;

print $s $head, "\r\n";

foreach my $c ($body =~ /(.{1,10})/gs, '') {
	printf $s "%x\r\n%s\r\n", length $c, $c;
	$s->flush();
}

my $answer = do { local $/; <$s> };

$t->wait_log(qr/\.http/, name => 'recorded', count => 2);
($file) = map { s/\n//r } ($t->lines(qr/\.http/, name => 'recorded'))[1];
($json) = webhook_check_json($t, 'verify', $file);

is(($answer =~ /^HTTP\S+ (\d+)/)[0] . " $json->{accepted}", '200 1',
	'chunks are put together');

($head) = project_free($file) =~ /^(.*?\n)\r?\n/s;

like($head, qr/\A(?:[^\r\n]+\r\n)+\z/, 'each line ends as it did');

END {
	local $?;
	kill('TERM', $pid) && waitpid $pid, 0 if $pid;
}

###############################################################################

sub project_free {
	my ($path) = @_;

	open my $fh, '<:raw', $path or die "Can't open $path: $!\n";
	local $/;

	return scalar <$fh>;
}

# what the live nginx says to the request

sub sent {
	my ($request) = @_;

	my $s = IO::Socket::INET->new(Proto => 'tcp',
		PeerAddr => '127.0.0.1:' . port(8080)) or return 'no nginx';

	$request =~ s/\r\n\r\n/\r\nConnection: close\r\n\r\n/;
	print $s $request;
	$s->flush();

	my $answer = do { local $/; <$s> };

	return (($answer || '') =~ /^HTTP\S+ (\d+)/)[0];
}

###############################################################################
