#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for bodies over HTTP/2: in frames of any length, padded, in a temporary
# file, ended by an empty frame, or never.

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

my $t = Test::Nginx->new()->has(qw/http http_v2 proxy/)->has_faketime()
	->plan(53);

my $secret = 'a secret of the HTTP/2 test';
my $now = 1764000000;

$t->write_file_expand('nginx.conf', <<'EOF');

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    log_format  verdict  '$http_x_id $status "$webhook_status"';
    access_log  %%TESTDIR%%/verdict.log  verdict;

    webhook_dedup_zone  zone=events:1m;

    webhook_scheme hooks {
        signature  $http_x_signature;
        timestamp  $http_x_timestamp;
        signed     "$http_x_id.$http_x_timestamp.$request_body";
        event_id   $http_x_id;
    }

    webhook_verify  hooks;
    webhook_secret  "a secret of the HTTP/2 test";
    webhook_dedup   zone=events key=http2;

    client_body_buffer_size  16k;
    client_max_body_size     4m;

    proxy_set_header  X-File  $request_body_file;

    server {
        listen       127.0.0.1:8080 http2;
        listen       127.0.0.1:8082;
        server_name  localhost;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /unbuffered {
            proxy_http_version       1.1;
            proxy_request_buffering  off;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /single {
            client_body_in_single_buffer  on;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /limit {
            client_max_body_size  1000;
            proxy_pass  http://127.0.0.1:8081;
        }
    }
}

EOF

my $u = upstream(8081);

$t->clock($now)->run();

my $ids = 0;
my $good = '401 0; 200 1; 200 0';
my @places = qw( / /unbuffered /single );

###############################################################################

my $text = '{"id":"of no importance"}';

foreach my $uri (@places) {
	checks("$uri: one frame", $uri, $text);
	checks("$uri: no body", $uri, '');
	checks("$uri: no body, empty frame", $uri, '', cuts => []);
	checks("$uri: frames of one byte", $uri, $text,
		cuts => [ (1) x length $text ]);
	checks("$uri: padded", $uri, $text, cuts => [ 5, 7 ], pad => 100);
	checks("$uri: padding alone", $uri, '', cuts => [], pad => 255);
	checks("$uri: ended by an empty frame", $uri, $text,
		cuts => [ 3, 9, 13 ], empty => 1);
	checks("$uri: no Content-Length", $uri, $text, cuts => [ 3, 9 ],
		length => undef);
	checks("$uri: in packets", $uri, $text, cuts => [ 3, 9 ], slow => 1,
		length => undef);

	my $big = pattern(60000);

	checks("$uri: large", $uri, $big, cuts => [ (9000) x 5 ],
		flip => 30000);
	checks("$uri: large, no Content-Length", $uri, $big,
		cuts => [ (9000) x 5 ], flip => 59999, length => undef);
}

# what is too large, or of another length than was said

foreach my $case (
	[ 'too large', 413, '/limit', pattern(1001) ],
	[ 'too large, no Content-Length', 413, '/limit', pattern(1001),
		length => undef, cuts => [ 600 ] ],
	[ 'longer than it says', '400|reset', '/', $text, length => 5 ],
	[ 'shorter than it says', '400|reset', '/', $text, length => 100 ])
{
	my ($name, $status, $uri, $body, %opts) = @$case;

	my %event = (event($body), uri => $uri);

	$u->reset();
	my $got = ask(%event, %opts) . ' ' . $u->connections();

	like("$got; " . passes(%event, uri => '/'),
		qr/^(?:$status) 0; 200 1; 200 0$/, $name);
}

# the stream is reset, or the connection is closed, in the middle

foreach my $case ([ 'reset', $text, [ 5 ] ],
	[ 'reset, large', pattern(60000), [ (9000) x 6 ] ],
	[ 'closed', $text, [ 5 ] ], [ 'closed, large', pattern(60000),
	[ (9000) x 6 ] ])
{
	my ($how, $body, $cuts) = @$case;

	my %event = event($body);
	my $c = h2_connect();

	$u->reset();

	$c->send(h2_headers(%event), h2_frames($body, cuts => $cuts, open => 1));
	$c->pause(0.02);

	if ($how =~ /reset/) {
		$c->send(h2_frame(3, 0, 1, pack 'N', 8));
	} else {
		$c->close();
	}

	ok($t->wait_log(qr/^$event{id} /, name => 'verdict.log'),
		"$how - ended");

	is($u->connections() . '; ' . passes(%event), '0; 200 1; 200 0', $how);
}

# many at once on a connection: each is judged for itself

my @events = map { { event("$text$_") } } 1 .. 20;
my $c = h2_connect();
my @todo = map { [ h2_frames($events[$_]{body} . ($_ % 3 ? '' : 'x'),
	cuts => [ 1, 2, 3 ], stream => $_ * 2 + 1) ] } 0 .. $#events;

$u->reset();

$c->send(join '', map { h2_headers(%{$events[$_]}, stream => $_ * 2 + 1,
	length => undef) } 0 .. $#events);

while (grep { @$_ } @todo) {
	$c->send(join '', map { @$_ ? shift @$_ : () } @todo);
}

my $status = h2_statuses($c, map { $_ * 2 + 1 } 0 .. $#events);

is(join(' ', map { $status->{$_ * 2 + 1} } 0 .. $#events),
	join(' ', map { $_ % 3 ? 200 : 401 } 0 .. $#events), 'streams');
is(join(' ', sort map { $_->{body} } $u->requests()),
	join(' ', sort map { $events[$_]{body} } grep { $_ % 3 }
	0 .. $#events), 'streams, proxied');

# other clients

my $large = pattern(3000000);

SKIP: {
	skip 'no curl with HTTP/2', 3
		unless `curl -V 2>/dev/null` =~ /^Features:.* HTTP2/m;

	is(by(\&curl, $text), $good, 'curl');
	is(by(\&curl, $large), $good, 'curl, large');
	is(by(\&curl, ''), $good, 'curl, no body');
}

SKIP: {
	skip 'no nghttp', 3 unless `nghttp --version 2>/dev/null`;

	is(by(\&nghttp, $text), $good, 'nghttp');
	is(by(\&nghttp, $large), $good, 'nghttp, large');
	is(by(\&nghttp, $text, '--padding=64'), $good, 'nghttp, padded');
}

###############################################################################

sub checks {
	my ($name, $uri, $body, %opts) = @_;

	my %event = (event($body), uri => $uri, %opts);
	my $other = $body eq '' ? 'x' : flip($body, $opts{flip});

	$u->reset();
	my $got = ask(%event, body => $other) . ' ' . $u->connections();

	is("$got; " . passes(%event), $good, $name);
}

sub passes {
	my (%event) = @_;

	my @got = map { $u->reset(); ask(%event) . ' ' . told($event{body}) }
		1 .. 2;

	return join '; ', @got;
}

sub told {
	my ($body) = @_;

	my $last = $u->last() or return 0;

	return $u->count() . ($last->{body} eq $body ? '' : ' other body');
}

sub by {
	my ($code, $body, @args) = @_;

	my %event = event($body);
	my @got;

	foreach my $text ($body eq '' ? 'x' : flip($body), $body, $body) {
		$u->reset();
		$t->write_file('body', $text);
		push @got, $code->([ map { "$_->[0]: $_->[1]" }
			@{$event{headers}} ], $t->testdir() . '/body', @args)
			. ' ' . told($body);
	}

	return join '; ', @got;
}

sub curl {
	my ($headers, $file) = @_;

	return output('curl', '-s', '--http2-prior-knowledge', '-m', '20',
		'-o', '/dev/null', '-w', '%{http_code}', '-X', 'POST',
		(map { ('-H', $_) } @$headers), '--data-binary', "\@$file",
		'http://127.0.0.1:' . port(8080) . '/');
}

sub nghttp {
	my ($headers, $file, @args) = @_;

	return output('nghttp', '-v', '--no-push', '--timeout=20', @args,
		(map { ('-H', $_) } @$headers), '-H', ':method: POST',
		"--data=$file", 'http://127.0.0.1:' . port(8080) . '/')
		=~ /recv \(stream_id=\d+\) :status: (\d+)/ ? $1 : 'none';
}

sub output {
	my (@command) = @_;

	open my $fh, '-|', @command or return '';
	local $/;
	my $output = <$fh>;
	close $fh;

	$output = '' unless defined $output;
	$output =~ s/\e\[[\d;]*m//g;

	return $output;
}

# a client that sends frames as it is told

sub ask {
	my (%event) = @_;

	my $c = h2_connect();
	my $none = $event{body} eq '' && !$event{cuts};
	my @frames = (h2_headers(%event, end => $none),
		$none ? () : h2_frames($event{body}, %event));

	if ($event{slow}) {
		$c->send(@frames);
	} else {
		$c->send(join '', @frames);
	}

	my $status = h2_statuses($c, 1)->{1};
	$c->close();

	return $status;
}

sub event {
	my ($body) = @_;

	my $id = 'event-' . ++$ids . '-';

	return (id => $id, body => $body, headers => [ [ 'X-Id', $id ],
		[ 'X-Timestamp', $now ], [ 'X-Signature', unpack 'H*',
		hmac('sha256', $secret, "$id.$now.$body") ] ]);
}

###############################################################################
