#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for webhook_diagnose: each cause alone is found and logged, and told by
# $webhook_hint; a genuine request has none; answers are the same with and
# without it; what a diagnosis may take is limited.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use Digest::SHA qw/ sha256_hex /;
use File::Temp qw//;
use MIME::Base64 qw/ encode_base64 /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $bytes = 'the key of a test, of 32 bytes..';
my $base64 = encode_base64($bytes, '');
my $body = '{"id":"a/b","n":[1,2]}';
my $now = 1764000000;

my %secret = (
	nextpay => 'the secret of nextpay',
	coded => $base64,
	quoted => '"the secret in quotes"',
	github => 'the secret of github',
	gitlab => '"the secret of gitlab"',
	stripe => 'whsec_the secret of stripe',
	standard => "whsec_$base64",
	plain => $base64,
	square => 'the secret of square',
	other => 'the secret of another place',
	dry => 'the secret of a dry run',
	off => 'the secret of no diagnosis',
	tebex => 'the secret of tebex',
	twilio => 'the secret of twilio',
	zendesk => 'the secret of zendesk',
	proxied => 'the secret of one behind a proxy',
	'twilio-json' => 'the secret of twilio',
	(map { $_ => public($_) } qw/ wise rsa sendgrid /),
);

my %scheme = ((map { $_ => $_ } qw/ nextpay github stripe square zendesk
		proxied /),
	coded => 'nextpay', quoted => 'nextpay', other => 'nextpay',
	dry => 'nextpay', off => 'nextpay', gitlab => 'gitlab-token',
	rsa => 'wise', (map { $_ => $_ } qw/ tebex wise sendgrid twilio
		twilio-json /),
	standard => 'standard-webhooks', plain => 'standard-webhooks');

my @cases;

sub hex_of {
	return unpack 'H*', hmac(@_);
}

sub nextpay {
	my ($key, $text) = @_;
	return [ 'X-Nextpay-Signature', hex_of('sha256', $key, $text) ];
}

sub standard {
	my ($key) = @_;

	return [ 'webhook-id', 'a' ], [ 'webhook-timestamp', $now ],
		[ 'webhook-signature', 'v1,' . encode_base64(
			hmac('sha256', $key, "a.$now.$body"), '') ];
}

# keys of RSA and ECDSA, and what they sign, by openssl

my ($keys, %kind);

BEGIN {
	$keys = File::Temp->newdir('webhook-keys-XXXXXXXXXX', TMPDIR => 1);
	%kind = (sendgrid => [ 'EC', 'ec_paramgen_curve:P-256' ],
		map { $_ => [ 'RSA', 'rsa_keygen_bits:2048' ] } qw/ wise rsa /);
}

sub openssl {
	open my $fh, '-|', 'openssl', @_ or die "Can't run openssl: $!\n";
	binmode $fh;
	local $/;

	return encode_base64(scalar <$fh>, '');
}

sub public {
	my ($name) = @_;
	my ($alg, $opt) = @{$kind{$name}};

	openssl('genpkey', '-quiet', '-algorithm', $alg, '-pkeyopt', $opt,
		'-out', "$keys/$name");

	return openssl('pkey', '-in', "$keys/$name", '-pubout', '-outform',
		'DER');
}

sub signed {
	my ($name, $text) = @_;

	open my $fh, '>', "$keys/text" or die "Can't create a file: $!\n";
	print $fh $text;
	close $fh;

	return openssl('dgst', '-sha256', '-sign', "$keys/$name", "$keys/text");
}

sub twilio {
	return [ 'X-Twilio-Signature', encode_base64(hmac('sha1',
		$secret{twilio}, $_[0]), '') ];
}

sub wise {
	return [ 'X-Signature-SHA256', signed(@_) ];
}

sub sendgrid {
	my ($text) = @_;
	my $name = 'X-Twilio-Email-Event-Webhook';

	return [ "$name-Timestamp", $now ],
		[ "$name-Signature", signed('sendgrid', $now . $text) ];
}

sub zendesk {
	my ($time) = @_;
	my $name = 'X-Zendesk-Webhook-Signature';

	return [ "$name-Timestamp", $time ], [ $name, encode_base64(
		hmac('sha256', $secret{zendesk}, "$time$body"), '') ];
}

sub square {
	my ($url) = @_;
	return [ 'X-Square-HmacSha256-Signature', encode_base64(
		hmac('sha256', $secret{square}, $url . $body), '') ];
}

sub case {
	my ($hint, $place, $sent, @headers) = @_;
	push @cases, [ $hint, $place, $sent, @headers ];
}

case('', 'nextpay', $body, nextpay($secret{nextpay}, $body));
case('none', 'nextpay', $body, nextpay('something else', $body));

# the body

my $crlf = "{\r\n\"id\":1}";

my %bodies = (
	body_newline_added => [ [ $body, "$body\n" ], [ $body, "$body\r\n" ] ],
	body_newline_lost => [ [ "$body\n", $body ], [ "$body\r\n", $body ] ],
	body_line_ends => [ [ $crlf, $crlf =~ s/\r//r ],
		[ $crlf =~ s/\r//r, $crlf ] ],
	body_bom => [ [ $body, "\xef\xbb\xbf$body" ] ],
	body_blanks => [ [ '{"id": "a, \"b", "n": [1, 2]}',
		'{"id":"a, \"b","n":[1,2]}' ],
		[ '{"id":"a : b"}', "{\n  \"id\": \"a : b\"\n}" ] ],
	body_slashes => [ [ $body =~ s!/!\\/!gr, $body ],
		[ $body, $body =~ s!/!\\/!gr ] ],
	body_empty => [ [ '', $body ] ],
);

foreach my $hint (sort keys %bodies) {
	case($hint, 'nextpay', $_->[1], nextpay($secret{nextpay}, $_->[0]))
		foreach @{$bodies{$hint}};
}

case('content_encoding', 'nextpay', $body, nextpay('something else', $body),
	[ 'Content-Encoding', 'gzip' ]);

# the secret

case('secret_blanks', 'quoted', $body, nextpay('the secret in quotes', $body));
case('secret_blanks', 'gitlab', $body,
	[ 'X-Gitlab-Token', 'the secret of gitlab' ]);
case('secret_newline', 'nextpay', $body, nextpay("$secret{nextpay}\n", $body));
case('secret_newline', 'nextpay', $body,
	nextpay("$secret{nextpay}\r\n", $body));
case('secret_decoded:base64', 'coded', $body, nextpay($bytes, $body));
case('secret_empty', 'nextpay', $body, nextpay('', $body));
case('secret_of:localhost/other', 'nextpay', $body,
	nextpay($secret{other}, $body));
case('secret_raw', 'plain', $body, standard($base64));
case('secret_prefix', 'standard', $body, standard("whsec_$base64"));
case('secret_prefix', 'stripe', $body, [ 'Stripe-Signature', "t=$now,v1="
	. hex_of('sha256', 'the secret of stripe', "$now.$body") ]);

# the form

my $digest = hmac('sha256', $secret{nextpay}, $body);

case('encoding:base64', 'nextpay', $body,
	[ 'X-Nextpay-Signature', encode_base64($digest, '') ]);
case('encoding:hex', 'square', $body,
	[ 'X-Square-HmacSha256-Signature', unpack 'H*', $digest ]);
case('encoding:base64url', 'square', $body,
	[ 'X-Square-HmacSha256-Signature', '-' . '_' x 41 . '8' ]);
case('encoding:base64-hex', 'nextpay', $body,
	[ 'X-Nextpay-Signature', encode_base64(unpack('H*', $digest), '') ]);
case('algorithm:hmac-sha512', 'nextpay', $body, [ 'X-Nextpay-Signature',
	hex_of('sha512', $secret{nextpay}, $body) ]);
case('algorithm:hmac-md5', 'nextpay', $body,
	[ 'X-Nextpay-Signature', 'ab' x 16 ]);
case('prefix', 'github', $body,
	[ 'X-Hub-Signature-256', unpack 'H*', $digest ]);
case('length', 'nextpay', $body, [ 'X-Nextpay-Signature', 'abcd' x 15 ]);
case('none', 'nextpay', $body, [ 'X-Nextpay-Signature', 'no digest at all' ]);
case('unit:ms', 'stripe', $body, [ 'Stripe-Signature',
	"t=${now}000,v1=" . 'ab' x 32 ]);
case('unit:rfc3339', 'stripe', $body, [ 'Stripe-Signature',
	't=2025-11-24T16:00:00Z,v1=' . 'ab' x 32 ]);
case('unit:iso8601', 'zendesk', $body, @$_) foreach
	[ zendesk('2025-11-24T16:00:00') ], [ zendesk('2025-11-24T16:00:00.25') ];
case('unit:http', 'zendesk', $body, zendesk('Mon, 24 Nov 2025 16:00:00 GMT'));
case('unit:s', 'zendesk', $body, zendesk($now));
case('other_scheme:paystack', 'nextpay', $body, [ 'X-Paystack-Signature',
	hex_of('sha512', $secret{nextpay}, $body) ]);
case('none', 'nextpay', $body);

# the address

case('url_scheme', 'square', $body, square('http://localhost/square'));
case($_->[1], 'proxied', $body, [ 'X-Digest', hex_of('sha256',
	$secret{proxied}, "$_->[0]://localhost/proxied|$body") ]) foreach
	[ 'http', '' ], [ 'https', 'url_scheme' ], [ 'ftp', 'none' ];
case('url_host', 'square', $body, square('https://www.example.com/square'));
case('url_host', 'square', $body, square('https://seen.example.com/square'),
	[ 'X-Forwarded-Host', 'seen.example.com' ]);
case('url_port', 'square', $body, square('https://localhost:443/square'));
case('url_port', 'square', $body, square('https://localhost/square'),
	[ 'Host', 'localhost:8443' ]);
case('url_query', 'square?a=b', $body, square('https://localhost/square'));

# a hash of the body is signed

case('body_newline_added', 'tebex', "$body\n", [ 'X-Signature',
	hex_of('sha256', $secret{tebex}, sha256_hex($body)) ]);

my $hash = sha256_hex($body);

case('', "twilio-json?bodySHA256=$hash", $body,
	twilio("https://localhost/twilio-json?bodySHA256=$hash"));
case('body_newline_added', "twilio-json?bodySHA256=$hash", "$body\n",
	twilio("https://localhost/twilio-json?bodySHA256=$hash"));
case('none', "twilio-json?bodySHA256=$hash", "$body,",
	twilio("https://localhost/twilio-json?bodySHA256=$hash"));

# a form is signed

my @form = [ 'Content-Type', 'application/x-www-form-urlencoded' ];

case('', 'twilio', 'b=2&a=1', @form, twilio('https://localhost/twilioa1b2'));
case('url_scheme', 'twilio', 'b=2&a=1', @form,
	twilio('http://localhost/twilioa1b2'));
case('none', 'twilio', 'b=2&a=2', @form, twilio('https://localhost/twilioa1b2'));

# another scheme signs otherwise, in the same header and with the same secret

case('other_scheme:lemon-squeezy', 'tebex', $body, [ 'X-Signature',
	hex_of('sha256', $secret{tebex}, $body) ], [ 'X-Event-Name', 'a' ]);
case('other_scheme:airwallex', 'tebex', $body,
	[ 'X-Timestamp', $now - 86400 . '000' ], [ 'X-Signature',
	hex_of('sha256', $secret{tebex}, $now - 86400 . "000$body") ]);
case('none', 'tebex', $body, [ 'X-Signature',
	hex_of('sha256', 'something else', $body) ]);
case('other_scheme:twilio-json', "twilio?bodySHA256=$hash", $body, @form,
	twilio("https://localhost/twilio?bodySHA256=$hash"));

# of several that sign alike, the one whose other headers are there

my @hub = [ 'X-Hub-Signature-256', 'sha256='
	. hex_of('sha256', $secret{nextpay}, $body) ];
my @github = ([ 'X-GitHub-Event', 'push' ], [ 'X-GitHub-Delivery', 'a' ]);

case('other_scheme:github', 'nextpay', $body, @hub, @github);
case('other_scheme:meta', 'nextpay', $body, @hub);
case('other_scheme:github', 'nextpay', $body, @hub, @github,
	nextpay('something else', $body));
case('other_scheme:meta', 'nextpay', $body, @hub,
	nextpay('something else', $body));
case('none', 'nextpay', "$body,", @hub, @github,
	nextpay('something else', $body));

# public keys

case('', 'wise', $body, wise('wise', $body));
case('none', 'wise', $body, wise('wise', "$body,"));
case('body_newline_lost', 'wise', $body, wise('wise', "$body\n"));
case('secret_of:localhost/rsa', 'wise', $body, wise('rsa', $body));
case('none', 'wise', $body, [ 'X-Signature-SHA256', 'AAAA' ]);
case('length', 'wise', $body, [ 'X-Signature-SHA256', 'A' x 1600 ]);
case('body_newline_added', 'sendgrid', "$body\n", sendgrid($body));
case('other_scheme:sendgrid', 'wise', $body, sendgrid($body));
case('other_scheme:wise', 'nextpay', $body, wise('wise', $body));

# other ways

case('secret_newline', 'dry', $body, nextpay("$secret{dry}\n", $body));
case('', 'off', $body, nextpay("$secret{off}\n", $body));

###############################################################################

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faketime()
	->plan(2 * @cases + 8);

my $locations = '';

foreach my $name (sort keys %secret) {
	$t->write_file("secret.$name", "$secret{$name}\n");
	chmod 0600, $t->testdir() . "/secret.$name";

	my $more = $name eq 'dry' ? 'webhook_dry_run  on;'
		: $name eq 'off' ? 'webhook_diagnose  off;' : '';

	$locations .= <<"EOF_";
        location = /$name {
            webhook_verify  $scheme{$name};
            webhook_secret  file:secret.$name;
            proxy_pass      http://127.0.0.1:8081;
            $more
        }
EOF_
}

$t->write_file_expand('nginx.conf', <<"EOF_");

%%TEST_GLOBALS%%

worker_processes  1;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    log_format  hints  '"\$http_x_case" "\$webhook_reason" "\$webhook_hint"';
    access_log  %%TESTDIR%%/hints.log  hints;

    client_max_body_size  1m;
    webhook_diagnose      on;

    webhook_scheme proxied {
        signature  \$http_x_digest;
        signed     \$scheme://\$http_host\$request_uri|\$request_body;
    }

    server {
        listen       127.0.0.1:8080;
        server_name  localhost www.example.com *.example.org;

$locations
        location = /file {
            webhook_verify  nextpay;
            webhook_secret  file:secret.nextpay;
            proxy_pass      http://127.0.0.1:8081;

            client_body_in_file_only  clean;
        }
    }

    server {
        listen       127.0.0.1:8082;
        server_name  localhost;

        webhook_diagnose  off;

$locations
    }
}

EOF_

my $u = upstream(8081);

$t->clock($now)->run();

###############################################################################

my $n = 0;

foreach my $case (@cases) {
	my ($hint, $place, $sent, @headers) = @$case;
	my $name = ($hint || 'no hint') . " - $place";

	my $answer = ask(8082, $place, $sent, @headers);

	is(ask(8080, $place, $sent, @headers), $answer, "$name - answer");
	is(($t->logged("hint $n", name => 'hints.log'))[0] =~ s/^"\w*" //r,
		$hint eq '' ? '"-"' : qq("$hint"), $name);
}

# the log

my @lines = $t->lines(qr/webhook hint: /);

is(scalar @lines, scalar(grep { $_->[0] } @cases), 'hints in the log');
like($lines[0], qr/\[error\]\ .*:\ \*\d+\ webhook\ hint:\ none,\ scheme\ "nextpay"
	\ while\ logging\ request,\ client:/x, 'a line');
is(join("\n", grep { my $l = $_; grep { index($l, $_) >= 0 } values %secret,
	$bytes, 'webhook-check' } $t->lines(qr/webhook/)), '',
	'no secret in the log');

# the body in a file, and too long a one

my $long = '{"id":"' . 'x' x 70000 . '"}';

ask(8080, 'file', "$body\n", nextpay($secret{nextpay}, $body));
is(hint(), 'body_newline_added', 'body in a file');

ask(8080, 'nextpay', "$long\n", nextpay($secret{nextpay}, $long));
is(hint(), '-', 'body too long');

# what is over a megabyte is left out, the last ones first

my $large = '{"id":"' . 'x/' x 30000 . '"}';

ask(8080, 'nextpay', "$large", nextpay("$secret{nextpay}\n", $large));
is(hint(), 'secret_newline', 'large body, first ones');

ask(8080, 'nextpay', $large, nextpay($secret{nextpay}, $large =~ s!/!\\/!gr));
is(hint(), 'none', 'large body, last one');

# one a second

$t->clock($now += 1);

foreach my $i (1 .. 3) {
	$n++;
	request(port => 8080, uri => '/nextpay', body => "$body\n",
		headers => [ nextpay($secret{nextpay}, $body),
			[ 'X-Case', "hint $n" ] ]);
	$t->logged("hint $n", name => 'hints.log');
}

is(scalar(grep { !/"-"$/ } map { $t->logged('hint ' . ($n - $_),
	name => 'hints.log') } 0 .. 2), 1, 'one a second');

###############################################################################

sub ask {
	my ($port, $place, $sent, @headers) = @_;

	$t->clock($now += 1);
	$n++;

	# the connection is closed at once, nginx waits for nothing

	my ($host) = map { $_->[1] } grep { $_->[0] eq 'Host' } @headers;

	my $answer = request(port => $port, uri => "/$place", body => $sent,
		host => $host || 'localhost',
		headers => [ (grep { $_->[0] ne 'Host' } @headers),
			[ 'X-Case', "hint $n" ] ])->{raw};

	$t->logged("hint $n", name => 'hints.log');

	return $answer =~ s/^Date: .*\r\n//mr;
}

sub hint {
	return (($t->logged("hint $n", name => 'hints.log'))[0]
		=~ /"([^"]*)"$/)[0];
}

###############################################################################
