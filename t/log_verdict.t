#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for what the error log says of a verdict, with nothing but
# "error_log file;": why a request was refused, how old its timestamp was;
# and, once a minute for each location, that events are not deduplicated.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use MIME::Base64 qw/ encode_base64 /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $now = 1764000000;
my $secret = 'the-secret-of-this-test';

my $t = Test::Nginx->new()->has(qw/http proxy rewrite/)->has_faketime();

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    error_log  %%TESTDIR%%/error.log  debug;
    error_log  %%TESTDIR%%/stock.log;

    webhook_dedup_zone  zone=z:1m;
    webhook_secret      $secret;

    webhook_scheme body-time {
        signature  \$http_x_signature;
        timestamp  json:/time;
    }

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        webhook_dedup  zone=z;

        location = /stripe {
            webhook_verify  stripe;
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /nextpay {
            webhook_verify  nextpay;
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /body-time {
            webhook_verify  body-time;
            webhook_dedup   off;
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /key {
            webhook_verify  nextpay;
            webhook_dedup   zone=z key=\$arg_key;
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /forged {
            webhook_verify  nextpay;
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /github {
            webhook_verify  github;
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /level {
            webhook_verify     nextpay;
            webhook_log_level  warn;
            proxy_pass         http://127.0.0.1:8081;
        }

        location = /large {
            webhook_verify         nextpay;
            webhook_json_max_size  8;
            proxy_pass             http://127.0.0.1:8081;
        }

        location = /dry {
            webhook_verify   stripe;
            webhook_dry_run  on;
            proxy_pass       http://127.0.0.1:8081;
        }
    }
}

EOF

my $u = upstream(8081);

$t->clock($now);
$t->run()->plan(28);

###############################################################################

# at the level of errors

is(told('/nextpay', 'nextpay', '{"id":"a"}'), '', 'genuine');
is(told('/nextpay', 'nextpay', '{"id":"a"}'), '', 'duplicate');
is(told('/nextpay', 'nextpay', '{"id":"b"}', headers =>
	[ [ 'X-Nextpay-Signature', '0' x 64 ] ]),
	'webhook rejected: malformed_signature, scheme "nextpay"', 'two of them');
is(told('/nextpay', 'nextpay', '{"id":"b"}', secret => 'another'),
	'webhook rejected: signature_mismatch, scheme "nextpay"', 'forged');

# the age of a timestamp

is(told('/stripe', 'stripe', '{}', ts => $now - 301),
	'webhook rejected: stale_timestamp, scheme "stripe", age 301', 'stale');
is(told('/stripe', 'stripe', '{}', ts => $now + 3600),
	'webhook rejected: future_timestamp, scheme "stripe", age -3600',
	'ahead');
is(told('/dry', 'stripe', '{}', ts => 1e9), 'webhook rejected, dry run: '
	. 'stale_timestamp, scheme "stripe", age ' . ($now - 1e9), 'dry run');
is(told('/body-time', undef, '{"time":' . ($now - 600) . '}'),
	'webhook rejected: stale_timestamp, scheme "body-time", age 600',
	'in the body');
is(told('/stripe', 'stripe', '{}', ts_text => '12'),
	'webhook rejected: malformed_timestamp, scheme "stripe"', 'no timestamp');

# what a signature should be like: a length is no secret

my $rejected = 'webhook rejected: malformed_signature, scheme "nextpay", ';
my $wanted = ' characters where 64 of hex are wanted';

foreach my $case ([ '0' x 71, 71, 'longer' ], [ '0' x 40, 40, 'SHA-1' ],
	[ 'x' x 64, 64, 'no hex' ],
	[ encode_base64('x' x 32, ''), 44, 'base64' ])
{
	is(told('/forged', undef, '{}', signature => $case->[0]),
		"$rejected$case->[1]$wanted", $case->[2]);
}

is(told('/github', undef, '{}', signature => '0' x 64), 'webhook rejected: '
	. 'malformed_signature, scheme "github", nothing begins with "sha256="',
	'no prefix');

# genuine to the last byte of the header, but not of the body

$t->clock($now);

my $c = request(uri => '/stripe', body => '{"id":"slow"', length => 13,
	headers => [ sign('stripe', $secret, '{"id":"slow"}') ], send_only => 1);

$t->wait_access('/stripe');
$t->clock($now + 361);
$c->send('}');

is($c->response()->{status}, 401, 'slow body');
is(last_line(), 'webhook rejected: stale_timestamp, scheme "stripe", age 361',
	'slow body - age when it was refused');

# events that are not deduplicated

$t->clock($now);

my $told = 'webhook is not deduplicated';

is(told('/nextpay', 'nextpay', '{"type":"a"}'), "$told: missing_id, scheme "
	. '"nextpay", requests: 1', 'no id');
is(told('/nextpay', 'nextpay', '{"type":"b"}'), '', 'the next - not told');
is(told('/nextpay', 'nextpay', 'c'), '', 'of another kind - not told');

is(told('/key?key=', 'nextpay', '{"id":"k"}'), "$told: no_key, scheme "
	. '"nextpay", requests: 1', 'empty key');
is($u->last()->{body}, '{"id":"k"}', 'empty key - proxied');
is(told('/key?key=x', 'nextpay', '{"id":"k"}'), '', 'key');
is(told('/large', 'nextpay', '{"id":"long"}'), "$told: json_too_large, scheme "
	. '"nextpay", requests: 1', 'another location');
is(told('/level', 'nextpay', '{}'), '', 'a level that is not seen');
like(($t->lines(qr/$told/))[-1], qr/\[warn\].*request: "POST \/level /,
	'at that level');

$t->clock($now + 59);
is(told('/nextpay', 'nextpay', '[]'), '', 'less than a minute later');

$t->clock($now + 60);
is(told('/nextpay', 'nextpay', '[1]'), "$told: missing_id, scheme "
	. '"nextpay", requests: 4', 'a minute later, and how many');

is(scalar($t->lines(qr/$secret/, name => 'stock.log')), 0, 'no secret');

###############################################################################

# what the log has got meanwhile

sub told {
	my ($uri, $scheme, $body, %opts) = @_;

	my $from = $t->log_pos('stock.log');
	my $key = delete $opts{secret} || $secret;

	my $signature = $opts{signature}
		|| unpack 'H*', hmac('sha256', $key, $body);

	my $r = $scheme ? deliver($scheme, $key, $body, uri => $uri, %opts)
		: request(uri => $uri, body => $body, headers => [ map { [ $_,
			$signature ] } qw/ X-Signature X-Nextpay-Signature
			X-Hub-Signature-256 / ]);

	return join ' ', map { text($_) }
		$t->lines(qr/webhook/, name => 'stock.log', from => $from);
}

sub last_line {
	return text(($t->lines(qr/webhook/, name => 'stock.log'))[-1]);
}

sub text {
	my ($line) = @_;

	return $line =~ /\[error\] \S+ \*\d+ (.*?), client: / ? $1 : $line;
}

###############################################################################
