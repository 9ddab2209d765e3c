#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for webhook-check: it finds places as nginx does, through includes,
# inheritance, limit_except and secrets of tenants; its exit codes; what it warns
# of; and that neither a live nginx nor the machine is another one afterwards.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Check;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy map rewrite/)->plan(53);

my $dir = $t->testdir();

$ENV{WEBHOOK_CHECK_TEST} = 'the secret in the environment';

my %secret = (one => 'the secret of one place', two => 'the secret of two',
	alice => 'the secret of alice', bob => 'the secret of bob');

foreach my $name (keys %secret) {
	$t->write_file("secret.$name", "# of a test\n\n$secret{$name}\n");
	chmod 0600, "$dir/secret.$name";
}

mkdir "$dir/conf.d";

$t->write_file('conf.d/a.conf', <<'EOF_');
# a comment with a { brace
location /included {
    webhook_secret  file:secret.one
                    file:secret.two;
}
EOF_

$t->write_file_expand('nginx.conf', my $conf = <<'EOF_');

%%TEST_GLOBALS%%

env WEBHOOK_CHECK_TEST;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m  state=%%TESTDIR%%/events.state;

    map $arg_tenant $tenant {
        "alice"  "the secret of alice";
        ~^bob    'the secret of bob';
    }

    webhook_scheme  mine {
        signature  $http_mine encoding=base64;
        timestamp  $http_mine_time;
        tolerance  2m 1m;
        signed     $http_mine_time.$request_body;
        event_id   json:/id;
    }

    server {
        listen       127.0.0.1:8080;
        server_name  hooks.example.com;

        webhook_verify  nextpay;

        include  conf.d/*.conf;

        location /env {
            webhook_secret  env:WEBHOOK_CHECK_TEST;
        }

        location /tenants {
            webhook_secret  $tenant;
        }

        location /mine {
            webhook_verify  mine;
            webhook_secret  file:secret.one;
            webhook_dedup   zone=events;
            proxy_pass      http://127.0.0.1:8081;

            location /mine/off {
                webhook_verify  off;
            }
        }

        location /limited {
            webhook_verify  off;

            limit_except GET {
                webhook_verify  nextpay;
                webhook_secret  file:secret.two;
            }
        }

        location /lint {
            webhook_secret  file:secret.two;
            satisfy         any;
            allow           127.0.0.1;
            deny            all;

            if ($request_method = PUT) {
                return 405;
            }
        }

        location / {
            webhook_verify  off;
        }
    }
}

EOF_

my $u = upstream(8081);

$t->run();

###############################################################################

# places

is(verdict('/included', $secret{two}), '0 right, by secret 2 of 2',
	'included, inherited');
is(verdict('/env', $ENV{WEBHOOK_CHECK_TEST}), '0 right, by secret 1 of 1',
	'of the environment');
is(verdict('/tenants?tenant=alice', $secret{alice}),
	'0 right, by secret 1 of 1', 'of a tenant');
is(verdict('/tenants?tenant=bob', $secret{alice}),
	'1 refused: signature_mismatch', 'not that of another one');
is(verdict('/tenants', $secret{alice}), '1 refused: no_secret',
	'a tenant without one');
is(verdict('/limited', $secret{two}), '0 right, by secret 1 of 1',
	'limit_except');

like((webhook_check($t, 'verify', captured_file('/included', $secret{two})))[1],
	qr!^place\s+hooks\.example\.com/included,\ "webhook_verify\ nextpay"
	\ in\ \Q$dir\E/nginx\.conf:\d+$!mx, 'where it stands');

# forms of a request

my $head = "POST /env HTTP/1.1\r\nHost: hooks.example.com\r\n"
	. 'X-Nextpay-Signature: '
	. unpack('H*', hmac('sha256', $ENV{WEBHOOK_CHECK_TEST}, "{}\n")) . "\r\n";

$t->write_file('raw', "$head\r\n{}\n");
is((webhook_check($t, 'verify', 'raw'))[0], 0, 'raw');

$t->write_file('lf', ($head . "\r\n") =~ s/\r//gr . "{}\n");
is((webhook_check($t, 'verify', 'lf'))[0], 0, 'raw with LF');

$t->write_file('length', $head . "Content-Length: 2\r\n\r\n{}\n");
like((webhook_check($t, 'verify', 'length'))[1], qr/^verdict\s+accepted$
	.*Content-Length\ says\ 2/msx, 'length of the capture');

$t->write_file('chunks', $head . "Transfer-Encoding: chunked\r\n\r\n"
	. "1\r\n{\r\n2\r\n}\n\r\n0\r\n\r\n");
is((webhook_check($t, 'verify', 'chunks'))[0], 0, 'chunks');

# what a terminal would obey is only shown

foreach my $case (
	[ 'address', 1, "POST /env\e]0;a\a HTTP/1.1\r\nHost: a\r\n\r\n" ],
	[ 'host', 1, "POST /env HTTP/1.1\r\nHost: a\e[2J\r\n\r\n" ],
	[ 'method', 2, "PO\e[2JST /env HTTP/1.1\r\nHost: a\r\n\r\n" ],
	[ 'header', 2, "POST /env HTTP/1.1\r\nHost: a\r\n\e[2J\r\n\r\n" ],
	[ 'address in JSON', 2, captured(url => "\e[2J") ],
	[ 'host in JSON', 1, captured(url => "https://a\e[2J/env") ],
	[ 'lines in JSON', 2, captured(url => "https://a/ a\r\nX: y") ],
	[ 'name in JSON', 1, captured(url => 'https://hooks.example.com/env',
		name => "\e[2J") ])
{
	my ($name, $status, $text) = @$case;

	$t->write_file('odd', $text);

	my ($rc, $out) = webhook_check($t, 'verify', 'odd');

	like("$rc $out", qr/^$status [\n -~]+\z/, "for a terminal - $name");
}

is(system("$^X $Test::Nginx::ROOT/tools/webhook-check --nginx "
	. "$Test::Nginx::NGINX --conf $dir/nginx.conf verify - < $dir/raw"
	. " > $dir/stdin.out 2>&1"), 0, 'standard input');

# time

my $now = Test::Nginx::now();

is_deeply([ timed($now) ], [ 0, 1, '', '' ], 'in time');
is_deeply([ timed($now - 86400) ], [ 1, 0, 'stale_timestamp', 'late' ],
	'right and late');
is_deeply([ timed($now - 86400, '--at', $now - 86400) ], [ 0, 1, '', '' ],
	'it was in time');
is_deeply([ timed($now, '--at', $now + 120) ], [ 0, 1, '', '' ],
	'at the end of the window');
is_deeply([ timed($now, '--at', $now + 121) ],
	[ 1, 0, 'stale_timestamp', 'late' ], 'and behind it');
is_deeply([ timed($now, '--at', $now - 60) ], [ 0, 1, '', '' ],
	'at its other end');
is_deeply([ timed($now, '--at', $now - 61) ],
	[ 1, 0, 'future_timestamp', 'late' ], 'and before it');

like((webhook_check($t, 'verify', 'timed.json'))[1], qr/^time\s+\d+,\ .*:\ in\ the
	\ window\ of\ 2m,\ 1m\ ahead$/mx, 'the window');

# exit codes

is((webhook_check($t, 'nonsense'))[0], 2, 'unknown command');
is((webhook_check($t, 'verify'))[0], 2, 'no file');
is((webhook_check($t, 'verify', 'missing'))[0], 2, 'no such file');
is((webhook_check($t, 'verify', 'nginx.conf'))[0], 2, 'no request');

foreach my $case (
	[ 'no request in an array', '[]' ],
	[ 'no base64', captured(url => 'https://a/env')
		=~ s/("body_base64":)"[^"]*"/$1"e30"/r ],
	[ 'two bodies', captured(url => 'https://a/env') =~ s/\{/{"body":"{}",/r ])
{
	my ($name, $text) = @$case;

	$t->write_file('odd', $text);
	is((webhook_check($t, 'verify', 'odd'))[0], 2, $name);
}

(my $globals = $t->test_globals()) =~ s/^load_module .*\n//m;

$t->write_file_expand('other.conf', <<"EOF_");

$globals

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    server {
        listen  127.0.0.1:8080;
    }
}

EOF_

like(join(' ', webhook_check($t, '--conf', 'other.conf', 'verify', 'raw')),
	qr/^3 \S+ nothing is verified in this configuration$/,
	'a configuration without the module');
is((webhook_check($t, 'verify', captured_file('/mine/off', 'x')))[0], 3,
	'nothing is verified there');
is((webhook_check($t, '--conf', 'missing', 'verify', 'raw'))[0], 3,
	'no configuration');
is((webhook_check($t, '--nginx', '/bin/false', 'verify', 'raw'))[0], 4,
	'no nginx');
is((webhook_check($t, 'verify', '--secret-file', 'missing', 'raw'))[0], 3,
	'no secret');

# other secrets

$t->write_file('given', "$secret{bob}\n");
is((webhook_check($t, 'verify', '--secret-file', 'given',
	captured_file('/env', $secret{bob})))[0], 0, 'secret of a file');

# the list

my ($status, $out) = webhook_check($t);

is($status, 0, 'list');
like($out, qr!^place\s+hooks\.example\.com/mine,\ "webhook_verify\ mine"[^\n]*\n
	secrets\s+23\ bytes,\ text\nwindow\s+2m,\ 1m\ ahead\n
	dedup\s+zone=events\n!mx, 'a place');
like($out, qr/^secrets    of variables$/m, 'secret of a tenant');
like($out, qr/^warning    "satisfy any"/m, 'satisfy any');
like($out, qr/^warning    "return" in \S+:\d+ answers before/m, 'return');
like($out, qr/^warning    "proxy_ignore_client_abort" is off/m,
	'proxy_ignore_client_abort');
like($out, qr!^warning    one secret is in use at .*/lint!m,
	'one secret in two places');
unlike($out, qr/the secret of/, 'no secret is shown');

like((webhook_check($t, '-v', 'verify', 'raw'))[1],
	qr/^left out   .*\bproxy_pass\b/m,
	'what is left out');

# the live nginx, and the machine

is($u->count(), 0, 'no upstream was asked');

my $state = $t->read_file('events.state');

(my $pid, $out) = interrupted('KILL');

is(join("\n", $out, left_behind($pid)), '', 'nothing is left when killed');
is($t->read_file('events.state'), $state, 'the state file is as it was');

###############################################################################

sub captured_file {
	my ($target, $key) = @_;

	my $body = '{"id":"a"}';

	$t->write_file('request.json', captured(
		url => "https://hooks.example.com$target", body => $body,
		headers => [ [ 'X-Nextpay-Signature',
			unpack 'H*', hmac('sha256', $key, $body) ] ]));

	return 'request.json';
}

sub verdict {
	my ($status, $out) = webhook_check($t, 'verify', captured_file(@_));

	return "$status " . ($out =~ /^signature  (.*)$/m ? $1 : $out);
}

sub timed {
	my ($time, @args) = @_;

	my $body = '{"id":"a"}';

	$t->write_file('timed.json', captured(
		url => 'https://hooks.example.com/mine', body => $body,
		headers => [ [ 'Mine-Time', $time ], [ 'Mine',
			MIME::Base64::encode_base64(hmac('sha256',
				$secret{one}, "$time.$body"), '') ] ]));

	my ($status) = webhook_check($t, 'verify', @args, 'timed.json');
	my ($json) = webhook_check_json($t, 'verify', @args, 'timed.json');

	return $status, $json->{accepted} ? 1 : 0, $json->{reason},
		$json->{late} ? 'late' : '';
}

# ends the tool while its nginx runs, and waits until that is over

sub interrupted {
	my ($signal) = @_;

	pipe my $read, my $write or die "pipe() failed: $!\n";

	my $pid = fork();
	die "fork() failed: $!\n" unless defined $pid;

	if (!$pid) {
		close $write;
		open STDIN, '<&', $read;
		open STDOUT, '>', '/dev/null';
		open STDERR, '>', '/dev/null';
		exec $^X, "-I$Test::Nginx::ROOT/tools/lib", '-e',
			'use Webhook::Check::Conf qw/ read_live /;'
			. ' use Webhook::Check::Nginx qw/ start /;'
			. ' use Webhook::Check::Output qw/ %opt /;'
			. ' use Webhook::Check::Place qw/ find_places /;'
			. ' require $ARGV[0]; $0 = "check";'
			. ' %opt = (nginx => $ARGV[1], conf => $ARGV[2]);'
			. ' my $l = read_live(); find_places($l); start($l);'
			. ' <STDIN>;', "$Test::Nginx::ROOT/tools/webhook-check",
			$Test::Nginx::NGINX, "$dir/nginx.conf";
	}

	close $read;

	my $running = wait_until(sub {
		grep { -S } glob("/tmp/webhook-check-$pid-*/ready.sock")
	});

	kill $signal, $pid;
	waitpid $pid, 0;

	wait_until(sub { !(() = left_behind($pid)) });

	return ($pid, $running ? '' : 'it did not run');
}

###############################################################################
