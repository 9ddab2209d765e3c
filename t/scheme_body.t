#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for bodies that are not signed themselves: those of which a hash stands in
# a header, in a field, or in the address.  The hash of another body, a hash that
# is missing, there twice or malformed, and what nginx -t says.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use Digest::SHA qw/ sha1 sha256 sha256_hex /;
use MIME::Base64 qw/ encode_base64 encode_base64url /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy rewrite/)->plan(70);

my $secret = 'a secret of the test of hashes';

my %schemes = (
	'header' => 'signed $http_x_ts.$http_digest; timestamp off;'
		. ' body_hash $http_digest prefix=sha-256= encoding=base64;'
		. ' event_id json:/id;',
	'field' => 'signed $webhook_field_hash; body_hash $webhook_field_hash;'
		. ' field hash $http_x_sig separator=, prefix=h=;',
	'id' => 'signed $webhook_event_id; event_id $http_x_hash;'
		. ' body_hash $http_x_hash encoding=base64url;',
	'uri' => 'signed https://$http_host$request_uri;'
		. ' body_hash query:bodySHA256;',
	'args' => 'signed $args; body_hash query:h encoding=base64;',
	'query' => 'signed $query_string; body_hash query:h algorithm=sha256;',
	'ed' => 'algorithm ed25519; secret encoding=hex; signed $http_x_hash;'
		. ' body_hash $http_x_hash;',
	'plain' => 'from=header',
	'uri-args' => 'from=uri',
);

my ($blocks, $locations) = ('', '');

foreach my $name ('header', grep { $_ ne 'header' } sort keys %schemes) {
	my $from = $schemes{$name} =~ /^from=/ ? $schemes{$name} : '';

	$blocks .= "    webhook_scheme $name $from { " . ($from
		? $name eq 'plain' ? 'body_hash off; signed $request_body;'
			: 'signed $args;'
		: 'signature $http_x_sig separator=, prefix=s=; '
			. $schemes{$name}) . " }\n";

	$locations .= <<"EOF_";
        location = /$name {
            webhook_verify  $name;
            webhook_secret  file:%%TESTDIR%%/@{[
				$name eq 'ed' ? 'ed' : 'secret' ]};
            proxy_pass      http://127.0.0.1:8081;
        }
EOF_
}

openssl('genpkey', '-algorithm', 'ed25519', '-out', $t->testdir() . '/key');

$t->write_file('secret', "$secret\n");
$t->write_file('ed', unpack('H*', substr(openssl('pkey', '-in',
	$t->testdir() . '/key', '-pubout', '-outform', 'DER'), -32)) . "\n");

chmod 0600, map { $t->testdir() . "/$_" } qw/ secret ed /;

$t->write_file_expand('nginx.conf', <<"EOF_");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone    zone=events:1m;
    client_max_body_size  4m;

    add_header        X-Reason  \$webhook_reason  always;
    proxy_set_header  X-Id      \$webhook_event_id;

$blocks

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        rewrite  ^/rewritten\$  /uri?bodySHA256=\$arg_other&;

$locations
        location = /file {
            webhook_verify  header;
            webhook_secret  file:%%TESTDIR%%/secret;
            webhook_dedup   zone=events;
            proxy_pass      http://127.0.0.1:8081;

            client_body_in_file_only  clean;
        }
    }
}

EOF_

my $u = upstream(8081);

$t->run();

my $body = '{"id":"e1"}';

###############################################################################

# in a header

is(header($body), '200 e1', 'header');
is(header($body, $body, path => 'file'), '200 e1', 'header - body in a file');
is(header($body, $body, path => 'file'), '200 duplicate',
	'header - what is signed by its hash alone is a key');
is(header('', ''), '200 ', 'header - no body');
is(header("$body " x 100000, undef, pieces => 1), '200 ',
	'header - long body, byte by byte at first');
is(header($body, "$body "), '401 wrong_body_hash', 'header - other body');
is(header($body, ''), '401 wrong_body_hash', 'header - body left out');
is(header('', $body), '401 wrong_body_hash', 'header - body added');
is(header($body, $_), '401 wrong_body_hash', 'header - changed byte')
	foreach map { my $b = $body; substr($b, $_, 1) ^= "\1"; $b }
		0, length($body) / 2, -1;
is(header($body, $body, chunked => [ 1, 3 ]), '200 e1', 'header - chunked');

# who changes both has not signed them

is(header($body, $body, signed => '1.sha-256=' . base64(sha256('{}'))),
	'401 signature_mismatch', 'header - the hash is not signed');
is(header('{}', $body, signed => '1.sha-256=' . base64(sha256($body))),
	'401 signature_mismatch', 'header - neither is right');

my $good = base64(sha256($body));

foreach (
	[ '', 'missing_field', 'empty' ],
	[ undef, 'missing_field', 'none' ],
	[ $good, 'malformed_field', 'no prefix' ],
	[ "SHA-256=$good", 'malformed_field', 'prefix in capitals' ],
	[ 'sha-256=', 'malformed_field', 'prefix alone' ],
	[ "sha-256=$good,sha-256=$good", 'malformed_field', 'two' ],
	[ 'sha-256=' . substr($good, 0, -1), 'malformed_field', 'not padded' ],
	[ 'sha-256=' . sha256_hex($body), 'malformed_field', 'hex' ],
	[ 'sha-256=' . base64(sha1($body)), 'malformed_field', 'SHA-1' ],
	[ 'sha-256=' . base64(sha256($body) . "\0"), 'malformed_field', 'long' ],
	[ 'sha-256=' . $good =~ s/.=$/B=/r, 'malformed_field',
		'bits behind the last' ],
	[ [ "sha-256=$good", "sha-256=$good" ], 'malformed_field', 'two lines' ],
	)
{
	my ($digest, $reason, $name) = @$_;

	is(header($body, $body, digest => $digest), "401 $reason",
		"header - $name");
}

# in a field, and in an id

my $hex = sha256_hex($body);

is(ask('field', "h=$hex,s=" . mac($hex), $body), '200 ', 'field');
is(ask('field', 'h=' . uc($hex) . ',s=' . mac(uc $hex), $body), '200 ',
	'field - capital letters');
is(ask('field', "h=$hex,s=" . mac($hex), '{}'), '401 wrong_body_hash',
	'field - other body');
is(ask('field', 's=' . mac($hex), $body), '401 missing_field',
	'field - none');
is(ask('field', "h=$hex,h=$hex,s=" . mac($hex), $body),
	'401 malformed_field', 'field - twice');

my $url = encode_base64url(sha256($body));

is(ask('id', 's=' . mac($url), $body, [ 'X-Hash', $url ]), "200 $url", 'id');
is(ask('id', 's=' . mac($url), "$body ", [ 'X-Hash', $url ]),
	'401 wrong_body_hash', 'id - other body');

# in the address

sub uri {
	my ($query, $sent, $path) = @_;

	$path = 'uri' unless defined $path;

	return ask("$path?$query", 's=' . mac("https://localhost/$path?$query"),
		$sent);
}

is(uri("bodySHA256=$hex", $body), '200 ', 'address');
is(uri("a=b&bodySHA256=$hex&c", $body), '200 ', 'address - among others');
is(uri("body%53HA256=%" . unpack('H*', substr $hex, 0, 1) . substr($hex, 1),
	$body), '200 ', 'address - decoded once');
is(uri("bodySHA256=$hex", "$body\n"), '401 wrong_body_hash',
	'address - other body');
is(uri("bodySHA256=$hex&bodySHA256=$hex", $body), '401 malformed_field',
	'address - twice');
is(uri("bodySHA256=$hex&bodySHA256=" . sha256_hex('{}'), '{}'),
	'401 malformed_field', 'address - the second is right');
is(uri("bodysha256=$hex", $body), '401 missing_field',
	'address - other name');
is(uri('bodySHA256=', $body), '401 missing_field', 'address - empty');
is(uri("bodySHA256=$hex%", $body), '401 malformed_field',
	'address - broken');
is(uri("bodySHA256=+$hex", $body), '401 malformed_field',
	'address - with a blank');
is(ask("uri?bodySHA256=$hex", 's=' . mac("https://localhost/uri"), $body),
	'401 signature_mismatch', 'address - the query is not signed');

# what is judged is what was signed, whatever the address is now

is(uri("bodySHA256=$hex", $body, 'rewritten'), '200 ', 'rewritten');
is(uri("bodySHA256=$hex&other=" . sha256_hex('{}'), '{}', 'rewritten'),
	'401 wrong_body_hash', 'rewritten - other hash');

is(ask("uri-args?bodySHA256=$hex", 's=' . mac("bodySHA256=$hex"), $body),
	'200 ', 'inherited, with $args');
is(ask("uri-args?bodySHA256=$hex", 's=' . mac("bodySHA256=$hex"), '{}'),
	'401 wrong_body_hash', 'inherited, with $args - other body');

my $args = 'h=' . base64(sha256($body)) =~ s/([+=\/])/sprintf '%%%02X', ord $1/ger;

is(ask("args?$args", 's=' . mac($args), $body), '200 ', '$args');
is(ask("args?$args", 's=' . mac($args), '{}'), '401 wrong_body_hash',
	'$args - other body');
is(ask("query?h=$hex", 's=' . mac("h=$hex"), $body), '200 ',
	'$query_string');

# a signature that is made of a whole text

my $long = 'x' x 2000000;
my $hash = sha256_hex($long);

is(ask('ed', 's=' . ed25519($hash), $long, [ 'X-Hash', $hash ]), '200 ',
	'ed25519 - a long body');
is(ask('ed', 's=' . ed25519($hash), $body, [ 'X-Hash', $hash ]),
	'401 wrong_body_hash', 'ed25519 - other body');

is(ask('plain', 's=' . mac($body), $body), '200 e1', 'plain');

###############################################################################

# configuration

foreach (
	[ 'body_hash $http_a;', 'needs exactly one $request_body' ],
	[ 'signed $http_a.$webhook_body_sha256; body_hash $http_a;',
		'needs exactly one $request_body' ],
	[ 'signed $http_b; body_hash $http_a;',
		'has a "body_hash" that the signed text does not cover' ],
	[ 'signed $uri; body_hash query:h;', 'does not cover' ],
	[ 'signed $http_a; body_hash $webhook_field_a;', 'no such "field"' ],
	[ 'signed $http_a; body_hash "$http_a$http_b";', 'is no header, no field' ],
	[ 'signed $http_a; body_hash $uri;', 'is no header, no field' ],
	[ 'signed $args; body_hash query:;', 'is no header, no field' ],
	[ 'signed $http_a; body_hash $http_a; body_hash $http_a;',
		'"body_hash" directive is duplicate' ],
	[ 'signed $http_a; body_hash $http_a algorithm=md5;',
		'invalid parameter "algorithm=md5", there are: sha256' ],
	[ 'signed $http_a; body_hash $http_a encoding=raw;',
		'invalid parameter "encoding=raw", there are: hex, base64' ],
	[ 'signed $http_a; body_hash $http_a item=1;',
		'invalid parameter "item=1"' ],
	[ 'algorithm token; body_hash $http_a;', 'but a token signs nothing' ],
	[ 'signed $http_a.$request_body; algorithm token;',
		'scheme "s" has "signed", but a token signs nothing' ],
	[ 'signed $http_a$http_b; body_hash $http_b;',
		'signs "$http_a" directly before "$http_b"' ],
	)
{
	my ($lines, $message) = @$_;

	my ($rc, $out) = $t->conf_test("webhook_scheme s { signature \$http_s;"
		. " $lines }\n", in => 'http');

	like("$rc $out", qr/^1 .*\[emerg\] .*\Q$message\E/s, "conf - $lines");
}

my ($rc, $out) = $t->conf_test('webhook_scheme a { signature $http_s;'
	. " signed \$http_a.\$request_body; }\n"
	. 'webhook_scheme b from=a { algorithm token; }', in => 'http');
is($rc, 0, 'conf - a token inherits "signed"') or diag($out);

###############################################################################

sub header {
	my ($body, $sent, %opts) = @_;

	my $digest = 'sha-256=' . base64(sha256($body));
	$digest = $opts{digest} if exists $opts{digest};

	my $text = $opts{signed} || '1.' . (ref $digest ? $digest->[0]
		: defined $digest ? $digest : '');

	return ask($opts{path} || 'header', 's=' . mac($text),
		defined $sent ? $sent : $body, [ 'X-Ts', 1 ],
		defined $digest ? [ 'Digest', $digest ] : (),
		map { [ $_, $opts{$_} ] } grep { $opts{$_} } qw/ pieces chunked /);
}

sub ask {
	my ($uri, $sig, $sent, @headers) = @_;

	my %opts = map { @$_ } grep { $_->[0] =~ /^(?:pieces|chunked)$/ } @headers;
	@headers = grep { !exists $opts{$_->[0]} } @headers;
	$opts{pieces} = [ 1 .. 9 ] if $opts{pieces};

	$u->reset();

	my $r = request(uri => "/$uri", body => $sent, %opts,
		headers => [ [ 'X-Sig', $sig ], @headers ]);

	return "$r->{status} " . $r->header('X-Reason') . ($u->count()
		? ' proxied' : '') if $r->{status} != 200;

	return '200 duplicate' if $r->header('Webhook-Duplicate');
	return '200, other body' if $u->last()->{body} ne $sent;

	my $id = Test::Nginx::Upstream::header($u->last(), 'X-Id');

	return '200 ' . (defined $id ? $id : '');
}

sub base64 {
	return encode_base64($_[0], '');
}

sub mac {
	return unpack 'H*', hmac('sha256', $secret, $_[0]);
}

sub openssl {
	my (@args) = @_;

	open my $fh, '-|', 'openssl', @args or die "Can't run openssl: $!\n";
	binmode $fh;
	local $/;

	return scalar <$fh>;
}

sub ed25519 {
	my ($text) = @_;

	$t->write_file('text', $text);

	return unpack 'H*', openssl('pkeyutl', '-sign', '-rawin', '-in',
		$t->testdir() . '/text', '-inkey', $t->testdir() . '/key');
}

###############################################################################
