#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for what follows a refusal on the same connection: the next request is
# served as itself, or the connection is closed.  Nothing of a body that was
# refused is ever taken for a request.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy map rewrite/)->has_faketime()
	->plan(101);

my $secret = 'a secret of the keepalive test';
my $now = 1764000000;

$t->write_file_expand('nginx.conf', <<'EOF');

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;

    webhook_scheme hooks {
        signature  $http_x_signature;
        timestamp  $http_x_timestamp;
        signed     "$http_x_id.$http_x_timestamp.$request_body";
        event_id   $http_x_id;
        event_type json:/type;
        secret     encoding=hex;
    }

    map $http_x_broken $broken {
        default  "%%SECRET%%";
        1        "not hex";
    }

    webhook_verify  hooks;
    webhook_secret  $broken;
    webhook_dedup   zone=events key=keepalive;
    webhook_events  known;

    add_header  X-Verdict  "$webhook_status $webhook_reason"  always;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        client_body_buffer_size  1k;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /limit {
            client_max_body_size  100;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /unbuffered {
            proxy_http_version       1.1;
            proxy_request_buffering  off;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /next {
            webhook_verify  off;
            return 200 "next\n";
        }

        location /smuggled {
            webhook_verify  off;
            proxy_pass  http://127.0.0.1:8081;
        }
    }
}

EOF

my $hex = unpack 'H*', $secret;

(my $conf = $t->read_file('nginx.conf')) =~ s!%%SECRET%%!$hex!;
$t->write_file('nginx.conf', $conf);

my $u = upstream(8081);

$t->clock($now)->run();

my $ids = 0;

# a body that is a request, if it is taken for one: short, and too long for
# the buffers

my $smuggled = "POST /smuggled HTTP/1.1\r\nHost: localhost\r\n"
	. "Content-Length: 0\r\n\r\n";

my %bodies = (
	'short' => $smuggled,
	'long' => $smuggled x 300,
);

###############################################################################

my @refusals = (
	[ 'no signature', 401, 'missing_signature',
		[ 'X-Signature', undef ] ],
	[ 'malformed signature', 401, 'malformed_signature',
		[ 'X-Signature', 'x' ] ],
	[ 'stale', 401, 'stale_timestamp', [ 'X-Timestamp', $now - 301 ] ],
	[ 'forged', 401, 'signature_mismatch', [ 'X-Signature', '00' x 32 ] ],
	[ 'secret that does not decode', 503, 'internal_error',
		[ 'X-Broken', 1 ] ],
);

foreach my $refusal (@refusals) {
	my ($name, $status, $reason, $header) = @$refusal;

	foreach my $size (sort keys %bodies) {
		foreach my $chunked (0, 1) {
			foreach my $sent (qw/ whole later split /) {
				follow($name, $status, $reason, $header,
					$size, $chunked, $sent);
			}
		}
	}
}

# a body that is not sent: it belongs to the refused request whenever it comes

foreach my $refusal (@refusals[0 .. 2]) {
	my ($name, $status, $reason, $header) = @$refusal;

	$u->reset();

	my %req = event($smuggled, $header);
	my $c = request(%req, keepalive => 1, send_only => 1, body => '',
		length => length $smuggled);

	is($c->response()->{status}, $status, "$name, body not sent");

	$c->send($smuggled);
	$c->send("GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n");

	next_one($c, "$name, body sent after the answer");
	is($u->count(), 0, "$name, body sent after the answer, not proxied");

	# or never

	$c = request(%req, keepalive => 1, send_only => 1, body => '',
		length => length $smuggled);
	$c->response();
	$c->half_close();

	SKIP: {
		skip 'nginx 1.18 waits for more in vain', 1
			unless $t->has_version('1.19.0');

		ok($c->closed(10), "$name, body never sent");
	}
}

# what ends well, and a duplicate

foreach my $size (sort keys %bodies) {
	foreach my $uri ('/', '/unbuffered') {
		my $text = $bodies{$size};
		my %req = (event($text), uri => $uri);

		$u->reset();

		my $r = request(%req, keepalive => 1);
		is(told($r), '200 PASSED', "$uri, $size, passed");

		$r = request(%req, client => $r->{client});
		is(told($r), '200 DUPLICATE already_delivered',
			"$uri, $size, duplicate");

		next_one($r->{client}->send("GET /next HTTP/1.1\r\n"
			. "Host: localhost\r\n\r\n"), "$uri, $size", 1);
		is($u->count(), 1, "$uri, $size, one proxied");
	}
}

# ignored

{
	my %req = event('{"type":"other"}');

	$u->reset();

	my $r = request(%req, keepalive => 1);
	is(told($r), '200 IGNORED event_type', 'ignored');
	next_one($r->{client}->send("GET /next HTTP/1.1\r\n"
		. "Host: localhost\r\n\r\n"), 'ignored', 1);
	is($u->count(), 0, 'ignored, not proxied');
}

# too large

foreach my $chunked (0, 1) {
	my %req = (event($bodies{long}), uri => '/limit',
		chunked => $chunked);

	$u->reset();

	my $c = request(%req, keepalive => 1, send_only => 1);
	$c->send("GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n");

	is($c->response()->{status}, 413, "too large, chunked $chunked");
	next_one($c, "too large, chunked $chunked");
	is($u->count(), 0, "too large, chunked $chunked, not proxied");
}

# pipelined

foreach my $body ('', $smuggled) {
	my @events = map { { event($body, $_) } } [ 'X-Signature', '00' x 32 ],
		undef, [ 'X-Signature', undef ], undef, [ 'X-Broken', 1 ],
		undef, undef;
	$events[-1] = $events[-2];

	$u->reset();

	my $c = client();
	$c->send(join '', map { raw(%$_) } @events);

	my @got = map { my $r = $c->response(timeout => 10);
		$r ? told($r) : 'closed' } @events;

	is(join('; ', @got), '401 REJECTED signature_mismatch; 200 PASSED;'
		. ' 401 REJECTED missing_signature; 200 PASSED;'
		. ' 503 UNAVAILABLE internal_error; 200 PASSED;'
		. ' 200 DUPLICATE already_delivered',
		'pipelined, ' . length($body) . ' bytes');
	is(join(' ', map { $_->{uri} } $u->requests()), '/ / /',
		'pipelined, ' . length($body) . ' bytes, proxied');
}

###############################################################################

# refused on a connection that goes on: in one packet with what follows, or in
# several

sub follow {
	my ($name, $status, $reason, $header, $size, $chunked, $sent) = @_;

	my $text = $bodies{$size};
	my %req = event($text, $header);
	my $what = "$name, $size" . ($chunked ? ', chunked' : '') . ", $sent";

	$u->reset();

	my $raw = raw(%req, chunked => $chunked);
	my $next = "GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n";
	my $head = index($raw, "\r\n\r\n") + 4;

	my @pieces = $sent eq 'whole' ? ($raw . $next)
		: $sent eq 'later' ? (substr($raw, 0, $head),
			substr($raw, $head) . $next)
		: (substr($raw, 0, $head + 10), substr($raw, $head + 10, 30),
			substr($raw, $head + 40), $next);

	my $c = client();

	foreach (@pieces) {
		$c->send($_) or last;
		$c->pause();
	}

	my $r = $c->response(timeout => 10);
	my $got = $r ? told($r) : 'closed';
	my $expected = "$status " . ($status == 503 ? 'UNAVAILABLE'
		: 'REJECTED') . " $reason";

	# the next one is answered, or none is

	my $after = $r ? $c->response(timeout => 10) : undef;
	$got .= "; $after->{status} $after->{body}" if $after and
		$after->{body} ne "next\n";
	$got .= '; more' if $after and $c->rest() ne '';
	$got .= '; neither answered nor closed' if !$after and !$c->closed();
	$got .= '; not said to be closed' if !$after and $r
		and ($r->header('Connection') || '') ne 'close'
		and $text eq $bodies{short};

	is("$got; " . $u->connections(), "$expected; 0", $what);
}

sub next_one {
	my ($c, $name, $must) = @_;

	my $r = $c->response(timeout => 10);

	if ($r) {
		is("$r->{status} $r->{body}" . $c->rest(), "200 next\n",
			"$name, next one");

	} else {
		ok(!$must && $c->closed(), "$name, closed");
	}
}

sub told {
	my ($r) = @_;

	my $verdict = $r->header('X-Verdict');
	$verdict = '' unless defined $verdict;

	return "$r->{status} $verdict";
}

sub raw {
	my (%req) = @_;

	my $body = $req{chunked} ? join '', (map { sprintf "%x\r\n%s\r\n",
		length $_, $_ } $req{body} =~ /(.{1,1000})/sg), "0\r\n\r\n"
		: $req{body};

	return "POST $req{uri} HTTP/1.1\r\nHost: localhost\r\n"
		. join('', map { "$_->[0]: $_->[1]\r\n" } @{$req{headers}})
		. ($req{chunked} ? "Transfer-Encoding: chunked\r\n"
			: 'Content-Length: ' . length($body) . "\r\n")
		. "\r\n$body";
}

sub event {
	my ($text, $header) = @_;

	my $id = 'event-' . ++$ids;

	my %headers = (
		'X-Id' => $id,
		'X-Timestamp' => $now,
		$header ? @$header : ()
	);

	my $digest = unpack 'H*', hmac('sha256', $secret,
		"$id.$headers{'X-Timestamp'}.$text");

	$headers{'X-Signature'} = $digest
		unless exists $headers{'X-Signature'};

	return (uri => '/', body => $text, headers => [
		map { [ $_, $headers{$_} ] } grep { defined $headers{$_} }
		sort keys %headers ]);
}

###############################################################################
