#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for webhook_diagnose in requests of all kinds: over HTTP/1.0, in chunks,
# mirrored, pipelined, over HTTP/2 in pieces; the answer is out before the cause
# is looked for.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::HTTP2;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $now = 1764000000;
my $secret = 'the-secret-of-the-test';
my $body = '{"id":"a"}';

my $t = Test::Nginx->new()->has(qw/http http_v2 proxy/)->has_faketime()
	->plan(19);

$t->write_file_expand('nginx.conf', <<"EOF_");

%%TEST_GLOBALS%%

worker_processes  1;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    log_format  hints  '"\$http_x_case" "\$webhook_hint"';
    access_log  %%TESTDIR%%/hints.log  hints;

    webhook_verify    nextpay;
    webhook_secret    $secret;
    webhook_diagnose  on;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /mirrored {
            mirror      /mirror;
            proxy_pass  http://127.0.0.1:8081;
        }

        location = /mirror {
            internal;
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8081;
        }
    }

    server {
        listen       127.0.0.1:8082 http2;
        server_name  localhost;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }
    }
}

EOF_

my $u = upstream(8081);

$t->clock($now)->run();

###############################################################################

my $n = 0;
my @wrong = ([ 'X-Nextpay-Signature', unpack 'H*',
	hmac('sha256', $secret, $body) ]);
my @sent = (body => "$body\n");

foreach my $case (
	[ 'as usual' ],
	[ 'HTTP/1.0', http => '1.0' ],
	[ 'chunks', chunked => 1 ],
	[ 'mirrored', uri => '/mirrored' ],
) {
	my ($name, @opts) = @$case;

	is(request(next_one(), @sent, @opts)->{status}, 401, "$name - answer");
	is(hint(), 'body_newline_added', $name);
}

is($u->count(), 0, 'nothing is passed on');

# pipelined: what is wrong, and what is genuine

my $client = client();
my @first = next_one();
my @second = next_one();

request(@first, @sent, client => $client, send_only => 1);
request(@second, body => $body, client => $client, send_only => 1);

is($client->response()->{status} . ' ' . $client->response()->{status},
	'401 200', 'pipelined - answers');
is($u->last()->{body}, $body, 'pipelined - body');
is(hint($n - 1) . ' ' . hint(), 'body_newline_added -', 'pipelined');

# HTTP/2, of two streams that are mixed

my $c = h2_connect(8082);
@first = next_one();
@second = next_one();

$u->reset();

$c->send(join '',
	h2_headers(body => "$body\n", headers => $first[1]),
	h2_headers(body => $body, headers => $second[1], stream => 3),
	h2_frames("$body\n", cuts => [ 3 ], open => 1),
	h2_frames($body, stream => 3),
	h2_frames(substr("$body\n", 3)));

my $status = h2_statuses($c, 1, 3);

is("$status->{1} $status->{3}", '401 200', 'HTTP/2 - answers');
is($u->last()->{body}, $body, 'HTTP/2 - body');
is(hint($n - 1) . ' ' . hint(), 'body_newline_added -', 'HTTP/2');

# the answer is sent, and then looked at

SKIP: {
	skip 'no --with-debug', 4
		unless $t->configure_args() =~ /--with-debug/;

	foreach my $port (8080, 8082) {
		my $from = $t->log_pos();

		if ($port == 8080) {
			request(next_one(), @sent);

		} else {
			my $c = h2_connect(8082);
			$c->send(join '', h2_headers(body => "$body\n",
				headers => (next_one())[1]), h2_frames("$body\n"));
			h2_statuses($c, 1);
		}

		hint();

		my @lines = map { /webhook hint: body/ ? 'hint'
			: /(?:writev|send): \d+ of \d+|SSL_write/ ? 'sent' : () }
			$t->lines(qr/\[/, from => $from);

		is(scalar(grep { $_ eq 'hint' } @lines), 1, "$port - a hint");
		is($lines[0], 'sent', "$port - behind the answer");
	}
}

###############################################################################

# headers of a request that has a number of its own; a second later, as there
# is one diagnosis in a second

sub next_one {
	$n++;
	$t->clock($now += 1);

	return headers => [ @wrong, [ 'X-Case', "case $n" ] ];
}

sub hint {
	my ($number) = @_;

	$number = $n unless defined $number;

	my ($line) = $t->logged("case $number", name => 'hints.log');
	return $line =~ /"([^"]*)"$/ ? $1 : $line;
}

###############################################################################
