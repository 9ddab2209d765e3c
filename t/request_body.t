#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the body: however it arrives and wherever nginx keeps it, the
# upstream gets exactly the bytes that were signed, or nothing.

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

my $secret = 'a secret of the body test';
my $now = 1764000000;

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faketime()->plan(107);

$t->write_file_expand('nginx.conf', <<'EOF');

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    log_format  verdict  '$uri $status "$webhook_status" $request_length';
    access_log  %%TESTDIR%%/verdict.log  verdict;

    webhook_dedup_zone  zone=events:1m;

    webhook_scheme hooks {
        signature  $http_x_signature;
        signed     "$http_x_id.$request_body";
        event_id   $http_x_id;
    }

    webhook_scheme timed from=hooks {
        timestamp  $http_x_timestamp;
        tolerance  5m;
        signed     "$http_x_id.$http_x_timestamp.$request_body";
    }

    webhook_verify  hooks;
    webhook_secret  "a secret of the body test";
    webhook_dedup   zone=events key=body;

    add_header  X-Verdict  "$webhook_status $webhook_reason"  always;

    proxy_http_version  1.1;
    proxy_set_header    X-File  $request_body_file;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        client_max_body_size     1m;
        client_body_buffer_size  1k;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /large {
            client_body_buffer_size  1m;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /clean {
            client_body_in_file_only  clean;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /on {
            client_body_in_file_only  on;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /single {
            client_body_in_single_buffer  on;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /unbuffered {
            proxy_request_buffering  off;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /http10 {
            proxy_http_version  1.0;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /limit {
            client_max_body_size  1000;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /timed {
            webhook_verify  timed;
            proxy_pass  http://127.0.0.1:8081;
        }
    }
}

EOF

my $u = upstream(8081);

$t->clock($now)->run();

my @places = qw( / /large /clean /on /single /unbuffered /http10 );
my $ids = 0;
my $in_file;

###############################################################################

# how it arrives

my $text = '{"id":"1","note":"the body of an event"}';

checks('one packet', $text);
checks('later packet', $text, pieces => []);
checks('two later packets', $text, pieces => [ 7 ]);
checks('byte by byte', $text, pieces => 'bytes');
checks('with the last byte late', $text, pieces => [ length($text) - 1 ]);

checks('HTTP/1.0', $text, http => '1.0');
checks('HTTP/1.0 in pieces', $text, http => '1.0', pieces => [ 1, 20 ]);
checks('HTTP/1.0, empty', '', http => '1.0');
checks('HTTP/1.0, empty, no Content-Length', '', http => '1.0',
	length => undef);

checks('Content-Length: 0', '');
checks('no Content-Length', '', length => undef);
checks('GET with a body', $text, method => 'GET');
checks('GET without one', '', method => 'GET');
checks('PUT', $text, method => 'PUT');

checks('bytes of all kinds', join '', map { chr } reverse 0 .. 255);
checks('ends of lines', "\r\n\r\n0\r\n\r\n\n");

# chunks

checks('one chunk', $text, chunked => 1);
checks('chunks', $text, chunked => [ 1, 5, 17 ]);
checks('chunks of one byte', $text, chunked => [ (1) x length $text ]);
checks('chunks of one byte, byte by byte', $text,
	chunked => [ (1) x length $text ], pieces => 'bytes', quick => 1);
checks('chunks and packets with different cuts', $text,
	chunked => [ 10, 10, 10 ], pieces => [ 1, 3, 9, 4, 2, 8 ]);
checks('no chunk', '', chunked => 1);
checks('no chunk, byte by byte', '', chunked => 1, pieces => 'bytes');

my @raw = (
	[ 'chunk extensions', sub { chunks($_[0], ';a=b;c="d e"', 9) } ],
	[ 'extension that looks like a chunk',
		sub { chunks($_[0], ';5=00', 11) } ],
	[ 'leading zeroes and upper case',
		sub { sprintf "000%X\r\n%s\r\n0\r\n\r\n", length $_[0], $_[0] } ],
	[ 'trailers', sub {
		(my $s = chunks($_[0], '', 13))
			=~ s/\r\n\z/X-Signature: 00\r\nX-Id: x\r\n\r\n/;
		return $s;
	} ],
);

foreach my $raw (@raw) {
	my ($name, $code) = @$raw;

	checks($name, $text, raw => $code);
	checks("$name, in pieces", $text, raw => $code,
		pieces => [ map { 3 } 1 .. 30 ]);
}

# edges of the digest's blocks and of the buffer

foreach my $n (1, 55, 56, 63, 64, 65, 127, 128, 1023, 1024, 1025) {
	checks("$n bytes", pattern($n), quick => 1);
	checks("$n bytes in a later packet", pattern($n), quick => 1,
		pieces => []);
	checks("$n bytes in chunks", pattern($n), quick => 1,
		chunked => [ 1, 30, 33, 64 ], pieces => [ 20, 50 ]);
}

# a temporary file, with another byte in any part of it

my $big = pattern(200000);

foreach my $flip (0, 1023, 1024, 1025, 65536, 131071, 199999) {
	checks("large, byte $flip", $big, flip => $flip, file => 1);
}

checks('large in pieces', $big, flip => 100000, file => 1,
	pieces => [ 1, 999, 24, 1, 70000 ]);
checks('large in chunks', $big, flip => 100000, file => 1,
	chunked => [ 1, 1023, 1, 65536, 65537 ], pieces => [ 5, 70000 ]);

# what the header refuses has no body read, what it does not may send it

my ($r, $c) = expects(uri => '/', good => 1);
is($r->{status}, 100, '100 Continue');
is($u->count(), 0, '100 Continue, nothing proxied');
is(verdict($c->send($text)->response()), '200 PASSED 1',
	'body after 100 Continue');

($r, $c) = expects(uri => '/', good => 1);
is($r->{status} . ' ' . verdict($c->send(flip($text))->response()),
	'100 401 REJECTED signature_mismatch 0', 'forged after 100 Continue');

($r, $c) = expects(uri => '/');
is(verdict($r), '401 REJECTED missing_signature 0',
	'no 100 Continue for what the header refuses');

# too large

refused('too large', 413, pattern(1001), uri => '/limit');
refused('too large, later', 413, pattern(1001), uri => '/limit',
	pieces => [ 500 ]);
refused('too large in chunks', 413, pattern(1001), uri => '/limit',
	chunked => [ 600 ]);
refused('too large in later chunks', 413, pattern(1001), uri => '/limit',
	chunked => [ 600 ], pieces => [ 500, 100 ]);
checks('as large as may be', pattern(1000), uri => '/limit', quick => 1);
checks('as large as may be in chunks', pattern(1000), uri => '/limit',
	chunked => [ 600 ], quick => 1);

# cut off

foreach my $case (
	[ 'cut off', length => length($text) ],
	[ 'cut off in a chunk', raw => sub { sprintf "%x\r\n%s",
		length($text), substr($text, 0, 20) } ],
	[ 'cut off after a chunk', raw => sub { sprintf "%x\r\n%s\r\n",
		length($text), $text } ],
	[ 'cut off before the last line', raw => sub {
		substr(chunks($text, '', 10), 0, -2) } ])
{
	my ($name, %opts) = @$case;

	foreach my $how (qw/ close half_close abort /) {
		my %event = (uri => "/cut/$how", event($text));

		$u->reset();
		my $from = $t->log_pos('verdict.log');

		my $c = send_event(%event, %opts, send_only => 1,
			!$opts{raw} ? (body => substr($text, 0, 20)) : ());
		$c->pause(0.02)->$how();

		my $line = $t->wait_log(qr!/cut/$how!, name => 'verdict.log',
			from => $from);
		like($line || '', qr/ (?:400|499) /, "$name, $how - ended")
			if $how eq 'close';

		is($u->connections() . '; ' . state(%event),
			'0; 200 PASSED 1; 200 DUPLICATE already_delivered 0',
			"$name, $how");
	}
}

# so slow that the window closes meanwhile: it is judged again, with a minute
# of grace

foreach my $case ([ 0, 360, '200 PASSED 1' ],
	[ 0, 361, '401 REJECTED stale_timestamp 0' ],
	[ 300, 60, '200 PASSED 1' ],
	[ 300, 61, '401 REJECTED stale_timestamp 0' ],
	[ -300, 660, '200 PASSED 1' ],
	[ -300, 661, '401 REJECTED stale_timestamp 0' ])
{
	my ($age, $slow, $expected) = @$case;

	$t->clock($now);

	my ($r, $c) = expects(uri => '/timed', ts => $now - $age);

	$t->clock($now + $slow);
	$c->send(substr($text, 0, 10), substr($text, 10));

	is($r->{status} . ' ' . verdict($c->response()), "100 $expected",
		"age $age, body after $slow seconds");
}

$t->clock($now);

# any way to cut it

my $seed = defined $ENV{TEST_SEED} ? $ENV{TEST_SEED} : time() ^ $$;
diag("random cuts, TEST_SEED=$seed") if $ENV{TEST_SEED};
srand($seed);

my @wrong;
my $random = join '', map { chr(rand(256)) } 1 .. 3000;

foreach (1 .. 60) {
	my @cuts = map { [ map { 1 + int(rand(rand() < 0.5 ? 40 : 900)) }
		1 .. rand(12) ] } 1 .. 2;
	my %opts = (uri => $places[rand @places], pieces => $cuts[0],
		delay => 0.001, rand() < 0.5 ? (chunked => $cuts[1]) : ());
	my $flip = int(rand(length $random));

	my $got = check($random, %opts, flip => $flip);

	push @wrong, "$got: $opts{uri}, byte $flip, pieces @{$cuts[0]}"
		. ($opts{chunked} ? ", chunks @{$cuts[1]}" : '')
		unless $got eq good();
}

is(join("\n", @wrong), '', 'random cuts') or diag("TEST_SEED=$seed");

###############################################################################

# in all places, or in some: one byte differs, as it was signed, once more

sub checks {
	my ($name, $body, %opts) = @_;

	my $quick = delete $opts{quick};
	my $file = delete $opts{file};

	my @at = defined $opts{uri} ? delete $opts{uri}
		: $quick ? qw( / /large /single ) : @places;

	my @wrong;

	foreach my $uri (@at) {
		my $got = check($body, %opts, uri => $uri);
		push @wrong, "$uri: $got" unless $got eq good();

		next unless ($file and $uri ne '/large')
			or ($uri =~ m!^/(?:clean|on)$! and $body ne '');

		push @wrong, "$uri: not in a file" unless $in_file;
	}

	is(join("\n", @wrong), '', $name);
}

sub good {
	return '401 REJECTED signature_mismatch 0; 200 PASSED 1;'
		. ' 200 DUPLICATE already_delivered 0';
}

sub check {
	my ($body, %opts) = @_;

	my $flip = delete $opts{flip};
	$opts{delay} = 0.002 if ref $opts{pieces} and !$opts{delay};

	my %event = (%opts, event($body));

	my $other = $body eq '' ? 'x' : flip($body, $flip);

	$u->reset();

	my $r = send_event(%event, body => $other,
		$body eq '' && exists $opts{length} ? (length => 1) : ());
	my $got = verdict($r);

	$got .= ", connected" if $u->connections();

	return "$got; " . state(%event);
}

# passes, once, as it was sent

sub state {
	my (%event) = @_;

	$u->reset();
	my $got = verdict(send_event(%event));

	my $req = $u->last();

	if ($req) {
		$got .= ', other body' if $req->{body} ne $event{body};
		$got .= ', not whole' if $req->{state} ne 'complete';

		my $file = Test::Nginx::Upstream::header($req, 'X-File');
		$in_file = defined $file && $file ne '';
	}

	$u->reset();

	return "$got; " . verdict(send_event(%event));
}

sub refused {
	my ($name, $status, $body, %opts) = @_;

	my %event = (%opts, event($body));

	$u->reset();
	my $got = send_event(%event)->{status} . ' ' . $u->connections();

	# elsewhere it is not too large

	is("$got; " . state(%event, uri => '/'), "$status 0; 200 PASSED 1;"
		. ' 200 DUPLICATE already_delivered 0', $name);
}

sub event {
	my ($body, %opts) = @_;

	my $id = 'event-' . ++$ids;
	my @ts = defined $opts{ts} ? $opts{ts} : ();

	my $digest = unpack 'H*', hmac('sha256', $secret,
		join('.', $id, @ts, $body));

	return (body => $body, headers => [ [ 'X-Id', $id ],
		(map { [ 'X-Timestamp', $_ ] } @ts),
		[ 'X-Signature', $digest ] ]);
}

sub send_event {
	my (%opts) = @_;

	my $raw = delete $opts{raw};

	if ($raw) {
		push @{$opts{headers} = [ @{$opts{headers}} ]},
			[ 'Transfer-Encoding', 'chunked' ];
		$opts{length} = undef;
		$opts{body} = $raw->($opts{body});
	}

	return request(%opts);
}

sub expects {
	my (%opts) = @_;

	my %event = event($text, %opts);
	my @headers = @{$event{headers}};

	@headers = grep { $_->[0] ne 'X-Signature' } @headers
		unless $opts{good} or $opts{ts};

	$u->reset();

	my $c = request(uri => $opts{uri}, length => length $text,
		headers => [ @headers, [ 'Expect', '100-continue' ] ],
		send_only => 1);

	return ($c->response(interim => 1), $c);
}

sub verdict {
	my ($r) = @_;

	my $verdict = $r->header('X-Verdict');
	$verdict = '' unless defined $verdict;

	return "$r->{status} $verdict " . $u->count();
}

sub chunks {
	my ($body, $ext, $size) = @_;

	return join '', (map { sprintf "%x%s\r\n%s\r\n", length $_, $ext, $_ }
		$body =~ /(.{1,$size})/sg), "0$ext\r\n\r\n";
}

###############################################################################
