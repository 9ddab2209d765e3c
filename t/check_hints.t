#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for webhook-check: why a request is refused is found, for each cause
# alone; and nothing is found where nothing is wrong, or where all is.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Check;
use Test::Nginx::Webhook;

use IO::Compress::Gzip qw/ gzip /;
use MIME::Base64 qw/ encode_base64 decode_base64 /;
use POSIX qw/ strftime /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $bytes = 'the key of a test, of 32 bytes..';
my $base64 = encode_base64($bytes, '');
my $high = "\xff\xfe\xfb" x 11;
my $body = '{"id":"a/b","n":[1,"é"]}';

my %secret = (
	nextpay => 'the secret of nextpay',
	coded => $base64,
	urlsafe => encode_base64($high, '') =~ tr!+/=!-_!dr,
	quoted => '"the secret in quotes"',
	github => 'the secret of github',
	stripe => 'whsec_the secret of stripe',
	standard => "whsec_$base64",
	plain => $base64,
	square => 'the secret of square',
	other => 'the secret of another place',
	zendesk => 'the secret of zendesk',
	dated => 'the secret of a dated one',
);

my %scheme = ((map { $_ => $_ } qw/ nextpay github stripe square
		zendesk dated /), coded => 'nextpay', urlsafe => 'nextpay', quoted => 'nextpay', other => 'nextpay',
	standard => 'standard-webhooks', plain => 'standard-webhooks');

my $n = 0;
my (@requests, %expected);

sub nextpay {
	my ($key, $text) = @_;
	return [ 'X-Nextpay-Signature', unpack 'H*', hmac('sha256', $key, $text) ];
}

sub standard {
	my ($key) = @_;

	my $now = Test::Nginx::now();

	return [ 'webhook-id', 'a' ], [ 'webhook-timestamp', $now ],
		[ 'webhook-signature', 'v1,' . encode_base64(
			hmac('sha256', $key, "a.$now.$body"), '') ];
}

sub zendesk {
	my ($time) = @_;
	my $name = 'X-Zendesk-Webhook-Signature';

	return [ "$name-Timestamp", $time ], [ $name, encode_base64(
		hmac('sha256', $secret{zendesk}, "$time$body"), '') ];
}

sub dated {
	my ($time) = @_;

	return [ 'X-Time', $time ], [ 'X-Digest', unpack 'H*',
		hmac('sha256', $secret{dated}, "$time.$body") ];
}

sub square {
	my ($url) = @_;
	return [ 'X-Square-HmacSha256-Signature', encode_base64(
		hmac('sha256', $secret{square}, $url . $body), '') ];
}

sub case {
	my ($hint, $place, $sent, @headers) = @_;

	my $name = ++$n;

	push @requests, captured(url => "https://hooks.example.com/$place",
		headers => \@headers, body => $sent, name => $name);
	$expected{$name} = $hint;
}

# nothing, and everything

case('', 'nextpay', $body, nextpay($secret{nextpay}, $body));
case('none', 'nextpay', $body, nextpay('something else', $body));
case('', 'nextpay', $body);

# the body

my %bodies = (
	body_newline_added => [ $body, "$body\n" ],
	body_newline_lost => [ "$body\n", $body ],
	body_line_ends => [ "{\r\n\"id\":1}", "{\n\"id\":1}" ],
	body_bom => [ $body, "\xef\xbb\xbf$body" ],
	body_blanks => [ '{"id": "a, b", "n": [1, 2]}', '{"id":"a, b","n":[1,2]}' ],
	body_slashes => [ $body =~ s!/!\\/!gr, $body ],
	body_escapes => [ $body =~ s/é/\\u00e9/r, $body ],
	body_empty => [ '', $body ],
);

foreach my $hint (sort keys %bodies) {
	my ($signed, $sent) = @{$bodies{$hint}};
	case($hint, 'nextpay', $sent, nextpay($secret{nextpay}, $signed));
}

gzip(\$body => \my $gzip);

case('decompressed', 'nextpay', $gzip, nextpay($secret{nextpay}, $body),
	[ 'Content-Encoding', 'gzip' ]);
case('content_encoding', 'nextpay', $gzip, nextpay('something else', $body),
	[ 'Content-Encoding', 'gzip' ]);

# the secret

case('secret_blanks', 'quoted', $body, nextpay('the secret in quotes', $body));
case('secret_newline', 'nextpay', $body, nextpay("$secret{nextpay}\n", $body));
case('secret_decoded:base64', 'coded', $body, nextpay($bytes, $body));
case('secret_decoded:base64url', 'urlsafe', $body, nextpay($high, $body));
case('secret_empty', 'nextpay', $body, nextpay('', $body));
case('secret_of:hooks.example.com/other', 'nextpay', $body,
	nextpay($secret{other}, $body));
case('secret_raw', 'plain', $body, standard($base64));
case('secret_prefix', 'standard', $body, standard("whsec_$base64"));

# the form

case('encoding:base64', 'nextpay', $body, [ 'X-Nextpay-Signature',
	encode_base64(hmac('sha256', $secret{nextpay}, $body), '') ]);
case('algorithm:hmac-sha512', 'nextpay', $body, [ 'X-Nextpay-Signature',
	unpack 'H*', hmac('sha512', $secret{nextpay}, $body) ]);
case('encoding:base64-hex', 'nextpay', $body, [ 'X-Nextpay-Signature',
	encode_base64(unpack('H*', hmac('sha256', $secret{nextpay}, $body)), '') ]);
case('algorithm:hmac-md5', 'nextpay', $body, [ 'X-Nextpay-Signature',
	unpack 'H*', hmac('md5', $secret{nextpay}, $body) ]);
case('prefix', 'github', $body, [ 'X-Hub-Signature-256',
	unpack 'H*', hmac('sha256', $secret{github}, $body) ]);
case('length', 'nextpay', $body, [ 'X-Nextpay-Signature', 'abcd' x 15 ]);

my $ms = Test::Nginx::now() * 1000;

case('unit:ms', 'stripe', $body, [ 'Stripe-Signature', "t=$ms,v1="
	. unpack('H*', hmac('sha256', $secret{stripe}, "$ms.$body")) ]);

my @time = gmtime Test::Nginx::now();

case('unit:http', 'zendesk', $body, zendesk(strftime('%a, %d %b %Y %T GMT',
	@time)));
case('unit:s', 'zendesk', $body, zendesk(Test::Nginx::now()));
case('unit:http', 'dated', $body, dated(strftime('%a, %d %b %Y %T GMT',
	@time)));
case('unit:iso8601', 'dated', $body, dated(strftime('%Y-%m-%dT%T', @time)));
case('other_scheme:paystack', 'nextpay', $body, [ 'X-Paystack-Signature',
	unpack 'H*', hmac('sha512', $secret{nextpay}, $body) ]);

my @hub = [ 'X-Hub-Signature-256', 'sha256='
	. unpack 'H*', hmac('sha256', $secret{nextpay}, $body) ];

case('other_scheme:github', 'nextpay', $body, @hub,
	[ 'X-GitHub-Event', 'push' ], [ 'X-GitHub-Delivery', 'a' ]);
case('other_scheme:meta', 'nextpay', $body, @hub);

# the address

case('url_scheme', 'square', $body, square('http://hooks.example.com/square'));
case('url_host', 'square', $body, square('https://www.example.com/square'));
case('url_port', 'square', $body,
	square('https://hooks.example.com:8443/square'));
case('url_port', 'square', $body, square('https://hooks.example.com/square'),
	[ 'Host', 'hooks.example.com:8443' ]);
case('url_query', 'square?a=b', $body,
	square('https://hooks.example.com/square'));

###############################################################################

my $t = Test::Nginx->new()->has(qw/http/)->plan(@requests + 3);

my $locations = '';

foreach my $name (sort keys %secret) {
	$t->write_file("secret.$name", "$secret{$name}\n");
	chmod 0600, $t->testdir() . "/secret.$name";

	$locations .= <<"EOF_";
        location = /$name {
            webhook_verify     $scheme{$name};
            webhook_secret     file:secret.$name;
        }
EOF_
}

$t->write_file_expand('nginx.conf', <<"EOF_");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_scheme dated {
        signature  \$http_x_digest;
        timestamp  \$http_x_time unit=rfc3339;
        signed     \$http_x_time.\$request_body;
    }

    server {
        listen       127.0.0.1:8080;
        server_name  hooks.example.com www.example.com;

$locations
    }
}

EOF_

$t->run();

###############################################################################

$t->write_file('requests.json', '[' . join(',', @requests) . ']');

my %got = map { $_->{name} => join ' ', map { $_->{hint} } @{$_->{hints}} }
	webhook_check_json($t, 'verify', 'requests.json');

foreach my $name (sort { $a <=> $b } keys %expected) {
	is($got{$name}, $expected{$name},
		($expected{$name} || 'nothing') . " - $name");
}

# two causes

$t->write_file('two.json', captured(url => 'https://hooks.example.com/nextpay',
	headers => [ nextpay("$secret{nextpay}\n", $body) ], body => "$body\n"));

my ($two) = webhook_check_json($t, 'verify', 'two.json');

is(join(' ', map { $_->{hint} } @{$two->{hints}}),
	'secret_newline body_newline_added', 'two causes');

# in words

my ($status, $out) = webhook_check($t, 'verify', 'two.json');

like($out, qr/^signature\s+refused:\ signature_mismatch\n
	why\s+secret_newline:\ right\ with\ .*\n
	why\s+body_newline_added:\ right\ without\ /mx, 'in words');

unlike($out, qr/\Q$secret{nextpay}\E/, 'no secret is shown');

###############################################################################
