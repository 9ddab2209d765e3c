#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for bodies over HTTP/3, by clients that know it: large ones, of unknown
# length, in pieces, broken off; and for the host, which is in no header there.

###############################################################################

use warnings;
use strict;

use IPC::Open2;
use Test::More;
use Time::HiRes qw/ sleep /;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http http_ssl http_v3 proxy/)
	->has_faketime();

my $curl = `curl -V 2>/dev/null` =~ /^Features:.* HTTP3/m;
my $gtls = `gtlsclient --help 2>/dev/null` =~ /--exit-on-all-streams-close/;

plan(skip_all => 'no client of HTTP/3: a curl that knows it, or gtlsclient')
	unless $curl or $gtls;

$t->plan(45);

my $secret = 'a secret of the HTTP/3 test';
my $now = 1764000000;

# the UDP port of that number is taken at 127.0.0.1

$t->write_file_expand('nginx.conf', <<'EOF');

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    log_format  verdict  '"$http_x_id" $webhook_hint';
    access_log  %%TESTDIR%%/verdict.log  verdict;

    webhook_dedup_zone  zone=events:1m;

    webhook_scheme hooks {
        signature  $http_x_signature;
        timestamp  $http_x_timestamp;
        signed     "$http_x_id.$http_x_timestamp.$request_body";
        event_id   $http_x_id;
    }

    webhook_scheme url {
        signature  $http_x_signature;
        signed     "https://$http_host$request_uri$request_body";
        event_id   body;
    }

    webhook_scheme arguments {
        signature  $arg_signature;
        signed     "$arg_id.$request_body";
        event_id   $arg_id;
    }

    webhook_verify  hooks;
    webhook_secret  "a secret of the HTTP/3 test";
    webhook_dedup   zone=events key=http3;

    client_body_buffer_size  16k;
    client_max_body_size     4m;

    proxy_set_header  X-Protocol  $server_protocol;

    ssl_certificate      localhost.crt;
    ssl_certificate_key  localhost.key;

    server {
        listen       127.0.0.2:%%PORT_8080%% quic;
        listen       127.0.0.1:8080;
        server_name  server.example;

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

        location /url {
            webhook_verify    url;
            webhook_diagnose  on;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /arguments {
            webhook_verify  arguments;
            proxy_pass  http://127.0.0.1:8081;
        }
    }

    server {
        listen       127.0.0.2:%%PORT_8082%% quic;
        server_name  localhost;

        # how long a client may be silent that has not said that it leaves
        keepalive_timeout  2s;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }
    }
}

EOF

certificate();

my $u = upstream(8081);

$t->clock($now)->run();

my $ids = 0;
my $good = '401 0; 200 1; 200 0';
my @places = qw( / /unbuffered /single );
my @tls = ('-k', '--http3-only',
	map { ('--resolve', 'localhost:' . port($_) . ':127.0.0.2') } 8080, 8082);

my $text = '{"id":"of no importance"}';
my $big = pattern(60000);
my $large = pattern(3000000);

###############################################################################

SKIP: {
	skip 'no curl with HTTP/3', 40 unless $curl;

	foreach my $uri (@places) {
		checks("$uri: a body", $uri, $text);
		checks("$uri: no body", $uri, '');
		checks("$uri: in a file", $uri, $big, flip => 30000);
		checks("$uri: large", $uri, $large);

		# what is read from a pipe has no Content-Length

		checks("$uri: unknown length", $uri, $text, pieces => []);
		checks("$uri: unknown length, none", $uri, '', pieces => []);
		checks("$uri: in pieces", $uri, $text, pieces => [ 1, 2, 9 ]);
		checks("$uri: in pieces, in a file", $uri, $big,
			pieces => [ (9000) x 5 ], flip => 59999);
		checks("$uri: in pieces, large", $uri, $large,
			pieces => [ (100000) x 29 ]);
	}

	foreach my $case (
		[ 'too large', 413, '/limit', pattern(1001) ],
		[ 'too large, unknown length', 413, '/limit', pattern(1001),
			pieces => [ 600 ] ],
		[ 'longer than it says', 413, '/', $text, length => 5 ],
		[ 'shorter than it says', 400, '/', $text, length => 100 ])
	{
		my ($name, $status, $uri, $body, %opts) = @$case;

		my %event = event($body);

		$u->reset();
		my $got = ask(%event, %opts, uri => $uri) . ' ' . $u->connections();

		is("$got; " . passes(%event), "$status 0; 200 1; 200 0", $name);
	}

	# the host, of which HTTP/3 makes no header

	foreach my $host ('localhost:' . port(8080), 'hooks.example',
		'hooks.example:8443')
	{
		my $body = "{\"host\":\"$host\"}";
		my @got;

		foreach my $signed ('server.example', $host, $host) {
			my $signature = unpack 'H*', hmac('sha256', $secret,
				"https://$signed/url?a=b$body");

			$u->reset();
			push @got, ask(uri => '/url?a=b', body => $body,
				headers => [ [ 'Host', $host ], [ 'X-Id', $host ],
				[ 'X-Signature', $signature ] ])
				. ' ' . told($body);
		}

		is(join('; ', @got), $good, "signed host $host");
	}

	is(($t->logged('localhost:' . port(8080)))[0], 'url_host',
		'signed host, hint');

	# the client leaves in the midst of the body

	foreach my $size (0, 5, 40000) {
		my %event = event($big);

		$u->reset();
		my $got = ask(%event, port => 8082, pieces => [ $size ], open => 1,
			patience => 1) . ' ' . $u->connections();

		is("$got; " . passes(%event), '000 0; 200 1; 200 0',
			"left after $size bytes");
	}

	# it leaves before the answer; what it sends may be late

	my (%event, $got);

	foreach my $patience (1, 3, 9) {
		%event = event($text);

		$u->reset();
		$u->script('hang');
		$got = ask(%event, port => 8082, patience => $patience) . ' '
			. $u->count();

		last if $u->count();
	}

	$u->wait_gone(1);
	$t->logged($event{id});

	is("$got; " . passes(%event), '000 1; 200 1; 200 0',
		'left before the answer');

	# many at a time

	is(together(20), join(' ', map { $_ % 3 ? 200 : 401 } 0 .. 19) . '; '
		. join(', ', sort map { "HTTP/3.0 genuine $_" } grep { $_ % 3 }
			0 .. 19), 'many at a time');
}

SKIP: {
	skip 'no gtlsclient', 5 unless $gtls;

	by('gtlsclient', $text);
	by('gtlsclient, no body', '');
	by('gtlsclient, in a file', $big);
	by('gtlsclient, large', $large);
	by('gtlsclient, small packets', $big, '--max-udp-payload-size=1200');
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

# the status that curl tells, 000 if there was none

sub ask {
	my (%event) = @_;

	my @headers = map { "$_->[0]: $_->[1]" } @{$event{headers}};
	push @headers, "Content-Length: $event{length}" if $event{length};

	my $piecemeal = $event{pieces} || $event{length};

	my $pid = open2(my $out, my $in, 'curl', @tls, '-s',
		'-m', $event{patience} || 20, '-X', 'POST',
		'-o', '/dev/null', '-w', '%{http_code}',
		(map { ('-H', $_) } @headers),
		$piecemeal ? ('-T', '-') : ('--data-binary', '@-'),
		url($event{uri}, $event{port}));

	my $body = $event{body};
	my @pieces = map { substr $body, 0, $_, '' } @{$event{pieces} || []};

	foreach my $piece (@pieces, $event{open} ? () : $body) {
		syswrite $in, $piece;
		sleep 0.002;
	}

	close $in unless $event{open};

	my $status = <$out>;
	waitpid $pid, 0;

	return $status;
}

# every third of n is forged: the statuses, and what has reached the upstream

sub together {
	my ($n) = @_;

	my @args = ('-m', '20', '-Z', '--parallel-max', $n);

	foreach my $i (0 .. $n - 1) {
		my %event = event("genuine $i");

		push @args, $i ? '--next' : (), @tls, '-s', '-o', '/dev/null',
			'-w', '%{url_effective} %{http_code}\n',
			'-d', $i % 3 ? $event{body} : "forged $i",
			(map { ('-H', "$_->[0]: $_->[1]") } @{$event{headers}}),
			url("/?$i");
	}

	$u->reset();

	my %status = output('curl', @args) =~ /\?(\d+) (\d+)$/mg;

	return join(' ', map { $status{$_} || 'none' } 0 .. $n - 1) . '; '
		. join ', ', sort map {
			Test::Nginx::Upstream::header($_, 'X-Protocol')
			. " $_->{body}"
		} $u->requests();
}

# a client that sends no headers of one's own

sub by {
	my ($name, $body, @args) = @_;

	my $id = 'event-' . ++$ids;
	my $signature = unpack 'H*', hmac('sha256', $secret, "$id.$body");
	my @got;

	foreach my $text ($body eq '' ? 'x' : flip($body), $body, $body) {
		$u->reset();
		$t->write_file('body', $text);

		my $said = output('gtlsclient', '--exit-on-all-streams-close',
			'--no-quic-dump', @args, '-m', 'POST',
			$text eq '' ? () : ('-d', $t->testdir() . '/body'),
			'127.0.0.2', port(8080),
			url("/arguments?id=$id&signature=$signature"));

		push @got, ($said =~ /\[:status: (\d+)\]/ ? $1 : 'none')
			. ' ' . told($body);
	}

	is(join('; ', @got), $good, $name);
}

sub output {
	my (@command) = @_;

	open my $fh, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', @command
		or return '';
	local $/;
	my $output = <$fh>;
	close $fh;

	$output = '' unless defined $output;
	$output =~ s/\e\[[\d;]*m//g;

	return $output;
}

sub url {
	my ($uri, $port) = @_;
	return 'https://localhost:' . port($port || 8080) . $uri;
}

sub event {
	my ($body) = @_;

	my $id = 'event-' . ++$ids . '-';

	return (id => $id, uri => '/', body => $body, headers => [ [ 'X-Id', $id ],
		[ 'X-Timestamp', $now ], [ 'X-Signature', unpack 'H*',
		hmac('sha256', $secret, "$id.$now.$body") ] ]);
}

sub certificate {
	my ($key, $crt) = map { $t->testdir() . "/localhost.$_" } qw/ key crt /;

	my $said = output('openssl', 'req', '-x509', '-newkey', 'rsa:2048',
		'-nodes', '-subj', '/CN=localhost', '-keyout', $key, '-out', $crt);

	die "No certificate: $said\n" unless -s $crt;
}

###############################################################################
