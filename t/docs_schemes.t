#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the examples in docs/schemes.md: nginx accepts each of them, a
# genuine event passes the five, and with a byte that differs it does not.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use Digest::SHA qw/ sha256 /;
use MIME::Base64 qw/ encode_base64 /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $now = 1764000000;

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faketime()->plan(11);

my %blocks = map { /^\s*webhook_scheme\s+(\S+)/ ? ($1 => $_) : () }
	project_text('docs/schemes.md')
	=~ /^(\ {4,8}webhook_scheme\ [^\n]*\{\n.*?^\ {4,8}\})$/msg;

my @names = sort keys %blocks;
my @tried = qw/ easy timed named addressed public /;

my $hex = '00112233445566778899aabbccddeeff' x 2;

$t->write_file('secret', "$hex\n");
chmod 0600, $t->testdir() . '/secret';

my $key = $t->testdir() . '/key';

openssl('genpkey', '-quiet', '-algorithm', 'RSA', '-out', $key);
$t->write_file('keys.pem', "# id: k1\n" . openssl('pkey', '-in', $key, '-pubout'));

my $schemes = join "\n", @blocks{@names};
my $locations = join "\n", map { "location /hooks/$_ { webhook_verify $_;"
	. ' webhook_secret ' . ($_ eq 'public' ? 'pem:keys.pem' : 'file:secret')
	. '; proxy_pass http://127.0.0.1:8081; }' } @tried;

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

$schemes

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        $locations
    }
}

EOF

my $u = upstream(8081);

$t->clock($now)->run();

###############################################################################

is(join(' ', @names), 'acme addressed easy named public stripe-slow timed',
	'examples are found, and accepted');

my $body = '{"id":"evt_1","type":"order.paid"}';

my $hash = 'sha-256=' . encode_base64(sha256($body), '');

$t->write_file('text', "1.2\nid-1\n2025-11-24T16:00:00Z\n$hash\n");

my %headers = (
	public => [ [ 'User-Agent', 'Public/1.2' ], [ 'Public-Id', 'id-1' ],
		[ 'Public-Time', '2025-11-24T16:00:00Z' ], [ 'Public-Key', 'k1' ],
		[ 'Public-Digest', $hash ], [ 'Public-Signature',
		encode_base64(openssl('dgst', '-sha256', '-sign', $key,
		$t->testdir() . '/text'), '') ] ],
	easy => [ [ 'X-Easy-Signature', digest('sha256', $hex, $body) ] ],
	timed => [ [ 'Timed-Signature', "t=$now,v1="
		. digest('sha256', $hex, "$now.$body") ] ],
	named => [ [ 'Named-Signature', encode_base64(hmac('sha256', $hex, $body),
		'') ] ],
	addressed => [ [ 'Addressed-Time', "${now}000" ],
		[ 'Addressed-Digest', digest('sha512', pack('H*', $hex),
		"https://hooks.example.com/hooks/addressed|${now}000|$body") ] ],
);

foreach my $name (@tried) {
	is(answer($name, $body), '200 1', "$name - genuine");
	is(answer($name, $body =~ s/1/2/r), '401 0', "$name - forged");
}

###############################################################################

sub openssl {
	my (@args) = @_;

	open my $fh, '-|', 'openssl', @args or die "Can't run openssl: $!\n";
	binmode $fh;
	local $/;

	return scalar <$fh>;
}

sub digest {
	return unpack 'H*', hmac(@_);
}

sub answer {
	my ($name, $body) = @_;

	$u->reset();

	my $r = request(uri => "/hooks/$name", body => $body,
		headers => $headers{$name});

	return "$r->{status} " . $u->count();
}

###############################################################################
